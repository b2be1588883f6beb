// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What comes over the air: a row of 802.15.4 frames, each with its length in front and its
 * right FCS, which no fuzzer guesses; ZigBee headers inside, and fragments put together.
 */
#include "crc16.h"
#include "fuzz.h"
#include "mac.h"
#include "zigbee.h"

static struct aps_message message;

static void check_aps(const struct nwk_frame *nwk)
{
	struct aps_frame aps;
	struct aps_frame again;
	struct aps_frame ack;
	uint8_t out[MAC_FRAME_MAX];
	int n;

	if (aps_parse(nwk->payload, nwk->n, &aps) < 0) {
		return;
	}
	assert(aps.payload + aps.n == nwk->payload + nwk->n);
	n = aps_build(&aps, out, sizeof(out));
	assert(n > 0 && aps_parse(out, (size_t)n, &again) == 0);
	assert(again.n == aps.n && again.block == aps.block && again.fragment == aps.fragment &&
	       again.cluster == aps.cluster && again.counter == aps.counter);
	ack = aps_acknowledge(&aps);
	assert(aps_build(&ack, out, sizeof(out)) > 0);
	if (aps_collect(&message, nwk->src, &aps) == 1) {
		assert(aps_join(&message) <= APS_MESSAGE_MAX);
		memset(&message, 0, sizeof(message));
	}
}

static void check_frame(const uint8_t *bytes, size_t n)
{
	struct mac_frame mac;
	struct mac_frame again;
	struct nwk_frame nwk;
	uint8_t out[MAC_FRAME_MAX];
	int built;

	if (mac_parse(bytes, n, &mac) < 0) {
		return;
	}
	assert(mac.payload + mac.n + MAC_FCS_BYTES == bytes + n);
	built = mac_build(&mac, out, sizeof(out));
	assert(built > 0 && (size_t)built <= n);
	assert(mac_parse(out, (size_t)built, &again) == 0);
	assert(memcmp(&again.dst, &mac.dst, sizeof(mac.dst)) == 0);
	assert(memcmp(&again.src, &mac.src, sizeof(mac.src)) == 0);
	assert(again.n == mac.n && again.seq == mac.seq && again.type == mac.type);
	if (nwk_parse(mac.payload, mac.n, &nwk) == 0) {
		assert(nwk.payload + nwk.n == mac.payload + mac.n);
		assert(nwk_build(&nwk, out, sizeof(out)) > 0);
		check_aps(&nwk);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	memset(&message, 0, sizeof(message));
	while (size > 1) {
		uint8_t frame[MAC_FRAME_MAX];
		size_t n = data[0] % (MAC_FRAME_MAX - MAC_FCS_BYTES);
		uint16_t fcs;

		n = n < size - 1 ? n : size - 1;
		memcpy(frame, data + 1, n);
		fcs = crc16_reflected(0, frame, n);
		frame[n] = (uint8_t)fcs;
		frame[n + 1] = (uint8_t)(fcs >> 8);
		check_frame(frame, n + MAC_FCS_BYTES);
		data += n + 1;
		size -= n + 1;
	}
	return 0;
}
