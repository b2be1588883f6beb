// SPDX-License-Identifier: GPL-2.0-or-later
/* Retention by class, see retention.h. */
#include <stddef.h>

#include "db.h"
#include "retention.h"

#define DAY_MS INT64_C(86400000)

/* Where a class is. */
enum where {
	DATA_DAY, /* the data, by a local day */
	DATA_MS,  /* the data, by ms since 1970 */
	AUDIT_MS, /* the audit log */
};

/*
 * Columns: setting with the days, where, statement: $1 is the first day or ms that is kept.
 * The newest reports of an inverter stay: a rebuild shows them as its present state. An order that
 * is under way stays, too.
 */
static const struct class
{
	const char *name;
	size_t days;
	enum where where;
	const char *text;
} classes[] = {
	{ "reports", offsetof(struct config, keep_reports_days), DATA_DAY,
	  "UPDATE unit_days SET content = SUBSTR(content, 1, 0) WHERE day < $1 AND compacted = 1 AND LENGTH(content) > 0 "
	  "AND day < (SELECT MAX(day) FROM unit_days b WHERE b.site = unit_days.site AND b.serial = "
	  "unit_days.serial)" },
	{ "events", offsetof(struct config, keep_events_days), DATA_MS,
	  "DELETE FROM events WHERE time_ms < $1" },
	{ "messages", offsetof(struct config, keep_events_days), DATA_MS,
	  "DELETE FROM outbox WHERE alarm IN (SELECT id FROM alarms WHERE end_ms < $1)" },
	{ "alarms", offsetof(struct config, keep_events_days), DATA_MS,
	  "DELETE FROM alarms WHERE end_ms < $1" },
	{ "results", offsetof(struct config, keep_orders_days), DATA_MS,
	  "DELETE FROM results WHERE order_id IN (SELECT id FROM orders WHERE issued_ms < $1 AND state "
	  "NOT IN ('queued', 'sent'))" },
	{ "orders", offsetof(struct config, keep_orders_days), DATA_MS,
	  "DELETE FROM orders WHERE issued_ms < $1 AND state NOT IN ('queued', 'sent')" },
	{ "audit", offsetof(struct config, keep_audit_days), AUDIT_MS,
	  "DELETE FROM audit WHERE time_ms < ?" },
};

int retention_apply(const struct config *config, struct sql *sql, sqlite3 *audit, int64_t now_ms,
		    void (*show)(const char *name, int64_t rows))
{
	int ret = 0;

	for (size_t i = 0; ret >= 0 && i < ARRAY_SIZE(classes); i++) {
		const struct class *class = &classes[i];
		int64_t days = *(const int64_t *)((const char *)config + class->days);
		int64_t begin_ms = now_ms - days * DAY_MS;

		if (days == 0) {
			continue;
		}
		ret = class->where == AUDIT_MS
			      ? db_run(audit, class->text, "i", begin_ms)
			      : sql_run(sql, class->text, "i",
					class->where == DATA_DAY ? begin_ms / DAY_MS : begin_ms);
		if (ret >= 0 && show) {
			show(class->name, ret);
		}
	}
	return ret < 0 ? ret : 0;
}
