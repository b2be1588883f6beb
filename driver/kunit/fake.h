/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef QS1_KUNIT_FAKE_H
#define QS1_KUNIT_FAKE_H

#include <kunit/test.h>

#include "../qs1.h"

#define FAKE_WAVE_LOG2 4

/**
 * struct fake - an inverter whose shared memory is ordinary memory
 * @qs1: as the core sees it
 * @shm: what the test writes as the firmware
 * @told: events that the recorder of trips was told of
 */
struct fake {
	struct qs1 qs1;
	struct qs1_shm *shm;
	unsigned int told;
};

struct fake *fake_inverter(struct kunit *test);

#endif /* QS1_KUNIT_FAKE_H */
