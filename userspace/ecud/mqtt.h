/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MQTT client: readings, discovery for Home Assistant, commands, and a meter by topic. */
#ifndef ECUD_MQTT_H
#define ECUD_MQTT_H

#include <json-c/json.h>

#include "ecud.h"

/**
 * mqtt_discovery() - message of device discovery of Home Assistant
 * @ecu_id: of the ECU
 * @unit: an inverter, or NULL for the site
 * @site_name: for the site
 * @commands: with entities that send commands
 *
 * Values expire after three times the cadence that is kept for the inverter; energies do not
 * expire.
 */
struct json_object *mqtt_discovery(const char *ecu_id, const char *site_name,
				   const struct model_unit *unit, bool commands);

/**
 * mqtt_command() - an order from a topic and its message
 * @topic: after "qs1/<ecu>/": "<serial>/set/<command>" or "site/set/<command>"
 * @text: a number for limit, a word for clear and profile, or a JSON object with w, lease_s,
 *        then_w, fault, profile, reason, key
 * @ret_order: untouched on failure
 * @err: on failure the reason
 *
 * Return: 0 or -EINVAL.
 */
int mqtt_command(const char *topic, const char *text, int64_t now_ms, struct order *ret_order,
		 char *err, size_t size);

extern const struct interface interface_mqtt;

#endif /* ECUD_MQTT_H */
