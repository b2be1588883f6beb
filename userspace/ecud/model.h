/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the gateway knows: units, readings, limits, faults, events, orders. Each interface is one
 * file that walks the tables of this header; a new reading is one row here and one in model.c that
 * says which field of the link it comes from.
 *
 * The main loop writes, other threads read. Hold model_lock() around each access; never wait for
 * anything with the lock held. A reading that is not there is NAN with time 0, never 0.
 *
 * Times are wall-clock ms since 1970 (clock_wall_ms()) unless the name ends in _us, which is
 * monotonic (clock_monotonic_us()).
 */
#ifndef ECUD_MODEL_H
#define ECUD_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <qs1/codes.h>
#include <qs1/params.h>

#include "orders.h"
#include "own.h"
#include "serial.h"

/* Modbus has unit identifiers up to 247; a stock ECU lists up to 254 inverters. */
#define MODEL_UNITS_MAX 254
#define MODEL_CHANNELS 4
#define MODEL_EVENTS 512
#define MODEL_NAME_SIZE 64
#define MODEL_PARAMS_ERROR_SIZE 64
#define MODEL_PROFILE_SIZE 64
/* Rated power of a QS1, W. */
#define MODEL_RATED_W 1200
/*
 * Telemetry of a stock unit has no AC power and counts DC energy. Public clients multiply by
 * 8.311/3600/1000 where the DC integral would be 1.0647 times as much: 0.938 of DC is AC.
 */
#define MODEL_STOCK_EFFICIENCY 0.938

enum reading_scope {
	SCOPE_UNIT,    /* one value for a unit */
	SCOPE_CHANNEL, /* one for each of its inputs */
	SCOPE_SITE,    /* one for the site */
};

/*
 * Readings. Columns: identifier, name (JSON, MQTT, CSV), unit, scope, decimals, device class and
 * state class of Home Assistant ("" for none), metric of OpenMetrics, help. A metric that ends in
 * _total is a counter. Grid power of the site is positive when the site imports.
 */
/* clang-format off */
#define MODEL_READINGS(X) \
	X(POWER, "power", "W", UNIT, 1, "power", "measurement", \
	  "qs1_power_watts", "Active power into the grid") \
	X(REACTIVE_POWER, "reactive_power", "var", UNIT, 1, "reactive_power", "measurement", \
	  "qs1_reactive_power_vars", "Reactive power") \
	X(GRID_V, "grid_voltage", "V", UNIT, 2, "voltage", "measurement", \
	  "qs1_grid_voltage_volts", "Grid voltage at the inverter") \
	X(GRID_I, "grid_current", "A", UNIT, 3, "current", "measurement", \
	  "qs1_grid_current_amperes", "Grid current") \
	X(GRID_F, "grid_frequency", "Hz", UNIT, 3, "frequency", "measurement", \
	  "qs1_grid_frequency_hertz", "Grid frequency") \
	X(TEMPERATURE, "temperature", "degree C", UNIT, 1, "temperature", "measurement", \
	  "qs1_temperature_celsius", "Temperature inside the inverter") \
	X(DC_LINK, "dc_link_voltage", "V", UNIT, 1, "voltage", "measurement", \
	  "qs1_dc_link_voltage_volts", "DC link voltage") \
	X(ENERGY, "energy", "Wh", UNIT, 1, "energy", "total_increasing", \
	  "qs1_energy_joules_total", "Energy into the grid since the inverter was added") \
	X(ENERGY_TODAY, "energy_today", "Wh", UNIT, 1, "energy", "total_increasing", \
	  "qs1_energy_today_joules", "Energy into the grid since local midnight") \
	X(POWER_LIMIT, "power_limit", "W", UNIT, 1, "power", "measurement", \
	  "qs1_power_limit_watts", "Power limit in force, read back") \
	X(ENTER_SERVICE, "enter_service", "s", UNIT, 0, "duration", "measurement", \
	  "qs1_enter_service_seconds", "Time until the inverter may connect") \
	X(UPTIME, "uptime", "s", UNIT, 0, "duration", "measurement", \
	  "qs1_uptime_seconds", "Time since the inverter was powered up") \
	X(LINK_QUALITY, "link_quality", "%", UNIT, 0, "", "measurement", \
	  "qs1_link_quality_percent", "Link quality of the last reply") \
	X(DC_V, "dc_voltage", "V", CHANNEL, 2, "voltage", "measurement", \
	  "qs1_dc_voltage_volts", "Voltage of the module") \
	X(DC_I, "dc_current", "A", CHANNEL, 3, "current", "measurement", \
	  "qs1_dc_current_amperes", "Current of the module") \
	X(DC_P, "dc_power", "W", CHANNEL, 1, "power", "measurement", \
	  "qs1_dc_power_watts", "Power of the module") \
	X(DC_ENERGY, "dc_energy", "Wh", CHANNEL, 1, "energy", "total_increasing", \
	  "qs1_dc_energy_joules_total", "Energy of the module since the inverter was added") \
	X(DC_ENERGY_TODAY, "dc_energy_today", "Wh", CHANNEL, 1, "energy", "total_increasing", \
	  "qs1_dc_energy_today_joules", "Energy of the module since local midnight") \
	X(SITE_POWER, "power", "W", SITE, 1, "power", "measurement", \
	  "qs1_site_power_watts", "Active power of all inverters") \
	X(SITE_REACTIVE_POWER, "reactive_power", "var", SITE, 1, "reactive_power", "measurement", \
	  "qs1_site_reactive_power_vars", "Reactive power of all inverters") \
	X(SITE_ENERGY, "energy", "Wh", SITE, 1, "energy", "total_increasing", \
	  "qs1_site_energy_joules_total", "Energy of the site, replaced inverters included") \
	X(SITE_ENERGY_TODAY, "energy_today", "Wh", SITE, 1, "energy", "total_increasing", \
	  "qs1_site_energy_today_joules", "Energy of the site since local midnight") \
	X(SITE_LIMIT, "power_limit", "W", SITE, 1, "power", "measurement", \
	  "qs1_site_power_limit_watts", "Power limit of the site") \
	X(GRID_POWER, "grid_power", "W", SITE, 1, "power", "measurement", \
	  "qs1_site_grid_power_watts", "Power from the grid at the meter, negative for export") \
	X(GRID_POWER_L1, "grid_power_l1", "W", SITE, 1, "power", "measurement", \
	  "qs1_site_grid_power_l1_watts", "The same of phase L1") \
	X(GRID_POWER_L2, "grid_power_l2", "W", SITE, 1, "power", "measurement", \
	  "qs1_site_grid_power_l2_watts", "The same of phase L2") \
	X(GRID_POWER_L3, "grid_power_l3", "W", SITE, 1, "power", "measurement", \
	  "qs1_site_grid_power_l3_watts", "The same of phase L3")
/* clang-format on */

enum reading_id {
#define X(id, name, unit, scope, decimals, device_class, state_class, metric, help) READING_##id,
	MODEL_READINGS(X)
#undef X
		READING_COUNT
};

/**
 * struct reading_desc - a row of MODEL_READINGS
 */
struct reading_desc {
	const char *name;
	const char *unit;
	enum reading_scope scope;
	uint8_t decimals;
	const char *device_class;
	const char *state_class;
	const char *metric;
	const char *help;
};

extern const struct reading_desc model_reading[READING_COUNT];

/**
 * struct reading - a value
 * @value: in the unit of its row; NAN for none
 * @time_ms: when the inverter measured it, by our clock; 0 for never
 */
struct reading {
	double value;
	int64_t time_ms;
};

/* How well a unit is heard. Columns: identifier, name, words. */
/* clang-format off */
#define MODEL_LINKS(X) \
	X(NEW, "new", "never heard") \
	X(LIVE, "live", "answers") \
	X(LATE, "late", "misses polls") \
	X(ASLEEP, "asleep", "asleep: no light") \
	X(LOST, "lost", "does not answer in daylight")
/* clang-format on */

enum model_link {
#define X(id, name, text) LINK_##id,
	MODEL_LINKS(X)
#undef X
		LINK_COUNT
};

const char *model_link_name(enum model_link link);
const char *model_link_text(enum model_link link);

/* Which dialect a unit speaks. Columns: identifier, name. */
/* clang-format off */
#define MODEL_MAKES(X) \
	X(OURS, "qs1") \
	X(STOCK, "stock")
/* clang-format on */

enum model_make {
#define X(id, name) MAKE_##id,
	MODEL_MAKES(X)
#undef X
		MAKE_COUNT
};

const char *model_make_name(enum model_make make);

/* Where a unit is connected. Columns: identifier, name. */
/* clang-format off */
#define MODEL_PHASES(X) \
	X(UNKNOWN, "unknown") \
	X(L1, "L1") \
	X(L2, "L2") \
	X(L3, "L3") \
	X(L1_L2, "L1-L2") \
	X(L2_L3, "L2-L3") \
	X(L3_L1, "L3-L1")
/* clang-format on */

enum model_phase {
#define X(id, name) PHASE_##id,
	MODEL_PHASES(X)
#undef X
		PHASE_COUNT
};

const char *model_phase_name(enum model_phase phase);
/* The phase of a name, or -ENOENT. */
int model_phase_find(const char *name);

struct model_unit;

/* How its phase is known: "unknown", "found" or "named". */
const char *model_phase_source(const struct model_unit *unit);

/* What is known of the limit that a unit has. Columns: identifier, name. */
/* clang-format off */
#define MODEL_CONFIRMS(X) \
	X(UNKNOWN, "unknown")         /* nothing was read back */ \
	X(PENDING, "pending")         /* sent, not read back */ \
	X(CONFIRMED, "confirmed")     /* read back, and as desired */ \
	X(UNCONFIRMED, "unconfirmed") /* the answer was lost, wrong or forged */ \
	X(REFUSED, "refused")         /* the unit says so */
/* clang-format on */

enum model_confirm {
#define X(id, name) CONFIRM_##id,
	MODEL_CONFIRMS(X)
#undef X
		CONFIRM_COUNT
};

const char *model_confirm_name(enum model_confirm confirm);

#define MODEL_REASON_SIZE 96

/**
 * struct model_limit - desired and actual limit of a unit
 * @desired_w: W, the lowest of all owners; NAN for none
 * @owner, @reason: whose it is and why; "" without a limit
 * @by: who set it, as in the audit log
 * @since_ms: when it was set
 * @until_ms: when its lease ends; 0 for no end
 * @then_w: W after the lease; NAN for none
 * @fallback: the unit ends the lease by itself; false for stock units
 * @actual_w: W read back; NAN when unknown, INFINITY for none
 * @actual_ms: when it was read back
 * @confirm: how desired and actual compare
 */
struct model_limit {
	double desired_w;
	char owner[ORDER_OWNER_SIZE];
	char reason[MODEL_REASON_SIZE];
	char by[ORDER_BY_SIZE];
	int64_t since_ms;
	int64_t until_ms;
	double then_w;
	bool fallback;
	double actual_w;
	int64_t actual_ms;
	enum model_confirm confirm;
};

/**
 * struct model_place - one module on the roof map
 * @placed: the other members are valid
 * @x, @y: of its centre, in widths of a module, to the right and down
 * @turn: clockwise, degrees
 */
struct model_place {
	bool placed;
	float x;
	float y;
	float turn;
};

/**
 * struct model_counters - of the link to a unit, since the daemon started
 * @polls, @replies: requests for readings, and answers
 * @timeouts: requests without an answer
 * @refused: replies that did not decode or had another serial number
 * @forged: sealed replies whose MAC was wrong
 * @round_trip_ms: of the last reply
 * @failures: polls without an answer in a row
 */
struct model_counters {
	uint64_t polls;
	uint64_t replies;
	uint64_t timeouts;
	uint64_t refused;
	uint64_t forged;
	double round_trip_ms;
	unsigned int failures;
};

/**
 * struct model_unit - one inverter
 * @serial: its number, the key of everything
 * @name: given by the owner
 * @make: dialect
 * @paired: we have a key for it
 * @address: short address of the network; 0 when unknown
 * @modbus_unit: 2 to 247
 * @phase: where it is connected
 * @phase_named: a person has said so; otherwise it follows from @phase_group
 * @phase_group: as found, see phases.h; 0 for unknown
 * @place: its modules on the roof map
 * @rma: number of the return of the unit that this one replaced, "" for none
 * @firmware: version, "" when unknown
 * @model: "QS1" and others, "" when unknown
 * @profile: grid profile that the unit has, read back; "" when unknown
 * @profile_desired: what it should have; "" for whatever it has
 * @params_ms: when its grid parameters were read back; 0 when they are unknown
 * @params_error: why they are unknown, or may be old: the last attempt to read them; "" after a
 *                good one
 * @param: these, scaled as in params.h; only those of the PROFILE group
 * @link: how well it is heard
 * @state: enum qs1_state, -1 when unknown; stock units do not report it
 * @faults_active, @faults_latched: QS1_FAULT_BIT() bits
 * @armed, @shutdown, @profile_applied: flags of the unit
 * @boot: its boot nonce; 0 for a stock unit
 * @seen_ms: last reply
 * @cadence_ms: time between polls that the plan keeps for it
 * @lqi: of the last reply, 0 to 255
 * @reading: by enum reading_id and channel; readings of scope UNIT at channel 0
 */
struct model_unit {
	struct serial serial;
	char name[MODEL_NAME_SIZE];
	enum model_make make;
	bool paired;
	uint16_t address;
	uint8_t modbus_unit;
	enum model_phase phase;
	bool phase_named;
	int phase_group;
	struct model_place place[MODEL_CHANNELS];
	char rma[32];
	char firmware[32];
	char model[16];
	char profile[MODEL_PROFILE_SIZE];
	char profile_desired[MODEL_PROFILE_SIZE];
	int64_t params_ms;
	char params_error[MODEL_PARAMS_ERROR_SIZE];
	int32_t param[QS1_PARAM_COUNT];
	enum model_link link;
	int state;
	uint32_t faults_active;
	uint32_t faults_latched;
	bool armed;
	bool shutdown;
	bool profile_applied;
	uint64_t boot;
	int64_t seen_ms;
	int64_t cadence_ms;
	uint8_t lqi;
	struct model_counters counters;
	struct model_limit limit;
	struct reading reading[READING_COUNT][MODEL_CHANNELS];
};

/*
 * Events of the gateway. Columns: identifier, name, severity, words with one %s for the detail.
 * Severity: INFO happened, WARNING needs a look, ALARM needs a person and repeats until it ends.
 */
/* clang-format off */
#define MODEL_EVENT_KINDS(X) \
	X(STARTED, "started", INFO, "gateway started: %s") \
	X(UNIT_ADDED, "unit-added", INFO, "inverter added: %s") \
	X(UNIT_REMOVED, "unit-removed", INFO, "inverter removed: %s") \
	X(UNIT_REPLACED, "unit-replaced", INFO, "inverter replaced: %s") \
	X(UNIT_LIVE, "unit-live", INFO, "inverter answers%s") \
	X(UNIT_ASLEEP, "unit-asleep", INFO, "inverter asleep: no light%s") \
	X(UNIT_LOST, "unit-lost", WARNING, "inverter does not answer in daylight%s") \
	X(UNIT_RESTARTED, "unit-restarted", INFO, "inverter has restarted%s") \
	X(STATE, "state", INFO, "state: %s") \
	X(FAULT, "fault", WARNING, "fault: %s") \
	X(FAULT_ENDED, "fault-ended", INFO, "fault ended: %s") \
	X(GROUND_FAULT, "ground-fault", ALARM, "ground fault: %s") \
	X(INVERTER, "inverter", INFO, "inverter's log: %s") \
	X(PAIRED, "paired", INFO, "paired%s") \
	X(PAIR_FAILED, "pair-failed", WARNING, "pairing failed: %s") \
	X(LIMIT_CHANGED, "limit-changed", INFO, "limit: %s") \
	X(LIMIT_CONFIRMED, "limit-confirmed", INFO, "limit confirmed: %s") \
	X(LIMIT_UNCONFIRMED, "limit-unconfirmed", WARNING, "limit not confirmed: %s") \
	X(ORDER, "order", INFO, "command: %s") \
	X(FORGED, "forged", WARNING, "answer with a wrong seal: %s") \
	X(RADIO_UP, "radio-up", INFO, "radio is up: %s") \
	X(RADIO_DOWN, "radio-down", WARNING, "radio does not answer: %s") \
	X(FOREIGN, "foreign-coordinator", WARNING, "another gateway on our channel: %s") \
	X(METER_LOST, "meter-lost", WARNING, "meter does not answer: %s") \
	X(METER_BACK, "meter-back", INFO, "meter answers%s") \
	X(CLOCK_STEPPED, "clock-stepped", INFO, "clock stepped by %s") \
	X(STORE_FAILED, "store-failed", ALARM, "store: %s") \
	X(STORE_BACK, "store-back", INFO, "store works again%s") \
	X(STORE_DAMAGED, "store-damaged", WARNING, "damaged data set aside: %s") \
	X(UPLINK_DOWN, "uplink-down", INFO, "monitoring service unreachable: %s") \
	X(UPLINK_UP, "uplink-up", INFO, "monitoring service reachable%s") \
	X(ACCESS, "access", WARNING, "access: %s")
/* clang-format on */

enum model_event_kind {
#define X(id, name, severity, words) EVENT_##id,
	MODEL_EVENT_KINDS(X)
#undef X
		EVENT_COUNT
};

enum model_severity {
	SEVERITY_INFO,
	SEVERITY_WARNING,
	SEVERITY_ALARM,
};

const char *model_event_name(enum model_event_kind kind);
enum model_severity model_event_severity(enum model_event_kind kind);
const char *model_severity_name(enum model_severity severity);

/**
 * struct model_event - one event
 * @number: from 1, without gaps, over the life of the store
 * @time_ms: when it happened
 * @kind: what happened
 * @has_serial, @serial: the unit that it concerns
 * @detail: text for the %s of its words
 */
struct model_event {
	uint64_t number;
	int64_t time_ms;
	enum model_event_kind kind;
	bool has_serial;
	struct serial serial;
	char detail[ORDER_TEXT_SIZE];
};

/* Words of an event with its detail, into @text; returns @text. */
char *model_event_words(const struct model_event *event, char *text, size_t size);

/*
 * Faults of a unit in plain words, and what to do (the manual's troubleshooting). By fault code of
 * <qs1/codes.h>; "" for a number that is none.
 */
const char *model_fault_words(unsigned int fault);
const char *model_fault_advice(unsigned int fault);

/* A latched ground fault cannot be cleared by radio on a stock unit: no public source has the
 * opcode. */
#define MODEL_STOCK_GROUND_FAULT                                                                    \
	"no public source has the command that clears it: disconnect the inverter from AC and DC, " \
	"find the fault, and reconnect"

/**
 * struct model_radio - state of the radio
 * @up: network is up
 * @kind: "znp" or "wpan"
 * @channel, @pan: of the network
 * @resets: of the modem since the daemon started
 * @foreign_pan, @foreign_ms: coordinator of another network on our channel, and when it was last
 *                            heard; 0 for never
 */
struct model_radio {
	bool up;
	const char *kind;
	uint8_t channel;
	uint16_t pan;
	uint64_t resets;
	uint16_t foreign_pan;
	int64_t foreign_ms;
};

/**
 * struct model_status - of parts beside the units; each part writes its own
 * @uplink_ok, @uplink_ms: last success
 * @outbox: batches that wait
 * @outbox_sequence: of the newest batch
 * @store_ok, @store_error: "" while it works
 * @store_damaged, @store_damage: rows that were set aside, and the newest; see store_damage.h
 * @store_bytes: of the database
 * @meter_ok, @meter_ms: meter's last reading
 * @export_state: what the export control does, in a few words
 */
struct model_status {
	bool uplink_ok;
	int64_t uplink_ms;
	uint64_t outbox;
	uint64_t outbox_sequence;
	bool store_ok;
	char store_error[ORDER_TEXT_SIZE];
	uint64_t store_damaged;
	char store_damage[ORDER_TEXT_SIZE];
	uint64_t store_bytes;
	bool meter_ok;
	int64_t meter_ms;
	char export_state[ORDER_TEXT_SIZE];
};

/**
 * struct model_limit_entry - one owner's limit, as in power_limits.h, for showing
 * @site: for the whole site; otherwise for @serial
 */
struct model_limit_entry {
	char owner[ORDER_OWNER_SIZE];
	bool site;
	struct serial serial;
	double w;
	int64_t since_ms;
	int64_t until_ms;
	double then_w;
	char reason[MODEL_REASON_SIZE];
	char by[ORDER_BY_SIZE];
};

#define MODEL_LIMITS_MAX 512

struct model_watch;

/**
 * struct model - everything; one in the process
 * @ecu_id: 12 digits
 * @site_name: given by the owner
 * @generation: increases with each change; equal numbers mean equal contents
 * @unit, @units: in the order of their Modbus unit
 * @site: readings of scope SITE, by enum reading_id
 * @expected_ms: when all units will have reported, for "7 of 12, about 2 min"
 * @reported: units that have reported since the daemon started
 * @night: no unit is expected to answer
 * @event: ring; event number n is at n % MODEL_EVENTS
 * @event_last: newest number, 0 for none
 * @limit, @limits: all owners' limits
 * @order: newest orders, see orders.h
 */
struct model {
	char ecu_id[SERIAL_TEXT_SIZE];
	char site_name[MODEL_NAME_SIZE];
	uint64_t generation;
	int units;
	struct model_unit unit[MODEL_UNITS_MAX];
	struct reading site[READING_COUNT];
	int64_t started_ms;
	int64_t expected_ms;
	int reported;
	bool night;
	struct model_event event[MODEL_EVENTS];
	uint64_t event_last;
	int limits;
	struct model_limit_entry limit[MODEL_LIMITS_MAX];
	struct order order[ORDERS_KEPT];
	uint64_t order_last;
	struct model_radio radio;
	struct model_status status;
	struct model_watch *watch;
};

/* Kinds of change, for watchers. */
enum model_change {
	CHANGE_READING, /* a unit has reported */
	CHANGE_UNIT,	/* a unit was added, removed, renamed, or its link or limit changed */
	CHANGE_SITE,	/* readings of the site, radio, status */
	CHANGE_EVENT,	/* the newest event */
	CHANGE_ORDER,	/* an order's state */
};

/**
 * model_new() - an empty model
 *
 * Return: NULL without memory.
 */
struct model *model_new(const char *ecu_id);
void model_free(struct model *model);

/* One lock for the process. Readers of other threads hold it briefly. */
void model_lock(struct model *model);
void model_unlock(struct model *model);

/**
 * model_watch() - be called on the main loop after each change
 * @changed: called without the lock; @unit is the index of the unit that it concerns, or -1;
 *           @number that of an event or an order
 *
 * Return: 0 or -ENOMEM.
 */
int model_watch(struct model *model,
		void (*changed)(void *ctx, enum model_change change, int unit, uint64_t number),
		void *ctx);

/* The unit of a serial number, or NULL; @model is locked or on the main loop. */
struct model_unit *model_find(struct model *model, const struct serial *serial);
struct model_unit *model_find_modbus(struct model *model, uint8_t modbus_unit);
int model_index(const struct model *model, const struct model_unit *unit);

/**
 * model_copy() - a copy of one unit, taken under the lock
 *
 * Return: 0, or -ENOENT.
 */
int model_copy(struct model *model, const struct serial *serial, struct model_unit *ret);

/* ---- for the main loop alone; each takes the lock itself and calls the watchers ---- */

/**
 * model_add() - a unit that is not there
 * @unit: identity and place; readings are cleared, a free Modbus unit is chosen when it is 0
 *
 * Return: its index; -EEXIST; -ENOSPC.
 */
int model_add(struct model *model, const struct model_unit *unit);

/* Remove a unit. 0 or -ENOENT. */
int model_remove(struct model *model, const struct serial *serial);

/**
 * model_change() - begin or end a change of a unit by hand
 *
 * model_begin() locks and returns the unit; model_end() counts the generation, unlocks and calls
 * the watchers.
 */
struct model_unit *model_begin(struct model *model, int unit);
void model_end(struct model *model, enum model_change change, int unit);

/* Set one reading between model_begin() and model_end(). */
void model_put(struct model_unit *unit, enum reading_id id, int channel, double value,
	       int64_t time_ms);

/**
 * model_event() - append an event
 * @serial: NULL for the site
 *
 * Return: its number.
 */
uint64_t model_event(struct model *model, enum model_event_kind kind, const struct serial *serial,
		     const char *detail);

/**
 * model_order() - enter or update an order, by its number
 */
void model_order(struct model *model, const struct order *order);

/**
 * model_sum() - readings of the site from those of its units
 * @energy_wh, @today_wh: of the site, from the energy accounts
 * @now_ms: units whose readings are older than @fresh_ms do not count
 */
void model_sum(struct model *model, double energy_wh, double today_wh, int64_t now_ms,
	       int64_t fresh_ms);

#endif /* ECUD_MODEL_H */
