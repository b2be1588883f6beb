// SPDX-License-Identifier: GPL-2.0-or-later
#include "model.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "names.h"
#include "service_clock.h"
#include "util.h"

#define FIRST_MODBUS_UNIT 2
#define LAST_MODBUS_UNIT 247
#define WATCHERS_MAX 16

const struct reading_desc model_reading[] = {
#define X(id, name, unit, scope, decimals, device_class, state_class, metric, help)                \
	[READING_##id] = { name,	 unit,	      SCOPE_##scope, decimals,                     \
			   device_class, state_class, metric,	     help },
	MODEL_READINGS(X)
#undef X
};

/* ---- names ---- */

const char *model_link_name(enum model_link link)
{
	static const char *const name[] = {
#define X(id, name, text) [LINK_##id] = name,
		MODEL_LINKS(X)
#undef X
	};

	return (unsigned int)link < LINK_COUNT ? name[link] : "?";
}

const char *model_link_text(enum model_link link)
{
	static const char *const words[] = {
#define X(id, name, text) [LINK_##id] = text,
		MODEL_LINKS(X)
#undef X
	};

	return (unsigned int)link < LINK_COUNT ? words[link] : "?";
}

const char *model_make_name(enum model_make make)
{
	static const char *const name[] = {
#define X(id, name) [MAKE_##id] = name,
		MODEL_MAKES(X)
#undef X
	};

	return (unsigned int)make < MAKE_COUNT ? name[make] : "?";
}

static const char *const phase_name[] = {
#define X(id, name) [PHASE_##id] = name,
	MODEL_PHASES(X)
#undef X
};

const char *model_phase_name(enum model_phase phase)
{
	return (unsigned int)phase < PHASE_COUNT ? phase_name[phase] : "?";
}

const char *model_phase_source(const struct model_unit *unit)
{
	return unit->phase == PHASE_UNKNOWN ? "unknown" : unit->phase_named ? "named" : "found";
}

int model_phase_find(const char *name)
{
	for (int i = 0; i < PHASE_COUNT; i++) {
		if (!strcmp(phase_name[i], name)) {
			return i;
		}
	}
	return -ENOENT;
}

const char *model_confirm_name(enum model_confirm confirm)
{
	static const char *const name[] = {
#define X(id, name) [CONFIRM_##id] = name,
		MODEL_CONFIRMS(X)
#undef X
	};

	return (unsigned int)confirm < CONFIRM_COUNT ? name[confirm] : "?";
}

static const struct {
	const char *name;
	enum model_severity severity;
	const char *words;
} event_desc[] = {
#define X(id, name, severity, words) [EVENT_##id] = { name, SEVERITY_##severity, words },
	MODEL_EVENT_KINDS(X)
#undef X
};

const char *model_event_name(enum model_event_kind kind)
{
	return (unsigned int)kind < EVENT_COUNT ? event_desc[kind].name : "?";
}

enum model_severity model_event_severity(enum model_event_kind kind)
{
	return (unsigned int)kind < EVENT_COUNT ? event_desc[kind].severity : SEVERITY_INFO;
}

const char *model_severity_name(enum model_severity severity)
{
	static const char *const name[] = { "info", "warning", "alarm" };

	return (unsigned int)severity < ARRAY_SIZE(name) ? name[severity] : "?";
}

char *model_event_words(const struct model_event *event, char *text, size_t size)
{
	const char *words = (unsigned int)event->kind < EVENT_COUNT ? event_desc[event->kind].words
								    : "%s";
	const char *at = strstr(words, "%s");

	snprintf(text, size, "%.*s%s%s", (int)(at - words), words, event->detail, at + 2);
	return text;
}

/*
 * What to do, by fault: chapter 6 of the inverter's manual. Faults of the grid end by themselves; a
 * person is needed when they come again and again.
 */
#define GRID_ADVICE                                                                                \
	"The inverter reconnects by itself. If this happens often, have the grid voltage, the "    \
	"wiring and the grid profile checked."
#define SERVICE_ADVICE                                                                             \
	"Disconnect AC and DC, wait, reconnect. If it comes back, replace the inverter."
static const char *const advice[QS1_FAULT_COUNT] = {
	[QS1_FAULT_UV1] = GRID_ADVICE,
	[QS1_FAULT_UV2] = GRID_ADVICE,
	[QS1_FAULT_OV1] = GRID_ADVICE,
	[QS1_FAULT_OV2] = GRID_ADVICE,
	[QS1_FAULT_OF1] = GRID_ADVICE,
	[QS1_FAULT_OF2] = GRID_ADVICE,
	[QS1_FAULT_UF1] = GRID_ADVICE,
	[QS1_FAULT_UF2] = GRID_ADVICE,
	[QS1_FAULT_ISLAND] = GRID_ADVICE,
	[QS1_FAULT_ROCOF] = GRID_ADVICE,
	[QS1_FAULT_TOV] = GRID_ADVICE,
	[QS1_FAULT_OV_MEAN] = GRID_ADVICE,
	[QS1_FAULT_GFDI] =
		"A module or its cable touches ground. Do not touch bare parts. Have the "
		"modules and DC cables checked, then clear the fault.",
	[QS1_FAULT_PV_OV] = "Too many cells in series, or a wrong module. Check the module's data.",
	[QS1_FAULT_PV_OC] = "Check the module and its connectors.",
	[QS1_FAULT_AC_OC] = SERVICE_ADVICE,
	[QS1_FAULT_OVERTEMP] =
		"Check that air can move around the inverter. It restarts when cool.",
	[QS1_FAULT_RELAY] = SERVICE_ADVICE,
	[QS1_FAULT_HOST_LOST] = SERVICE_ADVICE,
	[QS1_FAULT_FIRMWARE] = SERVICE_ADVICE,
	[QS1_FAULT_SHUTDOWN] = "Somebody has stopped it; start it again.",
	[QS1_FAULT_NIGHT] = "Nothing to do: there is no light.",
	[QS1_FAULT_SENSOR] = SERVICE_ADVICE,
};

const char *model_fault_words(unsigned int fault)
{
	return fault < QS1_FAULT_ALL_COUNT ? qs1_fault_text(fault) : "";
}

const char *model_fault_advice(unsigned int fault)
{
	return fault < QS1_FAULT_COUNT && advice[fault] ? advice[fault] : "";
}

/* ---- the model ---- */

struct model_watch {
	pthread_mutex_t lock;
	int watchers;
	struct {
		void (*changed)(void *ctx, enum model_change change, int unit, uint64_t number);
		void *ctx;
	} watcher[WATCHERS_MAX];
};

static void clear_readings(struct model_unit *unit)
{
	for (int id = 0; id < READING_COUNT; id++) {
		for (int channel = 0; channel < MODEL_CHANNELS; channel++) {
			unit->reading[id][channel] = (struct reading){ .value = (double)NAN };
		}
	}
}

struct model *model_new(const char *ecu_id)
{
	struct model *model = calloc(1, sizeof(*model));

	if (!model) {
		return NULL;
	}
	model->watch = calloc(1, sizeof(*model->watch));
	if (!model->watch) {
		free(model);
		return NULL;
	}
	pthread_mutex_init(&model->watch->lock, NULL);
	snprintf(model->ecu_id, sizeof(model->ecu_id), "%s", ecu_id);
	for (int id = 0; id < READING_COUNT; id++) {
		model->site[id] = (struct reading){ .value = (double)NAN };
	}
	model->started_ms = clock_wall_ms();
	model->radio.kind = "znp";
	return model;
}

void model_free(struct model *model)
{
	if (model) {
		pthread_mutex_destroy(&model->watch->lock);
		free(model->watch);
		free(model);
	}
}

void model_lock(struct model *model)
{
	pthread_mutex_lock(&model->watch->lock);
}

void model_unlock(struct model *model)
{
	pthread_mutex_unlock(&model->watch->lock);
}

int model_watch(struct model *model,
		void (*changed)(void *ctx, enum model_change change, int unit, uint64_t number),
		void *ctx)
{
	struct model_watch *watch = model->watch;

	if (watch->watchers == WATCHERS_MAX) {
		return -ENOMEM;
	}
	watch->watcher[watch->watchers].changed = changed;
	watch->watcher[watch->watchers++].ctx = ctx;
	return 0;
}

/* Count a change, release the lock, and tell the watchers. */
static void commit(struct model *model, enum model_change change, int unit, uint64_t number)
{
	model->generation++;
	model_unlock(model);
	for (int i = 0; i < model->watch->watchers; i++) {
		model->watch->watcher[i].changed(model->watch->watcher[i].ctx, change, unit,
						 number);
	}
}

struct model_unit *model_find(struct model *model, const struct serial *serial)
{
	for (int i = 0; i < model->units; i++) {
		if (serial_equal(&model->unit[i].serial, serial)) {
			return &model->unit[i];
		}
	}
	return NULL;
}

struct model_unit *model_find_modbus(struct model *model, uint8_t modbus_unit)
{
	for (int i = 0; i < model->units; i++) {
		if (model->unit[i].modbus_unit == modbus_unit) {
			return &model->unit[i];
		}
	}
	return NULL;
}

int model_index(const struct model *model, const struct model_unit *unit)
{
	return (int)(unit - model->unit);
}

int model_copy(struct model *model, const struct serial *serial, struct model_unit *ret)
{
	const struct model_unit *unit;

	model_lock(model);
	unit = model_find(model, serial);
	if (unit) {
		*ret = *unit;
	}
	model_unlock(model);
	return unit ? 0 : -ENOENT;
}

/* The lowest Modbus unit that no inverter has; 0 when all are taken. */
static uint8_t free_modbus_unit(struct model *model)
{
	for (int number = FIRST_MODBUS_UNIT; number <= LAST_MODBUS_UNIT; number++) {
		if (!model_find_modbus(model, (uint8_t)number)) {
			return (uint8_t)number;
		}
	}
	return 0;
}

static int enter(struct model *model, const struct model_unit *unit)
{
	struct model_unit *place = &model->unit[model->units];

	if (model_find(model, &unit->serial)) {
		return -EEXIST;
	}
	if (model->units == MODEL_UNITS_MAX) {
		return -ENOSPC;
	}
	*place = *unit;
	clear_readings(place);
	if (!place->modbus_unit || model_find_modbus(model, place->modbus_unit)) {
		place->modbus_unit = free_modbus_unit(model);
	}
	place->link = LINK_NEW;
	place->state = -1;
	place->limit = (struct model_limit){ .desired_w = (double)NAN,
					     .then_w = (double)NAN,
					     .actual_w = (double)NAN };
	return model->units++;
}

int model_add(struct model *model, const struct model_unit *unit)
{
	int index;

	model_lock(model);
	index = enter(model, unit);
	if (index < 0) {
		model_unlock(model);
		return index;
	}
	commit(model, CHANGE_UNIT, index, 0);
	return index;
}

int model_remove(struct model *model, const struct serial *serial)
{
	struct model_unit *unit;
	int index;

	model_lock(model);
	unit = model_find(model, serial);
	if (!unit) {
		model_unlock(model);
		return -ENOENT;
	}
	index = model_index(model, unit);
	model->units--;
	memmove(unit, unit + 1, sizeof(*unit) * (size_t)(model->units - index));
	commit(model, CHANGE_UNIT, -1, 0);
	return 0;
}

struct model_unit *model_begin(struct model *model, int unit)
{
	model_lock(model);
	return unit >= 0 ? &model->unit[unit] : NULL;
}

void model_end(struct model *model, enum model_change change, int unit)
{
	commit(model, change, unit, 0);
}

void model_put(struct model_unit *unit, enum reading_id id, int channel, double value,
	       int64_t time_ms)
{
	unit->reading[id][channel].value = value;
	if (!isnan(value)) {
		unit->reading[id][channel].time_ms = time_ms;
	}
}

uint64_t model_event(struct model *model, enum model_event_kind kind, const struct serial *serial,
		     const char *detail)
{
	struct model_event *event;
	uint64_t number;

	model_lock(model);
	number = ++model->event_last;
	event = &model->event[number % MODEL_EVENTS];
	*event = (struct model_event){
		.number = number,
		.time_ms = clock_wall_ms(),
		.kind = kind,
		.has_serial = serial,
	};
	if (serial) {
		event->serial = *serial;
	}
	snprintf(event->detail, sizeof(event->detail), "%s", detail);
	commit(model, CHANGE_EVENT, -1, number);
	return number;
}

void model_order(struct model *model, const struct order *order)
{
	model_lock(model);
	model->order[order->number % ORDERS_KEPT] = *order;
	if (order->number > model->order_last) {
		model->order_last = order->number;
	}
	commit(model, CHANGE_ORDER, -1, order->number);
}

/* Sum of one reading over the units that have a fresh one; NAN when none has. */
static double sum_of(const struct model *model, enum reading_id id, int64_t after_ms)
{
	double sum = (double)NAN;

	for (int i = 0; i < model->units; i++) {
		const struct reading *reading = &model->unit[i].reading[id][0];

		if (!isnan(reading->value) && reading->time_ms >= after_ms) {
			sum = isnan(sum) ? reading->value : sum + reading->value;
		}
	}
	return sum;
}

static void put_site(struct model *model, enum reading_id id, double value, int64_t time_ms)
{
	model->site[id].value = value;
	if (!isnan(value)) {
		model->site[id].time_ms = time_ms;
	}
}

void model_sum(struct model *model, double energy_wh, double today_wh, int64_t now_ms,
	       int64_t fresh_ms)
{
	int reported = 0;

	model_lock(model);
	put_site(model, READING_SITE_POWER, sum_of(model, READING_POWER, now_ms - fresh_ms),
		 now_ms);
	put_site(model, READING_SITE_REACTIVE_POWER,
		 sum_of(model, READING_REACTIVE_POWER, now_ms - fresh_ms), now_ms);
	put_site(model, READING_SITE_ENERGY, energy_wh, now_ms);
	put_site(model, READING_SITE_ENERGY_TODAY, today_wh, now_ms);
	for (int i = 0; i < model->units; i++) {
		reported += model->unit[i].seen_ms > 0;
	}
	model->reported = reported;
	commit(model, CHANGE_SITE, -1, 0);
}
