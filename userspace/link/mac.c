// SPDX-License-Identifier: GPL-2.0-or-later
#include "mac.h"

#include <errno.h>
#include <string.h>

#include "bytes.h"
#include "crc16.h"

/* Frame control field, 7.2.1.1. */
#define FCF_TYPE 0x0007
#define FCF_SECURED 0x0008
#define FCF_PENDING 0x0010
#define FCF_ACK_REQUEST 0x0020
#define FCF_PAN_COMPRESSION 0x0040
#define FCF_DST_SHIFT 10
#define FCF_VERSION_SHIFT 12
#define FCF_SRC_SHIFT 14
#define FCF_BYTES 2
#define HEAD_BYTES (FCF_BYTES + 1)

static size_t address_bytes(enum mac_mode mode)
{
	return mode == MAC_MODE_SHORT ? 2 : mode == MAC_MODE_LONG ? 8 : 0;
}

static bool mode_valid(unsigned int mode)
{
	return mode == MAC_MODE_NONE || mode == MAC_MODE_SHORT || mode == MAC_MODE_LONG;
}

/* One address at *at, which moves; @pan is the other end's, or NULL if this one has its own. */
static bool get_address(struct mac_address *address, unsigned int mode, const uint16_t *pan,
			const uint8_t **at, const uint8_t *end)
{
	size_t need = address_bytes(mode) + (pan || mode == MAC_MODE_NONE ? 0 : 2);

	if ((size_t)(end - *at) < need) {
		return false;
	}
	address->mode = mode;
	if (mode == MAC_MODE_NONE) {
		return true;
	}
	if (pan) {
		address->pan = *pan;
	} else {
		address->pan = (uint16_t)bytes_get_le(*at, 2);
		*at += 2;
	}
	address->address = bytes_get_le(*at, (unsigned int)address_bytes(mode));
	*at += address_bytes(mode);
	return true;
}

int mac_parse(const uint8_t *bytes, size_t n, struct mac_frame *ret)
{
	struct mac_frame frame = { 0 };
	const uint8_t *at = bytes + HEAD_BYTES;
	const uint8_t *end;
	unsigned int dst;
	unsigned int src;
	uint16_t fcf;
	bool compressed;

	if (n < HEAD_BYTES + MAC_FCS_BYTES || n > MAC_FRAME_MAX) {
		return -EMSGSIZE;
	}
	end = bytes + n - MAC_FCS_BYTES;
	if (bytes_get_le(end, MAC_FCS_BYTES) != crc16_reflected(0, bytes, n - MAC_FCS_BYTES)) {
		return -EBADMSG;
	}
	fcf = (uint16_t)bytes_get_le(bytes, FCF_BYTES);
	dst = fcf >> FCF_DST_SHIFT & 3;
	src = fcf >> FCF_SRC_SHIFT & 3;
	compressed = fcf & FCF_PAN_COMPRESSION;
	frame.version = fcf >> FCF_VERSION_SHIFT & 3;
	if ((fcf & FCF_TYPE) > MAC_COMMAND || frame.version > 1 || !mode_valid(dst) ||
	    !mode_valid(src) || (compressed && (!dst || !src))) {
		return -EPROTO;
	}
	frame.type = fcf & FCF_TYPE;
	frame.secured = fcf & FCF_SECURED;
	frame.pending = fcf & FCF_PENDING;
	frame.ack_request = fcf & FCF_ACK_REQUEST;
	frame.seq = bytes[FCF_BYTES];
	if (!get_address(&frame.dst, dst, NULL, &at, end) ||
	    !get_address(&frame.src, src, compressed ? &frame.dst.pan : NULL, &at, end)) {
		return -EPROTO;
	}
	frame.payload = at;
	frame.n = (size_t)(end - at);
	*ret = frame;
	return 0;
}

static uint8_t *put_address(uint8_t *at, const struct mac_address *address, bool with_pan)
{
	size_t n = address_bytes(address->mode);

	if (n > 0 && with_pan) {
		bytes_put_le(at, 2, address->pan);
		at += 2;
	}
	bytes_put_le(at, (unsigned int)n, address->address);
	return at + n;
}

int mac_build(const struct mac_frame *frame, uint8_t *out, size_t size)
{
	bool compressed = frame->dst.mode && frame->src.mode && frame->dst.pan == frame->src.pan;
	uint16_t fcf =
		(uint16_t)(frame->type | (frame->secured ? FCF_SECURED : 0) |
			   (frame->pending ? FCF_PENDING : 0) |
			   (frame->ack_request ? FCF_ACK_REQUEST : 0) |
			   (compressed ? FCF_PAN_COMPRESSION : 0) |
			   frame->dst.mode << FCF_DST_SHIFT | frame->version << FCF_VERSION_SHIFT |
			   frame->src.mode << FCF_SRC_SHIFT);
	uint8_t *at = out + HEAD_BYTES;
	size_t n = HEAD_BYTES + address_bytes(frame->dst.mode) + address_bytes(frame->src.mode) +
		   (frame->dst.mode ? 2 : 0) + (frame->src.mode && !compressed ? 2 : 0) +
		   MAC_FCS_BYTES;

	if (n > MAC_FRAME_MAX || frame->n > MAC_FRAME_MAX - n || n + frame->n > size) {
		return -EMSGSIZE;
	}
	bytes_put_le(out, FCF_BYTES, fcf);
	out[FCF_BYTES] = frame->seq;
	at = put_address(at, &frame->dst, true);
	at = put_address(at, &frame->src, !compressed);
	if (frame->n > 0) {
		memcpy(at, frame->payload, frame->n);
	}
	at += frame->n;
	bytes_put_le(at, MAC_FCS_BYTES, crc16_reflected(0, out, (size_t)(at - out)));
	return (int)(at + MAC_FCS_BYTES - out);
}
