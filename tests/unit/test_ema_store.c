// SPDX-License-Identifier: GPL-2.0-or-later
/* Clocks of ECUs, roll-ups of a day, and shards of sites. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "auth.h"
#include "ingest.h"
#include "rollup.h"
#include "store.h"

#define NOW_MS INT64_C(1780340400000)
#define HOUR_MS 3600000
#define MIDNIGHT_S 1780297200

static struct batch_head head_at(int64_t wall_ms, uint64_t monotonic_ms)
{
	return (struct batch_head){ .boot = 7,
				    .wall_ms = wall_ms,
				    .monotonic_ms = monotonic_ms,
				    .flags = BATCH_CLOCK_SYNCHRONIZED };
}

static void a_right_clock_moves_nothing_however_old_the_batch_is(void **state)
{
	const struct store_clocks clocks = { true, NOW_MS, 100 * HOUR_MS, 7 };
	struct batch_head head = head_at(NOW_MS - 72 * HOUR_MS, 28 * HOUR_MS);

	(void)state;
	assert_int_equal(store_shift(&head, &clocks, NOW_MS), 0);
	/* of an earlier boot */
	head.boot = 8;
	assert_int_equal(store_shift(&head, &clocks, NOW_MS), 0);
	/* a small difference is none */
	head = head_at(NOW_MS - 100000, 100 * HOUR_MS);
	assert_int_equal(store_shift(&head, &clocks, NOW_MS), 0);
}

static void a_wrong_clock_is_corrected_by_the_monotonic_one(void **state)
{
	/* the wall clock is in 1970 until NTP sets it, a minute before the request */
	const struct store_clocks clocks = { true, NOW_MS, 100 * HOUR_MS, 7 };
	struct batch_head head = head_at(5000, 98 * HOUR_MS);

	(void)state;
	assert_int_equal(store_shift(&head, &clocks, NOW_MS), (NOW_MS - 2 * HOUR_MS - 5000) / 1000);
	/* two hours ahead */
	head = head_at(NOW_MS + 2 * HOUR_MS, 100 * HOUR_MS);
	assert_int_equal(store_shift(&head, &clocks, NOW_MS), -7200);
}

static void a_batch_from_an_earlier_boot_without_a_set_clock_counts_from_its_arrival(void **state)
{
	const struct store_clocks clocks = { true, NOW_MS, HOUR_MS, 9 };
	struct batch_head head = head_at(5000, 98 * HOUR_MS);

	(void)state;
	head.flags = 0;
	assert_int_equal(store_shift(&head, &clocks, NOW_MS), (NOW_MS - 5000) / 1000);
	head = head_at(NOW_MS + HOUR_MS, 1);
	assert_int_equal(store_shift(&head, &clocks, NOW_MS), -3600);
	/* without the headers too */
	assert_int_equal(store_shift(&head, &(struct store_clocks){ 0 }, NOW_MS), -3600);
}

static struct report report_at(int64_t second, int64_t energy)
{
	struct report report = { .serial = 1, .time_s = MIDNIGHT_S + second };

	report_clear(&report);
	for (int i = 0; i < REPORT_INPUTS; i++) {
		report.value[REPORT_E1 + i] = energy;
	}
	report.value[REPORT_POWER] = energy / 10;
	return report;
}

static void quarters_sum_to_the_counters_difference(void **state)
{
	struct report reports[40];
	struct rollup rollup, back;
	struct packer packer = { 0 };
	int64_t sum = 0;

	(void)state;
	for (int i = 0; i < 40; i++) {
		reports[i] = report_at(36000 + i * 407, 1000 + i * i * 7);
	}
	rollup_day(reports, 40, MIDNIGHT_S, &rollup);
	assert_int_equal(rollup.first[0], 1000);
	assert_int_equal(rollup.last[0], 1000 + 39 * 39 * 7);
	assert_int_equal(rollup.peak_w, (1000 + 39 * 39 * 7) / 10);
	for (int i = 0; i < ROLLUP_QUARTERS; i++) {
		sum += rollup.quarter[i][0] == REPORT_ABSENT ? 0 : rollup.quarter[i][0];
	}
	assert_int_equal(sum, 39 * 39 * 7);
	rollup_pack(&rollup, &packer);
	assert_int_equal(rollup_unpack(packer.bytes, packer.n, &back), 0);
	assert_memory_equal(back.quarter, rollup.quarter, sizeof(back.quarter));
	assert_int_equal(back.begin_s, MIDNIGHT_S);
	for (size_t n = 0; n < packer.n; n++) {
		assert_true(rollup_unpack(packer.bytes, n, &back) < 0);
	}
	free(packer.bytes);
}

static int64_t sum_of(const struct rollup *rollup)
{
	int64_t sum = 0;

	for (int i = 0; i < ROLLUP_QUARTERS; i++) {
		sum += rollup->quarter[i][0] == REPORT_ABSENT ? 0 : rollup->quarter[i][0];
	}
	return sum;
}

static void energy_of_a_gap_counts_and_falls_are_no_energy(void **state)
{
	struct report reports[] = { report_at(36000, 1000), report_at(36900, 1090),
				    report_at(45000, 5000), report_at(45900, 4000),
				    report_at(54000, 4000), report_at(54100, 4000) };
	struct rollup rollup;

	(void)state;
	rollup_day(reports, 6, MIDNIGHT_S, &rollup);
	assert_int_equal(rollup.quarter[40][0], 90);
	/* 3910 in 8100 s */
	assert_int_equal(rollup.quarter[44][0], 434);
	assert_int_equal(rollup.quarter[50][0], 0);
	/* a gap without energy is unknown */
	assert_true(rollup.quarter[55][0] == REPORT_ABSENT);
	assert_int_equal(sum_of(&rollup), 90 + 3910);
	rollup_day(NULL, 0, MIDNIGHT_S, &rollup);
	assert_true(rollup.first[0] == REPORT_ABSENT && rollup.peak_w == REPORT_ABSENT);
}

static void energy_before_the_first_report_counts(void **state)
{
	struct report report = report_at(36000, 1000);
	struct rollup rollup;

	(void)state;
	rollup_day(&report, 1, MIDNIGHT_S, &rollup);
	assert_int_equal(sum_of(&rollup), 0);
	assert_int_equal(rollup.quarter[40][0], 0);
	rollup_carry(&rollup, 0, 820);
	assert_int_equal(sum_of(&rollup), 820);
	assert_int_equal(rollup.quarter[0][0], 20);
	assert_true(rollup.quarter[41][0] == REPORT_ABSENT);
	rollup_carry(&rollup, 0, -5);
	assert_int_equal(sum_of(&rollup), 820);
}

static void merging_twice_is_merging_once(void **state)
{
	struct report old[] = { report_at(0, 1), report_at(20, 3) };
	struct report new[] = { report_at(10, 2), report_at(20, 99), report_at(30, 4) };
	struct report *once, *twice;
	int64_t n, m;

	(void)state;
	n = rollup_merge(old, 2, new, 3, &once);
	assert_int_equal(n, 4);
	assert_int_equal(once[2].value[REPORT_E1], 3);
	m = rollup_merge(once, (size_t)n, new, 3, &twice);
	assert_int_equal(m, n);
	assert_memory_equal(once, twice, (size_t)n * sizeof(*once));
	free(once);
	free(twice);
}

static void a_shard_more_takes_its_share_and_moves_nothing_else(void **state)
{
	enum { SITES = 20000 };

	(void)state;
	/* the first numbers of SplitMix64 for two seeds */
	assert_true(store_hash(0) == 0xe220a8397b1dcdaf);
	assert_true(store_hash(1234567) == 6457827717110365317);
	for (int shards = 1; shards < STORE_SHARDS_MAX; shards++) {
		int moved = 0;

		for (int64_t site = 1; site <= SITES; site++) {
			int before = store_home(site, shards);
			int after = store_home(site, shards + 1);

			assert_in_range(before, 0, shards - 1);
			assert_true(after == before || after == shards);
			moved += after != before;
		}
		/* five standard deviations of a share are at most 354 sites */
		assert_in_range(moved, SITES / (shards + 1) - 400, SITES / (shards + 1) + 400);
	}
}

static void codes_are_read_as_people_type_them(void **state)
{
	char code[AUTH_CODE_SIZE];
	char typed[AUTH_CODE_SIZE];
	uint8_t hash[INGEST_CODE_HASH_BYTES];
	uint8_t other[INGEST_CODE_HASH_BYTES];
	size_t n = 0;

	(void)state;
	ingest_code(code, hash);
	assert_int_equal(strlen(code), 11);
	for (size_t i = 0; code[i]; i++) {
		if (code[i] != '-') {
			typed[n++] = code[i] >= 'A' ? code[i] + 'a' - 'A' : code[i];
		}
	}
	typed[n] = '\0';
	ingest_code_hash(typed, other);
	assert_memory_equal(hash, other, sizeof(hash));
	typed[0] = typed[0] == '0' ? '1' : '0';
	ingest_code_hash(typed, other);
	assert_memory_not_equal(hash, other, sizeof(hash));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_right_clock_moves_nothing_however_old_the_batch_is),
		cmocka_unit_test(a_wrong_clock_is_corrected_by_the_monotonic_one),
		cmocka_unit_test(
			a_batch_from_an_earlier_boot_without_a_set_clock_counts_from_its_arrival),
		cmocka_unit_test(quarters_sum_to_the_counters_difference),
		cmocka_unit_test(energy_of_a_gap_counts_and_falls_are_no_energy),
		cmocka_unit_test(energy_before_the_first_report_counts),
		cmocka_unit_test(merging_twice_is_merging_once),
		cmocka_unit_test(a_shard_more_takes_its_share_and_moves_nothing_else),
		cmocka_unit_test(codes_are_read_as_people_type_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
