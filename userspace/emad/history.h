/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Readings and energies over time, as tables of steps and series. */
#ifndef EMAD_HISTORY_H
#define EMAD_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "store.h"

#define HISTORY_POINTS_MAX 20000
#define HISTORY_QUARTER_S 900
#define HISTORY_DAY_S 86400
/* Stands for a month of the calendar. */
#define HISTORY_MONTH_S 2592000

/**
 * struct history_series - one column
 * @name: of a reading, "energy_wh" or "power_w"
 * @serial: 0 for the site
 * @input: 1 to 4; 0 for the inverter or the site
 * @value: NAN where nothing is known
 */
struct history_series {
	const char *name;
	const char *unit;
	int decimals;
	uint64_t serial;
	int input;
	double *value;
};

/**
 * struct history - @points steps
 * @time_s: begin of each
 */
struct history {
	int64_t step_s;
	size_t points;
	int64_t *time_s;
	size_t count;
	struct history_series *series;
};

/**
 * struct history_query - what is asked for
 * @serial: 0 for all inverters of the site
 * @modules: one series for each module; else one for the sum
 */
struct history_query {
	int64_t site;
	int64_t zone_min;
	int64_t from_s;
	int64_t to_s;
	int64_t step_s;
	uint64_t serial;
	bool modules;
};

/**
 * history_read() - answer a query
 * @ret_history: for history_free()
 *
 * Step 0 has the reports of one inverter as they are. Quarters of an hour have power, the energy
 * of the quarter by its length. Days and months have energy, from the counters: what came between
 * the last report of a day and the first of the next one counts for the next. The quarters of a
 * day sum to its energy.
 *
 * Return: 0; -E2BIG for more than HISTORY_POINTS_MAX; -EINVAL for step 0 without an inverter or an
 * unknown step; or an error of the database.
 */
int history_read(struct store *store, struct sql *sql, const struct history_query *query,
		 struct history *ret_history);

void history_free(struct history *history);

#endif /* EMAD_HISTORY_H */
