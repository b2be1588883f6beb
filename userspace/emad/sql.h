/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One SQL for two engines: SQLite for a home or an installer, PostgreSQL for a fleet. Statements
 * are written once, in what both understand, with parameters $1, $2, ... A schema is written with
 * SQLite's types INTEGER, REAL, TEXT and BLOB, which are translated for PostgreSQL.
 *
 * A connection belongs to one thread. Statements are string literals: they stay prepared, and are
 * found again by their address.
 *
 * Types of parameters, one letter each: 'i' int64_t, 'd' double (NAN is NULL), 's' const char *
 * (NULL is NULL), 'b' const void * followed by size_t (NULL is NULL), 'n' int64_t of which
 * SQL_NULL is NULL.
 */
#ifndef EMAD_SQL_H
#define EMAD_SQL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util.h"

#define SQL_NULL INT64_MIN
#define SQL_COLUMNS_MAX 40

struct sql;
struct sql_rows;

/**
 * sql_open() - connect
 * @where: path of an SQLite file, or a connection string that begins with "postgresql:"
 * @err: on failure the reason
 *
 * SQLite commits with synchronous=FULL; PostgreSQL as the server is configured. Unless the string
 * says otherwise, a server that does not answer within 3 s, or that acknowledges nothing for 10 s,
 * counts as lost.
 *
 * Return: 0 or a negative errno.
 */
int sql_open(struct sql **ret_sql, const char *where, char *err, size_t size);
void sql_close(struct sql *sql);

/* Does the text name a PostgreSQL server? */
bool sql_is_server(const char *where);

/* Number of the shard of a connection, 0 unless set, see store.h. */
void sql_set_shard(struct sql *sql, int shard);
int sql_shard(const struct sql *sql);

/* Has the engine row-level security? */
bool sql_has_scope(const struct sql *sql);

/* Are its large tables partitioned? */
bool sql_is_partitioned(const struct sql *sql);

/**
 * sql_scope() - set the tenant that row-level security reads
 *
 * It holds for this connection, also after a server's restart. Nothing on SQLite.
 *
 * Return: 0 or a negative errno.
 */
int sql_scope(struct sql *sql, int64_t tenant);

/* Message of the last failure of this connection. */
const char *sql_error(const struct sql *sql);

/* A connection that was lost comes back with the next statement, but never within a transaction:
 * what follows in it fails with -ENOTCONN. So does what follows within SQL_RETRY_MS of a failed
 * attempt, so that a server that is down costs no time. */
#define SQL_RETRY_MS 1000
int sql_begin(struct sql *sql);
int sql_commit(struct sql *sql);
/**
 * sql_begin_locked() - begin a transaction of a kind of which one runs at a time
 *
 * On SQLite every transaction is alone. On PostgreSQL two processes that append to the log would
 * commit its numbers out of order, and what derives from the log would miss some.
 */
enum sql_lock {
	SQL_LOCK_LOG = 1,
	SQL_LOCK_DERIVE,
	SQL_LOCK_CLAIM,
	SQL_LOCK_PLACE,
};
int sql_begin_locked(struct sql *sql, enum sql_lock lock);
void sql_rollback(struct sql *sql);

/**
 * sql_run() - a statement without rows
 *
 * Return: rows changed; -EEXIST for a broken unique constraint; -ESTALE for a broken foreign key:
 * the site is not in this shard any more; or a negative errno.
 */
int sql_run(struct sql *sql, const char *text, const char *types, ...);

/**
 * sql_query() - a statement with rows
 * @ret_rows: for sql_next() and sql_done(); one that is open must be done before the connection
 *            commits
 *
 * Return: 0 or a negative errno.
 */
int sql_query(struct sql *sql, struct sql_rows **ret_rows, const char *text, const char *types,
	      ...);

int sql_query_list(struct sql *sql, struct sql_rows **ret_rows, const char *text, const char *types,
		   va_list arguments);

/* Return: 1 for a row, 0 after the last one, or a negative errno. */
int sql_next(struct sql_rows *rows);

bool sql_is_null(const struct sql_rows *rows, int column);
/* 0 for NULL. */
int64_t sql_int(const struct sql_rows *rows, int column);
/* SQL_NULL for NULL. */
static inline int64_t sql_int_or_null(const struct sql_rows *rows, int column)
{
	return sql_is_null(rows, column) ? SQL_NULL : sql_int(rows, column);
}
/* NAN for NULL. */
double sql_real(const struct sql_rows *rows, int column);
/* "" for NULL; valid until the next row. */
const char *sql_text(const struct sql_rows *rows, int column);
const void *sql_blob(const struct sql_rows *rows, int column, size_t *ret_n);

void sql_done(struct sql_rows *rows);

static inline void sql_done_ptr(struct sql_rows **rows)
{
	sql_done(*rows);
}

/**
 * sql_one() - the first column of the first row, an integer
 * @missing: when there is no row, or it is NULL
 *
 * Return: 0 or a negative errno.
 */
int sql_one(struct sql *sql, int64_t *ret_value, int64_t missing, const char *text,
	    const char *types, ...);

/**
 * sql_copy() - append the rows of a query to a table of another server
 * @select: query in parentheses, without parameters
 * @table: of @to, with the columns of the query in its order
 *
 * Within a transaction on both. @table must be without row-level security, a temporary table.
 *
 * Return: 0 or a negative errno.
 */
int sql_copy(struct sql *from, const char *select, struct sql *to, const char *table);

/* Run statements that are no literals, without parameters. Return: 0 or a negative errno. */
int sql_script(struct sql *sql, const char *text);

/**
 * sql_migrate() - bring a component's tables to the newest version
 * @steps: SQL of each version; a released step is never changed
 *
 * Return: 0; -EPROTO when the database has a newer version than @count.
 */
int sql_migrate(struct sql *sql, const char *component, const char *const *steps, size_t count,
		char *err, size_t size);

#endif /* EMAD_SQL_H */
