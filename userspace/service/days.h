/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Days: all reports of one inverter in one local day, as columns, for the long-term store of ECU
 * and EMA. 15 bytes a report, where a row has 54.
 *
 * A day begins with "QSD1"; the rest is compressed with zstd: report_pack() of the reports.
 */
#ifndef QS1_SERVICE_DAYS_H
#define QS1_SERVICE_DAYS_H

#include <stddef.h>
#include <stdint.h>

#include "report.h"

/* One report a second, and a day that has 25 hours. */
#define DAY_REPORTS_MAX 90000

/**
 * day_of() - number of the local day
 * @time_s: since 1970
 * @zone_min: local time minus UTC, minutes
 *
 * Return: days since 1970-01-01 in local time.
 */
int64_t day_of(int64_t time_s, int zone_min);

/**
 * day_pack() - a day as it is stored
 * @reports: @n of them, of one inverter, by time
 * @ret_bytes: to be freed; untouched on failure
 *
 * Return: 0; -EINVAL for too many, more than one inverter or wrong order; -ENOMEM.
 */
int day_pack(const struct report *reports, size_t n, uint8_t **ret_bytes, size_t *ret_n);

/* The same for a day that is not over: larger, and twenty times as fast. */
int day_pack_open(const struct report *reports, size_t n, uint8_t **ret_bytes, size_t *ret_n);

/**
 * day_unpack() - the opposite
 * @ret_reports: to be freed; untouched on failure
 *
 * Return: 0, -EBADMSG, -ENOMEM.
 */
int day_unpack(const uint8_t *bytes, size_t n, struct report **ret_reports, size_t *ret_n);

#endif /* QS1_SERVICE_DAYS_H */
