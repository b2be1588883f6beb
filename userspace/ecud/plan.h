/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whom to ask next, and for what; pure. Each unit has a deadline and jobs that wait; the time goes
 * in, the next job comes out.
 *
 *  - Jobs are bits: the same job twice is one job. What it sends is decided when it is sent, from
 *    what is wanted then, so that a newer command replaces an older one.
 *  - One job is under way for a unit, and PLAN_OUTSTANDING requests for the modem; one while there
 * are stock units, whose answers come in fragments. A command that was sent waits for its answer
 * without keeping the modem. Commands go before polls, and among polls the one whose deadline is
 * earliest.
 *  - A unit that does not answer is asked again soon, and then ever later, each with its own
 * jitter. Its failures change no other unit's deadline.
 *  - A unit that falls silent in weak light is asleep; in daylight it is late and then lost. One
 * that stays silent while others produce in good light is lost too.
 */
#ifndef ECUD_PLAN_H
#define ECUD_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "model.h"

#define PLAN_NEVER UINT64_MAX
/* More requests than this fill a CC2530's buffers, and it freezes. */
#define PLAN_OUTSTANDING 2
#define PLAN_CADENCE_MIN_US UINT64_C(1000000)
#define PLAN_CADENCE_MAX_US UINT64_C(300000000)
/* A first retry, spread so that units that failed together do not meet again. */
#define PLAN_RETRY_US UINT64_C(300000)
/* Longest time between attempts: by day, and for a unit that sleeps. */
#define PLAN_BACKOFF_US UINT64_C(60000000)
#define PLAN_ASLEEP_US UINT64_C(120000000)
/* Silent for so many polls and so long: lost. */
#define PLAN_LOST_FAILURES 4
#define PLAN_LOST_US UINT64_C(30000000)
/* Asleep although others have produced in good light for so long: lost. */
#define PLAN_MORNING_US UINT64_C(1800000000)
/* When one unit wakes up, the others are asked within this time. */
#define PLAN_WAKE_US UINT64_C(10000000)
/* A unit below this share of its rated power is in weak light; above the other one, in good light.
 */
#define PLAN_DIM 0.02
#define PLAN_BRIGHT 0.10

/* Jobs, most urgent first. Columns: identifier, name, whether it is a command. */
/* clang-format off */
#define PLAN_JOBS(X) \
	X(PAIR, "pair", true) \
	X(COMMAND, "command", true) \
	X(LIMIT, "limit", true) \
	X(POLL, "poll", false) \
	X(READ_BACK, "read back", false) \
	X(INFO, "information", false) \
	X(EVENTS, "events", false) \
	X(ANGLES, "angles", false)
/* clang-format on */

enum plan_job {
#define X(id, name, command) JOB_##id,
	PLAN_JOBS(X)
#undef X
		JOB_COUNT
};

const char *plan_job_name(enum plan_job job);
/* Its answer may take long; the modem is free meanwhile. */
bool plan_job_is_command(enum plan_job job);

/**
 * struct plan_unit - one unit
 * @due_us: its next poll
 * @jobs: bits of jobs that wait, but for the poll
 * @not_before_us: by job: no attempt before
 * @tries: by job: attempts without an answer in a row
 * @busy: a job is under way, @job; @counted: it keeps the modem
 * @link: see model.h
 * @failures: polls without an answer in a row
 * @heard_us: last answer of any kind, 0 for never
 * @dim, @bright: the last reading was in weak light, or in good light
 * @asked_us: what is under way was sent then
 * @fast_until_us: polled as fast as possible until then
 */
struct plan_unit {
	uint64_t due_us;
	unsigned int jobs;
	uint64_t not_before_us[JOB_COUNT];
	unsigned int tries[JOB_COUNT];
	bool busy;
	bool counted;
	enum plan_job job;
	enum model_link link;
	unsigned int failures;
	uint64_t heard_us;
	bool dim;
	bool bright;
	uint64_t asked_us;
	uint64_t fast_until_us;
};

/**
 * struct plan - state
 * @cadence_us: wanted time between polls of a unit
 * @random: state of the jitter's generator
 * @bright_us: since when units have produced in good light; PLAN_NEVER when none does
 * @slots: requests that the modem takes at once
 * @outstanding: jobs that keep it
 */
struct plan {
	uint64_t cadence_us;
	uint64_t random;
	uint64_t bright_us;
	int slots;
	int outstanding;
	int units;
	struct plan_unit unit[MODEL_UNITS_MAX];
};

void plan_init(struct plan *plan, uint64_t cadence_us, uint64_t seed);

/* Index of a new unit, first asked within one cadence; -ENOSPC. Removing moves the later ones down.
 */
int plan_add(struct plan *plan, uint64_t now_us);
void plan_remove(struct plan *plan, int unit);

/* A job is wanted, at once; it replaces one of the same kind that waits. */
void plan_want(struct plan *plan, int unit, enum plan_job job, uint64_t now_us);
void plan_drop(struct plan *plan, int unit, enum plan_job job);

/* Poll a unit as fast as possible for a while. */
void plan_hurry(struct plan *plan, int unit, uint64_t until_us);

/**
 * struct plan_choice - what to do now
 * @unit: index, -1 for nothing
 * @job: what to ask it for
 * @due_us: when to ask the plan again
 */
struct plan_choice {
	int unit;
	enum plan_job job;
	uint64_t due_us;
};

/* The next job; plan_begin() must follow before the next call. */
struct plan_choice plan_next(const struct plan *plan, uint64_t now_us);

/* The job was sent. */
void plan_begin(struct plan *plan, int unit, enum plan_job job, uint64_t now_us);

/* Its request is out; its answer does not keep the modem. */
void plan_release(struct plan *plan, int unit);

/* There was nothing to send. */
void plan_skip(struct plan *plan, int unit);

/* The modem did not take it: it waits again, and this counts for no failure. */
void plan_postpone(struct plan *plan, int unit, uint64_t now_us);

/**
 * plan_answered() - the unit has answered what was under way
 * @again: the job has more to do, and waits again
 *
 * Return: whether @link has changed.
 */
bool plan_answered(struct plan *plan, int unit, bool again, uint64_t now_us);

/* What the last reading showed, W, NAN for unknown; for dusk and dawn. */
void plan_light(struct plan *plan, int unit, double power_w, uint64_t now_us);

/**
 * plan_failed() - no answer
 *
 * Return: whether @link has changed.
 */
bool plan_failed(struct plan *plan, int unit, uint64_t now_us);

/* The radio was restarted: nothing is under way. */
void plan_restart(struct plan *plan, uint64_t now_us);

/* The cadence that the plan can keep for this many units, us: at least the wanted one. */
uint64_t plan_cadence(const struct plan *plan, double exchange_us);

/* No unit is expected to answer: all are asleep. */
bool plan_night(const struct plan *plan);

#endif /* ECUD_PLAN_H */
