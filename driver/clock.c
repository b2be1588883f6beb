// SPDX-License-Identifier: GPL-2.0-only
/*
 * From control periods to the host's clock.
 *
 * The firmware counts control periods; the host sees, at each doorbell, the
 * newest period and its own time. The doorbell arrives late by a varying delay,
 * never early, and a simulated board may run faster or slower than real time.
 *
 * A straight line is tracked through these observations. With k periods of
 * length p since the last one at t0, the newest period is expected at t0 + k p
 * and seen e later:
 *
 *   e < 0   the expectation was late, for an observation is never early: half
 *           of e is taken at once;
 *   e >= 0  delay of this doorbell, for the most part: one sixteenth is taken;
 *   p       follows with 1/32 of e / k;
 *   |e| > 20 ms  the board's pace has changed: start again from here, with the
 *           mean length since the last observation.
 *
 * Each period is given out once, on the straight piece between the last
 * observation's corrected time and this one's, which rises by at least one
 * nanosecond a period. Time stamps are therefore strictly monotonic, and once
 * settled, later than the period's true end by the shortest delay of a doorbell
 * plus less than a sixteenth of the delays' spread.
 */
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/time64.h>

#include "clock.h"

#define QS1_CLOCK_JUMP_NS (20 * NSEC_PER_MSEC)
/* Of one piece; keeps the fixed-point step within 64 bits. */
#define QS1_CLOCK_SPAN_MAX_NS (3600LL * NSEC_PER_SEC)

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
 * Return: the map for the periods since the last call.
 */
struct qs1_clock_segment qs1_clock_advance(struct qs1_clock *clock, u32 tick, s64 now)
{
	struct qs1_clock_segment segment = { .tick = clock->tick, .ns = clock->ns };
	u32 periods = max(tick - clock->tick, 1u);
	s64 expected = clock->ns + div_s64(clock->period_ps * periods, 1000);
	s64 error = now - expected;
	s64 span;

	if (abs(error) > QS1_CLOCK_JUMP_NS) {
		span = now - clock->ns;
		clock->period_ps = div_s64(clamp(span, (s64)periods, QS1_CLOCK_SPAN_MAX_NS) * 1000,
					   periods);
	} else {
		span = expected - clock->ns + (error < 0 ? error / 2 : error / 16);
		clock->period_ps = max(clock->period_ps + div_s64(error * 1000, periods) / 32, 1);
	}
	span = clamp(span, (s64)periods, QS1_CLOCK_SPAN_MAX_NS);

	segment.step_q16 = div_u64((u64)span << 16, periods);
	clock->tick = tick;
	clock->ns = qs1_clock_ns(&segment, tick);
	return segment;
}
