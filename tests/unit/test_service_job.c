// SPDX-License-Identifier: GPL-2.0-or-later
/* Signed jobs, and the arguments of commands. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "../../userspace/lib/util.h"
#include "commands.h"
#include "job.h"

#define NOW_MS INT64_C(1780340400000)
#define ECU 216000000001
#define ID "0a8f1d3e-0000-4000-8000-000000000001"
#define WORK                                                                                       \
	"{\"labels\": [\"806000000088:00112233445566778899aabbccddeeff\"], \"commission\": true, " \
	"\"places\": [{\"serial\": \"806000000088\", \"channel\": 1, \"x\": 0, \"y\": 2.5, \"turn\": 0}]}"

static uint8_t public[JOB_PUBLIC_BYTES];
static uint8_t secret[JOB_SECRET_BYTES];
static char err[200];

static int make_keys(void **state)
{
	(void)state;
	if (sodium_init() < 0) {
		return -1;
	}
	job_keys(public, secret);
	return 0;
}

/* A job with this work; freed by the caller. */
static char *job_with(const char *work)
{
	struct job job = { .id = ID,
			   .ecu = ECU,
			   .by = "anna",
			   .role = AUTH_INSTALLER,
			   .issued_ms = NOW_MS,
			   .expires_ms = NOW_MS + JOB_TTL_MS,
			   .work = json_tokener_parse(work) };
	char *text = job_sign(&job, secret);

	assert_non_null(text);
	job_clear(&job);
	return text;
}

static int open_at(const char *text, uint64_t ecu, int64_t now_ms)
{
	struct job job;
	int ret = job_open(text, public, ecu, now_ms, &job, err, sizeof(err));

	if (ret == 0) {
		job_clear(&job);
	}
	return ret;
}

static void a_job_comes_back_as_it_was_made(void **state)
{
	char *text = job_with(WORK);
	struct job job;

	(void)state;
	assert_int_equal(job_open(text, public, ECU, NOW_MS, &job, err, sizeof(err)), 0);
	assert_string_equal(job.id, ID);
	assert_string_equal(job.by, "anna");
	assert_int_equal(job.role, AUTH_INSTALLER);
	assert_int_equal(job.expires_ms, NOW_MS + JOB_TTL_MS);
	assert_int_equal(json_object_array_length(json_object_object_get(job.work, "labels")), 1);
	assert_true(json_object_get_boolean(json_object_object_get(job.work, "commission")));
	/* it goes into an address as it is */
	assert_int_equal(
		strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."),
		strlen(text));
	job_clear(&job);
	free(text);
}

static void every_altered_character_is_refused(void **state)
{
	char *text = job_with(WORK);
	size_t n = strlen(text);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		char was = text[i];

		text[i] = was == 'A' ? 'B' : 'A';
		assert_int_equal(open_at(text, ECU, NOW_MS), -EBADMSG);
		text[i] = '\0';
		assert_int_equal(open_at(text, ECU, NOW_MS), -EBADMSG);
		text[i] = was;
	}
	assert_int_equal(open_at(text, ECU, NOW_MS), 0);
	free(text);
}

static void a_job_of_another_service_or_gateway_or_time_is_refused(void **state)
{
	char *text = job_with(WORK);
	uint8_t other_public[JOB_PUBLIC_BYTES], other_secret[JOB_SECRET_BYTES];
	struct job job;

	(void)state;
	job_keys(other_public, other_secret);
	assert_int_equal(job_open(text, other_public, ECU, NOW_MS, &job, err, sizeof(err)),
			 -EBADMSG);
	assert_non_null(strstr(err, "has not signed it"));
	assert_int_equal(open_at(text, ECU + 1, NOW_MS), -EXDEV);
	assert_non_null(strstr(err, "216000000001"));
	assert_int_equal(open_at(text, ECU, NOW_MS + JOB_TTL_MS - 1), 0);
	assert_int_equal(open_at(text, ECU, NOW_MS + JOB_TTL_MS), -ETIME);
	assert_int_equal(open_at(text, ECU, NOW_MS - JOB_CLOCK_MS), 0);
	assert_int_equal(open_at(text, ECU, NOW_MS - JOB_CLOCK_MS - 1), -ETIME);
	free(text);
}

/* Such an id would be another one when the gateway reads the jobs that it has done. */
static void an_id_with_a_blank_is_refused(void **state)
{
	static const char blanks[] = " \t\n\v\f\r";

	(void)state;
	for (size_t i = 0; i < sizeof(blanks) - 1; i++) {
		struct job job = { .id = ID,
				   .ecu = ECU,
				   .by = "anna",
				   .issued_ms = NOW_MS,
				   .expires_ms = NOW_MS + JOB_TTL_MS,
				   .work = json_tokener_parse(WORK) };
		char *text;

		job.id[8] = blanks[i];
		text = job_sign(&job, secret);
		assert_int_equal(open_at(text, ECU, NOW_MS), -EBADMSG);
		job_clear(&job);
		free(text);
	}
}

static void signed_work_that_is_not_sound_is_refused(void **state)
{
	static const char *const works[] = {
		"{}",
		"{\"labels\": [], \"places\": []}",
		"{\"labels\": [\"short\"], \"places\": [], \"commission\": true}",
		"{\"labels\": [7], \"places\": [], \"commission\": true}",
		"{\"labels\": [], \"places\": [{}], \"commission\": true}",
		"{\"labels\": [], \"places\": [[]], \"commission\": true}",
		"{\"labels\": [], \"places\": {}, \"commission\": true}",
		"{\"labels\": [], \"places\": [{\"serial\": \"806000000088\", \"channel\": 5, "
		"\"x\": 0, \"y\": 0, \"turn\": 0}], \"commission\": true}",
		"{\"labels\": [], \"places\": [{\"serial\": \"806000000088\", \"channel\": 1, "
		"\"x\": 1e9, \"y\": 0, \"turn\": 0}], \"commission\": true}",
		"{\"labels\": [], \"places\": [], \"commission\": 1}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(works); i++) {
		char *text = job_with(works[i]);

		assert_int_equal(open_at(text, ECU, NOW_MS), -EBADMSG);
		free(text);
	}
}

static void a_text_that_is_not_a_job_is_refused(void **state)
{
	static const char *const texts[] = {
		"", ".", "x", "e30.", "e30.AAAA", "!.!", "e30.e30.e30"
	};
	char *large = malloc(JOB_TEXT_MAX + 2);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		assert_int_equal(open_at(texts[i], ECU, NOW_MS), -EBADMSG);
	}
	memset(large, 'A', JOB_TEXT_MAX + 1);
	large[JOB_TEXT_MAX + 1] = '\0';
	assert_int_equal(open_at(large, ECU, NOW_MS), -EBADMSG);
	free(large);
}

static void a_job_is_done_once_and_forgotten_when_it_has_expired(void **state)
{
	struct jobs_done done = { 0 }, back;
	struct job job = { .expires_ms = NOW_MS + 1000 };
	static char text[JOBS_DONE_SIZE];

	(void)state;
	for (int i = 0; i < JOBS_DONE_MAX; i++) {
		snprintf(job.id, sizeof(job.id), "0a8f1d3e-0000-4000-8000-%012d", i);
		assert_int_equal(jobs_done_add(&done, &job, NOW_MS), 0);
	}
	assert_int_equal(jobs_done_add(&done, &job, NOW_MS), -EALREADY);
	jobs_done_format(&done, text);
	jobs_done_parse(text, &back);
	assert_int_equal(back.count, JOBS_DONE_MAX);
	assert_string_equal(back.job[JOBS_DONE_MAX - 1].id, job.id);
	assert_int_equal(back.job[0].expires_ms, NOW_MS + 1000);
	strcpy(job.id, ID);
	job.id[35] = 'x';
	assert_int_equal(jobs_done_add(&done, &job, NOW_MS), -ENOSPC);
	assert_int_equal(jobs_done_add(&done, &job, NOW_MS + 1000), 0);
	assert_int_equal(done.count, 1);
	jobs_done_parse("", &back);
	assert_int_equal(back.count, 0);
}

/* ---- arguments of commands ---- */

static int check(const char *command, const char *arguments)
{
	struct json_object *json = json_tokener_parse(arguments);
	int ret = order_check_arguments((enum order_command)order_command_find(command), json, err,
					sizeof(err));

	json_object_put(json);
	return ret;
}

static void arguments_are_those_of_the_table(void **state)
{
	(void)state;
	assert_int_equal(check("limit", "{\"w\": 300, \"lease_s\": 600}"), 0);
	assert_int_equal(check("limit", "{\"w\": null}"), 0);
	assert_int_equal(check("limit", "{\"w\": 300, \"lease_s\": null, \"then_w\": null}"), 0);
	assert_int_equal(check("stop", "{}"), 0);
	assert_int_equal(check("commission", "{\"inverters\": 3}"), 0);
	assert_int_equal(check("profile", "{\"name\": \"vde-ar-n-4105\"}"), 0);
	assert_int_equal(order_check_arguments(COMMAND_START, NULL, err, sizeof(err)), 0);
}

static void other_arguments_are_refused(void **state)
{
	static const struct {
		const char *command;
		const char *arguments;
		const char *words;
	} wrong[] = {
		{ "limit", "{}", "expected w, found none" },
		{ "limit", "{\"w\": \"300\"}", "w to be a number" },
		{ "limit", "{\"w\": -1}", "from 0 to 10000000, found -1" },
		{ "limit", "{\"w\": 1, \"lease_s\": 86401}",
		  "lease_s to be an integer from 1 to 86400" },
		{ "limit", "{\"w\": 1, \"lease_s\": 1.5}", "lease_s" },
		{ "limit", "{\"w\": 1, \"lease\": 1}", "unknown member 'lease'" },
		{ "limit", "{\"w\": 1, \"s\": 1}", "unknown member 's'" },
		{ "start", "{\"w\": 1}", "unknown member 'w'" },
		{ "clear", "{\"fault\": \"\"}", "a text with a length from 1 to 31" },
		{ "clear", "{\"fault\": null}", "expected fault, found none" },
		{ "clear", "{\"fault\": \"gf\\u0000di\"}", "fault" },
		{ "commission", "{\"inverters\": 255}", "inverters" },
		{ "start", "[]", "expected an object" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_int_equal(check(wrong[i].command, wrong[i].arguments), -EINVAL);
		if (!strstr(err, wrong[i].words)) {
			fail_msg("%s %s: %s", wrong[i].command, wrong[i].arguments, err);
		}
	}
}

static void every_argument_of_a_command_has_a_row(void **state)
{
	(void)state;
	for (int i = 0; i < COMMAND_COUNT; i++) {
		order_check_arguments((enum order_command)i, NULL, err, sizeof(err));
		assert_null(strstr(err, "no row"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_job_comes_back_as_it_was_made),
		cmocka_unit_test(every_altered_character_is_refused),
		cmocka_unit_test(a_job_of_another_service_or_gateway_or_time_is_refused),
		cmocka_unit_test(an_id_with_a_blank_is_refused),
		cmocka_unit_test(signed_work_that_is_not_sound_is_refused),
		cmocka_unit_test(a_text_that_is_not_a_job_is_refused),
		cmocka_unit_test(a_job_is_done_once_and_forgotten_when_it_has_expired),
		cmocka_unit_test(arguments_are_those_of_the_table),
		cmocka_unit_test(other_arguments_are_refused),
		cmocka_unit_test(every_argument_of_a_command_has_a_row),
	};

	return cmocka_run_group_tests(tests, make_keys, NULL);
}
