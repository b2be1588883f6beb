// SPDX-License-Identifier: GPL-2.0-only
/*
 * The event ring and the telemetry as a reader finds them: whole, torn, and full
 * of what no sound firmware writes.
 */
#include <kunit/test.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/prandom.h>
#include <linux/string.h>
#include <linux/timer.h>

#include "fake.h"

#define EVENT_SEED 0x51534ull
#define EVENT_RANDOM_CASES 200
/* The longest line times the number shown must stay below this, see sysfs-old.c. */
#define EVENT_ATTRIBUTE_SIZE 4096
/* Snapshots that are written while they are read, one in two ticks; the time that this may take. */
#define SNAPSHOTS 25
#define SNAPSHOTS_S 60
/* The telemetry behind its number, in words. */
#define SNAPSHOT_WORDS (sizeof(struct qs1_telemetry) / sizeof(u32) - 1)

static void write_event(struct fake *fake, u32 number)
{
	fake->shm->events.event[number % QS1_EVENTS] = (struct qs1_event){
		.seq = number,
		.kind = QS1_EVENT_TRIP,
		.cause = QS1_CAUSE_FAULT_BASE,
		.from = number % QS1_STATE_COUNT,
		.value = -(s32)number,
		.ticks = number * 1000ull,
	};
	fake->shm->events.head = number;
}

static char *page(struct kunit *test)
{
	char *buf = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, buf);
	KUNIT_ASSERT_TRUE(test, PAGE_ALIGNED(buf));
	return buf;
}

static int count_lines(const char *text)
{
	int lines = 0;

	for (; *text; text++)
		lines += *text == '\n';
	return lines;
}

static void event_none(struct kunit *test)
{
	struct fake *fake = fake_inverter(test);
	struct qs1_event event;

	KUNIT_EXPECT_EQ(test, qs1_events_read(&fake->qs1, &event, 1), 0);
	clear_bit(QS1_FLAG_RUNNING, &fake->qs1.flags);
	KUNIT_EXPECT_EQ(test, qs1_events_read(&fake->qs1, &event, 1), -ENODATA);
}

static void event_newest_are_read_oldest_first(struct kunit *test)
{
	struct fake *fake = fake_inverter(test);
	struct qs1_event *events = kunit_kcalloc(test, QS1_EVENTS, sizeof(*events), GFP_KERNEL);
	u32 number;

	KUNIT_ASSERT_NOT_NULL(test, events);
	for (number = 1; number <= 3; number++)
		write_event(fake, number);
	KUNIT_EXPECT_EQ(test, qs1_events_read(&fake->qs1, events, QS1_EVENTS), 3);
	KUNIT_EXPECT_EQ(test, events[0].seq, 1u);
	KUNIT_EXPECT_EQ(test, events[0].ticks, 1000ull);
	KUNIT_EXPECT_EQ(test, qs1_events_read(&fake->qs1, events, 2), 2);
	KUNIT_EXPECT_EQ(test, events[0].seq, 2u);

	for (; number <= 1000; number++)
		write_event(fake, number);
	KUNIT_EXPECT_EQ(test, qs1_events_read(&fake->qs1, events, 2 * QS1_EVENTS), QS1_EVENTS);
	KUNIT_EXPECT_EQ(test, events[0].seq, 1001 - QS1_EVENTS);
}

/* Being written, or already overwritten: left out. */
static void event_unfinished_is_left_out(struct kunit *test)
{
	struct fake *fake = fake_inverter(test);
	struct qs1_event events[3];
	u32 number;

	for (number = 1; number <= 3; number++)
		write_event(fake, number);
	fake->shm->events.event[2].seq = 0;
	fake->shm->events.event[3].seq = 3 + QS1_EVENTS;
	KUNIT_EXPECT_EQ(test, qs1_events_read(&fake->qs1, events, 3), 1);
	KUNIT_EXPECT_EQ(test, events[0].seq, 1u);
}

/* Each bit of the ring as it pleases: the text still fits, and KASAN is silent. */
static void event_garbage_is_harmless(struct kunit *test)
{
	struct fake *fake = fake_inverter(test);
	char *buf = page(test);
	struct rnd_state rnd;
	int i;

	prandom_seed_state(&rnd, EVENT_SEED);
	for (i = 0; i < EVENT_RANDOM_CASES; i++) {
		u32 head = i ? prandom_u32_state(&rnd) : 0xffffffff;
		ssize_t len;
		u32 n;

		prandom_bytes_state(&rnd, &fake->shm->events, sizeof(fake->shm->events));
		fake->shm->events.head = head;
		/* So that they are believed to be finished. */
		for (n = 0; n < QS1_EVENTS; n++)
			fake->shm->events.event[(head - n) % QS1_EVENTS].seq = head - n;
		memset(buf, 0, PAGE_SIZE);
		len = qs1_old_events(&fake->qs1, buf);
		KUNIT_ASSERT_GE(test, len, 0);
		KUNIT_ASSERT_LT(test, len, EVENT_ATTRIBUTE_SIZE);
		KUNIT_ASSERT_EQ(test, count_lines(buf), min(head, 40u));
	}
}

/* The longest line that sysfs-old.c computes with. */
static void event_longest_text_fits(struct kunit *test)
{
	struct fake *fake = fake_inverter(test);
	char *buf = page(test);
	u32 n;

	fake->shm->events.head = 0xffffffff;
	for (n = 0; n < QS1_EVENTS; n++)
		fake->shm->events.event[(0xffffffff - n) % QS1_EVENTS] = (struct qs1_event){
			.seq = 0xffffffff - n,
			.kind = QS1_EVENT_TRANSITION,
			.cause = QS1_CAUSE_MOMENTARY_CESSATION,
			.from = QS1_STATE_GROUND_FAULT,
			.to = QS1_STATE_GROUND_FAULT,
			.value = S32_MIN,
			.ticks = U64_MAX,
		};
	KUNIT_EXPECT_LT(test, qs1_old_events(&fake->qs1, buf), EVENT_ATTRIBUTE_SIZE);
	KUNIT_EXPECT_EQ(test, count_lines(buf), 40);
}

/* Each event is recorded once; after a jump of the head no more than the ring can hold. */
static void event_edge_is_seen_once(struct kunit *test)
{
	struct fake *fake = fake_inverter(test);
	u32 number;

	for (number = 1; number <= 5; number++)
		write_event(fake, number);
	qs1_news(&fake->qs1);
	KUNIT_EXPECT_EQ(test, fake->qs1.event_head, 5u);
	KUNIT_EXPECT_EQ(test, fake->recorded, 5u);
	qs1_news(&fake->qs1);
	KUNIT_EXPECT_EQ(test, fake->recorded, 5u);

	for (; number <= 1000; number++)
		write_event(fake, number);
	qs1_news(&fake->qs1);
	KUNIT_EXPECT_LE(test, fake->recorded, 5 + QS1_EVENTS);

	fake->shm->events.head = 0;
	qs1_news(&fake->qs1);
	KUNIT_EXPECT_EQ(test, fake->qs1.event_head, 0u);
	KUNIT_EXPECT_LE(test, fake->recorded, 5 + 2 * QS1_EVENTS);
}

static void telemetry_is_read(struct kunit *test)
{
	struct fake *fake = fake_inverter(test);
	u64 energy = 0;

	fake->shm->telemetry.seq = 2;
	fake->shm->telemetry.epv_mj[3] = 0x123456789abcdefull;
	KUNIT_EXPECT_EQ(test,
			qs1_telemetry_read(&fake->qs1, offsetof(struct qs1_telemetry, epv_mj[3]),
					   &energy, sizeof(energy)),
			0);
	KUNIT_EXPECT_EQ(test, energy, 0x123456789abcdefull);
}

static void telemetry_never_finished_is_an_error(struct kunit *test)
{
	struct fake *fake = fake_inverter(test);
	u32 status;

	fake->shm->telemetry.seq = 1;
	KUNIT_EXPECT_EQ(test, qs1_telemetry_read(&fake->qs1, 4, &status, sizeof(status)), -EIO);
	clear_bit(QS1_FLAG_RUNNING, &fake->qs1.flags);
	KUNIT_EXPECT_EQ(test, qs1_telemetry_read(&fake->qs1, 4, &status, sizeof(status)), -ENODATA);
}

/**
 * struct writer - a firmware that writes all words alike, half of them at each tick
 * @timer: interrupts the reader between any two instructions
 * @telemetry: where it writes
 * @number: of the last snapshot that is whole
 */
struct writer {
	struct timer_list timer;
	struct qs1_telemetry *telemetry;
	u32 number;
};

static void write_half(struct timer_list *timer)
{
	struct writer *writer = container_of(timer, struct writer, timer);
	u32 *word = (u32 *)writer->telemetry + 1;

	if (writer->telemetry->seq++ & 1) {
		writer->number++;
		memset32(word + SNAPSHOT_WORDS / 2, writer->number,
			 SNAPSHOT_WORDS - SNAPSHOT_WORDS / 2);
	} else {
		memset32(word, writer->number + 1, SNAPSHOT_WORDS / 2);
	}
	mod_timer(timer, jiffies + 1);
}

static bool all_alike(const u32 *word)
{
	size_t i;

	for (i = 1; i < SNAPSHOT_WORDS; i++)
		if (word[i] != word[0])
			return false;
	return true;
}

static void telemetry_is_never_torn(struct kunit *test)
{
	struct writer *writer = kunit_kzalloc(test, sizeof(*writer), GFP_KERNEL);
	u32 *copy = kunit_kzalloc(test, SNAPSHOT_WORDS * sizeof(u32), GFP_KERNEL);
	unsigned long end = jiffies + SNAPSHOTS_S * HZ;
	struct fake *fake = fake_inverter(test);
	u32 torn = 0;
	int ret = 0;

	KUNIT_ASSERT_NOT_NULL(test, writer);
	KUNIT_ASSERT_NOT_NULL(test, copy);
	writer->telemetry = &fake->shm->telemetry;
	timer_setup(&writer->timer, write_half, 0);
	mod_timer(&writer->timer, jiffies + 1);
	while (!ret && READ_ONCE(writer->number) < SNAPSHOTS && time_before(jiffies, end)) {
		ret = qs1_telemetry_read(&fake->qs1, sizeof(u32), copy,
					 SNAPSHOT_WORDS * sizeof(u32));
		torn += !all_alike(copy);
	}
	timer_delete_sync(&writer->timer);
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, torn, 0u);
	KUNIT_EXPECT_GE(test, writer->number, (u32)SNAPSHOTS);
}

/* Names for any number, in the table or not. */
static void names_of_any_number(struct kunit *test)
{
	u32 n;

	for (n = 0; n < 512; n++) {
		KUNIT_ASSERT_NOT_NULL(test, qs1_state_name(n));
		KUNIT_ASSERT_NOT_NULL(test, qs1_fault_name(n));
		KUNIT_ASSERT_NOT_NULL(test, qs1_cause_name(n));
	}
	KUNIT_EXPECT_STREQ(test, qs1_state_name(0xffffffff), "unknown");
	KUNIT_EXPECT_STREQ(test, qs1_fault_name(0xffffffff), "unknown");
	KUNIT_EXPECT_STREQ(test, qs1_cause_name(0xffffffff), "unknown");
	for (n = 0; n < QS1_FAULT_COUNT; n++)
		KUNIT_EXPECT_EQ(test, qs1_fault_find(qs1_fault_name(n)), (int)n);
	KUNIT_EXPECT_EQ(test, qs1_fault_find("no-such-fault"), -EINVAL);
	KUNIT_EXPECT_EQ(test, qs1_fault_find(""), -EINVAL);
}

static struct kunit_case event_test_cases[] = { KUNIT_CASE(event_none),
						KUNIT_CASE(event_newest_are_read_oldest_first),
						KUNIT_CASE(event_unfinished_is_left_out),
						KUNIT_CASE(event_garbage_is_harmless),
						KUNIT_CASE(event_longest_text_fits),
						KUNIT_CASE(event_edge_is_seen_once),
						KUNIT_CASE(telemetry_is_read),
						KUNIT_CASE(telemetry_is_never_torn),
						KUNIT_CASE(telemetry_never_finished_is_an_error),
						KUNIT_CASE(names_of_any_number),
						{} };

static struct kunit_suite event_suite = {
	.name = "qs1-event",
	.test_cases = event_test_cases,
};

kunit_test_suite(event_suite);
