// SPDX-License-Identifier: GPL-2.0-only
/* qs1ctl: query and control qs1d. */
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
	{ "stop", "stop", "stop production, keep it stopped", command_stop },
	{ "clear", "clear FAULT", "clear a latched fault, as gfdi", command_clear },
	{ "profile", "profile list", "list the grid profiles", command_profile },
	{ "profile", "profile show NAME", "values of a profile", command_profile },
	{ "profile", "profile use NAME", "put a profile in force", command_profile },
	{ "profile", "profile check FILE", "check a profile for errors", command_profile },
	{ "set", "set PARAM VALUE", "set a parameter", command_set },
	{ "get", "get [PARAM]", "values in force and their ranges", command_get },
	{ "events", "events [--follow]", "what happened", command_events },
	{ "scope", "scope CHANNEL...", "waveforms as they are now", command_scope },
	{ "dump", "dump", "last decisions, last trip's wave", command_dump },
	{ "calibrate", "calibrate point FILE CHANNEL VALUE", "record a reading and a reference",
	  command_calibrate },
	{ "calibrate", "calibrate show FILE", "gains and offsets from the points",
	  command_calibrate },
	{ "calibrate", "calibrate write FILE IMAGE COPY", "write them into a firmware image",
	  command_calibrate },
	{ "doctor", "doctor", "say why the unit does not produce", command_doctor },
};

/* A word that starts like a negative number is a value and no option, at any position. */
/* clang-format off */
#define NUMBER(c) { NULL, c, "", OPTION_ARG_OPTIONAL | OPTION_HIDDEN, NULL, 0 }
#define NUMBERS \
	NUMBER('0'), NUMBER('1'), NUMBER('2'), NUMBER('3'), NUMBER('4'), NUMBER('5'), \
	NUMBER('6'), NUMBER('7'), NUMBER('8'), NUMBER('9'), NUMBER('.')
/* clang-format on */

static const struct argp_option options[] = {
	{ "output", 'o', "FORMAT", 0, "text, kv (key=value lines) or json", 0 },
	{ "json", 'j', NULL, 0, "the same as --output=json", 0 },
	{ "follow", 'f', NULL, 0, "events: print new events as they happen", 0 },
	{ "time", 't', "SECONDS", 0, "scope: how long, 0.1 unless given", 0 },
	{ "trigger", 'T', "CHANNEL[=LEVEL]", 0, "scope: wait until it rises through the level, 0",
	  0 },
	{ "plot", 'p', "FILE", 0, "scope, dump: draw the waveform into a PNG file", 0 },
	{ "csv", 'c', "FILE", 0, "scope, dump: write the waveform's values, - for stdout", 0 },
	{ "socket", 's', "PATH", 0, "control socket, " PROTOCOL_SOCKET " unless given", 0 },
	NUMBERS,
	{ 0 },
};

const char *argp_program_version = "qs1ctl " QS1_VERSION;

/**
 * struct arguments - the command line
 * @context: for the subcommand
 * @words: subcommand and its words, room for the whole line
 * @count: of them
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
	case '0' ... '9':
	case '.':
	case ARGP_KEY_ARG:
		/* the whole word: an attached argument of an option is but a part of it */
		arguments->words[arguments->count++] = state->argv[state->next - 1];
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
			fprintf(out, "  qs1ctl %-34s  %s\n", commands[i].usage, commands[i].text);
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

/* Exit status for what a subcommand returned. */
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

static int run(const struct command *command, struct context *context)
{
	int ret = command->run(context);

	if (ret == -E2BIG) {
		fprintf(stderr, "qs1ctl: %s: expected:\n", command->name);
		list_commands(stderr, command->name);
	} else if (ret < 0) {
		fprintf(stderr, "qs1ctl: %s: %s\n", command->name,
			context->err[0] ? context->err : strerror(-ret));
	}
	return exit_status(ret);
}

int main(int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "COMMAND [WORD...]",
		.doc = "Query and control qs1d, the protection policy of the qs1 inverter.\v",
		.help_filter = help_filter,
	};
	struct arguments arguments = { .context.socket = PROTOCOL_SOCKET };
	char **words __cleanup(free_ptr) = calloc(argc, sizeof(*words));

	if (!words) {
		return EXIT_REFUSED;
	}
	arguments.words = words;
	/* Character set alone: numbers keep the decimal point that programs expect. */
	setlocale(LC_CTYPE, "");
	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &arguments);
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
