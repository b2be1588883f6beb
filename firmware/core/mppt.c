/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Maximum power point tracking of one input.
 *
 * The operating voltage alternates by half a percent around a centre, one step
 * in three half cycles (25 ms): the first settles, two are measured, so that
 * the ripple at twice the line frequency averages out. From three steps in a
 * row,
 *   dP = sign * ((p0 + p2) / 2 - p1)
 * is the effect of the voltage; a linear change of the irradiance cancels. Near the
 * maximum P falls as 1 - k ((v - vm) / vm)^2 with k between 6 and 10 for
 * crystalline modules, which makes the distance to it
 *   vm - v = v dP / P * 200 / (4 k)
 * for a half-percent alternation; steps overlap, so the centre moves an eighth of
 * that, and not more than 2.5 %.
 *
 * A module of three bypass sections has a second maximum near 0.65 of the voltage
 * when one section is shaded, and neither voltage nor power alone shows which of
 * the two is the higher: shade that comes with rising light looks like light. Only
 * a probe shows it; evidence decides when to probe. Evidence is any change since the
 * last probe: an eighth of the power, or 1.5 % of the centre. Shade of one section
 * moves the upper maximum up by 4 to 15 %, which puts the lower one at 0.57 to 0.68
 * of the centre. A probe spends two half cycles at 0.59 of it, some 6 ms of the
 * input's energy. Where it finds nine tenths of the power, the tracker runs
 * there for half a second, and the better point is kept.
 *
 * Without evidence a probe comes every two minutes, for changes that cancel. On
 * the lower maximum the upper one is probed every 15 s: shade that moves there
 * changes nothing here. One input at a time is away from its maximum, so that
 * the unit's power does not fall to that of four probes at once.
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
 * which the measurements restart, so that a step of the light is not taken for a
 * slope: no ramp of EN 50530 comes near it, 100 W/m2/s is 1.7 % of 300 W/m2.
 */
#define JUMP_Q30 QS1_Q30(0.08)
/*
 * Half cycles between two probes: with evidence, without, and from the lower
 * maximum up; evidence is good for 15 s.
 */
#define PROBE_REST 900
#define IDLE_REST 14400
#define LOW_PEAK_REST 1800
#define FRESH 1800
/* changes that are evidence */
#define CHANGE_P_Q30 QS1_Q30(0.12)
#define CHANGE_V_Q30 QS1_Q30(0.015)
/* ratio of the lower maximum to the upper one, and the increase for the way back up */
#define DOWN_Q30 QS1_Q30(0.59)
#define UP_Q30 QS1_Q30(0.61)
/* half cycles in which an input reaches the probed voltage; a weak module charges slowly */
#define PROBE_MOST 7
/* a step of 1/800 is a distance of 1 % to the maximum, 0.1 % of the power */
#define SETTLED_PART 800
/* steps of the tracker after which it probes although it has not settled: 2 s */
#define RESTLESS_STEPS 80
/* steps of the tracker until a second maximum is judged */
#define TRIAL_STEPS 20
/*
 * No probe goes below 18 V: PV_MIN_V stops an input. In weak light, below 40 W, the
 * way down ends up to 2.4 V too low, and the floor is 19 V. None starts below 24 V.
 */
#define PROBE_MIN (7200 * 256)
#define PROBE_MIN_WEAK (7600 * 256)
#define P_WEAK 25600000
#define PROBE_FROM (9600 * 256)
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
	m->low = false;
	m->v_ref = m->center;
	m->p_ref = 0;
	m->fresh = FRESH;
	m->rest = PROBE_REST;
	m->restless = 0;
	m->tracking = false;
}

static void restart(struct qs1_mppt *m)
{
	m->halves = 0;
	m->valid = 0;
}

/* A limit, not the tracker, determines the input's power. */
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
	m->center = qs1_clamp(center, m->p[0] < P_WEAK ? PROBE_MIN_WEAK : PROBE_MIN, CENTER_MAX);
	m->phase = QS1_MPPT_PROBE;
	restart(m);
}

/* Back to the tracker; what changes from here on, power @p, is evidence. */
static void settle(struct qs1_mppt *m, int32_t p)
{
	m->p_ref = p;
	m->v_ref = m->center;
	m->fresh = 0;
	m->rest = 0;
	m->restless = 0;
	m->phase = QS1_MPPT_TRACK;
	restart(m);
}

/* The probe or the trial has shown power @p: stay there or go back. */
static void judge(struct qs1_mppt *m, int32_t p)
{
	if (p > m->p_before) {
		m->low = !m->low;
		settle(m, p);
		return;
	}
	/* No power above the lower maximum: it was the only one. */
	if (p < qs1_mulq30(m->p_before, QS1_Q30(0.03)))
		m->low = false;
	m->center = m->center_before;
	settle(m, m->p_before);
}

/* Some input is away from its known maximum. */
static bool one_probes(const struct qs1_core *core)
{
	for (int n = 0; n < QS1_INPUTS; n++)
		if (core->input[n].on && core->input[n].mppt.phase != QS1_MPPT_TRACK)
			return true;
	return false;
}

/* @settled: the tracker has reached its maximum, whose own power is compared */
static void look_around(const struct qs1_core *core, struct qs1_mppt *m, bool settled)
{
	if (qs1_abs(m->p[0] - m->p_ref) > qs1_mulq30(m->p_ref, CHANGE_P_Q30) ||
	    qs1_abs(m->center - m->v_ref) > qs1_mulq30(m->v_ref, CHANGE_V_Q30))
		m->fresh = FRESH;
	if (m->low ? m->rest < LOW_PEAK_REST
		   : m->center < PROBE_FROM || m->rest < (m->fresh ? PROBE_REST : IDLE_REST))
		return;
	if (!settled && m->restless < RESTLESS_STEPS)
		m->restless++;
	else if (!one_probes(core))
		probe(m, m->low ? m->center + qs1_mulq30(m->center, UP_Q30)
				: qs1_mulq30(m->center, DOWN_Q30));
}

/* @v: mean voltage now, counts * 256 */
static void track(const struct qs1_core *core, struct qs1_mppt *m, int32_t v)
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
		/* The centre is above the open voltage: a different module is connected. */
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
		look_around(core, m, qs1_abs(move) < m->center / SETTLED_PART);
	else if (!--m->steps)
		judge(m, m->p[0]);
}

void qs1_mppt_half_cycle(struct qs1_core *core, int n)
{
	struct qs1_input *in = &core->input[n];
	struct qs1_mppt *m = &in->mppt;

	if (m->rest < IDLE_REST)
		m->rest++;
	if (m->fresh)
		m->fresh--;
	if (curtailed(core, in)) {
		restart(m);
		m->tracking = false;
		return;
	}
	m->halves++;
	if (m->phase == QS1_MPPT_PROBE) {
		/* while the voltage moves, the capacitor's power adds to the module's */
		if (m->halves < PROBE_MOST && qs1_abs(in->v_x16 * 16 - m->center) > m->center / 32)
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
		track(core, m, in->v_x16 * 16);
		m->sign = (int8_t)-m->sign;
	}
	in->vref = qs1_asr(m->center + m->sign * (m->center / 200), 8);
}
