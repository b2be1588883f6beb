// SPDX-License-Identifier: GPL-2.0-only
/*
 * qs1ctl doctor: the installation manual's troubleshooting walk on the live
 * unit: each step with its reading, what is allowed, and what to do.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include <qs1/abi.h>

#include "../lib/names.h"
#include "../lib/util.h"
#include "commands.h"

#define TEXT_SIZE 160

/**
 * struct walk - what the steps look at, and what they found
 * @status: the daemon's status
 * @params: parameters in force
 * @writer: where findings go
 * @failed: steps that found something wrong
 */
struct walk {
	struct json_object *status;
	struct json_object *params;
	struct writer *writer;
	int failed;
};

/* A member by its path, NULL when there is none. */
static struct json_object *at(struct json_object *object, const char *path)
{
	char copy[64], *save = NULL;

	snprintf(copy, sizeof(copy), "%s", path);
	for (char *name = strtok_r(copy, ".", &save); name; name = strtok_r(NULL, ".", &save)) {
		if (!json_object_object_get_ex(object, name, &object)) {
			return NULL;
		}
	}
	return object;
}

static double number_at(struct json_object *object, const char *path)
{
	struct json_object *value = at(object, path);

	return value ? json_object_get_double(value) : NAN;
}

static const char *text_at(struct json_object *object, const char *path)
{
	struct json_object *value = at(object, path);

	return value ? json_object_get_string(value) : "";
}

/* One step's finding. */
static void find(struct walk *walk, const char *step, bool good, const char *reading,
		 const char *allowed, const char *advice)
{
	struct writer *writer = walk->writer;

	writer_object(writer, NULL, "", WRITER_ROW);
	writer_string(writer, "result", "", good ? "good" : "wrong");
	writer_string(writer, "step", "", step);
	writer_string(writer, "reading", "", reading);
	writer_string(writer, "allowed", "allowed", allowed);
	writer_string(writer, "advice", good ? "" : "->", good ? "" : advice);
	writer_end(writer);
	walk->failed += !good;
}

static void find_range(struct walk *walk, const char *step, double value, double min, double max,
		       const char *unit, const char *advice)
{
	char reading[TEXT_SIZE], allowed[TEXT_SIZE];

	snprintf(reading, sizeof(reading), "%.2f %s", value, unit);
	snprintf(allowed, sizeof(allowed), "%.2f to %.2f %s", min, max, unit);
	find(walk, step, value >= min && value <= max, reading, allowed, advice);
}

static void look_at_service(struct walk *walk)
{
	find(walk, "inverter", !strcmp(text_at(walk->status, "inverter"), "ok"),
	     text_at(walk->status, "inverter"), "ok",
	     "load the driver (modprobe), look at 'dmesg' and /sys/class/remoteproc");
}

static void look_at_commands(struct walk *walk)
{
	bool shutdown = json_object_get_boolean(at(walk->status, "shutdown"));

	find(walk, "command", !shutdown, shutdown ? "stopped" : "started", "started",
	     "'qs1ctl start'");
}

/* Each fault of a list of the status, which is @step and @path, or that there is none. */
static void look_at_faults(struct walk *walk, const char *step, const char *path,
			   const char *advice)
{
	struct json_object *list = at(walk->status, path);
	size_t n = list ? json_object_array_length(list) : 0;

	if (n == 0) {
		find(walk, step, true, "none", "none", "");
	}
	for (size_t i = 0; i < n; i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(list, i));
		int fault = qs1_fault_find(name);
		char reading[TEXT_SIZE];

		snprintf(reading, sizeof(reading), "%s: %s", name,
			 fault < 0 ? "unknown" : qs1_fault_text(fault));
		find(walk, step, false, reading, "none", advice);
	}
}

static void look_at_grid(struct walk *walk)
{
	double nominal = number_at(walk->params, "v_nom_v");
	double v = number_at(walk->status, "meter.grid.v");

	/* Less than a tenth of nominal is no voltage at all, but what the filter picks up. */
	find_range(walk, "grid connection", v, 0.1 * nominal, 1.4 * nominal, "V",
		   "close the breaker, measure at the AC connector");
	find_range(walk, "grid voltage", v, number_at(walk->params, "es_v_min_pu") * nominal,
		   number_at(walk->params, "es_v_max_pu") * nominal, "V",
		   "wait for the grid; if it lasts, have the utility look, or check the profile");
	find_range(walk, "grid frequency", number_at(walk->status, "meter.grid.f"),
		   number_at(walk->params, "es_f_min_hz"), number_at(walk->params, "es_f_max_hz"),
		   "Hz", "wait for the grid; if it lasts, check the profile");
}

static void look_at_input(struct walk *walk, int n)
{
	char step[TEXT_SIZE], path[32];
	double v;

	snprintf(path, sizeof(path), "meter.pv%d.v", n);
	v = number_at(walk->status, path);
	snprintf(step, sizeof(step), "input %d connection", n);
	/* A connected module gives volts even in twilight. */
	find_range(walk, step, v, 1, 60, "V",
		   "check connectors and polarity; above 60 V unplug at once. At night this is "
		   "normal");
	snprintf(step, sizeof(step), "input %d voltage", n);
	find_range(walk, step, v, number_at(walk->params, "pv_min_v"),
		   number_at(walk->params, "pv_max_v"), "V",
		   "check that the module fits the input; wait for light");
}

static void look_at_temperature(struct walk *walk)
{
	find_range(walk, "case temperature", number_at(walk->status, "meter.temp_c"), -40,
		   number_at(walk->params, "derate_start_c"), "C",
		   "power is reduced: give the unit air and shade");
}

static void look_at_production(struct walk *walk)
{
	const char *state = text_at(walk->status, "state");
	double wait = number_at(walk->status, "enter_service_s");
	char advice[TEXT_SIZE] = "see the steps above";

	if (!strcmp(state, "waiting") && wait > 0) {
		snprintf(advice, sizeof(advice),
			 "%.0f s until the grid has been in range for "
			 "long enough",
			 wait);
	}
	find(walk, "production", !strcmp(state, "producing") || !strcmp(state, "derating"), state,
	     "producing", advice);
}

static int look(struct context *context, struct walk *walk)
{
	walk->writer = writer_new(context->format, stdout);
	if (!walk->writer) {
		return -ENOMEM;
	}
	writer_array(walk->writer, "steps", "", WRITER_LINES);
	look_at_service(walk);
	look_at_commands(walk);
	look_at_faults(walk, "latched faults", "faults.latched",
		       "have the cause removed, then 'qs1ctl clear' it");
	look_at_faults(walk, "active faults", "faults.active",
		       "have the cause removed; the unit goes on by itself");
	if (at(walk->status, "meter")) {
		look_at_grid(walk);
		for (int n = 1; n <= QS1_INPUTS; n++) {
			look_at_input(walk, n);
		}
		look_at_temperature(walk);
	}
	look_at_production(walk);
	writer_end(walk->writer);
	return writer_finish(walk->writer);
}

int command_doctor(struct context *context)
{
	struct walk walk = { 0 };
	int ret;

	if (context->argc != 0) {
		return -E2BIG;
	}
	ret = call(context, "status", NULL, &walk.status);
	if (ret < 0) {
		return ret;
	}
	ret = call(context, "get", NULL, &walk.params);
	if (!ret) {
		ret = look(context, &walk);
	}
	if (!ret && walk.failed) {
		snprintf(context->err, sizeof(context->err), "%d step%s found something wrong",
			 walk.failed, walk.failed == 1 ? "" : "s");
		ret = -ECANCELED;
	}
	json_object_put(walk.status);
	json_object_put(walk.params);
	return ret;
}
