// SPDX-License-Identifier: GPL-2.0-only
/* qs1ctl: query and control qs1d. */
#include <argp.h>
#include <errno.h>
#include <locale.h>
#include <stdlib.h>

#include "../lib/protocol.h"
#include "../lib/util.h"
#include "../lib/version.h"
#include "commands.h"

static const struct subcommand commands[] = {
	{ "status", "status", "state, faults, LEDs, readings", command_status },
	{ "start", "start", "permit production", command_start },
	{ "stop", "stop", "stop production, keep it stopped", command_stop },
	{ "clear", "clear FAULT", "clear a latched fault, such as gfdi", command_clear },
	{ "profile", "profile list", "list the grid profiles", command_profile },
	{ "profile", "profile show NAME", "values of a profile", command_profile },
	{ "profile", "profile use NAME", "put a profile in force", command_profile },
	{ "profile", "profile check FILE", "check a profile for errors", command_profile },
	{ "set", "set PARAM VALUE", "set a parameter", command_set },
	{ "get", "get [PARAM]", "values in force and their ranges", command_get },
	{ "events", "events [--follow]", "list the events", command_events },
	{ "scope", "scope CHANNEL...", "record live waveforms", command_scope },
	{ "dump", "dump", "last decisions, waveform of the last trip", command_dump },
	{ "calibrate", "calibrate point FILE CHANNEL VALUE", "record a reading and a reference",
	  command_calibrate },
	{ "calibrate", "calibrate show FILE", "gains and offsets from the points",
	  command_calibrate },
	{ "calibrate", "calibrate write FILE IMAGE COPY", "write them into a firmware image",
	  command_calibrate },
	{ "doctor", "doctor", "find why the unit does not produce", command_doctor },
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
	{ "time", 't', "SECONDS", 0, "scope: duration of the record (default: 0.1)", 0 },
	{ "trigger", 'T', "CHANNEL[=LEVEL]", 0,
	  "scope: wait until the channel rises through the level (default: 0)", 0 },
	{ "plot", 'p', "FILE", 0, "scope, dump: draw the waveform into a PNG file", 0 },
	{ "csv", 'c', "FILE", 0, "scope, dump: write the waveform's values, - for stdout", 0 },
	{ "socket", 's', "PATH", 0, "control socket, " PROTOCOL_SOCKET " unless given", 0 },
	NUMBERS,
	{ 0 },
};

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

static const struct subcommand_tool tool = { "qs1ctl", 34, commands, ARRAY_SIZE(commands) };

static char *help_filter(int key, const char *text, void *input)
{
	(void)input;
	return subcommand_help(&tool, key, text);
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
	const struct subcommand *command;

	if (!words) {
		return EXIT_REFUSED;
	}
	arguments.words = words;
	/* Character set alone: numbers keep the decimal point that programs expect. */
	setlocale(LC_CTYPE, "");
	argp_err_exit_status = EXIT_USAGE;
	argp_program_version_hook = version_print;
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &arguments);
	command = subcommand_find(&tool, words, arguments.count);
	if (!command) {
		return EXIT_USAGE;
	}
	arguments.context.argc = arguments.count - 1;
	arguments.context.argv = words + 1;
	return subcommand_status(&tool, command, command->run(&arguments.context),
				 arguments.context.err);
}
