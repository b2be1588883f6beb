/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ADC channels: gain error, offset, noise, quantisation, clipping, faults.
 *
 * Stated accuracy, from which each seed draws its own unit: gain within
 * +-0.3 % (reference channel +-0.05 %), offset within +-2 counts, noise 1.5
 * counts RMS.
 */
#ifndef QS1_PLANT_SENSOR_H
#define QS1_PLANT_SENSOR_H

#include "plant.h"

#define SENSOR_GAIN_ERROR 0.003
#define SENSOR_VREF_ERROR 0.0005
#define SENSOR_OFFSET_COUNTS 2.0
#define SENSOR_NOISE_COUNTS 1.5

int sensor_init(struct plant_sensor *sensor, uint64_t seed, bool noise);
void sensor_free(struct plant_sensor *sensor);
void sensor_fault(struct plant_sensor *sensor, enum qs1_adc channel, enum sensor_fault fault);
void sensor_convert(struct plant_sensor *sensor, const float x[QS1_ADC_COUNT],
		    int16_t adc[QS1_ADC_COUNT]);

/**
 * sensor_find() - a channel by the name scenarios use: its identifier in lower
 * case, e.g. "vpv1"
 *
 * Return: enum qs1_adc, or -ENOENT.
 */
int sensor_find(const char *name);

#endif /* QS1_PLANT_SENSOR_H */
