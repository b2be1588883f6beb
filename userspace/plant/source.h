/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The voltage behind the source impedance: a phasor with harmonics, direct voltage and a tone.
 */
#ifndef QS1_PLANT_SOURCE_H
#define QS1_PLANT_SOURCE_H

#include <math.h>
#include <stdbool.h>

#define SOURCE_HARMONICS 50

/**
 * struct source - a sinusoidal source and its disturbances
 * @h: step, s
 * @rms: of the fundamental, V
 * @hz: its frequency
 * @dc: direct voltage, V
 * @goal: RMS voltage towards which rms moves by slew each step
 * @rise_s: time that a step of the voltage takes
 * @cos: and @sin: the phasor
 * @rot_cos: and @rot_sin: its rotation in one step
 * @harmonics: highest harmonic, 0 for none
 * @harmonic: fraction of the fundamental by order
 * @given: the voltage is @given_v instead
 * @tone: amplitude of one interharmonic, fraction of the fundamental's
 */
struct source {
	double h;
	double rms, hz, dc;
	double goal, slew, rise_s;
	double cos, sin;
	double rot_cos, rot_sin;
	int harmonics;
	double harmonic[SOURCE_HARMONICS + 1];
	bool given;
	double given_v;
	double tone;
	double tone_cos, tone_sin, tone_rot_cos, tone_rot_sin;
};

/* RMS volts: at once, or in a step, which takes rise_s. */
void source_at(struct source *source, double rms);
void source_step(struct source *source, double rms);
void source_hz(struct source *source, double hz);
/* source_phase() - turn the phasor by an angle */
void source_phase(struct source *source, double degrees);
/* One interharmonic: its frequency and its share of the fundamental; 0 Hz ends it. */
void source_tone(struct source *source, double hz, double fraction);
/* Fraction of the fundamental by order, of SOURCE_HARMONICS + 1 entries. */
void source_harmonics(struct source *source, const double *harmonic);
/* source_normalise() - remove the rounding of the phasor, 1e-16 a step; now and then */
void source_normalise(struct source *source);

/* The phasor, the tone and the voltage one step on. */
static inline void source_turn(struct source *s)
{
	double c = s->cos, sn = s->sin;

	if (s->slew != 0) {
		s->rms += s->slew;
		if ((s->goal - s->rms) * s->slew <= 0)
			source_at(s, s->goal);
	}
	s->cos = c * s->rot_cos - sn * s->rot_sin;
	s->sin = sn * s->rot_cos + c * s->rot_sin;
	if (s->tone > 0) {
		c = s->tone_cos;
		sn = s->tone_sin;
		s->tone_cos = c * s->tone_rot_cos - sn * s->tone_rot_sin;
		s->tone_sin = sn * s->tone_rot_cos + c * s->tone_rot_sin;
	}
}

/* The waveform at a phase, over the fundamental's amplitude, without the tone. */
static inline double source_shape(const struct source *s, double c, double sn)
{
	double v = sn;

	if (s->harmonics) {
		/* sin(k x) = 2 cos(x) sin((k - 1) x) - sin((k - 2) x) */
		double before = 0, now = sn;

		for (int k = 2; k <= s->harmonics; k++) {
			double next = 2 * c * now - before;

			before = now;
			now = next;
			v += s->harmonic[k] * now;
		}
	}
	return v;
}

/* One step on. Return: the voltage, V. */
static inline double source_next(struct source *s)
{
	double v;

	source_turn(s);
	if (s->given)
		return s->given_v;
	v = source_shape(s, s->cos, s->sin);
	if (s->tone > 0)
		v += s->tone * s->tone_sin;
	return M_SQRT2 * s->rms * v + s->dc;
}

#endif /* QS1_PLANT_SOURCE_H */
