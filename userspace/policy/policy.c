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

static const struct {
	const char *name;
	enum policy_slot slot;
	enum policy_phase phase;
	enum policy_action action;
} commands[] = {
#define X(id, name, slot, phase, action)                                                           \
	[POLICY_COMMAND_##id] = { name, POLICY_SLOT_##slot, POLICY_##phase, POLICY_##action },
	POLICY_COMMANDS(X)
#undef X
};

const char *policy_command_name(enum policy_command_kind kind)
{
	return commands[kind].name;
}

enum policy_slot policy_slot(enum policy_command_kind kind)
{
	return commands[kind].slot;
}

const char *policy_outcome_name(enum policy_outcome outcome)
{
	static const char *const names[] = {
#define X(id, name, text) [POLICY_##id] = name,
		POLICY_OUTCOMES(X)
#undef X
	};

	return names[outcome];
}

bool policy_is_open(const struct policy *policy, enum policy_command_kind kind)
{
	return policy->open[policy_slot(kind)].phase != POLICY_IDLE;
}

static bool in_profile(enum qs1_param id)
{
	return qs1_param_desc(id)->group == QS1_PARAM_GROUP_PROFILE;
}

/* A negative answer that leaves no doubt: the firmware has changed nothing. */
static bool is_refusal(int result)
{
	return result == -EINVAL || result == -ERANGE || result == -EBUSY || result == -EOPNOTSUPP;
}

/* What is kept has changed, and is to be saved. */
static void note_change(struct policy *policy, int64_t now_ms)
{
	policy->changes++;
	policy->dirty = true;
	policy->save_retry_ms = now_ms;
}

void policy_init(struct policy *policy, const struct policy_kept *kept, bool stored, int64_t now_ms)
{
	*policy = (struct policy){
		.kept = *kept,
		.dirty = !stored,
		.limit_w = LIMITS_NONE,
		.sample_ms = now_ms,
		.forbid_ms = now_ms,
		.retry_ms = now_ms,
		.save_retry_ms = now_ms,
		.heartbeat_ms = now_ms,
		.startup_ms = now_ms,
		.remind_ms = now_ms,
	};
}

/* The firmware has restarted: it is disarmed and has its defaults. */
static void begin_session(struct policy *policy, const struct policy_input *in, int64_t now_ms)
{
	policy->epoch = in->epoch;
	policy->seen = false;
	policy->tested = false;
	policy->profile_sync = POLICY_SYNC_UNKNOWN;
	policy->profile_failed = false;
	memset(policy->param_sync, 0, sizeof(policy->param_sync));
	policy->settle_ms = now_ms;
	policy->cleared_ms = now_ms;
	policy->stale = false;
	policy->stale_disarmed = false;
	policy->sample_ms = now_ms;
	policy->reading = in->reading;
	policy->bad_readings = 0;
	policy->good_readings = 0;
	policy->implausible = false;
	policy->forbid_ms = now_ms;
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

/* End a command, and forget it. */
static void end(struct policy *policy, enum policy_slot slot, enum policy_outcome outcome,
		int error, struct policy_output *out)
{
	out->answer[slot] = (struct policy_answer){
		.ended = true,
		.outcome = outcome,
		.error = error,
	};
	policy->open[slot].phase = POLICY_IDLE;
}

/* The firmware has cleared the ground fault; the disk does not have it so far. */
static bool is_clearing_gfdi(const struct policy *policy)
{
	const struct policy_open *open = &policy->open[POLICY_SLOT_CHANGE];

	return open->phase == POLICY_STORE && open->command.kind == POLICY_COMMAND_CLEAR &&
	       open->command.fault == QS1_FAULT_GFDI;
}

/* A sample may be older than the command that cleared the latch. */
static void take_latch(struct policy *policy, const struct policy_input *in, int64_t now_ms,
		       struct policy_output *out)
{
	if (!(in->faults_latched & GFDI) || now_ms < policy->cleared_ms) {
		return;
	}
	if (is_clearing_gfdi(policy)) {
		end(policy, POLICY_SLOT_CHANGE, POLICY_REFUSED, -EBUSY, out);
	}
	if (!policy->kept.ground_fault) {
		policy->kept.ground_fault = true;
		policy->remind_ms = now_ms + POLICY_REMIND_MS;
		note_change(policy, now_ms);
	}
}

/* Take a sample that has not been seen before. */
static void take_sample(struct policy *policy, const struct policy_input *in, int64_t now_ms,
			struct policy_output *out)
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
	take_latch(policy, in, now_ms, out);
}

static void take_input(struct policy *policy, const struct policy_input *in, int64_t now_ms,
		       struct policy_output *out)
{
	if (in->present && (!policy->present || in->epoch != policy->epoch)) {
		begin_session(policy, in, now_ms);
	}
	policy->present = in->present;
	if (in->ecu) {
		policy->ecu_seen = true;
		policy->ecu_ms = now_ms;
	}
	if (!in->present) {
		return;
	}
	out->fresh = !policy->seen || in->sample != policy->sample;
	if (out->fresh) {
		take_sample(policy, in, now_ms, out);
	} else if (now_ms - policy->sample_ms > POLICY_STALE_MS) {
		policy->stale = true;
	}
}

static void forget_profile_values(struct policy_kept *kept)
{
	for (int id = 0; id < QS1_PARAM_COUNT; id++) {
		if (in_profile(id)) {
			kept->set[id] = false;
		}
	}
}

/* What a command changes for good. */
static void change_kept(struct policy_kept *kept, const struct policy_command *command)
{
	switch (command->kind) {
	case POLICY_COMMAND_PROFILE:
		kept->profile = command->profile;
		forget_profile_values(kept);
		break;
	case POLICY_COMMAND_SET:
		kept->set[command->param] = true;
		kept->value[command->param] = command->value;
		break;
	case POLICY_COMMAND_CLEAR:
		if (command->fault == QS1_FAULT_GFDI) {
			kept->ground_fault = false;
		} else {
			kept->store_lost = false;
		}
		break;
	case POLICY_COMMAND_PAIR:
		kept->paired = true;
		memcpy(kept->key, command->key, sizeof(kept->key));
		break;
	default:
		kept->shutdown = false;
		break;
	}
}

/* The kept profile with the parameters that were set later, as one profile. */
static const struct qs1_profile *effective_profile(struct policy *policy)
{
	const struct policy_kept *kept = &policy->kept;

	policy->effective = kept->profile;
	for (int id = 0; id < QS1_PARAM_COUNT; id++) {
		if (kept->set[id] && in_profile(id)) {
			policy->effective.value[id] = kept->value[id];
		}
	}
	return &policy->effective;
}

/* The value that a parameter shall have where @base is kept: a limit lowers the power. */
static int32_t limited(const struct policy *policy, enum qs1_param id, int32_t base)
{
	int32_t limit_w = limits_lowest(&policy->limits);

	return id == QS1_PARAM_POWER_LIMIT_W && limit_w < base ? limit_w : base;
}

static int32_t wanted_value(const struct policy *policy, enum qs1_param id)
{
	const struct policy_kept *kept = &policy->kept;

	return limited(policy, id, kept->set[id] ? kept->value[id] : qs1_param_desc(id)->def);
}

/* A value in the firmware must be compared with the kept one. */
static void note_unknown(struct policy *policy, enum qs1_param id)
{
	if (in_profile(id)) {
		policy->profile_sync = POLICY_SYNC_UNKNOWN;
	} else {
		policy->param_sync[id] = POLICY_SYNC_UNKNOWN;
	}
}

/* So are the values that a command was about. */
static void note_command_unknown(struct policy *policy, const struct policy_command *command)
{
	if (command->kind == POLICY_COMMAND_PROFILE) {
		policy->profile_sync = POLICY_SYNC_UNKNOWN;
	} else if (command->kind == POLICY_COMMAND_SET) {
		note_unknown(policy, command->param);
	}
}

static bool is_in_sync(const struct policy *policy, const struct policy_command *command)
{
	switch (command->kind) {
	case POLICY_COMMAND_SET:
		return in_profile(command->param)
			       ? policy->profile_sync == POLICY_SYNC_IN_FORCE
			       : policy->param_sync[command->param] == POLICY_SYNC_IN_FORCE;
	case POLICY_COMMAND_LIMIT:
		return policy->param_sync[QS1_PARAM_POWER_LIMIT_W] == POLICY_SYNC_IN_FORCE;
	case POLICY_COMMAND_PROFILE:
		return policy->profile_sync == POLICY_SYNC_IN_FORCE;
	default:
		return true;
	}
}

/* Limits change by command and by the clock. */
static void watch_limits(struct policy *policy, int64_t now_ms)
{
	int32_t lowest;

	limits_expire(&policy->limits, now_ms);
	lowest = limits_lowest(&policy->limits);
	if (lowest != policy->limit_w) {
		policy->limit_w = lowest;
		note_unknown(policy, QS1_PARAM_POWER_LIMIT_W);
	}
}

static void enter(struct policy_open *open, enum policy_phase phase, int64_t deadline_ms)
{
	open->phase = phase;
	open->deadline_ms = deadline_ms;
}

/* A command could not be stored: restore the kept values. */
static void undo(struct policy *policy, int error, int64_t now_ms)
{
	struct policy_open *open = &policy->open[POLICY_SLOT_CHANGE];

	note_command_unknown(policy, &open->command);
	open->error = error;
	enter(open, POLICY_UNDO, now_ms + POLICY_UNDO_MS);
}

/* The result of an action that a command asked for. */
static void take_command_result(struct policy *policy, int result, int64_t now_ms,
				struct policy_output *out)
{
	struct policy_open *open = &policy->open[POLICY_SLOT_CHANGE];

	if (is_refusal(result)) {
		end(policy, POLICY_SLOT_CHANGE, POLICY_REFUSED, result, out);
	} else if (result < 0) {
		open->act_ms = now_ms + POLICY_ACT_RETRY_MS;
		open->error = result;
	} else if (open->command.kind == POLICY_COMMAND_CLEAR &&
		   open->command.fault != QS1_FAULT_GFDI) {
		end(policy, POLICY_SLOT_CHANGE, POLICY_DONE, 0, out);
	} else {
		enter(open, POLICY_STORE, now_ms + POLICY_STORE_MS);
	}
}

static enum policy_sync sync_of(int result)
{
	return !result		    ? POLICY_SYNC_IN_FORCE
	       : is_refusal(result) ? POLICY_SYNC_REFUSED
				    : POLICY_SYNC_UNKNOWN;
}

/* The result of an action that policy itself came to. */
static void take_own_result(struct policy *policy, const struct policy_input *in,
			    enum policy_action action, enum qs1_param param, int64_t now_ms)
{
	if (action == POLICY_APPLY_PROFILE) {
		policy->profile_sync = sync_of(in->result);
		policy->profile_failed = in->result < 0;
	} else if (action == POLICY_SET) {
		policy->param_sync[param] = sync_of(in->result);
		/* A value that this firmware refuses must not keep the unit from its work. */
		if (policy->param_sync[param] == POLICY_SYNC_REFUSED) {
			return;
		}
	}
	if (in->result < 0 && (action == POLICY_DISARM || action == POLICY_LATCH)) {
		policy->forbid_ms = now_ms + POLICY_RETRY_MS;
	} else if (in->result < 0) {
		policy->retry_ms = now_ms + POLICY_RETRY_MS;
	}
}

static void take_result(struct policy *policy, const struct policy_input *in, int64_t now_ms,
			struct policy_output *out)
{
	enum policy_action action = policy->pending;

	policy->pending = POLICY_NONE;
	if (action == POLICY_NONE) {
		return;
	}
	policy->settle_ms = now_ms + POLICY_SETTLE_MS;
	if (action == POLICY_CLEAR) {
		policy->cleared_ms = policy->settle_ms;
	}
	if (policy->pending_command) {
		take_command_result(policy, in->result, now_ms, out);
	} else {
		take_own_result(policy, in, action, policy->pending_param, now_ms);
	}
}

/* What a command asked for is in force and on stable storage. */
static void finish_change(struct policy *policy, struct policy_output *out)
{
	struct policy_open *open = &policy->open[POLICY_SLOT_CHANGE];

	change_kept(&policy->kept, &open->command);
	/* The firmware may have restarted meanwhile, without this command's values. */
	note_command_unknown(policy, &open->command);
	end(policy, POLICY_SLOT_CHANGE, POLICY_DONE, 0, out);
}

static void take_saved(struct policy *policy, const struct policy_input *in, int64_t now_ms,
		       struct policy_output *out)
{
	struct policy_open *change = &policy->open[POLICY_SLOT_CHANGE];
	struct policy_open *stop = &policy->open[POLICY_SLOT_STOP];
	bool waited = change->phase == POLICY_STORE && policy->saving_serial == change->serial;

	if (!in->save_ended) {
		return;
	}
	policy->saving = false;
	/* What is on the disk after a failure, or of a command that was given up, is not kept. */
	policy->dirty = in->save_result < 0 || policy->changes != policy->saving_changes ||
			(policy->saving_serial && !waited);
	if (in->save_result < 0) {
		policy->save_retry_ms = now_ms + POLICY_RETRY_MS;
		if (policy->saved.shutdown) {
			stop->error = in->save_result;
		}
		if (waited) {
			undo(policy, in->save_result, now_ms);
		}
	} else if (waited) {
		finish_change(policy, out);
	}
}

/* Why a command cannot be carried out now, or 0. */
static int refuse(const struct policy *policy, const struct policy_input *in,
		  const struct policy_command *command)
{
	bool reachable = in->present && !policy->stale;

	switch (command->kind) {
	case POLICY_COMMAND_START:
		if (policy_is_open(policy, POLICY_COMMAND_STOP)) {
			return -EBUSY;
		}
		return policy->kept.ground_fault || policy->kept.store_lost ? -EPERM : 0;
	case POLICY_COMMAND_CLEAR:
		if (command->fault == QS1_FAULT_STORE_LOST) {
			return 0;
		}
		return reachable ? 0 : -ENODEV;
	case POLICY_COMMAND_PROFILE:
	case POLICY_COMMAND_SET:
		return reachable ? 0 : -ENODEV;
	default:
		return 0;
	}
}

/* It is in force at once, and undoes a start that waits for the disk. */
static void begin_stop(struct policy *policy, int64_t now_ms, struct policy_output *out)
{
	const struct policy_open *change = &policy->open[POLICY_SLOT_CHANGE];

	if (change->phase != POLICY_IDLE && change->command.kind == POLICY_COMMAND_START) {
		end(policy, POLICY_SLOT_CHANGE, POLICY_REFUSED, -ECANCELED, out);
	}
	policy->kept.shutdown = true;
	policy->stop_now = true;
	note_change(policy, now_ms);
}

static void begin_command(struct policy *policy, const struct policy_input *in, int64_t now_ms,
			  struct policy_output *out)
{
	const struct policy_command *command = in->command;
	enum policy_slot slot = policy_slot(command->kind);
	struct policy_open *open = &policy->open[slot];
	int refusal = refuse(policy, in, command);

	if (command->kind == POLICY_COMMAND_LIMIT) {
		refusal = limits_put(&policy->limits, &command->limit);
		watch_limits(policy, now_ms);
	}
	if (refusal < 0) {
		end(policy, slot, POLICY_REFUSED, refusal, out);
		return;
	}
	*open = (struct policy_open){
		.command = *command,
		.phase = commands[command->kind].phase,
		.serial = ++policy->serial,
		.epoch = policy->epoch,
		.act_ms = now_ms,
		.deadline_ms = now_ms + POLICY_ACT_MS,
	};
	if (command->kind == POLICY_COMMAND_STOP) {
		begin_stop(policy, now_ms, out);
	}
	if (command->kind == POLICY_COMMAND_CLEAR && command->fault == QS1_FAULT_STORE_LOST) {
		open->phase = POLICY_STORE;
	}
	if (open->phase == POLICY_STORE) {
		open->deadline_ms = now_ms + POLICY_STORE_MS;
	}
}

/* The latest sample shows the effect of the latest action. */
static bool is_settled(const struct policy *policy)
{
	return policy->sample_ms >= policy->settle_ms;
}

static void watch_change(struct policy *policy, const struct policy_input *in, int64_t now_ms,
			 struct policy_output *out)
{
	struct policy_open *open = &policy->open[POLICY_SLOT_CHANGE];
	bool late = now_ms >= open->deadline_ms;

	switch (open->phase) {
	case POLICY_ACT:
		/* Another run of the firmware knows nothing of it. */
		if (!in->present || open->epoch != policy->epoch) {
			end(policy, POLICY_SLOT_CHANGE, POLICY_REFUSED, -ENODEV, out);
		} else if (late) {
			note_command_unknown(policy, &open->command);
			end(policy, POLICY_SLOT_CHANGE, POLICY_UNKNOWN, open->error, out);
		}
		break;
	case POLICY_STORE:
		if (late) {
			undo(policy, -ETIMEDOUT, now_ms);
		}
		break;
	case POLICY_UNDO:
		if (late || !in->present || is_in_sync(policy, &open->command)) {
			end(policy, POLICY_SLOT_CHANGE, POLICY_NOT_STORED, open->error, out);
			out->answer[POLICY_SLOT_CHANGE].undone = !late;
		}
		break;
	default:
		break;
	}
}

/* A stop ends when the firmware has disarmed and the disk has stored it. */
static void watch_stop(struct policy *policy, const struct policy_input *in, int64_t now_ms,
		       struct policy_output *out)
{
	const struct policy_open *open = &policy->open[POLICY_SLOT_STOP];
	bool disarmed = !in->present ||
			(is_settled(policy) && !policy->stale && !(in->status & QS1_STATUS_ARMED));
	bool late = now_ms >= open->deadline_ms;

	if (open->phase == POLICY_IDLE) {
		return;
	}
	if (disarmed && !policy->dirty && !policy->saving) {
		end(policy, POLICY_SLOT_STOP, POLICY_DONE, 0, out);
	} else if (disarmed && (open->error < 0 || late)) {
		end(policy, POLICY_SLOT_STOP, POLICY_NOT_STORED, open->error ?: -ETIMEDOUT, out);
	} else if (late) {
		end(policy, POLICY_SLOT_STOP, POLICY_UNKNOWN, -ETIMEDOUT, out);
	}
}

/* Without a firmware nothing is fed in; it gets the limit before its permission. */
static void watch_limit(struct policy *policy, const struct policy_input *in, int64_t now_ms,
			struct policy_output *out)
{
	const struct policy_open *open = &policy->open[POLICY_SLOT_LIMIT];

	if (open->phase == POLICY_IDLE) {
		return;
	}
	if (!in->present || is_in_sync(policy, &open->command)) {
		end(policy, POLICY_SLOT_LIMIT, POLICY_DONE, 0, out);
	} else if (now_ms >= open->deadline_ms) {
		end(policy, POLICY_SLOT_LIMIT, POLICY_UNKNOWN, -ETIMEDOUT, out);
	}
}

/* Production is to be permitted; the profile is in force, it came first. */
static bool wants_armed(const struct policy *policy, const struct policy_input *in)
{
	const struct policy_kept *kept = &policy->kept;

	return !kept->shutdown && !kept->ground_fault && !kept->store_lost &&
	       !policy->implausible && !(in->faults_latched & GFDI);
}

/* The next value that the firmware is not known to have. */
static enum policy_action restore(struct policy *policy, struct policy_output *out)
{
	if (policy->profile_sync != POLICY_SYNC_IN_FORCE) {
		out->profile = effective_profile(policy);
		return POLICY_APPLY_PROFILE;
	}
	for (int id = 0; id < QS1_PARAM_COUNT; id++) {
		if (!in_profile(id) && policy->param_sync[id] == POLICY_SYNC_UNKNOWN) {
			out->param = id;
			out->value = wanted_value(policy, id);
			return POLICY_SET;
		}
	}
	return POLICY_NONE;
}

/* What must not wait for anything else. */
static enum policy_action forbid(const struct policy *policy, const struct policy_input *in,
				 struct policy_output *out)
{
	/* Nobody knows the trip settings of an inverter whose profile cannot be confirmed. */
	bool allowed = wants_armed(policy, in) && !policy->profile_failed;

	if ((in->status & QS1_STATUS_ARMED) && !allowed) {
		return POLICY_DISARM;
	}
	if (policy->kept.ground_fault && !(in->faults_latched & GFDI) &&
	    !is_clearing_gfdi(policy)) {
		out->fault = QS1_FAULT_GFDI;
		return POLICY_LATCH;
	}
	return POLICY_NONE;
}

/* A command under way may have changed values that are not kept. */
static enum policy_action permit(const struct policy *policy, const struct policy_input *in)
{
	bool armed = in->status & QS1_STATUS_ARMED;
	bool idle = policy->open[POLICY_SLOT_CHANGE].phase == POLICY_IDLE;

	return !armed && idle && policy->tested && wants_armed(policy, in) ? POLICY_ARM
									   : POLICY_NONE;
}

/* What the open command asks of the firmware, if it is time for an attempt. */
static enum policy_action act(const struct policy *policy, int64_t now_ms,
			      struct policy_output *out)
{
	const struct policy_open *open = &policy->open[POLICY_SLOT_CHANGE];
	const struct policy_command *command = &open->command;

	if (open->phase != POLICY_ACT || now_ms < open->act_ms) {
		return POLICY_NONE;
	}
	out->profile = &command->profile;
	out->fault = command->fault;
	out->param = command->param;
	out->value = limited(policy, command->param, command->value);
	return commands[command->kind].action;
}

static enum policy_action choose_own(struct policy *policy, const struct policy_input *in,
				     int64_t now_ms, struct policy_output *out)
{
	enum policy_action action = POLICY_NONE;

	if (policy->stale) {
		if (policy->stale_disarmed) {
			return POLICY_NONE;
		}
		policy->stale_disarmed = true;
		return POLICY_DISARM;
	}
	if (is_settled(policy) && now_ms >= policy->forbid_ms) {
		action = forbid(policy, in, out);
	}
	if (action == POLICY_NONE && now_ms >= policy->retry_ms) {
		action = restore(policy, out);
		if (action == POLICY_NONE && is_settled(policy)) {
			action = permit(policy, in);
		}
	}
	return action;
}

static enum policy_action choose(struct policy *policy, const struct policy_input *in,
				 int64_t now_ms, struct policy_output *out)
{
	enum policy_action action;

	policy->pending_command = false;
	if (!in->present) {
		policy->stop_now = false;
		return POLICY_NONE;
	}
	if (policy->stop_now) {
		policy->stop_now = false;
		return POLICY_DISARM;
	}
	action = act(policy, now_ms, out);
	if (action != POLICY_NONE) {
		policy->pending_command = true;
		return action;
	}
	return choose_own(policy, in, now_ms, out);
}

/* One save at a time: of what an open command waits for, or of what has changed. */
static void choose_save(struct policy *policy, const struct policy_input *in, int64_t now_ms,
			struct policy_output *out)
{
	const struct policy_open *open = &policy->open[POLICY_SLOT_CHANGE];
	bool waits = open->phase == POLICY_STORE;

	if (policy->saving || in->storage_busy ||
	    (!waits && !(policy->dirty && now_ms >= policy->save_retry_ms))) {
		return;
	}
	policy->saving = true;
	policy->saving_changes = policy->changes;
	policy->saving_serial = 0;
	policy->saved = policy->kept;
	if (waits) {
		policy->saving_serial = open->serial;
		change_kept(&policy->saved, &open->command);
	}
	out->save = &policy->saved;
}

/* On a grid of its period, so that the jitter of the steps does not add up. */
static void choose_heartbeat(struct policy *policy, const struct policy_input *in, int64_t now_ms,
			     struct policy_output *out)
{
	if (now_ms + POLICY_TICK_MS / 2 < policy->heartbeat_ms) {
		return;
	}
	policy->heartbeat_ms += POLICY_HEARTBEAT_MS;
	if (policy->heartbeat_ms <= now_ms) {
		policy->heartbeat_ms = now_ms + POLICY_HEARTBEAT_MS;
	}
	out->heartbeat = in->present && !policy->stale;
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

	out->stored = !policy->dirty && !policy->saving;
	if (policy->kept.ground_fault) {
		out->faults_latched |= GFDI;
	}
	if (policy->kept.store_lost) {
		out->faults_latched |= QS1_FAULT_BIT(QS1_FAULT_STORE_LOST);
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
	take_input(policy, in, now_ms, out);
	watch_limits(policy, now_ms);
	take_result(policy, in, now_ms, out);
	take_saved(policy, in, now_ms, out);
	watch_change(policy, in, now_ms, out);
	if (in->command && in->command->kind != POLICY_COMMAND_NONE &&
	    !policy_is_open(policy, in->command->kind)) {
		begin_command(policy, in, now_ms, out);
	}
	watch_limit(policy, in, now_ms, out);
	out->action = choose(policy, in, now_ms, out);
	policy->pending = out->action;
	policy->pending_param = out->param;
	choose_save(policy, in, now_ms, out);
	watch_stop(policy, in, now_ms, out);
	choose_heartbeat(policy, in, now_ms, out);
	if (policy->kept.ground_fault && now_ms >= policy->remind_ms) {
		policy->remind_ms = now_ms + POLICY_REMIND_MS;
		out->remind = true;
	}
	report(policy, in, out);
	out->show = choose_show(policy, out, now_ms);
}
