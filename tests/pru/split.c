// SPDX-License-Identifier: GPL-2.0-only
#include "split.h"

#include "sim.h"

bool split_send(int fd, const struct split_turn *turn)
{
	const char *at = (const char *)turn;
	int left = sizeof(*turn);

	while (left > 0) {
		int moved = sim_write(fd, at, left);

		if (moved <= 0)
			return false;
		at += moved;
		left -= moved;
	}
	return true;
}

bool split_receive(int fd, struct split_turn *turn)
{
	char *at = (char *)turn;
	int left = sizeof(*turn);

	while (left > 0) {
		int moved = sim_read(fd, at, left);

		if (moved <= 0)
			return false;
		at += moved;
		left -= moved;
	}
	return true;
}
