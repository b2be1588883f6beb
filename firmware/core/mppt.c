/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Maximum power point tracking of one input.
 *
 * The operating voltage alternates by half a percent around a centre, one step
 * in three half cycles (25 ms): the first settles, two are measured, so that
 * the ripple at twice the line frequency averages out. From three steps in a
 * row,
 *   dP = sign * ((p0 + p2) / 2 - p1)
 * is what the voltage did; a linear change of the irradiance cancels. Near the
 * maximum P falls as 1 - k ((v - vm) / vm)^2 with k between 6 and 10 for
 * crystalline modules, which makes the distance to it
 *   vm - v = v dP / P * 200 / (4 k)
 * for a half-percent alternation; steps overlap, so the centre moves an eighth of
 * that, and not more than 2.5 %.
 *
 * A module of three bypass sections may have a second maximum near two thirds
 * of the voltage when it is partly shaded. It is looked for on evidence only:
 * when the power has fallen by 8 % within a second, one half cycle is spent at
 * 0.65 of the voltage, and the better point is kept. On the lower maximum the
 * upper one is tried again when the power has changed, and twice a minute.
 */
#include "state.h"

/* half cycles of settling and measuring */
#define SETTLE 1
#define MEASURE 2
/* v * dP / P * 200 / (4 * 8) / 8 */
#define NEWTON_NUM 25
#define NEWTON_DEN 32
/* probes: rest between two, half cycles; while on a lower maximum */
#define PROBE_REST 480
#define LOW_PEAK_RETRY 3600
/* the lowest voltage that is worth a probe: 20 V, counts * 256 */
#define PROBE_MIN (8000 * 256)
#define CENTER_MIN (6600 * 256)
#define CENTER_MAX (21600 * 256)
/* half cycles over which the power is averaged while held back */
#define CURTAILED_MEAN 96
/* less than 1 W: nothing to track; product of counts */
#define P_MIN 640000

static int32_t part(int32_t x, int32_t percent)
{
	return (int32_t)((int64_t)x * percent / 100);
}

void qs1_mppt_start(struct qs1_mppt *m, int32_t v_open)
{
	/* crystalline modules have their maximum near 0.8 of the open voltage */
	m->center = qs1_clamp(part(v_open * 256, 80), CENTER_MIN, CENTER_MAX);
	m->sign = 1;
	m->halves = 0;
	m->valid = 0;
	m->phase = QS1_MPPT_TRACK;
	m->p_slow = 0;
	m->top = m->center;
	m->hold = PROBE_REST;
	m->low_peak = 0;
	m->tracking = false;
}

static void restart(struct qs1_mppt *m)
{
	m->halves = 0;
	m->valid = 0;
}

/* Something else than the tracker holds the input back. */
static bool curtailed(const struct qs1_core *core, const struct qs1_input *in)
{
	/* a product of counts is 1.5625 uW */
	return core->meter.vlink_mv > core->dclink.ref * 20 + 8000 ||
	       qs1_mulsh(in->p, 100, 6) / 1000 > core->dclink.p_cap_mw - 5000;
}

static void probe(struct qs1_mppt *m, int32_t center)
{
	m->p_before = m->p[0];
	m->center_before = m->center;
	m->center = qs1_clamp(center, CENTER_MIN, CENTER_MAX);
	m->phase = QS1_MPPT_PROBE;
	/* Moving up, a weak module has to charge its capacitor: wait longer. */
	m->settle = center > m->center_before ? 6 : 2;
	m->halves = 0;
	m->hold = PROBE_REST;
}

static void look_around(struct qs1_mppt *m)
{
	bool low = m->center < part(m->top, 80);
	bool fell = m->p[0] < part(m->p_slow, 92);
	bool rose = m->p[0] > part(m->p_slow, 108);

	/* The change may have come in the middle of a measurement: compare with a whole one. */
	m->changed = fell || rose ? m->changed + 1 : 0;
	fell = fell && m->changed > 1;
	rose = rose && m->changed > 1;
	if (!low)
		m->top = m->center;
	m->low_peak = low ? m->low_peak + 1 : 0;
	if (m->hold)
		return;
	if (low && (fell || rose || m->low_peak >= LOW_PEAK_RETRY / (SETTLE + MEASURE))) {
		m->low_peak = 0;
		probe(m, m->top);
	} else if (!low && fell && part(m->center, 65) > PROBE_MIN) {
		probe(m, part(m->center, 65));
	}
}

static void track(struct qs1_mppt *m)
{
	int32_t rise, move;

	/* mean of the last second */
	m->p_slow += m->p_slow ? (m->p[0] - m->p_slow) / 32 : m->p[0];
	if (m->valid < 3)
		return;
	rise = (m->p[0] - m->p[1]) / 2 + (m->p[2] - m->p[1]) / 2;
	if (m->sign < 0)
		rise = -rise;
	if (m->p[1] < P_MIN)
		return;
	move = (int32_t)((int64_t)(m->center / 256) * rise * 256 / m->p[1] * NEWTON_NUM /
			 NEWTON_DEN);
	m->tracking = qs1_abs(move) < m->center / 100;
	m->center = qs1_clamp(m->center + qs1_clamp(move, -m->center / 40, m->center / 40),
			      CENTER_MIN, CENTER_MAX);
	look_around(m);
}

void qs1_mppt_half_cycle(struct qs1_core *core, int n)
{
	struct qs1_input *in = &core->input[n];
	struct qs1_mppt *m = &in->mppt;

	if (m->hold)
		m->hold--;
	if (curtailed(core, in)) {
		/* A fall of the power is evidence all the same: follow it. */
		m->p_slow += (in->p - m->p_slow) / CURTAILED_MEAN;
		restart(m);
		m->tracking = false;
		return;
	}
	m->halves++;
	if (m->phase == QS1_MPPT_PROBE) {
		if (m->halves <= m->settle)
			return;
		if (in->p < part(m->p_before, 102))
			m->center = m->center_before;
		m->p_slow = in->p > m->p_before ? in->p : m->p_before;
		m->phase = QS1_MPPT_TRACK;
		m->halves = 0;
		m->valid = 0;
	} else {
		if (m->halves <= SETTLE)
			return;
		if (m->halves == SETTLE + 1) {
			m->p[2] = m->p[1];
			m->p[1] = m->p[0];
			m->p[0] = in->p / 2;
			return;
		}
		m->p[0] += in->p / 2;
		m->halves = 0;
		if (m->valid < 3)
			m->valid++;
		track(m);
		m->sign = (int8_t)-m->sign;
	}
	in->vref = (m->center + m->sign * (m->center / 200)) >> 8;
}
