// SPDX-License-Identifier: GPL-2.0-only
/*
 * Decimal numbers of the attributes: nothing is rounded, nothing overflows, and
 * what was written reads back as it was.
 */
#include <kunit/test.h>
#include <linux/array_size.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/prandom.h>

#include "../decimal.h"

#define DECIMAL_UNTOUCHED 0x5a5a5a5a
#define DECIMAL_SEED 0x51532ull
#define DECIMAL_RANDOM_CASES 20000

struct decimal_case {
	const char *text;
	unsigned int decimals;
	int ret;
	s32 value;
};

static const struct decimal_case decimal_cases[] = {
	{ "0", 3, 0, 0 },
	{ "-0", 3, 0, 0 },
	{ "1", 3, 0, 1000 },
	{ "+1.5", 3, 0, 1500 },
	{ "-1.5\n", 3, 0, -1500 },
	{ ".5", 1, 0, 5 },
	{ "5.", 1, 0, 50 },
	{ "0.001", 3, 0, 1 },
	{ "1.2340000", 3, 0, 1234 },
	{ "1.2345", 3, -EINVAL },
	{ "1.0001", 3, -EINVAL },
	{ "000000000000012", 0, 0, 12 },
	{ "2147483647", 0, 0, S32_MAX },
	{ "2147483648", 0, -ERANGE },
	{ "-2147483648", 0, 0, S32_MIN },
	{ "-2147483649", 0, -ERANGE },
	{ "2147483.647", 3, 0, S32_MAX },
	{ "2147483.648", 3, -ERANGE },
	{ "-2147483.648", 3, 0, S32_MIN },
	{ "2147484", 3, -ERANGE },
	{ "99999999999999999999999999", 0, -ERANGE },
	{ "0.00000000000000000000000000", 3, 0, 0 },
	{ "", 3, -EINVAL },
	{ "\n", 3, -EINVAL },
	{ ".", 3, -EINVAL },
	{ "-", 3, -EINVAL },
	{ "--1", 3, -EINVAL },
	{ "1.2.3", 3, -EINVAL },
	{ "1e3", 3, -EINVAL },
	{ "0x10", 3, -EINVAL },
	{ "1 ", 3, -EINVAL },
	{ " 1", 3, -EINVAL },
	{ "1\n\n", 3, -EINVAL },
	{ "1,5", 3, -EINVAL },
	{ "nan", 3, -EINVAL },
};

static void decimal_desc(const struct decimal_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "'%s' with %u decimals", c->text, c->decimals);
	strreplace(desc, '\n', '$');
}

KUNIT_ARRAY_PARAM(decimal, decimal_cases, decimal_desc);

static void decimal_parse(struct kunit *test)
{
	const struct decimal_case *c = test->param_value;
	s32 value = DECIMAL_UNTOUCHED;

	KUNIT_EXPECT_EQ(test, qs1_decimal_parse(c->text, c->decimals, &value), c->ret);
	KUNIT_EXPECT_EQ(test, value, c->ret ? DECIMAL_UNTOUCHED : c->value);
}

static void decimal_round_trip(struct kunit *test)
{
	static const s32 borders[] = { S32_MIN, S32_MIN + 1, -1, 0, 1, S32_MAX };
	char text[QS1_DECIMAL_SIZE];
	struct rnd_state rnd;
	int i;

	prandom_seed_state(&rnd, DECIMAL_SEED);
	for (i = 0; i < DECIMAL_RANDOM_CASES; i++) {
		unsigned int decimals = i % (QS1_DECIMAL_MAX_DECIMALS + 1);
		u32 random = prandom_u32_state(&rnd);
		s32 want = i < 60 ? borders[i / 10] : (s32)random >> (i % 31);
		s32 value = DECIMAL_UNTOUCHED;

		qs1_decimal_format(text, want, decimals);
		KUNIT_ASSERT_LT(test, strlen(text), QS1_DECIMAL_SIZE);
		KUNIT_ASSERT_EQ_MSG(test, qs1_decimal_parse(text, decimals, &value), 0, "%s", text);
		KUNIT_ASSERT_EQ_MSG(test, value, want, "%s", text);
	}
}

static void decimal_format(struct kunit *test)
{
	char text[QS1_DECIMAL_SIZE];

	KUNIT_EXPECT_STREQ(test, qs1_decimal_format(text, -5, 3), "-0.005");
	KUNIT_EXPECT_STREQ(test, qs1_decimal_format(text, 120000, 3), "120.000");
	KUNIT_EXPECT_STREQ(test, qs1_decimal_format(text, -7, 0), "-7");
	KUNIT_EXPECT_STREQ(test, qs1_decimal_format(text, S32_MIN, 3), "-2147483.648");
}

static struct kunit_case decimal_test_cases[] = { KUNIT_CASE_PARAM(decimal_parse,
								   decimal_gen_params),
						  KUNIT_CASE(decimal_round_trip),
						  KUNIT_CASE(decimal_format),
						  {} };

static struct kunit_suite decimal_suite = {
	.name = "qs1-decimal",
	.test_cases = decimal_test_cases,
};

kunit_test_suite(decimal_suite);
