/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Power-on, and the commands of the mailbox.
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
	uint8_t *byte = (uint8_t *)core;

	for (size_t k = 0; k < sizeof(*core); k++)
		byte[k] = 0;
	qs1_param_init(core);
	qs1_pll_init(&core->pll);
	qs1_current_reset(&core->current);
	qs1_dclink_reset(core);
	qs1_support_reset(core);
	core->dclink.ref = QS1_LINK_V * 1000 / (QS1_LSB_VLINK / 1000);
	core->protect.host_ms = 0xffffffffu;
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
