// SPDX-License-Identifier: GPL-2.0-or-later
#include "auth.h"

#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "../lib/util.h"
#include "db.h"
#include "guess.h"
#include "service_clock.h"

/*
 * Argon2id in 8 MiB: libsodium's interactive setting needs 66 MB, more than a gateway has. OWASP's
 * table asks for 5 passes at 7 MiB.
 */
#define PASSES 5
#define MEMORY (8 * 1024 * 1024)

#define HASH_SIZE 32
#define SECRET_BYTES 32
#define CODE_CHARS 10
#define TOKEN_PREFIX "qs1_"
#define DAY_MS (24LL * 60 * 60 * 1000)

/* Crockford's base 32: no I, L, O, U. */
static const char base32[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static const char *const steps[] = {
	"CREATE TABLE users(id INTEGER PRIMARY KEY AUTOINCREMENT, tenant INTEGER NOT NULL, "
	"name TEXT NOT NULL UNIQUE, role TEXT NOT NULL, hash TEXT NOT NULL, "
	"created_ms INTEGER NOT NULL) STRICT;"
	"CREATE TABLE sessions(hash BLOB PRIMARY KEY, "
	"user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE, "
	"expires_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE tokens(id INTEGER PRIMARY KEY AUTOINCREMENT, hash BLOB NOT NULL UNIQUE, "
	"tenant INTEGER NOT NULL, user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE, "
	"role TEXT NOT NULL, read_only INTEGER NOT NULL, name TEXT NOT NULL, "
	"created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL) STRICT;"
	"CREATE TABLE first_use(id INTEGER PRIMARY KEY CHECK(id=1), code TEXT NOT NULL) STRICT;",
};

/**
 * struct auth - users of a service
 * @db: with the tables above
 * @lock: of @guess and of each use of @db; never held while a password is hashed
 * @guess: failures of addresses and accounts
 * @no_user: hash that no password matches, for users that do not exist
 */
struct auth {
	sqlite3 *db;
	pthread_mutex_t lock;
	struct guess guess;
	char no_user[crypto_pwhash_STRBYTES];
};

static pthread_mutex_t *hold(struct auth *auth)
{
	pthread_mutex_lock(&auth->lock);
	return &auth->lock;
}

static void release(pthread_mutex_t **lock)
{
	pthread_mutex_unlock(*lock);
}

/* Hold the lock until the end of the block. */
#define HOLD(auth) pthread_mutex_t *held __cleanup(release) __attribute__((unused)) = hold(auth)

static const char *const role_names[AUTH_ROLE_COUNT] = {
#define X(id, name) [AUTH_##id] = name,
	AUTH_ROLES(X)
#undef X
};

const char *auth_role_name(enum auth_role role)
{
	return role < AUTH_ROLE_COUNT ? role_names[role] : "";
}

int auth_role_find(const char *name)
{
	for (int role = 0; role < AUTH_ROLE_COUNT; role++) {
		if (!strcmp(role_names[role], name)) {
			return role;
		}
	}
	return -ENOENT;
}

static int hash_password(const char *password, char ret_hash[crypto_pwhash_STRBYTES])
{
	return crypto_pwhash_str(ret_hash, password, strlen(password), PASSES, MEMORY) ? -ENOMEM
										       : 0;
}

int auth_open(struct auth **ret_auth, sqlite3 *db, char *err, size_t size)
{
	struct auth *auth;
	int ret;

	if (sodium_init() < 0) {
		snprintf(err, size, "libsodium: no source of random numbers");
		return -EIO;
	}
	ret = db_migrate(db, "auth", steps, ARRAY_SIZE(steps), err, size);
	if (ret < 0) {
		return ret;
	}
	auth = calloc(1, sizeof(*auth));
	if (!auth || hash_password("", auth->no_user) < 0) {
		snprintf(err, size, "users: %s", strerror(ENOMEM));
		free(auth);
		return -ENOMEM;
	}
	auth->db = db;
	pthread_mutex_init(&auth->lock, NULL);
	*ret_auth = auth;
	return 0;
}

void auth_close(struct auth *auth)
{
	if (auth) {
		pthread_mutex_destroy(&auth->lock);
		free(auth);
	}
}

/* Guesses. */

static int64_t monotonic_ms(void)
{
	return clock_monotonic_us() / 1000;
}

/* -EBUSY while an address or an account is refused. */
static int guess_check(struct auth *auth, const char *from, const char *account, int64_t *wait_ms)
{
	int64_t now = monotonic_ms();
	int64_t wait, other;
	HOLD(auth);

	wait = guess_wait_ms(&auth->guess, from, now);
	other = guess_wait_ms(&auth->guess, account, now);
	wait = wait > other ? wait : other;
	if (wait_ms) {
		*wait_ms = wait;
	}
	return wait ? -EBUSY : 0;
}

/* Count a failure, or forget the failures after a success. */
static void guess_count(struct auth *auth, const char *key, bool passed)
{
	HOLD(auth);

	if (passed) {
		guess_passed(&auth->guess, key);
	} else {
		guess_failed(&auth->guess, key, monotonic_ms());
	}
}

/* Secrets of sessions and tokens. */

static void hash_secret(const char *secret, uint8_t hash[HASH_SIZE])
{
	crypto_generichash(hash, HASH_SIZE, (const unsigned char *)secret, strlen(secret), NULL, 0);
}

static void make_secret(const char *prefix, char secret[AUTH_SECRET_SIZE], uint8_t hash[HASH_SIZE])
{
	unsigned char bytes[SECRET_BYTES];
	size_t n = strlen(prefix);

	randombytes_buf(bytes, sizeof(bytes));
	memcpy(secret, prefix, n);
	sodium_bin2base64(secret + n, AUTH_SECRET_SIZE - n, bytes, sizeof(bytes),
			  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	hash_secret(secret, hash);
	sodium_memzero(bytes, sizeof(bytes));
}

/* First use. */

/* Number of users, or a negative errno. */
static int64_t count_users(struct auth *auth)
{
	sqlite3_stmt *statement __cleanup(db_finalize) = NULL;
	int ret = db_prepare(auth->db, &statement, "SELECT count(*) FROM users", "");

	if (ret == 0) {
		ret = db_step(statement);
	}
	return ret > 0 ? sqlite3_column_int64(statement, 0) : ret;
}

/* The stored code as ten characters. Return 1, 0 if there is none, or a negative errno. */
static int stored_code(struct auth *auth, char code[CODE_CHARS + 1])
{
	sqlite3_stmt *statement __cleanup(db_finalize) = NULL;
	int ret = db_prepare(auth->db, &statement, "SELECT code FROM first_use", "");

	if (ret == 0) {
		ret = db_step(statement);
	}
	if (ret > 0) {
		snprintf(code, CODE_CHARS + 1, "%s", db_text(statement, 0));
	}
	return ret;
}

static int make_code(struct auth *auth, char code[CODE_CHARS + 1])
{
	for (int i = 0; i < CODE_CHARS; i++) {
		code[i] = base32[randombytes_uniform(32)];
	}
	code[CODE_CHARS] = '\0';
	return db_run(auth->db, "INSERT INTO first_use(id, code) VALUES(1, ?)", "s", code);
}

int auth_code(struct auth *auth, char ret_code[AUTH_CODE_SIZE])
{
	char code[CODE_CHARS + 1];
	HOLD(auth);
	int64_t users = count_users(auth);
	int ret;

	if (users) {
		return users < 0 ? users : -ENOENT;
	}
	ret = stored_code(auth, code);
	if (ret == 0) {
		ret = make_code(auth, code);
	}
	if (ret < 0) {
		return ret;
	}
	snprintf(ret_code, AUTH_CODE_SIZE, "%.5s-%.5s", code, code + 5);
	sodium_memzero(code, sizeof(code));
	return 0;
}

/* Does what a person typed equal the code? O is 0, I and L are 1, as Crockford reads them. */
static bool same_code(const char *typed, const char *code)
{
	char plain[CODE_CHARS + 1] = "";
	bool same;
	int n = 0;

	for (; *typed; typed++) {
		char c = toupper((unsigned char)*typed);

		if (c == '-' || c == ' ') {
			continue;
		}
		if (n == CODE_CHARS) {
			return false;
		}
		plain[n++] = c == 'O' ? '0' : c == 'I' || c == 'L' ? '1' : c;
	}
	same = n == CODE_CHARS && !sodium_memcmp(plain, code, CODE_CHARS);
	sodium_memzero(plain, sizeof(plain));
	return same;
}

/* Users. */

static bool name_is_valid(const char *name)
{
	size_t n = strlen(name);

	for (const char *c = name; *c; c++) {
		if (iscntrl((unsigned char)*c)) {
			return false;
		}
	}
	return n > 0 && n < AUTH_NAME_SIZE;
}

static bool password_is_valid(const char *password)
{
	size_t n = strlen(password);

	return n >= AUTH_PASSWORD_MIN && n <= AUTH_PASSWORD_MAX;
}

static int64_t insert_user(struct auth *auth, int64_t tenant, const char *name, enum auth_role role,
			   const char *hash)
{
	sqlite3_stmt *statement __cleanup(db_finalize) = NULL;
	int64_t id = 0;
	int ret = db_prepare(auth->db, &statement,
			     "INSERT INTO users(tenant, name, role, hash, created_ms) "
			     "VALUES(?,?,?,?,?) RETURNING id",
			     "isssi", tenant, name, auth_role_name(role), hash, clock_wall_ms());

	if (ret == 0) {
		ret = db_step(statement);
	}
	if (ret > 0) {
		id = sqlite3_column_int64(statement, 0);
		ret = db_step(statement);
	}
	return ret < 0 ? ret : id;
}

int64_t auth_user_add(struct auth *auth, int64_t tenant, const char *name, enum auth_role role,
		      const char *password)
{
	char hash[crypto_pwhash_STRBYTES];
	int ret;

	if (!name_is_valid(name) || !password_is_valid(password) || role >= AUTH_ROLE_COUNT) {
		return -EINVAL;
	}
	ret = hash_password(password, hash);
	if (ret == 0) {
		HOLD(auth);

		return insert_user(auth, tenant, name, role, hash);
	}
	return ret;
}

/* Replace the code by the first user, in one transaction. */
static int64_t first_user(struct auth *auth, const char *name, const char *hash)
{
	HOLD(auth);
	int64_t id = db_begin(auth->db);

	if (id < 0) {
		return id;
	}
	id = count_users(auth);
	if (id == 0) {
		id = insert_user(auth, 0, name, AUTH_OWNER, hash);
	} else if (id > 0) {
		id = -ENOENT;
	}
	if (id > 0) {
		int ret = db_exec(auth->db, "DELETE FROM first_use");

		ret = ret < 0 ? ret : db_commit(auth->db);
		id = ret < 0 ? ret : id;
	}
	if (id < 0) {
		db_rollback(auth->db);
	}
	return id;
}

/* Compare a code with the stored one. Return 0; -EACCES; -ENOENT once a user exists. */
static int check_code(struct auth *auth, const char *code)
{
	char stored[CODE_CHARS + 1];
	HOLD(auth);
	int64_t users = count_users(auth);
	int ret;

	if (users) {
		return users < 0 ? users : -ENOENT;
	}
	ret = stored_code(auth, stored);
	ret = ret < 0 ? ret : ret > 0 && same_code(code, stored) ? 0 : -EACCES;
	sodium_memzero(stored, sizeof(stored));
	return ret;
}

int64_t auth_setup(struct auth *auth, const char *code, const char *name, const char *password,
		   const char *from, int64_t *wait_ms)
{
	char hash[crypto_pwhash_STRBYTES];
	int ret = guess_check(auth, from, "first use", wait_ms);

	if (ret < 0) {
		return ret;
	}
	ret = check_code(auth, code);
	if (ret == 0 || ret == -EACCES) {
		guess_count(auth, from, ret == 0);
		guess_count(auth, "first use", ret == 0);
	}
	if (ret < 0) {
		return ret;
	}
	if (!name_is_valid(name) || !password_is_valid(password)) {
		return -EINVAL;
	}
	ret = hash_password(password, hash);
	return ret < 0 ? ret : first_user(auth, name, hash);
}

/* Would this tenant be without an owner? */
static int is_last_owner(struct auth *auth, int64_t tenant, int64_t id)
{
	sqlite3_stmt *statement __cleanup(db_finalize) = NULL;
	int ret = db_prepare(auth->db, &statement,
			     "SELECT NOT EXISTS(SELECT 1 FROM users "
			     "WHERE tenant=?1 AND role='owner' AND id<>?2)",
			     "ii", tenant, id);

	if (ret == 0) {
		ret = db_step(statement);
	}
	return ret > 0 ? sqlite3_column_int(statement, 0) : ret;
}

int auth_user_remove(struct auth *auth, int64_t tenant, int64_t id)
{
	HOLD(auth);
	int ret = is_last_owner(auth, tenant, id);

	if (ret) {
		return ret > 0 ? -EPERM : ret;
	}
	ret = db_run(auth->db, "DELETE FROM users WHERE tenant=? AND id=?", "ii", tenant, id);
	return ret > 0 ? 0 : ret < 0 ? ret : -ENOENT;
}

int auth_tenant_remove(struct auth *auth, int64_t tenant)
{
	HOLD(auth);

	/* Sessions and tokens go with their users. */
	return db_run(auth->db, "DELETE FROM users WHERE tenant=?", "i", tenant);
}

static int store_password(struct auth *auth, int64_t tenant, int64_t id, const char *hash)
{
	HOLD(auth);
	int ret = db_run(auth->db, "UPDATE users SET hash=? WHERE tenant=? AND id=?", "sii", hash,
			 tenant, id);

	if (ret <= 0) {
		return ret < 0 ? ret : -ENOENT;
	}
	ret = db_run(auth->db, "DELETE FROM sessions WHERE user_id=?", "i", id);
	return ret < 0 ? ret : 0;
}

int auth_user_password(struct auth *auth, int64_t tenant, int64_t id, const char *password)
{
	char hash[crypto_pwhash_STRBYTES];
	int ret;

	if (!password_is_valid(password)) {
		return -EINVAL;
	}
	ret = hash_password(password, hash);
	return ret < 0 ? ret : store_password(auth, tenant, id, hash);
}

int auth_user_list(struct auth *auth, int64_t tenant, auth_user_fn fn, void *ctx)
{
	HOLD(auth);
	sqlite3_stmt *statement __cleanup(db_finalize) = NULL;
	int ret = db_prepare(auth->db, &statement,
			     "SELECT id, tenant, role, name, created_ms FROM users "
			     "WHERE tenant=? ORDER BY id",
			     "i", tenant);

	while (ret == 0) {
		struct auth_user user;

		ret = db_step(statement);
		if (ret <= 0) {
			return ret;
		}
		user = (struct auth_user){
			.id = sqlite3_column_int64(statement, 0),
			.tenant = sqlite3_column_int64(statement, 1),
			.role = auth_role_find(db_text(statement, 2)),
			.name = db_text(statement, 3),
			.created_ms = sqlite3_column_int64(statement, 4),
		};
		ret = fn(ctx, &user);
	}
	return ret;
}

/* Identity from columns: role, tenant, user, name. */
static int identity_of(sqlite3_stmt *statement, struct auth_identity *identity)
{
	int role = auth_role_find(db_text(statement, 0));

	if (role < 0) {
		return -EACCES;
	}
	*identity = (struct auth_identity){
		.role = role,
		.tenant = sqlite3_column_int64(statement, 1),
		.user_id = sqlite3_column_int64(statement, 2),
	};
	snprintf(identity->name, sizeof(identity->name), "%s", db_text(statement, 3));
	return 0;
}

/* Sessions. */

/* Hash and identity of a user. Return 1, 0 if there is none, or a negative errno. */
static int find_user(struct auth *auth, const char *name, char hash[crypto_pwhash_STRBYTES],
		     struct auth_identity *identity)
{
	HOLD(auth);
	sqlite3_stmt *statement __cleanup(db_finalize) = NULL;
	int ret = db_prepare(auth->db, &statement,
			     "SELECT role, tenant, id, name, hash FROM users WHERE name=?", "s",
			     name);

	if (ret == 0) {
		ret = db_step(statement);
	}
	if (ret <= 0) {
		return ret;
	}
	snprintf(hash, crypto_pwhash_STRBYTES, "%s", db_text(statement, 4));
	ret = identity_of(statement, identity);
	return ret < 0 ? ret : 1;
}

/* Look up a user and compare the password. Return 0 or -EACCES. */
static int check_password(struct auth *auth, const char *name, const char *password,
			  struct auth_identity *identity)
{
	char hash[crypto_pwhash_STRBYTES];
	int found;
	bool same;

	memcpy(hash, auth->no_user, sizeof(hash));
	found = find_user(auth, name, hash, identity);
	if (found < 0) {
		return found;
	}
	same = !crypto_pwhash_str_verify(hash, password, strlen(password));
	return found && same ? 0 : -EACCES;
}

static int start_session(struct auth *auth, int64_t user, char secret[AUTH_SECRET_SIZE])
{
	uint8_t hash[HASH_SIZE];
	int64_t now = clock_wall_ms();
	HOLD(auth);
	int ret = db_run(auth->db, "DELETE FROM sessions WHERE expires_ms<?", "i", now);

	if (ret < 0) {
		return ret;
	}
	make_secret("", secret, hash);
	ret = db_run(auth->db, "INSERT INTO sessions(hash, user_id, expires_ms) VALUES(?,?,?)",
		     "bii", hash, sizeof(hash), user, now + AUTH_SESSION_DAYS * DAY_MS);
	return ret < 0 ? ret : 0;
}

int auth_login(struct auth *auth, const char *name, const char *password, const char *from,
	       char ret_secret[AUTH_SECRET_SIZE], struct auth_identity *ret_identity,
	       int64_t *wait_ms)
{
	char account[AUTH_NAME_SIZE + 8];
	int ret;

	snprintf(account, sizeof(account), "user %s", name);
	ret = guess_check(auth, from, account, wait_ms);
	if (ret < 0) {
		return ret;
	}
	ret = strlen(password) > AUTH_PASSWORD_MAX
		      ? -EACCES
		      : check_password(auth, name, password, ret_identity);
	if (ret == 0 || ret == -EACCES) {
		guess_count(auth, from, ret == 0);
		guess_count(auth, account, ret == 0);
	}
	return ret < 0 ? ret : start_session(auth, ret_identity->user_id, ret_secret);
}

int auth_logout(struct auth *auth, const char *secret)
{
	uint8_t hash[HASH_SIZE];
	HOLD(auth);
	int ret;

	hash_secret(secret, hash);
	ret = db_run(auth->db, "DELETE FROM sessions WHERE hash=?", "b", hash, sizeof(hash));
	return ret < 0 ? ret : 0;
}

int auth_session(struct auth *auth, const char *secret, struct auth_identity *ret_identity)
{
	HOLD(auth);
	sqlite3_stmt *statement __cleanup(db_finalize) = NULL;
	uint8_t hash[HASH_SIZE];
	int ret;

	hash_secret(secret, hash);
	ret = db_prepare(auth->db, &statement,
			 "SELECT u.role, u.tenant, u.id, u.name FROM sessions AS s "
			 "JOIN users AS u ON u.id=s.user_id WHERE s.hash=? AND s.expires_ms>?",
			 "bi", hash, sizeof(hash), clock_wall_ms());
	if (ret == 0) {
		ret = db_step(statement);
	}
	return ret > 0 ? identity_of(statement, ret_identity) : ret < 0 ? ret : -EACCES;
}

/* Tokens. */

int64_t auth_token_add(struct auth *auth, const struct auth_token *token,
		       char ret_secret[AUTH_SECRET_SIZE])
{
	HOLD(auth);
	sqlite3_stmt *statement __cleanup(db_finalize) = NULL;
	uint8_t hash[HASH_SIZE];
	int64_t now = clock_wall_ms();
	int64_t id = 0;
	int ret;

	if (!name_is_valid(token->name) || token->expires_ms <= now ||
	    token->role >= AUTH_ROLE_COUNT) {
		return -EINVAL;
	}
	make_secret(TOKEN_PREFIX, ret_secret, hash);
	ret = db_prepare(auth->db, &statement,
			 "INSERT INTO tokens(hash, tenant, user_id, role, read_only, name, "
			 "created_ms, expires_ms) VALUES(?,?,?,?,?,?,?,?) RETURNING id",
			 "biisisii", hash, sizeof(hash), token->tenant, token->user_id,
			 auth_role_name(token->role), (int64_t)token->read_only, token->name, now,
			 token->expires_ms);
	if (ret == 0) {
		ret = db_step(statement);
	}
	if (ret > 0) {
		id = sqlite3_column_int64(statement, 0);
		ret = db_step(statement);
	}
	return ret < 0 ? ret : id;
}

int auth_token_remove(struct auth *auth, int64_t tenant, int64_t id)
{
	HOLD(auth);
	int ret = db_run(auth->db, "DELETE FROM tokens WHERE tenant=? AND id=?", "ii", tenant, id);

	return ret > 0 ? 0 : ret < 0 ? ret : -ENOENT;
}

int auth_token_list(struct auth *auth, int64_t tenant, auth_token_fn fn, void *ctx)
{
	HOLD(auth);
	sqlite3_stmt *statement __cleanup(db_finalize) = NULL;
	int ret = db_prepare(auth->db, &statement,
			     "SELECT id, tenant, user_id, role, read_only, name, created_ms, "
			     "expires_ms FROM tokens WHERE tenant=? ORDER BY id",
			     "i", tenant);

	while (ret == 0) {
		struct auth_token token;

		ret = db_step(statement);
		if (ret <= 0) {
			return ret;
		}
		token = (struct auth_token){
			.id = sqlite3_column_int64(statement, 0),
			.tenant = sqlite3_column_int64(statement, 1),
			.user_id = sqlite3_column_int64(statement, 2),
			.role = auth_role_find(db_text(statement, 3)),
			.read_only = sqlite3_column_int(statement, 4),
			.name = db_text(statement, 5),
			.created_ms = sqlite3_column_int64(statement, 6),
			.expires_ms = sqlite3_column_int64(statement, 7),
		};
		ret = fn(ctx, &token);
	}
	return ret;
}

/* Look up a token. Return 0, -EACCES, or a negative errno. */
static int find_token(struct auth *auth, const char *secret, struct auth_identity *identity)
{
	HOLD(auth);
	sqlite3_stmt *statement __cleanup(db_finalize) = NULL;
	uint8_t hash[HASH_SIZE];
	int ret;

	hash_secret(secret, hash);
	ret = db_prepare(auth->db, &statement,
			 "SELECT role, tenant, user_id, 'token ' || name, id, read_only "
			 "FROM tokens WHERE hash=? AND expires_ms>?",
			 "bi", hash, sizeof(hash), clock_wall_ms());
	if (ret == 0) {
		ret = db_step(statement);
	}
	if (ret <= 0) {
		return ret < 0 ? ret : -EACCES;
	}
	ret = identity_of(statement, identity);
	identity->token_id = sqlite3_column_int64(statement, 4);
	identity->read_only = sqlite3_column_int(statement, 5);
	return ret;
}

int auth_token(struct auth *auth, const char *secret, const char *from,
	       struct auth_identity *ret_identity)
{
	char key[GUESS_KEY_SIZE];
	int ret = find_token(auth, secret, ret_identity);

	/* A good token passes whatever others at its address try: it cannot be guessed. */
	if (ret != -EACCES) {
		return ret;
	}
	snprintf(key, sizeof(key), "token %s", from);
	guess_count(auth, key, false);
	return guess_check(auth, key, key, NULL) < 0 ? -EBUSY : -EACCES;
}
