/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Limits that hold whatever the grid profile says, and checks of the sensors.
 */
#include "state.h"

/* 1.4 pu instantaneous: 1.4 * sqrt(2) / 20 mV is 99 counts a nominal volt */
#define TOV_COUNTS_PER_V 99
/* DC link: 455 V, above the 447 V to which the inputs can bring it (input.c, dclink.c) */
#define LINK_OV 22750
/* PV: absolute maximum 60 V; 14 A for 5 ms */
#define PV_ABS_MAX 24000
#define PV_OC 22400
#define PV_OC_MS 5
/* peaks of the grid current that are one too many, see current.c */
#define BLANKS_MAX 160
/* ground current above its limit for 20 ms */
#define GROUND_MS 20
/* the reference is off by more than 1 % for 10 ms */
#define REF_TOLERANCE (QS1_VREF_COUNT / 100)
#define SENSOR_MS 10
#define FULL_SCALE 32700
/* relay closed, yet more than 20 V across it, for 60 ms */
#define MISMATCH 1000
#define MISMATCH_MS 60

/* mean magnitude times 64, time constant 64 periods (3.2 ms) */
static void rectify(int32_t *mean_x64, int32_t x)
{
	*mean_x64 += qs1_abs(x) - qs1_asr(*mean_x64, 6);
}

/* Every period: what must not wait. */
void qs1_protect_step(struct qs1_core *core)
{
	struct qs1_protect *p = &core->protect;
	const int16_t *adc = core->adc;

	rectify(&p->ground_x64, adc[QS1_ADC_IGND]);
	rectify(&p->mismatch_x64, adc[QS1_ADC_VINV] - adc[QS1_ADC_VGRID]);
	rectify(&p->vgrid_x64, adc[QS1_ADC_VGRID]);
	if (qs1_abs(adc[QS1_ADC_VGRID]) > core->param[QS1_PARAM_V_NOM_V] * TOV_COUNTS_PER_V ||
	    adc[QS1_ADC_VLINK] > LINK_OV)
		p->fast |= QS1_FAULT_BIT(QS1_FAULT_TOV);
}

static bool lasts(uint16_t *ms, bool present, uint16_t limit)
{
	if (!present)
		*ms = 0;
	else if (*ms < limit)
		++*ms;
	return *ms >= limit;
}

static bool any_above(const int16_t *adc, int n, int32_t limit)
{
	for (int k = 0; k < n; k++)
		if (adc[k] > limit)
			return true;
	return false;
}

static void host(struct qs1_core *core)
{
	struct qs1_protect *p = &core->protect;

	if (p->host_ms < (uint32_t)core->param[QS1_PARAM_HOST_TIMEOUT_S] * 100)
		p->host_ms++;
	else
		p->host_alive = false;
}

/* Each millisecond: QS1_FAULT_BIT() of the causes present. */
uint32_t qs1_protect_ms(struct qs1_core *core)
{
	struct qs1_protect *p = &core->protect;
	const int16_t *adc = core->adc;
	uint32_t active = p->fast;
	int32_t ground_ma = p->ground_x64 / 64 * QS1_LSB_IGND / 1000;
	int32_t stop_mc = core->param[QS1_PARAM_OVERTEMP_C] * 1000;
	bool full_scale = false;

	p->fast = 0;
	host(core);
	if (core->fsm.armed && !p->host_alive)
		active |= QS1_FAULT_BIT(QS1_FAULT_HOST_LOST);

	if (lasts(&p->ground_ms, ground_ma > core->param[QS1_PARAM_GFDI_LIMIT_MA], GROUND_MS))
		active |= QS1_FAULT_BIT(QS1_FAULT_GFDI);
	if (any_above(&adc[QS1_ADC_VPV1], QS1_INPUTS, PV_ABS_MAX))
		active |= QS1_FAULT_BIT(QS1_FAULT_PV_OV);
	if (lasts(&p->pv_oc_ms, any_above(&adc[QS1_ADC_IPV1], QS1_INPUTS, PV_OC), PV_OC_MS))
		active |= QS1_FAULT_BIT(QS1_FAULT_PV_OC);
	if (core->current.blanks > BLANKS_MAX)
		active |= QS1_FAULT_BIT(QS1_FAULT_AC_OC);

	/* 10 mC a count; over-temperature ends 10 degrees lower */
	p->tcase_mc += (adc[QS1_ADC_TCASE] * 10 - p->tcase_mc) / 16;
	p->tstage_mc += (adc[QS1_ADC_TSTAGE] * 10 - p->tstage_mc) / 16;
	p->hot = p->tcase_mc > stop_mc - (p->hot ? 10000 : 0);
	if (p->hot)
		active |= QS1_FAULT_BIT(QS1_FAULT_OVERTEMP);

	for (int k = 0; k < QS1_ADC_COUNT; k++)
		full_scale |= qs1_abs(adc[k]) > FULL_SCALE;
	if (lasts(&p->full_scale_ms, full_scale, SENSOR_MS))
		active |= QS1_FAULT_BIT(QS1_FAULT_SENSOR);
	if (lasts(&p->ref_ms, qs1_abs(adc[QS1_ADC_VREF] - QS1_VREF_COUNT) > REF_TOLERANCE,
		  SENSOR_MS))
		active |= QS1_FAULT_BIT(QS1_FAULT_SENSOR);
	if (lasts(&p->mismatch_ms, core->relay_on && p->mismatch_x64 / 64 > MISMATCH, MISMATCH_MS))
		active |= QS1_FAULT_BIT(QS1_FAULT_RELAY);
	return active;
}
