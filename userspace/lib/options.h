/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Command line of a daemon: a configuration file, and whether only to check it. */
#ifndef QS1_OPTIONS_H
#define QS1_OPTIONS_H

#include <argp.h>
#include <stdbool.h>

/* Exit status for a wrong command line or configuration; the service does not start again after it.
 */
#define EXIT_CONFIG 2

/**
 * struct options - what the command line asks for
 * @config: configuration file, NULL for the usual one
 * @check: check the configuration and exit
 */
struct options {
	const char *config;
	bool check;
};

/* Rows of a table of argp options. @usual: literal with the usual configuration file. */
#define OPTIONS_CONFIG(usual)                                                                      \
	{                                                                                          \
		"config", 'c', "FILE", 0, "configuration file, " usual " unless given", 0          \
	}
#define OPTIONS_CHECK                                                                              \
	{                                                                                          \
		"check", 'C', NULL, 0, "check the configuration and exit", 0                       \
	}

/**
 * options_take() - the rows above, for the parser of a program that has more options
 *
 * An argument that is no option is an error.
 *
 * Return: as an argp parser.
 */
error_t options_take(int key, char *value, struct argp_state *state, struct options *options);

/**
 * options_parse() - parse the command line; on an error exit with EXIT_CONFIG
 * @doc: what the daemon does, for --help
 * @known: OPTIONS_CONFIG() and OPTIONS_CHECK, ended by a row of zeros
 */
struct options options_parse(int argc, char **argv, const char *doc,
			     const struct argp_option *known);

#endif /* QS1_OPTIONS_H */
