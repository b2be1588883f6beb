// SPDX-License-Identifier: GPL-2.0-or-later
/* Database, audit log, users, limit on guesses, certificates. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "audit.h"
#include "auth.h"
#include "db.h"
#include "guess.h"
#include "service_clock.h"
#include "tls.h"

#define PASSWORD "a long password"
#define HOME "192.0.2.1"

static char folder[] = "/tmp/qs1-service-XXXXXX";
static char err[512];

static const char *file(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

/* A fresh database with users. */
static struct auth *new_auth(sqlite3 **ret_db)
{
	struct auth *auth;

	unlink(file("auth.db"));
	assert_int_equal(db_open(ret_db, file("auth.db"), DB_WRITE, err, sizeof(err)), 0);
	assert_int_equal(auth_open(&auth, *ret_db, err, sizeof(err)), 0);
	return auth;
}

static void end_auth(struct auth *auth, sqlite3 *db)
{
	auth_close(auth);
	db_close(db);
}

static void database_keeps_versions_and_refuses_newer_ones(void **state)
{
	static const char *const steps[] = { "CREATE TABLE t(a INTEGER) STRICT",
					     "ALTER TABLE t ADD COLUMN b TEXT" };
	struct stat st;
	sqlite3 *db;

	(void)state;
	assert_int_equal(db_open(&db, file("v.db"), DB_SAFE, err, sizeof(err)), 0);
	assert_int_equal(stat(file("v.db"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(db_migrate(db, "t", steps, 1, err, sizeof(err)), 0);
	assert_int_equal(db_run(db, "INSERT INTO t(a) VALUES(?)", "i", (int64_t)7), 1);
	assert_int_equal(db_migrate(db, "t", steps, 2, err, sizeof(err)), 0);
	assert_int_equal(db_run(db, "UPDATE t SET b=? WHERE a=7", "s", "x"), 1);
	assert_int_equal(db_migrate(db, "t", steps, 1, err, sizeof(err)), -EPROTO);
	assert_non_null(strstr(err, "expected version 1 or older"));
	db_close(db);
}

static void failed_migration_leaves_nothing(void **state)
{
	static const char *const steps[] = { "CREATE TABLE u(a INTEGER) STRICT", "no SQL" };
	sqlite3 *db;

	(void)state;
	assert_int_equal(db_open(&db, file("w.db"), DB_WRITE, err, sizeof(err)), 0);
	assert_true(db_migrate(db, "u", steps, 2, err, sizeof(err)) < 0);
	assert_true(db_exec(db, "SELECT * FROM u") < 0);
	db_close(db);
}

static void file_that_is_no_database_is_named(void **state)
{
	FILE *out = fopen(file("text.db"), "w");
	sqlite3 *db = NULL;

	(void)state;
	for (int i = 0; i < 200; i++) {
		fputs("this is text, ", out);
	}
	fclose(out);
	assert_int_equal(db_open(&db, file("text.db"), DB_WRITE, err, sizeof(err)), -EBADMSG);
	assert_non_null(strstr(err, "text.db"));
	assert_null(db);
}

static int count_entry(void *ctx, const struct audit_entry *entry)
{
	int64_t *last = ctx;

	assert_true(!*last || entry->id < *last);
	assert_string_equal(entry->who, "anna");
	assert_string_equal(entry->from, HOME);
	*last = entry->id;
	return 0;
}

static void audit_rows_stay_and_come_newest_first(void **state)
{
	struct audit_entry entry = { .who = "anna", .from = HOME, .action = "limit" };
	int64_t last = 0;
	sqlite3 *db;

	(void)state;
	assert_int_equal(db_open(&db, file("audit.db"), DB_SAFE, err, sizeof(err)), 0);
	assert_int_equal(audit_migrate(db, err, sizeof(err)), 0);
	assert_int_equal(audit_write(db, &entry), 1);
	assert_int_equal(audit_write(db, &entry), 2);
	entry.tenant = 5;
	entry.who = "other";
	assert_int_equal(audit_write(db, &entry), 3);
	assert_int_equal(audit_list(db, 0, 0, 10, count_entry, &last), 0);
	assert_int_equal(last, 1);
	last = 0;
	assert_int_equal(audit_list(db, 0, 2, 10, count_entry, &last), 0);
	assert_int_equal(last, 1);
	assert_true(db_exec(db, "UPDATE audit SET who='bob'") < 0);
	db_close(db);
}

static void guesses_cost_time_that_doubles(void **state)
{
	static struct guess guess;
	int64_t now = 1000000;
	int64_t waits[] = { 1000, 2000, 4000, 8000 };

	(void)state;
	for (int n = 0; n < GUESS_FREE; n++) {
		guess_failed(&guess, HOME, now);
		assert_int_equal(guess_wait_ms(&guess, HOME, now), 0);
	}
	for (int n = 0; n < 4; n++) {
		guess_failed(&guess, HOME, now);
		assert_int_equal(guess_wait_ms(&guess, HOME, now), waits[n]);
		now += waits[n];
		assert_int_equal(guess_wait_ms(&guess, HOME, now), 0);
	}
	for (int n = 0; n < 30; n++) {
		guess_failed(&guess, HOME, now);
	}
	assert_int_equal(guess_wait_ms(&guess, HOME, now), 15 * 60 * 1000);
	assert_int_equal(guess_wait_ms(&guess, "192.0.2.2", now), 0);
	guess_passed(&guess, HOME);
	assert_int_equal(guess_wait_ms(&guess, HOME, now), 0);
}

static void guesses_from_many_addresses_fit(void **state)
{
	static struct guess guess;
	char key[32];

	(void)state;
	for (int n = 0; n < 10 * GUESS_KEYS_MAX; n++) {
		snprintf(key, sizeof(key), "10.0.%d.%d", n / 256, n % 256);
		guess_failed(&guess, key, n);
	}
	for (int n = 0; n <= GUESS_FREE; n++) {
		guess_failed(&guess, HOME, 5000);
	}
	assert_true(guess_wait_ms(&guess, HOME, 5000) > 0);
}

static void first_use_code_makes_one_owner(void **state)
{
	char code[AUTH_CODE_SIZE], again[AUTH_CODE_SIZE];
	int64_t wait = 0;
	sqlite3 *db;
	struct auth *auth = new_auth(&db);

	(void)state;
	assert_int_equal(auth_code(auth, code), 0);
	assert_int_equal(strlen(code), 11);
	assert_int_equal(auth_code(auth, again), 0);
	assert_string_equal(code, again);
	assert_int_equal(auth_setup(auth, "00000-00000", "anna", PASSWORD, HOME, &wait), -EACCES);
	assert_int_equal(auth_setup(auth, code, "anna", "short", HOME, &wait), -EINVAL);
	assert_int_equal(auth_setup(auth, code, "", PASSWORD, HOME, &wait), -EINVAL);
	assert_true(auth_setup(auth, code, "anna", PASSWORD, HOME, &wait) > 0);
	assert_int_equal(auth_setup(auth, code, "bob", PASSWORD, HOME, &wait), -ENOENT);
	assert_int_equal(auth_code(auth, code), -ENOENT);
	end_auth(auth, db);
}

static void codes_are_guessed_a_few_times_only(void **state)
{
	char code[AUTH_CODE_SIZE];
	int64_t wait = 0;
	int ret = 0;
	sqlite3 *db;
	struct auth *auth = new_auth(&db);

	(void)state;
	assert_int_equal(auth_code(auth, code), 0);
	for (int n = 0; n <= GUESS_FREE; n++) {
		ret = auth_setup(auth, "11111-11111", "anna", PASSWORD, HOME, &wait);
	}
	assert_int_equal(ret, -EACCES);
	/* The right code is refused too, from any address. */
	assert_int_equal(auth_setup(auth, code, "anna", PASSWORD, "192.0.2.9", &wait), -EBUSY);
	assert_true(wait > 0 && wait <= 1000);
	end_auth(auth, db);
}

static void sessions_last_until_logout_or_a_new_password(void **state)
{
	char first[AUTH_SECRET_SIZE], second[AUTH_SECRET_SIZE];
	struct auth_identity who = { 0 };
	int64_t id;
	sqlite3 *db;
	struct auth *auth = new_auth(&db);

	(void)state;
	id = auth_user_add(auth, 3, "anna", AUTH_INSTALLER, PASSWORD);
	assert_true(id > 0);
	assert_int_equal(auth_user_add(auth, 3, "anna", AUTH_OWNER, PASSWORD), -EEXIST);
	assert_int_equal(auth_login(auth, "anna", "wrong password", HOME, first, &who, NULL),
			 -EACCES);
	assert_int_equal(auth_login(auth, "nobody", PASSWORD, HOME, first, &who, NULL), -EACCES);
	assert_int_equal(auth_login(auth, "anna", PASSWORD, HOME, first, &who, NULL), 0);
	assert_int_equal(who.role, AUTH_INSTALLER);
	assert_int_equal(who.tenant, 3);
	assert_int_equal(auth_login(auth, "anna", PASSWORD, HOME, second, &who, NULL), 0);
	assert_string_not_equal(first, second);
	assert_int_equal(auth_logout(auth, first), 0);
	assert_int_equal(auth_session(auth, first, &who), -EACCES);
	assert_int_equal(auth_session(auth, second, &who), 0);
	assert_int_equal(auth_user_password(auth, 4, id, "another password"), -ENOENT);
	assert_int_equal(auth_user_password(auth, 3, id, "another password"), 0);
	assert_int_equal(auth_session(auth, second, &who), -EACCES);
	assert_int_equal(auth_login(auth, "anna", "another password", HOME, second, &who, NULL), 0);
	end_auth(auth, db);
}

static void passwords_are_not_stored(void **state)
{
	sqlite3_stmt *statement = NULL;
	sqlite3 *db;
	struct auth *auth = new_auth(&db);

	(void)state;
	assert_true(auth_user_add(auth, 0, "anna", AUTH_OWNER, PASSWORD) > 0);
	assert_int_equal(db_prepare(db, &statement, "SELECT hash FROM users", ""), 0);
	assert_int_equal(db_step(statement), 1);
	assert_non_null(strstr(db_text(statement, 0), "$argon2id$v=19$m=8192,t=5,"));
	sqlite3_finalize(statement);
	end_auth(auth, db);
}

static void last_owner_of_a_tenant_stays(void **state)
{
	int64_t anna, bob, other;
	sqlite3 *db;
	struct auth *auth = new_auth(&db);

	(void)state;
	anna = auth_user_add(auth, 0, "anna", AUTH_OWNER, PASSWORD);
	other = auth_user_add(auth, 1, "other", AUTH_OWNER, PASSWORD);
	assert_true(anna > 0 && other > 0);
	assert_int_equal(auth_user_remove(auth, 0, anna), -EPERM);
	bob = auth_user_add(auth, 0, "bob", AUTH_OWNER, PASSWORD);
	assert_int_equal(auth_user_remove(auth, 0, other), -ENOENT);
	assert_int_equal(auth_user_remove(auth, 0, anna), 0);
	assert_int_equal(auth_user_remove(auth, 0, bob), -EPERM);
	end_auth(auth, db);
}

static void tokens_have_rights_and_an_end(void **state)
{
	struct auth_token token = { .name = "prometheus", .role = AUTH_VIEWER, .read_only = true };
	char secret[AUTH_SECRET_SIZE];
	struct auth_identity who;
	int64_t id;
	sqlite3 *db;
	struct auth *auth = new_auth(&db);

	(void)state;
	token.user_id = auth_user_add(auth, 0, "anna", AUTH_OWNER, PASSWORD);
	token.expires_ms = clock_wall_ms() - 1;
	assert_int_equal(auth_token_add(auth, &token, secret), -EINVAL);
	token.expires_ms = clock_wall_ms() + 60000;
	id = auth_token_add(auth, &token, secret);
	assert_true(id > 0);
	assert_int_equal(auth_token(auth, secret, HOME, &who), 0);
	assert_int_equal(who.role, AUTH_VIEWER);
	assert_true(who.read_only);
	assert_string_equal(who.name, "token prometheus");
	for (int n = 0; n < 20; n++) {
		assert_true(auth_token(auth, "qs1_guess", HOME, &who) < 0);
	}
	assert_int_equal(auth_token(auth, "qs1_guess", HOME, &who), -EBUSY);
	/* Guesses of others do not lock a good token out. */
	assert_int_equal(auth_token(auth, secret, HOME, &who), 0);
	assert_int_equal(db_run(db, "UPDATE tokens SET expires_ms=1", ""), 1);
	assert_int_equal(auth_token(auth, secret, "192.0.2.7", &who), -EACCES);
	assert_int_equal(auth_token_remove(auth, 1, id), -ENOENT);
	assert_int_equal(auth_token_remove(auth, 0, id), 0);
	end_auth(auth, db);
}

static void certificate_is_kept_until_it_ends_or_a_name_is_missing(void **state)
{
	static const char *const one[] = { "ecu.local", "127.0.0.1", NULL };
	static const char *const two[] = { "ecu.local", "127.0.0.1", "192.0.2.1", NULL };
	const int64_t day_ms = 24LL * 60 * 60 * 1000;
	const int64_t now = 1800000000000;
	struct tls_pair pair[5] = { 0 };
	uint8_t hash[5][TLS_HASH_SIZE];
	struct {
		const char *const *san;
		int64_t time_ms;
	} run[] = { { one, now },
		    { one, now + 300 * day_ms },
		    { one, now + 380 * day_ms },
		    { two, now + 381 * day_ms },
		    { two, 0 } };
	struct stat st;

	(void)state;
	mkdir(file("tls"), 0700);
	for (int n = 0; n < 5; n++) {
		assert_int_equal(tls_server_pair(file("tls"), "ecu-216000000001", run[n].san,
						 run[n].time_ms, &pair[n], err, sizeof(err)),
				 0);
		assert_int_equal(tls_cert_hash(pair[n].cert, hash[n]), 0);
		assert_memory_equal(hash[n], hash[0], TLS_HASH_SIZE);
		assert_string_equal(pair[n].ca, pair[0].ca);
	}
	assert_string_equal(pair[1].cert, pair[0].cert);
	assert_string_not_equal(pair[2].cert, pair[1].cert);
	assert_string_not_equal(pair[3].cert, pair[2].cert);
	assert_int_equal(stat(file("tls/server.key"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	for (int n = 0; n < 5; n++) {
		tls_pair_free(&pair[n]);
	}
}

static void client_certificate_is_made_once(void **state)
{
	struct tls_pair first = { 0 }, second = { 0 };

	(void)state;
	mkdir(file("client"), 0700);
	assert_int_equal(tls_client_pair(file("client"), "uplink", &first, err, sizeof(err)), 0);
	assert_int_equal(tls_client_pair(file("client"), "uplink", &second, err, sizeof(err)), 0);
	assert_string_equal(first.cert, second.cert);
	assert_string_equal(first.key, second.key);
	assert_null(first.ca);
	tls_pair_free(&first);
	tls_pair_free(&second);
}

static void damaged_key_is_named_and_kept(void **state)
{
	static const char *const san[] = { "ecu.local", NULL };
	struct tls_pair pair = { 0 };
	FILE *out;

	(void)state;
	mkdir(file("damaged"), 0700);
	out = fopen(file("damaged/ca.key"), "w");
	fputs("no key\n", out);
	fclose(out);
	assert_int_equal(tls_server_pair(file("damaged"), "ecu", san, 0, &pair, err, sizeof(err)),
			 -EBADMSG);
	assert_non_null(strstr(err, "ca.key"));
	assert_null(pair.cert);
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	char command[300];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(database_keeps_versions_and_refuses_newer_ones),
		cmocka_unit_test(failed_migration_leaves_nothing),
		cmocka_unit_test(file_that_is_no_database_is_named),
		cmocka_unit_test(audit_rows_stay_and_come_newest_first),
		cmocka_unit_test(guesses_cost_time_that_doubles),
		cmocka_unit_test(guesses_from_many_addresses_fit),
		cmocka_unit_test(first_use_code_makes_one_owner),
		cmocka_unit_test(codes_are_guessed_a_few_times_only),
		cmocka_unit_test(sessions_last_until_logout_or_a_new_password),
		cmocka_unit_test(passwords_are_not_stored),
		cmocka_unit_test(last_owner_of_a_tenant_stays),
		cmocka_unit_test(tokens_have_rights_and_an_end),
		cmocka_unit_test(certificate_is_kept_until_it_ends_or_a_name_is_missing),
		cmocka_unit_test(client_certificate_is_made_once),
		cmocka_unit_test(damaged_key_is_named_and_kept),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
