// SPDX-License-Identifier: GPL-2.0-or-later
/* Subcommand wifi: networks of the gateway, and joining one, by the REST interface. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "../lib/util.h"
#include "commands.h"

/* NetworkManager gives up after this time at the latest. */
#define WAIT_S 60
#define PAUSE_US 500000
/* A key has up to 63 characters; with the end of the line. */
#define KEY_SIZE 66

static void write_networks(struct writer *writer, struct json_object *reply)
{
	static const struct row rows[] = {
		{ "ssid", "network", "" },
		{ "strength", "strength", "%" },
		{ "secured", "secured", "" },
		{ "connected", "connected", "" },
	};

	write_member(writer, reply, "device", "device", "");
	write_member(writer, reply, "state", "state", "");
	write_list(writer, reply, "networks", "", rows, ARRAY_SIZE(rows));
}

static int show(struct context *context)
{
	struct json_object *reply __cleanup(put_json) = NULL;
	struct writer *writer;
	int ret = get(context, "/wifi", &reply);

	if (ret < 0) {
		return ret;
	}
	writer = writer_new(context->format, stdout);
	if (!writer) {
		return -ENOMEM;
	}
	write_networks(writer, reply);
	return writer_finish(writer);
}

/* The key from the terminal, without echo, or from the first line of the standard input. */
static int read_key(const char *ssid, char key[KEY_SIZE])
{
	bool terminal = isatty(STDIN_FILENO);
	struct termios before, silent;
	char *line;

	if (terminal && tcgetattr(STDIN_FILENO, &before) == 0) {
		silent = before;
		silent.c_lflag &= ~(tcflag_t)ECHO;
		fprintf(stderr, "key of %s: ", ssid);
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
	}
	/* no buffer of stdio keeps the key */
	setvbuf(stdin, NULL, _IONBF, 0);
	line = fgets(key, KEY_SIZE, stdin);
	if (terminal) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
		fputc('\n', stderr);
	}
	if (!line) {
		return -EINVAL;
	}
	key[strcspn(key, "\r\n")] = '\0';
	return 0;
}

/* Does the network need a key? A network that is not in range does not: the gateway refuses it. */
static int needs_key(struct context *context, const char *ssid, bool *ret)
{
	struct json_object *reply __cleanup(put_json) = NULL;
	struct json_object *list;
	int error = get(context, "/wifi", &reply);

	*ret = false;
	list = error < 0 ? NULL : member(reply, "networks");
	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		struct json_object *network = json_object_array_get_idx(list, i);

		if (!strcmp(json_object_get_string(member(network, "ssid")), ssid)) {
			*ret = json_object_get_boolean(member(network, "secured"));
		}
	}
	return error;
}

/* Wait until the connection is there, or has failed. */
static int wait_connected(struct context *context, const char *ssid)
{
	time_t end = time(NULL) + WAIT_S;

	for (;;) {
		struct json_object *reply __cleanup(put_json) = NULL;
		const char *state;
		int ret = get(context, "/wifi", &reply);

		if (ret < 0) {
			return ret;
		}
		state = json_object_get_string(member(reply, "state"));
		if (!strcmp(state, "connected")) {
			return 0;
		}
		if (!strcmp(state, "failed") || time(NULL) >= end) {
			snprintf(
				context->err, sizeof(context->err),
				"%s: expected a connection, found the state '%s'; is the key right?",
				ssid, state);
			return -EPERM;
		}
		usleep(PAUSE_US);
	}
}

int command_wifi(struct context *context)
{
	const char *ssid = context->argc ? context->argv[0] : NULL;
	struct json_object *body;
	char key[KEY_SIZE] = "";
	bool secured;
	int ret;

	if (context->argc > 1) {
		return -E2BIG;
	}
	if (!ssid) {
		return show(context);
	}
	ret = needs_key(context, ssid, &secured);
	if (ret == 0 && secured) {
		ret = read_key(ssid, key);
		if (ret < 0) {
			snprintf(context->err, sizeof(context->err),
				 "key: expected one on the standard input, found none");
		}
	}
	if (ret < 0) {
		return ret;
	}
	body = json_object_new_object();
	json_object_object_add(body, "ssid", json_object_new_string(ssid));
	if (secured) {
		json_object_object_add(body, "key", json_object_new_string(key));
	}
	explicit_bzero(key, sizeof(key));
	ret = client_call(&context->client, "POST", "/wifi", body, NULL, context->err,
			  sizeof(context->err));
	return ret < 0 ? ret : wait_connected(context, ssid);
}
