/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A simulated unit's end of the radio: a stack on the air and the unit's answers. Its state is
 * set by the program that owns the unit. Commands are refused: only a unit with a policy can take
 * them.
 */
#ifndef QS1_SITE_NODE_H
#define QS1_SITE_NODE_H

#include "stack.h"
#include "unit.h"

/* From a request to its reply: a microcontroller's time, and a spread so that units that answer
 * the same broadcast do not begin together. */
#define NODE_DELAY_US 2000
#define NODE_WAITING 4

/**
 * struct node - one unit; the owner's memory, which does not move
 * @state: readings for its answers
 * @answered, @unanswered: requests
 */
struct node {
	struct unit_state state;
	uint64_t answered;
	uint64_t unanswered;
	struct stack stack;
	struct unit_inbox inbox;
	struct stack_message waiting[NODE_WAITING];
	int waits;
	uint16_t peer;
	uint8_t handle;
};

/* Return: number of its radio, or -ENOMEM. */
int node_init(struct node *node, struct air *air, const struct air_radio_config *config,
	      const struct serial *serial);

/* Dusk and dawn: its radio hears and sends nothing while off. */
void node_power(struct node *node, bool on);

/* Steady readings of a unit at @w watts of each module, for a medium without a feeder. */
void node_steady(struct node *node, double w);

#endif /* QS1_SITE_NODE_H */
