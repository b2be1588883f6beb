/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tables of the store, by version. Keys begin with the time, so that new rows of all units are side
 * by side: a commit writes few pages.
 */
#ifndef ECUD_STORE_SCHEMA_H
#define ECUD_STORE_SCHEMA_H

#define STORE_FILE "ecud.db"
#define STORE_COMPONENT "ecud"

static const char *const store_schema[] = {
	/* 1 */
	"CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE unit (serial TEXT PRIMARY KEY, removed INTEGER NOT NULL, name TEXT NOT NULL,"
	" make INTEGER NOT NULL, paired INTEGER NOT NULL, address INTEGER NOT NULL,"
	" modbus_unit INTEGER NOT NULL, phase INTEGER NOT NULL, place BLOB NOT NULL,"
	" rma TEXT NOT NULL, firmware TEXT NOT NULL, model TEXT NOT NULL, profile TEXT NOT NULL,"
	" profile_desired TEXT NOT NULL, key BLOB) STRICT, WITHOUT ROWID;"
	"CREATE TABLE account (serial TEXT, channel INTEGER, total_mwh INTEGER NOT NULL,"
	" day INTEGER NOT NULL, day_mwh INTEGER NOT NULL, counter_mwh INTEGER NOT NULL,"
	" counted INTEGER NOT NULL, time_ms INTEGER NOT NULL, PRIMARY KEY (serial, channel))"
	" STRICT, WITHOUT ROWID;"
	"CREATE TABLE power_limit (owner TEXT, site INTEGER, serial TEXT, w REAL, then_w REAL,"
	" since_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL, reason TEXT NOT NULL,"
	" set_by TEXT NOT NULL, PRIMARY KEY (owner, site, serial)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE event (number INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL,"
	" kind TEXT NOT NULL, serial TEXT NOT NULL, detail TEXT NOT NULL) STRICT;"
	/* minute: s since 1970 / 60; reports: days.h; e0..e4: totals after the minute, mWh */
	"CREATE TABLE chunk (minute INTEGER, serial INTEGER, reports BLOB NOT NULL,"
	" e0 INTEGER, e1 INTEGER, e2 INTEGER, e3 INTEGER, e4 INTEGER,"
	" PRIMARY KEY (minute, serial)) STRICT, WITHOUT ROWID;"
	/* quarter: s since 1970 / 900; power: mean and largest of the quarter, W */
	"CREATE TABLE quarter (quarter INTEGER, serial INTEGER, power REAL, power_max REAL,"
	" e0 INTEGER, e1 INTEGER, e2 INTEGER, e3 INTEGER, e4 INTEGER,"
	" PRIMARY KEY (quarter, serial)) STRICT, WITHOUT ROWID;"
	/* day: local date, yyyymmdd; reports: one a minute; e0..e4: totals at its end, mWh */
	"CREATE TABLE day (serial INTEGER, day INTEGER, reports BLOB NOT NULL,"
	" e0 INTEGER, e1 INTEGER, e2 INTEGER, e3 INTEGER, e4 INTEGER,"
	" PRIMARY KEY (serial, day)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE batch (sequence INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;",
	/* 2: number of the last event of the unit's own log that is kept */
	"ALTER TABLE unit ADD COLUMN event_last INTEGER NOT NULL DEFAULT 0;",
	/* 3: how the phase is known */
	"ALTER TABLE unit ADD COLUMN phase_named INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE unit ADD COLUMN phase_group INTEGER NOT NULL DEFAULT 0;"
	"UPDATE unit SET phase_named = phase != 0;",
	/* a row a minute for all units, in place of a row for each: store_chunks.h */
	"CREATE TABLE minute (minute INTEGER PRIMARY KEY, chunks BLOB NOT NULL) STRICT;"
	"INSERT INTO minute SELECT minute, chunks(serial, reports, e0, e1, e2, e3, e4)"
	" FROM (SELECT * FROM chunk ORDER BY minute, serial) GROUP BY minute;"
	"DROP TABLE chunk;",
	/* rows that could not be read: store_damage.h */
	"CREATE TABLE damaged (what TEXT PRIMARY KEY, time_ms INTEGER NOT NULL,"
	" bytes BLOB NOT NULL) STRICT;",
};

#endif /* ECUD_STORE_SCHEMA_H */
