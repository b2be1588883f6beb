// SPDX-License-Identifier: GPL-2.0-only
#include "node.h"

#include <string.h>

/* One payload of a reply, queued until the unit's response time has passed. */
static void queue_reply(void *ctx, const uint8_t *payload, size_t n)
{
	struct node *node = ctx;
	struct stack_message *message = &node->waiting[node->waits];

	if (node->waits == NODE_WAITING) {
		node->unanswered++;
		return;
	}
	*message = (struct stack_message){
		.peer = node->peer,
		.dst_endpoint = ZIGBEE_ENDPOINT,
		.src_endpoint = ZIGBEE_ENDPOINT,
		.cluster = ZIGBEE_CLUSTER_REPLY,
		.radius = 15,
		.handle = node->handle++,
		.n = n,
	};
	memcpy(message->data, payload, n);
	node->waits++;
}

/* Replies go out together, after the unit's response time. */
static void reply_soon(struct node *node, uint64_t now_us)
{
	stack_alarm(&node->stack, now_us + NODE_DELAY_US);
}

static void on_received(void *ctx, uint64_t now_us, const struct stack_message *message)
{
	struct node *node = ctx;
	struct unit_request request;
	int step = join_step_of(message->cluster);

	if (step >= 0 && node->ops) {
		node->ops->join(node->ctx, now_us, message->peer, (enum join_step)step,
				message->data, message->n);
	}
	if (message->cluster != ZIGBEE_CLUSTER_REQUEST) {
		return;
	}
	request = unit_receive(&node->inbox, message->peer, message->data, message->n);
	if (request.kind == UNIT_NONE) {
		return;
	}
	node->peer = message->peer;
	if (unit_answer(&node->state, &request, queue_reply, node) ||
	    (node->ops && node->ops->request(node->ctx, now_us, message->peer, &request))) {
		node->answered++;
	} else {
		node->unanswered++;
		if (request.kind == UNIT_L2 && !request.broadcast) {
			unit_acknowledge(&node->state.identity.serial, false, queue_reply, node);
		}
	}
	reply_soon(node, now_us);
}

/* Send as many replies as fit; the rest follow when a message is done. */
static void pump(struct node *node)
{
	while (node->waits > 0 && stack_send(&node->stack, &node->waiting[0]) == 0) {
		node->waits--;
		memmove(node->waiting, node->waiting + 1,
			sizeof(node->waiting[0]) * (size_t)node->waits);
	}
}

static void on_done(void *ctx, uint64_t now_us, const struct stack_message *message,
		    enum znp_status status)
{
	(void)now_us;
	(void)message;
	(void)status;
	pump(ctx);
}

static void on_alarm(void *ctx, uint64_t now_us)
{
	(void)now_us;
	pump(ctx);
}

static const struct stack_ops ops = { on_received, on_done, on_alarm, NULL };

int node_init(struct node *node, struct air *air, const struct air_radio_config *config,
	      const struct serial *serial, const struct node_ops *node_ops, void *ctx)
{
	memset(node, 0, sizeof(*node));
	unit_state_clear(&node->state);
	node->state.identity.serial = *serial;
	node->ops = node_ops;
	node->ctx = ctx;
	return stack_init(&node->stack, air, config, &ops, node);
}

void node_reply(struct node *node, uint16_t peer, enum own_type type, uint8_t id,
		const uint8_t *message, size_t n)
{
	node->peer = peer;
	unit_send(type, id, message, n, queue_reply, node);
	reply_soon(node, air_now(node->stack.air));
}

void node_acknowledge(struct node *node, uint16_t peer, bool done)
{
	node->peer = peer;
	unit_acknowledge(&node->state.identity.serial, done, queue_reply, node);
	reply_soon(node, air_now(node->stack.air));
}

void node_join(struct node *node, uint16_t peer, const uint8_t ecu[JOIN_ECU_BYTES])
{
	uint8_t payload[JOIN_PAYLOAD_MAX];

	node->peer = peer;
	queue_reply(node, payload,
		    join_reply_build(&node->state.identity.serial, ecu,
				     air_configuration(node->stack.air, node->stack.radio)->address,
				     payload));
	reply_soon(node, air_now(node->stack.air));
}

void node_power(struct node *node, bool on)
{
	struct air_radio_config config = *air_configuration(node->stack.air, node->stack.radio);

	config.off = !on;
	air_configure(node->stack.air, node->stack.radio, &config);
	if (!on) {
		node->waits = 0;
		stack_reset(&node->stack);
	}
}
