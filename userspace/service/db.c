// SPDX-License-Identifier: GPL-2.0-or-later
#include "db.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "../lib/util.h"

#define BUSY_MS 5000

/* Columns: primary result code, negative errno. */
static const struct {
	int code;
	int error;
} errors[] = {
	{ SQLITE_OK, 0 },
	{ SQLITE_ROW, 0 },
	{ SQLITE_DONE, 0 },
	{ SQLITE_NOMEM, -ENOMEM },
	{ SQLITE_FULL, -ENOSPC },
	{ SQLITE_READONLY, -EROFS },
	{ SQLITE_PERM, -EACCES },
	{ SQLITE_CANTOPEN, -ENOENT },
	{ SQLITE_BUSY, -EAGAIN },
	{ SQLITE_LOCKED, -EAGAIN },
	{ SQLITE_CORRUPT, -EBADMSG },
	{ SQLITE_NOTADB, -EBADMSG },
	{ SQLITE_CONSTRAINT, -EEXIST },
	{ SQLITE_MISUSE, -EINVAL },
	{ SQLITE_ERROR, -EINVAL },
	{ SQLITE_RANGE, -EINVAL },
};

int db_errno(int code)
{
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		if (errors[i].code == (code & 0xff)) {
			return errors[i].error;
		}
	}
	return -EIO;
}

int db_exec(sqlite3 *db, const char *sql)
{
	return db_errno(sqlite3_exec(db, sql, NULL, NULL, NULL));
}

static int configure(sqlite3 *db, enum db_mode mode)
{
	int ret;

	sqlite3_extended_result_codes(db, 1);
	sqlite3_busy_timeout(db, BUSY_MS);
	/* Before anything is written to a new file; nothing on others. */
	ret = mode == DB_BLOBS ? db_exec(db, "PRAGMA page_size=32768") : 0;
	if (ret < 0) {
		return ret;
	}
	/* Reads the file's header, so that a file that is no database is found here. */
	ret = db_exec(db, mode == DB_READ ? "SELECT count(*) FROM sqlite_schema"
					  : "PRAGMA journal_mode=WAL");
	if (ret < 0) {
		return ret;
	}
	if (mode == DB_READ) {
		return 0;
	}
	ret = db_exec(db, mode >= DB_SAFE ? "PRAGMA synchronous=FULL; PRAGMA secure_delete=ON"
					  : "PRAGMA synchronous=NORMAL");
	return ret < 0 ? ret : db_exec(db, "PRAGMA foreign_keys=ON");
}

int db_open(sqlite3 **ret_db, const char *path, enum db_mode mode, char *err, size_t size)
{
	int flags = mode == DB_READ ? SQLITE_OPEN_READONLY
				    : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
	sqlite3 *db = NULL;
	int ret;
	int fd;

	if (mode != DB_READ) {
		/*
		 * SQLite would create it with the umask's mode; it holds password hashes. A file
		 * that exists is not opened: to close it would drop the POSIX locks that other
		 * connections of this process hold on it, and the file would be damaged.
		 */
		fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd < 0 && errno != EEXIST) {
			ret = -errno;
			snprintf(err, size, "%s: %s", path, strerror(-ret));
			return ret;
		}
		close_fd(&fd);
	}
	ret = db_errno(sqlite3_open_v2(path, &db, flags | SQLITE_OPEN_FULLMUTEX, NULL));
	if (ret == 0) {
		ret = configure(db, mode);
	}
	if (ret < 0) {
		snprintf(err, size, "%s: %s", path, db ? sqlite3_errmsg(db) : strerror(-ret));
		db_close(db);
		return ret;
	}
	*ret_db = db;
	return 0;
}

void db_close(sqlite3 *db)
{
	sqlite3_close_v2(db);
}

int db_begin(sqlite3 *db)
{
	return db_exec(db, "BEGIN IMMEDIATE");
}

int db_commit(sqlite3 *db)
{
	return db_exec(db, "COMMIT");
}

void db_rollback(sqlite3 *db)
{
	/* It fails after an error that has rolled back already. */
	(void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
}

/* Bind the parameters of @types. */
static int bind(sqlite3_stmt *statement, const char *types, va_list args)
{
	int code = SQLITE_OK;
	const char *text;
	const void *blob;
	double number;

	for (int i = 0; types[i] && code == SQLITE_OK; i++) {
		switch (types[i]) {
		case 'i':
			code = sqlite3_bind_int64(statement, i + 1, va_arg(args, int64_t));
			break;
		case 'd':
			number = va_arg(args, double);
			code = isnan(number) ? sqlite3_bind_null(statement, i + 1)
					     : sqlite3_bind_double(statement, i + 1, number);
			break;
		case 's':
			text = va_arg(args, const char *);
			code = text ? sqlite3_bind_text(statement, i + 1, text, -1,
							SQLITE_TRANSIENT)
				    : sqlite3_bind_null(statement, i + 1);
			break;
		case 'b':
			blob = va_arg(args, const void *);
			code = sqlite3_bind_blob64(statement, i + 1, blob, va_arg(args, size_t),
						   SQLITE_TRANSIENT);
			break;
		default:
			code = SQLITE_MISUSE;
		}
	}
	return db_errno(code);
}

static int prepare(sqlite3 *db, sqlite3_stmt **ret_statement, const char *sql, const char *types,
		   va_list args)
{
	sqlite3_stmt *statement = NULL;
	int ret = db_errno(sqlite3_prepare_v2(db, sql, -1, &statement, NULL));

	if (ret == 0) {
		ret = bind(statement, types, args);
	}
	if (ret < 0) {
		sqlite3_finalize(statement);
		return ret;
	}
	*ret_statement = statement;
	return 0;
}

int db_prepare(sqlite3 *db, sqlite3_stmt **ret_statement, const char *sql, const char *types, ...)
{
	va_list args;
	int ret;

	va_start(args, types);
	ret = prepare(db, ret_statement, sql, types, args);
	va_end(args);
	return ret;
}

int db_bind(sqlite3_stmt *statement, const char *types, ...)
{
	va_list args;
	int ret;

	sqlite3_reset(statement);
	va_start(args, types);
	ret = bind(statement, types, args);
	va_end(args);
	return ret;
}

int db_run(sqlite3 *db, const char *sql, const char *types, ...)
{
	sqlite3_stmt *statement __cleanup(db_finalize) = NULL;
	va_list args;
	int ret;

	va_start(args, types);
	ret = prepare(db, &statement, sql, types, args);
	va_end(args);
	if (ret < 0) {
		return ret;
	}
	do {
		ret = db_step(statement);
	} while (ret > 0);
	return ret < 0 ? ret : sqlite3_changes(db);
}

int db_step(sqlite3_stmt *statement)
{
	int code = sqlite3_step(statement);

	return code == SQLITE_ROW ? 1 : db_errno(code);
}

const char *db_text(sqlite3_stmt *statement, int column)
{
	const char *text = (const char *)sqlite3_column_text(statement, column);

	return text ? text : "";
}

double db_number(sqlite3_stmt *statement, int column)
{
	return sqlite3_column_type(statement, column) == SQLITE_NULL
		       ? NAN
		       : sqlite3_column_double(statement, column);
}

/* Recorded version of a component, or a negative errno. */
static int version_of(sqlite3 *db, const char *component)
{
	sqlite3_stmt *statement __cleanup(db_finalize) = NULL;
	int ret = db_prepare(db, &statement, "SELECT version FROM schema_version WHERE component=?",
			     "s", component);

	if (ret == 0) {
		ret = db_step(statement);
	}
	return ret > 0 ? sqlite3_column_int(statement, 0) : ret;
}

/* One step in a transaction. */
static int migrate_step(sqlite3 *db, const char *component, const char *sql, int version)
{
	int ret = db_exec(db, sql);

	if (ret < 0) {
		return ret;
	}
	ret = db_run(db,
		     "INSERT INTO schema_version(component, version) VALUES(?,?) "
		     "ON CONFLICT(component) DO UPDATE SET version=excluded.version",
		     "si", component, (int64_t)version);
	return ret < 0 ? ret : 0;
}

/* All missing steps, within a transaction. */
static int migrate(sqlite3 *db, const char *component, const char *const *step, size_t count)
{
	int ret = db_exec(db, "CREATE TABLE IF NOT EXISTS schema_version("
			      "component TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT");
	int version;

	if (ret < 0) {
		return ret;
	}
	version = version_of(db, component);
	if (version < 0) {
		return version;
	}
	if ((size_t)version > count) {
		return -EPROTO;
	}
	for (size_t i = version; i < count; i++) {
		ret = migrate_step(db, component, step[i], i + 1);
		if (ret < 0) {
			return ret;
		}
	}
	return 0;
}

int db_migrate(sqlite3 *db, const char *component, const char *const *step, size_t count, char *err,
	       size_t size)
{
	int ret = db_begin(db);

	if (ret == 0) {
		ret = migrate(db, component, step, count);
		if (ret == 0) {
			ret = db_commit(db);
		}
	}
	if (ret == -EPROTO) {
		snprintf(err, size,
			 "%s: tables of %s: expected version %zu or older, found a newer one",
			 sqlite3_db_filename(db, "main"), component, count);
	} else if (ret < 0) {
		snprintf(err, size, "%s: tables of %s: %s", sqlite3_db_filename(db, "main"),
			 component, sqlite3_errmsg(db));
	}
	if (ret < 0) {
		db_rollback(db);
	}
	return ret;
}
