// SPDX-License-Identifier: GPL-2.0-only
/* qs1ctl: ask qs1d, and tell it. */
#include <argp.h>
#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/protocol.h"
#include "../lib/util.h"
#include "commands.h"

/* One row for each usage; rows of one name follow each other. */
static const struct command {
	const char *name;
	const char *usage;
	const char *text;
	int (*run)(struct context *context);
} commands[] = {
	{ "status", "status", "state, faults, LEDs, readings", command_status },
	{ "start", "start", "permit production", command_start },
	{ "stop", "stop", "stop production, also after power-off", command_stop },
	{ "clear", "clear FAULT", "clear a latched fault, such as gfdi", command_clear },
	{ "profile", "profile list", "grid profiles there are", command_profile },
	{ "profile", "profile show NAME", "values of a profile", command_profile },
	{ "profile", "profile use NAME", "put a profile in force", command_profile },
	{ "profile", "profile check FILE", "find out whether a profile is valid", command_profile },
	{ "set", "set PARAM VALUE", "set a parameter", command_set },
	{ "get", "get [PARAM]", "values in force and their ranges", command_get },
	{ "events", "events [--follow]", "what happened", command_events },
	{ "scope", "scope CHANNEL...", "waveforms as they are now", command_scope },
	{ "dump", "dump", "last decisions, and the waveform around the last trip", command_dump },
	{ "calibrate", "calibrate point FILE CHANNEL VALUE", "what it shows, and what there is",
	  command_calibrate },
	{ "calibrate", "calibrate show FILE", "gains and offsets from the points",
	  command_calibrate },
	{ "calibrate", "calibrate write FILE IMAGE COPY", "a firmware image with them in it",
	  command_calibrate },
	{ "doctor", "doctor", "find out why it does not produce", command_doctor },
};

static const struct argp_option options[] = {
	{ "output", 'o', "FORMAT", 0, "text, kv (key=value lines) or json", 0 },
	{ "json", 'j', NULL, 0, "the same as --output=json", 0 },
	{ "follow", 'f', NULL, 0, "events: go on as they come", 0 },
	{ "time", 't', "SECONDS", 0, "scope: how long, 0.1 unless given", 0 },
	{ "trigger", 'T', "CHANNEL[=LEVEL]", 0, "scope: wait until it rises through the level, 0",
	  0 },
	{ "plot", 'p', "FILE", 0, "scope, dump: draw the waveform into a PNG file", 0 },
	{ "csv", 'c', "FILE", 0, "scope, dump: write the waveform's values, - for stdout", 0 },
	{ "socket", 's', "PATH", 0, "control socket, " PROTOCOL_SOCKET " unless given", 0 },
	{ 0 },
};

/**
 * struct arguments - the command line
 * @context: for the subcommand
 * @words: subcommand and its words
 */
struct arguments {
	struct context context;
	char **words;
	int count;
};

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct arguments *arguments = state->input;
	int format;

	switch (key) {
	case 'o':
		format = writer_format_find(value);
		if (format < 0) {
			argp_error(state, "--output: expected text, kv or json, found '%s'", value);
			return EINVAL;
		}
		arguments->context.format = format;
		return 0;
	case 'j':
		arguments->context.format = WRITER_JSON;
		return 0;
	case 'f':
		arguments->context.follow = true;
		return 0;
	case 't':
		arguments->context.time = value;
		return 0;
	case 'T':
		arguments->context.trigger = value;
		return 0;
	case 'p':
		arguments->context.plot = value;
		return 0;
	case 'c':
		arguments->context.csv = value;
		return 0;
	case 's':
		arguments->context.socket = value;
		return 0;
	case ARGP_KEY_ARGS:
		arguments->words = state->argv + state->next;
		arguments->count = state->argc - state->next;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* All usages, or those of one command. */
static void list_commands(FILE *out, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (!name || !strcmp(name, commands[i].name)) {
			fprintf(out, "  qs1ctl %-19s  %s\n", commands[i].usage, commands[i].text);
		}
	}
}

/* The help text lists the commands of the table. */
static char *help_filter(int key, const char *text, void *input)
{
	char *list = NULL;
	size_t size;
	FILE *out;

	(void)input;
	if (key != ARGP_KEY_HELP_POST_DOC) {
		return (char *)text;
	}
	out = open_memstream(&list, &size);
	if (!out) {
		return NULL;
	}
	fprintf(out, "Commands:\n");
	list_commands(out, NULL);
	fclose(out);
	return list;
}

static int run(const struct command *command, struct context *context)
{
	int ret = command->run(context);

	if (ret == -E2BIG) {
		fprintf(stderr, "qs1ctl: %s: expected:\n", command->name);
		list_commands(stderr, command->name);
		return EXIT_USAGE;
	}
	if (ret < 0) {
		fprintf(stderr, "qs1ctl: %s: %s\n", command->name,
			context->err[0] ? context->err : strerror(-ret));
		return EXIT_REFUSED;
	}
	return 0;
}

static bool is_negative_number(const char *word)
{
	return word[0] == '-' && word[1] && strchr(".0123456789", word[1]);
}

/* Copy the command line; a word that is a negative number, as no option is, ends the options. */
static int copy_line(int argc, char **argv, char **line)
{
	bool ended = false;
	int count = 0;

	for (int i = 0; i < argc; i++) {
		if (!ended && i > 0 && is_negative_number(argv[i]) && argv[i - 1][0] != '-') {
			line[count++] = "--";
			ended = true;
		}
		ended = ended || !strcmp(argv[i], "--");
		line[count++] = argv[i];
	}
	return count;
}

int main(int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "COMMAND [WORD...]",
		.doc = "Ask qs1d, the protection policy of the qs1 inverter, and tell it.\v",
		.help_filter = help_filter,
	};
	struct arguments arguments = { .context.socket = PROTOCOL_SOCKET };
	char **line __cleanup(free_ptr) = calloc(argc + 2, sizeof(*line));

	if (!line) {
		return EXIT_REFUSED;
	}
	/* Only what characters the terminal has: numbers stay as programs read them. */
	setlocale(LC_CTYPE, "");
	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&argp, copy_line(argc, argv, line), line, 0, NULL, &arguments);
	for (size_t i = 0; i < ARRAY_SIZE(commands) && arguments.count > 0; i++) {
		if (!strcmp(arguments.words[0], commands[i].name)) {
			arguments.context.argc = arguments.count - 1;
			arguments.context.argv = arguments.words + 1;
			return run(&commands[i], &arguments.context);
		}
	}
	if (arguments.count > 0) {
		fprintf(stderr, "qs1ctl: unknown command '%s', expected one of:\n",
			arguments.words[0]);
	} else {
		fprintf(stderr, "qs1ctl: expected a command:\n");
	}
	list_commands(stderr, NULL);
	return EXIT_USAGE;
}
