// SPDX-License-Identifier: GPL-2.0-only
/*
 * The clock's map: the error bound that clock.c derives, held against simulated
 * coprocessors whose true time is known.
 */
#include <kunit/test.h>
#include <linux/array_size.h>
#include <linux/limits.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/prandom.h>
#include <linux/time64.h>

#include "../clock.h"

#define CLOCK_HZ 20000
#define CLOCK_PERIOD_NS (NSEC_PER_SEC / CLOCK_HZ)
#define CLOCK_SEED 0x51533ull
#define CLOCK_EPOCH_NS 1700000000000000000ll
#define CLOCK_DOORBELLS 4000

/* Roundings: the nominal length and the mean each lose less than 1 ns, a step 2^-16 per period. */
#define CLOCK_ROUNDING_NS 4

/**
 * struct clock_case - one coprocessor and the way to it
 * @name: of the case
 * @ppm: by how much its periods are longer than nominal
 * @watermark: periods between two doorbells
 * @delay_ns: a doorbell comes by up to that late ...
 * @punctual: ... but each so many'th, which comes within 1 us
 */
struct clock_case {
	const char *name;
	int ppm;
	u32 watermark;
	u32 delay_ns;
	u32 punctual;
};

static const struct clock_case clock_cases[] = {
	{ "ideal", 0, 256, 0, 1 },
	{ "late by up to 100 us", 0, 256, 100000, 8 },
	{ "late by up to 5 ms, every tenth punctual", 0, 200, 5000000, 10 },
	{ "slow crystal", 100, 200, 2000000, 10 },
	{ "fast crystal", -100, 200, 2000000, 10 },
	{ "doorbell each millisecond", 50, 20, 3000000, 100 },
	{ "doorbell each 100 ms", -50, 2000, 10000000, 5 },
};

KUNIT_ARRAY_PARAM_DESC(clock, clock_cases, name);

/*
 * Each time stamp lies between the true time and d + (c + e) a after it, where a is the age of an
 * observation that was late by d, the best one counts, c is 1/1000 and e the crystals' difference.
 * Exactly: the line rises by (1 + c) times the nominal length since then.
 */
static s64 clock_bound(s64 late, s64 periods, s64 period_ps)
{
	return late + periods * CLOCK_PERIOD_NS * 1001 / 1000 - periods * period_ps / 1000;
}

static void clock_error_is_bounded(struct kunit *test)
{
	const struct clock_case *c = test->param_value;
	s64 period_ps = (s64)CLOCK_PERIOD_NS * (1000000 + c->ppm) / 1000;
	s64 best_late = 0, best_ticks = 0, last = S64_MIN, worst = 0, ticks = 0;
	u32 tick = 0xfffff000; /* wraps soon */
	struct qs1_clock clock;
	struct rnd_state rnd;
	int i;

	prandom_seed_state(&rnd, CLOCK_SEED);
	qs1_clock_reset(&clock, tick, CLOCK_EPOCH_NS, CLOCK_HZ);

	for (i = 1; i <= CLOCK_DOORBELLS; i++) {
		u32 delay_ns = i % c->punctual ? c->delay_ns : min(c->delay_ns, 1000u);
		u32 random = prandom_u32_state(&rnd);
		s64 late = delay_ns ? random % delay_ns : 0;
		s64 rounding = CLOCK_ROUNDING_NS * i;
		struct qs1_clock_segment segment;
		s64 error;
		u32 n;

		ticks += c->watermark;
		segment = qs1_clock_advance(&clock, tick + c->watermark,
					    CLOCK_EPOCH_NS + ticks * period_ps / 1000 + late);
		for (n = 1; n <= c->watermark; n++) {
			s64 true_ns = (ticks - c->watermark + n) * period_ps / 1000;
			s64 stamp = qs1_clock_ns(&segment, tick + n);

			error = stamp - CLOCK_EPOCH_NS - true_ns;
			KUNIT_ASSERT_GT_MSG(test, stamp, last, "doorbell %d", i);
			KUNIT_ASSERT_GE_MSG(test, error, -rounding, "doorbell %d", i);
			last = stamp;
			worst = max(worst, error);
		}
		tick += c->watermark;

		if (late <= clock_bound(best_late, ticks - best_ticks, period_ps)) {
			best_late = late;
			best_ticks = ticks;
		}
		KUNIT_ASSERT_LE_MSG(test, error,
				    clock_bound(best_late, ticks - best_ticks, period_ps) +
					    rounding,
				    "doorbell %d", i);
	}
	kunit_info(test, "%s: largest error %lld ns\n", c->name, worst);
}

/* A board that leaves real time: the map follows, and its time never goes back. */
static void clock_jump_is_followed(struct kunit *test)
{
	static const s64 jumps_ns[] = { 30 * NSEC_PER_MSEC, NSEC_PER_SEC, 3600ll * NSEC_PER_SEC };
	struct qs1_clock_segment segment;
	struct qs1_clock clock;
	s64 now = CLOCK_EPOCH_NS;
	u32 tick = 0;
	int i;

	qs1_clock_reset(&clock, tick, now, CLOCK_HZ);
	for (i = 0; i < ARRAY_SIZE(jumps_ns); i++) {
		now += jumps_ns[i];
		segment = qs1_clock_advance(&clock, tick + 100, now);
		KUNIT_EXPECT_GT(test, qs1_clock_ns(&segment, tick + 1), segment.ns);
		tick += 100;
		KUNIT_EXPECT_LE(test, abs(clock.ns - now), (s64)NSEC_PER_USEC);
	}
}

/* Whatever a firmware counts and whenever it rings: strictly monotonic, as the host's clock is. */
static void clock_is_monotonic_for_any_input(struct kunit *test)
{
	struct qs1_clock clock;
	struct rnd_state rnd;
	s64 now = 0;
	u32 tick = 0;
	int i;

	prandom_seed_state(&rnd, CLOCK_SEED);
	qs1_clock_reset(&clock, tick, now, CLOCK_HZ);
	for (i = 0; i < 100000; i++) {
		u32 periods = prandom_u32_state(&rnd) >> (1 + prandom_u32_state(&rnd) % 31);
		s64 before = clock.ns;
		struct qs1_clock_segment segment;

		now += (s64)prandom_u32_state(&rnd) << (prandom_u32_state(&rnd) % 8);
		/* A step back of less than is followed; what was given out may be ahead by that. */
		now = max(now, clock.ns) - prandom_u32_state(&rnd) % (20 * NSEC_PER_MSEC);
		periods = max(periods, 1u);
		segment = qs1_clock_advance(&clock, tick + periods, now);
		KUNIT_ASSERT_GT(test, qs1_clock_ns(&segment, tick + 1), before);
		KUNIT_ASSERT_GE(test, clock.ns, before + periods);
		tick += periods;
	}
}

/*
 * Somebody sets the clock back: from the next doorbell on stamps are of the new time, evenly
 * spaced.
 */
static void clock_set_back_is_followed(struct kunit *test)
{
	static const s64 steps_ns[] = { 30 * NSEC_PER_MSEC, NSEC_PER_SEC, 3600ll * NSEC_PER_SEC };
	const s64 doorbell_ns = 100 * CLOCK_PERIOD_NS;
	struct qs1_clock clock;
	s64 now = CLOCK_EPOCH_NS;
	u32 tick = 0;
	int i, n;

	qs1_clock_reset(&clock, tick, now, CLOCK_HZ);
	for (i = 0; i < ARRAY_SIZE(steps_ns); i++) {
		now -= steps_ns[i];
		for (n = 0; n < 10; n++, tick += 100) {
			struct qs1_clock_segment segment;

			now += doorbell_ns;
			segment = qs1_clock_advance(&clock, tick + 100, now);
			KUNIT_EXPECT_LE(test, abs(clock.ns - now), (s64)NSEC_PER_USEC);
			KUNIT_EXPECT_LE(test,
					abs(qs1_clock_ns(&segment, tick + 2) -
					    qs1_clock_ns(&segment, tick + 1) - CLOCK_PERIOD_NS),
					100ll);
		}
	}
}

/* With any count of a firmware at that moment the arithmetic stays in its bounds. */
static void clock_set_back_with_any_count(struct kunit *test)
{
	struct qs1_clock clock;
	struct rnd_state rnd;
	u32 tick = 0;
	int i;

	prandom_seed_state(&rnd, CLOCK_SEED);
	for (i = 0; i < 10000; i++) {
		u32 periods =
			max(prandom_u32_state(&rnd) >> (1 + prandom_u32_state(&rnd) % 31), 1u);
		s64 now = CLOCK_EPOCH_NS - ((s64)prandom_u32_state(&rnd) << 16);
		struct qs1_clock_segment segment;

		qs1_clock_reset(&clock, tick, CLOCK_EPOCH_NS, CLOCK_HZ);
		segment = qs1_clock_advance(&clock, tick + periods, now);
		KUNIT_ASSERT_LE(test, clock.ns, CLOCK_EPOCH_NS + (s64)periods);
		KUNIT_ASSERT_GT(test, qs1_clock_ns(&segment, tick + 1), segment.ns);
		tick += periods;
	}
}

static struct kunit_case clock_test_cases[] = { KUNIT_CASE_PARAM(clock_error_is_bounded,
								 clock_gen_params),
						KUNIT_CASE(clock_jump_is_followed),
						KUNIT_CASE(clock_is_monotonic_for_any_input),
						KUNIT_CASE(clock_set_back_is_followed),
						KUNIT_CASE(clock_set_back_with_any_count),
						{} };

static struct kunit_suite clock_suite = {
	.name = "qs1-clock",
	.test_cases = clock_test_cases,
};

kunit_test_suite(clock_suite);
