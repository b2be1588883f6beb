/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Readings at full rate: one row a minute, which holds a chunk for each unit, by serial number.
 * Rows are long and are appended to their table, so SQLite writes each page once, and frees it
 * without writing it again.
 *
 * A chunk: serial number, totals after the minute in mWh, length, reports (days.h).
 */
#ifndef ECUD_STORE_CHUNKS_H
#define ECUD_STORE_CHUNKS_H

#include <sqlite3.h>

#include "account.h"
#include "pack.h"
#include "report.h"

/**
 * struct chunk - one unit's part of a minute
 * @reports: @n bytes, packed; they are in the row, and valid as long as the row is
 */
struct chunk {
	uint64_t serial;
	uint64_t total_mwh[ACCOUNT_CHANNELS];
	const uint8_t *reports;
	size_t n;
};

void chunk_put(struct packer *row, const struct chunk *chunk);

/* The next chunk of a row; false at its end, or when it is damaged: @row->failed. */
bool chunk_next(struct unpacker *row, struct chunk *ret);

/* Chunks of column @column, which lives until the statement's next step. */
struct unpacker chunk_row(sqlite3_stmt *statement, int column);

/* The SQL function with which the migration makes rows of chunks that had one each. */
int chunk_migration(sqlite3 *db);

#endif /* ECUD_STORE_CHUNKS_H */
