/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One inverter: a control core, the world around it, and Linux or its substitute.
 */
#ifndef QS1_FEEDER_UNIT_H
#define QS1_FEEDER_UNIT_H

#include <stdbool.h>
#include <stdint.h>

#include "core.h"
#include "feeder.h"
#include "profile.h"
#include "world.h"

/* Delays before a unit connects: enter-service time and its random part. */
#define UNIT_WAITS 2

/**
 * struct unit_watch - a recorder of what goes into the core and comes out of it
 * @step: after a step, with struct unit.in and .out
 * @command: a mailbox command and its result
 * @reset: the core is in its initial state again
 */
struct unit_watch {
	void (*step)(void *ctx);
	void (*command)(void *ctx, enum qs1_op op, uint32_t arg, int32_t value, uint32_t result,
			int32_t ret);
	void (*reset)(void *ctx);
};

/**
 * struct unit - see above
 * @host: does Linux's part, or NULL: then the unit's own, as in qs1-sim
 * @watch: NULL for none
 * @force_profile: the grid profile of the command line, instead of the scenario's
 * @dead: the coprocessor does not compute
 * @hung: periods until the watchdog cuts the gates of a coprocessor that hangs
 * @waits: values to put back after the first start
 */
struct unit {
	struct qs1_core *core;
	struct qs1_world *world;
	struct qs1_samples in;
	struct qs1_outputs out;
	uint64_t ticks;
	uint32_t boots;

	const struct feeder_host *host;
	void *host_ctx;
	const struct unit_watch *watch;
	void *watch_ctx;

	const char *force_profile;
	struct qs1_profile profile;
	bool profile_loaded;
	bool host_alive;
	bool armed;
	bool dead;
	unsigned int hung;
	bool skip_wait;
	int32_t waits[UNIT_WAITS];
};

/* unit_init() - a core at power-on and a world with default set-up; 0 or -ENOMEM */
int unit_init(struct unit *unit);
void unit_free(struct unit *unit);

/*
 * unit_start() - the profile, the world's set-up statements, and permission to produce: what
 * Linux does at boot. With a host only the set-up statements. Returns 0 or a negative errno.
 */
int unit_start(struct unit *unit, char *err, size_t size);

/* unit_step() - heartbeat and core for the period whose samples are in @in */
void unit_step(struct unit *unit);

/* unit_command() - a mailbox command; enum qs1_result, or -ENXIO without a core that computes */
int unit_command(struct unit *unit, enum qs1_op op, uint32_t arg, int32_t value, int32_t *ret);

/* feeder_unit() - for programs that record a unit */
struct unit *feeder_unit(struct feeder *feeder, int unit);

/* unit_has_coproc() - false when the host has it */
static inline bool unit_has_coproc(const struct unit *unit)
{
	return !unit->host || !unit->host->period;
}

/* unit_profile() - name of the profile in force */
const char *unit_profile(const struct unit *unit);

#endif /* QS1_FEEDER_UNIT_H */
