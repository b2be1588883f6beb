// SPDX-License-Identifier: GPL-2.0-or-later
/* The services' clock. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "service_clock.h"

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void is_the_systems_clock_by_default(void **state)
{
	uint64_t before = now_us();

	(void)state;
	unsetenv("QS1_CLOCK");
	assert_int_equal(clock_setup(), 0);
	assert_true(clock_monotonic_us() >= before && clock_monotonic_us() <= now_us());
	assert_true(llabs(clock_wall_ms() - (int64_t)time(NULL) * 1000) < 5000);
	assert_int_equal(clock_system_us(before), before);
	assert_true(clock_rate() == 1);
}

static void wrong_settings_are_refused(void **state)
{
	static const char *const wrong[] = { "",	"1",	     "1 2",	"0 1 2",
					     "nan 1 2", "20000 1 2", "1 2 3 4", "1 2 3x" };

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		setenv("QS1_CLOCK", wrong[i], 1);
		assert_int_equal(clock_setup(), -EINVAL);
	}
}

/* The last test: the clock stays simulated. */
static void runs_at_the_sites_rate_from_the_sites_start(void **state)
{
	char text[80];
	uint64_t start = now_us() - 1000000;
	uint64_t real, site;

	(void)state;
	snprintf(text, sizeof(text), "60 %llu 1000000000000000", (unsigned long long)start);
	setenv("QS1_CLOCK", text, 1);
	assert_int_equal(clock_setup(), 0);
	real = now_us();
	site = clock_monotonic_us();
	assert_true(site - start >= 60 * (real - start));
	assert_true(site - start <= 60 * (now_us() - start));
	assert_true(clock_wall_ms() >= 1000000000000LL + 60000);
	/* A timer at a time of the site is due at its instant, and never before. */
	assert_in_range(clock_system_us(start + 120000000), start + 2000000, start + 2000001);
	assert_true(clock_system_us(0) <= real);
	assert_true(clock_system_us(UINT64_MAX) == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_the_systems_clock_by_default),
		cmocka_unit_test(wrong_settings_are_refused),
		cmocka_unit_test(runs_at_the_sites_rate_from_the_sites_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
