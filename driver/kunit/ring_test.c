// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ring's arithmetic: what a reader may take for any index that a firmware,
 * sound or not, can write.
 */
#include <kunit/test.h>
#include <linux/array_size.h>
#include <linux/prandom.h>

#include "../ring.h"

#define RING_SEED 0x51531ull
#define RING_RANDOM_CASES 100000

struct ring_case {
	const char *name;
	u32 tail;
	u32 head;
	u32 size;
	struct qs1_ring_window want;
};

static const struct ring_case ring_cases[] = {
	{ "empty", 7, 7, 16, { .first = 7 } },
	{ "empty at the wrap", 0, 0, 16, { .first = 0 } },
	{ "one", 7, 8, 16, { .first = 7, .count = 1 } },
	{ "as full as may be", 0, 15, 16, { .first = 0, .count = 15 } },
	{ "the oldest is being overwritten", 0, 16, 16, { .first = 1, .count = 15, .lost = 1 } },
	{ "overtaken", 100, 1000, 16, { .first = 985, .count = 15, .lost = 885 } },
	{ "across the wrap", 0xfffffffe, 3, 16, { .first = 0xfffffffe, .count = 5 } },
	{ "overtaken across the wrap",
	  0xfffffff0,
	  0x10,
	  16,
	  { .first = 1, .count = 15, .lost = 17 } },
	{ "as far ahead as is believed",
	  0,
	  S32_MAX,
	  8192,
	  { .first = S32_MAX - 8191, .count = 8191, .lost = S32_MAX - 8191 } },
	{ "farther than is believed",
	  0,
	  0x80000000,
	  8192,
	  { .first = 0x80000000, .broken = true } },
	{ "one back", 8, 7, 16, { .first = 7, .broken = true } },
	{ "back to zero", 1000, 0, 16, { .first = 0, .broken = true } },
	{ "all ones", 5, 0xffffffff, 16, { .first = 0xffffffff, .broken = true } },
};

KUNIT_ARRAY_PARAM_DESC(ring, ring_cases, name);

static void ring_window(struct kunit *test)
{
	const struct ring_case *c = test->param_value;
	struct qs1_ring_window w = qs1_ring_window(c->tail, c->head, c->size);

	KUNIT_EXPECT_EQ(test, w.first, c->want.first);
	KUNIT_EXPECT_EQ(test, w.count, c->want.count);
	KUNIT_EXPECT_EQ(test, w.lost, c->want.lost);
	KUNIT_EXPECT_EQ(test, w.broken, c->want.broken);
}

/* Whatever the firmware claims: below the ring's size, in front of the head, all accounted for. */
static void ring_window_of_any_index(struct kunit *test)
{
	struct rnd_state rnd;
	int i;

	prandom_seed_state(&rnd, RING_SEED);
	for (i = 0; i < RING_RANDOM_CASES; i++) {
		u32 size = 1u << (4 + prandom_u32_state(&rnd) % 10);
		u32 tail = prandom_u32_state(&rnd);
		/* Half of them near the tail, where the borders are. */
		u32 head = i & 1 ? prandom_u32_state(&rnd)
				 : tail + prandom_u32_state(&rnd) % (4 * size) - size;
		struct qs1_ring_window w = qs1_ring_window(tail, head, size);

		KUNIT_ASSERT_LT_MSG(test, w.count, size, "tail %u head %u", tail, head);
		KUNIT_ASSERT_EQ_MSG(test, w.first + w.count, head, "tail %u head %u", tail, head);
		if (!w.broken)
			KUNIT_ASSERT_EQ_MSG(test, tail + w.lost, w.first, "tail %u head %u", tail,
					    head);
		KUNIT_ASSERT_EQ_MSG(test, w.broken, (s32)(head - tail) < 0, "tail %u head %u", tail,
				    head);
	}
}

/* A chunk never leaves the memory of the ring and makes progress. */
static void ring_chunk_stays_inside(struct kunit *test)
{
	struct rnd_state rnd;
	int i;

	prandom_seed_state(&rnd, RING_SEED);
	for (i = 0; i < RING_RANDOM_CASES; i++) {
		u32 size = 1u << (4 + prandom_u32_state(&rnd) % 10);
		u32 first = prandom_u32_state(&rnd);
		u32 count = 1 + prandom_u32_state(&rnd) % (size - 1);
		u32 chunk = qs1_ring_chunk(first, count, size);

		KUNIT_ASSERT_GE(test, chunk, 1u);
		KUNIT_ASSERT_LE(test, chunk, count);
		KUNIT_ASSERT_LE(test, (first & (size - 1)) + chunk, size);
	}
}

static void ring_overtaken(struct kunit *test)
{
	/* While copying 4 entries from 100 on, the writer came to ... */
	KUNIT_EXPECT_EQ(test, qs1_ring_overtaken(100, 4, 104, 16), 0u);
	KUNIT_EXPECT_EQ(test, qs1_ring_overtaken(100, 4, 115, 16), 0u);
	KUNIT_EXPECT_EQ(test, qs1_ring_overtaken(100, 4, 116, 16), 1u);
	KUNIT_EXPECT_EQ(test, qs1_ring_overtaken(100, 4, 119, 16), 4u);
	KUNIT_EXPECT_EQ(test, qs1_ring_overtaken(100, 4, 1000000, 16), 4u);
	/* A head that went back makes nothing of the copy certain. */
	KUNIT_EXPECT_EQ(test, qs1_ring_overtaken(100, 4, 99, 16), 4u);
	KUNIT_EXPECT_EQ(test, qs1_ring_overtaken(0xfffffffe, 4, 2, 16), 0u);
	KUNIT_EXPECT_EQ(test, qs1_ring_overtaken(0xfffffffe, 4, 15, 16), 2u);
}

static struct kunit_case ring_test_cases[] = { KUNIT_CASE_PARAM(ring_window, ring_gen_params),
					       KUNIT_CASE(ring_window_of_any_index),
					       KUNIT_CASE(ring_chunk_stays_inside),
					       KUNIT_CASE(ring_overtaken),
					       {} };

static struct kunit_suite ring_suite = {
	.name = "qs1-ring",
	.test_cases = ring_test_cases,
};

kunit_test_suite(ring_suite);

MODULE_DESCRIPTION("qs1 microinverter: KUnit tests");
MODULE_LICENSE("GPL");
