/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The serial port of a modem: raw, 115200 baud, 8N1. */
#ifndef QS1_LINK_PORT_H
#define QS1_LINK_PORT_H

/* The reset line is held this long, ms. */
#define PORT_RESET_MS 100

/* Time of a byte at that speed, us: 10 bits. */
#define PORT_BYTE_US (10 * 1e6 / 115200)

/* Time that a port needs for a byte, us; 0 for a modem with a built-in USB interface (ttyACM). */
double port_byte_us(const char *path);

/* Open a port without blocking. Return: a descriptor or a negative errno. */
int port_open(const char *path);

/* Pull the modem's reset line, with the port's other lines: a speed of 0 lowers them (termios). */
void port_reset(int fd);

#endif /* QS1_LINK_PORT_H */
