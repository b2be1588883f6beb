// SPDX-License-Identifier: GPL-2.0-only
/* The flight recorder: entries that it keeps, steps that it only counts, and its output. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "recorder.h"

static struct recorder recorder;

static int set_up(void **state)
{
	(void)state;
	memset(&recorder, 0, sizeof(recorder));
	return 0;
}

static void step(const struct policy_input *in, const struct policy_output *out, int64_t ms)
{
	recorder_add(&recorder, in, out,
		     (struct event_time){ .real_ms = 1000000 + ms, .mono_ms = ms });
}

static void hours_without_a_change_take_one_entry(void **state)
{
	struct policy_input in = { .present = true, .status = QS1_STATUS_ARMED };
	struct policy_output out = { .heartbeat = true };

	(void)state;
	for (int n = 0; n < 36000; n++) {
		in.sample++;
		out.heartbeat = n % 4 == 0;
		step(&in, &out, n * 100);
	}
	assert_int_equal(recorder.newest, 1);
	assert_int_equal(recorder.kept[1].steps, 36000);
	assert_int_equal(recorder.kept[1].first.mono_ms, 0);
	assert_int_equal(recorder.kept[1].last_ms, 35999 * 100);
	assert_int_equal(recorder.kept[1].in.sample, 36000);
}

static void every_change_and_every_action_is_an_entry(void **state)
{
	const struct policy_command command = { .kind = POLICY_COMMAND_STOP };
	struct policy_input in = { .present = true };
	struct policy_output out = { 0 };

	(void)state;
	step(&in, &out, 0);
	in.faults_active = QS1_FAULT_BIT(QS1_FAULT_UV2);
	step(&in, &out, 100);
	out.faults_active = in.faults_active;
	step(&in, &out, 200);
	out.action = POLICY_ARM;
	step(&in, &out, 300);
	step(&in, &out, 400);
	out.action = POLICY_NONE;
	in.result = -EBUSY;
	step(&in, &out, 500);
	in.command = &command;
	step(&in, &out, 600);
	in.command = NULL;
	assert_int_equal(recorder.newest, 7);
}

static void a_new_entry_replaces_the_oldest(void **state)
{
	struct policy_input in = { 0 };
	const struct policy_output out = { .action = POLICY_SET };
	struct json_object *array, *number;

	(void)state;
	for (int n = 0; n < 3 * RECORDER_KEPT; n++) {
		step(&in, &out, n);
	}
	array = recorder_json(&recorder);
	assert_int_equal(json_object_array_length(array), RECORDER_KEPT);
	json_object_object_get_ex(json_object_array_get_idx(array, 0), "number", &number);
	assert_int_equal(json_object_get_int(number), 2 * RECORDER_KEPT + 1);
	json_object_put(array);
}

static void a_decision_is_recorded_as_text(void **state)
{
	const struct policy_command command = { .kind = POLICY_COMMAND_CLEAR };
	const struct policy_input in = {
		.present = true,
		.status = QS1_STATE_GROUND_FAULT,
		.faults_latched = QS1_FAULT_BIT(QS1_FAULT_GFDI),
		.plausible = true,
		.command = &command,
	};
	const struct policy_output out = {
		.action = POLICY_CLEAR,
		.fault = QS1_FAULT_GFDI,
		.state = QS1_STATE_GROUND_FAULT,
		.show = POLICY_SHOW_GROUND_FAULT,
		.faults_latched = QS1_FAULT_BIT(QS1_FAULT_GFDI),
		.stored = true,
		.answer[POLICY_SLOT_CHANGE] = {
			.ended = true,
			.outcome = POLICY_NOT_STORED,
			.error = -EROFS,
		},
	};
	struct json_object *array;
	const char *text;

	(void)state;
	step(&in, &out, 5);
	array = recorder_json(&recorder);
	text = json_object_to_json_string_ext(array, JSON_C_TO_STRING_PLAIN);
	assert_string_equal(text,
			    "[{\"number\":1,\"time_ms\":1000005,\"monotonic_ms\":5,\"last_ms\":5,"
			    "\"steps\":1,\"saw\":{\"present\":true,\"epoch\":0,\"sample\":0,"
			    "\"state\":\"ground-fault\",\"status\":10,\"faults_active\":[],"
			    "\"faults_latched\":[\"GFDI\"],\"plausible\":true,\"ecu\":false,"
			    "\"result\":\"ok\",\"command\":\"clear\"},\"decided\":{"
			    "\"action\":\"clear latched fault\",\"fault\":\"GFDI\","
			    "\"state\":\"ground-fault\",\"show\":\"ground-fault\",\"armed\":false,"
			    "\"stale\":false,\"faults_active\":[],\"faults_latched\":[\"GFDI\"],"
			    "\"stored\":true,\"answer\":\"not-stored\",\"error\":\"EROFS\"}}]");
	json_object_put(array);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(hours_without_a_change_take_one_entry, set_up),
		cmocka_unit_test_setup(every_change_and_every_action_is_an_entry, set_up),
		cmocka_unit_test_setup(a_new_entry_replaces_the_oldest, set_up),
		cmocka_unit_test_setup(a_decision_is_recorded_as_text, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
