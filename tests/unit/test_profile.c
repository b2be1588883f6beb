// SPDX-License-Identifier: GPL-2.0-only
/* Parameters as text, and grid profiles as files. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "profile.h"

#define PATH_SIZE 256

static char folder[] = "/tmp/qs1-profile-XXXXXX";
static char path[PATH_SIZE];
static char err[QS1_PROFILE_ERR_SIZE];

/* Write a profile of all defaults, with one line replaced or left out. */
static void write_profile(const char *name, const char *line)
{
	FILE *file = fopen(path, "w");
	char text[QS1_DECIMAL_SIZE];

	assert_non_null(file);
	fprintf(file, "# a profile\n\n");
	for (int id = 0; id < QS1_PARAM_COUNT; id++) {
		const struct qs1_param_desc *desc = qs1_param_desc(id);

		if (desc->group != QS1_PARAM_GROUP_PROFILE) {
			continue;
		}
		if (!strcmp(desc->name, name)) {
			fprintf(file, "%s", line);
			continue;
		}
		fprintf(file, "%s\t %s  # as it is\n", desc->name,
			qs1_decimal_format(text, desc->def, desc->decimals));
	}
	assert_int_equal(fclose(file), 0);
}

static void expect_refusal(const char *name, const char *line, const char *message)
{
	struct qs1_profile profile = { .name = "untouched" };

	write_profile(name, line);
	err[0] = '\0';
	assert_int_equal(qs1_profile_load(path, &profile, err, sizeof(err)), -EINVAL);
	if (!strstr(err, message)) {
		fail_msg("expected '%s' in '%s'", message, err);
	}
	assert_string_equal(profile.name, "untouched");
}

static void decimals_survive_a_round_trip(void **state)
{
	static const struct {
		const char *text;
		int decimals;
		int32_t value;
		const char *back;
	} cases[] = {
		{ "0.88", 3, 880, "0.880" },
		{ "1.200", 3, 1200, "1.200" },
		{ "60.5", 2, 6050, "60.50" },
		{ "120", 0, 120, "120" },
		{ "-0.05", 2, -5, "-0.05" },
		{ "+7", 1, 70, "7.0" },
		{ ".5", 1, 5, "0.5" },
		{ "5.", 1, 50, "5.0" },
		{ "1.0000", 2, 100, "1.00" },
		{ "0", 3, 0, "0.000" },
		{ "2147483647", 0, INT32_MAX, "2147483647" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[QS1_DECIMAL_SIZE];
		int32_t value = 12345;

		assert_int_equal(qs1_decimal_parse(cases[i].text, cases[i].decimals, &value), 0);
		assert_int_equal(value, cases[i].value);
		assert_string_equal(qs1_decimal_format(text, value, cases[i].decimals),
				    cases[i].back);
	}
}

static void text_that_is_no_decimal_is_refused(void **state)
{
	static const struct {
		const char *text;
		int decimals;
		int error;
	} cases[] = {
		{ "", 2, -EINVAL },
		{ "-", 2, -EINVAL },
		{ ".", 2, -EINVAL },
		{ "1,5", 2, -EINVAL },
		{ "1e3", 2, -EINVAL },
		{ "0x10", 2, -EINVAL },
		{ " 1", 2, -EINVAL },
		{ "1 ", 2, -EINVAL },
		{ "nan", 2, -EINVAL },
		{ "--1", 2, -EINVAL },
		{ "1.234", 2, -EDOM },
		{ "2147483648", 0, -ERANGE },
		{ "99999999999999999999", 0, -ERANGE },
		{ "21474837", 2, -ERANGE },
		{ "0.99999999999999999999", 9, -EDOM },
		{ "3.000000000", 9, -ERANGE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int32_t value = 12345;

		assert_int_equal(qs1_decimal_parse(cases[i].text, cases[i].decimals, &value),
				 cases[i].error);
		assert_int_equal(value, 12345);
	}
}

static void every_parameter_is_found_and_takes_its_bounds(void **state)
{
	(void)state;
	for (int id = 0; id < QS1_PARAM_COUNT; id++) {
		const struct qs1_param_desc *desc = qs1_param_desc(id);
		const int32_t good[] = { desc->min, desc->def, desc->max };
		const int32_t bad[] = { desc->min - 1, desc->max + 1 };
		char text[QS1_DECIMAL_SIZE];
		int32_t value;

		assert_int_equal(qs1_param_find(desc->name), id);
		for (int i = 0; i < 3; i++) {
			qs1_decimal_format(text, good[i], desc->decimals);
			assert_int_equal(qs1_param_parse(id, text, &value, err, sizeof(err)), 0);
			assert_int_equal(value, good[i]);
		}
		for (int i = 0; i < 2; i++) {
			qs1_decimal_format(text, bad[i], desc->decimals);
			assert_int_equal(qs1_param_parse(id, text, &value, err, sizeof(err)),
					 -ERANGE);
		}
	}
	assert_int_equal(qs1_param_find("no_such"), -ENOENT);
}

static void a_whole_profile_is_taken(void **state)
{
	struct qs1_profile profile;

	(void)state;
	write_profile("uv1_t_s", "uv1_t_s 2\r\n");
	assert_int_equal(qs1_profile_load(path, &profile, err, sizeof(err)), 0);
	assert_string_equal(profile.name, "a");
	assert_int_equal(profile.value[QS1_PARAM_UV1_T_S], 200);
	assert_int_equal(profile.value[QS1_PARAM_OF1_F_HZ], 6050);
}

/* A file of an older table loads, and what came later is off; the others must be named. */
static void only_a_parameter_that_came_later_may_be_absent(void **state)
{
	int defaults = 0;

	(void)state;
	for (int id = 0; id < QS1_PARAM_COUNT; id++) {
		const struct qs1_param_desc *desc = qs1_param_desc(id);
		struct qs1_profile profile;
		char message[64];

		if (desc->group != QS1_PARAM_GROUP_PROFILE) {
			continue;
		}
		if (desc->absent == QS1_PARAM_ABSENT_REFUSED) {
			snprintf(message, sizeof(message), "a.conf: %s is missing", desc->name);
			expect_refusal(desc->name, "", message);
			continue;
		}
		write_profile(desc->name, "");
		if (qs1_profile_load(path, &profile, err, sizeof(err)) < 0) {
			fail_msg("without %s: %s", desc->name, err);
		}
		assert_int_equal(profile.value[id], desc->def);
		defaults++;
	}
	assert_in_range(defaults, 1, QS1_PARAM_COUNT);
}

static void frequencies_follow_the_nominal_one(void **state)
{
	(void)state;
	expect_refusal("f_nom_hz", "f_nom_hz 59.99\n",
		       "f_nom_hz 59.99 contradicts of2_f_hz 66.00: expected at least 60.00");
	expect_refusal("uf2_f_hz", "uf2_f_hz 49.99\n",
		       "f_nom_hz 60.00 contradicts uf2_f_hz 49.99: expected at most 59.99");
	expect_refusal("es_trip_f_min_hz", "es_trip_f_min_hz 59.91\n", "out of range");
	expect_refusal("es_trip_f_max_hz", "es_trip_f_max_hz 66.01\n", "out of range");
}

static void a_wrong_profile_is_refused_with_file_and_line(void **state)
{
	(void)state;
	expect_refusal("uv1_v_pu", "uv1_v_p 0.88\n", "a.conf:3: expected the name of");
	expect_refusal("uv1_v_pu", "uv1_v_pu\n", "a.conf:3: uv1_v_pu: expected a value");
	expect_refusal("uv1_v_pu", "uv1_v_pu 0.88 pu\n",
		       "a.conf:3: uv1_v_pu: expected a number from 0.000 to 0.950");
	expect_refusal("uv1_v_pu", "uv1_v_pu 0.951\n",
		       "a.conf:3: uv1_v_pu: 0.951 is out of range, allowed 0.000 to 0.950");
	expect_refusal("uv1_v_pu", "uv1_v_pu 0.8801\n", "at most 3 decimals");
	expect_refusal("uv1_v_pu", "", "a.conf: uv1_v_pu is missing");
	expect_refusal("uv1_v_pu", "uv1_v_pu 0.88\nuv1_v_pu 0.88\n", "a.conf:4: uv1_v_pu is given");
	expect_refusal("uv1_v_pu", "power_limit_w 600\n", "is not part of a grid profile");
	expect_refusal("uv1_v_pu", "uv1_v_pu 0.4\n", "contradicts");
	expect_refusal("uv1_v_pu", "uv1_v_pu \x01\n", "expected text, found the byte 0x01");
}

static void every_order_of_thresholds_is_checked(void **state)
{
	static const struct {
		enum qs1_param lower;
		enum qs1_param upper;
		int32_t gap;
	} orders[] = {
#define X(lower, upper, gap) { QS1_PARAM_##lower, QS1_PARAM_##upper, gap },
		QS1_PARAM_ORDERS(X)
#undef X
	};

	(void)state;
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		struct qs1_profile_reader reader;
		struct qs1_profile profile;

		assert_int_equal(qs1_profile_begin(&reader, "x", err, sizeof(err)), 0);
		for (int id = 0; id < QS1_PARAM_COUNT; id++) {
			reader.value[id] = qs1_param_desc(id)->def;
			reader.line[id] = id + 1;
		}
		assert_int_equal(qs1_profile_end(&reader, &profile, err, sizeof(err)), 0);
		reader.value[orders[i].upper] = reader.value[orders[i].lower] + orders[i].gap - 1;
		assert_int_equal(qs1_profile_end(&reader, &profile, err, sizeof(err)), -EINVAL);
		assert_non_null(strstr(err, "contradicts"));
	}
}

static void paths_that_are_no_profile_file_are_refused(void **state)
{
	struct qs1_profile profile;

	(void)state;
	assert_int_equal(qs1_profile_load("/no/such.conf", &profile, err, sizeof(err)), -ENOENT);
	assert_non_null(strstr(err, "/no/such.conf: No such file"));
	assert_int_equal(qs1_profile_load("/tmp", &profile, err, sizeof(err)), -EINVAL);
	assert_int_equal(qs1_profile_load("/dev/zero", &profile, err, sizeof(err)), -EINVAL);
}

static void profiles_are_found_by_name_or_path(void **state)
{
	const char *const dirs[] = { "/no/such", folder, NULL };
	char **names;
	char *found;

	(void)state;
	write_profile("", "");
	assert_int_equal(qs1_profile_find("a", dirs, &found, err, sizeof(err)), 0);
	assert_string_equal(found, path);
	free(found);
	assert_int_equal(qs1_profile_find("./b", dirs, &found, err, sizeof(err)), 0);
	assert_string_equal(found, "./b");
	free(found);
	assert_int_equal(qs1_profile_find("b", dirs, &found, err, sizeof(err)), -ENOENT);
	assert_int_equal(qs1_profile_find("..", dirs, &found, err, sizeof(err)), -EINVAL);
	assert_int_equal(qs1_profile_list(dirs, &names), 1);
	assert_string_equal(names[0], "a");
	assert_null(names[1]);
	qs1_profile_list_free(names);
}

static void shipped_profiles_are_valid(void **state)
{
	const char *const dirs[] = { "profiles", NULL };
	struct qs1_profile profile;
	char **names;
	int n;

	(void)state;
	n = qs1_profile_list(dirs, &names);
	assert_in_range(n, 2, 100);
	for (int i = 0; i < n; i++) {
		char *file;

		assert_int_equal(qs1_profile_find(names[i], dirs, &file, err, sizeof(err)), 0);
		if (qs1_profile_load(file, &profile, err, sizeof(err)) < 0) {
			fail_msg("%s", err);
		}
		free(file);
	}
	qs1_profile_list_free(names);
}

/* The table's defaults are those of note1: a unit without Linux has a profile too. */
static void note1_is_the_tables_default(void **state)
{
	struct qs1_profile profile;

	(void)state;
	assert_int_equal(qs1_profile_load("profiles/note1.conf", &profile, err, sizeof(err)), 0);
	for (int id = 0; id < QS1_PARAM_COUNT; id++) {
		if (qs1_param_desc(id)->group == QS1_PARAM_GROUP_PROFILE) {
			assert_int_equal(profile.value[id], qs1_param_desc(id)->def);
		}
	}
}

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder)) {
		return -1;
	}
	snprintf(path, sizeof(path), "%s/a.conf", folder);
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
		cmocka_unit_test(decimals_survive_a_round_trip),
		cmocka_unit_test(text_that_is_no_decimal_is_refused),
		cmocka_unit_test(every_parameter_is_found_and_takes_its_bounds),
		cmocka_unit_test(a_whole_profile_is_taken),
		cmocka_unit_test(only_a_parameter_that_came_later_may_be_absent),
		cmocka_unit_test(frequencies_follow_the_nominal_one),
		cmocka_unit_test(a_wrong_profile_is_refused_with_file_and_line),
		cmocka_unit_test(every_order_of_thresholds_is_checked),
		cmocka_unit_test(paths_that_are_no_profile_file_are_refused),
		cmocka_unit_test(profiles_are_found_by_name_or_path),
		cmocka_unit_test(shipped_profiles_are_valid),
		cmocka_unit_test(note1_is_the_tables_default),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
