/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Active islanding detection: frequency shift by reactive current.
 *
 * A resonant load of quality Qf keeps an island where its phase equals the
 * inverter's, and its phase grows by 2 Qf / f0 per hertz: 0.033 rad/Hz for
 * Qf 1, 0.083 for 2.5. The inverter turns its current by 1 rad/Hz of the
 * difference between frequency and its slow mean, far more than any such load
 * can hold, so that an island has no stable frequency and runs out of the trip
 * limits or far off its mean, also when passive units carry most of its load.
 *
 * A grid answers a turn of the current too: its impedance turns the voltage
 * with it, and the frequency is the derivative of that phase. This answer grows
 * with frequency where an island's does not, so a low-pass of 0.13 s takes the
 * first and leaves the second. The gain around the loop at the frequency where
 * its phase is 0, see tests/unit/test_island.c, stays below 0.3 at a
 * short-circuit ratio of 3.
 *
 * An exactly matched load without noise would stay at rest on the unstable
 * point: a square wave of 0.004 rad pushes it off. Its plateaus are longer than
 * the low-pass, which would take most of a short pulse.
 */
#include "state.h"

/* 1 rad/Hz, Q30 a uHz */
#define SHIFT_Q30_PER_UHZ 1074
/* bound that keeps the product in 32 bits, above the limit at the least gain */
#define OFF_MAX_UHZ 1000000
#define SHIFT_MAX_Q30 QS1_Q30(0.35)
/* low-pass: 2^4 half cycles, 0.13 s */
#define OFF_SHIFT 4
#define DITHER_Q30 QS1_Q30(0.004)
#define DITHER_HALVES 16
/* slow mean: 2^6 half cycles, 0.53 s */
#define SLOW_SHIFT 6
/*
 * An island: 1.9 Hz off that mean for six half cycles, 50 ms. A grid that moves
 * by 3 Hz/s, which is to be ridden through (IEEE 1547-2018 6.5.2.5), leads the
 * mean by 1.6 Hz at most; an island in which the shift is at its limit is
 * 0.35 / 0.083 = 4.2 Hz off for Qf 2.5, and more for less.
 */
#define SUSPECT_UHZ 1900000
#define SUSPECT_HALVES 6
/* The current finds no path for 8 ms: the grid is gone and there is no load. */
#define ASTRAY_MAX (8 * QS1_TICKS_PER_MS)
#define ROCOF_NONE 100

/*
 * The part that two successive changes have in common. A phase jump of 8 to 17 degrees moves the
 * measured frequency by up to 0.9 Hz and back within 0.1 s; a grid that changes its
 * frequency moves it in one direction.
 */
static int32_t common_change(int32_t a, int32_t b)
{
	if ((a ^ b) < 0)
		return 0;
	a = qs1_abs(a);
	b = qs1_abs(b);
	return a < b ? a : b;
}

void qs1_island_half_cycle(struct qs1_core *core)
{
	struct qs1_island *is = &core->island;
	int32_t f = core->meter.f_uhz ? core->meter.f_cycle_uhz : 0;
	int32_t shift, moved;

	if (!f || !qs1_producing(core)) {
		is->f_slow_uhz = f;
		is->off_uhz = 0;
		is->quad_q30 = 0;
		is->dither = 0;
		is->suspect = 0;
		is->f_last_uhz = 0;
		is->moved_uhz = 0;
		is->rocof_uhz = 0;
		is->rocof_halves = 0;
		return;
	}
	if (!is->f_slow_uhz)
		is->f_slow_uhz = f;
	is->f_slow_uhz += qs1_asr(f - is->f_slow_uhz, SLOW_SHIFT);
	is->off_uhz += qs1_asr(f - is->f_slow_uhz - is->off_uhz, OFF_SHIFT);

	/*
	 * Above the mean the current goes ahead of the voltage: the load's
	 * frequency rises further.
	 */
	shift = (int32_t)qs1_div(
		qs1_mul(qs1_clamp(is->off_uhz, -OFF_MAX_UHZ, OFF_MAX_UHZ) * SHIFT_Q30_PER_UHZ,
			core->param[QS1_PARAM_AI_GAIN_PCT]),
		100);
	shift += is->dither < DITHER_HALVES ? DITHER_Q30 : -DITHER_Q30;
	is->dither = is->dither + 1 == 2 * DITHER_HALVES ? 0 : is->dither + 1;
	is->quad_q30 = qs1_clamp(shift, -SHIFT_MAX_Q30, SHIFT_MAX_Q30);

	if (qs1_abs(f - is->f_slow_uhz) <= SUSPECT_UHZ)
		is->suspect = 0;
	else if (is->suspect < SUSPECT_HALVES)
		is->suspect++;

	/* Each 0.1 s, a fifth of the cycles of a second in halves. */
	is->rocof_halves++;
	if (is->rocof_halves >= core->param[QS1_PARAM_F_NOM_HZ] / 500) {
		moved = is->f_last_uhz ? core->meter.f_uhz - is->f_last_uhz : 0;
		is->rocof_uhz = common_change(moved, is->moved_uhz);
		is->moved_uhz = moved;
		is->f_last_uhz = core->meter.f_uhz;
		is->rocof_halves = 0;
	}
}

/* Return: QS1_FAULT_BIT() of the faults found. */
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
