// SPDX-License-Identifier: GPL-2.0-only
/* Rules of alarms on generated sites with known faults. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <qs1/codes.h>

#include "../../userspace/plant/rng.h"
#include "notify.h"
#include "watch.h"

#define UNITS 6
#define SITES 400
#define NOW 1780340400
#define NOON_S (12 * 3600)
#define FINDINGS 64

static struct watch_unit units[UNITS];
static struct watch_setting settings[WATCH_RULE_COUNT];
static struct watch_finding findings[FINDINGS];

static struct watch_site quiet_site(void)
{
	for (int i = 0; i < UNITS; i++) {
		units[i] = (struct watch_unit){ .newest = { .serial = 806000000001 + (uint64_t)i,
							    .time_s = NOW - 60 } };
		report_clear(&units[i].newest);
		report_set(&units[i].newest, REPORT_POWER, 800);
		report_set(&units[i].newest, REPORT_TEMPERATURE, 45);
		units[i].newest.value[REPORT_FAULTS] = 0;
		for (int j = 0; j < WATCH_DAYS * REPORT_INPUTS; j++) {
			units[i].energy_wh[j / REPORT_INPUTS][j % REPORT_INPUTS] = NAN;
		}
	}
	watch_defaults(settings);
	return (struct watch_site){ .now_s = NOW,
				    .last_s = NOW - 60,
				    .contact_s = NOW - 60,
				    .local_s = NOON_S,
				    .unit = units,
				    .units = UNITS };
}

static size_t count(const struct watch_site *site, enum watch_rule rule)
{
	size_t n = watch_find(site, settings, true, findings, FINDINGS);
	size_t found = 0;

	for (size_t i = 0; i < n; i++) {
		found += findings[i].rule == rule;
	}
	return found;
}

static void a_healthy_site_has_no_findings(void **state)
{
	struct watch_site site = quiet_site();

	(void)state;
	assert_int_equal(watch_find(&site, settings, true, findings, FINDINGS), 0);
}

static void each_rule_finds_its_condition(void **state)
{
	struct watch_site site = quiet_site();

	(void)state;
	units[2].newest.value[REPORT_FAULTS] = QS1_FAULT_BIT(QS1_FAULT_GFDI);
	assert_int_equal(count(&site, WATCH_GROUND_FAULT), 1);
	assert_int_equal(count(&site, WATCH_FAULT), 0);
	units[2].newest.value[REPORT_FAULTS] = QS1_FAULT_BIT(QS1_FAULT_RELAY);
	assert_int_equal(count(&site, WATCH_FAULT), 1);
	/* a fault of the grid is the grid's */
	units[2].newest.value[REPORT_FAULTS] = QS1_FAULT_BIT(QS1_FAULT_OV1);
	assert_int_equal(count(&site, WATCH_FAULT), 0);
	units[1].newest.time_s = NOW - 3 * 3600;
	assert_int_equal(count(&site, WATCH_UNIT_SILENT), 1);
	report_set(&units[0].newest, REPORT_TEMPERATURE, 76);
	assert_int_equal(count(&site, WATCH_HOT), 1);
	units[3].energy_falls = true;
	assert_int_equal(count(&site, WATCH_ENERGY_FALLS), 1);
	site.trips = 3;
	assert_int_equal(count(&site, WATCH_GRID_TRIPS), 1);
	site.clock_offset_s = -121;
	assert_int_equal(count(&site, WATCH_CLOCK), 1);
	site.conflicts = 1;
	assert_int_equal(count(&site, WATCH_CONFLICT), 1);
}

static void a_site_may_be_silent_at_night_but_not_for_ever(void **state)
{
	struct watch_site site = quiet_site();

	(void)state;
	site.contact_s = site.last_s = NOW - 2 * 3600;
	assert_int_equal(count(&site, WATCH_NO_DATA), 1);
	site.local_s = 0;
	assert_int_equal(count(&site, WATCH_NO_DATA), 0);
	site.contact_s = site.last_s = NOW - 27 * 3600;
	assert_int_equal(count(&site, WATCH_NO_DATA), 1);
	/* never heard of: not installed so far */
	site.contact_s = site.last_s = 0;
	assert_int_equal(count(&site, WATCH_NO_DATA), 0);
}

/*
 * Days of a generated site. Modules differ by 2 % for good and by 2 % each day (soiling, mismatch,
 * what clouds do to one and not to another); weather takes up to 90 % of a day, and there are days
 * without sun. @fault: part of the energy that one module loses from day @since back to today.
 */
static void generate(uint64_t seed, double fault, int since)
{
	struct rng rng;
	double gain[UNITS][REPORT_INPUTS];

	rng_seed(&rng, seed);
	for (int i = 0; i < UNITS * REPORT_INPUTS; i++) {
		gain[i / REPORT_INPUTS][i % REPORT_INPUTS] = 1 + 0.02 * rng_normal(&rng);
	}
	for (int day = 0; day < WATCH_DAYS; day++) {
		double weather = 1700 * rng_uniform(&rng, 0.02, 1);

		for (int i = 0; i < UNITS * REPORT_INPUTS; i++) {
			int unit = i / REPORT_INPUTS;
			int input = i % REPORT_INPUTS;
			double energy = weather * gain[unit][input] * (1 + 0.02 * rng_normal(&rng));

			if (unit == 4 && input == 2 && day < since) {
				energy *= 1 - fault;
			}
			units[unit].energy_wh[day][input] = (float)energy;
		}
	}
}

static bool is_found(const struct watch_site *site, size_t *false_alarms)
{
	size_t n = watch_find(site, settings, true, findings, FINDINGS);
	bool found = false;

	for (size_t i = 0; i < n; i++) {
		bool right = findings[i].rule == WATCH_MODULE_LOW &&
			     findings[i].serial == units[4].newest.serial && findings[i].input == 3;

		found |= right;
		*false_alarms += !right;
	}
	return found;
}

static void modules_with_faults_are_found_and_others_are_not(void **state)
{
	/* share of the energy lost; whether it must be found, must not, or may (0) */
	static const struct {
		double fault;
		int must;
		const char *words;
	} cases[] = {
		{ 1.0, 1, "disconnected" }, { 0.33, 1, "one of three bypass diodes conducts" },
		{ 0.25, 1, "shade" },	    { 0.05, -1, "dirt" },
		{ 0, -1, "healthy" },
	};
	size_t false_alarms = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct watch_site site = quiet_site();
		size_t found = 0;

		for (uint64_t seed = 1; seed <= SITES; seed++) {
			generate(seed, cases[i].fault, 6);
			found += is_found(&site, &false_alarms);
		}
		fprintf(stderr, "%s, %.0f %% less: found in %zu of %d sites\n", cases[i].words,
			100 * cases[i].fault, found, SITES);
		if (cases[i].must > 0) {
			assert_true(found >= SITES * 99 / 100);
		} else {
			assert_true(found == 0);
		}
	}
	fprintf(stderr, "false alarms: %zu in %zu module-days\n", false_alarms,
		5 * (size_t)SITES * UNITS * REPORT_INPUTS);
	assert_true(false_alarms == 0);
}

static void a_module_that_was_always_bad_is_found_and_stays_found(void **state)
{
	struct watch_site site = quiet_site();
	size_t false_alarms = 0;

	(void)state;
	generate(7, 0.25, WATCH_DAYS);
	assert_true(is_found(&site, &false_alarms));
	/* an open alarm ends at half the threshold */
	generate(7, 0.13, 6);
	assert_false(is_found(&site, &false_alarms));
	units[4].low = 1 << 2;
	assert_true(is_found(&site, &false_alarms));
}

static void two_days_of_shade_are_not_three(void **state)
{
	struct watch_site site = quiet_site();
	size_t false_alarms = 0;

	(void)state;
	generate(3, 0.5, 1);
	assert_false(is_found(&site, &false_alarms));
}

static void alarms_begin_after_their_delay_and_end_once(void **state)
{
	struct watch_finding finding = { .rule = WATCH_HOT, .serial = 5 };
	struct watch_open open = { .id = 1, .rule = WATCH_HOT, .serial = 5, .since_s = NOW };
	struct watch_action action[2];

	(void)state;
	watch_defaults(settings);
	assert_int_equal(watch_diff(&finding, 1, NULL, 0, settings, NOW, action), 1);
	assert_int_equal(action[0].kind, WATCH_PEND);
	assert_int_equal(watch_diff(&finding, 1, &open, 1, settings, NOW + 899, action), 0);
	assert_int_equal(watch_diff(&finding, 1, &open, 1, settings, NOW + 900, action), 1);
	assert_int_equal(action[0].kind, WATCH_BEGIN);
	assert_int_equal(watch_diff(NULL, 0, &open, 1, settings, NOW + 10, action), 1);
	assert_int_equal(action[0].kind, WATCH_FORGET);
	open.begun = true;
	assert_int_equal(watch_diff(&finding, 1, &open, 1, settings, NOW + 9999, action), 0);
	assert_int_equal(watch_diff(NULL, 0, &open, 1, settings, NOW + 9999, action), 1);
	assert_int_equal(action[0].kind, WATCH_END);
}

static void quiet_hours_may_cross_midnight(void **state)
{
	(void)state;
	assert_false(watch_quiet(-1, -1, 0));
	assert_true(watch_quiet(22 * 60, 7 * 60, 23 * 60));
	assert_true(watch_quiet(22 * 60, 7 * 60, 0));
	assert_false(watch_quiet(22 * 60, 7 * 60, 7 * 60));
	assert_true(watch_quiet(60, 120, 60));
	assert_false(watch_quiet(60, 120, 120));
}

static void a_rule_that_is_off_finds_nothing(void **state)
{
	struct watch_site site = quiet_site();

	(void)state;
	site.conflicts = 1;
	settings[WATCH_CONFLICT].enabled = false;
	assert_int_equal(count(&site, WATCH_CONFLICT), 0);
}

static void addresses_and_webhooks_are_checked(void **state)
{
	(void)state;
	assert_true(notify_address_valid("a.b@example.org"));
	assert_false(notify_address_valid("a b@example.org"));
	assert_false(notify_address_valid("a@b@c"));
	assert_false(notify_address_valid("a@b\r\nBcc: c@d"));
	assert_true(notify_webhook_valid("https://example.org/x", false));
	assert_false(notify_webhook_valid("http://example.org/x", false));
	assert_true(notify_webhook_valid("http://example.org/x", true));
	assert_false(notify_webhook_valid("file:///etc/passwd", true));
	assert_int_equal(notify_retry_ms(0), 60000);
	assert_int_equal(notify_retry_ms(100), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_healthy_site_has_no_findings),
		cmocka_unit_test(each_rule_finds_its_condition),
		cmocka_unit_test(a_site_may_be_silent_at_night_but_not_for_ever),
		cmocka_unit_test(modules_with_faults_are_found_and_others_are_not),
		cmocka_unit_test(a_module_that_was_always_bad_is_found_and_stays_found),
		cmocka_unit_test(two_days_of_shade_are_not_three),
		cmocka_unit_test(alarms_begin_after_their_delay_and_end_once),
		cmocka_unit_test(quiet_hours_may_cross_midnight),
		cmocka_unit_test(a_rule_that_is_off_finds_nothing),
		cmocka_unit_test(addresses_and_webhooks_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
