// SPDX-License-Identifier: GPL-2.0-or-later
#include "commission.h"

#include <math.h>
#include <string.h>

/* The readings of a unit that has reported within three polls are current. */
#define FRESH_POLLS 3
/* Range of the grid: ANSI C84.1 range B at 240 V, and 60 Hz or 50 Hz by 1 %. */
#define GRID_V_MIN 208.0
#define GRID_V_MAX 254.0

static enum commission_answer in_range(double value, double min, double max)
{
	return isnan(value)		      ? COMMISSION_UNKNOWN
	       : value >= min && value <= max ? COMMISSION_YES
					      : COMMISSION_NO;
}

void commission_check(const struct model_unit *unit, int64_t now_ms, struct commission *ret)
{
	double f = unit->reading[READING_GRID_F][0].value;
	double nominal_hz = f < 55 ? 50 : 60;

	ret->seen = unit->seen_ms && now_ms - unit->seen_ms <= FRESH_POLLS * unit->cadence_ms;
	ret->producing = unit->reading[READING_POWER][0].value > 0;
	ret->voltage = in_range(unit->reading[READING_GRID_V][0].value, GRID_V_MIN, GRID_V_MAX);
	ret->frequency = in_range(f, nominal_hz - nominal_hz / 100, nominal_hz + nominal_hz / 100);
	ret->profile = !*unit->profile_desired			       ? COMMISSION_UNKNOWN
		       : !strcmp(unit->profile, unit->profile_desired) ? COMMISSION_YES
								       : COMMISSION_NO;
	ret->complete = ret->seen && ret->producing && ret->voltage == COMMISSION_YES &&
			ret->frequency == COMMISSION_YES && ret->profile != COMMISSION_NO;
}
