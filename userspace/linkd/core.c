// SPDX-License-Identifier: GPL-2.0-or-later
#include "core.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include <sodium.h>

#include "protocol.h"
#include "state.h"
#include "util.h"
#include "zigbee.h"

#define NEVER UINT64_MAX
#define RADIUS 15
/* The largest sealed message whose request fits a line. */
#define SEALED_MAX 1500

const char *linkd_count_text(enum linkd_count count)
{
	static const char *const text[] = {
#define X(id, text) [LINKD_##id] = text,
		LINKD_COUNTS(X)
#undef X
	};

	return (unsigned int)count < LINKD_COUNT_COUNT ? text[count] : "?";
}

static __printf(3, 4) void say(struct linkd *linkd, int priority, const char *format, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	linkd->ops->log(linkd->ctx, priority, text);
}

static void set_due(struct linkd *linkd)
{
	const uint64_t due[] = { linkd->host.due_us, linkd->confirm_us, linkd->answer_us };

	linkd->due_us = NEVER;
	for (size_t i = 0; i < ARRAY_SIZE(due); i++) {
		linkd->due_us = due[i] < linkd->due_us ? due[i] : linkd->due_us;
	}
	linkd->count[LINKD_GARBAGE] = linkd->host.garbage;
	linkd->count[LINKD_RESETS] = linkd->host.all_resets;
}

static bool is_up(const struct linkd *linkd)
{
	return linkd->host.phase == HOST_UP;
}

/* ---- to the modem ---- */

/* Hand over payloads that wait, as many as the modem takes. */
static void pump(struct linkd *linkd, uint64_t now_us)
{
	while (linkd->frames > linkd->in_flight && linkd->in_flight < LINKD_IN_FLIGHT &&
	       host_is_ready(&linkd->host, now_us)) {
		const struct linkd_frame *payload = &linkd->frame[linkd->in_flight];
		struct znp_data_request request = {
			.dst = payload->peer,
			.dst_endpoint = ZIGBEE_ENDPOINT,
			.src_endpoint = ZIGBEE_ENDPOINT,
			.cluster = ZIGBEE_CLUSTER_REPLY,
			.transaction = ++linkd->transaction,
			.radius = RADIUS,
			.data = payload->byte,
			.n = payload->n,
		};

		linkd->in_flight++;
		linkd->confirm_us = now_us + LINKD_CONFIRM_US;
		host_send(&linkd->host, &request, now_us);
	}
}

/* The oldest payload in flight is done with. */
static void drop_frame(struct linkd *linkd, uint64_t now_us)
{
	linkd->in_flight--;
	linkd->frames--;
	memmove(linkd->frame, linkd->frame + 1, sizeof(linkd->frame[0]) * (size_t)linkd->frames);
	linkd->confirm_us = linkd->in_flight ? now_us + LINKD_CONFIRM_US : NEVER;
}

/* One payload of a reply to linkd->replying. */
static void queue_payload(void *ctx, const uint8_t *payload, size_t n)
{
	struct linkd *linkd = ctx;
	struct linkd_frame *frame = &linkd->frame[linkd->frames];

	if (linkd->frames == LINKD_FRAMES || n > sizeof(frame->byte) || !is_up(linkd)) {
		linkd->count[LINKD_DROPPED]++;
		return;
	}
	frame->peer = linkd->replying;
	frame->n = n;
	memcpy(frame->byte, payload, n);
	linkd->frames++;
	linkd->count[LINKD_REPLIES]++;
}

/* ---- to qs1d ---- */

static void send_ask(struct linkd *linkd, uint64_t now_us)
{
	char line[LINKD_LINE_MAX + 64];

	if (!linkd->daemon || linkd->asks == 0 || linkd->answer_us != NEVER) {
		return;
	}
	snprintf(line, sizeof(line), "{\"v\":%d,\"id\":%u,%s}", PROTOCOL_VERSION, ++linkd->line_id,
		 linkd->ask[0].line);
	linkd->answer_us = now_us + LINKD_ANSWER_US;
	linkd->ops->to_daemon(linkd->ctx, line);
}

static void drop_ask(struct linkd *linkd)
{
	linkd->asks--;
	memmove(linkd->ask, linkd->ask + 1, sizeof(linkd->ask[0]) * (size_t)linkd->asks);
	linkd->answer_us = NEVER;
}

/* The same request of the same peer, which waits already: it was repeated. */
static bool asked_already(const struct linkd *linkd, const struct linkd_ask *ask)
{
	for (int i = 0; i < linkd->asks; i++) {
		if (linkd->ask[i].kind == ask->kind && linkd->ask[i].peer == ask->peer &&
		    linkd->ask[i].id == ask->id && linkd->ask[i].command == ask->command) {
			return true;
		}
	}
	return false;
}

/* Ask qs1d; @format gives the members of the request. */
static __printf(4, 5) void ask(struct linkd *linkd, struct linkd_ask ask, uint64_t now_us,
			       const char *format, ...)
{
	va_list ap;
	int n;

	if (!linkd->daemon || linkd->asks == LINKD_ASKS) {
		linkd->count[LINKD_DROPPED]++;
		return;
	}
	if (asked_already(linkd, &ask)) {
		return;
	}
	va_start(ap, format);
	n = vsnprintf(ask.line, sizeof(ask.line), format, ap);
	va_end(ap);
	if (n >= (int)sizeof(ask.line)) {
		linkd->count[LINKD_DROPPED]++;
		return;
	}
	linkd->ask[linkd->asks++] = ask;
	send_ask(linkd, now_us);
}

/* The serial number, before the first request needs it. */
static void ask_identity(struct linkd *linkd, uint64_t now_us)
{
	if (is_up(linkd)) {
		ask(linkd, (struct linkd_ask){ .kind = LINKD_ASK_IDENTITY }, now_us,
		    "\"cmd\":\"status\"");
	}
}

/* ---- requests by radio ---- */

static void take_l2(struct linkd *linkd, uint16_t peer, const struct unit_request *request,
		    uint64_t now_us)
{
	struct linkd_ask to_ask = { .kind = LINKD_ASK_L2,
				    .peer = peer,
				    .command = request->command };

	switch (request->command) {
	case L2_POLL:
	case L2_INFO:
	case L2_PAGE_B:
		ask(linkd, to_ask, now_us, "\"cmd\":\"report\"");
		break;
	case L2_ON:
	case L2_OFF:
		to_ask.kind = LINKD_ASK_STOCK;
		to_ask.broadcast = request->broadcast;
		ask(linkd, to_ask, now_us, "\"cmd\":\"stock\",\"on\":%s",
		    request->command == L2_ON ? "true" : "false");
		break;
	case L2_LIMIT:
		to_ask.kind = LINKD_ASK_STOCK;
		to_ask.broadcast = request->broadcast;
		ask(linkd, to_ask, now_us, "\"cmd\":\"stock\",\"panel_w\":%d", request->panel_w);
		break;
	default:
		linkd->count[LINKD_UNANSWERED]++;
		break;
	}
}

static void ask_sealed(struct linkd *linkd, struct linkd_ask to_ask, const char *member,
		       const uint8_t *bytes, size_t n, uint64_t now_us)
{
	char hex[2 * SEALED_MAX + 1];

	if (n > SEALED_MAX) {
		linkd->count[LINKD_UNANSWERED]++;
		return;
	}
	sodium_bin2hex(hex, sizeof(hex), bytes, n);
	ask(linkd, to_ask, now_us, "\"cmd\":\"sealed\",\"%s\":\"%s\"", member, hex);
}

/*
 * A mark: the angle of the loop now, from which that at the mark follows. The modem has passed the
 * frame on when it had ended; the time on its serial line is known. The delay of its processor is
 * unknown, but nearly equal in all units with the same modem.
 */
static void take_mark(struct linkd *linkd, const struct znp_incoming *incoming,
		      const struct unit_request *request, uint64_t now_us)
{
	double line_us = linkd->config.byte_us * (double)znp_incoming_bytes(incoming);
	struct linkd_ask to_ask = { .kind = LINKD_ASK_ANGLE, .heard_us = now_us };

	if (own_mark_parse(request->body, request->n, &to_ask.mark) < 0) {
		linkd->count[LINKD_UNANSWERED]++;
		return;
	}
	to_ask.heard_us -= line_us < (double)now_us ? (uint64_t)line_us : 0;
	to_ask.id = request->id;
	ask(linkd, to_ask, now_us, "\"cmd\":\"angle\"");
}

/* Is this a pairing message for this unit? Messages for other units are ignored. */
static bool is_pair(struct linkd *linkd, const struct unit_request *request, struct own_pair *pair)
{
	if (own_pair_parse((enum own_type)request->type, request->body, request->n, pair) < 0) {
		linkd->count[LINKD_UNANSWERED]++;
		return false;
	}
	if (!serial_equal(&pair->serial, &linkd->state.identity.serial)) {
		linkd->inbox.rejected[UNIT_REJECT_SERIAL]++;
		return false;
	}
	return true;
}

static void take_own(struct linkd *linkd, const struct znp_incoming *incoming,
		     const struct unit_request *request, uint64_t now_us)
{
	struct linkd_ask to_ask = { .peer = incoming->src, .id = request->id };
	struct own_pair pair;
	uint32_t from;

	switch (request->type) {
	case OWN_STATUS_REQUEST:
		to_ask.kind = LINKD_ASK_STATUS;
		ask(linkd, to_ask, now_us, "\"cmd\":\"report\"");
		break;
	case OWN_EVENTS_REQUEST:
		to_ask.kind = LINKD_ASK_EVENTS;
		if (own_events_request_parse(request->body, request->n, &from, &to_ask.max) < 0) {
			linkd->count[LINKD_UNANSWERED]++;
			break;
		}
		ask(linkd, to_ask, now_us, "\"cmd\":\"events\",\"from\":%u", from ? from : 1);
		break;
	case OWN_MARK:
		take_mark(linkd, incoming, request, now_us);
		break;
	case OWN_ANGLE_REQUEST:
		linkd->count[LINKD_UNANSWERED] +=
			!serial_valid(&linkd->state.identity.serial) ||
			!unit_answer(&linkd->state, request, queue_payload, linkd);
		break;
	case OWN_SEALED:
		to_ask.kind = LINKD_ASK_SEALED;
		ask_sealed(linkd, to_ask, "message", request->body, request->n, now_us);
		break;
	case OWN_PAIR_REQUEST:
		to_ask.kind = LINKD_ASK_PAIR_REQUEST;
		if (is_pair(linkd, request, &pair)) {
			ask_sealed(linkd, to_ask, "nonce", pair.nonce, sizeof(pair.nonce), now_us);
		}
		break;
	case OWN_PAIR_CONFIRM:
		to_ask.kind = LINKD_ASK_PAIR_CONFIRM;
		if (is_pair(linkd, request, &pair)) {
			ask_sealed(linkd, to_ask, "message", pair.proof, sizeof(pair.proof),
				   now_us);
		}
		break;
	default:
		linkd->count[LINKD_UNANSWERED]++;
		break;
	}
}

/* A step of a stock pairing: qs1d decides whether it is allowed. */
static void take_join(struct linkd *linkd, enum join_step step, const struct znp_incoming *incoming,
		      uint64_t now_us)
{
	struct linkd_ask to_ask = { .kind = LINKD_ASK_JOIN,
				    .peer = incoming->src,
				    .id = (uint8_t)step,
				    .step = step,
				    .n = incoming->n };
	struct join_unit unit = linkd->join;

	if (!serial_valid(&linkd->state.identity.serial)) {
		linkd->count[LINKD_UNANSWERED]++;
		return;
	}
	if (incoming->n > sizeof(to_ask.payload) ||
	    join_take(&unit, step, incoming->data, incoming->n, &linkd->state.identity.serial) ==
		    JOIN_NOTHING) {
		linkd->inbox.rejected[UNIT_REJECT_JOIN]++;
		return;
	}
	memcpy(to_ask.payload, incoming->data, incoming->n);
	ask(linkd, to_ask, now_us, "\"cmd\":\"stock\"");
}

static void take_incoming(struct linkd *linkd, const struct znp_incoming *incoming, uint64_t now_us)
{
	struct unit_request request;
	int step = join_step_of(incoming->cluster);

	if (step >= 0) {
		take_join(linkd, (enum join_step)step, incoming, now_us);
	}
	if (incoming->cluster != ZIGBEE_CLUSTER_REQUEST) {
		return;
	}
	request = unit_receive(&linkd->inbox, incoming->src, incoming->data, incoming->n);
	linkd->replying = incoming->src;
	linkd->count[LINKD_REQUESTS] += request.kind != UNIT_NONE;
	if (request.kind == UNIT_L2) {
		take_l2(linkd, incoming->src, &request, now_us);
	} else if (request.kind == UNIT_OWN) {
		take_own(linkd, incoming, &request, now_us);
	}
}

/* ---- answers of qs1d ---- */

/* Energies count from what they were when this end of the link started, as a stock unit's do. */
static void set_base(struct linkd *linkd)
{
	static const enum own_status_field energy[] = { OWN_PV1_ENERGY, OWN_PV2_ENERGY,
							OWN_PV3_ENERGY, OWN_PV4_ENERGY };

	if (linkd->based || linkd->state.status[energy[0]] == FIELD_ABSENT) {
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(energy); i++) {
		linkd->state.base_wh[i] = field_physical(&own_status_field[energy[i]],
							 linkd->state.status[energy[i]]);
	}
	linkd->based = true;
}

static void answer_report(struct linkd *linkd, const struct linkd_ask *asked,
			  struct json_object *result)
{
	struct unit_request request = {
		.kind = asked->kind == LINKD_ASK_L2 ? UNIT_L2 : UNIT_OWN,
		.command = asked->command,
		.type = OWN_STATUS_REQUEST,
		.id = asked->id,
	};

	if (state_read(result, &linkd->state) < 0) {
		if (!linkd->unlabelled) {
			say(linkd, LOG_WARNING, "qs1d has no serial number: expected a label");
		}
		linkd->unlabelled = true;
		linkd->count[LINKD_UNANSWERED]++;
		return;
	}
	linkd->unlabelled = false;
	set_base(linkd);
	if (asked->kind == LINKD_ASK_IDENTITY) {
		return;
	}
	unit_answer(&linkd->state, &request, queue_payload, linkd);
}

static void answer_events(struct linkd *linkd, const struct linkd_ask *asked,
			  struct json_object *result)
{
	uint8_t body[OWN_MESSAGE_MAX];
	size_t count =
		json_object_is_type(result, json_type_array) ? json_object_array_length(result) : 0;
	size_t n = OWN_EVENTS_HEAD_BYTES;
	uint32_t newest = 0;

	for (size_t i = 0; i < count; i++) {
		struct own_event event;
		int length;

		if (state_event(json_object_array_get_idx(result, i), &event) < 0) {
			continue;
		}
		newest = event.number;
		if (i >= asked->max) {
			continue;
		}
		length = own_event_put(&event, body + n, sizeof(body) - n);
		n += length > 0 ? (size_t)length : 0;
	}
	own_events_head_put(newest, body);
	unit_send(OWN_EVENTS, asked->id, body, n, queue_payload, linkd);
}

static void answer_stock(struct linkd *linkd, const struct linkd_ask *asked, int error)
{
	linkd->count[LINKD_REFUSED] += error != 0;
	if (!asked->broadcast && serial_valid(&linkd->state.identity.serial)) {
		unit_acknowledge(&linkd->state.identity.serial, !error, queue_payload, linkd);
	}
}

/* Go over to the network of a stock ECU: the modem starts again there. */
static void move(struct linkd *linkd, uint16_t pan, uint64_t now_us)
{
	if (pan == linkd->config.pan) {
		return;
	}
	say(linkd, LOG_NOTICE, "paired by a stock ECU: PAN %04X", pan);
	linkd->config.pan = pan;
	linkd->host.startup.pan = pan;
	linkd->ops->network(linkd->ctx, pan);
	host_restart(&linkd->host, "another network", now_us);
}

static void answer_join(struct linkd *linkd, const struct linkd_ask *asked, uint64_t now_us)
{
	const struct serial *serial = &linkd->state.identity.serial;
	uint8_t payload[JOIN_PAYLOAD_MAX];

	switch (join_take(&linkd->join, asked->step, asked->payload, asked->n, serial)) {
	case JOIN_MOVE:
		move(linkd, join_pan(linkd->join.ecu), now_us);
		break;
	case JOIN_ANSWER:
		if (linkd->host.address) {
			queue_payload(linkd, payload,
				      join_reply_build(serial, linkd->join.ecu, linkd->host.address,
						       payload));
		}
		break;
	default:
		break;
	}
}

/* The loop's angle, read a moment after the mark. */
static void answer_angle(struct linkd *linkd, const struct linkd_ask *asked,
			 struct json_object *result)
{
	struct own_angle angle = { .mark = asked->mark };
	uint64_t read_us;

	if (state_angle(result, &angle.deg, &angle.hz, &read_us) < 0 || read_us < asked->heard_us ||
	    read_us - asked->heard_us > LINKD_ANGLE_US) {
		linkd->count[LINKD_UNANSWERED]++;
		return;
	}
	angle.latency_s = (double)(read_us - asked->heard_us) * 1e-6;
	angle.deg = marks_turn_back(angle.deg, angle.hz, angle.latency_s);
	marks_put(&linkd->state.marks, asked->heard_us, &angle);
}

/* Bytes of a hexadecimal member; 0 when it is missing or wrong. */
static size_t bytes_of(struct json_object *object, const char *name, uint8_t *bytes, size_t size)
{
	struct json_object *value = NULL;
	const char *text;
	size_t n = 0;

	if (!json_object_is_type(object, json_type_object) ||
	    !json_object_object_get_ex(object, name, &value)) {
		return 0;
	}
	text = json_object_get_string(value);
	return text && sodium_hex2bin(bytes, size, text, strlen(text), NULL, &n, NULL) == 0 ? n : 0;
}

static void answer_sealed(struct linkd *linkd, const struct linkd_ask *asked, int error,
			  struct json_object *result)
{
	uint8_t body[1 + SEALED_MAX] = { (uint8_t)error };
	size_t n = error ? 0 : bytes_of(result, "message", body + 1, sizeof(body) - 1);

	if (!error && n == 0) {
		body[0] = EIO;
	}
	unit_send(OWN_SEALED_REPLY, asked->id, body, 1 + n, queue_payload, linkd);
}

static void answer_pair(struct linkd *linkd, const struct linkd_ask *asked, int error,
			struct json_object *result)
{
	struct own_pair pair = { .serial = linkd->state.identity.serial, .error = -error };
	enum own_type type = OWN_PAIR_RESULT;
	uint8_t body[OWN_PAIR_MAX];
	int n;

	if (!error && asked->kind == LINKD_ASK_PAIR_REQUEST) {
		type = OWN_PAIR_OFFER;
		if (bytes_of(result, "nonce", pair.nonce, sizeof(pair.nonce)) !=
			    sizeof(pair.nonce) ||
		    bytes_of(result, "message", pair.proof, sizeof(pair.proof)) !=
			    sizeof(pair.proof)) {
			type = OWN_PAIR_RESULT;
			pair.error = -EIO;
		}
	}
	n = own_pair_put(type, &pair, body, sizeof(body));
	if (n > 0) {
		unit_send(type, asked->id, body, (size_t)n, queue_payload, linkd);
	}
}

static void take_answer(struct linkd *linkd, struct json_object *answer, uint64_t now_us)
{
	const struct linkd_ask *asked = &linkd->ask[0];
	struct json_object *result = NULL;
	struct json_object *ok = NULL;
	int error = 0;

	json_object_object_get_ex(answer, "ok", &ok);
	json_object_object_get_ex(answer, "result", &result);
	if (!json_object_get_boolean(ok)) {
		error = state_error(answer);
	}
	linkd->replying = asked->peer;
	switch (asked->kind) {
	case LINKD_ASK_SEALED:
		answer_sealed(linkd, asked, error, result);
		return;
	case LINKD_ASK_PAIR_REQUEST:
	case LINKD_ASK_PAIR_CONFIRM:
		answer_pair(linkd, asked, error, result);
		return;
	case LINKD_ASK_STOCK:
		answer_stock(linkd, asked, error);
		return;
	default:
		break;
	}
	if (error) {
		linkd->count[LINKD_UNANSWERED]++;
	} else if (asked->kind == LINKD_ASK_EVENTS) {
		answer_events(linkd, asked, result);
	} else if (asked->kind == LINKD_ASK_ANGLE) {
		answer_angle(linkd, asked, result);
	} else if (asked->kind == LINKD_ASK_JOIN) {
		answer_join(linkd, asked, now_us);
	} else {
		answer_report(linkd, asked, result);
	}
}

void linkd_daemon_line(struct linkd *linkd, const char *line, uint64_t now_us)
{
	struct json_object *answer = json_tokener_parse(line);
	struct json_object *id = NULL;

	if (linkd->answer_us != NEVER && json_object_is_type(answer, json_type_object) &&
	    json_object_object_get_ex(answer, "id", &id) &&
	    json_object_get_int64(id) == linkd->line_id) {
		take_answer(linkd, answer, now_us);
		drop_ask(linkd);
		send_ask(linkd, now_us);
		pump(linkd, now_us);
	}
	json_object_put(answer);
	set_due(linkd);
}

void linkd_daemon(struct linkd *linkd, bool connected, uint64_t now_us)
{
	linkd->daemon = connected;
	linkd->count[LINKD_DROPPED] += (unsigned int)linkd->asks;
	linkd->asks = 0;
	linkd->answer_us = NEVER;
	if (connected) {
		ask_identity(linkd, now_us);
	}
	set_due(linkd);
}

/* ---- from the modem ---- */

static void on_up(void *ctx, uint64_t now_us)
{
	struct linkd *linkd = ctx;

	say(linkd, LOG_INFO, "modem is up: PAN %04X, channel %d", linkd->config.pan,
	    linkd->config.channel);
	ask_identity(linkd, now_us);
}

/* Nothing that waits for the modem arrives any more. */
static void forget_frames(struct linkd *linkd)
{
	linkd->frames = linkd->in_flight = 0;
	linkd->confirm_us = NEVER;
}

static void on_down(void *ctx, const char *why, uint64_t now_us)
{
	struct linkd *linkd = ctx;

	(void)now_us;
	say(linkd, LOG_WARNING, "%s: reset", why);
	forget_frames(linkd);
}

static void on_ready(void *ctx, uint64_t now_us)
{
	pump(ctx, now_us);
}

static void on_incoming(void *ctx, const struct znp_incoming *incoming, uint64_t now_us)
{
	take_incoming(ctx, incoming, now_us);
}

/* What became of a payload; one that the modem had no room for goes again, a little later. */
static void on_sent(void *ctx, uint8_t transaction, uint8_t status, uint64_t now_us)
{
	struct linkd *linkd = ctx;

	(void)transaction;
	if (linkd->in_flight == 0) {
		return;
	}
	if (status == ZNP_BUFFER_FULL) {
		linkd->in_flight--;
		return;
	}
	linkd->count[LINKD_SEND_FAILED] += status != ZNP_SUCCESS;
	drop_frame(linkd, now_us);
}

static void on_beacon(void *ctx, const struct znp_beacon *beacon, uint64_t now_us)
{
	(void)ctx;
	(void)beacon;
	(void)now_us;
}

static void modem_bytes(void *ctx, const uint8_t *bytes, size_t n)
{
	struct linkd *linkd = ctx;

	linkd->ops->to_modem(linkd->ctx, bytes, n);
}

static void modem_reset(void *ctx)
{
	struct linkd *linkd = ctx;

	linkd->ops->hard_reset(linkd->ctx);
}

static const struct host_ops host_ops = { modem_bytes, modem_reset, on_up,   on_down,
					  on_ready,    on_incoming, on_sent, on_beacon };

void linkd_modem_bytes(struct linkd *linkd, const uint8_t *bytes, size_t n, uint64_t now_us)
{
	host_bytes(&linkd->host, bytes, n, now_us);
	pump(linkd, now_us);
	set_due(linkd);
}

void linkd_port(struct linkd *linkd, bool open, uint64_t now_us)
{
	forget_frames(linkd);
	if (open) {
		host_open(&linkd->host, now_us);
	} else {
		host_close(&linkd->host);
	}
	set_due(linkd);
}

void linkd_run(struct linkd *linkd, uint64_t now_us)
{
	if (now_us >= linkd->confirm_us) {
		/* no confirmation; host.c checks whether the modem still works */
		linkd->count[LINKD_SEND_FAILED]++;
		drop_frame(linkd, now_us);
	}
	if (now_us >= linkd->answer_us) {
		linkd->count[LINKD_UNANSWERED]++;
		drop_ask(linkd);
		send_ask(linkd, now_us);
	}
	host_run(&linkd->host, now_us);
	pump(linkd, now_us);
	set_due(linkd);
}

void linkd_init(struct linkd *linkd, const struct linkd_config *config, const struct linkd_ops *ops,
		void *ctx)
{
	memset(linkd, 0, sizeof(*linkd));
	linkd->config = *config;
	linkd->ops = ops;
	linkd->ctx = ctx;
	unit_state_clear(&linkd->state);
	linkd->confirm_us = linkd->answer_us = NEVER;
	host_init(&linkd->host, &host_ops, linkd);
	linkd->host.silence_us = LINKD_SILENT_US;
	linkd->host.startup = (struct startup){
		.type = STARTUP_ROUTER,
		.pan = config->pan,
		.channel = config->channel,
	};
	memcpy(linkd->host.startup.ieee, config->ieee, sizeof(linkd->host.startup.ieee));
	set_due(linkd);
}
