/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the inverter shall do: a pure function of its state, what is seen and
 * the time. It reads no clock and does no input or output, so that hours of
 * waiting pass in a test's loop.
 *
 * The firmware protects; policy only permits. A step names at most one action.
 * The caller carries it out and steps again with its result, until a step
 * names none. What must be on stable storage before it counts (a latched
 * ground fault, the shutdown state, a profile) is an action of its own,
 * POLICY_SAVE, ahead of the answer to whoever asked.
 */
#ifndef QS1D_POLICY_H
#define QS1D_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include <qs1/abi.h>

#include "../lib/profile.h"

/* How long a sample may be late before it counts as a fault. */
#define POLICY_STALE_MS 1000
/* The firmware loses its host after host_timeout_s, 0.5 s at the least. */
#define POLICY_HEARTBEAT_MS 400
/* Telemetry shows what a command did after this long at the latest. */
#define POLICY_SETTLE_MS 300
/* Between two attempts at what the firmware, or the disk, refused. */
#define POLICY_RETRY_MS 5000
/* "No communication with the ECU for over 60 minutes." */
#define POLICY_ECU_TIMEOUT_MS (60 * 60 * 1000)
/* The start-up pattern is shown this long. */
#define POLICY_STARTUP_MS 2500
/* A latched ground fault is reported again and again: as often as an ECU asks. */
#define POLICY_REMIND_MS (5 * 60 * 1000)
/* Meter readings in a row that make a measurement implausible, or plausible again. */
#define POLICY_IMPLAUSIBLE_READINGS 3
#define POLICY_PLAUSIBLE_READINGS 10

/**
 * struct policy_kept - what outlives power
 * @shutdown: stopped by command
 * @ground_fault: latched until cleared by command
 * @profile: grid profile in force, with its values, so that an edited file
 *           changes nothing by itself
 * @set: parameters that were set one by one since
 * @value: their scaled values
 */
struct policy_kept {
	bool shutdown;
	bool ground_fault;
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
	X(DISARM, "forbid production") \
	X(SAVE, "save state")
/* clang-format on */

enum policy_action {
#define X(id, text) POLICY_##id,
	POLICY_ACTIONS(X)
#undef X
		POLICY_ACTION_COUNT
};

enum policy_command_kind {
	POLICY_COMMAND_NONE,
	POLICY_COMMAND_START,
	POLICY_COMMAND_STOP,
	POLICY_COMMAND_CLEAR,
	POLICY_COMMAND_PROFILE,
	POLICY_COMMAND_SET,
};

/**
 * struct policy_command - what a person or an ECU asks for
 * @kind: which; only one is under way at a time
 * @profile: POLICY_COMMAND_PROFILE: checked
 * @fault: POLICY_COMMAND_CLEAR
 * @param: POLICY_COMMAND_SET
 * @value: POLICY_COMMAND_SET: scaled, within its range
 */
struct policy_command {
	enum policy_command_kind kind;
	struct qs1_profile profile;
	enum qs1_fault fault;
	enum qs1_param param;
	int32_t value;
};

/**
 * struct policy_input - what is seen
 * @present: the driver and its firmware answer
 * @epoch: changes with every start of the firmware
 * @sample: changes with every fresh telemetry sample
 * @status: QS1_STATUS_*
 * @faults_active: QS1_FAULT_BIT()
 * @faults_latched: QS1_FAULT_BIT()
 * @reading: changes with every reading of the meter, which is slower than the samples
 * @plausible: every value of that reading is physically possible
 * @ecu: an ECU has asked for a report since the last step
 * @command: a new command, or NULL
 * @result: of the action that the last step named: 0 or a negative errno
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
};

/**
 * struct policy_output - what shall be done
 * @action: to be carried out, and its result given to the next step
 * @profile: POLICY_APPLY_PROFILE
 * @fault: POLICY_LATCH, POLICY_CLEAR
 * @param: POLICY_SET
 * @value: POLICY_SET
 * @command_done: the command has ended with @command_result
 * @command_result: 0 or a negative errno
 * @heartbeat: tell the firmware that policy lives
 * @remind: report the latched ground fault again
 * @show: what the LEDs show
 * @state: enum qs1_state as it is to be reported
 * @armed: production is permitted, as the firmware has it
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
	bool command_done;
	int command_result;
	bool heartbeat;
	bool remind;
	enum policy_show show;
	enum qs1_state state;
	bool armed;
	uint32_t faults_active;
	uint32_t faults_latched;
	bool fresh;
	bool stale;
};

/**
 * struct policy - policy's memory; opaque but for @kept
 * @kept: to be saved when POLICY_SAVE says so
 */
struct policy {
	struct policy_kept kept;

	/* This run of the firmware. */
	bool present;
	uint32_t epoch;
	bool seen;
	bool tested;
	bool profile_applied;
	bool profile_refused;
	unsigned int next_set;
	struct qs1_profile effective;

	/* Samples. */
	uint32_t sample;
	bool stale;
	bool stale_disarmed;
	int64_t sample_ms;
	uint32_t reading;
	unsigned int bad_readings;
	unsigned int good_readings;
	bool implausible;

	/* The action under way, and the command that it belongs to. */
	enum policy_action pending;
	struct policy_command command;
	int command_result;
	bool dirty;
	int64_t settle_ms;
	int64_t cleared_ms;
	int64_t retry_ms;
	int64_t save_retry_ms;

	int64_t heartbeat_ms;
	bool ecu_seen;
	int64_t ecu_ms;
	int64_t startup_ms;
	int64_t remind_ms;
};

/**
 * policy_init() - the state at the start of the daemon
 * @kept: what was kept, with a valid profile
 * @now_ms: monotonic time
 */
void policy_init(struct policy *policy, const struct policy_kept *kept, int64_t now_ms);

/**
 * policy_step() - one decision
 * @now_ms: monotonic time, never before that of the last step
 * @out: written in full
 */
void policy_step(struct policy *policy, const struct policy_input *in, int64_t now_ms,
		 struct policy_output *out);

/* An action in words, for the log. */
const char *policy_action_text(enum policy_action action);

#endif /* QS1D_POLICY_H */
