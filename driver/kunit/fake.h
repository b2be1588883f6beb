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
 * @recorded: events that were passed to the recorder of trips
 * @crashes: reports that it is dead
 * @sleeps: times that the firmware was stopped for sleep
 * @wakes: times that it was started after that
 */
struct fake {
	struct qs1 qs1;
	struct qs1_shm *shm;
	unsigned int recorded;
	unsigned int crashes;
	unsigned int sleeps;
	unsigned int wakes;
};

struct fake *fake_inverter(struct kunit *test);
void fake_trip_event(struct qs1 *qs1, const struct qs1_event *event);

#endif /* QS1_KUNIT_FAKE_H */
