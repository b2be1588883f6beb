// SPDX-License-Identifier: GPL-2.0-or-later
#include "store_chunks.h"

#include <stdlib.h>

#include "db.h"

void chunk_put(struct packer *row, const struct chunk *chunk)
{
	pack_unsigned(row, chunk->serial);
	for (int i = 0; i < ACCOUNT_CHANNELS; i++) {
		pack_unsigned(row, chunk->total_mwh[i]);
	}
	pack_unsigned(row, chunk->n);
	pack_bytes(row, chunk->reports, chunk->n);
}

bool chunk_next(struct unpacker *row, struct chunk *ret)
{
	if (row->n == 0 || row->failed) {
		return false;
	}
	ret->serial = unpack_unsigned(row);
	for (int i = 0; i < ACCOUNT_CHANNELS; i++) {
		ret->total_mwh[i] = unpack_unsigned(row);
	}
	ret->n = unpack_unsigned(row);
	ret->reports = unpack_bytes(row, ret->n);
	return !row->failed;
}

struct unpacker chunk_row(sqlite3_stmt *statement, int column)
{
	const uint8_t *bytes = sqlite3_column_blob(statement, column);

	return (struct unpacker){ bytes, (size_t)sqlite3_column_bytes(statement, column), false };
}

/* Arguments: serial number, reports, and the totals. */
static void add_chunk(sqlite3_context *context, int count, sqlite3_value **value)
{
	struct packer *row = sqlite3_aggregate_context(context, sizeof(*row));
	struct chunk chunk = {
		.serial = (uint64_t)sqlite3_value_int64(value[0]),
		.reports = sqlite3_value_blob(value[1]),
		.n = (size_t)sqlite3_value_bytes(value[1]),
	};

	for (int i = 2; i < count; i++) {
		chunk.total_mwh[i - 2] = (uint64_t)sqlite3_value_int64(value[i]);
	}
	if (row) {
		chunk_put(row, &chunk);
	}
}

static void end_row(sqlite3_context *context)
{
	struct packer *row = sqlite3_aggregate_context(context, 0);

	if (!row || row->failed) {
		sqlite3_result_error_nomem(context);
	} else {
		sqlite3_result_blob64(context, row->bytes, row->n, SQLITE_TRANSIENT);
	}
	if (row) {
		free(row->bytes);
	}
}

int chunk_migration(sqlite3 *db)
{
	return db_errno(sqlite3_create_function_v2(db, "chunks", 2 + ACCOUNT_CHANNELS, SQLITE_UTF8,
						   NULL, NULL, add_chunk, end_row, NULL));
}
