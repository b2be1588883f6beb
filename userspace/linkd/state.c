// SPDX-License-Identifier: GPL-2.0-or-later
#include "state.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <qs1/abi.h>

#include "names.h"
#include "protocol.h"
#include "util.h"

#define PATH_DEPTH 3

/* Numbers of a status, by their place in it. */
static const struct {
	enum own_status_field field;
	const char *path[PATH_DEPTH];
} reading[] = {
	{ OWN_UPTIME, { "uptime_s" } },
	{ OWN_PV1_V, { "meter", "pv1", "v" } },
	{ OWN_PV1_I, { "meter", "pv1", "i" } },
	{ OWN_PV1_ENERGY, { "meter", "pv1", "energy_wh" } },
	{ OWN_PV2_V, { "meter", "pv2", "v" } },
	{ OWN_PV2_I, { "meter", "pv2", "i" } },
	{ OWN_PV2_ENERGY, { "meter", "pv2", "energy_wh" } },
	{ OWN_PV3_V, { "meter", "pv3", "v" } },
	{ OWN_PV3_I, { "meter", "pv3", "i" } },
	{ OWN_PV3_ENERGY, { "meter", "pv3", "energy_wh" } },
	{ OWN_PV4_V, { "meter", "pv4", "v" } },
	{ OWN_PV4_I, { "meter", "pv4", "i" } },
	{ OWN_PV4_ENERGY, { "meter", "pv4", "energy_wh" } },
	{ OWN_GRID_V, { "meter", "grid", "v" } },
	{ OWN_GRID_I, { "meter", "grid", "i" } },
	{ OWN_GRID_F, { "meter", "grid", "f" } },
	{ OWN_GRID_P, { "meter", "grid", "p" } },
	{ OWN_GRID_Q, { "meter", "grid", "q" } },
	{ OWN_GRID_ENERGY, { "meter", "grid", "energy_wh" } },
	{ OWN_CASE_TEMP, { "meter", "temp_c" } },
	{ OWN_DC_LINK, { "meter", "dc_link_v" } },
	{ OWN_POWER_LIMIT, { "power_limit_w" } },
	{ OWN_ENTER_SERVICE, { "enter_service_s" } },
};

static const struct {
	unsigned int bit;
	const char *path[PATH_DEPTH];
} flag[] = {
	{ OWN_FLAG_ARMED, { "armed" } },
	{ OWN_FLAG_SHUTDOWN, { "shutdown" } },
	{ OWN_FLAG_PROFILE_APPLIED, { "profile_applied" } },
	{ OWN_FLAG_PAIRED, { "seal", "paired" } },
};

/* A member of a member; NULL when one of them is missing or null. */
static struct json_object *find(struct json_object *object, const char *const path[PATH_DEPTH])
{
	for (int i = 0; i < PATH_DEPTH && path[i]; i++) {
		if (!json_object_is_type(object, json_type_object) ||
		    !json_object_object_get_ex(object, path[i], &object)) {
			return NULL;
		}
	}
	return object;
}

static struct json_object *member(struct json_object *object, const char *name)
{
	return find(object, (const char *const[PATH_DEPTH]){ name });
}

static double number(struct json_object *value)
{
	return json_object_is_type(value, json_type_double) ||
			       json_object_is_type(value, json_type_int)
		       ? json_object_get_double(value)
		       : NAN;
}

/* An array of fault codes as bits; FIELD_ABSENT without one. Codes of a later version are left out.
 */
static int64_t fault_bits(struct json_object *array)
{
	int64_t bits = 0;

	if (!json_object_is_type(array, json_type_array)) {
		return FIELD_ABSENT;
	}
	for (size_t i = 0; i < json_object_array_length(array); i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(array, i));
		int fault = name ? qs1_fault_find(name) : -ENOENT;

		if (fault >= 0) {
			bits |= QS1_FAULT_BIT(fault);
		}
	}
	return bits;
}

static int64_t state_number(struct json_object *value)
{
	int number = json_object_is_type(value, json_type_string)
			     ? qs1_state_find(json_object_get_string(value))
			     : -ENOENT;

	return number < 0 ? FIELD_ABSENT : number;
}

static int read_identity(struct json_object *seal, struct own_identity *identity)
{
	const char *serial = json_object_get_string(member(seal, "serial"));
	const char *boot = json_object_get_string(member(seal, "boot"));

	if (!serial || serial_parse(serial, &identity->serial) < 0) {
		return -ENODATA;
	}
	identity->boot = boot ? strtoull(boot, NULL, 16) : 0;
	identity->counter = (uint32_t)json_object_get_int64(member(seal, "counter"));
	return 0;
}

/* "1.2.3" as major * 1000 + minor, as stock units count. */
static uint32_t version_number(const char *text)
{
	unsigned int major = 0;
	unsigned int minor = 0;

	if (!text || sscanf(text, "%5u.%3u", &major, &minor) < 1) {
		return 0;
	}
	return major * 1000 + minor;
}

/* W of each input that a stock ECU has set; the largest without its limit. */
static double panel_limit(struct json_object *limits)
{
	size_t count =
		json_object_is_type(limits, json_type_array) ? json_object_array_length(limits) : 0;

	for (size_t i = 0; i < count; i++) {
		struct json_object *limit = json_object_array_get_idx(limits, i);
		const char *owner = json_object_get_string(member(limit, "owner"));
		double w = number(member(limit, "w"));

		if (owner && !strcmp(owner, PROTOCOL_STOCK_OWNER) && !isnan(w)) {
			return w / QS1_INPUTS;
		}
	}
	return L2_LIMIT_MAX_W;
}

int state_read(struct json_object *status, struct unit_state *state)
{
	static const char *const active[] = { "faults", "active", NULL };
	static const char *const latched[] = { "faults", "latched", NULL };
	int64_t flags = 0;
	int ret = read_identity(member(status, "seal"), &state->identity);

	for (int i = 0; i < OWN_STATUS_COUNT; i++) {
		state->status[i] = FIELD_ABSENT;
	}
	for (size_t i = 0; i < ARRAY_SIZE(reading); i++) {
		enum own_status_field field = reading[i].field;

		state->status[field] =
			field_raw(&own_status_field[field], number(find(status, reading[i].path)));
	}
	for (size_t i = 0; i < ARRAY_SIZE(flag); i++) {
		flags |= json_object_get_boolean(find(status, flag[i].path)) ? flag[i].bit : 0;
	}
	state->status[OWN_FLAGS] = flags;
	state->status[OWN_STATE] = state_number(member(status, "state"));
	state->status[OWN_FAULTS_ACTIVE] = fault_bits(find(status, active));
	state->status[OWN_FAULTS_LATCHED] = fault_bits(find(status, latched));
	state->panel_w = panel_limit(member(status, "limits"));
	state->version = version_number(json_object_get_string(member(status, "firmware")));
	return ret;
}

static int kind_number(const char *name)
{
	for (int kind = 0; name && kind < OWN_EVENT_KIND_COUNT; kind++) {
		if (!strcmp(name, own_event_kind_name((enum own_event_kind)kind))) {
			return kind;
		}
	}
	return -EINVAL;
}

/* A cause or a fault code by its name; 0, no cause, for another. */
static uint8_t cause_number(const char *name)
{
	for (unsigned int cause = 0; name && cause < QS1_CAUSE_FAULT_BASE + QS1_FAULT_COUNT;
	     cause++) {
		if (!strcmp(name, qs1_cause_name(cause))) {
			return (uint8_t)cause;
		}
	}
	return QS1_CAUSE_NONE;
}

int state_event(struct json_object *event, struct own_event *ret)
{
	int kind = kind_number(json_object_get_string(member(event, "kind")));
	int64_t count = json_object_get_int64(member(event, "number"));
	const char *text = json_object_get_string(member(event, "text"));
	int64_t from = state_number(member(event, "from"));
	int64_t to = state_number(member(event, "to"));

	if (kind < 0 || count < 1 || count > UINT32_MAX) {
		return -EINVAL;
	}
	*ret = (struct own_event){
		.number = (uint32_t)count,
		.boot = (uint32_t)json_object_get_int64(member(event, "boot")),
		.time_ms = (uint64_t)json_object_get_int64(member(event, "time_ms")),
		.monotonic_ms = (uint64_t)json_object_get_int64(member(event, "monotonic_ms")),
		.kind = (enum own_event_kind)kind,
		.cause = cause_number(json_object_get_string(member(event, "cause"))),
		.from = (uint8_t)(from == FIELD_ABSENT ? UINT8_MAX : from),
		.to = (uint8_t)(to == FIELD_ABSENT ? UINT8_MAX : to),
		.value = json_object_get_int(member(event, "value")),
	};
	snprintf(ret->text, sizeof(ret->text), "%s", text ? text : "");
	return 0;
}

int state_angle(struct json_object *result, double *ret_deg, double *ret_hz, uint64_t *ret_us)
{
	double deg = number(member(result, "deg"));
	double hz = number(member(result, "f"));
	int64_t us = json_object_get_int64(member(result, "monotonic_us"));

	if (!(deg >= 0 && deg <= 360) || !(hz > 0 && hz < 1000) || us < 0) {
		return -ENODATA;
	}
	*ret_deg = deg;
	*ret_hz = hz;
	*ret_us = (uint64_t)us;
	return 0;
}

int state_error(struct json_object *answer)
{
	static const char *const path[] = { "error", "code", NULL };
	const char *code = json_object_get_string(find(answer, path));

	for (int error = 1; code && error < 256; error++) {
		const char *name = strerrorname_np(error);

		if (name && !strcmp(name, code)) {
			return error;
		}
	}
	return EIO;
}
