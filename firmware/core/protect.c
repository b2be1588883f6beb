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
/* A jump scores 4, another sample -1: sixteen jumps within 3.2 ms at the soonest. */
#define JUMP_SCORE 4
#define JUMPS_MAX 64
#define SENSOR_STRIDE 4
/*
 * A quiet converter repeats itself for as long as the quantity stands still, so
 * that equal samples are a sign only while something moves the quantity. From an
 * amplitude of 0.1 A on, the grid current of a converter without noise stands still
 * for 0.6 ms at the longest, and so do the other channels of the AC side.
 * The grid current closes a fast loop: it is looked at each period, and the gates
 * are off after 20 equal samples, 1 ms.
 */
#define DRIVES_I10 204800
#define I_STUCK 20
/*
 * Squared on-time fraction from which the tracker moves an input's current too: 8 mS,
 * which are 10 W at 35 V
 */
#define PV_MOVES_Q31 (1 << 24)
/* 1 V above the tracker's voltage an input is curtailed */
#define PV_HELD 400
/*
 * 24 V above its reference, close to where the inputs have faded out (input.c), the
 * link rests at zero grid voltage.
 */
#define LINK_RESTS 1200
/* 1 W from an input moves the link by 25 counts in the 100 ms that a link that charges has */
#define CHARGES 640000
#define CHARGE_STRIDE 16
/*
 * The bridge's diodes hold the link at the grid's peak: 80 V below is a false
 * reading of one of the two, when it lasts for 0.2 ms. Light that is suddenly gone leaves
 * 40 V across the filter's inductors, at an aged link, and a current of 12 A, whose
 * end is a peak of the grid's voltage. Above 400 V a surge runs ahead of the link through
 * the filter's inductors, and the limits of voltage act.
 */
#define LINK_FOLLOWS 20000
#define LINK_BELOW_GRID 4000
#define LINK_BELOW_MAX 4
/*
 * A channel is believed again after a second without a sign of a fault, after a
 * minute if it had drifted: that shows in operation only, at a link that is too high.
 */
#define BELIEVE_MS 1000
#define BELIEVE_DRIFT_MS 60000
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

#define CHANNEL(k) (1u << (k))
/* The quantities that a current into the grid moves; the voltages on both sides of the relay. */
#define DRIVEN (CHANNEL(QS1_ADC_VLINK) | CHANNEL(QS1_ADC_IGRID) | CHANNEL(QS1_ADC_IGND) | VOLTAGES)
#define VOLTAGES (CHANNEL(QS1_ADC_VGRID) | CHANNEL(QS1_ADC_VINV))
#define INPUT(n) (CHANNEL(QS1_ADC_VPV1 + (n)) | CHANNEL(QS1_ADC_IPV1 + (n)))

/*
 * Milliseconds without a change, while the quantity has to move, after which a
 * channel is stuck. The longest of a converter without noise: 0.6 ms of what the
 * current moves, 1 ms of the link, 24 ms of an input, whose tracker moves it
 * every 25 ms. The ground current rests with the grid's voltage, in a sag for
 * as long as the unit takes to cease. The reference never moves, and temperatures
 * may rest for seconds: no limit.
 */
static const uint8_t still_limit_ms[QS1_ADC_COUNT] = {
	[QS1_ADC_VPV1] = 100, [QS1_ADC_VPV2] = 100, [QS1_ADC_VPV3] = 100, [QS1_ADC_VPV4] = 100,
	[QS1_ADC_IPV1] = 100, [QS1_ADC_IPV2] = 100, [QS1_ADC_IPV3] = 100, [QS1_ADC_IPV4] = 100,
	[QS1_ADC_VLINK] = 6,  [QS1_ADC_VGRID] = 6,  [QS1_ADC_IGRID] = 6,  [QS1_ADC_VINV] = 6,
	[QS1_ADC_IGND] = 100,
};

/* mean magnitude times 16, time constant 16 ms */
static void rectify(int32_t *mean_x16, int32_t x)
{
	*mean_x16 += qs1_abs(x) - qs1_asr(*mean_x16, 4);
}

/* Four channels each period: do they move, do they jump? */
static void watch(struct qs1_protect *p, const int16_t *adc, int first)
{
	for (int k = first; k < QS1_ADC_COUNT; k += SENSOR_STRIDE) {
		int32_t moved = adc[k] - p->last[k];

		p->last[k] = adc[k];
		if (moved)
			p->moved |= CHANNEL(k);
		if (qs1_abs(moved) > slew[k])
			p->jumps[k] = p->jumps[k] < JUMPS_MAX ? p->jumps[k] + JUMP_SCORE
							      : JUMPS_MAX;
		else if (p->jumps[k])
			p->jumps[k]--;
	}
}

/* The bridge drives a current that no healthy channel of the AC side can miss. */
static bool drives(const struct qs1_core *core)
{
	return core->bridge_on && core->current.amp_i10 > DRIVES_I10;
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
	p->i_same = rise || !drives(core) ? 0 : p->i_same + 1;
	p->i_last = adc[QS1_ADC_IGRID];
	if (core->bridge_on && qs1_abs(p->i_last + rise) > PEAK_COUNTS) {
		if (!core->current.blank)
			core->current.blanks += PEAK_SCORE;
		core->current.blank = PEAK_BLANK;
	}
	if (p->i_same >= I_STUCK)
		disbelieve(p, 1u << QS1_ADC_IGRID);
	if (!core->bridge_on ||
	    adc[QS1_ADC_VLINK] >= (v < LINK_FOLLOWS ? v : LINK_FOLLOWS) - LINK_BELOW_GRID)
		p->link_below = 0;
	else if (++p->link_below == LINK_BELOW_MAX)
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

bool qs1_lasts(uint16_t *ms, bool present, uint16_t limit)
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

/*
 * The tracker, and nothing else, sets the input's voltage: it says so, or the loop
 * is away from its limit and at the voltage wanted.
 */
static bool tracks(const struct qs1_core *core, int n)
{
	const struct qs1_input *in = &core->input[n];

	return in->on && in->integ_q31 > PV_MOVES_Q31 &&
	       (in->mppt.tracking || (in->integ_q31 < in->limit_q31 - in->limit_q31 / 8 &&
				      core->adc[QS1_ADC_VPV1 + n] < in->vref + PV_HELD));
}

/* Channels whose quantities have to move now. */
static uint32_t has_to_move(const struct qs1_core *core)
{
	bool driven = drives(core);
	uint32_t channels = driven ? DRIVEN : 0;

	if (core->adc[QS1_ADC_VLINK] > core->dclink.ref + LINK_RESTS)
		channels &= ~CHANNEL(QS1_ADC_VLINK);
	for (int n = 0; n < QS1_INPUTS; n++) {
		if (driven && tracks(core, n))
			channels |= INPUT(n);
		if (core->fsm.state == QS1_STATE_CONNECTING && !core->fsm.step &&
		    core->input[n].on && core->input[n].p > CHARGES &&
		    !(core->frame & (CHARGE_STRIDE - 1)))
			channels |= CHANNEL(QS1_ADC_VLINK);
	}
	return channels;
}

/*
 * Each millisecond: channels that are stuck. They are until they move again, for
 * what stops the unit also stops the quantity.
 */
static uint32_t stuck(struct qs1_core *core)
{
	struct qs1_protect *p = &core->protect;
	uint32_t watched = has_to_move(core), found = 0;

	/* A grid without voltage holds both of its channels still, a fault one. */
	if (!(p->moved & VOLTAGES))
		watched &= ~VOLTAGES;
	for (int k = 0; k < QS1_ADC_COUNT; k++) {
		if (p->moved & CHANNEL(k))
			p->still_ms[k] = 0;
		else if (watched & CHANNEL(k) && p->still_ms[k] < still_limit_ms[k])
			p->still_ms[k]++;
		if (still_limit_ms[k] && p->still_ms[k] == still_limit_ms[k])
			found |= CHANNEL(k);
	}
	p->moved = 0;
	return found;
}

/* Each millisecond, first: which channels can not be believed. */
void qs1_protect_sensors_ms(struct qs1_core *core)
{
	struct qs1_protect *p = &core->protect;
	uint32_t full = 0, bad = stuck(core), drifted = qs1_drift_ms(core);

	for (int k = 0; k < QS1_ADC_COUNT; k++) {
		if (qs1_abs(core->adc[k]) > FULL_SCALE)
			full |= 1u << k;
		if (p->jumps[k] >= JUMPS_MAX)
			bad |= 1u << k;
	}
	if (qs1_lasts(&p->full_scale_ms, full, SENSOR_MS))
		bad |= full;
	if (qs1_lasts(&p->ref_ms, qs1_abs(core->adc[QS1_ADC_VREF] - QS1_VREF_COUNT) > REF_TOLERANCE,
		      SENSOR_MS))
		bad |= 1u << QS1_ADC_VREF;
	if (drifted)
		p->bad_ms = BELIEVE_DRIFT_MS;
	else if (bad && p->bad_ms < BELIEVE_MS)
		p->bad_ms = BELIEVE_MS;
	else if (p->bad_ms)
		p->bad_ms--;
	p->bad = (uint16_t)(p->bad_ms ? p->bad | bad | drifted : 0);
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
	if (qs1_lasts(&p->ground_ms,
		      ground_ma > core->param[QS1_PARAM_GFDI_LIMIT_MA] &&
			      !(p->bad & (1u << QS1_ADC_IGND)),
		      GROUND_MS))
		active |= QS1_FAULT_BIT(QS1_FAULT_GFDI);
	if (qs1_lasts(&p->pv_ov_ms, all_too_high(core, p->pv_ov_ms == PV_OV_MS), PV_OV_MS) ||
	    any_above(core, QS1_ADC_VPV1, PV_ABS_MAX))
		active |= QS1_FAULT_BIT(QS1_FAULT_PV_OV);
	if (qs1_lasts(&p->pv_oc_ms, any_above(core, QS1_ADC_IPV1, PV_OC), PV_OC_MS))
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
	if (qs1_lasts(&p->mismatch_ms, core->relay_on && p->mismatch_x16 / 16 > MISMATCH,
		      MISMATCH_MS))
		active |= QS1_FAULT_BIT(QS1_FAULT_RELAY);
	return active;
}
