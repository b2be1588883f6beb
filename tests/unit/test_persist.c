// SPDX-License-Identifier: GPL-2.0-only
/* State that survives a loss of power: its text format, and energy across restarts. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "persist.h"
#include "ring.h"

#define RECORD RING_RECORD_MAX

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
	persist.policy.store_lost = true;
	persist.policy.paired = true;
	memset(persist.policy.key, 0x5a, sizeof(persist.policy.key));
	memset(persist.unit, 0xa5, sizeof(persist.unit));
	persist.policy.set[QS1_PARAM_POWER_LIMIT_W] = true;
	persist.policy.value[QS1_PARAM_POWER_LIMIT_W] = 600;
	for (int i = 0; i < ENERGY_COUNTERS; i++) {
		persist.energy.total_mj[i] = 1000000000000ull * (i + 1);
		persist.energy.counter_mj[i] = 7 * i;
	}
	return persist;
}

static int encode(const struct persist *persist, char text[RECORD])
{
	int length = persist_encode(persist, text, RECORD);

	assert_in_range(length, 100, RECORD - 1);
	return length;
}

static void a_saved_state_loads_unchanged(void **state)
{
	struct persist saved = example(), loaded = { 0 };
	char text[RECORD];

	(void)state;
	assert_int_equal(
		persist_decode(text, encode(&saved, text), "state", &loaded, err, sizeof(err)), 0);
	assert_memory_equal(&loaded, &saved, sizeof(saved));
}

/* Every parameter set and the longest name: it has to fit a record. */
static void the_longest_state_fits_a_record(void **state)
{
	struct persist saved = example(), loaded = { 0 };
	char text[RECORD];

	(void)state;
	memset(saved.policy.profile.name, 'x', sizeof(saved.policy.profile.name) - 1);
	for (int id = 0; id < QS1_PARAM_COUNT; id++) {
		saved.policy.set[id] = true;
		saved.policy.value[id] = qs1_param_desc(id)->max;
	}
	memset(&saved.energy.total_mj, 0xff, sizeof(saved.energy.total_mj));
	assert_int_equal(
		persist_decode(text, encode(&saved, text), "state", &loaded, err, sizeof(err)), 0);
	assert_memory_equal(&loaded, &saved, sizeof(saved));
	assert_int_equal(persist_encode(&saved, text, 500), -EMSGSIZE);
}

/* A store of an older version: newer parameters have their defaults and are off. */
static void a_state_without_later_parameters_loads(void **state)
{
	struct persist saved = example(), loaded = { 0 };
	char text[RECORD];

	(void)state;
	encode(&saved, text);
	for (int id = 0; id < QS1_PARAM_COUNT; id++) {
		const struct qs1_param_desc *desc = qs1_param_desc(id);
		char line[64], *begin, *end;

		if (desc->absent != QS1_PARAM_ABSENT_DEFAULT) {
			continue;
		}
		snprintf(line, sizeof(line), "profile.%s ", desc->name);
		begin = strstr(text, line);
		assert_non_null(begin);
		end = strchr(begin, '\n') + 1;
		memmove(begin, end, strlen(end) + 1);
		saved.policy.profile.value[id] = desc->def;
	}
	if (persist_decode(text, strlen(text), "state", &loaded, err, sizeof(err)) < 0) {
		fail_msg("%s", err);
	}
	assert_memory_equal(&loaded, &saved, sizeof(saved));
}

/* Every shorter prefix is refused, even one that lacks only the last newline. */
static void a_truncated_text_is_refused(void **state)
{
	struct persist saved = example(), loaded = { 0 };
	char text[RECORD];
	int length = encode(&saved, text);

	(void)state;
	for (int cut = 0; cut < length - 1; cut++) {
		assert_int_equal(persist_decode(text, cut, "state", &loaded, err, sizeof(err)),
				 -EINVAL);
	}
}

/* Damage to any line is detected. */
static void a_text_with_a_damaged_line_is_refused(void **state)
{
	struct persist saved = example(), loaded = { 0 };
	char text[RECORD];
	int length = encode(&saved, text);

	(void)state;
	for (int i = 0; i < length; i++) {
		char kept = text[i];

		if (i > 0 && text[i - 1] != '\n') {
			continue;
		}
		text[i] = '!';
		assert_int_equal(persist_decode(text, length, "state", &loaded, err, sizeof(err)),
				 -EINVAL);
		assert_non_null(strstr(err, "state"));
		text[i] = kept;
	}
}

static void energy_continues_when_the_firmware_restarts(void **state)
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_saved_state_loads_unchanged),
		cmocka_unit_test(the_longest_state_fits_a_record),
		cmocka_unit_test(a_state_without_later_parameters_loads),
		cmocka_unit_test(a_truncated_text_is_refused),
		cmocka_unit_test(a_text_with_a_damaged_line_is_refused),
		cmocka_unit_test(energy_continues_when_the_firmware_restarts),
		cmocka_unit_test(energy_never_falls_nor_counts_twice),
		cmocka_unit_test(energy_counted_while_the_daemon_was_away_is_not_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
