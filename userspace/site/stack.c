// SPDX-License-Identifier: GPL-2.0-only
#include "stack.h"

#include <errno.h>
#include <string.h>

/* Alarms of the radio: the stack's and its owner's. */
#define ALARM_STACK 0
#define ALARM_OWNER 1

static void pump(struct stack *stack);

static unsigned int blocks_of(const struct stack_message *message)
{
	return message->n <= STACK_WHOLE_MAX
		       ? 1
		       : (unsigned int)((message->n + APS_BLOCK_BYTES - 1) / APS_BLOCK_BYTES);
}

static bool is_broadcast(uint16_t address)
{
	return address >= NWK_BROADCAST_MIN;
}

static bool wants_aps_ack(const struct stack_message *message)
{
	return !is_broadcast(message->peer) && (message->ack || blocks_of(message) > 1);
}

/* One APS frame to a short address, in all the headers; false when the radio refuses. */
static bool transmit(struct stack *stack, uint16_t dst, uint16_t pan, uint8_t radius,
		     const struct aps_frame *aps)
{
	const struct air_radio_config *config = air_configuration(stack->air, stack->radio);
	uint8_t frame[MAC_FRAME_MAX], nwk_bytes[MAC_FRAME_MAX], aps_bytes[MAC_FRAME_MAX];
	int n = aps_build(aps, aps_bytes, sizeof(aps_bytes));
	struct nwk_frame nwk = {
		.type = NWK_DATA,
		.version = 2,
		.dst = dst,
		.src = config->address,
		.radius = radius,
		.seq = stack->nwk_seq++,
		.payload = aps_bytes,
		.n = n < 0 ? 0 : (size_t)n,
	};
	struct mac_frame mac = {
		.type = MAC_DATA,
		.ack_request = !is_broadcast(dst),
		.seq = stack->mac_seq++,
		.dst = { MAC_MODE_SHORT, pan, is_broadcast(dst) ? MAC_BROADCAST : dst },
		.src = { MAC_MODE_SHORT, config->pan, config->address },
		.payload = nwk_bytes,
	};

	if (n < 0 || (n = nwk_build(&nwk, nwk_bytes, sizeof(nwk_bytes))) < 0) {
		return false;
	}
	mac.n = (size_t)n;
	n = mac_build(&mac, frame, sizeof(frame));
	return n > 0 && air_send(stack->air, stack->radio, frame, (size_t)n) == 0;
}

static void set_alarm(struct stack *stack)
{
	uint64_t due = stack->wait_us < stack->duplicate_us ? stack->wait_us : stack->duplicate_us;

	air_alarm(stack->air, stack->radio, ALARM_STACK, due);
}

static void wait_until(struct stack *stack, uint64_t due_us)
{
	stack->waiting = due_us != AIR_NEVER;
	stack->wait_us = due_us;
	set_alarm(stack);
}

/* Remove the first message of the queue and report its result. */
static void complete(struct stack *stack, enum znp_status status)
{
	struct stack_message message = stack->queue[0];

	stack->queued--;
	memmove(stack->queue, stack->queue + 1, sizeof(stack->queue[0]) * (size_t)stack->queued);
	stack->block = 0;
	stack->tries = 0;
	stack->aps_counter++;
	wait_until(stack, AIR_NEVER);
	stack->ops->done(stack->ctx, air_now(stack->air), &message, status);
	pump(stack);
}

static bool send_block(struct stack *stack)
{
	const struct stack_message *message = &stack->queue[0];
	unsigned int blocks = blocks_of(message);
	size_t at = blocks > 1 ? (size_t)stack->block * APS_BLOCK_BYTES : 0;
	size_t left = message->n - at;
	struct aps_frame aps = {
		.type = APS_DATA,
		.broadcast = is_broadcast(message->peer),
		.ack_request = wants_aps_ack(message),
		.fragment = blocks == 1	   ? APS_WHOLE
			    : stack->block ? APS_NEXT
					   : APS_FIRST,
		.block = (uint8_t)(stack->block ? stack->block : blocks),
		.dst_endpoint = message->dst_endpoint,
		.src_endpoint = message->src_endpoint,
		.cluster = message->cluster,
		.profile = ZIGBEE_PROFILE,
		.counter = stack->aps_counter,
		.payload = message->data + at,
		.n = blocks > 1 && left > APS_BLOCK_BYTES ? APS_BLOCK_BYTES : left,
	};
	const struct air_radio_config *config = air_configuration(stack->air, stack->radio);

	return transmit(stack, message->peer,
			is_broadcast(message->peer) ? message->pan : config->pan, message->radius,
			&aps);
}

/* Send what is due, if the radio is free: acknowledgements first. */
static void pump(struct stack *stack)
{
	if (stack->in_air) {
		return;
	}
	if (stack->acks > 0) {
		struct stack_ack ack = stack->ack[0];
		const struct air_radio_config *config = air_configuration(stack->air, stack->radio);

		stack->acks--;
		memmove(stack->ack, stack->ack + 1, sizeof(stack->ack[0]) * (size_t)stack->acks);
		stack->sending_ack = true;
		stack->in_air = transmit(stack, ack.dst, config->pan, 1, &ack.frame);
		return;
	}
	if (stack->queued == 0 || stack->waiting) {
		return;
	}
	if (stack->fault_lose_block && stack->block > 0) {
		wait_until(stack, air_now(stack->air) + STACK_APS_WAIT_US);
		return;
	}
	stack->sending_ack = false;
	stack->in_air = send_block(stack);
	if (!stack->in_air) {
		complete(stack, ZNP_FAILURE);
	}
}

static enum znp_status status_of(enum air_result result)
{
	static const enum znp_status status[] = {
		[AIR_SENT] = ZNP_SUCCESS,
		[AIR_NO_ACK] = ZNP_NO_MAC_ACK,
		[AIR_BUSY] = ZNP_CHANNEL_BUSY,
	};

	return status[result];
}

static void on_sent(void *ctx, uint64_t now_us, enum air_result result)
{
	struct stack *stack = ctx;

	stack->in_air = false;
	if (stack->sending_ack || stack->queued == 0) {
		pump(stack);
		return;
	}
	if (wants_aps_ack(&stack->queue[0])) {
		wait_until(stack, now_us + STACK_APS_WAIT_US);
		pump(stack);
	} else {
		complete(stack, status_of(result));
	}
}

static void take_aps_ack(struct stack *stack, uint16_t src, const struct aps_frame *aps)
{
	if (stack->queued == 0 || !stack->waiting || aps->counter != stack->aps_counter ||
	    src != stack->queue[0].peer || aps->block != stack->block) {
		return;
	}
	wait_until(stack, AIR_NEVER);
	stack->tries = 0;
	if (++stack->block < blocks_of(&stack->queue[0])) {
		pump(stack);
	} else {
		complete(stack, ZNP_SUCCESS);
	}
}

/* True for a message that was already delivered: its acknowledgement was lost. */
static bool seen_before(struct stack *stack, uint16_t src, uint8_t counter)
{
	for (size_t i = 0; i < sizeof(stack->seen) / sizeof(stack->seen[0]); i++) {
		if (stack->seen[i].used && stack->seen[i].src == src &&
		    stack->seen[i].counter == counter) {
			return true;
		}
	}
	stack->seen[stack->next_seen].src = src;
	stack->seen[stack->next_seen].counter = counter;
	stack->seen[stack->next_seen].used = true;
	stack->next_seen =
		(stack->next_seen + 1) % (int)(sizeof(stack->seen) / sizeof(stack->seen[0]));
	return false;
}

static void deliver(struct stack *stack, const struct nwk_frame *nwk, const struct aps_frame *aps,
		    const uint8_t *data, size_t n, double level_dbm)
{
	struct stack_message message = {
		.peer = nwk->src,
		.pan = air_configuration(stack->air, stack->radio)->pan,
		.dst_endpoint = aps->dst_endpoint,
		.src_endpoint = aps->src_endpoint,
		.cluster = aps->cluster,
		.radius = nwk->radius,
		.ack = aps->ack_request,
		.level_dbm = level_dbm,
		.n = n,
	};

	if (n > sizeof(message.data) || seen_before(stack, nwk->src, aps->counter)) {
		return;
	}
	memcpy(message.data, data, n);
	if (stack->fault_duplicate_us) {
		stack->duplicate = message;
		stack->duplicate_us = air_now(stack->air) + stack->fault_duplicate_us;
		set_alarm(stack);
	}
	stack->ops->received(stack->ctx, air_now(stack->air), &message);
}

static void take_data(struct stack *stack, const struct nwk_frame *nwk, const struct aps_frame *aps,
		      double level_dbm)
{
	if (aps->ack_request) {
		if (stack->acks == STACK_QUEUE) {
			return;
		}
		stack->ack[stack->acks++] = (struct stack_ack){ nwk->src, aps_acknowledge(aps) };
	}
	if (aps->fragment == APS_WHOLE) {
		deliver(stack, nwk, aps, aps->payload, aps->n, level_dbm);
	} else if (aps_collect(&stack->collect, nwk->src, aps) == 1) {
		size_t n = aps_join(&stack->collect);

		deliver(stack, nwk, aps, stack->collect.byte, n, level_dbm);
		memset(&stack->collect, 0, sizeof(stack->collect));
	}
	pump(stack);
}

static void on_received(void *ctx, uint64_t now_us, const uint8_t *frame, size_t n,
			double level_dbm)
{
	struct stack *stack = ctx;
	const struct air_radio_config *config = air_configuration(stack->air, stack->radio);
	struct mac_frame mac;
	struct nwk_frame nwk;
	struct aps_frame aps;

	if (mac_parse(frame, n, &mac) < 0 || mac.secured) {
		return;
	}
	if (mac.type == MAC_BEACON && stack->ops->beacon) {
		stack->ops->beacon(stack->ctx, now_us, mac.src.pan, mac.src.address, level_dbm);
	}
	if (mac.type != MAC_DATA || nwk_parse(mac.payload, mac.n, &nwk) < 0 ||
	    nwk.type != NWK_DATA || nwk.secured ||
	    (!is_broadcast(nwk.dst) && nwk.dst != config->address) ||
	    aps_parse(nwk.payload, nwk.n, &aps) < 0 || aps.secured ||
	    aps.profile != ZIGBEE_PROFILE) {
		return;
	}
	if (aps.type == APS_ACK) {
		take_aps_ack(stack, nwk.src, &aps);
	} else {
		take_data(stack, &nwk, &aps, level_dbm);
	}
}

static void on_alarm(void *ctx, uint64_t now_us, int alarm)
{
	struct stack *stack = ctx;

	if (alarm == ALARM_OWNER) {
		stack->ops->alarm(stack->ctx, now_us);
		return;
	}
	if (now_us >= stack->duplicate_us) {
		stack->duplicate_us = AIR_NEVER;
		stack->ops->received(stack->ctx, now_us, &stack->duplicate);
	}
	if (now_us >= stack->wait_us) {
		wait_until(stack, AIR_NEVER);
		if (stack->tries++ < STACK_APS_RETRIES) {
			pump(stack);
		} else {
			complete(stack, ZNP_NO_APS_ACK);
		}
	}
	set_alarm(stack);
}

static const struct air_ops air_ops = { on_received, on_sent, on_alarm };

int stack_init(struct stack *stack, struct air *air, const struct air_radio_config *config,
	       const struct stack_ops *ops, void *ctx)
{
	*stack = (struct stack){
		.air = air,
		.ops = ops,
		.ctx = ctx,
		.duplicate_us = AIR_NEVER,
		.wait_us = AIR_NEVER,
	};
	stack->radio = air_add(air, config, &air_ops, stack);
	return stack->radio;
}

int stack_send(struct stack *stack, const struct stack_message *message)
{
	if (message->n > STACK_MESSAGE_MAX || message->n > APS_MESSAGE_MAX ||
	    (is_broadcast(message->peer) && message->n > STACK_WHOLE_MAX)) {
		return -EMSGSIZE;
	}
	if (air_configuration(stack->air, stack->radio)->off) {
		return -ENETDOWN;
	}
	if (stack->queued == STACK_QUEUE) {
		return -ENOBUFS;
	}
	stack->queue[stack->queued++] = *message;
	pump(stack);
	return 0;
}

void stack_alarm(struct stack *stack, uint64_t due_us)
{
	air_alarm(stack->air, stack->radio, ALARM_OWNER, due_us);
}

void stack_reset(struct stack *stack)
{
	/* a frame on air continues, but its result belongs to no message */
	stack->sending_ack = stack->in_air;
	stack->queued = 0;
	stack->acks = 0;
	stack->block = 0;
	stack->tries = 0;
	stack->duplicate_us = AIR_NEVER;
	memset(&stack->collect, 0, sizeof(stack->collect));
	wait_until(stack, AIR_NEVER);
}
