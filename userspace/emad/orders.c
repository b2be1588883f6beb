// SPDX-License-Identifier: GPL-2.0-or-later
/* Orders to ECUs, see orders.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "commands.h"
#include "json.h"
#include "orders.h"

int orders_check(const char *command, struct json_object *arguments, enum auth_role role, char *err,
		 size_t size)
{
	int known = order_command_find(command);

	if (known < 0 || !(order_desc[known].roles & ROLE_EMA) ||
	    !(order_desc[known].interfaces & INTERFACE_UPLINK)) {
		snprintf(err, size, "unknown command '%.40s'", command);
		return -EINVAL;
	}
	if (!(order_desc[known].roles & AUTH_BIT(role))) {
		snprintf(err, size, "the role %s may not order '%s'", auth_role_name(role),
			 command);
		return -EPERM;
	}
	return order_check_arguments((enum order_command)known, arguments, err, size);
}

int orders_add(struct sql *sql, int64_t site, uint64_t serial, const char *command,
	       struct json_object *arguments, const char *by, const char *role, int64_t ttl_s,
	       int64_t now_ms, char *ret_id)
{
	uint8_t random[16];
	char hex[33];
	int ret;

	randombytes_buf(random, sizeof(random));
	sodium_bin2hex(hex, sizeof(hex), random, sizeof(random));
	snprintf(ret_id, ORDERS_ID_SIZE, "ema-%s", hex);
	ret = sql_run(
		sql,
		"INSERT INTO orders (id, site, serial, command, arguments, by_name, role, "
		"issued_ms, ttl_s, state) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'queued')",
		"sinssssii", ret_id, site, serial ? (int64_t)serial : SQL_NULL, command,
		arguments ? json_object_to_json_string(arguments) : "{}", by, role, now_ms, ttl_s);
	return ret < 0 ? ret : 0;
}

/* Members that uplink and web have in common; columns as for orders_uplink_json(). */
static struct json_object *common_json(const struct sql_rows *rows)
{
	struct json_object *order = json_object_new_object();

	json_row_text(order, "id", rows, 0);
	json_row_text(order, "command", rows, 1);
	json_id(order, "serial", (uint64_t)sql_int(rows, 2));
	json_object_object_add(order, "arguments", json_tokener_parse(sql_text(rows, 3)));
	json_row_text(order, "by", rows, 4);
	json_row_int(order, "issued_ms", rows, 6);
	return order;
}

struct json_object *orders_uplink_json(const struct sql_rows *rows)
{
	struct json_object *order = common_json(rows);

	json_row_text(order, "role", rows, 5);
	json_row_int(order, "ttl_s", rows, 7);
	return order;
}

static int add_results(struct sql *sql, struct json_object *order, const char *id)
{
	struct json_object *results = json_object_new_array();
	struct sql_rows *rows __cleanup(sql_done_ptr) = NULL;
	int ret = sql_query(
		sql, &rows,
		"SELECT serial, state, time_ms, text FROM results WHERE order_id = $1 ORDER "
		"BY serial",
		"s", id);

	json_object_object_add(order, "results", results);
	while (ret == 0 && (ret = sql_next(rows)) > 0) {
		struct json_object *result = json_object_new_object();

		json_id(result, "serial", (uint64_t)sql_int(rows, 0));
		json_row_text(result, "state", rows, 1);
		json_row_int(result, "time_ms", rows, 2);
		json_row_text(result, "text", rows, 3);
		json_object_array_add(results, result);
		ret = 0;
	}
	return ret;
}

struct json_object *orders_list(struct sql *sql, int64_t site, const char *id, int64_t before,
				int64_t limit)
{
	struct json_object *orders = json_object_new_array();
	struct sql_rows *rows __cleanup(sql_done_ptr) = NULL;
	int ret = sql_query(
		sql, &rows,
		"SELECT id, command, serial, arguments, by_name, role, issued_ms, ttl_s, "
		"state, site, sequence FROM orders WHERE site = $1 AND ($2 = '' OR id = $2) "
		"AND sequence < $3 ORDER BY sequence DESC LIMIT $4",
		"isii", site, id ? id : "", before, limit);

	while (ret == 0 && (ret = sql_next(rows)) > 0) {
		struct json_object *order = common_json(rows);

		json_row_int(order, "site", rows, 9);
		json_row_int(order, "sequence", rows, 10);
		json_int(order, "expires_ms", sql_int(rows, 6) + sql_int(rows, 7) * 1000);
		json_row_text(order, "state", rows, 8);
		json_object_array_add(orders, order);
		ret = add_results(sql, order, sql_text(rows, 0));
	}
	if (ret < 0) {
		json_object_put(orders);
		return NULL;
	}
	return orders;
}

int orders_expire(struct sql *sql, int64_t now_ms)
{
	int ret = sql_run(
		sql,
		"UPDATE orders SET state = CASE state WHEN 'queued' THEN 'expired' ELSE "
		"'unconfirmed' END WHERE state IN ('queued', 'sent') AND issued_ms + ttl_s * "
		"1000 < $1",
		"i", now_ms);

	return ret < 0 ? ret : 0;
}
