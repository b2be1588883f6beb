// SPDX-License-Identifier: GPL-2.0-or-later
#include "power_limits.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "util.h"

/* Two limits are the same below this difference, W: the link's resolution. */
#define SAME_W 0.05

bool power_limits_owner_needs_lease(const char *owner)
{
	static const char *const without[] = { "owner", "installer" };

	for (size_t i = 0; i < ARRAY_SIZE(without); i++) {
		if (!strcmp(owner, without[i])) {
			return false;
		}
	}
	return true;
}

static bool same_w(double a, double b)
{
	return (isnan(a) && isnan(b)) || fabs(a - b) < SAME_W;
}

static bool is_of(const struct model_limit_entry *entry, const struct serial *serial)
{
	return !entry->site && serial_equal(&entry->serial, serial);
}

/* The same owner's entry for the same scope, or @count. */
static int find(const struct power_limits *limits, const struct model_limit_entry *wanted)
{
	int i = 0;

	while (i < limits->count &&
	       (strcmp(limits->entry[i].shown.owner, wanted->owner) ||
		(wanted->site ? !limits->entry[i].shown.site
			      : !is_of(&limits->entry[i].shown, &wanted->serial)))) {
		i++;
	}
	return i;
}

static void drop(struct power_limits *limits, int i)
{
	limits->count--;
	memmove(&limits->entry[i], &limits->entry[i + 1],
		sizeof(limits->entry[0]) * (size_t)(limits->count - i));
}

/* Owners that a unit would have limits of, the site's included. */
static int owners_of(const struct power_limits *limits, const struct serial *serial)
{
	int count = 0;

	for (int i = 0; i < limits->count; i++) {
		const struct model_limit_entry *entry = &limits->entry[i].shown;
		struct model_limit_entry site = *entry;

		site.site = true;
		count += entry->site ||
			 (is_of(entry, serial) && find(limits, &site) == limits->count);
	}
	return count;
}

bool power_limits_has(const struct power_limits *limits, const struct power_limits_entry *entry,
		      uint64_t until_us)
{
	int i = find(limits, &entry->shown);
	const struct power_limits_entry *found = &limits->entry[i];

	return i < limits->count && same_w(found->shown.w, entry->shown.w) &&
	       same_w(found->shown.then_w, entry->shown.then_w) &&
	       !strcmp(found->shown.reason, entry->shown.reason) && found->until_us >= until_us;
}

int power_limits_put(struct power_limits *limits, const struct power_limits_entry *entry)
{
	int i = find(limits, &entry->shown);
	struct power_limits_entry *place = &limits->entry[i];

	if (isnan(entry->shown.w) && isnan(entry->shown.then_w)) {
		if (i < limits->count) {
			drop(limits, i);
			return 1;
		}
		return 0;
	}
	if (entry->until_us == POWER_LIMITS_FOREVER &&
	    power_limits_owner_needs_lease(entry->shown.owner)) {
		return -EINVAL;
	}
	if (i < limits->count) {
		bool same = same_w(place->shown.w, entry->shown.w) &&
			    same_w(place->shown.then_w, entry->shown.then_w) &&
			    place->until_us == entry->until_us;

		*place = *entry;
		return !same;
	}
	if (limits->count == MODEL_LIMITS_MAX) {
		return -ENOSPC;
	}
	if (!entry->shown.site &&
	    owners_of(limits, &entry->shown.serial) >= POWER_LIMITS_OWNERS_MAX) {
		return -E2BIG;
	}
	*place = *entry;
	limits->count++;
	return 1;
}

bool power_limits_expire(struct power_limits *limits, uint64_t now_us)
{
	bool ended = false;

	for (int i = 0; i < limits->count;) {
		struct power_limits_entry *entry = &limits->entry[i];

		if (now_us < entry->until_us) {
			i++;
			continue;
		}
		ended = true;
		if (isnan(entry->shown.then_w)) {
			drop(limits, i);
			continue;
		}
		entry->shown.w = entry->shown.then_w;
		entry->shown.then_w = (double)NAN;
		entry->shown.until_ms = 0;
		entry->until_us = POWER_LIMITS_FOREVER;
		i++;
	}
	return ended;
}

uint64_t power_limits_next(const struct power_limits *limits)
{
	uint64_t next_us = POWER_LIMITS_FOREVER;

	for (int i = 0; i < limits->count; i++) {
		if (limits->entry[i].until_us < next_us) {
			next_us = limits->entry[i].until_us;
		}
	}
	return next_us;
}

void power_limits_drop_unit(struct power_limits *limits, const struct serial *serial)
{
	for (int i = 0; i < limits->count;) {
		if (is_of(&limits->entry[i].shown, serial)) {
			drop(limits, i);
		} else {
			i++;
		}
	}
}

const struct power_limits_entry *power_limits_site(const struct power_limits *limits)
{
	const struct power_limits_entry *lowest = NULL;

	for (int i = 0; i < limits->count; i++) {
		const struct power_limits_entry *entry = &limits->entry[i];

		if (entry->shown.site && !isnan(entry->shown.w) &&
		    (!lowest || entry->shown.w < lowest->shown.w)) {
			lowest = entry;
		}
	}
	return lowest;
}

/*
 * Fill from the smallest cap on: a unit whose cap is below an equal share of what is left takes its
 * cap, and the rest is shared by the others. The number of rounds is at most that of the units.
 */
static void fill(double w, struct power_limits_unit *unit, int units, const bool *stopped)
{
	bool full[MODEL_UNITS_MAX] = { false };
	bool again = true;

	while (again) {
		double left_w = w;
		int open = 0;

		again = false;
		for (int i = 0; i < units; i++) {
			if (full[i] || stopped[i]) {
				left_w -= stopped[i] ? 0 : unit[i].cap_w;
			} else {
				open++;
			}
		}
		for (int i = 0; i < units; i++) {
			double share_w = open ? left_w / open : 0;

			if (stopped[i]) {
				unit[i].share_w = 0;
			} else if (!full[i] && share_w >= unit[i].cap_w) {
				unit[i].share_w = unit[i].cap_w;
				full[i] = true;
				again = true;
			} else if (!full[i]) {
				unit[i].share_w = share_w;
			}
		}
	}
}

/* The first unit from @first on that has less than its floor; -1 for none. */
static int below_floor(const struct power_limits_unit *unit, int units, const bool *stopped,
		       int first)
{
	for (int n = 0; n < units; n++) {
		int i = (first + n) % units;

		if (!stopped[i] && unit[i].share_w < unit[i].floor_w &&
		    unit[i].share_w < unit[i].cap_w) {
			return i;
		}
	}
	return -1;
}

void power_limits_share(double w, struct power_limits_unit *unit, int units, int first)
{
	bool stopped[MODEL_UNITS_MAX] = { false };
	int i;

	if (units == 0) {
		return;
	}
	fill(w, unit, units, stopped);
	while ((i = below_floor(unit, units, stopped, first)) >= 0) {
		stopped[i] = true;
		fill(w, unit, units, stopped);
	}
}

/* The grant of an owner, a new one when it has none; NULL when there is no room. */
static int grant_of(struct power_limits_wanted *wanted, const char *owner)
{
	int i = 0;

	while (i < wanted->count && strcmp(wanted->grant[i].owner, owner)) {
		i++;
	}
	if (i == wanted->count) {
		if (i == POWER_LIMITS_OWNERS_MAX) {
			return -ENOSPC;
		}
		memset(&wanted->grant[i], 0, sizeof(wanted->grant[i]));
		strcpy(wanted->grant[i].owner, owner);
		wanted->grant[i].w = wanted->grant[i].then_w = (double)NAN;
		wanted->grant[i].until_us = POWER_LIMITS_FOREVER;
		wanted->count++;
	}
	return i;
}

/* One owner's limit of @w, of @entry; the lower one counts where it has two. */
static void grant(struct power_limits_wanted *wanted, const struct power_limits_entry *entry,
		  double w, double then_w)
{
	int i = grant_of(wanted, entry->shown.owner);

	if (i < 0 || (!isnan(wanted->grant[i].w) && wanted->grant[i].w <= w)) {
		return;
	}
	wanted->grant[i].w = w;
	wanted->grant[i].then_w = then_w;
	wanted->grant[i].until_us = entry->until_us;
	if (!isnan(w) &&
	    (wanted->lowest < 0 || w < wanted->grant[wanted->lowest].w || wanted->lowest == i)) {
		wanted->lowest = i;
		wanted->from = *entry;
	}
}

static double share_of(double w, struct power_limits_unit *unit, int units, int index, int first)
{
	if (isnan(w)) {
		return w;
	}
	power_limits_share(w, unit, units, first);
	return unit[index].share_w;
}

void power_limits_wanted(const struct power_limits *limits, struct power_limits_unit *unit,
			 int units, int index, int first, struct power_limits_wanted *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->lowest = -1;
	for (int i = 0; i < limits->count; i++) {
		const struct power_limits_entry *entry = &limits->entry[i];

		if (entry->shown.site) {
			double then_w = share_of(entry->shown.then_w, unit, units, index, first);

			grant(ret, entry, share_of(entry->shown.w, unit, units, index, first),
			      then_w);
		} else if (is_of(&entry->shown, &unit[index].serial)) {
			grant(ret, entry, entry->shown.w, entry->shown.then_w);
		}
	}
}

/* ---- what a unit has ---- */

/* Leases are sent in whole seconds, and the unit counts them from when it got them. */
#define LEASE_SLACK_US UINT64_C(2500000)

static int find_grant(const struct power_limits_grant *grant, int count, const char *owner)
{
	for (int i = 0; i < count; i++) {
		if (!strcmp(grant[i].owner, owner)) {
			return i;
		}
	}
	return -1;
}

void power_limits_granted_expire(struct power_limits_granted *granted, uint64_t now_us)
{
	for (int i = 0; i < granted->count;) {
		struct power_limits_grant *grant = &granted->grant[i];

		if (now_us < grant->until_us) {
			i++;
		} else if (grant->known && isnan(grant->then_w)) {
			granted->grant[i] = granted->grant[--granted->count];
		} else {
			grant->w = grant->then_w;
			grant->until_us = POWER_LIMITS_FOREVER;
			i++;
		}
	}
}

void power_limits_granted_forget(struct power_limits_granted *granted)
{
	granted->count = 0;
}

static bool same_until(uint64_t a_us, uint64_t b_us)
{
	return (a_us > b_us ? a_us - b_us : b_us - a_us) <= LEASE_SLACK_US;
}

static bool same_grant(const struct power_limits_grant *wanted,
		       const struct power_limits_grant *granted)
{
	return granted->known && same_w(wanted->w, granted->w) &&
	       (wanted->until_us == POWER_LIMITS_FOREVER
			? granted->until_us == POWER_LIMITS_FOREVER
			: same_w(wanted->then_w, granted->then_w) &&
				  same_until(wanted->until_us, granted->until_us));
}

bool power_limits_difference(const struct power_limits_wanted *wanted,
			     const struct power_limits_granted *granted,
			     struct power_limits_grant *ret)
{
	for (int i = 0; i < wanted->count; i++) {
		const struct power_limits_grant *grant = &wanted->grant[i];
		int at = find_grant(granted->grant, granted->count, grant->owner);

		if (at < 0 || !same_grant(grant, &granted->grant[at])) {
			*ret = *grant;
			return true;
		}
	}
	for (int i = 0; i < granted->count; i++) {
		if (find_grant(wanted->grant, wanted->count, granted->grant[i].owner) < 0) {
			*ret = granted->grant[i];
			ret->w = ret->then_w = (double)NAN;
			ret->until_us = POWER_LIMITS_FOREVER;
			return true;
		}
	}
	return false;
}

void power_limits_granted_sent(struct power_limits_granted *granted,
			       const struct power_limits_grant *grant)
{
	int at = find_grant(granted->grant, granted->count, grant->owner);

	if (at < 0 && granted->count < POWER_LIMITS_OWNERS_MAX + 1) {
		at = granted->count++;
	}
	if (at >= 0) {
		granted->grant[at] = *grant;
		granted->grant[at].known = false;
	}
}

void power_limits_granted_done(struct power_limits_granted *granted,
			       const struct power_limits_grant *grant)
{
	int at = find_grant(granted->grant, granted->count, grant->owner);

	if (at < 0) {
		return;
	}
	if (isnan(grant->w) && isnan(grant->then_w)) {
		granted->grant[at] = granted->grant[--granted->count];
		return;
	}
	granted->grant[at] = *grant;
	granted->grant[at].known = true;
}
