/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Grid support, IEEE 1547-2018 Category B: constant power factor (5.3.2),
 * volt-var (5.3.3), volt-watt (5.4.2), frequency droop (6.5.2.7), active power
 * limit (4.6.2).
 *
 * Each function is a curve of what the meter shows and a first-order response
 * that covers 90 % of a step in the open-loop response time. The results are a
 * reactive power and a limit of the active power, which dclink.c puts into
 * force.
 *
 * Reactive power goes first: active power gets what the rated apparent power
 * leaves, since Category B has to give 44 % of it at any active power (5.2,
 * Table 7). While the droop is active its power takes the place of the limit
 * set from outside, so that an under-frequency raises the power of a unit that
 * is held back; volt-watt holds beside either of them (4.7).
 */
#include <qs1/stage.h>

#include "state.h"

#define RATED_MW (QS1_RATED_W * 1000)
#define F_NOM_UHZ (QS1_GRID_HZ * 1000000)
/* the droop has ended when its power is back to 1 % */
#define DROOP_DONE_MW (RATED_MW / 100)

/*
 * Part of the way that a step covers in one call, Q30: 1 - exp(-x) with
 * x = ln(10) * 8 ms / T, of which ln(10) * 8 ms / 0.1 s is 0.184207.
 */
static int32_t response(int32_t olrt_ds)
{
	int32_t x = QS1_Q30(0.184207) / olrt_ds;
	int32_t x2 = qs1_mulq30(x, x);

	return x - x2 / 2 + qs1_mulq30(x2, x) / 6;
}

/* Towards the target; states carry ten more bits than their unit. */
static void follow(int32_t *state_x1024, int32_t target, int32_t response_q30)
{
	*state_x1024 += qs1_mulq30(target * 1024 - *state_x1024, response_q30);
}

static void curve_set(struct qs1_curve *c, int n, const int32_t *x, const int32_t *y)
{
	c->points = (uint8_t)n;
	for (int k = 0; k < n; k++) {
		c->x[k] = x[k];
		c->y[k] = y[k];
	}
	for (int k = 0; k < n - 1; k++) {
		int32_t dx = x[k + 1] - x[k];

		c->slope_q16[k] = dx ? (int32_t)qs1_div(qs1_mul(y[k + 1] - y[k], 65536), dx) : 0;
	}
}

static int32_t curve_at(const struct qs1_curve *c, int32_t x)
{
	if (x <= c->x[0])
		return c->y[0];
	for (int k = 1; k < c->points; k++)
		if (x < c->x[k])
			return c->y[k - 1] + qs1_mulsh(x - c->x[k - 1], c->slope_q16[k - 1], 16);
	return c->y[c->points - 1];
}

/* The parameters have changed. */
void qs1_support_derive(struct qs1_core *core)
{
	struct qs1_support *s = &core->support;
	const int32_t *p = core->param;
	int32_t v_nom = p[QS1_PARAM_V_NOM_V], pf = p[QS1_PARAM_PF];
	/* pu / 1000 * V = mV; pu / 1000 * W = mW */
	const int32_t vv_v[] = { p[QS1_PARAM_VV_V1_PU] * v_nom, p[QS1_PARAM_VV_V2_PU] * v_nom,
				 p[QS1_PARAM_VV_V3_PU] * v_nom, p[QS1_PARAM_VV_V4_PU] * v_nom };
	const int32_t vv_q[] = { p[QS1_PARAM_VV_Q1_PU] * QS1_RATED_W,
				 p[QS1_PARAM_VV_Q2_PU] * QS1_RATED_W,
				 p[QS1_PARAM_VV_Q3_PU] * QS1_RATED_W,
				 p[QS1_PARAM_VV_Q4_PU] * QS1_RATED_W };
	const int32_t vw_v[] = { p[QS1_PARAM_VW_V1_PU] * v_nom, p[QS1_PARAM_VW_V2_PU] * v_nom };
	const int32_t vw_p[] = { RATED_MW, p[QS1_PARAM_VW_P2_PU] * QS1_RATED_W };
	uint64_t sine;

	curve_set(&s->volt_var, 4, vv_v, vv_q);
	curve_set(&s->volt_watt, 2, vw_v, vw_p);
	s->volt_var_q30 = response(p[QS1_PARAM_VV_OLRT_S]);
	s->volt_watt_q30 = response(p[QS1_PARAM_VW_OLRT_S]);
	s->droop_q30 = response(p[QS1_PARAM_DROOP_OLRT_S]);
	/* tangent of the angle: the root of 1 - pf^2, in 2^-20 of 0.001, over pf */
	sine = qs1_isqrt64((uint64_t)(1000000 - pf * pf) << 40);
	s->tan_q30 = (int32_t)qs1_divu(sine << 10, (uint32_t)pf);
	if (p[QS1_PARAM_PF_ABSORB])
		s->tan_q30 = -s->tan_q30;
}

/* What starts anew with each connection: no reactive power, nothing held back. */
void qs1_support_reset(struct qs1_core *core)
{
	struct qs1_support *s = &core->support;

	s->q_x1024 = 0;
	s->q_mvar = 0;
	s->volt_watt_x1024 = RATED_MW * 1024;
	s->droop = QS1_DROOP_NONE;
	s->droop_active = false;
}

static int32_t reactive_target(const struct qs1_core *core)
{
	const struct qs1_support *s = &core->support;

	switch (core->param[QS1_PARAM_Q_MODE]) {
	case QS1_Q_MODE_PF:
		return qs1_mulq30(core->dclink.p_ref_mw, s->tan_q30);
	case QS1_Q_MODE_VOLT_VAR:
		return curve_at(&s->volt_var, core->meter.vrms_mv);
	default:
		return 0;
	}
}

/*
 * Table 23: beyond the deadband the power changes by rated power for each k of
 * nominal frequency, from what it was when the frequency left the deadband.
 * Below nominal a unit that nothing holds back goes on following its modules.
 */
static int32_t droop_target(const struct qs1_core *core, int32_t limit_mw)
{
	const struct qs1_support *s = &core->support;
	const int32_t *p = core->param;
	int32_t df_uhz = core->meter.f_uhz - F_NOM_UHZ, raised;

	/* df / (60 Hz * k / 1000) * 1200 W = df * 20 mW/uHz / k */
	switch (s->droop) {
	case QS1_DROOP_OVER:
		df_uhz -= p[QS1_PARAM_DROOP_OF_DB_HZ] * 1000;
		return qs1_clamp(s->p_pre_mw - df_uhz * 20 / p[QS1_PARAM_DROOP_OF_K_PU], 0,
				 RATED_MW);
	case QS1_DROOP_UNDER:
		df_uhz = -df_uhz - p[QS1_PARAM_DROOP_UF_DB_HZ] * 1000;
		raised = s->p_pre_mw + df_uhz * 20 / p[QS1_PARAM_DROOP_UF_K_PU];
		return qs1_clamp(raised, limit_mw, RATED_MW);
	default:
		return limit_mw;
	}
}

/*
 * Power before a disturbance. During a ramp it is what the ramp leads to: a
 * frequency that a returning voltage disturbs must not hold the ramp.
 */
static int32_t power_before(const struct qs1_core *core, int32_t limit_mw)
{
	const struct qs1_dclink *d = &core->dclink;

	return d->p_return_mw < RATED_MW || d->p_ramp_mw < RATED_MW ? limit_mw : d->p_ref_mw;
}

static void droop(struct qs1_core *core, int32_t limit_mw)
{
	struct qs1_support *s = &core->support;
	const int32_t *p = core->param;
	int32_t df_uhz = core->meter.f_uhz - F_NOM_UHZ, target;
	uint8_t now = QS1_DROOP_NONE;

	if (p[QS1_PARAM_DROOP_ON] && core->meter.f_uhz) {
		if (df_uhz > p[QS1_PARAM_DROOP_OF_DB_HZ] * 1000)
			now = QS1_DROOP_OVER;
		else if (df_uhz < -p[QS1_PARAM_DROOP_UF_DB_HZ] * 1000)
			now = QS1_DROOP_UNDER;
	}
	if (now != QS1_DROOP_NONE && now != s->droop)
		s->p_pre_mw = power_before(core, limit_mw);
	if (now != QS1_DROOP_NONE && !s->droop_active) {
		s->droop_active = true;
		s->droop_x1024 = (now == QS1_DROOP_OVER ? s->p_pre_mw : limit_mw) * 1024;
	}
	s->droop = now;
	if (!s->droop_active)
		return;
	target = droop_target(core, limit_mw);
	follow(&s->droop_x1024, target, s->droop_q30);
	if (now == QS1_DROOP_NONE && qs1_abs(target - qs1_asr(s->droop_x1024, 10)) < DROOP_DONE_MW)
		s->droop_active = false;
}

/* What the rated apparent power leaves beside the reactive power: a root of 32 bits in 32 mW. */
static int32_t beside_mw(int32_t q_mvar)
{
	int32_t q = q_mvar / 32;

	return (int32_t)qs1_isqrt32((uint32_t)(RATED_MW / 32 * (RATED_MW / 32) - q * q)) * 32;
}

/* Each 8 ms. While ceased everything keeps its value, to go on from there. */
void qs1_support_step(struct qs1_core *core)
{
	struct qs1_support *s = &core->support;
	int32_t limit = core->param[QS1_PARAM_POWER_LIMIT_W] * 1000, p;

	if (core->fsm.state == QS1_STATE_CEASED)
		return;
	if (!qs1_producing(core))
		qs1_support_reset(core);
	else
		follow(&s->q_x1024, reactive_target(core), s->volt_var_q30);
	s->q_mvar = qs1_asr(s->q_x1024, 10);
	droop(core, limit);
	if (s->droop_active)
		limit = qs1_asr(s->droop_x1024, 10);
	follow(&s->volt_watt_x1024,
	       core->param[QS1_PARAM_VW_ON] ? curve_at(&s->volt_watt, core->meter.vrms_mv)
					    : RATED_MW,
	       s->volt_watt_q30);
	p = qs1_asr(s->volt_watt_x1024, 10);
	limit = p < limit ? p : limit;
	p = beside_mw(s->q_mvar);
	s->p_limit_mw = p < limit ? p : limit;
}
