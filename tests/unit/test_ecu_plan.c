// SPDX-License-Identifier: GPL-2.0-or-later
/* The plan: deadlines, commands, back-off, dusk and dawn; a day passes in milliseconds. */
#include "link_bench.h"

#include "plan.h"

#define S UINT64_C(1000000)
#define MINUTE (60 * S)
#define HOUR (60 * MINUTE)
#define EXCHANGE (S / 20)

static struct plan plan;
static uint64_t now;
static double power[MODEL_UNITS_MAX];
static bool silent[MODEL_UNITS_MAX];
static uint64_t polled_us[MODEL_UNITS_MAX];
static uint64_t longest_us[MODEL_UNITS_MAX];
static int polls[MODEL_UNITS_MAX];
static int changes;

static void start(int units, uint64_t cadence_us)
{
	now = HOUR;
	changes = 0;
	plan_init(&plan, cadence_us, 7);
	plan.slots = 1;
	for (int i = 0; i < units; i++) {
		power[i] = 500;
		silent[i] = false;
		polls[i] = 0;
		longest_us[i] = 0;
		polled_us[i] = now;
		assert_int_equal(plan_add(&plan, now), i);
	}
}

static void serve(const struct plan_choice *choice)
{
	int i = choice->unit;

	plan_begin(&plan, i, choice->job, now);
	now += EXCHANGE;
	if (silent[i]) {
		changes += plan_failed(&plan, i, now);
		return;
	}
	changes += plan_answered(&plan, i, false, now);
	if (choice->job == JOB_POLL) {
		plan_light(&plan, i, power[i], now);
		longest_us[i] = now - polled_us[i] > longest_us[i] ? now - polled_us[i]
								   : longest_us[i];
		polled_us[i] = now;
		polls[i]++;
	}
}

static void run(uint64_t us)
{
	uint64_t until = now + us;

	while (now < until) {
		struct plan_choice choice = plan_next(&plan, now);

		if (choice.unit >= 0) {
			serve(&choice);
		} else {
			assert_true(choice.due_us > now);
			now = choice.due_us < until ? choice.due_us : until;
		}
	}
}

static void a_cadence_is_kept_from_1_s_to_5_min(void **state)
{
	static const double cadence_s[] = { 1, 5, 60, 300 };

	(void)state;
	for (size_t i = 0; i < COUNT(cadence_s); i++) {
		uint64_t cadence_us = (uint64_t)(cadence_s[i] * 1e6);

		start(10, cadence_us);
		run(20 * cadence_us);
		for (int n = 0; n < 10; n++) {
			assert_in_range(polls[n], 19, 23);
			/* ten units share the modem: half a second of waiting at the worst */
			assert_true(longest_us[n] <= cadence_us + 12 * EXCHANGE);
		}
	}
}

/* OpenDTU issue 2446: readings became older than what clients were told. */
static void the_cadence_that_can_be_kept_is_stated(void **state)
{
	(void)state;
	start(50, 1 * S);
	assert_int_equal(plan_cadence(&plan, (double)EXCHANGE), 50 * EXCHANGE);
	assert_int_equal(plan_cadence(&plan, 1000), 1 * S);
}

static void commands_go_before_polls_and_the_same_job_is_one(void **state)
{
	struct plan_choice choice;

	(void)state;
	start(20, 1 * S);
	run(5 * S);
	now += S;
	plan_want(&plan, 7, JOB_LIMIT, now);
	plan_want(&plan, 7, JOB_LIMIT, now);
	plan_want(&plan, 7, JOB_LIMIT, now);
	choice = plan_next(&plan, now);
	assert_int_equal(choice.unit, 7);
	assert_int_equal(choice.job, JOB_LIMIT);
	serve(&choice);
	choice = plan_next(&plan, now);
	assert_int_equal(choice.job, JOB_POLL);
}

static void one_job_is_under_way_for_a_unit_and_two_for_the_modem(void **state)
{
	struct plan_choice choice;

	(void)state;
	start(3, 1 * S);
	plan.slots = PLAN_OUTSTANDING;
	now += 2 * S;
	plan_want(&plan, 0, JOB_LIMIT, now);
	choice = plan_next(&plan, now);
	assert_int_equal(choice.unit, 0);
	plan_begin(&plan, 0, choice.job, now);
	plan_want(&plan, 0, JOB_COMMAND, now);
	choice = plan_next(&plan, now);
	assert_int_not_equal(choice.unit, 0);
	plan_begin(&plan, choice.unit, choice.job, now);
	assert_int_equal(plan_next(&plan, now).unit, -1);
	/* a command that was sent waits for its answer without keeping the modem */
	plan_release(&plan, 0);
	choice = plan_next(&plan, now);
	assert_true(choice.unit > 0);
}

static void a_silent_unit_is_asked_ever_more_rarely_and_others_as_before(void **state)
{
	int asked = 0;

	(void)state;
	start(10, 2 * S);
	run(60 * S);
	silent[3] = true;
	for (int i = 0; i < 10; i++) {
		polls[i] = 0;
	}
	for (uint64_t until = now + 10 * MINUTE; now < until;) {
		struct plan_choice choice = plan_next(&plan, now);

		if (choice.unit >= 0) {
			asked += choice.unit == 3;
			serve(&choice);
		} else {
			now = choice.due_us;
		}
	}
	print_message("asked a dead unit %d times in 10 minutes\n", asked);
	assert_true(asked <= 25);
	assert_int_equal(plan.unit[3].link, LINK_LOST);
	for (int i = 0; i < 10; i++) {
		assert_true(i == 3 || polls[i] >= 298);
	}
}

static void retries_of_units_that_failed_together_are_spread(void **state)
{
	uint64_t due[20];

	(void)state;
	start(20, 5 * S);
	for (int i = 0; i < 20; i++) {
		plan_begin(&plan, i, JOB_POLL, now);
		plan_failed(&plan, i, now);
		due[i] = plan.unit[i].due_us;
		assert_true(due[i] >= now + PLAN_RETRY_US && due[i] <= now + 2 * PLAN_RETRY_US);
		for (int n = 0; n < i; n++) {
			assert_true(due[n] != due[i]);
		}
	}
}

/* A whole evening, night and morning. */
static void dusk_is_no_loss_and_dawn_wakes_all(void **state)
{
	int lost = 0;

	(void)state;
	start(12, 5 * S);
	run(HOUR);
	for (int minute = 0; minute < 60; minute++) {
		for (int i = 0; i < 12; i++) {
			/* each fades at its own pace, and its radio ends at 5 W */
			power[i] = 300 * exp(-(minute + i) / 8.0);
			silent[i] = power[i] < 5;
		}
		run(MINUTE);
	}
	run(9 * HOUR);
	for (int i = 0; i < 12; i++) {
		assert_int_equal(plan.unit[i].link, LINK_ASLEEP);
	}
	assert_true(plan_night(&plan));
	for (int minute = 0; minute < 60; minute++) {
		for (int i = 0; i < 12; i++) {
			power[i] = 5 * exp((minute - i) / 8.0);
			silent[i] = power[i] < 5;
		}
		run(MINUTE);
		for (int i = 0; i < 12; i++) {
			lost += plan.unit[i].link == LINK_LOST;
			/* awake for two minutes: heard */
			if (minute >= i + 2) {
				assert_int_equal(plan.unit[i].link, LINK_LIVE);
			}
		}
	}
	assert_int_equal(lost, 0);
	assert_false(plan_night(&plan));
}

static void a_unit_that_does_not_wake_with_the_others_is_lost(void **state)
{
	(void)state;
	start(5, 5 * S);
	for (int i = 0; i < 5; i++) {
		power[i] = 4;
	}
	run(MINUTE);
	for (int i = 0; i < 5; i++) {
		silent[i] = true;
	}
	run(8 * HOUR);
	for (int i = 0; i < 4; i++) {
		silent[i] = false;
		power[i] = 400;
	}
	run(10 * MINUTE);
	assert_int_equal(plan.unit[4].link, LINK_ASLEEP);
	run(30 * MINUTE);
	assert_int_equal(plan.unit[4].link, LINK_LOST);
	assert_int_equal(plan.unit[0].link, LINK_LIVE);
}

static void a_unit_lost_by_day_is_lost_at_night_too(void **state)
{
	(void)state;
	start(3, 5 * S);
	run(MINUTE);
	silent[0] = true;
	run(5 * MINUTE);
	assert_int_equal(plan.unit[0].link, LINK_LOST);
	power[1] = power[2] = 3;
	run(MINUTE);
	silent[1] = silent[2] = true;
	run(HOUR);
	assert_int_equal(plan.unit[0].link, LINK_LOST);
	assert_int_equal(plan.unit[1].link, LINK_ASLEEP);
}

/* vincentwolsink issue 191: lists were cut at 50. */
static void any_number_of_units_is_served(void **state)
{
	static const int counts[] = { 1, 9, 10, 43, 50, 64, 100, 254 };

	(void)state;
	for (size_t i = 0; i < COUNT(counts); i++) {
		start(counts[i], 60 * S);
		run(130 * S);
		for (int n = 0; n < counts[i]; n++) {
			assert_true(polls[n] >= 2);
		}
	}
	assert_int_equal(plan_add(&plan, now), -ENOSPC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cadence_is_kept_from_1_s_to_5_min),
		cmocka_unit_test(the_cadence_that_can_be_kept_is_stated),
		cmocka_unit_test(commands_go_before_polls_and_the_same_job_is_one),
		cmocka_unit_test(one_job_is_under_way_for_a_unit_and_two_for_the_modem),
		cmocka_unit_test(a_silent_unit_is_asked_ever_more_rarely_and_others_as_before),
		cmocka_unit_test(retries_of_units_that_failed_together_are_spread),
		cmocka_unit_test(dusk_is_no_loss_and_dawn_wakes_all),
		cmocka_unit_test(a_unit_that_does_not_wake_with_the_others_is_lost),
		cmocka_unit_test(a_unit_lost_by_day_is_lost_at_night_too),
		cmocka_unit_test(any_number_of_units_is_served),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
