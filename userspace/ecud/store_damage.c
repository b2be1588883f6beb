// SPDX-License-Identifier: GPL-2.0-or-later
#include "store_damage.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "db.h"
#include "log.h"
#include "service_clock.h"

int damage_keep(sqlite3 *db, const void *bytes, size_t n, const char *format, ...)
{
	char what[DAMAGE_TEXT_SIZE];
	va_list args;
	int ret;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	ret = db_run(db, "INSERT OR IGNORE INTO damaged VALUES (?, ?, ?)", "sib", what,
		     clock_wall_ms(), bytes ? bytes : "", n);
	if (ret > 0) {
		log_err("store: %s: damaged, set aside", what);
	}
	return ret < 0 ? ret : 0;
}

int damage_keep_minute(sqlite3 *db, int64_t minute)
{
	sqlite3_stmt *row __cleanup(db_finalize) = NULL;
	const void *bytes = NULL;
	size_t n = 0;

	/* a row that SQLite itself cannot read is set aside without its bytes */
	if (db_prepare(db, &row, "SELECT chunks FROM minute WHERE minute = ?", "i", minute) == 0 &&
	    db_step(row) > 0) {
		bytes = sqlite3_column_blob(row, 0);
		n = (size_t)sqlite3_column_bytes(row, 0);
	}
	return damage_keep(db, bytes, n, "readings of minute %" PRId64, minute);
}

int damage_get(sqlite3 *db, struct damage *ret)
{
	sqlite3_stmt *row __cleanup(db_finalize) = NULL;
	int error = db_prepare(db, &row,
			       "SELECT count(*), (SELECT what FROM damaged ORDER BY rowid DESC"
			       " LIMIT 1) FROM damaged",
			       "");

	error = error < 0 ? error : db_step(row);
	if (error > 0) {
		ret->count = (uint64_t)sqlite3_column_int64(row, 0);
		snprintf(ret->newest, sizeof(ret->newest), "%s", db_text(row, 1));
	}
	return error < 0 ? error : 0;
}
