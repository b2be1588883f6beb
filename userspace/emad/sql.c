// SPDX-License-Identifier: GPL-2.0-or-later
/* One SQL for two engines, see sql.h. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libpq-fe.h>

#include "db.h"
#include "sql.h"

#define SERVER_PREFIX "postgresql:"
#define STATEMENTS_MAX 192
#define PARAMETERS_MAX 40
#define NUMBER_SIZE 32

struct statement {
	const char *text;
	sqlite3_stmt *lite;
	bool prepared; /* at the server, under the number of this entry */
	bool busy;
};

struct sql_rows {
	struct sql *sql;
	struct statement *statement;
	sqlite3_stmt *lite;
	PGresult *result;
	int row;
	unsigned char *blob[SQL_COLUMNS_MAX];
};

struct sql {
	sqlite3 *lite;
	PGconn *server;
	int shard;
	int64_t retry_ms; /* no attempt to connect before this time of the monotonic clock */
	char scope[24];	  /* tenant of row-level security; "" for none so far */
	bool scope_sent;  /* the server has it, and no rollback can have taken it back */
	bool transaction; /* one is under way */
	struct statement statement[STATEMENTS_MAX];
	char error[256];
};

/* A parameter as both engines take it. */
struct parameter {
	char type;
	int64_t integer;
	double real;
	const void *bytes;
	size_t n;
};

bool sql_is_server(const char *where)
{
	return strncmp(where, SERVER_PREFIX, strlen(SERVER_PREFIX)) == 0;
}

bool sql_has_scope(const struct sql *sql)
{
	return sql->server;
}

bool sql_is_partitioned(const struct sql *sql)
{
	return sql->server;
}

const char *sql_error(const struct sql *sql)
{
	return sql->error;
}

void sql_set_shard(struct sql *sql, int shard)
{
	sql->shard = shard;
}

int sql_shard(const struct sql *sql)
{
	return sql->shard;
}

/* "already exists, skipping", and the like. */
static void drop_notice(void *ctx, const char *text)
{
	(void)ctx;
	(void)text;
}

/* A parameter of the string overrides the same one before it. */
static PGconn *connect_server(const char *where)
{
	static const char *const names[] = { "connect_timeout", "tcp_user_timeout", "options",
					     "dbname", NULL };
	/* Statements are short: to start workers or a compiler takes longer than they save. */
	const char *const values[] = { "3", "10000",
				       "-c max_parallel_workers_per_gather=0 -c jit=off", where,
				       NULL };

	return PQconnectdbParams(names, values, 1);
}

int sql_open(struct sql **ret_sql, const char *where, char *err, size_t size)
{
	struct sql *sql = calloc(1, sizeof(*sql));
	int ret = 0;

	if (!sql) {
		return -ENOMEM;
	}
	if (!sql_is_server(where)) {
		ret = db_open(&sql->lite, where, DB_BLOBS, err, size);
	} else {
		sql->server = connect_server(where);
		if (PQstatus(sql->server) != CONNECTION_OK) {
			snprintf(err, size, "database: %s", PQerrorMessage(sql->server));
			ret = -ENOTCONN;
		} else {
			PQsetNoticeProcessor(sql->server, drop_notice, NULL);
		}
	}
	if (ret < 0) {
		sql_close(sql);
		return ret;
	}
	*ret_sql = sql;
	return 0;
}

void sql_close(struct sql *sql)
{
	if (!sql) {
		return;
	}
	for (int i = 0; i < STATEMENTS_MAX; i++) {
		sqlite3_finalize(sql->statement[i].lite);
	}
	db_close(sql->lite);
	if (sql->server) {
		PQfinish(sql->server);
	}
	free(sql);
}

/* The entry of a text, new or known. */
static struct statement *find_statement(struct sql *sql, const char *text)
{
	size_t at = ((uintptr_t)text >> 3) % STATEMENTS_MAX;

	for (size_t i = 0; i < STATEMENTS_MAX; i++) {
		struct statement *statement = &sql->statement[(at + i) % STATEMENTS_MAX];

		if (!statement->text || statement->text == text) {
			statement->text = text;
			return statement;
		}
	}
	return NULL;
}

static int take_parameters(struct parameter *parameter, const char *types, va_list arguments)
{
	int n = 0;

	for (; types[n]; n++) {
		struct parameter *p = &parameter[n];

		if (n == PARAMETERS_MAX) {
			return -E2BIG;
		}
		*p = (struct parameter){ .type = types[n] };
		switch (types[n]) {
		case 'd':
			p->real = va_arg(arguments, double);
			p->type = isnan(p->real) ? 0 : 'd';
			break;
		case 's':
			p->bytes = va_arg(arguments, const char *);
			p->n = p->bytes ? strlen(p->bytes) : 0;
			p->type = p->bytes ? 's' : 0;
			break;
		case 'b':
			p->bytes = va_arg(arguments, const void *);
			p->n = va_arg(arguments, size_t);
			p->type = p->bytes ? 'b' : 0;
			break;
		default:
			p->integer = va_arg(arguments, int64_t);
			p->type = types[n] == 'n' && p->integer == SQL_NULL ? 0 : 'i';
			break;
		}
	}
	return n;
}

/* ---- SQLite ---- */

static int lite_failed(struct sql *sql, int code)
{
	snprintf(sql->error, sizeof(sql->error), "%s", sqlite3_errmsg(sql->lite));
	return db_errno(code);
}

static int lite_bind(sqlite3_stmt *lite, const struct parameter *parameter, int n)
{
	int code = SQLITE_OK;

	for (int i = 0; i < n && code == SQLITE_OK; i++) {
		const struct parameter *p = &parameter[i];
		char name[16];
		int at;

		snprintf(name, sizeof(name), "$%d", i + 1);
		at = sqlite3_bind_parameter_index(lite, name);
		if (p->type == 'i') {
			code = sqlite3_bind_int64(lite, at, p->integer);
		} else if (p->type == 'd') {
			code = sqlite3_bind_double(lite, at, p->real);
		} else if (p->type == 's') {
			code = sqlite3_bind_text(lite, at, p->bytes, (int)p->n, SQLITE_TRANSIENT);
		} else if (p->type == 'b') {
			code = sqlite3_bind_blob64(lite, at, p->bytes, p->n, SQLITE_TRANSIENT);
		} else {
			code = sqlite3_bind_null(lite, at);
		}
	}
	return code;
}

/* A statement with its parameters; one that is in use further up is prepared a second time. */
static int lite_start(struct sql *sql, const char *text, const struct parameter *parameter, int n,
		      struct statement **ret_statement, sqlite3_stmt **ret_lite)
{
	struct statement *statement = find_statement(sql, text);
	bool kept = statement && !statement->busy;
	sqlite3_stmt *lite = kept ? statement->lite : NULL;
	int code = SQLITE_OK;

	if (!lite) {
		code = sqlite3_prepare_v3(sql->lite, text, -1, kept ? SQLITE_PREPARE_PERSISTENT : 0,
					  &lite, NULL);
		if (code != SQLITE_OK) {
			return lite_failed(sql, code);
		}
		if (kept) {
			statement->lite = lite;
		}
	}
	code = lite_bind(lite, parameter, n);
	if (code != SQLITE_OK) {
		int ret = lite_failed(sql, code);

		if (!kept) {
			sqlite3_finalize(lite);
		}
		return ret;
	}
	*ret_statement = kept ? statement : NULL;
	*ret_lite = lite;
	return 0;
}

static void lite_end(struct statement *statement, sqlite3_stmt *lite)
{
	if (statement) {
		sqlite3_reset(lite);
		sqlite3_clear_bindings(lite);
		statement->busy = false;
	} else {
		sqlite3_finalize(lite);
	}
}

static int lite_run(struct sql *sql, const char *text, const struct parameter *parameter, int n)
{
	struct statement *statement;
	sqlite3_stmt *lite;
	int ret = lite_start(sql, text, parameter, n, &statement, &lite);
	int code;

	if (ret < 0) {
		return ret;
	}
	do {
		code = sqlite3_step(lite);
	} while (code == SQLITE_ROW);
	ret = code == SQLITE_DONE ? sqlite3_changes(sql->lite) : lite_failed(sql, code);
	lite_end(statement, lite);
	return ret;
}

/* ---- PostgreSQL ---- */

static int server_failed(struct sql *sql, const PGresult *result)
{
	const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
	static const struct {
		const char *state;
		int error;
	} known[] = {
		{ "23503", -ESTALE }, /* foreign_key_violation */
		{ "23505", -EEXIST }, /* unique_violation */
		{ "40001", -EAGAIN }, /* serialization_failure */
		{ "40P01", -EAGAIN }, /* deadlock_detected */
		{ "42501", -EPERM },  /* insufficient_privilege */
		{ "53100", -ENOSPC }, /* disk_full */
		{ "55P03", -EAGAIN }, /* lock_not_available */
	};

	snprintf(sql->error, sizeof(sql->error), "%s", PQerrorMessage(sql->server));
	for (size_t i = 0; state && i < ARRAY_SIZE(known); i++) {
		if (strcmp(state, known[i].state) == 0) {
			return known[i].error;
		}
	}
	return PQstatus(sql->server) == CONNECTION_OK ? -EIO : -ENOTCONN;
}

/* Tells row-level security the tenant. */
static int send_scope(struct sql *sql)
{
	const char *value = sql->scope;
	PGresult *result = PQexecParams(sql->server, "SELECT set_config('qs1.tenant', $1, false)",
					1, NULL, &value, NULL, NULL, 0);
	int ret = PQresultStatus(result) == PGRES_TUPLES_OK ? 0 : server_failed(sql, result);

	PQclear(result);
	sql->scope_sent = ret == 0;
	return ret;
}

static int64_t monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A new connection knows neither statements nor tenant: without the tenant all rows would be
 * missing, which no caller could tell from rows that do not exist. */
static int reconnect(struct sql *sql)
{
	if (sql->transaction) {
		snprintf(sql->error, sizeof(sql->error), "connection lost within a transaction");
		return -ENOTCONN;
	}
	if (monotonic_ms() < sql->retry_ms) {
		snprintf(sql->error, sizeof(sql->error), "the server does not answer");
		return -ENOTCONN;
	}
	sql->scope_sent = false;
	PQreset(sql->server);
	for (int i = 0; i < STATEMENTS_MAX; i++) {
		sql->statement[i].prepared = false;
	}
	if (PQstatus(sql->server) != CONNECTION_OK) {
		sql->retry_ms = monotonic_ms() + SQL_RETRY_MS;
		return server_failed(sql, NULL);
	}
	return sql->scope[0] ? send_scope(sql) : 0;
}

int sql_scope(struct sql *sql, int64_t tenant)
{
	char scope[sizeof(sql->scope)];

	if (!sql->server) {
		return 0;
	}
	snprintf(scope, sizeof(scope), "%" PRId64, tenant);
	if (sql->scope_sent && strcmp(scope, sql->scope) == 0) {
		return 0;
	}
	strcpy(sql->scope, scope);
	sql->scope_sent = false;
	return PQstatus(sql->server) == CONNECTION_OK ? send_scope(sql) : reconnect(sql);
}

static int server_run(struct sql *sql, const char *text, const struct parameter *parameter, int n,
		      PGresult **ret_result)
{
	struct statement *statement = find_statement(sql, text);
	const char *values[PARAMETERS_MAX];
	char numbers[PARAMETERS_MAX][NUMBER_SIZE];
	int lengths[PARAMETERS_MAX];
	int formats[PARAMETERS_MAX];
	char name[NUMBER_SIZE];
	PGresult *result;

	if (!statement) {
		return -ENOBUFS;
	}
	if (PQstatus(sql->server) != CONNECTION_OK) {
		int ret = reconnect(sql);

		if (ret < 0) {
			return ret;
		}
	}
	snprintf(name, sizeof(name), "s%td", statement - sql->statement);
	if (!statement->prepared) {
		result = PQprepare(sql->server, name, text, 0, NULL);
		if (PQresultStatus(result) != PGRES_COMMAND_OK) {
			int ret = server_failed(sql, result);

			PQclear(result);
			return ret;
		}
		PQclear(result);
		statement->prepared = true;
	}
	for (int i = 0; i < n; i++) {
		const struct parameter *p = &parameter[i];

		formats[i] = p->type == 'b';
		lengths[i] = (int)p->n;
		values[i] = p->type ? p->bytes : NULL;
		if (p->type == 'i') {
			snprintf(numbers[i], NUMBER_SIZE, "%" PRId64, p->integer);
			values[i] = numbers[i];
		} else if (p->type == 'd') {
			snprintf(numbers[i], NUMBER_SIZE, "%.17g", p->real);
			values[i] = numbers[i];
		}
	}
	result = PQexecPrepared(sql->server, name, n, values, lengths, formats, 0);
	if (PQresultStatus(result) != PGRES_COMMAND_OK &&
	    PQresultStatus(result) != PGRES_TUPLES_OK) {
		int ret = server_failed(sql, result);

		PQclear(result);
		return ret;
	}
	*ret_result = result;
	return 0;
}

/* ---- both ---- */

static int run_list(struct sql *sql, const char *text, const char *types, va_list arguments)
{
	struct parameter parameter[PARAMETERS_MAX];
	int n = take_parameters(parameter, types, arguments);
	PGresult *result;
	int ret;

	if (n < 0) {
		return n;
	}
	if (sql->lite) {
		return lite_run(sql, text, parameter, n);
	}
	ret = server_run(sql, text, parameter, n, &result);
	if (ret == 0) {
		ret = atoi(PQcmdTuples(result));
		PQclear(result);
	}
	return ret;
}

int sql_query_list(struct sql *sql, struct sql_rows **ret_rows, const char *text, const char *types,
		   va_list arguments)
{
	struct parameter parameter[PARAMETERS_MAX];
	int n = take_parameters(parameter, types, arguments);
	struct sql_rows *rows = calloc(1, sizeof(*rows));
	int ret;

	if (!rows || n < 0) {
		free(rows);
		return n < 0 ? n : -ENOMEM;
	}
	rows->sql = sql;
	rows->row = -1;
	if (sql->lite) {
		ret = lite_start(sql, text, parameter, n, &rows->statement, &rows->lite);
		if (rows->statement) {
			rows->statement->busy = true;
		}
	} else {
		ret = server_run(sql, text, parameter, n, &rows->result);
	}
	if (ret < 0) {
		free(rows);
		return ret;
	}
	*ret_rows = rows;
	return 0;
}

int sql_run(struct sql *sql, const char *text, const char *types, ...)
{
	va_list arguments;
	int ret;

	va_start(arguments, types);
	ret = run_list(sql, text, types, arguments);
	va_end(arguments);
	return ret;
}

int sql_query(struct sql *sql, struct sql_rows **ret_rows, const char *text, const char *types, ...)
{
	va_list arguments;
	int ret;

	va_start(arguments, types);
	ret = sql_query_list(sql, ret_rows, text, types, arguments);
	va_end(arguments);
	return ret;
}

static void free_blobs(struct sql_rows *rows)
{
	for (int i = 0; i < SQL_COLUMNS_MAX; i++) {
		if (rows->blob[i]) {
			PQfreemem(rows->blob[i]);
			rows->blob[i] = NULL;
		}
	}
}

int sql_next(struct sql_rows *rows)
{
	int code;

	if (rows->result) {
		free_blobs(rows);
		return ++rows->row < PQntuples(rows->result);
	}
	code = sqlite3_step(rows->lite);
	if (code == SQLITE_ROW) {
		return 1;
	}
	return code == SQLITE_DONE ? 0 : lite_failed(rows->sql, code);
}

bool sql_is_null(const struct sql_rows *rows, int column)
{
	return rows->result ? PQgetisnull(rows->result, rows->row, column)
			    : sqlite3_column_type(rows->lite, column) == SQLITE_NULL;
}

int64_t sql_int(const struct sql_rows *rows, int column)
{
	return rows->result ? strtoll(PQgetvalue(rows->result, rows->row, column), NULL, 10)
			    : sqlite3_column_int64(rows->lite, column);
}

double sql_real(const struct sql_rows *rows, int column)
{
	if (sql_is_null(rows, column)) {
		return NAN;
	}
	return rows->result ? strtod(PQgetvalue(rows->result, rows->row, column), NULL)
			    : sqlite3_column_double(rows->lite, column);
}

const char *sql_text(const struct sql_rows *rows, int column)
{
	const char *text = rows->result ? PQgetvalue(rows->result, rows->row, column)
					: (const char *)sqlite3_column_text(rows->lite, column);

	return text ? text : "";
}

const void *sql_blob(const struct sql_rows *rows, int column, size_t *ret_n)
{
	struct sql_rows *own = (struct sql_rows *)rows;

	if (!rows->result) {
		*ret_n = (size_t)sqlite3_column_bytes(rows->lite, column);
		return sqlite3_column_blob(rows->lite, column);
	}
	if (sql_is_null(rows, column)) {
		*ret_n = 0;
		return NULL;
	}
	if (own->blob[column]) {
		PQfreemem(own->blob[column]);
	}
	own->blob[column] = PQunescapeBytea(
		(const unsigned char *)PQgetvalue(rows->result, rows->row, column), ret_n);
	return own->blob[column];
}

void sql_done(struct sql_rows *rows)
{
	if (!rows) {
		return;
	}
	if (rows->result) {
		free_blobs(rows);
		PQclear(rows->result);
	} else {
		lite_end(rows->statement, rows->lite);
	}
	free(rows);
}

int sql_one(struct sql *sql, int64_t *ret_value, int64_t missing, const char *text,
	    const char *types, ...)
{
	struct sql_rows *rows;
	va_list arguments;
	int ret;

	va_start(arguments, types);
	ret = sql_query_list(sql, &rows, text, types, arguments);
	va_end(arguments);
	if (ret < 0) {
		return ret;
	}
	ret = sql_next(rows);
	if (ret >= 0) {
		*ret_value = ret && !sql_is_null(rows, 0) ? sql_int(rows, 0) : missing;
		ret = 0;
	}
	sql_done(rows);
	return ret;
}

int sql_begin(struct sql *sql)
{
	int ret = sql->lite ? sql_run(sql, "BEGIN IMMEDIATE", "") : sql_run(sql, "BEGIN", "");

	sql->transaction = ret >= 0;
	return ret < 0 ? ret : 0;
}

int sql_begin_locked(struct sql *sql, enum sql_lock lock)
{
	int64_t ignored;
	int ret = sql_begin(sql);

	if (ret < 0 || !sql->server) {
		return ret;
	}
	ret = sql_one(sql, &ignored, 0, "SELECT 1 FROM pg_advisory_xact_lock($1)", "i",
		      (int64_t)lock);
	if (ret < 0) {
		sql_rollback(sql);
	}
	return ret;
}

int sql_commit(struct sql *sql)
{
	int ret = sql_run(sql, "COMMIT", "");

	sql->transaction = false;
	return ret < 0 ? ret : 0;
}

void sql_rollback(struct sql *sql)
{
	char error[sizeof(sql->error)];

	/* The message that led here is the one to show. */
	memcpy(error, sql->error, sizeof(error));
	if (sql->transaction) {
		sql_run(sql, "ROLLBACK", "");
	}
	sql->transaction = false;
	sql->scope_sent = false;
	memcpy(sql->error, error, sizeof(error));
}

/* Types of a schema in PostgreSQL's words; the longest first. */
static const struct {
	const char *lite;
	const char *server;
} words[] = {
	{ "INTEGER PRIMARY KEY", "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY" },
	{ "INTEGER", "BIGINT" },
	{ "REAL", "DOUBLE PRECISION" },
	{ "BLOB", "BYTEA" },
	{ " STRICT", "" },
};

/* To be freed; NULL without memory. */
static char *translate(const char *text)
{
	char *out = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&out, &size);

	while (stream && *text) {
		size_t i = 0;

		while (i < ARRAY_SIZE(words) &&
		       strncmp(text, words[i].lite, strlen(words[i].lite)) != 0) {
			i++;
		}
		if (i < ARRAY_SIZE(words)) {
			fputs(words[i].server, stream);
			text += strlen(words[i].lite);
		} else {
			fputc(*text++, stream);
		}
	}
	if (stream) {
		fclose(stream);
	}
	return out;
}

int sql_script(struct sql *sql, const char *text)
{
	char *translated __cleanup(free_ptr) = NULL;
	PGresult *result;
	int ret = 0;

	if (sql->lite) {
		int code = sqlite3_exec(sql->lite, text, NULL, NULL, NULL);

		return code == SQLITE_OK ? 0 : lite_failed(sql, code);
	}
	translated = translate(text);
	if (!translated) {
		return -ENOMEM;
	}
	result = PQexec(sql->server, translated);
	if (PQresultStatus(result) != PGRES_COMMAND_OK) {
		ret = server_failed(sql, result);
	}
	PQclear(result);
	return ret;
}

/* The last result of a command that may have several. Return: 0 or a negative errno. */
static int last_result(struct sql *sql)
{
	PGresult *result;
	int ret = 0;

	while ((result = PQgetResult(sql->server))) {
		if (ret == 0 && PQresultStatus(result) != PGRES_COMMAND_OK) {
			ret = server_failed(sql, result);
		}
		PQclear(result);
	}
	return ret;
}

/* COPY from or to this. Return: 0 in the state @status, or a negative errno. */
static int start_copy(struct sql *sql, const char *what, const char *way, ExecStatusType status)
{
	char *text __cleanup(free_ptr) = NULL;
	PGresult *result;
	int ret;

	if (asprintf(&text, "COPY %s %s (FORMAT binary)", what, way) < 0) {
		text = NULL;
		return -ENOMEM;
	}
	result = PQexec(sql->server, text);
	ret = PQresultStatus(result) == status ? 0 : server_failed(sql, result);
	PQclear(result);
	return ret;
}

int sql_copy(struct sql *from, const char *select, struct sql *to, const char *table)
{
	char *bytes = NULL;
	int ret = start_copy(from, select, "TO STDOUT", PGRES_COPY_OUT);
	int end, n;

	if (ret < 0) {
		return ret;
	}
	ret = start_copy(to, table, "FROM STDIN", PGRES_COPY_IN);
	while ((n = PQgetCopyData(from->server, &bytes, 0)) > 0) {
		if (ret == 0 && PQputCopyData(to->server, bytes, n) <= 0) {
			ret = server_failed(to, NULL);
		}
		PQfreemem(bytes);
	}
	end = last_result(from);
	if (ret == 0) {
		ret = PQputCopyEnd(to->server, n == -1 && end == 0 ? NULL : "the source failed") > 0
			      ? last_result(to)
			      : server_failed(to, NULL);
	}
	return end < 0 ? end : ret;
}

int sql_migrate(struct sql *sql, const char *component, const char *const *steps, size_t count,
		char *err, size_t size)
{
	int64_t version = 0;
	int ret = sql_script(sql, "CREATE TABLE IF NOT EXISTS versions (component TEXT NOT NULL "
				  "UNIQUE, version INTEGER NOT NULL)");

	if (ret == 0) {
		ret = sql_one(sql, &version, 0, "SELECT version FROM versions WHERE component = $1",
			      "s", component);
	}
	if (ret == 0 && (size_t)version > count) {
		snprintf(err, size,
			 "database: %s has version %" PRId64 ", expected at most %zu: a newer "
			 "program has written it",
			 component, version, count);
		return -EPROTO;
	}
	for (size_t i = (size_t)version; ret == 0 && i < count; i++) {
		ret = sql_begin(sql);
		if (ret == 0) {
			ret = sql_script(sql, steps[i]);
		}
		if (ret == 0) {
			ret = sql_run(
				sql,
				"INSERT INTO versions VALUES ($1, $2) ON CONFLICT (component) "
				"DO UPDATE SET version = excluded.version",
				"si", component, (int64_t)i + 1);
		}
		if (ret >= 0) {
			ret = sql_commit(sql);
		} else {
			sql_rollback(sql);
		}
	}
	if (ret < 0) {
		snprintf(err, size, "database: %s: %s", component, sql->error);
	}
	return ret;
}
