// SPDX-License-Identifier: GPL-2.0-only
/* qs1d: the protection policy of the inverter. */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>

#include <systemd/sd-daemon.h>

#include "../lib/log.h"
#include "../lib/options.h"
#include "daemon.h"

/* FileDescriptorName= of the socket units. */
#define SOCKET_CONTROL "control"
#define SOCKET_RADIO "radio"

/*
 * A system short of memory drops the pages of programs first and reads them back
 * from the disk one by one, while the firmware waits for a heartbeat.
 */
static void lock_memory(void)
{
	/* The arena of each thread would count as locked memory. */
	mallopt(M_ARENA_MAX, 1);
	if (mlockall(MCL_CURRENT | MCL_FUTURE) < 0) {
		log_warning("cannot lock memory: %s", strerror(errno));
	}
}

static int on_reload(sd_event_source *source, const struct signalfd_siginfo *info, void *ctx)
{
	(void)source;
	(void)info;
	daemon_reload(ctx);
	return 0;
}

/* The listening sockets by the names that their units give them. */
static int take_sockets(struct daemon_setup *setup)
{
	char **names = NULL;
	int count = sd_listen_fds_with_names(1, &names);

	for (int i = 0; i < count; i++) {
		if (!strcmp(names[i], SOCKET_CONTROL)) {
			setup->control_fd = SD_LISTEN_FDS_START + i;
		} else if (!strcmp(names[i], SOCKET_RADIO)) {
			setup->radio_fd = SD_LISTEN_FDS_START + i;
		} else {
			log_warning("socket '%s' is neither '" SOCKET_CONTROL "' nor '" SOCKET_RADIO
				    "'",
				    names[i]);
		}
		free(names[i]);
	}
	free(names);
	if (setup->control_fd < 0) {
		log_err("no control socket: start qs1d by its service, or by "
			"systemd-socket-activate --fdname=" SOCKET_CONTROL);
		return -ENOTCONN;
	}
	return 0;
}

static int run(const struct daemon_setup *setup)
{
	sd_event *event = NULL;
	struct daemon *daemon;
	sigset_t signals;
	int ret;

	/* Before the first thread, so that all have them blocked. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	ret = sd_event_new(&event);
	if (ret < 0) {
		log_err("no event loop: %s", strerror(-ret));
		return ret;
	}
	ret = daemon_new(setup, event, &daemon);
	if (ret >= 0) {
		/* Without a handler a signal ends the loop. */
		sd_event_add_signal(event, NULL, SIGTERM, NULL, NULL);
		sd_event_add_signal(event, NULL, SIGINT, NULL, NULL);
		sd_event_add_signal(event, NULL, SIGHUP, on_reload, daemon);
		ret = sd_event_loop(event);
		daemon_free(daemon);
	}
	sd_event_unref(event);
	return ret;
}

int main(int argc, char **argv)
{
	static const struct argp_option known[] = { OPTIONS_CONFIG(CONFIG_FILE),
						    OPTIONS_CHECK,
						    { 0 } };
	const struct options options = options_parse(
		argc, argv,
		"Protection policy of the qs1 inverter: grid profile, permission to produce, "
		"latched faults, LEDs, energy.",
		known);
	struct config config;
	struct daemon_setup setup = {
		.config = &config,
		.root = QS1_SYSFS_ROOT,
		.control_fd = -1,
		.radio_fd = -1,
		.io = &ring_io_files,
		.output = &reporter_journal,
	};
	struct qs1_profile profile;
	char err[QS1_PROFILE_ERR_SIZE];
	int ret;

	log_init("qs1d", LOG_INFO);
	ret = config_load(options.config, &config, err, sizeof(err));
	if (!ret && options.check) {
		ret = config_profile(&config, &profile, err, sizeof(err));
	}
	if (ret < 0) {
		log_err("%s", err);
		return EXIT_CONFIG;
	}
	if (options.check) {
		return 0;
	}
	setup.config_path = options.config;
	if (take_sockets(&setup) < 0) {
		return EXIT_CONFIG;
	}
	lock_memory();
	ret = run(&setup);
	return ret == -EINVAL ? EXIT_CONFIG : ret < 0 ? 1 : 0;
}
