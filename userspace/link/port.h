/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The serial port of a modem: raw, 115200 baud, 8N1. */
#ifndef QS1_LINK_PORT_H
#define QS1_LINK_PORT_H

/* The reset line is held this long, ms. */
#define PORT_RESET_MS 100

/* Open a port without blocking. Return: a descriptor or a negative errno. */
int port_open(const char *path);

/* Pull the modem's reset line, with the port's other lines: a speed of 0 lowers them (termios). */
void port_reset(int fd);

#endif /* QS1_LINK_PORT_H */
