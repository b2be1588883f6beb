// SPDX-License-Identifier: GPL-2.0-only
#include "pcc.h"

#include <complex.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* A crossing counts after the voltage was below this; without one a cycle ends after 50 ms. */
#define ARM_PART (-0.1)
#define DEAD_TICKS ((int)QS1_CONTROL_HZ / 20)
#define OVER_PU 1.2
#define FLICKER_TICKS ((int)QS1_CONTROL_HZ / FLICKER_HZ)
/* The flicker meter's filters and the units settle; then observation begins. */
#define FLICKER_SETTLE_S 10.0

void pcc_init(struct pcc *pcc, const struct wiring *w)
{
	memset(pcc, 0, sizeof(*pcc));
	pcc->running = true;
	pcc->last.phases = w->phases;
	pcc->flicker_from_s = FLICKER_SETTLE_S;
	for (int k = 0; k < w->phases; k++)
		flicker_init(&pcc->flicker[k], w->hz, w->volts);
}

void pcc_mark(struct pcc *pcc, bool start)
{
	pcc->running = start;
	if (!start)
		return;
	pcc->total = (struct pcc_totals){ 0 };
	for (int k = 0; k < pcc->last.phases; k++)
		flicker_start(&pcc->flicker[k]);
}

/* Negative over positive sequence, percent. */
static double unbalance(const struct pcc *pcc)
{
	const double complex a = cexp(2 * M_PI * I / 3);
	double complex v[WIRING_PHASES], positive, negative;

	if (pcc->last.phases < 3)
		return 0;
	for (int k = 0; k < 3; k++)
		v[k] = pcc->sum[k][PCC_VS] + I * pcc->sum[k][PCC_VC];
	positive = v[0] + a * v[1] + a * a * v[2];
	negative = v[0] + a * a * v[1] + a * v[2];
	return cabs(positive) > 0 ? 100 * cabs(negative) / cabs(positive) : 0;
}

/*
 * A cycle of @n periods, with parts of the first and last one: near its zero the voltage adds
 * nothing there, so only the length has to be exact.
 */
static void cycle_finish(struct pcc *pcc, const struct wiring *w, double n)
{
	struct feeder_network *last = &pcc->last;
	struct pcc_totals *t = &pcc->total;

	last->unbalance_pct = unbalance(pcc);
	last->neutral_a = sqrt(pcc->neutral2 / n);
	for (int k = 0; k < w->phases; k++) {
		double *sum = pcc->sum[k];

		last->v_rms[k] = sqrt(sum[PCC_VV] / n);
		last->i_rms[k] = sqrt(sum[PCC_II] / n);
		last->p_w[k] = sum[PCC_VI] / n;
		if (!pcc->running)
			continue;
		t->vv[k] += sum[PCC_VV] * PLANT_H;
		t->ii[k] += sum[PCC_II] * PLANT_H;
		t->vi[k] += sum[PCC_VI] * PLANT_H;
		t->over_now[k] = last->v_rms[k] > OVER_PU * w->volts ? t->over_now[k] + 1 : 0;
		if (t->over_now[k] > t->over_cycles[k])
			t->over_cycles[k] = t->over_now[k];
	}
	if (pcc->running) {
		t->seconds += n * PLANT_H;
		t->nn += pcc->neutral2 * PLANT_H;
		t->unbalance += last->unbalance_pct * n * PLANT_H;
		t->unbalance_max = fmax(t->unbalance_max, last->unbalance_pct);
		t->cycles++;
	}
	pcc->ticks = 0;
	pcc->neutral2 = 0;
	memset(pcc->sum, 0, sizeof(pcc->sum));
}

void pcc_step(struct pcc *pcc, const struct wiring *w)
{
	double v1 = wiring_phase_volts(w, 0), n = wiring_neutral_amps(w);
	bool flicker = pcc->running && ++pcc->steps % FLICKER_TICKS == 0;

	if (pcc->armed && pcc->v_before < 0 && v1 >= 0) {
		double fraction = pcc->v_before / (pcc->v_before - v1);

		double length = pcc->ticks + fraction - pcc->carry;

		pcc->last.f_hz = QS1_CONTROL_HZ / length;
		pcc->carry = fraction;
		pcc->armed = false;
		cycle_finish(pcc, w, length);
	} else if (pcc->ticks >= DEAD_TICKS) {
		pcc->last.f_hz = 0;
		cycle_finish(pcc, w, pcc->ticks);
	}
	pcc->armed |= v1 < ARM_PART * w->volts;
	pcc->v_before = v1;
	pcc->ticks++;
	pcc->neutral2 += n * n;
	for (int k = 0; k < w->phases; k++) {
		double v = wiring_phase_volts(w, k), i = wiring_phase_amps(w, k);
		double *sum = pcc->sum[k];

		sum[PCC_VV] += v * v;
		sum[PCC_II] += i * i;
		sum[PCC_VI] += v * i;
		sum[PCC_VS] += v * w->source.sin;
		sum[PCC_VC] += v * w->source.cos;
		if (pcc->running && fabs(v) > pcc->total.v_peak_v[k])
			pcc->total.v_peak_v[k] = fabs(v);
		if (!flicker)
			continue;
		flicker_step(&pcc->flicker[k], v);
		if (pcc->steps < pcc->flicker_from_s * QS1_CONTROL_HZ)
			flicker_start(&pcc->flicker[k]);
	}
	pcc->last.utility_closed = w->utility;
}

static struct json_object *number(double x)
{
	char text[32];

	if (!isfinite(x))
		return NULL;
	snprintf(text, sizeof(text), "%.9g", x);
	return json_object_new_double_s(x, text);
}

struct json_object *pcc_json(const struct pcc *pcc, const struct wiring *w)
{
	static const char *const names[] = { "v_rms",	 "i_rms",	"p_w",
					     "v_peak_v", "flicker_pst", "over_cycles" };
	const struct pcc_totals *t = &pcc->total;
	struct json_object *object = json_object_new_object(), *list[6];

	for (int n = 0; n < 6; n++) {
		list[n] = json_object_new_array();
		json_object_object_add(object, names[n], list[n]);
	}
	for (int k = 0; k < w->phases; k++) {
		const double value[] = { sqrt(t->vv[k] / t->seconds),	sqrt(t->ii[k] / t->seconds),
					 t->vi[k] / t->seconds,		t->v_peak_v[k],
					 flicker_pst(&pcc->flicker[k]), t->over_cycles[k] };

		for (int n = 0; n < 6; n++)
			json_object_array_add(list[n], number(value[n]));
	}
	json_object_object_add(object, "phases", json_object_new_int(w->phases));
	json_object_object_add(object, "nominal_v", number(w->volts));
	json_object_object_add(object, "nominal_hz", number(w->hz));
	json_object_object_add(object, "f_hz", number((double)t->cycles / t->seconds));
	json_object_object_add(object, "neutral_a", number(sqrt(t->nn / t->seconds)));
	json_object_object_add(object, "unbalance_pct", number(t->unbalance / t->seconds));
	json_object_object_add(object, "unbalance_max_pct", number(t->unbalance_max));
	json_object_object_add(object, "flicker_s",
			       number((double)pcc->flicker[0].samples / FLICKER_HZ));
	return object;
}
