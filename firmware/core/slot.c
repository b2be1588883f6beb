/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A frame of twenty control periods, one millisecond: one slow task in each of
 * its slots, so that no period carries two.
 */
#include "state.h"

/* Inputs 0 to 3 in slots 1, 9, 13, 15: evaluation of the last half cycle. */
static void input_slot(struct qs1_core *core, int n)
{
	if (core->input[n].pending == 2) {
		core->input[n].pending = 0;
		qs1_input_half_cycle(core, n);
	}
}

/* Sensors, unit, grid, then the state that follows from them: slots 3, 4, 11 and 19. */
void qs1_slot(struct qs1_core *core, uint32_t n)
{
	switch (n) {
	case 0:
		qs1_meter_slow(core);
		qs1_fsm_gates_ms(core);
		break;
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
		if (!(core->frame & (QS1_SERVICE_MS - 1))) {
			qs1_mean_step(core);
			qs1_service_step(core);
		}
		break;
	case 3:
		qs1_protect_sensors_ms(core);
		break;
	case 4:
		qs1_current_slow(core);
		core->fsm.unit = qs1_protect_ms(core);
		break;
	case 5:
	case 6:
	case 7:
	case 8:
		qs1_input_ms(core, (int)n - 5);
		break;
	case 10:
		if (!(core->frame & (QS1_SUPPORT_MS - 1)))
			qs1_support_step(core);
		break;
	case 11:
		core->fsm.grid = qs1_trip_ms(core) | qs1_island_found(core);
		qs1_fsm_faults(core);
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
			qs1_island_half_cycle(core);
			qs1_dclink_amplitudes(core);
			qs1_current_half_cycle(core);
		}
		break;
	case 19:
		qs1_fsm_ms(core);
		break;
	}
}
