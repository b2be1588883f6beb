// SPDX-License-Identifier: GPL-2.0-only
#include "unit.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "names.h"
#include "param.h"
#include "util.h"

#define HEARTBEAT_TICKS (QS1_CONTROL_HZ / 10)

/*
 * A hung coprocessor holds its outputs until the board's window watchdog cuts
 * the gates; a crashed one stops them itself.
 */
#define WATCHDOG_TICKS (QS1_CONTROL_HZ / 1000)

static const enum qs1_param waits[UNIT_WAITS] = { QS1_PARAM_ES_DELAY_S, QS1_PARAM_ES_RANDOM_S };

static const char *result_text(uint32_t result)
{
	static const char *const text[] = {
		[QS1_OK] = "done",
		[QS1_ERR_OP] = "no such operation",
		[QS1_ERR_ARG] = "no such parameter or fault",
		[QS1_ERR_RANGE] = "out of range",
		[QS1_ERR_STATE] = "not allowed in the current state",
		[QS1_ERR_CONFLICT] = "contradicts another parameter",
		[QS1_ERR_ACTIVE] = "the cause of the fault is still present",
	};

	return result < ARRAY_SIZE(text) ? text[result] : "?";
}

int unit_command(struct unit *u, enum qs1_op op, uint32_t arg, int32_t value, int32_t *ret)
{
	uint32_t result;

	*ret = 0;
	if (u->dead || !unit_has_coproc(u))
		return -ENXIO;
	result = qs1_core_command(u->core, op, arg, value, ret);
	if (u->watch)
		u->watch->command(u->watch_ctx, op, arg, value, result, *ret);
	return (int)result;
}

/* The same for Linux's part: 0, or a negative errno with the reason. */
static int command(struct unit *u, enum qs1_op op, uint32_t arg, int32_t value, const char *what,
		   char *err, size_t size)
{
	int32_t reply;
	int result = unit_command(u, op, arg, value, &reply);

	if (result < 0) {
		snprintf(err, size, "%s: the coprocessor is not running", what);
		return result;
	}
	if (result != QS1_OK) {
		snprintf(err, size, "%s: the firmware refused: %s (%d)", what,
			 result_text((uint32_t)result), reply);
		return -EPROTO;
	}
	return 0;
}

static int apply_profile(struct unit *u, char *err, size_t size)
{
	int ret = command(u, QS1_OP_PROFILE_BEGIN, 0, 0, "profile", err, size);

	for (int id = 0; !ret && id < QS1_PARAM_COUNT; id++) {
		const struct qs1_param_desc *desc = qs1_param_desc(id);

		if (desc->group == QS1_PARAM_GROUP_PROFILE) {
			ret = command(u, QS1_OP_SET_PARAM, (uint32_t)id, u->profile.value[id],
				      desc->name, err, size);
		}
	}
	return ret ? ret : command(u, QS1_OP_PROFILE_COMMIT, 0, 0, "profile", err, size);
}

/* Search path of a profile: current folder, next to the program, installed. */
static int load_profile(struct unit *u, const char *name, char *err, size_t size)
{
	char exe[PATH_MAX] = "", beside[PATH_MAX + 32];
	const char *const dirs[] = { "profiles", beside, QS1_PROFILE_DIR_LOCAL, QS1_PROFILE_DIR,
				     NULL };
	__cleanup(free_ptr) char *path = NULL;
	char *slash;
	int ret;

	if (readlink("/proc/self/exe", exe, sizeof(exe) - 1) < 0)
		exe[0] = '\0';
	slash = strrchr(exe, '/');
	if (slash)
		*slash = '\0';
	snprintf(beside, sizeof(beside), "%s/../profiles", exe);
	ret = qs1_profile_find(name, dirs, &path, err, size);
	if (!ret)
		ret = qs1_profile_load(path, &u->profile, err, size);
	if (ret)
		return ret;
	u->profile_loaded = true;
	return apply_profile(u, err, size);
}

static int arm(struct unit *u, char *err, size_t size)
{
	int ret = 0;

	for (size_t n = 0; n < ARRAY_SIZE(waits) && u->skip_wait && !ret; n++) {
		u->waits[n] = qs1_core_param(u->core, waits[n]);
		ret = command(u, QS1_OP_SET_PARAM, waits[n], 0, qs1_param_desc(waits[n])->name, err,
			      size);
	}
	u->armed = true;
	return ret ? ret : command(u, QS1_OP_ARM, 0, 0, "start", err, size);
}

static int op_profile(void *ctx, const char *name, char *err, size_t size)
{
	struct unit *u = ctx;

	if (u->host)
		return u->host->ops->profile(u->host_ctx, name, err, size);
	return u->force_profile ? 0 : load_profile(u, name, err, size);
}

static int op_set(void *ctx, const char *name, const char *value, char *err, size_t size)
{
	struct unit *u = ctx;
	int id = qs1_param_find(name), ret;
	int32_t scaled = 0;

	if (u->host)
		return u->host->ops->set(u->host_ctx, name, value, err, size);
	ret = qs1_param_parse(id, value, &scaled, err, size);
	if (ret)
		return ret;
	for (size_t n = 0; n < ARRAY_SIZE(waits); n++) {
		if (id == (int)waits[n] && u->skip_wait && u->armed) {
			u->waits[n] = scaled;
			return 0;
		}
	}
	return command(u, QS1_OP_SET_PARAM, (uint32_t)id, scaled, name, err, size);
}

static int op_command(void *ctx, const char *words, char *err, size_t size)
{
	struct unit *u = ctx;

	if (u->host)
		return u->host->ops->command(u->host_ctx, words, err, size);
	if (!strcmp(words, "shutdown"))
		return command(u, QS1_OP_DISARM, 0, 0, words, err, size);
	if (!strcmp(words, "start"))
		return command(u, QS1_OP_ARM, 0, 0, words, err, size);
	return command(u, QS1_OP_CLEAR, QS1_FAULT_GFDI, 0, words, err, size);
}

static int op_host(void *ctx, bool alive, char *err, size_t size)
{
	struct unit *u = ctx;

	if (u->host)
		return u->host->ops->host(u->host_ctx, alive, err, size);
	u->host_alive = alive;
	return 0;
}

static int op_coproc(void *ctx, const char *word, char *err, size_t size)
{
	struct unit *u = ctx;
	int ret = 0;

	if (!unit_has_coproc(u))
		return u->host->ops->coproc(u->host_ctx, word, err, size);
	if (strcmp(word, "off") != 0) {
		u->dead = true;
		u->hung = !strcmp(word, "hang") ? WATCHDOG_TICKS : 0;
	} else if (u->dead) {
		/* Linux restarts the coprocessor and applies the profile again. */
		u->dead = false;
		u->out = (struct qs1_outputs){ 0 };
		u->boots++;
		qs1_core_init(u->core);
		if (u->watch)
			u->watch->reset(u->watch_ctx);
		if (!u->host) {
			if (u->profile_loaded)
				ret = apply_profile(u, err, size);
			return ret ? ret : arm(u, err, size);
		}
	}
	return u->host ? u->host->ops->coproc(u->host_ctx, word, err, size) : 0;
}

static int op_skip_enter_service(void *ctx, char *err, size_t size)
{
	struct unit *u = ctx;

	if (u->host)
		return u->host->ops->skip_enter_service(u->host_ctx, err, size);
	u->skip_wait = true;
	return 0;
}

static const struct qs1_world_ops ops = {
	.profile = op_profile,
	.set = op_set,
	.command = op_command,
	.host = op_host,
	.coproc = op_coproc,
	.skip_enter_service = op_skip_enter_service,
};

int unit_init(struct unit *u)
{
	*u = (struct unit){ .host_alive = true, .in.estop_n = true, .boots = 1 };
	u->core = aligned_alloc(64, (qs1_core_size() + 63) / 64 * 64);
	u->world = qs1_world_new(&ops, u);
	if (!u->core || !u->world) {
		unit_free(u);
		return -ENOMEM;
	}
	qs1_core_init(u->core);
	return 0;
}

void unit_free(struct unit *u)
{
	qs1_world_free(u->world);
	free(u->core);
	u->world = NULL;
	u->core = NULL;
}

int unit_start(struct unit *u, char *err, size_t size)
{
	int ret = 0;

	if (u->force_profile && !u->host)
		ret = load_profile(u, u->force_profile, err, size);
	ret = ret ? ret : qs1_world_start(u->world, err, size);
	return ret || u->host ? ret : arm(u, err, size);
}

static void take_events(struct unit *u)
{
	struct qs1_event event;
	char err[128];

	while (qs1_core_event(u->core, &event)) {
		qs1_world_event(u->world, &event);
		if (u->host && u->host->event)
			u->host->event(u->host_ctx, &event);
		if (u->skip_wait && event.kind == QS1_EVENT_TRANSITION &&
		    event.to == QS1_STATE_PRODUCING) {
			u->skip_wait = false;
			for (size_t n = 0; n < ARRAY_SIZE(waits); n++) {
				command(u, QS1_OP_SET_PARAM, waits[n], u->waits[n],
					qs1_param_desc(waits[n])->name, err, sizeof(err));
			}
		}
	}
}

void unit_step(struct unit *u)
{
	if (!unit_has_coproc(u)) {
		u->out = *u->host->period(u->host_ctx, u->in.adc);
		return;
	}
	if (++u->ticks % HEARTBEAT_TICKS == 0 && u->host_alive && !u->host)
		u->in.host_heartbeat++;
	if (u->dead) {
		if (!u->hung || !--u->hung)
			u->out = (struct qs1_outputs){ 0 };
		return;
	}
	qs1_core_step(u->core, &u->in, &u->out);
	if (u->watch)
		u->watch->step(u->watch_ctx);
	take_events(u);
}

const char *unit_profile(const struct unit *u)
{
	return u->profile_loaded ? u->profile.name : "note1";
}
