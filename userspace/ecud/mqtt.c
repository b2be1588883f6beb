// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libmosquitto on the main loop.
 *
 *	qs1/<ecu>/status                      online, offline: birth and will
 *	qs1/<ecu>/site/<reading>
 *	qs1/<ecu>/<serial>/<reading>          and link, state, faults, limit_confirm
 *	qs1/<ecu>/<serial>/<channel>/<reading>
 *	qs1/<ecu>/<serial or site>/set/<command>    commands
 *	qs1/<ecu>/<serial or site>/result           state of their orders, JSON
 *	homeassistant/device/qs1_<serial>/config    discovery
 */
#include "mqtt.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include <mosquitto.h>
#include <systemd/sd-event.h>

#include "../lib/log.h"
#include "../lib/names.h"
#include "../lib/util.h"
#include "../lib/version.h"
#include "../service/service_clock.h"
#include "settings.h"
#include "view.h"

#define PREFIX "qs1/"
#define HOME_ASSISTANT "homeassistant"
#define SITE "site"
#define METER_PREFIX "mqtt:"
#define KEEP_ALIVE_S 30
#define TICK_US 1000000
#define RETRY_TICKS 5
/* Messages that wait in libmosquitto for a slow broker; readings beyond them are dropped. */
#define WAITING_MAX 4000
#define COMMAND_MAX 512
#define TOPIC_SIZE 160
/* Lease of a limit whose message names none, s. */
#define LEASE_S 900
#define EXPIRE_POLLS 3
#define EXPIRE_MIN_S 15

/**
 * struct mqtt - the client
 * @waiting: messages that libmosquitto has not sent
 * @ticks: since the last try to connect
 * @watched: socket of @io
 */
struct mqtt {
	struct ecu *ecu;
	struct mosquitto *client;
	char host[200];
	int port;
	char base[40];
	bool connected;
	bool failed;
	unsigned int ticks;
	int waiting;
	int watched;
	sd_event_source *io;
	sd_event_source *tick;
	const char *meter_topic;
};

/* Discovery. */

static void put_text(struct json_object *object, const char *name, const char *text)
{
	json_object_object_add(object, name, json_object_new_string(text));
}

/* Home Assistant spells degrees with its sign. */
static const char *unit_of_measurement(const struct reading_desc *desc)
{
	return strcmp(desc->unit, "degree C") ? desc->unit : "\u00b0C";
}

static struct json_object *sensor(const struct reading_desc *desc, const char *id, const char *name,
				  const char *topic, int expire_s)
{
	struct json_object *object = json_object_new_object();

	put_text(object, "platform", "sensor");
	put_text(object, "unique_id", id);
	put_text(object, "name", name);
	put_text(object, "state_topic", topic);
	put_text(object, "unit_of_measurement", unit_of_measurement(desc));
	if (*desc->device_class) {
		put_text(object, "device_class", desc->device_class);
	}
	if (*desc->state_class) {
		put_text(object, "state_class", desc->state_class);
	}
	json_object_object_add(object, "suggested_display_precision",
			       json_object_new_int(desc->decimals));
	if (expire_s && strcmp(desc->device_class, "energy")) {
		json_object_object_add(object, "expire_after", json_object_new_int(expire_s));
	}
	return object;
}

static void add_sensors(struct json_object *components, const char *base, const char *device,
			enum reading_scope scope, int expire_s)
{
	int channels = scope == SCOPE_CHANNEL ? MODEL_CHANNELS : 1;

	for (int id = 0; id < READING_COUNT; id++) {
		const struct reading_desc *desc = &model_reading[id];

		for (int n = 0; n < channels && desc->scope == scope; n++) {
			char unique[96], topic[TOPIC_SIZE], name[160];
			int length = strcspn(desc->help, "\n");

			if (scope == SCOPE_CHANNEL) {
				snprintf(unique, sizeof(unique), "%s_%d_%s", device, n + 1,
					 desc->name);
				snprintf(topic, sizeof(topic), "%s/%d/%s", base, n + 1, desc->name);
				snprintf(name, sizeof(name), "%.*s %d", length, desc->help, n + 1);
			} else {
				snprintf(unique, sizeof(unique), "%s_%s", device, desc->name);
				snprintf(topic, sizeof(topic), "%s/%s", base, desc->name);
				snprintf(name, sizeof(name), "%.*s", length, desc->help);
			}
			json_object_object_add(components, unique,
					       sensor(desc, unique, name, topic, expire_s));
		}
	}
}

/* Entities that send commands. */
static void add_commands(struct json_object *components, const char *base, const char *device,
			 int rated_w)
{
	static const char *const buttons[] = { "start", "stop" };
	struct json_object *number = json_object_new_object();
	char unique[96], topic[TOPIC_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(buttons); i++) {
		struct json_object *button = json_object_new_object();

		snprintf(unique, sizeof(unique), "%s_set_%s", device, buttons[i]);
		snprintf(topic, sizeof(topic), "%s/set/%s", base, buttons[i]);
		put_text(button, "platform", "button");
		put_text(button, "unique_id", unique);
		put_text(button, "name", buttons[i]);
		put_text(button, "command_topic", topic);
		json_object_object_add(components, unique, button);
	}
	snprintf(unique, sizeof(unique), "%s_set_limit", device);
	snprintf(topic, sizeof(topic), "%s/set/limit", base);
	put_text(number, "platform", "number");
	put_text(number, "unique_id", unique);
	put_text(number, "name", "Power limit");
	put_text(number, "command_topic", topic);
	snprintf(topic, sizeof(topic), "%s/power_limit", base);
	put_text(number, "state_topic", topic);
	put_text(number, "unit_of_measurement", "W");
	json_object_object_add(number, "min", json_object_new_int(0));
	json_object_object_add(number, "max", json_object_new_int(rated_w));
	json_object_object_add(components, unique, number);
}

static struct json_object *device_json(const char *ecu_id, const char *site_name,
				       const struct model_unit *unit, const char *device,
				       const char *serial)
{
	struct json_object *object = json_object_new_object();
	struct json_object *identifiers = json_object_new_array();
	char via[40];

	json_object_array_add(identifiers, json_object_new_string(device));
	json_object_object_add(object, "identifiers", identifiers);
	put_text(object, "name", unit ? (*unit->name ? unit->name : serial) : site_name);
	put_text(object, "manufacturer", "qs1");
	put_text(object, "serial_number", serial);
	if (!unit) {
		put_text(object, "model", "ECU");
		put_text(object, "sw_version", qs1_version);
		return object;
	}
	put_text(object, "model", *unit->model ? unit->model : "QS1");
	if (*unit->firmware) {
		put_text(object, "sw_version", unit->firmware);
	}
	snprintf(via, sizeof(via), "qs1_%s", ecu_id);
	put_text(object, "via_device", via);
	return object;
}

struct json_object *mqtt_discovery(const char *ecu_id, const char *site_name,
				   const struct model_unit *unit, bool commands)
{
	struct json_object *message = json_object_new_object();
	struct json_object *origin = json_object_new_object();
	struct json_object *components = json_object_new_object();
	char serial[SERIAL_TEXT_SIZE], device[32], base[64], availability[64];
	int expire_s = 0;

	if (unit) {
		serial_format(serial, &unit->serial);
		expire_s = EXPIRE_POLLS * unit->cadence_ms / 1000;
		expire_s = expire_s > EXPIRE_MIN_S ? expire_s : EXPIRE_MIN_S;
	} else {
		snprintf(serial, sizeof(serial), "%s", ecu_id);
	}
	snprintf(device, sizeof(device), "qs1_%s", serial);
	snprintf(base, sizeof(base), PREFIX "%s/%s", ecu_id, unit ? serial : SITE);
	snprintf(availability, sizeof(availability), PREFIX "%s/status", ecu_id);
	put_text(origin, "name", "qs1 ecud");
	put_text(origin, "sw_version", qs1_version);
	add_sensors(components, base, device, unit ? SCOPE_UNIT : SCOPE_SITE, expire_s);
	if (unit) {
		add_sensors(components, base, device, SCOPE_CHANNEL, expire_s);
	}
	if (commands && unit) {
		add_commands(components, base, device, MODEL_RATED_W);
	}
	json_object_object_add(message, "device",
			       device_json(ecu_id, site_name, unit, device, serial));
	json_object_object_add(message, "origin", origin);
	put_text(message, "availability_topic", availability);
	json_object_object_add(message, "components", components);
	return message;
}

/* Publishing. */

static void publish(struct mqtt *mqtt, const char *topic, const char *text, bool retain)
{
	if (!mqtt->connected || (!retain && mqtt->waiting >= WAITING_MAX)) {
		return;
	}
	if (mosquitto_publish(mqtt->client, NULL, topic, strlen(text), text, 0, retain) ==
	    MOSQ_ERR_SUCCESS) {
		mqtt->waiting++;
	}
}

static void on_publish(struct mosquitto *client, void *ctx, int id)
{
	struct mqtt *mqtt = ctx;

	(void)client;
	(void)id;
	mqtt->waiting -= mqtt->waiting > 0;
}

/* A reading; an absent one has no message, so that it expires. */
static void publish_reading(struct mqtt *mqtt, const char *base, int channel,
			    const struct reading_desc *desc, double value)
{
	char topic[TOPIC_SIZE], text[40];

	if (!isfinite(value)) {
		return;
	}
	if (channel) {
		snprintf(topic, sizeof(topic), "%s/%d/%s", base, channel, desc->name);
	} else {
		snprintf(topic, sizeof(topic), "%s/%s", base, desc->name);
	}
	snprintf(text, sizeof(text), "%.*f", desc->decimals, value);
	publish(mqtt, topic, text, false);
}

static void publish_text(struct mqtt *mqtt, const char *base, const char *name, const char *text)
{
	char topic[TOPIC_SIZE];

	snprintf(topic, sizeof(topic), "%s/%s", base, name);
	publish(mqtt, topic, text, false);
}

/* Codes of latched and active faults, with blanks. */
static const char *faults_text(uint32_t bits, char *text, size_t size)
{
	size_t n = 0;

	text[0] = '\0';
	for (unsigned int fault = 0; fault < QS1_FAULT_ALL_COUNT; fault++) {
		if (bits & QS1_FAULT_BIT(fault)) {
			n += snprintf(text + n, n < size ? size - n : 0, "%s%s", n ? " " : "",
				      qs1_fault_name(fault));
		}
	}
	return text;
}

static void publish_unit(struct mqtt *mqtt, const struct model_unit *unit)
{
	char base[64], serial[SERIAL_TEXT_SIZE], text[400];

	snprintf(base, sizeof(base), "%s/%s", mqtt->base, serial_format(serial, &unit->serial));
	for (int id = 0; id < READING_COUNT; id++) {
		const struct reading_desc *desc = &model_reading[id];
		int channels = desc->scope == SCOPE_CHANNEL ? MODEL_CHANNELS : 1;

		for (int n = 0; n < channels && desc->scope != SCOPE_SITE; n++) {
			publish_reading(mqtt, base, desc->scope == SCOPE_CHANNEL ? n + 1 : 0, desc,
					unit->reading[id][n].value);
		}
	}
	publish_text(mqtt, base, "link", model_link_name(unit->link));
	if (unit->state >= 0) {
		publish_text(mqtt, base, "state", qs1_state_name(unit->state));
	}
	publish_text(mqtt, base, "faults",
		     faults_text(unit->faults_active | unit->faults_latched, text, sizeof(text)));
	publish_text(mqtt, base, "limit_confirm", model_confirm_name(unit->limit.confirm));
}

static void publish_site(struct mqtt *mqtt, const struct snapshot *snapshot)
{
	char base[64];

	snprintf(base, sizeof(base), "%s/" SITE, mqtt->base);
	for (int id = 0; id < READING_COUNT; id++) {
		if (model_reading[id].scope == SCOPE_SITE) {
			publish_reading(mqtt, base, 0, &model_reading[id],
					snapshot->site[id].value);
		}
	}
}

static void publish_discovery(struct mqtt *mqtt, const struct model_unit *unit)
{
	const char *ecu_id = mqtt->ecu->model->ecu_id;
	struct json_object *message = mqtt_discovery(ecu_id, mqtt->ecu->model->site_name, unit,
						     settings_get().mqtt_commands);
	char topic[TOPIC_SIZE], serial[SERIAL_TEXT_SIZE];

	snprintf(topic, sizeof(topic), HOME_ASSISTANT "/device/qs1_%s/config",
		 unit ? serial_format(serial, &unit->serial) : ecu_id);
	publish(mqtt, topic, json_object_to_json_string_ext(message, JSON_C_TO_STRING_PLAIN), true);
	json_object_put(message);
}

/* Birth, discovery and all values. */
static void publish_all(struct mqtt *mqtt)
{
	struct snapshot *snapshot __cleanup(free_ptr) = snapshot_take(mqtt->ecu->model);
	char topic[TOPIC_SIZE];

	if (!snapshot) {
		return;
	}
	snprintf(topic, sizeof(topic), "%s/status", mqtt->base);
	publish_discovery(mqtt, NULL);
	for (int i = 0; i < snapshot->units; i++) {
		publish_discovery(mqtt, &snapshot->unit[i]);
	}
	publish(mqtt, topic, "online", true);
	publish_site(mqtt, snapshot);
	for (int i = 0; i < snapshot->units; i++) {
		publish_unit(mqtt, &snapshot->unit[i]);
	}
}

static void publish_order(struct mqtt *mqtt, uint64_t number)
{
	struct model *model = mqtt->ecu->model;
	struct json_object *json = NULL;
	char topic[TOPIC_SIZE], serial[SERIAL_TEXT_SIZE];
	const struct order *order = &model->order[number % ORDERS_KEPT];

	model_lock(model);
	if (order->number == number && order->interface == INTERFACE_MQTT) {
		json = view_order(order);
		snprintf(topic, sizeof(topic), "%s/%s/result", mqtt->base,
			 order->site ? SITE : serial_format(serial, &order->serial));
	}
	model_unlock(model);
	if (json) {
		publish(mqtt, topic, json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN),
			false);
		json_object_put(json);
	}
}

static void on_change(void *ctx, enum model_change change, int index, uint64_t number)
{
	struct mqtt *mqtt = ctx;
	struct snapshot *snapshot __cleanup(free_ptr) = NULL;

	if (!mqtt->connected) {
		return;
	}
	if (change == CHANGE_ORDER) {
		publish_order(mqtt, number);
	} else if (change != CHANGE_EVENT) {
		snapshot = snapshot_take(mqtt->ecu->model);
		if (!snapshot) {
			return;
		}
		if (change == CHANGE_UNIT && index >= 0 && index < snapshot->units) {
			publish_discovery(mqtt, &snapshot->unit[index]);
		}
		if (change == CHANGE_SITE) {
			publish_site(mqtt, snapshot);
		} else if (index >= 0 && index < snapshot->units) {
			publish_unit(mqtt, &snapshot->unit[index]);
		}
	}
}

/* Commands. */

/* A member of a JSON message: NAN for an absent number. */
static double member_number(struct json_object *json, const char *name)
{
	struct json_object *value = json_object_object_get(json, name);

	return json_object_is_type(value, json_type_int) ||
			       json_object_is_type(value, json_type_double)
		       ? json_object_get_double(value)
		       : (double)NAN;
}

static void member_text(struct json_object *json, const char *name, char *text, size_t size)
{
	struct json_object *value = json_object_object_get(json, name);

	if (json_object_is_type(value, json_type_string)) {
		snprintf(text, size, "%s", json_object_get_string(value));
	}
}

/* Arguments from a JSON object. */
static void take_json(struct json_object *json, struct order *order)
{
	double lease_s = member_number(json, "lease_s");

	order->w = member_number(json, "w");
	order->then_w = member_number(json, "then_w");
	if (lease_s >= 1 && lease_s <= UINT32_MAX) {
		order->lease_s = lease_s;
	}
	member_text(json, "fault", order->text, sizeof(order->text));
	member_text(json, "profile", order->text, sizeof(order->text));
	member_text(json, "reason", order->reason, sizeof(order->reason));
	member_text(json, "key", order->key, sizeof(order->key));
}

/* Arguments from a plain text: a number for limit, a word for the others. */
static int take_plain(const char *text, struct order *order, char *err, size_t size)
{
	char *end;

	if (order->command != COMMAND_LIMIT) {
		snprintf(order->text, sizeof(order->text), "%s", text);
		return 0;
	}
	order->w = strtod(text, &end);
	if (end == text || *end || !isfinite(order->w)) {
		snprintf(err, size, "limit: expected a number of W or a JSON object, found '%.40s'",
			 text);
		return -EINVAL;
	}
	return 0;
}

/* Serial number or site, and command. */
static int parse_topic(const char *topic, struct order *order, char *err, size_t size)
{
	char target[16], name[16];
	int command = -ENOENT;
	int used = 0;

	if (sscanf(topic, "%15[^/]/set/%15[a-z]%n", target, name, &used) == 2 && !topic[used]) {
		command = order_command_find(name);
	}
	if (command < 0) {
		snprintf(err, size, "topic: expected SERIAL/set/COMMAND, found '%.60s'", topic);
		return -EINVAL;
	}
	order->command = command;
	order->site = !strcmp(target, SITE);
	if (!order->site && serial_parse(target, &order->serial) < 0) {
		snprintf(err, size, "topic: expected site or a serial number, found '%s'", target);
		return -EINVAL;
	}
	return 0;
}

int mqtt_command(const char *topic, const char *text, int64_t now_ms, struct order *ret_order,
		 char *err, size_t size)
{
	struct json_object *json;
	struct order order;
	int ret;

	order_init(&order, COMMAND_START, now_ms);
	ret = parse_topic(topic, &order, err, size);
	if (ret < 0) {
		return ret;
	}
	order.role = ROLE_MQTT;
	order.interface = INTERFACE_MQTT;
	snprintf(order.owner, sizeof(order.owner), "mqtt");
	snprintf(order.by, sizeof(order.by), "mqtt");
	order.lease_s = LEASE_S;
	json = *text == '{' ? json_tokener_parse(text) : NULL;
	if (json) {
		take_json(json, &order);
		json_object_put(json);
	} else if (*text == '{') {
		snprintf(err, size, "message: expected a JSON object, found '%.40s'", text);
		ret = -EINVAL;
	} else {
		ret = take_plain(text, &order, err, size);
	}
	if (ret == 0) {
		*ret_order = order;
	}
	return ret;
}

static void audit_refused(struct mqtt *mqtt, const char *topic, const char *why)
{
	struct audit_entry entry = { .who = "mqtt",
				     .role = "mqtt",
				     .interface = "mqtt",
				     .from = mqtt->host,
				     .action = "command",
				     .target = topic,
				     .result = why };

	log_notice("mqtt: %s: %s", topic, why);
	store_put_audit(mqtt->ecu->store, &entry);
}

static void run_command(struct mqtt *mqtt, const char *topic, const char *text)
{
	struct model_unit unit;
	struct order order;
	char err[ORDER_TEXT_SIZE];
	int ret;

	if (!settings_get().mqtt_commands) {
		audit_refused(mqtt, topic, "the owner does not allow commands by MQTT");
		return;
	}
	ret = mqtt_command(topic, text, clock_wall_ms(), &order, err, sizeof(err));
	if (ret == 0) {
		ret = order_check(&order, clock_wall_ms(), err, sizeof(err));
	}
	if (ret == 0 && !order.site && model_copy(mqtt->ecu->model, &order.serial, &unit) < 0) {
		snprintf(err, sizeof(err), "no inverter of this site");
		ret = -ENOENT;
	}
	if (ret == 0 && order_submit(mqtt->ecu->orders, &order) < 0) {
		snprintf(err, sizeof(err), "too many orders wait");
		ret = -EAGAIN;
	}
	if (ret < 0) {
		audit_refused(mqtt, topic, err);
	}
}

static void take_meter(struct mqtt *mqtt, const char *text)
{
	const double none[3] = { (double)NAN, (double)NAN, (double)NAN };
	struct json_object *json = *text == '{' ? json_tokener_parse(text) : NULL;
	char *end = NULL;
	double w = json ? member_number(json, "power") : strtod(text, &end);

	json_object_put(json);
	/* A text that is no number is no reading: strtod() gives 0 for it. */
	if (isfinite(w) && end != text && !(end && *end)) {
		ecu_meter(mqtt->ecu, w, none, clock_wall_ms());
	}
}

static void on_message(struct mosquitto *client, void *ctx, const struct mosquitto_message *message)
{
	struct mqtt *mqtt = ctx;
	size_t base = strlen(mqtt->base);
	char text[COMMAND_MAX + 1];

	(void)client;
	/* A retained command would be carried out again at each connection. */
	if (message->retain) {
		return;
	}
	if (message->payloadlen < 0 || message->payloadlen > COMMAND_MAX) {
		audit_refused(mqtt, message->topic, "message too long");
		return;
	}
	memcpy(text, message->payload ? message->payload : "", message->payloadlen);
	text[message->payloadlen] = '\0';
	if (mqtt->meter_topic && !strcmp(message->topic, mqtt->meter_topic)) {
		take_meter(mqtt, text);
	} else if (!strcmp(message->topic, HOME_ASSISTANT "/status")) {
		if (!strcmp(text, "online")) {
			publish_all(mqtt);
		}
	} else if (!strncmp(message->topic, mqtt->base, base) && message->topic[base] == '/') {
		run_command(mqtt, message->topic + base + 1, text);
	}
}

/* Connection. */

static void on_connect(struct mosquitto *client, void *ctx, int code)
{
	struct mqtt *mqtt = ctx;
	char topic[TOPIC_SIZE];

	if (code) {
		log_warning("mqtt %s: %s", mqtt->host, mosquitto_connack_string(code));
		mqtt->failed = true;
		return;
	}
	log_notice("mqtt %s: connected", mqtt->host);
	mqtt->connected = true;
	mqtt->failed = false;
	mqtt->waiting = 0;
	snprintf(topic, sizeof(topic), "%s/+/set/+", mqtt->base);
	mosquitto_subscribe(client, NULL, topic, 1);
	mosquitto_subscribe(client, NULL, HOME_ASSISTANT "/status", 0);
	if (mqtt->meter_topic) {
		mosquitto_subscribe(client, NULL, mqtt->meter_topic, 0);
	}
	publish_all(mqtt);
}

static void lose(struct mqtt *mqtt, const char *why)
{
	if (!mqtt->failed) {
		log_warning("mqtt %s: %s", mqtt->host, why);
	}
	mqtt->failed = true;
	mqtt->connected = false;
	mqtt->ticks = 0;
	mqtt->io = sd_event_source_disable_unref(mqtt->io);
	mqtt->watched = -1;
}

static void on_disconnect(struct mosquitto *client, void *ctx, int code)
{
	(void)client;
	lose(ctx, mosquitto_strerror(code));
}

static int on_socket(sd_event_source *source, int fd, uint32_t events, void *ctx);

/* Watch the socket that libmosquitto has now, for writing only while it wants to. */
static void watch(struct mqtt *mqtt)
{
	int fd = mosquitto_socket(mqtt->client);
	uint32_t events = EPOLLIN | (mosquitto_want_write(mqtt->client) ? EPOLLOUT : 0);

	if (fd != mqtt->watched) {
		mqtt->io = sd_event_source_disable_unref(mqtt->io);
		mqtt->watched = fd;
		if (fd >= 0) {
			sd_event_add_io(mqtt->ecu->event, &mqtt->io, fd, events, on_socket, mqtt);
		}
	} else if (mqtt->io) {
		sd_event_source_set_io_events(mqtt->io, events);
	}
}

static int on_socket(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	struct mqtt *mqtt = ctx;
	int ret = MOSQ_ERR_SUCCESS;

	(void)source;
	(void)fd;
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
		ret = mosquitto_loop_read(mqtt->client, 1);
	}
	if (ret == MOSQ_ERR_SUCCESS && events & EPOLLOUT) {
		ret = mosquitto_loop_write(mqtt->client, 1);
	}
	if (ret != MOSQ_ERR_SUCCESS) {
		lose(mqtt, mosquitto_strerror(ret));
	} else {
		watch(mqtt);
	}
	return 0;
}

static int on_tick(sd_event_source *source, uint64_t due_us, void *ctx)
{
	struct mqtt *mqtt = ctx;
	int ret;

	mqtt->ticks++;
	if (mosquitto_socket(mqtt->client) >= 0) {
		ret = mosquitto_loop_misc(mqtt->client);
		if (ret != MOSQ_ERR_SUCCESS) {
			lose(mqtt, mosquitto_strerror(ret));
		}
	} else if (mqtt->ticks >= RETRY_TICKS) {
		mqtt->ticks = 0;
		ret = mosquitto_connect_async(mqtt->client, mqtt->host, mqtt->port, KEEP_ALIVE_S);
		if (ret != MOSQ_ERR_SUCCESS) {
			lose(mqtt, mosquitto_strerror(ret));
		}
	}
	watch(mqtt);
	sd_event_source_set_time(source, due_us + TICK_US);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

/* HOST[:PORT] */
static int parse_host(struct mqtt *mqtt, const char *text)
{
	unsigned int port = 1883;

	if (sscanf(text, "%199[^:]:%5u", mqtt->host, &port) < 1 || port < 1 || port > 65535) {
		log_err("mqtt: expected HOST[:PORT], found '%s'", text);
		return -EINVAL;
	}
	mqtt->port = port;
	return 0;
}

static int set_login(struct mqtt *mqtt)
{
	const struct config *config = mqtt->ecu->config;
	char password[256] = "";
	FILE *file __cleanup(close_file) = NULL;

	if (!*config->mqtt_user) {
		return 0;
	}
	if (*config->mqtt_password_file) {
		file = fopen(config->mqtt_password_file, "re");
		if (!file || !fgets(password, sizeof(password), file)) {
			log_err("mqtt: %s: expected a password in its first line",
				config->mqtt_password_file);
			return -EINVAL;
		}
		password[strcspn(password, "\r\n")] = '\0';
	}
	mosquitto_username_pw_set(mqtt->client, config->mqtt_user, password);
	explicit_bzero(password, sizeof(password));
	return 0;
}

static int open_client(struct mqtt *mqtt)
{
	char topic[TOPIC_SIZE];
	int ret;

	mosquitto_lib_init();
	snprintf(mqtt->base, sizeof(mqtt->base), PREFIX "%s", mqtt->ecu->model->ecu_id);
	snprintf(topic, sizeof(topic), "%s/status", mqtt->base);
	mqtt->client = mosquitto_new(NULL, true, mqtt);
	if (!mqtt->client) {
		return -ENOMEM;
	}
	ret = set_login(mqtt);
	if (ret < 0) {
		return ret;
	}
	mosquitto_will_set(mqtt->client, topic, strlen("offline"), "offline", 1, true);
	mosquitto_connect_callback_set(mqtt->client, on_connect);
	mosquitto_disconnect_callback_set(mqtt->client, on_disconnect);
	mosquitto_message_callback_set(mqtt->client, on_message);
	mosquitto_publish_callback_set(mqtt->client, on_publish);
	mqtt->ticks = RETRY_TICKS;
	return sd_event_add_time_relative(mqtt->ecu->event, &mqtt->tick, CLOCK_MONOTONIC, 0, 0,
					  on_tick, mqtt);
}

static void mqtt_stop(void *state)
{
	struct mqtt *mqtt = state;
	char topic[TOPIC_SIZE];

	if (!mqtt) {
		return;
	}
	sd_event_source_disable_unref(mqtt->tick);
	sd_event_source_disable_unref(mqtt->io);
	if (mqtt->connected) {
		/* A broker sends no will after an orderly end. */
		snprintf(topic, sizeof(topic), "%s/status", mqtt->base);
		publish(mqtt, topic, "offline", true);
		mosquitto_disconnect_callback_set(mqtt->client, NULL);
		mosquitto_disconnect(mqtt->client);
	}
	if (mqtt->client) {
		mosquitto_destroy(mqtt->client);
	}
	mosquitto_lib_cleanup();
	free(mqtt);
}

static int mqtt_start(struct ecu *ecu, void **ret_state)
{
	const char *meter = ecu->config->meter;
	struct mqtt *mqtt;
	int ret;

	*ret_state = NULL;
	if (!*ecu->config->mqtt) {
		return 0;
	}
	mqtt = calloc(1, sizeof(*mqtt));
	if (!mqtt) {
		return -ENOMEM;
	}
	mqtt->ecu = ecu;
	mqtt->watched = -1;
	if (!strncmp(meter, METER_PREFIX, strlen(METER_PREFIX))) {
		mqtt->meter_topic = meter + strlen(METER_PREFIX);
	}
	ret = parse_host(mqtt, ecu->config->mqtt);
	if (ret == 0) {
		ret = open_client(mqtt);
	}
	if (ret >= 0) {
		ret = model_watch(ecu->model, on_change, mqtt);
	}
	if (ret < 0) {
		mqtt_stop(mqtt);
		return ret;
	}
	*ret_state = mqtt;
	return 0;
}

const struct interface interface_mqtt = { "mqtt", mqtt_start, mqtt_stop };
