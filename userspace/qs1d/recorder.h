/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The flight recorder: policy's last decisions with what it saw. Steps that
 * saw and decided the same as the one before are counted, not kept, so that
 * hours of nothing take one entry and what led to a trip is still there.
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
 * @first: time of the first step that decided so
 * @last_ms: monotonic time of the last one
 * @steps: how many there were
 * @in: what policy saw; @in.sample is that of the last step, @in.command NULL
 * @command: kind of the command, POLICY_COMMAND_NONE for none
 * @out: what it decided; @out.profile NULL
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

/* Take one step: its input, its output and its time. */
void recorder_add(struct recorder *recorder, const struct policy_input *in,
		  const struct policy_output *out, struct event_time now);

/* All entries, oldest first, as a JSON array, which the caller puts. */
struct json_object *recorder_json(const struct recorder *recorder);

#endif /* QS1D_RECORDER_H */
