// SPDX-License-Identifier: GPL-2.0-or-later
/* Subcommands that change something: each waits for the end of its order. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../lib/util.h"
#include "commands.h"

#define WAIT_S 60
#define PAUSE_US 200000

static bool is_final(const char *state)
{
	return strcmp(state, "queued") && strcmp(state, "sent");
}

/* Ask for an order until it has ended. */
static int wait_for_order(struct context *context, int64_t id, struct json_object **ret_order)
{
	time_t end = time(NULL) + WAIT_S;
	char path[48];

	snprintf(path, sizeof(path), "/orders/%" PRId64, id);
	for (;;) {
		struct json_object *order = NULL;
		int ret = get(context, path, &order);

		/* It is in the model a moment after it was taken. */
		if (ret == -ENOTCONN) {
			return ret;
		}
		if (ret == 0) {
			const char *state = json_object_get_string(member(order, "state"));

			if (is_final(state) || time(NULL) >= end) {
				*ret_order = order;
				return 0;
			}
			json_object_put(order);
		}
		if (time(NULL) >= end) {
			return ret;
		}
		usleep(PAUSE_US);
	}
}

/* Wait for orders, write them, and say whether all were confirmed. */
static int show_orders(struct context *context, struct json_object *orders)
{
	struct writer *writer = writer_new(context->format, stdout);
	int ret = 0;

	if (!writer) {
		return -ENOMEM;
	}
	writer_array(writer, "orders", "", WRITER_LINES);
	for (size_t i = 0; i < json_object_array_length(orders) && ret != -ENOTCONN; i++) {
		struct json_object *order __cleanup(put_json) = NULL;
		int64_t id =
			json_object_get_int64(member(json_object_array_get_idx(orders, i), "id"));
		int error = wait_for_order(context, id, &order);

		if (error < 0) {
			ret = error;
			continue;
		}
		writer_object(writer, NULL, "", WRITER_LINES);
		write_member(writer, order, "id", "order", "");
		write_member(writer, order, "serial", "inverter", "");
		write_member(writer, order, "command", "command", "");
		write_member(writer, order, "state", "state", "");
		write_member(writer, order, "message", "message", "");
		writer_end(writer);
		if (strcmp(json_object_get_string(member(order, "state")), "confirmed")) {
			snprintf(context->err, sizeof(context->err), "%s: %s",
				 json_object_get_string(member(order, "state")),
				 json_object_get_string(member(order, "message")));
			ret = -EPERM;
		}
	}
	writer_end(writer);
	writer_finish(writer);
	return ret;
}

/* Send an order; the reply is one order, or has a list of them. */
static int send_order(struct context *context, const char *method, const char *path,
		      struct json_object *body)
{
	struct json_object *reply __cleanup(put_json) = NULL;
	struct json_object *list __cleanup(put_json) = NULL;
	int ret = client_call(&context->client, method, path, body, &reply, context->err,
			      sizeof(context->err));

	if (ret < 0) {
		return ret;
	}
	if (member(reply, "orders")) {
		return show_orders(context, member(reply, "orders"));
	}
	list = json_object_new_array();
	json_object_array_add(list, json_object_get(reply));
	return show_orders(context, list);
}

static void put_text(struct json_object *object, const char *name, const char *value)
{
	if (value) {
		json_object_object_add(object, name, json_object_new_string(value));
	}
}

/* A number of the command line; -EINVAL with a message for another word. */
static int put_number(struct context *context, struct json_object *object, const char *name,
		      const char *text)
{
	char *end;
	double value;

	if (!text) {
		return 0;
	}
	value = strtod(text, &end);
	if (end == text || *end || !isfinite(value)) {
		snprintf(context->err, sizeof(context->err), "%s: expected a number, found '%s'",
			 name, text);
		return -EINVAL;
	}
	json_object_object_add(object, name,
			       value == floor(value) && fabs(value) < 1e15
				       ? json_object_new_int64((int64_t)value)
				       : json_object_new_double(value));
	return 0;
}

/* "/inverters/SERIAL/commands", or "/commands" for the site. */
static const char *commands_path(const char *serial, char *path, size_t size)
{
	if (!serial || !strcmp(serial, "site")) {
		snprintf(path, size, "/commands");
	} else {
		snprintf(path, size, "/inverters/%.32s/commands", serial);
	}
	return path;
}

static struct json_object *new_command(const struct context *context, const char *name)
{
	struct json_object *body = json_object_new_object();

	put_text(body, "command", name);
	put_text(body, "reason", context->reason);
	return body;
}

int command_pair(struct context *context)
{
	struct json_object *body, *labels;

	if (!context->argc) {
		return -E2BIG;
	}
	body = json_object_new_object();
	labels = json_object_new_array();
	for (int i = 0; i < context->argc; i++) {
		json_object_array_add(labels, json_object_new_string(context->argv[i]));
	}
	json_object_object_add(body, "labels", labels);
	return send_order(context, "POST", "/pairing", body);
}

int command_replace(struct context *context)
{
	struct json_object *body;
	char path[80];

	if (context->argc != 2) {
		return -E2BIG;
	}
	body = json_object_new_object();
	put_text(body, "label", context->argv[1]);
	put_text(body, "rma", context->rma);
	snprintf(path, sizeof(path), "/inverters/%.32s/replace", context->argv[0]);
	return send_order(context, "POST", path, body);
}

/* stop, start, confirm, identify: the subcommand's name is that of the order. */
int command_order(struct context *context)
{
	struct json_object *body;
	char path[80];
	int ret;

	if (context->argc > 1) {
		return -E2BIG;
	}
	body = new_command(context, command_name(context));
	ret = put_number(context, body, "lease_s", context->lease);
	if (ret < 0) {
		json_object_put(body);
		return ret;
	}
	return send_order(
		context, "POST",
		commands_path(context->argc ? context->argv[0] : NULL, path, sizeof(path)), body);
}

int command_limit(struct context *context)
{
	struct json_object *body;
	char path[80];
	int ret = 0;

	if (context->argc != 2) {
		return -E2BIG;
	}
	body = new_command(context, "limit");
	if (strcmp(context->argv[1], "none")) {
		ret = put_number(context, body, "w", context->argv[1]);
	}
	ret = ret < 0 ? ret : put_number(context, body, "lease_s", context->lease);
	ret = ret < 0 ? ret : put_number(context, body, "then_w", context->then);
	if (ret < 0) {
		json_object_put(body);
		return ret;
	}
	return send_order(context, "POST", commands_path(context->argv[0], path, sizeof(path)),
			  body);
}

int command_clear(struct context *context)
{
	struct json_object *body;
	char path[80];

	if (context->argc != 2) {
		return -E2BIG;
	}
	body = new_command(context, "clear");
	put_text(body, "fault", context->argv[1]);
	return send_order(context, "POST", commands_path(context->argv[0], path, sizeof(path)),
			  body);
}

int command_phases(struct context *context)
{
	struct json_object *body;
	char path[80];

	if (context->argc == 0) {
		return send_order(context, "POST", "/commands", new_command(context, "phases"));
	}
	if (context->argc != 2) {
		return -E2BIG;
	}
	body = json_object_new_object();
	put_text(body, "phase", context->argv[1]);
	snprintf(path, sizeof(path), "/inverters/%.32s", context->argv[0]);
	return send_order(context, "PUT", path, body);
}
