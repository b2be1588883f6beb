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
#ifndef ECUD_LIMITS_H
#define ECUD_LIMITS_H

#include "model.h"

#define LIMITS_FOREVER UINT64_MAX
/* A unit keeps the limits of 16 owners; the gateway leaves room for its own daemon's users. */
#define LIMITS_OWNERS_MAX 12

/**
 * struct limits_entry - one owner's limit
 * @shown: for the model; its until_ms follows the wall clock
 * @until_us: monotonic end of the lease, LIMITS_FOREVER for none
 */
struct limits_entry {
	struct model_limit_entry shown;
	uint64_t until_us;
};

struct limits {
	int count;
	struct limits_entry entry[MODEL_LIMITS_MAX];
};

/**
 * limits_put() - set an owner's limit
 * @entry: w NAN removes the owner's limit there
 *
 * Return: 1 when something changed, 0 when it is the same as before; -ENOSPC; -EINVAL when the
 * owner needs a lease and has none; -E2BIG when the unit has LIMITS_OWNERS_MAX other owners.
 */
int limits_put(struct limits *limits, const struct limits_entry *entry);

/* May this owner set a limit without a lease? */
bool limits_owner_needs_lease(const char *owner);

/* End leases. Return: whether one has ended. */
bool limits_expire(struct limits *limits, uint64_t now_us);

/* When the next lease ends; LIMITS_FOREVER for none. */
uint64_t limits_next(const struct limits *limits);

/* Remove all of a unit. */
void limits_drop_unit(struct limits *limits, const struct serial *serial);

/* The lowest limit of the site, or NULL. */
const struct limits_entry *limits_site(const struct limits *limits);

/**
 * struct limits_unit - what sharing a site's limit needs of a unit
 * @serial: its number
 * @cap_w: the most that it can produce now: rated power, or less by its own limits
 * @floor_w: below this it can only stop: 80 W for a stock unit (20 W a module), 0 for ours
 * @share_w: result
 */
struct limits_unit {
	struct serial serial;
	double cap_w;
	double floor_w;
	double share_w;
};

/**
 * limits_share() - share power between units
 * @w: of the site
 *
 * Equal shares; what a unit cannot use goes to the others. A unit whose share is below its floor
 * gets 0, in the order of @first, which the caller advances so that units stop in rotation.
 *
 * The sum of the shares is at most @w.
 */
void limits_share(double w, struct limits_unit *unit, int units, int first);

/**
 * struct limits_wanted - limits that one unit shall have, one for each owner
 */
struct limits_wanted {
	int count;
	struct {
		char owner[ORDER_OWNER_SIZE];
		double w;
		double then_w;
		uint64_t until_us;
	} grant[LIMITS_OWNERS_MAX];
	int lowest;		  /* index of the lowest, -1 for none */
	struct limits_entry from; /* that entry, for owner, reason and by */
};

/**
 * limits_wanted() - all owners' limits of a unit
 * @unit, @units: of the site, for the shares of the site's limits; share_w is overwritten
 * @index: of the unit
 */
void limits_wanted(const struct limits *limits, struct limits_unit *unit, int units, int index,
		   int first, struct limits_wanted *ret);

#endif /* ECUD_LIMITS_H */
