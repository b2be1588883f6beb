// SPDX-License-Identifier: GPL-2.0-only
/*
 * qs1ctl doctor: the installation manual's troubleshooting walk on the live unit.
 * Each check has its reading, the allowed range and, if it failed, what to do.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include <qs1/abi.h>

#include "../lib/names.h"
#include "../lib/util.h"
#include "commands.h"

#define TEXT_SIZE 160
/* Checks of the walk: a row for each fault, and two for each input, beside some ten others. */
#define CHECKS_MAX (10 + 2 * QS1_FAULT_COUNT + 2 * QS1_INPUTS)

/**
 * struct check - one row
 * @name: what was checked
 * @good: the reading is in the allowed range
 * @reading: with its unit
 * @allowed: likewise
 * @advice: what to do if not
 */
struct check {
	const char *name;
	bool good;
	char reading[TEXT_SIZE];
	char allowed[TEXT_SIZE];
	char advice[TEXT_SIZE];
};

/**
 * struct walk - what the checks read, and their results
 * @status: the daemon's status
 * @params: parameters in force
 * @check: results, in order
 * @count: of them
 */
struct walk {
	struct json_object *status;
	struct json_object *params;
	struct check check[CHECKS_MAX];
	size_t count;
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

static void record(struct walk *walk, const char *name, bool good, const char *reading,
		   const char *allowed, const char *advice)
{
	struct check *check = &walk->check[walk->count++];

	check->name = name;
	check->good = good;
	snprintf(check->reading, sizeof(check->reading), "%s", reading);
	snprintf(check->allowed, sizeof(check->allowed), "%s", allowed);
	snprintf(check->advice, sizeof(check->advice), "%s", good ? "" : advice);
}

static void record_range(struct walk *walk, const char *name, double value, double min, double max,
			 const char *unit, const char *advice)
{
	char reading[TEXT_SIZE], allowed[TEXT_SIZE];

	snprintf(reading, sizeof(reading), "%.2f %s", value, unit);
	snprintf(allowed, sizeof(allowed), "%.2f to %.2f %s", min, max, unit);
	record(walk, name, value >= min && value <= max, reading, allowed, advice);
}

static void check_service(struct walk *walk)
{
	record(walk, "inverter", !strcmp(text_at(walk->status, "inverter"), "ok"),
	       text_at(walk->status, "inverter"), "ok",
	       "load the driver with modprobe; read 'dmesg' and /sys/class/remoteproc");
}

static void check_commands(struct walk *walk)
{
	bool shutdown = json_object_get_boolean(at(walk->status, "shutdown"));

	record(walk, "command", !shutdown, shutdown ? "stopped" : "started", "started",
	       "'qs1ctl start'");
}

/* One row for each fault in the list at @path of the status, or one row for none. */
static void check_faults(struct walk *walk, const char *name, const char *path, const char *advice)
{
	struct json_object *list = at(walk->status, path);
	size_t n = list ? json_object_array_length(list) : 0;

	if (n == 0) {
		record(walk, name, true, "none", "none", "");
	}
	for (size_t i = 0; i < n; i++) {
		const char *code = json_object_get_string(json_object_array_get_idx(list, i));
		int fault = qs1_fault_find(code);
		char reading[TEXT_SIZE];

		snprintf(reading, sizeof(reading), "%s: %s", code,
			 fault < 0 ? "unknown" : qs1_fault_text(fault));
		record(walk, name, false, reading, "none", advice);
	}
}

static void check_grid(struct walk *walk)
{
	double nominal = number_at(walk->params, "v_nom_v");
	double v = number_at(walk->status, "meter.grid.v");

	/* Less than a tenth of nominal is no voltage at all, but what the filter picks up. */
	record_range(walk, "grid connection", v, 0.1 * nominal, 1.4 * nominal, "V",
		     "close the breaker, measure at the AC connector");
	record_range(walk, "grid voltage", v, number_at(walk->params, "es_v_min_pu") * nominal,
		     number_at(walk->params, "es_v_max_pu") * nominal, "V",
		     "wait; if it lasts, call the utility or check the profile");
	record_range(walk, "grid frequency", number_at(walk->status, "meter.grid.f"),
		     number_at(walk->params, "es_f_min_hz"), number_at(walk->params, "es_f_max_hz"),
		     "Hz", "wait; if it lasts, check the profile");
}

static void check_input(struct walk *walk, int n)
{
	static const char *const connection[] = { "input 1 connection", "input 2 connection",
						  "input 3 connection", "input 4 connection" };
	static const char *const voltage[] = { "input 1 voltage", "input 2 voltage",
					       "input 3 voltage", "input 4 voltage" };
	char path[32];
	double v;

	snprintf(path, sizeof(path), "meter.pv%d.v", n);
	v = number_at(walk->status, path);
	/* A connected module gives volts even in twilight. */
	record_range(walk, connection[n - 1], v, 1, 60, "V",
		     "check connectors and polarity; above 60 V unplug at once; normal at night");
	record_range(walk, voltage[n - 1], v, number_at(walk->params, "pv_min_v"),
		     number_at(walk->params, "pv_max_v"), "V",
		     "check that the module fits the input; wait for light");
}

static void check_temperature(struct walk *walk)
{
	record_range(walk, "case temperature", number_at(walk->status, "meter.temp_c"), -40,
		     number_at(walk->params, "derate_start_c"), "C",
		     "the unit reduces its power: improve ventilation, or shade the unit");
}

static void check_production(struct walk *walk)
{
	const char *state = text_at(walk->status, "state");
	double wait = number_at(walk->status, "enter_service_s");
	char advice[TEXT_SIZE] = "see the checks above";

	if (!strcmp(state, "waiting") && wait > 0) {
		snprintf(advice, sizeof(advice), "wait %.0f s: the enter-service delay", wait);
	}
	record(walk, "production", !strcmp(state, "producing") || !strcmp(state, "derating"), state,
	       "producing", advice);
}

static void check_all(struct walk *walk)
{
	check_service(walk);
	check_commands(walk);
	check_faults(walk, "latched faults", "faults.latched",
		     "remove the cause, then 'qs1ctl clear FAULT'");
	check_faults(walk, "active faults", "faults.active",
		     "remove the cause; the unit then starts by itself");
	if (at(walk->status, "meter")) {
		check_grid(walk);
		for (int n = 1; n <= QS1_INPUTS; n++) {
			check_input(walk, n);
		}
		check_temperature(walk);
	}
	check_production(walk);
}

static size_t failed(const struct walk *walk)
{
	size_t n = 0;

	for (size_t i = 0; i < walk->count; i++) {
		n += !walk->check[i].good;
	}
	return n;
}

static int longer(size_t width, const char *text)
{
	size_t length = strlen(text);

	return (int)(length > width ? length : width);
}

/* For people: a table as wide as its texts, and below it what to do. */
static int print_table(const struct walk *walk)
{
	int name = 5, reading = 7;

	for (size_t i = 0; i < walk->count; i++) {
		name = longer(name, walk->check[i].name);
		reading = longer(reading, walk->check[i].reading);
	}
	printf("        %-*s  %-*s  %s\n", name, "check", reading, "reading", "allowed");
	for (size_t i = 0; i < walk->count; i++) {
		const struct check *check = &walk->check[i];

		printf("%-6s  %-*s  %-*s  %s\n", check->good ? "ok" : "FAILED", name, check->name,
		       reading, check->reading, check->allowed);
		if (!check->good) {
			printf("        -> %s\n", check->advice);
		}
	}
	return fflush(stdout) ? -errno : 0;
}

static int write_checks(struct context *context, const struct walk *walk)
{
	struct writer *writer = writer_new(context->format, stdout);

	if (!writer) {
		return -ENOMEM;
	}
	writer_array(writer, "steps", "", WRITER_LINES);
	for (size_t i = 0; i < walk->count; i++) {
		const struct check *check = &walk->check[i];

		writer_object(writer, NULL, "", WRITER_ROW);
		writer_string(writer, "result", "", check->good ? "good" : "wrong");
		writer_string(writer, "step", "", check->name);
		writer_string(writer, "reading", "", check->reading);
		writer_string(writer, "allowed", "", check->allowed);
		writer_string(writer, "advice", "", check->advice);
		writer_end(writer);
	}
	writer_end(writer);
	return writer_finish(writer);
}

int command_doctor(struct context *context)
{
	struct walk *walk __cleanup(free_ptr) = calloc(1, sizeof(*walk));
	size_t wrong;
	int ret;

	if (!walk) {
		return -ENOMEM;
	}
	if (context->argc != 0) {
		return -E2BIG;
	}
	ret = call(context, "status", NULL, &walk->status);
	ret = ret ?: call(context, "get", NULL, &walk->params);
	if (!ret) {
		check_all(walk);
		ret = context->format == WRITER_TEXT ? print_table(walk)
						     : write_checks(context, walk);
	}
	wrong = failed(walk);
	if (!ret && wrong > 0) {
		snprintf(context->err, sizeof(context->err), "%zu check%s failed", wrong,
			 wrong == 1 ? "" : "s");
		ret = -ECANCELED;
	}
	json_object_put(walk->status);
	json_object_put(walk->params);
	return ret;
}
