/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What outlives the process: SQLite with a write-ahead log. One thread writes, at the end of each
 * minute, and within a second what is urgent; readers open their own connection (struct
 * store_reader) on any thread.
 *
 *  - readings at full rate for a day, a row for each minute, with the energy totals
 *  - minutes for years, as day blobs, one for each unit and day
 *  - quarter hours for years, as rows
 *  - events and audit for ever
 *  - units, keys, limits, energy accounts: the state of the gateway
 *
 * A cut of power loses at most STORE_COMMIT_S of readings, and no energy: the units count it. While
 * the disk is full or read-only, what must not be lost waits in memory; readings are dropped oldest
 * first. Nothing is recorded with a clock that was never set; it waits until the clock is set, and
 * gets its right time then.
 */
#ifndef ECUD_STORE_H
#define ECUD_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "audit.h"
#include "account.h"
#include "power_limits.h"
#include "model.h"
#include "seal.h"

#define STORE_COMMIT_S 60
/* A wall clock before this was never set: 2024-01-01. */
#define STORE_CLOCK_SET_MS INT64_C(1704067200000)

struct store;

/**
 * store_open() - open or create, start the writer
 * @folder: state folder; the file is ecud.db
 * @err: on failure the reason
 *
 * Return: 0 or a negative errno; -EUCLEAN for a file that is no sound database, which is left as it
 * is.
 */
int store_open(struct store **ret, const char *folder, struct model *model, char *err, size_t size);

/* Write what waits, and close. */
void store_close(struct store *store);

/* ---- state, read once at the start, before the first write ---- */

/**
 * struct store_unit - a unit as it is kept
 * @unit: identity and place; readings are absent
 * @has_key, @key: of the pairing
 * @account: energies
 * @event_last: last event of its own log that is kept
 * @removed: kept for the energy of the site
 */
struct store_unit {
	struct model_unit unit;
	bool has_key;
	struct seal_key key;
	struct account account[ACCOUNT_CHANNELS];
	uint32_t event_last;
	bool removed;
};

int store_load_units(struct store *store, int (*take)(void *ctx, const struct store_unit *unit),
		     void *ctx);
int store_load_limits(struct store *store,
		      int (*take)(void *ctx, const struct power_limits_entry *entry), void *ctx);
int store_load_events(struct store *store, struct model *model);

/* Name of the key by which the monitoring service signs jobs: 64 hexadecimal digits, from the
 * enrolment. */
#define STORE_JOB_KEY "job_key"

/* Text values by name, for other parts; an unknown name gives "". */
int store_get(struct store *store, const char *name, char *value, size_t size);
void store_set(struct store *store, const char *name, const char *value);

/* ---- from the main loop; all of these queue and return at once ---- */

void store_put_unit(struct store *store, const struct store_unit *unit);
/* Readings of a unit with its accounts, which are kept together. */
void store_put_readings(struct store *store, const struct model_unit *unit,
			const struct account account[ACCOUNT_CHANNELS], int64_t time_ms);
void store_put_event(struct store *store, const struct model_event *event);
void store_put_limits(struct store *store, const struct power_limits *limits);

/* A line of the audit log; the texts are copied. From any thread. */
void store_put_audit(struct store *store, const struct audit_entry *entry);

/**
 * store_put_batch() - append to the outbox of the uplink
 * @bytes: of @n, copied
 * @sequence: above all others of the epoch
 */
void store_put_batch(struct store *store, uint64_t sequence, const uint8_t *bytes, size_t n);

/* Drop batches up to and including a sequence: the service has stored them. */
void store_drop_batches(struct store *store, uint64_t through);

/* Folder of the store. */
const char *store_folder(const struct store *store);

/* Commit at once, and wait until it is on stable storage. */
int store_flush(struct store *store);

/* ---- readers ---- */

struct store_reader;

/**
 * store_batch() - the oldest batch of the outbox from a sequence on
 * @ret_bytes: to be freed
 *
 * Return: 1, 0 when there is none, or a negative errno.
 */
int store_batch(struct store_reader *reader, uint64_t from, uint64_t *ret_sequence,
		uint8_t **ret_bytes, size_t *ret_n);

/* Own connection to the store of a folder, on any thread; close it on the same one. */
int store_reader_open(struct store_reader **ret, const char *folder, char *err, size_t size);

/* The connection, for other parts' tables: audit_list(). */
sqlite3 *store_reader_db(struct store_reader *reader);
void store_reader_close(struct store_reader *reader);

/**
 * struct store_point - one step of a history
 * @time_ms: start of the step
 * @step_ms: its length
 * @value: mean of each reading over the step, NAN without one; energies at the end of the step
 */
struct store_point {
	int64_t time_ms;
	int64_t step_ms;
	double value[READING_COUNT][MODEL_CHANNELS];
};

/**
 * store_history() - readings of a unit over a time
 * @serial: NULL for the site
 * @step_s: 0 for full rate (the last day), otherwise 60 or a multiple; 900 and above come from the
 *          quarter hours
 * @take: called in order of time; a return other than 0 ends it
 *
 * Return: points, or a negative errno.
 */
int store_history(struct store_reader *reader, const struct serial *serial, int64_t from_ms,
		  int64_t to_ms, int64_t step_s,
		  int (*take)(void *ctx, const struct store_point *point), void *ctx);

/**
 * store_energy() - energy of each local day, month or year
 * @serial: NULL for the site
 * @unit: 'd', 'm' or 'y'
 * @take: @date is yyyymmdd, with 00 for what the step has not; @wh by ACCOUNT_CHANNELS
 */
int store_energy(struct store_reader *reader, const struct serial *serial, int32_t from_day,
		 int32_t to_day, char unit,
		 int (*take)(void *ctx, int32_t date, const double wh[ACCOUNT_CHANNELS]),
		 void *ctx);

/* Events with number above @after, oldest first. */
int store_events(struct store_reader *reader, uint64_t after, int max,
		 int (*take)(void *ctx, const struct model_event *event), void *ctx);

/* ---- whole store ---- */

/**
 * store_backup() - copy the store of a folder to a new file, also while a daemon uses it
 *
 * Return: 0 or a negative errno; -EUCLEAN when the copy, which stays, is damaged as the store is.
 */
int store_backup(const char *folder, const char *path, char *err, size_t size);

/**
 * store_restore() - replace a folder's store by a backup; no daemon may use it
 *
 * The epoch of the uplink changes, so that its batches have new keys.
 */
int store_restore(const char *folder, const char *path, char *err, size_t size);

/* Minutes of all units as CSV: time, serial, and a column for each reading and channel. */
int store_export(const char *folder, const char *path, char *err, size_t size);

#endif /* ECUD_STORE_H */
