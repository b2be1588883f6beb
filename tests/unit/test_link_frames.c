// SPDX-License-Identifier: GPL-2.0-or-later
/* 802.15.4 MAC, ZigBee NWK and APS, and the ZNP's serial frames. */
#include "link_bench.h"

#include "crc16.h"
#include "mac.h"
#include "zigbee.h"
#include "znp.h"

static const struct mac_frame data_frame = {
	.type = MAC_DATA,
	.ack_request = true,
	.seq = 0x56,
	.dst = { MAC_MODE_SHORT, 0xa3d8, 0x1234 },
	.src = { MAC_MODE_SHORT, 0xa3d8, 0x0000 },
	.payload = (const uint8_t *)"payload",
	.n = 7,
};

/* IEEE 802.15.4-2006, 7.2.1.9: the acknowledgement of sequence number 0x6a. */
static void the_fcs_is_that_of_the_standards_example(void **state)
{
	struct bytes ack = hex("02006AE479");
	struct mac_frame frame;

	(void)state;
	assert_int_equal(mac_parse(ack.byte, ack.n, &frame), 0);
	assert_int_equal(frame.type, MAC_ACK);
	assert_int_equal(frame.seq, 0x6a);
	assert_int_equal(frame.n, 0);
}

static void mac_frames_survive_a_round_trip(void **state)
{
	static const enum mac_mode mode[] = { MAC_MODE_NONE, MAC_MODE_SHORT, MAC_MODE_LONG };
	uint8_t out[MAC_FRAME_MAX];
	uint8_t again[MAC_FRAME_MAX];

	(void)state;
	for (size_t i = 0; i < 3 * 3 * 2; i++) {
		struct mac_frame frame = data_frame;
		struct mac_frame parsed;
		int n;

		frame.dst = mode[i % 3] ? (struct mac_address){ mode[i % 3], 0xa3d8, 0x1234 }
					: (struct mac_address){ 0 };
		frame.src = mode[i / 3 % 3] ? (struct mac_address){ mode[i / 3 % 3],
								    i < 9 ? 0xa3d8 : 0xffff, 7 }
					    : (struct mac_address){ 0 };
		n = mac_build(&frame, out, sizeof(out));
		assert_true(n > 0);
		assert_int_equal(mac_parse(out, (size_t)n, &parsed), 0);
		assert_memory_equal(&parsed.dst, &frame.dst, sizeof(frame.dst));
		assert_memory_equal(&parsed.src, &frame.src, sizeof(frame.src));
		assert_int_equal(parsed.n, 7);
		assert_memory_equal(parsed.payload, "payload", 7);
		assert_true(parsed.ack_request && !parsed.pending && !parsed.secured);
		assert_int_equal(mac_build(&parsed, again, sizeof(again)), n);
		assert_memory_equal(again, out, (size_t)n);
		assert_int_equal(mac_build(&frame, out, (size_t)n - 1), -EMSGSIZE);
	}
}

static void each_bit_of_a_mac_frame_is_under_the_fcs(void **state)
{
	uint8_t out[MAC_FRAME_MAX];
	int n = mac_build(&data_frame, out, sizeof(out));
	struct mac_frame frame = { .n = 77 };

	(void)state;
	for (int bit = 0; bit < 8 * n; bit++) {
		out[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(mac_parse(out, (size_t)n, &frame), -EBADMSG);
		out[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_int_equal(mac_parse(out, 4, &frame), -EMSGSIZE);
	assert_int_equal(mac_parse(out, MAC_FRAME_MAX + 1, &frame), -EMSGSIZE);
	assert_int_equal(frame.n, 77);
}

/* With a right FCS: a reserved type, addressing mode or version, and addresses that are cut. */
static void impossible_mac_frames_are_refused(void **state)
{
	static const char *const bad[] = { "040001",	 "010401",
					   "014001",	 "012001",
					   "410001",	 "010801D8A334",
					   "018001D8A3", "018801D8A33412D8A3" };

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct bytes bytes = hex(bad[i]);
		uint16_t fcs;
		struct mac_frame frame;

		fcs = crc16_reflected(0, bytes.byte, bytes.n);
		bytes.byte[bytes.n++] = (uint8_t)fcs;
		bytes.byte[bytes.n++] = (uint8_t)(fcs >> 8);
		assert_int_equal(mac_parse(bytes.byte, bytes.n, &frame), -EPROTO);
	}
}

static const struct aps_frame reply_block = {
	.type = APS_DATA,
	.ack_request = true,
	.fragment = APS_FIRST,
	.block = 2,
	.dst_endpoint = ZIGBEE_ENDPOINT,
	.src_endpoint = ZIGBEE_ENDPOINT,
	.cluster = ZIGBEE_CLUSTER_REPLY,
	.profile = ZIGBEE_PROFILE,
	.counter = 9,
};

static void nwk_and_aps_headers_survive_a_round_trip(void **state)
{
	static const struct nwk_frame nwk = { .type = NWK_DATA,
					      .version = 2,
					      .dst = 0,
					      .src = 0x3a10,
					      .radius = 15,
					      .seq = 3,
					      .payload = (const uint8_t *)"abc",
					      .n = 3 };
	struct aps_frame aps = reply_block;
	uint8_t out[128];
	struct nwk_frame nwk_again;
	struct aps_frame aps_again;
	int n;

	(void)state;
	n = nwk_build(&nwk, out, sizeof(out));
	assert_int_equal(n, 11);
	assert_int_equal(nwk_parse(out, (size_t)n, &nwk_again), 0);
	assert_int_equal(nwk_again.src, 0x3a10);
	assert_int_equal(nwk_again.radius, 15);
	assert_int_equal(nwk_again.n, 3);
	assert_memory_equal(nwk_again.payload, "abc", 3);

	aps.payload = (const uint8_t *)"defg";
	aps.n = 4;
	n = aps_build(&aps, out, sizeof(out));
	assert_int_equal(n, 14);
	assert_int_equal(out[0], 0xc0);
	assert_int_equal(aps_parse(out, (size_t)n, &aps_again), 0);
	assert_int_equal(aps_again.fragment, APS_FIRST);
	assert_int_equal(aps_again.block, 2);
	assert_int_equal(aps_again.cluster, ZIGBEE_CLUSTER_REPLY);
	assert_memory_equal(aps_again.payload, "defg", 4);
	for (size_t short_n = 0; short_n < 10; short_n++) {
		assert_int_equal(aps_parse(out, short_n, &aps_again), -EPROTO);
	}
}

/* leaberry/ESP32C6-APsystems-ECU: the acknowledgement of a fragment has frame control 82. */
static void a_fragment_is_acknowledged_as_a_native_client_does(void **state)
{
	struct aps_frame ack = aps_acknowledge(&reply_block);
	struct aps_frame next = reply_block;
	uint8_t out[32];

	(void)state;
	assert_int_equal(aps_build(&ack, out, sizeof(out)), 11);
	assert_int_equal(out[0], 0x82);
	assert_int_equal(out[7], reply_block.counter);
	assert_int_equal(out[9], 0);
	assert_int_equal(out[10], 1);
	next.fragment = APS_NEXT;
	next.block = 1;
	ack = aps_acknowledge(&next);
	assert_int_equal(aps_build(&ack, out, sizeof(out)), 11);
	assert_int_equal(out[9], 1);
}

static int collect(struct aps_message *message, int block, int of, const char *text)
{
	struct aps_frame frame = reply_block;

	frame.fragment = block ? APS_NEXT : APS_FIRST;
	frame.block = (uint8_t)(block ? block : of);
	frame.payload = (const uint8_t *)text;
	frame.n = strlen(text);
	return aps_collect(message, 0x3a10, &frame);
}

static void fragments_join_in_any_order_and_once(void **state)
{
	struct aps_message message = { 0 };
	struct aps_frame other = reply_block;
	char first[APS_BLOCK_BYTES + 1];

	(void)state;
	memset(first, 'x', sizeof(first) - 1);
	first[APS_BLOCK_BYTES] = '\0';
	assert_int_equal(collect(&message, 1, 2, "end"), 0);
	assert_int_equal(collect(&message, 1, 2, "end"), 0);
	assert_int_equal(collect(&message, 0, 2, first), 1);
	assert_int_equal(aps_join(&message), APS_BLOCK_BYTES + 3);
	assert_memory_equal(message.byte + APS_BLOCK_BYTES, "end", 3);

	/* another counter starts another message, and the late duplicate of the first ends there */
	other.counter++;
	other.payload = (const uint8_t *)"x";
	other.n = 1;
	assert_int_equal(aps_collect(&message, 0x3a10, &other), 0);
	assert_int_equal(message.seen, 1);
	assert_int_equal(collect(&message, 0, APS_BLOCKS_MAX + 1, "x"), -EMSGSIZE);
	assert_int_equal(collect(&message, APS_BLOCKS_MAX, 0, "x"), -EMSGSIZE);
	other.fragment = APS_WHOLE;
	assert_int_equal(aps_collect(&message, 0x3a10, &other), -EINVAL);
}

/* patience4711, test.ino and ZIGBEE_COORDINATOR.ino: frames from and to a CC2530. */
static void public_znp_frames_parse(void **state)
{
	struct bytes stream = hex("FE0164010064 FE034480001401D2 FE0345C43A1000A8");
	static const uint16_t command[] = { ZNP_ANSWER(ZNP_AF_DATA_REQUEST), ZNP_AF_DATA_CONFIRM,
					    ZNP_ZDO_ROUTE };
	struct znp_confirm confirm;
	size_t at = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(command); i++) {
		struct znp_frame frame;
		size_t used;

		assert_int_equal(znp_parse(stream.byte + at, stream.n - at, &frame, &used), 1);
		assert_int_equal(frame.command, command[i]);
		assert_non_null(znp_name(frame.command));
		if (i == 1) {
			assert_int_equal(znp_confirm_parse(&frame, &confirm), 0);
			assert_int_equal(confirm.status, ZNP_SUCCESS);
			assert_int_equal(confirm.endpoint, ZIGBEE_ENDPOINT);
			assert_int_equal(confirm.transaction, 1);
		}
		at += used;
	}
	assert_int_equal(at, stream.n);
}

#define INCOMING                                                                                   \
	"FE72448100000601C0051414005E00905D5B00005E801000085070FBFB51B103EB0F419300CAF069D9F0"     \
	"68C7C068C1206804B868E0000006A80001BB38134D01CCE90E0A01FD1E052201D967D0641F0003055400"     \
	"000000000000000000000000000000000000000000000000002B2A0000FEFEC0050E55"

static void the_public_incoming_message_parses_and_comes_back(void **state)
{
	struct bytes bytes = hex(INCOMING);
	uint8_t out[ZNP_FRAME_MAX];
	struct znp_incoming incoming;
	struct znp_frame frame;
	size_t used;

	(void)state;
	assert_int_equal(znp_parse(bytes.byte, bytes.n, &frame, &used), 1);
	assert_int_equal(used, bytes.n);
	assert_int_equal(znp_incoming_parse(&frame, &incoming), 0);
	assert_int_equal(incoming.cluster, ZIGBEE_CLUSTER_REPLY);
	assert_int_equal(incoming.src, 0x05c0);
	assert_int_equal(incoming.src_endpoint, ZIGBEE_ENDPOINT);
	assert_int_equal(incoming.lqi, 0x5e);
	assert_int_equal(incoming.n, 94);
	assert_true(incoming.has_route);
	assert_int_equal(incoming.src_mac, 0x05c0);
	assert_int_equal(incoming.radius, 0x0e);
	assert_int_equal(znp_incoming_build(&incoming, out, sizeof(out)), bytes.n);
	assert_memory_equal(out, bytes.byte, bytes.n);
}

static void a_poll_is_the_request_of_the_public_client(void **state)
{
	/* to 3A10, ECU D8A3011B9780 reversed, then the L2 poll */
	static const char text[] = "FE1D2401 103A 14 14 0600 01 00 0F 13 80971B01A3D8"
				   "FBFB06BB000000000000C1FEFE";
	struct bytes bytes = hex(text);
	struct znp_data_request request = { .dst = 0x3a10,
					    .dst_endpoint = 0x14,
					    .src_endpoint = 0x14,
					    .cluster = ZIGBEE_CLUSTER_REQUEST,
					    .transaction = 1,
					    .radius = 15,
					    .data = bytes.byte + 14,
					    .n = 19 };
	struct znp_data_request again;
	uint8_t out[ZNP_FRAME_MAX];
	struct znp_frame frame;
	size_t used;
	int n;

	(void)state;
	n = znp_data_request_build(&request, out, sizeof(out));
	assert_int_equal(n, (int)bytes.n + 1);
	assert_memory_equal(out, bytes.byte, bytes.n);
	assert_int_equal(znp_parse(out, (size_t)n, &frame, &used), 1);
	assert_int_equal(znp_data_request_parse(&frame, &again), 0);
	assert_int_equal(again.dst, 0x3a10);
	assert_int_equal(again.n, 19);
	request.extended = true;
	request.mode = ZNP_MODE_BROADCAST;
	request.dst_pan = 0xffff;
	n = znp_data_request_build(&request, out, sizeof(out));
	assert_int_equal(znp_parse(out, (size_t)n, &frame, &used), 1);
	assert_int_equal(znp_data_request_parse(&frame, &again), 0);
	assert_true(again.extended);
	assert_int_equal(again.dst_pan, 0xffff);
	assert_int_equal(again.radius, 15);
	assert_int_equal(again.n, 19);
}

static void garbage_before_and_inside_a_frame_is_skipped(void **state)
{
	struct bytes stream = hex("00FFAA FE0264010064 FE0164010064 FEFF");
	uint16_t seen = 0;
	int bad = 0;
	size_t at = 0;
	int ret;

	(void)state;
	for (;;) {
		struct znp_frame frame;
		size_t used;

		ret = znp_parse(stream.byte + at, stream.n - at, &frame, &used);
		at += used;
		if (ret == 0) {
			break;
		}
		bad += ret < 0;
		if (ret == 1) {
			assert_int_equal(seen, 0);
			seen = frame.command;
		}
	}
	assert_int_equal(seen, 0x6401);
	assert_true(bad >= 3);
	assert_int_equal(at, stream.n);
}

static void cut_znp_messages_are_refused(void **state)
{
	struct bytes bytes = hex(INCOMING);
	uint8_t data[ZNP_DATA_MAX];
	struct znp_incoming incoming = { .n = 5 };
	struct znp_data_request request;
	struct znp_confirm confirm;
	struct znp_device_info info;

	(void)state;
	memcpy(data, bytes.byte + 4, 111);
	for (size_t n = 0; n < 111; n++) {
		struct znp_frame frame = { ZNP_AF_INCOMING_MSG, data, n };

		assert_int_equal(znp_incoming_parse(&frame, &incoming), -EINVAL);
		assert_int_equal(incoming.n, 5);
		frame.command = ZNP_AF_DATA_REQUEST;
		data[9] = 250;
		assert_int_equal(znp_data_request_parse(&frame, &request), -EINVAL);
		data[9] = bytes.byte[13];
		frame.command = ZNP_AF_DATA_CONFIRM;
		assert_int_equal(znp_confirm_parse(&frame, &confirm), n < 3 ? -EINVAL : 0);
		frame.command = ZNP_ANSWER(ZNP_DEVICE_INFO);
		assert_int_equal(znp_device_info_parse(&frame, &info), n < 13 ? -EINVAL : 0);
	}
}

/* 6700 00 IEEE8 0000 07 09: a coordinator that is up. */
static void device_info_says_whether_the_coordinator_is_up(void **state)
{
	struct znp_device_info info = { 0, 0x8097b1011ba3d8ff, 0, 7, ZNP_STATE_COORDINATOR };
	struct znp_device_info again;
	uint8_t out[32];
	struct znp_frame frame;
	size_t used;
	int n = znp_device_info_build(&info, out, sizeof(out));

	(void)state;
	assert_int_equal(znp_parse(out, (size_t)n, &frame, &used), 1);
	assert_int_equal(frame.command, 0x6700);
	assert_int_equal(znp_device_info_parse(&frame, &again), 0);
	assert_int_equal(again.state, ZNP_STATE_COORDINATOR);
	assert_true(again.ieee == info.ieee);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_fcs_is_that_of_the_standards_example),
		cmocka_unit_test(mac_frames_survive_a_round_trip),
		cmocka_unit_test(each_bit_of_a_mac_frame_is_under_the_fcs),
		cmocka_unit_test(impossible_mac_frames_are_refused),
		cmocka_unit_test(nwk_and_aps_headers_survive_a_round_trip),
		cmocka_unit_test(a_fragment_is_acknowledged_as_a_native_client_does),
		cmocka_unit_test(fragments_join_in_any_order_and_once),
		cmocka_unit_test(public_znp_frames_parse),
		cmocka_unit_test(the_public_incoming_message_parses_and_comes_back),
		cmocka_unit_test(a_poll_is_the_request_of_the_public_client),
		cmocka_unit_test(garbage_before_and_inside_a_frame_is_skipped),
		cmocka_unit_test(cut_znp_messages_are_refused),
		cmocka_unit_test(device_info_says_whether_the_coordinator_is_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
