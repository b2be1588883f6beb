/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Test bench of the policy with a simulated clock, firmware and disk, and the
 * invariants that must hold after every step.
 */
#ifndef QS1_POLICY_BENCH_H
#define QS1_POLICY_BENCH_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "policy.h"

#define GFDI QS1_FAULT_BIT(QS1_FAULT_GFDI)
#define TICK_MS 100
#define MINUTE_MS 60000
/* The meter is read more slowly than the state, as the daemon does. */
#define READING_MS 1000

/*
 * Longest time that an inverter may stay armed against the policy: until a sample
 * shows it, the previous action has settled and a refused action is retried.
 */
#define DISARM_MS (2 * TICK_MS + POLICY_SETTLE_MS + POLICY_RETRY_MS)

/**
 * struct bench - policy, its time, a firmware and a disk
 * @refuse: result of an action, by enum policy_action
 * @count: how often an action was carried out with success
 * @order: the actions so far, oldest first
 * @taken: the firmware carries out commands that it does not answer
 * @save_ms: how long the disk takes for a save
 * @save_result: return value of a save
 * @saving: a save is under way
 * @save_end_ms: when it ends
 * @next: state of the save in progress
 * @saved: state on stable storage
 * @saves: how many have succeeded
 * @frozen: the firmware delivers no samples
 * @ground: the cause of a ground fault is present
 * @profile_epoch: run of the firmware that has confirmed a profile
 * @unsaved_ms: time of the last save that failed
 * @forbidden_ms: time that it has been armed against the policy
 * @cleared: the firmware has cleared the latch, by command
 * @steps: calls of policy_step()
 * @stopped: a stop was commanded in this step
 * @before: kept state when the open command began
 * @answer: the last answer of each slot
 * @value: parameters in the firmware
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
	bool taken;
	int64_t save_ms;
	int save_result;
	bool saving;
	int64_t save_end_ms;
	struct policy_kept next;
	struct policy_kept saved;
	int saves;
	bool frozen;
	bool ground;
	uint32_t profile_epoch;
	int64_t unsaved_ms;
	int64_t forbidden_ms;
	bool cleared;
	bool stopped;
	struct policy_kept before;
	uint64_t steps;
	int heartbeats;
	int reminders;
	struct policy_answer answer[POLICY_SLOT_COUNT];
	int32_t value[QS1_PARAM_COUNT];
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

/* The simulated firmware. */
static inline int carry_out(struct bench *b, const struct policy_output *out)
{
	switch (out->action) {
	case POLICY_APPLY_PROFILE:
		b->applied = *out->profile;
		b->profile_epoch = b->in.epoch;
		break;
	case POLICY_SET:
		b->value[out->param] = out->value;
		if (qs1_param_desc(out->param)->group == QS1_PARAM_GROUP_PROFILE) {
			b->applied.value[out->param] = out->value;
		}
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
		b->cleared = b->cleared || out->fault == QS1_FAULT_GFDI;
		set_state(b, is_armed(b) ? QS1_STATE_WAITING : QS1_STATE_SHUTDOWN);
		break;
	default:
		break;
	}
	return 0;
}

static inline int firmware(struct bench *b, const struct policy_output *out)
{
	int refusal = b->refuse[out->action];

	if (refusal < 0 && !(b->taken && refusal == -ETIMEDOUT)) {
		return refusal;
	}
	return carry_out(b, out) ?: refusal;
}

/* The values that must be in force: those of the profile, and those set since. */
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

/* A command that was not carried out has changed nothing; a stop and a latch may have come
 * meanwhile. */
static inline void check_no_effect(const struct bench *b)
{
	const struct policy_kept *kept = &b->policy.kept;

	assert_memory_equal(&kept->profile, &b->before.profile, sizeof(kept->profile));
	assert_memory_equal(kept->set, b->before.set, sizeof(kept->set));
	assert_memory_equal(kept->value, b->before.value, sizeof(kept->value));
	assert_memory_equal(kept->key, b->before.key, sizeof(kept->key));
	assert_true(kept->store_lost == b->before.store_lost);
	assert_true(kept->shutdown >= b->before.shutdown);
	assert_true(kept->ground_fault >= b->before.ground_fault);
}

static inline void check_answers(const struct bench *b)
{
	const struct policy_answer *change = &b->out.answer[POLICY_SLOT_CHANGE];
	const struct policy_answer *stop = &b->out.answer[POLICY_SLOT_STOP];

	if (change->ended && change->outcome != POLICY_DONE) {
		assert_true(change->error < 0);
		check_no_effect(b);
	}
	/* A result is on stable storage before it is reported. */
	if (b->out.stored) {
		assert_memory_equal(&b->saved, &b->policy.kept, sizeof(b->saved));
	}
	if (stop->ended) {
		assert_true(b->policy.kept.shutdown);
		assert_true(stop->outcome != POLICY_DONE || b->saved.shutdown);
		assert_true(stop->outcome == POLICY_UNKNOWN || !b->in.present || !is_armed(b));
	}
}

/* Invariants after every decision. */
static inline void check_decision(const struct bench *b, const struct policy_kept *before)
{
	const struct policy *policy = &b->policy;
	const struct policy_output *out = &b->out;

	/* Production is permitted only with a confirmed profile and without a reason to stop. */
	if (out->action == POLICY_ARM) {
		check_profile_in_force(b);
		assert_false(policy->kept.shutdown || b->saved.shutdown);
		assert_false(policy->kept.ground_fault || b->saved.ground_fault);
		assert_false(policy->kept.store_lost || b->saved.store_lost);
		assert_false(policy->implausible);
		assert_false(policy->stale);
		assert_false(b->in.faults_latched & GFDI);
		assert_true(b->in.status & QS1_STATUS_SELF_TEST_OK);
	}
	if (!b->in.present) {
		assert_int_equal(out->action, POLICY_NONE);
		assert_int_equal(out->state, QS1_STATE_OFF);
	}
	/* The policy sends heartbeats only while it receives samples. */
	if (out->heartbeat) {
		assert_true(b->in.present);
		assert_false(policy->stale);
	}
	/* Only a command that the firmware has carried out clears a latch. */
	if (before->ground_fault && !policy->kept.ground_fault) {
		assert_true(b->cleared);
		assert_true(out->answer[POLICY_SLOT_CHANGE].ended);
	}
	if (!before->shutdown && policy->kept.shutdown) {
		assert_true(b->stopped);
	}
	/* All other kept state changes only with the answer to a command. */
	if ((before->shutdown && !policy->kept.shutdown) ||
	    (before->store_lost && !policy->kept.store_lost) ||
	    strcmp(before->profile.name, policy->kept.profile.name) ||
	    memcmp(before->set, policy->kept.set, sizeof(before->set)) ||
	    memcmp(before->key, policy->kept.key, sizeof(before->key))) {
		assert_true(out->answer[POLICY_SLOT_CHANGE].ended);
		assert_int_equal(out->answer[POLICY_SLOT_CHANGE].outcome, POLICY_DONE);
	}
	/* The LEDs show a latched ground fault, and production only while it lasts. */
	if (policy->kept.ground_fault) {
		assert_int_equal(out->show, POLICY_SHOW_GROUND_FAULT);
		assert_true(out->faults_latched & GFDI);
	}
	if (out->show == POLICY_SHOW_PRODUCING || out->show == POLICY_SHOW_PRODUCING_NO_ECU) {
		assert_true(b->in.present && !policy->stale);
		assert_true(out->state == QS1_STATE_PRODUCING || out->state == QS1_STATE_DERATING);
	}
	check_answers(b);
}

/* Invariants between two periods, when clients may read the state. */
static inline void check_period(struct bench *b, int64_t ms)
{
	const struct policy *policy = &b->policy;
	bool forbidden = policy->kept.ground_fault || policy->kept.shutdown ||
			 policy->kept.store_lost || policy->implausible ||
			 b->profile_epoch != b->in.epoch;

	/* A change has been saved, unless the disk refused it or is busy. */
	if (memcmp(&b->saved, &policy->kept, sizeof(b->saved))) {
		assert_true(b->saving || b->in.storage_busy ||
			    (b->unsaved_ms > 0 && b->now_ms - b->unsaved_ms <= POLICY_RETRY_MS));
	}
	if (!forbidden || !is_armed(b) || !b->in.present || b->frozen ||
	    b->refuse[POLICY_DISARM] < 0 || b->refuse[POLICY_LATCH] < 0) {
		b->forbidden_ms = 0;
		return;
	}
	b->forbidden_ms += ms;
	assert_true(b->forbidden_ms <= DISARM_MS);
}

static inline void begin_save(struct bench *b)
{
	assert_false(b->saving);
	b->saving = true;
	b->save_end_ms = b->now_ms + b->save_ms;
	b->next = *b->out.save;
}

/* The disk ends a save that is due. */
static inline void end_save(struct bench *b)
{
	b->in.save_ended = b->saving && b->now_ms >= b->save_end_ms;
	if (!b->in.save_ended) {
		return;
	}
	b->saving = false;
	b->in.save_result = b->save_result;
	b->unsaved_ms = b->save_result < 0 ? b->now_ms : 0;
	if (!b->save_result) {
		b->saved = b->next;
		b->saves++;
	}
}

static inline void take_output(struct bench *b)
{
	const struct policy_output *out = &b->out;

	b->heartbeats += out->heartbeat;
	b->reminders += out->remind;
	for (int slot = 0; slot < POLICY_SLOT_COUNT; slot++) {
		if (out->answer[slot].ended) {
			b->answer[slot] = out->answer[slot];
		}
	}
	if (out->save) {
		begin_save(b);
	}
	if (out->action >= POLICY_ACTION_COUNT) {
		fail_msg("no action has the number %d", out->action);
	} else if (out->action != POLICY_NONE) {
		b->order[b->ordered++ % 1000] = out->action;
		b->in.result = firmware(b, out);
		b->count[out->action] += b->in.result == 0;
	}
}

static inline void step(struct bench *b, const struct policy_command *command)
{
	int rounds = 0;

	b->in.command = command;
	b->stopped = command && command->kind == POLICY_COMMAND_STOP;
	if (command && policy_slot(command->kind) == POLICY_SLOT_CHANGE &&
	    !policy_is_open(&b->policy, command->kind)) {
		b->before = b->policy.kept;
	}
	do {
		struct policy_kept before = b->policy.kept;

		end_save(b);
		policy_step(&b->policy, &b->in, b->now_ms, &b->out);
		b->steps++;
		check_decision(b, &before);
		b->in.command = NULL;
		b->in.ecu = false;
		take_output(b);
		assert_true(++rounds < 100);
	} while (b->out.action != POLICY_NONE || (b->saving && b->now_ms >= b->save_end_ms));
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

/* Give a command, and wait for its end. Return: its outcome. */
static inline enum policy_outcome command(struct bench *b, const struct policy_command *command)
{
	struct policy_answer *answer = &b->answer[policy_slot(command->kind)];

	assert_false(policy_is_open(&b->policy, command->kind));
	answer->ended = false;
	step(b, command);
	for (int64_t end = b->now_ms + MINUTE_MS; !answer->ended && b->now_ms < end;) {
		run(b, TICK_MS);
	}
	assert_true(answer->ended);
	return answer->outcome;
}

static inline enum policy_outcome simple(struct bench *b, enum policy_command_kind kind)
{
	return command(b, &(struct policy_command){ .kind = kind, .fault = QS1_FAULT_GFDI });
}

/* The error of the last command that was no stop and no limit. */
static inline int error_of(const struct bench *b, enum policy_slot slot)
{
	return b->answer[slot].error;
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
	struct policy_kept first;

	memset(&first, 0, sizeof(first));
	first.profile = profile_named("note1");
	*b = (struct bench){ .now_ms = 1000000, .in.plausible = true };
	b->saved = kept ? *kept : first;
	policy_init(&b->policy, &b->saved, true, b->now_ms);
}

/* The firmware starts; its self test has passed unless the test sets otherwise. */
static inline void boot(struct bench *b, bool tested)
{
	b->in.present = true;
	b->in.epoch++;
	b->in.faults_active = 0;
	b->in.faults_latched = 0;
	for (int id = 0; id < QS1_PARAM_COUNT; id++) {
		b->value[id] = qs1_param_desc(id)->def;
	}
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
