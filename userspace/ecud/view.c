// SPDX-License-Identifier: GPL-2.0-or-later
#include "view.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/names.h"
#include "../lib/util.h"
#include "commission.h"
#include "../lib/version.h"

/* What the LED shows in each state of ours, as the installation manual describes it. */
static const char *const led_of_state[QS1_STATE_COUNT] = {
	[QS1_STATE_SELF_TEST] = "one short red and three short green flashes",
	[QS1_STATE_WAITING] = "red, flashing",
	[QS1_STATE_CONNECTING] = "red, flashing",
	[QS1_STATE_PRODUCING] = "green, flashing every 10 s",
	[QS1_STATE_DERATING] = "green, flashing every 10 s",
	[QS1_STATE_CEASED] = "red, flashing",
	[QS1_STATE_SHUTDOWN] = "red, flashing",
	[QS1_STATE_FAULT] = "red, flashing",
	[QS1_STATE_GROUND_FAULT] = "red, on",
};

struct snapshot *snapshot_take(struct model *model)
{
	struct snapshot *copy;

	model_lock(model);
	copy = malloc(sizeof(*copy) + model->units * sizeof(copy->unit[0]));
	if (copy) {
		copy->generation = model->generation;
		memcpy(copy->ecu_id, model->ecu_id, sizeof(copy->ecu_id));
		memcpy(copy->site_name, model->site_name, sizeof(copy->site_name));
		copy->started_ms = model->started_ms;
		copy->expected_ms = model->expected_ms;
		copy->reported = model->reported;
		copy->night = model->night;
		copy->limits = model->limits;
		copy->radio = model->radio;
		copy->status = model->status;
		memcpy(copy->site, model->site, sizeof(copy->site));
		copy->units = model->units;
		memcpy(copy->unit, model->unit, model->units * sizeof(copy->unit[0]));
	}
	model_unlock(model);
	return copy;
}

/* Values. */

struct json_object *view_number(double value, int decimals)
{
	char text[64];

	if (!isfinite(value)) {
		return NULL;
	}
	snprintf(text, sizeof(text), "%.*f", decimals, value);
	return json_object_new_double_s(value, text);
}

static void put(struct json_object *object, const char *name, struct json_object *value)
{
	json_object_object_add(object, name, value);
}

static void put_text(struct json_object *object, const char *name, const char *text)
{
	put(object, name, json_object_new_string(text));
}

/* null for an empty text. */
static void put_text_or_null(struct json_object *object, const char *name, const char *text)
{
	put(object, name, *text ? json_object_new_string(text) : NULL);
}

static void put_bool(struct json_object *object, const char *name, bool value)
{
	put(object, name, json_object_new_boolean(value));
}

static void put_int(struct json_object *object, const char *name, int64_t value)
{
	put(object, name, json_object_new_int64(value));
}

/* null for 0, which stands for never. */
static void put_time(struct json_object *object, const char *name, int64_t time_ms)
{
	put(object, name, time_ms ? json_object_new_int64(time_ms) : NULL);
}

static void put_watts(struct json_object *object, const char *name, double w)
{
	put(object, name, view_number(w, 1));
}

/* Readings of a scope; @stride is the distance between two rows of the table. */
static struct json_object *readings(const struct reading *first, size_t stride,
				    enum reading_scope scope)
{
	struct json_object *object = json_object_new_object();

	for (int id = 0; id < READING_COUNT; id++) {
		if (model_reading[id].scope == scope) {
			put(object, model_reading[id].name,
			    view_number(first[id * stride].value, model_reading[id].decimals));
		}
	}
	return object;
}

/* Site. */

double snapshot_phase_power(const struct snapshot *snapshot, enum model_phase phase, int *ret_units)
{
	double sum = (double)NAN;
	int units = 0;

	for (int i = 0; i < snapshot->units; i++) {
		double w = snapshot->unit[i].reading[READING_POWER][0].value;

		if (snapshot->unit[i].phase != phase) {
			continue;
		}
		units++;
		if (!isnan(w)) {
			sum = isnan(sum) ? w : sum + w;
		}
	}
	*ret_units = units;
	return sum;
}

const char *view_reporting(int reported, int units, int64_t left_ms, char *text, size_t size)
{
	if (reported >= units) {
		snprintf(text, size, "%d of %d", reported, units);
	} else if (left_ms < 60000) {
		snprintf(text, size, "%d of %d, about %d s", reported, units,
			 left_ms > 0 ? (int)(left_ms / 1000) + 1 : 1);
	} else {
		snprintf(text, size, "%d of %d, about %d min", reported, units,
			 (int)((left_ms + 30000) / 60000));
	}
	return text;
}

static struct json_object *view_phases(const struct snapshot *snapshot)
{
	struct json_object *array = json_object_new_array();

	for (int phase = 0; phase < PHASE_COUNT; phase++) {
		struct json_object *object;
		int units;
		double w = snapshot_phase_power(snapshot, phase, &units);

		if (!units) {
			continue;
		}
		object = json_object_new_object();
		put_text(object, "phase", model_phase_name(phase));
		put_watts(object, "power", w);
		put_int(object, "units", units);
		json_object_array_add(array, object);
	}
	return array;
}

static struct json_object *view_radio(const struct model_radio *radio)
{
	struct json_object *object = json_object_new_object();
	char pan[8];

	put_bool(object, "up", radio->up);
	put_text(object, "kind", radio->kind ? radio->kind : "");
	put_int(object, "channel", radio->channel);
	snprintf(pan, sizeof(pan), "%04x", radio->pan);
	put_text(object, "pan", pan);
	put_int(object, "resets", radio->resets);
	snprintf(pan, sizeof(pan), "%04x", radio->foreign_pan);
	put(object, "foreign_pan", radio->foreign_ms ? json_object_new_string(pan) : NULL);
	put_time(object, "foreign_ms", radio->foreign_ms);
	return object;
}

/* Parts whose state each writes itself. */
static void put_parts(struct json_object *object, const struct model_status *status)
{
	struct json_object *meter = json_object_new_object();
	struct json_object *export = json_object_new_object();
	struct json_object *uplink = json_object_new_object();
	struct json_object *store = json_object_new_object();

	put_bool(meter, "ok", status->meter_ok);
	put_time(meter, "time_ms", status->meter_ms);
	put(object, "meter", meter);
	put_text(export, "text", status->export_state);
	put(object, "export", export);
	put_bool(uplink, "ok", status->uplink_ok);
	put_time(uplink, "time_ms", status->uplink_ms);
	put_int(uplink, "outbox", status->outbox);
	put_int(uplink, "sequence", status->outbox_sequence);
	put(object, "uplink", uplink);
	put_bool(store, "ok", status->store_ok);
	put_text(store, "error", status->store_error);
	put_int(store, "damaged", (int64_t)status->store_damaged);
	put_int(store, "size_bytes", status->store_bytes);
	put(object, "store", store);
}

static struct json_object *view_ecu(const struct snapshot *snapshot)
{
	struct json_object *object = json_object_new_object();
	const char *zone = getenv("TZ");

	put_text(object, "id", snapshot->ecu_id);
	put_text(object, "name", snapshot->site_name);
	put_text(object, "version", qs1_version);
	put_text(object, "timezone", zone ? zone : "");
	put_int(object, "started_ms", snapshot->started_ms);
	put_bool(object, "night", snapshot->night);
	return object;
}

static struct json_object *view_report(const struct snapshot *snapshot, int64_t now_ms)
{
	struct json_object *object = json_object_new_object();
	int64_t left_ms = snapshot->expected_ms - now_ms;
	bool all = snapshot->reported >= snapshot->units;
	char text[48];

	put_int(object, "reported", snapshot->reported);
	put_int(object, "total", snapshot->units);
	put(object, "all_in_s",
	    all ? NULL : json_object_new_int64(left_ms > 0 ? left_ms / 1000 : 0));
	put_text(object, "text",
		 view_reporting(snapshot->reported, snapshot->units, left_ms, text, sizeof(text)));
	return object;
}

/* What keeps a person busy: latched ground faults, and a store that does not work. */
static struct json_object *view_alarms(const struct snapshot *snapshot)
{
	struct json_object *array = json_object_new_array();

	for (int i = 0; i < snapshot->units; i++) {
		const struct model_unit *unit = &snapshot->unit[i];
		struct json_object *object;
		char serial[SERIAL_TEXT_SIZE];

		if (!(unit->faults_latched & QS1_FAULT_BIT(QS1_FAULT_GFDI))) {
			continue;
		}
		object = json_object_new_object();
		put_text(object, "serial", serial_format(serial, &unit->serial));
		put_text(object, "text", model_fault_words(QS1_FAULT_GFDI));
		put_text(object, "advice",
			 unit->make == MAKE_STOCK ? MODEL_STOCK_GROUND_FAULT
						  : model_fault_advice(QS1_FAULT_GFDI));
		json_object_array_add(array, object);
	}
	if (!snapshot->status.store_ok) {
		struct json_object *object = json_object_new_object();

		put(object, "serial", NULL);
		put_text(object, "text", snapshot->status.store_error);
		put_text(object, "advice", "free some space, or replace the storage card");
		json_object_array_add(array, object);
	}
	return array;
}

struct json_object *view_status(const struct snapshot *snapshot, int64_t now_ms)
{
	struct json_object *object = json_object_new_object();
	struct json_object *limit = json_object_new_object();

	put_int(object, "generation", snapshot->generation);
	put_int(object, "time_ms", now_ms);
	put(object, "ecu", view_ecu(snapshot));
	put(object, "reporting", view_report(snapshot, now_ms));
	put(object, "readings", readings(snapshot->site, 1, SCOPE_SITE));
	put(object, "phases", view_phases(snapshot));
	put_watts(limit, "desired_w", snapshot->site[READING_SITE_LIMIT].value);
	put_int(limit, "limits", snapshot->limits);
	put(object, "limit", limit);
	put(object, "radio", view_radio(&snapshot->radio));
	put_parts(object, &snapshot->status);
	put(object, "alarms", view_alarms(snapshot));
	return object;
}

/* Units. */

static struct json_object *view_limit(const struct model_limit *limit)
{
	struct json_object *object = json_object_new_object();

	put_watts(object, "desired_w", limit->desired_w);
	put_watts(object, "actual_w", limit->actual_w);
	put_time(object, "actual_ms", limit->actual_ms);
	put_text(object, "confirm", model_confirm_name(limit->confirm));
	put_text(object, "owner", limit->owner);
	put_text(object, "reason", limit->reason);
	put_text(object, "by", limit->by);
	put_time(object, "since_ms", limit->since_ms);
	put_time(object, "until_ms", limit->until_ms);
	put_watts(object, "then_w", limit->then_w);
	put_bool(object, "fallback", limit->fallback);
	return object;
}

static struct json_object *view_link(const struct model_unit *unit)
{
	const struct model_counters *counters = &unit->counters;
	struct json_object *object = json_object_new_object();

	put_text(object, "state", model_link_name(unit->link));
	put_text(object, "text", model_link_text(unit->link));
	put(object, "quality_percent",
	    view_number(unit->reading[READING_LINK_QUALITY][0].value, 0));
	put_int(object, "polls", counters->polls);
	put_int(object, "replies", counters->replies);
	put_int(object, "timeouts", counters->timeouts);
	put_int(object, "refused", counters->refused);
	put_int(object, "forged", counters->forged);
	put(object, "round_trip_ms",
	    counters->replies ? view_number(counters->round_trip_ms, 1) : NULL);
	put_int(object, "failures", counters->failures);
	return object;
}

static struct json_object *view_faults(const struct model_unit *unit)
{
	struct json_object *array = json_object_new_array();
	uint32_t bits = unit->faults_active | unit->faults_latched;

	for (unsigned int fault = 0; fault < QS1_FAULT_ALL_COUNT; fault++) {
		uint32_t bit = QS1_FAULT_BIT(fault);
		bool stock_ground_fault = unit->make == MAKE_STOCK && fault == QS1_FAULT_GFDI;
		struct json_object *object;

		if (!(bits & bit)) {
			continue;
		}
		object = json_object_new_object();
		put_text(object, "code", qs1_fault_name(fault));
		put_bool(object, "active", unit->faults_active & bit);
		put_bool(object, "latched", unit->faults_latched & bit);
		put_text(object, "text", model_fault_words(fault));
		put_text(object, "advice",
			 stock_ground_fault ? MODEL_STOCK_GROUND_FAULT : model_fault_advice(fault));
		put_bool(object, "clearable", (bit & QS1_FAULTS_CLEARABLE) && !stock_ground_fault);
		json_object_array_add(array, object);
	}
	return array;
}

static struct json_object *view_channels(const struct model_unit *unit)
{
	struct json_object *array = json_object_new_array();

	for (int channel = 0; channel < MODEL_CHANNELS; channel++) {
		struct json_object *object =
			readings(&unit->reading[0][channel], MODEL_CHANNELS, SCOPE_CHANNEL);

		put_int(object, "channel", channel + 1);
		json_object_array_add(array, object);
	}
	return array;
}

int64_t view_time_ms(const struct model_unit *unit)
{
	int64_t newest = 0;

	for (int id = 0; id < READING_COUNT; id++) {
		for (int channel = 0; channel < MODEL_CHANNELS; channel++) {
			int64_t time_ms = unit->reading[id][channel].time_ms;

			newest = time_ms > newest ? time_ms : newest;
		}
	}
	return newest;
}

/* When the grid parameters were read back, and why not since then. */
static struct json_object *view_parameters(const struct model_unit *unit)
{
	struct json_object *object = json_object_new_object();
	const char *error = unit->make == MAKE_STOCK ? "stock inverters do not report them"
			    : !unit->paired	     ? "not paired"
			    : *unit->params_error    ? unit->params_error
			    : unit->params_ms	     ? ""
						     : "not read so far";

	put_time(object, "time_ms", unit->params_ms);
	put_text(object, "error", error);
	return object;
}

static struct json_object *view_profile(const struct model_unit *unit)
{
	struct json_object *object = json_object_new_object();

	put_text_or_null(object, "wanted", unit->profile_desired);
	put_text_or_null(object, "actual", unit->profile);
	put(object, "applied",
	    unit->make == MAKE_OURS && unit->seen_ms
		    ? json_object_new_boolean(unit->profile_applied)
		    : NULL);
	return object;
}

static const char *led_of(const struct model_unit *unit)
{
	bool known = unit->state >= 0 && unit->state < QS1_STATE_COUNT;

	return known && led_of_state[unit->state] ? led_of_state[unit->state] : "";
}

struct json_object *view_unit(const struct model_unit *unit, int64_t now_ms)
{
	struct json_object *object = json_object_new_object();
	int64_t time_ms = view_time_ms(unit);
	bool known = unit->make == MAKE_OURS && unit->seen_ms;
	char serial[SERIAL_TEXT_SIZE];

	put_text(object, "serial", serial_format(serial, &unit->serial));
	put_text(object, "name", unit->name);
	put_text(object, "make", model_make_name(unit->make));
	put_text(object, "model", unit->model);
	put_bool(object, "paired", unit->paired);
	put_text(object, "phase", model_phase_name(unit->phase));
	put_int(object, "modbus_unit", unit->modbus_unit);
	put_int(object, "rated_w", MODEL_RATED_W);
	put_text(object, "rma", unit->rma);
	put_text_or_null(object, "state", unit->state < 0 ? "" : qs1_state_name(unit->state));
	put_text_or_null(object, "led", led_of(unit));
	put(object, "armed", known ? json_object_new_boolean(unit->armed) : NULL);
	put_time(object, "seen_ms", unit->seen_ms);
	put(object, "age_s", time_ms ? view_number((now_ms - time_ms) / 1e3, 1) : NULL);
	put(object, "cadence_s", view_number(unit->cadence_ms / 1e3, 1));
	put_text_or_null(object, "firmware", unit->firmware);
	put(object, "profile", view_profile(unit));
	put(object, "parameters", view_parameters(unit));
	put(object, "faults", view_faults(unit));
	put(object, "limit", view_limit(&unit->limit));
	put(object, "link", view_link(unit));
	put(object, "readings", readings(&unit->reading[0][0], MODEL_CHANNELS, SCOPE_UNIT));
	put(object, "channels", view_channels(unit));
	return object;
}

struct json_object *view_units(const struct snapshot *snapshot, int64_t now_ms)
{
	struct json_object *object = json_object_new_object();
	struct json_object *array = json_object_new_array();

	put_int(object, "generation", snapshot->generation);
	for (int i = 0; i < snapshot->units; i++) {
		json_object_array_add(array, view_unit(&snapshot->unit[i], now_ms));
	}
	put(object, "inverters", array);
	return object;
}

/* Events, orders, limits. */

static const char *advice_of(const struct model_event *event)
{
	static const struct {
		enum model_event_kind kind;
		const char *advice;
	} advices[] = {
		{ EVENT_UNIT_LOST, "check the AC connection, then the radio's distance; ecuctl "
				   "doctor asks what the LED shows" },
		{ EVENT_PAIR_FAILED, "check the label, and that the inverter has light" },
		{ EVENT_LIMIT_UNCONFIRMED, "the inverter may still produce more than the limit" },
		{ EVENT_FORGED, "somebody may be sending with this inverter's number" },
		{ EVENT_RADIO_DOWN, "check the radio's cable and its port" },
		{ EVENT_FOREIGN, "use another channel, or switch the other gateway off" },
		{ EVENT_METER_LOST, "check the meter's address; the safe limit holds meanwhile" },
		{ EVENT_STORE_FAILED, "free some space, or replace the storage card" },
		{ EVENT_STORE_DAMAGED,
		  "make a backup with ecud --backup, and replace the storage card "
		  "if this comes again" },
		{ EVENT_UPLINK_DOWN, "nothing is lost: data wait and are sent later" },
	};

	if (event->kind == EVENT_GROUND_FAULT) {
		return model_fault_advice(QS1_FAULT_GFDI);
	}
	for (size_t i = 0; i < ARRAY_SIZE(advices); i++) {
		if (advices[i].kind == event->kind) {
			return advices[i].advice;
		}
	}
	return "";
}

/* The serial number, or null. */
static void put_serial(struct json_object *object, bool has, const struct serial *serial)
{
	char text[SERIAL_TEXT_SIZE];

	put_text_or_null(object, "serial", has ? serial_format(text, serial) : "");
}

struct json_object *view_event(const struct model_event *event)
{
	struct json_object *object = json_object_new_object();
	char words[2 * ORDER_TEXT_SIZE];

	put_int(object, "id", event->number);
	put_int(object, "time_ms", event->time_ms);
	put_serial(object, event->has_serial, &event->serial);
	put_text(object, "kind", model_event_name(event->kind));
	put_text(object, "severity", model_severity_name(model_event_severity(event->kind)));
	put_text(object, "text", model_event_words(event, words, sizeof(words)));
	put_text(object, "advice", advice_of(event));
	return object;
}

struct json_object *view_order(const struct order *order)
{
	struct json_object *object = json_object_new_object();

	put_int(object, "id", order->number);
	put_serial(object, !order->site, &order->serial);
	put_text(object, "command", order_desc[order->command].name);
	put_watts(object, "w", order->command == COMMAND_LIMIT ? order->w : (double)NAN);
	/* A label holds an install code: only its serial number is shown. */
	put_text(object, "text",
		 order->command == COMMAND_PAIR || order->command == COMMAND_REPLACE ? ""
										     : order->text);
	put_text(object, "state", order_state_name(order->state));
	put_text(object, "by", order->by);
	put_text(object, "role", order_role_name(order->role));
	put_text(object, "interface", order_interface_name(order->interface));
	put_int(object, "issued_ms", order->issued_ms);
	put_int(object, "changed_ms", order->changed_ms);
	put_text(object, "message", order->message);
	return object;
}

struct json_object *view_limits(const struct model *model)
{
	struct json_object *object = json_object_new_object();
	struct json_object *array = json_object_new_array();

	for (int i = 0; i < model->limits; i++) {
		const struct model_limit_entry *limit = &model->limit[i];
		struct json_object *each = json_object_new_object();

		put_text(each, "owner", limit->owner);
		put_serial(each, !limit->site, &limit->serial);
		put_watts(each, "w", limit->w);
		put_time(each, "until_ms", limit->until_ms);
		put_watts(each, "then_w", limit->then_w);
		put_text(each, "reason", limit->reason);
		put_text(each, "by", limit->by);
		put_int(each, "since_ms", limit->since_ms);
		json_object_array_add(array, each);
	}
	put(object, "limits", array);
	return object;
}

/* Roof map, phases and commissioning. */

static struct json_object *view_unit_phases(const struct snapshot *snapshot)
{
	struct json_object *array = json_object_new_array();

	for (int i = 0; i < snapshot->units; i++) {
		const struct model_unit *unit = &snapshot->unit[i];
		struct json_object *object = json_object_new_object();

		put_serial(object, true, &unit->serial);
		put_text(object, "phase", model_phase_name(unit->phase));
		put_text(object, "source", model_phase_source(unit));
		put(object, "group",
		    unit->phase_group ? json_object_new_int(unit->phase_group) : NULL);
		json_object_array_add(array, object);
	}
	return array;
}

struct json_object *view_topology(const struct snapshot *snapshot)
{
	struct json_object *object = json_object_new_object();
	struct json_object *array = json_object_new_array();

	for (int i = 0; i < snapshot->units * MODEL_CHANNELS; i++) {
		const struct model_unit *unit = &snapshot->unit[i / MODEL_CHANNELS];
		const struct model_place *place = &unit->place[i % MODEL_CHANNELS];
		struct json_object *module;

		if (!place->placed) {
			continue;
		}
		module = json_object_new_object();
		put_serial(module, true, &unit->serial);
		put_int(module, "channel", i % MODEL_CHANNELS + 1);
		put(module, "x", view_number(place->x, 3));
		put(module, "y", view_number(place->y, 3));
		put(module, "turn", view_number(place->turn, 1));
		json_object_array_add(array, module);
	}
	put(object, "modules", array);
	put(object, "phases", view_unit_phases(snapshot));
	return object;
}

/* null without an answer. */
static struct json_object *answer(enum commission_answer answer)
{
	return answer == COMMISSION_UNKNOWN ? NULL
					    : json_object_new_boolean(answer == COMMISSION_YES);
}

static struct json_object *view_check(const struct model_unit *unit, int64_t now_ms,
				      bool *ret_complete)
{
	struct json_object *object = json_object_new_object();
	struct commission check;

	commission_check(unit, now_ms, &check);
	put_serial(object, true, &unit->serial);
	put_bool(object, "seen", check.seen);
	put_bool(object, "producing", check.producing);
	put(object, "voltage_in_range", answer(check.voltage));
	put(object, "frequency_in_range", answer(check.frequency));
	put(object, "profile_as_wanted", answer(check.profile));
	put_bool(object, "complete", check.complete);
	*ret_complete = check.complete;
	return object;
}

struct json_object *view_commissioning(const struct snapshot *snapshot, int64_t now_ms)
{
	struct json_object *object = json_object_new_object();
	struct json_object *array = json_object_new_array();
	bool all = snapshot->units > 0;

	for (int i = 0; i < snapshot->units; i++) {
		bool complete;

		json_object_array_add(array, view_check(&snapshot->unit[i], now_ms, &complete));
		all = all && complete;
	}
	put_bool(object, "complete", all);
	put(object, "units", array);
	return object;
}
