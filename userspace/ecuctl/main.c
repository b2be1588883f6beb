// SPDX-License-Identifier: GPL-2.0-or-later
/* ecuctl: query and control the gateway. */
#include <argp.h>
#include <errno.h>
#include <locale.h>
#include <stdlib.h>

#include <curl/curl.h>

#include "../lib/util.h"
#include "../lib/version.h"
#include "commands.h"

static const struct subcommand commands[] = {
	{ "status", "status", "the site at a glance", command_status },
	{ "inverters", "inverters", "each inverter: link, state, power, limit", command_inverters },
	{ "pair", "pair LABEL...", "add inverters by label or serial number", command_pair },
	{ "replace", "replace OLD NEW", "another inverter takes a place; 0 W until confirmed",
	  command_replace },
	{ "confirm", "confirm SERIAL", "end the 0 W of a replaced inverter", command_order },
	{ "scan", "scan IMAGE", "labels in a photo (JPEG)", command_scan },
	{ "wifi", "wifi [SSID]", "list networks, or join one", command_wifi },
	{ "label", "label", "the gateway's label: address, fingerprint, first-use code",
	  command_label },
	{ "phases", "phases", "find the phase of each inverter", command_phases },
	{ "phases", "phases SERIAL PHASE", "set it: L1, L2, L3, L1-L2, L2-L3, L3-L1",
	  command_phases },
	{ "limits", "limits", "limits of all owners", command_limits },
	{ "limit", "limit SERIAL|site W|none", "set or clear the owner's limit", command_limit },
	{ "stop", "stop [SERIAL]", "limit of 0 W", command_order },
	{ "start", "start [SERIAL]", "end one's own stop", command_order },
	{ "clear", "clear SERIAL FAULT", "clear a latched fault, as gfdi", command_clear },
	{ "identify", "identify SERIAL", "poll fast for a minute: the LED shows the link",
	  command_order },
	{ "history", "history [SERIAL]", "readings over time", command_history },
	{ "export", "export FILE", "minutes of all inverters as CSV", command_export },
	{ "backup", "backup FILE", "copy of the database, while the gateway works",
	  command_backup },
	{ "restore", "restore FILE", "replace the database, while ecud is stopped",
	  command_restore },
	{ "doctor", "doctor [SERIAL LED]", "say what is wrong: inverter or link", command_doctor },
};

static const struct argp_option options[] = {
	{ "output", 'o', "FORMAT", 0, "text, kv (key=value lines) or json", 0 },
	{ "json", 'j', NULL, 0, "the same as --output=json", 0 },
	{ "socket", 's', "PATH", 0, "socket of ecud, " CLIENT_SOCKET " unless given", 0 },
	{ "url", 'u', "URL", 0, "the gateway's address, https://HOST:PORT, in place of a socket",
	  0 },
	{ "ca", 'c', "FILE", 0, "certificate authority of the gateway, with --url", 0 },
	{ "token-file", 'T', "FILE", 0, "token, with --url", 0 },
	{ "lease", 'l', "SECONDS", 0, "limit, stop: how long it holds; until revoked unless given",
	  0 },
	{ "then", 'n', "W", 0, "limit: what holds after the lease", 0 },
	{ "reason", 'r', "TEXT", 0, "limit, stop: why, for the pages and the audit log", 0 },
	{ "rma", 'm', "NUMBER", 0, "replace: number of the return", 0 },
	{ "from", 'f', "TIME", 0, "history: start; a day before the end unless given", 0 },
	{ "to", 't', "TIME", 0, "history: end; now unless given", 0 },
	{ "step", 'p', "STEP", 0, "history: seconds, day, month or year; 900 unless given", 0 },
	{ 0 },
};

/**
 * struct arguments - the command line
 * @words: subcommand and its words, room for the whole line
 */
struct arguments {
	struct context context;
	char **words;
	int count;
};

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct arguments *arguments = state->input;
	struct context *context = &arguments->context;
	const struct {
		int key;
		const char **place;
	} texts[] = {
		{ 's', &context->client.socket }, { 'u', &context->client.url },
		{ 'c', &context->client.ca },	  { 'T', &context->client.token_file },
		{ 'l', &context->lease },	  { 'n', &context->then },
		{ 'r', &context->reason },	  { 'm', &context->rma },
		{ 'f', &context->from },	  { 't', &context->to },
		{ 'p', &context->step },
	};
	int format;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		if (texts[i].key == key) {
			*texts[i].place = value;
			return 0;
		}
	}
	switch (key) {
	case 'o':
		format = writer_format_find(value);
		if (format < 0) {
			argp_error(state, "--output: expected text, kv or json, found '%s'", value);
			return EINVAL;
		}
		context->format = format;
		return 0;
	case 'j':
		context->format = WRITER_JSON;
		return 0;
	case ARGP_KEY_ARG:
		arguments->words[arguments->count++] = value;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct subcommand_tool tool = { "ecuctl", 26, commands, ARRAY_SIZE(commands) };

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
		.doc = "Query and control ecud, the gateway of a site with qs1 inverters.\v",
		.help_filter = help_filter,
	};
	struct arguments arguments = { .context.client.socket = CLIENT_SOCKET };
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
	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	command = subcommand_find(&tool, words, arguments.count);
	if (!command) {
		return EXIT_USAGE;
	}
	arguments.context.argc = arguments.count - 1;
	arguments.context.argv = words + 1;
	return subcommand_status(&tool, command, command->run(&arguments.context),
				 arguments.context.err);
}
