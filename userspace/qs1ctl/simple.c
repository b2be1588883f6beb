// SPDX-License-Identifier: GPL-2.0-only
/* Subcommands that are one request each: start, stop, clear, set, get. */
#include <errno.h>
#include <stdio.h>

#include "../lib/param.h"
#include "commands.h"

int call(struct context *context, const char *name, struct json_object *arguments,
	 struct json_object **ret_result)
{
	struct client *client;
	int ret = client_open(context->socket, &client, context->err, sizeof(context->err));

	if (ret < 0) {
		json_object_put(arguments);
		return ret;
	}
	ret = client_call(client, name, arguments, ret_result, context->err, sizeof(context->err));
	client_close(client);
	return ret;
}

void write_member(struct writer *writer, struct json_object *object, const char *name,
		  const char *label, const char *unit)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(object, name, &value);
	switch (json_object_get_type(value)) {
	case json_type_string:
		writer_string(writer, name, label, json_object_get_string(value));
		break;
	case json_type_boolean:
		writer_bool(writer, name, label, json_object_get_boolean(value));
		break;
	case json_type_double:
	case json_type_int:
		writer_number(writer, name, label, json_object_to_json_string(value), unit);
		break;
	default:
		writer_number(writer, name, label, NULL, unit);
		break;
	}
}

static int call_only(struct context *context, const char *name, struct json_object *arguments)
{
	struct json_object *result;
	int ret = call(context, name, arguments, &result);

	if (!ret) {
		json_object_put(result);
	}
	return ret;
}

int command_start(struct context *context)
{
	return context->argc == 0 ? call_only(context, "start", NULL) : -E2BIG;
}

int command_stop(struct context *context)
{
	return context->argc == 0 ? call_only(context, "stop", NULL) : -E2BIG;
}

int command_clear(struct context *context)
{
	struct json_object *arguments;

	if (context->argc != 1) {
		return -E2BIG;
	}
	arguments = json_object_new_object();
	json_object_object_add(arguments, "fault", json_object_new_string(context->argv[0]));
	return call_only(context, "clear", arguments);
}

int command_set(struct context *context)
{
	struct json_object *arguments;

	if (context->argc != 2) {
		return -E2BIG;
	}
	arguments = json_object_new_object();
	json_object_object_add(arguments, "name", json_object_new_string(context->argv[0]));
	json_object_object_add(arguments, "value", json_object_new_string(context->argv[1]));
	return call_only(context, "set", arguments);
}

/* A parameter's value in force, with its allowed range. */
static void write_param(struct writer *writer, struct json_object *values, const char *name)
{
	char min[QS1_DECIMAL_SIZE], max[QS1_DECIMAL_SIZE];
	struct json_object *value = NULL;
	const struct qs1_param_desc *desc;
	int id = qs1_param_find(name);

	json_object_object_get_ex(values, name, &value);
	writer_object(writer, name, name, WRITER_ROW);
	writer_number(writer, "value", "", value ? json_object_get_string(value) : NULL, " ");
	if (id >= 0) {
		desc = qs1_param_desc(id);
		writer_number(writer, "min", "from",
			      qs1_decimal_format(min, desc->min, desc->decimals), "");
		writer_number(writer, "max", "to",
			      qs1_decimal_format(max, desc->max, desc->decimals), "");
		writer_string(writer, "text", " ", desc->text);
	}
	writer_end(writer);
}

int command_get(struct context *context)
{
	struct json_object *arguments, *values;
	struct writer *writer;
	int ret;

	if (context->argc > 1) {
		return -E2BIG;
	}
	arguments = json_object_new_object();
	if (context->argc == 1) {
		json_object_object_add(arguments, "name", json_object_new_string(context->argv[0]));
	}
	ret = call(context, "get", arguments, &values);
	if (ret < 0) {
		return ret;
	}
	writer = writer_new(context->format, stdout);
	if (!writer) {
		json_object_put(values);
		return -ENOMEM;
	}
	json_object_object_foreach(values, key, value) {
		(void)value;
		write_param(writer, values, key);
	}
	json_object_put(values);
	return writer_finish(writer);
}
