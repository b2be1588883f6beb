/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables of the service. */
#ifndef EMAD_SCHEMA_H
#define EMAD_SCHEMA_H

#include "sql.h"

/**
 * schema_migrate() - bring the tables to the newest version
 *
 * On PostgreSQL also row-level security and partitions, see partitions.h.
 *
 * Return: 0 or a negative errno with @err; -EPROTO for a database of a newer program.
 */
int schema_migrate(struct sql *sql, char *err, size_t size);

/* clang-format off */
/*
 * Tables that are derived from the log: a rebuild empties and fills them. Columns: name, columns
 * that the hash covers, rows of the site $1.
 */
#define SCHEMA_DERIVED(X) \
	X("unit_days", "serial, day, site, reports, peak_w, first1, first2, first3, " \
	  "first4, last1, last2, last3, last4, quarters, plain_hash", SCHEMA_OF_SITE) \
	X("units", "serial, site, ecu, time_s, power_w, state, faults, newest", SCHEMA_OF_SITE) \
	X("events", "id, site, ecu, serial, time_ms, name, value, text", SCHEMA_OF_SITE) \
	X("settings", "ecu, serial, name, value", SCHEMA_OF_ECUS) \
	X("results", "order_id, serial, state, time_ms, text", SCHEMA_OF_ORDERS)

#define SCHEMA_OF_SITE "site = $1"
#define SCHEMA_OF_ECUS "ecu IN (SELECT ecu FROM ecus WHERE site = $1)"
#define SCHEMA_OF_ORDERS "order_id IN (SELECT id FROM orders WHERE site = $1)"

/*
 * All tables with rows of sites; a table that refers to another comes after it. Columns: name,
 * rows of the site $1. The others are tenants, rules, notifications, and numbers of the database.
 */
#define SCHEMA_BY_SITE(X) \
	X("sites", "id = $1") \
	X("ecus", SCHEMA_OF_SITE) \
	X("orders", SCHEMA_OF_SITE) \
	X("alarms", SCHEMA_OF_SITE) \
	X("conflicts", SCHEMA_OF_ECUS) \
	X("epochs", SCHEMA_OF_ECUS) \
	X("handovers", SCHEMA_OF_SITE) \
	X("jobs", SCHEMA_OF_SITE) \
	X("outbox", "alarm IN (SELECT id FROM alarms WHERE site = $1)") \
	X("results", SCHEMA_OF_ORDERS) \
	X("settings", SCHEMA_OF_ECUS) \
	X("events", SCHEMA_OF_SITE) \
	X("units", SCHEMA_OF_SITE) \
	X("unit_days", SCHEMA_OF_SITE) \
	X("log_days", SCHEMA_OF_SITE) \
	X("batch_keys", SCHEMA_OF_SITE) \
	X("batches", SCHEMA_OF_SITE) \
	X("progress", "name = 'modules-' || CAST($1 AS BIGINT)")
/* clang-format on */

/**
 * schema_claim() - make an empty database a shard, or check which one it is
 * @shard: number of the shard that the configuration says
 *
 * Nothing on SQLite.
 *
 * Return: 0; -EPROTO when it is another shard, with @err; or a negative errno with @err.
 */
int schema_claim(struct sql *sql, int shard, char *err, size_t size);

/* The first batch number of a shard; its numbers end before the first one of the next shard. */
int64_t schema_first_number(int shard);

#endif /* EMAD_SCHEMA_H */
