// SPDX-License-Identifier: GPL-2.0-only
#include "record.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <qs1/stage.h>

#include "status.h"

#define RECORD_PERIODS (10u * QS1_CONTROL_HZ)

/* From the end of a half cycle until its means are published: slots of a frame, 1 ms each. */
#define EVALUATION_PERIODS (QS1_CONTROL_HZ / 500)
#define AC_CYCLES 3
/* Lowest frequency of a cycle; what is below is no grid. */
#define CYCLE_MIN_HZ 45

/* Quantities of qs1-meter, in the order of struct row: DC quantities first. */
enum quantity {
	PV_V,
	PV_I = PV_V + QS1_INPUTS,
	PV_P = PV_I + QS1_INPUTS,
	DC_QUANTITIES = PV_P + QS1_INPUTS,
	GRID_V = DC_QUANTITIES,
	GRID_I,
	GRID_F,
	GRID_P,
	TEMP_C,
	QUANTITIES
};

struct row {
	float value[QUANTITIES];
};

struct record {
	uint64_t count;
	struct row row[RECORD_PERIODS];
};

struct record *record_new(void)
{
	return calloc(1, sizeof(struct record));
}

void record_free(struct record *record)
{
	free(record);
}

void record_add(struct record *record, const struct qs1_world *world)
{
	const struct qs1_truth *truth = qs1_world_truth(world);
	float *value = record->row[record->count++ % RECORD_PERIODS].value;
	struct qs1_instant instant;

	qs1_world_instant(world, &instant);
	for (int n = 0; n < QS1_INPUTS; n++) {
		value[PV_V + n] = (float)instant.vpv_v[n];
		value[PV_I + n] = (float)instant.ipv_a[n];
		value[PV_P + n] = (float)(instant.vpv_v[n] * instant.ipv_a[n]);
	}
	value[GRID_V] = (float)truth->vgrid_v;
	value[GRID_I] = (float)truth->igrid_a;
	value[GRID_F] = (float)truth->f_hz;
	value[GRID_P] = (float)truth->p_w;
	value[TEMP_C] = (float)truth->tcase_c;
}

static double at(const struct record *record, uint64_t period, int quantity)
{
	return record->row[period % RECORD_PERIODS].value[quantity];
}

static void widen(double bounds[2], double value)
{
	bounds[0] = fmin(bounds[0], value);
	bounds[1] = fmax(bounds[1], value);
}

/* Means over @n periods, of all intervals that end from @first to @last. */
static void mean_bounds(const struct record *record, int quantity, uint64_t n, uint64_t first,
			uint64_t last, double bounds[2])
{
	double sum = 0;

	for (uint64_t period = first + 1 - n; period <= last; period++) {
		sum += at(record, period, quantity);
		if (period < first)
			continue;
		widen(bounds, sum / (double)n);
		sum -= at(record, period + 1 - n, quantity);
	}
}

static void value_bounds(const struct record *record, int quantity, uint64_t first, uint64_t last,
			 double bounds[2])
{
	for (uint64_t period = first; period <= last; period++)
		widen(bounds, at(record, period, quantity));
}

static struct json_object *bounds_object(double bounds[QUANTITIES][2], int which)
{
	struct json_object *object = json_object_new_object(), *child;
	char key[8];

	for (int n = 0; n < QS1_INPUTS; n++) {
		child = json_object_new_object();
		json_object_object_add(child, "v", status_number(bounds[PV_V + n][which]));
		json_object_object_add(child, "i", status_number(bounds[PV_I + n][which]));
		json_object_object_add(child, "p", status_number(bounds[PV_P + n][which]));
		snprintf(key, sizeof(key), "pv%d", n + 1);
		json_object_object_add(object, key, child);
	}
	child = json_object_new_object();
	json_object_object_add(child, "v", status_number(bounds[GRID_V][which]));
	json_object_object_add(child, "i", status_number(bounds[GRID_I][which]));
	json_object_object_add(child, "f", status_number(bounds[GRID_F][which]));
	json_object_object_add(child, "p", status_number(bounds[GRID_P][which]));
	json_object_object_add(object, "grid", child);
	json_object_object_add(object, "temp_c", status_number(bounds[TEMP_C][which]));
	return object;
}

struct json_object *record_bounds(const struct record *record, uint64_t ago, char *err, size_t size)
{
	const uint64_t reach = AC_CYCLES * QS1_CONTROL_HZ / CYCLE_MIN_HZ + EVALUATION_PERIODS;
	uint64_t recorded = record->count < RECORD_PERIODS ? record->count : RECORD_PERIODS;
	uint64_t period = record->count - 1 - ago, half, after;
	double bounds[QUANTITIES][2], f;
	struct json_object *object;

	if (recorded < reach + 1 || ago > recorded - reach - 1) {
		snprintf(err, size,
			 "the truth of %" PRIu64 " control periods ago is not recorded; "
			 "%" PRIu64 " are, of which an interval takes up to %" PRIu64,
			 ago, recorded, reach);
		return NULL;
	}
	f = at(record, period, GRID_F);
	half = (uint64_t)lround(QS1_CONTROL_HZ / (2 * (f >= CYCLE_MIN_HZ ? f : QS1_GRID_HZ)));
	/* A cycle of the firmware may begin half a cycle before the plant's. */
	after = period + half < record->count ? period + half : record->count - 1;
	for (int quantity = 0; quantity < QUANTITIES; quantity++) {
		bounds[quantity][0] = INFINITY;
		bounds[quantity][1] = -INFINITY;
		if (quantity < DC_QUANTITIES)
			mean_bounds(record, quantity, half, period - half - EVALUATION_PERIODS,
				    period, bounds[quantity]);
		else
			value_bounds(record, quantity, period - reach, after, bounds[quantity]);
	}
	object = json_object_new_object();
	json_object_object_add(object, "low", bounds_object(bounds, 0));
	json_object_object_add(object, "high", bounds_object(bounds, 1));
	return object;
}
