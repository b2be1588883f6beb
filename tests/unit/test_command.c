// SPDX-License-Identifier: GPL-2.0-only
/* Requests of the protocol as commands of policy, and the words of each outcome. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "command.h"
#include "protocol.h"
#include "util.h"

#define NOW_MS 5000

static int parse(const char *text, struct policy_command *command, char err[256])
{
	struct json_object *request = protocol_parse(text, strlen(text));
	int ret;

	assert_non_null(request);
	err[0] = '\0';
	ret = command_parse(request, NOW_MS, command, err, 256);
	json_object_put(request);
	return ret;
}

static void each_request_becomes_its_command(void **state)
{
	struct policy_command command;
	char err[256];

	(void)state;
	assert_int_equal(parse("{\"cmd\":\"start\"}", &command, err), 0);
	assert_int_equal(command.kind, POLICY_COMMAND_START);
	assert_int_equal(parse("{\"cmd\":\"stop\"}", &command, err), 0);
	assert_int_equal(command.kind, POLICY_COMMAND_STOP);
	assert_int_equal(parse("{\"cmd\":\"clear\",\"fault\":\"gfdi\"}", &command, err), 0);
	assert_int_equal(command.kind, POLICY_COMMAND_CLEAR);
	assert_int_equal(command.fault, QS1_FAULT_GFDI);
	assert_int_equal(parse("{\"cmd\":\"set\",\"name\":\"power_limit_w\",\"value\":\"600\"}",
			       &command, err),
			 0);
	assert_int_equal(command.kind, POLICY_COMMAND_SET);
	assert_int_equal(command.param, QS1_PARAM_POWER_LIMIT_W);
	assert_int_equal(command.value, 600);
}

static void a_profile_comes_with_all_its_values(void **state)
{
	struct json_object *request = json_object_new_object();
	struct policy_command command;
	struct qs1_profile profile;
	char err[QS1_PROFILE_ERR_SIZE];

	(void)state;
	assert_int_equal(qs1_profile_load("profiles/note1.conf", &profile, err, sizeof(err)), 0);
	json_object_object_add(request, "cmd", json_object_new_string("profile-use"));
	json_object_object_add(request, "name", json_object_new_string("note1"));
	assert_int_equal(command_parse(request, NOW_MS, &command, err, sizeof(err)), -EINVAL);
	json_object_object_add(request, "values", protocol_values(&profile));
	assert_int_equal(command_parse(request, NOW_MS, &command, err, sizeof(err)), 0);
	assert_int_equal(command.kind, POLICY_COMMAND_PROFILE);
	assert_memory_equal(command.profile.value, profile.value, sizeof(profile.value));
	json_object_object_del(request, "name");
	assert_int_equal(command_parse(request, NOW_MS, &command, err, sizeof(err)), -EINVAL);
	json_object_put(request);
}

static void a_limit_has_an_owner_an_end_and_what_follows(void **state)
{
	/* clang-format off */
	static const struct {
		const char *members;
		int32_t w;
		int64_t until_ms;
		int32_t then_w;
	} row[] = {
		{ "\"owner\":\"ema\",\"w\":300,\"lease_s\":10", 300, NOW_MS + 10000, LIMITS_NONE },
		{ "\"owner\":\"ema\",\"w\":0,\"lease_s\":86400,\"then\":1100", 0, NOW_MS + 86400000, 1100 },
		{ "\"owner\":\"ema\",\"w\":\"none\"", LIMITS_NONE, LIMITS_FOREVER, LIMITS_NONE },
		{ "\"owner\":\"owner\",\"w\":300", 300, LIMITS_FOREVER, LIMITS_NONE },
		{ "\"owner\":\"installer\",\"w\":300,\"then\":200", 300, LIMITS_FOREVER, LIMITS_NONE },
	};
	/* clang-format on */
	struct policy_command command;
	char request[256], err[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		snprintf(request, sizeof(request), "{\"cmd\":\"limit\",%s}", row[i].members);
		assert_int_equal(parse(request, &command, err), 0);
		assert_int_equal(command.kind, POLICY_COMMAND_LIMIT);
		assert_int_equal(command.limit.w, row[i].w);
		assert_int_equal(command.limit.until_ms, row[i].until_ms);
		assert_int_equal(command.limit.then_w, row[i].then_w);
	}
}

static void a_wrong_request_is_refused_in_words_and_leaves_the_command(void **state)
{
	/* clang-format off */
	static const struct {
		const char *request;
		int ret;
		const char *err;
	} row[] = {
		{ "{}", -ENOENT, "unknown request ''" },
		{ "{\"cmd\":\"dance\"}", -ENOENT, "unknown request 'dance'" },
		{ "{\"cmd\":\"clear\"}", -EINVAL, "expected 'fault'" },
		{ "{\"cmd\":\"clear\",\"fault\":\"bite\"}", -EINVAL, "found 'bite'" },
		{ "{\"cmd\":\"clear\",\"fault\":\"uv1\"}", -EINVAL, "found 'uv1'" },
		{ "{\"cmd\":\"set\",\"name\":\"power_limit_w\"}", -EINVAL, "'name' and 'value'" },
		{ "{\"cmd\":\"set\",\"value\":\"1\"}", -EINVAL, "'name' and 'value'" },
		{ "{\"cmd\":\"set\",\"name\":\"colour\",\"value\":\"1\"}", -ENOENT, "found 'colour'" },
		{ "{\"cmd\":\"set\",\"name\":\"power_limit_w\",\"value\":\"9999\"}", -ERANGE, "9999" },
		{ "{\"cmd\":\"limit\",\"w\":1}", -EINVAL, "'owner'" },
		{ "{\"cmd\":\"limit\",\"owner\":\"\",\"w\":1}", -EINVAL, "'owner'" },
		{ "{\"cmd\":\"limit\",\"owner\":\"emA\",\"w\":1}", -EINVAL, "'owner'" },
		{ "{\"cmd\":\"limit\",\"owner\":\"abcdefghijklmnopqrstuvwxyz012345\",\"w\":1}", -EINVAL, "'owner'" },
		{ "{\"cmd\":\"limit\",\"owner\":\"owner\"}", -EINVAL, "'w'" },
		{ "{\"cmd\":\"limit\",\"owner\":\"owner\",\"w\":\"some\"}", -EINVAL, "'w'" },
		{ "{\"cmd\":\"limit\",\"owner\":\"owner\",\"w\":1201}", -EINVAL, "'w'" },
		{ "{\"cmd\":\"limit\",\"owner\":\"owner\",\"w\":1,\"then\":-1}", -EINVAL, "'then'" },
		{ "{\"cmd\":\"limit\",\"owner\":\"ema\",\"w\":1}", -EINVAL, "'lease_s'" },
		{ "{\"cmd\":\"limit\",\"owner\":\"ema\",\"w\":1,\"lease_s\":0}", -EINVAL, "'lease_s'" },
		{ "{\"cmd\":\"limit\",\"owner\":\"ema\",\"w\":1,\"lease_s\":86401}", -EINVAL, "'lease_s'" },
	};
	/* clang-format on */
	struct policy_command command;
	char err[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		command.kind = POLICY_COMMAND_PAIR;
		assert_int_equal(parse(row[i].request, &command, err), row[i].ret);
		if (!strstr(err, row[i].err)) {
			fail_msg("%s: expected '%s', found '%s'", row[i].request, row[i].err, err);
		}
		assert_int_equal(command.kind, POLICY_COMMAND_PAIR);
	}
}

static void each_outcome_has_its_words(void **state)
{
	/* clang-format off */
	static const struct {
		enum policy_command_kind kind;
		struct policy_answer answer;
		const char *refusal;
		const char *text;
	} row[] = {
		{ POLICY_COMMAND_SET, { .outcome = POLICY_REFUSED, .error = -ENODEV }, "", "the inverter's firmware cannot be reached" },
		{ POLICY_COMMAND_START, { .outcome = POLICY_REFUSED, .error = -EPERM }, "", "the store is lost: 'qs1ctl clear store-lost'" },
		{ POLICY_COMMAND_CLEAR, { .outcome = POLICY_REFUSED, .error = -EBUSY }, "", "the cause of the fault is present" },
		{ POLICY_COMMAND_START, { .outcome = POLICY_REFUSED, .error = -EBUSY }, "", "a stop is under way" },
		{ POLICY_COMMAND_SET, { .outcome = POLICY_REFUSED, .error = -EBUSY }, "", "not allowed in the current state" },
		{ POLICY_COMMAND_START, { .outcome = POLICY_REFUSED, .error = -ECANCELED }, "", "a stop came first" },
		{ POLICY_COMMAND_SET, { .outcome = POLICY_REFUSED, .error = -ERANGE }, "range uv1_v_pu 1.000", "the firmware refuses the value (range uv1_v_pu 1.000)" },
		{ POLICY_COMMAND_SET, { .outcome = POLICY_NOT_STORED, .error = -EROFS, .undone = true }, "", "not stored: Read-only file system; the former state is in force" },
		{ POLICY_COMMAND_SET, { .outcome = POLICY_NOT_STORED, .error = -ETIMEDOUT }, "", "not stored: no answer in time; the former state is being restored" },
		{ POLICY_COMMAND_STOP, { .outcome = POLICY_NOT_STORED, .error = -EIO }, "", "not stored: Input/output error; stopped, but a loss of power would forget it" },
		{ POLICY_COMMAND_STOP, { .outcome = POLICY_UNKNOWN, .error = -ETIMEDOUT }, "", "the outcome is unknown: no answer in time; it is tried until the firmware answers" },
		{ POLICY_COMMAND_LIMIT, { .outcome = POLICY_UNKNOWN, .error = -ESHUTDOWN }, "", "the outcome is unknown: no answer in time; it is tried until the firmware answers" },
		{ POLICY_COMMAND_SET, { .outcome = POLICY_UNKNOWN, .error = -EINVAL }, "", "the outcome is unknown: the firmware refuses the value; the kept state is being restored" },
	};
	/* clang-format on */
	static struct policy policy;
	char text[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		command_outcome_text(&policy, row[i].kind, &row[i].answer, row[i].refusal, text,
				     sizeof(text));
		assert_string_equal(text, row[i].text);
	}
	policy.kept.ground_fault = true;
	command_outcome_text(&policy, POLICY_COMMAND_START, &row[1].answer, "", text, sizeof(text));
	assert_non_null(strstr(text, "'qs1ctl clear gfdi'"));
}

static void a_stock_ecu_may_command_an_unpaired_unit_for_a_while(void **state)
{
	static struct policy policy;
	static const struct {
		int64_t window_ms;
		bool paired;
		int64_t up_ms;
		const char *reason; /* NULL: it may */
	} row[] = {
		{ COMMAND_STOCK_WINDOW_MS, false, COMMAND_STOCK_WINDOW_MS - 1, NULL },
		{ INT64_MAX, false, COMMAND_STOCK_WINDOW_MS, NULL },
		{ 0, false, 0, "not allowed by the owner" },
		{ COMMAND_STOCK_WINDOW_MS, true, 0, "paired with an ECU of ours" },
		{ COMMAND_STOCK_WINDOW_MS, false, COMMAND_STOCK_WINDOW_MS, "are over" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		const char *reason = NULL;
		int ret;

		policy.kept.paired = row[i].paired;
		ret = command_stock_check(&policy, row[i].window_ms, row[i].up_ms, &reason);
		assert_int_equal(ret, row[i].reason ? -EACCES : 0);
		assert_true(row[i].reason ? reason && strstr(reason, row[i].reason) : !reason);
	}
}

/* Switch and limit have an owner each: switching on again does not change the limit. */
static void a_stock_ecus_switch_and_limit_are_limits_for_a_day(void **state)
{
	const struct policy_command limit = command_stock_limit(250, NOW_MS);
	const struct policy_command off = command_stock_switch(false, NOW_MS);
	const struct policy_command on = command_stock_switch(true, NOW_MS);

	(void)state;
	assert_int_equal(limit.kind, POLICY_COMMAND_LIMIT);
	assert_int_equal(limit.limit.w, 4 * 250);
	assert_int_equal(limit.limit.until_ms, NOW_MS + 24 * 3600 * 1000LL);
	assert_int_equal(limit.limit.then_w, LIMITS_NONE);
	assert_int_equal(off.limit.w, 0);
	assert_int_equal(on.limit.w, LIMITS_NONE);
	assert_string_equal(on.limit.owner, off.limit.owner);
	assert_string_not_equal(limit.limit.owner, off.limit.owner);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_request_becomes_its_command),
		cmocka_unit_test(a_profile_comes_with_all_its_values),
		cmocka_unit_test(a_limit_has_an_owner_an_end_and_what_follows),
		cmocka_unit_test(a_wrong_request_is_refused_in_words_and_leaves_the_command),
		cmocka_unit_test(each_outcome_has_its_words),
		cmocka_unit_test(a_stock_ecu_may_command_an_unpaired_unit_for_a_while),
		cmocka_unit_test(a_stock_ecus_switch_and_limit_are_limits_for_a_day),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
