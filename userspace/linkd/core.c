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
	const uint64_t due[] = { linkd->phase_us, linkd->ping_us, linkd->send_us, linkd->confirm_us,
				 linkd->answer_us };

	linkd->due_us = NEVER;
	for (size_t i = 0; i < ARRAY_SIZE(due); i++) {
		linkd->due_us = due[i] < linkd->due_us ? due[i] : linkd->due_us;
	}
}

/* ---- to the modem ---- */

static void send_command(struct linkd *linkd, uint16_t command, const uint8_t *data, size_t n)
{
	uint8_t frame[ZNP_FRAME_MAX];
	int length = znp_build(command, data, n, frame, sizeof(frame));

	if (length > 0) {
		linkd->ops->to_modem(linkd->ctx, frame, (size_t)length);
	}
}

static void reset_modem(struct linkd *linkd, uint64_t now_us)
{
	static const uint8_t hard;

	linkd->phase = LINKD_RESET;
	linkd->phase_us = now_us + 2 * LINKD_MODEM_US;
	linkd->ping_us = linkd->send_us = linkd->confirm_us = NEVER;
	linkd->in_flight = 0;
	linkd->in_n = 0;
	linkd->frames = 0;
	linkd->count[LINKD_RESETS]++;
	if (linkd->resets++ % 2) {
		linkd->ops->hard_reset(linkd->ctx);
	} else {
		send_command(linkd, ZNP_RESET_REQ, &hard, 1);
	}
}

/* Hand over payloads that wait, as many as the modem takes. */
static void pump(struct linkd *linkd, uint64_t now_us)
{
	while (linkd->phase == LINKD_UP && linkd->frames > linkd->in_flight &&
	       linkd->in_flight < LINKD_IN_FLIGHT && linkd->send_us == NEVER) {
		const struct linkd_frame *payload = &linkd->frame[linkd->in_flight];
		uint8_t frame[ZNP_FRAME_MAX];
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
		int n = znp_data_request_build(&request, frame, sizeof(frame));

		linkd->in_flight++;
		linkd->confirm_us = now_us + LINKD_CONFIRM_US;
		linkd->ops->to_modem(linkd->ctx, frame, (size_t)n);
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

	if (linkd->frames == LINKD_FRAMES || n > sizeof(frame->byte) || linkd->phase != LINKD_UP) {
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
	if (linkd->phase == LINKD_UP) {
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
		ask(linkd, to_ask, now_us, "\"cmd\":\"report\"");
		break;
	case L2_ON:
	case L2_OFF:
	case L2_LIMIT:
		linkd->count[LINKD_REFUSED]++;
		if (!request->broadcast && serial_valid(&linkd->state.identity.serial)) {
			unit_acknowledge(&linkd->state.identity.serial, false, queue_payload,
					 linkd);
		}
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

/* A pairing message for this unit? Others' are nothing to us. */
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

static void take_own(struct linkd *linkd, uint16_t peer, const struct unit_request *request,
		     uint64_t now_us)
{
	struct linkd_ask to_ask = { .peer = peer, .id = request->id };
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

static void take_incoming(struct linkd *linkd, const struct znp_incoming *incoming, uint64_t now_us)
{
	struct unit_request request;

	if (incoming->cluster != ZIGBEE_CLUSTER_REQUEST) {
		return;
	}
	request = unit_receive(&linkd->inbox, incoming->src, incoming->data, incoming->n);
	linkd->replying = incoming->src;
	linkd->count[LINKD_REQUESTS] += request.kind != UNIT_NONE;
	if (request.kind == UNIT_L2) {
		take_l2(linkd, incoming->src, &request, now_us);
	} else if (request.kind == UNIT_OWN) {
		take_own(linkd, incoming->src, &request, now_us);
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

static void take_answer(struct linkd *linkd, struct json_object *answer)
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
	default:
		break;
	}
	if (error) {
		linkd->count[LINKD_UNANSWERED]++;
	} else if (asked->kind == LINKD_ASK_EVENTS) {
		answer_events(linkd, asked, result);
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
		take_answer(linkd, answer);
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

static void send_step(struct linkd *linkd, const uint8_t *command, int n, uint64_t now_us)
{
	linkd->phase = LINKD_START;
	linkd->phase_us = now_us + LINKD_MODEM_US;
	linkd->ops->to_modem(linkd->ctx, command, (size_t)n);
}

static void begin_start(struct linkd *linkd, uint64_t now_us)
{
	uint8_t command[STARTUP_COMMAND_MAX];
	int n;

	linkd->startup = (struct startup){
		.type = STARTUP_ROUTER,
		.pan = linkd->config.pan,
		.channel = linkd->config.channel,
		.newer_chip = linkd->startup.newer_chip,
	};
	memcpy(linkd->startup.ieee, linkd->config.ieee, sizeof(linkd->startup.ieee));
	n = startup_begin(&linkd->startup, command, sizeof(command));
	send_step(linkd, command, n, now_us);
}

static void take_start(struct linkd *linkd, const struct znp_frame *frame, uint64_t now_us)
{
	uint8_t command[STARTUP_COMMAND_MAX];
	bool up = false;
	int n = startup_take(&linkd->startup, frame, &up, command, sizeof(command));

	if (n > 0) {
		send_step(linkd, command, n, now_us);
	} else if (up) {
		linkd->phase = LINKD_UP;
		linkd->phase_us = NEVER;
		linkd->resets = 0;
		say(linkd, LOG_INFO, "modem is up: PAN %04X, channel %d", linkd->config.pan,
		    linkd->config.channel);
		ask_identity(linkd, now_us);
	}
}

static void take_confirm(struct linkd *linkd, uint8_t status, uint64_t now_us)
{
	if (linkd->in_flight > 0) {
		linkd->count[LINKD_SEND_FAILED] += status != ZNP_SUCCESS;
		drop_frame(linkd, now_us);
	}
}

/* A data request that the modem has not taken: all in flight goes again, a little later. */
static void take_refusal(struct linkd *linkd, uint8_t status, uint64_t now_us)
{
	if (status == ZNP_SUCCESS || linkd->in_flight == 0) {
		return;
	}
	if (status == ZNP_BUFFER_FULL) {
		linkd->in_flight--;
		linkd->send_us = now_us + LINKD_FULL_US;
	} else {
		take_confirm(linkd, status, now_us);
	}
}

static void take_frame(struct linkd *linkd, const struct znp_frame *frame, uint64_t now_us)
{
	struct znp_incoming incoming;
	struct znp_confirm confirm;

	linkd->pinged = false;
	linkd->ping_us = now_us + LINKD_PING_US;
	if (frame->command == ZNP_RESET_IND) {
		begin_start(linkd, now_us);
	} else if (linkd->phase == LINKD_START) {
		take_start(linkd, frame, now_us);
	} else if (linkd->phase != LINKD_UP) {
		return;
	} else if (znp_incoming_parse(frame, &incoming) == 0) {
		take_incoming(linkd, &incoming, now_us);
	} else if (znp_confirm_parse(frame, &confirm) == 0) {
		take_confirm(linkd, confirm.status, now_us);
	} else if (frame->command == ZNP_ANSWER(ZNP_AF_DATA_REQUEST) && frame->n > 0) {
		take_refusal(linkd, frame->data[0], now_us);
	}
}

void linkd_modem_bytes(struct linkd *linkd, const uint8_t *bytes, size_t n, uint64_t now_us)
{
	size_t at = 0;
	int ret;

	if (linkd->phase == LINKD_CLOSED) {
		return;
	}
	n = n < sizeof(linkd->in) - linkd->in_n ? n : sizeof(linkd->in) - linkd->in_n;
	memcpy(linkd->in + linkd->in_n, bytes, n);
	linkd->in_n += n;
	do {
		struct znp_frame frame;
		size_t used;

		ret = znp_parse(linkd->in + at, linkd->in_n - at, &frame, &used);
		at += used;
		linkd->count[LINKD_GARBAGE] += ret < 0;
		if (ret == 1) {
			take_frame(linkd, &frame, now_us);
		}
	} while (ret != 0);
	linkd->in_n -= at;
	memmove(linkd->in, linkd->in + at, linkd->in_n);
	pump(linkd, now_us);
	set_due(linkd);
}

void linkd_port(struct linkd *linkd, bool open, uint64_t now_us)
{
	if (open) {
		linkd->resets = 0;
		reset_modem(linkd, now_us);
	} else {
		linkd->phase = LINKD_CLOSED;
		linkd->frames = linkd->in_flight = 0;
		linkd->phase_us = linkd->ping_us = linkd->send_us = linkd->confirm_us = NEVER;
	}
	set_due(linkd);
}

static void silent(struct linkd *linkd, uint64_t now_us)
{
	if (linkd->pinged) {
		say(linkd, LOG_WARNING, "modem does not answer: reset");
		reset_modem(linkd, now_us);
		return;
	}
	linkd->pinged = true;
	linkd->ping_us = now_us + LINKD_MODEM_US;
	send_command(linkd, ZNP_PING, NULL, 0);
}

void linkd_run(struct linkd *linkd, uint64_t now_us)
{
	if (now_us >= linkd->phase_us) {
		reset_modem(linkd, now_us);
	}
	if (now_us >= linkd->ping_us) {
		silent(linkd, now_us);
	}
	if (now_us >= linkd->confirm_us) {
		/* the modem has lost track of it, or is silent: find out which */
		linkd->count[LINKD_SEND_FAILED]++;
		drop_frame(linkd, now_us);
		linkd->ping_us = now_us;
		silent(linkd, now_us);
	}
	if (now_us >= linkd->send_us) {
		linkd->send_us = NEVER;
	}
	if (now_us >= linkd->answer_us) {
		linkd->count[LINKD_UNANSWERED]++;
		drop_ask(linkd);
		send_ask(linkd, now_us);
	}
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
	linkd->phase_us = linkd->ping_us = linkd->send_us = NEVER;
	linkd->confirm_us = linkd->answer_us = NEVER;
	set_due(linkd);
}
