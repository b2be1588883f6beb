/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Command line of a daemon: a configuration file, and whether only to check it. */
#ifndef QS1_OPTIONS_H
#define QS1_OPTIONS_H

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

/**
 * options_parse() - parse the command line; on an error exit with EXIT_CONFIG
 * @doc: what the daemon does, for --help
 * @usual_config: the usual configuration file, for --help
 */
struct options options_parse(int argc, char **argv, const char *doc, const char *usual_config);

#endif /* QS1_OPTIONS_H */
