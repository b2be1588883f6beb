/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Gains and offsets of a board's measuring channels. qs1ctl writes them into the
 * section .calibration of a firmware image for a real board; the firmware
 * applies them to each sample before the control core sees it, and does not
 * start when they have been damaged.
 */
#ifndef QS1_CALIBRATION_H
#define QS1_CALIBRATION_H

#include "abi.h"

#define QS1_CALIBRATION_MAGIC 0x43315351u /* "QS1C" */
#define QS1_CALIBRATION_ONE 32768

/* Largest gain error of a network of 1 % parts and a converter; more is a fault. */
#define QS1_CALIBRATION_GAIN_MIN 31130 /* 0.95 */
#define QS1_CALIBRATION_GAIN_MAX 34406 /* 1.05 */
#define QS1_CALIBRATION_OFFSET_MAX 400

/**
 * struct qs1_calibration - of one board
 * @magic: QS1_CALIBRATION_MAGIC; 0 in an image without a calibration
 * @gain: by enum qs1_adc, QS1_CALIBRATION_ONE is 1
 * @offset: reading of the channel at zero input, counts
 * @crc: CRC-32 (IEEE 802.3) of all before
 *
 * A sample becomes (sample - offset) * gain, limited to 16 bits.
 */
struct qs1_calibration {
	qs1_u32 magic;
	qs1_u16 gain[QS1_ADC_COUNT];
	qs1_s16 offset[QS1_ADC_COUNT];
	qs1_u32 crc;
};

QS1_ASSERT(sizeof(struct qs1_calibration) == 72);

#endif /* QS1_CALIBRATION_H */
