/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The serial protocol of TI's ZigBee network processors (ZNP), as in TI's "Z-Stack Monitor and
 * Test API" (SWRA198): CC2530 and CC2531 with Z-Stack 1 or 2, CC2652 and CC1352 with Z-Stack 3,
 * which have the same frames and differ in how they are started.
 *
 *	FE | length of the data | command, 2 bytes | data | XOR of length to data
 */
#ifndef QS1_LINK_ZNP_H
#define QS1_LINK_ZNP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ZNP_DATA_MAX 250
#define ZNP_OVERHEAD 5
#define ZNP_FRAME_MAX (ZNP_DATA_MAX + ZNP_OVERHEAD)

/* Upper three bits of the first command byte: request, indication, answer to a request. */
#define ZNP_TYPE(command) ((command) >> 13)
#define ZNP_SREQ 1
#define ZNP_AREQ 2
#define ZNP_SRSP 3
/* The answer to a synchronous request. */
#define ZNP_ANSWER(command) ((command) + ((ZNP_SRSP - ZNP_SREQ) << 13))

/*
 * Commands that the link uses. Columns: identifier, code as on the wire, shortest data, name.
 * Those with the prefix ZB_ are the simple API of the older chips; Z-Stack 3 has the rest.
 */
/* clang-format off */
#define ZNP_COMMANDS(X) \
	X(RESET_REQ, 0x4100, 1, "SYS_RESET_REQ") \
	X(RESET_IND, 0x4180, 6, "SYS_RESET_IND") \
	X(PING, 0x2101, 0, "SYS_PING") \
	X(VERSION, 0x2102, 0, "SYS_VERSION") \
	X(NV_READ, 0x2108, 3, "SYS_OSAL_NV_READ") \
	X(NV_WRITE, 0x2109, 4, "SYS_OSAL_NV_WRITE") \
	X(AF_REGISTER, 0x2400, 9, "AF_REGISTER") \
	X(AF_DATA_REQUEST, 0x2401, 10, "AF_DATA_REQUEST") \
	X(AF_DATA_REQUEST_EXT, 0x2402, 20, "AF_DATA_REQUEST_EXT") \
	X(AF_DATA_CONFIRM, 0x4480, 3, "AF_DATA_CONFIRM") \
	X(AF_INCOMING_MSG, 0x4481, 17, "AF_INCOMING_MSG") \
	X(ZDO_STARTUP, 0x2540, 2, "ZDO_STARTUP_FROM_APP") \
	X(ZDO_STATE, 0x45c0, 1, "ZDO_STATE_CHANGE_IND") \
	X(ZDO_ROUTE, 0x45c4, 3, "ZDO_SRC_RTG_IND") \
	X(SCAN, 0x2526, 5, "ZDO_NWK_DISCOVERY_REQ") \
	X(BEACONS, 0x45c5, 1, "ZDO_BEACON_NOTIFY_IND") \
	X(ZB_START, 0x2600, 0, "ZB_START_REQUEST") \
	X(ZB_READ_CONFIG, 0x2604, 1, "ZB_READ_CONFIGURATION") \
	X(ZB_WRITE_CONFIG, 0x2605, 2, "ZB_WRITE_CONFIGURATION") \
	X(DEVICE_INFO, 0x2700, 0, "UTIL_GET_DEVICE_INFO") \
	X(LOOPBACK, 0x2710, 0, "UTIL_LOOPBACK") \
	X(ERROR, 0x6000, 3, "RPC_ERROR")
/* clang-format on */

enum znp_command {
#define X(id, code, min, name) ZNP_##id = (code),
	ZNP_COMMANDS(X)
#undef X
};

/* Status bytes, in SRSPs and in AF_DATA_CONFIRM. */
enum znp_status {
	ZNP_SUCCESS = 0x00,
	ZNP_FAILURE = 0x01,
	ZNP_INVALID_PARAMETER = 0x02,
	ZNP_BUFFER_FULL = 0x11,
	ZNP_CHANNEL_BUSY = 0xe1,
	ZNP_NO_MAC_ACK = 0xe9,
	ZNP_NO_APS_ACK = 0xb7,
	ZNP_NO_ROUTE = 0xcd,
};

/* States in ZDO_STATE_CHANGE_IND and UTIL_GET_DEVICE_INFO: up as one or the other. */
#define ZNP_STATE_ROUTER 0x07
#define ZNP_STATE_STARTING 0x08
#define ZNP_STATE_COORDINATOR 0x09

/* Items of ZB_WRITE_CONFIGURATION and SYS_OSAL_NV_WRITE. */
enum znp_item {
	ZNP_ITEM_EXTENDED_ADDRESS = 0x01,
	ZNP_ITEM_STARTUP_OPTION = 0x03,
	ZNP_ITEM_PAN = 0x83,
	ZNP_ITEM_CHANNELS = 0x84,
	ZNP_ITEM_LOGICAL_TYPE = 0x87,
};

/**
 * struct znp_frame - a frame
 * @command: both command bytes, the first in the upper half
 * @data, @n: at most ZNP_DATA_MAX bytes
 */
struct znp_frame {
	uint16_t command;
	const uint8_t *data;
	size_t n;
};

/**
 * znp_parse() - the first frame in a stream
 * @bytes: @n bytes that have come and were not used
 * @ret: points into @bytes; set only when there is a frame
 * @ret_used: bytes that are done with: garbage before a frame, and the frame
 *
 * A frame whose XOR is wrong, or whose length cannot be, counts as garbage from its first byte
 * only, so that a frame that begins inside it is found.
 *
 * Return: 1 for a frame, 0 when more bytes are needed, -EBADMSG when garbage was skipped; call
 * again in the first and the last case.
 */
int znp_parse(const uint8_t *bytes, size_t n, struct znp_frame *ret, size_t *ret_used);

/* Return: bytes written, or -EMSGSIZE. */
int znp_build(uint16_t command, const uint8_t *data, size_t n, uint8_t *out, size_t size);

/* Name of a command or of the answer to it; NULL for one that the link does not use. */
const char *znp_name(uint16_t command);

/* Words for a status byte. */
const char *znp_status_name(uint8_t status);

/**
 * struct znp_incoming - AF_INCOMING_MSG
 * @src_mac, @radius: follow the data on newer chips; @has_route says whether they do
 */
struct znp_incoming {
	uint16_t group;
	uint16_t cluster;
	uint16_t src;
	uint8_t src_endpoint;
	uint8_t dst_endpoint;
	bool broadcast;
	uint8_t lqi;
	bool secured;
	uint32_t timestamp;
	uint8_t seq;
	const uint8_t *data;
	size_t n;
	bool has_route;
	uint16_t src_mac;
	uint8_t radius;
};

/* Return: 0, or -EINVAL for another command, or data that are cut; @ret untouched. */
int znp_incoming_parse(const struct znp_frame *frame, struct znp_incoming *ret);
int znp_incoming_build(const struct znp_incoming *incoming, uint8_t *out, size_t size);
/* Bytes of the whole frame. */
size_t znp_incoming_bytes(const struct znp_incoming *incoming);

/* Option of a data request: wait for the receiver's APS acknowledgement. */
#define ZNP_OPTION_APS_ACK 0x10

/* Address mode of the extended request. */
#define ZNP_MODE_SHORT 2
#define ZNP_MODE_BROADCAST 15

/**
 * struct znp_data_request - AF_DATA_REQUEST, or with @extended AF_DATA_REQUEST_EXT
 * @mode, @dst_pan: of the extended request alone
 */
struct znp_data_request {
	bool extended;
	uint8_t mode;
	uint16_t dst;
	uint16_t dst_pan;
	uint8_t dst_endpoint;
	uint8_t src_endpoint;
	uint16_t cluster;
	uint8_t transaction;
	uint8_t options;
	uint8_t radius;
	const uint8_t *data;
	size_t n;
};

int znp_data_request_parse(const struct znp_frame *frame, struct znp_data_request *ret);
int znp_data_request_build(const struct znp_data_request *request, uint8_t *out, size_t size);

/* AF_DATA_CONFIRM. */
struct znp_confirm {
	uint8_t status;
	uint8_t endpoint;
	uint8_t transaction;
};

int znp_confirm_parse(const struct znp_frame *frame, struct znp_confirm *ret);
int znp_confirm_build(const struct znp_confirm *confirm, uint8_t *out, size_t size);

/* UTIL_GET_DEVICE_INFO's answer, up to the state. */
struct znp_device_info {
	uint8_t status;
	uint64_t ieee;
	uint16_t address;
	uint8_t type;
	uint8_t state;
};

int znp_device_info_parse(const struct znp_frame *frame, struct znp_device_info *ret);
int znp_device_info_build(const struct znp_device_info *info, uint8_t *out, size_t size);

/**
 * struct znp_beacon - one network of ZDO_BEACON_NOTIFY_IND
 * @src: short address of the sender, 0 for the coordinator
 * @pan, @channel: of the network
 * @lqi: link quality
 * @extended_pan: extended PAN identifier
 */
struct znp_beacon {
	uint16_t src;
	uint16_t pan;
	uint8_t channel;
	uint8_t lqi;
	uint64_t extended_pan;
};

/* Network number @i of the frame, from 0; -EINVAL for another command, -ENOENT after the last. */
int znp_beacon_parse(const struct znp_frame *frame, unsigned int i, struct znp_beacon *ret);
int znp_beacons_build(const struct znp_beacon *beacon, unsigned int count, uint8_t *out,
		      size_t size);

#endif /* QS1_LINK_ZNP_H */
