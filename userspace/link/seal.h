/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The seal on a command by radio: a message authentication code (MAC) over the inverter's
 * serial number, its boot nonce, a counter and the body. The unit draws the boot
 * nonce at random at each start and counts from 0; every reply carries both, so neither
 * end has to store the counter, and an ECU that was restored from a backup works. Only the
 * key is stored.
 *
 * A sealed message, integers little-endian:
 *
 *	0	version, SEAL_VERSION
 *	1	kind, enum seal_kind
 *	2	serial number, 6 bytes BCD
 *	8	boot nonce, 8 bytes
 *	16	counter, 4 bytes
 *	20	body
 *	n - 16	MAC: BLAKE2b with the key, 16 bytes, over all before
 *
 * Pairing: the ECU, which has read the label, sends a nonce; the unit answers with a nonce
 * and the proof SEAL_PAIR_UNIT; the ECU sends the proof SEAL_PAIR_ECU. Both derive the key
 * from the label's install code, the serial number and both nonces: nothing secret is sent,
 * and the unit replaces its key only after the ECU's proof.
 *
 * The functions are pure: no state but what the caller passes, no I/O, no allocation.
 * sodium_init() is not needed: nothing here draws random numbers.
 */
#ifndef QS1_LINK_SEAL_H
#define QS1_LINK_SEAL_H

#include <stddef.h>
#include <stdint.h>

#include "serial.h"

#define SEAL_VERSION 1
#define SEAL_NONCE_BYTES 16
#define SEAL_KEY_BYTES 32
#define SEAL_MAC_BYTES 16
#define SEAL_HEAD_BYTES 20
#define SEAL_OVERHEAD (SEAL_HEAD_BYTES + SEAL_MAC_BYTES)

/* What a seal is for: a message of one kind never passes for one of another. */
enum seal_kind {
	SEAL_COMMAND = 1,   /* ECU to unit */
	SEAL_REPLY = 2,	    /* unit to ECU: same boot nonce and counter as the command */
	SEAL_PAIR_UNIT = 3, /* proofs that the sender has derived the key; no body */
	SEAL_PAIR_ECU = 4,
};

/**
 * struct seal_key - what pairing leaves at both ends; the one secret to be stored
 */
struct seal_key {
	uint8_t byte[SEAL_KEY_BYTES];
};

/**
 * struct seal_head - what is sealed beside the body
 * @kind: what the message is for
 * @serial: of the inverter, in both directions
 * @boot: boot nonce of the inverter; 0 in proofs
 * @counter: of the command within this boot, from 1; 0 in proofs
 */
struct seal_head {
	enum seal_kind kind;
	struct serial serial;
	uint64_t boot;
	uint32_t counter;
};

/**
 * seal_derive() - the key of a pairing
 * @code: install code of the label, INSTALL_CODE_BYTES bytes
 * @nonce_ecu, @nonce_unit: SEAL_NONCE_BYTES bytes each, drawn for this pairing
 * @ret_key: BLAKE2b-256 with the install code as its key, over "qs1 pairing 1", the serial
 *           number and both nonces
 */
void seal_derive(const uint8_t *code, const struct serial *serial, const uint8_t *nonce_ecu,
		 const uint8_t *nonce_unit, struct seal_key *ret_key);

/**
 * seal_make() - seal a body
 * @out: the sealed message, @n + SEAL_OVERHEAD bytes; may not overlap @body
 * @size: of @out
 *
 * Return: bytes written, or -ENOSPC.
 */
int seal_make(const struct seal_key *key, const struct seal_head *head, const uint8_t *body,
	      size_t n, uint8_t *out, size_t size);

/**
 * seal_check() - is a message what its sender sealed, for us and new?
 * @expected: kind, serial number and boot nonce that it must have; @expected->counter is the
 *            highest that was accepted so far
 * @message: of @n bytes, as received
 * @ret_counter: of the message, which the caller keeps before it acts; untouched on failure
 * @ret_body, @ret_n: where the body is within @message; untouched on failure
 *
 * Nothing but length, version and kind is looked at before the MAC is right, so that an error
 * of the later ones is the true sender's.
 *
 * Return: 0, or the reason, for which seal_error() has words: -EBADMSG too short; -EPROTO
 * another version or kind; -EKEYREJECTED wrong MAC; -ENXIO another serial number; -ESTALE
 * another boot nonce; -EALREADY a counter that is not above the highest.
 */
int seal_check(const struct seal_key *key, const struct seal_head *expected, const uint8_t *message,
	       size_t n, uint32_t *ret_counter, const uint8_t **ret_body, size_t *ret_n);

/* What seal_check() found, for a log; "" for 0. */
const char *seal_error(int error);

#endif /* QS1_LINK_SEAL_H */
