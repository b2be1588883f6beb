// SPDX-License-Identifier: GPL-2.0-only
/*
 * Health: each change is notified once, with what was before, and from a whole
 * snapshot.
 */
#include <kunit/test.h>
#include <linux/device.h>
#include <linux/notifier.h>

#include "fake.h"

/**
 * struct listener - a child that listens
 * @nb: its place in the notifier
 * @changes: changes heard
 * @last: of them
 * @doorbells: doorbells heard
 */
struct listener {
	struct notifier_block nb;
	unsigned int changes;
	struct qs1_health_change last;
	unsigned int doorbells;
};

static int listen(struct notifier_block *nb, unsigned long action, void *data)
{
	struct listener *listener = container_of(nb, struct listener, nb);

	switch (action) {
	case QS1_NOTIFY_HEALTH:
		listener->changes++;
		listener->last = *(struct qs1_health_change *)data;
		break;
	case QS1_NOTIFY_DOORBELL:
		listener->doorbells++;
		break;
	}
	return NOTIFY_OK;
}

static struct listener *health_listener(struct kunit *test, struct fake *fake)
{
	struct listener *listener = devm_kzalloc(fake->qs1.dev, sizeof(*listener), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, listener);
	listener->nb.notifier_call = listen;
	KUNIT_ASSERT_EQ(test, devm_qs1_register_notifier(fake->qs1.dev, &fake->qs1, &listener->nb),
			0);
	return listener;
}

static void health_change_is_notified_once(struct kunit *test)
{
	struct fake *fake = fake_inverter(test);
	struct listener *listener = health_listener(test, fake);
	u32 status = QS1_STATUS_RELAY | QS1_STATUS_GRID_OK;

	fake->shm->telemetry.status = status;
	fake->shm->telemetry.faults_latched = 4;
	qs1_news(&fake->qs1);
	KUNIT_EXPECT_EQ(test, listener->changes, 1u);
	KUNIT_EXPECT_EQ(test, listener->last.old.status, 0u);
	KUNIT_EXPECT_EQ(test, listener->last.now.status, status);
	KUNIT_EXPECT_EQ(test, listener->last.now.faults_latched, 4u);
	qs1_news(&fake->qs1);
	KUNIT_EXPECT_EQ(test, listener->changes, 1u);

	fake->shm->telemetry.status = QS1_STATUS_GRID_OK;
	fake->shm->telemetry.faults_active = 1;
	qs1_news(&fake->qs1);
	KUNIT_EXPECT_EQ(test, listener->changes, 2u);
	KUNIT_EXPECT_EQ(test, listener->last.old.status, status);
	KUNIT_EXPECT_EQ(test, listener->last.now.status, (u32)QS1_STATUS_GRID_OK);
	KUNIT_EXPECT_EQ(test, listener->last.now.faults_active, 1u);
	KUNIT_EXPECT_EQ(test, listener->doorbells, 3u);
}

/* What switches all the time is no change. */
static void health_ignores_what_switches(struct kunit *test)
{
	struct fake *fake = fake_inverter(test);
	struct listener *listener = health_listener(test, fake);

	fake->shm->telemetry.status = ~QS1_STATUS_RINGS;
	qs1_news(&fake->qs1);
	KUNIT_EXPECT_EQ(test, listener->changes, 0u);
}

/* A snapshot that never ends changes nothing; the next doorbell finds the change. */
static void health_of_a_torn_snapshot_waits(struct kunit *test)
{
	struct fake *fake = fake_inverter(test);
	struct listener *listener = health_listener(test, fake);

	fake->shm->telemetry.seq = 1;
	fake->shm->telemetry.status = QS1_STATUS_ARMED;
	qs1_news(&fake->qs1);
	KUNIT_EXPECT_EQ(test, listener->changes, 0u);
	KUNIT_EXPECT_EQ(test, fake->qs1.health.status, 0u);
	fake->shm->telemetry.seq = 2;
	qs1_news(&fake->qs1);
	KUNIT_EXPECT_EQ(test, listener->changes, 1u);
}

static void health_irq_reports_a_crash(struct kunit *test)
{
	struct fake *fake = fake_inverter(test);
	struct listener *listener = health_listener(test, fake);

	fake->shm->fw.crash_reason = QS1_CRASH_ASSERT;
	KUNIT_EXPECT_EQ(test, qs1_irq_thread(0, &fake->qs1), IRQ_HANDLED);
	KUNIT_EXPECT_EQ(test, fake->crashes, 1u);
	KUNIT_EXPECT_EQ(test, listener->doorbells, 0u);

	clear_bit(QS1_FLAG_RUNNING, &fake->qs1.flags);
	qs1_irq_thread(0, &fake->qs1);
	KUNIT_EXPECT_EQ(test, fake->crashes, 1u);
}

static struct kunit_case health_test_cases[] = { KUNIT_CASE(health_change_is_notified_once),
						 KUNIT_CASE(health_ignores_what_switches),
						 KUNIT_CASE(health_of_a_torn_snapshot_waits),
						 KUNIT_CASE(health_irq_reports_a_crash),
						 {} };

static struct kunit_suite health_suite = {
	.name = "qs1-health",
	.test_cases = health_test_cases,
};

kunit_test_suite(health_suite);
