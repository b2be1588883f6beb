/* SPDX-License-Identifier: GPL-2.0-only */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "fixed.h"

static void sine_is_within_8e_5_over_the_whole_turn(void **state)
{
	double worst = 0;

	(void)state;
	for (uint64_t p = 0; p < 1ull << 32; p += 65521) {
		double error = qs1_sin((uint32_t)p) / 1073741824.0 -
			       sin(2 * M_PI * (double)p / 4294967296.0);

		worst = fmax(worst, fabs(error));
	}
	print_message("largest error of the sine: %.3g\n", worst);
	assert_true(worst < 8e-5);
}

static void sine_is_exact_at_the_quarters(void **state)
{
	(void)state;
	assert_int_equal(qs1_sin(0), 0);
	assert_int_equal(qs1_sin(0x40000000u), 1 << 30);
	assert_int_equal(qs1_sin(0x80000000u), 0);
	assert_int_equal(qs1_sin(0xc0000000u), -(1 << 30));
	assert_int_equal(qs1_cos(0), 1 << 30);
}

static void isqrt32_rounds_down_around_every_square(void **state)
{
	(void)state;
	for (uint32_t r = 1; r <= 0xffff; r++) {
		assert_int_equal(qs1_isqrt32(r * r), r);
		assert_int_equal(qs1_isqrt32(r * r - 1), r - 1);
	}
	assert_int_equal(qs1_isqrt32(0), 0);
	assert_int_equal(qs1_isqrt32(0xffffffffu), 0xffff);
}

static void isqrt64_rounds_down(void **state)
{
	static const uint64_t roots[] = { 1, 2, 3, 65535, 65536, 3037000499ull, 4294967295ull };

	(void)state;
	for (size_t k = 0; k < sizeof(roots) / sizeof(roots[0]); k++) {
		assert_int_equal(qs1_isqrt64(roots[k] * roots[k]), roots[k]);
		assert_int_equal(qs1_isqrt64(roots[k] * roots[k] - 1), roots[k] - 1);
	}
	assert_int_equal(qs1_isqrt64(0), 0);
	assert_int_equal(qs1_isqrt64(UINT64_MAX), UINT32_MAX);
}

static void multiply_and_shift_rounds_towards_minus_infinity(void **state)
{
	(void)state;
	assert_int_equal(qs1_mulsh(3, 1, 1), 1);
	assert_int_equal(qs1_mulsh(-3, 1, 1), -2);
	assert_int_equal(qs1_mulq30(QS1_Q30(0.5), 1000), 500);
	assert_int_equal(qs1_mulq30(QS1_Q30(-0.5), 1000), -500);
	assert_int_equal(qs1_mulsh(INT32_MIN, INT32_MAX, 31), -INT32_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sine_is_within_8e_5_over_the_whole_turn),
		cmocka_unit_test(sine_is_exact_at_the_quarters),
		cmocka_unit_test(isqrt32_rounds_down_around_every_square),
		cmocka_unit_test(isqrt64_rounds_down),
		cmocka_unit_test(multiply_and_shift_rounds_towards_minus_infinity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
