// SPDX-License-Identifier: GPL-2.0-only
/* The state at the start: a first start, the kept state, or a lost store. */
#include <errno.h>
#include <string.h>

#include <sodium.h>

#include "../lib/log.h"
#include "daemon.h"
#include "mark.h"

enum verdict {
	FIRST, /* this unit has never started */
	AGAIN, /* the store is this unit's */
	ADOPT, /* the store is good, and the mark is missing */
	LOST,  /* the store is missing, unreadable or of another unit */
};

/* @mark, @store: results of reading them. @foreign: the store belongs to another unit. */
static enum verdict judge(int mark, int store, bool foreign)
{
	if (store < 0) {
		return mark == -ENOENT && store == -ENOENT ? FIRST : LOST;
	}
	if (mark == -ENOENT) {
		return ADOPT;
	}
	return foreign ? LOST : AGAIN;
}

static bool is_zero(const uint8_t *id)
{
	return sodium_is_zero(id, MARK_ID_SIZE);
}

static void state_event(struct daemon *daemon, const char *text)
{
	events_policy(&daemon->events, daemon_time(), "failure", "%s", text);
}

/* The first record, and then the mark: a cut between the two is no loss. */
static int begin_unit(struct daemon *daemon, const struct persist *persist)
{
	int ret = store_save(&daemon->store, persist, daemon_time(), RING_FILES);

	return ret < 0 ? ret : mark_write(daemon->config.mark, persist->unit);
}

static void note_lost_copies(struct daemon *daemon, bool *stored)
{
	for (int n = 0; n < RING_FILES; n++) {
		if (daemon->store.state.lost[n]) {
			char text[128];

			snprintf(text, sizeof(text), "%.80s: lost, restored from the other copy",
				 daemon->store.path[0][n]);
			state_event(daemon, text);
			*stored = false;
		}
	}
}

static void lose(struct daemon *daemon, struct persist *persist, const char *why)
{
	char text[160];

	persist->policy.store_lost = true;
	snprintf(text, sizeof(text), "STORE_LOST: %.80s. Stopped until 'qs1ctl clear store-lost'",
		 why);
	state_event(daemon, text);
}

/* What follows from the verdict. Return: 0 or a negative errno of the disk. */
static int settle(struct daemon *daemon, struct persist *persist, enum verdict verdict,
		  const char *why, bool *stored)
{
	int ret = 0;

	switch (verdict) {
	case FIRST:
		ret = begin_unit(daemon, persist);
		if (ret < 0) {
			lose(daemon, persist, "cannot write the mark of the first start");
		}
		log_notice("first start, profile %s", persist->policy.profile.name);
		break;
	case ADOPT:
		ret = mark_write(daemon->config.mark, persist->unit);
		*stored = false;
		break;
	case LOST:
		lose(daemon, persist, why);
		*stored = false;
		break;
	default:
		break;
	}
	return ret;
}

/* Limits of a daemon that ran before in this boot. */
static void load_leases(struct daemon *daemon)
{
	int ret = leases_load(daemon->config.leases, daemon->store.boot_id, &daemon->policy.limits);

	if (ret < 0 && ret != -ENOENT && ret != -ESTALE) {
		log_err("%s: %s", daemon->config.leases, strerror(-ret));
	}
	daemon->leases = daemon->policy.limits;
}

int daemon_load(struct daemon *daemon, const struct daemon_setup *setup, char *err, size_t size)
{
	const char *const folder[RING_FILES] = { daemon->config.store_a, daemon->config.store_b };
	struct persist fresh = { .boots = 0 }, persist;
	char reason[QS1_PROFILE_ERR_SIZE] = "";
	bool foreign = false, stored = true;
	uint8_t unit[MARK_ID_SIZE] = { 0 };
	int profile = config_profile(&daemon->config, &fresh.policy.profile, err, size);
	int mark = mark_read(daemon->config.mark, unit);
	enum verdict verdict;
	int ret;

	persist = fresh;
	ret = store_open(&daemon->store, setup->io, setup->io_ctx, folder, daemon_time(), &persist,
			 &daemon->events, &daemon->pace, reason, sizeof(reason));
	if (ret == -ENOMEM || ret == -EBUSY) {
		snprintf(err, size, "%.64s: %s", folder[0],
			 ret == -EBUSY ? "another qs1d uses this store" : strerror(-ret));
		return ret;
	}
	foreign = mark == 0 && ret == 0 && !is_zero(persist.unit) &&
		  memcmp(persist.unit, unit, MARK_ID_SIZE);
	verdict = judge(mark, ret, foreign);
	if (foreign) {
		snprintf(reason, sizeof(reason), "%.64s: belongs to another unit",
			 daemon->store.path[0][0]);
		persist = fresh;
		persist.boots = daemon->store.boots;
		daemon->pace.energy = fresh.energy;
	}
	if (profile < 0 && !persist.policy.profile.name[0]) {
		return -EINVAL;
	}
	if (profile < 0) {
		log_warning("%s. The unit keeps its profile, %s", err, persist.policy.profile.name);
	}
	if (mark < 0 && mark != -ENOENT) {
		log_err("%s: %s", daemon->config.mark, strerror(-mark));
	}
	if (mark == 0) {
		memcpy(persist.unit, unit, MARK_ID_SIZE);
	} else if (is_zero(persist.unit)) {
		randombytes_buf(persist.unit, MARK_ID_SIZE);
	}
	note_lost_copies(daemon, &stored);
	ret = settle(daemon, &persist, verdict, reason, &stored);
	if (ret < 0) {
		log_err("%s: %s", daemon->config.mark, strerror(-ret));
	}
	memcpy(daemon->unit, persist.unit, MARK_ID_SIZE);
	daemon->damaged = daemon->store.state.damaged + daemon->store.events.damaged;
	daemon->energy = persist.energy;
	daemon->events.boot = persist.boots;
	policy_init(&daemon->policy, &persist.policy, stored, daemon_time().mono_ms);
	load_leases(daemon);
	return 0;
}
