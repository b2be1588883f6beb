// SPDX-License-Identifier: GPL-2.0-only
/*
 * The handshake: what a firmware says of itself is checked, once read, and only what
 * was checked is kept.
 */
#include <kunit/test.h>
#include <linux/array_size.h>
#include <linux/errno.h>
#include <linux/hrtimer.h>

#include "fake.h"

#define HANDSHAKE_FLIPS 50
#define HANDSHAKE_FLIP_NS 100000

struct handshake_case {
	const char *name;
	u32 layout;
	u32 control_hz;
	u32 wave_log2;
	int ret;
};

static const struct handshake_case handshake_cases[] = {
	{ "sound", QS1_LAYOUT_VERSION, QS1_CONTROL_HZ, FAKE_WAVE_LOG2, 0 },
	{ "older layout", QS1_LAYOUT_VERSION - 1, QS1_CONTROL_HZ, FAKE_WAVE_LOG2, -EPROTO },
	{ "newer layout", QS1_LAYOUT_VERSION + 1, QS1_CONTROL_HZ, FAKE_WAVE_LOG2, -EPROTO },
	{ "no rate", QS1_LAYOUT_VERSION, 0, FAKE_WAVE_LOG2, -EPROTO },
	{ "rate too low", QS1_LAYOUT_VERSION, 999, FAKE_WAVE_LOG2, -EPROTO },
	{ "rate too high", QS1_LAYOUT_VERSION, 1000001, FAKE_WAVE_LOG2, -EPROTO },
	{ "ring too small", QS1_LAYOUT_VERSION, QS1_CONTROL_HZ, 3, -EPROTO },
	{ "ring beyond the memory", QS1_LAYOUT_VERSION, QS1_CONTROL_HZ, FAKE_WAVE_LOG2 + 1,
	  -EPROTO },
	{ "ring beyond the contract", QS1_LAYOUT_VERSION, QS1_CONTROL_HZ, 14, -EPROTO },
	{ "ring of all ones", QS1_LAYOUT_VERSION, QS1_CONTROL_HZ, 0xffffffff, -EPROTO },
};

KUNIT_ARRAY_PARAM_DESC(handshake, handshake_cases, name);

static void handshake_set(struct fake *fake, const struct handshake_case *c)
{
	fake->shm->fw.magic = QS1_MAGIC;
	fake->shm->fw.layout_version = c->layout;
	fake->shm->fw.control_hz = c->control_hz;
	fake->shm->fw.wave_log2 = c->wave_log2;
}

static void handshake_checks(struct kunit *test)
{
	const struct handshake_case *c = test->param_value;
	struct fake *fake = fake_inverter(test);

	fake->qs1.fw = (struct qs1_firmware){};
	handshake_set(fake, c);
	KUNIT_EXPECT_EQ(test, qs1_handshake(&fake->qs1), c->ret);
	KUNIT_EXPECT_EQ(test, fake->qs1.fw.control_hz, c->ret ? 0 : c->control_hz);
	KUNIT_EXPECT_EQ(test, fake->qs1.fw.wave_log2, c->ret ? 0 : c->wave_log2);
}

/* Neither without end nor with anything but printable characters. */
static void handshake_tames_the_version(struct kunit *test)
{
	struct fake *fake = fake_inverter(test);
	int i;

	handshake_set(fake, &handshake_cases[0]);
	memset(fake->shm->fw.version, 0xff, sizeof(fake->shm->fw.version));
	memcpy(fake->shm->fw.version, "1.0\n\033[2J", 8);
	KUNIT_EXPECT_EQ(test, qs1_handshake(&fake->qs1), 0);
	KUNIT_EXPECT_EQ(test, strlen(fake->qs1.fw.version), sizeof(fake->shm->fw.version));
	KUNIT_EXPECT_EQ(test, strncmp(fake->qs1.fw.version, "1.0??[2J?", 9), 0);
	for (i = 0; fake->qs1.fw.version[i]; i++)
		KUNIT_EXPECT_TRUE(test, isprint(fake->qs1.fw.version[i]));
}

static void handshake_gives_up_the_dead(struct kunit *test)
{
	struct fake *fake = fake_inverter(test);

	set_bit(QS1_FLAG_CRASHED, &fake->qs1.flags);
	KUNIT_EXPECT_EQ(test, qs1_handshake(&fake->qs1), -EIO);
}

struct flipper {
	struct hrtimer timer;
	struct fake *fake;
	u32 flips;
};

/* Sound and broken in turn, also between two reads of the same word. */
static enum hrtimer_restart handshake_flip(struct hrtimer *timer)
{
	struct flipper *flipper = container_of(timer, struct flipper, timer);
	bool sound = ++flipper->flips & 1;

	WRITE_ONCE(flipper->fake->shm->fw.wave_log2, sound ? FAKE_WAVE_LOG2 : 0xffffffff);
	WRITE_ONCE(flipper->fake->shm->fw.control_hz, sound ? QS1_CONTROL_HZ : 0);
	hrtimer_forward_now(timer, HANDSHAKE_FLIP_NS);
	return HRTIMER_RESTART;
}

static void handshake_reads_each_word_once(struct kunit *test)
{
	struct fake *fake = fake_inverter(test);
	struct flipper flipper = { .fake = fake };
	int accepted = 0;

	hrtimer_init_on_stack(&flipper.timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	flipper.timer.function = handshake_flip;
	hrtimer_start(&flipper.timer, HANDSHAKE_FLIP_NS, HRTIMER_MODE_REL);
	while (READ_ONCE(flipper.flips) < HANDSHAKE_FLIPS) {
		handshake_set(fake, &handshake_cases[0]);
		accepted += !qs1_handshake(&fake->qs1);
		KUNIT_EXPECT_EQ(test, fake->qs1.fw.wave_log2, FAKE_WAVE_LOG2);
		KUNIT_EXPECT_EQ(test, fake->qs1.fw.control_hz, QS1_CONTROL_HZ);
	}
	hrtimer_cancel(&flipper.timer);
	destroy_hrtimer_on_stack(&flipper.timer);
	KUNIT_EXPECT_GT(test, accepted, 0);
}

static struct kunit_case handshake_test_cases[] = { KUNIT_CASE_PARAM(handshake_checks,
								     handshake_gen_params),
						    KUNIT_CASE(handshake_tames_the_version),
						    KUNIT_CASE(handshake_gives_up_the_dead),
						    KUNIT_CASE(handshake_reads_each_word_once),
						    {} };

static struct kunit_suite handshake_suite = {
	.name = "qs1-handshake",
	.test_cases = handshake_test_cases,
};

kunit_test_suite(handshake_suite);
