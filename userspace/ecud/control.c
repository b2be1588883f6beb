// SPDX-License-Identifier: GPL-2.0-or-later
/* The gateway's own controls: export and phase balance, as owners with short leases like any other.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core.h"
#include "util.h"

#define EXPORT_OWNER "export"
#define BALANCE_OWNER "balance"
#define PHASES_OWNER "phases"
#define CONTROL_BY "gateway"
/* A unit that gives less than this share of its limit is short of light, not limited. */
#define LIMITED_SHARE 0.95
/* Room for a unit that is short of light, so that it can follow the sun. */
#define FOLLOW_SHARE 1.15
#define FOLLOW_W 30
/* The phases are looked at this often. */
#define BALANCE_US UINT64_C(5000000)
#define BALANCE_LEASE_S 60
/* Lease of an inverter that stops because another phase has stopped; when it is renewed. */
#define PHASES_LEASE_S 60
#define PHASES_RENEW_US UINT64_C(20000000)
/* A module of a stock unit in light, V: at least where its MPP tracking starts. */
#define LIGHT_V 22

static double power_of(const struct model_unit *unit)
{
	double w = unit->reading[READING_POWER][0].value;

	return isnan(w) ? 0 : w;
}

/* The most that a unit may need: what it gives and some more, unless a limit holds it. */
static double need_of(const struct model_unit *unit)
{
	double limit_w = unit->limit.desired_w;
	double w = power_of(unit);

	if (unit->link == LINK_ASLEEP || unit->link == LINK_LOST) {
		return 0;
	}
	/* one that we have stopped cannot show what it could give */
	if (isnan(limit_w) || (limit_w > core_floor(unit) && w < LIMITED_SHARE * limit_w)) {
		w = w * FOLLOW_SHARE + FOLLOW_W;
		return w < MODEL_RATED_W ? w : MODEL_RATED_W;
	}
	return MODEL_RATED_W;
}

/* A limit of the gateway's own; an unchanged one is renewed after a third of its lease. */
static bool put(struct core *core, const char *owner, const struct serial *serial, double w,
		uint32_t lease_s, const char *reason)
{
	struct power_limits_entry entry = {
		.until_us = isnan(w) ? POWER_LIMITS_FOREVER
				     : core->now_us + UINT64_C(1000000) * lease_s,
	};

	snprintf(entry.shown.owner, sizeof(entry.shown.owner), "%s", owner);
	snprintf(entry.shown.by, sizeof(entry.shown.by), CONTROL_BY);
	snprintf(entry.shown.reason, sizeof(entry.shown.reason), "%s", reason);
	entry.shown.serial = *serial;
	entry.shown.w = w;
	entry.shown.then_w = (double)NAN;
	entry.shown.since_ms = core->now_ms;
	entry.shown.until_ms = isnan(w) ? 0 : core->now_ms + 1000LL * lease_s;
	if (!isnan(w) && power_limits_has(&core->limits, &entry,
					  entry.until_us - UINT64_C(1000000) * lease_s / 3)) {
		return false;
	}
	return power_limits_put(&core->limits, &entry) > 0;
}

/* ---- export ---- */

static void say_export(struct core *core, const char *text)
{
	model_begin(core->model, -1);
	snprintf(core->model->status.export_state, sizeof(core->model->status.export_state), "%s",
		 text);
	model_end(core->model, CHANGE_SITE, -1);
}

static void apply_export(struct core *core)
{
	static struct power_limits_unit unit[MODEL_UNITS_MAX];
	struct model *model = core->model;
	char reason[MODEL_REASON_SIZE];
	char state[ORDER_TEXT_SIZE];

	if (core->export.lost) {
		snprintf(reason, sizeof(reason), "meter lost: safe value %.0f W",
			 core->export.target_w);
	} else {
		snprintf(reason, sizeof(reason), "export at most %.0f W", core->export.export_w);
	}
	for (int i = 0; i < model->units; i++) {
		unit[i] = (struct power_limits_unit){
			.serial = model->unit[i].serial,
			.cap_w = core->export.lost ? MODEL_RATED_W : need_of(&model->unit[i]),
			.floor_w = core_floor(&model->unit[i]),
		};
	}
	power_limits_share(core->export.target_w, unit, model->units, core->first);
	for (int i = 0; i < model->units; i++) {
		put(core, EXPORT_OWNER, &unit[i].serial, unit[i].share_w, EXPORT_LEASE_S, reason);
	}
	snprintf(state, sizeof(state), "%s, %.0f W for the site", reason, core->export.target_w);
	say_export(core, state);
	core_show_limits(core);
	core_reconcile_all(core);
}

/* Every unit that answers has confirmed what the control wants of it. */
static bool all_confirmed(const struct core *core)
{
	for (int i = 0; i < core->model->units; i++) {
		const struct model_unit *unit = &core->model->unit[i];

		if (unit->link == LINK_LIVE && unit->limit.confirm != CONFIRM_CONFIRMED &&
		    !isnan(unit->limit.desired_w)) {
			return false;
		}
	}
	return true;
}

static double site_power(const struct core *core)
{
	double sum_w = 0;

	for (int i = 0; i < core->model->units; i++) {
		sum_w += power_of(&core->model->unit[i]);
	}
	return sum_w;
}

static void note_meter(struct core *core, bool ok, int64_t time_ms)
{
	bool was_ok = core->model->status.meter_ok;

	model_begin(core->model, -1);
	core->model->status.meter_ok = ok;
	if (ok) {
		core->model->status.meter_ms = time_ms;
	}
	model_end(core->model, CHANGE_SITE, -1);
	if (ok != was_ok) {
		core_event(core, ok ? EVENT_METER_BACK : EVENT_METER_LOST, -1, "%s",
			   ok ? "" : "no reading");
	}
}

/* The last reading is too old to be shown. */
static void lose_meter(struct core *core)
{
	model_begin(core->model, -1);
	for (int id = READING_GRID_POWER; id <= READING_GRID_POWER_L3; id++) {
		core->model->site[id] = (struct reading){ (double)NAN, 0 };
	}
	model_end(core->model, CHANGE_SITE, -1);
	note_meter(core, false, 0);
}

void core_meter(struct core *core, double total_w, const double phase_w[3], int64_t time_ms)
{
	int64_t age_ms = core->now_ms - time_ms;
	uint64_t measured_us = core->now_us - (age_ms > 0 ? UINT64_C(1000) * (uint64_t)age_ms : 0);

	if (isnan(total_w)) {
		return;
	}
	model_begin(core->model, -1);
	core->model->site[READING_GRID_POWER] = (struct reading){ total_w, time_ms };
	for (int i = 0; i < 3; i++) {
		core->model->site[READING_GRID_POWER_L1 + i] =
			(struct reading){ phase_w ? phase_w[i] : (double)NAN,
					  phase_w ? time_ms : 0 };
	}
	model_end(core->model, CHANGE_SITE, -1);
	core->metered_us = measured_us;
	note_meter(core, true, time_ms);
	export_confirm(&core->export, all_confirmed(core), core->now_us);
	if (export_meter(&core->export, total_w, measured_us, site_power(core),
			 (double)MODEL_RATED_W * core->model->units, core->now_us)) {
		apply_export(core);
	}
}

/* ---- balance of the phases ---- */

/* Power of each phase that has units; the lowest of them, NAN when fewer than two have any. */
static double phase_powers(const struct core *core, double w[PHASE_COUNT])
{
	double lowest_w = (double)NAN;
	int phases = 0;

	for (int phase = 0; phase < PHASE_COUNT; phase++) {
		w[phase] = (double)NAN;
	}
	for (int i = 0; i < core->model->units; i++) {
		const struct model_unit *unit = &core->model->unit[i];

		w[unit->phase] = (isnan(w[unit->phase]) ? 0 : w[unit->phase]) + power_of(unit);
	}
	for (int phase = PHASE_L1; phase < PHASE_COUNT; phase++) {
		if (!isnan(w[phase])) {
			phases++;
			lowest_w = isnan(lowest_w) || w[phase] < lowest_w ? w[phase] : lowest_w;
		}
	}
	return phases > 1 ? lowest_w : (double)NAN;
}

/* Units of one phase share what it may have; NAN removes their limits. */
static bool limit_phase(struct core *core, int phase, double w)
{
	static struct power_limits_unit unit[MODEL_UNITS_MAX];
	struct model *model = core->model;
	bool changed = false;
	int units = 0;

	for (int i = 0; i < model->units; i++) {
		if ((int)model->unit[i].phase == phase) {
			unit[units++] = (struct power_limits_unit){
				.serial = model->unit[i].serial,
				.cap_w = MODEL_RATED_W,
				.floor_w = core_floor(&model->unit[i]),
			};
		}
	}
	if (!isnan(w)) {
		power_limits_share(w, unit, units, core->first);
	}
	for (int i = 0; i < units; i++) {
		changed |=
			put(core, BALANCE_OWNER, &unit[i].serial,
			    isnan(w) ? w : floor(unit[i].share_w / EXPORT_DEAD_W) * EXPORT_DEAD_W,
			    BALANCE_LEASE_S, "difference between phases");
	}
	return changed;
}

static void balance(struct core *core)
{
	double w[PHASE_COUNT];
	double lowest_w = phase_powers(core, w);
	bool changed = false;

	core->balance_us = core->now_us + BALANCE_US;
	for (int phase = PHASE_L1; phase < PHASE_COUNT; phase++) {
		/* a phase that is limited already stays so while the others are near */
		changed |= !isnan(w[phase]) &&
			   limit_phase(core, phase,
				       isnan(lowest_w) ? lowest_w : lowest_w + core->balance_w);
	}
	if (changed) {
		core_show_limits(core);
		core_reconcile_all(core);
	}
}

/* ---- all phases stop together ---- */

static bool is_in_light(const struct model_unit *unit)
{
	if (unit->make == MAKE_OURS) {
		return unit->state >= 0 && unit->state != QS1_STATE_NIGHT;
	}
	for (int i = 0; i < MODEL_CHANNELS; i++) {
		if (unit->reading[READING_DC_V][i].value >= LIGHT_V) {
			return true;
		}
	}
	return false;
}

/* An inverter counts as producing if the gateway itself has stopped it, but not if an order has. */
static bool produces(const struct model_unit *unit)
{
	if (unit->limit.desired_w == 0) {
		return !strcmp(unit->limit.by, CONTROL_BY);
	}
	return unit->make == MAKE_OURS
		       ? unit->state == QS1_STATE_PRODUCING || unit->state == QS1_STATE_DERATING
		       : power_of(unit) > 0;
}

static unsigned int stopped_phases(const struct core *core)
{
	static struct phases_power power[MODEL_UNITS_MAX];

	for (int i = 0; i < core->model->units; i++) {
		const struct model_unit *unit = &core->model->unit[i];
		bool ready = unit->link == LINK_LIVE && is_in_light(unit);

		power[i] = (struct phases_power){
			.phase = unit->phase,
			.ready = ready,
			.produces = ready && produces(unit),
		};
	}
	return phases_stopped(power, core->model->units);
}

/* The stopped phase itself is not limited: when it produces again, the others resume. */
static void stop_together(struct core *core)
{
	unsigned int stopped = stopped_phases(core);
	bool changed = false;

	if (stopped == core->stopped && core->now_us < core->stopped_us) {
		return;
	}
	core->stopped = stopped;
	core->stopped_us = core->now_us + PHASES_RENEW_US;
	for (int i = 0; i < core->model->units; i++) {
		const struct model_unit *unit = &core->model->unit[i];
		bool stops = stopped && unit->phase != PHASE_UNKNOWN &&
			     !(stopped & 1u << unit->phase);

		changed |= put(core, PHASES_OWNER, &unit->serial, stops ? 0 : (double)NAN,
			       PHASES_LEASE_S, "another phase has stopped");
	}
	if (changed) {
		core_show_limits(core);
		core_reconcile_all(core);
	}
}

void core_control(struct core *core)
{
	if (export_is_on(&core->export)) {
		export_confirm(&core->export, all_confirmed(core), core->now_us);
		if (export_run(&core->export, core->now_us)) {
			apply_export(core);
		}
	}
	if (core->model->status.meter_ok && core->now_us - core->metered_us >= EXPORT_LOST_US) {
		lose_meter(core);
	}
	if (!isnan(core->balance_w) && core->now_us >= core->balance_us) {
		balance(core);
	}
	if (core->stop_together) {
		stop_together(core);
	}
}
