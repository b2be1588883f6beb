/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Our own messages between an ECU and an inverter, beside the stock frames and on the same
 * endpoint and clusters; integers little-endian. A message travels in parts, because not every
 * modem fragments:
 *
 *	51 | version | type | identifier | part | parts | up to OWN_PART_BYTES bytes
 *
 * The sender chooses the identifier; a reply has that of its request. Reading needs no key.
 * Whatever changes a unit is OWN_SEALED: a message of seal.h, whose body is a request of qs1d's
 * control socket (Documentation/protocol.md), and the reply its answer, sealed. Grid profiles
 * are read and written so, too.
 */
#ifndef QS1_LINK_OWN_H
#define QS1_LINK_OWN_H

#include "field.h"
#include "seal.h"
#include "serial.h"

#define OWN_MAGIC 0x51
#define OWN_VERSION 1
#define OWN_HEAD_BYTES 6
#define OWN_PART_BYTES 74
#define OWN_PARTS_MAX 32
#define OWN_MESSAGE_MAX (OWN_PART_BYTES * OWN_PARTS_MAX)
#define OWN_FRAME_MAX (OWN_HEAD_BYTES + OWN_PART_BYTES)

/* Columns: identifier, code, name. A reply's code is its request's with bit 7. */
/* clang-format off */
#define OWN_TYPES(X) \
	X(STATUS_REQUEST, 0x01, "status request") \
	X(EVENTS_REQUEST, 0x02, "events request") \
	X(SEALED, 0x04, "sealed request") \
	X(MARK, 0x05, "mark") \
	X(ANGLE_REQUEST, 0x06, "angle request") \
	X(PAIR_REQUEST, 0x07, "pairing request") \
	X(PAIR_CONFIRM, 0x08, "pairing confirmation") \
	X(STATUS, 0x81, "status") \
	X(EVENTS, 0x82, "events") \
	X(SEALED_REPLY, 0x84, "sealed reply") \
	X(ANGLE, 0x86, "angle") \
	X(PAIR_OFFER, 0x87, "pairing offer") \
	X(PAIR_RESULT, 0x88, "pairing result")
/* clang-format on */

enum own_type {
#define X(id, code, name) OWN_##id = (code),
	OWN_TYPES(X)
#undef X
};

#define OWN_REPLY(type) ((type) | 0x80)

/* Name of a type, or NULL. */
const char *own_type_name(unsigned int type);

/**
 * struct own_part - one part of a message
 * @type: what the message is
 * @id: its identifier
 * @part: number, from 0
 * @parts: how many there are
 * @body, @n: OWN_PART_BYTES in all but the last
 */
struct own_part {
	uint8_t type;
	uint8_t id;
	uint8_t part;
	uint8_t parts;
	const uint8_t *body;
	size_t n;
};

/**
 * own_parse() - a part, from the payload of one frame
 *
 * Return: 0; -ENOMSG if it is no message of ours; -EPROTONOSUPPORT for another version;
 * -EBADMSG for a length or number of parts that cannot be. @ret is untouched on failure.
 */
int own_parse(const uint8_t *bytes, size_t n, struct own_part *ret);

/* Parts that a message of @n bytes takes, at least 1. */
unsigned int own_parts(size_t n);

/**
 * own_build() - one part of a message
 * @message: its whole body, @n bytes
 * @part: number of the part
 *
 * Return: bytes written; -EMSGSIZE for a message longer than OWN_MESSAGE_MAX or too small a
 * buffer; -EINVAL for a part that it has not.
 */
int own_build(enum own_type type, uint8_t id, const uint8_t *message, size_t n, unsigned int part,
	      uint8_t *out, size_t size);

/**
 * struct own_message - parts of a message as they come, from one sender
 * @type, @id, @parts: of the message; @parts is 0 before the first
 * @seen: bit of each part that has come
 * @n: bytes of the whole message
 * @body: the message
 */
struct own_message {
	uint8_t type;
	uint8_t id;
	uint8_t parts;
	uint32_t seen;
	size_t n;
	uint8_t body[OWN_MESSAGE_MAX];
};

/**
 * own_collect() - add a part
 * @message: zeroed to begin with; a part of another message starts that one
 *
 * Return: whether the message is whole with this part; a duplicate of a whole message's is not.
 */
bool own_collect(struct own_message *message, const struct own_part *part);

/**
 * struct own_identity - what each status, sealed or not, begins with
 * @serial: of the unit
 * @boot: its boot nonce, drawn at random when qs1d starts
 * @counter: of the last sealed command that was accepted in this boot
 */
struct own_identity {
	struct serial serial;
	uint64_t boot;
	uint32_t counter;
};

#define OWN_IDENTITY_BYTES 18

/* Return: 0, or -EBADMSG for fewer than OWN_IDENTITY_BYTES or no serial number. */
int own_identity_parse(const uint8_t *bytes, size_t n, struct own_identity *ret);
void own_identity_put(const struct own_identity *identity, uint8_t *out);

/*
 * Status, after the identity. Columns: identifier, name, unit, offset from the identity's end,
 * layout, conversion, missing. Fields may be added at the end: an older reader ignores them, and
 * a newer one finds them absent in an older unit's.
 */
/* clang-format off */
#define OWN_STATUS_FIELDS(X) \
	X(STATE, "state", "", 0, FIELD_LE(1), FIELD_PLAIN, FIELD_ONES) \
	X(FLAGS, "flags", "", 1, FIELD_LE(1), FIELD_PLAIN, FIELD_ONES) \
	X(FAULTS_ACTIVE, "faults active", "", 2, FIELD_LE(4), FIELD_PLAIN, FIELD_ONES) \
	X(FAULTS_LATCHED, "faults latched", "", 6, FIELD_LE(4), FIELD_PLAIN, FIELD_ONES) \
	X(UPTIME, "monotonic time", "s", 10, FIELD_LE(6), FIELD_LINEAR(0.001, 0), FIELD_ONES) \
	X(EVENT, "last event", "", 16, FIELD_LE(4), FIELD_PLAIN, FIELD_ONES) \
	X(PV1_V, "pv1 voltage", "V", 20, FIELD_LE(2), FIELD_LINEAR(0.01, 0), FIELD_ONES) \
	X(PV1_I, "pv1 current", "A", 22, FIELD_LE(2), FIELD_LINEAR(0.001, 0), FIELD_ONES) \
	X(PV1_ENERGY, "pv1 energy", "Wh", 24, FIELD_LE(8), FIELD_LINEAR(0.001, 0), FIELD_ONES) \
	X(PV2_V, "pv2 voltage", "V", 32, FIELD_LE(2), FIELD_LINEAR(0.01, 0), FIELD_ONES) \
	X(PV2_I, "pv2 current", "A", 34, FIELD_LE(2), FIELD_LINEAR(0.001, 0), FIELD_ONES) \
	X(PV2_ENERGY, "pv2 energy", "Wh", 36, FIELD_LE(8), FIELD_LINEAR(0.001, 0), FIELD_ONES) \
	X(PV3_V, "pv3 voltage", "V", 44, FIELD_LE(2), FIELD_LINEAR(0.01, 0), FIELD_ONES) \
	X(PV3_I, "pv3 current", "A", 46, FIELD_LE(2), FIELD_LINEAR(0.001, 0), FIELD_ONES) \
	X(PV3_ENERGY, "pv3 energy", "Wh", 48, FIELD_LE(8), FIELD_LINEAR(0.001, 0), FIELD_ONES) \
	X(PV4_V, "pv4 voltage", "V", 56, FIELD_LE(2), FIELD_LINEAR(0.01, 0), FIELD_ONES) \
	X(PV4_I, "pv4 current", "A", 58, FIELD_LE(2), FIELD_LINEAR(0.001, 0), FIELD_ONES) \
	X(PV4_ENERGY, "pv4 energy", "Wh", 60, FIELD_LE(8), FIELD_LINEAR(0.001, 0), FIELD_ONES) \
	X(GRID_V, "grid voltage", "V", 68, FIELD_LE(2), FIELD_LINEAR(0.01, 0), FIELD_ONES) \
	X(GRID_I, "grid current", "A", 70, FIELD_LE(2), FIELD_LINEAR(0.001, 0), FIELD_ONES) \
	X(GRID_F, "grid frequency", "Hz", 72, FIELD_LE(3), FIELD_LINEAR(0.001, 0), FIELD_ONES) \
	X(GRID_P, "active power", "W", 75, FIELD_LE_SIGNED(2), FIELD_LINEAR(0.1, 0), FIELD_ONES) \
	X(GRID_Q, "reactive power", "var", 77, FIELD_LE_SIGNED(2), FIELD_LINEAR(0.1, 0), FIELD_ONES) \
	X(GRID_ENERGY, "grid energy", "Wh", 79, FIELD_LE(8), FIELD_LINEAR(0.001, 0), FIELD_ONES) \
	X(CASE_TEMP, "temperature", "degree C", 87, FIELD_LE_SIGNED(2), FIELD_LINEAR(0.01, 0), FIELD_ONES) \
	X(DC_LINK, "DC link voltage", "V", 89, FIELD_LE(2), FIELD_LINEAR(0.1, 0), FIELD_ONES) \
	X(POWER_LIMIT, "power limit", "W", 91, FIELD_LE(2), FIELD_LINEAR(0.1, 0), FIELD_ONES) \
	X(ENTER_SERVICE, "time to enter service", "s", 93, FIELD_LE(2), FIELD_PLAIN, FIELD_ONES)
/* clang-format on */
#define OWN_STATUS_BYTES (OWN_IDENTITY_BYTES + 95)

enum own_status_field {
#define X(id, name, unit, offset, layout, conversion, missing) OWN_##id,
	OWN_STATUS_FIELDS(X)
#undef X
		OWN_STATUS_COUNT
};

/* Bits of FLAGS. */
#define OWN_FLAG_ARMED 0x01
#define OWN_FLAG_SHUTDOWN 0x02
#define OWN_FLAG_PROFILE_APPLIED 0x04
#define OWN_FLAG_PAIRED 0x08

extern const struct field own_status_field[OWN_STATUS_COUNT];

/* Return: 0, or -EBADMSG when the identity or the state is not there; @raw as fields_decode(). */
int own_status_parse(const uint8_t *bytes, size_t n, struct own_identity *ret_identity,
		     int64_t raw[OWN_STATUS_COUNT]);
/* OWN_STATUS_BYTES bytes at @out. */
void own_status_put(const struct own_identity *identity, const int64_t raw[OWN_STATUS_COUNT],
		    uint8_t *out);

/*
 * Events. A request is the number of the first event wanted, 4 bytes, and the most that may
 * come, 1 byte. The reply is the newest number, 4 bytes, and records, oldest first, each with
 * its length in front.
 */
#define OWN_EVENT_TEXT_MAX 96

/* Kinds of events. Columns: identifier, name as on qs1d's control socket. */
/* clang-format off */
#define OWN_EVENT_KINDS(X) \
	X(TRANSITION, "transition") \
	X(TRIP, "trip") \
	X(CLEAR, "clear") \
	X(ACTION, "action") \
	X(FAILURE, "failure") \
	X(REMINDER, "reminder") \
	X(RELOAD, "reload")
/* clang-format on */

enum own_event_kind {
#define X(id, name) OWN_EVENT_##id,
	OWN_EVENT_KINDS(X)
#undef X
		OWN_EVENT_KIND_COUNT
};

const char *own_event_kind_name(enum own_event_kind kind);

/**
 * struct own_event - one event
 * @number: over the life of the unit, from 1
 * @boot: starts of the system
 * @time_ms: wall-clock time since 1970
 * @monotonic_ms: since the start of the system
 * @kind: what happened
 * @cause: QS1_CAUSE_ or QS1_CAUSE_FAULT_BASE + fault
 * @from, @to: states of a transition
 * @value: measured quantity of a trip
 * @text: of policy's events; zero-terminated
 */
struct own_event {
	uint32_t number;
	uint32_t boot;
	uint64_t time_ms;
	uint64_t monotonic_ms;
	enum own_event_kind kind;
	uint8_t cause;
	uint8_t from;
	uint8_t to;
	int32_t value;
	char text[OWN_EVENT_TEXT_MAX + 1];
};

#define OWN_EVENTS_REQUEST_BYTES 5
#define OWN_EVENTS_HEAD_BYTES 4

void own_events_request_put(uint32_t from, uint8_t max, uint8_t *out);
int own_events_request_parse(const uint8_t *bytes, size_t n, uint32_t *ret_from, uint8_t *ret_max);

void own_events_head_put(uint32_t newest, uint8_t *out);

/* Bytes written at @out, or -EMSGSIZE. */
int own_event_put(const struct own_event *event, uint8_t *out, size_t size);

/* Bytes of the record at @bytes; -EBADMSG when it is cut or has an unknown kind. */
int own_event_parse(const uint8_t *bytes, size_t n, struct own_event *ret);

/*
 * A sealed reply begins with one byte: 0, and the sealed message follows; or the errno of the
 * request that did not reach its body, as seal_check() has them, and nothing follows.
 */

/*
 * Angles of the unit's loop at marks. A mark is its number, 2 bytes, broadcast with radius 1: each
 * unit takes its angle when the frame ends, and keeps those of the newest marks (marks.h). A
 * request is the number of the first mark wanted, 2 bytes. The reply has records of up to
 * OWN_ANGLES_MAX marks from that one on, oldest first; a mark that the unit has not heard has
 * none. Columns as of the status, without identity. The latency is the time from the frame's end
 * to the reading of the loop; the angle is that of the frame's end.
 */
/* clang-format off */
#define OWN_ANGLE_FIELDS(X) \
	X(ANGLE_MARK, "mark", "", 0, FIELD_LE(2), FIELD_PLAIN, FIELD_NEVER) \
	X(ANGLE_DEG, "angle", "degree", 2, FIELD_LE(2), FIELD_LINEAR(0.01, 0), FIELD_ONES) \
	X(ANGLE_F, "grid frequency", "Hz", 4, FIELD_LE(3), FIELD_LINEAR(0.001, 0), FIELD_ONES) \
	X(ANGLE_LATENCY, "latency", "s", 7, FIELD_LE(2), FIELD_LINEAR(0.000001, 0), FIELD_ONES)
/* clang-format on */
#define OWN_ANGLE_BYTES 9
#define OWN_MARK_BYTES 2
/* What fits into one part. */
#define OWN_ANGLES_MAX (OWN_PART_BYTES / OWN_ANGLE_BYTES)

enum own_angle_field {
#define X(id, name, unit, offset, layout, conversion, missing) OWN_##id,
	OWN_ANGLE_FIELDS(X)
#undef X
		OWN_ANGLE_COUNT
};

extern const struct field own_angle_field[OWN_ANGLE_COUNT];

/**
 * struct own_angle - one record
 * @mark: number of the mark
 * @deg: angle of the loop when the frame ended, from 0 to below 360 degrees
 * @hz: grid frequency; NAN when unknown
 * @latency_s: see above; NAN when unknown
 */
struct own_angle {
	uint16_t mark;
	double deg;
	double hz;
	double latency_s;
};

/* The number of a mark, in a mark or in a request for angles. */
void own_mark_put(uint16_t mark, uint8_t out[OWN_MARK_BYTES]);
/* 0, or -EBADMSG for another length. */
int own_mark_parse(const uint8_t *bytes, size_t n, uint16_t *ret);

/* OWN_ANGLE_BYTES bytes at @out. */
void own_angle_put(const struct own_angle *angle, uint8_t *out);
/* The record at @bytes: 0, or -EBADMSG when it is cut or has no angle. */
int own_angle_parse(const uint8_t *bytes, size_t n, struct own_angle *ret);

/**
 * struct own_pair - messages of a pairing; see seal.h
 * @serial: of the unit
 * @nonce: the ECU's in a request, the unit's in an offer
 * @proof: a sealed message without a body, in an offer and a confirmation
 * @error: in a result: 0, or a negative errno
 */
struct own_pair {
	struct serial serial;
	uint8_t nonce[SEAL_NONCE_BYTES];
	uint8_t proof[SEAL_OVERHEAD];
	int error;
};

#define OWN_PAIR_MAX (SERIAL_BYTES + SEAL_NONCE_BYTES + SEAL_OVERHEAD)

/* Bytes written, -EINVAL for another type, -EMSGSIZE. */
int own_pair_put(enum own_type type, const struct own_pair *pair, uint8_t *out, size_t size);

/* 0, or -EBADMSG for another length or no serial number, -EINVAL for another type. */
int own_pair_parse(enum own_type type, const uint8_t *bytes, size_t n, struct own_pair *ret);

#endif /* QS1_LINK_OWN_H */
