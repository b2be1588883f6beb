/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Grid protection: one table of trip functions, IEEE 1547-2018 6.4 and 6.5.
 *
 * A clearing time is a maximum from the event to the end of the current. Subtract
 * from it the relay's opening time, the measuring window and one evaluation:
 *   voltage    17 ms relay + 17 ms RMS window + 8 ms half cycle + 2 ms
 *   frequency  17 ms relay + 17 ms cycle + 8 ms half cycle + 12 ms resonator
 * at 60 Hz. The relay takes 8 ms to open, and its contacts carry the current of the
 * filter until its next zero. In all this is 8 ms and two cycles, rounded up to whole
 * milliseconds. The remainder is the time that the condition has to hold.
 * The mean of ten minutes trips without delay.
 */
#include <qs1/stage.h>

#include "state.h"

/* above half a cycle of 50 Hz */
#define GAP_MS 12
#define LAG_V_MS (QS1_RELAY_OPEN_MS + 2)
#define LAG_F_MS (QS1_RELAY_OPEN_MS + 12)

enum quantity {
	VOLTAGE,
	MEAN,
	FREQUENCY,
	QUANTITIES,
};

static const struct {
	uint8_t fault;
	uint8_t quantity;
	int8_t above;
	uint8_t threshold;
	uint8_t time;
} table[QS1_TRIPS] = {
	{ QS1_FAULT_UV2, VOLTAGE, 0, QS1_PARAM_UV2_V_PU, QS1_PARAM_UV2_T_S },
	{ QS1_FAULT_UV1, VOLTAGE, 0, QS1_PARAM_UV1_V_PU, QS1_PARAM_UV1_T_S },
	{ QS1_FAULT_OV2, VOLTAGE, 1, QS1_PARAM_OV2_V_PU, QS1_PARAM_OV2_T_S },
	{ QS1_FAULT_OV1, VOLTAGE, 1, QS1_PARAM_OV1_V_PU, QS1_PARAM_OV1_T_S },
	{ QS1_FAULT_OF1, FREQUENCY, 1, QS1_PARAM_OF1_F_HZ, QS1_PARAM_OF1_T_S },
	{ QS1_FAULT_OF2, FREQUENCY, 1, QS1_PARAM_OF2_F_HZ, QS1_PARAM_OF2_T_S },
	{ QS1_FAULT_UF1, FREQUENCY, 0, QS1_PARAM_UF1_F_HZ, QS1_PARAM_UF1_T_S },
	{ QS1_FAULT_UF2, FREQUENCY, 0, QS1_PARAM_UF2_F_HZ, QS1_PARAM_UF2_T_S },
	{ QS1_FAULT_OV_MEAN, MEAN, 1, QS1_PARAM_OV_MEAN_V_PU, QS1_PARAM_COUNT },
};

void qs1_trip_derive(struct qs1_core *core)
{
	/* 34 ms at 60 Hz, 40 at 50 */
	int32_t cycles =
		(200000 + core->param[QS1_PARAM_F_NOM_HZ] - 1) / core->param[QS1_PARAM_F_NOM_HZ];

	for (int k = 0; k < QS1_TRIPS; k++) {
		bool f = table[k].quantity == FREQUENCY;
		int32_t lag = cycles + (f ? LAG_F_MS : LAG_V_MS);

		/* pu / 1000 * V = mV; 10 mHz */
		core->trip.threshold[k] =
			core->param[table[k].threshold] * (f ? 10 : core->param[QS1_PARAM_V_NOM_V]);
		core->trip.limit_ms[k] =
			table[k].quantity == MEAN
				? 0
				: (uint32_t)(core->param[table[k].time] * 10 - lag);
	}
}

static int32_t to_mhz(int32_t uhz)
{
	return (uhz + 500) / 1000;
}

/*
 * How long a condition has held. A single evaluation that just misses the
 * threshold, as after a step close to it, does not reset the time: a gap of up to
 * half a cycle counts as held.
 */
static uint32_t held_ms(struct qs1_trip *trip, int k, bool hit)
{
	if (hit)
		trip->gap_ms[k] = 0;
	else if (trip->gap_ms[k] < GAP_MS)
		trip->gap_ms[k]++;
	if (trip->gap_ms[k] == GAP_MS || !(hit || trip->ms[k]))
		trip->ms[k] = 0;
	else if (trip->ms[k] < trip->limit_ms[k])
		trip->ms[k]++;
	return trip->ms[k];
}

/* Each millisecond: QS1_FAULT_BIT() of the functions whose time is up. */
uint32_t qs1_trip_ms(struct qs1_core *core)
{
	/* mV and mHz */
	const int32_t measured[QUANTITIES] = { core->meter.vrms_mv, core->mean.v_mv,
					       to_mhz(core->meter.f_raw_uhz) };
	uint32_t trips = 0;

	for (int k = 0; k < QS1_TRIPS; k++) {
		int32_t x = measured[table[k].quantity];
		int32_t limit = core->trip.threshold[k];
		bool hit = table[k].above
				   ? x > limit || (x == limit && table[k].fault == QS1_FAULT_OV2)
				   : x < limit;

		/* Without a voltage there is no frequency to judge. */
		if (table[k].quantity == FREQUENCY && !x)
			hit = false;
		if (held_ms(&core->trip, k, hit) >= core->trip.limit_ms[k] && hit)
			trips |= QS1_FAULT_BIT(table[k].fault);
	}
	return trips;
}

/* Value of a trip's event: mV, mHz, or the first ADC channel that is implausible. */
int32_t qs1_trip_value(const struct qs1_core *core, enum qs1_fault fault)
{
	for (int k = 0; k < QS1_TRIPS; k++)
		if (table[k].fault == fault)
			return table[k].quantity == VOLTAGE ? core->meter.vrms_mv
			       : table[k].quantity == MEAN  ? core->mean.v_mv
							    : to_mhz(core->meter.f_raw_uhz);
	if (fault == QS1_FAULT_SENSOR) {
		int32_t channel = 0;

		while (channel < QS1_ADC_COUNT - 1 && !(core->protect.bad & (1u << channel)))
			channel++;
		return channel;
	}
	return fault == QS1_FAULT_ISLAND || fault == QS1_FAULT_ROCOF ? to_mhz(core->meter.f_raw_uhz)
								     : 0;
}
