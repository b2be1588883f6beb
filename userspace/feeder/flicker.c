// SPDX-License-Identifier: GPL-2.0-only
#include "flicker.h"

#include <complex.h>
#include <math.h>
#include <string.h>

#define CLASS_MIN 1e-4
#define CLASS_DECADES 8
#define RMS_TAU_S 27.3
#define SMOOTH_TAU_S 0.3
#define HIGH_PASS_HZ 0.05

/**
 * struct lamp - weighting filter of lamp, eye and brain, IEC 61000-4-15 table 4
 * @low_pass_hz: of the demodulator
 * @sine: relative amplitude of a modulation at 8.8 Hz that is just perceptible, peak to peak
 */
struct lamp {
	double k, lambda_hz, w1_hz, w2_hz, w3_hz, w4_hz;
	double low_pass_hz;
	double sine;
};

static const struct lamp lamp_120 = { 1.6357,	4.167375, 9.077169, 2.939902,
				      1.394468, 17.31512, 42,	    0.00321 };
static const struct lamp lamp_230 = {
	1.74802, 4.05981, 9.15494, 2.27979, 1.22535, 21.9, 35, 0.0025
};

/* (b0 + b1 s + b2 s2) / (a0 + a1 s + a2 s2) by the bilinear transform. */
static void add(struct flicker *f, double b0, double b1, double b2, double a0, double a1, double a2)
{
	struct flicker_section *s = &f->section[f->sections++];
	double k = 2 * FLICKER_HZ, norm = a0 + a1 * k + a2 * k * k;

	s->b[0] = (b0 + b1 * k + b2 * k * k) / norm;
	s->b[1] = (2 * b0 - 2 * b2 * k * k) / norm;
	s->b[2] = (b0 - b1 * k + b2 * k * k) / norm;
	s->a[0] = 1;
	s->a[1] = (2 * a0 - 2 * a2 * k * k) / norm;
	s->a[2] = (a0 - a1 * k + a2 * k * k) / norm;
	s->z[0] = s->z[1] = 0;
}

static double gain_at(const struct flicker *f, double hz)
{
	double complex z = cexp(-2 * M_PI * I * hz / FLICKER_HZ), h = 1;

	for (int n = 0; n < f->sections; n++) {
		const struct flicker_section *s = &f->section[n];

		h *= (s->b[0] + z * (s->b[1] + z * s->b[2])) /
		     (s->a[0] + z * (s->a[1] + z * s->a[2]));
	}
	return cabs(h);
}

void flicker_init(struct flicker *f, double grid_hz, double nominal_v)
{
	const struct lamp *lamp = grid_hz > 55 ? &lamp_120 : &lamp_230;
	double w = 2 * M_PI, w1 = w * lamp->w1_hz, wl = w * lamp->low_pass_hz, sine;

	memset(f, 0, sizeof(*f));
	f->mean2 = nominal_v * nominal_v;
	add(f, 0, 1, 0, w * HIGH_PASS_HZ, 1, 0);
	/* Butterworth of sixth order. */
	for (int n = 0; n < 3; n++)
		add(f, wl * wl, 0, 0, wl * wl, 2 * wl * sin(M_PI * (2 * n + 1) / 12), 1);
	add(f, 0, lamp->k * w1, 0, w1 * w1, 2 * w * lamp->lambda_hz, 1);
	add(f, 1, 1 / (w * lamp->w2_hz), 0, 1, 1 / (w * lamp->w3_hz) + 1 / (w * lamp->w4_hz),
	    1 / (w * lamp->w3_hz * w * lamp->w4_hz));
	/*
	 * A modulation of relative amplitude d, half the peak to peak value, gives a square whose
	 * amplitude at 8.8 Hz is 2 d of its mean. Its square, smoothed, is to have the peak 1: the
	 * mean, and what is left of the oscillation at 17.6 Hz.
	 */
	sine = lamp->sine * gain_at(f, 8.8);
	f->gain = 2 / (sine * sine) / (1 + 1 / hypot(1, w * 2 * 8.8 * SMOOTH_TAU_S));
}

void flicker_start(struct flicker *f)
{
	memset(f->count, 0, sizeof(f->count));
	f->samples = 0;
}

static int class_of(double p)
{
	double n = log10(fmax(p, CLASS_MIN) / CLASS_MIN) * FLICKER_CLASSES / CLASS_DECADES;

	return n < FLICKER_CLASSES - 1 ? (int)n : FLICKER_CLASSES - 1;
}

void flicker_step(struct flicker *f, double v)
{
	double x = v * v;

	f->mean2 += (x - f->mean2) / (RMS_TAU_S * FLICKER_HZ);
	x /= f->mean2;
	for (int n = 0; n < f->sections; n++) {
		struct flicker_section *s = &f->section[n];
		double y = s->b[0] * x + s->z[0];

		s->z[0] = s->b[1] * x - s->a[1] * y + s->z[1];
		s->z[1] = s->b[2] * x - s->a[2] * y;
		x = y;
	}
	f->instant += (x * x * f->gain - f->instant) / (SMOOTH_TAU_S * FLICKER_HZ);
	f->count[class_of(f->instant)]++;
	f->samples++;
}

/* Value that is exceeded for a percentage of the time: the upper edge of its class. */
static double exceeded(const struct flicker *f, double percent)
{
	double left = percent / 100 * f->samples;
	int n = FLICKER_CLASSES - 1;

	for (; n > 0 && left >= f->count[n]; n--)
		left -= f->count[n];
	/* Linear within the class. */
	left = f->count[n] ? left / f->count[n] : 0;
	return CLASS_MIN * pow(10, (n + 1 - left) * CLASS_DECADES / FLICKER_CLASSES);
}

double flicker_pst(const struct flicker *f)
{
	static const struct {
		double weight;
		int count;
		double percent[5];
	} terms[] = {
		{ 0.0314, 1, { 0.1 } },	      { 0.0525, 3, { 0.7, 1, 1.5 } },
		{ 0.0657, 3, { 2.2, 3, 4 } }, { 0.28, 5, { 6, 8, 10, 13, 17 } },
		{ 0.08, 3, { 30, 50, 80 } },
	};
	double sum = 0;

	if (!f->samples)
		return NAN;
	for (unsigned int t = 0; t < sizeof(terms) / sizeof(terms[0]); t++) {
		double mean = 0;

		for (int n = 0; n < terms[t].count; n++)
			mean += exceeded(f, terms[t].percent[n]) / terms[t].count;
		sum += terms[t].weight * mean;
	}
	return sqrt(sum);
}
