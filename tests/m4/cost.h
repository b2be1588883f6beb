/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the control core costs on the Cortex-M4, see cost.c.
 */
#ifndef QS1_M4_COST_H
#define QS1_M4_COST_H

#include <stdint.h>

/*
 * The functions that are counted. Columns: name, type of its result, its
 * parameters, their names.
 */
/* clang-format off */
#define COST_FUNCTIONS(X) \
	X(core_step, void, (struct qs1_core *core, const struct qs1_samples *in, \
			    struct qs1_outputs *out), (core, in, out)) \
	X(pll_step, void, (struct qs1_pll *pll, int32_t v), (pll, v)) \
	X(meter_step, void, (struct qs1_core *core), (core)) \
	X(protect_step, void, (struct qs1_core *core), (core)) \
	X(input_step, uint16_t, (struct qs1_core *core, int n), (core, n)) \
	X(current_step, int16_t, (struct qs1_core *core), (core)) \
	X(pll_predict, void, (struct qs1_pll *pll), (pll)) \
	X(meter_slow, void, (struct qs1_core *core), (core)) \
	X(pll_slow, void, (struct qs1_pll *pll), (pll)) \
	X(current_slow, void, (struct qs1_core *core), (core)) \
	X(input_ms, void, (struct qs1_core *core, int n), (core, n)) \
	X(dclink_amplitudes, void, (struct qs1_core *core), (core)) \
	X(protect_sensors_ms, void, (struct qs1_core *core), (core)) \
	X(protect_ms, uint32_t, (struct qs1_core *core), (core)) \
	X(trip_ms, uint32_t, (struct qs1_core *core), (core)) \
	X(service_in_range, bool, (const struct qs1_core *core), (core)) \
	X(fsm_ms, void, (struct qs1_core *core), (core)) \
	X(fsm_gates_ms, void, (struct qs1_core *core), (core)) \
	X(dclink_half_cycle, void, (struct qs1_core *core), (core)) \
	X(support_step, void, (struct qs1_core *core), (core)) \
	X(island_half_cycle, void, (struct qs1_core *core), (core)) \
	X(input_half_cycle, void, (struct qs1_core *core, int n), (core, n))
/* clang-format on */

enum cost_function {
#define X(name, type, parameters, names) COST_##name,
	COST_FUNCTIONS(X)
#undef X
		COST_COUNT
};

/* Control periods in a frame of the core's schedule. */
#define COST_SLOTS 20

/* SysTick runs at 25 MHz; -icount shift=5 gives 32 ns to an instruction. */
#define COST_INSTRUCTIONS(ticks) ((ticks)*5 / 4)

/**
 * struct cost - in the memory of the Cortex-M4
 * @overhead: ticks that counting adds to a function without any
 * @max: most ticks of one call, without the overhead
 * @at: step in which that was, from 0
 * @slot: most ticks of a control period, by its slot in the frame (slot.c)
 */
struct cost {
	uint32_t overhead;
	uint32_t max[COST_COUNT];
	uint32_t at[COST_COUNT];
	uint32_t slot[COST_SLOTS];
};

#endif /* QS1_M4_COST_H */
