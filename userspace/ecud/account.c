// SPDX-License-Identifier: GPL-2.0-or-later
#include "account.h"

#include <math.h>
#include <string.h>
#include <time.h>

#define MWH_PER_WH 1000.0
/* A step may be this much above the limit: resolution of the counters, and of the times. */
#define SLACK_MWH 20000.0

/* Could the unit have counted so much in this time? */
static bool plausible(const struct account_source *source, uint64_t step_mwh, double elapsed_s)
{
	double most_mwh = source->rated_w * ACCOUNT_MARGIN * elapsed_s / 3600 * MWH_PER_WH;

	return isnan(elapsed_s) || (double)step_mwh <= most_mwh + SLACK_MWH;
}

static enum account_found step_of(const struct account *account,
				  const struct account_source *source, uint64_t counter_mwh,
				  bool restarted, double elapsed_s, uint64_t *ret_mwh)
{
	uint64_t last = account->counter_mwh;

	if (!account->counted) {
		*ret_mwh = 0;
		return ACCOUNT_FIRST;
	}
	if (!source->lifetime && restarted) {
		*ret_mwh = counter_mwh;
		return ACCOUNT_RESET;
	}
	if (counter_mwh >= last) {
		*ret_mwh = counter_mwh - last;
		return ACCOUNT_COUNTED;
	}
	if (source->wrap_mwh > last &&
	    plausible(source, source->wrap_mwh - last + counter_mwh, elapsed_s)) {
		*ret_mwh = source->wrap_mwh - last + counter_mwh;
		return ACCOUNT_WRAPPED;
	}
	*ret_mwh = source->lifetime ? 0 : counter_mwh;
	return source->lifetime ? ACCOUNT_REJECTED : ACCOUNT_RESET;
}

enum account_found account_update(struct account *account, const struct account_source *source,
				  uint64_t counter_mwh, bool restarted, double elapsed_s,
				  int64_t time_ms)
{
	uint64_t step_mwh;
	enum account_found found =
		step_of(account, source, counter_mwh, restarted, elapsed_s, &step_mwh);

	/* Whatever was found, counting goes on from this reading. */
	account->counter_mwh = counter_mwh;
	account->counted = true;
	account_cut(account, time_ms);
	if (!plausible(source, step_mwh, elapsed_s)) {
		return ACCOUNT_REJECTED;
	}
	account->total_mwh += step_mwh;
	return found;
}

int32_t local_day(int64_t time_ms)
{
	time_t seconds = (time_t)(time_ms / 1000);
	struct tm tm;

	localtime_r(&seconds, &tm);
	return (tm.tm_year + 1900) * 10000 + (tm.tm_mon + 1) * 100 + tm.tm_mday;
}

int64_t local_day_start(int32_t day)
{
	struct tm tm = {
		.tm_year = day / 10000 - 1900,
		.tm_mon = day / 100 % 100 - 1,
		.tm_mday = day % 100,
		.tm_isdst = -1,
	};

	return (int64_t)mktime(&tm) * 1000;
}

void account_cut(struct account *account, int64_t time_ms)
{
	int32_t day = time_ms > 0 ? local_day(time_ms) : 0;

	if (day > account->day) {
		account->day = day;
		account->day_mwh = account->total_mwh;
	}
	if (time_ms > account->time_ms) {
		account->time_ms = time_ms;
	}
}

uint64_t account_today(const struct account *account)
{
	return account->total_mwh - account->day_mwh;
}
