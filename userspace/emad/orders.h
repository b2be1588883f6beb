/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Orders to ECUs. What an ECU can be ordered to do, by whom and with which arguments, is in the
 * tables of commands.h, which the ECU shares: this service takes the commands that have the role
 * ema and the interface uplink.
 */
#ifndef EMAD_ORDERS_H
#define EMAD_ORDERS_H

#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>

#include "auth.h"
#include "sql.h"

#define ORDERS_ID_SIZE 40
#define ORDERS_TTL_S 120

/**
 * orders_check() - a command and its arguments
 * @command: as typed
 * @arguments: object, or NULL for none
 * @role: of the person who gives the order
 * @err: on failure what was expected and found
 *
 * Return: 0, -EINVAL, -EPERM.
 */
int orders_check(const char *command, struct json_object *arguments, enum auth_role role, char *err,
		 size_t size);

/**
 * orders_add() - queue an order that orders_check() let pass
 * @serial: 0 for the whole site
 * @ret_id: ORDERS_ID_SIZE bytes
 *
 * Return: 0 or a negative errno.
 */
int orders_add(struct sql *sql, int64_t site, uint64_t serial, const char *command,
	       struct json_object *arguments, const char *by, const char *role, int64_t ttl_s,
	       int64_t now_ms, char *ret_id);

/* An order as the uplink has it: columns id, command, serial, arguments, by_name, role, issued_ms,
 * ttl_s. */
struct json_object *orders_uplink_json(const struct sql_rows *rows);

/**
 * orders_list() - orders of a site as the web interface has them, newest first
 * @id: only this one, NULL for all
 * @before: only orders before this sequence
 *
 * Return: an array, or NULL on an error.
 */
struct json_object *orders_list(struct sql *sql, int64_t site, const char *id, int64_t before,
				int64_t limit);

/* Ends orders whose time is over: expired if no ECU has fetched them, unconfirmed otherwise. */
int orders_expire(struct sql *sql, int64_t now_ms);

#endif /* EMAD_ORDERS_H */
