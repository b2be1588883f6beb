// SPDX-License-Identifier: GPL-2.0-only
/*
 * qs1-wpan: a ZNP modem on a Linux wpan interface, for linkd and ecud. They open its pseudo
 * terminal as they open a modem's serial port. Only this program needs raw frames and the
 * interface's settings; the two others, which decide what the radio may do, keep a sandbox without
 * network.
 */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "log.h"
#include "modem_port.h"
#include "options.h"
#include "port.h"
#include "version.h"
#include "wpan_air.h"

/* Short addresses from here on have another meaning (ZigBee 3.6.5). */
#define ADDRESS_MAX 0xfff7
/* The reset line is looked at this often, ms: a host holds it for PORT_RESET_MS. */
#define LINE_MS (PORT_RESET_MS / 2)
/* Interval of watchdog messages to systemd, us. */
#define ALIVE_US 5000000

static struct {
	const char *interface;
	const char *link;
	long address;
} setting = { .link = "/run/qs1-wpan", .address = -1 };

static struct {
	struct air *air;
	struct modem_port port;
} app;

static volatile sig_atomic_t stopped;

static void on_stop(int signal)
{
	(void)signal;
	stopped = 1;
}

static const struct argp_option options[] = {
	{ "address", 'a', "HEX", 0,
	  "short address; 0 for the coordinator, which ecud needs (low 16 bits of the extended address)",
	  0 },
	{ "link", 'l', "FILE", 0, "link to the pseudo terminal (/run/qs1-wpan)", 0 },
	{ 0 },
};

static error_t parse(int key, char *text, struct argp_state *state)
{
	char *end;

	switch (key) {
	case 'a':
		setting.address = strtol(text, &end, 16);
		if (!*text || *end || setting.address < 0 || setting.address > ADDRESS_MAX) {
			argp_error(state, "--address: expected 0 to %X, found '%s'", ADDRESS_MAX,
				   text);
		}
		return 0;
	case 'l':
		setting.link = text;
		return 0;
	case ARGP_KEY_ARG:
		if (setting.interface) {
			argp_error(state, "expected one interface, found '%s' too", text);
		}
		setting.interface = text;
		return 0;
	case ARGP_KEY_END:
		if (!setting.interface) {
			argp_error(state, "expected an interface, such as wpan0");
		}
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int start(char *err, size_t size)
{
	struct modem_config config = { .chip = MODEM_CC2652 };
	int ret;

	app.air = wpan_air_new(setting.interface, err, size);
	if (!app.air) {
		return -EIO;
	}
	config.address = setting.address >= 0 ? (uint16_t)setting.address
					      : wpan_air_address(app.air) % ADDRESS_MAX;
	ret = modem_port_open(&app.port, app.air, &config, setting.link);
	if (ret < 0) {
		snprintf(err, size, "%s: %s", setting.link, strerror(-ret));
		return ret;
	}
	/* As a serial port: for the group dialout, in which the service is. */
	if (fchown(app.port.terminal, (uid_t)-1, getegid()) < 0 ||
	    fchmod(app.port.terminal, 0660) < 0) {
		log_warning("%s: %s", app.port.name, strerror(errno));
	}
	return 0;
}

static int serve(void)
{
	uint64_t alive_us = 0;

	sd_notify(0, "READY=1");
	while (!stopped && wpan_air_error(app.air) == 0) {
		struct pollfd fds[] = {
			{ .fd = app.port.fd, .events = POLLIN },
			{ .fd = wpan_air_fd(app.air), .events = POLLIN },
		};
		uint64_t now_us = air_now(app.air), next_us = air_next(app.air);
		uint64_t wait_ms = next_us > now_us ? (next_us - now_us + 999) / 1000 : 0;

		poll(fds, 2, wait_ms < LINE_MS ? (int)wait_ms : LINE_MS);
		modem_port_serve(&app.port);
		if (fds[1].revents) {
			wpan_air_receive(app.air);
		}
		air_run(app.air, air_now(app.air));
		if (now_us >= alive_us) {
			alive_us = now_us + ALIVE_US;
			sd_notify(0, "WATCHDOG=1");
		}
	}
	return wpan_air_error(app.air);
}

int main(int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "INTERFACE",
		.doc = "A ZNP modem on a Linux wpan interface.",
	};
	const struct sigaction stop = { .sa_handler = on_stop };
	char err[256] = "";
	int ret;

	argp_err_exit_status = EXIT_CONFIG;
	argp_program_version_hook = version_print;
	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	log_init("qs1-wpan", LOG_INFO);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGINT, &stop, NULL);
	ret = start(err, sizeof(err));
	if (ret < 0) {
		log_err("%s", err);
		return 1;
	}
	ret = serve();
	if (ret < 0) {
		log_err("%s: %s", setting.interface, strerror(-ret));
	}
	unlink(setting.link);
	modem_port_close(&app.port);
	air_free(app.air);
	return ret < 0;
}
