/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Active islanding detection: frequency shift by reactive current.
 *
 * A resonant load of quality Qf keeps an island where its phase equals the
 * inverter's, and its phase grows by 2 Qf / f0 per hertz: 0.033 rad/Hz for
 * Qf 1, 0.083 for 2.5. The inverter shifts its current by 0.2 rad/Hz of the
 * difference between frequency and its slow mean, more than any such load can
 * hold, so that an island has no stable frequency and runs out of the trip
 * limits or far off its mean. On a grid the frequency does not answer and the
 * shift stays within the grid's own small wander.
 *
 * An exactly matched load without noise would stay at rest on the unstable
 * point: a pulse of 0.012 rad, up and down, one cycle each in sixteen, pushes
 * it off.
 */
#include "state.h"

/* rad/Hz, Q30 a uHz */
#define SHIFT_Q30_PER_UHZ 215
#define SHIFT_MAX_Q30 QS1_Q30(0.35)
#define PULSE_Q30 QS1_Q30(0.012)
#define PULSE_HALVES 32
/*
 * An island: 3.3 Hz off the mean of the last second for six half cycles, 50 ms.
 * A grid that moves by 3 Hz/s, which is to be ridden through (IEEE 1547-2018
 * 6.5.2.5), leads the mean by 3 Hz at most; an island in which the shift is at
 * its limit is 0.35 / 0.083 = 4.2 Hz off for Qf 2.5, and more for less.
 */
#define SUSPECT_UHZ 3300000
#define SUSPECT_HALVES 6
/* Nothing takes the current, for 8 ms: the grid is gone and no load is in its place. */
#define ASTRAY_MAX (8 * QS1_TICKS_PER_MS)
#define ROCOF_HALVES 12
#define ROCOF_NONE 100
/* slow mean: 2^7 half cycles, about one second */
#define SLOW_SHIFT 7

void qs1_island_half_cycle(struct qs1_core *core)
{
	struct qs1_island *is = &core->island;
	int32_t f = core->meter.f_uhz ? core->meter.f_cycle_uhz : 0;
	int64_t shift;

	if (!f || !qs1_producing(core)) {
		is->f_slow_uhz = f;
		is->quad_q30 = 0;
		is->pulse = 0;
		is->suspect = 0;
		is->f_last_uhz = 0;
		is->rocof_uhz = 0;
		is->rocof_halves = 0;
		return;
	}
	if (!is->f_slow_uhz)
		is->f_slow_uhz = f;
	is->f_slow_uhz += qs1_asr(f - is->f_slow_uhz, SLOW_SHIFT);

	/*
	 * Above the mean the current goes ahead of the voltage: the load's
	 * frequency rises further.
	 */
	shift = qs1_div(qs1_mul(f - is->f_slow_uhz, SHIFT_Q30_PER_UHZ) *
				qs1_wide(core->param[QS1_PARAM_AI_GAIN_PCT]),
			100);
	is->pulse = is->pulse + 1 == PULSE_HALVES ? 0 : is->pulse + 1;
	if (is->pulse < 2)
		shift += PULSE_Q30;
	else if (is->pulse >= PULSE_HALVES / 2 && is->pulse < PULSE_HALVES / 2 + 2)
		shift -= PULSE_Q30;
	if (shift > SHIFT_MAX_Q30)
		shift = SHIFT_MAX_Q30;
	if (shift < -SHIFT_MAX_Q30)
		shift = -SHIFT_MAX_Q30;
	is->quad_q30 = (int32_t)shift;

	if (qs1_abs(f - is->f_slow_uhz) <= SUSPECT_UHZ)
		is->suspect = 0;
	else if (is->suspect < SUSPECT_HALVES)
		is->suspect++;

	/* Rate of change of frequency over a dozen half cycles, 0.1 s. */
	is->rocof_halves++;
	if (is->rocof_halves >= ROCOF_HALVES) {
		is->rocof_uhz = is->f_last_uhz ? qs1_abs(core->meter.f_uhz - is->f_last_uhz) : 0;
		is->f_last_uhz = core->meter.f_uhz;
		is->rocof_halves = 0;
	}
}

/* QS1_FAULT_BIT() of what has been found. */
uint32_t qs1_island_found(const struct qs1_core *core)
{
	const struct qs1_island *is = &core->island;
	int32_t rocof = core->param[QS1_PARAM_ROCOF_HZ_S];
	uint32_t found = 0;

	if (is->suspect >= SUSPECT_HALVES || core->current.astray > ASTRAY_MAX)
		found |= QS1_FAULT_BIT(QS1_FAULT_ISLAND);
	/* 0.1 Hz/s over 0.1 s is 10000 uHz */
	if (rocof < ROCOF_NONE && is->rocof_uhz > rocof * 10000)
		found |= QS1_FAULT_BIT(QS1_FAULT_ROCOF);
	return found;
}
