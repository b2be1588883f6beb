// SPDX-License-Identifier: GPL-2.0-only
#include "sensor.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/*
 * Noise comes from a table of normal deviates, read from a random start each
 * time: 2^14 starts, one row of channels from each.
 */
#define TABLE_LOG2 14
#define TABLE_SIZE ((1u << TABLE_LOG2) + QS1_ADC_COUNT)

static const double lsb[QS1_ADC_COUNT] = {
#define X(id, label, type, index, lsb) [QS1_ADC_##id] = (lsb)*1e-6,
	QS1_ADC_CHANNELS(X)
#undef X
};

int sensor_init(struct plant_sensor *s, uint64_t seed, bool noise)
{
	double sum = 0;

	memset(s, 0, sizeof(*s));
	rng_seed(&s->rng, seed ^ 0x53454e534f5221u);
	for (int c = 0; c < QS1_ADC_COUNT; c++) {
		double limit = c == QS1_ADC_VREF ? SENSOR_VREF_ERROR : SENSOR_GAIN_ERROR;

		s->scale[c] = (float)((1 + rng_uniform(&s->rng, -limit, limit)) / lsb[c]);
		s->offset[c] =
			(float)rng_uniform(&s->rng, -SENSOR_OFFSET_COUNTS, SENSOR_OFFSET_COUNTS);
	}
	s->noise = noise;
	s->walk = rng_next(&s->rng) | 1;
	s->table = calloc(TABLE_SIZE, sizeof(*s->table));
	if (!s->table)
		return -ENOMEM;
	for (unsigned int n = 0; n < TABLE_SIZE; n++) {
		s->table[n] = (float)(SENSOR_NOISE_COUNTS * rng_normal(&s->rng));
		sum += s->table[n];
	}
	for (unsigned int n = 0; n < TABLE_SIZE; n++)
		s->table[n] -= (float)(sum / TABLE_SIZE);
	return 0;
}

void sensor_free(struct plant_sensor *s)
{
	free(s->table);
	s->table = NULL;
}

void sensor_fault(struct plant_sensor *s, enum qs1_adc channel, enum sensor_fault fault)
{
	s->fault[channel] = fault;
	s->stuck[channel] = false;
	s->any_fault = false;
	for (int c = 0; c < QS1_ADC_COUNT; c++)
		s->any_fault |= s->fault[c] != SENSOR_OK;
}

static void spoil(struct plant_sensor *s, int16_t adc[QS1_ADC_COUNT])
{
	for (int c = 0; c < QS1_ADC_COUNT; c++) {
		switch (s->fault[c]) {
		case SENSOR_OK:
			break;
		case SENSOR_STUCK:
			if (!s->stuck[c]) {
				s->stuck[c] = true;
				s->held[c] = adc[c];
			}
			adc[c] = s->held[c];
			break;
		case SENSOR_ZERO:
			adc[c] = 0;
			break;
		case SENSOR_FULL:
			adc[c] = INT16_MAX;
			break;
		case SENSOR_NOISE: {
			double x = adc[c] + 8192 * rng_normal(&s->rng);

			adc[c] = (int16_t)fmin(fmax(x, INT16_MIN), INT16_MAX);
			break;
		}
		}
	}
}

void sensor_convert(struct plant_sensor *s, const float x[QS1_ADC_COUNT],
		    int16_t adc[QS1_ADC_COUNT])
{
	const float *noise = s->table;
	float count[QS1_ADC_COUNT];

	for (int c = 0; c < QS1_ADC_COUNT; c++)
		count[c] = x[c] * s->scale[c] + s->offset[c] + s->drift[c];
	if (s->noise) {
		/* xorshift64: enough to pick a start */
		s->walk ^= s->walk << 13;
		s->walk ^= s->walk >> 7;
		s->walk ^= s->walk << 17;
		noise += s->walk >> (64 - TABLE_LOG2);
		for (int c = 0; c < QS1_ADC_COUNT; c++)
			count[c] += noise[c];
	}
	for (int c = 0; c < QS1_ADC_COUNT; c++) {
		float y = count[c] + 32768.5f;

		y = y > 65535.0f ? 65535.0f : y;
		y = y < 0.0f ? 0.0f : y;
		adc[c] = (int16_t)((int32_t)y - 32768);
	}
	if (s->any_fault)
		spoil(s, adc);
}

int sensor_find(const char *name)
{
	static const char *const ids[QS1_ADC_COUNT] = {
#define X(id, label, type, index, lsb) [QS1_ADC_##id] = #id,
		QS1_ADC_CHANNELS(X)
#undef X
	};

	for (int c = 0; c < QS1_ADC_COUNT; c++) {
		size_t n = 0;

		while (name[n] && name[n] == tolower(ids[c][n]))
			n++;
		if (!name[n] && !ids[c][n])
			return c;
	}
	return -ENOENT;
}
