// SPDX-License-Identifier: GPL-2.0-or-later
#include "plan.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* Late polls of a unit that is silent for so many attempts; the first may be a collision. */
#define LATE_FAILURES 2

static const struct {
	const char *name;
	bool command;
} job_desc[] = {
#define X(id, name, command) [JOB_##id] = { name, command },
	PLAN_JOBS(X)
#undef X
};

const char *plan_job_name(enum plan_job job)
{
	return (unsigned int)job < JOB_COUNT ? job_desc[job].name : "?";
}

bool plan_job_is_command(enum plan_job job)
{
	return job_desc[job].command;
}

/* Uniform in [0, @range): xorshift64*. */
static uint64_t draw(struct plan *plan, uint64_t range)
{
	plan->random ^= plan->random >> 12;
	plan->random ^= plan->random << 25;
	plan->random ^= plan->random >> 27;
	return range ? plan->random * UINT64_C(2685821657736338717) % range : 0;
}

static uint64_t min_us(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

void plan_init(struct plan *plan, uint64_t cadence_us, uint64_t seed)
{
	memset(plan, 0, sizeof(*plan));
	plan->cadence_us = cadence_us;
	plan->random = seed ? seed : 1;
	plan->bright_us = PLAN_NEVER;
	plan->slots = PLAN_OUTSTANDING;
}

int plan_add(struct plan *plan, uint64_t now_us)
{
	if (plan->units == MODEL_UNITS_MAX) {
		return -ENOSPC;
	}
	plan->unit[plan->units] = (struct plan_unit){
		.due_us = now_us + draw(plan, plan->cadence_us),
	};
	return plan->units++;
}

void plan_remove(struct plan *plan, int unit)
{
	plan_release(plan, unit);
	plan->units--;
	memmove(&plan->unit[unit], &plan->unit[unit + 1],
		sizeof(plan->unit[0]) * (size_t)(plan->units - unit));
}

void plan_want(struct plan *plan, int unit, enum plan_job job, uint64_t now_us)
{
	struct plan_unit *entry = &plan->unit[unit];

	if (job == JOB_POLL) {
		entry->due_us = min_us(entry->due_us, now_us);
		return;
	}
	entry->jobs |= 1u << job;
	entry->not_before_us[job] = now_us;
	entry->tries[job] = 0;
}

void plan_drop(struct plan *plan, int unit, enum plan_job job)
{
	plan->unit[unit].jobs &= ~(1u << job);
}

void plan_hurry(struct plan *plan, int unit, uint64_t until_us)
{
	plan->unit[unit].fast_until_us = until_us;
	plan->unit[unit].due_us = 0;
}

/* When a job may be sent; PLAN_NEVER when it is not wanted. */
static uint64_t due_of(const struct plan_unit *unit, enum plan_job job)
{
	if (unit->busy) {
		return PLAN_NEVER;
	}
	if (job == JOB_POLL) {
		return unit->due_us;
	}
	return unit->jobs & (1u << job) ? unit->not_before_us[job] : PLAN_NEVER;
}

/* Does (@job, @due_us) go before the choice so far? Commands first, then the earliest. */
static bool goes_before(enum plan_job job, uint64_t due_us, const struct plan_choice *choice,
			uint64_t choice_due_us)
{
	if (choice->unit < 0) {
		return true;
	}
	if (job_desc[job].command != job_desc[choice->job].command) {
		return job_desc[job].command;
	}
	return due_us < choice_due_us;
}

struct plan_choice plan_next(const struct plan *plan, uint64_t now_us)
{
	struct plan_choice choice = { .unit = -1, .due_us = PLAN_NEVER };
	uint64_t best_us = PLAN_NEVER;

	if (plan->outstanding >= plan->slots) {
		return choice;
	}
	for (int i = 0; i < plan->units; i++) {
		for (int job = 0; job < JOB_COUNT; job++) {
			uint64_t due_us = due_of(&plan->unit[i], job);

			if (due_us > now_us) {
				choice.due_us = min_us(choice.due_us, due_us);
			} else if (goes_before(job, due_us, &choice, best_us)) {
				choice.unit = i;
				choice.job = job;
				best_us = due_us;
			}
		}
	}
	return choice;
}

void plan_begin(struct plan *plan, int unit, enum plan_job job, uint64_t now_us)
{
	struct plan_unit *entry = &plan->unit[unit];

	entry->busy = true;
	entry->job = job;
	entry->asked_us = now_us;
	if (job != JOB_POLL) {
		entry->jobs &= ~(1u << job);
	}
	entry->counted = true;
	plan->outstanding++;
}

void plan_release(struct plan *plan, int unit)
{
	plan->outstanding -= plan->unit[unit].counted;
	plan->unit[unit].counted = false;
}

void plan_skip(struct plan *plan, int unit)
{
	plan_release(plan, unit);
	plan->unit[unit].busy = false;
}

void plan_postpone(struct plan *plan, int unit, uint64_t now_us)
{
	struct plan_unit *entry = &plan->unit[unit];
	uint64_t due_us = now_us + PLAN_RETRY_US / 4 + draw(plan, PLAN_RETRY_US / 4);

	plan_skip(plan, unit);
	if (entry->job == JOB_POLL) {
		entry->due_us = due_us;
	} else {
		entry->jobs |= 1u << entry->job;
		entry->not_before_us[entry->job] = due_us;
	}
}

/* One unit produces in good light. */
static bool is_bright(const struct plan *plan)
{
	for (int i = 0; i < plan->units; i++) {
		if (plan->unit[i].bright && plan->unit[i].link == LINK_LIVE) {
			return true;
		}
	}
	return false;
}

static void look_at_light(struct plan *plan, uint64_t now_us)
{
	if (!is_bright(plan)) {
		plan->bright_us = PLAN_NEVER;
	} else if (plan->bright_us == PLAN_NEVER) {
		plan->bright_us = now_us;
	}
}

static bool set_link(struct plan *plan, struct plan_unit *unit, enum model_link link,
		     uint64_t now_us)
{
	enum model_link before = unit->link;

	unit->link = link;
	look_at_light(plan, now_us);
	return before != link;
}

/* A unit has woken up: it is likely that the others do. */
static void wake_others(struct plan *plan, uint64_t now_us)
{
	for (int i = 0; i < plan->units; i++) {
		if (plan->unit[i].link == LINK_ASLEEP) {
			plan->unit[i].due_us =
				min_us(plan->unit[i].due_us, now_us + draw(plan, PLAN_WAKE_US));
		}
	}
}

static uint64_t cadence_of(const struct plan *plan, const struct plan_unit *unit, uint64_t now_us)
{
	return now_us < unit->fast_until_us ? PLAN_CADENCE_MIN_US : plan->cadence_us;
}

bool plan_answered(struct plan *plan, int unit, bool again, uint64_t now_us)
{
	struct plan_unit *entry = &plan->unit[unit];
	uint64_t cadence_us = cadence_of(plan, entry, now_us);

	plan_skip(plan, unit);
	entry->heard_us = now_us;
	entry->failures = 0;
	entry->tries[entry->job] = 0;
	if (entry->job == JOB_POLL) {
		/* from deadline to deadline, so that a late answer does not delay the next */
		entry->due_us += cadence_us;
		if (entry->due_us <= now_us) {
			entry->due_us = now_us + cadence_us - draw(plan, cadence_us / 8);
		}
	} else if (again) {
		entry->jobs |= 1u << entry->job;
		entry->not_before_us[entry->job] = now_us;
	}
	if (entry->link == LINK_ASLEEP) {
		wake_others(plan, now_us);
	}
	return set_link(plan, entry, LINK_LIVE, now_us);
}

void plan_light(struct plan *plan, int unit, double power_w, uint64_t now_us)
{
	struct plan_unit *entry = &plan->unit[unit];

	if (!isnan(power_w)) {
		entry->dim = power_w < PLAN_DIM * MODEL_RATED_W;
		entry->bright = power_w >= PLAN_BRIGHT * MODEL_RATED_W;
		look_at_light(plan, now_us);
	}
}

/* Time until attempt number @tries + 1: soon after the first, then ever longer. */
static uint64_t back_off(struct plan *plan, const struct plan_unit *unit, unsigned int tries,
			 uint64_t now_us)
{
	uint64_t most_us = unit->link == LINK_ASLEEP ? PLAN_ASLEEP_US : PLAN_BACKOFF_US;
	uint64_t wait_us;

	if (tries <= 1) {
		return PLAN_RETRY_US + draw(plan, PLAN_RETRY_US);
	}
	wait_us = cadence_of(plan, unit, now_us) << (tries < 10 ? tries - 2 : 8);
	most_us = most_us > plan->cadence_us ? most_us : plan->cadence_us;
	wait_us = min_us(wait_us, most_us);
	return wait_us - wait_us / 4 + draw(plan, wait_us / 2);
}

/* What a unit is that has not answered once more. */
static enum model_link silent_link(const struct plan *plan, const struct plan_unit *unit,
				   uint64_t now_us)
{
	if (unit->link == LINK_NEW || unit->link == LINK_LOST) {
		return unit->link;
	}
	if (unit->link == LINK_ASLEEP) {
		return plan->bright_us != PLAN_NEVER && now_us - plan->bright_us >= PLAN_MORNING_US
			       ? LINK_LOST
			       : LINK_ASLEEP;
	}
	if (unit->failures < LATE_FAILURES) {
		return unit->link;
	}
	if (unit->dim || (!unit->bright && plan->bright_us == PLAN_NEVER)) {
		return LINK_ASLEEP;
	}
	return unit->failures >= PLAN_LOST_FAILURES && now_us - unit->heard_us >= PLAN_LOST_US
		       ? LINK_LOST
		       : LINK_LATE;
}

bool plan_failed(struct plan *plan, int unit, uint64_t now_us)
{
	struct plan_unit *entry = &plan->unit[unit];
	unsigned int tries;
	bool changed;

	plan_skip(plan, unit);
	if (entry->job != JOB_POLL) {
		tries = ++entry->tries[entry->job];
		entry->jobs |= 1u << entry->job;
		entry->not_before_us[entry->job] = now_us + back_off(plan, entry, tries, now_us);
		return false;
	}
	entry->failures++;
	changed = set_link(plan, entry, silent_link(plan, entry, now_us), now_us);
	entry->due_us = now_us + back_off(plan, entry, entry->failures, now_us);
	return changed;
}

void plan_restart(struct plan *plan, uint64_t now_us)
{
	for (int i = 0; i < plan->units; i++) {
		struct plan_unit *entry = &plan->unit[i];

		if (!entry->busy) {
			continue;
		}
		plan_skip(plan, i);
		if (entry->job == JOB_POLL) {
			entry->due_us = now_us;
		} else {
			entry->jobs |= 1u << entry->job;
			entry->not_before_us[entry->job] = now_us;
		}
	}
}

uint64_t plan_cadence(const struct plan *plan, double exchange_us)
{
	double needed_us = exchange_us * plan->units;

	return needed_us > (double)plan->cadence_us ? (uint64_t)needed_us : plan->cadence_us;
}

bool plan_night(const struct plan *plan)
{
	for (int i = 0; i < plan->units; i++) {
		if (plan->unit[i].link != LINK_ASLEEP) {
			return false;
		}
	}
	return plan->units > 0;
}
