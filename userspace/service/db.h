/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SQLite as both services use it: WAL, one schema version for each component, transactions. */
#ifndef QS1_DB_H
#define QS1_DB_H

#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

/* How a database is opened. */
enum db_mode {
	DB_READ,  /* read only; the file must exist */
	DB_WRITE, /* read and write, created if missing; synchronous=NORMAL: a power cut may lose
		   * the last transactions, never the file */
	DB_SAFE,  /* the same with synchronous=FULL: a commit survives a power cut; deleted data
		   * are overwritten */
	DB_BLOBS, /* as DB_SAFE; a new file has pages of 32 kB, so that rows of some kB leave
		   * little of a page empty */
};

/**
 * db_open() - open a database in WAL mode
 * @ret_db: closed by db_close(); untouched on failure
 * @path: file
 * @err: on failure the reason with the path
 *
 * Tables are STRICT wherever a schema says so; foreign keys are enforced; a locked database is
 * retried for 5 s. The connection may be used by several threads, one statement at a time.
 *
 * Return: 0; -ENOENT, -EACCES, -ENOSPC, -EROFS; -EBADMSG when the file is not a database or is
 * damaged; -EIO otherwise.
 */
int db_open(sqlite3 **ret_db, const char *path, enum db_mode mode, char *err, size_t size);

/* Close a connection; NULL is allowed. */
void db_close(sqlite3 *db);

/**
 * db_migrate() - bring the tables of a component to the newest version
 * @component: name of the component, as "auth"
 * @step: SQL of each version, in order; a step is never changed after a release, only added
 * @count: of the steps
 *
 * All steps run in one transaction together with the change of the recorded version.
 *
 * Return: 0; -EPROTO when the file has a newer version than @count; else as db_exec().
 */
int db_migrate(sqlite3 *db, const char *component, const char *const *step, size_t count, char *err,
	       size_t size);

/**
 * db_errno() - negative errno of an SQLite result
 * @code: result code, extended or not; SQLITE_OK, SQLITE_ROW and SQLITE_DONE give 0
 */
int db_errno(int code);

/* Run statements without results. Return: 0 or a negative errno, see db_errno(). */
int db_exec(sqlite3 *db, const char *sql);

/* Start a transaction that holds the write lock; finish it with db_commit() or db_rollback(). */
int db_begin(sqlite3 *db);
int db_commit(sqlite3 *db);
void db_rollback(sqlite3 *db);

/**
 * db_prepare() - prepare a statement and bind its parameters
 * @ret_statement: finalized by the caller, or by __cleanup(db_finalize)
 * @types: one letter for each parameter: 'i' int64_t, 'd' double (NAN is NULL),
 *         's' const char * (NULL is NULL), 'b' const void * followed by size_t. Texts and blobs are
 *         copied.
 *
 * Return: 0 or a negative errno.
 */
int db_prepare(sqlite3 *db, sqlite3_stmt **ret_statement, const char *sql, const char *types, ...);

/* Run a prepared statement again with other parameters; as db_prepare(). */
int db_bind(sqlite3_stmt *statement, const char *types, ...);

/**
 * db_run() - prepare, bind as db_prepare() does, run, finalize
 *
 * Return: number of rows that changed, or a negative errno; -EEXIST for a broken UNIQUE
 * constraint.
 */
int db_run(sqlite3 *db, const char *sql, const char *types, ...);

/**
 * db_step() - next row
 *
 * Return: 1 for a row, 0 after the last one, or a negative errno.
 */
int db_step(sqlite3_stmt *statement);

/* Text of a column; "" for NULL. Valid until the next db_step(). */
const char *db_text(sqlite3_stmt *statement, int column);

/* Number of a column; NAN for NULL. */
double db_number(sqlite3_stmt *statement, int column);

static inline void db_finalize(sqlite3_stmt **statement)
{
	sqlite3_finalize(*statement);
}

#endif /* QS1_DB_H */
