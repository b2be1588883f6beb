// SPDX-License-Identifier: GPL-2.0-only
/*
 * The drain: what it takes from a firmware that is ahead, behind, back and as fast
 * as the reader. Scans go to the test instead of an IIO buffer.
 */
#include <kunit/test.h>
#include <linux/iio/buffer.h>
#include <linux/iio/iio.h>

static int wave_test_push(struct iio_dev *indio_dev, void *data, s64 ns);

#define iio_push_to_buffers_with_timestamp wave_test_push
#include "../wave.c"
#undef iio_push_to_buffers_with_timestamp

#include "fake.h"

#define WAVE_SIZE BIT(FAKE_WAVE_LOG2)
/* A drain that takes more than this has no end. */
#define WAVE_ENDLESS (100 * WAVE_SIZE)

const struct qs1_adc_desc qs1_adc_desc[QS1_ADC_COUNT] = {};

/**
 * struct wave_test - a stream whose other end is the test
 * @fake: inverter
 * @wave: stream
 * @pushed: scans that came out
 * @room: of them the buffer takes so many
 * @advance: by so many scans the firmware is farther after each push
 * @jump_at: when so many came out ...
 * @jump: ... the firmware is farther by so many
 * @last_ns: time stamp of the last one
 */
struct wave_test {
	struct fake *fake;
	struct qs1_wave *wave;
	u32 pushed;
	u32 room;
	u32 advance;
	u32 jump_at;
	u32 jump;
	s64 last_ns;
};

static struct wave_test *wave_now;

static int wave_test_push(struct iio_dev *indio_dev, void *data, s64 ns)
{
	struct wave_test *t = wave_now;
	u32 *head = &t->fake->shm->wave.head;

	if (t->pushed >= t->room)
		return -EBUSY;
	t->pushed++;
	t->last_ns = ns;
	*head += t->advance;
	if (t->pushed == t->jump_at)
		*head += t->jump;
	return 0;
}

static struct wave_test *wave_stream(struct kunit *test, u32 head)
{
	struct wave_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	static const unsigned long mask = BIT(QS1_WAVE_STATUS);
	struct iio_dev *indio_dev;

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->fake = fake_inverter(test);
	t->fake->shm->wave.head = head;
	t->fake->shm->wave.scan[(head - 1) % WAVE_SIZE].seq = head - 1;
	t->room = WAVE_ENDLESS;
	indio_dev = devm_iio_device_alloc(t->fake->qs1.dev, sizeof(*t->wave));
	KUNIT_ASSERT_NOT_NULL(test, indio_dev);
	indio_dev->active_scan_mask = &mask;
	t->wave = iio_priv(indio_dev);
	t->wave->qs1 = &t->fake->qs1;
	t->wave->indio_dev = indio_dev;
	t->wave->watermark = QS1_WAVE_WATERMARK_MIN;
	mutex_init(&t->wave->lock);
	wave_now = t;
	qs1_wave_postenable(indio_dev);
	return t;
}

/* The firmware writes more scans. */
static void wave_advance(struct wave_test *t, u32 count)
{
	struct qs1_wave_ring *ring = &t->fake->shm->wave;

	for (; count; count--, ring->head++)
		ring->scan[ring->head % WAVE_SIZE].seq = ring->head;
}

static u32 wave_drain(struct wave_test *t)
{
	guard(mutex)(&t->wave->lock);
	return qs1_wave_drain(t->wave);
}

static u64 wave_lost(struct wave_test *t)
{
	return atomic64_read(&t->fake->qs1.wave_lost);
}

static void wave_all_is_taken(struct kunit *test)
{
	struct wave_test *t = wave_stream(test, 0xfffffff8);

	KUNIT_EXPECT_EQ(test, wave_drain(t), 0u);
	wave_advance(t, 12);
	KUNIT_EXPECT_EQ(test, wave_drain(t), 12u);
	KUNIT_EXPECT_EQ(test, t->pushed, 12u);
	KUNIT_EXPECT_EQ(test, wave_drain(t), 0u);
	KUNIT_EXPECT_EQ(test, wave_lost(t), 0ull);
}

/* The firmware writes more scans, @advance for each that is pushed: one call still ends. */
static void wave_drain_ends(struct kunit *test, u32 advance)
{
	struct wave_test *t = wave_stream(test, 0);

	wave_advance(t, 8);
	t->advance = advance;
	KUNIT_EXPECT_LE(test, wave_drain(t), (u32)WAVE_SIZE);
	KUNIT_EXPECT_LE(test, t->pushed, (u32)WAVE_SIZE);
}

static void wave_drain_of_a_fast_firmware_ends(struct kunit *test)
{
	wave_drain_ends(test, 1);
}

static void wave_drain_of_a_faster_firmware_ends(struct kunit *test)
{
	wave_drain_ends(test, QS1_WAVE_CHUNK);
}

/* Overtaken between two chunks: lost, and not delivered. */
static void wave_overtaken_scans_are_lost(struct kunit *test)
{
	struct wave_test *t = wave_stream(test, 8);

	/* Up to the end of the memory, and four more. */
	wave_advance(t, 12);
	t->jump_at = 8;
	t->jump = 3 * WAVE_SIZE;
	KUNIT_EXPECT_EQ(test, wave_drain(t), 8u);
	KUNIT_EXPECT_EQ(test, t->pushed, 8u);
	KUNIT_EXPECT_EQ(test, wave_lost(t), 4ull);
}

static void wave_late_reader_has_lost_the_oldest(struct kunit *test)
{
	struct wave_test *t = wave_stream(test, 0);

	wave_advance(t, 100);
	KUNIT_EXPECT_EQ(test, wave_drain(t), (u32)WAVE_SIZE - 1);
	KUNIT_EXPECT_EQ(test, wave_lost(t), 100ull - (WAVE_SIZE - 1));
}

/* What the buffer does not take waits in the ring. */
static void wave_full_buffer_loses_nothing(struct kunit *test)
{
	struct wave_test *t = wave_stream(test, 0);

	wave_advance(t, 10);
	t->room = 4;
	KUNIT_EXPECT_EQ(test, wave_drain(t), 4u);
	KUNIT_EXPECT_EQ(test, wave_drain(t), 0u);
	t->room = WAVE_ENDLESS;
	wave_advance(t, 3);
	KUNIT_EXPECT_EQ(test, wave_drain(t), 9u);
	KUNIT_EXPECT_EQ(test, wave_lost(t), 0ull);
}

static void wave_head_that_goes_back_restarts(struct kunit *test)
{
	struct wave_test *t = wave_stream(test, 100);

	t->fake->shm->wave.head = 50;
	KUNIT_EXPECT_EQ(test, wave_drain(t), 0u);
	wave_advance(t, 5);
	KUNIT_EXPECT_EQ(test, wave_drain(t), 5u);
}

/* Back to between what was pushed and what the clock has mapped: not beyond the head. */
static void wave_head_that_goes_back_a_little(struct kunit *test)
{
	struct wave_test *t = wave_stream(test, 0);

	wave_advance(t, 12);
	t->room = 4;
	KUNIT_EXPECT_EQ(test, wave_drain(t), 4u);
	t->room = WAVE_ENDLESS;
	t->fake->shm->wave.head = 6;
	KUNIT_EXPECT_EQ(test, wave_drain(t), 2u);
}

/* The new firmware's index may be below or above the old one's; its scans count from STARTED on. */
static void wave_waits_for_the_start_of_the_next_firmware(struct kunit *test)
{
	struct wave_test *t = wave_stream(test, 100);

	wave_advance(t, 3);
	qs1_wave_notify(&t->wave->nb, QS1_NOTIFY_STOPPED, NULL);
	KUNIT_EXPECT_EQ(test, t->pushed, 3u);
	wave_advance(t, 5);
	qs1_wave_notify(&t->wave->nb, QS1_NOTIFY_DOORBELL, NULL);
	KUNIT_EXPECT_EQ(test, t->pushed, 3u);
	qs1_wave_notify(&t->wave->nb, QS1_NOTIFY_STARTED, NULL);
	wave_advance(t, 2);
	qs1_wave_notify(&t->wave->nb, QS1_NOTIFY_DOORBELL, NULL);
	KUNIT_EXPECT_EQ(test, t->pushed, 5u);
	KUNIT_EXPECT_EQ(test, wave_lost(t), 0ull);
}

static struct kunit_case wave_test_cases[] = {
	KUNIT_CASE(wave_all_is_taken),
	KUNIT_CASE(wave_drain_of_a_fast_firmware_ends),
	KUNIT_CASE(wave_drain_of_a_faster_firmware_ends),
	KUNIT_CASE(wave_overtaken_scans_are_lost),
	KUNIT_CASE(wave_late_reader_has_lost_the_oldest),
	KUNIT_CASE(wave_full_buffer_loses_nothing),
	KUNIT_CASE(wave_head_that_goes_back_restarts),
	KUNIT_CASE(wave_head_that_goes_back_a_little),
	KUNIT_CASE(wave_waits_for_the_start_of_the_next_firmware),
	{}
};

static struct kunit_suite wave_suite = {
	.name = "qs1-wave",
	.test_cases = wave_test_cases,
};

kunit_test_suite(wave_suite);
