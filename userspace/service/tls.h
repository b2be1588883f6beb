/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys and certificates of a service: its own certificate authority, a server certificate that it
 * renews, and hashes of public keys. Keys are ECDSA on P-256.
 */
#ifndef QS1_TLS_H
#define QS1_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gnutls/gnutls.h>

/* SHA-256 of a public key in SubjectPublicKeyInfo form (RFC 7469, 2.4). */
#define TLS_HASH_SIZE 32
#define TLS_HASH_HEX_SIZE (2 * TLS_HASH_SIZE + 1)

/**
 * struct tls_pair - what a TLS end needs; all PEM, NUL terminated
 * @cert: certificate, followed by that of the authority
 * @key: private key of the certificate
 * @ca: certificate of the authority
 */
struct tls_pair {
	char *cert;
	char *key;
	char *ca;
};

void tls_pair_free(struct tls_pair *pair);

/**
 * tls_server_pair() - load the server's certificate, and make or renew what is missing
 * @folder: holds ca.pem, ca.key, server.pem and server.key; keys have mode 0600
 * @name: common name, as "ecu-216000000001"
 * @san: DNS names and addresses of the server, ended by NULL
 * @now_ms: time since 1970
 * @ret_pair: freed by tls_pair_free(); untouched on failure
 * @err: on failure the reason with the file
 *
 * The authority is valid for 20 years, a server certificate for 397 days; one that ends within 30
 * days, or does not list all of @san, is replaced and keeps its key. A clock before 2026 counts as
 * the start of 2026, so that a board without a battery serves a usable certificate.
 *
 * Return: 0; -EBADMSG for a damaged file; or a negative errno.
 */
int tls_server_pair(const char *folder, const char *name, const char *const *san, int64_t now_ms,
		    struct tls_pair *ret_pair, char *err, size_t size);

/**
 * tls_client_pair() - load a client's self-signed certificate, and make it if missing
 * @folder: holds NAME.pem and NAME.key
 *
 * The peer knows the client by the hash of its key alone. @ret_pair has no @ca.
 */
int tls_client_pair(const char *folder, const char *name, struct tls_pair *ret_pair, char *err,
		    size_t size);

/**
 * tls_credentials() - a pair as GnuTLS wants it
 * @name_ca: name @pair->ca to clients that are asked for a certificate
 * @ret: freed by gnutls_certificate_free_credentials()
 *
 * Return: 0; -EINVAL for a certificate or key that is none; -ENOMEM.
 */
int tls_credentials(const struct tls_pair *pair, bool name_ca,
		    gnutls_certificate_credentials_t *ret);

/**
 * tls_cert_hash() - hash of the public key of the first certificate in a PEM text
 *
 * Return: 0 or -EBADMSG.
 */
int tls_cert_hash(const char *pem, uint8_t ret_hash[TLS_HASH_SIZE]);

/**
 * tls_peer_hash() - hash of the public key that the peer of a session has proved
 *
 * The certificate's issuer and validity are not checked: the caller compares the hash with those
 * that are enrolled.
 *
 * Return: 0; -ENOENT when the peer sent no certificate; -EBADMSG.
 */
int tls_peer_hash(gnutls_session_t session, uint8_t ret_hash[TLS_HASH_SIZE]);

/* Lower-case hexadecimal digits of a hash. */
void tls_hash_hex(const uint8_t hash[TLS_HASH_SIZE], char ret_hex[TLS_HASH_HEX_SIZE]);

#endif /* QS1_TLS_H */
