// SPDX-License-Identifier: GPL-2.0-only
#include "recorder.h"

#include <string.h>

#include "../lib/names.h"
#include "../lib/protocol.h"

/* Did two steps have the same input? The number of the sample does not count. */
static bool same_input(const struct recorder_entry *entry, const struct policy_input *in)
{
	const struct policy_input *was = &entry->in;

	return was->present == in->present && was->epoch == in->epoch &&
	       was->status == in->status && was->faults_active == in->faults_active &&
	       was->faults_latched == in->faults_latched && was->plausible == in->plausible &&
	       was->ecu == in->ecu && was->result == in->result && !in->command && !in->save_ended;
}

static bool has_answer(const struct policy_output *out)
{
	for (int slot = 0; slot < POLICY_SLOT_COUNT; slot++) {
		if (out->answer[slot].ended) {
			return true;
		}
	}
	return false;
}

/* Did they decide the same? Each action, answer and reminder is kept; a heartbeat is routine. */
static bool same_output(const struct policy_output *was, const struct policy_output *out)
{
	return out->action == POLICY_NONE && was->action == POLICY_NONE && !has_answer(out) &&
	       !has_answer(was) && !out->save && !was->save && was->stored == out->stored &&
	       !out->remind && !was->remind && was->show == out->show && was->state == out->state &&
	       was->armed == out->armed && was->stale == out->stale &&
	       was->faults_active == out->faults_active &&
	       was->faults_latched == out->faults_latched;
}

static struct recorder_entry *newest(struct recorder *recorder)
{
	return &recorder->kept[recorder->newest % RECORDER_KEPT];
}

void recorder_add(struct recorder *recorder, const struct policy_input *in,
		  const struct policy_output *out, struct event_time now)
{
	struct recorder_entry *entry = newest(recorder);

	if (recorder->newest == 0 || !same_input(entry, in) || !same_output(&entry->out, out)) {
		recorder->newest++;
		entry = newest(recorder);
		*entry = (struct recorder_entry){
			.number = recorder->newest,
			.first = now,
			.command = in->command ? in->command->kind : POLICY_COMMAND_NONE,
			.out = *out,
		};
		entry->out.profile = NULL;
	}
	entry->in = *in;
	entry->in.command = NULL;
	entry->last_ms = now.mono_ms;
	entry->steps++;
}

static const char *const shows[] = {
#define X(id, green, red) [POLICY_SHOW_##id] = #id,
	POLICY_SHOWS(X)
#undef X
};

static void add(struct json_object *object, const char *name, struct json_object *value)
{
	json_object_object_add(object, name, value);
}

static void add_int(struct json_object *object, const char *name, int64_t value)
{
	add(object, name, json_object_new_int64(value));
}

static void add_bool(struct json_object *object, const char *name, bool value)
{
	add(object, name, json_object_new_boolean(value));
}

static void add_text(struct json_object *object, const char *name, const char *text)
{
	add(object, name, json_object_new_string(text));
}

static void add_result(struct json_object *object, const char *name, int result)
{
	add_text(object, name, result < 0 ? strerrorname_np(-result) : "ok");
}

/* How commands have ended. */
static void add_answers(struct json_object *object, const struct policy_output *out)
{
	static const char *const slots[] = { "answer", "answer_stop", "answer_limit" };

	for (int slot = 0; slot < POLICY_SLOT_COUNT; slot++) {
		const struct policy_answer *answer = &out->answer[slot];

		if (answer->ended) {
			add_text(object, slots[slot], policy_outcome_name(answer->outcome));
		}
		if (answer->ended && answer->error) {
			add_result(object, "error", answer->error);
		}
	}
}

/* Show names as the LED patterns are spelled: lower case, with hyphens. */
static void add_show(struct json_object *object, enum policy_show show)
{
	char text[32];
	size_t n = 0;

	for (const char *c = shows[show]; *c && n < sizeof(text) - 1; c++) {
		text[n++] = *c == '_' ? '-' : *c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c;
	}
	text[n] = '\0';
	add_text(object, "show", text);
}

static struct json_object *input_json(const struct recorder_entry *entry)
{
	struct json_object *object = json_object_new_object();
	const struct policy_input *in = &entry->in;

	add_bool(object, "present", in->present);
	add_int(object, "epoch", in->epoch);
	add_int(object, "sample", in->sample);
	add_text(object, "state", qs1_state_name(in->status & QS1_STATUS_STATE_MASK));
	add_int(object, "status", in->status);
	add(object, "faults_active", protocol_faults(in->faults_active));
	add(object, "faults_latched", protocol_faults(in->faults_latched));
	add_bool(object, "plausible", in->plausible);
	add_bool(object, "ecu", in->ecu);
	add_result(object, "result", in->result);
	if (in->save_ended) {
		add_result(object, "saved", in->save_result);
	}
	if (entry->command != POLICY_COMMAND_NONE) {
		add_text(object, "command", policy_command_name(entry->command));
	}
	return object;
}

static struct json_object *output_json(const struct policy_output *out)
{
	struct json_object *object = json_object_new_object();

	add_text(object, "action", policy_action_text(out->action));
	if (out->action == POLICY_LATCH || out->action == POLICY_CLEAR) {
		add_text(object, "fault", qs1_fault_name(out->fault));
	}
	if (out->action == POLICY_SET) {
		add_text(object, "parameter", qs1_param_desc(out->param)->name);
	}
	add_text(object, "state", qs1_state_name(out->state));
	add_show(object, out->show);
	add_bool(object, "armed", out->armed);
	add_bool(object, "stale", out->stale);
	add(object, "faults_active", protocol_faults(out->faults_active));
	add(object, "faults_latched", protocol_faults(out->faults_latched));
	add_bool(object, "stored", out->stored);
	if (out->save) {
		add_bool(object, "save", true);
	}
	add_answers(object, out);
	if (out->remind) {
		add_bool(object, "remind", true);
	}
	return object;
}

struct json_object *recorder_json(const struct recorder *recorder)
{
	struct json_object *array = json_object_new_array();
	uint64_t first = recorder->newest > RECORDER_KEPT ? recorder->newest - RECORDER_KEPT : 0;

	for (uint64_t n = first + 1; n <= recorder->newest; n++) {
		const struct recorder_entry *entry = &recorder->kept[n % RECORDER_KEPT];
		struct json_object *object = json_object_new_object();

		add_int(object, "number", entry->number);
		add_int(object, "time_ms", entry->first.real_ms);
		add_int(object, "monotonic_ms", entry->first.mono_ms);
		add_int(object, "last_ms", entry->last_ms);
		add_int(object, "steps", entry->steps);
		add(object, "saw", input_json(entry));
		add(object, "decided", output_json(&entry->out));
		json_object_array_add(array, object);
	}
	return array;
}
