// SPDX-License-Identifier: GPL-2.0-or-later
/* Orders: from a struct order to limits, jobs and their results. */
#include <errno.h>
#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commission.h"
#include "core.h"
#include "names.h"
#include "profile.h"
#include "util.h"

#define IDENTIFY_US UINT64_C(60000000)
/* A unit answers a command that it stores after this time at the latest: qs1d waits 25 s for its
 * disk. */
#define STORED_US UINT64_C(30000000)
/* A replaced unit may not produce before somebody has confirmed it. */
#define REPLACED_OWNER "installer"
#define REPLACED_REASON "replaced: confirm before it may produce"

/* ---- results ---- */

/* A number, with up to one decimal. */
static void add_number(struct json_object *object, const char *name, double value)
{
	char text[32];

	if (!isnan(value)) {
		snprintf(text, sizeof(text), "%.10g", round(value * 10) / 10);
		json_object_object_add(object, name, json_object_new_double_s(value, text));
	}
}

/* The arguments that an order carries. An argument that it does not carry is absent. */
static struct json_object *order_detail(const struct order *order)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "order", json_object_new_int64((int64_t)order->number));
	add_number(object, order_w_name(order->command), order->w);
	add_number(object, "then_w", order->then_w);
	if (order->lease_s) {
		json_object_object_add(object, "lease_s", json_object_new_int64(order->lease_s));
	}
	return object;
}

static void write_audit(struct core *core, const struct order *order)
{
	char serial[SERIAL_TEXT_SIZE] = "";
	struct json_object *detail = order_detail(order);
	struct audit_entry entry = {
		.time_ms = core->now_ms,
		.who = order->by,
		.role = order_role_name(order->role),
		.interface = order_interface_name(order->interface),
		.action = order->command < COMMAND_COUNT ? order_desc[order->command].name : "?",
		.target = order->site ? "" : serial_format(serial, &order->serial),
		.detail = json_object_to_json_string_ext(detail, JSON_C_TO_STRING_PLAIN),
		.result = order_state_name(order->state),
	};

	if (core->store) {
		store_put_audit(core->store, &entry);
	}
	json_object_put(detail);
}

/* Neither model nor log keeps an install code: of a label the serial number remains. */
static void forget_code(struct order *order)
{
	struct serial serial;
	char text[SERIAL_TEXT_SIZE] = "";

	if (order->command == COMMAND_PAIR || order->command == COMMAND_REPLACE) {
		snprintf(text, sizeof(text), "%.12s", order->text);
		explicit_bzero(order->text, sizeof(order->text));
		if (serial_parse(text, &serial) == 0) {
			strcpy(order->text, text);
		}
	}
}

void core_publish(struct core *core, struct order *order, enum order_state state,
		  const char *message)
{
	bool changed = order->state != state || strcmp(order->message, message);

	order->state = state;
	if (order->message != message) {
		snprintf(order->message, sizeof(order->message), "%s", message);
	}
	order->changed_ms = core->now_ms;
	forget_code(order);
	if (!changed && !order_state_is_final(state)) {
		return;
	}
	model_order(core->model, order);
	if (order_state_is_final(state)) {
		write_audit(core, order);
	}
}

void core_refused(struct core *core, struct order *order)
{
	core_publish(core, order, order->state, order->message);
}

void core_refuse(struct core *core, struct order *order, int error, const char *message)
{
	order->error = error;
	core_publish(core, order, ORDER_REFUSED, message);
}

static void confirm(struct core *core, struct order *order)
{
	core_publish(core, order, ORDER_CONFIRMED, "");
}

/* ---- orders under way ---- */

static struct core_order *begin(struct core *core, const struct order *order, int unit,
				uint64_t wait_us)
{
	for (size_t i = 0; i < ARRAY_SIZE(core->order); i++) {
		struct core_order *entry = &core->order[i];

		if (entry->used) {
			continue;
		}
		memset(entry, 0, sizeof(*entry));
		entry->used = true;
		entry->order = *order;
		entry->deadline_us = core->now_us + wait_us;
		for (int n = 0; n < core->model->units; n++) {
			entry->progress[n] = unit < 0 || n == unit ? PROGRESS_WAITS : PROGRESS_NONE;
		}
		core_publish(core, &entry->order, ORDER_QUEUED, "");
		return entry;
	}
	return NULL;
}

static uint64_t ttl_us(const struct order *order)
{
	return UINT64_C(1000000) * (order->ttl_s ? order->ttl_s : ORDER_TTL_S);
}

static bool is_limit(enum order_command command)
{
	return command == COMMAND_START || command == COMMAND_STOP || command == COMMAND_LIMIT;
}

/* How far a unit is with a limit. */
static enum core_progress limit_progress(const struct core *core, int unit)
{
	switch (core->model->unit[unit].limit.confirm) {
	case CONFIRM_CONFIRMED:
	case CONFIRM_UNKNOWN: /* nothing is wanted, and nothing was sent */
		return PROGRESS_CONFIRMED;
	case CONFIRM_REFUSED:
		return PROGRESS_REFUSED;
	case CONFIRM_UNCONFIRMED:
		return PROGRESS_SENT;
	default:
		return core->unit[unit].granted.count > 0 || core->unit[unit].stock_us
			       ? PROGRESS_SENT
			       : PROGRESS_WAITS;
	}
}

/* Commissioning concerns also inverters that are added while it waits. */
static int watch_commissioning(struct core *core, struct core_order *entry)
{
	struct commission check;

	for (int i = 0; i < core->model->units; i++) {
		commission_check(&core->model->unit[i], core->now_ms, &check);
		entry->progress[i] = check.complete ? PROGRESS_CONFIRMED : PROGRESS_SENT;
	}
	/* there has to be at least one, also when the order names none */
	return entry->order.w >= 1 ? (int)entry->order.w : 1;
}

static void watch(struct core *core, struct core_order *entry)
{
	int count[PROGRESS_REFUSED + 1] = { 0 };
	bool commissioning = entry->order.command == COMMAND_COMMISSION;
	int wanted = commissioning ? watch_commissioning(core, entry) : 0;
	int all = 0;
	char message[ORDER_TEXT_SIZE];
	enum order_state state;

	for (int i = 0; i < core->model->units; i++) {
		if (entry->progress[i] == PROGRESS_NONE) {
			continue;
		}
		if (is_limit(entry->order.command)) {
			entry->progress[i] = limit_progress(core, i);
		}
		count[entry->progress[i]]++;
		all++;
	}
	all = all > wanted ? all : wanted;
	state = count[PROGRESS_CONFIRMED] == all			     ? ORDER_CONFIRMED
		: count[PROGRESS_CONFIRMED] + count[PROGRESS_REFUSED] == all ? ORDER_REFUSED
		: count[PROGRESS_SENT] + count[PROGRESS_CONFIRMED] > 0	     ? ORDER_SENT
									     : ORDER_QUEUED;
	if (!order_state_is_final(state) && core->now_us >= entry->deadline_us) {
		state = state == ORDER_SENT ? ORDER_UNCONFIRMED : ORDER_EXPIRED;
	}
	if (all > 1 || commissioning) {
		snprintf(message, sizeof(message), "%d of %d inverters confirmed",
			 count[PROGRESS_CONFIRMED], all);
	} else {
		snprintf(message, sizeof(message), "%s", entry->order.message);
	}
	core_publish(core, &entry->order, state, message);
	entry->used = !order_state_is_final(state);
}

void core_watch_orders(struct core *core)
{
	for (size_t i = 0; i < ARRAY_SIZE(core->order); i++) {
		if (core->order[i].used) {
			watch(core, &core->order[i]);
		}
	}
}

void core_orders_removed(struct core *core, int unit)
{
	for (size_t i = 0; i < ARRAY_SIZE(core->order); i++) {
		enum core_progress *progress = core->order[i].progress;

		memmove(progress + unit, progress + unit + 1,
			sizeof(*progress) * (size_t)(MODEL_UNITS_MAX - unit - 1));
		progress[MODEL_UNITS_MAX - 1] = PROGRESS_NONE;
	}
}

/* ---- limits ---- */

static void set_limit(struct core *core, struct order *order, double w, double then_w)
{
	struct power_limits_entry entry = { .until_us = POWER_LIMITS_FOREVER };
	struct model_unit *unit = order->site ? NULL : model_find(core->model, &order->serial);
	char power[32];
	int ret;

	snprintf(entry.shown.owner, sizeof(entry.shown.owner), "%s", order->owner);
	snprintf(entry.shown.reason, sizeof(entry.shown.reason), "%s", order->reason);
	snprintf(entry.shown.by, sizeof(entry.shown.by), "%s", order->by);
	entry.shown.site = order->site;
	entry.shown.serial = order->serial;
	entry.shown.w = w;
	entry.shown.then_w = then_w;
	entry.shown.since_ms = core->now_ms;
	if (order->lease_s) {
		entry.until_us = core->now_us + UINT64_C(1000000) * order->lease_s;
		entry.shown.until_ms = core->now_ms + 1000LL * order->lease_s;
	}
	ret = power_limits_put(&core->limits, &entry);
	if (ret < 0) {
		core_refuse(core, order, ret, "too many limits");
		return;
	}
	if (ret > 0) {
		snprintf(power, sizeof(power), isnan(w) ? "none" : "%.0f W", w);
		core_event(core, EVENT_LIMIT_CHANGED, unit ? model_index(core->model, unit) : -1,
			   "%s by %s%s%s", power, order->owner, *order->reason ? ", " : "",
			   order->reason);
	}
	core_show_limits(core);
	core_reconcile_all(core);
	if (!begin(core, order, unit ? model_index(core->model, unit) : -1, ttl_us(order))) {
		core_refuse(core, order, -EBUSY, "too many orders under way");
	}
	core_watch_orders(core);
}

static void do_start(struct core *core, struct order *order, int unit)
{
	(void)unit;
	set_limit(core, order, (double)NAN, (double)NAN);
}

static void do_stop(struct core *core, struct order *order, int unit)
{
	(void)unit;
	set_limit(core, order, 0, (double)NAN);
}

static void do_limit(struct core *core, struct order *order, int unit)
{
	(void)unit;
	set_limit(core, order, order->w, order->then_w);
}

/* ---- commands to a unit ---- */

/* Queue for one unit, or for all; stock units have no such command. */
static void queue_command(struct core *core, struct order *order, int unit, const char *stock)
{
	struct core_order *entry = begin(core, order, unit, ttl_us(order));

	if (!entry) {
		core_refuse(core, order, -EBUSY, "too many orders under way");
		return;
	}
	for (int i = 0; i < core->model->units; i++) {
		if (entry->progress[i] == PROGRESS_NONE) {
			continue;
		}
		if (core->model->unit[i].make == MAKE_STOCK || !core->unit[i].has_key) {
			entry->progress[i] = PROGRESS_REFUSED;
			entry->order.error = -EOPNOTSUPP;
			snprintf(entry->order.message, sizeof(entry->order.message), "%s",
				 core->model->unit[i].make == MAKE_STOCK ? stock : "not paired");
			continue;
		}
		plan_want(&core->radio.plan, i, JOB_COMMAND, core->now_us);
	}
	core_watch_orders(core);
}

static void do_clear(struct core *core, struct order *order, int unit)
{
	queue_command(core, order, unit, MODEL_STOCK_GROUND_FAULT);
}

/* A grid profile of the configured folder. */
static int load_profile(const struct core *core, const char *name, struct qs1_profile *ret,
			char *err, size_t size)
{
	const char *const dirs[] = { core->profiles, NULL };
	char *path = NULL;
	int error = qs1_profile_find(name, dirs, &path, err, size);

	if (error == 0) {
		error = qs1_profile_load(path, ret, err, size);
		free(path);
	}
	return error;
}

static void do_profile(struct core *core, struct order *order, int unit)
{
	struct qs1_profile profile;
	char err[ORDER_TEXT_SIZE];
	int ret = load_profile(core, order->text, &profile, err, sizeof(err));

	if (ret < 0) {
		core_refuse(core, order, ret, err);
		return;
	}
	queue_command(core, order, unit, "grid profiles of stock inverters are not supported");
}

static struct json_object *clear_body(const struct order *order)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "cmd", json_object_new_string("clear"));
	json_object_object_add(object, "fault", json_object_new_string(order->text));
	return object;
}

/* Values that are defaults are left out: a message has room for 1024 bytes. */
static struct json_object *profile_body(const struct core *core, const struct order *order)
{
	struct json_object *object = json_object_new_object();
	struct json_object *values = json_object_new_object();
	struct qs1_profile profile;
	char err[ORDER_TEXT_SIZE];

	json_object_object_add(object, "cmd", json_object_new_string("profile-use"));
	json_object_object_add(object, "name", json_object_new_string(order->text));
	json_object_object_add(object, "values", values);
	if (load_profile(core, order->text, &profile, err, sizeof(err)) < 0) {
		return object;
	}
	for (int id = 0; id < QS1_PARAM_COUNT; id++) {
		const struct qs1_param_desc *desc = qs1_param_desc(id);
		char text[QS1_DECIMAL_SIZE];

		if (desc->group == QS1_PARAM_GROUP_PROFILE &&
		    !(desc->absent == QS1_PARAM_ABSENT_DEFAULT && profile.value[id] == desc->def)) {
			json_object_object_add(values, desc->name,
					       json_object_new_string(qs1_decimal_format(
						       text, profile.value[id], desc->decimals)));
		}
	}
	return object;
}

/* Commands that are sent to a unit as they are. */
static bool is_sent(enum order_command command)
{
	return command == COMMAND_CLEAR || command == COMMAND_PROFILE;
}

/* The oldest order that a unit has not answered. */
static struct core_order *next_of(struct core *core, int unit, enum core_progress progress)
{
	struct core_order *oldest = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(core->order); i++) {
		struct core_order *entry = &core->order[i];

		if (entry->used && is_sent(entry->order.command) &&
		    entry->progress[unit] == progress &&
		    (!oldest || entry->order.number < oldest->order.number)) {
			oldest = entry;
		}
	}
	return oldest;
}

bool core_command(struct core *core, int unit, struct radio_command *ret)
{
	struct core_order *entry = next_of(core, unit, PROGRESS_SENT);
	struct json_object *body;
	const char *text;
	bool fits;

	entry = entry ? entry : next_of(core, unit, PROGRESS_WAITS);
	if (!entry) {
		return false;
	}
	body = entry->order.command == COMMAND_CLEAR ? clear_body(&entry->order)
						     : profile_body(core, &entry->order);
	text = json_object_to_json_string_ext(body, JSON_C_TO_STRING_PLAIN);
	fits = strlen(text) < sizeof(ret->body);
	if (fits) {
		strcpy(ret->body, text);
		entry->progress[unit] = PROGRESS_SENT;
		ret->timeout_us = STORED_US;
	} else {
		entry->progress[unit] = PROGRESS_REFUSED;
		snprintf(entry->order.message, sizeof(entry->order.message),
			 "%zu bytes do not fit into a message", strlen(text));
	}
	json_object_put(body);
	return fits;
}

void core_command_done(struct core *core, int unit, int error, const char *text)
{
	struct core_order *entry = next_of(core, unit, PROGRESS_SENT);

	if (!entry) {
		return;
	}
	entry->progress[unit] = error ? PROGRESS_REFUSED : PROGRESS_CONFIRMED;
	if (error) {
		entry->order.error = error;
		snprintf(entry->order.message, sizeof(entry->order.message), "%s", text);
	} else if (entry->order.command == COMMAND_PROFILE) {
		struct model_unit *shown = model_begin(core->model, unit);

		snprintf(shown->profile, sizeof(shown->profile), "%.63s", entry->order.text);
		snprintf(shown->profile_desired, sizeof(shown->profile_desired), "%.63s",
			 entry->order.text);
		model_end(core->model, CHANGE_UNIT, unit);
		core_params_forget(core, unit);
		core_keep(core, unit);
	}
	plan_want(&core->radio.plan, unit, JOB_POLL, core->now_us);
	if (next_of(core, unit, PROGRESS_WAITS)) {
		plan_want(&core->radio.plan, unit, JOB_COMMAND, core->now_us);
	}
	core_watch_orders(core);
}

void core_command_failed(struct core *core, int unit)
{
	/* the plan tries again; the order's deadline ends that */
	if (!next_of(core, unit, PROGRESS_SENT) && !next_of(core, unit, PROGRESS_WAITS)) {
		plan_drop(&core->radio.plan, unit, JOB_COMMAND);
	}
}

void core_pair_done(struct core *core, int unit, const char *error)
{
	for (size_t i = 0; i < ARRAY_SIZE(core->order); i++) {
		struct core_order *entry = &core->order[i];

		if (!entry->used || entry->progress[unit] != PROGRESS_SENT ||
		    (entry->order.command != COMMAND_PAIR &&
		     entry->order.command != COMMAND_REPLACE)) {
			continue;
		}
		entry->progress[unit] = error ? PROGRESS_REFUSED : PROGRESS_CONFIRMED;
		snprintf(entry->order.message, sizeof(entry->order.message), "%s",
			 error ? error : "");
	}
	core_watch_orders(core);
}

static void do_identify(struct core *core, struct order *order, int unit)
{
	plan_hurry(&core->radio.plan, unit, core->now_us + IDENTIFY_US);
	confirm(core, order);
}

/* ---- units ---- */

/* A label's text, or a bare serial number. */
static int parse_label(const char *text, struct serial *ret_serial, uint8_t *code,
		       const uint8_t **ret_code)
{
	int ret = serial_parse(text, ret_serial);

	*ret_code = NULL;
	if (ret == 0) {
		return 0;
	}
	ret = label_parse(text, ret_serial, code);
	if (ret == 0) {
		*ret_code = code;
	}
	return ret;
}

/* Why a label was not taken. */
static const char *label_error(int error)
{
	switch (error) {
	case -EBADMSG:
		return "the check of the label's code is wrong: scan or type it again";
	case -EEXIST:
		return "this inverter is known already";
	case -ENOSPC:
		return "no room for more inverters";
	default:
		return "expected a label, serial number:code, or a serial number of 12 digits";
	}
}

/* Pair a unit, and follow the order. */
static void begin_pairing(struct core *core, struct order *order, int unit, const uint8_t *code)
{
	struct core_order *entry = begin(core, order, unit, ttl_us(order));

	if (!entry) {
		core_refuse(core, order, -EBUSY, "too many orders under way: pair it later");
		return;
	}
	entry->progress[unit] = PROGRESS_SENT;
	radio_pair(&core->radio, unit, code, core->now_us);
}

/* Add a unit and pair it; the order ends when it has answered. */
static int add_and_pair(struct core *core, struct order *order, const struct model_unit *like)
{
	struct store_unit unit = { .unit = *like };
	uint8_t bytes[INSTALL_CODE_BYTES];
	const uint8_t *code;
	int i = parse_label(order->text, &unit.unit.serial, bytes, &code);

	if (i == 0) {
		i = core_add(core, &unit);
	}
	if (i < 0) {
		core_refuse(core, order, i, label_error(i));
	} else {
		order->serial = unit.unit.serial;
		core_keep(core, i);
		core_event(core, EVENT_UNIT_ADDED, i, "%s", order->by);
		begin_pairing(core, order, i, code);
	}
	explicit_bzero(bytes, sizeof(bytes));
	return i;
}

static void do_pair(struct core *core, struct order *order, int unit)
{
	const struct model_unit none = { .make = MAKE_OURS };
	struct serial serial;
	uint8_t bytes[INSTALL_CODE_BYTES];
	const uint8_t *code;
	struct model_unit *known;

	(void)unit;
	if (parse_label(order->text, &serial, bytes, &code) == 0 && code &&
	    (known = model_find(core->model, &serial)) && !known->paired) {
		/* it was only read so far, or its pairing has failed */
		order->serial = serial;
		begin_pairing(core, order, model_index(core->model, known), code);
	} else {
		add_and_pair(core, order, &none);
	}
	explicit_bzero(bytes, sizeof(bytes));
}

static void do_remove(struct core *core, struct order *order, int unit)
{
	char serial[SERIAL_TEXT_SIZE];

	core_event(core, EVENT_UNIT_REMOVED, unit, "%s", serial_format(serial, &order->serial));
	core_remove(core, unit);
	confirm(core, order);
}

static void do_replace(struct core *core, struct order *order, int unit)
{
	struct model_unit like = core->model->unit[unit];
	struct power_limits_entry stop = { .until_us = POWER_LIMITS_FOREVER };
	struct serial old = like.serial, serial;
	uint8_t bytes[INSTALL_CODE_BYTES];
	char from[SERIAL_TEXT_SIZE];
	const uint8_t *code;
	int ret = parse_label(order->text, &serial, bytes, &code);

	/* it is parsed again when the new inverter is added */
	explicit_bzero(bytes, sizeof(bytes));
	if (ret == 0 && model_find(core->model, &serial)) {
		ret = -EEXIST;
	}
	if (ret < 0) {
		core_refuse(core, order, ret, label_error(ret));
		return;
	}
	core_remove(core, unit);
	like.address = 0;
	like.paired = false;
	like.boot = 0;
	like.params_ms = 0;
	like.firmware[0] = like.model[0] = like.profile[0] = '\0';
	memset(&like.counters, 0, sizeof(like.counters));
	snprintf(like.rma, sizeof(like.rma), "%s", order->rma);
	/* before it is added, so that it never has no limit */
	snprintf(stop.shown.owner, sizeof(stop.shown.owner), REPLACED_OWNER);
	snprintf(stop.shown.reason, sizeof(stop.shown.reason), REPLACED_REASON);
	snprintf(stop.shown.by, sizeof(stop.shown.by), "%s", order->by);
	stop.shown.serial = serial;
	stop.shown.then_w = (double)NAN;
	stop.shown.since_ms = core->now_ms;
	power_limits_put(&core->limits, &stop);
	core_show_limits(core);
	ret = add_and_pair(core, order, &like);
	if (ret >= 0) {
		core_event(core, EVENT_UNIT_REPLACED, ret, "in place of %s",
			   serial_format(from, &old));
	}
}

static void do_confirm(struct core *core, struct order *order, int unit)
{
	struct power_limits_entry none = { .until_us = POWER_LIMITS_FOREVER };

	snprintf(none.shown.owner, sizeof(none.shown.owner), REPLACED_OWNER);
	none.shown.serial = order->serial;
	none.shown.w = none.shown.then_w = (double)NAN;
	power_limits_put(&core->limits, &none);
	core_show_limits(core);
	core_reconcile(core, unit);
	confirm(core, order);
}

static void do_edit(struct core *core, struct order *order, int unit)
{
	struct model_unit *shown = model_begin(core->model, unit);

	if (order->edit & ORDER_EDIT_NAME) {
		snprintf(shown->name, sizeof(shown->name), "%.63s", order->text);
	}
	if (order->edit & ORDER_EDIT_PHASE) {
		shown->phase = (enum model_phase)order->phase;
		shown->phase_named = shown->phase != PHASE_UNKNOWN;
	}
	for (int i = 0; order->edit & ORDER_EDIT_PLACE && i < MODEL_CHANNELS; i++) {
		shown->place[i] = (struct model_place){
			.placed = !isnan(order->place[i][0]),
			.x = order->place[i][0],
			.y = order->place[i][1],
			.turn = order->place[i][2],
		};
	}
	model_end(core->model, CHANGE_UNIT, unit);
	core_keep(core, unit);
	core_name_phases(core);
	confirm(core, order);
}

static void do_cadence(struct core *core, struct order *order, int unit)
{
	char text[32];

	(void)unit;
	core->radio.plan.cadence_us = (uint64_t)(order->w * 1e6);
	if (core->store) {
		snprintf(text, sizeof(text), "%.3f", order->w);
		store_set(core->store, "cadence_s", text);
	}
	confirm(core, order);
}

static void do_phases(struct core *core, struct order *order, int unit)
{
	(void)unit;
	core_search_begin(core, order);
}

/* An order of the monitoring service may come before the installer: it waits for inverters. */
static void do_commission(struct core *core, struct order *order, int unit)
{
	(void)unit;
	if (core->model->units == 0 && !(order->w >= 1) && order->interface != INTERFACE_UPLINK) {
		core_refuse(core, order, -ENOENT, COMMISSION_NOTHING);
		return;
	}
	for (int i = 0; i < core->model->units; i++) {
		plan_hurry(&core->radio.plan, i, core->now_us + IDENTIFY_US);
	}
	if (!begin(core, order, -1, ttl_us(order))) {
		core_refuse(core, order, -EBUSY, "too many orders under way");
	}
	core_watch_orders(core);
}

static void (*const run_command[COMMAND_COUNT])(struct core *core, struct order *order,
						int unit) = {
	[COMMAND_START] = do_start,	[COMMAND_STOP] = do_stop,
	[COMMAND_LIMIT] = do_limit,	[COMMAND_CLEAR] = do_clear,
	[COMMAND_PROFILE] = do_profile, [COMMAND_IDENTIFY] = do_identify,
	[COMMAND_PAIR] = do_pair,	[COMMAND_REMOVE] = do_remove,
	[COMMAND_REPLACE] = do_replace, [COMMAND_CONFIRM] = do_confirm,
	[COMMAND_EDIT] = do_edit,	[COMMAND_CADENCE] = do_cadence,
	[COMMAND_PHASES] = do_phases,	[COMMAND_COMMISSION] = do_commission,
};

/* The same order of the same sender, which has come before. */
static bool is_repeated(const struct core *core, const struct order *order)
{
	for (int i = 0; *order->key && i < ORDERS_KEPT; i++) {
		const struct order *other = &core->model->order[i];

		if (other->number && other->number != order->number &&
		    other->interface == order->interface && !strcmp(other->key, order->key)) {
			return true;
		}
	}
	return false;
}

void core_order(struct core *core, struct order *order)
{
	struct model_unit *unit = model_find(core->model, &order->serial);

	if (is_repeated(core, order)) {
		core_refuse(core, order, -EALREADY, "this order has come before");
		return;
	}
	if (!order->site && order->command != COMMAND_PAIR && !unit) {
		core_refuse(core, order, -ENOENT, "no such inverter");
		return;
	}
	run_command[order->command](core, order,
				    order->site || !unit ? -1 : model_index(core->model, unit));
}
