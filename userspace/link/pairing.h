/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sealed messages of an ECU, see seal.h: pairing, and the check of each
 * command. It holds what a boot needs, the nonce and the highest counter; the
 * key itself is kept by policy.
 */
#ifndef QS1_LINK_PAIRING_H
#define QS1_LINK_PAIRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "seal.h"

#define PAIRING_BODY_MAX 1024
#define PAIRING_MESSAGE_MAX (PAIRING_BODY_MAX + SEAL_OVERHEAD)

/**
 * struct pairing - this boot's part of a pairing
 * @labelled: the label was read: @serial and @code are valid
 * @serial: of the unit
 * @code: install code
 * @boot: boot nonce, drawn at each start
 * @counter: highest that was accepted
 * @newest: MAC of the command with that counter
 * @reply: sealed reply to that command, for an ECU that did not receive it
 * @reply_n: bytes of @reply; 0 while the command is under way
 * @offered: a pairing was begun, with @offer as its key
 * @offer: key of that pairing
 */
struct pairing {
	bool labelled;
	struct serial serial;
	uint8_t code[INSTALL_CODE_BYTES];
	uint64_t boot;
	uint32_t counter;
	uint8_t newest[SEAL_MAC_BYTES];
	uint8_t reply[PAIRING_MESSAGE_MAX];
	size_t reply_n;
	bool offered;
	struct seal_key offer;
};

/**
 * pairing_init() - draw the boot nonce and take the label
 * @label: the text of the label's QR code, or NULL for none
 *
 * Return: 0, also without a label; -EINVAL, -EBADMSG for a text that is none; -EIO when there are
 * no random numbers.
 */
int pairing_init(struct pairing *pairing, const char *label);

/**
 * pairing_begin() - answer the nonce of an ECU that wants to pair
 * @nonce_ecu: SEAL_NONCE_BYTES bytes
 * @ret_nonce: the unit's, SEAL_NONCE_BYTES bytes
 * @ret_proof: proof of kind SEAL_PAIR_UNIT, SEAL_OVERHEAD bytes
 *
 * A pairing that was begun before is forgotten. The key in force stays.
 *
 * Return: 0 or -ENOKEY without a label.
 */
int pairing_begin(struct pairing *pairing, const uint8_t *nonce_ecu, uint8_t *ret_nonce,
		  uint8_t *ret_proof);

/* Is this a message of kind SEAL_PAIR_ECU? */
bool pairing_is_proof(const uint8_t *message, size_t n);

/**
 * pairing_end() - check the ECU's proof
 * @message: of kind SEAL_PAIR_ECU, @n bytes
 * @ret_key: the key that is to be kept
 *
 * A wrong proof ends the pairing. A right proof may come again, because its answer may be lost: it
 * gives the same key.
 *
 * Return: 0; -ENOKEY when no pairing was begun; what seal_check() found.
 */
int pairing_end(struct pairing *pairing, const uint8_t *message, size_t n,
		struct seal_key *ret_key);

/* The command was accepted before. */
#define PAIRING_REPEATED 1

/**
 * pairing_open() - check a command, and note its counter
 * @key: in force
 * @message: of kind SEAL_COMMAND, @n bytes
 * @ret_counter: of the command, for its reply
 * @ret_body: where its body is within @message
 * @ret_n: length of the body
 *
 * Return: 0; PAIRING_REPEATED for the newest accepted command again, which must not be carried out
 * again: @pairing->reply answers it; -ENOKEY without a label, or what seal_check() found.
 */
int pairing_open(struct pairing *pairing, const struct seal_key *key, const uint8_t *message,
		 size_t n, uint32_t *ret_counter, const uint8_t **ret_body, size_t *ret_n);

/**
 * pairing_reply() - seal the reply to a command, and keep it for a repetition
 * @counter: of the command
 * @out: PAIRING_MESSAGE_MAX bytes
 *
 * Return: bytes written, or -ENOSPC.
 */
int pairing_reply(struct pairing *pairing, const struct seal_key *key, uint32_t counter,
		  const char *body, uint8_t *out);

#endif /* QS1_LINK_PAIRING_H */
