/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Criteria to enter service, IEEE 1547-2018 4.10: voltage, frequency, delay and
 * ramp. EN 50549-1 (4.10.2 and 4.10.3) and the codes that follow it have a second
 * set of criteria for the time after a trip.
 */
#include "state.h"

/* The value in force: after a trip a separate one, if the profile has it. */
static int32_t value(const struct qs1_core *core, enum qs1_param normal, enum qs1_param after_trip)
{
	int32_t other = core->param[after_trip];

	return core->service.after_trip && other ? other : core->param[normal];
}

/*
 * A random delay (4.10.3) differs from unit to unit by the noise of the
 * converters: each step mixes it in, a linear congruential generator spreads it.
 */
static void draw(struct qs1_core *core)
{
	struct qs1_service *s = &core->service;

	s->noise = s->noise * 1664525u + 1013904223u + (uint16_t)core->adc[QS1_ADC_VGRID] +
		   ((uint32_t)(uint16_t)core->adc[QS1_ADC_IGRID] << 16);
	if (core->fsm.wait_ms < QS1_SERVICE_MS)
		s->random_ms = qs1_mulsh((int32_t)(s->noise >> 16),
					 core->param[QS1_PARAM_ES_RANDOM_S] * 1000, 16);
}

/* Does the last trip no longer count? At night, after a shutdown, and at the end of the ramp. */
static bool forgotten(const struct qs1_core *core)
{
	switch (core->fsm.state) {
	case QS1_STATE_NIGHT:
	case QS1_STATE_SHUTDOWN:
		return true;
	case QS1_STATE_PRODUCING:
		return core->dclink.p_ramp_mw == core->support.rated_mw;
	default:
		return false;
	}
}

/* Each QS1_SERVICE_MS. */
void qs1_service_step(struct qs1_core *core)
{
	struct qs1_service *s = &core->service;
	const int32_t *p = core->param;

	if (forgotten(core))
		s->after_trip = false;
	draw(core);
	/* pu / 1000 * V = mV */
	s->v_min_mv = p[QS1_PARAM_ES_V_MIN_PU] * p[QS1_PARAM_V_NOM_V];
	s->v_max_mv = p[QS1_PARAM_ES_V_MAX_PU] * p[QS1_PARAM_V_NOM_V];
	s->f_min_uhz = value(core, QS1_PARAM_ES_F_MIN_HZ, QS1_PARAM_ES_TRIP_F_MIN_HZ) * 10000;
	s->f_max_uhz = value(core, QS1_PARAM_ES_F_MAX_HZ, QS1_PARAM_ES_TRIP_F_MAX_HZ) * 10000;
	s->delay_ms =
		value(core, QS1_PARAM_ES_DELAY_S, QS1_PARAM_ES_TRIP_DELAY_S) * 1000 + s->random_ms;
	s->ramp_s = value(core, QS1_PARAM_ES_RAMP_S, QS1_PARAM_ES_TRIP_RAMP_S);
}

/* Voltage and frequency in range; a mean voltage above its limit would trip at once. */
bool qs1_service_in_range(const struct qs1_core *core)
{
	const struct qs1_service *s = &core->service;
	int32_t v = core->meter.vrms_mv;
	/* rounded to a mHz */
	int32_t f = core->meter.f_uhz + 500;

	return core->pll.locked && v >= s->v_min_mv && v <= s->v_max_mv && f >= s->f_min_uhz &&
	       f < s->f_max_uhz + 1000 && !(core->fsm.grid & QS1_FAULT_BIT(QS1_FAULT_OV_MEAN));
}
