// SPDX-License-Identifier: GPL-2.0-only
#include "source.h"

void source_at(struct source *s, double rms)
{
	s->rms = s->goal = rms;
	s->slew = 0;
}

void source_step(struct source *s, double rms)
{
	if (s->rise_s < s->h) {
		source_at(s, rms);
		return;
	}
	s->goal = rms;
	s->slew = (rms - s->rms) * s->h / s->rise_s;
}

void source_hz(struct source *s, double hz)
{
	s->hz = hz;
	s->rot_cos = cos(2 * M_PI * hz * s->h);
	s->rot_sin = sin(2 * M_PI * hz * s->h);
}

void source_phase(struct source *s, double degrees)
{
	double c = cos(degrees * M_PI / 180), sn = sin(degrees * M_PI / 180);
	double cos0 = s->cos;

	s->cos = cos0 * c - s->sin * sn;
	s->sin = s->sin * c + cos0 * sn;
}

void source_tone(struct source *s, double hz, double fraction)
{
	s->tone = hz > 0 ? fraction : 0;
	s->tone_cos = 1;
	s->tone_sin = 0;
	s->tone_rot_cos = cos(2 * M_PI * hz * s->h);
	s->tone_rot_sin = sin(2 * M_PI * hz * s->h);
}

void source_harmonics(struct source *s, const double *harmonic)
{
	s->harmonics = 0;
	for (int k = 2; k <= SOURCE_HARMONICS; k++) {
		s->harmonic[k] = harmonic[k];
		if (harmonic[k] != 0)
			s->harmonics = k;
	}
}

void source_normalise(struct source *s)
{
	double norm = 1.5 - 0.5 * (s->cos * s->cos + s->sin * s->sin);

	s->cos *= norm;
	s->sin *= norm;
}
