/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Power limits of several owners, for the site and for single units; pure. Each owner has at most
 * one limit for the site and one for each unit. The lowest is in force. A limit ends when its lease
 * ends, and then its declared fall-back holds until the owner's next command. An owner changes only
 * its own limits. owner and installer may set one until revoked; all others need a lease.
 *
 * The same owner's limit is sent to the unit under the same name with what is left of its lease, so
 * that the unit ends it by itself when the gateway is dead. Stock units cannot do that.
 */
#ifndef ECUD_POWER_LIMITS_H
#define ECUD_POWER_LIMITS_H

#include "model.h"

#define POWER_LIMITS_FOREVER UINT64_MAX
/* A unit keeps the limits of 16 owners; the gateway leaves room for its own daemon's users. */
#define POWER_LIMITS_OWNERS_MAX 12

/**
 * struct power_limits_entry - one owner's limit
 * @shown: for the model; its until_ms follows the wall clock
 * @until_us: monotonic end of the lease, POWER_LIMITS_FOREVER for none
 */
struct power_limits_entry {
	struct model_limit_entry shown;
	uint64_t until_us;
};

struct power_limits {
	int count;
	struct power_limits_entry entry[MODEL_LIMITS_MAX];
};

/**
 * power_limits_put() - set an owner's limit
 * @entry: w NAN removes the owner's limit there
 *
 * Return: 1 when something changed, 0 when it is the same as before; -ENOSPC; -EINVAL when the
 * owner needs a lease and has none; -E2BIG when the unit has POWER_LIMITS_OWNERS_MAX other owners.
 */
int power_limits_put(struct power_limits *limits, const struct power_limits_entry *entry);

/* Is there the same limit already, by the same owner and for the same reason, at least until
 * @until_us? */
bool power_limits_has(const struct power_limits *limits, const struct power_limits_entry *entry,
		      uint64_t until_us);

/* May this owner set a limit without a lease? */
bool power_limits_owner_needs_lease(const char *owner);

/* End leases. Return: whether one has ended. */
bool power_limits_expire(struct power_limits *limits, uint64_t now_us);

/* When the next lease ends; POWER_LIMITS_FOREVER for none. */
uint64_t power_limits_next(const struct power_limits *limits);

/* Remove all of a unit. */
void power_limits_drop_unit(struct power_limits *limits, const struct serial *serial);

/* The lowest limit of the site, or NULL. */
const struct power_limits_entry *power_limits_site(const struct power_limits *limits);

/**
 * struct power_limits_unit - what sharing a site's limit needs of a unit
 * @serial: its number
 * @cap_w: the most that it can produce now: rated power, or less by its own limits
 * @floor_w: below this it can only stop: 80 W for a stock unit (20 W a module), 0 for ours
 * @share_w: result
 */
struct power_limits_unit {
	struct serial serial;
	double cap_w;
	double floor_w;
	double share_w;
};

/**
 * power_limits_share() - share power between units
 * @w: of the site
 *
 * Equal shares; what a unit cannot use goes to the others. A unit whose share is below its floor
 * gets 0, in the order of @first, which the caller advances so that units stop in rotation.
 *
 * The sum of the shares is at most @w.
 */
void power_limits_share(double w, struct power_limits_unit *unit, int units, int first);

/**
 * struct power_limits_grant - one owner's limit in a unit
 * @w, @then_w: W, and W after the lease; NAN for none
 * @until_us: end of the lease, POWER_LIMITS_FOREVER for none
 * @known: the unit has confirmed it; otherwise it may or may not have it
 */
struct power_limits_grant {
	char owner[ORDER_OWNER_SIZE];
	double w;
	double then_w;
	uint64_t until_us;
	bool known;
};

/**
 * struct power_limits_wanted - limits that one unit shall have, one for each owner
 */
struct power_limits_wanted {
	int count;
	struct power_limits_grant grant[POWER_LIMITS_OWNERS_MAX];
	int lowest;			/* index of the lowest, -1 for none */
	struct power_limits_entry from; /* that entry, for owner, reason and by */
};

/**
 * power_limits_wanted() - all owners' limits of a unit
 * @unit, @units: of the site, for the shares of the site's limits; share_w is overwritten
 * @index: of the unit
 */
void power_limits_wanted(const struct power_limits *limits, struct power_limits_unit *unit,
			 int units, int index, int first, struct power_limits_wanted *ret);

/**
 * struct power_limits_granted - what a unit is known to have
 */
struct power_limits_granted {
	int count;
	struct power_limits_grant grant[POWER_LIMITS_OWNERS_MAX + 1];
};

/* The unit ends its leases by itself. */
void power_limits_granted_expire(struct power_limits_granted *granted, uint64_t now_us);

/* The unit has restarted, or shows a limit that it should not have: nothing is known any more. */
void power_limits_granted_forget(struct power_limits_granted *granted);

/**
 * power_limits_difference() - what to send next, so that the unit has what it shall have
 * @ret: w NAN removes the owner's limit
 *
 * Return: whether there is a difference.
 */
bool power_limits_difference(const struct power_limits_wanted *wanted,
			     const struct power_limits_granted *granted,
			     struct power_limits_grant *ret);

/* @grant is on its way: it counts as unknown until power_limits_granted_done(). */
void power_limits_granted_sent(struct power_limits_granted *granted,
			       const struct power_limits_grant *grant);
void power_limits_granted_done(struct power_limits_granted *granted,
			       const struct power_limits_grant *grant);

#endif /* ECUD_POWER_LIMITS_H */
