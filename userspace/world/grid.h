/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Scenario statements for the voltage behind the source impedance, for one plant or a feeder.
 */
#ifndef QS1_GRID_H
#define QS1_GRID_H

#include <stdbool.h>

#include "source.h"
#include "timeline.h"

/**
 * struct grid - a source and what moves it
 * @nominal_v: 1 per unit
 * @v: and @f: ramps
 * @v_held: not from a replay; the same @f_held
 * @playing: voltage, frequency, waveform, by enum replay_quantity
 */
struct grid {
	struct source *source;
	double nominal_v;
	struct ramp v, f;
	bool v_held, f_held;
	struct playing playing[REPLAY_QUANTITIES];
};

/* grid_apply() - a statement "grid ..." or "ramp grid ..."; true if it is one of the source */
bool grid_apply(struct grid *grid, const struct statement *statement, double t);
/* grid_replay() - a recording begins; columns that do not concern the source have no effect */
void grid_replay(struct grid *grid, const struct replay *replay, double t);
/* grid_move() - each millisecond */
void grid_move(struct grid *grid, double t);
/* grid_wave() - each period, with its end: the recorded waveform, while one plays */
static inline void grid_wave(struct grid *grid, double t)
{
	struct source *s = grid->source;

	s->given = playing_at(&grid->playing[REPLAY_WAVE], REPLAY_WAVE, t, &s->given_v);
}

#endif /* QS1_GRID_H */
