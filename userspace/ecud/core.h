/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The gateway without its I/O: what the radio hears goes into the model, the accounts and the
 * store; what people and programs order becomes limits and jobs of the plan, and is compared with
 * what the units report until both agree. Time goes in; main.c has the sockets and the clocks.
 */
#ifndef ECUD_CORE_H
#define ECUD_CORE_H

#include "account.h"
#include "export.h"
#include "power_limits.h"
#include "model.h"
#include "orders.h"
#include "phases.h"
#include "radio.h"
#include "store.h"

/* Orders that are under way. */
#define CORE_ORDERS_MAX 128
/* A stock unit stores each limit in its flash: at most one a minute. */
#define CORE_STOCK_LIMIT_US UINT64_C(60000000)
/* A latched ground fault is an alarm again after this time. */
#define CORE_REMIND_US UINT64_C(300000000)
/* Units that stop below their floor have turns of this length. */
#define CORE_ROTATE_US UINT64_C(900000000)
/* Leases, accounts and orders are looked at this often. */
#define CORE_TICK_US UINT64_C(1000000)
/* The grid parameters of an inverter are read again after this time: its operator may set one. */
#define CORE_PARAMS_US UINT64_C(3600000000)
/* After an answer that does not have them, they are asked for again after this time. */
#define CORE_PARAMS_RETRY_US UINT64_C(60000000)
/* A read-back of the limit may differ from what was sent by this much, W. */
#define CORE_LIMIT_TOLERANCE_W 1.0

/* How far an order is with one unit. */
enum core_progress {
	PROGRESS_NONE, /* the order does not concern it */
	PROGRESS_WAITS,
	PROGRESS_SENT,
	PROGRESS_CONFIRMED,
	PROGRESS_REFUSED,
};

/**
 * struct core_order - an order under way
 * @order: as it is in the model
 * @progress: by unit
 * @deadline_us: what is not confirmed by then is expired or unconfirmed
 */
struct core_order {
	struct order order;
	bool used;
	uint64_t deadline_us;
	enum core_progress progress[MODEL_UNITS_MAX];
};

/**
 * struct core_unit - what the gateway keeps of a unit beside the model
 * @account: energies
 * @boot, @seconds: of the last reading, to find a restart
 * @counted_us: monotonic time of the last reading of the counters; 0 before the first
 * @granted: limits that the unit is known to have
 * @sending: the limit that is under way
 * @acknowledged_us: last acknowledged limit; a read-back counts after it
 * @on, @on_known: a stock unit was switched on or off
 * @on_sending: what was sent to it
 * @stock_us: last limit of a stock unit, and the panel's limit that was sent, W; -1 for none
 * @event_last: last event of the unit's own log that we have
 * @reminded_us: last alarm of a latched ground fault
 * @params_due_us: when its grid parameters are to be read
 * @param_next: first parameter that this reading has not asked for
 * @param: what this reading has brought so far
 */
struct core_unit {
	struct account account[ACCOUNT_CHANNELS];
	uint64_t boot;
	int64_t seconds;
	uint64_t counted_us;
	struct power_limits_granted granted;
	struct power_limits_grant sending;
	uint64_t acknowledged_us;
	bool on;
	bool on_known;
	bool on_sending;
	uint64_t stock_us;
	int panel_w;
	int panel_sending;
	uint32_t event_last;
	uint64_t reminded_us;
	uint64_t params_due_us;
	int param_next;
	int32_t param[QS1_PARAM_COUNT];
	bool has_key;
	struct seal_key key;
};

/* Where a search for phases is. */
enum core_search_state {
	SEARCH_NONE,
	SEARCH_MARKS,
	SEARCH_COLLECTS,
};

/**
 * struct core_search - a search for phases
 * @order: what asked for it
 * @first, @mark: number of the first mark; marks that were sent
 * @due_us, @deadline_us: of its next step, and of its end
 * @units: of the site when it began
 * @asked: units that take part; @waits: those whose angles are not all here
 * @next: number of the first mark, from 0, that is not here
 * @tries: requests in a row without an answer
 * @deg: see phases_find()
 */
struct core_search {
	enum core_search_state state;
	struct order order;
	uint16_t first;
	int mark;
	uint64_t due_us;
	uint64_t deadline_us;
	int units;
	bool asked[MODEL_UNITS_MAX];
	bool waits[MODEL_UNITS_MAX];
	int next[MODEL_UNITS_MAX];
	int tries[MODEL_UNITS_MAX];
	double deg[MODEL_UNITS_MAX][PHASES_MARKS];
};

/**
 * struct core_ops - what the core cannot do by itself
 */
struct core_ops {
	void (*to_modem)(void *ctx, const uint8_t *bytes, size_t n);
	void (*hard_reset)(void *ctx);
	void (*random)(void *ctx, uint8_t *bytes, size_t n);
};

/**
 * struct core - state
 * @model, @store: @store may be NULL in tests
 * @now_us, @now_ms: the time, set by the caller before each call
 * @profiles: folder of grid profiles
 * @export, @balance_w: control of the export, and of the phases; NAN for none
 * @balance_us: next look at the phases
 * @stop_together: when a phase stops, the others stop
 * @stopped: bits of the phases for which the others are stopped; @stopped_us: their leases are
 *           renewed then
 * @store_ok: the store worked when last looked at
 * @store_damaged: rows that it had set aside then
 * @metered_us: when the meter measured its last reading
 * @removed: energy of units that are gone
 * @params_slot_us: when the next request for grid parameters may be sent
 * @first: which stock unit stops first below the floor
 * @tick_us: next look at leases and orders
 * @search: for phases
 */
struct core {
	struct model *model;
	struct store *store;
	const struct core_ops *ops;
	void *ctx;
	struct radio radio;
	struct power_limits limits;
	uint64_t metered_us;
	struct export export;
	double balance_w;
	uint64_t balance_us;
	bool stop_together;
	unsigned int stopped;
	uint64_t stopped_us;
	bool store_ok;
	uint64_t store_damaged;
	uint64_t now_us;
	int64_t now_ms;
	struct core_unit unit[MODEL_UNITS_MAX];
	const char *profiles;
	struct account removed;
	struct core_order order[CORE_ORDERS_MAX];
	uint64_t params_slot_us;
	int first;
	uint64_t rotate_us;
	uint64_t tick_us;
	struct core_search search;
};

/* ---- core.c ---- */

/**
 * core_new() - a gateway without units
 * @ecu: identity on the air
 */
struct core *core_new(struct model *model, struct store *store, const uint8_t ecu[JOIN_ECU_BYTES],
		      uint8_t channel, uint64_t cadence_us, uint64_t seed,
		      const struct core_ops *ops, void *ctx);
void core_free(struct core *core);

/* Set the time of what follows. */
void core_time(struct core *core, uint64_t now_us, int64_t now_ms);

/* The port of the radio was opened, or is gone; bytes of it. */
void core_open(struct core *core);
void core_close(struct core *core);
void core_bytes(struct core *core, const uint8_t *bytes, size_t n);

/* Time has passed; core_due() says by when. */
void core_run(struct core *core);
uint64_t core_due(const struct core *core);

/* A unit as the store has it; index, or -EEXIST, -ENOSPC. */
int core_add(struct core *core, const struct store_unit *unit);
int core_remove(struct core *core, int unit);

/* Energy of a unit that is gone; it stays with the site. */
void core_add_removed(struct core *core, const struct store_unit *unit);

/* Keep a unit's identity and accounts. */
void core_keep(struct core *core, int unit);

/* An event of a unit, or with -1 of the site. */
void core_event(struct core *core, enum model_event_kind kind, int unit, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Desired limits of a unit have changed: compare them with what it has. */
void core_reconcile(struct core *core, int unit);
void core_reconcile_all(struct core *core);

/* The limits as they are, in the model and in the store. */
void core_show_limits(struct core *core);

/* Below this power a unit can only stop, W. */
double core_floor(const struct model_unit *unit);

/* ---- control.c ---- */

/* Export and balance of the phases, once a tick. */
void core_control(struct core *core);

/* A reading of the meter; see ecu_meter(). */
void core_meter(struct core *core, double total_w, const double phase_w[3], int64_t time_ms);

/* ---- params.c ---- */

/* Ask an inverter of ours for its grid parameters, if they are due. */
void core_params_want(struct core *core, int unit);

/* The parameters that are known may no longer be in force: read them at once. */
void core_params_forget(struct core *core, int unit);

/* What JOB_READ_BACK sends to an inverter of ours; see struct radio_ops. */
bool core_params_request(struct core *core, int unit, struct radio_command *ret);

/* A request for parameters was not answered; the plan repeats it. */
void core_params_failed(struct core *core, int unit);

/* Its answer: 0 and the JSON text, or a negative errno. */
void core_params_done(struct core *core, int unit, int error, const char *text);

/* ---- phase_search.c ---- */

/* Look for the phases of all units that answer; the order ends with the search. */
void core_search_begin(struct core *core, struct order *order);
void core_search_run(struct core *core);
uint64_t core_search_due(const struct core *core);

/* A mark was sent, or could not be. */
void core_search_marked(struct core *core);

/* The first mark whose angle is wanted of a unit; angles of a unit. */
uint16_t core_search_from(const struct core *core, int unit);
void core_search_angles(struct core *core, int unit, const uint8_t *body, size_t n);

/* A unit did not answer. */
void core_search_failed(struct core *core, int unit);

/* A unit was removed: the indices have changed. */
void core_search_removed(struct core *core);

/* A person has named the phase of a unit: name the others of its group. */
void core_name_phases(struct core *core);

/* ---- commands.c ---- */

/* An order's state and message, in the model and, at its end, in the audit log. */
void core_publish(struct core *core, struct order *order, enum order_state state,
		  const char *message);
void core_refuse(struct core *core, struct order *order, int error, const char *message);

/* An order that has passed order_check(). */
void core_order(struct core *core, struct order *order);

/* An order was refused before it came here. */
void core_refused(struct core *core, struct order *order);

/* What JOB_COMMAND sends; see struct radio_ops. */
bool core_command(struct core *core, int unit, struct radio_command *ret);
void core_command_done(struct core *core, int unit, int error, const char *text);
void core_command_failed(struct core *core, int unit);

/* A unit was paired; or @error says why it cannot be. */
void core_pair_done(struct core *core, int unit, const char *error);

/* Look at the orders under way: limits that were confirmed, and deadlines. */
void core_watch_orders(struct core *core);

/* The unit at @unit is gone; the later ones move down. */
void core_orders_removed(struct core *core, int unit);

#endif /* ECUD_CORE_H */
