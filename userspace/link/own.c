// SPDX-License-Identifier: GPL-2.0-or-later
#include "own.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "bytes.h"

const char *own_type_name(unsigned int type)
{
	switch (type) {
#define X(id, code, name)                                                                          \
	case code:                                                                                 \
		return name;
		OWN_TYPES(X)
#undef X
	default:
		return NULL;
	}
}

unsigned int own_parts(size_t n)
{
	return n == 0 ? 1 : (unsigned int)((n + OWN_PART_BYTES - 1) / OWN_PART_BYTES);
}

int own_parse(const uint8_t *bytes, size_t n, struct own_part *ret)
{
	struct own_part part;

	if (n < 2 || bytes[0] != OWN_MAGIC) {
		return -ENOMSG;
	}
	if (bytes[1] != OWN_VERSION) {
		return -EPROTONOSUPPORT;
	}
	if (n < OWN_HEAD_BYTES) {
		return -EBADMSG;
	}
	part = (struct own_part){
		.type = bytes[2],
		.id = bytes[3],
		.part = bytes[4],
		.parts = bytes[5],
		.body = bytes + OWN_HEAD_BYTES,
		.n = n - OWN_HEAD_BYTES,
	};
	if (part.parts > OWN_PARTS_MAX || part.part >= part.parts || part.n > OWN_PART_BYTES ||
	    (part.part + 1 < part.parts && part.n < OWN_PART_BYTES)) {
		return -EBADMSG;
	}
	*ret = part;
	return 0;
}

int own_build(enum own_type type, uint8_t id, const uint8_t *message, size_t n, unsigned int part,
	      uint8_t *out, size_t size)
{
	unsigned int parts = own_parts(n);
	size_t at = (size_t)part * OWN_PART_BYTES;
	size_t length;

	if (n > OWN_MESSAGE_MAX) {
		return -EMSGSIZE;
	}
	if (part >= parts) {
		return -EINVAL;
	}
	length = part + 1 < parts ? OWN_PART_BYTES : n - at;
	if (size < OWN_HEAD_BYTES + length) {
		return -EMSGSIZE;
	}
	out[0] = OWN_MAGIC;
	out[1] = OWN_VERSION;
	out[2] = (uint8_t)type;
	out[3] = id;
	out[4] = (uint8_t)part;
	out[5] = (uint8_t)parts;
	if (length > 0) {
		memcpy(out + OWN_HEAD_BYTES, message + at, length);
	}
	return (int)(OWN_HEAD_BYTES + length);
}

static uint32_t all_parts(unsigned int parts)
{
	return parts == 32 ? UINT32_MAX : (UINT32_C(1) << parts) - 1;
}

bool own_collect(struct own_message *message, const struct own_part *part)
{
	size_t at = (size_t)part->part * OWN_PART_BYTES;
	uint32_t bit = UINT32_C(1) << part->part;

	if (message->type != part->type || message->id != part->id ||
	    message->parts != part->parts) {
		message->type = part->type;
		message->id = part->id;
		message->parts = part->parts;
		message->seen = 0;
		message->n = 0;
	}
	if (message->seen & bit) {
		return false;
	}
	message->seen |= bit;
	if (part->n > 0) {
		memcpy(message->body + at, part->body, part->n);
	}
	message->n += part->n;
	return message->seen == all_parts(message->parts);
}

int own_identity_parse(const uint8_t *bytes, size_t n, struct own_identity *ret)
{
	struct own_identity identity;

	if (n < OWN_IDENTITY_BYTES) {
		return -EBADMSG;
	}
	memcpy(identity.serial.bcd, bytes, SERIAL_BYTES);
	identity.boot = bytes_get_le(bytes + SERIAL_BYTES, 8);
	identity.counter = (uint32_t)bytes_get_le(bytes + SERIAL_BYTES + 8, 4);
	if (!serial_valid(&identity.serial)) {
		return -EBADMSG;
	}
	*ret = identity;
	return 0;
}

void own_identity_put(const struct own_identity *identity, uint8_t *out)
{
	memcpy(out, identity->serial.bcd, SERIAL_BYTES);
	bytes_put_le(out + SERIAL_BYTES, 8, identity->boot);
	bytes_put_le(out + SERIAL_BYTES + 8, 4, identity->counter);
}

#define X(id, name_, unit_, offset_, layout, conversion, missing_)                                 \
	[OWN_##id] = { .name = name_,                                                              \
		       .unit = unit_,                                                              \
		       .offset = offset_,                                                          \
		       layout,                                                                     \
		       conversion,                                                                 \
		       .missing = missing_,                                                        \
		       .sure = FIELD_OURS,                                                         \
		       .source = "own.h" },
const struct field own_status_field[] = { OWN_STATUS_FIELDS(X) };
const struct field own_angle_field[] = { OWN_ANGLE_FIELDS(X) };
#undef X

int own_status_parse(const uint8_t *bytes, size_t n, struct own_identity *ret_identity,
		     int64_t raw[OWN_STATUS_COUNT])
{
	if (own_identity_parse(bytes, n, ret_identity) < 0 || n == OWN_IDENTITY_BYTES) {
		fields_decode(own_status_field, OWN_STATUS_COUNT, bytes, 0, raw);
		return -EBADMSG;
	}
	fields_decode(own_status_field, OWN_STATUS_COUNT, bytes + OWN_IDENTITY_BYTES,
		      n - OWN_IDENTITY_BYTES, raw);
	return 0;
}

void own_status_put(const struct own_identity *identity, const int64_t raw[OWN_STATUS_COUNT],
		    uint8_t *out)
{
	own_identity_put(identity, out);
	fields_encode(own_status_field, OWN_STATUS_COUNT, raw, out + OWN_IDENTITY_BYTES,
		      OWN_STATUS_BYTES - OWN_IDENTITY_BYTES);
}

void own_mark_put(uint16_t mark, uint8_t out[OWN_MARK_BYTES])
{
	bytes_put_le(out, OWN_MARK_BYTES, mark);
}

int own_mark_parse(const uint8_t *bytes, size_t n, uint16_t *ret)
{
	if (n != OWN_MARK_BYTES) {
		return -EBADMSG;
	}
	*ret = (uint16_t)bytes_get_le(bytes, OWN_MARK_BYTES);
	return 0;
}

void own_angle_put(const struct own_angle *angle, uint8_t *out)
{
	const double physical[OWN_ANGLE_COUNT] = {
		[OWN_ANGLE_MARK] = angle->mark,
		[OWN_ANGLE_DEG] = angle->deg,
		[OWN_ANGLE_F] = angle->hz,
		[OWN_ANGLE_LATENCY] = angle->latency_s,
	};
	int64_t raw[OWN_ANGLE_COUNT];

	for (int i = 0; i < OWN_ANGLE_COUNT; i++) {
		raw[i] = field_raw(&own_angle_field[i], physical[i]);
	}
	fields_encode(own_angle_field, OWN_ANGLE_COUNT, raw, out, OWN_ANGLE_BYTES);
}

int own_angle_parse(const uint8_t *bytes, size_t n, struct own_angle *ret)
{
	int64_t raw[OWN_ANGLE_COUNT];
	double physical[OWN_ANGLE_COUNT];

	fields_decode(own_angle_field, OWN_ANGLE_COUNT, bytes, n, raw);
	for (int i = 0; i < OWN_ANGLE_COUNT; i++) {
		physical[i] = field_physical(&own_angle_field[i], raw[i]);
	}
	/* 360.00 is what an angle below it may be rounded to */
	if (n < OWN_ANGLE_BYTES || !(physical[OWN_ANGLE_DEG] <= 360)) {
		return -EBADMSG;
	}
	*ret = (struct own_angle){
		.mark = (uint16_t)raw[OWN_ANGLE_MARK],
		.deg = fmod(physical[OWN_ANGLE_DEG], 360),
		.hz = physical[OWN_ANGLE_F],
		.latency_s = physical[OWN_ANGLE_LATENCY],
	};
	return 0;
}

const char *own_event_kind_name(enum own_event_kind kind)
{
	static const char *const name[] = {
#define X(id, name) [OWN_EVENT_##id] = name,
		OWN_EVENT_KINDS(X)
#undef X
	};

	return (unsigned int)kind < OWN_EVENT_KIND_COUNT ? name[kind] : "?";
}

void own_events_request_put(uint32_t from, uint8_t max, uint8_t *out)
{
	bytes_put_le(out, 4, from);
	out[4] = max;
}

int own_events_request_parse(const uint8_t *bytes, size_t n, uint32_t *ret_from, uint8_t *ret_max)
{
	if (n != OWN_EVENTS_REQUEST_BYTES) {
		return -EBADMSG;
	}
	*ret_from = (uint32_t)bytes_get_le(bytes, 4);
	*ret_max = bytes[4];
	return 0;
}

void own_events_head_put(uint32_t newest, uint8_t *out)
{
	bytes_put_le(out, OWN_EVENTS_HEAD_BYTES, newest);
}

/* Offsets in a record, after its length of one byte. */
#define EVENT_NUMBER 1
#define EVENT_BOOT 5
#define EVENT_TIME 9
#define EVENT_MONOTONIC 15
#define EVENT_KIND 21
#define EVENT_CAUSE 22
#define EVENT_FROM 23
#define EVENT_TO 24
#define EVENT_VALUE 25
#define EVENT_TEXT 29

int own_event_put(const struct own_event *event, uint8_t *out, size_t size)
{
	size_t text_n = strnlen(event->text, OWN_EVENT_TEXT_MAX);

	if (size < EVENT_TEXT + text_n) {
		return -EMSGSIZE;
	}
	out[0] = (uint8_t)(EVENT_TEXT - 1 + text_n);
	bytes_put_le(out + EVENT_NUMBER, 4, event->number);
	bytes_put_le(out + EVENT_BOOT, 4, event->boot);
	bytes_put_le(out + EVENT_TIME, 6, event->time_ms);
	bytes_put_le(out + EVENT_MONOTONIC, 6, event->monotonic_ms);
	out[EVENT_KIND] = (uint8_t)event->kind;
	out[EVENT_CAUSE] = event->cause;
	out[EVENT_FROM] = event->from;
	out[EVENT_TO] = event->to;
	bytes_put_le(out + EVENT_VALUE, 4, (uint32_t)event->value);
	memcpy(out + EVENT_TEXT, event->text, text_n);
	return (int)(EVENT_TEXT + text_n);
}

int own_event_parse(const uint8_t *bytes, size_t n, struct own_event *ret)
{
	struct own_event event = { 0 };
	size_t text_n;

	if (n < EVENT_TEXT || bytes[0] < EVENT_TEXT - 1 || bytes[0] > n - 1 ||
	    bytes[0] > EVENT_TEXT - 1 + OWN_EVENT_TEXT_MAX ||
	    bytes[EVENT_KIND] >= OWN_EVENT_KIND_COUNT) {
		return -EBADMSG;
	}
	text_n = bytes[0] - (EVENT_TEXT - 1u);
	event.number = (uint32_t)bytes_get_le(bytes + EVENT_NUMBER, 4);
	event.boot = (uint32_t)bytes_get_le(bytes + EVENT_BOOT, 4);
	event.time_ms = bytes_get_le(bytes + EVENT_TIME, 6);
	event.monotonic_ms = bytes_get_le(bytes + EVENT_MONOTONIC, 6);
	event.kind = bytes[EVENT_KIND];
	event.cause = bytes[EVENT_CAUSE];
	event.from = bytes[EVENT_FROM];
	event.to = bytes[EVENT_TO];
	event.value = (int32_t)bytes_get_le(bytes + EVENT_VALUE, 4);
	memcpy(event.text, bytes + EVENT_TEXT, text_n);
	*ret = event;
	return (int)(EVENT_TEXT + text_n);
}

/* What a pairing message has after the serial number, in this order. */
static const struct {
	enum own_type type;
	bool nonce;
	bool proof;
	bool error;
} pair_desc[] = {
	{ OWN_PAIR_REQUEST, true, false, false },
	{ OWN_PAIR_OFFER, true, true, false },
	{ OWN_PAIR_CONFIRM, false, true, false },
	{ OWN_PAIR_RESULT, false, false, true },
};

static size_t pair_bytes(size_t i)
{
	return SERIAL_BYTES + (pair_desc[i].nonce ? SEAL_NONCE_BYTES : 0u) +
	       (pair_desc[i].proof ? SEAL_OVERHEAD : 0u) + (pair_desc[i].error ? 1u : 0u);
}

static int pair_find(enum own_type type)
{
	for (size_t i = 0; i < sizeof(pair_desc) / sizeof(pair_desc[0]); i++) {
		if (pair_desc[i].type == type) {
			return (int)i;
		}
	}
	return -EINVAL;
}

int own_pair_put(enum own_type type, const struct own_pair *pair, uint8_t *out, size_t size)
{
	int i = pair_find(type);
	uint8_t *at = out + SERIAL_BYTES;

	if (i < 0) {
		return i;
	}
	if (size < pair_bytes((size_t)i)) {
		return -EMSGSIZE;
	}
	memcpy(out, pair->serial.bcd, SERIAL_BYTES);
	if (pair_desc[i].nonce) {
		memcpy(at, pair->nonce, SEAL_NONCE_BYTES);
		at += SEAL_NONCE_BYTES;
	}
	if (pair_desc[i].proof) {
		memcpy(at, pair->proof, SEAL_OVERHEAD);
		at += SEAL_OVERHEAD;
	}
	if (pair_desc[i].error) {
		*at++ = (uint8_t)-pair->error;
	}
	return (int)(at - out);
}

int own_pair_parse(enum own_type type, const uint8_t *bytes, size_t n, struct own_pair *ret)
{
	struct own_pair pair = { 0 };
	const uint8_t *at = bytes + SERIAL_BYTES;
	int i = pair_find(type);

	if (i < 0) {
		return i;
	}
	if (n != pair_bytes((size_t)i)) {
		return -EBADMSG;
	}
	memcpy(pair.serial.bcd, bytes, SERIAL_BYTES);
	if (pair_desc[i].nonce) {
		memcpy(pair.nonce, at, SEAL_NONCE_BYTES);
		at += SEAL_NONCE_BYTES;
	}
	if (pair_desc[i].proof) {
		memcpy(pair.proof, at, SEAL_OVERHEAD);
		at += SEAL_OVERHEAD;
	}
	if (pair_desc[i].error) {
		pair.error = -*at;
	}
	if (!serial_valid(&pair.serial)) {
		return -EBADMSG;
	}
	*ret = pair;
	return 0;
}
