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

/*
 * Tables that are derived from the log: a rebuild empties and fills them. Columns: name, an order
 * of its rows for the hash, columns that the hash covers.
 */
/* clang-format off */
#define SCHEMA_DERIVED(X) \
	X("unit_days", "site, serial, day", "serial, day, site, reports, peak_w, first1, first2, first3, " \
	  "first4, last1, last2, last3, last4, quarters, plain_hash") \
	X("units", "site, serial", "serial, site, ecu, time_s, power_w, state, faults, newest") \
	X("events", "id", "id, site, ecu, serial, time_ms, name, value, text") \
	X("settings", "ecu, serial, name", "ecu, serial, name, value") \
	X("results", "order_id, serial", "order_id, serial, state, time_ms, text")
/* clang-format on */

#endif /* EMAD_SCHEMA_H */
