// SPDX-License-Identifier: GPL-2.0-only
/* qs1ctl status: the inverter at a glance. */
#include <errno.h>
#include <string.h>

#include "../lib/util.h"
#include "commands.h"

struct field {
	const char *name;
	const char *label;
	const char *unit;
};

static const struct field head[] = {
	{ "state", "state", "" },     { "inverter", "inverter", "" },
	{ "profile", "profile", "" }, { "profile_applied", "applied", "" },
	{ "armed", "armed", "" },     { "shutdown", "shut down", "" },
	{ "stored", "stored", "" },
};

static const struct field tail[] = {
	{ "enter_service_s", "enter service", "s" },
	{ "power_limit_w", "power limit", "W" },
	{ "firmware", "firmware", "" },
	{ "crashes", "crashes", "" },
	{ "uptime_s", "uptime", "s" },
};

static const struct field input[] = {
	{ "v", "", "V" },
	{ "i", "", "A" },
	{ "p", "", "W" },
	{ "energy_wh", "", "Wh" },
};

static const struct field grid[] = {
	{ "v", "", "V" },  { "i", "", "A" },   { "p", "", "W" },
	{ "f", "", "Hz" }, { "q", "", "var" }, { "energy_wh", "", "Wh" },
};

static const struct field other[] = {
	{ "temp_c", "case", "C" },
	{ "dc_link_v", "DC link", "V" },
};

static const struct field limit[] = {
	{ "owner", "", "" },
	{ "w", "", "W" },
	{ "lease_s", "", "s left" },
	{ "then", "", "W then" },
};

static const struct field seal[] = {
	{ "serial", "", "" },
	{ "boot", "boot", "" },
	{ "counter", "counter", "" },
	{ "paired", "paired", "" },
};

static struct json_object *member(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(object, name, &value);
	return value;
}

static void write_fields(struct writer *writer, struct json_object *object,
			 const struct field *fields, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		write_member(writer, object, fields[i].name, fields[i].label, fields[i].unit);
	}
}

static void write_row(struct writer *writer, struct json_object *object, const char *name,
		      const struct field *fields, size_t n)
{
	writer_object(writer, name, name, WRITER_ROW);
	write_fields(writer, member(object, name), fields, n);
	writer_end(writer);
}

static void write_list(struct writer *writer, struct json_object *object, const char *name,
		       const char *label)
{
	struct json_object *list = member(object, name);
	size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

	writer_array(writer, name, label, WRITER_ROW);
	for (size_t i = 0; i < n; i++) {
		writer_string(writer, NULL, "",
			      json_object_get_string(json_object_array_get_idx(list, i)));
	}
	writer_end(writer);
}

static void write_faults(struct writer *writer, struct json_object *status)
{
	struct json_object *faults = member(status, "faults");

	writer_object(writer, "faults", "", WRITER_LINES);
	write_list(writer, faults, "active", "faults");
	write_list(writer, faults, "latched", "latched");
	writer_end(writer);
}

static void write_leds(struct writer *writer, struct json_object *status)
{
	struct json_object *leds = member(status, "leds");

	writer_object(writer, "leds", "LEDs", WRITER_ROW);
	write_member(writer, leds, "green", "green", "");
	write_member(writer, leds, "red", "red", "");
	writer_end(writer);
}

static void write_meter(struct writer *writer, struct json_object *status)
{
	static const char *const inputs[] = { "pv1", "pv2", "pv3", "pv4" };
	struct json_object *meter = member(status, "meter");

	writer_object(writer, "meter", "", WRITER_LINES);
	for (size_t i = 0; i < ARRAY_SIZE(inputs); i++) {
		write_row(writer, meter, inputs[i], input, ARRAY_SIZE(input));
	}
	write_row(writer, meter, "grid", grid, ARRAY_SIZE(grid));
	write_fields(writer, meter, other, ARRAY_SIZE(other));
	writer_end(writer);
}

static void write_limits(struct writer *writer, struct json_object *status)
{
	struct json_object *list = member(status, "limits");
	size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

	writer_array(writer, "limits", "limits", WRITER_LINES);
	for (size_t i = 0; i < n; i++) {
		writer_object(writer, NULL, "", WRITER_ROW);
		write_fields(writer, json_object_array_get_idx(list, i), limit, ARRAY_SIZE(limit));
		writer_end(writer);
	}
	writer_end(writer);
}

static void write_settings(struct writer *writer, struct json_object *status)
{
	struct json_object *set = member(status, "set");

	writer_object(writer, "set", "set", WRITER_ROW);
	if (set) {
		json_object_object_foreach(set, key, value) {
			(void)value;
			write_member(writer, set, key, key, "");
		}
	}
	writer_end(writer);
}

int command_status(struct context *context)
{
	struct json_object *status;
	struct writer *writer;
	int ret;

	if (context->argc != 0) {
		return -E2BIG;
	}
	ret = call(context, "status", NULL, &status);
	if (ret < 0) {
		return ret;
	}
	writer = writer_new(context->format, stdout);
	if (!writer) {
		json_object_put(status);
		return -ENOMEM;
	}
	write_fields(writer, status, head, ARRAY_SIZE(head));
	write_faults(writer, status);
	write_leds(writer, status);
	write_meter(writer, status);
	write_fields(writer, status, tail, ARRAY_SIZE(tail));
	write_limits(writer, status);
	write_settings(writer, status);
	write_row(writer, status, "seal", seal, ARRAY_SIZE(seal));
	json_object_put(status);
	return writer_finish(writer);
}
