// SPDX-License-Identifier: GPL-2.0-or-later
/* Subcommands that show something. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <qrencode.h>

#include "../lib/util.h"
#include "commands.h"

int get(struct context *context, const char *path, struct json_object **ret_reply)
{
	return client_call(&context->client, "GET", path, NULL, ret_reply, context->err,
			   sizeof(context->err));
}

const char *command_name(const struct context *context)
{
	return context->argv[-1];
}

struct json_object *member(struct json_object *object, const char *path)
{
	char name[64];

	while (object && *path) {
		size_t n = strcspn(path, ".");

		snprintf(name, sizeof(name), "%.*s", (int)n, path);
		object = json_object_object_get(object, name);
		path += n + (path[n] == '.');
	}
	return object;
}

void write_member(struct writer *writer, struct json_object *object, const char *path,
		  const char *label, const char *unit)
{
	struct json_object *value = member(object, path);
	const char *name = strrchr(path, '.') ? strrchr(path, '.') + 1 : path;

	switch (json_object_get_type(value)) {
	case json_type_null:
		writer_none(writer, name, label, "-");
		break;
	case json_type_boolean:
		writer_bool(writer, name, label, json_object_get_boolean(value));
		break;
	case json_type_int:
	case json_type_double:
		writer_number(writer, name, label, json_object_to_json_string(value), unit);
		break;
	default:
		writer_string(writer, name, label, json_object_get_string(value));
	}
}

static void write_rows(struct writer *writer, struct json_object *object, const struct row *row,
		       size_t count)
{
	for (size_t i = 0; i < count; i++) {
		write_member(writer, object, row[i].path, row[i].label, row[i].unit);
	}
}

void write_list(struct writer *writer, struct json_object *object, const char *name,
		const char *label, const struct row *rows, size_t count)
{
	struct json_object *list = member(object, name);

	writer_array(writer, name, label, WRITER_LINES);
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		writer_object(writer, NULL, "", WRITER_LINES);
		write_rows(writer, json_object_array_get_idx(list, i), rows, count);
		writer_end(writer);
	}
	writer_end(writer);
}

static struct writer *start(struct context *context)
{
	struct writer *writer = writer_new(context->format, stdout);

	if (!writer) {
		snprintf(context->err, sizeof(context->err), "no memory");
	}
	return writer;
}

int command_status(struct context *context)
{
	static const struct row rows[] = {
		{ "ecu.id", "gateway", "" },
		{ "ecu.name", "site", "" },
		{ "reporting.text", "reporting", "" },
		{ "readings.power", "power", "W" },
		{ "readings.energy_today", "today", "Wh" },
		{ "readings.energy", "in all", "Wh" },
		{ "readings.grid_power", "from grid", "W" },
		{ "limit.desired_w", "limit", "W" },
		{ "export.text", "export", "" },
		{ "radio.up", "radio", "" },
		{ "radio.channel", "channel", "" },
		{ "meter.ok", "meter", "" },
		{ "uplink.ok", "uplink", "" },
		{ "uplink.outbox", "outbox", "" },
		{ "store.ok", "store", "" },
	};
	static const struct row alarm_rows[] = {
		{ "serial", "inverter", "" },
		{ "text", "alarm", "" },
		{ "advice", "what to do", "" },
	};
	struct json_object *status __cleanup(put_json) = NULL;
	struct writer *writer;
	int ret = context->argc ? -E2BIG : get(context, "/status", &status);

	if (ret < 0) {
		return ret;
	}
	writer = start(context);
	if (!writer) {
		return -ENOMEM;
	}
	write_rows(writer, status, rows, ARRAY_SIZE(rows));
	write_list(writer, status, "alarms", "alarms", alarm_rows, ARRAY_SIZE(alarm_rows));
	return writer_finish(writer);
}

static void write_inverter(struct writer *writer, struct json_object *inverter)
{
	static const struct row rows[] = {
		{ "serial", "inverter", "" },
		{ "name", "name", "" },
		{ "phase", "phase", "" },
		{ "modbus_unit", "Modbus", "" },
		{ "link.state", "link", "" },
		{ "state", "state", "" },
		{ "led", "LED", "" },
		{ "readings.power", "power", "W" },
		{ "readings.grid_voltage", "grid", "V" },
		{ "readings.temperature", "inside", "C" },
		{ "readings.energy_today", "today", "Wh" },
		{ "limit.desired_w", "limit", "W" },
		{ "limit.actual_w", "read back", "W" },
		{ "limit.confirm", "confirmed", "" },
		{ "limit.owner", "owner", "" },
		{ "age_s", "age", "s" },
	};
	struct json_object *faults = member(inverter, "faults");

	writer_object(writer, NULL, "", WRITER_LINES);
	write_rows(writer, inverter, rows, ARRAY_SIZE(rows));
	writer_array(writer, "faults", "faults", WRITER_ROW);
	for (size_t i = 0; i < json_object_array_length(faults); i++) {
		writer_string(writer, NULL, "",
			      json_object_get_string(
				      member(json_object_array_get_idx(faults, i), "code")));
	}
	writer_end(writer);
	writer_end(writer);
}

int command_inverters(struct context *context)
{
	struct json_object *reply __cleanup(put_json) = NULL;
	struct json_object *list;
	struct writer *writer;
	int ret = context->argc ? -E2BIG : get(context, "/inverters", &reply);

	if (ret < 0) {
		return ret;
	}
	writer = start(context);
	if (!writer) {
		return -ENOMEM;
	}
	list = member(reply, "inverters");
	writer_array(writer, "inverters", "", WRITER_LINES);
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		write_inverter(writer, json_object_array_get_idx(list, i));
	}
	writer_end(writer);
	return writer_finish(writer);
}

int command_limits(struct context *context)
{
	static const struct row rows[] = {
		{ "owner", "owner", "" },      { "serial", "inverter", "" }, { "w", "limit", "W" },
		{ "then_w", "then", "W" },     { "reason", "reason", "" },   { "by", "set by", "" },
		{ "until_ms", "until", "ms" },
	};
	struct json_object *reply __cleanup(put_json) = NULL;
	struct writer *writer;
	int ret = context->argc ? -E2BIG : get(context, "/limits", &reply);

	if (ret < 0) {
		return ret;
	}
	writer = start(context);
	if (!writer) {
		return -ENOMEM;
	}
	write_list(writer, reply, "limits", "", rows, ARRAY_SIZE(rows));
	return writer_finish(writer);
}

static void cleanup_code(QRcode **code)
{
	if (*code) {
		QRcode_free(*code);
	}
}

static bool is_dark(const QRcode *code, int x, int y)
{
	return x >= 0 && y >= 0 && x < code->width && y < code->width &&
	       (code->data[y * code->width + x] & 1);
}

/* Two rows of modules in a line of text: light modules are drawn, for a dark terminal. */
static void print_code(const char *text)
{
	static const char *const half[2][2] = { { "\u2588", "\u2580" }, { "\u2584", " " } };
	QRcode *code __cleanup(cleanup_code) =
		QRcode_encodeString(text, 0, QR_ECLEVEL_M, QR_MODE_8, 1);

	if (!code) {
		return;
	}
	for (int y = -2; y < code->width + 2; y += 2) {
		for (int x = -2; x < code->width + 2; x++) {
			fputs(half[is_dark(code, x, y)][is_dark(code, x, y + 1)], stdout);
		}
		putchar('\n');
	}
}

int command_label(struct context *context)
{
	static const struct row rows[] = {
		{ "id", "gateway", "" },
		{ "url", "address", "" },
		{ "fingerprint", "fingerprint", "" },
		{ "code", "first use", "" },
	};
	struct json_object *label __cleanup(put_json) = NULL;
	struct writer *writer;
	char text[256];
	int ret = context->argc ? -E2BIG : get(context, "/label", &label);

	if (ret < 0) {
		return ret;
	}
	if (context->format == WRITER_TEXT) {
		const char *code = json_object_get_string(member(label, "code"));

		snprintf(text, sizeof(text), "%s#%s,%s",
			 json_object_get_string(member(label, "url")),
			 json_object_get_string(member(label, "fingerprint")), code ? code : "");
		print_code(text);
	}
	writer = start(context);
	if (!writer) {
		return -ENOMEM;
	}
	write_rows(writer, label, rows, ARRAY_SIZE(rows));
	return writer_finish(writer);
}

/* A parameter of the query string; the server checks it. */
static void add_query(char *path, size_t size, const char *name, const char *value)
{
	size_t n = strlen(path);

	if (value) {
		/* Only the '+' of a zone has another meaning there. */
		n += snprintf(path + n, n < size ? size - n : 0,
			      "%c%s=", strchr(path, '?') ? '&' : '?', name);
		for (; *value && n + 4 < size; value++) {
			n += snprintf(path + n, size - n, *value == '+' ? "%%2B" : "%c", *value);
		}
	}
}

static const char *local_time(int64_t time_ms, char *text, size_t size)
{
	time_t seconds = time_ms / 1000;
	struct tm tm;

	localtime_r(&seconds, &tm);
	strftime(text, size, "%Y-%m-%dT%H:%M:%S%z", &tm);
	return text;
}

int command_history(struct context *context)
{
	struct json_object *reply __cleanup(put_json) = NULL;
	struct json_object *times, *series;
	struct writer *writer;
	char path[256], text[40];
	int ret;

	if (context->argc > 1) {
		return -E2BIG;
	}
	if (context->argc) {
		snprintf(path, sizeof(path), "/inverters/%.32s/history", context->argv[0]);
	} else {
		snprintf(path, sizeof(path), "/history");
	}
	add_query(path, sizeof(path), "from", context->from);
	add_query(path, sizeof(path), "to", context->to);
	add_query(path, sizeof(path), "step", context->step);
	ret = get(context, path, &reply);
	if (ret < 0) {
		return ret;
	}
	writer = start(context);
	if (!writer) {
		return -ENOMEM;
	}
	times = member(reply, "time_ms");
	series = member(reply, "series");
	writer_array(writer, "history", "", WRITER_LINES);
	for (size_t i = 0; i < json_object_array_length(times); i++) {
		int64_t time_ms = json_object_get_int64(json_object_array_get_idx(times, i));

		writer_object(writer, NULL, "", WRITER_LINES);
		writer_string(writer, "time", "time", local_time(time_ms, text, sizeof(text)));
		for (size_t n = 0; n < json_object_array_length(series); n++) {
			struct json_object *each = json_object_array_get_idx(series, n);
			struct json_object *value =
				json_object_array_get_idx(member(each, "values"), i);
			const char *name = json_object_get_string(member(each, "name"));
			const char *channel = json_object_get_string(member(each, "channel"));
			char full[64];

			snprintf(full, sizeof(full), channel ? "%s_%s" : "%s", name, channel);
			if (value) {
				writer_number(writer, full, full, json_object_to_json_string(value),
					      json_object_get_string(member(each, "unit")));
			}
		}
		writer_end(writer);
	}
	writer_end(writer);
	return writer_finish(writer);
}
