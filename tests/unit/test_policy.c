// SPDX-License-Identifier: GPL-2.0-only
/* Policy: hours of simulated time in milliseconds, with a simulated firmware. */
#include "policy_bench.h"

static void profile_comes_before_permission(void **state)
{
	struct bench b;

	(void)state;
	start(&b, NULL);
	boot(&b, true);
	run(&b, 1000);
	assert_int_equal(b.order[0], POLICY_APPLY_PROFILE);
	for (unsigned int n = 1; n < b.ordered - 1; n++) {
		assert_int_equal(b.order[n], POLICY_SET);
	}
	assert_int_equal(b.order[b.ordered - 1], POLICY_ARM);
	assert_int_equal(b.count[POLICY_ARM], 1);
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

static void heartbeat_keeps_its_period(void **state)
{
	struct bench b;

	(void)state;
	start(&b, NULL);
	run(&b, 10000);
	assert_int_equal(b.heartbeats, 0);
	produce(&b);
	b.heartbeats = 0;
	run(&b, MINUTE_MS);
	assert_int_equal(b.heartbeats, MINUTE_MS / POLICY_HEARTBEAT_MS);
	/* A late heartbeat is not followed by an extra one. */
	b.now_ms += 5000;
	b.in.sample++;
	b.heartbeats = 0;
	run(&b, 1000);
	assert_in_range(b.heartbeats, 5, 6);
}

static void a_shutdown_survives_a_loss_of_power(void **state)
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

static void a_stop_is_kept_if_the_firmware_is_absent_or_refuses(void **state)
{
	struct bench b;

	(void)state;
	start(&b, NULL);
	assert_int_equal(simple(&b, POLICY_COMMAND_STOP), 0);
	assert_true(b.saved.shutdown);

	start(&b, NULL);
	produce(&b);
	b.refuse[POLICY_DISARM] = -ETIMEDOUT;
	assert_int_equal(simple(&b, POLICY_COMMAND_STOP), POLICY_UNKNOWN);
	assert_int_equal(error_of(&b, POLICY_SLOT_STOP), -ETIMEDOUT);
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
	assert_int_equal(simple(&b, POLICY_COMMAND_START), POLICY_REFUSED);
	assert_int_equal(error_of(&b, POLICY_SLOT_CHANGE), -EPERM);
	assert_int_equal(simple(&b, POLICY_COMMAND_CLEAR), POLICY_REFUSED);
	assert_int_equal(error_of(&b, POLICY_SLOT_CHANGE), -EBUSY);
	assert_true(b.saved.ground_fault);

	/* After a loss of power the firmware no longer has the latch. */
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

static void a_latch_that_cannot_be_restored_keeps_it_disarmed(void **state)
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

static void a_latch_is_saved_at_once_and_retried_until_stored(void **state)
{
	struct bench b;

	(void)state;
	start(&b, NULL);
	produce(&b);
	b.save_result = -ENOSPC;
	b.in.faults_latched = GFDI;
	set_state(&b, QS1_STATE_GROUND_FAULT);
	run(&b, 1000);
	assert_false(b.saved.ground_fault);
	assert_false(b.out.stored);
	b.save_result = 0;
	run(&b, POLICY_RETRY_MS);
	assert_true(b.saved.ground_fault);
	assert_true(b.out.stored);
}

/* If the cleared state cannot be stored, the fault stays latched, in the firmware too. */
static void a_clear_that_is_not_stored_is_undone(void **state)
{
	struct bench b;

	(void)state;
	start(&b, NULL);
	produce(&b);
	b.in.faults_latched = GFDI;
	set_state(&b, QS1_STATE_GROUND_FAULT);
	run(&b, 1000);
	b.save_result = -EROFS;
	assert_int_equal(simple(&b, POLICY_COMMAND_CLEAR), POLICY_NOT_STORED);
	assert_int_equal(error_of(&b, POLICY_SLOT_CHANGE), -EROFS);
	assert_true(b.answer[POLICY_SLOT_CHANGE].undone);
	run(&b, POLICY_RETRY_MS + 1000);
	assert_int_equal(b.count[POLICY_LATCH], 1);
	assert_false(is_armed(&b));
	assert_true(b.policy.kept.ground_fault);
}

/* A fault that returns while the clear is being stored overrides the clear. */
static void a_fault_that_returns_ends_the_clearing(void **state)
{
	struct bench b;

	(void)state;
	start(&b, NULL);
	produce(&b);
	b.in.faults_latched = GFDI;
	run(&b, 1000);
	b.save_ms = 2000;
	step(&b, &(struct policy_command){ .kind = POLICY_COMMAND_CLEAR, .fault = QS1_FAULT_GFDI });
	run(&b, 1000);
	assert_int_equal(b.in.faults_latched, 0);
	b.in.faults_latched = GFDI;
	run(&b, TICK_MS);
	assert_int_equal(b.answer[POLICY_SLOT_CHANGE].outcome, POLICY_REFUSED);
	assert_int_equal(error_of(&b, POLICY_SLOT_CHANGE), -EBUSY);
	run(&b, 10000);
	assert_true(b.saved.ground_fault);
	assert_false(is_armed(&b));
}

static void clearing_another_latch_keeps_the_ground_fault(void **state)
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
	assert_int_equal(simple(&b, POLICY_COMMAND_CLEAR), POLICY_REFUSED);
	assert_int_equal(error_of(&b, POLICY_SLOT_CHANGE), -ENODEV);
	assert_int_equal(simple(&b, POLICY_COMMAND_SET), POLICY_REFUSED);
	assert_int_equal(error_of(&b, POLICY_SLOT_CHANGE), -ENODEV);
	assert_int_equal(command(&b, &use), POLICY_REFUSED);
	assert_int_equal(error_of(&b, POLICY_SLOT_CHANGE), -ENODEV);
	assert_int_equal(simple(&b, POLICY_COMMAND_START), 0);
	produce(&b);
	b.frozen = true;
	run(&b, POLICY_STALE_MS + 1000);
	assert_int_equal(command(&b, &use), POLICY_REFUSED);
	assert_int_equal(error_of(&b, POLICY_SLOT_CHANGE), -ENODEV);
}

static void a_profile_is_kept_once_the_firmware_accepts_it(void **state)
{
	struct policy_command use = { .kind = POLICY_COMMAND_PROFILE,
				      .profile = profile_named("other") };
	struct bench b;

	(void)state;
	start(&b, NULL);
	produce(&b);
	b.refuse[POLICY_APPLY_PROFILE] = -EINVAL;
	assert_int_equal(command(&b, &use), POLICY_REFUSED);
	assert_int_equal(error_of(&b, POLICY_SLOT_CHANGE), -EINVAL);
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
	boot(&b, true);
	run(&b, 1000);
	/* One setting is part of the profile and applied with it, the other after it. */
	assert_int_equal(b.applied.value[QS1_PARAM_ES_DELAY_S], 0);
	assert_int_equal(b.value[QS1_PARAM_POWER_LIMIT_W], 600);
	assert_true(is_armed(&b));

	assert_int_equal(command(&b, &use), 0);
	assert_false(b.saved.set[QS1_PARAM_ES_DELAY_S]);
	assert_true(b.saved.set[QS1_PARAM_POWER_LIMIT_W]);
}

static const struct policy_command limit_600_w = {
	.kind = POLICY_COMMAND_SET,
	.param = QS1_PARAM_POWER_LIMIT_W,
	.value = 600,
};

static void a_refused_setting_is_not_kept_and_blocks_nothing(void **state)
{
	struct bench b;

	(void)state;
	start(&b, NULL);
	produce(&b);
	b.refuse[POLICY_SET] = -ERANGE;
	assert_int_equal(command(&b, &limit_600_w), POLICY_REFUSED);
	assert_int_equal(error_of(&b, POLICY_SLOT_CHANGE), -ERANGE);
	assert_false(b.saved.set[QS1_PARAM_POWER_LIMIT_W]);
	b.refuse[POLICY_SET] = -EOPNOTSUPP;
	assert_int_equal(command(&b, &limit_600_w), POLICY_REFUSED);
	b.refuse[POLICY_SET] = 0;
	assert_int_equal(command(&b, &limit_600_w), POLICY_DONE);
	b.refuse[POLICY_SET] = -ERANGE;
	boot(&b, true);
	run(&b, 1000);
	assert_true(is_armed(&b));
}

/* A command refused because of a read-only disk has no effect, then or later. */
static void a_start_that_is_not_stored_arms_nothing(void **state)
{
	struct policy_kept kept = { .profile = profile_named("note1"), .shutdown = true };
	struct bench b;

	(void)state;
	start(&b, &kept);
	boot(&b, true);
	run(&b, 1000);
	b.save_result = -EROFS;
	assert_int_equal(simple(&b, POLICY_COMMAND_START), POLICY_NOT_STORED);
	assert_int_equal(error_of(&b, POLICY_SLOT_CHANGE), -EROFS);
	assert_true(b.answer[POLICY_SLOT_CHANGE].undone);
	run(&b, MINUTE_MS);
	assert_int_equal(b.count[POLICY_ARM], 0);
	/* The disk may have stored it after all: the kept state is saved as soon as possible. */
	b.save_result = 0;
	run(&b, POLICY_RETRY_MS);
	assert_int_equal(b.saves, 1);
	assert_int_equal(b.count[POLICY_ARM], 0);
}

static void a_setting_that_is_not_stored_is_undone(void **state)
{
	struct policy_command delay = { .kind = POLICY_COMMAND_SET,
					.param = QS1_PARAM_ES_DELAY_S,
					.value = 5 };
	struct policy_command use = { .kind = POLICY_COMMAND_PROFILE,
				      .profile = profile_named("other") };
	struct bench b;

	(void)state;
	start(&b, NULL);
	produce(&b);
	b.save_result = -EROFS;
	assert_int_equal(command(&b, &limit_600_w), POLICY_NOT_STORED);
	assert_true(b.answer[POLICY_SLOT_CHANGE].undone);
	assert_int_equal(b.value[QS1_PARAM_POWER_LIMIT_W], 1200);
	assert_int_equal(command(&b, &delay), POLICY_NOT_STORED);
	assert_int_equal(b.applied.value[QS1_PARAM_ES_DELAY_S],
			 qs1_param_desc(QS1_PARAM_ES_DELAY_S)->def);
	assert_int_equal(command(&b, &use), POLICY_NOT_STORED);
	assert_string_equal(b.applied.name, "note1");

	/* If the firmware refuses the former value, the answer says so. */
	b.save_ms = 500;
	step(&b, &limit_600_w);
	b.refuse[POLICY_SET] = -ETIMEDOUT;
	b.answer[POLICY_SLOT_CHANGE].ended = false;
	run(&b, POLICY_UNDO_MS + 1000);
	assert_int_equal(b.answer[POLICY_SLOT_CHANGE].outcome, POLICY_NOT_STORED);
	assert_false(b.answer[POLICY_SLOT_CHANGE].undone);
	b.refuse[POLICY_SET] = 0;
	run(&b, POLICY_RETRY_MS + 1000);
	assert_int_equal(b.value[QS1_PARAM_POWER_LIMIT_W], 1200);
}

/* One timeout when the firmware starts delays the setting by a retry, not by an hour. */
static void a_kept_setting_survives_a_firmware_that_does_not_answer(void **state)
{
	struct bench b;

	(void)state;
	start(&b, NULL);
	produce(&b);
	assert_int_equal(command(&b, &limit_600_w), POLICY_DONE);
	boot(&b, true);
	b.refuse[POLICY_SET] = -ETIMEDOUT;
	run(&b, 1000);
	b.refuse[POLICY_SET] = 0;
	assert_false(is_armed(&b));
	run(&b, POLICY_RETRY_MS);
	assert_int_equal(b.value[QS1_PARAM_POWER_LIMIT_W], 600);
	assert_true(is_armed(&b));
}

/* The firmware carried it out without an answer: the value is read back until it is known. */
static void a_command_without_an_answer_is_retried_until_its_outcome_is_known(void **state)
{
	struct policy_command use = { .kind = POLICY_COMMAND_PROFILE,
				      .profile = profile_named("other") };
	struct bench b;

	(void)state;
	start(&b, NULL);
	produce(&b);
	b.taken = true;
	b.refuse[POLICY_APPLY_PROFILE] = -ETIMEDOUT;
	step(&b, &use);
	run(&b, POLICY_ACT_RETRY_MS / 2);
	b.refuse[POLICY_APPLY_PROFILE] = 0;
	run(&b, POLICY_ACT_RETRY_MS);
	assert_int_equal(b.answer[POLICY_SLOT_CHANGE].outcome, POLICY_DONE);
	assert_string_equal(b.saved.profile.name, "other");

	/* After the timeout the outcome is unknown, and the kept profile is applied again. */
	use.profile = profile_named("third");
	b.refuse[POLICY_APPLY_PROFILE] = -ETIMEDOUT;
	assert_int_equal(command(&b, &use), POLICY_UNKNOWN);
	assert_int_equal(error_of(&b, POLICY_SLOT_CHANGE), -ETIMEDOUT);
	b.refuse[POLICY_APPLY_PROFILE] = 0;
	run(&b, POLICY_RETRY_MS + 1000);
	assert_string_equal(b.applied.name, "other");
	assert_string_equal(b.saved.profile.name, "other");
	assert_true(is_armed(&b));
}

static void a_command_fails_when_the_firmware_restarts(void **state)
{
	struct bench b;

	(void)state;
	start(&b, NULL);
	produce(&b);
	b.refuse[POLICY_SET] = -ETIMEDOUT;
	step(&b, &limit_600_w);
	boot(&b, true);
	run(&b, TICK_MS);
	assert_int_equal(b.answer[POLICY_SLOT_CHANGE].outcome, POLICY_REFUSED);
	assert_int_equal(error_of(&b, POLICY_SLOT_CHANGE), -ENODEV);
	b.refuse[POLICY_SET] = 0;
	run(&b, POLICY_RETRY_MS + 1000);
	b.refuse[POLICY_SET] = -ETIMEDOUT;
	step(&b, &limit_600_w);
	b.in.present = false;
	b.answer[POLICY_SLOT_CHANGE].ended = false;
	run(&b, TICK_MS);
	assert_true(b.answer[POLICY_SLOT_CHANGE].ended);
	assert_int_equal(error_of(&b, POLICY_SLOT_CHANGE), -ENODEV);
}

/* A disk that takes 10 s delays only the commands that wait for it. */
static void a_slow_disk_delays_neither_heartbeat_nor_stop(void **state)
{
	struct bench b;

	(void)state;
	start(&b, NULL);
	produce(&b);
	b.save_ms = 10000;
	b.heartbeats = 0;
	step(&b, &limit_600_w);
	run(&b, 1000);
	assert_int_equal(b.value[QS1_PARAM_POWER_LIMIT_W], 600);
	assert_int_equal(b.answer[POLICY_SLOT_CHANGE].ended, false);
	step(&b, &(struct policy_command){ .kind = POLICY_COMMAND_STOP });
	assert_false(is_armed(&b));
	run(&b, 11000);
	assert_true(b.answer[POLICY_SLOT_CHANGE].ended);
	assert_int_equal(b.answer[POLICY_SLOT_CHANGE].outcome, POLICY_DONE);
	assert_false(b.answer[POLICY_SLOT_STOP].ended);
	run(&b, 10000);
	assert_int_equal(b.answer[POLICY_SLOT_STOP].outcome, POLICY_DONE);
	assert_true(b.saved.shutdown && b.saved.set[QS1_PARAM_POWER_LIMIT_W]);
	assert_in_range(b.heartbeats, 22000 / POLICY_HEARTBEAT_MS - 1,
			22000 / POLICY_HEARTBEAT_MS + 1);
}

/* With a disk that takes minutes the command times out and has no effect, then or later. */
static void a_command_times_out_when_the_disk_hangs(void **state)
{
	struct bench b;

	(void)state;
	start(&b, NULL);
	produce(&b);
	b.save_ms = MINUTE_MS;
	assert_int_equal(command(&b, &limit_600_w), POLICY_NOT_STORED);
	assert_int_equal(error_of(&b, POLICY_SLOT_CHANGE), -ETIMEDOUT);
	assert_int_equal(b.value[QS1_PARAM_POWER_LIMIT_W], 1200);
	assert_int_equal(simple(&b, POLICY_COMMAND_STOP), POLICY_NOT_STORED);
	assert_int_equal(error_of(&b, POLICY_SLOT_STOP), -ETIMEDOUT);
	assert_false(is_armed(&b));
	run(&b, 3 * MINUTE_MS);
	assert_true(b.saved.shutdown);
	assert_false(b.saved.set[QS1_PARAM_POWER_LIMIT_W]);
}

static void a_stop_that_is_not_stored_still_stops(void **state)
{
	struct bench b;

	(void)state;
	start(&b, NULL);
	produce(&b);
	b.save_result = -EROFS;
	assert_int_equal(simple(&b, POLICY_COMMAND_STOP), POLICY_NOT_STORED);
	assert_int_equal(error_of(&b, POLICY_SLOT_STOP), -EROFS);
	assert_false(is_armed(&b));
	run(&b, MINUTE_MS);
	assert_false(is_armed(&b));
	b.save_result = 0;
	run(&b, POLICY_RETRY_MS);
	assert_true(b.saved.shutdown);
	/* Without fresh samples it is unknown whether the unit has stopped. */
	assert_int_equal(simple(&b, POLICY_COMMAND_START), POLICY_DONE);
	run(&b, 1000);
	b.frozen = true;
	b.refuse[POLICY_DISARM] = -ETIMEDOUT;
	assert_int_equal(simple(&b, POLICY_COMMAND_STOP), POLICY_UNKNOWN);
}

/* A stop cancels a start that waits for the disk. */
static void a_stop_overtakes_a_start(void **state)
{
	struct policy_kept kept = { .profile = profile_named("note1"), .shutdown = true };
	struct bench b;

	(void)state;
	start(&b, &kept);
	boot(&b, true);
	run(&b, 1000);
	b.save_ms = 10000;
	step(&b, &(struct policy_command){ .kind = POLICY_COMMAND_START });
	run(&b, 1000);
	step(&b, &(struct policy_command){ .kind = POLICY_COMMAND_STOP });
	assert_int_equal(b.answer[POLICY_SLOT_CHANGE].outcome, POLICY_REFUSED);
	assert_int_equal(error_of(&b, POLICY_SLOT_CHANGE), -ECANCELED);
	/* No new start is accepted until the stop has ended. */
	b.answer[POLICY_SLOT_CHANGE].ended = false;
	step(&b, &(struct policy_command){ .kind = POLICY_COMMAND_START });
	assert_int_equal(error_of(&b, POLICY_SLOT_CHANGE), -EBUSY);
	/* A stop that begins during another command's save waits for its own save. */
	step(&b, &limit_600_w);
	run(&b, 30000);
	assert_int_equal(b.answer[POLICY_SLOT_STOP].outcome, POLICY_DONE);
	assert_int_equal(b.answer[POLICY_SLOT_CHANGE].outcome, POLICY_DONE);
	assert_true(b.saved.shutdown);
	assert_int_equal(b.count[POLICY_ARM], 0);
}

/* Each slot holds one command. */
static void a_second_command_in_a_busy_slot_is_ignored(void **state)
{
	struct bench b;

	(void)state;
	start(&b, NULL);
	produce(&b);
	b.save_ms = 1000;
	step(&b, &limit_600_w);
	assert_true(policy_is_open(&b.policy, POLICY_COMMAND_START));
	assert_false(policy_is_open(&b.policy, POLICY_COMMAND_STOP));
	step(&b, &(struct policy_command){ .kind = POLICY_COMMAND_PAIR, .key = { 1 } });
	run(&b, 5000);
	assert_false(b.policy.kept.paired);
}

/* The caller's own save comes first. */
static void a_save_waits_for_the_storage(void **state)
{
	struct bench b;

	(void)state;
	start(&b, NULL);
	produce(&b);
	b.in.storage_busy = true;
	step(&b, &(struct policy_command){ .kind = POLICY_COMMAND_STOP });
	run(&b, 1000);
	assert_false(b.answer[POLICY_SLOT_STOP].ended);
	b.in.storage_busy = false;
	run(&b, TICK_MS);
	assert_int_equal(b.answer[POLICY_SLOT_STOP].outcome, POLICY_DONE);
}

static void a_lost_store_keeps_it_stopped_until_it_is_cleared(void **state)
{
	struct policy_kept kept = { .profile = profile_named("note1"), .store_lost = true };
	struct policy_command clear = { .kind = POLICY_COMMAND_CLEAR,
					.fault = QS1_FAULT_STORE_LOST };
	struct bench b;

	(void)state;
	start(&b, &kept);
	policy_init(&b.policy, &kept, false, b.now_ms);
	boot(&b, true);
	run(&b, MINUTE_MS);
	assert_int_equal(b.saves, 1);
	assert_true(b.saved.store_lost);
	assert_int_equal(b.count[POLICY_ARM], 0);
	assert_true(b.out.faults_latched & QS1_FAULT_BIT(QS1_FAULT_STORE_LOST));
	assert_int_equal(b.out.show, POLICY_SHOW_NOT_PRODUCING);
	assert_int_equal(simple(&b, POLICY_COMMAND_START), POLICY_REFUSED);
	assert_int_equal(error_of(&b, POLICY_SLOT_CHANGE), -EPERM);
	assert_int_equal(command(&b, &clear), POLICY_DONE);
	assert_false(b.saved.store_lost);
	run(&b, 1000);
	assert_true(is_armed(&b));
	assert_int_equal(b.count[POLICY_CLEAR], 0);
}

static void a_pairing_is_kept(void **state)
{
	struct policy_command pair = { .kind = POLICY_COMMAND_PAIR, .key = { 1, 2, 3 } };
	struct bench b;

	(void)state;
	start(&b, NULL);
	assert_int_equal(command(&b, &pair), POLICY_DONE);
	assert_true(b.saved.paired);
	assert_memory_equal(b.saved.key, pair.key, sizeof(pair.key));
}

static enum policy_outcome limit(struct bench *b, const char *owner, int32_t w, int64_t lease_ms,
				 int32_t then_w)
{
	struct policy_command command_limit = {
		.kind = POLICY_COMMAND_LIMIT,
		.limit = { .w = w, .until_ms = b->now_ms + lease_ms, .then_w = then_w },
	};

	snprintf(command_limit.limit.owner, sizeof(command_limit.limit.owner), "%s", owner);
	return command(b, &command_limit);
}

static void check_limit(struct bench *b, int32_t w)
{
	assert_int_equal(b->value[QS1_PARAM_POWER_LIMIT_W], w);
}

/* The lowest limit is in force, each lease expires, and nothing is written to the disk. */
static void limits_of_several_owners_are_leases(void **state)
{
	struct bench b;

	(void)state;
	start(&b, NULL);
	produce(&b);
	assert_int_equal(limit(&b, "utility", 900, 60000, LIMITS_NONE), POLICY_DONE);
	check_limit(&b, 900);
	assert_int_equal(limit(&b, "ema", 0, 30000, 300), POLICY_DONE);
	check_limit(&b, 0);
	/* The operator's setting is a separate limit. */
	assert_int_equal(command(&b, &limit_600_w), POLICY_DONE);
	check_limit(&b, 0);
	run(&b, 30000);
	check_limit(&b, 300);
	assert_int_equal(limit(&b, "ema", LIMITS_NONE, 0, LIMITS_NONE), POLICY_DONE);
	check_limit(&b, 600);
	assert_int_equal(limit(&b, "utility", 500, 1000, LIMITS_NONE), POLICY_DONE);
	check_limit(&b, 500);
	run(&b, 2000);
	check_limit(&b, 600);
	assert_int_equal(b.policy.limits.count, 0);
	assert_int_equal(b.saves, 1);
}

/* The firmware restarts: the limit is there before the permission. */
static void a_limit_outlives_the_firmware(void **state)
{
	struct bench b;

	(void)state;
	start(&b, NULL);
	assert_int_equal(limit(&b, "ema", 200, MINUTE_MS, LIMITS_NONE), POLICY_DONE);
	produce(&b);
	check_limit(&b, 200);
	boot(&b, true);
	run(&b, 1000);
	assert_true(is_armed(&b));
	check_limit(&b, 200);
	b.refuse[POLICY_SET] = -ETIMEDOUT;
	assert_int_equal(limit(&b, "ema", 100, MINUTE_MS, LIMITS_NONE), POLICY_UNKNOWN);
	b.refuse[POLICY_SET] = 0;
	run(&b, POLICY_RETRY_MS + 1000);
	check_limit(&b, 100);
}

static void a_limit_for_one_owner_too_many_is_refused(void **state)
{
	struct bench b;
	char owner[24];

	(void)state;
	start(&b, NULL);
	for (int n = 0; n < LIMITS_MAX; n++) {
		snprintf(owner, sizeof(owner), "owner%d", n);
		assert_int_equal(limit(&b, owner, 100 + n, 1000, n % 2 ? LIMITS_NONE : 50),
				 POLICY_DONE);
	}
	assert_int_equal(limit(&b, "one more", 100, 1000, LIMITS_NONE), POLICY_REFUSED);
	assert_int_equal(error_of(&b, POLICY_SLOT_LIMIT), -ENOSPC);
	assert_int_equal(limit(&b, "owner3", 7, 1000, LIMITS_NONE), POLICY_DONE);
	assert_int_equal(limits_lowest(&b.policy.limits), 7);
	run(&b, 2000);
	assert_int_equal(b.policy.limits.count, LIMITS_MAX / 2);
	assert_int_equal(limits_lowest(&b.policy.limits), 50);
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
	/* The restart is too fast to be noticed as an absence. */
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

/* Ten decisions use each reading, but it counts once. */
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
	/* No ECU has requested a report since the start. */
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

static void an_empty_command_has_no_effect(void **state)
{
	const struct policy_command nothing = { .kind = POLICY_COMMAND_NONE };
	struct bench b;

	(void)state;
	start(&b, NULL);
	boot(&b, true);
	step(&b, &nothing);
	assert_false(b.answer[POLICY_SLOT_CHANGE].ended);
	assert_int_equal(b.order[0], POLICY_APPLY_PROFILE);
}

/* The self test passes after production was permitted. */
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

static void every_action_command_and_outcome_has_a_text(void **state)
{
	(void)state;
	for (int action = 0; action < POLICY_ACTION_COUNT; action++) {
		assert_true(strlen(policy_action_text(action)) > 3);
	}
	for (int kind = 0; kind < POLICY_COMMAND_COUNT; kind++) {
		assert_true(strlen(policy_command_name(kind)) > 2);
	}
	for (int outcome = 0; outcome < POLICY_OUTCOME_COUNT; outcome++) {
		assert_true(strlen(policy_outcome_name(outcome)) > 3);
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
		cmocka_unit_test(heartbeat_keeps_its_period),
		cmocka_unit_test(a_shutdown_survives_a_loss_of_power),
		cmocka_unit_test(a_stop_is_kept_if_the_firmware_is_absent_or_refuses),
		cmocka_unit_test(ground_fault_is_kept_restored_and_cleared_by_command_only),
		cmocka_unit_test(a_sample_older_than_the_clearing_does_not_latch_again),
		cmocka_unit_test(a_latch_that_cannot_be_restored_keeps_it_disarmed),
		cmocka_unit_test(a_latch_is_saved_at_once_and_retried_until_stored),
		cmocka_unit_test(clearing_another_latch_keeps_the_ground_fault),
		cmocka_unit_test(commands_need_a_firmware_that_answers),
		cmocka_unit_test(a_profile_is_kept_once_the_firmware_accepts_it),
		cmocka_unit_test(settings_outlive_a_restart_of_the_firmware),
		cmocka_unit_test(a_refused_setting_is_not_kept_and_blocks_nothing),
		cmocka_unit_test(a_clear_that_is_not_stored_is_undone),
		cmocka_unit_test(a_fault_that_returns_ends_the_clearing),
		cmocka_unit_test(a_start_that_is_not_stored_arms_nothing),
		cmocka_unit_test(a_setting_that_is_not_stored_is_undone),
		cmocka_unit_test(a_kept_setting_survives_a_firmware_that_does_not_answer),
		cmocka_unit_test(a_command_without_an_answer_is_retried_until_its_outcome_is_known),
		cmocka_unit_test(a_command_fails_when_the_firmware_restarts),
		cmocka_unit_test(a_slow_disk_delays_neither_heartbeat_nor_stop),
		cmocka_unit_test(a_command_times_out_when_the_disk_hangs),
		cmocka_unit_test(a_stop_that_is_not_stored_still_stops),
		cmocka_unit_test(a_stop_overtakes_a_start),
		cmocka_unit_test(a_second_command_in_a_busy_slot_is_ignored),
		cmocka_unit_test(a_save_waits_for_the_storage),
		cmocka_unit_test(a_lost_store_keeps_it_stopped_until_it_is_cleared),
		cmocka_unit_test(a_pairing_is_kept),
		cmocka_unit_test(limits_of_several_owners_are_leases),
		cmocka_unit_test(a_limit_outlives_the_firmware),
		cmocka_unit_test(a_limit_for_one_owner_too_many_is_refused),
		cmocka_unit_test(firmware_that_crashed_is_set_up_again),
		cmocka_unit_test(stale_samples_are_a_fault),
		cmocka_unit_test(implausible_samples_are_a_fault),
		cmocka_unit_test(one_bad_reading_stops_nothing),
		cmocka_unit_test(unknown_state_is_a_fault),
		cmocka_unit_test(leds_follow_the_manual),
		cmocka_unit_test(no_startup_pattern_beside_a_running_inverter),
		cmocka_unit_test(ecu_is_missed_after_sixty_minutes),
		cmocka_unit_test(an_empty_command_has_no_effect),
		cmocka_unit_test(a_late_self_test_shows_the_startup_pattern),
		cmocka_unit_test(every_action_command_and_outcome_has_a_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
