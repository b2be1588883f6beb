// SPDX-License-Identifier: GPL-2.0-or-later
#include "readings.h"

#include <math.h>

#include "unit.h"
#include "util.h"

static const struct {
	enum reading_id id;
	enum own_status_field field;
	int channel;
} from_status[] = {
	{ READING_POWER, OWN_GRID_P, 0 },
	{ READING_REACTIVE_POWER, OWN_GRID_Q, 0 },
	{ READING_GRID_V, OWN_GRID_V, 0 },
	{ READING_GRID_I, OWN_GRID_I, 0 },
	{ READING_GRID_F, OWN_GRID_F, 0 },
	{ READING_TEMPERATURE, OWN_CASE_TEMP, 0 },
	{ READING_DC_LINK, OWN_DC_LINK, 0 },
	{ READING_POWER_LIMIT, OWN_POWER_LIMIT, 0 },
	{ READING_ENTER_SERVICE, OWN_ENTER_SERVICE, 0 },
	{ READING_UPTIME, OWN_UPTIME, 0 },
	{ READING_DC_V, OWN_PV1_V, 0 },
	{ READING_DC_V, OWN_PV2_V, 1 },
	{ READING_DC_V, OWN_PV3_V, 2 },
	{ READING_DC_V, OWN_PV4_V, 3 },
	{ READING_DC_I, OWN_PV1_I, 0 },
	{ READING_DC_I, OWN_PV2_I, 1 },
	{ READING_DC_I, OWN_PV3_I, 2 },
	{ READING_DC_I, OWN_PV4_I, 3 },
};

static const struct {
	enum reading_id id;
	enum l2_telemetry_field field;
	int channel;
} from_telemetry[] = {
	{ READING_GRID_V, L2_GRID, 0 },	     { READING_GRID_F, L2_FREQUENCY, 0 },
	{ READING_TEMPERATURE, L2_TEMP, 0 }, { READING_DC_V, L2_VOLTAGE_A, 0 },
	{ READING_DC_V, L2_VOLTAGE_B, 1 },   { READING_DC_V, L2_VOLTAGE_C, 2 },
	{ READING_DC_V, L2_VOLTAGE_D, 3 },   { READING_DC_I, L2_CURRENT_A, 0 },
	{ READING_DC_I, L2_CURRENT_B, 1 },   { READING_DC_I, L2_CURRENT_C, 2 },
	{ READING_DC_I, L2_CURRENT_D, 3 },
};

static const enum own_status_field energy_of_status[ACCOUNT_CHANNELS] = {
	OWN_PV1_ENERGY, OWN_PV2_ENERGY, OWN_PV3_ENERGY, OWN_PV4_ENERGY, OWN_GRID_ENERGY
};
static const enum l2_telemetry_field energy_of_telemetry[MODEL_CHANNELS] = {
	L2_ENERGY_A, L2_ENERGY_B, L2_ENERGY_C, L2_ENERGY_D
};

#define MWH_PER_WH 1000.0

static double value_of(const struct model_unit *unit, enum reading_id id, int channel)
{
	return unit->reading[id][channel].value;
}

/* Power of each module; the sum, NAN unless all are known. */
static double put_dc_power(struct model_unit *unit, int64_t time_ms)
{
	double sum_w = 0;

	for (int channel = 0; channel < MODEL_CHANNELS; channel++) {
		double w = value_of(unit, READING_DC_V, channel) *
			   value_of(unit, READING_DC_I, channel);

		model_put(unit, READING_DC_P, channel, w, time_ms);
		sum_w += w;
	}
	return sum_w;
}

static void put_link_quality(struct model_unit *unit, int64_t time_ms)
{
	model_put(unit, READING_LINK_QUALITY, 0, unit->lqi * 100 / 255.0, time_ms);
}

static uint32_t bits_of(int64_t raw)
{
	return raw == FIELD_ABSENT ? 0 : (uint32_t)raw;
}

void readings_of_status(struct model_unit *unit, const int64_t raw[OWN_STATUS_COUNT],
			int64_t time_ms)
{
	uint32_t flags = bits_of(raw[OWN_FLAGS]);

	for (size_t i = 0; i < ARRAY_SIZE(from_status); i++) {
		enum own_status_field field = from_status[i].field;

		model_put(unit, from_status[i].id, from_status[i].channel,
			  field_physical(&own_status_field[field], raw[field]), time_ms);
	}
	put_dc_power(unit, time_ms);
	put_link_quality(unit, time_ms);
	unit->state = raw[OWN_STATE] >= 0 && raw[OWN_STATE] < QS1_STATE_COUNT ? (int)raw[OWN_STATE]
									      : -1;
	unit->faults_active = bits_of(raw[OWN_FAULTS_ACTIVE]);
	unit->faults_latched = bits_of(raw[OWN_FAULTS_LATCHED]);
	unit->armed = flags & OWN_FLAG_ARMED;
	unit->shutdown = flags & OWN_FLAG_SHUTDOWN;
	unit->profile_applied = flags & OWN_FLAG_PROFILE_APPLIED;
}

void readings_of_telemetry(struct model_unit *unit, const int64_t raw[L2_TELEMETRY_COUNT],
			   int64_t time_ms)
{
	for (size_t i = 0; i < ARRAY_SIZE(from_telemetry); i++) {
		enum l2_telemetry_field field = from_telemetry[i].field;

		model_put(unit, from_telemetry[i].id, from_telemetry[i].channel,
			  field_physical(&l2_telemetry_field[field], raw[field]), time_ms);
	}
	model_put(unit, READING_POWER, 0, MODEL_STOCK_EFFICIENCY * put_dc_power(unit, time_ms),
		  time_ms);
	put_link_quality(unit, time_ms);
	unit->faults_active = unit_faults(raw[L2_STATUS]);
	unit->faults_latched = unit->faults_active & QS1_FAULTS_LATCHING;
}

bool readings_counters_of_status(const int64_t raw[OWN_STATUS_COUNT],
				 uint64_t counter_mwh[ACCOUNT_CHANNELS])
{
	for (int i = 0; i < ACCOUNT_CHANNELS; i++) {
		/* all ones is absent, and a negative number is none */
		if (raw[energy_of_status[i]] < 0) {
			return false;
		}
		/* the field counts mWh, so that no bit is lost */
		counter_mwh[i] = (uint64_t)raw[energy_of_status[i]];
	}
	return true;
}

bool readings_counters_of_telemetry(const int64_t raw[L2_TELEMETRY_COUNT],
				    uint64_t counter_mwh[ACCOUNT_CHANNELS])
{
	for (int i = 0; i < MODEL_CHANNELS; i++) {
		enum l2_telemetry_field field = energy_of_telemetry[i];

		if (raw[field] == FIELD_ABSENT) {
			return false;
		}
		counter_mwh[i] = (uint64_t)llround(
			field_physical(&l2_telemetry_field[field], raw[field]) * MWH_PER_WH);
	}
	return true;
}

void readings_of_accounts(struct model_unit *unit, const struct account account[ACCOUNT_CHANNELS],
			  int64_t time_ms)
{
	for (int i = 0; i < MODEL_CHANNELS; i++) {
		model_put(unit, READING_DC_ENERGY, i, (double)account[i].total_mwh / MWH_PER_WH,
			  time_ms);
		model_put(unit, READING_DC_ENERGY_TODAY, i,
			  (double)account_today(&account[i]) / MWH_PER_WH, time_ms);
	}
	model_put(unit, READING_ENERGY, 0, (double)account[ACCOUNT_GRID].total_mwh / MWH_PER_WH,
		  time_ms);
	model_put(unit, READING_ENERGY_TODAY, 0,
		  (double)account_today(&account[ACCOUNT_GRID]) / MWH_PER_WH, time_ms);
}
