// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The gateway's radio between a hostile modem and hostile inverters: a row of pieces, each a kind,
 * a length and that many bytes. Payloads by radio come in sound ZNP frames, and in sound parts of
 * messages that answer what is under way, which no fuzzer guesses.
 */
#include "fuzz.h"
#include "radio.h"
#include "zigbee.h"

#define UNITS 3

static struct radio radio;
/* The state of @radio after a start. Its pointers to itself are valid only in @radio. */
static struct radio started;
static unsigned int confirmed;

static void to_modem(void *ctx, const uint8_t *bytes, size_t n)
{
	struct znp_frame frame;
	size_t used;

	(void)ctx;
	assert(znp_parse(bytes, n, &frame, &used) == 1 && used == n);
}

static void hard_reset(void *ctx)
{
	(void)ctx;
}

static void random_bytes(void *ctx, uint8_t *bytes, size_t n)
{
	(void)ctx;
	memset(bytes, 7, n);
}

static void on_state(void *ctx, bool up, const char *text)
{
	(void)ctx;
	(void)up;
	assert(text[0]);
}

static void on_foreign(void *ctx, uint16_t pan)
{
	(void)ctx;
	assert(pan != radio.host.startup.pan);
}

static void on_status(void *ctx, const struct radio_reply *reply,
		      const struct own_identity *identity, const int64_t raw[OWN_STATUS_COUNT])
{
	(void)ctx;
	(void)raw;
	assert(reply->unit >= 0 && reply->unit < radio.plan.units);
	assert(serial_equal(&identity->serial, &radio.unit[reply->unit].serial));
}

static void on_telemetry(void *ctx, const struct radio_reply *reply,
			 const int64_t raw[L2_TELEMETRY_COUNT])
{
	(void)ctx;
	(void)raw;
	assert(radio.unit[reply->unit].make == MAKE_STOCK);
}

static void on_info(void *ctx, const struct radio_reply *reply, const struct l2_info *info)
{
	(void)ctx;
	(void)reply;
	(void)info;
}

static void on_page(void *ctx, const struct radio_reply *reply, double panel_w)
{
	(void)ctx;
	(void)reply;
	(void)panel_w;
}

static void on_events(void *ctx, const struct radio_reply *reply, const uint8_t *body, size_t n)
{
	(void)ctx;
	(void)reply;
	(void)body;
	assert(n <= OWN_MESSAGE_MAX);
}

static uint32_t on_events_from(void *ctx, int unit)
{
	(void)ctx;
	return (uint32_t)unit + 1;
}

static void on_angles(void *ctx, const struct radio_reply *reply, const uint8_t *body, size_t n)
{
	struct own_angle angle;

	(void)ctx;
	(void)reply;
	while (own_angle_parse(body, n, &angle) == 0) {
		assert(angle.deg >= 0 && angle.deg < 360);
		body += OWN_ANGLE_BYTES;
		n -= OWN_ANGLE_BYTES;
	}
}

static uint16_t on_angles_from(void *ctx, int unit)
{
	(void)ctx;
	return (uint16_t)unit;
}

static void on_marked(void *ctx, bool sent, uint64_t now_us)
{
	(void)ctx;
	(void)sent;
	(void)now_us;
	assert(radio.mark == RADIO_MARK_NONE);
}

static bool on_command(void *ctx, int unit, enum plan_job job, struct radio_command *ret)
{
	(void)ctx;
	(void)job;
	ret->n = (size_t)l2_limit(100, ret->frame, sizeof(ret->frame));
	strcpy(ret->body, "{\"cmd\":\"limit\"}");
	return radio.unit[unit].make == MAKE_STOCK || radio.unit[unit].has_key;
}

/* Nobody has the keys: no answer of one of ours may pass for a true one. */
static void on_done(void *ctx, const struct radio_reply *reply, enum plan_job job, int error,
		    const char *text)
{
	(void)ctx;
	(void)job;
	(void)text;
	confirmed += radio.unit[reply->unit].make == MAKE_OURS && error == 0;
}

static void on_failed(void *ctx, int unit, enum plan_job job, uint64_t now_us)
{
	(void)ctx;
	(void)job;
	(void)now_us;
	assert(unit < radio.plan.units);
}

static void on_link(void *ctx, int unit, enum model_link link)
{
	(void)ctx;
	(void)unit;
	assert(link < LINK_COUNT);
}

static void on_paired(void *ctx, int unit, uint16_t address, const struct seal_key *key)
{
	(void)ctx;
	(void)unit;
	(void)address;
	(void)key;
}

static void on_text(void *ctx, int unit, const char *why)
{
	(void)ctx;
	(void)unit;
	assert(why[0]);
}

static const struct radio_ops ops = {
	.to_modem = to_modem,
	.hard_reset = hard_reset,
	.random = random_bytes,
	.state = on_state,
	.foreign = on_foreign,
	.status = on_status,
	.telemetry = on_telemetry,
	.info = on_info,
	.page = on_page,
	.events = on_events,
	.events_from = on_events_from,
	.angles = on_angles,
	.angles_from = on_angles_from,
	.marked = on_marked,
	.command = on_command,
	.done = on_done,
	.failed = on_failed,
	.link = on_link,
	.paired = on_paired,
	.pair_failed = on_text,
	.forged = on_text,
};

static void modem_says(uint16_t command, const uint8_t *data, size_t n, uint64_t now)
{
	uint8_t frame[ZNP_FRAME_MAX];
	int length = znp_build(command, data, n, frame, sizeof(frame));

	if (length > 0) {
		radio_bytes(&radio, frame, (size_t)length, now);
	}
}

static void bring_up(void)
{
	static const uint8_t zero[6];
	static const uint8_t up = ZNP_STATE_COORDINATOR;

	modem_says(ZNP_RESET_IND, zero, 6, 1);
	for (int step = 0; step < 6; step++) {
		modem_says(ZNP_ANSWER(step < 5 ? ZNP_ZB_WRITE_CONFIG : ZNP_AF_REGISTER), zero, 1,
			   2);
	}
	modem_says(ZNP_ZDO_STATE, &up, 1, 3);
	assert(radio.host.phase == HOST_UP);
}

/* The modem takes what it was given, and has sent it. */
static void modem_does(uint64_t now)
{
	const uint8_t ok = ZNP_SUCCESS;

	if (radio.host.waits_for) {
		modem_says(radio.host.waits_for, &ok, 1, now);
	}
	if (radio.mark == RADIO_MARK_SENT) {
		const uint8_t sent[] = { ZNP_SUCCESS, ZIGBEE_ENDPOINT, radio.mark_transaction };

		modem_says(ZNP_AF_DATA_CONFIRM, sent, sizeof(sent), now);
	}
	for (int i = 0; i < radio.plan.units; i++) {
		const uint8_t sent[] = { ZNP_SUCCESS, ZIGBEE_ENDPOINT, radio.unit[i].transaction };

		if (radio.unit[i].on_modem) {
			modem_says(ZNP_AF_DATA_CONFIRM, sent, sizeof(sent), now);
		}
	}
}

static void radio_says(uint16_t src, const uint8_t *bytes, size_t n, uint64_t now)
{
	const struct znp_incoming incoming = {
		.cluster = ZIGBEE_CLUSTER_REPLY, .src = src, .data = bytes, .n = n
	};
	uint8_t frame[ZNP_FRAME_MAX];
	int length = znp_incoming_build(&incoming, frame, sizeof(frame));

	if (length > 0) {
		radio_bytes(&radio, frame, (size_t)length, now);
	}
}

/* A message of ours with the identifier that is waited for; the first byte is its type. */
static void unit_says(int unit, const uint8_t *bytes, size_t n, uint64_t now)
{
	uint8_t frame[OWN_FRAME_MAX];

	for (unsigned int part = 0; n > 0 && part < own_parts(n - 1); part++) {
		int length = own_build((enum own_type)bytes[0], radio.unit[unit].id, bytes + 1,
				       n - 1, part, frame, sizeof(frame));

		if (length > 0) {
			radio_says(radio.unit[unit].address, frame, (size_t)length, now);
		}
	}
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const uint8_t ecu[] = { 0xd8, 0xa3, 0x01, 0x1b, 0x97, 0x80 };
	const struct seal_key key = { { 1 } };
	struct serial serial = { { 0x80, 0x60, 0, 0, 0, 1 } };

	(void)argc;
	(void)argv;
	radio_init(&radio, ecu, JOIN_CHANNEL, 1000000, 1, &ops, NULL);
	for (int i = 0; i < UNITS; i++) {
		serial.bcd[5] = (uint8_t)(i + 1);
		radio_add(&radio, &serial, i == 1 ? MAKE_STOCK : MAKE_OURS, (uint16_t)(i + 1),
			  i == 0 ? &key : NULL, 0);
	}
	radio_open(&radio, 0);
	bring_up();
	started = radio;
	return 0;
}

/* Only the units that exist: all of them are most of the time of an execution. */
static void restart(void)
{
	memcpy(&radio, &started, offsetof(struct radio, unit) + UNITS * sizeof(radio.unit[0]));
	confirmed = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t now = 4;

	restart();
	while (size > 2) {
		size_t n = data[1] < size - 2 ? data[1] : size - 2;
		const uint8_t *bytes = data + 2;
		int unit = data[0] >> 4 & 3;

		unit = unit < UNITS ? unit : 0;
		now += (uint64_t)data[0] << 10;
		switch (data[0] & 7) {
		case 0:
			radio_bytes(&radio, bytes, n, now);
			break;
		case 1:
			radio_run(&radio, now);
			if (n > 0) {
				radio_mark(&radio, bytes[0], now);
			}
			break;
		case 2:
			radio_says((uint16_t)unit, bytes, n, now);
			break;
		case 3:
			radio_want(&radio, unit, (enum plan_job)(data[1] % JOB_COUNT), now);
			break;
		case 4:
			radio_pair(&radio, unit, n >= INSTALL_CODE_BYTES ? bytes : NULL, now);
			break;
		case 5:
			unit_says(unit, bytes, n, now);
			break;
		default:
			modem_does(now);
			break;
		}
		assert(radio.plan.outstanding >= 0 && radio.plan.outstanding <= PLAN_OUTSTANDING);
		assert(!confirmed);
		data += n + 2;
		size -= n + 2;
	}
	return 0;
}
