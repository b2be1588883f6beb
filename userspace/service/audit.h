/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Audit log: who changed what, when, from where, and with which result. Rows are never changed. */
#ifndef QS1_AUDIT_H
#define QS1_AUDIT_H

#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

/**
 * struct audit_entry - one row
 * @id: number of the row, ascending; ignored by audit_write()
 * @tenant: whose row it is; 0 in the ECU
 * @time_ms: since 1970; 0 in audit_write() for now
 * @who: user, or name of the token, or address for an interface without users
 * @role: role name, "" if nobody is logged in
 * @interface: "rest", "mqtt", "modbus", "8899", "ema", "ecu"
 * @from: address of the client; "" for none
 * @action: what was asked for, as "limit" or "login"
 * @target: serial number, user name, or "" for the site
 * @detail: JSON object with the arguments, without secrets; "" for none
 * @result: "ok", or the code of the error
 */
struct audit_entry {
	int64_t id;
	int64_t tenant;
	int64_t time_ms;
	const char *who;
	const char *role;
	const char *interface;
	const char *from;
	const char *action;
	const char *target;
	const char *detail;
	const char *result;
};

/* Create the table, or bring it to the newest version; see db_migrate(). */
int audit_migrate(sqlite3 *db, char *err, size_t size);

/**
 * audit_write() - append a row
 *
 * NULL texts count as "". A failure is also logged here, so that callers may ignore it where the
 * action has happened already.
 *
 * Return: id of the row, or a negative errno.
 */
int64_t audit_write(sqlite3 *db, const struct audit_entry *entry);

/* Takes one row; the texts are valid during the call. Return: 0 to go on, else the end. */
typedef int (*audit_fn)(void *ctx, const struct audit_entry *entry);

/**
 * audit_list() - newest rows first
 * @tenant: rows of this tenant
 * @before_id: only rows with a smaller id; 0 for all
 * @limit: at most so many, 1 to 1000
 *
 * Return: 0, the return of @fn, or a negative errno.
 */
int audit_list(sqlite3 *db, int64_t tenant, int64_t before_id, int limit, audit_fn fn, void *ctx);

#endif /* QS1_AUDIT_H */
