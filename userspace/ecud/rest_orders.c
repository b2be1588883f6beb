// SPDX-License-Identifier: GPL-2.0-or-later
/* REST interface: everything that changes the world becomes an order. */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "../service/service_clock.h"
#include "../service/wipe.h"
#include "rest.h"
#include "view.h"

#define LABELS_MAX 100
#define W_MAX 1e7
#define LEASE_MAX_S 86400

/* Roles of users are roles of orders. */
static_assert(1 << AUTH_OWNER == ROLE_OWNER && 1 << AUTH_INSTALLER == ROLE_INSTALLER &&
		      1 << AUTH_VIEWER == ROLE_VIEWER && 1 << AUTH_OPERATOR == ROLE_OPERATOR,
	      "the tables of roles differ");

/* An order of the client, without arguments. */
static void begin_order(struct http_request *request, struct order *order,
			enum order_command command)
{
	const struct auth_identity *who = http_identity(request);

	order_init(order, command, clock_wall_ms());
	order->role = 1u << who->role;
	order->interface = INTERFACE_REST;
	snprintf(order->owner, sizeof(order->owner), "%s", auth_role_name(who->role));
	snprintf(order->by, sizeof(order->by), "%.40s %.22s", who->name, http_from(request));
}

/* Check and submit. Replies and returns false if the order is refused. */
static bool submit(struct http_request *request, struct order *order)
{
	char text[ORDER_TEXT_SIZE] = "";
	int64_t ret = order_check(order, clock_wall_ms(), text, sizeof(text));

	if (ret == 0) {
		ret = order_submit(rest_of(request)->ecu->orders, order);
		snprintf(text, sizeof(text), "expected fewer orders at once");
	}
	if (ret < 0) {
		rest_audit(request, order_desc[order->command].name, "", text);
		http_reply_errno(request, ret == -EXDEV ? -EINVAL : ret, "%s: %s",
				 order_desc[order->command].name, text);
		return false;
	}
	order->number = ret;
	order->state = ORDER_QUEUED;
	order->changed_ms = order->issued_ms;
	return true;
}

static void submit_and_reply(struct http_request *request, struct order *order)
{
	if (submit(request, order)) {
		http_reply_json(request, 202, view_order(order));
	}
}

/* A number that may be absent or null, which are NAN. */
static bool take_watts(struct http_request *request, const char *name, double *ret_w)
{
	struct json_object *value = NULL;

	if (!json_object_object_get_ex(http_json(request), name, &value) || !value) {
		*ret_w = (double)NAN;
		return true;
	}
	return http_number(request, name, 0, W_MAX, (double)NAN, ret_w);
}

/* Seconds that may be absent or null, which are 0: until revoked. */
static bool take_lease(struct http_request *request, uint32_t *ret_s)
{
	struct json_object *value = NULL;
	int64_t lease_s = 0;

	if (json_object_object_get_ex(http_json(request), "lease_s", &value) && value &&
	    !http_int(request, "lease_s", 1, LEASE_MAX_S, NULL, &lease_s)) {
		return false;
	}
	*ret_s = lease_s;
	return true;
}

/* A text into an array of the order. */
static bool take_text(struct http_request *request, const char *name, size_t min, char *text,
		      size_t size)
{
	const char *found;

	if (!http_text(request, name, min, size - 1, &found)) {
		return false;
	}
	snprintf(text, size, "%s", found);
	return true;
}

/* Commands. */

static bool take_limit(struct http_request *request, struct order *order)
{
	return take_watts(request, "w", &order->w) &&
	       take_watts(request, "then_w", &order->then_w) &&
	       take_lease(request, &order->lease_s);
}

static bool take_stop(struct http_request *request, struct order *order)
{
	return take_lease(request, &order->lease_s);
}

static bool take_fault(struct http_request *request, struct order *order)
{
	return take_text(request, "fault", 1, order->text, sizeof(order->text));
}

static bool take_profile(struct http_request *request, struct order *order)
{
	return take_text(request, "profile", 1, order->text, sizeof(order->text));
}

static bool take_period(struct http_request *request, struct order *order)
{
	return http_number(request, "period_s", 1, 300, (double)NAN, &order->w);
}

static bool take_inverters(struct http_request *request, struct order *order)
{
	const int64_t none = -1;
	int64_t inverters;

	if (!http_int(request, "inverters", 0, MODEL_UNITS_MAX, &none, &inverters)) {
		return false;
	}
	order->w = inverters < 0 ? (double)NAN : (double)inverters;
	return true;
}

/* Commands of POST commands, and the arguments of each; the others have operations of their own. */
static const struct {
	enum order_command command;
	bool (*take)(struct http_request *request, struct order *order);
} commands[] = {
	{ COMMAND_START, NULL },	   { COMMAND_STOP, take_stop },
	{ COMMAND_LIMIT, take_limit },	   { COMMAND_CLEAR, take_fault },
	{ COMMAND_PROFILE, take_profile }, { COMMAND_IDENTIFY, NULL },
	{ COMMAND_CONFIRM, NULL },	   { COMMAND_CADENCE, take_period },
	{ COMMAND_PHASES, NULL },	   { COMMAND_COMMISSION, take_inverters },
};

static void run_command(struct http_request *request, const struct serial *serial)
{
	struct order order;
	const int64_t usual_ttl_s = 0;
	int64_t ttl_s;
	const char *name;

	if (!http_text(request, "command", 1, 31, &name)) {
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(order_desc[commands[i].command].name, name)) {
			continue;
		}
		begin_order(request, &order, commands[i].command);
		order.site = !serial;
		if (serial) {
			order.serial = *serial;
		}
		if ((commands[i].take && !commands[i].take(request, &order)) ||
		    !take_text(request, "reason", 0, order.reason, sizeof(order.reason)) ||
		    !take_text(request, "key", 0, order.key, sizeof(order.key)) ||
		    !http_int(request, "ttl_s", 1, LEASE_MAX_S, &usual_ttl_s, &ttl_s)) {
			return;
		}
		order.ttl_s = ttl_s;
		submit_and_reply(request, &order);
		return;
	}
	http_reply_error(request, 400, "invalid",
			 "command: expected start, stop, clear, limit, profile, identify, confirm, "
			 "cadence, phases or commission, found '%s'",
			 name);
}

void rest_post_commands(struct http_request *request)
{
	run_command(request, NULL);
}

void rest_post_inverters_serial_commands(struct http_request *request)
{
	struct model_unit unit;

	if (rest_unit(request, &unit)) {
		run_command(request, &unit.serial);
	}
}

void rest_put_limits_owner(struct http_request *request)
{
	struct json_object *serial = NULL;
	struct model_unit unit;
	struct order order;

	begin_order(request, &order, COMMAND_LIMIT);
	snprintf(order.owner, sizeof(order.owner), "%.31s", http_param(request, "owner"));
	order.site = !json_object_object_get_ex(http_json(request), "serial", &serial) || !serial;
	if (!order.site) {
		if (serial_parse(json_object_get_string(serial), &order.serial) < 0 ||
		    model_copy(rest_of(request)->ecu->model, &order.serial, &unit) < 0) {
			http_reply_errno(request, -ENOENT,
					 "serial: expected the serial number of an inverter of "
					 "this site, found %.40s",
					 json_object_to_json_string(serial));
			return;
		}
	}
	if (!json_object_object_get_ex(http_json(request), "w", NULL)) {
		http_reply_error(request, 400, "invalid",
				 "w: expected a number or null, found none");
	} else if (take_limit(request, &order) &&
		   take_text(request, "reason", 0, order.reason, sizeof(order.reason))) {
		submit_and_reply(request, &order);
	}
}

/* Orders. */

void rest_get_orders(struct http_request *request)
{
	struct model *model = rest_of(request)->ecu->model;
	struct json_object *json = json_object_new_object();
	struct json_object *array = json_object_new_array();

	model_lock(model);
	for (uint64_t n = 0; n < ORDERS_KEPT; n++) {
		uint64_t number = model->order_last - n;
		const struct order *order = &model->order[number % ORDERS_KEPT];

		if (number == 0 || order->number != number) {
			break;
		}
		json_object_array_add(array, view_order(order));
	}
	model_unlock(model);
	json_object_object_add(json, "orders", array);
	http_reply_json(request, 200, json);
}

void rest_get_orders_id(struct http_request *request)
{
	struct model *model = rest_of(request)->ecu->model;
	const char *text = http_param(request, "id");
	struct json_object *json = NULL;
	char *end;
	uint64_t number = strtoull(text, &end, 10);

	if (!*end && number) {
		const struct order *order = &model->order[number % ORDERS_KEPT];

		model_lock(model);
		if (order->number == number) {
			json = view_order(order);
		}
		model_unlock(model);
	}
	if (json) {
		http_reply_json(request, 200, json);
	} else {
		http_reply_errno(request, -ENOENT,
				 "orders: expected the number of one of the last %d, found '%.32s'",
				 ORDERS_KEPT, text);
	}
}

/* Units. */

void rest_put_inverters_serial(struct http_request *request)
{
	struct model_unit unit;
	struct order order;
	const char *text;

	if (!rest_unit(request, &unit)) {
		return;
	}
	begin_order(request, &order, COMMAND_EDIT);
	order.serial = unit.serial;
	if (json_object_object_get_ex(http_json(request), "name", NULL)) {
		order.edit |= ORDER_EDIT_NAME;
		if (!take_text(request, "name", 0, order.text, MODEL_NAME_SIZE)) {
			return;
		}
	}
	if (json_object_object_get_ex(http_json(request), "phase", NULL)) {
		if (!http_text(request, "phase", 1, 15, &text)) {
			return;
		}
		order.edit |= ORDER_EDIT_PHASE;
		order.phase = model_phase_find(text);
		if (order.phase < 0) {
			http_reply_error(request, 400, "invalid",
					 "phase: expected L1, L2, L3, L1-L2, L2-L3, L3-L1 or "
					 "unknown, found '%s'",
					 text);
			return;
		}
	}
	submit_and_reply(request, &order);
}

void rest_delete_inverters_serial(struct http_request *request)
{
	struct model_unit unit;
	struct order order;

	if (rest_unit(request, &unit)) {
		begin_order(request, &order, COMMAND_REMOVE);
		order.serial = unit.serial;
		submit_and_reply(request, &order);
	}
}

/* A label, or a serial number alone. */
static bool take_label(struct http_request *request, const char *text, struct serial *ret_serial)
{
	uint8_t code[INSTALL_CODE_BYTES];
	int ret = label_parse(text, ret_serial, code);

	explicit_bzero(code, sizeof(code));
	if (ret < 0 && ret != -EBADMSG) {
		ret = serial_parse(text, ret_serial);
	}
	if (ret < 0) {
		http_reply_error(request, 400, "invalid",
				 "label: expected a serial number of 12 digits, or the text of a "
				 "label, found one %s",
				 ret == -EBADMSG ? "with a wrong check" : "of another form");
		return false;
	}
	return true;
}

void rest_post_inverters_serial_replace(struct http_request *request)
{
	struct serial new_serial;
	struct model_unit unit;
	struct order order;

	if (!rest_unit(request, &unit)) {
		return;
	}
	begin_order(request, &order, COMMAND_REPLACE);
	order.serial = unit.serial;
	if (take_text(request, "label", SERIAL_DIGITS, order.text, sizeof(order.text)) &&
	    take_text(request, "rma", 0, order.rma, sizeof(order.rma)) &&
	    take_label(request, order.text, &new_serial)) {
		submit_and_reply(request, &order);
	}
	explicit_bzero(order.text, sizeof(order.text));
}

/* Submit orders, and reply with them; the first that is refused ends it. */
static void submit_all(struct http_request *request, struct order *orders, size_t count)
{
	struct json_object *json;
	struct json_object *array;

	for (size_t i = 0; i < count; i++) {
		if (!submit(request, &orders[i])) {
			return;
		}
	}
	json = json_object_new_object();
	array = json_object_new_array();
	for (size_t i = 0; i < count; i++) {
		json_object_array_add(array, view_order(&orders[i]));
	}
	json_object_object_add(json, "orders", array);
	http_reply_json(request, 202, json);
}

/* An array of the body with 1 to @max members; replies and returns NULL if it is none. */
static struct json_object *take_array(struct http_request *request, const char *name, size_t max)
{
	struct json_object *array = json_object_object_get(http_json(request), name);

	if (json_object_is_type(array, json_type_array) && json_object_array_length(array) >= 1 &&
	    json_object_array_length(array) <= max) {
		return array;
	}
	http_reply_error(request, 400, "invalid", "%s: expected an array of 1 to %zu members", name,
			 max);
	return NULL;
}

void rest_post_pairing(struct http_request *request)
{
	struct json_object *labels = take_array(request, "labels", LABELS_MAX);
	struct order *orders;
	size_t count;
	bool sound = true;

	if (!labels) {
		return;
	}
	count = json_object_array_length(labels);
	orders = calloc(count, sizeof(*orders));
	if (!orders) {
		http_reply_errno(request, -EAGAIN, "no memory");
		return;
	}
	for (size_t i = 0; i < count && sound; i++) {
		struct json_object *each = json_object_array_get_idx(labels, i);
		const char *text = json_object_is_type(each, json_type_string)
					   ? json_object_get_string(each)
					   : "";

		begin_order(request, &orders[i], COMMAND_PAIR);
		sound = take_label(request, text, &orders[i].serial);
		snprintf(orders[i].text, sizeof(orders[i].text), "%s", text);
	}
	if (sound) {
		submit_all(request, orders, count);
	}
	wipe_free(orders, count * sizeof(*orders));
}

/* Roof map. */

/* A number of a module within ±@max. */
static bool module_number(struct http_request *request, struct json_object *module,
			  const char *name, double max, float *ret_value)
{
	struct json_object *value = json_object_object_get(module, name);
	double number = json_object_get_double(value);

	if ((json_object_is_type(value, json_type_double) ||
	     json_object_is_type(value, json_type_int)) &&
	    fabs(number) <= max) {
		*ret_value = number;
		return true;
	}
	http_reply_error(request, 400, "invalid", "modules: %s: expected -%g to %g, found %.40s",
			 name, max, max, json_object_to_json_string(value));
	return false;
}

/* The order that places modules of this unit; a new one with none of them placed. */
static struct order *order_of_unit(struct http_request *request, struct order *orders,
				   size_t *count, const struct serial *serial)
{
	struct order *order = orders;

	while (order < orders + *count && !serial_equal(&order->serial, serial)) {
		order++;
	}
	if (order == orders + *count) {
		begin_order(request, order, COMMAND_EDIT);
		order->edit = ORDER_EDIT_PLACE;
		order->serial = *serial;
		(*count)++;
	}
	return order;
}

/* One module into the order of its unit. */
static bool take_module(struct http_request *request, struct json_object *module,
			struct order *orders, size_t *count)
{
	struct json_object *serial_json = json_object_object_get(module, "serial");
	const char *serial_text = json_object_is_type(serial_json, json_type_string)
					  ? json_object_get_string(serial_json)
					  : "";
	int channel = json_object_get_int(json_object_object_get(module, "channel"));
	struct serial serial;
	struct model_unit unit;
	float *place;

	if (serial_parse(serial_text, &serial) < 0 ||
	    model_copy(rest_of(request)->ecu->model, &serial, &unit) < 0 || channel < 1 ||
	    channel > MODEL_CHANNELS) {
		http_reply_error(request, 400, "invalid",
				 "modules: expected an inverter of this site and a channel from 1 "
				 "to %d, found %.120s",
				 MODEL_CHANNELS, json_object_to_json_string(module));
		return false;
	}
	place = order_of_unit(request, orders, count, &serial)->place[channel - 1];
	return module_number(request, module, "x", 1000, &place[0]) &&
	       module_number(request, module, "y", 1000, &place[1]) &&
	       module_number(request, module, "turn", 360, &place[2]);
}

void rest_put_topology(struct http_request *request)
{
	struct json_object *modules =
		take_array(request, "modules", MODEL_UNITS_MAX * MODEL_CHANNELS);
	struct order *orders __cleanup(free_ptr) = NULL;
	size_t count = 0;

	if (!modules) {
		return;
	}
	orders = calloc(MODEL_UNITS_MAX, sizeof(*orders));
	if (!orders) {
		http_reply_errno(request, -EAGAIN, "no memory");
		return;
	}
	for (size_t i = 0; i < json_object_array_length(modules); i++) {
		if (!take_module(request, json_object_array_get_idx(modules, i), orders, &count)) {
			return;
		}
	}
	submit_all(request, orders, count);
}
