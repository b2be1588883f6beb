/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long each class of data is kept; partitions.h has the class of whole days. */
#ifndef EMAD_RETENTION_H
#define EMAD_RETENTION_H

#include <sqlite3.h>

#include "config.h"
#include "sql.h"

/* Reports are kept for this long at least, days: an ECU may deliver them late. */
#define RETENTION_REPORTS_MIN 32

/**
 * retention_apply() - delete data that are older than the limit of their class
 * @audit: connection of the audit log
 * @show: called for each class that has a limit, with the number of deleted rows; may be NULL
 *
 * Return: 0 or a negative errno.
 */
int retention_apply(const struct config *config, struct sql *sql, sqlite3 *audit, int64_t now_ms,
		    void (*show)(const char *name, int64_t rows));

#endif /* EMAD_RETENTION_H */
