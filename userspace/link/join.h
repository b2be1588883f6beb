/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pairing of a stock unit, as public clients do it (patience4711, ZIGBEE_PAIR.ino; not tested on
 * hardware here): four broadcasts on all PANs, 1.5 s apart, each on its own cluster. The reply of
 * the unit has its serial number and behind it its short address. Nothing in it is secret, and
 * nothing protects it.
 */
#ifndef QS1_LINK_JOIN_H
#define QS1_LINK_JOIN_H

#include "serial.h"

#define JOIN_ECU_BYTES 6
#define JOIN_PAYLOAD_MAX 17
#define JOIN_INTERVAL_US 1500000

/* The stock system's channel. */
#define JOIN_CHANNEL 16

/* Identity of an ECU from 12 hexadecimal digits. Return: 0, or -EINVAL; @ecu untouched. */
int join_ecu_parse(const char *text, uint8_t ecu[JOIN_ECU_BYTES]);

/* PAN of the stock system: the first two bytes of the ECU's identity. */
uint16_t join_pan(const uint8_t ecu[JOIN_ECU_BYTES]);

/* Steps. Columns: identifier, cluster, what follows the serial number. */
/* clang-format off */
#define JOIN_STEPS(X) \
	X(PRIME, 0x020d) /* FFFF 10 FFFF, the ECU's identity */ \
	X(ASK, 0x020c)   /* nothing */ \
	X(COMMIT, 0x010f) /* the ECU's PAN, 10 FFFF, its identity */ \
	X(END, 0x0101)   /* the ECU's identity alone, without the serial number */
/* clang-format on */

enum join_step {
#define X(id, cluster) JOIN_##id,
	JOIN_STEPS(X)
#undef X
		JOIN_STEP_COUNT
};

/* The cluster of a step; the step of a cluster, or -ENOENT. */
uint16_t join_cluster(enum join_step step);
int join_step_of(uint16_t cluster);

/* Payload of a step, at most JOIN_PAYLOAD_MAX bytes; @ecu as it is written, first byte first. */
size_t join_build(enum join_step step, const struct serial *serial,
		  const uint8_t ecu[JOIN_ECU_BYTES], uint8_t *out);

/* What a unit does after a step. */
enum join_action {
	JOIN_NOTHING, /* not for it */
	JOIN_NOTE,    /* which ECU wants it, @ecu */
	JOIN_ANSWER,  /* reply with its short address */
	JOIN_MOVE,    /* go over to the network of @ecu, join_pan() */
};

/**
 * struct join_unit - the unit's side; zeroed to begin with
 * @ecu: that wants the unit
 */
struct join_unit {
	uint8_t ecu[JOIN_ECU_BYTES];
};

/**
 * join_take() - a step, at a unit that allows it
 *
 * Public sources do not say what a unit does at which step. Ours notes the ECU at JOIN_PRIME,
 * answers JOIN_ASK, goes over to the ECU's network at JOIN_COMMIT, and answers JOIN_END there. So
 * an ECU hears the first answer if the unit is already in its network, otherwise the second.
 */
enum join_action join_take(struct join_unit *unit, enum join_step step, const uint8_t *payload,
			   size_t n, const struct serial *own);

/* The serial number that a step names; -EBADMSG for another length, -ENOMSG for JOIN_END. */
int join_parse(enum join_step step, const uint8_t *payload, size_t n, struct serial *ret);

/* Payload of a unit's reply, JOIN_PAYLOAD_MAX bytes at most. */
size_t join_reply_build(const struct serial *serial, const uint8_t ecu[JOIN_ECU_BYTES],
			uint16_t address, uint8_t *out);

/* Short address in a reply: behind the last occurrence of the serial number; 0 for none. */
uint16_t join_reply_address(const struct serial *serial, const uint8_t *payload, size_t n);

#endif /* QS1_LINK_JOIN_H */
