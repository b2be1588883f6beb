// SPDX-License-Identifier: GPL-2.0-or-later
#include "options.h"

#include <errno.h>

#include "version.h"

error_t options_take(int key, char *value, struct argp_state *state, struct options *options)
{
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

static error_t parse(int key, char *value, struct argp_state *state)
{
	return options_take(key, value, state, state->input);
}

struct options options_parse(int argc, char **argv, const char *doc,
			     const struct argp_option *known)
{
	const struct argp argp = { .options = known, .parser = parse, .doc = doc };
	struct options options = { 0 };

	argp_err_exit_status = EXIT_CONFIG;
	argp_program_version_hook = version_print;
	argp_parse(&argp, argc, argv, 0, NULL, &options);
	return options;
}
