/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Quantities that move by themselves: ramps and recordings.
 */
#ifndef QS1_TIMELINE_H
#define QS1_TIMELINE_H

#include <stdbool.h>

#include "scenario.h"

/* A quantity that moves to a target value. */
struct ramp {
	bool active;
	double t0, t1, from, to;
};

/* From time @t, s, within @length_s. */
static inline void ramp_start(struct ramp *ramp, double t, double from, double to, double length_s)
{
	*ramp = (struct ramp){
		.active = true, .t0 = t, .t1 = t + length_s, .from = from, .to = to
	};
}

/* The ramp's value now; it ends when it has arrived. */
static inline double ramp_at(struct ramp *ramp, double t)
{
	if (t >= ramp->t1) {
		ramp->active = false;
		return ramp->to;
	}
	return ramp->from + (ramp->to - ramp->from) * (t - ramp->t0) / (ramp->t1 - ramp->t0);
}

/* A recorded quantity in replay; each comes from its latest replay. */
struct playing {
	const struct replay *replay;
	double t0;
	int cursor;
};

/* The value of a quantity that plays now; false if it does not. */
static inline bool playing_at(struct playing *p, enum replay_quantity quantity, double t,
			      double *ret_value)
{
	if (!p->replay)
		return false;
	*ret_value = replay_at(p->replay, quantity, t - p->t0, &p->cursor);
	return true;
}

#endif /* QS1_TIMELINE_H */
