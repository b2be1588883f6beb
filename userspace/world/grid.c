// SPDX-License-Identifier: GPL-2.0-only
#include "grid.h"

#include <stddef.h>

bool grid_apply(struct grid *g, const struct statement *st, double t)
{
	struct source *s = g->source;

	switch (st->kind) {
	case ST_GRID_V:
		g->v.active = false;
		g->v_held = true;
		g->playing[REPLAY_WAVE].replay = NULL;
		s->given = false;
		source_step(s, st->x[0] * g->nominal_v);
		return true;
	case ST_RAMP_V:
		g->v_held = true;
		g->playing[REPLAY_WAVE].replay = NULL;
		s->given = false;
		ramp_start(&g->v, t, s->rms, st->x[0] * g->nominal_v, st->x[1]);
		return true;
	case ST_GRID_F:
		g->f.active = false;
		g->f_held = true;
		source_hz(s, st->x[0]);
		return true;
	case ST_RAMP_F:
		g->f_held = true;
		ramp_start(&g->f, t, s->hz, st->x[0], st->x[1]);
		return true;
	case ST_GRID_PHASE:
		source_phase(s, st->x[0]);
		return true;
	case ST_GRID_THD:
		source_harmonics(s, st->harmonic);
		return true;
	case ST_GRID_DC:
		s->dc = st->x[0];
		return true;
	case ST_GRID_TONE:
		source_tone(s, st->x[0], st->x[1] / 100);
		return true;
	case ST_GRID_RISE:
		s->rise_s = st->x[0];
		return true;
	default:
		return false;
	}
}

void grid_replay(struct grid *g, const struct replay *replay, double t)
{
	static const enum replay_quantity mine[] = { REPLAY_V, REPLAY_F, REPLAY_WAVE };

	for (size_t n = 0; n < sizeof(mine) / sizeof(mine[0]); n++) {
		if (replay->column[mine[n]])
			g->playing[mine[n]] = (struct playing){ replay, t, 0 };
	}
	if (replay->column[REPLAY_V])
		g->v_held = g->v.active = false;
	if (replay->column[REPLAY_F])
		g->f_held = g->f.active = false;
}

void grid_move(struct grid *g, double t)
{
	double x = 0;

	if (g->v.active)
		source_at(g->source, ramp_at(&g->v, t));
	else if (!g->v_held && playing_at(&g->playing[REPLAY_V], REPLAY_V, t, &x))
		source_at(g->source, g->nominal_v * x);
	if (g->f.active)
		source_hz(g->source, ramp_at(&g->f, t));
	else if (!g->f_held && playing_at(&g->playing[REPLAY_F], REPLAY_F, t, &x))
		source_hz(g->source, x);
}
