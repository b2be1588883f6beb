/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Samples as the board's own gains and offsets have them, see qs1/calibration.h. */
#ifndef QS1_HAL_CALIBRATE_H
#define QS1_HAL_CALIBRATE_H

#include <stdbool.h>
#include <stdint.h>

#include <qs1/calibration.h>

/* False for a damaged calibration; an absent one is valid. */
bool qs1_calibration_sound(const struct qs1_calibration *calibration);

/* Turns @adc, QS1_ADC_COUNT samples, into calibrated ones. */
void qs1_calibrate(const struct qs1_calibration *calibration, int16_t *adc);

#endif /* QS1_HAL_CALIBRATE_H */
