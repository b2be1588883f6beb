// SPDX-License-Identifier: GPL-2.0-only
#include "poller.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "zigbee.h"

#define RADIUS 15

int poll_ecu_parse(const char *text, uint8_t ecu[6])
{
	unsigned long long value;

	if (strlen(text) != 12 || strspn(text, "0123456789abcdefABCDEF") != 12) {
		return -EINVAL;
	}
	value = strtoull(text, NULL, 16);
	bytes_put_be(ecu, 6, value);
	return 0;
}

uint16_t poll_pan(const uint8_t ecu[6])
{
	return (uint16_t)bytes_get_le(ecu, 2);
}

static void send_command(struct poll *poll, uint16_t command, const uint8_t *data, size_t n)
{
	uint8_t frame[ZNP_FRAME_MAX];
	int length = znp_build(command, data, n, frame, sizeof(frame));

	if (length > 0) {
		poll->send(poll->ctx, frame, (size_t)length);
	}
}

static void enter(struct poll *poll, enum poll_phase phase, uint64_t due_us)
{
	poll->phase = phase;
	poll->due_us = due_us;
}

/* Send a command of the start-up sequence and wait for its answer. */
static void send_step(struct poll *poll, const uint8_t *command, int n, uint64_t now_us)
{
	enter(poll, POLL_SET_UP, now_us + POLL_MODEM_US);
	poll->send(poll->ctx, command, (size_t)n);
}

static void begin_set_up(struct poll *poll, uint64_t now_us)
{
	uint8_t command[STARTUP_COMMAND_MAX];
	int n = startup_begin(&poll->startup, command, sizeof(command));

	send_step(poll, command, n, now_us);
}

static void reset_modem(struct poll *poll, uint64_t now_us)
{
	static const uint8_t hard;

	poll->modem_resets++;
	if (poll->resets++ % 2) {
		poll->hard_reset(poll->ctx);
	} else {
		send_command(poll, ZNP_RESET_REQ, &hard, 1);
	}
	poll->in_n = 0;
	enter(poll, POLL_RESET, now_us + 2 * POLL_MODEM_US);
}

static bool sleeps(const struct poll *poll, const struct poll_unit *unit)
{
	return unit->silent >= POLL_SILENT_ROUNDS && poll->rounds % POLL_ASLEEP_ROUNDS;
}

static void begin_round(struct poll *poll, uint64_t now_us)
{
	poll->round_start_us = now_us;
	poll->current = -1;
	for (int i = 0; i < poll->units; i++) {
		poll->unit[i].done = sleeps(poll, &poll->unit[i]);
		poll->unit[i].again = false;
	}
	enter(poll, POLL_ASK, now_us);
}

/* Next unit: first those not asked in this round, then those that did not answer. */
static int next_unit(const struct poll *poll)
{
	for (int again = 0; again < 2; again++) {
		for (int i = 0; i < poll->units; i++) {
			if (!poll->unit[i].done && poll->unit[i].again == again) {
				return i;
			}
		}
	}
	return -1;
}

static void ask(struct poll *poll, uint64_t now_us)
{
	struct poll_unit *unit = &poll->unit[poll->current];
	uint8_t payload[OWN_FRAME_MAX];
	uint8_t frame[ZNP_FRAME_MAX];
	struct znp_data_request request = {
		.dst = unit->address,
		.dst_endpoint = ZIGBEE_ENDPOINT,
		.src_endpoint = ZIGBEE_ENDPOINT,
		.cluster = ZIGBEE_CLUSTER_REQUEST,
		.transaction = ++poll->transaction,
		.radius = RADIUS,
		.data = payload,
	};
	int n;

	if (poll->config.kind == POLL_STOCK) {
		for (int i = 0; i < 6; i++) {
			payload[i] = poll->config.ecu[5 - i];
		}
		n = 6 + l2_request(L2_POLL, payload + 6, sizeof(payload) - 6);
	} else {
		n = own_build(OWN_STATUS_REQUEST, ++poll->id, NULL, 0, 0, payload, sizeof(payload));
	}
	request.n = (size_t)n;
	n = znp_data_request_build(&request, frame, sizeof(frame));
	unit->asked++;
	poll->message.parts = 0;
	poll->modem_heard = false;
	poll->asked_us = now_us;
	poll->send(poll->ctx, frame, (size_t)n);
	enter(poll, POLL_WAIT, now_us + POLL_REPLY_US);
}

static void go_on(struct poll *poll, uint64_t now_us)
{
	uint64_t due_us;

	poll->current = next_unit(poll);
	if (poll->current >= 0) {
		ask(poll, now_us);
		return;
	}
	poll->rounds++;
	poll->round_us = now_us - poll->round_start_us;
	due_us = poll->round_start_us + poll->config.period_us;
	enter(poll, POLL_PAUSE,
	      due_us > now_us + POLL_BREATH_US ? due_us : now_us + POLL_BREATH_US);
}

static void unit_silent(struct poll *poll, uint64_t now_us)
{
	struct poll_unit *unit = &poll->unit[poll->current];

	if (unit->again || unit->silent >= POLL_SILENT_ROUNDS) {
		unit->done = true;
		unit->silent++;
	} else {
		unit->again = true;
	}
	go_on(poll, now_us);
}

static bool take_l2(struct poll_unit *unit, const struct znp_incoming *incoming)
{
	struct l2 frame;

	return incoming->n > SERIAL_BYTES &&
	       !memcmp(incoming->data, unit->serial.bcd, SERIAL_BYTES) &&
	       l2_parse(incoming->data + SERIAL_BYTES, incoming->n - SERIAL_BYTES, &frame) == 0 &&
	       l2_telemetry_decode(&frame, unit->l2) == 0;
}

/* 1 when the status is whole, 0 when parts are missing, -1 when it is wrong. */
static int take_own(struct poll *poll, struct poll_unit *unit, const struct znp_incoming *incoming)
{
	struct own_part part;

	if (own_parse(incoming->data, incoming->n, &part) < 0 || part.type != OWN_STATUS ||
	    part.id != poll->id) {
		return -1;
	}
	if (!own_collect(&poll->message, &part)) {
		return 0;
	}
	if (own_status_parse(poll->message.body, poll->message.n, &unit->identity, unit->status) <
		    0 ||
	    !serial_equal(&unit->identity.serial, &unit->serial)) {
		return -1;
	}
	return 1;
}

static struct poll_unit *unit_at(struct poll *poll, uint16_t address)
{
	for (int i = 0; i < poll->units; i++) {
		if (poll->unit[i].address == address) {
			return &poll->unit[i];
		}
	}
	return NULL;
}

static void take_reply(struct poll *poll, const struct znp_incoming *incoming, uint64_t now_us)
{
	struct poll_unit *unit = unit_at(poll, incoming->src);
	int taken;

	if (!unit) {
		return;
	}
	taken = poll->config.kind == POLL_OWN ? take_own(poll, unit, incoming)
		: take_l2(unit, incoming)     ? 1
					      : -1;
	if (taken <= 0) {
		unit->wrong += taken < 0;
		return;
	}
	/* a late reply counts too, but only once a round */
	unit->answered += !unit->done;
	unit->silent = 0;
	unit->done = true;
	unit->lqi = incoming->lqi;
	unit->fresh_us = now_us;
	if (poll->phase == POLL_WAIT && unit == &poll->unit[poll->current]) {
		go_on(poll, now_us);
	}
}

static void take_confirm(struct poll *poll, const struct znp_confirm *confirm, uint64_t now_us)
{
	if (poll->phase == POLL_WAIT && confirm->transaction == poll->transaction &&
	    confirm->status != ZNP_SUCCESS) {
		unit_silent(poll, now_us);
	}
}

static void take_set_up(struct poll *poll, const struct znp_frame *frame, uint64_t now_us)
{
	uint8_t command[STARTUP_COMMAND_MAX];
	bool up = false;
	int n = startup_take(&poll->startup, frame, &up, command, sizeof(command));

	if (n > 0) {
		send_step(poll, command, n, now_us);
	} else if (up) {
		poll->resets = 0;
		begin_round(poll, now_us);
		go_on(poll, now_us);
	}
}

static void take_frame(struct poll *poll, const struct znp_frame *frame, uint64_t now_us)
{
	struct znp_incoming incoming;
	struct znp_confirm confirm;

	poll->modem_heard = true;
	if (frame->command == ZNP_RESET_IND) {
		begin_set_up(poll, now_us);
	} else if (poll->phase == POLL_SET_UP) {
		take_set_up(poll, frame, now_us);
	} else if (znp_incoming_parse(frame, &incoming) == 0) {
		take_reply(poll, &incoming, now_us);
	} else if (znp_confirm_parse(frame, &confirm) == 0) {
		poll->resets = 0;
		take_confirm(poll, &confirm, now_us);
	} else if (frame->command == ZNP_ANSWER(ZNP_AF_DATA_REQUEST) && frame->n > 0 &&
		   frame->data[0] != ZNP_SUCCESS && poll->phase == POLL_WAIT) {
		/* refused: the same unit again, a little later */
		enter(poll, POLL_PAUSE, now_us + POLL_REPLY_US / 4);
	}
}

void poll_input(struct poll *poll, const uint8_t *bytes, size_t n, uint64_t now_us)
{
	size_t at = 0;
	int ret;

	n = n < sizeof(poll->in) - poll->in_n ? n : sizeof(poll->in) - poll->in_n;
	memcpy(poll->in + poll->in_n, bytes, n);
	poll->in_n += n;
	do {
		struct znp_frame frame;
		size_t used;

		ret = znp_parse(poll->in + at, poll->in_n - at, &frame, &used);
		at += used;
		if (ret == 1) {
			take_frame(poll, &frame, now_us);
		}
	} while (ret != 0);
	poll->in_n -= at;
	memmove(poll->in, poll->in + at, poll->in_n);
}

void poll_run(struct poll *poll, uint64_t now_us)
{
	if (now_us < poll->due_us) {
		return;
	}
	switch (poll->phase) {
	case POLL_RESET:
	case POLL_SET_UP:
		reset_modem(poll, now_us);
		break;
	case POLL_ASK:
		go_on(poll, now_us);
		break;
	case POLL_WAIT:
		if (poll->modem_heard) {
			unit_silent(poll, now_us);
		} else if (now_us - poll->asked_us < POLL_MODEM_US) {
			poll->due_us = poll->asked_us + POLL_MODEM_US;
		} else {
			reset_modem(poll, now_us);
		}
		break;
	case POLL_PAUSE:
		if (next_unit(poll) < 0) {
			begin_round(poll, now_us);
		}
		go_on(poll, now_us);
		break;
	}
}

void poll_init(struct poll *poll, const struct poll_config *config,
	       void (*send)(void *ctx, const uint8_t *bytes, size_t n),
	       void (*hard_reset)(void *ctx), void *ctx)
{
	poll->config = *config;
	poll->send = send;
	poll->hard_reset = hard_reset;
	poll->ctx = ctx;
	poll->due_us = UINT64_MAX;
	poll->startup.type = STARTUP_COORDINATOR;
	poll->startup.pan = poll_pan(config->ecu);
	poll->startup.channel = config->channel;
	/* the ECU's identity reversed, behind two bytes FF */
	memset(poll->startup.ieee, 0xff, 2);
	for (int i = 0; i < 6; i++) {
		poll->startup.ieee[2 + i] = config->ecu[5 - i];
	}
}

void poll_start(struct poll *poll, uint64_t now_us)
{
	reset_modem(poll, now_us);
}

int poll_add(struct poll *poll, const struct serial *serial, uint16_t address)
{
	struct poll_unit *unit = &poll->unit[poll->units];

	if (poll->units == POLL_UNITS_MAX) {
		return -ENOSPC;
	}
	*unit = (struct poll_unit){ .serial = *serial, .address = address };
	for (int i = 0; i < L2_TELEMETRY_COUNT; i++) {
		unit->l2[i] = FIELD_ABSENT;
	}
	for (int i = 0; i < OWN_STATUS_COUNT; i++) {
		unit->status[i] = FIELD_ABSENT;
	}
	poll->units++;
	return 0;
}
