// SPDX-License-Identifier: GPL-2.0-or-later
#include "epoch.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <sodium.h>

#include "batch.h"
#include "db.h"
#include "store_damage.h"
#include "store_schema.h"
#include "util.h"

/* Seals the content of a batch under another key. Return: 0, -ENOMEM, or another negative errno for
 * a batch that is damaged. */
static int seal_again(const void *old, size_t old_n, uint64_t epoch, uint64_t sequence,
		      uint8_t **ret_bytes, size_t *ret_n)
{
	struct batch batch;
	char err[160];
	int ret = batch_open(old, old_n, &batch, err, sizeof(err));

	if (ret < 0) {
		return ret;
	}
	batch.head.epoch = epoch;
	batch.head.sequence = sequence;
	ret = batch_seal(&batch, ret_bytes, ret_n);
	batch_clear(&batch);
	return ret;
}

/* A batch that cannot be delivered must not hold up the others. */
static int set_aside(sqlite3 *db, sqlite3_stmt *row, uint64_t old_epoch, uint64_t sequence)
{
	int ret = damage_keep(db, sqlite3_column_blob(row, 1), (size_t)sqlite3_column_bytes(row, 1),
			      "batch %" PRIu64 " of the outbox, epoch %" PRIu64, sequence,
			      old_epoch);

	return ret < 0 ? ret
		       : db_run(db, "DELETE FROM batch WHERE sequence = ?", "i", (int64_t)sequence);
}

/*
 * The oldest batch after @after becomes @sequence; one that is damaged is set aside.
 *
 * Return: 1, 0 for none, or a negative errno. *@moved: it has the new key.
 */
static int move_batch(sqlite3 *db, uint64_t *after, uint64_t old_epoch, uint64_t epoch,
		      uint64_t sequence, bool *moved)
{
	sqlite3_stmt *row __cleanup(db_finalize) = NULL;
	uint8_t *bytes __cleanup(free_ptr) = NULL;
	size_t n;
	int ret = db_prepare(
		db, &row,
		"SELECT sequence, bytes FROM batch WHERE sequence > ? ORDER BY sequence LIMIT 1",
		"i", (int64_t)*after);

	ret = ret < 0 ? ret : db_step(row);
	if (ret <= 0) {
		return ret;
	}
	*after = (uint64_t)sqlite3_column_int64(row, 0);
	ret = seal_again(sqlite3_column_blob(row, 1), (size_t)sqlite3_column_bytes(row, 1), epoch,
			 sequence, &bytes, &n);
	*moved = ret == 0;
	if (ret < 0 && ret != -ENOMEM) {
		ret = set_aside(db, row, old_epoch, *after);
		return ret < 0 ? ret : 1;
	}
	sqlite3_reset(row);
	/* A new key is never above an old one, so it is free. */
	ret = ret < 0 ? ret
		      : db_run(db, "UPDATE batch SET sequence = ?, bytes = ? WHERE sequence = ?",
			       "ibi", (int64_t)sequence, bytes, n, (int64_t)*after);
	return ret < 0 ? ret : 1;
}

static int put_setting(sqlite3 *db, const char *name, uint64_t value)
{
	char text[32];
	int ret;

	snprintf(text, sizeof(text), "%" PRIu64, value);
	ret = db_run(db,
		     "INSERT INTO setting VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = "
		     "excluded.value",
		     "ss", name, text);
	return ret < 0 ? ret : 0;
}

static int renew(sqlite3 *db, uint64_t stored, uint64_t old_epoch, uint64_t epoch,
		 uint64_t *ret_sequence)
{
	uint64_t after = stored;
	uint64_t sequence = 0;
	bool moved;
	int ret = db_run(db, "DELETE FROM batch WHERE sequence <= ?", "i", (int64_t)stored);

	while (ret >= 0 &&
	       (ret = move_batch(db, &after, old_epoch, epoch, sequence + 1, &moved)) > 0) {
		sequence += moved;
	}
	ret = ret < 0 ? ret : put_setting(db, "epoch", epoch);
	ret = ret < 0 ? ret : put_setting(db, "sequence", sequence);
	*ret_sequence = sequence;
	return ret;
}

int epoch_begin(struct store *store, uint64_t stored, uint64_t old_epoch, uint64_t *ret_epoch,
		uint64_t *ret_sequence)
{
	char path[PATH_MAX];
	char err[PATH_MAX + 100];
	sqlite3 *db = NULL;
	uint64_t epoch, sequence;
	int ret = store_flush(store);

	randombytes_buf(&epoch, sizeof(epoch));
	epoch >>= 1;
	snprintf(path, sizeof(path), "%s/" STORE_FILE, store_folder(store));
	ret = ret < 0 ? ret : db_open(&db, path, DB_SAFE, err, sizeof(err));
	ret = ret < 0 ? ret : db_begin(db);
	if (ret == 0) {
		ret = renew(db, stored, old_epoch, epoch, &sequence);
		ret = ret < 0 ? ret : db_commit(db);
		if (ret < 0) {
			db_rollback(db);
		}
	}
	db_close(db);
	if (ret == 0) {
		*ret_epoch = epoch;
		*ret_sequence = sequence;
	}
	return ret;
}
