/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the inverter shall do: a pure function of its state, its input and the
 * time. It reads no clock and does no input or output, so that a test runs
 * through hours in milliseconds.
 *
 * The firmware protects; policy only permits.
 *
 * Actions. A step names at most one action on the firmware. The caller carries
 * it out and steps again with its result, until a step names none.
 *
 * Storage. A step may also ask for a save. The caller starts it, goes on
 * stepping, and reports its end as an input: policy never waits for a disk. One
 * save is under way at a time.
 *
 * Commands. A command has one of four outcomes, enum policy_outcome. What it
 * changes is in force for good when it is done, and not at all otherwise:
 *
 *              firmware: done            saved
 *   begin -> ACT ----------------> STORE -----> done
 *             |  \                   |
 *             |   no answer in time  | disk failed, or too slow
 *   refusal   |     -> unknown       v
 *             v    (and restored)   UNDO -----> not stored
 *           refused                   what is kept is in force again
 *
 * A command without an action on the firmware begins in STORE. Stop is the
 * exception: it is in force at once, and stays in force when it cannot be
 * stored. A limit is volatile and waits in SYNC until the firmware has it.
 *
 * Reconciliation. @kept is what shall be in force. Policy compares the firmware
 * with it after each start of the firmware and after each command that did not
 * end as done, and writes and reads back until the values are known to be in
 * force. A value whose write got no answer stays unknown, and is tried again.
 */
#ifndef QS1D_POLICY_H
#define QS1D_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include <qs1/abi.h>

#include "../lib/names.h"
#include "../lib/profile.h"
#include "limit.h"

/* The caller steps at least this often. */
#define POLICY_TICK_MS 100
/* A sample that is later than this counts as a fault. */
#define POLICY_STALE_MS 1000
/* Period of the heartbeat. The firmware loses its host after host_timeout_s, 0.5 s at the least. */
#define POLICY_HEARTBEAT_MS 200
/* Telemetry shows the effect of an action after this time at the latest. */
#define POLICY_SETTLE_MS 300
/* Between two attempts at what the firmware, or the disk, refused. */
#define POLICY_RETRY_MS 5000
/* Between two attempts of a command that the firmware did not answer. */
#define POLICY_ACT_RETRY_MS 1000
/* A command that the firmware does not answer for so long is unknown. */
#define POLICY_ACT_MS 10000
/* A save that takes longer does not count for the command that waits for it. */
#define POLICY_STORE_MS 25000
/* The answer "not stored" waits so long for the former values. */
#define POLICY_UNDO_MS 3000
/* "No communication with the ECU for over 60 minutes." */
#define POLICY_ECU_TIMEOUT_MS (60 * 60 * 1000)
/* The start-up pattern is shown this long. */
#define POLICY_STARTUP_MS 2500
/* A latched ground fault is reported again and again: as often as an ECU asks. */
#define POLICY_REMIND_MS (5 * 60 * 1000)
/* Meter readings in a row that make a measurement implausible, or plausible again. */
#define POLICY_IMPLAUSIBLE_READINGS 3
#define POLICY_PLAUSIBLE_READINGS 10

#define POLICY_KEY_SIZE 32

/**
 * struct policy_kept - what outlives power
 * @shutdown: stopped by command
 * @ground_fault: latched until cleared by command
 * @store_lost: the former store was lost; until cleared by command
 * @paired: an ECU has paired, and @key is its key
 * @key: authenticates its messages, see ../lib/seal.h
 * @profile: grid profile in force, with its values, so that an edited file
 *           changes nothing by itself
 * @set: parameters that were set one by one since
 * @value: their scaled values
 */
struct policy_kept {
	bool shutdown;
	bool ground_fault;
	bool store_lost;
	bool paired;
	uint8_t key[POLICY_KEY_SIZE];
	struct qs1_profile profile;
	bool set[QS1_PARAM_COUNT];
	int32_t value[QS1_PARAM_COUNT];
};

/* What the LEDs show. Columns: identifier, green, red. */
/* clang-format off */
#define POLICY_SHOWS(X) \
	X(NOT_PRODUCING, OFF, BLINK) \
	X(STARTUP, STARTUP, STARTUP) \
	X(PRODUCING, EVERY_10S, OFF) \
	X(PRODUCING_NO_ECU, EVERY_2S, OFF) \
	X(GROUND_FAULT, OFF, ON)
/* clang-format on */

enum policy_show {
#define X(id, green, red) POLICY_SHOW_##id,
	POLICY_SHOWS(X)
#undef X
		POLICY_SHOW_COUNT
};

/* Columns: identifier, words for the log. */
/* clang-format off */
#define POLICY_ACTIONS(X) \
	X(NONE, "do nothing") \
	X(APPLY_PROFILE, "apply profile") \
	X(SET, "set parameter") \
	X(LATCH, "restore latched fault") \
	X(CLEAR, "clear latched fault") \
	X(ARM, "permit production") \
	X(DISARM, "forbid production")
/* clang-format on */

enum policy_action {
#define X(id, text) POLICY_##id,
	POLICY_ACTIONS(X)
#undef X
		POLICY_ACTION_COUNT
};

/*
 * Of each slot one command is open at a time, so that a slow disk delays neither
 * a stop nor a limit.
 */
enum policy_slot { POLICY_SLOT_CHANGE, POLICY_SLOT_STOP, POLICY_SLOT_LIMIT, POLICY_SLOT_COUNT };

/* Columns: identifier, name, slot, first phase, action on the firmware. */
/* clang-format off */
#define POLICY_COMMANDS(X) \
	X(NONE, "none", CHANGE, IDLE, NONE) \
	X(START, "start", CHANGE, STORE, NONE) \
	X(STOP, "stop", STOP, STORE, NONE) \
	X(CLEAR, "clear", CHANGE, ACT, CLEAR) \
	X(PROFILE, "profile", CHANGE, ACT, APPLY_PROFILE) \
	X(SET, "set", CHANGE, ACT, SET) \
	X(PAIR, "pair", CHANGE, STORE, NONE) \
	X(LIMIT, "limit", LIMIT, SYNC, NONE)
/* clang-format on */

enum policy_command_kind {
#define X(id, name, slot, phase, action) POLICY_COMMAND_##id,
	POLICY_COMMANDS(X)
#undef X
		POLICY_COMMAND_COUNT
};

/**
 * struct policy_command - what a person or an ECU asks for
 * @kind: which
 * @profile: POLICY_COMMAND_PROFILE: checked
 * @fault: POLICY_COMMAND_CLEAR: one of QS1_FAULTS_CLEARABLE of names.h
 * @param: POLICY_COMMAND_SET
 * @value: POLICY_COMMAND_SET: scaled, within its range
 * @key: POLICY_COMMAND_PAIR
 * @limit: POLICY_COMMAND_LIMIT
 */
struct policy_command {
	enum policy_command_kind kind;
	struct qs1_profile profile;
	unsigned int fault;
	enum qs1_param param;
	int32_t value;
	uint8_t key[POLICY_KEY_SIZE];
	struct limit limit;
};

/*
 * How a command ends. Columns: identifier, name, meaning.
 */
/* clang-format off */
#define POLICY_OUTCOMES(X) \
	X(DONE, "done", "in force, read back and on stable storage") \
	X(REFUSED, "refused", "without effect") \
	X(NOT_STORED, "not-stored", "the disk failed") \
	X(UNKNOWN, "unknown", "the firmware did not answer; the kept state is being restored")
/* clang-format on */

enum policy_outcome {
#define X(id, name, text) POLICY_##id,
	POLICY_OUTCOMES(X)
#undef X
		POLICY_OUTCOME_COUNT
};

/**
 * struct policy_answer - the end of a command
 * @ended: the command of this slot has ended in this step
 * @outcome: how
 * @error: 0, or a negative errno that says why
 * @undone: POLICY_NOT_STORED: the former state is in force again
 */
struct policy_answer {
	bool ended;
	enum policy_outcome outcome;
	int error;
	bool undone;
};

/**
 * struct policy_input - what policy sees
 * @present: the driver and its firmware answer
 * @epoch: changes with every start of the firmware
 * @sample: changes with every fresh telemetry sample
 * @status: QS1_STATUS_*
 * @faults_active: QS1_FAULT_BIT()
 * @faults_latched: QS1_FAULT_BIT()
 * @reading: changes with every reading of the meter, which is slower than the samples
 * @plausible: every value of that reading is physically possible
 * @ecu: an ECU has asked for a report since the last step
 * @command: a new command of a slot that is free, see policy_is_open(); or NULL
 * @result: of the action that the last step named: 0 or a negative errno
 * @storage_busy: the caller cannot start a save now
 * @save_ended: the save that policy asked for has ended, with @save_result
 * @save_result: 0 or a negative errno
 */
struct policy_input {
	bool present;
	uint32_t epoch;
	uint32_t sample;
	uint32_t status;
	uint32_t faults_active;
	uint32_t faults_latched;
	uint32_t reading;
	bool plausible;
	bool ecu;
	const struct policy_command *command;
	int result;
	bool storage_busy;
	bool save_ended;
	int save_result;
};

/**
 * struct policy_output - what the caller shall do
 * @action: to be carried out, and its result given to the next step
 * @profile: POLICY_APPLY_PROFILE
 * @fault: POLICY_LATCH, POLICY_CLEAR
 * @param: POLICY_SET
 * @value: POLICY_SET
 * @save: what to start saving, or NULL; it stays valid until the save has ended
 * @answer: commands that have ended, by enum policy_slot
 * @heartbeat: write the heartbeat
 * @remind: report the latched ground fault again
 * @show: what the LEDs show
 * @state: enum qs1_state as it is to be reported
 * @armed: production is permitted, as the firmware has it
 * @stored: what is in force is on stable storage
 * @faults_active: the firmware's and policy's own
 * @faults_latched: the firmware's and what is kept
 * @fresh: this step saw a sample it had not seen before
 * @stale: the firmware does not deliver samples
 */
struct policy_output {
	enum policy_action action;
	const struct qs1_profile *profile;
	enum qs1_fault fault;
	enum qs1_param param;
	int32_t value;
	const struct policy_kept *save;
	struct policy_answer answer[POLICY_SLOT_COUNT];
	bool heartbeat;
	bool remind;
	enum policy_show show;
	enum qs1_state state;
	bool armed;
	bool stored;
	uint32_t faults_active;
	uint32_t faults_latched;
	bool fresh;
	bool stale;
};

/* Where an open command is, see the top of this file. */
enum policy_phase {
	POLICY_IDLE,
	POLICY_ACT,
	POLICY_STORE,
	POLICY_UNDO,
	POLICY_SYNC,
};

/**
 * struct policy_open - a command under way
 * @command: which
 * @phase: where it is
 * @serial: of this command, from 1
 * @epoch: run of the firmware in which it began
 * @act_ms: time of the next attempt in POLICY_ACT
 * @deadline_ms: end of the phase
 * @error: POLICY_UNDO, and a stop that could not be stored: why
 */
struct policy_open {
	struct policy_command command;
	enum policy_phase phase;
	uint32_t serial;
	uint32_t epoch;
	int64_t act_ms;
	int64_t deadline_ms;
	int error;
};

/* What is known of a value in the firmware. */
enum policy_sync {
	POLICY_SYNC_UNKNOWN, /* to be written and read back */
	POLICY_SYNC_IN_FORCE,
	POLICY_SYNC_REFUSED, /* by this run of the firmware */
};

/**
 * struct policy - policy's state; opaque except these members
 * @kept: what shall be in force and outlive power
 * @limits: power limits, volatile
 */
struct policy {
	struct policy_kept kept;
	struct limits limits;

	/* This run of the firmware. */
	bool present;
	uint32_t epoch;
	bool seen;
	bool tested;
	enum policy_sync profile_sync;
	bool profile_failed;
	enum policy_sync param_sync[QS1_PARAM_COUNT];
	int32_t limit_w;
	struct qs1_profile effective;

	/* Samples and readings. */
	uint32_t sample;
	bool stale;
	bool stale_disarmed;
	int64_t sample_ms;
	uint32_t reading;
	unsigned int bad_readings;
	unsigned int good_readings;
	bool implausible;

	/* Commands, and the action under way with the slot that it belongs to. */
	struct policy_open open[POLICY_SLOT_COUNT];
	uint32_t serial;
	bool stop_now;
	enum policy_action pending;
	enum qs1_param pending_param;
	bool pending_command;
	int64_t settle_ms;
	int64_t cleared_ms;
	int64_t forbid_ms;
	int64_t retry_ms;

	/* The save under way: its content, and the command that waits for it, 0 for none. */
	bool saving;
	struct policy_kept saved;
	uint32_t saving_serial;
	uint32_t saving_changes;
	uint32_t changes;
	bool dirty;
	int64_t save_retry_ms;

	int64_t heartbeat_ms;
	bool ecu_seen;
	int64_t ecu_ms;
	int64_t startup_ms;
	int64_t remind_ms;
};

/**
 * policy_init() - the state at the start of the daemon
 * @kept: the stored state, with a valid profile
 * @stored: @kept is on stable storage as it is; otherwise it is saved at once
 * @now_ms: monotonic time
 */
void policy_init(struct policy *policy, const struct policy_kept *kept, bool stored,
		 int64_t now_ms);

/* Is a command of this kind's slot under way? Then policy_step() takes no other. */
bool policy_is_open(const struct policy *policy, enum policy_command_kind kind);

/* The slot of a kind of command. */
enum policy_slot policy_slot(enum policy_command_kind kind);

/**
 * policy_step() - one decision
 * @now_ms: monotonic time, never before that of the last step
 * @out: written in full
 */
void policy_step(struct policy *policy, const struct policy_input *in, int64_t now_ms,
		 struct policy_output *out);

/* Texts for the log and the control socket. */
const char *policy_action_text(enum policy_action action);
const char *policy_command_name(enum policy_command_kind kind);
const char *policy_outcome_name(enum policy_outcome outcome);

#endif /* QS1D_POLICY_H */
