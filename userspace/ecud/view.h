/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The model as JSON, by the schemas of openapi.json: one place for REST, events and ecuctl. All
 * readings come from the table MODEL_READINGS.
 */
#ifndef ECUD_VIEW_H
#define ECUD_VIEW_H

#include <json-c/json.h>

#include "model.h"

/**
 * struct snapshot - the model at one generation, without its lock
 * @units: number of entries of @unit
 *
 * The other members are those of struct model.
 */
struct snapshot {
	uint64_t generation;
	char ecu_id[SERIAL_TEXT_SIZE];
	char site_name[MODEL_NAME_SIZE];
	int64_t started_ms;
	int64_t expected_ms;
	int reported;
	bool night;
	int limits;
	struct model_radio radio;
	struct model_status status;
	struct reading site[READING_COUNT];
	int units;
	struct model_unit unit[];
};

/**
 * snapshot_take() - copy the model under its lock
 *
 * Return: freed by free(); NULL without memory.
 */
struct snapshot *snapshot_take(struct model *model);

/* Power of all units at a phase, W; NAN if none of them has a reading. */
double snapshot_phase_power(const struct snapshot *snapshot, enum model_phase phase,
			    int *ret_units);

/* "7 of 12, about 2 min". */
const char *view_reporting(int reported, int units, int64_t left_ms, char *text, size_t size);

/* Status of the site; schema Status. */
struct json_object *view_status(const struct snapshot *snapshot, int64_t now_ms);

/* One unit; schema Inverter. */
struct json_object *view_unit(const struct model_unit *unit, int64_t now_ms);

/* All units; schema Inverters. */
struct json_object *view_units(const struct snapshot *snapshot, int64_t now_ms);

/* Schema Event. */
struct json_object *view_event(const struct model_event *event);

/* Schema Order. */
struct json_object *view_order(const struct order *order);

/* Schema Limits; @model is locked. */
struct json_object *view_limits(const struct model *model);

/* Schema Topology. */
struct json_object *view_topology(const struct snapshot *snapshot);

/* Schema Commissioning. */
struct json_object *view_commissioning(const struct snapshot *snapshot, int64_t now_ms);

/* A number with so many decimals; null for NAN and INFINITY. */
struct json_object *view_number(double value, int decimals);

/* Time of a reading's set: the newest of a unit's readings, 0 for none. */
int64_t view_time_ms(const struct model_unit *unit);

#endif /* ECUD_VIEW_H */
