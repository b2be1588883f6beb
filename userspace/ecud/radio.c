// SPDX-License-Identifier: GPL-2.0-or-later
#include "radio.h"

#include <errno.h>
#include <string.h>

#include "bytes.h"
#include "unit.h"
#include "util.h"
#include "zigbee.h"

#define NEVER PLAN_NEVER
#define RADIUS 15
/* Weight of the newest exchange in their mean. */
#define EXCHANGE_WEIGHT 0.05

static int index_of(const struct radio *radio, const struct radio_unit *unit)
{
	return (int)(unit - radio->unit);
}

static void set_due(struct radio *radio, uint64_t now_us)
{
	uint64_t due_us = radio->host.due_us;

	if (radio->host.phase == HOST_UP) {
		struct plan_choice choice = plan_next(&radio->plan, now_us);

		due_us = choice.due_us < due_us ? choice.due_us : due_us;
		due_us = radio->scan_us < due_us ? radio->scan_us : due_us;
		due_us = radio->mark_us < due_us ? radio->mark_us : due_us;
		for (int i = 0; i < radio->plan.units; i++) {
			const struct radio_unit *unit = &radio->unit[i];

			due_us = unit->deadline_us < due_us ? unit->deadline_us : due_us;
			due_us = unit->step_us < due_us ? unit->step_us : due_us;
		}
	}
	radio->due_us = due_us;
}

/* Stock units' answers come in fragments, which a modem puts together for one sender at a time. */
static void set_slots(struct radio *radio)
{
	radio->plan.slots = PLAN_OUTSTANDING;
	for (int i = 0; i < radio->plan.units; i++) {
		if (radio->unit[i].make == MAKE_STOCK) {
			radio->plan.slots = 1;
		}
	}
}

/* ---- the end of an exchange ---- */

static void clear_exchange(struct radio_unit *unit)
{
	unit->deadline_us = unit->step_us = NEVER;
	unit->on_modem = false;
	unit->message.parts = 0;
}

static void tell_link(struct radio *radio, const struct radio_unit *unit, bool changed)
{
	int i = index_of(radio, unit);

	if (changed) {
		radio->ops->link(radio->ctx, i, radio->plan.unit[i].link);
	}
}

static void answered(struct radio *radio, struct radio_unit *unit, bool again, uint64_t now_us)
{
	if (unit->job == JOB_POLL) {
		double us = (double)(now_us - unit->asked_us);

		radio->exchange_us =
			radio->exchange_us > 0
				? radio->exchange_us + EXCHANGE_WEIGHT * (us - radio->exchange_us)
				: us;
	}
	clear_exchange(unit);
	tell_link(radio, unit, plan_answered(&radio->plan, index_of(radio, unit), again, now_us));
}

static void failed(struct radio *radio, struct radio_unit *unit, uint64_t now_us)
{
	int i = index_of(radio, unit);
	enum plan_job job = unit->job;

	clear_exchange(unit);
	tell_link(radio, unit, plan_failed(&radio->plan, i, now_us));
	radio->ops->failed(radio->ctx, i, job, now_us);
	/* asking a stock unit for its address would pair it again: only a person orders that */
	if (job == JOB_POLL && unit->make == MAKE_OURS &&
	    radio->plan.unit[i].failures % RADIO_FIND_FAILURES == 0) {
		plan_want(&radio->plan, i, JOB_PAIR, now_us);
	}
}

static struct radio_reply reply_of(const struct radio *radio, const struct radio_unit *unit,
				   uint64_t now_us)
{
	return (struct radio_reply){ index_of(radio, unit), unit->asked_us, now_us, unit->lqi };
}

/* ---- requests ---- */

/* Hand one payload to the modem. */
static bool transmit(struct radio *radio, struct radio_unit *unit, uint16_t dst,
		     const uint8_t *payload, size_t n, uint64_t now_us)
{
	struct znp_data_request request = {
		.dst = dst,
		.dst_endpoint = ZIGBEE_ENDPOINT,
		.src_endpoint = ZIGBEE_ENDPOINT,
		.cluster = ZIGBEE_CLUSTER_REQUEST,
		.transaction = ++radio->transaction,
		.radius = RADIUS,
		.data = payload,
		.n = n,
	};

	unit->transaction = request.transaction;
	unit->on_modem = true;
	unit->deadline_us = now_us + unit->timeout_us;
	return host_send(&radio->host, &request, now_us) == 0;
}

/* A message of ours, whose parts follow each other; @unit->body has it. */
static bool send_part(struct radio *radio, struct radio_unit *unit, uint64_t now_us)
{
	uint16_t dst = unit->type == OWN_PAIR_REQUEST ? NWK_BROADCAST : unit->address;
	uint8_t payload[OWN_FRAME_MAX];
	int n = own_build((enum own_type)unit->type, unit->id, unit->body, unit->n, unit->part,
			  payload, sizeof(payload));

	return n > 0 && transmit(radio, unit, dst, payload, (size_t)n, now_us);
}

static bool send_own(struct radio *radio, struct radio_unit *unit, enum own_type type, size_t n,
		     uint64_t now_us)
{
	unit->type = (uint8_t)type;
	unit->id++;
	unit->n = n;
	unit->part = 0;
	unit->message.parts = 0;
	return send_part(radio, unit, now_us);
}

static bool send_l2(struct radio *radio, struct radio_unit *unit, const uint8_t *frame, int n,
		    uint64_t now_us)
{
	uint8_t payload[JOIN_ECU_BYTES + 64];

	if (n <= 0 || (size_t)n > sizeof(payload) - JOIN_ECU_BYTES) {
		return false;
	}
	for (int i = 0; i < JOIN_ECU_BYTES; i++) {
		payload[i] = radio->ecu[JOIN_ECU_BYTES - 1 - i];
	}
	memcpy(payload + JOIN_ECU_BYTES, frame, (size_t)n);
	unit->type = 0;
	return transmit(radio, unit, unit->address, payload, JOIN_ECU_BYTES + (size_t)n, now_us);
}

static bool send_l2_request(struct radio *radio, struct radio_unit *unit, enum l2_command command,
			    uint64_t now_us)
{
	uint8_t frame[32];

	return send_l2(radio, unit, frame, l2_request(command, frame, sizeof(frame)), now_us);
}

static bool send_poll(struct radio *radio, struct radio_unit *unit, uint64_t now_us)
{
	return unit->make == MAKE_STOCK ? send_l2_request(radio, unit, L2_POLL, now_us)
					: send_own(radio, unit, OWN_STATUS_REQUEST, 0, now_us);
}

static bool send_info(struct radio *radio, struct radio_unit *unit, uint64_t now_us)
{
	return send_l2_request(radio, unit, L2_INFO, now_us);
}

static bool send_events(struct radio *radio, struct radio_unit *unit, uint64_t now_us)
{
	/* A few at a time: a message of a unit has room for about twenty without text. */
	const uint8_t max = 8;

	own_events_request_put(radio->ops->events_from(radio->ctx, index_of(radio, unit)), max,
			       unit->body);
	return send_own(radio, unit, OWN_EVENTS_REQUEST, OWN_EVENTS_REQUEST_BYTES, now_us);
}

static bool send_angles(struct radio *radio, struct radio_unit *unit, uint64_t now_us)
{
	own_mark_put(radio->ops->angles_from(radio->ctx, index_of(radio, unit)), unit->body);
	return send_own(radio, unit, OWN_ANGLE_REQUEST, OWN_MARK_BYTES, now_us);
}

/* A command of ours, sealed. The counter goes up with each attempt, answered or not. */
static bool send_sealed(struct radio *radio, struct radio_unit *unit,
			const struct radio_command *command, uint64_t now_us)
{
	struct seal_head head = {
		.kind = SEAL_COMMAND,
		.serial = unit->serial,
		.boot = unit->identity.boot,
		.counter = ++unit->counter,
	};
	int n = seal_make(&unit->key, &head, (const uint8_t *)command->body, strlen(command->body),
			  unit->body, sizeof(unit->body));

	return n > 0 && send_own(radio, unit, OWN_SEALED, (size_t)n, now_us);
}

static bool send_command(struct radio *radio, struct radio_unit *unit, uint64_t now_us)
{
	struct radio_command command = { .timeout_us = RADIO_COMMAND_US };

	if (unit->make == MAKE_OURS && !unit->has_key) {
		return false;
	}
	if (!radio->ops->command(radio->ctx, index_of(radio, unit), unit->job, &command)) {
		return false;
	}
	unit->timeout_us = command.timeout_us;
	return unit->make == MAKE_STOCK
		       ? send_l2(radio, unit, command.frame, (int)command.n, now_us)
		       : send_sealed(radio, unit, &command, now_us);
}

/* What is in force: the limit of a stock unit, grid parameters of ours. */
static bool send_read_back(struct radio *radio, struct radio_unit *unit, uint64_t now_us)
{
	return unit->make == MAKE_STOCK ? send_l2_request(radio, unit, L2_PAGE_B, now_us)
					: send_command(radio, unit, now_us);
}

/* One broadcast of a stock pairing; the next one follows JOIN_INTERVAL_US later. */
static bool send_join(struct radio *radio, struct radio_unit *unit, uint64_t now_us)
{
	uint8_t payload[JOIN_PAYLOAD_MAX];
	struct znp_data_request request = {
		.extended = true,
		.mode = ZNP_MODE_BROADCAST,
		.dst = NWK_BROADCAST,
		.dst_pan = NWK_BROADCAST,
		.dst_endpoint = ZIGBEE_ENDPOINT,
		.src_endpoint = ZIGBEE_ENDPOINT,
		.cluster = join_cluster(unit->step),
		.transaction = ++radio->transaction,
		.radius = RADIUS,
		.data = payload,
		.n = join_build(unit->step, &unit->serial, radio->ecu, payload),
	};

	unit->step_us = NEVER;
	unit->transaction = request.transaction;
	unit->on_modem = true;
	unit->deadline_us = now_us + 2 * JOIN_INTERVAL_US;
	return host_send(&radio->host, &request, now_us) == 0;
}

static bool send_pair(struct radio *radio, struct radio_unit *unit, uint64_t now_us)
{
	struct own_pair pair = { .serial = unit->serial };
	int n;

	if (unit->probe) {
		unit->make = radio->plan.unit[index_of(radio, unit)].tries[JOB_PAIR] % 2
				     ? MAKE_STOCK
				     : MAKE_OURS;
	}
	if (unit->make == MAKE_STOCK) {
		unit->type = 0;
		unit->pair = RADIO_PAIR_JOIN;
		unit->step = 0;
		return send_join(radio, unit, now_us);
	}
	unit->pair = RADIO_PAIR_ASK;
	radio->ops->random(radio->ctx, unit->nonce, sizeof(unit->nonce));
	memcpy(pair.nonce, unit->nonce, sizeof(pair.nonce));
	n = own_pair_put(OWN_PAIR_REQUEST, &pair, unit->body, sizeof(unit->body));
	return send_own(radio, unit, OWN_PAIR_REQUEST, (size_t)n, now_us);
}

static bool (*const send_job[JOB_COUNT])(struct radio *radio, struct radio_unit *unit,
					 uint64_t now_us) = {
	[JOB_PAIR] = send_pair,	    [JOB_COMMAND] = send_command,     [JOB_LIMIT] = send_command,
	[JOB_POLL] = send_poll,	    [JOB_READ_BACK] = send_read_back, [JOB_INFO] = send_info,
	[JOB_EVENTS] = send_events, [JOB_ANGLES] = send_angles,
};

/* What has to be asked first; @job for nothing. */
static enum plan_job job_before(const struct radio_unit *unit, enum plan_job job)
{
	bool sealed = job == JOB_COMMAND || job == JOB_LIMIT || job == JOB_READ_BACK;

	if (!unit->address && job != JOB_PAIR) {
		return JOB_PAIR; /* nobody knows where it is */
	}
	/* boot nonce and counter of a sealed command come with a status */
	return sealed && unit->make == MAKE_OURS && unit->has_key && !unit->known ? JOB_POLL : job;
}

static void begin(struct radio *radio, const struct plan_choice *choice, uint64_t now_us)
{
	struct radio_unit *unit = &radio->unit[choice->unit];
	enum plan_job before = job_before(unit, choice->job);

	plan_begin(&radio->plan, choice->unit, choice->job, now_us);
	unit->job = choice->job;
	unit->asked_us = now_us;
	unit->timeout_us = RADIO_REPLY_US;
	if (before != choice->job) {
		/* the job waits */
		clear_exchange(unit);
		plan_want(&radio->plan, choice->unit, before, now_us);
		plan_failed(&radio->plan, choice->unit, now_us);
		return;
	}
	if (!send_job[unit->job](radio, unit, now_us)) {
		clear_exchange(unit);
		plan_skip(&radio->plan, choice->unit);
	}
}

/* ---- marks ---- */

static void end_mark(struct radio *radio, bool sent, uint64_t now_us)
{
	radio->mark = RADIO_MARK_NONE;
	radio->mark_us = NEVER;
	radio->ops->marked(radio->ctx, sent, now_us);
}

static void send_mark(struct radio *radio, uint64_t now_us)
{
	uint8_t number[OWN_MARK_BYTES];
	uint8_t payload[OWN_FRAME_MAX];
	struct znp_data_request request = {
		.dst = NWK_BROADCAST,
		.dst_endpoint = ZIGBEE_ENDPOINT,
		.src_endpoint = ZIGBEE_ENDPOINT,
		.cluster = ZIGBEE_CLUSTER_REQUEST,
		.transaction = ++radio->transaction,
		.radius = 1,
		.data = payload,
	};

	own_mark_put(radio->mark_number, number);
	request.n = (size_t)own_build(OWN_MARK, request.transaction, number, sizeof(number), 0,
				      payload, sizeof(payload));
	radio->mark = RADIO_MARK_SENT;
	radio->mark_transaction = request.transaction;
	radio->mark_us = now_us + RADIO_MARK_US;
	host_send(&radio->host, &request, now_us);
}

/* A mark is pending, so no other exchange may begin. */
static bool mark_holds(struct radio *radio, uint64_t now_us)
{
	if (radio->mark == RADIO_MARK_WAITS && radio->plan.outstanding == 0) {
		send_mark(radio, now_us);
	}
	return radio->mark != RADIO_MARK_NONE;
}

/* An exchange whose next frame waits for the modem. */
static struct radio_unit *next_frame(struct radio *radio, uint64_t now_us)
{
	for (int i = 0; i < radio->plan.units; i++) {
		struct radio_unit *unit = &radio->unit[i];

		if (radio->plan.unit[i].busy && !unit->on_modem &&
		    ((unit->type && unit->part < own_parts(unit->n)) || now_us >= unit->step_us)) {
			return unit;
		}
	}
	return NULL;
}

static void pump(struct radio *radio, uint64_t now_us)
{
	while (host_is_ready(&radio->host, now_us)) {
		struct radio_unit *unit = next_frame(radio, now_us);
		struct plan_choice choice;

		if (unit) {
			if (now_us >= unit->step_us) {
				send_join(radio, unit, now_us);
			} else {
				send_part(radio, unit, now_us);
			}
			continue;
		}
		if (mark_holds(radio, now_us)) {
			break;
		}
		if (now_us >= radio->scan_us) {
			radio->scan_us = now_us + RADIO_SCAN_US;
			host_scan(&radio->host, now_us);
			continue;
		}
		choice = plan_next(&radio->plan, now_us);
		if (choice.unit < 0) {
			break;
		}
		begin(radio, &choice, now_us);
	}
	set_due(radio, now_us);
}

/* ---- answers ---- */

static void take_status(struct radio *radio, struct radio_unit *unit, uint64_t now_us)
{
	int64_t raw[OWN_STATUS_COUNT];
	struct own_identity identity;
	struct radio_reply reply = reply_of(radio, unit, now_us);

	if (own_status_parse(unit->message.body, unit->message.n, &identity, raw) < 0 ||
	    !serial_equal(&identity.serial, &unit->serial)) {
		radio->refused++;
		return;
	}
	if (!unit->known || identity.boot != unit->identity.boot ||
	    identity.counter > unit->counter) {
		unit->counter = identity.counter;
	}
	unit->known = true;
	unit->identity = identity;
	answered(radio, unit, false, now_us);
	radio->ops->status(radio->ctx, &reply, &identity, raw);
}

/*
 * A sealed reply. An error in front of it has no seal: it may only make us ask again, never confirm
 * anything. A wrong seal counts for nothing, and the exchange goes on until its time is over.
 */
static void take_sealed(struct radio *radio, struct radio_unit *unit, uint64_t now_us)
{
	struct seal_head expected = {
		.kind = SEAL_REPLY,
		.serial = unit->serial,
		.boot = unit->identity.boot,
		.counter = unit->counter - 1,
	};
	struct radio_reply reply = reply_of(radio, unit, now_us);
	const struct own_message *message = &unit->message;
	char text[RADIO_COMMAND_MAX + 1];
	enum plan_job job = unit->job;
	const uint8_t *body;
	uint32_t counter;
	size_t n;
	int ret = message->n > 0 ? -message->body[0] : -EBADMSG;

	if (ret == -ESTALE || ret == -EALREADY) {
		unit->known = false;
		answered(radio, unit, true, now_us);
		return;
	}
	if (ret < 0) {
		answered(radio, unit, false, now_us);
		radio->ops->done(radio->ctx, &reply, job, ret, "");
		return;
	}
	ret = seal_check(&unit->key, &expected, message->body + 1, message->n - 1, &counter, &body,
			 &n);
	if (ret == 0 && (counter != unit->counter || n > RADIO_COMMAND_MAX)) {
		ret = -EBADMSG;
	}
	if (ret < 0) {
		radio->ops->forged(radio->ctx, reply.unit, seal_error(ret));
		return;
	}
	memcpy(text, body, n);
	text[n] = '\0';
	answered(radio, unit, false, now_us);
	radio->ops->done(radio->ctx, &reply, job, 0, text);
}

/* Hands over a copy of the body, because the next request may use the message again. */
static void take_body(struct radio *radio, struct radio_unit *unit, uint64_t now_us,
		      void (*take)(void *ctx, const struct radio_reply *reply, const uint8_t *body,
				   size_t n))
{
	struct radio_reply reply = reply_of(radio, unit, now_us);
	uint8_t body[OWN_MESSAGE_MAX];
	size_t n = unit->message.n;

	memcpy(body, unit->message.body, n);
	answered(radio, unit, false, now_us);
	take(radio->ctx, &reply, body, n);
}

static void forget_code(struct radio_unit *unit)
{
	unit->has_code = false;
	explicit_bzero(unit->code, sizeof(unit->code));
}

static void take_offer(struct radio *radio, struct radio_unit *unit, const struct own_pair *offer,
		       uint16_t src, uint64_t now_us)
{
	struct seal_head head = { .kind = SEAL_PAIR_UNIT, .serial = unit->serial };
	struct own_pair confirm = { .serial = unit->serial };
	const uint8_t *body;
	uint32_t counter;
	size_t n;
	int length;

	unit->address = src;
	unit->probe = false;
	set_slots(radio);
	if (!unit->has_code) {
		answered(radio, unit, false, now_us);
		radio->ops->paired(radio->ctx, index_of(radio, unit), src,
				   unit->has_key ? &unit->key : NULL);
		plan_want(&radio->plan, index_of(radio, unit), JOB_POLL, now_us);
		return;
	}
	seal_derive(unit->code, &unit->serial, unit->nonce, offer->nonce, &unit->offered);
	if (seal_check(&unit->offered, &head, offer->proof, sizeof(offer->proof), &counter, &body,
		       &n) < 0) {
		forget_code(unit);
		answered(radio, unit, false, now_us);
		radio->ops->pair_failed(radio->ctx, index_of(radio, unit),
					"the install code is not that of this inverter's label");
		return;
	}
	head.kind = SEAL_PAIR_ECU;
	seal_make(&unit->offered, &head, NULL, 0, confirm.proof, sizeof(confirm.proof));
	length = own_pair_put(OWN_PAIR_CONFIRM, &confirm, unit->body, sizeof(unit->body));
	unit->pair = RADIO_PAIR_CONFIRM;
	unit->type = OWN_PAIR_CONFIRM;
	unit->id++;
	unit->n = (size_t)length;
	unit->part = 0;
	unit->on_modem = false;
	unit->timeout_us = 10 * RADIO_COMMAND_US; /* the unit stores its key before it answers */
	unit->deadline_us = now_us + unit->timeout_us;
}

static void take_pair_result(struct radio *radio, struct radio_unit *unit,
			     const struct own_pair *result, uint64_t now_us)
{
	char why[64];
	int i = index_of(radio, unit);

	answered(radio, unit, false, now_us);
	forget_code(unit);
	if (result->error) {
		snprintf(why, sizeof(why), "the inverter refuses: %s", strerror(-result->error));
		radio->ops->pair_failed(radio->ctx, i, why);
		return;
	}
	unit->has_key = true;
	unit->key = unit->offered;
	radio->ops->paired(radio->ctx, i, unit->address, &unit->key);
	plan_want(&radio->plan, i, JOB_POLL, now_us);
}

static void take_pair(struct radio *radio, struct radio_unit *unit, uint16_t src, uint64_t now_us)
{
	enum own_type type = (enum own_type)unit->message.type;
	struct own_pair pair;

	if (own_pair_parse(type, unit->message.body, unit->message.n, &pair) < 0 ||
	    !serial_equal(&pair.serial, &unit->serial)) {
		radio->refused++;
	} else if (type == OWN_PAIR_OFFER && unit->pair == RADIO_PAIR_ASK) {
		take_offer(radio, unit, &pair, src, now_us);
	} else if (type == OWN_PAIR_RESULT) {
		take_pair_result(radio, unit, &pair, now_us);
	}
}

/* What answers which job. */
static bool is_expected(const struct radio_unit *unit, uint8_t type)
{
	switch (unit->job) {
	case JOB_POLL:
		return type == OWN_STATUS;
	case JOB_EVENTS:
		return type == OWN_EVENTS;
	case JOB_ANGLES:
		return type == OWN_ANGLE;
	case JOB_COMMAND:
	case JOB_LIMIT:
	case JOB_READ_BACK:
		return type == OWN_SEALED_REPLY;
	case JOB_PAIR:
		return type == OWN_PAIR_OFFER || type == OWN_PAIR_RESULT;
	default:
		return false;
	}
}

static void take_own(struct radio *radio, struct radio_unit *unit, const struct own_part *part,
		     uint16_t src, uint64_t now_us)
{
	if (unit->deadline_us == NEVER || part->id != unit->id || !is_expected(unit, part->type)) {
		radio->late++;
		return;
	}
	if (!own_collect(&unit->message, part)) {
		return;
	}
	switch (part->type) {
	case OWN_STATUS:
		take_status(radio, unit, now_us);
		break;
	case OWN_EVENTS:
		take_body(radio, unit, now_us, radio->ops->events);
		break;
	case OWN_ANGLE:
		take_body(radio, unit, now_us, radio->ops->angles);
		break;
	case OWN_SEALED_REPLY:
		take_sealed(radio, unit, now_us);
		break;
	default:
		take_pair(radio, unit, src, now_us);
		break;
	}
}

static void take_page(struct radio *radio, struct radio_unit *unit, const struct l2 *frame,
		      uint64_t now_us)
{
	struct radio_reply reply = reply_of(radio, unit, now_us);

	answered(radio, unit, false, now_us);
	radio->ops->page(radio->ctx, &reply, unit_page_limit(frame));
}

static void take_telemetry(struct radio *radio, struct radio_unit *unit, const struct l2 *frame,
			   uint64_t now_us)
{
	struct radio_reply reply = reply_of(radio, unit, now_us);
	int64_t raw[L2_TELEMETRY_COUNT];

	if (l2_telemetry_decode(frame, raw) < 0) {
		radio->refused++;
		return;
	}
	answered(radio, unit, false, now_us);
	radio->ops->telemetry(radio->ctx, &reply, raw);
}

static void take_l2_info(struct radio *radio, struct radio_unit *unit, const struct l2 *frame,
			 uint64_t now_us)
{
	struct radio_reply reply = reply_of(radio, unit, now_us);
	struct l2_info info;

	if (l2_info_decode(frame, &info) < 0) {
		radio->refused++;
		return;
	}
	answered(radio, unit, false, now_us);
	radio->ops->info(radio->ctx, &reply, &info);
}

static void take_acknowledge(struct radio *radio, struct radio_unit *unit, bool done,
			     uint64_t now_us)
{
	struct radio_reply reply = reply_of(radio, unit, now_us);
	enum plan_job job = unit->job;

	answered(radio, unit, false, now_us);
	radio->ops->done(radio->ctx, &reply, job, done ? 0 : -EPERM, "");
}

static void take_l2(struct radio *radio, struct radio_unit *unit, const uint8_t *bytes, size_t n,
		    uint64_t now_us)
{
	bool command = unit->job == JOB_COMMAND || unit->job == JOB_LIMIT;
	enum l2_reply kind;
	struct l2 frame;

	if (n <= SERIAL_BYTES || memcmp(bytes, unit->serial.bcd, SERIAL_BYTES) ||
	    l2_parse(bytes + SERIAL_BYTES, n - SERIAL_BYTES, &frame) < 0) {
		radio->refused++;
		return;
	}
	if (unit->deadline_us == NEVER) {
		radio->late++;
		return;
	}
	kind = l2_reply(&frame);
	if (kind == L2_REPLY_TELEMETRY && unit->job == JOB_POLL) {
		take_telemetry(radio, unit, &frame, now_us);
	} else if (kind == L2_REPLY_INFO && unit->job == JOB_INFO) {
		take_l2_info(radio, unit, &frame, now_us);
	} else if (kind == L2_REPLY_PAGE_B && unit->job == JOB_READ_BACK) {
		take_page(radio, unit, &frame, now_us);
	} else if ((kind == L2_REPLY_DONE || kind == L2_REPLY_REFUSED) &&
		   (command || unit->job == JOB_READ_BACK)) {
		take_acknowledge(radio, unit, kind == L2_REPLY_DONE, now_us);
	} else {
		radio->late++;
	}
}

static struct radio_unit *unit_at(struct radio *radio, uint16_t address)
{
	for (int i = 0; i < radio->plan.units; i++) {
		if (radio->unit[i].address == address) {
			return &radio->unit[i];
		}
	}
	return NULL;
}

static struct radio_unit *unit_of(struct radio *radio, const struct serial *serial)
{
	for (int i = 0; i < radio->plan.units; i++) {
		if (serial_equal(&radio->unit[i].serial, serial)) {
			return &radio->unit[i];
		}
	}
	return NULL;
}

/* An offer names the unit that sends it: its address may be new. */
static struct radio_unit *unit_of_offer(struct radio *radio, const struct own_part *part)
{
	struct own_pair pair;

	if (part->parts != 1 || own_pair_parse(OWN_PAIR_OFFER, part->body, part->n, &pair) < 0) {
		return NULL;
	}
	return unit_of(radio, &pair.serial);
}

/* A stock unit that is looked for: its reply has its serial number and address. */
static bool take_join(struct radio *radio, const struct znp_incoming *incoming, uint64_t now_us)
{
	for (int i = 0; i < radio->plan.units; i++) {
		struct radio_unit *unit = &radio->unit[i];
		uint16_t address;

		if (unit->deadline_us == NEVER || unit->job != JOB_PAIR ||
		    unit->pair != RADIO_PAIR_JOIN) {
			continue;
		}
		address = join_reply_address(&unit->serial, incoming->data, incoming->n);
		if (!address) {
			continue;
		}
		unit->address = address;
		unit->probe = false;
		set_slots(radio);
		answered(radio, unit, false, now_us);
		radio->ops->paired(radio->ctx, i, address, NULL);
		plan_want(&radio->plan, i, JOB_POLL, now_us);
		return true;
	}
	return false;
}

static void on_incoming(void *ctx, const struct znp_incoming *incoming, uint64_t now_us)
{
	struct radio *radio = ctx;
	struct radio_unit *unit = unit_at(radio, incoming->src);
	struct own_part part;
	int ret = own_parse(incoming->data, incoming->n, &part);

	if (ret == 0 && part.type == OWN_PAIR_OFFER) {
		unit = unit_of_offer(radio, &part);
	}
	if (ret < 0 && take_join(radio, incoming, now_us)) {
		return;
	}
	if (!unit || (ret < 0 && ret != -ENOMSG)) {
		radio->refused++;
		return;
	}
	unit->lqi = incoming->lqi;
	if (ret == 0) {
		take_own(radio, unit, &part, incoming->src, now_us);
	} else {
		take_l2(radio, unit, incoming->data, incoming->n, now_us);
	}
}

/* ---- the modem ---- */

static void next_join(struct radio *radio, struct radio_unit *unit, uint64_t now_us)
{
	plan_release(&radio->plan, index_of(radio, unit));
	if (unit->step < JOIN_END) {
		unit->step++;
		unit->step_us = now_us + JOIN_INTERVAL_US;
	}
}

static void on_part_sent(struct radio *radio, struct radio_unit *unit, uint64_t now_us)
{
	if (unit->job == JOB_PAIR && unit->pair == RADIO_PAIR_JOIN) {
		next_join(radio, unit, now_us);
		return;
	}
	if (unit->type) {
		unit->part++;
	}
	/* a request that a daemon must carry out is answered later; all others at once */
	if ((plan_job_is_command(unit->job) || unit->type == OWN_SEALED) &&
	    (!unit->type || unit->part == own_parts(unit->n))) {
		plan_release(&radio->plan, index_of(radio, unit));
	}
}

static void on_sent(void *ctx, uint8_t transaction, uint8_t status, uint64_t now_us)
{
	struct radio *radio = ctx;

	if (radio->mark == RADIO_MARK_SENT && transaction == radio->mark_transaction) {
		end_mark(radio, status == ZNP_SUCCESS, now_us);
		return;
	}
	for (int i = 0; i < radio->plan.units; i++) {
		struct radio_unit *unit = &radio->unit[i];

		if (!unit->on_modem || unit->transaction != transaction) {
			continue;
		}
		unit->on_modem = false;
		if (status == ZNP_SUCCESS) {
			on_part_sent(radio, unit, now_us);
		} else if (status == ZNP_BUFFER_FULL) {
			clear_exchange(unit);
			plan_postpone(&radio->plan, i, now_us);
		} else {
			failed(radio, unit, now_us);
		}
		return;
	}
}

static void on_up(void *ctx, uint64_t now_us)
{
	struct radio *radio = ctx;
	char text[64];

	snprintf(text, sizeof(text), "PAN %04X, channel %d", radio->host.startup.pan,
		 radio->host.startup.channel);
	radio->scan_us = now_us;
	radio->ops->state(radio->ctx, true, text);
}

static void stop_exchanges(struct radio *radio, uint64_t now_us)
{
	for (int i = 0; i < radio->plan.units; i++) {
		clear_exchange(&radio->unit[i]);
	}
	plan_restart(&radio->plan, now_us);
	if (radio->mark == RADIO_MARK_SENT) {
		end_mark(radio, false, now_us);
	}
}

static void on_down(void *ctx, const char *why, uint64_t now_us)
{
	struct radio *radio = ctx;

	stop_exchanges(radio, now_us);
	radio->ops->state(radio->ctx, false, why);
}

static void on_ready(void *ctx, uint64_t now_us)
{
	pump(ctx, now_us);
}

static void on_beacon(void *ctx, const struct znp_beacon *beacon, uint64_t now_us)
{
	struct radio *radio = ctx;

	(void)now_us;
	if (beacon->src == 0 && beacon->pan != radio->host.startup.pan) {
		radio->ops->foreign(radio->ctx, beacon->pan);
	}
}

static void to_modem(void *ctx, const uint8_t *bytes, size_t n)
{
	struct radio *radio = ctx;

	radio->ops->to_modem(radio->ctx, bytes, n);
}

static void hard_reset(void *ctx)
{
	struct radio *radio = ctx;

	radio->ops->hard_reset(radio->ctx);
}

static const struct host_ops host_ops = { to_modem, hard_reset,	 on_up,	  on_down,
					  on_ready, on_incoming, on_sent, on_beacon };

void radio_init(struct radio *radio, const uint8_t ecu[JOIN_ECU_BYTES], uint8_t channel,
		uint64_t cadence_us, uint64_t seed, const struct radio_ops *ops, void *ctx)
{
	memset(radio, 0, sizeof(*radio));
	radio->ops = ops;
	radio->ctx = ctx;
	memcpy(radio->ecu, ecu, JOIN_ECU_BYTES);
	plan_init(&radio->plan, cadence_us, seed);
	host_init(&radio->host, &host_ops, radio);
	radio->host.startup.type = STARTUP_COORDINATOR;
	radio->host.startup.pan = join_pan(ecu);
	radio->host.startup.channel = channel;
	/* the identity reversed, behind two bytes FF */
	memset(radio->host.startup.ieee, 0xff, 2);
	for (int i = 0; i < JOIN_ECU_BYTES; i++) {
		radio->host.startup.ieee[2 + i] = ecu[JOIN_ECU_BYTES - 1 - i];
	}
	radio->due_us = radio->scan_us = radio->mark_us = NEVER;
}

void radio_open(struct radio *radio, uint64_t now_us)
{
	host_open(&radio->host, now_us);
	set_due(radio, now_us);
}

void radio_close(struct radio *radio, uint64_t now_us)
{
	stop_exchanges(radio, now_us);
	host_close(&radio->host);
	set_due(radio, now_us);
}

void radio_bytes(struct radio *radio, const uint8_t *bytes, size_t n, uint64_t now_us)
{
	host_bytes(&radio->host, bytes, n, now_us);
	set_due(radio, now_us);
}

void radio_run(struct radio *radio, uint64_t now_us)
{
	for (int i = 0; i < radio->plan.units && radio->host.phase == HOST_UP; i++) {
		if (now_us >= radio->unit[i].deadline_us) {
			failed(radio, &radio->unit[i], now_us);
		}
	}
	if (now_us >= radio->mark_us) {
		end_mark(radio, false, now_us);
	}
	host_run(&radio->host, now_us);
	pump(radio, now_us);
}

/* ---- units ---- */

int radio_add(struct radio *radio, const struct serial *serial, enum model_make make,
	      uint16_t address, const struct seal_key *key, uint64_t now_us)
{
	int i = plan_add(&radio->plan, now_us);
	struct radio_unit *unit;

	if (i < 0) {
		return i;
	}
	unit = &radio->unit[i];
	memset(unit, 0, sizeof(*unit));
	unit->serial = *serial;
	unit->make = make;
	unit->address = address;
	unit->has_key = key;
	if (key) {
		unit->key = *key;
	}
	clear_exchange(unit);
	set_slots(radio);
	plan_want(&radio->plan, i, JOB_INFO, now_us);
	set_due(radio, now_us);
	return i;
}

void radio_remove(struct radio *radio, int unit)
{
	plan_remove(&radio->plan, unit);
	memmove(&radio->unit[unit], &radio->unit[unit + 1],
		sizeof(radio->unit[0]) * (size_t)(radio->plan.units - unit));
	explicit_bzero(&radio->unit[radio->plan.units], sizeof(radio->unit[0]));
	set_slots(radio);
}

void radio_pair(struct radio *radio, int unit, const uint8_t *code, uint64_t now_us)
{
	radio->unit[unit].has_code = code;
	radio->unit[unit].probe = !code;
	if (code) {
		radio->unit[unit].make = MAKE_OURS;
		memcpy(radio->unit[unit].code, code, INSTALL_CODE_BYTES);
	}
	radio_want(radio, unit, JOB_PAIR, now_us);
}

void radio_want(struct radio *radio, int unit, enum plan_job job, uint64_t now_us)
{
	plan_want(&radio->plan, unit, job, now_us);
	pump(radio, now_us);
}

void radio_mark(struct radio *radio, uint16_t number, uint64_t now_us)
{
	radio->mark = RADIO_MARK_WAITS;
	radio->mark_number = number;
	pump(radio, now_us);
}
