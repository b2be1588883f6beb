/* SPDX-License-Identifier: GPL-2.0-only */
/* The subcommands of qs1ctl. */
#ifndef QS1CTL_COMMANDS_H
#define QS1CTL_COMMANDS_H

#include <stdbool.h>

#include "../lib/subcommand.h"
#include "../lib/writer.h"
#include "client.h"
#include "wave.h"

#define MESSAGE_SIZE 1024

/**
 * struct context - what a subcommand works with
 * @socket: of the daemon
 * @format: of the output
 * @follow: go on with events as they come
 * @time: of a capture, in s; NULL unless given, as what follows
 * @trigger: CHANNEL or CHANNEL=LEVEL
 * @plot: file for a picture of the waveform
 * @csv: file for its values
 * @argc: words after the subcommand's own
 * @argv: these words
 * @err: on failure the reason
 */
struct context {
	const char *socket;
	enum writer_format format;
	bool follow;
	const char *time;
	const char *trigger;
	const char *plot;
	const char *csv;
	int argc;
	char **argv;
	char err[MESSAGE_SIZE];
};

/* Run of struct subcommand; on failure the reason is in @context->err. */
int command_status(struct context *context);
int command_start(struct context *context);
int command_stop(struct context *context);
int command_clear(struct context *context);
int command_set(struct context *context);
int command_get(struct context *context);
int command_profile(struct context *context);
int command_events(struct context *context);
int command_doctor(struct context *context);
int command_scope(struct context *context);
int command_dump(struct context *context);
int command_calibrate(struct context *context);

/* Connect, call once, disconnect; see client_call(). */
int call(struct context *context, const char *name, struct json_object *arguments,
	 struct json_object **ret_result);

/* Write a JSON object's member as it is; NULL and null as unknown. */
void write_member(struct writer *writer, struct json_object *object, const char *name,
		  const char *label, const char *unit);

/* Write a waveform to the file that was asked for; without one, draw it in text. */
int show_wave(struct context *context, const struct wave *wave, const char *title);

#endif /* QS1CTL_COMMANDS_H */
