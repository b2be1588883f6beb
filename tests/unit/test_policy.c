// SPDX-License-Identifier: GPL-2.0-only
/* Policy: hours of it in milliseconds, against a firmware of a few lines. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policy.h"

#define GFDI QS1_FAULT_BIT(QS1_FAULT_GFDI)
#define TICK_MS 100
#define MINUTE_MS 60000

/**
 * struct bench - policy, its time, and a firmware
 * @refuse: result of an action, by enum policy_action
 * @count: how often an action was carried out with success
 * @order: the actions so far, oldest first
 * @saved: what is on stable storage
 * @frozen: the firmware delivers no samples
 * @ground: the cause of a ground fault is there
 */
struct bench {
	struct policy policy;
	struct policy_input in;
	struct policy_output out;
	int64_t now_ms;
	int refuse[POLICY_ACTION_COUNT];
	int count[POLICY_ACTION_COUNT];
	enum policy_action order[1000];
	int ordered;
	struct policy_kept saved;
	bool frozen;
	bool ground;
	int heartbeats;
	int reminders;
	bool done;
	int result;
	int32_t set_value;
	struct qs1_profile applied;
};

static void set_state(struct bench *b, enum qs1_state state)
{
	b->in.status = (b->in.status & ~QS1_STATUS_STATE_MASK) | state;
}

static bool is_armed(const struct bench *b)
{
	return b->in.status & QS1_STATUS_ARMED;
}

/* What the firmware would do. */
static int firmware(struct bench *b, const struct policy_output *out)
{
	if (b->refuse[out->action] < 0) {
		return b->refuse[out->action];
	}
	switch (out->action) {
	case POLICY_APPLY_PROFILE:
		b->applied = *out->profile;
		break;
	case POLICY_SET:
		b->set_value = out->value;
		break;
	case POLICY_ARM:
		b->in.status |= QS1_STATUS_ARMED;
		if ((b->in.status & QS1_STATUS_STATE_MASK) == QS1_STATE_SHUTDOWN) {
			set_state(b, QS1_STATE_WAITING);
		}
		break;
	case POLICY_DISARM:
		b->in.status &= ~QS1_STATUS_ARMED;
		if ((b->in.status & QS1_STATUS_STATE_MASK) != QS1_STATE_GROUND_FAULT) {
			set_state(b, QS1_STATE_SHUTDOWN);
		}
		break;
	case POLICY_LATCH:
		b->in.faults_latched |= QS1_FAULT_BIT(out->fault);
		set_state(b, QS1_STATE_GROUND_FAULT);
		break;
	case POLICY_CLEAR:
		if (b->ground) {
			return -EBUSY;
		}
		b->in.faults_latched &= ~QS1_FAULT_BIT(out->fault);
		set_state(b, is_armed(b) ? QS1_STATE_WAITING : QS1_STATE_SHUTDOWN);
		break;
	case POLICY_SAVE:
		b->saved = b->policy.kept;
		break;
	default:
		break;
	}
	return 0;
}

/* What must hold after every step, whatever happens. */
static void check_invariants(const struct bench *b)
{
	const struct policy *policy = &b->policy;

	if (b->out.action == POLICY_ARM) {
		assert_true(policy->profile_applied);
		assert_false(policy->kept.shutdown);
		assert_false(policy->kept.ground_fault);
		assert_false(policy->implausible);
		assert_false(b->in.faults_latched & GFDI);
		assert_true(b->in.status & QS1_STATUS_SELF_TEST_OK);
	}
	if (policy->kept.ground_fault) {
		assert_int_equal(b->out.show, POLICY_SHOW_GROUND_FAULT);
		assert_true(b->out.faults_latched & GFDI);
	}
	/* What counts for good is on stable storage before anybody is told. */
	if (b->out.command_done && b->out.command_result == 0) {
		assert_memory_equal(&b->saved, &policy->kept, sizeof(b->saved));
	}
}

static void step(struct bench *b, const struct policy_command *command)
{
	int rounds = 0;

	b->in.command = command;
	do {
		policy_step(&b->policy, &b->in, b->now_ms, &b->out);
		check_invariants(b);
		b->in.command = NULL;
		b->in.ecu = false;
		b->heartbeats += b->out.heartbeat;
		b->reminders += b->out.remind;
		if (b->out.command_done) {
			b->done = true;
			b->result = b->out.command_result;
		}
		if (b->out.action != POLICY_NONE) {
			b->order[b->ordered++ % 1000] = b->out.action;
			b->in.result = firmware(b, &b->out);
			b->count[b->out.action] += b->in.result == 0;
		}
		assert_true(++rounds < 100);
	} while (b->out.action != POLICY_NONE);
}

static void run(struct bench *b, int64_t ms)
{
	for (int64_t end = b->now_ms + ms; b->now_ms < end;) {
		b->now_ms += TICK_MS;
		if (b->in.present && !b->frozen) {
			b->in.sample++;
		}
		step(b, NULL);
	}
}

static int command(struct bench *b, const struct policy_command *command)
{
	b->done = false;
	step(b, command);
	assert_true(b->done);
	return b->result;
}

static int simple(struct bench *b, enum policy_command_kind kind)
{
	return command(b, &(struct policy_command){ .kind = kind, .fault = QS1_FAULT_GFDI });
}

static struct qs1_profile profile_named(const char *name)
{
	struct qs1_profile profile = { 0 };

	strcpy(profile.name, name);
	for (int id = 0; id < QS1_PARAM_COUNT; id++) {
		if (qs1_param_desc(id)->group == QS1_PARAM_GROUP_PROFILE) {
			profile.value[id] = qs1_param_desc(id)->def;
		}
	}
	return profile;
}

static void start(struct bench *b, const struct policy_kept *kept)
{
	struct policy_kept first = { .profile = profile_named("note1") };

	*b = (struct bench){ .now_ms = 1000000, .in.plausible = true };
	b->saved = kept ? *kept : first;
	policy_init(&b->policy, &b->saved, b->now_ms);
}

/* The firmware starts; its self test has passed unless told otherwise. */
static void boot(struct bench *b, bool tested)
{
	b->in.present = true;
	b->in.epoch++;
	b->in.faults_active = 0;
	b->in.faults_latched = 0;
	b->in.status = tested ? QS1_STATUS_SELF_TEST_OK | QS1_STATE_SHUTDOWN : QS1_STATE_SELF_TEST;
}

static void produce(struct bench *b)
{
	boot(b, true);
	run(b, 1000);
	assert_true(is_armed(b));
	set_state(b, QS1_STATE_PRODUCING);
	run(b, 5000);
}

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
	run(&b, (POLICY_IMPLAUSIBLE_SAMPLES - 1) * TICK_MS);
	b.in.plausible = true;
	run(&b, TICK_MS);
	assert_true(is_armed(&b));
	b.in.plausible = false;
	run(&b, 1000);
	assert_false(is_armed(&b));
	assert_true(b.out.faults_active & QS1_FAULT_BIT(QS1_FAULT_SENSOR));
	b.in.plausible = true;
	run(&b, (POLICY_PLAUSIBLE_SAMPLES - 1) * TICK_MS);
	assert_false(is_armed(&b));
	run(&b, 1000);
	assert_true(is_armed(&b));
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
	assert_int_equal(b.out.show, POLICY_SHOW_PRODUCING);
}

static void ecu_is_missed_after_sixty_minutes(void **state)
{
	struct bench b;

	(void)state;
	start(&b, NULL);
	produce(&b);
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

/* All is well again, and after a while the inverter may produce. */
static void heal(struct bench *b)
{
	memset(b->refuse, 0, sizeof(b->refuse));
	b->frozen = false;
	b->ground = false;
	b->in.plausible = true;
	boot(b, true);
	run(b, POLICY_RETRY_MS + 1000);
	assert_int_equal(simple(b, POLICY_COMMAND_CLEAR), 0);
	assert_int_equal(simple(b, POLICY_COMMAND_START), 0);
	run(b, POLICY_PLAUSIBLE_SAMPLES * TICK_MS + 1000);
	assert_true(is_armed(b));
}

/* A walk through what may happen; check_invariants() looks at every step. */
static void invariants_hold_on_random_walks(void **state)
{
	uint32_t random = 1;
	struct bench b;

	(void)state;
	start(&b, NULL);
	for (int i = 0; i < 200000; i++) {
		random = random * 1664525u + 1013904223u;
		switch (random >> 27) {
		case 0:
			boot(&b, random & 0x100000);
			break;
		case 1:
			b.in.present = false;
			break;
		case 2:
			b.in.faults_latched |= GFDI;
			set_state(&b, QS1_STATE_GROUND_FAULT);
			break;
		case 3:
			b.ground = !b.ground;
			break;
		case 4:
			simple(&b, POLICY_COMMAND_CLEAR);
			break;
		case 5:
			simple(&b, POLICY_COMMAND_START);
			break;
		case 6:
			simple(&b, POLICY_COMMAND_STOP);
			break;
		case 7:
			b.in.plausible = !b.in.plausible;
			break;
		case 8:
			b.frozen = !b.frozen;
			break;
		case 9:
			b.refuse[random >> 8 & 7] ^= -EBUSY;
			break;
		case 10:
			b.in.status |= QS1_STATUS_SELF_TEST_OK;
			break;
		case 11:
			set_state(&b, random >> 8 & QS1_STATUS_STATE_MASK);
			break;
		case 12:
			heal(&b);
			break;
		default:
			run(&b, (random >> 8 & 31) * TICK_MS);
			break;
		}
	}
	assert_true(b.count[POLICY_ARM] > 100);
	assert_true(b.count[POLICY_LATCH] > 100);
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
		cmocka_unit_test(unknown_state_is_a_fault),
		cmocka_unit_test(leds_follow_the_manual),
		cmocka_unit_test(no_startup_pattern_beside_a_running_inverter),
		cmocka_unit_test(ecu_is_missed_after_sixty_minutes),
		cmocka_unit_test(invariants_hold_on_random_walks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
