// SPDX-License-Identifier: GPL-2.0-only
#include "status.h"

#include <stdio.h>
#include <string.h>

#include "shm.h"

static const char *const state_names[] = {
#define X(id, name) [QS1_STATE_##id] = name,
	QS1_STATES(X)
#undef X
};

static const char *const fault_names[] = {
#define X(id, text) [QS1_FAULT_##id] = #id,
	QS1_FAULTS(X)
#undef X
};

struct json_object *status_number(double value)
{
	char text[32];

	snprintf(text, sizeof(text), "%.7g", value);
	return json_object_new_double_s(value, text);
}

static void add(struct json_object *object, const char *key, double value)
{
	json_object_object_add(object, key, status_number(value));
}

static void add_bool(struct json_object *object, const char *key, bool value)
{
	json_object_object_add(object, key, json_object_new_boolean(value));
}

static struct json_object *add_object(struct json_object *object, const char *key)
{
	struct json_object *child = json_object_new_object();

	json_object_object_add(object, key, child);
	return child;
}

static struct json_object *add_pv(struct json_object *object, int input)
{
	char key[8];

	snprintf(key, sizeof(key), "pv%d", input + 1);
	return add_object(object, key);
}

struct json_object *status_truth(const struct qs1_truth *truth)
{
	struct json_object *object = json_object_new_object(), *child;

	for (int i = 0; i < QS1_INPUTS; i++) {
		child = add_pv(object, i);
		add(child, "v", truth->vpv_v[i]);
		add(child, "i", truth->ipv_a[i]);
		add(child, "p", truth->ppv_w[i]);
		add(child, "pmax", truth->pmax_w[i]);
		add(child, "sun", truth->sun_w_m2[i]);
	}
	child = add_object(object, "grid");
	add(child, "v", truth->vgrid_v);
	add(child, "i", truth->igrid_a);
	add(child, "f", truth->f_hz);
	add(child, "p", truth->p_w);
	add(child, "q", truth->q_var);
	add(child, "energy_wh", truth->energy_wh);
	add(object, "vlink_v", truth->vlink_v);
	add(object, "temp_c", truth->tcase_c);
	add_bool(object, "relay", truth->relay_closed);
	add_bool(object, "utility", truth->utility_closed);
	return object;
}

static struct json_object *faults(uint32_t bits)
{
	struct json_object *array = json_object_new_array();

	for (int i = 0; i < QS1_FAULT_COUNT; i++) {
		if (bits & QS1_FAULT_BIT(i))
			json_object_array_add(array, json_object_new_string(fault_names[i]));
	}
	return array;
}

bool status_telemetry(const struct qs1_shm *shm, struct qs1_telemetry *telemetry)
{
	uint32_t before, after;

	if (qs1_shm_read(shm->fw.magic) != QS1_MAGIC ||
	    qs1_shm_read(shm->fw.layout_version) != QS1_LAYOUT_VERSION)
		return false;
	for (int tries = 0; tries < 100; tries++) {
		before = qs1_shm_read(shm->telemetry.seq);
		qs1_shm_barrier();
		memcpy(telemetry, &shm->telemetry, sizeof(*telemetry));
		qs1_shm_barrier();
		after = qs1_shm_read(shm->telemetry.seq);
		if (before == after && !(before & 1))
			return true;
	}
	return false;
}

struct json_object *status_firmware(const struct qs1_shm *shm)
{
	struct json_object *object, *child;
	struct qs1_telemetry telemetry;
	char version[sizeof(shm->fw.version) + 1] = "";
	uint32_t state;

	if (!status_telemetry(shm, &telemetry))
		return NULL;

	object = json_object_new_object();
	memcpy(version, shm->fw.version, sizeof(shm->fw.version));
	json_object_object_add(object, "version", json_object_new_string(version));
	state = telemetry.status & QS1_STATUS_STATE_MASK;
	json_object_object_add(object, "state",
			       state < QS1_STATE_COUNT ? json_object_new_string(state_names[state])
						       : NULL);
	json_object_object_add(object, "faults_active", faults(telemetry.faults_active));
	json_object_object_add(object, "faults_latched", faults(telemetry.faults_latched));
	json_object_object_add(object, "ticks", json_object_new_int64((int64_t)telemetry.ticks));
	for (int i = 0; i < QS1_INPUTS; i++) {
		child = add_pv(object, i);
		add(child, "v", telemetry.vpv_mv[i] / 1e3);
		add(child, "i", telemetry.ipv_ma[i] / 1e3);
		add(child, "p", telemetry.ppv_mw[i] / 1e3);
	}
	child = add_object(object, "grid");
	add(child, "v", telemetry.vgrid_mv / 1e3);
	add(child, "i", telemetry.igrid_ma / 1e3);
	add(child, "f", telemetry.f_mhz / 1e3);
	add(child, "p", telemetry.p_mw / 1e3);
	add(child, "q", telemetry.q_mvar / 1e3);
	add(child, "energy_wh", (double)telemetry.eac_mj / 3.6e6);
	add(object, "vlink_v", telemetry.vlink_mv / 1e3);
	add(object, "temp_c", telemetry.tcase_mc / 1e3);
	add(object, "enter_service_s", telemetry.enter_service_ms / 1e3);
	add_bool(object, "relay", telemetry.status & QS1_STATUS_RELAY);
	add_bool(object, "armed", telemetry.status & QS1_STATUS_ARMED);
	add_bool(object, "host_alive", telemetry.status & QS1_STATUS_HOST_ALIVE);
	return object;
}

struct json_object *status_leds(const struct qs1_shm *shm)
{
	struct json_object *object = json_object_new_object();
	uint32_t levels = qs1_shm_read(shm->host.gpio_out);

	add_bool(object, "green", levels & QS1_GPIO_LED_GREEN);
	add_bool(object, "red", levels & QS1_GPIO_LED_RED);
	return object;
}
