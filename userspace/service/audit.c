// SPDX-License-Identifier: GPL-2.0-or-later
#include "audit.h"

#include <errno.h>
#include <string.h>

#include "../lib/log.h"
#include "../lib/util.h"
#include "db.h"
#include "service_clock.h"

static const char *const steps[] = {
	"CREATE TABLE audit("
	"id INTEGER PRIMARY KEY AUTOINCREMENT, tenant INTEGER NOT NULL, time_ms INTEGER NOT NULL, "
	"who TEXT NOT NULL, role TEXT NOT NULL, interface TEXT NOT NULL, address TEXT NOT NULL, "
	"action TEXT NOT NULL, target TEXT NOT NULL, detail TEXT NOT NULL, result TEXT NOT NULL"
	") STRICT;"
	"CREATE INDEX audit_tenant ON audit(tenant, id);"
	"CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN "
	"SELECT RAISE(ABORT, 'rows of the audit log are never changed'); END;",
};

int audit_migrate(sqlite3 *db, char *err, size_t size)
{
	return db_migrate(db, "audit", steps, ARRAY_SIZE(steps), err, size);
}

static const char *text_of(const char *text)
{
	return text ? text : "";
}

int64_t audit_write(sqlite3 *db, const struct audit_entry *entry)
{
	sqlite3_stmt *statement __cleanup(db_finalize) = NULL;
	int64_t id = 0;
	int ret = db_prepare(db, &statement,
			     "INSERT INTO audit(tenant, time_ms, who, role, interface, address, "
			     "action, target, detail, result) VALUES(?,?,?,?,?,?,?,?,?,?) "
			     "RETURNING id",
			     "iissssssss", entry->tenant,
			     entry->time_ms ? entry->time_ms : clock_wall_ms(), text_of(entry->who),
			     text_of(entry->role), text_of(entry->interface), text_of(entry->from),
			     text_of(entry->action), text_of(entry->target), text_of(entry->detail),
			     text_of(entry->result));

	if (ret == 0) {
		ret = db_step(statement);
	}
	if (ret > 0) {
		id = sqlite3_column_int64(statement, 0);
		/* The row is committed by the step after the last one. */
		ret = db_step(statement);
	}
	if (ret < 0) {
		log_err("audit log: %s of %s by %s is not recorded: %s", text_of(entry->action),
			text_of(entry->target), text_of(entry->who), strerror(-ret));
		return ret;
	}
	return id;
}

int audit_list(sqlite3 *db, int64_t tenant, int64_t before_id, int limit, audit_fn fn, void *ctx)
{
	sqlite3_stmt *statement __cleanup(db_finalize) = NULL;
	int ret = db_prepare(db, &statement,
			     "SELECT id, tenant, time_ms, who, role, interface, address, action, "
			     "target, detail, result FROM audit WHERE tenant=? AND id<? "
			     "ORDER BY id DESC LIMIT ?",
			     "iii", tenant, before_id ? before_id : INT64_MAX, (int64_t)limit);

	while (ret == 0) {
		struct audit_entry entry;

		ret = db_step(statement);
		if (ret <= 0) {
			return ret;
		}
		entry = (struct audit_entry){
			.id = sqlite3_column_int64(statement, 0),
			.tenant = sqlite3_column_int64(statement, 1),
			.time_ms = sqlite3_column_int64(statement, 2),
			.who = db_text(statement, 3),
			.role = db_text(statement, 4),
			.interface = db_text(statement, 5),
			.from = db_text(statement, 6),
			.action = db_text(statement, 7),
			.target = db_text(statement, 8),
			.detail = db_text(statement, 9),
			.result = db_text(statement, 10),
		};
		ret = fn(ctx, &entry);
	}
	return ret;
}
