/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Policy with a clock and a firmware of a few lines, for its tests, and what
 * must hold after every step whatever happens.
 */
#ifndef QS1_POLICY_BENCH_H
#define QS1_POLICY_BENCH_H

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
/* The meter is read more slowly than the state, as the daemon does. */
#define READING_MS 1000

/*
 * How long an inverter may stay armed that must not be: a sample that shows it,
 * the settling of the action before, the retry of one that was refused.
 */
#define DISARM_MS (2 * TICK_MS + POLICY_SETTLE_MS + POLICY_RETRY_MS)

/**
 * struct bench - policy, its time, and a firmware
 * @refuse: result of an action, by enum policy_action
 * @count: how often an action was carried out with success
 * @order: the actions so far, oldest first
 * @saved: what is on stable storage
 * @frozen: the firmware delivers no samples
 * @ground: the cause of a ground fault is there
 * @profile_epoch: run of the firmware that has confirmed a profile
 * @unsaved_ms: time of the last save that failed
 * @forbidden_ms: how long it has been armed though it must not be
 * @cleared: the firmware has cleared the latch in this step, by command
 * @steps: calls of policy_step()
 * @commanded: what was asked for in this step
 */
struct bench {
	struct policy policy;
	struct policy_input in;
	struct policy_output out;
	int64_t now_ms;
	int refuse[POLICY_ACTION_COUNT];
	int count[POLICY_ACTION_COUNT];
	enum policy_action order[1000];
	unsigned int ordered;
	struct policy_kept saved;
	bool frozen;
	bool ground;
	uint32_t profile_epoch;
	int64_t unsaved_ms;
	int64_t forbidden_ms;
	bool cleared;
	enum policy_command_kind commanded;
	uint64_t steps;
	int heartbeats;
	int reminders;
	bool done;
	int result;
	int32_t set_value;
	struct qs1_profile applied;
};

static inline void set_state(struct bench *b, enum qs1_state state)
{
	b->in.status = (b->in.status & ~QS1_STATUS_STATE_MASK) | state;
}

static inline bool is_armed(const struct bench *b)
{
	return b->in.status & QS1_STATUS_ARMED;
}

/* What the firmware would do. */
static inline int firmware(struct bench *b, const struct policy_output *out)
{
	if (b->refuse[out->action] < 0) {
		return b->refuse[out->action];
	}
	switch (out->action) {
	case POLICY_APPLY_PROFILE:
		b->applied = *out->profile;
		b->profile_epoch = b->in.epoch;
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
		b->cleared = out->fault == QS1_FAULT_GFDI;
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

/* The values that are to be in force: those of the profile, and those set since. */
static inline void check_profile_in_force(const struct bench *b)
{
	const struct policy_kept *kept = &b->policy.kept;

	assert_int_equal(b->profile_epoch, b->in.epoch);
	assert_string_equal(b->applied.name, kept->profile.name);
	for (int id = 0; id < QS1_PARAM_COUNT; id++) {
		if (qs1_param_desc(id)->group == QS1_PARAM_GROUP_PROFILE && !kept->set[id]) {
			assert_int_equal(b->applied.value[id], kept->profile.value[id]);
		}
	}
}

/* What must hold after every decision, whatever happens. */
static inline void check_decision(const struct bench *b, const struct policy_kept *before)
{
	const struct policy *policy = &b->policy;
	const struct policy_output *out = &b->out;

	/* Production is permitted with a confirmed profile, and nothing against it. */
	if (out->action == POLICY_ARM) {
		check_profile_in_force(b);
		assert_false(policy->kept.shutdown);
		assert_false(policy->kept.ground_fault);
		assert_false(policy->implausible);
		assert_false(policy->stale);
		assert_false(b->in.faults_latched & GFDI);
		assert_true(b->in.status & QS1_STATUS_SELF_TEST_OK);
		assert_true(memcmp(&b->saved, &policy->kept, sizeof(b->saved)) == 0 ||
			    b->unsaved_ms > 0);
	}
	/* Nothing but the disk can be reached without a firmware. */
	if (!b->in.present) {
		assert_true(out->action == POLICY_NONE || out->action == POLICY_SAVE ||
			    b->commanded == POLICY_COMMAND_STOP);
		assert_int_equal(out->state, QS1_STATE_OFF);
	}
	/* The firmware hears of a policy that sees it, and of no other. */
	if (out->heartbeat) {
		assert_true(b->in.present);
		assert_false(policy->stale);
	}
	/* A latch goes by a command that the firmware has carried out, and no other way. */
	if (before->ground_fault && !policy->kept.ground_fault) {
		assert_true(b->cleared);
	}
	if (before->shutdown != policy->kept.shutdown) {
		assert_true(b->commanded == POLICY_COMMAND_START ||
			    b->commanded == POLICY_COMMAND_STOP);
	}
	if (strcmp(before->profile.name, policy->kept.profile.name)) {
		assert_int_equal(b->commanded, POLICY_COMMAND_PROFILE);
	}
	/* The LEDs never claim more than is so. */
	if (policy->kept.ground_fault) {
		assert_int_equal(out->show, POLICY_SHOW_GROUND_FAULT);
		assert_true(out->faults_latched & GFDI);
	}
	if (out->show == POLICY_SHOW_PRODUCING || out->show == POLICY_SHOW_PRODUCING_NO_ECU) {
		assert_true(b->in.present && !policy->stale);
		assert_true(out->state == QS1_STATE_PRODUCING || out->state == QS1_STATE_DERATING);
	}
	/* What counts for good is on stable storage before anybody is told. */
	if (out->command_done && out->command_result == 0) {
		assert_memory_equal(&b->saved, &policy->kept, sizeof(b->saved));
	}
}

/* What must hold between two periods, when others may look. */
static inline void check_period(struct bench *b, int64_t ms)
{
	const struct policy *policy = &b->policy;
	bool forbidden = policy->kept.ground_fault || policy->kept.shutdown ||
			 policy->implausible || b->profile_epoch != b->in.epoch;

	/* A latch that can be seen has been saved, unless the disk refused it. */
	if (memcmp(&b->saved, &policy->kept, sizeof(b->saved))) {
		assert_true(b->unsaved_ms > 0 && b->now_ms - b->unsaved_ms <= POLICY_RETRY_MS);
	}
	if (!forbidden || !is_armed(b) || !b->in.present || b->frozen ||
	    b->refuse[POLICY_DISARM] < 0 || b->refuse[POLICY_LATCH] < 0) {
		b->forbidden_ms = 0;
		return;
	}
	b->forbidden_ms += ms;
	assert_true(b->forbidden_ms <= DISARM_MS);
}

static inline void carry_out(struct bench *b, enum policy_action action)
{
	if (action >= POLICY_ACTION_COUNT) {
		fail_msg("no action has the number %d", action);
		return;
	}
	b->order[b->ordered++ % 1000] = action;
	b->in.result = firmware(b, &b->out);
	b->count[action] += b->in.result == 0;
	if (action == POLICY_SAVE) {
		b->unsaved_ms = b->in.result < 0 ? b->now_ms : 0;
	}
}

static inline void step(struct bench *b, const struct policy_command *command)
{
	int rounds = 0;

	b->in.command = command;
	b->cleared = false;
	b->commanded = command ? command->kind : POLICY_COMMAND_NONE;
	do {
		struct policy_kept before = b->policy.kept;

		policy_step(&b->policy, &b->in, b->now_ms, &b->out);
		b->steps++;
		check_decision(b, &before);
		b->in.command = NULL;
		b->in.ecu = false;
		b->heartbeats += b->out.heartbeat;
		b->reminders += b->out.remind;
		if (b->out.command_done) {
			b->done = true;
			b->result = b->out.command_result;
		}
		if (b->out.action != POLICY_NONE) {
			carry_out(b, b->out.action);
		}
		assert_true(++rounds < 100);
	} while (b->out.action != POLICY_NONE);
}

static inline void run(struct bench *b, int64_t ms)
{
	for (int64_t end = b->now_ms + ms; b->now_ms < end;) {
		b->now_ms += TICK_MS;
		if (b->in.present && !b->frozen) {
			b->in.sample++;
			b->in.reading += b->now_ms % READING_MS == 0;
		}
		step(b, NULL);
		check_period(b, TICK_MS);
	}
}

static inline int command(struct bench *b, const struct policy_command *command)
{
	b->done = false;
	step(b, command);
	assert_true(b->done);
	return b->result;
}

static inline int simple(struct bench *b, enum policy_command_kind kind)
{
	return command(b, &(struct policy_command){ .kind = kind, .fault = QS1_FAULT_GFDI });
}

static inline struct qs1_profile profile_named(const char *name)
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

static inline void start(struct bench *b, const struct policy_kept *kept)
{
	struct policy_kept first = { .profile = profile_named("note1") };

	*b = (struct bench){ .now_ms = 1000000, .in.plausible = true };
	b->saved = kept ? *kept : first;
	policy_init(&b->policy, &b->saved, b->now_ms);
}

/* The firmware starts; its self test has passed unless told otherwise. */
static inline void boot(struct bench *b, bool tested)
{
	b->in.present = true;
	b->in.epoch++;
	b->in.faults_active = 0;
	b->in.faults_latched = 0;
	b->in.status = tested ? QS1_STATUS_SELF_TEST_OK | QS1_STATE_SHUTDOWN : QS1_STATE_SELF_TEST;
}

static inline void produce(struct bench *b)
{
	boot(b, true);
	run(b, 1000);
	assert_true(is_armed(b));
	set_state(b, QS1_STATE_PRODUCING);
	run(b, 5000);
}

#endif /* QS1_POLICY_BENCH_H */
