// SPDX-License-Identifier: GPL-2.0-or-later
/* linkd: the inverter's end of the radio. A serial port and a socket around core.c. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "clock.h"
#include "config.h"
#include "log.h"
#include "options.h"
#include "port.h"

/* A port or a socket that is not there is tried again this often, ms. */
#define RETRY_MS 2000
/* Interval of the status that systemctl shows, us. */
#define STATUS_US 5000000
#define LINE_MAX_BYTES 262144

static struct {
	struct linkd linkd;
	struct linkd_settings settings;
	int port;
	int daemon;
	bool port_failed; /* said so */
	bool daemon_failed;
	uint64_t retry_us;
	size_t used;
	char line[LINE_MAX_BYTES];
} app = { .port = -1, .daemon = -1 };

static volatile sig_atomic_t stopped;

static void on_stop(int signal)
{
	(void)signal;
	stopped = 1;
}

static uint64_t now_us(void)
{
	return (uint64_t)clock_us(CLOCK_MONOTONIC);
}

static void close_port(const char *why)
{
	if (!app.port_failed) {
		log_warning("%s: %s", app.settings.port, why);
		app.port_failed = true;
	}
	if (app.port >= 0) {
		close(app.port);
		app.port = -1;
		linkd_port(&app.linkd, false, now_us());
	}
}

static void close_daemon(const char *why)
{
	if (!app.daemon_failed) {
		log_warning("%s: %s", app.settings.socket, why);
		app.daemon_failed = true;
	}
	if (app.daemon >= 0) {
		close(app.daemon);
		app.daemon = -1;
		app.used = 0;
		linkd_daemon(&app.linkd, false, now_us());
	}
}

static void to_modem(void *ctx, const uint8_t *bytes, size_t n)
{
	(void)ctx;
	/* A port that takes no more is a modem that hangs: the core finds out by its silence. */
	if (app.port >= 0 && write(app.port, bytes, n) < 0 && errno != EAGAIN) {
		log_warning("%s: write: %s", app.settings.port, strerror(errno));
	}
}

static void to_daemon(void *ctx, const char *line)
{
	struct iovec part[] = { { (char *)line, strlen(line) }, { (char *)"\n", 1 } };
	struct msghdr message = { .msg_iov = part, .msg_iovlen = 2 };

	(void)ctx;
	/* A request is short, and one is under way at a time: it fits, or qs1d is stuck. */
	if (app.daemon >= 0 && sendmsg(app.daemon, &message, MSG_NOSIGNAL) !=
				       (ssize_t)(part[0].iov_len + part[1].iov_len)) {
		shutdown(app.daemon, SHUT_RDWR);
	}
}

static void hard_reset(void *ctx)
{
	(void)ctx;
	if (app.port >= 0) {
		port_reset(app.port);
	}
}

static void to_log(void *ctx, int priority, const char *text)
{
	(void)ctx;
	log_write(priority, "%s", text);
}

static void keep_network(void *ctx, uint16_t pan)
{
	int ret = linkd_network_save(&app.settings, pan);

	(void)ctx;
	if (ret < 0) {
		log_err("%s: %s", app.settings.network, strerror(-ret));
	}
}

static const struct linkd_ops ops = { to_modem, to_daemon, hard_reset, to_log, keep_network };

static void open_port(void)
{
	int port = port_open(app.settings.port);

	if (port < 0) {
		close_port(strerror(-port));
		return;
	}
	app.port = port;
	app.port_failed = false;
	app.linkd.config.byte_us = port_byte_us(app.settings.port);
	linkd_port(&app.linkd, true, now_us());
}

static void open_daemon(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	memcpy(address.sun_path, app.settings.socket, sizeof(address.sun_path));
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		int error = errno;

		if (fd >= 0) {
			close(fd);
		}
		close_daemon(strerror(error));
		return;
	}
	app.daemon = fd;
	app.daemon_failed = false;
	linkd_daemon(&app.linkd, true, now_us());
}

static void read_port(void)
{
	uint8_t bytes[512];
	ssize_t n = read(app.port, bytes, sizeof(bytes));

	if (n > 0) {
		linkd_modem_bytes(&app.linkd, bytes, (size_t)n, now_us());
	} else if (n == 0 || errno != EAGAIN) {
		close_port(n ? strerror(errno) : "hung up");
	}
}

static void read_daemon(void)
{
	ssize_t n = read(app.daemon, app.line + app.used, sizeof(app.line) - 1 - app.used);
	char *end;

	if (n <= 0) {
		if (n == 0 || errno != EAGAIN) {
			close_daemon(n ? strerror(errno) : "closed by qs1d");
		}
		return;
	}
	app.used += (size_t)n;
	while ((end = memchr(app.line, '\n', app.used))) {
		*end++ = '\0';
		linkd_daemon_line(&app.linkd, app.line, now_us());
		app.used -= (size_t)(end - app.line);
		memmove(app.line, end, app.used);
	}
	if (app.used == sizeof(app.line) - 1) {
		close_daemon("answer longer than expected");
	}
}

static void open_what_is_missing(void)
{
	uint64_t now = now_us();

	if (now < app.retry_us) {
		return;
	}
	app.retry_us = now + RETRY_MS * 1000;
	if (app.daemon < 0) {
		open_daemon();
	}
	if (app.port < 0) {
		open_port();
	}
}

static int timeout_ms(void)
{
	uint64_t now = now_us();
	uint64_t wait = app.linkd.due_us > now ? (app.linkd.due_us - now) / 1000 + 1 : 0;

	return wait < RETRY_MS ? (int)wait : RETRY_MS;
}

static void log_counts(void)
{
	for (int i = 0; i < LINKD_COUNT_COUNT; i++) {
		log_info("%s: %llu", linkd_count_text((enum linkd_count)i),
			 (unsigned long long)app.linkd.count[i]);
	}
	for (int i = 0; i < UNIT_REJECT_COUNT; i++) {
		log_info("rejected, %s: %llu", unit_reject_text((enum unit_reject)i),
			 (unsigned long long)app.linkd.inbox.rejected[i]);
	}
}

/* The counters that are not 0, in a line that systemctl status shows. */
static void show_status(void)
{
	const struct linkd *linkd = &app.linkd;
	char text[1024];
	size_t n = (size_t)snprintf(text, sizeof(text), "WATCHDOG=1\nSTATUS=modem %s",
				    linkd->host.phase == HOST_UP ? "up" : "down");

	for (int i = 0; i < LINKD_COUNT_COUNT && n < sizeof(text); i++) {
		if (linkd->count[i]) {
			n += (size_t)snprintf(text + n, sizeof(text) - n, "; %s: %llu",
					      linkd_count_text((enum linkd_count)i),
					      (unsigned long long)linkd->count[i]);
		}
	}
	for (int i = 0; i < UNIT_REJECT_COUNT && n < sizeof(text); i++) {
		if (linkd->inbox.rejected[i]) {
			n += (size_t)snprintf(text + n, sizeof(text) - n, "; rejected, %s: %llu",
					      unit_reject_text((enum unit_reject)i),
					      (unsigned long long)linkd->inbox.rejected[i]);
		}
	}
	sd_notify(0, text);
}

static void serve(void)
{
	uint64_t status_us = 0;

	sd_notify(0, "READY=1");
	while (!stopped) {
		struct pollfd fds[2];

		open_what_is_missing();
		fds[0] = (struct pollfd){ .fd = app.port, .events = POLLIN };
		fds[1] = (struct pollfd){ .fd = app.daemon, .events = POLLIN };
		if (poll(fds, 2, timeout_ms()) > 0) {
			if (fds[0].revents) {
				read_port();
			}
			if (fds[1].revents && app.daemon >= 0) {
				read_daemon();
			}
		}
		if (now_us() >= app.linkd.due_us) {
			linkd_run(&app.linkd, now_us());
		}
		if (now_us() >= status_us) {
			status_us = now_us() + STATUS_US;
			show_status();
		}
	}
	log_counts();
}

int main(int argc, char **argv)
{
	static const struct argp_option known[] = { OPTIONS_CONFIG(LINKD_CONFIG_FILE),
						    OPTIONS_CHECK,
						    { 0 } };
	const struct options options = options_parse(
		argc, argv,
		"The qs1 inverter's end of the radio link: a ZNP modem on a serial port.", known);
	const struct sigaction stop = { .sa_handler = on_stop };
	char err[PATH_MAX + 200];

	log_init("linkd", LOG_INFO);
	if (linkd_settings_load(options.config, &app.settings, err, sizeof(err)) < 0 ||
	    linkd_network_load(&app.settings, err, sizeof(err)) < 0) {
		log_err("%s", err);
		return EXIT_CONFIG;
	}
	if (options.check) {
		return 0;
	}
	/* The modem's extended address is random at each start: nothing refers to it. */
	if (getrandom(app.settings.link.ieee, sizeof(app.settings.link.ieee), 0) !=
	    sizeof(app.settings.link.ieee)) {
		log_err("no random numbers: %s", strerror(errno));
		return 1;
	}
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGINT, &stop, NULL);
	linkd_init(&app.linkd, &app.settings.link, &ops, NULL);
	serve();
	return 0;
}
