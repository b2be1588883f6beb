// SPDX-License-Identifier: GPL-2.0-or-later
#include "pairing.h"

#include <errno.h>
#include <string.h>

#include <sodium.h>

int pairing_init(struct pairing *pairing, const char *label)
{
	int ret;

	*pairing = (struct pairing){ .labelled = false };
	if (sodium_init() < 0) {
		return -EIO;
	}
	randombytes_buf(&pairing->boot, sizeof(pairing->boot));
	if (!label) {
		return 0;
	}
	ret = label_parse(label, &pairing->serial, pairing->code);
	pairing->labelled = ret == 0;
	return ret;
}

static struct seal_head head_of(const struct pairing *pairing, enum seal_kind kind)
{
	bool proof = kind == SEAL_PAIR_UNIT || kind == SEAL_PAIR_ECU;

	return (struct seal_head){
		.kind = kind,
		.serial = pairing->serial,
		.boot = proof ? 0 : pairing->boot,
		.counter = proof ? 0 : pairing->counter,
	};
}

int pairing_begin(struct pairing *pairing, const uint8_t *nonce_ecu, uint8_t *ret_nonce,
		  uint8_t *ret_proof)
{
	struct seal_head head = head_of(pairing, SEAL_PAIR_UNIT);

	if (!pairing->labelled) {
		return -ENOKEY;
	}
	randombytes_buf(ret_nonce, SEAL_NONCE_BYTES);
	seal_derive(pairing->code, &pairing->serial, nonce_ecu, ret_nonce, &pairing->offer);
	pairing->offered = true;
	seal_make(&pairing->offer, &head, NULL, 0, ret_proof, SEAL_OVERHEAD);
	return 0;
}

bool pairing_is_proof(const uint8_t *message, size_t n)
{
	return n > 1 && message[1] == SEAL_PAIR_ECU;
}

int pairing_end(struct pairing *pairing, const uint8_t *message, size_t n, struct seal_key *ret_key)
{
	struct seal_head head = head_of(pairing, SEAL_PAIR_ECU);
	const uint8_t *body;
	uint32_t counter;
	size_t length;
	int ret;

	if (!pairing->offered) {
		return -ENOKEY;
	}
	ret = seal_check(&pairing->offer, &head, message, n, &counter, &body, &length);
	if (ret < 0) {
		pairing->offered = false;
		return ret;
	}
	*ret_key = pairing->offer;
	return 0;
}

int pairing_open(struct pairing *pairing, const struct seal_key *key, const uint8_t *message,
		 size_t n, uint32_t *ret_counter, const uint8_t **ret_body, size_t *ret_n)
{
	struct seal_head head = head_of(pairing, SEAL_COMMAND);
	const uint8_t *mac = message + n - SEAL_MAC_BYTES;
	int ret;

	if (!pairing->labelled) {
		return -ENOKEY;
	}
	ret = seal_check(key, &head, message, n, ret_counter, ret_body, ret_n);
	/* The MAC is right, and covers all of the message. */
	if (ret == -EALREADY && !memcmp(mac, pairing->newest, SEAL_MAC_BYTES)) {
		return PAIRING_REPEATED;
	}
	if (ret < 0) {
		return ret;
	}
	pairing->counter = *ret_counter;
	memcpy(pairing->newest, mac, SEAL_MAC_BYTES);
	pairing->reply_n = 0;
	return 0;
}

int pairing_reply(struct pairing *pairing, const struct seal_key *key, uint32_t counter,
		  const char *body, uint8_t *out)
{
	struct seal_head head = head_of(pairing, SEAL_REPLY);
	int n;

	head.counter = counter;
	n = seal_make(key, &head, (const uint8_t *)body, strlen(body), out, PAIRING_MESSAGE_MAX);
	if (n > 0 && counter == pairing->counter) {
		memcpy(pairing->reply, out, (size_t)n);
		pairing->reply_n = (size_t)n;
	}
	return n;
}
