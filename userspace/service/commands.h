/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Orders to a gateway: commands, roles, interfaces and arguments, in tables that gateway and
 * monitoring service share.
 */
#ifndef QS1_COMMANDS_H
#define QS1_COMMANDS_H

#include <stddef.h>

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
	X(LOCAL, 4, "local") /* the gateway itself */ \
	X(JOB, 5, "job") /* a job that the monitoring service has signed */
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
 * Commands. Columns: identifier, name, arguments of ORDER_ARGUMENTS() ("" for none; those with a
 * '?' may be absent), scope, roles, interfaces, help. Documentation/ecu.md shows this table, and a
 * test compares them.
 */
/* clang-format off */
#define ORDER_COMMANDS(X) \
	X(START, "start", "", BOTH, ROLES_CONTROL, INTERFACES_ALL, \
	  "remove the own limit of 0 W") \
	X(STOP, "stop", "lease_s?", BOTH, ROLES_CONTROL, INTERFACES_ALL, \
	  "own limit of 0 W") \
	X(LIMIT, "limit", "w lease_s? then_w? reason?", BOTH, ROLES_CONTROL, INTERFACES_ALL, \
	  "own power limit, W for each unit or for the site") \
	X(CLEAR, "clear", "fault", BOTH, ROLES_PEOPLE | ROLE_EMA, INTERFACES_PEOPLE | INTERFACE_MQTT, \
	  "clear a latched fault") \
	X(PROFILE, "profile", "name", BOTH, ROLE_INSTALLER | ROLE_EMA, INTERFACES_PEOPLE, \
	  "put a grid profile in force") \
	X(IDENTIFY, "identify", "", UNIT, ROLES_PEOPLE | ROLE_EMA, INTERFACES_PEOPLE | INTERFACE_MQTT, \
	  "poll fast for a minute, so that the LED shows the link") \
	X(PAIR, "pair", "label", UNIT, ROLES_PEOPLE, INTERFACES_PEOPLE | INTERFACE_JOB, \
	  "add an inverter by its label or serial number") \
	X(REMOVE, "remove", "", UNIT, ROLES_PEOPLE, INTERFACES_PEOPLE, \
	  "remove an inverter; its energy stays with the site") \
	X(REPLACE, "replace", "label rma?", UNIT, ROLES_PEOPLE, INTERFACES_PEOPLE, \
	  "another inverter takes name, place, phase and Modbus unit; 0 W until confirmed") \
	X(CONFIRM, "confirm", "", UNIT, ROLES_PEOPLE, INTERFACES_PEOPLE, \
	  "end the 0 W of a replaced inverter") \
	X(EDIT, "edit", "name? phase? place?", UNIT, ROLES_PEOPLE, INTERFACES_PEOPLE | INTERFACE_JOB, \
	  "name, phase, place of each module") \
	X(CADENCE, "cadence", "period_s", SITE, ROLE_OWNER | ROLE_INSTALLER, INTERFACES_PEOPLE, \
	  "time between two readings of an inverter") \
	X(PHASES, "phases", "", SITE, ROLES_PEOPLE, INTERFACES_PEOPLE, \
	  "find the phase of each inverter by marks") \
	X(COMMISSION, "commission", "inverters?", SITE, ROLES_PEOPLE | ROLE_EMA, \
	  INTERFACES_PEOPLE | INTERFACE_JOB, \
	  "wait until each inverter reports and produces, with grid and profile as they should be")
/* clang-format on */

/*
 * Arguments of commands. Columns: identifier, name, type, smallest and largest number, or least and
 * most bytes of a text; whether it may be null where it may not be absent. w: null is no limit.
 */
/* clang-format off */
#define ORDER_ARGUMENTS(X) \
	X(W, "w", NUMBER, 0, 1e7, true) \
	X(LEASE_S, "lease_s", INTEGER, 1, 86400, false) \
	X(THEN_W, "then_w", NUMBER, 0, 1e7, false) \
	X(REASON, "reason", TEXT, 0, 95, false) \
	X(FAULT, "fault", TEXT, 1, 31, false) \
	X(NAME, "name", TEXT, 0, 63, false) \
	X(LABEL, "label", TEXT, 12, 159, false) \
	X(RMA, "rma", TEXT, 0, 31, false) \
	X(PHASE, "phase", TEXT, 1, 15, false) \
	X(PLACE, "place", ARRAY, 0, 4, false) \
	X(PERIOD_S, "period_s", NUMBER, 1, 300, false) \
	X(INVERTERS, "inverters", INTEGER, 0, 254, false)
/* clang-format on */

/* An order of a job to commission waits at most for this long, s: until the next day has sun. */
#define COMMISSION_TTL_S 86400

enum order_command {
#define X(id, name, argument, scope, roles, interfaces, help) COMMAND_##id,
	ORDER_COMMANDS(X)
#undef X
		COMMAND_COUNT
};

/**
 * struct order_desc - a row of ORDER_COMMANDS()
 */
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
/**
 * order_check_arguments() - are these the arguments of a command, by the tables above?
 * @arguments: object, or NULL for none
 * @err: on failure what was expected and found
 *
 * Return: 0 or -EINVAL.
 */
struct json_object;
int order_check_arguments(enum order_command command, struct json_object *arguments, char *err,
			  size_t size);

/* Name of one role or interface bit. */
const char *order_role_name(unsigned int role);
const char *order_interface_name(unsigned int interface);

#endif /* QS1_COMMANDS_H */
