// SPDX-License-Identifier: GPL-2.0-or-later
#include "zigbee.h"

#include <errno.h>
#include <string.h>

#include "bytes.h"

/* Network layer's frame control field, 3.3.1.1. */
#define NWK_TYPE 0x0003
#define NWK_VERSION_SHIFT 2
#define NWK_VERSION 0x000f
#define NWK_MULTICAST 0x0100
#define NWK_SECURED 0x0200
#define NWK_SOURCE_ROUTE 0x0400
#define NWK_DST_IEEE 0x0800
#define NWK_SRC_IEEE 0x1000
#define NWK_HEAD 8
#define IEEE_BYTES 8

/* Bytes of the optional fields, or SIZE_MAX when the source route is cut short. */
static size_t nwk_options(uint16_t fcf, const uint8_t *bytes, size_t n)
{
	size_t at = NWK_HEAD + (fcf & NWK_DST_IEEE ? IEEE_BYTES : 0) +
		    (fcf & NWK_SRC_IEEE ? IEEE_BYTES : 0) + (fcf & NWK_MULTICAST ? 1 : 0);

	if (fcf & NWK_SOURCE_ROUTE) {
		if (at >= n) {
			return SIZE_MAX;
		}
		at += 2 + 2u * bytes[at];
	}
	return at;
}

int nwk_parse(const uint8_t *bytes, size_t n, struct nwk_frame *ret)
{
	uint16_t fcf;
	size_t head;

	if (n < NWK_HEAD) {
		return -EPROTO;
	}
	fcf = (uint16_t)bytes_get_le(bytes, 2);
	head = nwk_options(fcf, bytes, n);
	if (head > n || (fcf & NWK_TYPE) > NWK_COMMAND) {
		return -EPROTO;
	}
	*ret = (struct nwk_frame){
		.type = fcf & NWK_TYPE,
		.version = fcf >> NWK_VERSION_SHIFT & NWK_VERSION,
		.secured = fcf & NWK_SECURED,
		.dst = (uint16_t)bytes_get_le(bytes + 2, 2),
		.src = (uint16_t)bytes_get_le(bytes + 4, 2),
		.radius = bytes[6],
		.seq = bytes[7],
		.payload = bytes + head,
		.n = n - head,
	};
	return 0;
}

int nwk_build(const struct nwk_frame *frame, uint8_t *out, size_t size)
{
	if (size < NWK_HEAD || frame->n > size - NWK_HEAD) {
		return -EMSGSIZE;
	}
	bytes_put_le(out, 2,
		     (uint64_t)(frame->type | frame->version << NWK_VERSION_SHIFT |
				(frame->secured ? NWK_SECURED : 0)));
	bytes_put_le(out + 2, 2, frame->dst);
	bytes_put_le(out + 4, 2, frame->src);
	out[6] = frame->radius;
	out[7] = frame->seq;
	if (frame->n > 0) {
		memmove(out + NWK_HEAD, frame->payload, frame->n);
	}
	return (int)(NWK_HEAD + frame->n);
}

/* APS frame control field, 2.2.5.1.1. */
#define APS_TYPE 0x03
#define APS_DELIVERY_SHIFT 2
#define APS_DELIVERY 3
#define APS_UNICAST 0
#define APS_BROADCAST 2
#define APS_ACK_FORMAT 0x10
#define APS_SECURED 0x20
#define APS_ACK_REQUEST 0x40
#define APS_EXTENDED 0x80
#define APS_HEAD 8
#define APS_FRAGMENT 3

static size_t extended_bytes(const struct aps_frame *frame)
{
	if (frame->fragment == APS_WHOLE) {
		return 0;
	}
	return frame->type == APS_ACK ? 3 : 2;
}

/* The extended header, 2.2.5.1.8: fragmentation, block, and for an acknowledgement the bits. */
static int parse_extended(const uint8_t *at, size_t n, struct aps_frame *frame)
{
	if (n < 1 || (at[0] & APS_FRAGMENT) > APS_NEXT) {
		return -EPROTO;
	}
	frame->fragment = at[0] & APS_FRAGMENT;
	if (frame->fragment == APS_WHOLE) {
		return 1;
	}
	if (n < extended_bytes(frame)) {
		return -EPROTO;
	}
	frame->block = at[1];
	if (frame->type == APS_ACK) {
		frame->ack_bits = at[2];
	}
	return (int)extended_bytes(frame);
}

int aps_parse(const uint8_t *bytes, size_t n, struct aps_frame *ret)
{
	struct aps_frame frame = { 0 };
	unsigned int delivery;
	int extended = 0;

	if (n < APS_HEAD) {
		return -EPROTO;
	}
	delivery = bytes[0] >> APS_DELIVERY_SHIFT & APS_DELIVERY;
	frame.type = bytes[0] & APS_TYPE;
	if ((delivery != APS_UNICAST && delivery != APS_BROADCAST) ||
	    (frame.type != APS_DATA && frame.type != APS_ACK) || bytes[0] & APS_ACK_FORMAT) {
		return -EPROTO;
	}
	frame.broadcast = delivery == APS_BROADCAST;
	frame.secured = bytes[0] & APS_SECURED;
	frame.ack_request = bytes[0] & APS_ACK_REQUEST;
	frame.dst_endpoint = bytes[1];
	frame.cluster = (uint16_t)bytes_get_le(bytes + 2, 2);
	frame.profile = (uint16_t)bytes_get_le(bytes + 4, 2);
	frame.src_endpoint = bytes[6];
	frame.counter = bytes[7];
	if (bytes[0] & APS_EXTENDED) {
		extended = parse_extended(bytes + APS_HEAD, n - APS_HEAD, &frame);
		if (extended < 0) {
			return extended;
		}
	}
	frame.payload = bytes + APS_HEAD + extended;
	frame.n = n - APS_HEAD - (size_t)extended;
	*ret = frame;
	return 0;
}

int aps_build(const struct aps_frame *frame, uint8_t *out, size_t size)
{
	size_t extended = extended_bytes(frame);

	if (size < APS_HEAD + extended || frame->n > size - APS_HEAD - extended) {
		return -EMSGSIZE;
	}
	out[0] = (uint8_t)(frame->type |
			   (frame->broadcast ? APS_BROADCAST << APS_DELIVERY_SHIFT : 0) |
			   (frame->secured ? APS_SECURED : 0) |
			   (frame->ack_request ? APS_ACK_REQUEST : 0) |
			   (extended ? APS_EXTENDED : 0));
	out[1] = frame->dst_endpoint;
	bytes_put_le(out + 2, 2, frame->cluster);
	bytes_put_le(out + 4, 2, frame->profile);
	out[6] = frame->src_endpoint;
	out[7] = frame->counter;
	if (extended) {
		out[APS_HEAD] = (uint8_t)frame->fragment;
		out[APS_HEAD + 1] = frame->block;
	}
	if (extended > 2) {
		out[APS_HEAD + 2] = frame->ack_bits;
	}
	if (frame->n > 0) {
		memmove(out + APS_HEAD + extended, frame->payload, frame->n);
	}
	return (int)(APS_HEAD + extended + frame->n);
}

struct aps_frame aps_acknowledge(const struct aps_frame *frame)
{
	return (struct aps_frame){
		.type = APS_ACK,
		.fragment = frame->fragment,
		.block = frame->fragment == APS_NEXT ? frame->block : 0,
		.ack_bits = frame->fragment == APS_WHOLE ? 0 : 1,
		.dst_endpoint = frame->src_endpoint,
		.src_endpoint = frame->dst_endpoint,
		.cluster = frame->cluster,
		.profile = frame->profile,
		.counter = frame->counter,
	};
}

int aps_collect(struct aps_message *message, uint16_t src, const struct aps_frame *frame)
{
	bool first = frame->fragment == APS_FIRST;
	unsigned int block = first ? 0 : frame->block;

	if (frame->fragment == APS_WHOLE) {
		return -EINVAL;
	}
	if (block >= APS_BLOCKS_MAX || frame->n > APS_BLOCK_BYTES || frame->block == 0 ||
	    (first && frame->block > APS_BLOCKS_MAX)) {
		return -EMSGSIZE;
	}
	if (message->src != src || message->counter != frame->counter || !message->seen) {
		memset(message, 0, sizeof(*message));
		message->src = src;
		message->counter = frame->counter;
	}
	message->seen |= (uint8_t)(1u << block);
	message->length[block] = (uint8_t)frame->n;
	memcpy(message->byte + block * APS_BLOCK_BYTES, frame->payload, frame->n);
	if (first) {
		message->blocks = frame->block;
	}
	return message->blocks && message->seen == (1u << message->blocks) - 1;
}

size_t aps_join(struct aps_message *message)
{
	size_t n = 0;

	for (unsigned int block = 0; block < message->blocks; block++) {
		memmove(message->byte + n, message->byte + block * APS_BLOCK_BYTES,
			message->length[block]);
		n += message->length[block];
	}
	return n;
}
