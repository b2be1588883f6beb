// SPDX-License-Identifier: GPL-2.0-or-later
#include "subcommand.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The last column of a line. */
#define LINE_WIDTH 78

/* Print a text that starts after @indent columns, and wrap it to lines with that indent. */
static void print_filled(FILE *out, int indent, const char *text)
{
	int room = LINE_WIDTH - indent;

	while ((int)strlen(text) > room) {
		int end = room;

		while (end > 0 && text[end] != ' ') {
			end--;
		}
		if (end == 0) {
			break;
		}
		fprintf(out, "%.*s\n%*s", end, text, indent, "");
		text += end + 1;
	}
	fprintf(out, "%s\n", text);
}

/* All usages, or those of one command. */
static void list(const struct subcommand_tool *tool, FILE *out, const char *name)
{
	for (size_t i = 0; i < tool->count; i++) {
		const struct subcommand *command = &tool->command[i];

		if (!name || !strcmp(name, command->name)) {
			int indent = fprintf(out, "  %s %-*s  ", tool->name, tool->width,
					     command->usage);

			print_filled(out, indent, command->text);
		}
	}
}

char *subcommand_help(const struct subcommand_tool *tool, int key, const char *text)
{
	char *help = NULL;
	size_t size;
	FILE *out;

	if (key != ARGP_KEY_HELP_POST_DOC) {
		return (char *)text;
	}
	out = open_memstream(&help, &size);
	if (!out) {
		return NULL;
	}
	fprintf(out, "Commands:\n");
	list(tool, out, NULL);
	fclose(out);
	return help;
}

const struct subcommand *subcommand_find(const struct subcommand_tool *tool, char *const *words,
					 int count)
{
	for (size_t i = 0; i < tool->count && count > 0; i++) {
		if (!strcmp(words[0], tool->command[i].name)) {
			return &tool->command[i];
		}
	}
	if (count > 0) {
		fprintf(stderr, "%s: unknown command '%s', expected one of:\n", tool->name,
			words[0]);
	} else {
		fprintf(stderr, "%s: expected a command:\n", tool->name);
	}
	list(tool, stderr, NULL);
	return NULL;
}

static int exit_status(int ret)
{
	switch (ret) {
	case 0:
		return EXIT_SUCCESS;
	case -E2BIG:
		return EXIT_USAGE;
	case -ENOTCONN:
		return EXIT_UNREACHABLE;
	case -ECANCELED:
		return EXIT_FOUND;
	default:
		return EXIT_REFUSED;
	}
}

int subcommand_status(const struct subcommand_tool *tool, const struct subcommand *command, int ret,
		      const char *reason)
{
	if (ret == -E2BIG) {
		fprintf(stderr, "%s: %s: expected:\n", tool->name, command->name);
		list(tool, stderr, command->name);
	} else if (ret < 0) {
		fprintf(stderr, "%s: %s: %s\n", tool->name, command->name,
			reason[0] ? reason : strerror(-ret));
	}
	return exit_status(ret);
}
