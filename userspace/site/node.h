/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The radio of a simulated unit: a stack on the air, and the answers that follow from the state of
 * the unit. All other requests go to the program that owns the unit.
 */
#ifndef QS1_SITE_NODE_H
#define QS1_SITE_NODE_H

#include "join.h"
#include "stack.h"
#include "unit.h"

/* From a request to its reply: a microcontroller's time, and a spread so that units that answer
 * the same broadcast do not begin together. */
#define NODE_DELAY_US 2000
#define NODE_WAITING 64

/**
 * struct node_ops - callbacks to the owner
 * @request: a request that the state does not answer, or NULL; it replies with node_reply() or
 *           node_acknowledge(), now or later
 *
 * @join: a broadcast of a stock pairing
 *
 * @request returns whether it takes the request.
 */
struct node_ops {
	bool (*request)(void *ctx, uint64_t now_us, uint16_t peer,
			const struct unit_request *request);
	void (*join)(void *ctx, uint64_t now_us, uint16_t peer, enum join_step step,
		     const uint8_t *payload, size_t n);
};

/**
 * struct node - one unit; the owner's memory, which does not move
 * @state: readings for its answers
 * @ops, @ctx: of the owner, NULL for none
 * @answered, @unanswered: requests
 */
struct node {
	struct unit_state state;
	const struct node_ops *ops;
	void *ctx;
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
	      const struct serial *serial, const struct node_ops *ops, void *ctx);

/* Reply to @peer with a message of ours. */
void node_reply(struct node *node, uint16_t peer, enum own_type type, uint8_t id,
		const uint8_t *message, size_t n);

/* A stock command of @peer was carried out, or refused. */
void node_acknowledge(struct node *node, uint16_t peer, bool done);

/* Reply to a stock pairing: the unit's short address. */
void node_join(struct node *node, uint16_t peer, const uint8_t ecu[JOIN_ECU_BYTES]);

/* Switch the radio off at dusk and on at dawn. */
void node_power(struct node *node, bool on);

#endif /* QS1_SITE_NODE_H */
