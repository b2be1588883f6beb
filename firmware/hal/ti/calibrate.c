// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "calibrate.h"

#include <qs1/crc32.h>
#include "fixed.h"

bool qs1_calibration_sound(const struct qs1_calibration *calibration)
{
	const uint8_t *bytes = (const uint8_t *)calibration;

	if (!calibration->magic)
		return true;
	if (calibration->magic != QS1_CALIBRATION_MAGIC ||
	    calibration->crc != qs1_crc32(bytes, bytes + offsetof(struct qs1_calibration, crc)))
		return false;
	for (int i = 0; i < QS1_ADC_COUNT; i++) {
		if (calibration->gain[i] < QS1_CALIBRATION_GAIN_MIN ||
		    calibration->gain[i] > QS1_CALIBRATION_GAIN_MAX ||
		    qs1_abs(calibration->offset[i]) > QS1_CALIBRATION_OFFSET_MAX)
			return false;
	}
	return true;
}

void qs1_calibrate(const struct qs1_calibration *calibration, int16_t *adc)
{
	int32_t product;

	if (!calibration->magic)
		return;
	for (int i = 0; i < QS1_ADC_COUNT; i++) {
		/* A channel at its end stays there: the core knows full scale by that. */
		if (adc[i] == INT16_MAX || adc[i] == INT16_MIN)
			continue;
		/* 33168 * 34406 is below 2^31; half a count more to round. */
		product = (adc[i] - calibration->offset[i]) * (int32_t)calibration->gain[i];
		adc[i] = (int16_t)qs1_clamp(qs1_asr(product + QS1_CALIBRATION_ONE / 2, 15),
					    INT16_MIN, INT16_MAX);
	}
}
