/* SPDX-License-Identifier: GPL-2.0-only */
/* A modem on a pseudo terminal, which a host opens instead of a serial port. */
#ifndef QS1_SITE_MODEM_PORT_H
#define QS1_SITE_MODEM_PORT_H

#include "modem.h"

/**
 * struct modem_port - the owner's memory, which does not move
 * @fd: of the terminal's master
 * @terminal: of its other end, which stays open between two hosts
 * @name: of that end
 * @held: the host holds the reset line
 */
struct modem_port {
	struct modem modem;
	int fd;
	int terminal;
	char name[64];
	bool held;
};

/**
 * modem_port_open() - a modem in the air, and its terminal
 * @link: a name that becomes a link to the terminal, or NULL
 *
 * Return: number of its radio, or a negative errno.
 */
int modem_port_open(struct modem_port *port, struct air *air, const struct modem_config *config,
		    const char *link);
void modem_port_close(struct modem_port *port);

/* modem_port_serve() - the host's bytes and its reset line; to be called each MODEM_LINE_MS */
#define MODEM_LINE_MS 20
void modem_port_serve(struct modem_port *port);

#endif /* QS1_SITE_MODEM_PORT_H */
