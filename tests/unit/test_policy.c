// SPDX-License-Identifier: GPL-2.0-only
/* Policy: hours of it in milliseconds, against a firmware of a few lines. */
#include "policy_bench.h"

static void profile_comes_before_permission(void **state)
{
	struct bench b;

	(void)state;
	start(&b, NULL);
	boot(&b, true);
	run(&b, 1000);
	assert_int_equal(b.order[0], POLICY_APPLY_PROFILE);
	assert_int_equal(b.order[1], POLICY_ARM);
	assert_int_equal(b.ordered, 2);
	assert_string_equal(b.applied.name, "note1");
}

static void no_permission_before_self_test(void **state)
{
	struct bench b;

	(void)state;
	start(&b, NULL);
	boot(&b, false);
	run(&b, MINUTE_MS);
	assert_false(is_armed(&b));
	assert_int_equal(b.count[POLICY_APPLY_PROFILE], 1);
	b.in.status = QS1_STATUS_SELF_TEST_OK | QS1_STATE_SHUTDOWN;
	run(&b, 1000);
	assert_true(is_armed(&b));
}

static void refused_profile_keeps_it_off_and_is_tried_again(void **state)
{
	struct bench b;

	(void)state;
	start(&b, NULL);
	boot(&b, true);
	b.refuse[POLICY_APPLY_PROFILE] = -EINVAL;
	run(&b, MINUTE_MS);
	assert_false(is_armed(&b));
	assert_in_range(b.ordered, 10, 13);
	b.refuse[POLICY_APPLY_PROFILE] = 0;
	run(&b, POLICY_RETRY_MS + 1000);
	assert_true(is_armed(&b));
}

static void running_inverter_without_valid_profile_is_stopped(void **state)
{
	struct bench b;

	(void)state;
	start(&b, NULL);
	boot(&b, true);
	b.in.status |= QS1_STATUS_ARMED;
	set_state(&b, QS1_STATE_PRODUCING);
	b.refuse[POLICY_APPLY_PROFILE] = -EINVAL;
	run(&b, 2000);
	assert_false(is_armed(&b));
}

static void refused_permission_is_tried_again(void **state)
{
	struct bench b;

	(void)state;
	start(&b, NULL);
	boot(&b, true);
	b.refuse[POLICY_ARM] = -EBUSY;
	run(&b, 2 * POLICY_RETRY_MS);
	assert_false(is_armed(&b));
	b.refuse[POLICY_ARM] = 0;
	run(&b, POLICY_RETRY_MS + 1000);
	assert_true(is_armed(&b));
}

static void heartbeat_comes_at_least_each_half_second(void **state)
{
	struct bench b;

	(void)state;
	start(&b, NULL);
	run(&b, 10000);
	assert_int_equal(b.heartbeats, 0);
	produce(&b);
	b.heartbeats = 0;
	run(&b, MINUTE_MS);
	assert_in_range(b.heartbeats, 120, 160);
}

static void shutdown_is_kept_over_power(void **state)
{
	struct bench b, again;

	(void)state;
	start(&b, NULL);
	produce(&b);
	assert_int_equal(simple(&b, POLICY_COMMAND_STOP), 0);
	assert_false(is_armed(&b));
	assert_true(b.saved.shutdown);

	start(&again, &b.saved);
	boot(&again, true);
	run(&again, 10 * MINUTE_MS);
	assert_false(is_armed(&again));
	assert_int_equal(simple(&again, POLICY_COMMAND_START), 0);
	run(&again, 1000);
	assert_true(is_armed(&again));
	assert_false(again.saved.shutdown);
}

static void stop_is_kept_without_firmware_and_when_it_refuses(void **state)
{
	struct bench b;

	(void)state;
	start(&b, NULL);
	assert_int_equal(simple(&b, POLICY_COMMAND_STOP), 0);
	assert_true(b.saved.shutdown);

	start(&b, NULL);
	produce(&b);
	b.refuse[POLICY_DISARM] = -ETIMEDOUT;
	assert_int_equal(simple(&b, POLICY_COMMAND_STOP), -ETIMEDOUT);
	assert_true(b.saved.shutdown);
	b.refuse[POLICY_DISARM] = 0;
	run(&b, POLICY_RETRY_MS + 1000);
	assert_false(is_armed(&b));
}

static void ground_fault_is_kept_restored_and_cleared_by_command_only(void **state)
{
	struct bench b, again;

	(void)state;
	start(&b, NULL);
	produce(&b);
	b.ground = true;
	b.in.faults_active = GFDI;
	b.in.faults_latched = GFDI;
	set_state(&b, QS1_STATE_GROUND_FAULT);
	run(&b, TICK_MS);
	assert_true(b.saved.ground_fault);
	run(&b, 1000);
	assert_false(is_armed(&b));
	assert_int_equal(b.out.state, QS1_STATE_GROUND_FAULT);
	assert_int_equal(simple(&b, POLICY_COMMAND_START), -EPERM);
	assert_int_equal(simple(&b, POLICY_COMMAND_CLEAR), -EBUSY);
	assert_true(b.saved.ground_fault);

	/* Power is lost; the firmware knows nothing of it when it comes back. */
	start(&again, &b.saved);
	boot(&again, true);
	run(&again, 1000);
	assert_int_equal(again.count[POLICY_LATCH], 1);
	assert_int_equal(again.in.faults_latched, GFDI);
	run(&again, 24 * 60 * MINUTE_MS);
	assert_false(is_armed(&again));
	assert_in_range(again.reminders, 280, 290);

	assert_int_equal(simple(&again, POLICY_COMMAND_CLEAR), 0);
	assert_false(again.saved.ground_fault);
	run(&again, 1000);
	assert_true(is_armed(&again));
	assert_int_equal(again.count[POLICY_LATCH], 1);
}

static void a_sample_older_than_the_clearing_does_not_latch_again(void **state)
{
	struct bench b;

	(void)state;
	start(&b, NULL);
	produce(&b);
	b.in.faults_latched = GFDI;
	run(&b, 1000);
	assert_int_equal(simple(&b, POLICY_COMMAND_CLEAR), 0);
	b.in.faults_latched = GFDI;
	run(&b, TICK_MS);
	b.in.faults_latched = 0;
	run(&b, MINUTE_MS);
	assert_false(b.policy.kept.ground_fault);
	assert_int_equal(b.count[POLICY_LATCH], 0);
}

static void unrestored_latch_keeps_it_off(void **state)
{
	struct policy_kept kept = { .profile = profile_named("note1"), .ground_fault = true };
	struct bench b;

	(void)state;
	start(&b, &kept);
	boot(&b, true);
	b.refuse[POLICY_LATCH] = -ETIMEDOUT;
	run(&b, MINUTE_MS);
	assert_false(is_armed(&b));
	b.refuse[POLICY_LATCH] = 0;
	run(&b, POLICY_RETRY_MS + 1000);
	assert_int_equal(b.in.faults_latched, GFDI);
}

static void latch_is_saved_at_once_and_again_until_it_is(void **state)
{
	struct bench b;

	(void)state;
	start(&b, NULL);
	produce(&b);
	b.refuse[POLICY_SAVE] = -ENOSPC;
	b.in.faults_latched = GFDI;
	set_state(&b, QS1_STATE_GROUND_FAULT);
	run(&b, 1000);
	assert_false(b.saved.ground_fault);
	assert_int_equal(simple(&b, POLICY_COMMAND_CLEAR), -ENOSPC);
	b.in.faults_latched = GFDI;
	run(&b, 1000);
	b.refuse[POLICY_SAVE] = 0;
	run(&b, POLICY_RETRY_MS);
	assert_true(b.saved.ground_fault);
}

static void other_latches_are_the_firmwares(void **state)
{
	struct bench b;

	(void)state;
	start(&b, NULL);
	produce(&b);
	b.in.faults_latched = GFDI;
	run(&b, 1000);
	assert_int_equal(command(&b, &(struct policy_command){ .kind = POLICY_COMMAND_CLEAR,
							       .fault = QS1_FAULT_RELAY }),
			 0);
	assert_true(b.saved.ground_fault);
}

static void commands_need_a_firmware_that_answers(void **state)
{
	struct policy_command use = { .kind = POLICY_COMMAND_PROFILE,
				      .profile = profile_named("other") };
	struct bench b;

	(void)state;
	start(&b, NULL);
	assert_int_equal(simple(&b, POLICY_COMMAND_CLEAR), -ENODEV);
	assert_int_equal(simple(&b, POLICY_COMMAND_SET), -ENODEV);
	assert_int_equal(command(&b, &use), -ENODEV);
	assert_int_equal(simple(&b, POLICY_COMMAND_START), 0);
	produce(&b);
	b.frozen = true;
	run(&b, POLICY_STALE_MS + 1000);
	assert_int_equal(command(&b, &use), -ENODEV);
}

static void profile_is_kept_when_the_firmware_took_it(void **state)
{
	struct policy_command use = { .kind = POLICY_COMMAND_PROFILE,
				      .profile = profile_named("other") };
	struct bench b;

	(void)state;
	start(&b, NULL);
	produce(&b);
	b.refuse[POLICY_APPLY_PROFILE] = -EINVAL;
	assert_int_equal(command(&b, &use), -EINVAL);
	assert_string_equal(b.policy.kept.profile.name, "note1");
	assert_true(is_armed(&b));
	b.refuse[POLICY_APPLY_PROFILE] = 0;
	assert_int_equal(command(&b, &use), 0);
	assert_string_equal(b.saved.profile.name, "other");
}

static void settings_outlive_a_restart_of_the_firmware(void **state)
{
	struct policy_command limit = { .kind = POLICY_COMMAND_SET,
					.param = QS1_PARAM_POWER_LIMIT_W,
					.value = 600 };
	struct policy_command delay = { .kind = POLICY_COMMAND_SET,
					.param = QS1_PARAM_ES_DELAY_S,
					.value = 0 };
	struct policy_command use = { .kind = POLICY_COMMAND_PROFILE,
				      .profile = profile_named("other") };
	struct bench b;

	(void)state;
	start(&b, NULL);
	produce(&b);
	assert_int_equal(command(&b, &limit), 0);
	assert_int_equal(command(&b, &delay), 0);
	assert_true(b.saved.set[QS1_PARAM_POWER_LIMIT_W]);
	b.set_value = -1;
	boot(&b, true);
	run(&b, 1000);
	/* One is part of the profile and comes with it, the other comes after it. */
	assert_int_equal(b.applied.value[QS1_PARAM_ES_DELAY_S], 0);
	assert_int_equal(b.set_value, 600);
	assert_true(is_armed(&b));

	assert_int_equal(command(&b, &use), 0);
	assert_false(b.saved.set[QS1_PARAM_ES_DELAY_S]);
	assert_true(b.saved.set[QS1_PARAM_POWER_LIMIT_W]);
}

static void refused_setting_is_not_kept_nor_in_the_way(void **state)
{
	struct policy_command limit = { .kind = POLICY_COMMAND_SET,
					.param = QS1_PARAM_POWER_LIMIT_W,
					.value = 600 };
	struct bench b;

	(void)state;
	start(&b, NULL);
	produce(&b);
	b.refuse[POLICY_SET] = -ERANGE;
	assert_int_equal(command(&b, &limit), -ERANGE);
	assert_false(b.saved.set[QS1_PARAM_POWER_LIMIT_W]);
	b.refuse[POLICY_SET] = 0;
	assert_int_equal(command(&b, &limit), 0);
	b.refuse[POLICY_SET] = -ERANGE;
	boot(&b, true);
	run(&b, 1000);
	assert_true(is_armed(&b));
}

static void firmware_that_crashed_is_set_up_again(void **state)
{
	struct bench b;

	(void)state;
	start(&b, NULL);
	produce(&b);
	b.in.present = false;
	run(&b, 3000);
	assert_int_equal(b.out.state, QS1_STATE_OFF);
	assert_int_equal(b.out.show, POLICY_SHOW_NOT_PRODUCING);
	boot(&b, true);
	run(&b, 1000);
	assert_int_equal(b.count[POLICY_APPLY_PROFILE], 2);
	assert_int_equal(b.count[POLICY_ARM], 2);
	/* Too fast for anybody to have seen it away. */
	boot(&b, true);
	run(&b, 1000);
	assert_int_equal(b.count[POLICY_ARM], 3);
}

static void stale_samples_are_a_fault(void **state)
{
	struct bench b;

	(void)state;
	start(&b, NULL);
	produce(&b);
	b.frozen = true;
	run(&b, POLICY_STALE_MS);
	assert_false(b.out.stale);
	run(&b, 2 * TICK_MS);
	assert_true(b.out.stale);
	assert_int_equal(b.out.state, QS1_STATE_FAULT);
	assert_true(b.out.faults_active & QS1_FAULT_BIT(QS1_FAULT_FIRMWARE));
	assert_int_equal(b.out.show, POLICY_SHOW_NOT_PRODUCING);
	assert_int_equal(b.count[POLICY_DISARM], 1);
	b.heartbeats = 0;
	run(&b, MINUTE_MS);
	assert_int_equal(b.heartbeats, 0);
	assert_int_equal(b.count[POLICY_DISARM], 1);
	b.frozen = false;
	run(&b, 1000);
	assert_true(is_armed(&b));
}

static void implausible_samples_are_a_fault(void **state)
{
	struct bench b;

	(void)state;
	start(&b, NULL);
	produce(&b);
	b.in.plausible = false;
	run(&b, (POLICY_IMPLAUSIBLE_READINGS - 1) * READING_MS);
	b.in.plausible = true;
	run(&b, READING_MS);
	assert_true(is_armed(&b));
	b.in.plausible = false;
	run(&b, POLICY_IMPLAUSIBLE_READINGS * READING_MS);
	assert_false(is_armed(&b));
	assert_true(b.out.faults_active & QS1_FAULT_BIT(QS1_FAULT_SENSOR));
	b.in.plausible = true;
	run(&b, (POLICY_PLAUSIBLE_READINGS - 1) * READING_MS);
	assert_false(is_armed(&b));
	run(&b, READING_MS + 1000);
	assert_true(is_armed(&b));
}

/* Ten decisions see each reading: it counts once. */
static void one_bad_reading_stops_nothing(void **state)
{
	struct bench b;

	(void)state;
	start(&b, NULL);
	produce(&b);
	b.in.plausible = false;
	run(&b, READING_MS);
	b.in.plausible = true;
	run(&b, 10 * READING_MS);
	assert_true(is_armed(&b));
	assert_int_equal(b.count[POLICY_DISARM], 0);
}

static void unknown_state_is_a_fault(void **state)
{
	struct bench b;

	(void)state;
	start(&b, NULL);
	produce(&b);
	b.in.status |= QS1_STATUS_STATE_MASK;
	run(&b, TICK_MS);
	assert_int_equal(b.out.state, QS1_STATE_FAULT);
	assert_true(b.out.faults_active & QS1_FAULT_BIT(QS1_FAULT_SENSOR));
}

static void leds_follow_the_manual(void **state)
{
	struct bench b;

	(void)state;
	start(&b, NULL);
	run(&b, 1000);
	assert_int_equal(b.out.show, POLICY_SHOW_NOT_PRODUCING);
	boot(&b, true);
	run(&b, TICK_MS);
	assert_int_equal(b.out.show, POLICY_SHOW_STARTUP);
	run(&b, POLICY_STARTUP_MS);
	assert_int_equal(b.out.show, POLICY_SHOW_NOT_PRODUCING);
	set_state(&b, QS1_STATE_DERATING);
	b.in.ecu = true;
	run(&b, TICK_MS);
	assert_int_equal(b.out.show, POLICY_SHOW_PRODUCING);
	set_state(&b, QS1_STATE_CEASED);
	run(&b, TICK_MS);
	assert_int_equal(b.out.show, POLICY_SHOW_NOT_PRODUCING);
	b.in.faults_latched = GFDI;
	run(&b, TICK_MS);
	assert_int_equal(b.out.show, POLICY_SHOW_GROUND_FAULT);
}

static void no_startup_pattern_beside_a_running_inverter(void **state)
{
	struct bench b;

	(void)state;
	start(&b, NULL);
	boot(&b, true);
	b.in.status |= QS1_STATUS_ARMED;
	set_state(&b, QS1_STATE_PRODUCING);
	run(&b, TICK_MS);
	assert_int_equal(b.out.show, POLICY_SHOW_PRODUCING_NO_ECU);
}

static void ecu_is_missed_after_sixty_minutes(void **state)
{
	struct bench b;

	(void)state;
	start(&b, NULL);
	produce(&b);
	/* Nothing has ever asked for a report. */
	assert_int_equal(b.out.show, POLICY_SHOW_PRODUCING_NO_ECU);
	b.in.ecu = true;
	run(&b, TICK_MS);
	run(&b, POLICY_ECU_TIMEOUT_MS);
	assert_int_equal(b.out.show, POLICY_SHOW_PRODUCING);
	run(&b, TICK_MS);
	assert_int_equal(b.out.show, POLICY_SHOW_PRODUCING_NO_ECU);
	b.in.ecu = true;
	run(&b, TICK_MS);
	assert_int_equal(b.out.show, POLICY_SHOW_PRODUCING);
}

static void an_empty_command_is_none(void **state)
{
	const struct policy_command nothing = { .kind = POLICY_COMMAND_NONE };
	struct bench b;

	(void)state;
	start(&b, NULL);
	boot(&b, true);
	step(&b, &nothing);
	assert_false(b.done);
	assert_int_equal(b.order[0], POLICY_APPLY_PROFILE);
}

/* A self test that passes late, beside a permission that was given already. */
static void a_late_self_test_shows_the_startup_pattern(void **state)
{
	struct bench b;

	(void)state;
	start(&b, NULL);
	boot(&b, false);
	b.in.status |= QS1_STATUS_ARMED;
	run(&b, TICK_MS);
	assert_int_equal(b.out.show, POLICY_SHOW_NOT_PRODUCING);
	b.in.status |= QS1_STATUS_SELF_TEST_OK;
	run(&b, TICK_MS);
	assert_int_equal(b.out.show, POLICY_SHOW_STARTUP);
}

static void every_action_has_its_words(void **state)
{
	(void)state;
	for (int action = 0; action < POLICY_ACTION_COUNT; action++) {
		assert_true(strlen(policy_action_text(action)) > 3);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(profile_comes_before_permission),
		cmocka_unit_test(no_permission_before_self_test),
		cmocka_unit_test(refused_profile_keeps_it_off_and_is_tried_again),
		cmocka_unit_test(running_inverter_without_valid_profile_is_stopped),
		cmocka_unit_test(refused_permission_is_tried_again),
		cmocka_unit_test(heartbeat_comes_at_least_each_half_second),
		cmocka_unit_test(shutdown_is_kept_over_power),
		cmocka_unit_test(stop_is_kept_without_firmware_and_when_it_refuses),
		cmocka_unit_test(ground_fault_is_kept_restored_and_cleared_by_command_only),
		cmocka_unit_test(a_sample_older_than_the_clearing_does_not_latch_again),
		cmocka_unit_test(unrestored_latch_keeps_it_off),
		cmocka_unit_test(latch_is_saved_at_once_and_again_until_it_is),
		cmocka_unit_test(other_latches_are_the_firmwares),
		cmocka_unit_test(commands_need_a_firmware_that_answers),
		cmocka_unit_test(profile_is_kept_when_the_firmware_took_it),
		cmocka_unit_test(settings_outlive_a_restart_of_the_firmware),
		cmocka_unit_test(refused_setting_is_not_kept_nor_in_the_way),
		cmocka_unit_test(firmware_that_crashed_is_set_up_again),
		cmocka_unit_test(stale_samples_are_a_fault),
		cmocka_unit_test(implausible_samples_are_a_fault),
		cmocka_unit_test(one_bad_reading_stops_nothing),
		cmocka_unit_test(unknown_state_is_a_fault),
		cmocka_unit_test(leds_follow_the_manual),
		cmocka_unit_test(no_startup_pattern_beside_a_running_inverter),
		cmocka_unit_test(ecu_is_missed_after_sixty_minutes),
		cmocka_unit_test(an_empty_command_is_none),
		cmocka_unit_test(a_late_self_test_shows_the_startup_pattern),
		cmocka_unit_test(every_action_has_its_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
