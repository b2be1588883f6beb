/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Simulated time against wall time. Pure arithmetic: the caller has the clock.
 */
#ifndef QS1_VBOARD_PACE_H
#define QS1_VBOARD_PACE_H

#include <stdint.h>

/* The simulation catches up a lag of at most this; the rest counts as slip. */
#define PACE_CATCH_UP_NS 100000000ll

/* Control periods without a look at the sockets in between: 100 ms. */
#define PACE_BATCH_MAX 2000

/**
 * struct pace - a run's pace
 * @speed: simulated over wall time; 0 for as fast as possible
 * @origin_ns: wall time that the count of periods below started at
 * @periods: control periods done since then
 * @slip_ns: wall time by which simulated time fell behind for good
 * @lag_max_ns: largest lag so far at a wake-up
 */
struct pace {
	double speed;
	int64_t origin_ns;
	uint64_t periods;
	int64_t slip_ns;
	int64_t lag_max_ns;
};

/* From now on at @speed. The slip so far stays counted. */
void pace_set(struct pace *pace, double speed, int64_t now_ns);

/**
 * pace_due() - control periods to be done now, at most PACE_BATCH_MAX
 *
 * The caller adds what it did to @periods.
 */
unsigned int pace_due(struct pace *pace, int64_t now_ns);

#endif /* QS1_VBOARD_PACE_H */
