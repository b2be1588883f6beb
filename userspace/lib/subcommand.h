/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Subcommands of a tool, by a table: help, lookup, exit status. */
#ifndef QS1_SUBCOMMAND_H
#define QS1_SUBCOMMAND_H

#include <stddef.h>

/* Context of the subcommands; each tool defines it. */
struct context;

/* Exit statuses beside 0. */
enum {
	EXIT_REFUSED = 1,     /* by the daemon, or a file that cannot be read or written */
	EXIT_USAGE = 2,	      /* wrong command line */
	EXIT_UNREACHABLE = 3, /* the daemon does not run, or does not answer */
	EXIT_FOUND = 4,	      /* doctor found a problem */
};

/**
 * struct subcommand - one usage; those of one name follow each other
 * @usage: name and words
 * @text: what it does
 * @run: returns 0 or a negative errno: -E2BIG when the words do not match the usage, -ENOTCONN when
 *       the daemon cannot be reached, -ECANCELED when doctor found a problem
 */
struct subcommand {
	const char *name;
	const char *usage;
	const char *text;
	int (*run)(struct context *context);
};

/**
 * struct subcommand_tool - a tool with subcommands
 * @name: of the program
 * @width: of the usages in a list, characters
 * @command, @count: the table
 */
struct subcommand_tool {
	const char *name;
	int width;
	const struct subcommand *command;
	size_t count;
};

/* For the help filter of argp: the list of all subcommands stands after the options. */
char *subcommand_help(const struct subcommand_tool *tool, int key, const char *text);

/**
 * subcommand_find() - the subcommand that the first of @count words names
 *
 * Return: the subcommand; NULL after a message with the list of all.
 */
const struct subcommand *subcommand_find(const struct subcommand_tool *tool, char *const *words,
					 int count);

/**
 * subcommand_status() - report what a subcommand returned
 * @ret: its return value
 * @reason: on failure why, "" for the words of @ret
 *
 * Return: exit status.
 */
int subcommand_status(const struct subcommand_tool *tool, const struct subcommand *command, int ret,
		      const char *reason);

#endif /* QS1_SUBCOMMAND_H */
