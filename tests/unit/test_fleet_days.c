// SPDX-License-Identifier: GPL-2.0-only
/* Days: what a report costs in the long-term store, and that nothing of it is lost. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../userspace/fleet/roof.h"
#include "days.h"

#define SERIAL 806000000001
#define ZONE_MIN (-420)
/* 2026-06-01 00:00 local time. */
#define MIDNIGHT_S 1780297200
#define REPORTS_MAX 1500
#define BYTES_PER_REPORT_MAX 20.0

struct day {
	struct report report[REPORTS_MAX];
	size_t n;
	uint8_t *bytes;
	size_t bytes_n;
};

/* The reports of one inverter between dawn and dusk, one each @step_s. */
static void generate(struct day *day, const char *path, int step_s, uint64_t seed)
{
	struct roof_unit unit;
	struct sky sky;
	char err[200];

	assert_int_equal(sky_load(&sky, path, 6 * 3600, err, sizeof(err)), 0);
	roof_unit_init(&unit, SERIAL, seed);
	day->n = 0;
	for (int64_t t = MIDNIGHT_S; t < MIDNIGHT_S + 86400; t += step_s) {
		struct report *report = &day->report[day->n];

		roof_report(&unit, &sky, t, ZONE_MIN, report);
		if (report->value[REPORT_POWER] > 0) {
			assert_true(++day->n < REPORTS_MAX);
		}
	}
	sky_free(&sky);
	assert_int_equal(day_pack(day->report, day->n, &day->bytes, &day->bytes_n), 0);
}

static void a_report_of_a_measured_day_costs_at_most_20_bytes(void **state)
{
	static const char *const path[] = { "tests/data/day-alamosa-2016-01-01.csv",
					    "tests/data/day-clouds.csv" };
	static const int step_s[] = { 300, 60 };
	struct day *day = calloc(1, sizeof(*day));

	(void)state;
	assert_non_null(day);
	for (size_t i = 0; i < 4; i++) {
		double sum = 0;
		size_t reports = 0;

		for (uint64_t seed = 1; seed <= 10; seed++) {
			generate(day, path[i % 2], step_s[i / 2], seed);
			sum += (double)day->bytes_n;
			reports += day->n;
			free(day->bytes);
		}
		fprintf(stderr, "%s, each %d s: %.1f bytes a report, %zu reports a day\n",
			path[i % 2], step_s[i / 2], sum / (double)reports, reports / 10);
		assert_true(sum / (double)reports <= BYTES_PER_REPORT_MAX);
	}
	free(day);
}

static void a_day_comes_back_to_the_bit(void **state)
{
	struct day *day = calloc(1, sizeof(*day));
	struct report *back;
	size_t n;

	(void)state;
	assert_non_null(day);
	generate(day, "tests/data/day-clouds.csv", 60, 3);
	for (size_t i = 0; i < day->n; i += 7) {
		day->report[i].value[i % REPORT_FIELD_COUNT] = REPORT_ABSENT;
	}
	day->report[3].value[REPORT_E1] = 1000000000000000000;
	day->report[4].value[REPORT_E1] = -1000000000000000000;
	free(day->bytes);
	assert_int_equal(day_pack(day->report, day->n, &day->bytes, &day->bytes_n), 0);
	assert_int_equal(day_unpack(day->bytes, day->bytes_n, &back, &n), 0);
	assert_int_equal(n, day->n);
	assert_memory_equal(back, day->report, n * sizeof(*back));
	free(back);
	free(day->bytes);
	free(day);
}

static void days_without_reports_and_with_one(void **state)
{
	struct report report = { .serial = SERIAL, .time_s = MIDNIGHT_S };

	(void)state;
	report_clear(&report);
	for (size_t count = 0; count <= 1; count++) {
		struct report *back;
		uint8_t *bytes;
		size_t n, back_n;

		assert_int_equal(day_pack(&report, count, &bytes, &n), 0);
		assert_int_equal(day_unpack(bytes, n, &back, &back_n), 0);
		assert_int_equal(back_n, count);
		free(back);
		free(bytes);
	}
}

static void a_mix_of_inverters_or_a_wrong_order_is_refused(void **state)
{
	struct report two[2] = { { .serial = SERIAL, .time_s = 2 },
				 { .serial = SERIAL + 1, .time_s = 3 } };
	uint8_t *bytes = NULL;
	size_t n = 0;

	(void)state;
	assert_int_equal(day_pack(two, 2, &bytes, &n), -EINVAL);
	two[1] = (struct report){ .serial = SERIAL, .time_s = 1 };
	assert_int_equal(day_pack(two, 2, &bytes, &n), -EINVAL);
	assert_int_equal(day_pack(two, DAY_REPORTS_MAX + 1, &bytes, &n), -EINVAL);
	assert_null(bytes);
}

static void a_damaged_day_is_refused_or_has_other_reports(void **state)
{
	struct day *day = calloc(1, sizeof(*day));

	(void)state;
	assert_non_null(day);
	generate(day, "tests/data/day-alamosa-2016-01-01.csv", 3600, 1);
	for (size_t i = 0; i < day->bytes_n; i++) {
		struct report *back = NULL;
		size_t n;

		assert_int_equal(day_unpack(day->bytes, i, &back, &n), -EBADMSG);
		assert_null(back);
		day->bytes[i] ^= 0x40;
		if (day_unpack(day->bytes, day->bytes_n, &back, &n) == 0) {
			free(back);
		}
		day->bytes[i] ^= 0x40;
	}
	free(day->bytes);
	free(day);
}

static void a_day_begins_at_local_midnight(void **state)
{
	(void)state;
	assert_int_equal(day_of(MIDNIGHT_S, ZONE_MIN) - day_of(MIDNIGHT_S - 1, ZONE_MIN), 1);
	assert_int_equal(day_of(0, 0), 0);
	assert_int_equal(day_of(0, -1), -1);
	assert_int_equal(day_of(86399, 1), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_report_of_a_measured_day_costs_at_most_20_bytes),
		cmocka_unit_test(a_day_comes_back_to_the_bit),
		cmocka_unit_test(days_without_reports_and_with_one),
		cmocka_unit_test(a_mix_of_inverters_or_a_wrong_order_is_refused),
		cmocka_unit_test(a_damaged_day_is_refused_or_has_other_reports),
		cmocka_unit_test(a_day_begins_at_local_midnight),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
