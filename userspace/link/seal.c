// SPDX-License-Identifier: GPL-2.0-or-later
#include "seal.h"

#include <errno.h>
#include <string.h>

#include <sodium.h>

#include "bytes.h"

#define OFFSET_KIND 1
#define OFFSET_SERIAL 2
#define OFFSET_BOOT 8
#define OFFSET_COUNTER 16

_Static_assert(INSTALL_CODE_BYTES >= crypto_generichash_KEYBYTES_MIN, "install code as a key");
_Static_assert(SEAL_MAC_BYTES >= crypto_generichash_BYTES_MIN, "length of the MAC");

/* Keeps the key apart from whatever else may ever be derived from an install code. */
static const uint8_t purpose[] = "qs1 pairing 1";

void seal_derive(const uint8_t *code, const struct serial *serial, const uint8_t *nonce_ecu,
		 const uint8_t *nonce_unit, struct seal_key *ret_key)
{
	crypto_generichash_state state;

	crypto_generichash_init(&state, code, INSTALL_CODE_BYTES, SEAL_KEY_BYTES);
	crypto_generichash_update(&state, purpose, sizeof(purpose) - 1);
	crypto_generichash_update(&state, serial->bcd, SERIAL_BYTES);
	crypto_generichash_update(&state, nonce_ecu, SEAL_NONCE_BYTES);
	crypto_generichash_update(&state, nonce_unit, SEAL_NONCE_BYTES);
	crypto_generichash_final(&state, ret_key->byte, SEAL_KEY_BYTES);
	sodium_memzero(&state, sizeof(state));
}

static void seal_mac(const struct seal_key *key, const uint8_t *message, size_t n, uint8_t *mac)
{
	crypto_generichash(mac, SEAL_MAC_BYTES, message, n, key->byte, SEAL_KEY_BYTES);
}

int seal_make(const struct seal_key *key, const struct seal_head *head, const uint8_t *body,
	      size_t n, uint8_t *out, size_t size)
{
	if (size < SEAL_OVERHEAD || size - SEAL_OVERHEAD < n) {
		return -ENOSPC;
	}
	out[0] = SEAL_VERSION;
	out[OFFSET_KIND] = (uint8_t)head->kind;
	memcpy(out + OFFSET_SERIAL, head->serial.bcd, SERIAL_BYTES);
	bytes_put_le(out + OFFSET_BOOT, 8, head->boot);
	bytes_put_le(out + OFFSET_COUNTER, 4, head->counter);
	if (n > 0) {
		memcpy(out + SEAL_HEAD_BYTES, body, n);
	}
	seal_mac(key, out, SEAL_HEAD_BYTES + n, out + SEAL_HEAD_BYTES + n);
	return (int)(n + SEAL_OVERHEAD);
}

static bool is_proof(enum seal_kind kind)
{
	return kind == SEAL_PAIR_UNIT || kind == SEAL_PAIR_ECU;
}

int seal_check(const struct seal_key *key, const struct seal_head *expected, const uint8_t *message,
	       size_t n, uint32_t *ret_counter, const uint8_t **ret_body, size_t *ret_n)
{
	uint8_t mac[SEAL_MAC_BYTES];
	uint32_t counter;

	if (n < SEAL_OVERHEAD) {
		return -EBADMSG;
	}
	if (message[0] != SEAL_VERSION || message[OFFSET_KIND] != expected->kind) {
		return -EPROTO;
	}
	seal_mac(key, message, n - SEAL_MAC_BYTES, mac);
	if (sodium_memcmp(mac, message + n - SEAL_MAC_BYTES, SEAL_MAC_BYTES) != 0) {
		return -EKEYREJECTED;
	}
	if (memcmp(message + OFFSET_SERIAL, expected->serial.bcd, SERIAL_BYTES) != 0) {
		return -ENXIO;
	}
	if (bytes_get_le(message + OFFSET_BOOT, 8) != expected->boot) {
		return -ESTALE;
	}
	counter = (uint32_t)bytes_get_le(message + OFFSET_COUNTER, 4);
	if (!is_proof(expected->kind) && counter <= expected->counter) {
		return -EALREADY;
	}
	*ret_counter = counter;
	*ret_body = message + SEAL_HEAD_BYTES;
	*ret_n = n - SEAL_OVERHEAD;
	return 0;
}

const char *seal_error(int error)
{
	static const struct {
		int error;
		const char *text;
	} reason[] = {
		{ 0, "" },
		{ -EBADMSG, "sealed message too short" },
		{ -EPROTO, "sealed message of another version or kind" },
		{ -EKEYREJECTED, "wrong message authentication code" },
		{ -ENXIO, "sealed for another serial number" },
		{ -ESTALE, "sealed for another boot of the unit" },
		{ -EALREADY, "counter not above the last accepted: a replay" },
	};

	for (size_t i = 0; i < sizeof(reason) / sizeof(reason[0]); i++) {
		if (reason[i].error == error) {
			return reason[i].text;
		}
	}
	return "unknown reason";
}
