// SPDX-License-Identifier: GPL-2.0-or-later
#include "tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>

#include "../lib/file.h"
#include "../lib/log.h"
#include "../lib/util.h"
#include "wipe.h"

#define DAY_S (24 * 60 * 60)
#define CA_DAYS (20 * 365)
/* Apple's and Mozilla's limit for server certificates is 398 days. */
#define SERVER_DAYS 397
#define RENEW_DAYS 30
/* 2026-01-01T00:00:00Z: a clock that shows less has not been set. */
#define EPOCH_S 1767225600
#define PEM_MAX (64 * 1024)

void tls_pair_free(struct tls_pair *pair)
{
	free(pair->cert);
	wipe_text(&pair->key);
	free(pair->ca);
	*pair = (struct tls_pair){ 0 };
}

static void cleanup_pair(struct tls_pair *pair)
{
	tls_pair_free(pair);
}

static void cleanup_crt(gnutls_x509_crt_t *crt)
{
	if (*crt) {
		gnutls_x509_crt_deinit(*crt);
	}
}

static void cleanup_key(gnutls_x509_privkey_t *key)
{
	if (*key) {
		gnutls_x509_privkey_deinit(*key);
	}
}

static void cleanup_datum(gnutls_datum_t *datum)
{
	/* it may be a key */
	if (datum->data) {
		explicit_bzero(datum->data, datum->size);
	}
	gnutls_free(datum->data);
}

/* Read a text file of at most PEM_MAX bytes. Return 0 or a negative errno. */
static int read_text(const char *path, char **ret_text)
{
	FILE *file __cleanup(close_file) = fopen(path, "re");
	char *text;
	size_t n;

	if (!file) {
		return -errno;
	}
	text = malloc(PEM_MAX + 1);
	if (!text) {
		return -ENOMEM;
	}
	n = fread(text, 1, PEM_MAX + 1, file);
	if (ferror(file) || n > PEM_MAX) {
		free(text);
		return ferror(file) ? -EIO : -EBADMSG;
	}
	text[n] = '\0';
	*ret_text = text;
	return 0;
}

/* A file of the folder, into @path. */
static const char *in_folder(char path[PATH_MAX], const char *folder, const char *name,
			     const char *suffix)
{
	snprintf(path, PATH_MAX, "%s/%s.%s", folder, name, suffix);
	return path;
}

static int write_text(const char *folder, const char *name, const char *suffix, const char *text,
		      mode_t mode)
{
	char path[PATH_MAX];

	return file_replace(in_folder(path, folder, name, suffix), text, strlen(text), mode, true);
}

static char *copy_datum(const gnutls_datum_t *datum)
{
	return strndup((const char *)datum->data, datum->size);
}

static int import_crt(const char *pem, gnutls_x509_crt_t *ret_crt)
{
	gnutls_datum_t datum = { (unsigned char *)pem, strlen(pem) };
	gnutls_x509_crt_t crt __cleanup(cleanup_crt) = NULL;

	if (gnutls_x509_crt_init(&crt) < 0) {
		return -ENOMEM;
	}
	if (gnutls_x509_crt_import(crt, &datum, GNUTLS_X509_FMT_PEM) < 0) {
		return -EBADMSG;
	}
	*ret_crt = crt;
	crt = NULL;
	return 0;
}

static int import_key(const char *pem, gnutls_x509_privkey_t *ret_key)
{
	gnutls_datum_t datum = { (unsigned char *)pem, strlen(pem) };
	gnutls_x509_privkey_t key __cleanup(cleanup_key) = NULL;

	if (gnutls_x509_privkey_init(&key) < 0) {
		return -ENOMEM;
	}
	if (gnutls_x509_privkey_import2(key, &datum, GNUTLS_X509_FMT_PEM, NULL, 0) < 0) {
		return -EBADMSG;
	}
	*ret_key = key;
	key = NULL;
	return 0;
}

/* Load FOLDER/NAME.key, or make the key. */
static int load_or_make_key(const char *folder, const char *name, char **ret_pem,
			    gnutls_x509_privkey_t *ret_key)
{
	gnutls_x509_privkey_t key __cleanup(cleanup_key) = NULL;
	gnutls_datum_t datum __cleanup(cleanup_datum) = { 0 };
	char *pem __cleanup(wipe_text) = NULL;
	char path[PATH_MAX];
	int ret = read_text(in_folder(path, folder, name, "key"), &pem);

	if (ret == 0) {
		ret = import_key(pem, &key);
	} else if (ret == -ENOENT) {
		if (gnutls_x509_privkey_init(&key) < 0 ||
		    gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
						 GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1),
						 0) < 0 ||
		    gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL,
						      GNUTLS_PKCS_PLAIN, &datum) < 0) {
			return -EIO;
		}
		pem = copy_datum(&datum);
		ret = pem ? write_text(folder, name, "key", pem, 0600) : -ENOMEM;
	}
	if (ret < 0) {
		return ret;
	}
	*ret_pem = pem;
	*ret_key = key;
	pem = NULL;
	key = NULL;
	return 0;
}

/* Name, serial number, validity, key and its identifier: what every certificate has. */
static int fill_crt(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key, const char *name, time_t from,
		    int days)
{
	unsigned char serial[16];
	unsigned char id[64];
	size_t id_size = sizeof(id);

	if (gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof(serial)) < 0) {
		return -EIO;
	}
	serial[0] &= 0x7f; /* a positive number */
	if (gnutls_x509_crt_set_version(crt, 3) < 0 || gnutls_x509_crt_set_key(crt, key) < 0 ||
	    gnutls_x509_crt_set_serial(crt, serial, sizeof(serial)) < 0 ||
	    gnutls_x509_crt_set_activation_time(crt, from) < 0 ||
	    gnutls_x509_crt_set_expiration_time(crt, from + (time_t)days * DAY_S) < 0 ||
	    gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, name, strlen(name)) <
		    0 ||
	    gnutls_x509_crt_get_key_id(crt, 0, id, &id_size) < 0 ||
	    gnutls_x509_crt_set_subject_key_id(crt, id, id_size) < 0) {
		return -EIO;
	}
	return 0;
}

/* Sign and export. */
static int finish_crt(gnutls_x509_crt_t crt, gnutls_x509_crt_t issuer,
		      gnutls_x509_privkey_t issuer_key, char **ret_pem)
{
	gnutls_datum_t datum __cleanup(cleanup_datum) = { 0 };

	if (gnutls_x509_crt_sign2(crt, issuer, issuer_key, GNUTLS_DIG_SHA256, 0) < 0 ||
	    gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &datum) < 0) {
		return -EIO;
	}
	*ret_pem = copy_datum(&datum);
	return *ret_pem ? 0 : -ENOMEM;
}

static int make_ca(gnutls_x509_privkey_t key, const char *name, char **ret_pem)
{
	gnutls_x509_crt_t crt __cleanup(cleanup_crt) = NULL;
	char common[128];
	int ret;

	snprintf(common, sizeof(common), "%s authority", name);
	if (gnutls_x509_crt_init(&crt) < 0) {
		return -ENOMEM;
	}
	ret = fill_crt(crt, key, common, EPOCH_S, CA_DAYS);
	if (ret < 0) {
		return ret;
	}
	if (gnutls_x509_crt_set_basic_constraints(crt, 1, 0) < 0 ||
	    gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN) <
		    0) {
		return -EIO;
	}
	return finish_crt(crt, crt, key, ret_pem);
}

/* One alternative name: an address, or a DNS name. */
static int add_san(gnutls_x509_crt_t crt, const char *san)
{
	unsigned char address[16];
	int family = strchr(san, ':') ? AF_INET6 : AF_INET;
	int ret;

	if (inet_pton(family, san, address) == 1) {
		ret = gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, address,
							   family == AF_INET ? 4 : 16,
							   GNUTLS_FSAN_APPEND);
	} else {
		ret = gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, san,
							   strlen(san), GNUTLS_FSAN_APPEND);
	}
	return ret < 0 ? -EIO : 0;
}

static int make_server(gnutls_x509_privkey_t key, gnutls_x509_crt_t ca,
		       gnutls_x509_privkey_t ca_key, const char *name, const char *const *san,
		       time_t now, char **ret_pem)
{
	gnutls_x509_crt_t crt __cleanup(cleanup_crt) = NULL;
	unsigned char id[64];
	size_t id_size = sizeof(id);
	/* A day before, for clients whose clock is behind. */
	time_t from = now - DAY_S > EPOCH_S ? now - DAY_S : EPOCH_S;
	int ret;

	if (gnutls_x509_crt_init(&crt) < 0) {
		return -ENOMEM;
	}
	ret = fill_crt(crt, key, name, from, SERVER_DAYS);
	for (int i = 0; san[i] && ret == 0; i++) {
		ret = add_san(crt, san[i]);
	}
	if (ret < 0) {
		return ret;
	}
	if (gnutls_x509_crt_set_basic_constraints(crt, 0, -1) < 0 ||
	    gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_DIGITAL_SIGNATURE) < 0 ||
	    gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_SERVER, 0) < 0 ||
	    gnutls_x509_crt_get_subject_key_id(ca, id, &id_size, NULL) < 0 ||
	    gnutls_x509_crt_set_authority_key_id(crt, id, id_size) < 0) {
		return -EIO;
	}
	return finish_crt(crt, ca, ca_key, ret_pem);
}

/* Is the certificate for this key, all names, and valid for RENEW_DAYS? */
static bool still_good(const char *pem, gnutls_x509_privkey_t key, const char *const *san,
		       time_t now)
{
	gnutls_x509_crt_t crt __cleanup(cleanup_crt) = NULL;
	unsigned char of_crt[64], of_key[64];
	size_t crt_size = sizeof(of_crt), key_size = sizeof(of_key);

	if (import_crt(pem, &crt) < 0 ||
	    gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA256, of_crt, &crt_size) < 0 ||
	    gnutls_x509_privkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, of_key, &key_size) < 0 ||
	    crt_size != key_size || memcmp(of_crt, of_key, key_size)) {
		return false;
	}
	for (int i = 0; san && san[i]; i++) {
		if (!gnutls_x509_crt_check_hostname(crt, san[i])) {
			return false;
		}
	}
	return gnutls_x509_crt_get_activation_time(crt) <= now &&
	       gnutls_x509_crt_get_expiration_time(crt) > now + RENEW_DAYS * DAY_S;
}

/**
 * struct authority - the service's own
 */
struct authority {
	char *pem;
	gnutls_x509_crt_t crt;
	gnutls_x509_privkey_t key;
};

static void cleanup_authority(struct authority *ca)
{
	free(ca->pem);
	cleanup_crt(&ca->crt);
	cleanup_key(&ca->key);
}

static int load_authority(const char *folder, const char *name, struct authority *ca)
{
	char *key_pem __cleanup(wipe_text) = NULL;
	char path[PATH_MAX];
	int ret = load_or_make_key(folder, "ca", &key_pem, &ca->key);

	if (ret < 0) {
		return ret;
	}
	ret = read_text(in_folder(path, folder, "ca", "pem"), &ca->pem);
	if (ret == -ENOENT) {
		ret = make_ca(ca->key, name, &ca->pem);
		if (ret == 0) {
			ret = write_text(folder, "ca", "pem", ca->pem, 0644);
		}
	}
	return ret < 0 ? ret : import_crt(ca->pem, &ca->crt);
}

/* The server's certificate and key, without the authority's. */
static int load_server(const char *folder, const char *name, const char *const *san, time_t now,
		       const struct authority *ca, struct tls_pair *pair)
{
	gnutls_x509_privkey_t key __cleanup(cleanup_key) = NULL;
	char path[PATH_MAX];
	int ret = load_or_make_key(folder, "server", &pair->key, &key);

	if (ret < 0) {
		return ret;
	}
	ret = read_text(in_folder(path, folder, "server", "pem"), &pair->cert);
	if (ret == 0 && still_good(pair->cert, key, san, now)) {
		return 0;
	}
	if (ret < 0 && ret != -ENOENT) {
		return ret;
	}
	free(pair->cert);
	pair->cert = NULL;
	ret = make_server(key, ca->crt, ca->key, name, san, now, &pair->cert);
	if (ret < 0) {
		return ret;
	}
	log_notice("TLS: new certificate for %s", name);
	return write_text(folder, "server", "pem", pair->cert, 0644);
}

int tls_server_pair(const char *folder, const char *name, const char *const *san, int64_t now_ms,
		    struct tls_pair *ret_pair, char *err, size_t size)
{
	time_t now = now_ms / 1000 > EPOCH_S ? now_ms / 1000 : EPOCH_S;
	struct authority ca __cleanup(cleanup_authority) = { 0 };
	struct tls_pair pair __cleanup(cleanup_pair) = { 0 };
	char *chain;
	int ret = load_authority(folder, name, &ca);

	if (ret < 0) {
		snprintf(err, size, "%s/ca.pem or ca.key: %s", folder, strerror(-ret));
		return ret;
	}
	ret = load_server(folder, name, san, now, &ca, &pair);
	if (ret < 0) {
		snprintf(err, size, "%s/server.pem or server.key: %s", folder, strerror(-ret));
		return ret;
	}
	if (asprintf(&chain, "%s%s", pair.cert, ca.pem) < 0) {
		return -ENOMEM;
	}
	*ret_pair = (struct tls_pair){ .cert = chain, .key = pair.key, .ca = ca.pem };
	pair.key = NULL;
	ca.pem = NULL;
	return 0;
}

int tls_client_pair(const char *folder, const char *name, struct tls_pair *ret_pair, char *err,
		    size_t size)
{
	gnutls_x509_privkey_t key __cleanup(cleanup_key) = NULL;
	gnutls_x509_crt_t crt __cleanup(cleanup_crt) = NULL;
	struct tls_pair pair __cleanup(cleanup_pair) = { 0 };
	char path[PATH_MAX];
	int ret = load_or_make_key(folder, name, &pair.key, &key);

	if (ret == 0) {
		ret = read_text(in_folder(path, folder, name, "pem"), &pair.cert);
	}
	if (ret == -ENOENT && gnutls_x509_crt_init(&crt) == 0) {
		ret = fill_crt(crt, key, name, EPOCH_S, CA_DAYS);
		if (ret == 0) {
			ret = finish_crt(crt, crt, key, &pair.cert);
		}
		if (ret == 0) {
			ret = write_text(folder, name, "pem", pair.cert, 0644);
		}
	}
	if (ret == 0 && !still_good(pair.cert, key, NULL, EPOCH_S)) {
		ret = -EBADMSG;
	}
	if (ret < 0) {
		snprintf(err, size, "%s/%s.pem or .key: %s", folder, name, strerror(-ret));
		return ret;
	}
	*ret_pair = pair;
	pair = (struct tls_pair){ 0 };
	return 0;
}

static gnutls_datum_t datum_of(char *text)
{
	return (gnutls_datum_t){ (unsigned char *)text, strlen(text) };
}

int tls_credentials(const struct tls_pair *pair, bool name_ca,
		    gnutls_certificate_credentials_t *ret)
{
	gnutls_datum_t cert = datum_of(pair->cert), key = datum_of(pair->key);
	gnutls_certificate_credentials_t credentials;

	if (gnutls_certificate_allocate_credentials(&credentials) < 0) {
		return -ENOMEM;
	}
	if (gnutls_certificate_set_x509_key_mem(credentials, &cert, &key, GNUTLS_X509_FMT_PEM) <
	    0) {
		gnutls_certificate_free_credentials(credentials);
		return -EINVAL;
	}
	if (name_ca) {
		gnutls_datum_t ca = datum_of(pair->ca);

		gnutls_certificate_set_x509_trust_mem(credentials, &ca, GNUTLS_X509_FMT_PEM);
	}
	*ret = credentials;
	return 0;
}

/* SHA-256 of the SubjectPublicKeyInfo. */
static int crt_hash(gnutls_x509_crt_t crt, uint8_t ret_hash[TLS_HASH_SIZE])
{
	size_t size = TLS_HASH_SIZE;

	/* GnuTLS hashes the SubjectPublicKeyInfo for a key identifier. */
	return gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA256, ret_hash, &size) < 0
		       ? -EBADMSG
		       : 0;
}

int tls_cert_hash(const char *pem, uint8_t ret_hash[TLS_HASH_SIZE])
{
	gnutls_x509_crt_t crt __cleanup(cleanup_crt) = NULL;
	int ret = import_crt(pem, &crt);

	return ret < 0 ? ret : crt_hash(crt, ret_hash);
}

int tls_peer_hash(gnutls_session_t session, uint8_t ret_hash[TLS_HASH_SIZE])
{
	gnutls_x509_crt_t crt __cleanup(cleanup_crt) = NULL;
	unsigned int count = 0;
	const gnutls_datum_t *list = gnutls_certificate_get_peers(session, &count);

	if (!list || !count) {
		return -ENOENT;
	}
	if (gnutls_x509_crt_init(&crt) < 0) {
		return -ENOMEM;
	}
	if (gnutls_x509_crt_import(crt, &list[0], GNUTLS_X509_FMT_DER) < 0) {
		return -EBADMSG;
	}
	return crt_hash(crt, ret_hash);
}

void tls_hash_hex(const uint8_t hash[TLS_HASH_SIZE], char ret_hex[TLS_HASH_HEX_SIZE])
{
	for (int i = 0; i < TLS_HASH_SIZE; i++) {
		snprintf(ret_hex + 2 * i, 3, "%02x", hash[i]);
	}
}
