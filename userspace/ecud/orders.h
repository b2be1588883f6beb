/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Orders: everything that changes the world, from any interface, on any thread. An interface fills
 * a struct order and submits it; the main loop checks right and arguments, carries it out, and
 * keeps its state in the model. One table says which role may do what, and on which interface.
 */
#ifndef ECUD_ORDERS_H
#define ECUD_ORDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "serial.h"

#define ORDER_TEXT_SIZE 160
#define ORDER_OWNER_SIZE 32
#define ORDER_BY_SIZE 64
/* Newest orders that the model keeps; the store keeps all in the audit log. */
#define ORDERS_KEPT 256
/* An order that nobody has carried out by then has expired, s. */
#define ORDER_TTL_S 120

/* Roles, as bits; a person or a program has one. Columns: identifier, bit, name. */
/* clang-format off */
#define ORDER_ROLES(X) \
	X(OWNER, 0, "owner") \
	X(INSTALLER, 1, "installer") \
	X(VIEWER, 2, "viewer") \
	X(OPERATOR, 3, "operator") \
	X(MODBUS, 4, "modbus") \
	X(MQTT, 5, "mqtt") \
	X(EMA, 6, "ema") \
	X(SYSTEM, 7, "system") /* the gateway itself: export control, back-off */
/* clang-format on */

enum order_role {
#define X(id, bit, name) ROLE_##id = 1 << (bit),
	ORDER_ROLES(X)
#undef X
};

/* Interfaces, as bits. Columns: identifier, bit, name. */
/* clang-format off */
#define ORDER_INTERFACES(X) \
	X(REST, 0, "rest") \
	X(MODBUS, 1, "modbus") \
	X(MQTT, 2, "mqtt") \
	X(UPLINK, 3, "uplink") \
	X(LOCAL, 4, "local") /* the gateway itself */
/* clang-format on */

enum order_interface {
#define X(id, bit, name) INTERFACE_##id = 1 << (bit),
	ORDER_INTERFACES(X)
#undef X
};

#define ROLES_PEOPLE (ROLE_OWNER | ROLE_INSTALLER)
#define ROLES_CONTROL (ROLES_PEOPLE | ROLE_MODBUS | ROLE_MQTT | ROLE_EMA | ROLE_SYSTEM)
#define INTERFACES_ALL                                                                             \
	(INTERFACE_REST | INTERFACE_MODBUS | INTERFACE_MQTT | INTERFACE_UPLINK | INTERFACE_LOCAL)
#define INTERFACES_PEOPLE (INTERFACE_REST | INTERFACE_UPLINK | INTERFACE_LOCAL)

/* What an order may concern. */
enum order_scope {
	ORDER_UNIT = 1,
	ORDER_SITE = 2,
	ORDER_BOTH = 3,
};

/*
 * Commands. Columns: identifier, name, argument in words ("" for none), scope, roles, interfaces,
 * help. Documentation/ecu.md shows this table, and a test compares them.
 */
/* clang-format off */
#define ORDER_COMMANDS(X) \
	X(START, "start", "", BOTH, ROLES_CONTROL, INTERFACES_ALL, \
	  "remove the own limit of 0 W") \
	X(STOP, "stop", "lease_s", BOTH, ROLES_CONTROL, INTERFACES_ALL, \
	  "own limit of 0 W") \
	X(LIMIT, "limit", "w lease_s then_w reason", BOTH, ROLES_CONTROL, INTERFACES_ALL, \
	  "own power limit, W for each unit or for the site") \
	X(CLEAR, "clear", "fault", BOTH, ROLES_PEOPLE | ROLE_EMA, INTERFACES_PEOPLE | INTERFACE_MQTT, \
	  "clear a latched fault") \
	X(PROFILE, "profile", "name", BOTH, ROLE_INSTALLER, INTERFACES_PEOPLE, \
	  "put a grid profile in force") \
	X(IDENTIFY, "identify", "", UNIT, ROLES_PEOPLE | ROLE_EMA, INTERFACES_PEOPLE | INTERFACE_MQTT, \
	  "poll fast for a minute, so that the LED shows the link") \
	X(PAIR, "pair", "label", UNIT, ROLES_PEOPLE, INTERFACES_PEOPLE, \
	  "add an inverter by its label or serial number") \
	X(REMOVE, "remove", "", UNIT, ROLES_PEOPLE, INTERFACES_PEOPLE, \
	  "remove an inverter; its energy stays with the site") \
	X(REPLACE, "replace", "label rma", UNIT, ROLES_PEOPLE, INTERFACES_PEOPLE, \
	  "another inverter takes name, place, phase and Modbus unit; 0 W until confirmed") \
	X(CONFIRM, "confirm", "", UNIT, ROLES_PEOPLE, INTERFACES_PEOPLE, \
	  "end the 0 W of a replaced inverter") \
	X(EDIT, "edit", "name phase place", UNIT, ROLES_PEOPLE, INTERFACES_PEOPLE, \
	  "name, phase, place of each module") \
	X(CADENCE, "cadence", "period_s", SITE, ROLE_OWNER | ROLE_INSTALLER, INTERFACES_PEOPLE, \
	  "time between two readings of an inverter") \
	X(PHASES, "phases", "", SITE, ROLES_PEOPLE, INTERFACES_PEOPLE, \
	  "find the phase of each inverter by marks")
/* clang-format on */

enum order_command {
#define X(id, name, argument, scope, roles, interfaces, help) COMMAND_##id,
	ORDER_COMMANDS(X)
#undef X
		COMMAND_COUNT
};

struct order_desc {
	const char *name;
	const char *argument;
	enum order_scope scope;
	unsigned int roles;
	unsigned int interfaces;
	const char *help;
};

extern const struct order_desc order_desc[COMMAND_COUNT];

/* The command of a name, or -ENOENT. */
int order_command_find(const char *name);
/* Name of one role or interface bit. */
const char *order_role_name(unsigned int role);
const char *order_interface_name(unsigned int interface);

/* Columns: identifier, name, final. */
/* clang-format off */
#define ORDER_STATES(X) \
	X(QUEUED, "queued", false) \
	X(SENT, "sent", false) \
	X(CONFIRMED, "confirmed", true) \
	X(REFUSED, "refused", true) \
	X(EXPIRED, "expired", true) \
	X(UNCONFIRMED, "unconfirmed", true)
/* clang-format on */

enum order_state {
#define X(id, name, final) ORDER_##id,
	ORDER_STATES(X)
#undef X
		ORDER_STATE_COUNT
};

const char *order_state_name(enum order_state state);
bool order_state_is_final(enum order_state state);

/* Edits that COMMAND_EDIT makes, as bits of @edit. */
#define ORDER_EDIT_NAME 1
#define ORDER_EDIT_PHASE 2
#define ORDER_EDIT_PLACE 4

/**
 * struct order - one order
 * @number: given by order_submit(), from 1
 * @key: of the sender, "" for none: an order with the same key and sender is the same order
 * @command: what to do
 * @site: for the whole site; otherwise for @serial
 * @role, @interface: one bit each: with whose right, and over what
 * @owner: whose limit it is: "owner", "installer", "ema", "utility", "modbus-192.0.2.1", ...
 * @by: who, for the audit log: user or token and address
 * @issued_ms: when the sender made it; an order of another clock is refused when it is older than
 *             its time to live
 * @ttl_s: s after @issued_ms; 0 for ORDER_TTL_S
 * @w, @then_w: W; NAN for none
 * @lease_s: s; 0 until revoked, which owner and installer may say
 * @until: monotonic end of the lease is kept by power_limits.h
 * @text: name of a fault, a profile, a unit; or a label; by the table's column
 * @reason: why, for people
 * @phase: enum model_phase, for COMMAND_EDIT
 * @place: x, y, turn of each module; NAN for not placed
 * @state, @error, @message: result; @message is for people
 * @changed_ms: when @state last changed
 */
struct order {
	uint64_t number;
	char key[ORDER_BY_SIZE];
	enum order_command command;
	bool site;
	struct serial serial;
	unsigned int role;
	unsigned int interface;
	char owner[ORDER_OWNER_SIZE];
	char by[ORDER_BY_SIZE];
	int64_t issued_ms;
	uint32_t ttl_s;
	double w;
	double then_w;
	uint32_t lease_s;
	unsigned int edit;
	char text[ORDER_TEXT_SIZE];
	char rma[32];
	char reason[96];
	int phase;
	float place[4][3];
	enum order_state state;
	int error;
	char message[ORDER_TEXT_SIZE];
	int64_t changed_ms;
};

/* An order with no values: NAN, issued now. */
void order_init(struct order *order, enum order_command command, int64_t now_ms);

/**
 * order_check() - right, age, interface, scope and arguments; pure
 * @now_ms: for the age
 *
 * Return: 0; -EPERM role or interface; -ETIME too old or from the future by more than its time to
 * live; -EINVAL an argument, -EXDEV a command that has no such scope. @text has the reason.
 */
int order_check(const struct order *order, int64_t now_ms, char *text, size_t size);

struct orders;
struct sd_event;

/**
 * orders_new() - a queue with an eventfd on the main loop
 * @run: called on the main loop for each order that order_check() lets pass
 * @refused: called on the main loop for the others, with state and message set
 */
int orders_new(struct orders **ret, struct sd_event *event,
	       void (*run)(void *ctx, struct order *order),
	       void (*refused)(void *ctx, struct order *order), void *ctx);
void orders_free(struct orders *orders);

/**
 * order_submit() - from any thread
 *
 * Return: number of the order, whose state is in the model soon after; -EAGAIN while ORDERS_KEPT
 * wait.
 */
int64_t order_submit(struct orders *orders, const struct order *order);

#endif /* ECUD_ORDERS_H */
