// SPDX-License-Identifier: GPL-2.0-only
/*
 * An inverter for the tests: the core's state and a firmware's memory, with
 * nobody behind it. The memory ends where the contract ends, so that KASAN sees
 * each access beyond. What life.c does with a coprocessor is counted here.
 */
#include <kunit/device.h>

#include "fake.h"

static void fake_ring(struct qs1 *qs1)
{
}

static const struct qs1_ops fake_ops = {
	.ring = fake_ring,
};

/* In event.c this is the recorder of trips. */
void fake_trip_event(struct qs1 *qs1, const struct qs1_event *event)
{
	container_of(qs1, struct fake, qs1)->recorded++;
	qs1_trip_event(qs1, event);
}

void qs1_report_crash(struct qs1 *qs1, enum rproc_crash_type type)
{
	container_of(qs1, struct fake, qs1)->crashes++;
}

int qs1_sleep(struct qs1 *qs1)
{
	container_of(qs1, struct fake, qs1)->sleeps++;
	return 0;
}

void qs1_wake(struct qs1 *qs1)
{
	container_of(qs1, struct fake, qs1)->wakes++;
}

int devm_qs1_life_init(struct qs1 *qs1)
{
	return 0;
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
	dev_set_drvdata(dev, &fake->qs1);
	mutex_init(&fake->qs1.mailbox_lock);
	mutex_init(&fake->qs1.news_lock);
	spin_lock_init(&fake->qs1.gpio_lock);
	BLOCKING_INIT_NOTIFIER_HEAD(&fake->qs1.notifier);
	qs1_mailbox_init(&fake->qs1);
	KUNIT_ASSERT_EQ(test, devm_qs1_trip_init(&fake->qs1), 0);
	set_bit(QS1_FLAG_RUNNING, &fake->qs1.flags);
	return fake;
}
