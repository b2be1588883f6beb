// SPDX-License-Identifier: GPL-2.0-only
#include "pace.h"

#include <qs1/abi.h>

#define PERIOD_NS (1000000000 / (int64_t)QS1_CONTROL_HZ)

void pace_set(struct pace *pace, double speed, int64_t now_ns)
{
	pace->speed = speed;
	pace->origin_ns = now_ns;
	pace->periods = 0;
}

unsigned int pace_due(struct pace *pace, int64_t now_ns)
{
	int64_t done_ns, lag_ns;
	double due;

	if (pace->speed <= 0)
		return PACE_BATCH_MAX;

	done_ns = (int64_t)((double)pace->periods * PERIOD_NS / pace->speed);
	lag_ns = now_ns - pace->origin_ns - done_ns;
	if (lag_ns > pace->lag_max_ns)
		pace->lag_max_ns = lag_ns;
	if (lag_ns > PACE_CATCH_UP_NS) {
		pace->slip_ns += lag_ns - PACE_CATCH_UP_NS;
		pace->origin_ns += lag_ns - PACE_CATCH_UP_NS;
		lag_ns = PACE_CATCH_UP_NS;
	}
	if (lag_ns <= 0)
		return 0;
	due = (double)lag_ns * pace->speed / PERIOD_NS;
	return due < PACE_BATCH_MAX ? (unsigned int)due : PACE_BATCH_MAX;
}
