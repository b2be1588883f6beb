/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One control period.
 *
 * Each period runs synchronisation, metering, protection, one of the four input
 * loops and the control of the grid current. The slower tasks share a frame of
 * twenty periods, see slot.c.
 */
#include <qs1/stage.h>

#include "state.h"

/* A bench duty in timer counts, rounded down. */
static int bench_counts(const struct qs1_core *core, int n, int period)
{
	return qs1_asr(core->bench[n] * period, 15);
}

/* Commands to the power stage: all off while an instantaneous limit is exceeded. */
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
	qs1_slot(core, core->slot);
	if (++core->slot == QS1_TICKS_PER_MS) {
		core->slot = 0;
		core->frame++;
	}
	core->ticks++;
	outputs(core, cmp_bridge, out);
}
