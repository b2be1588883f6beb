// SPDX-License-Identifier: GPL-2.0-only
/* The flicker meter against the performance test of IEC 61000-4-15, table 5: Pst of 1 each. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flicker.h"

#define OBSERVED_S 600
#define SETTLE_S 60

/* Rectangular changes of the voltage, @percent peak to peak of it, @a_minute of them. */
static double pst(double hz, double volts, double percent, double a_minute)
{
	static struct flicker f;
	double half_s = 60 / a_minute;

	flicker_init(&f, hz, volts);
	for (int n = 0; n < (SETTLE_S + OBSERVED_S) * FLICKER_HZ; n++) {
		double t = (double)n / FLICKER_HZ;
		int side = (int)floor(t / half_s) & 1;
		double level = 1 + percent / 200 * (side ? 1 : -1);

		if (n == SETTLE_S * FLICKER_HZ)
			flicker_start(&f);
		flicker_step(&f, level * volts * M_SQRT2 * sin(2 * M_PI * hz * t));
	}
	return flicker_pst(&f);
}

static void rectangular_changes_give_one(void **state)
{
	static const struct {
		double hz, volts, a_minute, percent;
	} rows[] = {
		{ 50, 230, 1, 2.715 },	{ 50, 230, 2, 2.191 },	 { 50, 230, 7, 1.450 },
		{ 50, 230, 39, 0.894 }, { 50, 230, 110, 0.722 }, { 50, 230, 1620, 0.407 },
		{ 60, 120, 1, 3.181 },	{ 60, 120, 2, 2.564 },	 { 60, 120, 7, 1.694 },
		{ 60, 120, 39, 1.040 }, { 60, 120, 110, 0.844 }, { 60, 120, 1620, 0.548 },
	};

	(void)state;
	for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
		double found = pst(rows[n].hz, rows[n].volts, rows[n].percent, rows[n].a_minute);

		print_message("# %g V, %g changes a minute of %g %%: Pst %.3f\n", rows[n].volts,
			      rows[n].a_minute, rows[n].percent, found);
		/* The standard allows 5 %. */
		assert_true(fabs(found - 1) < 0.05);
	}
}

static void a_steady_voltage_has_no_flicker(void **state)
{
	double found = pst(60, 120, 0, 60);

	(void)state;
	print_message("# steady: Pst %.4f\n", found);
	assert_true(found < 0.02);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rectangular_changes_give_one),
		cmocka_unit_test(a_steady_voltage_has_no_flicker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
