/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ZigBee headers in an 802.15.4 payload: network layer (ZigBee specification 3.3.1) and
 * application support sub-layer, APS (2.2.5), without security, which the stock link does not
 * use; and the reassembly of APS fragments (2.2.8.4.5).
 */
#ifndef QS1_LINK_ZIGBEE_H
#define QS1_LINK_ZIGBEE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the stock system uses (patience4711, ZIGBEE_COORDINATOR.ino). */
#define ZIGBEE_ENDPOINT 0x14
#define ZIGBEE_PROFILE 0x0f05
#define ZIGBEE_CLUSTER_REQUEST 0x0006
#define ZIGBEE_CLUSTER_REPLY 0x0106

#define NWK_BROADCAST 0xffff
#define NWK_BROADCAST_MIN 0xfff8

enum nwk_type {
	NWK_DATA,
	NWK_COMMAND,
};

/**
 * struct nwk_frame - network layer
 * @type: data or command
 * @version: 2 for ZigBee PRO
 * @secured: what follows is encrypted; nothing of it is parsed here
 * @dst, @src: short addresses
 * @radius: hops that are left
 * @seq: sequence number
 * @payload, @n: what follows the header
 */
struct nwk_frame {
	enum nwk_type type;
	uint8_t version;
	bool secured;
	uint16_t dst;
	uint16_t src;
	uint8_t radius;
	uint8_t seq;
	const uint8_t *payload;
	size_t n;
};

/* The fields that the frame may have beside these (IEEE addresses, source route) are skipped.
 * Return: 0, or -EPROTO; @ret untouched on failure. */
int nwk_parse(const uint8_t *bytes, size_t n, struct nwk_frame *ret);

/* Return: bytes written, or -EMSGSIZE. */
int nwk_build(const struct nwk_frame *frame, uint8_t *out, size_t size);

enum aps_type {
	APS_DATA,
	APS_COMMAND,
	APS_ACK,
};

enum aps_fragment {
	APS_WHOLE,
	APS_FIRST, /* @block is the number of blocks */
	APS_NEXT,  /* @block is the block's number, from 1 */
};

/**
 * struct aps_frame - application support sub-layer
 * @type: data or acknowledgement
 * @broadcast: delivery mode
 * @secured: as for struct nwk_frame
 * @ack_request: an acknowledgement is wanted
 * @fragment, @block: of fragments and of their acknowledgements
 * @ack_bits: of an acknowledgement of a fragment: bit of each block of the window
 * @dst_endpoint, @src_endpoint: of receiver and sender
 * @cluster, @profile: identifiers of the message
 * @counter: of the sender
 * @payload, @n: what follows the header
 */
struct aps_frame {
	enum aps_type type;
	bool broadcast;
	bool secured;
	bool ack_request;
	enum aps_fragment fragment;
	uint8_t block;
	uint8_t ack_bits;
	uint8_t dst_endpoint;
	uint8_t src_endpoint;
	uint16_t cluster;
	uint16_t profile;
	uint8_t counter;
	const uint8_t *payload;
	size_t n;
};

/* Return: 0, or -EPROTO for a group address, an APS command or a cut header; @ret untouched. */
int aps_parse(const uint8_t *bytes, size_t n, struct aps_frame *ret);

/* Return: bytes written, or -EMSGSIZE. */
int aps_build(const struct aps_frame *frame, uint8_t *out, size_t size);

/* The acknowledgement of a frame or of one fragment, window of one. */
struct aps_frame aps_acknowledge(const struct aps_frame *frame);

/* Blocks of a message, and bytes of each but the last: what a QS1's reply needs twice of. */
#define APS_BLOCK_BYTES 80
#define APS_BLOCKS_MAX 4
#define APS_MESSAGE_MAX (APS_BLOCKS_MAX * APS_BLOCK_BYTES)

/**
 * struct aps_message - fragments of one message, as they come
 * @src: short address of the sender; with @counter it names the message
 * @blocks: how many there are, 0 while the first has not come
 * @seen: bit of each block that has come
 * @length: of each block
 * @byte: blocks, each at its place
 */
struct aps_message {
	uint16_t src;
	uint8_t counter;
	uint8_t blocks;
	uint8_t seen;
	uint8_t length[APS_BLOCKS_MAX];
	uint8_t byte[APS_MESSAGE_MAX];
};

/**
 * aps_collect() - add a fragment
 * @message: zeroed to begin with; another sender or counter starts another message
 *
 * A duplicate takes the place of the block that it repeats.
 *
 * Return: 1 when the message is whole, 0 when blocks are missing, -EMSGSIZE for more blocks or
 * longer ones than this holds, or a block number that none has; -EINVAL for no fragment.
 */
int aps_collect(struct aps_message *message, uint16_t src, const struct aps_frame *frame);

/* Close the gaps between the blocks of a whole message; returns its length in @message->byte. */
size_t aps_join(struct aps_message *message);

#endif /* QS1_LINK_ZIGBEE_H */
