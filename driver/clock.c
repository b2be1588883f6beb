// SPDX-License-Identifier: GPL-2.0-only
/*
 * From control periods to the host's clock.
 *
 * The firmware counts control periods; the host sees, at each doorbell, the
 * newest period and its own time. A doorbell is late by a varying delay, and
 * never early. So the true line is below all these observations, and touches
 * those with the shortest delay.
 *
 * With k periods of length p since the last observation, given out as t0, the
 * newest period is taken to have ended at
 *
 *   t = min(now, t0 + k p (1 + c)),   c = 1/1000
 *
 * An observation that is earlier than expected pulls the line down at once; a
 * later one lets it creep upwards by c, which is more than two crystals differ,
 * so that the line also follows a coprocessor that is slow. The error of a time
 * stamp is therefore between 0 and d + (c + e) a, where a is how long ago the
 * last doorbell with a delay of at most d was, and e by what part of its rate
 * the coprocessor is fast: with one undelayed doorbell in 100 ms and crystals
 * that differ by 100 ppm it is below 110 us, however late the others come.
 *
 * A simulated board may leave real time altogether. When the observation is off
 * by more than 20 ms the map starts again from there, with p as the mean since
 * the last observation.
 *
 * Each period is given out once, on the straight piece from t0 to t, which
 * rises by at least a nanosecond for each: time stamps are strictly monotonic
 * as long as the host's clock is. When somebody sets CLOCK_REALTIME back by more
 * than 20 ms, now is before t0, and the map starts again from now: the stamps
 * step back once, as the clock did.
 */
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/time64.h>

#include "clock.h"

#define QS1_CLOCK_JUMP_NS (20 * NSEC_PER_MSEC)
#define QS1_CLOCK_CREEP 1000 /* 1 / c */
/* Of one piece: 2^16 times that, and 2^31 periods, stay within 63 bits. */
#define QS1_CLOCK_SPAN_MAX_NS (100000LL * NSEC_PER_SEC)
#define QS1_CLOCK_PERIOD_MAX_PS 4000000000LL

/**
 * qs1_clock_reset() - start again
 * @clock: to be set
 * @tick: newest control period
 * @now: the host's time
 * @control_hz: nominal rate, not 0
 */
void qs1_clock_reset(struct qs1_clock *clock, u32 tick, s64 now, u32 control_hz)
{
	clock->tick = tick;
	clock->ns = now;
	clock->period_ps = div_u64(PSEC_PER_SEC, control_hz);
}

/**
 * qs1_clock_advance() - take one observation
 * @clock: updated
 * @tick: newest control period, later than that of the last call
 * @now: the host's time
 *
 * Return: the map for the periods since the last call. It begins before the last
 * one's end if the host's clock was set back.
 */
struct qs1_clock_segment qs1_clock_advance(struct qs1_clock *clock, u32 tick, s64 now)
{
	struct qs1_clock_segment segment = { .tick = clock->tick, .ns = clock->ns };
	u32 periods = max(tick - clock->tick, 1u);
	s64 nominal = div_s64(clock->period_ps * periods, 1000);
	s64 span = now - clock->ns;
	s64 late = span - nominal;

	if (span < -QS1_CLOCK_JUMP_NS) {
		span = clamp(nominal, (s64)periods, QS1_CLOCK_SPAN_MAX_NS);
		segment.ns = now - span;
		late = 0;
	}
	if (abs(late) <= QS1_CLOCK_JUMP_NS)
		span = min(span, nominal + div_s64(nominal, QS1_CLOCK_CREEP));
	span = clamp(span, (s64)periods, QS1_CLOCK_SPAN_MAX_NS);
	if (abs(late) > QS1_CLOCK_JUMP_NS)
		clock->period_ps = min(div_s64(span * 1000, periods), QS1_CLOCK_PERIOD_MAX_PS);

	segment.step_q16 = div_u64((u64)span << 16, periods);
	clock->tick = tick;
	clock->ns = qs1_clock_ns(&segment, tick);
	return segment;
}
