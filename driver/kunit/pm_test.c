// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sleep: the firmware is stopped only when it says that the power stage is off.
 */
#include <kunit/test.h>
#include <linux/errno.h>
#include <linux/pm.h>

#include "fake.h"

static u32 pm_ops_seen[4];
static unsigned int pm_ops_count;
/* What the firmware switches off when disarmed. */
static u32 pm_switches_off;
/* The operation that it refuses. */
static u32 pm_refuses;

static void pm_answer(struct qs1 *qs1)
{
	struct fake *fake = container_of(qs1, struct fake, qs1);
	u32 op = fake->shm->command.op;

	if (pm_ops_count < ARRAY_SIZE(pm_ops_seen))
		pm_ops_seen[pm_ops_count++] = op;
	if (op == QS1_OP_DISARM)
		fake->shm->telemetry.status &= ~pm_switches_off;
	fake->shm->reply.result = op == pm_refuses ? QS1_ERR_OP : QS1_OK;
	fake->shm->reply.seq = fake->shm->command.seq;
}

static const struct qs1_ops pm_answering = { .ring = pm_answer };

static struct fake *pm_inverter(struct kunit *test, u32 switches_off)
{
	struct fake *fake = fake_inverter(test);

	pm_ops_count = 0;
	pm_switches_off = switches_off;
	pm_refuses = QS1_OP_NONE;
	fake->qs1.ops = &pm_answering;
	fake->shm->telemetry.status = QS1_STATUS_RELAY | QS1_STATUS_BRIDGE | QS1_STATUS_ARMED;
	set_bit(QS1_FLAG_ARMED, &fake->qs1.flags);
	return fake;
}

static void pm_ends_bench_mode_then_production_then_the_firmware(struct kunit *test)
{
	struct fake *fake = pm_inverter(test, ~0);

	KUNIT_EXPECT_EQ(test, qs1_pm_ops.suspend(fake->qs1.dev), 0);
	KUNIT_EXPECT_EQ(test, pm_ops_count, 2u);
	KUNIT_EXPECT_EQ(test, pm_ops_seen[0], (u32)QS1_OP_BENCH);
	KUNIT_EXPECT_EQ(test, pm_ops_seen[1], (u32)QS1_OP_DISARM);
	KUNIT_EXPECT_EQ(test, fake->sleeps, 1u);
	KUNIT_EXPECT_FALSE(test, qs1_permitted(&fake->qs1));
	KUNIT_EXPECT_EQ(test, qs1_pm_ops.resume(fake->qs1.dev), 0);
	KUNIT_EXPECT_EQ(test, fake->wakes, 1u);
}

static void pm_stays_awake_with_the_relay_closed(struct kunit *test)
{
	struct fake *fake = pm_inverter(test, ~QS1_STATUS_RELAY);

	KUNIT_EXPECT_EQ(test, qs1_pm_ops.suspend(fake->qs1.dev), -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, fake->sleeps, 0u);
}

static void pm_stays_awake_with_a_silent_firmware(struct kunit *test)
{
	struct fake *fake = fake_inverter(test);

	KUNIT_EXPECT_EQ(test, qs1_pm_ops.suspend(fake->qs1.dev), -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, fake->sleeps, 0u);
}

/* A firmware without bench mode, say. It stays awake, and disarmed. */
static void pm_disarms_also_what_refuses_to_leave_bench_mode(struct kunit *test)
{
	struct fake *fake = pm_inverter(test, ~0);

	pm_refuses = QS1_OP_BENCH;
	KUNIT_EXPECT_EQ(test, qs1_pm_ops.suspend(fake->qs1.dev), -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, pm_ops_seen[1], (u32)QS1_OP_DISARM);
	KUNIT_EXPECT_FALSE(test, qs1_permitted(&fake->qs1));
	KUNIT_EXPECT_EQ(test, fake->shm->telemetry.status, 0u);
	KUNIT_EXPECT_EQ(test, fake->sleeps, 0u);
}

static void pm_sleeps_without_firmware(struct kunit *test)
{
	struct fake *fake = pm_inverter(test, ~0);

	clear_bit(QS1_FLAG_RUNNING, &fake->qs1.flags);
	KUNIT_EXPECT_EQ(test, qs1_pm_ops.suspend(fake->qs1.dev), 0);
	KUNIT_EXPECT_EQ(test, pm_ops_count, 0u);
	KUNIT_EXPECT_EQ(test, fake->sleeps, 1u);
}

static struct kunit_case pm_test_cases[] = {
	KUNIT_CASE(pm_ends_bench_mode_then_production_then_the_firmware),
	KUNIT_CASE(pm_stays_awake_with_the_relay_closed),
	KUNIT_CASE(pm_stays_awake_with_a_silent_firmware),
	KUNIT_CASE(pm_disarms_also_what_refuses_to_leave_bench_mode),
	KUNIT_CASE(pm_sleeps_without_firmware),
	{}
};

static struct kunit_suite pm_suite = {
	.name = "qs1-pm",
	.test_cases = pm_test_cases,
};

kunit_test_suite(pm_suite);
