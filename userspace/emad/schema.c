// SPDX-License-Identifier: GPL-2.0-or-later
/* Tables of the service, see schema.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "schema.h"

/*
 * Epochs are 64 bits and stored as the signed number of the same bits. Energies are 0.1 Wh as in
 * reports. Days are counted from 1970 in local time.
 *
 * The log: batches, and after compaction log_days together with unit_days whose day is compacted.
 * shift_s: what was added to the report times of a batch from an ECU whose clock was wrong.
 */
static const char version_1[] =
	"CREATE TABLE tenants (id INTEGER PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL) "
	"STRICT;"
	/* The first user is an owner of this customer. */
	"INSERT INTO tenants (id, name, kind) VALUES (0, 'Owner', 'customer');"

	"CREATE TABLE sites (id INTEGER PRIMARY KEY, customer INTEGER NOT NULL REFERENCES tenants, "
	"company INTEGER REFERENCES tenants, name TEXT NOT NULL, address TEXT NOT NULL DEFAULT '', "
	"lat REAL, lon REAL, installed_on TEXT, installer TEXT NOT NULL DEFAULT '', "
	"warranty_years INTEGER NOT NULL DEFAULT 10, note TEXT NOT NULL DEFAULT '', map TEXT, "
	"zone_min INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL DEFAULT 'new', power_w REAL, "
	"energy_today_wh REAL, units INTEGER NOT NULL DEFAULT 0, reporting INTEGER NOT NULL DEFAULT 0, "
	"alarms INTEGER NOT NULL DEFAULT 0, last_ms INTEGER, created_ms INTEGER NOT NULL) STRICT;"
	"CREATE INDEX sites_customer ON sites (customer);"
	"CREATE INDEX sites_company ON sites (company);"
	"CREATE INDEX sites_name ON sites (name, id);"

	"CREATE TABLE ecus (ecu INTEGER NOT NULL UNIQUE, site INTEGER NOT NULL REFERENCES sites, "
	"key_hash BLOB UNIQUE, code_hash BLOB, code_expires_ms INTEGER, "
	"revoked INTEGER NOT NULL DEFAULT 0, last_ms INTEGER, clock_offset_ms INTEGER, "
	"order_sequence INTEGER NOT NULL DEFAULT 0) STRICT;"
	"CREATE INDEX ecus_site ON ecus (site);"

	"CREATE TABLE batches (number INTEGER PRIMARY KEY, ecu INTEGER NOT NULL, "
	"epoch INTEGER NOT NULL, sequence INTEGER NOT NULL, hash BLOB NOT NULL, "
	"site INTEGER NOT NULL, received_ms INTEGER NOT NULL, shift_s INTEGER NOT NULL, "
	"payload BLOB NOT NULL, UNIQUE (ecu, epoch, sequence)) STRICT;"
	"CREATE INDEX batches_site ON batches (site);"

	"CREATE TABLE epochs (ecu INTEGER NOT NULL, epoch INTEGER NOT NULL, "
	"through INTEGER NOT NULL, UNIQUE (ecu, epoch)) STRICT;"

	"CREATE TABLE conflicts (ecu INTEGER NOT NULL, epoch INTEGER NOT NULL, "
	"sequence INTEGER NOT NULL, hash BLOB NOT NULL, time_ms INTEGER NOT NULL, "
	"UNIQUE (ecu, epoch, sequence, hash)) STRICT;"

	"CREATE TABLE log_days (ecu INTEGER NOT NULL, epoch INTEGER NOT NULL, "
	"first_sequence INTEGER NOT NULL, last_sequence INTEGER NOT NULL, site INTEGER NOT NULL, "
	"number INTEGER NOT NULL, hashes BLOB NOT NULL, rows BLOB NOT NULL, UNIQUE (ecu, epoch, first_sequence)) STRICT;"

	"CREATE TABLE progress (name TEXT NOT NULL UNIQUE, number INTEGER NOT NULL) STRICT;"

	"CREATE TABLE unit_days (serial INTEGER NOT NULL, day INTEGER NOT NULL, "
	"site INTEGER NOT NULL, compacted INTEGER NOT NULL DEFAULT 0, reports INTEGER NOT NULL, "
	"peak_w INTEGER, first1 INTEGER, first2 INTEGER, first3 INTEGER, first4 INTEGER, "
	"last1 INTEGER, last2 INTEGER, last3 INTEGER, last4 INTEGER, quarters BLOB NOT NULL, "
	"plain_hash BLOB NOT NULL, content BLOB NOT NULL, UNIQUE (site, serial, day)) STRICT;"
	"CREATE INDEX unit_days_site ON unit_days (site, day);"

	"CREATE TABLE units (serial INTEGER NOT NULL, site INTEGER NOT NULL, "
	"ecu INTEGER NOT NULL, time_s INTEGER NOT NULL, power_w INTEGER, state INTEGER, "
	"faults INTEGER, newest BLOB NOT NULL, UNIQUE (site, serial)) STRICT;"

	"CREATE TABLE events (id INTEGER NOT NULL UNIQUE, site INTEGER NOT NULL, "
	"ecu INTEGER NOT NULL, serial INTEGER, time_ms INTEGER NOT NULL, name TEXT NOT NULL, "
	"value INTEGER NOT NULL, text TEXT NOT NULL) STRICT;"
	"CREATE INDEX events_site ON events (site, id);"

	"CREATE TABLE settings (ecu INTEGER NOT NULL, serial INTEGER NOT NULL, name TEXT NOT NULL, "
	"value TEXT NOT NULL, UNIQUE (ecu, serial, name)) STRICT;"

	"CREATE TABLE orders (id TEXT NOT NULL UNIQUE, sequence INTEGER PRIMARY KEY, "
	"site INTEGER NOT NULL, serial INTEGER, command TEXT NOT NULL, arguments TEXT NOT NULL, "
	"by_name TEXT NOT NULL, role TEXT NOT NULL, issued_ms INTEGER NOT NULL, "
	"ttl_s INTEGER NOT NULL, sent_ms INTEGER, state TEXT NOT NULL) STRICT;"
	"CREATE INDEX orders_site ON orders (site, sequence);"

	"CREATE TABLE results (order_id TEXT NOT NULL, serial INTEGER NOT NULL, "
	"state TEXT NOT NULL, time_ms INTEGER NOT NULL, text TEXT NOT NULL, "
	"UNIQUE (order_id, serial)) STRICT;"

	"CREATE TABLE alarms (id INTEGER PRIMARY KEY, site INTEGER NOT NULL, serial INTEGER NOT NULL, "
	"input INTEGER NOT NULL, rule TEXT NOT NULL, severity INTEGER NOT NULL, "
	"since_ms INTEGER NOT NULL, begin_ms INTEGER, end_ms INTEGER, acknowledged_ms INTEGER, "
	"acknowledged_by TEXT, text TEXT NOT NULL) STRICT;"
	"CREATE INDEX alarms_site ON alarms (site, id);"
	"CREATE INDEX alarms_open ON alarms (end_ms, site);"

	"CREATE TABLE rules (tenant INTEGER NOT NULL, name TEXT NOT NULL, enabled INTEGER NOT NULL, "
	"threshold REAL NOT NULL, delay_min INTEGER NOT NULL, UNIQUE (tenant, name)) STRICT;"

	"CREATE TABLE notifications (tenant INTEGER NOT NULL UNIQUE, emails TEXT NOT NULL, "
	"webhook TEXT, quiet_from_min INTEGER, quiet_to_min INTEGER, "
	"min_severity INTEGER NOT NULL) STRICT;"

	"CREATE TABLE outbox (id INTEGER PRIMARY KEY, alarm INTEGER NOT NULL, tenant INTEGER NOT NULL, "
	"ended INTEGER NOT NULL, target TEXT NOT NULL, due_ms INTEGER NOT NULL, "
	"tries INTEGER NOT NULL DEFAULT 0, error TEXT, done_ms INTEGER, "
	"UNIQUE (alarm, tenant, ended, target)) STRICT;"
	"CREATE INDEX outbox_due ON outbox (done_ms, due_ms);"

	"CREATE TABLE jobs (id TEXT NOT NULL UNIQUE, site INTEGER NOT NULL, ecu INTEGER, "
	"commission INTEGER NOT NULL, commission_order TEXT, inverters TEXT NOT NULL, "
	"created_ms INTEGER NOT NULL) STRICT;"

	"CREATE TABLE handovers (code_hash BLOB NOT NULL UNIQUE, site INTEGER NOT NULL, "
	"tenant INTEGER NOT NULL, expires_ms INTEGER NOT NULL) STRICT;";

/* Keys of the batches in the log, unique over all partitions that PostgreSQL divides it into. */
static const char version_2[] =
	"CREATE TABLE batch_keys (ecu INTEGER NOT NULL, epoch INTEGER NOT NULL, sequence INTEGER NOT "
	"NULL, site INTEGER NOT NULL, UNIQUE (ecu, epoch, sequence)) STRICT;"
	"INSERT INTO batch_keys SELECT ecu, epoch, sequence, site FROM batches;"
	"CREATE INDEX batch_keys_site ON batch_keys (site);"
	"CREATE INDEX orders_open ON orders (site) WHERE state IN ('queued', 'sent');";

/* arriving: the site is being moved to this shard, and counts where it comes from. */
static const char version_3[] = "ALTER TABLE sites ADD COLUMN arriving INTEGER NOT NULL DEFAULT 0;"
				"CREATE INDEX sites_arriving ON sites (id) WHERE arriving = 1;";

static const char *const steps[] = { version_1, version_2, version_3 };

/*
 * Row-level security of PostgreSQL, the second layer beside the predicate of each statement. The
 * tenant is a setting of the connection, see sql_scope(); -1 sees all. FORCE, because the owner
 * of a table is exempt otherwise. A table that has a site follows the sites that are visible.
 */
#define TENANT "COALESCE(NULLIF(current_setting('qs1.tenant', true), ''), '-2')::bigint"
#define SECURE(table, condition)                                                                   \
	"ALTER TABLE " table " ENABLE ROW LEVEL SECURITY;"                                         \
	"ALTER TABLE " table " FORCE ROW LEVEL SECURITY;"                                          \
	"CREATE POLICY tenant ON " table " USING (" TENANT " = -1 OR (" condition "));"
#define BY_SITE(table) SECURE(table, "site IN (SELECT id FROM sites)")
#define BY_ECU(table) SECURE(table, "ecu IN (SELECT ecu FROM ecus)")

static const char *const rls_steps[] = {
	SECURE("sites", "customer = " TENANT " OR company = " TENANT) SECURE(
		"tenants", "id = " TENANT " OR id IN (SELECT customer FROM sites) OR id IN (SELECT "
			   "company FROM sites)") BY_SITE("ecus") BY_SITE("batches")
		BY_SITE("log_days") BY_SITE("unit_days") BY_SITE("units") BY_SITE("events")
			BY_SITE("orders") BY_SITE("alarms") BY_SITE("jobs") BY_SITE("handovers")
				BY_ECU("epochs") BY_ECU("conflicts") BY_ECU("settings")
					SECURE("results", "order_id IN (SELECT id FROM orders)")
						SECURE("rules", "tenant = " TENANT) SECURE(
							"notifications", "tenant = " TENANT)
							SECURE("outbox",
							       "alarm IN (SELECT id FROM alarms)"),
	BY_SITE("batch_keys"),
};

/*
 * Partitions of PostgreSQL, see partitions.h. Privileges and policies are those of the parent
 * table. A statement that names a partition itself needs rights on it, and there are none.
 */
static const char partitions_1[] =
	"CREATE SCHEMA partitions;"
	"REVOKE ALL ON SCHEMA partitions FROM PUBLIC;"

	/* Creates a partition for keys from low to before high, and moves their rows from the
	 * default partition. Returns whether it did. */
	"CREATE FUNCTION partition_add(parent TEXT, low BIGINT, high BIGINT) RETURNS BIGINT "
	"LANGUAGE plpgsql AS $$ DECLARE name TEXT := parent || '_' || low; key TEXT; BEGIN "
	"PERFORM pg_advisory_xact_lock(hashtext('partitions')); "
	"IF to_regclass(format('partitions.%I', name)) IS NOT NULL THEN RETURN 0; END IF; "
	"SELECT attname INTO key FROM pg_partitioned_table JOIN pg_attribute ON attrelid = partrelid "
	"AND attnum = partattrs[0] WHERE partrelid = format('public.%I', parent)::regclass; "
	"EXECUTE format('CREATE TABLE partitions.%I (LIKE public.%I INCLUDING DEFAULTS)', name, parent); "
	"EXECUTE format('ALTER TABLE partitions.%I ENABLE ROW LEVEL SECURITY', name); "
	"EXECUTE format('WITH moved AS (DELETE FROM partitions.%I WHERE %I >= %L AND %I < %L RETURNING *) "
	"INSERT INTO partitions.%I SELECT * FROM moved', parent || '_rest', key, low, key, high, name); "
	"EXECUTE format('ALTER TABLE public.%I ATTACH PARTITION partitions.%I FOR VALUES FROM (%L) TO "
	"(%L)', parent, name, low, high); RETURN 1; END $$;"

	/* Drops partitions whose keys are all below a limit, and unless forced only empty ones.
	 * Returns how many. The name of a partition ends with its lowest key. */
	"CREATE FUNCTION partition_drop(parent TEXT, below BIGINT, forced BOOLEAN) RETURNS BIGINT "
	"LANGUAGE plpgsql AS $$ DECLARE each RECORD; used BOOLEAN := false; dropped BIGINT := 0; BEGIN "
	"PERFORM pg_advisory_xact_lock(hashtext('partitions')); "
	"FOR each IN SELECT c.relname, substring(pg_get_expr(c.relpartbound, c.oid) FROM "
	"'TO \\(''?(-?[0-9]+)')::BIGINT AS high FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE "
	"inhparent = format('public.%I', parent)::regclass LOOP "
	"IF each.high IS NULL OR each.high > below THEN CONTINUE; END IF; "
	"IF NOT forced THEN EXECUTE format('LOCK TABLE partitions.%I', each.relname); "
	"EXECUTE format('SELECT EXISTS (SELECT 1 FROM partitions.%I)', each.relname) INTO used; END IF; "
	"IF NOT used THEN EXECUTE format('DROP TABLE partitions.%I', each.relname); "
	"dropped := dropped + 1; END IF; END LOOP; RETURN dropped; END $$;"
	"REVOKE ALL ON FUNCTION partition_add, partition_drop FROM PUBLIC;"

	"ALTER TABLE batches RENAME TO batches_whole;"
	"ALTER TABLE unit_days RENAME TO unit_days_whole;"
	"CREATE SEQUENCE batches_number AS BIGINT;"
	"CREATE TABLE batches (number BIGINT NOT NULL DEFAULT nextval('batches_number'), "
	"ecu BIGINT NOT NULL, epoch BIGINT NOT NULL, sequence BIGINT NOT NULL, hash BYTEA NOT NULL, "
	"site BIGINT NOT NULL, received_ms BIGINT NOT NULL, shift_s BIGINT NOT NULL, "
	"payload BYTEA NOT NULL, UNIQUE (ecu, epoch, sequence, received_ms)) "
	"PARTITION BY RANGE (received_ms);"
	"CREATE INDEX batches_by_number ON batches (number);"
	"CREATE INDEX batches_by_site ON batches (site);"
	"CREATE TABLE partitions.batches_rest PARTITION OF batches DEFAULT;"
	"ALTER TABLE partitions.batches_rest ENABLE ROW LEVEL SECURITY;"
	"INSERT INTO batches SELECT number, ecu, epoch, sequence, hash, site, received_ms, shift_s, "
	"payload FROM batches_whole;"
	"DO $$ BEGIN PERFORM setval('batches_number', (SELECT COALESCE(MAX(number), 0) + 1 FROM batches), "
	"false); END $$;"
	"DROP TABLE batches_whole;"

	"CREATE TABLE unit_days (LIKE unit_days_whole INCLUDING DEFAULTS, UNIQUE (site, serial, day)) "
	"PARTITION BY RANGE (day);"
	"CREATE INDEX unit_days_by_site ON unit_days (site, day);"
	"CREATE TABLE partitions.unit_days_rest PARTITION OF unit_days DEFAULT;"
	"ALTER TABLE partitions.unit_days_rest ENABLE ROW LEVEL SECURITY;"
	"INSERT INTO unit_days SELECT * FROM unit_days_whole;"
	"DROP TABLE unit_days_whole;" BY_SITE("batches") BY_SITE("unit_days");

static const char *const server_steps[] = { partitions_1 };

/*
 * Shards, see store.h. A row that would come to a site after it has left is refused. Names compare
 * by bytes, as with SQLite, so that lists of shards merge in their order; LOWER() of other
 * collations takes several times as long.
 */
static const char shards_1[] = "CREATE TABLE shard (number BIGINT NOT NULL);"
			       "ALTER TABLE orders ADD FOREIGN KEY (site) REFERENCES sites;"
			       "ALTER TABLE alarms ADD FOREIGN KEY (site) REFERENCES sites;"
			       "ALTER TABLE jobs ADD FOREIGN KEY (site) REFERENCES sites;"
			       "ALTER TABLE handovers ADD FOREIGN KEY (site) REFERENCES sites;"
			       "ALTER TABLE sites ALTER COLUMN name TYPE TEXT COLLATE \"C\";"
			       "ALTER TABLE sites ALTER COLUMN address TYPE TEXT COLLATE \"C\";"
			       "ALTER TABLE tenants ALTER COLUMN name TYPE TEXT COLLATE \"C\";";

/* The tenant of a policy as a subquery, which a statement evaluates once, not for each row. */
#define ONCE "(SELECT " TENANT ")"
#define SECURE_ONCE(table, condition)                                                              \
	"ALTER POLICY tenant ON " table " USING (" ONCE " = -1 OR (" condition "));"
#define BY_SITE_ONCE(table) SECURE_ONCE(table, "site IN (SELECT id FROM sites)")

static const char shards_2[] = SECURE_ONCE("sites", "customer = " ONCE " OR company = " ONCE)
	BY_SITE_ONCE("ecus") BY_SITE_ONCE("units") BY_SITE_ONCE("unit_days") BY_SITE_ONCE("batches")
		BY_SITE_ONCE("events") BY_SITE_ONCE("orders") BY_SITE_ONCE("alarms");

/* The site of each job that is handed over, in shard 0, see store_job_site(). */
static const char shards_3[] =
	"CREATE TABLE job_sites (id TEXT NOT NULL UNIQUE, site BIGINT NOT NULL, tenant BIGINT NOT "
	"NULL, time_ms BIGINT NOT NULL);" SECURE("job_sites", "tenant = " ONCE);

static const char *const shard_steps[] = { shards_1, shards_2, shards_3 };

/*
 * Each shard gives numbers of a range, so that a row keeps its number when its site moves. 2^37
 * batches, each with EVENTS_PER_BATCH events, times 16 shards are 2^53, which JSON numbers hold.
 */
#define NUMBERS_BITS 37

int64_t schema_first_number(int shard)
{
	return ((int64_t)shard << NUMBERS_BITS) + 1;
}

/*
 * SQLite alone: energies of years without the pages of the day blobs, each of which has one. A
 * fleet reads years of few sites, and PostgreSQL keeps large columns apart.
 */
static const char *const file_steps[] = {
	"CREATE INDEX unit_days_energy ON unit_days (site, serial, day, first1, first2, first3, "
	"first4, last1, last2, last3, last4);",
	/* The list of sites is filtered and sorted without reading the sites. */
	"DROP INDEX sites_name;"
	"CREATE INDEX sites_list ON sites (name, id, address, state, alarms, power_w, energy_today_wh, "
	"last_ms, customer, company, arriving);",
};

int schema_migrate(struct sql *sql, char *err, size_t size)
{
	int ret = sql_migrate(sql, "ema", steps, ARRAY_SIZE(steps), err, size);

	if (ret == 0 && sql_has_scope(sql)) {
		ret = sql_migrate(sql, "rls", rls_steps, ARRAY_SIZE(rls_steps), err, size);
	}
	if (ret == 0 && !sql_has_scope(sql)) {
		ret = sql_migrate(sql, "file", file_steps, ARRAY_SIZE(file_steps), err, size);
	}
	if (ret == 0 && sql_is_partitioned(sql)) {
		ret = sql_migrate(sql, "partitions", server_steps, ARRAY_SIZE(server_steps), err,
				  size);
	}
	if (ret == 0 && sql_has_scope(sql)) {
		ret = sql_migrate(sql, "shards", shard_steps, ARRAY_SIZE(shard_steps), err, size);
	}
	return ret;
}

/* Sequences of the numbers that a shard gives; those of tenants are the first shard's. */
static const char *const set_numbers[] = {
	"SELECT setval('batches_number', $1, false)",
	"SELECT setval(pg_get_serial_sequence('alarms', 'id'), $1, false)",
	"SELECT setval(pg_get_serial_sequence('outbox', 'id'), $1, false)",
	"SELECT setval(pg_get_serial_sequence('orders', 'sequence'), $1, false)",
};

static int claim(struct sql *sql, int shard, int64_t *ret_number)
{
	int64_t ignored, sites;
	int ret = sql_one(sql, &sites, 0, "SELECT COUNT(*) FROM sites", "");

	/* A database of before there were shards is the first one. */
	*ret_number = sites ? 0 : shard;
	for (size_t i = 0; ret == 0 && *ret_number > 0 && i < ARRAY_SIZE(set_numbers); i++) {
		ret = sql_one(sql, &ignored, 0, set_numbers[i], "i", schema_first_number(shard));
	}
	return ret < 0 ? ret : sql_run(sql, "INSERT INTO shard VALUES ($1)", "i", *ret_number);
}

int schema_claim(struct sql *sql, int shard, char *err, size_t size)
{
	int64_t number = shard;
	int ret = 0;

	if (sql_has_scope(sql)) {
		ret = sql_begin_locked(sql, SQL_LOCK_CLAIM);
		ret = ret < 0 ? ret : sql_one(sql, &number, -1, "SELECT number FROM shard", "");
		ret = ret < 0 || number >= 0 ? ret : claim(sql, shard, &number);
		if (ret >= 0) {
			ret = sql_commit(sql);
		} else {
			sql_rollback(sql);
		}
	}
	if (ret == 0 && number != shard) {
		snprintf(err, size, "database: line %d: expected shard %d, found shard %" PRId64,
			 shard + 1, shard, number);
		return -EPROTO;
	}
	if (ret < 0) {
		snprintf(err, size, "database: %s", sql_error(sql));
	}
	return ret;
}
