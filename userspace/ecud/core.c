// SPDX-License-Identifier: GPL-2.0-or-later
#include "core.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "names.h"
#include "readings.h"
#include "service_clock.h"
#include "util.h"

/* A stock unit accepts 20 to 500 W a module; below that it can only be switched off. */
#define STOCK_FLOOR_W ((double)L2_LIMIT_MIN_W * MODEL_CHANNELS)
/* A stock unit's clock of seconds may differ from ours by this much between two readings. */
#define STOCK_SECONDS_SLACK 30
#define STOCK_SECONDS_MOD 65536
/* The DC counters of a stock unit have 40 bits. */
#define STOCK_WRAP_MWH ((uint64_t)((double)(INT64_C(1) << 40) * L2_WATT_HOUR * 1000))
/* A reading counts for the site's sums this many cadences. */
#define FRESH_CADENCES 3
#define FRESH_LEAST_MS 15000

/* ---- events ---- */

void core_event(struct core *core, enum model_event_kind kind, int unit, const char *format, ...)
{
	char detail[ORDER_TEXT_SIZE];
	va_list ap;

	va_start(ap, format);
	vsnprintf(detail, sizeof(detail), format, ap);
	va_end(ap);
	model_event(core->model, kind, unit >= 0 ? &core->model->unit[unit].serial : NULL, detail);
}

static int64_t wall_of(const struct core *core, uint64_t us)
{
	return core->now_ms - (int64_t)(core->now_us - us) / 1000;
}

void core_keep(struct core *core, int unit)
{
	struct store_unit kept;

	if (!core->store) {
		return;
	}
	memset(&kept, 0, sizeof(kept));
	model_lock(core->model);
	kept.unit = core->model->unit[unit];
	model_unlock(core->model);
	kept.has_key = core->unit[unit].has_key;
	kept.key = core->unit[unit].key;
	memcpy(kept.account, core->unit[unit].account, sizeof(kept.account));
	kept.event_last = core->unit[unit].event_last;
	store_put_unit(core->store, &kept);
	explicit_bzero(&kept.key, sizeof(kept.key));
}

/* ---- energy ---- */

/* Seconds since the last reading of the counters; NAN when nobody knows. */
static double elapsed_s(const struct core *core, const struct core_unit *unit, uint64_t read_us)
{
	const struct account *account = &unit->account[0];

	if (unit->counted_us) {
		return (double)(read_us - unit->counted_us) / 1e6;
	}
	/* the daemon was restarted: only the wall clock can tell */
	return account->time_ms > 0 && core->now_ms >= account->time_ms
		       ? (double)(core->now_ms - account->time_ms) / 1e3
		       : (double)NAN;
}

static void count(struct core *core, int unit, const struct account_source *source,
		  const uint64_t *counter_mwh, int channels, bool restarted, uint64_t read_us)
{
	struct core_unit *entry = &core->unit[unit];
	double seconds = elapsed_s(core, entry, read_us);

	for (int i = 0; i < channels; i++) {
		if (account_update(&entry->account[i], source, counter_mwh[i], restarted, seconds,
				   core->now_ms) == ACCOUNT_REJECTED) {
			core_event(core, EVENT_INVERTER, unit,
				   "counter of %s jumped to %llu mWh: not counted",
				   i == ACCOUNT_GRID ? "the grid" : "an input",
				   (unsigned long long)counter_mwh[i]);
		}
	}
	entry->counted_us = read_us;
}

/* A stock unit's AC energy: its share of what the inputs have counted. */
static void count_stock_grid(struct core_unit *unit, int64_t now_ms)
{
	struct account *grid = &unit->account[ACCOUNT_GRID];
	double dc_mwh = 0;
	uint64_t total_mwh;

	for (int i = 0; i < MODEL_CHANNELS; i++) {
		dc_mwh += (double)unit->account[i].total_mwh;
	}
	account_cut(grid, now_ms);
	total_mwh = (uint64_t)(dc_mwh * MODEL_STOCK_EFFICIENCY);
	if (total_mwh > grid->total_mwh) {
		grid->total_mwh = total_mwh;
	}
}

static void sum_site(struct core *core)
{
	uint64_t total_mwh = core->removed.total_mwh;
	uint64_t today_mwh;
	int64_t fresh_ms = (int64_t)(core->radio.plan.cadence_us / 1000) * FRESH_CADENCES;

	account_cut(&core->removed, core->now_ms);
	today_mwh = account_today(&core->removed);
	for (int i = 0; i < core->model->units; i++) {
		total_mwh += core->unit[i].account[ACCOUNT_GRID].total_mwh;
		today_mwh += account_today(&core->unit[i].account[ACCOUNT_GRID]);
	}
	model_sum(core->model, (double)total_mwh / 1e3, (double)today_mwh / 1e3, core->now_ms,
		  fresh_ms > FRESH_LEAST_MS ? fresh_ms : FRESH_LEAST_MS);
}

/* ---- what comes by radio ---- */

static void to_modem(void *ctx, const uint8_t *bytes, size_t n)
{
	struct core *core = ctx;

	core->ops->to_modem(core->ctx, bytes, n);
}

static void hard_reset(void *ctx)
{
	struct core *core = ctx;

	core->ops->hard_reset(core->ctx);
}

static void random_bytes(void *ctx, uint8_t *bytes, size_t n)
{
	struct core *core = ctx;

	core->ops->random(core->ctx, bytes, n);
}

static void on_state(void *ctx, bool up, const char *text)
{
	struct core *core = ctx;

	model_begin(core->model, -1);
	core->model->radio.up = up;
	core->model->radio.channel = core->radio.host.startup.channel;
	core->model->radio.pan = core->radio.host.startup.pan;
	core->model->radio.resets = core->radio.host.all_resets;
	model_end(core->model, CHANGE_SITE, -1);
	core_event(core, up ? EVENT_RADIO_UP : EVENT_RADIO_DOWN, -1, "%s", text);
}

static void on_foreign(void *ctx, uint16_t pan)
{
	struct core *core = ctx;
	bool known;

	model_begin(core->model, -1);
	known = core->model->radio.foreign_ms > 0 && core->model->radio.foreign_pan == pan;
	core->model->radio.foreign_pan = pan;
	core->model->radio.foreign_ms = core->now_ms;
	model_end(core->model, CHANGE_SITE, -1);
	if (!known) {
		core_event(core, EVENT_FOREIGN, -1, "PAN %04X", pan);
	}
}

static const char *fault_event_text(const struct model_unit *unit, unsigned int fault, char *text,
				    size_t size)
{
	snprintf(text, size, "%s, %s%s%s", qs1_fault_name(fault), model_fault_words(fault),
		 fault == QS1_FAULT_GFDI && unit->make == MAKE_STOCK ? "; " : "",
		 fault == QS1_FAULT_GFDI && unit->make == MAKE_STOCK ? MODEL_STOCK_GROUND_FAULT
								     : "");
	return text;
}

/* Faults that have come or gone since the last reading. A ground fault is an alarm. */
static void note_faults(struct core *core, int unit, uint32_t before)
{
	const struct model_unit *shown = &core->model->unit[unit];
	uint32_t now = shown->faults_active | shown->faults_latched;
	char text[ORDER_TEXT_SIZE];

	for (unsigned int fault = 0; fault < QS1_FAULT_COUNT; fault++) {
		uint32_t bit = QS1_FAULT_BIT(fault);

		/* night is no fault, and a stop was somebody's wish */
		if (!((before ^ now) & bit) || fault == QS1_FAULT_NIGHT ||
		    fault == QS1_FAULT_SHUTDOWN) {
			continue;
		}
		core_event(core,
			   !(now & bit)		     ? EVENT_FAULT_ENDED
			   : fault == QS1_FAULT_GFDI ? EVENT_GROUND_FAULT
						     : EVENT_FAULT,
			   unit, "%s", fault_event_text(shown, fault, text, sizeof(text)));
		if (now & bit && fault == QS1_FAULT_GFDI) {
			core->unit[unit].reminded_us = core->now_us;
		}
	}
}

/* The ground fault's alarm is repeated until it is cleared. */
static void remind(struct core *core)
{
	for (int i = 0; i < core->model->units; i++) {
		const struct model_unit *shown = &core->model->unit[i];
		struct core_unit *unit = &core->unit[i];
		char text[ORDER_TEXT_SIZE];

		if (shown->faults_latched & QS1_FAULT_BIT(QS1_FAULT_GFDI) &&
		    core->now_us - unit->reminded_us >= CORE_REMIND_US) {
			unit->reminded_us = core->now_us;
			core_event(core, EVENT_GROUND_FAULT, i, "%s",
				   fault_event_text(shown, QS1_FAULT_GFDI, text, sizeof(text)));
		}
	}
}

/* Counters of the link, and the time of the reading, before the readings themselves. */
static int64_t note_reply(struct core *core, struct model_unit *unit,
			  const struct radio_reply *reply)
{
	unit->lqi = reply->lqi;
	unit->seen_ms = core->now_ms;
	unit->counters.polls++;
	unit->counters.replies++;
	unit->counters.failures = 0;
	unit->counters.round_trip_ms = (double)(reply->now_us - reply->asked_us) / 1e3;
	/* half-way between request and answer */
	return wall_of(core, reply->asked_us + (reply->now_us - reply->asked_us) / 2);
}

static void after_reading(struct core *core, int unit, int64_t time_ms)
{
	struct model_unit *shown = model_begin(core->model, unit);
	struct model_unit copy;

	readings_of_accounts(shown, core->unit[unit].account, time_ms);
	shown->cadence_ms =
		(int64_t)(plan_cadence(&core->radio.plan, core->radio.exchange_us) / 1000);
	copy = *shown;
	model_end(core->model, CHANGE_READING, unit);
	plan_light(&core->radio.plan, unit, shown->reading[READING_POWER][0].value, core->now_us);
	if (core->store) {
		store_put_readings(core->store, &copy, core->unit[unit].account, time_ms);
	}
	sum_site(core);
}

/* ---- limits: desired and actual ---- */

double core_floor(const struct model_unit *unit)
{
	return unit->make == MAKE_STOCK ? STOCK_FLOOR_W : 0;
}

/* All units as power_limits_share() wants them. */
static int share_units(const struct core *core, struct power_limits_unit *unit)
{
	for (int i = 0; i < core->model->units; i++) {
		unit[i] =
			(struct power_limits_unit){ .serial = core->model->unit[i].serial,
						    .cap_w = MODEL_RATED_W,
						    .floor_w = core_floor(&core->model->unit[i]) };
	}
	return core->model->units;
}

static void want(const struct core *core, int unit, struct power_limits_wanted *wanted)
{
	static struct power_limits_unit units[MODEL_UNITS_MAX];

	power_limits_wanted(&core->limits, units, share_units(core, units), unit, core->first,
			    wanted);
}

/* What a stock unit shall have: on or off, and W for each module; 0 for the largest. */
static bool stock_wants(double desired_w, int *ret_panel_w)
{
	bool on = isnan(desired_w) || desired_w >= STOCK_FLOOR_W;
	double panel_w = isnan(desired_w) ? L2_LIMIT_MAX_W : floor(desired_w / MODEL_CHANNELS);

	*ret_panel_w = panel_w > L2_LIMIT_MAX_W ? L2_LIMIT_MAX_W : (int)panel_w;
	return on;
}

static bool stock_differs(const struct core_unit *unit, double desired_w)
{
	int panel_w;
	bool on = stock_wants(desired_w, &panel_w);

	if (!unit->on_known) {
		/* a unit that nobody has limited is left alone */
		return !isnan(desired_w);
	}
	return on != unit->on || (on && panel_w != unit->panel_w);
}

/* Does what the unit reports agree with what it shall have? */
static bool obeys(const struct model_unit *shown, double desired_w)
{
	double actual_w = shown->limit.actual_w;

	return isnan(desired_w) ||
	       (!isnan(actual_w) && actual_w <= desired_w + CORE_LIMIT_TOLERANCE_W);
}

static void set_confirm(struct core *core, int unit, enum model_confirm confirm)
{
	struct model_unit *shown = &core->model->unit[unit];
	enum model_confirm before = shown->limit.confirm;

	if (before == confirm) {
		return;
	}
	model_begin(core->model, unit)->limit.confirm = confirm;
	model_end(core->model, CHANGE_UNIT, unit);
	if (confirm == CONFIRM_CONFIRMED && !isnan(shown->limit.desired_w)) {
		core_event(core, EVENT_LIMIT_CONFIRMED, unit, "%.0f W of %s",
			   shown->limit.desired_w, shown->limit.owner);
	} else if (confirm == CONFIRM_UNCONFIRMED) {
		core_event(core, EVENT_LIMIT_UNCONFIRMED, unit, "%.0f W of %s",
			   shown->limit.desired_w, shown->limit.owner);
	}
}

static bool differs(const struct core *core, int unit, const struct power_limits_wanted *wanted)
{
	const struct core_unit *entry = &core->unit[unit];
	struct power_limits_grant grant;

	return core->model->unit[unit].make == MAKE_STOCK
		       ? stock_differs(entry, core->model->unit[unit].limit.desired_w)
		       : power_limits_difference(wanted, &entry->granted, &grant);
}

/* Agreement counts only when a reading after the acknowledgement shows it. */
static void judge(struct core *core, int unit, const struct power_limits_wanted *wanted)
{
	const struct core_unit *entry = &core->unit[unit];
	struct model_unit *shown = &core->model->unit[unit];
	bool read_back = shown->limit.actual_ms > 0 &&
			 shown->limit.actual_ms >= wall_of(core, entry->acknowledged_us);

	if (wanted->count == 0 && entry->granted.count == 0 && !entry->on_known) {
		set_confirm(core, unit, CONFIRM_UNKNOWN);
	} else if (differs(core, unit, wanted)) {
		if (shown->limit.confirm == CONFIRM_CONFIRMED ||
		    shown->limit.confirm == CONFIRM_UNKNOWN) {
			set_confirm(core, unit, CONFIRM_PENDING);
		}
	} else if (read_back) {
		set_confirm(core, unit,
			    obeys(shown, shown->limit.desired_w) ? CONFIRM_CONFIRMED
								 : CONFIRM_UNCONFIRMED);
	}
}

/* Does the model show another limit than the one that is wanted now? */
static bool shows_another(const struct model_limit *limit, double w,
			  const struct power_limits_wanted *wanted)
{
	const struct model_limit_entry *from = &wanted->from.shown;

	return isnan(limit->desired_w) != isnan(w) ||
	       (!isnan(w) &&
		(fabs(limit->desired_w - w) > 0.01 || strcmp(limit->owner, from->owner) ||
		 strcmp(limit->reason, from->reason) || limit->until_ms != from->until_ms));
}

static void show_desired(struct core *core, int unit, const struct power_limits_wanted *wanted)
{
	struct model_unit *shown = &core->model->unit[unit];
	const struct model_limit_entry *from = &wanted->from.shown;
	bool limited = wanted->lowest >= 0;
	double w = limited ? wanted->grant[wanted->lowest].w : (double)NAN;
	struct model_limit *limit;

	if (!shows_another(&shown->limit, w, wanted)) {
		return;
	}
	limit = &model_begin(core->model, unit)->limit;
	limit->desired_w = w;
	snprintf(limit->owner, sizeof(limit->owner), "%s", limited ? from->owner : "");
	snprintf(limit->reason, sizeof(limit->reason), "%s", limited ? from->reason : "");
	snprintf(limit->by, sizeof(limit->by), "%s", limited ? from->by : "");
	limit->since_ms = limited ? from->since_ms : core->now_ms;
	limit->until_ms = limited ? from->until_ms : 0;
	limit->then_w = limited ? wanted->grant[wanted->lowest].then_w : (double)NAN;
	limit->fallback = shown->make == MAKE_OURS;
	model_end(core->model, CHANGE_UNIT, unit);
}

void core_reconcile(struct core *core, int unit)
{
	struct core_unit *entry = &core->unit[unit];
	struct power_limits_wanted wanted;
	uint64_t at_us = core->now_us;

	want(core, unit, &wanted);
	power_limits_granted_expire(&entry->granted, core->now_us);
	show_desired(core, unit, &wanted);
	judge(core, unit, &wanted);
	if (!differs(core, unit, &wanted)) {
		plan_drop(&core->radio.plan, unit, JOB_LIMIT);
		return;
	}
	if (core->model->unit[unit].make == MAKE_STOCK && entry->stock_us &&
	    core->now_us < entry->stock_us + CORE_STOCK_LIMIT_US) {
		at_us = entry->stock_us + CORE_STOCK_LIMIT_US;
	}
	plan_want(&core->radio.plan, unit, JOB_LIMIT, at_us);
}

void core_reconcile_all(struct core *core)
{
	for (int i = 0; i < core->model->units; i++) {
		core_reconcile(core, i);
	}
}

void core_show_limits(struct core *core)
{
	struct model *model = core->model;
	const struct power_limits_entry *site = power_limits_site(&core->limits);

	model_begin(model, -1);
	model->limits = core->limits.count;
	for (int i = 0; i < core->limits.count; i++) {
		model->limit[i] = core->limits.entry[i].shown;
	}
	model->site[READING_SITE_LIMIT] = (struct reading){
		.value = site ? site->shown.w : (double)NAN,
		.time_ms = site ? core->now_ms : 0,
	};
	model_end(model, CHANGE_SITE, -1);
	if (core->store) {
		store_put_limits(core->store, &core->limits);
	}
}

/* JSON of one grant, as qs1d's request "limit" has it. */
static void limit_body(const struct power_limits_grant *grant, uint64_t now_us, char *body,
		       size_t size)
{
	struct json_object *object = json_object_new_object();
	bool needs_lease = power_limits_owner_needs_lease(grant->owner);
	bool lasts = grant->until_us == POWER_LIMITS_FOREVER;
	/* A fall-back that holds until the next command is renewed as a lease that ends with
	 * itself. */
	double then_w = lasts ? grant->w : grant->then_w;
	uint64_t lease_s = lasts ? 86400 : (grant->until_us - now_us + 999999) / 1000000;

	json_object_object_add(object, "cmd", json_object_new_string("limit"));
	json_object_object_add(object, "owner", json_object_new_string(grant->owner));
	json_object_object_add(object, "w",
			       isnan(grant->w) ? json_object_new_string("none")
					       : json_object_new_int((int)floor(grant->w)));
	if (!(isnan(grant->w) && isnan(grant->then_w)) && (!lasts || needs_lease)) {
		json_object_object_add(object, "lease_s", json_object_new_int64((int64_t)lease_s));
		json_object_object_add(object, "then",
				       isnan(then_w) ? json_object_new_string("none")
						     : json_object_new_int((int)floor(then_w)));
	}
	snprintf(body, size, "%s", json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN));
	json_object_put(object);
}

/* On or off first, then the limit: switching on a unit that is too strong lasts a minute at most.
 */
static bool stock_limit(struct core *core, int unit, struct radio_command *ret)
{
	struct core_unit *entry = &core->unit[unit];
	int panel_w, n;
	bool on = stock_wants(core->model->unit[unit].limit.desired_w, &panel_w);
	bool limit_differs = !entry->on_known || panel_w != entry->panel_w;

	if (!stock_differs(entry, core->model->unit[unit].limit.desired_w)) {
		return false;
	}
	entry->on_sending = on;
	entry->panel_sending = entry->panel_w;
	if (on && limit_differs) {
		entry->panel_sending = panel_w;
		entry->on_sending = entry->on_known && entry->on;
		n = l2_limit((unsigned int)panel_w, ret->frame, sizeof(ret->frame));
	} else {
		n = l2_request(on ? L2_ON : L2_OFF, ret->frame, sizeof(ret->frame));
	}
	ret->n = n > 0 ? (size_t)n : 0;
	entry->stock_us = core->now_us;
	return n > 0;
}

static bool send_limit(struct core *core, int unit, struct radio_command *ret)
{
	struct core_unit *entry = &core->unit[unit];
	struct power_limits_wanted wanted;

	if (core->model->unit[unit].make == MAKE_STOCK) {
		return stock_limit(core, unit, ret);
	}
	want(core, unit, &wanted);
	power_limits_granted_expire(&entry->granted, core->now_us);
	if (!power_limits_difference(&wanted, &entry->granted, &entry->sending)) {
		return false;
	}
	power_limits_granted_sent(&entry->granted, &entry->sending);
	limit_body(&entry->sending, core->now_us, ret->body, sizeof(ret->body));
	return true;
}

static void stock_done(struct core *core, int unit)
{
	struct core_unit *entry = &core->unit[unit];

	entry->on_known = true;
	entry->on = entry->on_sending;
	entry->panel_w = entry->panel_sending;
	entry->acknowledged_us = core->now_us;
	if (!entry->on) {
		/* its telemetry shows whether it has stopped; page B has the limit of a running
		 * unit */
		model_begin(core->model, unit)->limit.actual_w = 0;
		core->model->unit[unit].limit.actual_ms = core->now_ms;
		model_end(core->model, CHANGE_UNIT, unit);
	} else {
		plan_want(&core->radio.plan, unit, JOB_READ_BACK, core->now_us);
	}
	core_reconcile(core, unit);
}

/* Whether an answer of qs1d says "ok"; otherwise its message. */
static bool is_ok(const char *text, char *message, size_t size)
{
	struct json_object *answer = json_tokener_parse(text);
	struct json_object *ok = NULL, *error = NULL, *words = NULL;
	bool done = json_object_is_type(answer, json_type_object) &&
		    json_object_object_get_ex(answer, "ok", &ok) && json_object_get_boolean(ok);

	snprintf(message, size, "%s", done ? "" : "no reason given");
	if (!done && json_object_is_type(answer, json_type_object) &&
	    json_object_object_get_ex(answer, "error", &error) &&
	    json_object_is_type(error, json_type_object) &&
	    json_object_object_get_ex(error, "message", &words)) {
		snprintf(message, size, "%s", json_object_get_string(words));
	}
	json_object_put(answer);
	return done;
}

static void limit_done(struct core *core, int unit, int error, const char *text)
{
	struct core_unit *entry = &core->unit[unit];
	char message[ORDER_TEXT_SIZE];

	if (core->model->unit[unit].make == MAKE_STOCK) {
		if (error) {
			set_confirm(core, unit, CONFIRM_REFUSED);
		} else {
			stock_done(core, unit);
		}
		return;
	}
	if (error == -EKEYREJECTED || error == -ENOKEY) {
		set_confirm(core, unit, CONFIRM_REFUSED);
		core_event(core, EVENT_FOREIGN, unit,
			   "the inverter has the key of another gateway: pair it again");
		return;
	}
	if (error || !is_ok(text, message, sizeof(message))) {
		set_confirm(core, unit, CONFIRM_REFUSED);
		core_event(core, EVENT_LIMIT_UNCONFIRMED, unit, "refused: %s",
			   error ? strerror(-error) : message);
		return;
	}
	power_limits_granted_done(&entry->granted, &entry->sending);
	entry->acknowledged_us = core->now_us;
	plan_want(&core->radio.plan, unit, JOB_POLL, core->now_us);
	core_reconcile(core, unit);
}

/* A reading of the limit in force. */
static void put_actual(struct core *core, int unit, double actual_w, int64_t time_ms)
{
	struct core_unit *entry = &core->unit[unit];
	struct model_unit *shown = model_begin(core->model, unit);

	shown->limit.actual_w = actual_w;
	shown->limit.actual_ms = time_ms;
	model_end(core->model, CHANGE_READING, unit);
	if (entry->granted.count > 0 && !obeys(shown, shown->limit.desired_w) &&
	    time_ms >= wall_of(core, entry->acknowledged_us)) {
		/* it has lost the limit, or somebody has changed it: send it again */
		for (int i = 0; i < entry->granted.count; i++) {
			entry->granted.grant[i].known = false;
		}
	}
}

/* ---- more of what comes by radio ---- */

static void on_restart(struct core *core, int unit, bool known)
{
	power_limits_granted_forget(&core->unit[unit].granted);
	core_params_forget(core, unit);
	if (known) {
		core_event(core, EVENT_UNIT_RESTARTED, unit, "%s", "");
	}
}

static void on_status(void *ctx, const struct radio_reply *reply,
		      const struct own_identity *identity, const int64_t raw[OWN_STATUS_COUNT])
{
	static const struct account_source source = { .lifetime = true, .rated_w = MODEL_RATED_W };
	struct core *core = ctx;
	struct core_unit *entry = &core->unit[reply->unit];
	struct model_unit *shown = model_begin(core->model, reply->unit);
	uint32_t before = shown->faults_active | shown->faults_latched;
	int state = shown->state;
	int64_t time_ms = note_reply(core, shown, reply);
	uint64_t counter_mwh[ACCOUNT_CHANNELS];

	readings_of_status(shown, raw, time_ms);
	shown->boot = identity->boot;
	model_end(core->model, CHANGE_SITE, reply->unit);
	if (entry->boot != identity->boot) {
		on_restart(core, reply->unit, entry->boot != 0);
		entry->boot = identity->boot;
	}
	if (shown->state != state && shown->state >= 0) {
		core_event(core, EVENT_STATE, reply->unit, "%s",
			   qs1_state_name((unsigned int)shown->state));
	}
	note_faults(core, reply->unit, before);
	if (readings_counters_of_status(raw, counter_mwh)) {
		count(core, reply->unit, &source, counter_mwh, ACCOUNT_CHANNELS, false,
		      reply->now_us);
	}
	put_actual(core, reply->unit, shown->reading[READING_POWER_LIMIT][0].value, time_ms);
	after_reading(core, reply->unit, time_ms);
	if (raw[OWN_EVENT] != FIELD_ABSENT && (uint32_t)raw[OWN_EVENT] != entry->event_last) {
		plan_want(&core->radio.plan, reply->unit, JOB_EVENTS, core->now_us);
	}
	core_params_want(core, reply->unit);
	core_reconcile(core, reply->unit);
}

/* Has a stock unit been powered up since the last reading? Its clock of seconds has 16 bits. */
static bool stock_restarted(const struct core *core, const struct core_unit *unit, int64_t seconds,
			    uint64_t read_us)
{
	double passed_s = elapsed_s(core, unit, read_us);
	int64_t drift;

	if (isnan(passed_s) || seconds == FIELD_ABSENT || !unit->account[0].counted) {
		return false;
	}
	drift = (seconds - unit->seconds - llround(passed_s)) % STOCK_SECONDS_MOD;
	drift = llabs(drift);
	drift = drift > STOCK_SECONDS_MOD / 2 ? STOCK_SECONDS_MOD - drift : drift;
	return drift > STOCK_SECONDS_SLACK;
}

static void on_telemetry(void *ctx, const struct radio_reply *reply,
			 const int64_t raw[L2_TELEMETRY_COUNT])
{
	static const struct account_source source = { .wrap_mwh = STOCK_WRAP_MWH,
						      .rated_w = MODEL_RATED_W };
	struct core *core = ctx;
	struct core_unit *entry = &core->unit[reply->unit];
	struct model_unit *shown = model_begin(core->model, reply->unit);
	uint32_t before = shown->faults_active | shown->faults_latched;
	int64_t time_ms = note_reply(core, shown, reply);
	uint64_t counter_mwh[ACCOUNT_CHANNELS];
	bool restarted;

	readings_of_telemetry(shown, raw, time_ms);
	model_end(core->model, CHANGE_SITE, reply->unit);
	note_faults(core, reply->unit, before);
	restarted = stock_restarted(core, entry, raw[L2_SECONDS], reply->now_us);
	if (restarted) {
		/* a limit of a stock unit is in its flash, but nobody has read it since */
		entry->on_known = false;
		core_event(core, EVENT_UNIT_RESTARTED, reply->unit, "%s", "");
	}
	if (readings_counters_of_telemetry(raw, counter_mwh)) {
		count(core, reply->unit, &source, counter_mwh, MODEL_CHANNELS, restarted,
		      reply->now_us);
		count_stock_grid(entry, core->now_ms);
	}
	entry->seconds = raw[L2_SECONDS] == FIELD_ABSENT ? 0 : raw[L2_SECONDS];
	after_reading(core, reply->unit, time_ms);
	core_reconcile(core, reply->unit);
}

static void on_info(void *ctx, const struct radio_reply *reply, const struct l2_info *info)
{
	struct core *core = ctx;
	struct model_unit *shown = model_begin(core->model, reply->unit);

	snprintf(shown->model, sizeof(shown->model), "%s",
		 info->model == L2_MODEL_QS1A ? "QS1A" : "QS1");
	snprintf(shown->firmware, sizeof(shown->firmware), "%u.%u", info->version / 1000,
		 info->version % 1000);
	model_end(core->model, CHANGE_UNIT, reply->unit);
	core_keep(core, reply->unit);
}

static void on_page(void *ctx, const struct radio_reply *reply, double panel_w)
{
	struct core *core = ctx;

	if (core->unit[reply->unit].on) {
		put_actual(core, reply->unit, panel_w * MODEL_CHANNELS, core->now_ms);
	}
	core_reconcile(core, reply->unit);
}

static uint32_t on_events_from(void *ctx, int unit)
{
	struct core *core = ctx;

	return core->unit[unit].event_last + 1;
}

static const char *inverter_event_text(const struct own_event *event, char *text, size_t size)
{
	const char *kind = own_event_kind_name(event->kind);

	if (event->kind == OWN_EVENT_TRANSITION) {
		snprintf(text, size, "%s: from %s to %s, %s", kind, qs1_state_name(event->from),
			 qs1_state_name(event->to), qs1_cause_name(event->cause));
	} else if (*event->text) {
		snprintf(text, size, "%s: %s", kind, event->text);
	} else {
		snprintf(text, size, "%s: %s", kind, qs1_cause_name(event->cause));
	}
	return text;
}

static void on_events(void *ctx, const struct radio_reply *reply, const uint8_t *body, size_t n)
{
	struct core *core = ctx;
	struct core_unit *entry = &core->unit[reply->unit];
	size_t at = OWN_EVENTS_HEAD_BYTES;
	uint32_t newest = n >= at ? (uint32_t)(body[0] | body[1] << 8 | body[2] << 16 |
					       (uint32_t)body[3] << 24)
				  : entry->event_last;
	char text[ORDER_TEXT_SIZE];

	while (at < n) {
		struct own_event event;
		int used = own_event_parse(body + at, n - at, &event);

		if (used < 0) {
			break;
		}
		at += (size_t)used;
		if (event.number > entry->event_last) {
			entry->event_last = event.number;
			core_event(core, EVENT_INVERTER, reply->unit, "%s",
				   inverter_event_text(&event, text, sizeof(text)));
		}
	}
	if (at == OWN_EVENTS_HEAD_BYTES) {
		/* it has forgotten those in between, or started its numbers again */
		entry->event_last = newest;
	}
	if (newest > entry->event_last) {
		plan_want(&core->radio.plan, reply->unit, JOB_EVENTS, core->now_us);
	} else {
		core_keep(core, reply->unit);
	}
}

static uint16_t on_angles_from(void *ctx, int unit)
{
	return core_search_from(ctx, unit);
}

static void on_angles(void *ctx, const struct radio_reply *reply, const uint8_t *body, size_t n)
{
	core_search_angles(ctx, reply->unit, body, n);
}

static void on_marked(void *ctx, bool sent, uint64_t now_us)
{
	(void)sent;
	(void)now_us;
	core_search_marked(ctx);
}

static bool on_command(void *ctx, int unit, enum plan_job job, struct radio_command *ret)
{
	struct core *core = ctx;

	switch (job) {
	case JOB_LIMIT:
		return send_limit(core, unit, ret);
	case JOB_READ_BACK:
		return core_params_request(core, unit, ret);
	default:
		return core_command(core, unit, ret);
	}
}

static void on_done(void *ctx, const struct radio_reply *reply, enum plan_job job, int error,
		    const char *text)
{
	struct core *core = ctx;
	char message[ORDER_TEXT_SIZE] = "";

	if (job == JOB_LIMIT) {
		limit_done(core, reply->unit, error, text);
		return;
	}
	if (job == JOB_READ_BACK && core->model->unit[reply->unit].make == MAKE_STOCK) {
		/* only a refusal is done without a page */
		set_confirm(core, reply->unit, CONFIRM_UNCONFIRMED);
		return;
	}
	if (job == JOB_READ_BACK) {
		core_params_done(core, reply->unit, error, text);
		return;
	}
	if (!error && core->model->unit[reply->unit].make == MAKE_OURS &&
	    !is_ok(text, message, sizeof(message))) {
		error = -EPERM;
	} else if (error) {
		snprintf(message, sizeof(message), "%s", strerror(-error));
	}
	core_command_done(core, reply->unit, error, message);
}

static void on_failed(void *ctx, int unit, enum plan_job job, uint64_t now_us)
{
	struct core *core = ctx;
	struct model_unit *shown = model_begin(core->model, unit);

	(void)now_us;
	shown->counters.timeouts++;
	shown->counters.polls += job == JOB_POLL;
	shown->counters.failures = core->radio.plan.unit[unit].failures;
	model_end(core->model, CHANGE_SITE, unit);
	if (job == JOB_READ_BACK && shown->make == MAKE_OURS) {
		core_params_failed(core, unit);
	} else if ((job == JOB_LIMIT || job == JOB_READ_BACK) && shown->link != LINK_ASLEEP) {
		set_confirm(core, unit, CONFIRM_UNCONFIRMED);
	} else if (job == JOB_COMMAND) {
		core_command_failed(core, unit);
	} else if (job == JOB_ANGLES) {
		core_search_failed(core, unit);
	}
}

static const struct {
	enum model_link link;
	enum model_event_kind kind;
} link_event[] = {
	{ LINK_LIVE, EVENT_UNIT_LIVE },
	{ LINK_ASLEEP, EVENT_UNIT_ASLEEP },
	{ LINK_LOST, EVENT_UNIT_LOST },
};

static void on_link(void *ctx, int unit, enum model_link link)
{
	struct core *core = ctx;
	struct model_unit *shown = model_begin(core->model, unit);
	enum model_link before = shown->link;

	shown->link = link;
	core->model->night = plan_night(&core->radio.plan);
	if (link == LINK_ASLEEP || link == LINK_LOST) {
		/* what it said last is no longer so; its energies stay */
		model_put(shown, READING_POWER, 0, link == LINK_ASLEEP ? 0 : (double)NAN,
			  core->now_ms);
	}
	model_end(core->model, CHANGE_UNIT, unit);
	for (size_t i = 0; i < ARRAY_SIZE(link_event); i++) {
		/* a poll or two that were missed are no event */
		if (link_event[i].link == link && !(before == LINK_LATE && link == LINK_LIVE)) {
			core_event(core, link_event[i].kind, unit, "%s", "");
		}
	}
}

static void on_paired(void *ctx, int unit, uint16_t address, const struct seal_key *key)
{
	struct core *core = ctx;
	struct core_unit *entry = &core->unit[unit];
	struct model_unit *shown = model_begin(core->model, unit);
	bool news = shown->address != address || (key && !entry->has_key);

	shown->address = address;
	shown->make = core->radio.unit[unit].make;
	shown->paired = key || shown->make == MAKE_STOCK;
	model_end(core->model, CHANGE_UNIT, unit);
	if (key) {
		entry->has_key = true;
		entry->key = *key;
		power_limits_granted_forget(&entry->granted);
	}
	if (news) {
		core_event(core, EVENT_PAIRED, unit, ": short address %04X%s", address,
			   key ? ", with key" : "");
	}
	core_keep(core, unit);
	core_pair_done(core, unit, NULL);
	core_reconcile(core, unit);
}

/* The unit refuses, or has another code: trying again is of no use. A silent one is tried again. */
static void on_pair_failed(void *ctx, int unit, const char *why)
{
	struct core *core = ctx;

	if (!core->radio.unit[unit].has_code) {
		core_event(core, EVENT_PAIR_FAILED, unit, "%s", why);
		core_pair_done(core, unit, why);
	}
}

static void on_forged(void *ctx, int unit, const char *why)
{
	struct core *core = ctx;

	model_begin(core->model, unit)->counters.forged++;
	model_end(core->model, CHANGE_SITE, unit);
	core_event(core, EVENT_FORGED, unit, "%s", why);
}

static const struct radio_ops radio_ops = {
	.to_modem = to_modem,
	.hard_reset = hard_reset,
	.random = random_bytes,
	.state = on_state,
	.foreign = on_foreign,
	.status = on_status,
	.telemetry = on_telemetry,
	.info = on_info,
	.page = on_page,
	.events = on_events,
	.events_from = on_events_from,
	.angles = on_angles,
	.angles_from = on_angles_from,
	.marked = on_marked,
	.command = on_command,
	.done = on_done,
	.failed = on_failed,
	.link = on_link,
	.paired = on_paired,
	.pair_failed = on_pair_failed,
	.forged = on_forged,
};

/* ---- units, time ---- */

struct core *core_new(struct model *model, struct store *store, const uint8_t ecu[JOIN_ECU_BYTES],
		      uint8_t channel, uint64_t cadence_us, uint64_t seed,
		      const struct core_ops *ops, void *ctx)
{
	struct core *core = calloc(1, sizeof(*core));

	if (core) {
		core->model = model;
		core->store = store;
		core->ops = ops;
		core->ctx = ctx;
		core->balance_w = (double)NAN;
		core->store_ok = true;
		core->store_damaged = model->status.store_damaged;
		core->rotate_us = CORE_ROTATE_US;
		export_init(&core->export, (double)NAN, 0);
		radio_init(&core->radio, ecu, channel, cadence_us, seed, &radio_ops, core);
	}
	return core;
}

void core_free(struct core *core)
{
	free(core);
}

void core_time(struct core *core, uint64_t now_us, int64_t now_ms)
{
	core->now_us = now_us;
	core->now_ms = now_ms;
}

void core_open(struct core *core)
{
	radio_open(&core->radio, core->now_us);
}

void core_close(struct core *core)
{
	radio_close(&core->radio, core->now_us);
}

void core_bytes(struct core *core, const uint8_t *bytes, size_t n)
{
	radio_bytes(&core->radio, bytes, n, core->now_us);
}

/* Below the floor of stock units some of them stop; each has its turn. */
static void rotate(struct core *core)
{
	if (core->now_us >= core->rotate_us) {
		core->rotate_us = core->now_us + CORE_ROTATE_US;
		core->first = core->model->units > 0 ? (core->first + 1) % core->model->units : 0;
	}
}

static void watch_store(struct core *core)
{
	char error[ORDER_TEXT_SIZE], damage[ORDER_TEXT_SIZE];
	uint64_t damaged;
	bool ok;

	if (!core->store) {
		return;
	}
	model_lock(core->model);
	ok = core->model->status.store_ok;
	snprintf(error, sizeof(error), "%s", core->model->status.store_error);
	damaged = core->model->status.store_damaged;
	snprintf(damage, sizeof(damage), "%s", core->model->status.store_damage);
	model_unlock(core->model);
	if (damaged > core->store_damaged) {
		core->store_damaged = damaged;
		core_event(core, EVENT_STORE_DAMAGED, -1, "%.100s; %" PRIu64 " in all", damage,
			   damaged);
	}
	if (ok != core->store_ok) {
		core->store_ok = ok;
		core_event(core, ok ? EVENT_STORE_BACK : EVENT_STORE_FAILED, -1, "%s", error);
	}
}

static void tick(struct core *core)
{
	core->tick_us = core->now_us + CORE_TICK_US;
	if (power_limits_expire(&core->limits, core->now_us)) {
		core_show_limits(core);
		core_reconcile_all(core);
	}
	rotate(core);
	remind(core);
	core_control(core);
	core_watch_orders(core);
	watch_store(core);
	sum_site(core);
}

void core_run(struct core *core)
{
	if (core->now_us >= core->tick_us) {
		tick(core);
	}
	core_search_run(core);
	radio_run(&core->radio, core->now_us);
}

uint64_t core_due(const struct core *core)
{
	uint64_t due_us = core->radio.due_us < core->tick_us ? core->radio.due_us : core->tick_us;
	uint64_t search_us = core_search_due(core);

	return search_us < due_us ? search_us : due_us;
}

int core_add(struct core *core, const struct store_unit *unit)
{
	int i = model_add(core->model, &unit->unit);
	struct core_unit *entry;

	if (i < 0) {
		return i;
	}
	entry = &core->unit[i];
	memset(entry, 0, sizeof(*entry));
	memcpy(entry->account, unit->account, sizeof(entry->account));
	entry->event_last = unit->event_last;
	entry->has_key = unit->has_key;
	entry->key = unit->key;
	entry->panel_w = -1;
	radio_add(&core->radio, &unit->unit.serial, unit->unit.make, unit->unit.address,
		  unit->has_key ? &unit->key : NULL, core->now_us);
	readings_of_accounts(model_begin(core->model, i), entry->account,
			     entry->account[0].time_ms);
	model_end(core->model, CHANGE_UNIT, i);
	core_reconcile(core, i);
	return i;
}

void core_add_removed(struct core *core, const struct store_unit *unit)
{
	const struct account *grid = &unit->account[ACCOUNT_GRID];

	account_cut(&core->removed, core->now_ms);
	core->removed.total_mwh += grid->total_mwh;
	core->removed.day_mwh +=
		grid->total_mwh - (grid->day == core->removed.day ? account_today(grid) : 0);
}

int core_remove(struct core *core, int unit)
{
	struct serial serial = core->model->unit[unit].serial;
	struct core_unit *entry = &core->unit[unit];
	struct store_unit kept = { .removed = true };

	core_search_removed(core);
	kept.unit = core->model->unit[unit];
	memcpy(kept.account, entry->account, sizeof(kept.account));
	core_add_removed(core, &kept);
	if (core->store) {
		store_put_unit(core->store, &kept);
	}
	power_limits_drop_unit(&core->limits, &serial);
	radio_remove(&core->radio, unit);
	core_orders_removed(core, unit);
	model_remove(core->model, &serial);
	memmove(entry, entry + 1, sizeof(*entry) * (size_t)(core->model->units - unit));
	core_show_limits(core);
	return 0;
}
