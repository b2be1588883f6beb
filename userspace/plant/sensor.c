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

/**
 * struct channel_part - the parts of one channel: worst cases, each side
 * @gain: error that calibration leaves
 * @gain_k: temperature coefficient, 1/K
 * @offset: counts that calibration leaves
 * @offset_k: counts/K
 * @bow: integral nonlinearity, counts
 */
struct channel_part {
	double gain, gain_k, offset, offset_k, bow;
};

/*
 * Calibration leaves the instrument's 0.05 % and half a count (bring-up.md).
 * The parts and whose data sheet their figures are from:
 *
 *   converter    AD7606 (Analog Devices), internal reference: full scale 7
 *                ppm/K, zero 10 uV/K of 10 V (0.033 counts/K), INL 2 counts
 *   dividers     0.1 %, 25 ppm/K thin film (ERA-A, Panasonic): two resistors
 *                of 7 to 1 or more drift by up to 50 ppm/K against each other
 *   PV current   shunt 50 ppm/K; INA240 (Texas Instruments): gain 2.5 ppm/K,
 *                offset 0.25 uV/K at a gain of 244 (0.2 counts/K), 0.01 %
 *   high volts   AMC1311B (Texas Instruments, SBAS786): gain 45 ppm/K, offset
 *                15 uV/K of 2 V (0.25 counts/K), nonlinearity 0.01 %
 *   grid current shunt 50 ppm/K; AMC1301 (Texas Instruments, SBAS792): gain 50
 *                ppm/K, offset 3 uV/K of 250 mV (0.4 counts/K), 0.03 %
 *   ground       residual-current transformer with DC response: our assumption
 *   reference    REF5050 (Texas Instruments), high grade: 0.05 %, 3 ppm/K
 *   temperature  LM35 (Texas Instruments): 0.5 K, not calibrated; 1 count is 10 mK
 */
#define LEFT 0.0005, /* gain that calibration leaves */
static const struct channel_part pv_voltage = { LEFT 57e-6, 0.5, 0.033, 2 };
static const struct channel_part pv_current = { LEFT 60e-6, 0.5, 0.24, 5 };
static const struct channel_part high_voltage = { LEFT 102e-6, 0.5, 0.28, 5 };
static const struct channel_part grid_current = { LEFT 107e-6, 0.5, 0.43, 12 };
static const struct channel_part ground_current = { LEFT 200e-6, 0.5, 1, 30 };
static const struct channel_part reference = { LEFT 10e-6, 0.5, 0.033, 2 };
static const struct channel_part temperature = { 0.002, 60e-6, 50, 0.033, 2 };
#undef LEFT

static const struct channel_part *const parts[QS1_ADC_COUNT] = {
	[QS1_ADC_VPV1] = &pv_voltage,	 [QS1_ADC_VPV2] = &pv_voltage,
	[QS1_ADC_VPV3] = &pv_voltage,	 [QS1_ADC_VPV4] = &pv_voltage,
	[QS1_ADC_IPV1] = &pv_current,	 [QS1_ADC_IPV2] = &pv_current,
	[QS1_ADC_IPV3] = &pv_current,	 [QS1_ADC_IPV4] = &pv_current,
	[QS1_ADC_VLINK] = &high_voltage, [QS1_ADC_VGRID] = &high_voltage,
	[QS1_ADC_IGRID] = &grid_current, [QS1_ADC_IGND] = &ground_current,
	[QS1_ADC_VINV] = &high_voltage,	 [QS1_ADC_VREF] = &reference,
	[QS1_ADC_TCASE] = &temperature,	 [QS1_ADC_TSTAGE] = &temperature,
};

/* Largest of |u^3 - u| for u up to 1: an S that ends where calibration has put it. */
#define BOW_PEAK 0.3849
#define CALIBRATED_C 25.0
/* Half the width of a uniform distribution whose RMS is 1. */
#define UNIFORM_RMS 1.7320508

static double either_side(struct rng *rng, double limit)
{
	return rng_uniform(rng, -limit, limit);
}

static void draw_parts(struct plant_sensor *s, const struct plant_board *board)
{
	s->drawn = true;
	s->jitter = (float)(board->jitter_s / PLANT_H);
	for (int c = 0; c < QS1_ADC_COUNT; c++) {
		const struct channel_part *part = parts[c];

		s->gain25[c] = (1 + either_side(&s->rng, part->gain)) / lsb[c];
		s->gain_k[c] = either_side(&s->rng, part->gain_k);
		s->offset25[c] = either_side(&s->rng, part->offset);
		s->offset_k[c] = either_side(&s->rng, part->offset_k);
		s->bow[c] = (float)(either_side(&s->rng, part->bow) / BOW_PEAK);
		s->lag[c] = part == &temperature ? 0 : (float)(board->filter_s / PLANT_H);
	}
	sensor_warm(s, CALIBRATED_C);
}

static void draw_stated(struct plant_sensor *s)
{
	for (int c = 0; c < QS1_ADC_COUNT; c++) {
		double limit = c == QS1_ADC_VREF ? SENSOR_VREF_ERROR : SENSOR_GAIN_ERROR;

		s->scale[c] = (float)((1 + either_side(&s->rng, limit)) / lsb[c]);
		s->offset[c] = (float)either_side(&s->rng, SENSOR_OFFSET_COUNTS);
	}
}

int sensor_init(struct plant_sensor *s, uint64_t seed, bool noise, const struct plant_board *board)
{
	double sum = 0;

	memset(s, 0, sizeof(*s));
	rng_seed(&s->rng, seed ^ 0x53454e534f5221u);
	if (board->drawn)
		draw_parts(s, board);
	else
		draw_stated(s);
	s->noise = noise;
	s->noise_counts = board->noise_counts;
	s->walk = rng_next(&s->rng) | 1;
	s->table = calloc(TABLE_SIZE, sizeof(*s->table));
	if (!s->table)
		return -ENOMEM;
	for (unsigned int n = 0; n < TABLE_SIZE; n++) {
		s->table[n] = (float)(s->noise_counts * rng_normal(&s->rng));
		sum += s->table[n];
	}
	for (unsigned int n = 0; n < TABLE_SIZE; n++)
		s->table[n] -= (float)(sum / TABLE_SIZE);
	return 0;
}

void sensor_noise(struct plant_sensor *s, double counts)
{
	float factor = (float)(counts / s->noise_counts);

	for (unsigned int n = 0; n < TABLE_SIZE; n++)
		s->table[n] *= factor;
	s->noise_counts = counts;
}

void sensor_warm(struct plant_sensor *s, double c)
{
	double dt = c - CALIBRATED_C;

	if (!s->drawn)
		return;
	for (int n = 0; n < QS1_ADC_COUNT; n++) {
		s->scale[n] = (float)(s->gain25[n] * (1 + s->gain_k[n] * dt));
		s->offset[n] = (float)(s->offset25[n] + s->offset_k[n] * dt);
	}
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

/*
 * Counts of a drawn board. The filter's time constant is a tenth of the period,
 * so that its output follows a ramp late by just that; jitter makes it later or
 * sooner.
 */
static void convert_drawn(struct plant_sensor *s, const float x[QS1_ADC_COUNT],
			  float count[QS1_ADC_COUNT])
{
	float jitter = s->jitter * (float)either_side(&s->rng, UNIFORM_RMS);

	for (int c = 0; c < QS1_ADC_COUNT; c++) {
		float y = x[c] - (x[c] - s->before[c]) * (s->lag[c] + jitter), u;

		count[c] = y * s->scale[c] + s->offset[c] + s->drift[c];
		u = count[c] * (1 / 32768.0f);
		count[c] += s->bow[c] * (u * u * u - u);
		s->before[c] = x[c];
	}
}

void sensor_convert(struct plant_sensor *s, const float x[QS1_ADC_COUNT],
		    int16_t adc[QS1_ADC_COUNT])
{
	const float *noise = s->table;
	float count[QS1_ADC_COUNT];

	if (s->drawn)
		convert_drawn(s, x, count);
	else
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
