// SPDX-License-Identifier: GPL-2.0-or-later
#include "znp.h"

#include <errno.h>
#include <string.h>

#include "bytes.h"

#define START 0xfe
#define HEAD 4

static uint8_t xor_of(const uint8_t *bytes, size_t n)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < n; i++) {
		sum ^= bytes[i];
	}
	return sum;
}

int znp_parse(const uint8_t *bytes, size_t n, struct znp_frame *ret, size_t *ret_used)
{
	size_t skip = 0;
	size_t length;

	while (skip < n && bytes[skip] != START) {
		skip++;
	}
	*ret_used = skip;
	if (skip > 0) {
		return -EBADMSG;
	}
	if (n < 2) {
		return 0;
	}
	length = bytes[1];
	if (length > ZNP_DATA_MAX) {
		*ret_used = 1;
		return -EBADMSG;
	}
	if (n < length + ZNP_OVERHEAD) {
		return 0;
	}
	if (xor_of(bytes + 1, HEAD - 1 + length) != bytes[HEAD + length]) {
		*ret_used = 1;
		return -EBADMSG;
	}
	*ret_used = length + ZNP_OVERHEAD;
	*ret = (struct znp_frame){ (uint16_t)bytes_get_be(bytes + 2, 2), bytes + HEAD, length };
	return 1;
}

int znp_build(uint16_t command, const uint8_t *data, size_t n, uint8_t *out, size_t size)
{
	if (n > ZNP_DATA_MAX || size < n + ZNP_OVERHEAD) {
		return -EMSGSIZE;
	}
	out[0] = START;
	out[1] = (uint8_t)n;
	bytes_put_be(out + 2, 2, command);
	if (n > 0) {
		memmove(out + HEAD, data, n);
	}
	out[HEAD + n] = xor_of(out + 1, HEAD - 1 + n);
	return (int)(n + ZNP_OVERHEAD);
}

static const struct {
	uint16_t command;
	uint8_t min;
	const char *name;
} command_desc[] = {
#define X(id, code, min, name) { code, min, name },
	ZNP_COMMANDS(X)
#undef X
};

const char *znp_name(uint16_t command)
{
	for (size_t i = 0; i < sizeof(command_desc) / sizeof(command_desc[0]); i++) {
		if (command_desc[i].command == command ||
		    (ZNP_TYPE(command_desc[i].command) == ZNP_SREQ &&
		     ZNP_ANSWER(command_desc[i].command) == command)) {
			return command_desc[i].name;
		}
	}
	return NULL;
}

const char *znp_status_name(uint8_t status)
{
	static const struct {
		uint8_t status;
		const char *name;
	} desc[] = {
		{ ZNP_SUCCESS, "success" },
		{ ZNP_FAILURE, "failure" },
		{ ZNP_INVALID_PARAMETER, "invalid parameter" },
		{ ZNP_BUFFER_FULL, "buffer full" },
		{ ZNP_CHANNEL_BUSY, "channel busy" },
		{ ZNP_NO_MAC_ACK, "no MAC acknowledgement" },
		{ ZNP_NO_APS_ACK, "no APS acknowledgement" },
		{ ZNP_NO_ROUTE, "no route" },
	};

	for (size_t i = 0; i < sizeof(desc) / sizeof(desc[0]); i++) {
		if (desc[i].status == status) {
			return desc[i].name;
		}
	}
	return "unknown status";
}

/* Does the frame have this command and at least its shortest data? */
static bool is_command(const struct znp_frame *frame, enum znp_command command)
{
	for (size_t i = 0; i < sizeof(command_desc) / sizeof(command_desc[0]); i++) {
		if (command_desc[i].command == command) {
			return frame->command == command && frame->n >= command_desc[i].min;
		}
	}
	return false;
}

#define INCOMING_HEAD 17
#define INCOMING_ROUTE 3

int znp_incoming_parse(const struct znp_frame *frame, struct znp_incoming *ret)
{
	const uint8_t *at = frame->data;
	size_t n;

	if (!is_command(frame, ZNP_AF_INCOMING_MSG) ||
	    at[INCOMING_HEAD - 1] > frame->n - INCOMING_HEAD) {
		return -EINVAL;
	}
	n = at[INCOMING_HEAD - 1];
	*ret = (struct znp_incoming){
		.group = (uint16_t)bytes_get_le(at, 2),
		.cluster = (uint16_t)bytes_get_le(at + 2, 2),
		.src = (uint16_t)bytes_get_le(at + 4, 2),
		.src_endpoint = at[6],
		.dst_endpoint = at[7],
		.broadcast = at[8],
		.lqi = at[9],
		.secured = at[10],
		.timestamp = (uint32_t)bytes_get_le(at + 11, 4),
		.seq = at[15],
		.data = at + INCOMING_HEAD,
		.n = n,
		.has_route = frame->n >= INCOMING_HEAD + n + INCOMING_ROUTE,
	};
	if (ret->has_route) {
		ret->src_mac = (uint16_t)bytes_get_le(at + INCOMING_HEAD + n, 2);
		ret->radius = at[INCOMING_HEAD + n + 2];
	}
	return 0;
}

size_t znp_incoming_bytes(const struct znp_incoming *incoming)
{
	return ZNP_OVERHEAD + INCOMING_HEAD + incoming->n +
	       (incoming->has_route ? INCOMING_ROUTE : 0);
}

int znp_incoming_build(const struct znp_incoming *incoming, uint8_t *out, size_t size)
{
	uint8_t data[ZNP_DATA_MAX];
	size_t n = znp_incoming_bytes(incoming) - ZNP_OVERHEAD;

	if (incoming->n > ZNP_DATA_MAX || n > ZNP_DATA_MAX) {
		return -EMSGSIZE;
	}
	bytes_put_le(data, 2, incoming->group);
	bytes_put_le(data + 2, 2, incoming->cluster);
	bytes_put_le(data + 4, 2, incoming->src);
	data[6] = incoming->src_endpoint;
	data[7] = incoming->dst_endpoint;
	data[8] = incoming->broadcast;
	data[9] = incoming->lqi;
	data[10] = incoming->secured;
	bytes_put_le(data + 11, 4, incoming->timestamp);
	data[15] = incoming->seq;
	data[16] = (uint8_t)incoming->n;
	if (incoming->n > 0) {
		memcpy(data + INCOMING_HEAD, incoming->data, incoming->n);
	}
	if (incoming->has_route) {
		bytes_put_le(data + INCOMING_HEAD + incoming->n, 2, incoming->src_mac);
		data[INCOMING_HEAD + incoming->n + 2] = incoming->radius;
	}
	return znp_build(ZNP_AF_INCOMING_MSG, data, n, out, size);
}

#define REQUEST_HEAD 10
#define REQUEST_EXT_HEAD 20

static void parse_request(const uint8_t *at, struct znp_data_request *request)
{
	request->dst = (uint16_t)bytes_get_le(at, 2);
	request->dst_endpoint = at[2];
	request->src_endpoint = at[3];
	request->cluster = (uint16_t)bytes_get_le(at + 4, 2);
	request->transaction = at[6];
	request->options = at[7];
	request->radius = at[8];
	request->n = at[9];
	request->data = at + REQUEST_HEAD;
}

/* Mode, address of 8 bytes, endpoint, PAN, then as the shorter one, with a length of 2 bytes. */
static void parse_request_ext(const uint8_t *at, struct znp_data_request *request)
{
	request->extended = true;
	request->mode = at[0];
	request->dst = (uint16_t)bytes_get_le(at + 1, 2);
	request->dst_endpoint = at[9];
	request->dst_pan = (uint16_t)bytes_get_le(at + 10, 2);
	request->src_endpoint = at[12];
	request->cluster = (uint16_t)bytes_get_le(at + 13, 2);
	request->transaction = at[15];
	request->options = at[16];
	request->radius = at[17];
	request->n = (size_t)bytes_get_le(at + 18, 2);
	request->data = at + REQUEST_EXT_HEAD;
}

int znp_data_request_parse(const struct znp_frame *frame, struct znp_data_request *ret)
{
	struct znp_data_request request = { 0 };
	size_t head;

	if (is_command(frame, ZNP_AF_DATA_REQUEST)) {
		parse_request(frame->data, &request);
		head = REQUEST_HEAD;
	} else if (is_command(frame, ZNP_AF_DATA_REQUEST_EXT)) {
		parse_request_ext(frame->data, &request);
		head = REQUEST_EXT_HEAD;
	} else {
		return -EINVAL;
	}
	if (request.n > frame->n - head) {
		return -EINVAL;
	}
	*ret = request;
	return 0;
}

static size_t put_request(const struct znp_data_request *request, uint8_t *data)
{
	uint8_t *at = data;

	if (request->extended) {
		*at++ = request->mode;
		bytes_put_le(at, 8, request->dst);
		at += 8;
	} else {
		bytes_put_le(at, 2, request->dst);
		at += 2;
	}
	*at++ = request->dst_endpoint;
	if (request->extended) {
		bytes_put_le(at, 2, request->dst_pan);
		at += 2;
	}
	*at++ = request->src_endpoint;
	bytes_put_le(at, 2, request->cluster);
	at[2] = request->transaction;
	at[3] = request->options;
	at[4] = request->radius;
	at += 5;
	bytes_put_le(at, request->extended ? 2 : 1, request->n);
	at += request->extended ? 2 : 1;
	if (request->n > 0) {
		memcpy(at, request->data, request->n);
	}
	return (size_t)(at - data) + request->n;
}

int znp_data_request_build(const struct znp_data_request *request, uint8_t *out, size_t size)
{
	uint8_t data[ZNP_DATA_MAX];
	size_t head = request->extended ? REQUEST_EXT_HEAD : REQUEST_HEAD;

	if (request->n > ZNP_DATA_MAX - head) {
		return -EMSGSIZE;
	}
	return znp_build(request->extended ? ZNP_AF_DATA_REQUEST_EXT : ZNP_AF_DATA_REQUEST, data,
			 put_request(request, data), out, size);
}

int znp_confirm_parse(const struct znp_frame *frame, struct znp_confirm *ret)
{
	if (!is_command(frame, ZNP_AF_DATA_CONFIRM)) {
		return -EINVAL;
	}
	*ret = (struct znp_confirm){ frame->data[0], frame->data[1], frame->data[2] };
	return 0;
}

int znp_confirm_build(const struct znp_confirm *confirm, uint8_t *out, size_t size)
{
	const uint8_t data[] = { confirm->status, confirm->endpoint, confirm->transaction };

	return znp_build(ZNP_AF_DATA_CONFIRM, data, sizeof(data), out, size);
}

#define DEVICE_INFO_BYTES 13

int znp_device_info_parse(const struct znp_frame *frame, struct znp_device_info *ret)
{
	if (frame->command != ZNP_ANSWER(ZNP_DEVICE_INFO) || frame->n < DEVICE_INFO_BYTES) {
		return -EINVAL;
	}
	*ret = (struct znp_device_info){
		.status = frame->data[0],
		.ieee = bytes_get_le(frame->data + 1, 8),
		.address = (uint16_t)bytes_get_le(frame->data + 9, 2),
		.type = frame->data[11],
		.state = frame->data[12],
	};
	return 0;
}

int znp_device_info_build(const struct znp_device_info *info, uint8_t *out, size_t size)
{
	uint8_t data[DEVICE_INFO_BYTES + 1] = { info->status };

	bytes_put_le(data + 1, 8, info->ieee);
	bytes_put_le(data + 9, 2, info->address);
	data[11] = info->type;
	data[12] = info->state;
	/* no associated devices follow */
	return znp_build(ZNP_ANSWER(ZNP_DEVICE_INFO), data, sizeof(data), out, size);
}

/*
 * A network: source 2, PAN 2, channel, permit join, router capacity, device capacity, protocol
 * version, stack profile, LQI, depth, update identifier, extended PAN 8.
 */
#define BEACON_BYTES 21
#define BEACON_CHANNEL 4
#define BEACON_LQI 10
#define BEACON_EXTENDED_PAN 13

int znp_beacon_parse(const struct znp_frame *frame, unsigned int i, struct znp_beacon *ret)
{
	const uint8_t *at;

	if (!is_command(frame, ZNP_BEACONS)) {
		return -EINVAL;
	}
	if (i >= frame->data[0] || frame->n < 1 + (size_t)(i + 1) * BEACON_BYTES) {
		return -ENOENT;
	}
	at = frame->data + 1 + (size_t)i * BEACON_BYTES;
	*ret = (struct znp_beacon){
		.src = (uint16_t)bytes_get_le(at, 2),
		.pan = (uint16_t)bytes_get_le(at + 2, 2),
		.channel = at[BEACON_CHANNEL],
		.lqi = at[BEACON_LQI],
		.extended_pan = bytes_get_le(at + BEACON_EXTENDED_PAN, 8),
	};
	return 0;
}

int znp_beacons_build(const struct znp_beacon *beacon, unsigned int count, uint8_t *out,
		      size_t size)
{
	uint8_t data[ZNP_DATA_MAX] = { (uint8_t)count };

	if (1 + count * BEACON_BYTES > sizeof(data)) {
		return -EMSGSIZE;
	}
	for (unsigned int i = 0; i < count; i++) {
		uint8_t *at = data + 1 + (size_t)i * BEACON_BYTES;

		bytes_put_le(at, 2, beacon[i].src);
		bytes_put_le(at + 2, 2, beacon[i].pan);
		at[BEACON_CHANNEL] = beacon[i].channel;
		at[BEACON_LQI] = beacon[i].lqi;
		bytes_put_le(at + BEACON_EXTENDED_PAN, 8, beacon[i].extended_pan);
	}
	return znp_build(ZNP_BEACONS, data, 1 + (size_t)count * BEACON_BYTES, out, size);
}
