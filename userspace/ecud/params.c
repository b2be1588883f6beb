// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Grid parameters of inverters, read back from each one of ours after it was paired or has
 * restarted, after a command that changes them, and once in CORE_PARAMS_US. The requests are short
 * and rare, so that polls stay on time.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "core.h"
#include "param.h"

/* Request and answer take three and five frames. */
#define PARAMS_PER_REQUEST 10
/* Time between two requests: for each inverter of the site, and at least. 50 inverters take 6 min.
 */
#define PARAMS_SLOT_US UINT64_C(20000)
#define PARAMS_SLOT_MIN_US UINT64_C(250000)

/* Ask an inverter for the next parameters when it is its turn. */
static void want_next(struct core *core, int unit)
{
	uint64_t slot_us = PARAMS_SLOT_US * (uint64_t)core->model->units;

	if (core->params_slot_us < core->now_us) {
		core->params_slot_us = core->now_us;
	}
	plan_want(&core->radio.plan, unit, JOB_READ_BACK, core->params_slot_us);
	core->params_slot_us += slot_us > PARAMS_SLOT_MIN_US ? slot_us : PARAMS_SLOT_MIN_US;
}

void core_params_want(struct core *core, int unit)
{
	struct core_unit *entry = &core->unit[unit];

	if (entry->has_key && core->now_us >= entry->params_due_us) {
		entry->param_next = 0;
		entry->params_due_us = core->now_us + CORE_PARAMS_US;
		want_next(core, unit);
	}
}

/* The parameters stay as they were read last, with the reason why they could not be read again. */
static void show_error(struct core *core, int unit, const char *why)
{
	struct model_unit *shown = &core->model->unit[unit];

	if (strcmp(shown->params_error, why)) {
		shown = model_begin(core->model, unit);
		snprintf(shown->params_error, sizeof(shown->params_error), "%s", why);
		model_end(core->model, CHANGE_UNIT, unit);
	}
}

void core_params_failed(struct core *core, int unit)
{
	show_error(core, unit, "no answer");
}

void core_params_forget(struct core *core, int unit)
{
	core->unit[unit].params_due_us = 0;
	model_begin(core->model, unit)->params_ms = 0;
	model_end(core->model, CHANGE_UNIT, unit);
	show_error(core, unit, "not read since a restart or a change");
}

/* The first parameter from @id on that is part of a profile, or QS1_PARAM_COUNT. */
static int next_of_profile(int id)
{
	while (id < QS1_PARAM_COUNT && qs1_param_desc(id)->group != QS1_PARAM_GROUP_PROFILE) {
		id++;
	}
	return id;
}

/* Names of the parameters that one request asks for. Return: the first one after them. */
static int name_params(int id, struct json_object *names)
{
	for (id = next_of_profile(id);
	     id < QS1_PARAM_COUNT && json_object_array_length(names) < PARAMS_PER_REQUEST;
	     id = next_of_profile(id + 1)) {
		json_object_array_add(names, json_object_new_string(qs1_param_desc(id)->name));
	}
	return id;
}

bool core_params_request(struct core *core, int unit, struct radio_command *ret)
{
	struct json_object *object = json_object_new_object();
	struct json_object *names = json_object_new_array();
	int next = name_params(core->unit[unit].param_next, names);
	bool some = next > core->unit[unit].param_next;

	json_object_object_add(object, "cmd", json_object_new_string("get"));
	json_object_object_add(object, "name", names);
	snprintf(ret->body, sizeof(ret->body), "%s",
		 json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN));
	json_object_put(object);
	ret->timeout_us = RADIO_REPLY_US;
	return some;
}

/* Take the values of an answer. False unless it has all that were asked for. */
static bool take_params(struct core_unit *entry, const char *text)
{
	struct json_object *answer = json_tokener_parse(text);
	struct json_object *result = NULL;
	struct json_object *names = json_object_new_array();
	int next = name_params(entry->param_next, names);
	bool all = json_object_is_type(answer, json_type_object) &&
		   json_object_object_get_ex(answer, "result", &result) &&
		   json_object_is_type(result, json_type_object);

	for (size_t i = 0; i < json_object_array_length(names) && all; i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(names, i));
		const char *value = json_object_get_string(json_object_object_get(result, name));
		int id = qs1_param_find(name);

		all = value && qs1_decimal_parse(value, qs1_param_desc(id)->decimals,
						 &entry->param[id]) == 0;
	}
	if (all) {
		entry->param_next = next;
	}
	json_object_put(names);
	json_object_put(answer);
	return all;
}

void core_params_done(struct core *core, int unit, int error, const char *text)
{
	struct core_unit *entry = &core->unit[unit];
	struct model_unit *shown;

	if (error || !take_params(entry, text)) {
		show_error(core, unit, error ? strerror(-error) : "incomplete answer");
		entry->params_due_us = core->now_us + CORE_PARAMS_RETRY_US;
		return;
	}
	if (next_of_profile(entry->param_next) < QS1_PARAM_COUNT) {
		want_next(core, unit);
		return;
	}
	shown = model_begin(core->model, unit);
	memcpy(shown->param, entry->param, sizeof(shown->param));
	shown->params_ms = core->now_ms;
	shown->params_error[0] = '\0';
	model_end(core->model, CHANGE_UNIT, unit);
}
