// SPDX-License-Identifier: GPL-2.0-or-later
#include "join.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"

static const uint16_t cluster_of[] = {
#define X(id, cluster) [JOIN_##id] = cluster,
	JOIN_STEPS(X)
#undef X
};

int join_ecu_parse(const char *text, uint8_t ecu[JOIN_ECU_BYTES])
{
	if (strlen(text) != 2 * JOIN_ECU_BYTES ||
	    strspn(text, "0123456789abcdefABCDEF") != 2 * JOIN_ECU_BYTES) {
		return -EINVAL;
	}
	bytes_put_be(ecu, JOIN_ECU_BYTES, strtoull(text, NULL, 16));
	return 0;
}

uint16_t join_pan(const uint8_t ecu[JOIN_ECU_BYTES])
{
	return (uint16_t)bytes_get_le(ecu, 2);
}

uint16_t join_cluster(enum join_step step)
{
	return cluster_of[step];
}

int join_step_of(uint16_t cluster)
{
	for (int step = 0; step < JOIN_STEP_COUNT; step++) {
		if (cluster_of[step] == cluster) {
			return step;
		}
	}
	return -ENOENT;
}

static uint8_t *put_reversed(uint8_t *at, const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		at[i] = bytes[n - 1 - i];
	}
	return at + n;
}

static uint8_t *put_bytes(uint8_t *at, const uint8_t *bytes, size_t n)
{
	memcpy(at, bytes, n);
	return at + n;
}

size_t join_build(enum join_step step, const struct serial *serial,
		  const uint8_t ecu[JOIN_ECU_BYTES], uint8_t *out)
{
	static const uint8_t any[] = { 0xff, 0xff };
	static const uint8_t channel_any[] = { 0x10, 0xff, 0xff };
	uint8_t *at = out;

	if (step != JOIN_END) {
		at = put_bytes(at, serial->bcd, SERIAL_BYTES);
	}
	if (step == JOIN_PRIME) {
		at = put_bytes(at, any, sizeof(any));
	} else if (step == JOIN_COMMIT) {
		at = put_reversed(at, ecu, 2);
	}
	if (step == JOIN_PRIME || step == JOIN_COMMIT) {
		at = put_bytes(at, channel_any, sizeof(channel_any));
	}
	if (step != JOIN_ASK) {
		at = put_reversed(at, ecu, JOIN_ECU_BYTES);
	}
	return (size_t)(at - out);
}

int join_parse(enum join_step step, const uint8_t *payload, size_t n, struct serial *ret)
{
	static const uint8_t none[JOIN_ECU_BYTES];
	uint8_t likewise[JOIN_PAYLOAD_MAX];
	struct serial serial;

	if (step == JOIN_END) {
		return -ENOMSG;
	}
	if (n < SERIAL_BYTES) {
		return -EBADMSG;
	}
	memcpy(serial.bcd, payload, SERIAL_BYTES);
	if (n != join_build(step, &serial, none, likewise) || !serial_valid(&serial)) {
		return -EBADMSG;
	}
	*ret = serial;
	return 0;
}

size_t join_reply_build(const struct serial *serial, const uint8_t ecu[JOIN_ECU_BYTES],
			uint16_t address, uint8_t *out)
{
	uint8_t *at = put_reversed(out, ecu, JOIN_ECU_BYTES);

	at = put_bytes(at, serial->bcd, SERIAL_BYTES);
	bytes_put_le(at, 2, address);
	return (size_t)(at + 2 - out);
}

uint16_t join_reply_address(const struct serial *serial, const uint8_t *payload, size_t n)
{
	uint16_t address = 0;

	for (size_t at = 0; at + SERIAL_BYTES + 2 <= n; at++) {
		if (!memcmp(payload + at, serial->bcd, SERIAL_BYTES)) {
			address = (uint16_t)bytes_get_le(payload + at + SERIAL_BYTES, 2);
		}
	}
	return address;
}

enum join_action join_take(struct join_unit *unit, enum join_step step, const uint8_t *payload,
			   size_t n, const struct serial *own)
{
	uint8_t ecu[JOIN_ECU_BYTES];
	struct serial serial;

	if (step == JOIN_END) {
		put_reversed(ecu, unit->ecu, JOIN_ECU_BYTES);
		return n == JOIN_ECU_BYTES && !memcmp(payload, ecu, n) ? JOIN_ANSWER : JOIN_NOTHING;
	}
	if (join_parse(step, payload, n, &serial) < 0 || !serial_equal(&serial, own)) {
		return JOIN_NOTHING;
	}
	if (step == JOIN_ASK) {
		return JOIN_ANSWER;
	}
	put_reversed(unit->ecu, payload + n - JOIN_ECU_BYTES, JOIN_ECU_BYTES);
	return step == JOIN_COMMIT ? JOIN_MOVE : JOIN_NOTE;
}
