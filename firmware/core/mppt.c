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
 * A module of three bypass sections may have a second maximum near 0.65 of the
 * voltage when one section is shaded. It is looked for once after the start, and
 * then on evidence only. In uniform light less power comes with less voltage, or
 * with the same; where a shaded section limits the current, the others run near
 * their open-circuit voltage, and the maximum moves up by 4 to 15 % where the
 * lower one is the better (3 x 20 and 3 x 24 cells, half of full light and more
 * than a third of it lost). So: 15 % less power at 2 % more voltage than at the
 * reference, which follows every rise of the power and every fall of the voltage.
 * A probe spends three half cycles at 0.65 of the reference. When it finds nine
 * tenths of the power, the tracker is tried there for half a second, and the
 * better point is kept. On the lower maximum the upper one is tried again three
 * times a minute: partly lifted shade changes nothing there.
 */
#include "state.h"

/* half cycles of settling and measuring */
#define SETTLE 1
#define MEASURE 2
/* v * dP / P * 200 / (4 * 8) / 8 */
#define NEWTON_NUM 25
#define NEWTON_DEN 32
/*
 * Change of the power at the same side of the centre, two steps apart, after
 * which the measurements begin afresh instead of taking a step of the light for
 * a slope: no ramp of EN 50530 comes near it, 100 W/m2/s is 1.7 % of 300 W/m2.
 */
#define JUMP_Q30 QS1_Q30(0.08)
/* probes: rest between two, half cycles; while on a lower maximum */
#define PROBE_REST 480
#define LOW_PEAK_REST 2400
/* half cycles in which the input reaches the probed voltage; a weak module charges slowly */
#define PROBE_DOWN 2
#define PROBE_UP 6
/* a step of 1/800 is a distance of 1 % to the maximum, 0.1 % of the power */
#define SETTLED_PART 800
/* steps of the tracker until a second maximum is judged */
#define TRIAL_STEPS 20
/* 16.5 V and 54 V, counts * 256 */
#define CENTER_MIN (6600 * 256)
#define CENTER_MAX (21600 * 256)
/* less than 1 W: nothing to track; product of counts */
#define P_MIN 640000

void qs1_mppt_start(struct qs1_mppt *m, int32_t v_open)
{
	/* crystalline modules have their maximum near 0.8 of the open voltage */
	m->center = qs1_clamp(qs1_mulq30(v_open * 256, QS1_Q30(0.80)), CENTER_MIN, CENTER_MAX);
	m->sign = 1;
	m->halves = 0;
	m->valid = 0;
	m->phase = QS1_MPPT_TRACK;
	m->v_ref = m->center;
	m->p_ref = 0;
	m->evidence = 0;
	m->searched = false;
	m->hold = 0;
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
	m->steps = center > m->center_before ? PROBE_UP : PROBE_DOWN;
	m->searched = true;
	m->evidence = 0;
	restart(m);
}

/* The probe or the trial has shown a power: stay there or go back. */
static void judge(struct qs1_mppt *m, int32_t p)
{
	if (p <= m->p_before) {
		/* Above the open voltage: another module than the reference's. */
		if (p < qs1_mulq30(m->p_before, QS1_Q30(0.03)))
			m->v_ref = m->center_before;
		m->center = m->center_before;
		p = m->p_before;
	}
	m->p_ref = p;
	m->hold = m->center < qs1_mulq30(m->v_ref, QS1_Q30(0.80)) ? LOW_PEAK_REST : PROBE_REST;
	m->phase = QS1_MPPT_TRACK;
	restart(m);
}

/* @settled: the tracker has reached its maximum, whose own power is compared */
static void look_around(struct qs1_mppt *m, bool settled)
{
	int32_t below = qs1_mulq30(m->v_ref, QS1_Q30(0.65));

	if (m->center < qs1_mulq30(m->v_ref, QS1_Q30(0.80))) {
		if (!m->hold)
			probe(m, m->v_ref);
		return;
	}
	if (m->p[0] > m->p_ref || m->center < m->v_ref) {
		m->p_ref = m->p[0];
		m->v_ref = m->center;
	}
	/* Twice in a row: the change may have come in the middle of a measurement. */
	if (m->p[0] < qs1_mulq30(m->p_ref, QS1_Q30(0.85)) &&
	    m->center > qs1_mulq30(m->v_ref, QS1_Q30(1.02)))
		m->evidence += m->evidence < 2;
	else
		m->evidence = 0;
	if (below < CENTER_MIN || m->hold)
		return;
	if (settled && (m->evidence == 2 || !m->searched))
		probe(m, below);
}

/* @v: mean voltage now, counts * 256 */
static void track(struct qs1_mppt *m, int32_t v)
{
	int32_t rise, move;

	if (m->valid < 3)
		return;
	if (m->valid > 3 && qs1_abs(m->p[0] - m->p[2]) > qs1_mulq30(m->p[2], JUMP_Q30)) {
		restart(m);
		return;
	}
	rise = (m->p[0] - m->p[1]) / 2 + (m->p[2] - m->p[1]) / 2;
	if (m->sign < 0)
		rise = -rise;
	if (m->p[1] < P_MIN) {
		/* The centre is above the open voltage: the module is another one. */
		if (v < qs1_mulq30(m->center, QS1_Q30(0.97)))
			qs1_mppt_start(m, v / 256);
		return;
	}
	move = (int32_t)qs1_div(qs1_div(qs1_mul(m->center / 256, rise) * 256, m->p[1]) * NEWTON_NUM,
				NEWTON_DEN);
	m->tracking = qs1_abs(move) < m->center / 100;
	m->center = qs1_clamp(m->center + qs1_clamp(move, -m->center / 40, m->center / 40),
			      CENTER_MIN, CENTER_MAX);
	if (m->phase == QS1_MPPT_TRACK)
		look_around(m, qs1_abs(move) < m->center / SETTLED_PART);
	else if (!--m->steps)
		judge(m, m->p[0]);
}

void qs1_mppt_half_cycle(struct qs1_core *core, int n)
{
	struct qs1_input *in = &core->input[n];
	struct qs1_mppt *m = &in->mppt;

	if (m->hold)
		m->hold--;
	if (curtailed(core, in)) {
		restart(m);
		m->tracking = false;
		return;
	}
	m->halves++;
	if (m->phase == QS1_MPPT_PROBE) {
		if (m->halves <= m->steps)
			return;
		if (in->p < qs1_mulq30(m->p_before, QS1_Q30(0.90))) {
			judge(m, in->p);
		} else {
			m->phase = QS1_MPPT_TRIAL;
			m->steps = TRIAL_STEPS;
			restart(m);
		}
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
		if (m->valid < 4)
			m->valid++;
		track(m, in->v_x16 * 16);
		m->sign = (int8_t)-m->sign;
	}
	in->vref = qs1_asr(m->center + m->sign * (m->center / 200), 8);
}
