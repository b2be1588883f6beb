/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Energy accounts; pure. An account adds up what one counter of a unit counts: it never falls,
 * whatever the counter does, and counts nothing twice. A unit's counters start again at 0 when a
 * stock unit is powered up, may wrap, and may come from another run of the unit. Days are cut in
 * local time, also on the days when the clocks change.
 */
#ifndef ECUD_ACCOUNT_H
#define ECUD_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

/* The four inputs, then the grid. */
#define ACCOUNT_CHANNELS 5
#define ACCOUNT_GRID 4
/* A step that asks for more power than this many times rated is no energy. */
#define ACCOUNT_MARGIN 1.5

/**
 * struct account - one counter's account
 * @total_mwh: since the unit was added
 * @day: local date of @day_mwh, as yyyymmdd; 0 for none
 * @day_mwh: @total_mwh at the start of that day
 * @counter_mwh: last reading of the unit's counter
 * @counted: @counter_mwh is valid
 * @time_ms: of that reading, by our clock; 0 when the clock was not set
 */
struct account {
	uint64_t total_mwh;
	int32_t day;
	uint64_t day_mwh;
	uint64_t counter_mwh;
	bool counted;
	int64_t time_ms;
};

/* What a counter is like. */
struct account_source {
	bool lifetime;	   /* over the unit's life; otherwise from power-up */
	uint64_t wrap_mwh; /* the counter's modulus, 0 for none */
	double rated_w;	   /* most that it can count */
};

/* What an update found. */
enum account_found {
	ACCOUNT_FIRST, /* first reading: counts from here */
	ACCOUNT_COUNTED,
	ACCOUNT_RESET, /* the counter started again: its whole reading was added */
	ACCOUNT_WRAPPED,
	ACCOUNT_REJECTED, /* more than the unit can produce, or a lifetime counter that fell */
};

/**
 * account_update() - a reading of the counter
 * @restarted: the unit was powered up since the last reading
 * @elapsed_s: since the last reading, by the monotonic clock or, after a restart of the daemon, by
 *             the unit's uptime; NAN when unknown: then no step is rejected
 */
enum account_found account_update(struct account *account, const struct account_source *source,
				  uint64_t counter_mwh, bool restarted, double elapsed_s,
				  int64_t time_ms);

/* Local date of a time as yyyymmdd, by the time zone of the process. */
int32_t local_day(int64_t time_ms);

/* Start of a local day, ms; the time zone says how long the day is. */
int64_t local_day_start(int32_t day);

/* Cut the day when the date has changed; a clock that is not set, or steps back, cuts nothing. */
void account_cut(struct account *account, int64_t time_ms);

/* Energy since local midnight. */
uint64_t account_today(const struct account *account);

#endif /* ECUD_ACCOUNT_H */
