// SPDX-License-Identifier: GPL-2.0-only
#include "policy.h"

#include <errno.h>
#include <string.h>

#define GFDI QS1_FAULT_BIT(QS1_FAULT_GFDI)

const char *policy_action_text(enum policy_action action)
{
	static const char *const texts[] = {
#define X(id, text) [POLICY_##id] = text,
		POLICY_ACTIONS(X)
#undef X
	};

	return texts[action];
}

void policy_init(struct policy *policy, const struct policy_kept *kept, int64_t now_ms)
{
	*policy = (struct policy){
		.kept = *kept,
		.sample_ms = now_ms,
		.retry_ms = now_ms,
		.save_retry_ms = now_ms,
		.heartbeat_ms = now_ms,
		.startup_ms = now_ms,
		.remind_ms = now_ms,
	};
}

/* The firmware has started anew: it is disarmed and knows nothing. */
static void begin_session(struct policy *policy, const struct policy_input *in, int64_t now_ms)
{
	policy->epoch = in->epoch;
	policy->seen = false;
	policy->tested = false;
	policy->profile_applied = false;
	policy->next_set = 0;
	policy->profile_refused = false;
	policy->settle_ms = now_ms;
	policy->cleared_ms = now_ms;
	policy->stale = false;
	policy->stale_disarmed = false;
	policy->sample_ms = now_ms;
	policy->reading = in->reading;
	policy->bad_readings = 0;
	policy->good_readings = 0;
	policy->implausible = false;
	policy->retry_ms = now_ms;
	policy->heartbeat_ms = now_ms;
}

/* Each reading counts once, however often a step sees it. */
static void judge_plausibility(struct policy *policy, const struct policy_input *in)
{
	if (in->reading == policy->reading) {
		return;
	}
	policy->reading = in->reading;
	if (in->plausible) {
		policy->bad_readings = 0;
		policy->good_readings++;
		if (policy->good_readings >= POLICY_PLAUSIBLE_READINGS) {
			policy->implausible = false;
		}
	} else {
		policy->good_readings = 0;
		policy->bad_readings++;
		if (policy->bad_readings >= POLICY_IMPLAUSIBLE_READINGS) {
			policy->implausible = true;
		}
	}
}

/* Take a sample that has not been seen before. */
static void take_sample(struct policy *policy, const struct policy_input *in, int64_t now_ms)
{
	bool tested = in->status & QS1_STATUS_SELF_TEST_OK;
	bool armed = in->status & QS1_STATUS_ARMED;

	policy->sample = in->sample;
	policy->sample_ms = now_ms;
	policy->stale = false;
	policy->stale_disarmed = false;
	judge_plausibility(policy, in);

	/* A restart of this daemon beside a running inverter is no start-up of the inverter. */
	if (tested && !policy->tested && !(armed && !policy->seen)) {
		policy->startup_ms = now_ms + POLICY_STARTUP_MS;
	}
	policy->tested = tested;
	policy->seen = true;

	/* A sample may be older than the command that cleared the latch. */
	if ((in->faults_latched & GFDI) && !policy->kept.ground_fault &&
	    now_ms >= policy->cleared_ms) {
		policy->kept.ground_fault = true;
		policy->dirty = true;
		policy->save_retry_ms = now_ms;
		policy->remind_ms = now_ms + POLICY_REMIND_MS;
	}
}

static bool take_input(struct policy *policy, const struct policy_input *in, int64_t now_ms)
{
	bool fresh = false;

	if (in->present && (!policy->present || in->epoch != policy->epoch)) {
		begin_session(policy, in, now_ms);
	}
	policy->present = in->present;
	if (in->ecu) {
		policy->ecu_seen = true;
		policy->ecu_ms = now_ms;
	}
	if (in->present) {
		fresh = !policy->seen || in->sample != policy->sample;
		if (fresh) {
			take_sample(policy, in, now_ms);
		} else if (now_ms - policy->sample_ms > POLICY_STALE_MS) {
			policy->stale = true;
		}
	}
	return fresh;
}

static void forget_profile_values(struct policy_kept *kept)
{
	for (int id = 0; id < QS1_PARAM_COUNT; id++) {
		if (qs1_param_desc(id)->group == QS1_PARAM_GROUP_PROFILE) {
			kept->set[id] = false;
		}
	}
}

/* What a command changes for good once the firmware has accepted it. */
static void keep_command(struct policy *policy)
{
	struct policy_kept *kept = &policy->kept;
	const struct policy_command *command = &policy->command;

	switch (command->kind) {
	case POLICY_COMMAND_PROFILE:
		kept->profile = command->profile;
		forget_profile_values(kept);
		policy->profile_applied = true;
		break;
	case POLICY_COMMAND_SET:
		kept->set[command->param] = true;
		kept->value[command->param] = command->value;
		break;
	case POLICY_COMMAND_CLEAR:
		if (command->fault == QS1_FAULT_GFDI) {
			kept->ground_fault = false;
		}
		break;
	default:
		kept->shutdown = command->kind == POLICY_COMMAND_STOP;
		break;
	}
	policy->dirty = true;
}

/* The kept profile with what was set since: one set of values, applied at once. */
static const struct qs1_profile *effective_profile(struct policy *policy)
{
	const struct policy_kept *kept = &policy->kept;

	policy->effective = kept->profile;
	for (int id = 0; id < QS1_PARAM_COUNT; id++) {
		if (kept->set[id] && qs1_param_desc(id)->group == QS1_PARAM_GROUP_PROFILE) {
			policy->effective.value[id] = kept->value[id];
		}
	}
	return &policy->effective;
}

static void end_command(struct policy *policy, int result, struct policy_output *out)
{
	out->command_done = true;
	out->command_result = result;
	policy->command.kind = POLICY_COMMAND_NONE;
}

/* The result of an action that a command asked for. */
static void take_command_result(struct policy *policy, enum policy_action action, int result,
				struct policy_output *out)
{
	if (action == POLICY_SAVE) {
		end_command(policy, policy->command_result ?: result, out);
		return;
	}
	/* Shutdown is kept even if the firmware does not hear of it now. */
	if (result < 0 && policy->command.kind != POLICY_COMMAND_STOP) {
		end_command(policy, result, out);
		return;
	}
	policy->command_result = result;
	keep_command(policy);
}

/* The result of an action that policy itself came to. */
static void take_own_result(struct policy *policy, enum policy_action action, int result,
			    int64_t now_ms)
{
	switch (action) {
	case POLICY_APPLY_PROFILE:
		policy->profile_applied = result == 0;
		policy->profile_refused = result < 0;
		break;
	case POLICY_SET:
		/* A value that this firmware refuses must not keep the unit from its work. */
		policy->next_set++;
		return;
	default:
		break;
	}
	if (result < 0 && action != POLICY_SAVE) {
		policy->retry_ms = now_ms + POLICY_RETRY_MS;
	}
}

static void take_result(struct policy *policy, const struct policy_input *in, int64_t now_ms,
			struct policy_output *out)
{
	enum policy_action action = policy->pending;

	policy->pending = POLICY_NONE;
	if (action == POLICY_SAVE) {
		policy->dirty = in->result < 0;
		policy->save_retry_ms = policy->dirty ? now_ms + POLICY_RETRY_MS : now_ms;
	} else {
		policy->settle_ms = now_ms + POLICY_SETTLE_MS;
		if (action == POLICY_CLEAR) {
			policy->cleared_ms = policy->settle_ms;
		}
	}
	if (policy->command.kind != POLICY_COMMAND_NONE) {
		take_command_result(policy, action, in->result, out);
	} else {
		take_own_result(policy, action, in->result, now_ms);
	}
}

/* Why a command can not be carried out now, or 0. */
static int refuse_command(const struct policy *policy, const struct policy_input *in)
{
	bool reachable = in->present && !policy->stale;

	switch (policy->command.kind) {
	case POLICY_COMMAND_START:
		return policy->kept.ground_fault ? -EPERM : 0;
	case POLICY_COMMAND_CLEAR:
	case POLICY_COMMAND_PROFILE:
	case POLICY_COMMAND_SET:
		return reachable ? 0 : -ENODEV;
	default:
		return 0;
	}
}

static enum policy_action begin_command(struct policy *policy, const struct policy_input *in,
					struct policy_output *out)
{
	int refusal;

	policy->command = *in->command;
	policy->command_result = 0;
	refusal = refuse_command(policy, in);
	if (refusal < 0) {
		end_command(policy, refusal, out);
		return POLICY_NONE;
	}
	switch (policy->command.kind) {
	case POLICY_COMMAND_PROFILE:
		out->profile = &policy->command.profile;
		return POLICY_APPLY_PROFILE;
	case POLICY_COMMAND_SET:
		out->param = policy->command.param;
		out->value = policy->command.value;
		return POLICY_SET;
	case POLICY_COMMAND_CLEAR:
		out->fault = policy->command.fault;
		return POLICY_CLEAR;
	case POLICY_COMMAND_STOP:
		if (in->present) {
			return POLICY_DISARM;
		}
		break;
	default:
		break;
	}
	keep_command(policy);
	return POLICY_SAVE;
}

/* Production is to be permitted; the profile is in force, it came first. */
static bool wants_armed(const struct policy *policy, const struct policy_input *in)
{
	return !policy->kept.shutdown && !policy->implausible && !policy->kept.ground_fault &&
	       !(in->faults_latched & GFDI);
}

static enum policy_action restore_settings(struct policy *policy, struct policy_output *out)
{
	if (!policy->profile_applied) {
		out->profile = effective_profile(policy);
		return POLICY_APPLY_PROFILE;
	}
	while (policy->next_set < QS1_PARAM_COUNT &&
	       (!policy->kept.set[policy->next_set] ||
		qs1_param_desc(policy->next_set)->group == QS1_PARAM_GROUP_PROFILE)) {
		policy->next_set++;
	}
	if (policy->next_set < QS1_PARAM_COUNT) {
		out->param = policy->next_set;
		out->value = policy->kept.value[policy->next_set];
		return POLICY_SET;
	}
	return POLICY_NONE;
}

/* What the firmware is to be told, by a sample that shows what it was told last. */
static enum policy_action permit(const struct policy *policy, const struct policy_input *in,
				 struct policy_output *out)
{
	bool armed = in->status & QS1_STATUS_ARMED;

	if (policy->kept.ground_fault && !(in->faults_latched & GFDI)) {
		out->fault = QS1_FAULT_GFDI;
		return POLICY_LATCH;
	}
	if (armed && !wants_armed(policy, in)) {
		return POLICY_DISARM;
	}
	if (!armed && policy->tested && wants_armed(policy, in)) {
		return POLICY_ARM;
	}
	return POLICY_NONE;
}

/* The latest sample shows the effect of the latest action. */
static bool is_settled(const struct policy *policy)
{
	return policy->sample_ms >= policy->settle_ms;
}

static enum policy_action choose(struct policy *policy, const struct policy_input *in,
				 int64_t now_ms, struct policy_output *out)
{
	enum policy_action action;

	/* Whoever gave a command waits for it to be saved, or to hear that it can not be. */
	if (policy->dirty &&
	    (now_ms >= policy->save_retry_ms || policy->command.kind != POLICY_COMMAND_NONE)) {
		return POLICY_SAVE;
	}
	if (!in->present) {
		return POLICY_NONE;
	}
	if (policy->stale) {
		if (policy->stale_disarmed) {
			return POLICY_NONE;
		}
		policy->stale_disarmed = true;
		return POLICY_DISARM;
	}
	if (policy->profile_refused && (in->status & QS1_STATUS_ARMED) && is_settled(policy)) {
		return POLICY_DISARM;
	}
	if (now_ms < policy->retry_ms) {
		return POLICY_NONE;
	}
	action = restore_settings(policy, out);
	if (action == POLICY_NONE && is_settled(policy)) {
		action = permit(policy, in, out);
	}
	return action;
}

static enum policy_show choose_show(const struct policy *policy, const struct policy_output *out,
				    int64_t now_ms)
{
	if (out->faults_latched & GFDI) {
		return POLICY_SHOW_GROUND_FAULT;
	}
	if (now_ms < policy->startup_ms) {
		return POLICY_SHOW_STARTUP;
	}
	if (out->state != QS1_STATE_PRODUCING && out->state != QS1_STATE_DERATING) {
		return POLICY_SHOW_NOT_PRODUCING;
	}
	if (!policy->ecu_seen || now_ms - policy->ecu_ms > POLICY_ECU_TIMEOUT_MS) {
		return POLICY_SHOW_PRODUCING_NO_ECU;
	}
	return POLICY_SHOW_PRODUCING;
}

static void report(const struct policy *policy, const struct policy_input *in,
		   struct policy_output *out)
{
	unsigned int state = in->status & QS1_STATUS_STATE_MASK;

	if (policy->kept.ground_fault) {
		out->faults_latched |= GFDI;
	}
	if (!in->present) {
		out->state = QS1_STATE_OFF;
		return;
	}
	out->faults_active = in->faults_active;
	out->faults_latched |= in->faults_latched;
	out->armed = in->status & QS1_STATUS_ARMED;
	out->stale = policy->stale;
	out->state = state < QS1_STATE_COUNT ? state : QS1_STATE_FAULT;
	if (policy->implausible || state >= QS1_STATE_COUNT) {
		out->faults_active |= QS1_FAULT_BIT(QS1_FAULT_SENSOR);
	}
	if (policy->stale) {
		out->faults_active |= QS1_FAULT_BIT(QS1_FAULT_FIRMWARE);
		out->state = QS1_STATE_FAULT;
		out->armed = false;
	}
}

void policy_step(struct policy *policy, const struct policy_input *in, int64_t now_ms,
		 struct policy_output *out)
{
	*out = (struct policy_output){ .action = POLICY_NONE };
	out->fresh = take_input(policy, in, now_ms);
	if (policy->pending != POLICY_NONE) {
		take_result(policy, in, now_ms, out);
	}
	if (in->command && in->command->kind != POLICY_COMMAND_NONE) {
		out->action = begin_command(policy, in, out);
	} else {
		out->action = choose(policy, in, now_ms, out);
	}
	policy->pending = out->action;
	if (now_ms >= policy->heartbeat_ms) {
		policy->heartbeat_ms = now_ms + POLICY_HEARTBEAT_MS;
		out->heartbeat = in->present && !policy->stale;
	}
	if (policy->kept.ground_fault && now_ms >= policy->remind_ms) {
		policy->remind_ms = now_ms + POLICY_REMIND_MS;
		out->remind = true;
	}
	report(policy, in, out);
	out->show = choose_show(policy, out, now_ms);
}
