/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is derived from the reports of one inverter in one local day. Pure: the same set of reports
 * gives the same result, whatever the order in which they came.
 */
#ifndef EMAD_ROLLUP_H
#define EMAD_ROLLUP_H

#include <stddef.h>
#include <stdint.h>

#include "report.h"

/* A day has 92 to 100 quarters of an hour where clocks change. */
#define ROLLUP_QUARTERS 100
#define ROLLUP_QUARTER_S 900

/**
 * struct rollup - of one day
 * @peak_w: highest power reported, REPORT_ABSENT when none was
 * @first, @last: energy counter of each input at its first and last report, 0.1 Wh
 * @begin_s: begin of the quarter 0
 * @quarter: energy of each input in each quarter of an hour, 0.1 Wh; REPORT_ABSENT where the
 *           reports leave a gap of more than an hour without energy. Their sum is @last - @first
 *           of a counter that never falls.
 */
struct rollup {
	int64_t peak_w;
	int64_t first[REPORT_INPUTS];
	int64_t last[REPORT_INPUTS];
	int64_t begin_s;
	int64_t quarter[ROLLUP_QUARTERS][REPORT_INPUTS];
};

/**
 * rollup_day() - derive a day
 * @reports: @n of them, of one inverter, by time
 * @begin_s: local midnight, seconds since 1970
 *
 * Between two reports, energy is spread over time in proportion. A counter that falls counts as no
 * energy.
 */
void rollup_day(const struct report *reports, size_t n, int64_t begin_s, struct rollup *ret);

/**
 * rollup_carry() - energy that came before the first report of the day
 * @energy: 0.1 Wh; nothing unless positive
 *
 * It is spread from midnight to the end of the quarter of the first report.
 */
void rollup_carry(struct rollup *rollup, int input, int64_t energy);

/* Quarters of a day as they are stored. */
void rollup_pack(const struct rollup *rollup, struct packer *packer);

/**
 * rollup_unpack() - quarters of a stored day
 *
 * Return: 0 or -EBADMSG. @ret_rollup: only @begin_s and @quarter are written.
 */
int rollup_unpack(const uint8_t *bytes, size_t n, struct rollup *ret_rollup);

/**
 * rollup_merge() - the reports of a day with those that have come
 * @old: @old_n of them by time, without two of the same time
 * @new: @new_n of them by time
 * @ret_reports: to be freed; of two reports of the same time the one that was there stays
 *
 * Return: their number, or -ENOMEM.
 */
int64_t rollup_merge(const struct report *old, size_t old_n, const struct report *new, size_t new_n,
		     struct report **ret_reports);

#endif /* EMAD_ROLLUP_H */
