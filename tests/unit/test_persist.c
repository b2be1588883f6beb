// SPDX-License-Identifier: GPL-2.0-only
/* What outlives power: the state file, and energy across restarts. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "persist.h"

static char folder[] = "/tmp/qs1-persist-XXXXXX";
static char path[64];
static char err[QS1_PROFILE_ERR_SIZE];

static struct persist example(void)
{
	struct persist persist = { .policy = { .shutdown = true, .ground_fault = true } };

	strcpy(persist.policy.profile.name, "note1");
	for (int id = 0; id < QS1_PARAM_COUNT; id++) {
		if (qs1_param_desc(id)->group == QS1_PARAM_GROUP_PROFILE) {
			persist.policy.profile.value[id] = qs1_param_desc(id)->def;
		}
	}
	persist.policy.set[QS1_PARAM_POWER_LIMIT_W] = true;
	persist.policy.value[QS1_PARAM_POWER_LIMIT_W] = 600;
	for (int i = 0; i < ENERGY_COUNTERS; i++) {
		persist.energy.total_mj[i] = 1000000000000ull * (i + 1);
		persist.energy.counter_mj[i] = 7 * i;
	}
	return persist;
}

static void what_is_saved_is_loaded(void **state)
{
	struct persist saved = example(), loaded;

	(void)state;
	assert_int_equal(persist_save(path, &saved), 0);
	assert_int_equal(persist_load(path, &loaded, err, sizeof(err)), 0);
	assert_memory_equal(&loaded, &saved, sizeof(saved));
}

static void no_file_is_told_from_a_bad_one(void **state)
{
	struct persist loaded;

	(void)state;
	assert_int_equal(persist_load("/no/such", &loaded, err, sizeof(err)), -ENOENT);
}

static size_t read_all(char *buf, size_t size)
{
	FILE *file = fopen(path, "r");
	size_t n;

	assert_non_null(file);
	n = fread(buf, 1, size, file);
	fclose(file);
	return n;
}

static void write_all(const char *buf, size_t n)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(buf, 1, n, file), n);
	assert_int_equal(fclose(file), 0);
}

/* No prefix of a file passes for a whole one, up to the last newline. */
static void a_file_that_was_cut_is_refused(void **state)
{
	struct persist saved = example(), loaded;
	char content[8192];
	size_t n;

	(void)state;
	assert_int_equal(persist_save(path, &saved), 0);
	n = read_all(content, sizeof(content));
	assert_in_range(n, 100, sizeof(content) - 1);
	for (size_t cut = 0; cut < n - 1; cut++) {
		write_all(content, cut);
		assert_int_equal(persist_load(path, &loaded, err, sizeof(err)), -EINVAL);
	}
}

/* A line that is damaged is refused, whichever it is. */
static void a_file_with_a_damaged_line_is_refused(void **state)
{
	struct persist saved = example(), loaded;
	char content[8192];
	size_t n;

	(void)state;
	assert_int_equal(persist_save(path, &saved), 0);
	n = read_all(content, sizeof(content));
	for (size_t i = 1; i < n; i++) {
		char kept = content[i];

		if (content[i - 1] != '\n') {
			continue;
		}
		content[i] = '!';
		write_all(content, n);
		assert_int_equal(persist_load(path, &loaded, err, sizeof(err)), -EINVAL);
		assert_non_null(strstr(err, path));
		content[i] = kept;
	}
}

static void a_failed_save_leaves_the_old_file(void **state)
{
	struct persist saved = example(), loaded;
	char next[80];

	(void)state;
	assert_int_equal(persist_save(path, &saved), 0);
	/* A folder stands where the new file would be written. */
	snprintf(next, sizeof(next), "%s.new", path);
	assert_int_equal(mkdir(next, 0700), 0);
	saved.policy.shutdown = false;
	assert_int_equal(persist_save(path, &saved), -EISDIR);
	assert_int_equal(rmdir(next), 0);
	assert_int_equal(persist_load(path, &loaded, err, sizeof(err)), 0);
	assert_true(loaded.policy.shutdown);
}

static void energy_goes_on_over_restarts_of_the_firmware(void **state)
{
	uint64_t counter[ENERGY_COUNTERS] = { 0 };
	struct energy energy = { 0 };

	(void)state;
	energy_resume(&energy, 1, counter);
	counter[0] = 500;
	energy_update(&energy, 1, counter);
	energy_update(&energy, 1, counter);
	assert_int_equal(energy.total_mj[0], 500);
	/* A new run starts at zero and has counted 30 already. */
	counter[0] = 30;
	energy_update(&energy, 2, counter);
	assert_int_equal(energy.total_mj[0], 530);
	counter[0] = 600;
	energy_update(&energy, 3, counter);
	assert_int_equal(energy.total_mj[0], 1130);
}

static void energy_never_falls_nor_counts_twice(void **state)
{
	uint64_t counter[ENERGY_COUNTERS] = { 100 };
	struct energy energy = { .total_mj = { 1000 }, .counter_mj = { 100 }, .epoch = 1 };

	(void)state;
	/* Read in the middle of a restart, before the restart was noticed. */
	counter[0] = 20;
	energy_update(&energy, 1, counter);
	assert_int_equal(energy.total_mj[0], 1000);
	counter[0] = 25;
	energy_update(&energy, 2, counter);
	assert_int_equal(energy.total_mj[0], 1025);
}

static void energy_counted_while_the_daemon_was_away_is_not_lost(void **state)
{
	uint64_t counter[ENERGY_COUNTERS] = { 150 };
	struct energy energy = { .total_mj = { 1000 }, .counter_mj = { 100 } };
	struct energy other = energy;

	(void)state;
	energy_resume(&energy, 1, counter);
	assert_int_equal(energy.total_mj[0], 1050);
	/* A counter below the kept one: another run of the firmware. */
	counter[0] = 40;
	energy_resume(&other, 1, counter);
	assert_int_equal(other.total_mj[0], 1040);
}

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder)) {
		return -1;
	}
	snprintf(path, sizeof(path), "%s/state", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_saved_is_loaded),
		cmocka_unit_test(no_file_is_told_from_a_bad_one),
		cmocka_unit_test(a_file_that_was_cut_is_refused),
		cmocka_unit_test(a_file_with_a_damaged_line_is_refused),
		cmocka_unit_test(a_failed_save_leaves_the_old_file),
		cmocka_unit_test(energy_goes_on_over_restarts_of_the_firmware),
		cmocka_unit_test(energy_never_falls_nor_counts_twice),
		cmocka_unit_test(energy_counted_while_the_daemon_was_away_is_not_lost),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
