/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Limits that hold whatever the grid profile says, and checks of the sensors.
 */
#include "state.h"

/*
 * Transient over-voltage of the grid: 1.4 pu, 1.4 * sqrt(2) / 20 mV is 99 counts
 * a nominal volt. IEEE 1547-2018 7.4.2 allows it for 16 ms, and 1.7 pu for 3 ms.
 * A sample above takes the gates for two periods, so that nothing of it comes
 * from the unit, and scores 16, any other one -1: sixteen of them, 0.8 ms, are a
 * trip. At once it is one above 640 V, close to the 650 V of the bridge and to
 * the end of the sensor's range.
 */
#define TOV_COUNTS_PER_V 99
#define TOV_BLANK 3
#define TOV_SCORE 16
#define TOV_MAX (16 * TOV_SCORE)
#define TOV_AT_ONCE 32000
/* DC link: 455 V, above the 447 V to which the inputs can bring it (input.c, dclink.c) */
#define LINK_OV 22750
/* PV: absolute maximum 60 V; 14 A for 5 ms */
#define PV_ABS_MAX 24000
#define PV_OC 22400
#define PV_OV_MS 1000
#define PV_OC_MS 5
/*
 * The gates rest for five periods when the grid current would pass 12 A within
 * one; the rated peak is 7.07 A. Behind little inductance a sag brings 3 A in a
 * period, so that they rest from 9 A on; behind 13 mH 0.5 A, which the control
 * takes in: gates off would leave the filter to what flows in the source's
 * inductance, 650 V at 10 A. Each such rest scores 2, each millisecond -1: a short
 * circuit has three in one, notches of a rectifier one in three.
 */
#define PEAK_COUNTS 24000
#define PEAK_BLANK 6
#define PEAK_SCORE 2
#define BLANKS_MAX (30 * PEAK_SCORE)
/* ground current above its limit for 20 ms */
#define GROUND_MS 20
/* the reference is off by more than 1 % for 10 ms */
#define REF_TOLERANCE (QS1_VREF_COUNT / 100)
#define SENSOR_MS 10
#define FULL_SCALE 32700
/*
 * A 16-bit converter never repeats itself for long: with 1.5 counts of noise two
 * samples are equal once in five times, 32 in a row once in 10^23. Channels that
 * stand still among others that do not are stuck.
 */
#define STUCK 32
#define MOVING_MIN 12
/* A jump scores 4, another sample -1: sixteen jumps within 3.2 ms at the soonest. */
#define JUMP_SCORE 4
#define JUMPS_MAX 64
#define SENSOR_STRIDE 4
/*
 * The grid current closes a fast loop: looked at each period, and gates off after
 * 20 equal samples, 1 ms. That chance has 10^-14.
 */
#define I_STUCK 20
/*
 * The bridge's diodes hold the link at the grid's peak: 40 V below is a false
 * reading of one of the two. Above 400 V a surge runs ahead of the link through
 * the filter's inductors, and the limits of voltage act.
 */
#define LINK_FOLLOWS 20000
#define LINK_BELOW_GRID 2000
/* a channel is believed again after a second without a sign of a fault */
#define BELIEVE_MS 1000
/* relay closed, yet more than 20 V across it, for 60 ms */
#define MISMATCH 1000
#define MISMATCH_MS 60

/*
 * Counts by which a quantity can not change in four periods, 200 us. The source
 * of each: 1000 uF on an input move 2.4 V at 12 A; 470 uF on the link 2 V; a
 * grid of 1.4 pu with 8 % of harmonics 50 V, and a filter that rings after a sag
 * twice that; 14 A of grid current 1.1 A and its transients more, but not sixteen
 * in a row; heat moves in seconds.
 */
static const int16_t slew[QS1_ADC_COUNT] = {
	[QS1_ADC_VPV1] = 4000,	[QS1_ADC_VPV2] = 4000,	[QS1_ADC_VPV3] = 4000,
	[QS1_ADC_VPV4] = 4000,	[QS1_ADC_IPV1] = 4000,	[QS1_ADC_IPV2] = 4000,
	[QS1_ADC_IPV3] = 4000,	[QS1_ADC_IPV4] = 4000,	[QS1_ADC_VLINK] = 4000,
	[QS1_ADC_VGRID] = 6000, [QS1_ADC_IGRID] = 8000, [QS1_ADC_IGND] = 4000,
	[QS1_ADC_VINV] = 6000,	[QS1_ADC_VREF] = 400,	[QS1_ADC_TCASE] = 400,
	[QS1_ADC_TSTAGE] = 400,
};

/* mean magnitude times 16, time constant 16 ms */
static void rectify(int32_t *mean_x16, int32_t x)
{
	*mean_x16 += qs1_abs(x) - qs1_asr(*mean_x16, 4);
}

/* Four channels each period: do they stand still, do they jump? */
static void watch(struct qs1_protect *p, const int16_t *adc, int first)
{
	for (int k = first; k < QS1_ADC_COUNT; k += SENSOR_STRIDE) {
		int32_t moved = adc[k] - p->last[k];

		p->last[k] = adc[k];
		if (moved)
			p->same[k] = 0;
		else if (p->same[k] < STUCK)
			p->same[k]++;
		if (qs1_abs(moved) > slew[k])
			p->jumps[k] = p->jumps[k] < JUMPS_MAX ? p->jumps[k] + JUMP_SCORE
							      : JUMPS_MAX;
		else if (p->jumps[k])
			p->jumps[k]--;
	}
}

/* Gates off now; the millisecond's evaluation does the rest. */
static void disbelieve(struct qs1_protect *p, uint16_t channels)
{
	p->bad |= channels;
	p->bad_ms = BELIEVE_MS;
	p->fast |= QS1_FAULT_BIT(QS1_FAULT_SENSOR);
}

/* Every period: what must not wait. */
void qs1_protect_step(struct qs1_core *core)
{
	struct qs1_protect *p = &core->protect;
	const int16_t *adc = core->adc;
	int32_t v = qs1_abs(adc[QS1_ADC_VGRID]), rise;

	watch(p, adc, (int)(core->ticks & (SENSOR_STRIDE - 1)));
	rise = adc[QS1_ADC_IGRID] - p->i_last;
	p->i_same = rise ? 0 : p->i_same + (p->i_same < I_STUCK);
	p->i_last = adc[QS1_ADC_IGRID];
	if (core->bridge_on && qs1_abs(p->i_last + rise) > PEAK_COUNTS) {
		if (!core->current.blank)
			core->current.blanks += PEAK_SCORE;
		core->current.blank = PEAK_BLANK;
	}
	if (core->bridge_on && p->noisy && p->i_same >= I_STUCK)
		disbelieve(p, 1u << QS1_ADC_IGRID);
	if (core->bridge_on &&
	    adc[QS1_ADC_VLINK] < (v < LINK_FOLLOWS ? v : LINK_FOLLOWS) - LINK_BELOW_GRID)
		disbelieve(p, 1u << QS1_ADC_VLINK | 1u << QS1_ADC_VGRID);
	if (p->tov)
		p->tov--;
	if (v > p->tov_counts) {
		core->current.blank = TOV_BLANK;
		p->tov += TOV_SCORE;
	}
	if (p->tov >= TOV_MAX || v > TOV_AT_ONCE || adc[QS1_ADC_VLINK] > LINK_OV)
		p->fast |= QS1_FAULT_BIT(QS1_FAULT_TOV);
}

/* The parameters have changed. */
void qs1_protect_derive(struct qs1_core *core)
{
	core->protect.tov_counts = core->param[QS1_PARAM_V_NOM_V] * TOV_COUNTS_PER_V;
}

/*
 * At the end of the self test: no channel stands still while the others show
 * their noise. Converters that have none, as in a simulation without noise, tell
 * nothing, and the check rests from then on.
 */
bool qs1_protect_sensors_move(struct qs1_core *core)
{
	int moving = 0;

	for (int k = 0; k < QS1_ADC_COUNT; k++)
		moving += core->protect.same[k] < STUCK;
	core->protect.noisy = moving >= MOVING_MIN;
	return !core->protect.noisy || moving == QS1_ADC_COUNT;
}

static bool lasts(uint16_t *ms, bool present, uint16_t limit)
{
	if (!present)
		*ms = 0;
	else if (*ms < limit)
		++*ms;
	return *ms >= limit;
}

/* One of the inputs' channels, if it can be believed, is above its limit. */
static bool any_above(const struct qs1_core *core, int first, int32_t limit)
{
	for (int k = first; k < first + QS1_INPUTS; k++)
		if (core->adc[k] > limit && !(core->protect.bad & (1u << k)))
			return true;
	return false;
}

/*
 * No input may run: each that has the voltage to start is above its operating
 * voltage, a cold bright morning. @was: it was so before, until 0.5 V below.
 */
static bool all_too_high(const struct qs1_core *core, bool was)
{
	int32_t start = core->param[QS1_PARAM_PV_START_V] * 40;
	int32_t high = core->param[QS1_PARAM_PV_MAX_V] * 40 + (was ? -200 : 40);
	bool above = false;

	for (int n = 0; n < QS1_INPUTS; n++) {
		int32_t v = core->adc[QS1_ADC_VPV1 + n];

		if (core->input[n].on || (v >= start && v < high))
			return false;
		above |= v >= high;
	}
	return above;
}

static void host(struct qs1_core *core)
{
	struct qs1_protect *p = &core->protect;

	if (p->host_ms < (uint32_t)core->param[QS1_PARAM_HOST_TIMEOUT_S] * 100)
		p->host_ms++;
	else
		p->host_alive = false;
}

/* Each millisecond, first: which channels can not be believed. */
void qs1_protect_sensors_ms(struct qs1_core *core)
{
	struct qs1_protect *p = &core->protect;
	uint32_t full = 0, bad = 0;

	for (int k = 0; k < QS1_ADC_COUNT; k++) {
		if (qs1_abs(core->adc[k]) > FULL_SCALE)
			full |= 1u << k;
		if (p->jumps[k] >= JUMPS_MAX || (p->noisy && p->same[k] >= STUCK))
			bad |= 1u << k;
	}
	if (lasts(&p->full_scale_ms, full, SENSOR_MS))
		bad |= full;
	if (lasts(&p->ref_ms, qs1_abs(core->adc[QS1_ADC_VREF] - QS1_VREF_COUNT) > REF_TOLERANCE,
		  SENSOR_MS))
		bad |= 1u << QS1_ADC_VREF;
	if (bad)
		p->bad_ms = BELIEVE_MS;
	else if (p->bad_ms)
		p->bad_ms--;
	p->bad = (uint16_t)(p->bad_ms ? p->bad | bad : 0);
}

/* Each millisecond: QS1_FAULT_BIT() of the causes present. */
uint32_t qs1_protect_ms(struct qs1_core *core)
{
	struct qs1_protect *p = &core->protect;
	const int16_t *adc = core->adc;
	uint32_t active = p->fast;
	int32_t ground_ma;
	int32_t stop_mc = core->param[QS1_PARAM_OVERTEMP_C] * 1000;

	rectify(&p->ground_x16, adc[QS1_ADC_IGND]);
	rectify(&p->mismatch_x16, adc[QS1_ADC_VINV] - adc[QS1_ADC_VGRID]);
	rectify(&p->vgrid_x16, adc[QS1_ADC_VGRID]);
	ground_ma = p->ground_x16 / 16 * QS1_LSB_IGND / 1000;
	host(core);
	if (core->fsm.armed && !p->host_alive)
		active |= QS1_FAULT_BIT(QS1_FAULT_HOST_LOST);

	/* A latch is not set by a sensor that can not be believed: the unit stops anyway. */
	if (lasts(&p->ground_ms,
		  ground_ma > core->param[QS1_PARAM_GFDI_LIMIT_MA] &&
			  !(p->bad & (1u << QS1_ADC_IGND)),
		  GROUND_MS))
		active |= QS1_FAULT_BIT(QS1_FAULT_GFDI);
	if (lasts(&p->pv_ov_ms, all_too_high(core, p->pv_ov_ms == PV_OV_MS), PV_OV_MS) ||
	    any_above(core, QS1_ADC_VPV1, PV_ABS_MAX))
		active |= QS1_FAULT_BIT(QS1_FAULT_PV_OV);
	if (lasts(&p->pv_oc_ms, any_above(core, QS1_ADC_IPV1, PV_OC), PV_OC_MS))
		active |= QS1_FAULT_BIT(QS1_FAULT_PV_OC);
	if (core->current.blanks > BLANKS_MAX)
		active |= QS1_FAULT_BIT(QS1_FAULT_AC_OC);

	/* 10 mC a count; over-temperature ends 10 degrees lower */
	p->tcase_mc += (adc[QS1_ADC_TCASE] * 10 - p->tcase_mc) / 16;
	p->tstage_mc += (adc[QS1_ADC_TSTAGE] * 10 - p->tstage_mc) / 16;
	p->hot = p->tcase_mc > stop_mc - (p->hot ? 10000 : 0);
	if (p->hot)
		active |= QS1_FAULT_BIT(QS1_FAULT_OVERTEMP);

	if (p->bad)
		active |= QS1_FAULT_BIT(QS1_FAULT_SENSOR);
	if (lasts(&p->mismatch_ms, core->relay_on && p->mismatch_x16 / 16 > MISMATCH, MISMATCH_MS))
		active |= QS1_FAULT_BIT(QS1_FAULT_RELAY);
	return active;
}
