// SPDX-License-Identifier: GPL-2.0-or-later
/* Keys of customers, see vault.h. */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "db.h"
#include "util.h"
#include "vault.h"

#define KEY_BYTES crypto_aead_xchacha20poly1305_ietf_KEYBYTES
#define NONCE_BYTES crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define CACHE 1024

static_assert(NONCE_BYTES + crypto_aead_xchacha20poly1305_ietf_ABYTES == VAULT_OVERHEAD,
	      "overhead of a sealed blob");

/* A key of NULL is one that was destroyed: the row stays, so that no new one is made. */
static const char *const steps[] = {
	"CREATE TABLE keys (tenant INTEGER PRIMARY KEY, key BLOB) STRICT;",
	"CREATE TABLE job_keys (id INTEGER PRIMARY KEY CHECK (id = 1), public BLOB NOT NULL, secret "
	"BLOB NOT NULL) STRICT;",
};

struct cached {
	int64_t tenant;
	uint8_t key[KEY_BYTES];
};

struct vault {
	pthread_mutex_t lock;
	sqlite3 *db;
	struct cached cache[CACHE];
};

int vault_open(struct vault **ret_vault, const char *path, char *err, size_t size)
{
	struct vault *vault = calloc(1, sizeof(*vault));
	int ret;

	if (!vault) {
		return -ENOMEM;
	}
	pthread_mutex_init(&vault->lock, NULL);
	ret = db_open(&vault->db, path, DB_SAFE, err, size);
	if (ret == 0) {
		ret = db_migrate(vault->db, "keys", steps, ARRAY_SIZE(steps), err, size);
	}
	if (ret < 0) {
		vault_close(vault);
		return ret;
	}
	*ret_vault = vault;
	return 0;
}

void vault_close(struct vault *vault)
{
	if (!vault) {
		return;
	}
	db_close(vault->db);
	pthread_mutex_destroy(&vault->lock);
	sodium_memzero(vault, sizeof(*vault));
	free(vault);
}

/* Reads the key of the file. Return: 1, 0 when there is no row, or a negative errno. */
static int read_key(struct vault *vault, int64_t tenant, uint8_t *key)
{
	sqlite3_stmt *statement __cleanup(db_finalize) = NULL;
	int ret = db_prepare(vault->db, &statement, "SELECT key FROM keys WHERE tenant = ?", "i",
			     tenant);

	if (ret == 0) {
		ret = db_step(statement);
	}
	if (ret == 1 && sqlite3_column_bytes(statement, 0) != KEY_BYTES) {
		return -EKEYREVOKED;
	}
	if (ret == 1) {
		memcpy(key, sqlite3_column_blob(statement, 0), KEY_BYTES);
	}
	return ret;
}

static int find_key(struct vault *vault, int64_t tenant, uint8_t *key)
{
	struct cached *cached = &vault->cache[(uint64_t)tenant % CACHE];
	int ret = 1;

	pthread_mutex_lock(&vault->lock);
	if (cached->tenant == tenant) {
		memcpy(key, cached->key, KEY_BYTES);
	} else {
		ret = read_key(vault, tenant, key);
		if (ret == 0) {
			randombytes_buf(key, KEY_BYTES);
			ret = db_run(vault->db, "INSERT INTO keys VALUES (?, ?)", "ib", tenant, key,
				     (size_t)KEY_BYTES);
			if (ret == -EEXIST) {
				/* Another process was faster. */
				ret = read_key(vault, tenant, key);
			}
		}
		if (ret > 0) {
			cached->tenant = tenant;
			memcpy(cached->key, key, KEY_BYTES);
		}
	}
	pthread_mutex_unlock(&vault->lock);
	return ret < 0 ? ret : 0;
}

int vault_seal(struct vault *vault, int64_t tenant, const uint8_t *bytes, size_t n,
	       uint8_t **ret_bytes, size_t *ret_n)
{
	uint8_t key[KEY_BYTES];
	uint8_t *out;
	int ret = find_key(vault, tenant, key);

	if (ret < 0) {
		return ret;
	}
	out = malloc(n + VAULT_OVERHEAD);
	if (out) {
		randombytes_buf(out, NONCE_BYTES);
		crypto_aead_xchacha20poly1305_ietf_encrypt(out + NONCE_BYTES, NULL, bytes, n, NULL,
							   0, NULL, out, key);
		*ret_bytes = out;
		*ret_n = n + VAULT_OVERHEAD;
	}
	sodium_memzero(key, sizeof(key));
	return out ? 0 : -ENOMEM;
}

int vault_open_bytes(struct vault *vault, int64_t tenant, const uint8_t *bytes, size_t n,
		     uint8_t **ret_bytes, size_t *ret_n)
{
	uint8_t key[KEY_BYTES];
	uint8_t *out;
	int ret;

	if (n < VAULT_OVERHEAD) {
		return -EBADMSG;
	}
	ret = find_key(vault, tenant, key);
	if (ret < 0) {
		return ret;
	}
	out = malloc(n - VAULT_OVERHEAD + 1);
	if (!out) {
		ret = -ENOMEM;
	} else if (crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL, bytes + NONCE_BYTES,
							      n - NONCE_BYTES, NULL, 0, bytes,
							      key) != 0) {
		free(out);
		ret = -EBADMSG;
	} else {
		*ret_bytes = out;
		*ret_n = n - VAULT_OVERHEAD;
	}
	sodium_memzero(key, sizeof(key));
	return ret;
}

int vault_destroy(struct vault *vault, int64_t tenant)
{
	struct cached *cached = &vault->cache[(uint64_t)tenant % CACHE];
	int ret;

	pthread_mutex_lock(&vault->lock);
	if (cached->tenant == tenant) {
		sodium_memzero(cached, sizeof(*cached));
	}
	ret = db_run(
		vault->db,
		"INSERT INTO keys VALUES (?, NULL) ON CONFLICT (tenant) DO UPDATE SET key = NULL",
		"i", tenant);
	if (ret >= 0) {
		/* The write-ahead log has older copies of the page. */
		ret = db_exec(vault->db, "PRAGMA wal_checkpoint(TRUNCATE)");
	}
	pthread_mutex_unlock(&vault->lock);
	return ret < 0 ? ret : 0;
}

int vault_job_keys(struct vault *vault, uint8_t ret_public[JOB_PUBLIC_BYTES],
		   uint8_t ret_secret[JOB_SECRET_BYTES])
{
	sqlite3_stmt *statement __cleanup(db_finalize) = NULL;
	int ret;

	/* Another part may have made one. */
	job_keys(ret_public, ret_secret);
	pthread_mutex_lock(&vault->lock);
	ret = db_run(vault->db, "INSERT INTO job_keys VALUES (1, ?, ?) ON CONFLICT DO NOTHING",
		     "bb", ret_public, (size_t)JOB_PUBLIC_BYTES, ret_secret,
		     (size_t)JOB_SECRET_BYTES);
	if (ret >= 0) {
		ret = db_prepare(vault->db, &statement, "SELECT public, secret FROM job_keys", "");
	}
	if (ret == 0) {
		ret = db_step(statement);
	}
	if (ret > 0 && sqlite3_column_bytes(statement, 0) == JOB_PUBLIC_BYTES &&
	    sqlite3_column_bytes(statement, 1) == JOB_SECRET_BYTES) {
		memcpy(ret_public, sqlite3_column_blob(statement, 0), JOB_PUBLIC_BYTES);
		memcpy(ret_secret, sqlite3_column_blob(statement, 1), JOB_SECRET_BYTES);
		ret = 0;
	} else if (ret >= 0) {
		ret = -EBADMSG;
	}
	pthread_mutex_unlock(&vault->lock);
	return ret;
}
