/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The subcommands of ecuctl. */
#ifndef ECUCTL_COMMANDS_H
#define ECUCTL_COMMANDS_H

#include "../lib/subcommand.h"
#include "../lib/writer.h"
#include "client.h"

#define MESSAGE_SIZE 1024

/**
 * struct context - what a subcommand works with
 * @lease: of a limit, s; NULL unless given, as what follows
 * @reason: of a limit
 * @then: limit after the lease, W
 * @rma: number of a return, for replace
 * @from, @to, @step: of a history
 * @argc: words after the subcommand's own
 * @argv: these words
 * @err: on failure the reason
 */
struct context {
	struct client client;
	enum writer_format format;
	const char *lease;
	const char *reason;
	const char *then;
	const char *rma;
	const char *from;
	const char *to;
	const char *step;
	int argc;
	char **argv;
	char err[MESSAGE_SIZE];
};

/* Run of struct subcommand; on failure the reason is in @context->err. */
int command_status(struct context *context);
int command_inverters(struct context *context);
int command_label(struct context *context);
int command_history(struct context *context);
int command_limits(struct context *context);
int command_pair(struct context *context);
int command_replace(struct context *context);
int command_order(struct context *context);
int command_limit(struct context *context);
int command_clear(struct context *context);
int command_phases(struct context *context);
int command_scan(struct context *context);
int command_wifi(struct context *context);
int command_export(struct context *context);
int command_backup(struct context *context);
int command_restore(struct context *context);
int command_doctor(struct context *context);

/* GET, with the reason in @context->err. */
int get(struct context *context, const char *path, struct json_object **ret_reply);

/* Name of the subcommand: the word before the others. */
const char *command_name(const struct context *context);

/* A member of an object by a path with points, as "ecu.id"; NULL if absent. */
struct json_object *member(struct json_object *object, const char *path);

/* Write a member: text, number with its unit, or nothing known. */
void write_member(struct writer *writer, struct json_object *object, const char *path,
		  const char *label, const char *unit);

/* What is shown of an object: path of a member, label, unit. */
struct row {
	const char *path;
	const char *label;
	const char *unit;
};

/* Write the @name of @object, a list of objects: of each the @count members of @rows, in a line. */
void write_list(struct writer *writer, struct json_object *object, const char *name,
		const char *label, const struct row *rows, size_t count);

static inline void put_json(struct json_object **json)
{
	json_object_put(*json);
}

#endif /* ECUCTL_COMMANDS_H */
