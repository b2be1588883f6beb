/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Users, sessions and tokens of a service, in its SQLite database.
 *
 * There is no default password. Until the first user exists, a first-use code that the device shows
 * lets its holder create the owner. Passwords are kept as Argon2id hashes, sessions and tokens as
 * BLAKE2b hashes. All functions may be called from any thread.
 */
#ifndef QS1_AUTH_H
#define QS1_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

/* Columns: identifier, name. */
/* clang-format off */
#define AUTH_ROLES(X) \
	X(OWNER, "owner") \
	X(INSTALLER, "installer") \
	X(VIEWER, "viewer") \
	X(OPERATOR, "operator")
/* clang-format on */

enum auth_role {
#define X(id, name) AUTH_##id,
	AUTH_ROLES(X)
#undef X
		AUTH_ROLE_COUNT
};

/* Set of roles. AUTH_PUBLIC is a right that needs no login. */
#define AUTH_BIT(role) (1u << (role))
#define AUTH_PUBLIC (1u << AUTH_ROLE_COUNT)
#define AUTH_ANY (AUTH_PUBLIC - 1)

/* Name of a role, and the role of a name or -ENOENT. */
const char *auth_role_name(enum auth_role role);
int auth_role_find(const char *name);

#define AUTH_NAME_SIZE 64
#define AUTH_SECRET_SIZE 56 /* text of a session or a token, with the NUL */
#define AUTH_CODE_SIZE 12   /* first-use code as XXXXX-XXXXX, with the NUL */
#define AUTH_PASSWORD_MIN 10
#define AUTH_PASSWORD_MAX 256

/**
 * struct auth_identity - who asks
 * @role: of the user or the token
 * @tenant: of the user; 0 in the ECU
 * @user_id: of the user, or of the user who made the token
 * @token_id: of the token; 0 for a session
 * @read_only: a token that may only read
 * @name: user name, or "token NAME"
 */
struct auth_identity {
	enum auth_role role;
	int64_t tenant;
	int64_t user_id;
	int64_t token_id;
	bool read_only;
	char name[AUTH_NAME_SIZE + 8];
};

struct auth;

/**
 * auth_open() - bring the tables to the newest version
 * @db: outlives the object; one connection for auth alone is best
 *
 * Return: 0 or a negative errno with the reason in @err.
 */
int auth_open(struct auth **ret_auth, sqlite3 *db, char *err, size_t size);
void auth_close(struct auth *auth);

/**
 * auth_code() - the first-use code
 *
 * Made at the first call. Ten characters of Crockford's base 32: 50 bits.
 *
 * Return: 0, or -ENOENT once a user exists.
 */
int auth_code(struct auth *auth, char ret_code[AUTH_CODE_SIZE]);

/**
 * auth_setup() - create the owner with the first-use code
 * @code: in any case, with or without the hyphen
 * @from: address of the client, for the limit on guesses
 * @wait_ms: with -EBUSY, the time until the next try; may be NULL
 *
 * Return: id of the user; -EACCES for a wrong code; -ENOENT once a user exists; -EBUSY after too
 * many guesses; -EINVAL for a name or password out of range.
 */
int64_t auth_setup(struct auth *auth, const char *code, const char *name, const char *password,
		   const char *from, int64_t *wait_ms);

/**
 * struct auth_user - one user, for lists
 */
struct auth_user {
	int64_t id;
	int64_t tenant;
	enum auth_role role;
	const char *name;
	int64_t created_ms;
};

/**
 * auth_user_add() - create a user
 *
 * Return: id; -EINVAL for a name (1 to 63 characters without control characters) or a password
 * (AUTH_PASSWORD_MIN to AUTH_PASSWORD_MAX bytes) out of range; -EEXIST; or a negative errno.
 */
int64_t auth_user_add(struct auth *auth, int64_t tenant, const char *name, enum auth_role role,
		      const char *password);

/**
 * auth_user_remove() - remove a user with all sessions and tokens
 *
 * Return: 0; -ENOENT; -EPERM for the last owner of a tenant.
 */
int auth_user_remove(struct auth *auth, int64_t tenant, int64_t id);

/**
 * auth_tenant_remove() - remove all users of a tenant, also its last owner
 *
 * Return: number of users, or a negative errno.
 */
int auth_tenant_remove(struct auth *auth, int64_t tenant);

/* Set a password, which ends all sessions of the user. Return: as auth_user_add(). */
int auth_user_password(struct auth *auth, int64_t tenant, int64_t id, const char *password);

typedef int (*auth_user_fn)(void *ctx, const struct auth_user *user);
int auth_user_list(struct auth *auth, int64_t tenant, auth_user_fn fn, void *ctx);

/**
 * auth_login() - check a password and start a session of AUTH_SESSION_DAYS
 * @ret_secret: value of the cookie
 * @ret_identity: who that is
 *
 * Takes some 30 ms and 8 MiB for Argon2id: call it from a worker. A user that does not exist takes
 * as long as a wrong password.
 *
 * Return: 0; -EACCES for a wrong name or password; -EBUSY after too many guesses.
 */
int auth_login(struct auth *auth, const char *name, const char *password, const char *from,
	       char ret_secret[AUTH_SECRET_SIZE], struct auth_identity *ret_identity,
	       int64_t *wait_ms);
#define AUTH_SESSION_DAYS 30

/* End a session. */
int auth_logout(struct auth *auth, const char *secret);

/* Who has this session. Return: 0, or -EACCES for one that does not exist or is over. */
int auth_session(struct auth *auth, const char *secret, struct auth_identity *ret_identity);

/**
 * struct auth_token - one token, for lists and for auth_token_add()
 * @role: rights of the token: not more than those of its maker, which the caller checks
 * @read_only: the token cannot change anything
 * @expires_ms: end of its validity
 */
struct auth_token {
	int64_t id;
	int64_t tenant;
	int64_t user_id;
	enum auth_role role;
	bool read_only;
	const char *name;
	int64_t created_ms;
	int64_t expires_ms;
};

/**
 * auth_token_add() - make a token for a program
 * @ret_secret: shown once
 *
 * Return: id; -EINVAL for a name out of range or an @expires_ms in the past; or a negative errno.
 */
int64_t auth_token_add(struct auth *auth, const struct auth_token *token,
		       char ret_secret[AUTH_SECRET_SIZE]);
int auth_token_remove(struct auth *auth, int64_t tenant, int64_t id);

typedef int (*auth_token_fn)(void *ctx, const struct auth_token *token);
int auth_token_list(struct auth *auth, int64_t tenant, auth_token_fn fn, void *ctx);

/**
 * auth_token() - who has this token
 *
 * Return: 0; -EACCES for one that does not exist or is over; -EBUSY for the same after many of
 * them from this address.
 */
int auth_token(struct auth *auth, const char *secret, const char *from,
	       struct auth_identity *ret_identity);

#endif /* QS1_AUTH_H */
