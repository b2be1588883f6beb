// SPDX-License-Identifier: GPL-2.0-or-later
/* Moving sites between shards, see move.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "derive.h"
#include "move.h"
#include "schema.h"
#include "util.h"

#define STATEMENT_SIZE 2048
#define DERIVE_GROUP 200
/* A lock that others hold for longer is asked for again, so that they do not wait for this one. */
#define LOCK_TIMEOUT "SET LOCAL lock_timeout = '2s'"
#define LOCK_TRIES 20

/* Columns: table, rows of the site $1, their number. */
static const struct {
	const char *name;
	const char *of_site;
	const char *count;
	const char *remove;
} tables[] = {
#define X(name, of_site)                                                                           \
	{ name, of_site, "SELECT COUNT(*) FROM " name " WHERE " of_site,                           \
	  "DELETE FROM " name " WHERE " of_site },
	SCHEMA_BY_SITE(X)
#undef X
};

static int report(struct sql *sql, int error, char *err, size_t size)
{
	if (error < 0 && !err[0]) {
		snprintf(err, size, "shard %d: %s", sql_shard(sql), sql_error(sql));
	}
	return error;
}

/* ---- one site ---- */

/* Locks all tables of sites against changes, after the log and what derives from it. */
static int lock_tables(struct sql *sql)
{
	char text[STATEMENT_SIZE] = "LOCK TABLE ";
	int64_t ignored;
	int ret = sql_script(sql, LOCK_TIMEOUT);

	for (enum sql_lock lock = SQL_LOCK_LOG; lock <= SQL_LOCK_DERIVE && ret >= 0; lock++) {
		ret = sql_one(sql, &ignored, 0, "SELECT 1 FROM pg_advisory_xact_lock($1)", "i",
			      (int64_t)lock);
	}
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		strcat(text, i ? ", " : "");
		strcat(text, tables[i].name);
	}
	strcat(text, " IN EXCLUSIVE MODE");
	return ret < 0 ? ret : sql_script(sql, text);
}

/* Columns of a table, separated by commas. Return: 0 or a negative errno. */
static int read_columns(struct sql *sql, const char *table, char *text, size_t size)
{
	struct sql_rows *rows __cleanup(sql_done_ptr) = NULL;
	int ret = sql_query(sql, &rows,
			    "SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute "
			    "WHERE attrelid = CAST($1 AS regclass) AND attnum > 0 AND NOT "
			    "attisdropped",
			    "s", table);

	ret = ret < 0 ? ret : sql_next(rows);
	if (ret > 0) {
		snprintf(text, size, "%s", sql_text(rows, 0));
	}
	return ret < 0 ? ret : ret == 0 ? -ENOENT : 0;
}

/* A condition with the number of the site. */
static void put_site(char *text, size_t size, const char *condition, int64_t site)
{
	const char *mark = strstr(condition, "$1");

	snprintf(text, size, "%.*s%" PRId64 "%s", (int)(mark - condition), condition, site,
		 mark + 2);
}

/* Rows of a table. COPY does not write to tables with row-level security: through another one. */
static int copy_table(struct sql *from, struct sql *to, size_t table, int64_t site)
{
	const char *name = tables[table].name;
	char columns[STATEMENT_SIZE / 4], condition[STATEMENT_SIZE / 4];
	char text[STATEMENT_SIZE], into[STATEMENT_SIZE / 2];
	int ret = read_columns(from, name, columns, sizeof(columns));

	if (ret < 0) {
		return ret;
	}
	put_site(condition, sizeof(condition), tables[table].of_site, site);
	snprintf(text, sizeof(text),
		 "CREATE TEMPORARY TABLE moved ON COMMIT DROP AS SELECT %s FROM "
		 "%s WITH NO DATA",
		 columns, name);
	ret = sql_script(to, text);
	snprintf(text, sizeof(text), "(SELECT %s FROM %s WHERE %s)", columns, name, condition);
	snprintf(into, sizeof(into), "moved (%s)", columns);
	ret = ret < 0 ? ret : sql_copy(from, text, to, into);
	if (ret >= 0 && strcmp(name, "sites") == 0) {
		ret = sql_script(to, "UPDATE moved SET arriving = 1");
	}
	snprintf(text, sizeof(text), "INSERT INTO %s (%s) SELECT %s FROM moved; DROP TABLE moved",
		 name, columns, columns);
	return ret < 0 ? ret : sql_script(to, text);
}

static int copy_tenants(struct store *store, struct sql *from, struct sql *to, int64_t site)
{
	struct sql_rows *rows __cleanup(sql_done_ptr) = NULL;
	struct sql *first = store_shard(store, 0);
	int ret =
		first ? sql_query(
				from, &rows,
				"SELECT customer, COALESCE(company, customer) FROM sites WHERE id = $1",
				"i", site)
		      : -ENOTCONN;

	ret = ret < 0 ? ret : sql_next(rows);
	for (int i = 0; i < 2 && ret > 0; i++) {
		int done = store_copy_tenant(first, to, sql_int(rows, i));

		ret = done < 0 ? done : ret;
	}
	return ret < 0 ? ret : 0;
}

/* Has the copy the same rows? Return: 0, -EBADMSG with @err, or another negative errno. */
static int compare(struct sql *from, struct sql *to, int64_t site, char *err, size_t size)
{
	uint8_t was[DERIVE_HASH_BYTES], is[DERIVE_HASH_BYTES];
	int ret = derive_hash_site(from, site, was);

	ret = ret < 0 ? ret : derive_hash_site(to, site, is);
	if (ret == 0 && memcmp(was, is, sizeof(was)) != 0) {
		snprintf(err, size, "site %" PRId64 ": the copy has another hash", site);
		return -EBADMSG;
	}
	for (size_t i = 0; i < ARRAY_SIZE(tables) && ret == 0; i++) {
		int64_t before = 0;
		int64_t after = 0;

		ret = sql_one(from, &before, 0, tables[i].count, "i", site);
		ret = ret < 0 ? ret : sql_one(to, &after, 0, tables[i].count, "i", site);
		if (ret == 0 && before != after) {
			snprintf(err, size,
				 "site %" PRId64 ": %s: expected %" PRId64
				 " rows in the copy, found %" PRId64,
				 site, tables[i].name, before, after);
			return -EBADMSG;
		}
	}
	return ret;
}

static int remove_rows(struct sql *sql, int64_t site)
{
	int ret = 0;

	for (size_t i = ARRAY_SIZE(tables); i-- > 0 && ret >= 0;) {
		ret = sql_run(sql, tables[i].remove, "i", site);
	}
	return ret < 0 ? ret : 0;
}

/* Copies a site in one transaction of the new shard. */
static int copy_site(struct store *store, struct sql *from, struct sql *to, int64_t site, char *err,
		     size_t size)
{
	int ret = copy_tenants(store, from, to, site);

	ret = ret < 0 ? ret : sql_begin(to);
	for (size_t i = 0; i < ARRAY_SIZE(tables) && ret >= 0; i++) {
		ret = copy_table(from, to, i, site);
	}
	ret = ret < 0 ? ret : compare(from, to, site, err, size);
	ret = ret < 0 ? ret : sql_commit(to);
	if (ret < 0) {
		report(to, ret, err, size);
		sql_rollback(to);
	}
	return ret;
}

static int arrive(struct sql *sql, int64_t site)
{
	int ret = sql_run(sql, "UPDATE sites SET arriving = 0 WHERE id = $1", "i", site);

	return ret < 0 ? ret : 0;
}

/* Derives what is waiting, so that no batch of the site has to be derived in the new shard. Return:
 * 1 with the tables locked in a transaction; 0 when there is something new; or a negative errno. */
static int lock_derived(struct store *store, struct sql *sql, int64_t site)
{
	int64_t waiting;
	int ret;

	do {
		ret = derive_next(store, sql, DERIVE_GROUP, NULL, NULL);
	} while (ret > 0);
	ret = ret < 0 ? ret : sql_begin(sql);
	if (ret < 0) {
		return ret;
	}
	ret = lock_tables(sql);
	waiting = ret < 0 ? ret : derive_waiting(sql, site);
	if (waiting == 0) {
		return 1;
	}
	sql_rollback(sql);
	return waiting < 0 ? (int)waiting : 0;
}

int move_site(struct store *store, int64_t site, int from_shard, int to_shard, char *err,
	      size_t size)
{
	struct sql *from = store_shard(store, from_shard);
	struct sql *to = store_shard(store, to_shard);
	int ret = 0;

	err[0] = '\0';
	if (!from || !to) {
		snprintf(err, size, "shard %d does not answer", from ? to_shard : from_shard);
		return -ENOTCONN;
	}
	for (int i = 0; i < LOCK_TRIES && (ret == 0 || ret == -EAGAIN); i++) {
		ret = lock_derived(store, from, site);
	}
	if (ret <= 0) {
		return report(from, ret < 0 ? ret : -EAGAIN, err, size);
	}
	ret = store_has_site(from, site);
	if (ret > 0) {
		ret = copy_site(store, from, to, site, err, size);
		ret = ret < 0 ? ret : remove_rows(from, site);
		ret = ret < 0 ? ret : 1;
	}
	if (ret <= 0) {
		report(from, ret, err, size);
		sql_rollback(from);
		return ret;
	}
	ret = sql_commit(from);
	if (ret < 0) {
		return report(from, ret, err, size);
	}
	ret = arrive(to, site);
	return ret < 0 ? report(to, ret, err, size) : 1;
}

/* ---- interrupted moves ---- */

static int finish_site(struct store *store, struct sql *sql, int64_t site)
{
	int shard;
	int ret = store_find_site(store, site, &shard);

	if (ret == -ENOENT) {
		return arrive(sql, site);
	}
	if (ret < 0) {
		return ret;
	}
	ret = sql_begin(sql);
	ret = ret < 0 ? ret : remove_rows(sql, site);
	if (ret >= 0) {
		return sql_commit(sql);
	}
	sql_rollback(sql);
	return ret;
}

int move_finish(struct store *store, char *err, size_t size)
{
	int count = 0;

	err[0] = '\0';
	for (int i = 0; i < store->shards; i++) {
		struct sql *sql = store_shard(store, i);
		int64_t site;
		int ret;

		if (!sql) {
			snprintf(err, size, "shard %d does not answer", i);
			return -ENOTCONN;
		}
		while ((ret = sql_one(sql, &site, 0, "SELECT MIN(id) FROM sites WHERE arriving = 1",
				      "")) == 0 &&
		       site) {
			ret = finish_site(store, sql, site);
			if (ret < 0) {
				return report(sql, ret, err, size);
			}
			count++;
		}
		if (ret < 0) {
			return report(sql, ret, err, size);
		}
	}
	return count;
}

/* ---- ranges ---- */

/* The next site of a shard after @site, 0 after the last one. */
static int64_t next_site(struct sql *sql, int64_t site)
{
	int64_t next;
	int ret = sql_one(sql, &next, 0, "SELECT MIN(id) FROM sites WHERE id > $1 AND arriving = 0",
			  "i", site);

	return ret < 0 ? ret : next;
}

int64_t move_range(struct store *store, uint32_t first, uint32_t last,
		   void (*moved)(int64_t site, int from, int to), char *err, size_t size)
{
	int64_t count = 0;

	for (int shard = 0; shard < store->shards; shard++) {
		struct sql *sql = store_shard(store, shard);
		int64_t site = 0;

		while (sql && (site = next_site(sql, site)) > 0) {
			uint32_t hash = (uint32_t)(store_hash(site) >> (64 - MOVE_HASH_BITS));
			int home = store_home(site, store->shards);
			int ret;

			if (home == shard || hash < first || hash > last) {
				continue;
			}
			ret = move_site(store, site, shard, home, err, size);
			if (ret < 0) {
				return ret;
			}
			count += ret;
			if (ret > 0 && moved) {
				moved(site, shard, home);
			}
		}
		if (!sql || site < 0) {
			snprintf(err, size, "shard %d does not answer", shard);
			return -ENOTCONN;
		}
	}
	return count;
}
