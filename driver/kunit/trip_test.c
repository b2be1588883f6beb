// SPDX-License-Identifier: GPL-2.0-only
/*
 * The recorder of trips: it keeps the last recording until it has another one.
 */
#include <kunit/test.h>
#include <linux/array_size.h>
#include <linux/errno.h>

#include "../trip.c"
#include "fake.h"

#define TRIP_SIZE BIT(FAKE_WAVE_LOG2)

/* Scans numbered so that scan @head - 1 has the number @last. */
static void trip_fill(struct fake *fake, u32 head, u32 last)
{
	u32 n;

	for (n = head - TRIP_SIZE; n != head; n++)
		fake->shm->wave.scan[n % TRIP_SIZE] =
			(struct qs1_scan){ .seq = last - (head - 1 - n), .ch = { n } };
	fake->shm->wave.head = head;
}

static struct qs1_event trip_at(u32 ticks)
{
	return (struct qs1_event){
		.kind = QS1_EVENT_TRIP,
		.cause = QS1_CAUSE_FAULT_BASE + QS1_FAULT_OV2,
		.from = QS1_STATE_PRODUCING,
		.ticks = ticks,
		.value = 288000,
	};
}

/* As the core does it. */
static void trip_happens(struct fake *fake, const struct qs1_event *event)
{
	scoped_guard(mutex, &fake->qs1.news_lock)
		qs1_trip_event(&fake->qs1, event);
	flush_delayed_work(&fake->qs1.trip->work);
}

static ssize_t trip_read(struct fake *fake, void *buf, loff_t offset, size_t size)
{
	return trip_wave_read(NULL, &fake->qs1.dev->kobj, &bin_attr_trip_wave, buf, offset, size);
}

static void trip_is_recorded(struct kunit *test)
{
	struct fake *fake = fake_inverter(test);
	struct qs1_event event = trip_at(1000);
	struct qs1_trip_wave head;
	struct qs1_scan scan;
	loff_t at;

	KUNIT_EXPECT_EQ(test, trip_read(fake, &head, 0, sizeof(head)), -ENODATA);
	trip_fill(fake, 100, 1006);
	trip_happens(fake, &event);
	KUNIT_ASSERT_EQ(test, trip_read(fake, &head, 0, sizeof(head)), (ssize_t)sizeof(head));
	KUNIT_EXPECT_EQ(test, head.magic, QS1_TRIP_WAVE_MAGIC);
	KUNIT_EXPECT_EQ(test, head.number, 1u);
	KUNIT_EXPECT_EQ(test, head.fault, (u32)QS1_FAULT_OV2);
	KUNIT_EXPECT_EQ(test, head.count, (u32)TRIP_SIZE - 1);
	/* The scan of the trip is the one that carries its tick. */
	at = sizeof(head) + head.trip * sizeof(scan);
	KUNIT_ASSERT_EQ(test, trip_read(fake, &scan, at, sizeof(scan)), (ssize_t)sizeof(scan));
	KUNIT_EXPECT_EQ(test, scan.seq, 1000u);
	/* Nothing is behind the last scan. */
	at = sizeof(head) + head.count * sizeof(scan);
	KUNIT_EXPECT_EQ(test, trip_read(fake, &scan, at, sizeof(scan)), 0);
}

static void trip_that_is_missed_leaves_the_last_one(struct kunit *test)
{
	struct qs1_scan before[TRIP_SIZE - 1], after[TRIP_SIZE - 1];
	struct fake *fake = fake_inverter(test);
	struct qs1_event event = trip_at(1000);
	struct qs1_trip_wave head;

	trip_fill(fake, 100, 1006);
	trip_happens(fake, &event);
	KUNIT_ASSERT_EQ(test, trip_read(fake, before, sizeof(head), sizeof(before)),
			(ssize_t)sizeof(before));

	/* The firmware was started again: its scans are numbered from 1. */
	trip_fill(fake, 20, 20);
	event = trip_at(2000);
	trip_happens(fake, &event);
	KUNIT_ASSERT_EQ(test, trip_read(fake, &head, 0, sizeof(head)), (ssize_t)sizeof(head));
	KUNIT_EXPECT_EQ(test, head.ticks, 1000ull);
	KUNIT_EXPECT_EQ(test, trip_read(fake, after, sizeof(head), sizeof(after)),
			(ssize_t)sizeof(after));
	KUNIT_EXPECT_MEMEQ(test, before, after, sizeof(before));

	trip_fill(fake, 200, 2003);
	trip_happens(fake, &event);
	KUNIT_ASSERT_EQ(test, trip_read(fake, &head, 0, sizeof(head)), (ssize_t)sizeof(head));
	KUNIT_EXPECT_EQ(test, head.number, 2u);
	KUNIT_EXPECT_EQ(test, head.ticks, 2000ull);
}

static void trip_off_the_grid_is_none(struct kunit *test)
{
	struct fake *fake = fake_inverter(test);
	struct qs1_event event = trip_at(1000);
	struct qs1_trip_wave head;

	trip_fill(fake, 100, 1006);
	event.from = QS1_STATE_WAITING;
	trip_happens(fake, &event);
	event.from = 0xffff;
	trip_happens(fake, &event);
	KUNIT_EXPECT_EQ(test, trip_read(fake, &head, 0, sizeof(head)), -ENODATA);
}

/* The ring's index passes 2^31 after 30 hours. */
static void trip_is_recorded_at_any_index(struct kunit *test)
{
	static const u32 heads[] = { 0x7fffffff, 0x80000000, 0xffffffff };
	struct fake *fake = fake_inverter(test);
	struct qs1_event event = trip_at(1000);
	struct qs1_trip_wave head;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(heads); i++) {
		trip_fill(fake, heads[i], 1006);
		trip_happens(fake, &event);
		KUNIT_ASSERT_EQ(test, trip_read(fake, &head, 0, sizeof(head)),
				(ssize_t)sizeof(head));
		KUNIT_EXPECT_EQ(test, head.number, i + 1);
		KUNIT_EXPECT_EQ(test, head.count, (u32)TRIP_SIZE - 1);
	}
}

static struct kunit_case trip_test_cases[] = { KUNIT_CASE(trip_is_recorded),
					       KUNIT_CASE(trip_is_recorded_at_any_index),
					       KUNIT_CASE(trip_that_is_missed_leaves_the_last_one),
					       KUNIT_CASE(trip_off_the_grid_is_none),
					       {} };

static struct kunit_suite trip_suite = {
	.name = "qs1-trip",
	.test_cases = trip_test_cases,
};

kunit_test_suite(trip_suite);
