/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The control period: what happens in which of its slots.
 *
 * Each period takes the samples through synchronisation, metering, protection,
 * one of the four input loops and the grid current. All else runs in a frame of
 * twenty periods, one task a slot, so that no period carries two slow tasks.
 */
#include <qs1/stage.h>

#include "state.h"

/* bench mode: on-time of an input at most 0.3, Q15 */
#define BENCH_INPUT_MAX 9830
#define BENCH_LEG_MAX 32767

size_t qs1_core_size(void)
{
	return sizeof(struct qs1_core);
}

void qs1_core_init(struct qs1_core *core)
{
	uint32_t *word = (uint32_t *)core;

	for (size_t k = 0; k < sizeof(*core) / sizeof(*word); k++)
		word[k] = 0;
	qs1_param_init(core);
	qs1_pll_init(&core->pll);
	qs1_current_reset(&core->current);
	qs1_dclink_reset(core);
	qs1_support_reset(core);
	core->dclink.ref = QS1_LINK_V * 1000 / (QS1_LSB_VLINK / 1000);
	core->protect.host_ms = 0xffffffffu;
}

/* Inputs 0 to 3 in slots 1, 9, 13, 15: what the last half cycle left. */
static void input_slot(struct qs1_core *core, int n)
{
	if (core->input[n].pending == 2) {
		core->input[n].pending = 0;
		qs1_input_half_cycle(core, n);
	}
}

/* Sensors, unit, grid, then the state that follows from them: slots 3, 10, 11 and 19. */
static void slot(struct qs1_core *core, uint32_t n)
{
	switch (n) {
	case 0:
	case 12:
	case 14:
	case 16:
		qs1_meter_slow(core);
		break;
	case 1:
		input_slot(core, 0);
		break;
	case 9:
		input_slot(core, 1);
		break;
	case 13:
		input_slot(core, 2);
		break;
	case 15:
		input_slot(core, 3);
		break;
	case 2:
		qs1_pll_slow(&core->pll);
		break;
	case 3:
		qs1_protect_sensors_ms(core);
		break;
	case 4:
		qs1_current_slow(core);
		break;
	case 5:
	case 6:
	case 7:
	case 8:
		qs1_input_ms(core, (int)n - 5);
		break;
	case 10:
		core->fsm.unit = qs1_protect_ms(core);
		if (!(core->frame & 7))
			qs1_support_step(core);
		break;
	case 11:
		core->fsm.grid = qs1_trip_ms(core) | qs1_island_found(core);
		break;
	case 17:
		/* once the meter has evaluated the link */
		if (core->half_dclink &&
		    (!core->meter.pending || core->meter.pending > QS1_METER_VLINK)) {
			core->half_dclink = false;
			qs1_dclink_half_cycle(core);
		}
		break;
	case 18:
		if (core->half_island && !core->half_dclink) {
			core->half_island = false;
			qs1_dclink_amplitudes(core);
			qs1_island_half_cycle(core);
		}
		break;
	case 19:
		qs1_fsm_ms(core);
		break;
	}
}

/* A bench duty in timer counts, rounded down. */
static int bench_counts(const struct qs1_core *core, int n, int period)
{
	return (core->bench[n] * period) >> 15;
}

/* What the power stage gets: nothing while an immediate limit is passed. */
static void outputs(struct qs1_core *core, int16_t cmp_bridge, struct qs1_outputs *out)
{
	bool stop = core->estop || core->protect.fast;

	*out = (struct qs1_outputs){ 0 };
	if (core->fsm.bench && !stop) {
		for (int n = 0; n < QS1_INPUTS; n++) {
			out->cmp_input[n] = (uint16_t)bench_counts(core, n, QS1_PWM_INPUT_PERIOD);
			if (core->bench[n])
				out->inputs |= (uint8_t)(1u << n);
		}
		out->cmp_bridge =
			(int16_t)(bench_counts(core, QS1_INPUTS, QS1_PWM_BRIDGE_HALF) -
				  bench_counts(core, QS1_INPUTS + 1, QS1_PWM_BRIDGE_HALF));
		out->bridge = core->bench[QS1_INPUTS] || core->bench[QS1_INPUTS + 1];
		return;
	}
	out->relay = core->relay_on && !core->estop;
	if (stop)
		return;
	for (int n = 0; n < QS1_INPUTS; n++) {
		if (core->input[n].on) {
			out->cmp_input[n] = core->cmp_input[n];
			out->inputs |= (uint8_t)(1u << n);
		}
	}
	if (core->bridge_on && !core->current.blank) {
		out->bridge = true;
		out->cmp_bridge = cmp_bridge;
	}
}

void qs1_core_step(struct qs1_core *core, const struct qs1_samples *in, struct qs1_outputs *out)
{
	int16_t cmp_bridge = 0;
	int n;

	for (int k = 0; k < QS1_ADC_COUNT; k++)
		core->adc[k] = in->adc[k];
	core->estop = !in->estop_n;
	if (in->host_heartbeat != core->protect.host_seen) {
		core->protect.host_seen = in->host_heartbeat;
		core->protect.host_ms = 0;
		core->protect.host_alive = true;
	}

	qs1_pll_step(&core->pll, core->adc[QS1_ADC_VGRID]);
	qs1_meter_step(core);
	if (core->pll.half_cycle) {
		for (n = 0; n < QS1_INPUTS; n++)
			core->input[n].pending = 1;
		core->half_dclink = true;
		core->half_island = true;
		if (core->bridge_due) {
			core->bridge_due = false;
			core->bridge_on = true;
		}
	}
	qs1_protect_step(core);
	n = (int)(core->ticks & 3);
	core->cmp_input[n] = qs1_input_step(core, n);
	if (core->bridge_on)
		cmp_bridge = qs1_current_step(core);
	qs1_pll_predict(&core->pll);
	slot(core, (uint32_t)core->slot);
	if (++core->slot == QS1_TICKS_PER_MS) {
		core->slot = 0;
		core->frame++;
	}
	core->ticks++;
	outputs(core, cmp_bridge, out);
}

static uint32_t bench_pwm(struct qs1_core *core, uint32_t arg, int32_t value, int32_t *ret)
{
	int32_t max = arg < QS1_INPUTS ? BENCH_INPUT_MAX : BENCH_LEG_MAX;

	if (!core->fsm.bench)
		return QS1_ERR_STATE;
	if (arg >= QS1_INPUTS + 2)
		return QS1_ERR_ARG;
	if (value < 0 || value > max) {
		*ret = value < 0 ? 0 : max;
		return QS1_ERR_RANGE;
	}
	core->bench[arg] = (int16_t)value;
	*ret = value;
	return QS1_OK;
}

uint32_t qs1_core_command(struct qs1_core *core, uint32_t op, uint32_t arg, int32_t value,
			  int32_t *ret)
{
	*ret = 0;
	switch (op) {
	case QS1_OP_NONE:
		return QS1_OK;
	case QS1_OP_PING:
		*ret = value;
		return QS1_OK;
	case QS1_OP_SET_PARAM:
	case QS1_OP_GET_PARAM:
	case QS1_OP_PROFILE_BEGIN:
	case QS1_OP_PROFILE_COMMIT:
	case QS1_OP_PROFILE_ABORT:
		return qs1_param_command(core, op, arg, value, ret);
	case QS1_OP_ARM:
		return qs1_fsm_arm(core, true);
	case QS1_OP_DISARM:
		return qs1_fsm_arm(core, false);
	case QS1_OP_LATCH:
		return qs1_fsm_latch(core, arg);
	case QS1_OP_CLEAR:
		return qs1_fsm_clear(core, arg);
	case QS1_OP_BENCH:
		return qs1_fsm_bench(core, value != 0);
	case QS1_OP_BENCH_PWM:
		return bench_pwm(core, arg, value, ret);
	default:
		return QS1_ERR_OP;
	}
}
