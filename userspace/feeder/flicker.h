/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The flicker meter of IEC 61000-4-15, for one voltage.
 *
 * Five blocks: the voltage over its slow RMS value; its square; band-pass of the lamp and of eye
 * and brain; squared and smoothed; classified over the time of observation. The gain of block 4 is
 * such that a sine at the lamp's most sensitive frequency (8.8 Hz) of the size that half of the
 * observers perceive gives 1.
 */
#ifndef QS1_FEEDER_FLICKER_H
#define QS1_FEEDER_FLICKER_H

#include <stdint.h>

/* Samples a second that it takes. */
#define FLICKER_HZ 2000
/* Classes of the instantaneous flicker: logarithmic, 1e-4 to 1e4. */
#define FLICKER_CLASSES 1024
#define FLICKER_SECTIONS 6

/* A section of second order, direct form II transposed. */
struct flicker_section {
	double b[3], a[3];
	double z[2];
};

/**
 * struct flicker - state
 * @mean2: slow mean of the squared voltage, V2; begins at the nominal voltage
 * @instant: instantaneous flicker, perceptibility units
 * @count: samples by class, @samples of them
 */
struct flicker {
	double mean2;
	int sections;
	struct flicker_section section[FLICKER_SECTIONS];
	double gain;
	double instant;
	uint32_t count[FLICKER_CLASSES];
	uint32_t samples;
};

/* flicker_init() - for the lamp of 60 Hz networks (120 V) or of 50 Hz ones (230 V) */
void flicker_init(struct flicker *flicker, double grid_hz, double nominal_v);

/* flicker_start() - forget the classes: observation begins */
void flicker_start(struct flicker *flicker);

/* flicker_step() - one sample of the voltage, V */
void flicker_step(struct flicker *flicker, double v);

/* flicker_pst() - short-term severity of what was observed; NAN without an observation */
double flicker_pst(const struct flicker *flicker);

#endif /* QS1_FEEDER_FLICKER_H */
