/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The flight recorder: policy's last decisions with their input. Equal steps share
 * an entry, so that the events before a trip survive hours without events.
 */
#ifndef QS1D_RECORDER_H
#define QS1D_RECORDER_H

#include <json-c/json.h>

#include "events.h"
#include "../policy/policy.h"

#define RECORDER_KEPT 256

/**
 * struct recorder_entry - a decision
 * @number: from 1
 * @first: time of the first step
 * @last_ms: monotonic time of the last one
 * @steps: number of steps
 * @in: policy's input; @in.sample is that of the last step, @in.command NULL
 * @command: kind of the command, POLICY_COMMAND_NONE for none
 * @out: policy's output; @out.profile NULL
 */
struct recorder_entry {
	uint64_t number;
	struct event_time first;
	int64_t last_ms;
	uint64_t steps;
	struct policy_input in;
	enum policy_command_kind command;
	struct policy_output out;
};

/**
 * struct recorder - the newest RECORDER_KEPT entries
 * @newest: number of the newest, 0 for none
 * @kept: entry n is kept[n % RECORDER_KEPT]
 */
struct recorder {
	uint64_t newest;
	struct recorder_entry kept[RECORDER_KEPT];
};

/* Record one step. */
void recorder_add(struct recorder *recorder, const struct policy_input *in,
		  const struct policy_output *out, struct event_time now);

/* All entries, oldest first, as a JSON array, which the caller puts. */
struct json_object *recorder_json(const struct recorder *recorder);

#endif /* QS1D_RECORDER_H */
