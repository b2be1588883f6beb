/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames of IEEE 802.15.4-2006 (7.2): frame versions 0 and 1, payload opaque, FCS at the end. */
#ifndef QS1_LINK_MAC_H
#define QS1_LINK_MAC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* aMaxPHYPacketSize: the longest frame, FCS included. */
#define MAC_FRAME_MAX 127
#define MAC_FCS_BYTES 2
#define MAC_BROADCAST 0xffff

enum mac_type {
	MAC_BEACON,
	MAC_DATA,
	MAC_ACK,
	MAC_COMMAND,
};

/* Addressing modes, as in the frame control field. */
enum mac_mode {
	MAC_MODE_NONE = 0,
	MAC_MODE_SHORT = 2,
	MAC_MODE_LONG = 3,
};

/**
 * struct mac_address - one end of a frame
 * @mode: with MAC_MODE_NONE the rest is 0
 * @pan: PAN identifier
 * @address: of 16 or 64 bits
 */
struct mac_address {
	enum mac_mode mode;
	uint16_t pan;
	uint64_t address;
};

/**
 * struct mac_frame - a frame
 * @type: kind of frame
 * @version: 0 or 1
 * @secured: the payload starts with an auxiliary security header
 * @pending: the sender has more
 * @ack_request: the receiver acknowledges
 * @seq: sequence number
 * @dst, @src: ends; PAN identifiers that are equal are sent once
 * @payload, @n: what follows the addresses, without the FCS
 */
struct mac_frame {
	enum mac_type type;
	uint8_t version;
	bool secured;
	bool pending;
	bool ack_request;
	uint8_t seq;
	struct mac_address dst;
	struct mac_address src;
	const uint8_t *payload;
	size_t n;
};

/**
 * mac_parse() - a frame as received, FCS included
 * @ret: points into @bytes; untouched on failure
 *
 * Return: 0; -EBADMSG for a wrong FCS; -EMSGSIZE for a length that no frame has; -EPROTO for
 * a reserved type, version or addressing mode, or addresses that are cut short.
 */
int mac_parse(const uint8_t *bytes, size_t n, struct mac_frame *ret);

/**
 * mac_build() - a frame with its FCS
 *
 * Return: bytes written, or -EMSGSIZE when it is longer than MAC_FRAME_MAX or @size.
 */
int mac_build(const struct mac_frame *frame, uint8_t *out, size_t size);

#endif /* QS1_LINK_MAC_H */
