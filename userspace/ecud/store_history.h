/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * History inside the store: readings become reports, chunks of a minute become quarter hours and
 * days. Each function does one step of bounded length in a transaction of its own.
 */
#ifndef ECUD_STORE_HISTORY_H
#define ECUD_STORE_HISTORY_H

#include <sqlite3.h>

#include "account.h"
#include "model.h"
#include "report.h"

/* Readings and totals of a unit as a report; its energies are the accounts', in Wh. */
void history_report(const struct model_unit *unit, const struct account account[ACCOUNT_CHANNELS],
		    int64_t time_ms, struct report *ret);

/* The reading that a field of a report holds; false for one that the model keeps elsewhere. */
bool history_reading(enum report_field field, enum reading_id *ret_id, int *ret_channel);

/* The statement of history_chunk(), which a loop over minutes uses again and again. */
int history_minutes(sqlite3 *db, sqlite3_stmt **ret_minutes);

/**
 * history_chunk() - reports of a unit and minute
 * @minutes: of history_minutes()
 * @ret_reports: to be freed; NULL for none
 * @total_mwh: totals after it; NULL when not wanted
 *
 * Return: 1, 0 when there is none, or a negative errno.
 */
int history_chunk(sqlite3_stmt *minutes, int64_t minute, uint64_t serial,
		  struct report **ret_reports, size_t *ret_n, uint64_t *total_mwh);

/* One report that stands for many: means; state, faults and energies of the last. */
void history_mean(const struct report *report, size_t n, struct report *ret);

/**
 * history_maintain() - one step of sums and removal, if one is due
 * @late_s: a quarter or a day is complete so long after its end
 * @keep_s: age of chunks that may go
 */
void history_maintain(sqlite3 *db, int64_t now_s, int64_t late_s, int64_t keep_s);

/* An event from a row of the table. */
int store_event_of_row(sqlite3_stmt *row, struct model_event *event);

/* The day after a local date. */
int32_t history_next_day(int32_t day);

/* Start of the first quarter that is not summed up, ms; INT64_MAX when all are. */
int64_t history_open_ms(sqlite3 *db);

/* Last day whose day blobs are written; 0 for none. */
int32_t history_day_done(sqlite3 *db);

#endif /* ECUD_STORE_HISTORY_H */
