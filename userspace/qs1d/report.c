// SPDX-License-Identifier: GPL-2.0-only
/* The status of the inverter as JSON. */
#include <inttypes.h>
#include <math.h>

#include <json-c/json.h>

#include "../lib/names.h"
#include "../lib/protocol.h"
#include "../lib/sysfs.h"
#include "daemon.h"

static void add(struct json_object *object, const char *name, struct json_object *value)
{
	json_object_object_add(object, name, value);
}

static void add_text(struct json_object *object, const char *name, const char *text)
{
	add(object, name, json_object_new_string(text));
}

/* A number with as many decimals as its sensor is worth; null when there is none. */
void report_number(struct json_object *object, const char *name, double value, int decimals)
{
	char text[64];

	if (!isfinite(value)) {
		add(object, name, NULL);
		return;
	}
	snprintf(text, sizeof(text), "%.*f", decimals, value);
	add(object, name, json_object_new_double_s(value, text));
}

static struct json_object *faults(const struct policy_output *out)
{
	struct json_object *object = json_object_new_object();

	add(object, "active", protocol_faults(out->faults_active));
	add(object, "latched", protocol_faults(out->faults_latched));
	return object;
}

static struct json_object *leds(enum policy_show show)
{
	struct json_object *object = json_object_new_object();

	add_text(object, "green", led_pattern_name(leds_pattern(show, LED_GREEN)));
	add_text(object, "red", led_pattern_name(leds_pattern(show, LED_RED)));
	return object;
}

static double energy_wh(uint64_t mj)
{
	return mj / 3.6e6;
}

static struct json_object *meter(const struct daemon *daemon)
{
	struct json_object *object = json_object_new_object();
	struct json_object *grid = json_object_new_object();
	const double *value = daemon->board.sample.meter;

	for (int n = 0; n < QS1_INPUTS; n++) {
		struct json_object *pv = json_object_new_object();
		char name[8];

		report_number(pv, "v", value[BOARD_PV1_V + n], 3);
		report_number(pv, "i", value[BOARD_PV1_I + n], 3);
		report_number(pv, "p", value[BOARD_PV1_P + n], 2);
		report_number(pv, "energy_wh", energy_wh(daemon->pace.energy.total_mj[n]), 3);
		snprintf(name, sizeof(name), "pv%d", n + 1);
		add(object, name, pv);
	}
	report_number(grid, "v", value[BOARD_GRID_V], 3);
	report_number(grid, "i", value[BOARD_GRID_I], 3);
	report_number(grid, "f", value[BOARD_GRID_F], 3);
	report_number(grid, "p", value[BOARD_GRID_P], 2);
	report_number(grid, "q", value[BOARD_GRID_Q], 2);
	report_number(grid, "energy_wh", energy_wh(daemon->pace.energy.total_mj[ENERGY_GRID]), 3);
	add(object, "grid", grid);
	report_number(object, "temp_c", value[BOARD_CASE_T], 2);
	report_number(object, "dc_link_v", value[BOARD_LINK_V], 3);
	return object;
}

/* Parameters that differ from profile and defaults because they were set. */
static struct json_object *settings(const struct policy_kept *kept)
{
	struct json_object *object = json_object_new_object();
	char text[QS1_DECIMAL_SIZE];

	for (int id = 0; id < QS1_PARAM_COUNT; id++) {
		const struct qs1_param_desc *desc = qs1_param_desc(id);

		if (kept->set[id]) {
			add_text(object, desc->name,
				 qs1_decimal_format(text, kept->value[id], desc->decimals));
		}
	}
	return object;
}

static struct json_object *power(int32_t w)
{
	return w == LIMITS_NONE ? json_object_new_string("none") : json_object_new_int(w);
}

/* Limits by their owners; lease_s is what is left of the lease, null for one without an end. */
static struct json_object *limits(const struct limits *limits)
{
	struct json_object *array = json_object_new_array();
	int64_t now_ms = daemon_time().mono_ms;

	for (size_t i = 0; i < limits->count; i++) {
		const struct limit *limit = &limits->limit[i];
		struct json_object *object = json_object_new_object();

		add_text(object, "owner", limit->owner);
		add(object, "w", power(limit->w));
		add(object, "lease_s",
		    limit->until_ms == LIMITS_FOREVER
			    ? NULL
			    : json_object_new_int64((limit->until_ms - now_ms + 999) / 1000));
		add(object, "then", power(limit->then_w));
		json_object_array_add(array, object);
	}
	return array;
}

/* What an ECU needs to seal its next command. */
static struct json_object *seal(const struct daemon *daemon)
{
	const struct pairing *pairing = &daemon->pairing;
	struct json_object *object = json_object_new_object();
	char serial[SERIAL_TEXT_SIZE], boot[17];

	snprintf(boot, sizeof(boot), "%016" PRIx64, pairing->boot);
	add(object, "serial",
	    pairing->labelled ? json_object_new_string(serial_format(serial, &pairing->serial))
			      : NULL);
	add_text(object, "boot", boot);
	add(object, "counter", json_object_new_int64(pairing->counter));
	add(object, "paired", json_object_new_boolean(daemon->policy.kept.paired));
	return object;
}

/* A number that is only read when somebody asks. */
static void add_attribute(struct json_object *object, const char *name, const struct board *board,
			  const char *attribute)
{
	char text[64];
	double value;

	if (!board->running || sysfs_read_at(board->dir, attribute, text, sizeof(text)) < 0 ||
	    sysfs_double(text, &value) < 0) {
		value = NAN;
	}
	report_number(object, name, value, 3);
}

struct json_object *report_status(struct daemon *daemon)
{
	struct json_object *object = json_object_new_object();
	const struct policy_output *out = &daemon->out;
	const struct board *board = &daemon->board;
	bool live = board->running && !out->stale;

	add_text(object, "state", qs1_state_name(out->state));
	add_text(object, "inverter",
		 !board->bound	   ? "no driver"
		 : !board->running ? "no firmware"
		 : out->stale	   ? "no telemetry"
				   : "ok");
	add_text(object, "profile", daemon->policy.kept.profile.name);
	add(object, "profile_applied",
	    json_object_new_boolean(live && daemon->policy.profile_sync == POLICY_SYNC_IN_FORCE));
	add(object, "armed", json_object_new_boolean(out->armed));
	add(object, "shutdown", json_object_new_boolean(daemon->policy.kept.shutdown));
	add(object, "stored", json_object_new_boolean(out->stored));
	add(object, "faults", faults(out));
	add(object, "leds", leds(out->show));
	add(object, "meter", live ? meter(daemon) : NULL);
	add_attribute(object, "enter_service_s", board, "enter_service_remaining_s");
	add_attribute(object, "power_limit_w", board, "power_limit_in_force_w");
	add(object, "limits", limits(&daemon->policy.limits));
	add(object, "set", settings(&daemon->policy.kept));
	add(object, "seal", seal(daemon));
	if (board->running) {
		add_text(object, "firmware", board->sample.firmware);
	} else {
		add(object, "firmware", NULL);
	}
	add(object, "crashes", json_object_new_int64(board->sample.crashes));
	report_number(object, "uptime_s", (daemon_time().mono_ms - daemon->start_ms) / 1000.0, 1);
	return object;
}
