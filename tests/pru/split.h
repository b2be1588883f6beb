/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The two halves of the control core, each in a PRU simulator of its own: what
 * they say to each other through two named pipes.
 *
 * On the chip the state lies in the memory that both PRUs share, and what is
 * handed over is whose turn it is. Here the whole of it goes there and back.
 */
#ifndef QS1_PRU_SPLIT_H
#define QS1_PRU_SPLIT_H

#include "state.h"

/* The pipes, in the folder in which both simulators run. */
#define SPLIT_ASK "to-pru1"
#define SPLIT_ANSWER "to-pru0"

enum split_op {
	SPLIT_INIT,
	SPLIT_SLOT,
	SPLIT_COMMAND,
	SPLIT_EVENT,
	SPLIT_TELEMETRY,
};

/**
 * struct split_turn - PRU1's turn
 * @op: enum split_op
 * @argument: slot; op and argument of a command; then whether there was an event
 * @value: operand of a command, then its reply
 * @result: of a command
 * @core: the state
 */
struct split_turn {
	uint32_t op;
	uint32_t argument[2];
	int32_t value;
	uint32_t result;
	struct qs1_event event;
	struct qs1_telemetry telemetry;
	struct qs1_core core;
};

/* Return: true if all of it has gone. */
bool split_send(int fd, const struct split_turn *turn);
bool split_receive(int fd, struct split_turn *turn);

#endif /* QS1_PRU_SPLIT_H */
