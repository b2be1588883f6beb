/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting a ZNP modem after its reset, step by step, whatever its chip: the simple API of the
 * older ones is tried first, and a chip that refuses it gets the commands of Z-Stack 3.
 */
#ifndef QS1_LINK_STARTUP_H
#define QS1_LINK_STARTUP_H

#include "znp.h"

/* Longest command of the start. */
#define STARTUP_COMMAND_MAX 32

enum startup_type {
	STARTUP_COORDINATOR = 0,
	STARTUP_ROUTER = 1,
};

/**
 * struct startup - a start under way
 * @type: what the modem is to be
 * @ieee: extended address, as sent: lowest byte first
 * @pan, @channel: of the network
 * @newer_chip: it has refused the simple API
 * @step: of the start
 */
struct startup {
	enum startup_type type;
	uint8_t ieee[8];
	uint16_t pan;
	uint8_t channel;
	bool newer_chip;
	int step;
};

/* First command, after the modem has said that it was reset; bytes written to @out. */
int startup_begin(struct startup *startup, uint8_t *out, size_t size);

/**
 * startup_take() - a frame of the modem during the start
 * @ret_up: the network is up, the start is over; untouched otherwise
 *
 * Return: bytes of the next command in @out, or 0 for none.
 */
int startup_take(struct startup *startup, const struct znp_frame *frame, bool *ret_up, uint8_t *out,
		 size_t size);

#endif /* QS1_LINK_STARTUP_H */
