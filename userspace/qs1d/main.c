// SPDX-License-Identifier: GPL-2.0-only
/* qs1d: the protection policy of the inverter. */
#include <argp.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "../lib/log.h"
#include "daemon.h"

/* Command line or configuration. */
#define EXIT_CONFIG 2

static struct daemon_signals signals;

static void on_stop(int signal)
{
	(void)signal;
	signals.stop = 1;
}

static void on_reload(int signal)
{
	(void)signal;
	signals.reload = 1;
}

struct arguments {
	const char *config;
	bool check;
};

static const struct argp_option options[] = {
	{ "config", 'c', "FILE", 0, "configuration file, " CONFIG_FILE " unless given", 0 },
	{ "check", 'C', NULL, 0, "check the configuration and the profile it names, and exit", 0 },
	{ 0 },
};

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case 'c':
		arguments->config = value;
		return 0;
	case 'C':
		arguments->check = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument '%s'", value);
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/*
 * Code and data stay in memory: a system that runs out of it takes the pages of
 * programs first, and fetches them from the disk one by one while the firmware
 * waits for a heartbeat.
 */
static void lock_memory(void)
{
	if (mlockall(MCL_CURRENT | MCL_FUTURE) < 0) {
		log_warning("memory can not be locked: %s", strerror(errno));
	}
}

int main(int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.doc = "Protection policy of the qs1 inverter: grid profile, permission to "
		       "produce, latched faults, LEDs, energy.",
	};
	const struct sigaction stop = { .sa_handler = on_stop };
	const struct sigaction reload = { .sa_handler = on_reload };
	struct arguments arguments = { 0 };
	struct config config;
	struct qs1_profile profile;
	char err[QS1_PROFILE_ERR_SIZE];

	argp_err_exit_status = EXIT_CONFIG;
	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	log_init("qs1d", LOG_INFO);
	if (config_load(arguments.config, &config, &profile, err, sizeof(err)) < 0) {
		log_err("%s", err);
		return EXIT_CONFIG;
	}
	if (arguments.check) {
		return 0;
	}
	lock_memory();
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGHUP, &reload, NULL);
	return daemon_run(&config, arguments.config, &profile, QS1_SYSFS_ROOT, &signals) < 0 ? 1
											     : 0;
}
