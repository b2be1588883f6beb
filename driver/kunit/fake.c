// SPDX-License-Identifier: GPL-2.0-only
/*
 * An inverter for the tests: the core's state and a firmware's memory, with
 * nobody behind it. The memory ends where the contract ends, so that KASAN sees
 * each access beyond.
 */
#include <kunit/device.h>

#include "fake.h"

static void fake_ring(struct qs1 *qs1)
{
}

static const struct qs1_ops fake_ops = {
	.ring = fake_ring,
};

/* In place of the recorder of trips. */
void qs1_trip_event(struct qs1 *qs1, const struct qs1_event *event)
{
	container_of(qs1, struct fake, qs1)->told++;
}

/* An inverter whose firmware runs and never answers; the test may change what it likes. */
struct fake *fake_inverter(struct kunit *test)
{
	struct fake *fake = kunit_kzalloc(test, sizeof(*fake), GFP_KERNEL);
	struct device *dev;

	KUNIT_ASSERT_NOT_NULL(test, fake);
	fake->shm = kunit_kzalloc(test, QS1_SHM_SIZE(FAKE_WAVE_LOG2), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, fake->shm);
	dev = kunit_device_register(test, "qs1-fake");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);

	fake->qs1.dev = dev;
	fake->qs1.shm = (struct qs1_shm __force __iomem *)fake->shm;
	fake->qs1.size = QS1_SHM_SIZE(FAKE_WAVE_LOG2);
	fake->qs1.ops = &fake_ops;
	fake->qs1.fw.control_hz = QS1_CONTROL_HZ;
	fake->qs1.fw.wave_log2 = FAKE_WAVE_LOG2;
	mutex_init(&fake->qs1.mailbox_lock);
	qs1_mailbox_init(&fake->qs1);
	set_bit(QS1_FLAG_RUNNING, &fake->qs1.flags);
	return fake;
}
