/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef QS1_CLOCK_H
#define QS1_CLOCK_H

#include <linux/types.h>

/**
 * struct qs1_clock - where the coprocessor's time stands in the host's
 * @tick: a control period
 * @ns: the host's time at its end
 * @period_ps: length of a control period
 */
struct qs1_clock {
	u32 tick;
	s64 ns;
	s64 period_ps;
};

/**
 * struct qs1_clock_segment - a straight piece of the map
 * @tick: its begin, already given out
 * @ns: the host's time at @tick
 * @step_q16: length of a control period in ns, times 2^16
 */
struct qs1_clock_segment {
	u32 tick;
	s64 ns;
	u64 step_q16;
};

void qs1_clock_reset(struct qs1_clock *clock, u32 tick, s64 now, u32 control_hz);
struct qs1_clock_segment qs1_clock_advance(struct qs1_clock *clock, u32 tick, s64 now);

/**
 * qs1_clock_ns() - the host's time at the end of a control period
 * @segment: from qs1_clock_advance()
 * @tick: a period after segment->tick and not after the one advanced to
 *
 * Return: the time in ns.
 */
static inline s64 qs1_clock_ns(const struct qs1_clock_segment *segment, u32 tick)
{
	return segment->ns + (s64)((segment->step_q16 * (tick - segment->tick)) >> 16);
}

#endif /* QS1_CLOCK_H */
