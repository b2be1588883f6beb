/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ADC channels: gain error, offset, noise, quantisation, clipping, faults.
 *
 * The nominal board's accuracy: gain within +-0.3 % (reference channel
 * +-0.05 %), offset within +-2 counts, noise 1.5 counts RMS, from the seed. A
 * drawn board has the parts of Documentation/boards/bring-up.md, calibrated as
 * it says at 25 C, with their temperature coefficients and nonlinearity, an
 * anti-alias filter and jitter.
 */
#ifndef QS1_PLANT_SENSOR_H
#define QS1_PLANT_SENSOR_H

#include "plant.h"

#define SENSOR_GAIN_ERROR 0.003
#define SENSOR_VREF_ERROR 0.0005
#define SENSOR_OFFSET_COUNTS 2.0

int sensor_init(struct plant_sensor *sensor, uint64_t seed, bool noise,
		const struct plant_board *board);
void sensor_free(struct plant_sensor *sensor);
void sensor_fault(struct plant_sensor *sensor, enum qs1_adc channel, enum sensor_fault fault);
void sensor_convert(struct plant_sensor *sensor, const float x[QS1_ADC_COUNT],
		    int16_t adc[QS1_ADC_COUNT]);

/* sensor_noise() - RMS of the noise of each sample, counts */
void sensor_noise(struct plant_sensor *sensor, double counts);

/* sensor_warm() - the temperature of the sensors' electronics, C; affects drawn boards only */
void sensor_warm(struct plant_sensor *sensor, double c);

/**
 * sensor_find() - a channel by the name scenarios use: its identifier in lower
 * case, e.g. "vpv1"
 *
 * Return: enum qs1_adc, or -ENOENT.
 */
int sensor_find(const char *name);

#endif /* QS1_PLANT_SENSOR_H */
