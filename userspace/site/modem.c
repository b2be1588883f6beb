// SPDX-License-Identifier: GPL-2.0-only
#include "modem.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "bytes.h"

#define CHANNEL_FIRST 11
#define CHANNEL_LAST 26
#define LATE_US 700000

/* Link quality of a CC2530: 0 at -97 dBm of sensitivity, 255 at -10 dBm, straight in between. */
#define LQI_FLOOR_DBM (-97)
#define LQI_TOP_DBM (-10)

static bool has(const struct modem *modem, enum modem_fault fault)
{
	return modem->faults & 1u << fault;
}

static void set_alarm(struct modem *modem)
{
	const uint64_t due[] = { modem->reset_us, modem->start_us, modem->in_us, modem->out_us };
	uint64_t next = AIR_NEVER;

	for (size_t i = 0; i < sizeof(due) / sizeof(due[0]); i++) {
		next = due[i] < next ? due[i] : next;
	}
	stack_alarm(&modem->stack, next);
}

static uint64_t now(const struct modem *modem)
{
	return air_now(modem->stack.air);
}

/* The line to the host is free: send the first frame that waits. */
static void start_output(struct modem *modem)
{
	modem->out_us = modem->outs ? now(modem) + modem->out[0].n * MODEM_BYTE_US : AIR_NEVER;
}

static void put(struct modem *modem, uint16_t command, const uint8_t *data, size_t n)
{
	static const uint8_t garbage[MODEM_GARBAGE_BYTES] = { 0x00, 0xff, 0x55 };
	size_t noise = has(modem, MODEM_GARBAGE) ? sizeof(garbage) : 0;
	uint8_t *frame;
	int length;

	if (modem->outs == MODEM_OUTS) {
		modem->dropped += n;
		return;
	}
	frame = modem->out[modem->outs].byte;
	memcpy(frame, garbage, noise);
	length = znp_build(command, data, n, frame + noise, ZNP_FRAME_MAX);
	if (length < 0) {
		modem->dropped += n;
		return;
	}
	modem->out[modem->outs++].n = noise + (size_t)length;
	if (modem->out_us == AIR_NEVER) {
		start_output(modem);
		set_alarm(modem);
	}
}

static void answer(struct modem *modem, uint16_t command, uint8_t status)
{
	put(modem, ZNP_ANSWER(command), &status, 1);
}

static void apply_radio(struct modem *modem)
{
	struct air_radio_config radio = modem->radio;

	radio.off = !modem->up || has(modem, MODEM_FROZEN);
	air_configure(modem->stack.air, modem->stack.radio, &radio);
}

/* An item of the configuration, from either command that writes one. */
static bool write_item(struct modem *modem, unsigned int item, const uint8_t *value, size_t n)
{
	switch (item) {
	case ZNP_ITEM_STARTUP_OPTION:
		return n == 1;
	case ZNP_ITEM_EXTENDED_ADDRESS:
		if (n != 8) {
			return false;
		}
		modem->radio.ieee = bytes_get_le(value, 8);
		return true;
	case ZNP_ITEM_LOGICAL_TYPE:
		if (n != 1 || value[0] > 1) {
			return false;
		}
		modem->logical_type = value[0];
		return true;
	case ZNP_ITEM_PAN:
		if (n != 2) {
			return false;
		}
		modem->radio.pan = (uint16_t)bytes_get_le(value, 2);
		return true;
	case ZNP_ITEM_CHANNELS:
		if (n != 4) {
			return false;
		}
		for (int channel = CHANNEL_FIRST; channel <= CHANNEL_LAST; channel++) {
			if (bytes_get_le(value, 4) >> channel & 1) {
				modem->radio.channel = (uint8_t)channel;
				return true;
			}
		}
		return false;
	default:
		return false;
	}
}

static uint8_t state(const struct modem *modem)
{
	return modem->up ? (modem->logical_type ? ZNP_STATE_ROUTER : ZNP_STATE_COORDINATOR) : 0;
}

static void on_config(struct modem *modem, const struct znp_frame *frame)
{
	const uint8_t *at = frame->data;
	bool simple = frame->command == ZNP_ZB_WRITE_CONFIG;
	/* item of 1 byte and length, or item of 2, offset of 1 and length */
	size_t head = simple ? 2 : 4;
	bool done = frame->n >= head && frame->n - head == at[head - 1] &&
		    write_item(modem, simple ? at[0] : (unsigned int)bytes_get_le(at, 2), at + head,
			       frame->n - head);

	answer(modem, frame->command, done ? ZNP_SUCCESS : ZNP_INVALID_PARAMETER);
}

static void on_start(struct modem *modem, const struct znp_frame *frame)
{
	const uint8_t starting = ZNP_STATE_STARTING;

	if (frame->command == ZNP_ZB_START) {
		put(modem, ZNP_ANSWER(ZNP_ZB_START), NULL, 0);
	} else {
		answer(modem, frame->command, ZNP_SUCCESS);
	}
	put(modem, ZNP_ZDO_STATE, &starting, 1);
	modem->start_us = now(modem) + MODEM_START_US;
}

static void on_data(struct modem *modem, const struct znp_frame *frame)
{
	struct znp_data_request request;
	struct stack_message message;
	uint8_t status = ZNP_INVALID_PARAMETER;

	if (znp_data_request_parse(frame, &request) == 0 && request.n <= STACK_MESSAGE_MAX) {
		bool all = request.extended && request.mode == ZNP_MODE_BROADCAST;

		message = (struct stack_message){
			.peer = all ? NWK_BROADCAST : request.dst,
			.pan = request.extended ? request.dst_pan : modem->radio.pan,
			.dst_endpoint = request.dst_endpoint,
			.src_endpoint = request.src_endpoint,
			.cluster = request.cluster,
			.radius = request.radius,
			.ack = request.options & ZNP_OPTION_APS_ACK,
			.handle = request.transaction,
			.n = request.n,
		};
		memcpy(message.data, request.data, request.n);
		status = ZNP_BUFFER_FULL;
		if (!modem->up) {
			status = ZNP_FAILURE;
		} else if (!has(modem, MODEM_FULL)) {
			int ret = stack_send(&modem->stack, &message);

			status = ret == 0	   ? ZNP_SUCCESS
				 : ret == -ENOBUFS ? ZNP_BUFFER_FULL
						   : ZNP_INVALID_PARAMETER;
		}
	}
	answer(modem, frame->command, status);
}

static void on_version(struct modem *modem, const struct znp_frame *frame)
{
	/*
	 * Transport, product, major, minor and maintenance release of Z-Stack. The newer chip
	 * appends the revision of its build, 32 bits, here the date 20210708.
	 */
	static const struct {
		size_t n;
		uint8_t data[9];
	} version[] = {
		[MODEM_CC2530] = { 5, { 2, 0, 2, 6, 3 } },
		[MODEM_CC2652] = { 9, { 2, 1, 2, 7, 1, 0x14, 0x64, 0x34, 0x01 } },
	};

	put(modem, ZNP_ANSWER(frame->command), version[modem->config.chip].data,
	    version[modem->config.chip].n);
}

static void on_ping(struct modem *modem, const struct znp_frame *frame)
{
	/* capabilities: SYS, AF, ZDO, SAPI where there is one, UTIL */
	uint16_t able = modem->config.chip == MODEM_CC2530 ? 0x0179 : 0x0159;
	uint8_t data[2];

	bytes_put_le(data, 2, able);
	put(modem, ZNP_ANSWER(frame->command), data, sizeof(data));
}

static void on_info(struct modem *modem, const struct znp_frame *frame)
{
	struct znp_device_info info = { ZNP_SUCCESS, modem->radio.ieee, modem->radio.address, 0x07,
					state(modem) };
	uint8_t out[ZNP_FRAME_MAX];
	int n = znp_device_info_build(&info, out, sizeof(out));

	put(modem, ZNP_ANSWER(frame->command), out + 4, (size_t)n - ZNP_OVERHEAD);
}

static void on_loopback(struct modem *modem, const struct znp_frame *frame)
{
	put(modem, ZNP_ANSWER(frame->command), frame->data, frame->n);
}

static void on_register(struct modem *modem, const struct znp_frame *frame)
{
	answer(modem, frame->command, frame->n < 9 ? ZNP_INVALID_PARAMETER : ZNP_SUCCESS);
}

/*
 * A scan reports what was heard in the last second: beacons that come by themselves. A chip would
 * ask for them on the channel.
 */
static void on_scan(struct modem *modem, const struct znp_frame *frame)
{
	struct znp_beacon found[MODEM_BEACONS];
	uint8_t out[ZNP_FRAME_MAX];
	unsigned int count = 0;
	int n;

	for (int i = 0; i < MODEM_BEACONS; i++) {
		if (modem->heard[i].heard_us > 0 &&
		    now(modem) - modem->heard[i].heard_us < MODEM_BEACON_US) {
			found[count++] = modem->heard[i].beacon;
		}
	}
	answer(modem, frame->command, ZNP_SUCCESS);
	n = znp_beacons_build(found, count, out, sizeof(out));
	put(modem, ZNP_BEACONS, out + 4, (size_t)n - ZNP_OVERHEAD);
}

static void on_reset(struct modem *modem, const struct znp_frame *frame)
{
	(void)frame;
	modem_reset(modem);
}

/* Commands that each chip supports. */
static const struct {
	uint16_t command;
	bool simple; /* of the simple API, which Z-Stack 3 has not */
	void (*handle)(struct modem *modem, const struct znp_frame *frame);
} handler[] = {
	{ ZNP_RESET_REQ, false, on_reset },
	{ ZNP_PING, false, on_ping },
	{ ZNP_VERSION, false, on_version },
	{ ZNP_NV_WRITE, false, on_config },
	{ ZNP_AF_REGISTER, false, on_register },
	{ ZNP_AF_DATA_REQUEST, false, on_data },
	{ ZNP_AF_DATA_REQUEST_EXT, false, on_data },
	{ ZNP_ZDO_STARTUP, false, on_start },
	{ ZNP_SCAN, false, on_scan },
	{ ZNP_ZB_START, true, on_start },
	{ ZNP_ZB_WRITE_CONFIG, true, on_config },
	{ ZNP_DEVICE_INFO, false, on_info },
	{ ZNP_LOOPBACK, false, on_loopback },
};

#define RPC_UNKNOWN_COMMAND 0x02

static void take_frame(struct modem *modem, const struct znp_frame *frame)
{
	uint8_t error[3] = { RPC_UNKNOWN_COMMAND };

	for (size_t i = 0; i < sizeof(handler) / sizeof(handler[0]); i++) {
		if (handler[i].command == frame->command &&
		    !(handler[i].simple && modem->config.chip == MODEM_CC2652)) {
			handler[i].handle(modem, frame);
			return;
		}
	}
	modem->refused++;
	bytes_put_be(error + 1, 2, frame->command);
	put(modem, ZNP_ERROR, error, sizeof(error));
}

static void take_input(struct modem *modem)
{
	size_t at = 0;
	int ret;

	do {
		struct znp_frame frame;
		size_t used;

		ret = znp_parse(modem->in + at, modem->in_n - at, &frame, &used);
		at += used;
		if (ret == 1) {
			take_frame(modem, &frame);
		}
		/* a reset has emptied the line */
	} while (ret != 0 && at <= modem->in_n);
	if (at <= modem->in_n) {
		modem->in_n -= at;
		memmove(modem->in, modem->in + at, modem->in_n);
	}
}

void modem_input(struct modem *modem, const uint8_t *bytes, size_t n)
{
	uint64_t from = modem->in_us == AIR_NEVER ? now(modem) : modem->in_us;

	if (has(modem, MODEM_FROZEN) || modem->reset_us != AIR_NEVER ||
	    n > sizeof(modem->in) - modem->in_n) {
		modem->dropped += n;
		return;
	}
	memcpy(modem->in + modem->in_n, bytes, n);
	modem->in_n += n;
	modem->in_us = from + n * MODEM_BYTE_US;
	set_alarm(modem);
}

static uint8_t lqi_of(double level_dbm)
{
	double lqi = 255 * (level_dbm - LQI_FLOOR_DBM) / (LQI_TOP_DBM - LQI_FLOOR_DBM);

	return (uint8_t)lround(lqi < 0 ? 0 : lqi > 255 ? 255 : lqi);
}

static void on_message(void *ctx, uint64_t now_us, const struct stack_message *message)
{
	struct modem *modem = ctx;
	struct znp_incoming incoming = {
		.cluster = message->cluster,
		.src = message->peer,
		.src_endpoint = message->src_endpoint,
		.dst_endpoint = message->dst_endpoint,
		.lqi = lqi_of(message->level_dbm),
		.timestamp = (uint32_t)(now_us / AIR_BACKOFF_US),
		.data = message->data,
		.n = message->n,
		.has_route = true,
		.src_mac = message->peer,
		.radius = message->radius,
	};
	uint8_t out[ZNP_FRAME_MAX];
	int n = znp_incoming_build(&incoming, out, sizeof(out));

	if (n > 0 && !has(modem, MODEM_FROZEN)) {
		put(modem, ZNP_AF_INCOMING_MSG, out + 4, (size_t)n - ZNP_OVERHEAD);
	}
}

static void on_done(void *ctx, uint64_t now_us, const struct stack_message *message,
		    enum znp_status status)
{
	struct modem *modem = ctx;
	const uint8_t data[] = { (uint8_t)status, message->src_endpoint, message->handle };

	(void)now_us;
	if (!has(modem, MODEM_FROZEN)) {
		put(modem, ZNP_AF_DATA_CONFIRM, data, sizeof(data));
	}
}

static void end_output(struct modem *modem)
{
	uint8_t bytes[sizeof(modem->out[0].byte)];
	size_t n = modem->out[0].n;

	memcpy(bytes, modem->out[0].byte, n);
	modem->outs--;
	memmove(modem->out, modem->out + 1, sizeof(modem->out[0]) * (size_t)modem->outs);
	start_output(modem);
	modem->output(modem->ctx, bytes, n);
}

static void on_alarm(void *ctx, uint64_t now_us)
{
	struct modem *modem = ctx;

	if (now_us >= modem->reset_us) {
		/* reason, transport, product, major, minor, hardware */
		static const uint8_t reset[] = { 0, 2, 0, 2, 6, 3 };

		modem->reset_us = AIR_NEVER;
		put(modem, ZNP_RESET_IND, reset, sizeof(reset));
	}
	if (now_us >= modem->start_us) {
		uint8_t up;

		modem->start_us = AIR_NEVER;
		modem->up = true;
		apply_radio(modem);
		up = state(modem);
		put(modem, ZNP_ZDO_STATE, &up, 1);
	}
	if (now_us >= modem->in_us) {
		modem->in_us = AIR_NEVER;
		take_input(modem);
	}
	if (now_us >= modem->out_us) {
		end_output(modem);
	}
	set_alarm(modem);
}

static void on_beacon(void *ctx, uint64_t now_us, uint16_t pan, uint16_t src, double level_dbm)
{
	struct modem *modem = ctx;
	int place = 0;

	while (place < MODEM_BEACONS && modem->heard[place].beacon.pan != pan) {
		place++;
	}
	if (place == MODEM_BEACONS) {
		place = modem->next_heard++ % MODEM_BEACONS;
	}
	modem->heard[place].heard_us = now_us;
	modem->heard[place].beacon = (struct znp_beacon){
		.src = src,
		.pan = pan,
		.channel = modem->radio.channel,
		.lqi = lqi_of(level_dbm),
		.extended_pan = pan,
	};
}

static const struct stack_ops stack_ops = { on_message, on_done, on_alarm, on_beacon };

void modem_reset(struct modem *modem)
{
	modem->up = false;
	modem->faults &= ~(1u << MODEM_FROZEN);
	modem->in_n = 0;
	modem->outs = 0;
	modem->in_us = modem->out_us = modem->start_us = AIR_NEVER;
	modem->reset_us = now(modem) + MODEM_RESET_US;
	stack_reset(&modem->stack);
	apply_radio(modem);
	set_alarm(modem);
}

int modem_init(struct modem *modem, struct air *air, const struct modem_config *config,
	       void (*output)(void *ctx, const uint8_t *bytes, size_t n), void *ctx)
{
	int radio;

	*modem = (struct modem){
		.config = *config,
		.output = output,
		.ctx = ctx,
		.radio = { .channel = 16, .address = config->address, .ieee = config->ieee },
	};
	radio = stack_init(&modem->stack, air, &modem->radio, &stack_ops, modem);
	if (radio >= 0) {
		modem_reset(modem);
	}
	return radio;
}

void modem_fault(struct modem *modem, enum modem_fault fault, bool on)
{
	modem->faults = (modem->faults & ~(1u << fault)) | (unsigned int)on << fault;
	modem->stack.fault_lose_block = has(modem, MODEM_LOST_BLOCK);
	modem->stack.fault_duplicate_us = has(modem, MODEM_LATE) ? LATE_US : 0;
	apply_radio(modem);
}

int modem_fault_by_name(const char *name)
{
	static const char *const names[] = {
#define X(id, text) [MODEM_##id] = text,
		MODEM_FAULTS(X)
#undef X
	};

	for (int i = 0; i < MODEM_FAULT_COUNT; i++) {
		if (!strcmp(names[i], name)) {
			return i;
		}
	}
	return -1;
}
