// SPDX-License-Identifier: GPL-2.0-only
/* qs1ctl events: print past events, and with --follow new ones as they occur. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "commands.h"

static const char *text_of(struct json_object *event, const char *name)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(event, name, &value);
	return value ? json_object_get_string(value) : "";
}

static void format_time(struct json_object *event, char *buf, size_t size)
{
	struct json_object *value = NULL;
	struct tm local;
	int64_t ms;
	time_t seconds;
	size_t n;

	json_object_object_get_ex(event, "time_ms", &value);
	ms = json_object_get_int64(value);
	seconds = ms / 1000;
	localtime_r(&seconds, &local);
	n = strftime(buf, size, "%F %T", &local);
	snprintf(buf + n, size - n, ".%03d", (int)(ms % 1000));
}

static void print_text(struct json_object *event)
{
	const char *kind = text_of(event, "kind");
	char when[40];

	format_time(event, when, sizeof(when));
	if (!strcmp(kind, "transition")) {
		printf("%s  %s -> %s (%s)\n", when, text_of(event, "from"), text_of(event, "to"),
		       text_of(event, "cause"));
	} else if (!strcmp(kind, "trip")) {
		printf("%s  trip %s, value %s\n", when, text_of(event, "cause"),
		       text_of(event, "value"));
	} else {
		printf("%s  %s %s%s\n", when, kind, text_of(event, "cause"),
		       text_of(event, "text"));
	}
}

/* One event is one line in each format, so that --follow can be read by programs. */
static void print_event(struct json_object *event, enum writer_format format)
{
	if (format == WRITER_TEXT) {
		print_text(event);
	} else if (format == WRITER_JSON) {
		printf("%s\n", json_object_to_json_string_ext(event, JSON_C_TO_STRING_PLAIN));
	} else {
		bool first = true;

		json_object_object_foreach(event, key, value) {
			printf("%s%s=%s", first ? "" : " ", key, json_object_to_json_string(value));
			first = false;
		}
		printf("\n");
	}
	fflush(stdout);
}

static int follow(struct context *context, struct client *client)
{
	struct json_object *event;
	int ret;

	while (!(ret = client_event(client, &event, context->err, sizeof(context->err)))) {
		print_event(event, context->format);
		json_object_put(event);
	}
	return ret;
}

static int print_events(struct context *context, struct client *client)
{
	struct json_object *arguments = json_object_new_object();
	struct json_object *list;
	int ret;

	json_object_object_add(arguments, "follow", json_object_new_boolean(context->follow));
	ret = client_call(client, "events", arguments, &list, context->err, sizeof(context->err));
	if (ret < 0) {
		return ret;
	}
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		print_event(json_object_array_get_idx(list, i), context->format);
	}
	json_object_put(list);
	return context->follow ? follow(context, client) : 0;
}

int command_events(struct context *context)
{
	struct client *client;
	int ret;

	if (context->argc != 0) {
		return -E2BIG;
	}
	ret = client_open(context->socket, &client, context->err, sizeof(context->err));
	if (ret < 0) {
		return ret;
	}
	ret = print_events(context, client);
	client_close(client);
	return ret;
}
