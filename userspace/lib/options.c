// SPDX-License-Identifier: GPL-2.0-or-later
#include "options.h"

#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "version.h"

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case 'c':
		options->config = value;
		return 0;
	case 'C':
		options->check = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument '%s'", value);
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

struct options options_parse(int argc, char **argv, const char *doc, const char *usual_config)
{
	char config_doc[PATH_MAX + 64];
	const struct argp_option known[] = {
		{ "config", 'c', "FILE", 0, config_doc, 0 },
		{ "check", 'C', NULL, 0, "check the configuration and exit", 0 },
		{ 0 },
	};
	const struct argp argp = { .options = known, .parser = parse, .doc = doc };
	struct options options = { 0 };

	snprintf(config_doc, sizeof(config_doc), "configuration file, %s unless given",
		 usual_config);
	argp_err_exit_status = EXIT_CONFIG;
	argp_program_version_hook = version_print;
	argp_parse(&argp, argc, argv, 0, NULL, &options);
	return options;
}
