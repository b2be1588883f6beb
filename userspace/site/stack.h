/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ZigBee stack of a simulated radio: network layer and APS over the air, one hop, without
 * security. It fragments messages that do not fit a frame, acknowledges, repeats, and puts
 * fragments together. In virtual time: it is driven by the air alone.
 */
#ifndef QS1_SITE_STACK_H
#define QS1_SITE_STACK_H

#include "air.h"
#include "zigbee.h"
#include "znp.h"

/* Longest message, and one that still fits a frame: 127 bytes less MAC, NWK and APS headers. */
#define STACK_MESSAGE_MAX 240
#define STACK_WHOLE_MAX 88
/* Messages that may wait, as in the chips' firmware. */
#define STACK_QUEUE 3
/* For an APS acknowledgement: how long, and how often the block is repeated. */
#define STACK_APS_WAIT_US 250000
#define STACK_APS_RETRIES 3

/**
 * struct stack_message - data from or to an endpoint
 * @peer: short address of the other end, NWK_BROADCAST or above for all
 * @pan: of a broadcast, MAC_BROADCAST for every PAN; others are sent in the own PAN
 * @ack: an APS acknowledgement is wanted
 * @handle: of the sender, comes back when it is done
 * @level_dbm: of the last frame of a received message
 */
struct stack_message {
	uint16_t peer;
	uint16_t pan;
	uint8_t dst_endpoint;
	uint8_t src_endpoint;
	uint16_t cluster;
	uint8_t radius;
	bool ack;
	uint8_t handle;
	double level_dbm;
	size_t n;
	uint8_t data[STACK_MESSAGE_MAX];
};

/**
 * struct stack_ops - callbacks to the stack's owner
 * @received: a whole message
 * @done: result of a message that was sent
 * @alarm: the owner's alarm, see stack_alarm()
 * @beacon: of a coordinator, NULL if the owner does not care
 */
struct stack_ops {
	void (*received)(void *ctx, uint64_t now_us, const struct stack_message *message);
	void (*done)(void *ctx, uint64_t now_us, const struct stack_message *message,
		     enum znp_status status);
	void (*alarm)(void *ctx, uint64_t now_us);
	void (*beacon)(void *ctx, uint64_t now_us, uint16_t pan, uint16_t src, double level_dbm);
};

/* An acknowledgement that waits to be sent. */
struct stack_ack {
	uint16_t dst;
	struct aps_frame frame;
};

/**
 * struct stack - one stack; the owner's memory, which does not move
 * @air, @radio: what it sends with
 * @fault_lose_block: the second fragment is never sent: a known fault of the chips
 * @fault_duplicate_us: each message is delivered again after this time; 0 for no duplicates
 * The other members are private.
 */
struct stack {
	struct air *air;
	int radio;
	const struct stack_ops *ops;
	void *ctx;
	bool fault_lose_block;
	uint64_t fault_duplicate_us;
	uint8_t mac_seq;
	uint8_t nwk_seq;
	uint8_t aps_counter;
	struct stack_message queue[STACK_QUEUE];
	int queued;
	struct stack_ack ack[STACK_QUEUE];
	int acks;
	bool sending_ack;
	bool in_air;
	bool waiting;
	uint8_t block;
	int tries;
	struct aps_message collect;
	struct stack_message duplicate;
	uint64_t duplicate_us;
	uint64_t wait_us;
	struct {
		uint16_t src;
		uint8_t counter;
		bool used;
	} seen[8];
	int next_seen;
};

/**
 * stack_init() - initialise a stack and add its radio to the air
 *
 * Return: number of the radio, or -ENOMEM.
 */
int stack_init(struct stack *stack, struct air *air, const struct air_radio_config *config,
	       const struct stack_ops *ops, void *ctx);

/**
 * stack_send() - send a message; @done of the owner is called once, later
 *
 * Return: 0; -ENOBUFS while STACK_QUEUE wait; -EMSGSIZE; -ENETDOWN with the radio off.
 */
int stack_send(struct stack *stack, const struct stack_message *message);

/* Call the owner's alarm at this time, AIR_NEVER for not. */
void stack_alarm(struct stack *stack, uint64_t due_us);

/* Drop all messages after a reset, without calling @done. */
void stack_reset(struct stack *stack);

#endif /* QS1_SITE_STACK_H */
