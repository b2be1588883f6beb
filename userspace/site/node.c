// SPDX-License-Identifier: GPL-2.0-only
#include "node.h"

#include <string.h>

#include <qs1/codes.h>

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

static void on_received(void *ctx, uint64_t now_us, const struct stack_message *message)
{
	struct node *node = ctx;
	struct unit_request request;

	if (message->cluster != ZIGBEE_CLUSTER_REQUEST) {
		return;
	}
	request = unit_receive(&node->inbox, message->peer, message->data, message->n);
	if (request.kind == UNIT_NONE) {
		return;
	}
	node->peer = message->peer;
	if (unit_answer(&node->state, &request, queue_reply, node)) {
		node->answered++;
	} else {
		node->unanswered++;
		if (request.kind == UNIT_L2 && !request.broadcast) {
			unit_acknowledge(&node->state.identity.serial, false, queue_reply, node);
		}
	}
	stack_alarm(&node->stack, now_us + NODE_DELAY_US);
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

static const struct stack_ops ops = { on_received, on_done, on_alarm };

int node_init(struct node *node, struct air *air, const struct air_radio_config *config,
	      const struct serial *serial)
{
	memset(node, 0, sizeof(*node));
	unit_state_clear(&node->state);
	node->state.identity.serial = *serial;
	return stack_init(&node->stack, air, config, &ops, node);
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

static void set(struct node *node, enum own_status_field field, double physical)
{
	node->state.status[field] = field_raw(&own_status_field[field], physical);
}

void node_steady(struct node *node, double w)
{
	static const enum own_status_field input[][3] = {
		{ OWN_PV1_V, OWN_PV1_I, OWN_PV1_ENERGY },
		{ OWN_PV2_V, OWN_PV2_I, OWN_PV2_ENERGY },
		{ OWN_PV3_V, OWN_PV3_I, OWN_PV3_ENERGY },
		{ OWN_PV4_V, OWN_PV4_I, OWN_PV4_ENERGY },
	};
	double seconds = (double)air_now(node->stack.air) * 1e-6;

	for (int i = 0; i < 4; i++) {
		set(node, input[i][0], 34);
		set(node, input[i][1], w / 34);
		set(node, input[i][2], w * seconds / 3600);
	}
	set(node, OWN_STATE, QS1_STATE_PRODUCING);
	set(node, OWN_FLAGS, OWN_FLAG_ARMED | OWN_FLAG_PROFILE_APPLIED);
	set(node, OWN_FAULTS_ACTIVE, 0);
	set(node, OWN_FAULTS_LATCHED, 0);
	set(node, OWN_UPTIME, seconds);
	set(node, OWN_GRID_V, 240);
	set(node, OWN_GRID_F, 60);
	set(node, OWN_GRID_P, 4 * w * 0.955);
	set(node, OWN_GRID_I, 4 * w * 0.955 / 240);
	set(node, OWN_GRID_Q, 0);
	set(node, OWN_GRID_ENERGY, 4 * w * 0.955 * seconds / 3600);
	set(node, OWN_CASE_TEMP, 35);
}
