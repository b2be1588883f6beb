// SPDX-License-Identifier: GPL-2.0-or-later
#include "port.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static int set_speed(int fd, speed_t speed)
{
	struct termios termios;

	if (tcgetattr(fd, &termios) < 0) {
		return -errno;
	}
	cfmakeraw(&termios);
	termios.c_cflag |= CLOCAL;
	cfsetspeed(&termios, speed);
	return tcsetattr(fd, TCSANOW, &termios) < 0 ? -errno : 0;
}

double port_byte_us(const char *path)
{
	char real[PATH_MAX];

	return realpath(path, real) && strstr(real, "/ttyACM") ? 0 : PORT_BYTE_US;
}

int port_open(const char *path)
{
	int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	int ret = fd < 0 ? -errno : set_speed(fd, B115200);

	if (ret < 0 && fd >= 0) {
		close(fd);
	}
	return ret < 0 ? ret : fd;
}

void port_reset(int fd)
{
	const struct timespec held = { .tv_nsec = PORT_RESET_MS * 1000000 };

	set_speed(fd, B0);
	nanosleep(&held, NULL);
	set_speed(fd, B115200);
}
