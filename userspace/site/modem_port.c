// SPDX-License-Identifier: GPL-2.0-only
#include "modem_port.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static void to_host(void *ctx, const uint8_t *bytes, size_t n)
{
	struct modem_port *port = ctx;

	/* A host that does not read loses bytes, as with a serial line. */
	if (write(port->fd, bytes, n) < 0 && errno != EAGAIN) {
		fprintf(stderr, "%s: %s\n", port->name, strerror(errno));
	}
}

static int open_terminal(struct modem_port *port)
{
	struct termios termios;
	const char *name;

	port->fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (port->fd < 0 || grantpt(port->fd) < 0 || unlockpt(port->fd) < 0 ||
	    !(name = ptsname(port->fd))) {
		return -errno;
	}
	port->terminal = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (port->terminal < 0 || tcgetattr(port->terminal, &termios) < 0) {
		return -errno;
	}
	cfmakeraw(&termios);
	cfsetspeed(&termios, B115200);
	tcsetattr(port->terminal, TCSANOW, &termios);
	snprintf(port->name, sizeof(port->name), "%s", name);
	return 0;
}

int modem_port_open(struct modem_port *port, struct air *air, const struct modem_config *config,
		    const char *link)
{
	int ret = open_terminal(port);

	if (ret == 0 && link) {
		unlink(link);
		ret = symlink(port->name, link) < 0 ? -errno : 0;
	}
	if (ret < 0) {
		return ret;
	}
	return modem_init(&port->modem, air, config, to_host, port);
}

void modem_port_close(struct modem_port *port)
{
	close(port->terminal);
	close(port->fd);
}

/* The reset line: a host lowers it, with the other lines of a modem, by a speed of 0 (termios). */
static void watch_reset(struct modem_port *port)
{
	struct termios termios;
	bool held = tcgetattr(port->fd, &termios) == 0 && cfgetospeed(&termios) == B0;

	if (held && !port->held) {
		modem_reset(&port->modem);
	}
	port->held = held;
}

void modem_port_serve(struct modem_port *port)
{
	uint8_t bytes[512];
	ssize_t n;

	watch_reset(port);
	while ((n = read(port->fd, bytes, sizeof(bytes))) > 0) {
		modem_input(&port->modem, bytes, (size_t)n);
	}
}
