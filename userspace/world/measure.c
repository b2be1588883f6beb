// SPDX-License-Identifier: GPL-2.0-only
#include "measure.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "names.h"

#define POINTS 256			 /* of a resampled cycle */
#define ARM_V (-15.0)			 /* a crossing counts after the voltage was below this */
#define DEAD_TICKS (QS1_CONTROL_HZ / 20) /* without a crossing there is no grid */
#define DC_TICKS (QS1_CONTROL_HZ / 100)
#define RATED_A ((double)QS1_RATED_W / QS1_GRID_V)
#define CEASED_A (0.01 * RATED_A * M_SQRT2) /* 1 % of rated, instantaneous */
#define CEASED_S 0.2			    /* "stays there" */

/* Kinds of disturbance that can lead to a fault; a broken sensor can lead to any fault. */
static unsigned int fault_origin(unsigned int fault)
{
	if (QS1_FAULT_BIT(fault) & QS1_FAULTS_GRID)
		return DISTURB_GRID | DISTURB_FAULT;
	switch (fault) {
	case QS1_FAULT_HOST_LOST:
	case QS1_FAULT_SHUTDOWN:
		return DISTURB_HOST | DISTURB_FAULT;
	case QS1_FAULT_PV_OV:
	case QS1_FAULT_PV_OC:
	case QS1_FAULT_NIGHT:
		return DISTURB_PV | DISTURB_FAULT;
	default:
		return DISTURB_FAULT;
	}
}

void measure_init(struct measure *m)
{
	memset(m, 0, sizeof(*m));
	m->running = true;
	m->last_current = -INFINITY;
	for (int k = 0; k < DISTURB_KINDS; k++)
		m->disturbed[k] = NAN;
	for (int n = 0; n < POINTS; n++) {
		m->cosine[n] = cos(2 * M_PI * n / POINTS);
		m->sine[n] = sin(2 * M_PI * n / POINTS);
	}
}

void measure_free(struct measure *m)
{
	free(m->trip);
	free(m->transition);
	m->trip = NULL;
	m->transition = NULL;
}

static void window_restart(struct measure *m)
{
	m->buffered = 0;
	m->crossings = 0;
	m->window_due = false;
}

void measure_mark(struct measure *m, const struct plant *p, bool start)
{
	if (start) {
		m->total = (struct measure_totals){ .start_s = m->t };
		for (int n = 0; n < QS1_INPUTS; n++) {
			m->avail_mark[n] = p->avail_j[n];
			m->harvest_mark[n] = p->ppv_j[n];
		}
		window_restart(m);
		m->synced = false;
	}
	m->running = start;
	m->marked = true;
}

void measure_disturb(struct measure *m, unsigned int kind)
{
	for (int k = 0; k < DISTURB_KINDS; k++)
		if (kind & (1u << k))
			m->disturbed[k] = m->t;
}

/* Time of the last disturbance of some kinds, NAN if there was none. */
static double last_disturbance(const struct measure *m, unsigned int kinds)
{
	double t = NAN;

	for (int k = 0; k < DISTURB_KINDS; k++)
		if (kinds & (1u << k))
			t = fmax(t, m->disturbed[k]);
	return t;
}

void measure_event(struct measure *m, const struct qs1_event *event)
{
	if (event->kind == QS1_EVENT_TRIP && event->cause >= QS1_CAUSE_FAULT_BASE) {
		unsigned int code = event->cause - QS1_CAUSE_FAULT_BASE;
		struct measure_trip trip = { .code = code, .t_trip = m->t, .t_cease = NAN };
		void *grown = realloc(m->trip, (size_t)(m->trips + 1) * sizeof(*m->trip));

		trip.t_onset = last_disturbance(m, fault_origin(code));
		if (isnan(trip.t_onset))
			trip.t_onset = last_disturbance(m, (1u << DISTURB_KINDS) - 1);
		if (grown) {
			m->trip = grown;
			m->trip[m->trips++] = trip;
		}
	}
	if (event->kind == QS1_EVENT_TRANSITION) {
		void *grown = realloc(m->transition,
				      (size_t)(m->transitions + 1) * sizeof(*m->transition));

		if (grown) {
			m->transition = grown;
			m->transition[m->transitions++] =
				(struct measure_transition){ m->t, event->from, event->to,
							     event->cause };
		}
	}
}

/* A value between buffered samples. */
static double sample_at(const struct measure *m, double at)
{
	int n = (int)at;
	double x = at - n;
	double a = m->buffer[n - 1], b = m->buffer[n], c = m->buffer[n + 1], d = m->buffer[n + 2];

	/* Lagrange through four points: exact for cubics. */
	return -x * (x - 1) * (x - 2) / 6 * a + (x + 1) * (x - 1) * (x - 2) / 2 * b -
	       (x + 1) * x * (x - 2) / 2 * c + (x + 1) * x * (x - 1) / 6 * d;
}

/*
 * A window is over: fold its cycles into one, which leaves exactly the lines of
 * its spectrum that are harmonics, and transform that.
 */
static void window_finish(struct measure *m)
{
	double cycle[POINTS] = { 0 }, square = 0;
	double step = (m->window_stop - m->window_start) / (MEASURE_WINDOW_CYCLES * POINTS);

	for (int n = 0; n < MEASURE_WINDOW_CYCLES * POINTS; n++) {
		double i = sample_at(m, m->window_start + step * n);

		cycle[n % POINTS] += i;
		square += i * i;
	}
	m->total.square += square / (MEASURE_WINDOW_CYCLES * POINTS);
	for (int h = 1; h <= MEASURE_HARMONICS; h++) {
		double re = 0, im = 0;

		for (int n = 0; n < POINTS; n++) {
			int k = h * n % POINTS;

			re += cycle[n] * m->cosine[k];
			im += cycle[n] * m->sine[k];
		}
		/* amplitude 2 / N, RMS 1 / sqrt(2) */
		m->total.harmonic2[h] +=
			(re * re + im * im) * 2 /
			((double)POINTS * POINTS * MEASURE_WINDOW_CYCLES * MEASURE_WINDOW_CYCLES);
	}
	m->total.windows++;

	/* The next window begins where this one ended. */
	int from = (int)m->window_stop - 1;

	m->buffered -= from;
	memmove(m->buffer, m->buffer + from, (size_t)m->buffered * sizeof(*m->buffer));
	m->window_start = m->window_stop - from;
	m->crossings = 1;
	m->window_due = false;
}

static void window_cross(struct measure *m, double fraction)
{
	/* The crossing is before the newest sample. */
	double at = m->buffered - 2 + fraction;

	if (m->crossings == 0) {
		int from = (int)at - 1;

		if (from < 0)
			return;
		m->buffered -= from;
		memmove(m->buffer, m->buffer + from, (size_t)m->buffered * sizeof(*m->buffer));
		m->window_start = at - from;
	}
	if (m->crossings++ == MEASURE_WINDOW_CYCLES) {
		m->window_stop = at;
		m->window_due = true;
	}
}

static void window_step(struct measure *m, double i)
{
	if (m->buffered == MEASURE_BUFFER)
		window_restart(m);
	m->buffer[m->buffered++] = (float)i;
	if (!m->crossings && m->buffered > MEASURE_BUFFER / 2)
		m->buffered = 0;
	/* Interpolation needs two samples behind the end. */
	if (m->window_due && m->buffered > (int)m->window_stop + 3)
		window_finish(m);
}

/*
 * A cycle ended at a fraction of this step. Integrals are trapezoids of the
 * samples, cut at the crossing.
 */
static void cycle_finish(struct measure *m, const double f[CY_SUMS], double fraction, double h)
{
	double cycle[CY_SUMS], length = m->carry_s + (m->since_cross + fraction) * h;

	for (int k = 0; k < CY_SUMS; k++) {
		double before = m->f_before[k], now = f[k];
		double part = h * fraction * (before + fraction / 2 * (now - before));

		cycle[k] = m->carry[k] + h * (m->sum[k] - before / 2) + part;
		m->carry[k] = h * (before + now) / 2 - part + h * now / 2;
		m->sum[k] = 0;
	}
	m->carry_s = (1 - fraction) * h;
	m->since_cross = 0;
	if (!m->synced) {
		m->synced = true;
		return;
	}
	m->f_hz = 1 / length;
	m->v_rms = sqrt(cycle[CY_VV] / length);
	m->i_rms = sqrt(fmax(cycle[CY_II], 0) / length);
	m->p_w = cycle[CY_VI] / length;
	/* Fundamental phasors 2/T (s + j c): Q = Im(V I*), half of the amplitudes' product. */
	m->q_var =
		2 / (length * length) * (cycle[CY_VC] * cycle[CY_IS] - cycle[CY_VS] * cycle[CY_IC]);
	if (m->running) {
		m->total.cycles++;
		m->total.cycles_s += length;
		m->total.q_vars += m->q_var * length;
		for (int k = 0; k < CY_SUMS; k++)
			m->total.cycle[k] += cycle[k];
	}
}

static void grid_dead(struct measure *m)
{
	m->synced = false;
	m->f_hz = m->v_rms = m->i_rms = m->p_w = m->q_var = 0;
	window_restart(m);
}

static void cycle_step(struct measure *m, const struct plant *p)
{
	double v = p->net.vpcc, i = plant_i2(p), s = p->emf.sin, c = p->emf.cos;
	const double f[CY_SUMS] = { v * v, i * i, v * i, i, v * s, v * c, i * s, i * c };
	bool crossed = m->armed && m->v_before < 0 && v >= 0;

	if (m->running)
		window_step(m, i);
	if (crossed) {
		double fraction = m->v_before / (m->v_before - v);

		if (m->running && m->buffered >= 2 && !m->window_due)
			window_cross(m, fraction);
		cycle_finish(m, f, fraction, p->h);
		m->armed = false;
	} else {
		m->since_cross++;
		for (int k = 0; k < CY_SUMS; k++)
			m->sum[k] += f[k];
		m->armed |= v < ARM_V;
		if (m->since_cross == DEAD_TICKS)
			grid_dead(m);
	}
	m->v_before = v;
	memcpy(m->f_before, f, sizeof(f));
}

static void dc_step(struct measure *m, const struct plant *p)
{
	for (int n = 0; n < QS1_INPUTS; n++) {
		m->sum_v[n] += p->in.v_mean[n];
		m->sum_i[n] += p->in.i_mean[n];
	}
	if (++m->dc_steps < (int)DC_TICKS)
		return;
	for (int n = 0; n < QS1_INPUTS; n++) {
		m->dc_v[n] = m->sum_v[n] / DC_TICKS;
		m->dc_i[n] = m->sum_i[n] / DC_TICKS;
		m->dc_p[n] = (p->ppv_j[n] - m->mark_j[n]) * QS1_CONTROL_HZ / DC_TICKS;
		m->mark_j[n] = p->ppv_j[n];
		if (m->running) {
			m->total.v[n] += m->sum_v[n];
			m->total.i[n] += m->sum_i[n];
		}
		m->sum_v[n] = m->sum_i[n] = 0;
	}
	if (m->running)
		m->total.steps += DC_TICKS;
	m->dc_steps = 0;
}

static void trips_step(struct measure *m, double h)
{
	for (int n = 0; n < m->trips; n++) {
		struct measure_trip *trip = &m->trip[n];

		if (!trip->settled && m->t - fmax(m->last_current, trip->t_trip) > CEASED_S) {
			trip->settled = true;
			trip->t_cease = fmax(m->last_current + h,
					     isnan(trip->t_onset) ? trip->t_trip : trip->t_onset);
		}
	}
}

void measure_step(struct measure *m, const struct plant *p)
{
	double power = p->net.vpcc * plant_i2(p);

	m->t = (double)p->ticks * p->h;
	m->ac_j += power * p->h;
	cycle_step(m, p);
	dc_step(m, p);
	if (fabs(plant_i2(p)) > CEASED_A)
		m->last_current = m->t;
	if (m->running) {
		m->total.stop_s = m->t;
		m->total.ripple2 += p->ripple2;
		m->total.ripples++;
		m->total.ac_j += power * p->h;
		m->total.i_peak_a = fmax(m->total.i_peak_a, fabs(plant_i2(p)));
		m->total.v_peak_v = fmax(m->total.v_peak_v, fabs(p->net.vpcc));
		if (m->dc_steps == 0) {
			for (int n = 0; n < QS1_INPUTS; n++) {
				m->total.available_j[n] = p->avail_j[n] - m->avail_mark[n];
				m->total.harvested_j[n] = p->ppv_j[n] - m->harvest_mark[n];
			}
		}
	}
	if (m->trips && m->dc_steps == 0)
		trips_step(m, p->h);
}

static struct json_object *number(double x)
{
	char text[32];

	if (!isfinite(x))
		return NULL;
	snprintf(text, sizeof(text), "%.9g", x);
	return json_object_new_double_s(x, text);
}

static struct json_object *numbers(const double x[QS1_INPUTS], double scale)
{
	struct json_object *array = json_object_new_array();

	for (int n = 0; n < QS1_INPUTS; n++)
		json_object_array_add(array, number(x[n] * scale));
	return array;
}

static void json_dc(const struct measure_totals *t, const struct plant *p,
		    struct json_object *summary)
{
	struct json_object *mppt = json_object_new_object(), *dc = json_object_new_object();
	double seconds = t->stop_s - t->start_s, available = 0, harvested = 0;
	double efficiency[QS1_INPUTS], vmpp[QS1_INPUTS];

	for (int n = 0; n < QS1_INPUTS; n++) {
		available += t->available_j[n];
		harvested += t->harvested_j[n];
		efficiency[n] = t->harvested_j[n] / t->available_j[n];
		vmpp[n] = p->source[n].mpp_v;
	}
	json_object_object_add(mppt, "available_j", numbers(t->available_j, 1));
	json_object_object_add(mppt, "harvested_j", numbers(t->harvested_j, 1));
	json_object_object_add(mppt, "efficiency", numbers(efficiency, 1));
	json_object_object_add(mppt, "vmpp_v", numbers(vmpp, 1));
	json_object_object_add(mppt, "total", number(harvested / available));
	json_object_object_add(summary, "mppt", mppt);

	json_object_object_add(dc, "v", numbers(t->v, 1.0 / t->steps));
	json_object_object_add(dc, "i", numbers(t->i, 1.0 / t->steps));
	json_object_object_add(dc, "p", numbers(t->harvested_j, 1 / seconds));
	json_object_object_add(summary, "dc", dc);
}

static void json_harmonics(const struct measure_totals *t, struct json_object *ac)
{
	struct json_object *array = json_object_new_array();
	double i1 = sqrt(t->harmonic2[1] / t->windows), rest = 0;
	double dc = t->cycle[CY_I] / t->cycles_s, ripple2 = t->ripple2 / (double)t->ripples;
	double others = fmax(t->square / t->windows - i1 * i1, 0) + ripple2;

	json_object_array_add(array, number(100 * fabs(dc) / i1));
	for (int h = 1; h <= MEASURE_HARMONICS; h++) {
		rest += h > 1 ? t->harmonic2[h] / t->windows : 0;
		json_object_array_add(array, number(100 * sqrt(t->harmonic2[h] / t->windows) / i1));
	}
	json_object_object_add(ac, "thd_pct", number(100 * sqrt(rest) / i1));
	json_object_object_add(ac, "trd_pct", number(100 * sqrt(others) / RATED_A));
	json_object_object_add(ac, "ripple_ma", number(1000 * sqrt(ripple2)));
	json_object_object_add(ac, "dc_ma", number(1000 * dc));
	json_object_object_add(ac, "i1_a", number(i1));
	json_object_object_add(ac, "harmonics_pct", array);
	json_object_object_add(ac, "windows", json_object_new_int64((int64_t)t->windows));
}

static void json_ac(const struct measure_totals *t, struct json_object *summary)
{
	struct json_object *ac = json_object_new_object();
	double v = sqrt(t->cycle[CY_VV] / t->cycles_s), i = sqrt(t->cycle[CY_II] / t->cycles_s);
	double p = t->cycle[CY_VI] / t->cycles_s, harvested = 0;

	for (int n = 0; n < QS1_INPUTS; n++)
		harvested += t->harvested_j[n];
	json_object_object_add(ac, "energy_j", number(t->ac_j));
	json_object_object_add(ac, "v_rms", number(v));
	json_object_object_add(ac, "i_rms", number(i));
	json_object_object_add(ac, "f_hz", number((double)t->cycles / t->cycles_s));
	json_object_object_add(ac, "p_w", number(p));
	json_object_object_add(ac, "q_var", number(t->q_vars / t->cycles_s));
	json_object_object_add(ac, "i_peak_a", number(t->i_peak_a));
	json_object_object_add(ac, "v_peak_v", number(t->v_peak_v));
	json_object_object_add(ac, "pf", number(p / (v * i)));
	json_harmonics(t, ac);
	json_object_object_add(summary, "ac", ac);
	json_object_object_add(summary, "conversion_efficiency", number(t->ac_j / harvested));
}

static void json_events(const struct measure *m, struct json_object *summary)
{
	struct json_object *trips = json_object_new_array();
	struct json_object *transitions = json_object_new_array();

	for (int n = 0; n < m->trips; n++) {
		struct json_object *trip = json_object_new_object();

		json_object_object_add(trip, "code",
				       json_object_new_string(qs1_fault_name(m->trip[n].code)));
		json_object_object_add(trip, "t_onset_s", number(m->trip[n].t_onset));
		json_object_object_add(trip, "t_trip_s", number(m->trip[n].t_trip));
		json_object_object_add(trip, "t_cease_s", number(m->trip[n].t_cease));
		json_object_array_add(trips, trip);
	}
	for (int n = 0; n < m->transitions; n++) {
		const struct measure_transition *t = &m->transition[n];
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "t_s", number(t->t));
		json_object_object_add(o, "from", json_object_new_string(qs1_state_name(t->from)));
		json_object_object_add(o, "to", json_object_new_string(qs1_state_name(t->to)));
		json_object_object_add(o, "cause",
				       json_object_new_string(qs1_cause_name(t->cause)));
		json_object_array_add(transitions, o);
	}
	json_object_object_add(summary, "trips", trips);
	json_object_object_add(summary, "transitions", transitions);
}

void measure_json(const struct measure *m, const struct plant *p, struct json_object *summary)
{
	struct json_object *interval = json_object_new_object();
	struct json_object *temperature = json_object_new_object();

	json_object_object_add(interval, "start_s", number(m->total.start_s));
	json_object_object_add(interval, "stop_s", number(m->total.stop_s));
	json_object_object_add(summary, "interval", interval);
	json_dc(&m->total, p, summary);
	json_ac(&m->total, summary);
	json_object_object_add(temperature, "case", number(p->case_c));
	json_object_object_add(temperature, "stage", number(p->stage_c));
	json_object_object_add(summary, "temperature_c", temperature);
	json_events(m, summary);
}
