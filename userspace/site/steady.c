// SPDX-License-Identifier: GPL-2.0-only
#include "steady.h"

#include <math.h>
#include <string.h>

#define MODULE_V 34.0
#define GRID_V 240.0
#define GRID_HZ 60.0
#define EFFICIENCY 0.955
#define CASE_C 35.0

void steady_init(struct steady *steady, double module_w)
{
	memset(steady, 0, sizeof(*steady));
	steady->module_w = module_w;
	steady->state = QS1_STATE_SHUTDOWN;
	for (int id = 0; id < QS1_PARAM_COUNT; id++) {
		steady->param[id] = qs1_param_desc(id)->def;
	}
}

static double limit_w(const struct steady *steady)
{
	int decimals = qs1_param_desc(QS1_PARAM_POWER_LIMIT_W)->decimals;

	return steady->param[QS1_PARAM_POWER_LIMIT_W] / pow(10, decimals);
}

static double grid_w(const struct steady *steady)
{
	if (steady->state != QS1_STATE_PRODUCING) {
		return 0;
	}
	return fmin(QS1_INPUTS * steady->module_w * EFFICIENCY, limit_w(steady));
}

static double input_w(const struct steady *steady)
{
	return grid_w(steady) / EFFICIENCY / QS1_INPUTS;
}

/* It reaches the state that it is to be in at once. */
static void settle(struct steady *steady, unsigned int cause)
{
	uint8_t state = steady->gfdi_latched ? QS1_STATE_GROUND_FAULT
			: steady->armed	     ? QS1_STATE_PRODUCING
					     : QS1_STATE_SHUTDOWN;

	if (state == steady->state) {
		return;
	}
	steady->event = (struct qs1_event){
		.kind = QS1_EVENT_TRANSITION,
		.cause = (qs1_u16)cause,
		.from = steady->state,
		.to = state,
	};
	steady->event_waits = true;
	steady->state = state;
}

void steady_run(struct steady *steady, uint64_t now_us)
{
	double seconds = (double)(now_us - steady->now_us) * 1e-6;

	for (int i = 0; i < QS1_INPUTS; i++) {
		steady->pv_mj[i] += input_w(steady) * seconds * 1e3;
	}
	steady->grid_mj += grid_w(steady) * seconds * 1e3;
	steady->now_us = now_us;
}

void steady_ground(struct steady *steady, bool fault)
{
	steady->gfdi = fault;
	steady->gfdi_latched |= fault;
	settle(steady, QS1_CAUSE_FAULT_BASE + QS1_FAULT_GFDI);
}

static int set_param(struct steady *steady, uint32_t id, int32_t value)
{
	const struct qs1_param_desc *desc;

	if (id >= QS1_PARAM_COUNT) {
		return QS1_ERR_ARG;
	}
	desc = qs1_param_desc(id);
	if (value < desc->min || value > desc->max) {
		return QS1_ERR_RANGE;
	}
	steady->param[id] = value;
	return QS1_OK;
}

static uint32_t run(void *ctx)
{
	(void)ctx;
	return 1;
}

static int command(void *ctx, enum qs1_op op, uint32_t arg, int32_t value, int32_t *ret_value)
{
	struct steady *steady = ctx;

	*ret_value = 0;
	switch (op) {
	case QS1_OP_SET_PARAM:
		return set_param(steady, arg, value);
	case QS1_OP_PROFILE_BEGIN:
	case QS1_OP_PROFILE_COMMIT:
	case QS1_OP_PROFILE_ABORT:
		return QS1_OK;
	case QS1_OP_ARM:
	case QS1_OP_DISARM:
		steady->armed = op == QS1_OP_ARM;
		settle(steady, QS1_CAUSE_NONE);
		return QS1_OK;
	case QS1_OP_LATCH:
		steady->gfdi_latched = true;
		settle(steady, QS1_CAUSE_FAULT_BASE + QS1_FAULT_GFDI);
		return QS1_OK;
	case QS1_OP_CLEAR:
		if (steady->gfdi) {
			return QS1_ERR_ACTIVE;
		}
		steady->gfdi_latched = false;
		settle(steady, QS1_CAUSE_NONE);
		return QS1_OK;
	default:
		return QS1_ERR_OP;
	}
}

static void telemetry(void *ctx, struct qs1_telemetry *t)
{
	const struct steady *steady = ctx;
	bool dark = steady->module_w <= 0;

	memset(t, 0, sizeof(*t));
	t->status =
		steady->state | QS1_STATUS_SELF_TEST_OK | QS1_STATUS_PLL_LOCKED |
		QS1_STATUS_GRID_OK | QS1_STATUS_HOST_ALIVE |
		(steady->armed ? QS1_STATUS_ARMED : 0) |
		(steady->state == QS1_STATE_PRODUCING ? QS1_STATUS_RELAY | QS1_STATUS_BRIDGE : 0);
	t->faults_active = steady->gfdi ? QS1_FAULT_BIT(QS1_FAULT_GFDI) : 0;
	t->faults_latched = steady->gfdi_latched ? QS1_FAULT_BIT(QS1_FAULT_GFDI) : 0;
	for (int i = 0; i < QS1_INPUTS; i++) {
		t->vpv_mv[i] = dark ? 0 : (qs1_s32)(MODULE_V * 1e3);
		t->ppv_mw[i] = (qs1_s32)(input_w(steady) * 1e3);
		t->ipv_ma[i] = (qs1_s32)(input_w(steady) / MODULE_V * 1e3);
		t->epv_mj[i] = (qs1_u64)steady->pv_mj[i];
	}
	t->eac_mj = (qs1_u64)steady->grid_mj;
	t->vgrid_mv = (qs1_s32)(GRID_V * 1e3);
	t->f_mhz = (qs1_s32)(GRID_HZ * 1e3);
	t->p_mw = (qs1_s32)(grid_w(steady) * 1e3);
	t->igrid_ma = (qs1_s32)(grid_w(steady) / GRID_V * 1e3);
	t->tcase_mc = (qs1_s32)(CASE_C * 1e3);
	t->vlink_mv = 400000;
	t->power_limit_mw = (qs1_s32)(limit_w(steady) * 1e3);
}

static bool event(void *ctx, struct qs1_event *ret)
{
	struct steady *steady = ctx;

	if (!steady->event_waits) {
		return false;
	}
	*ret = steady->event;
	steady->event_waits = false;
	return true;
}

static int32_t param(void *ctx, enum qs1_param id)
{
	const struct steady *steady = ctx;

	return steady->param[id];
}

static void heartbeat(void *ctx)
{
	(void)ctx;
}

static bool angle(void *ctx, uint64_t us, double *ret_deg, double *ret_hz)
{
	const struct steady *steady = ctx;

	*ret_deg = fmod(steady->angle_deg + 360 * fmod(GRID_HZ * (double)us * 1e-6, 1), 360);
	*ret_hz = GRID_HZ;
	return true;
}

const struct inverter_firmware steady_firmware = { run,	  command,   telemetry, event,
						   param, heartbeat, angle };
