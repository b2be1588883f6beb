/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Grid support, IEEE 1547-2018 Category B: constant power factor (5.3.2),
 * volt-var (5.3.3), active power-reactive power (5.3.4), constant reactive power
 * (5.3.5), volt-watt (5.4.2), frequency droop (6.5.2.7), active power limit
 * (4.6.2). EN 50549-1 has the same under other names: Q(U), Q(P), Q setpoint,
 * P(U), LFSM-O and LFSM-U (4.6 and 4.7).
 *
 * Each function is a curve over a metered quantity and a first-order response
 * that covers 90 % of a step in the open-loop response time. The results are a
 * reactive power and a limit of the active power, which dclink.c applies.
 *
 * Reactive power goes first: active power gets what the rated apparent power
 * leaves, since Category B has to give 44 % of it at any active power (5.2,
 * Table 7). While the droop is active, an under-frequency raises the power of a
 * unit above the active power limit that was set; volt-watt limits the power in
 * either case (4.7).
 */
#include <qs1/stage.h>

#include "state.h"

/* the droop has ended when its power is back to 1 % of rated */
#define DROOP_DONE_PARTS 100
/*
 * The frequency is back in the deadband when it has stayed there for 0.2 s. The
 * meter's resonator overshoots a step by 5 % and shows a phase jump as a
 * frequency for 60 ms.
 */
#define DROOP_BACK (200 / QS1_SUPPORT_MS)
/* The power before an event is taken two to three times this many steps back: 128 to 192 ms. */
#define PAST_CALLS (64 / QS1_SUPPORT_MS)
#define SAG_CALLS (1000 / QS1_SUPPORT_MS)
/* another setting of the reactive power takes over within 10 s (4.6.3: 5 to 300 s) */
#define FADE_STEPS (10000 / QS1_SUPPORT_MS)

/*
 * Part of the way that a step covers in one call, Q30: 1 - exp(-x) with
 * x = ln(10) * 8 ms / T, of which ln(10) * 8 ms / 0.1 s is 0.184207.
 */
#define RESPONSE_X 0.184207
/* Where the standard asks for 10 s at most, 2 s: x is 0.0092104. */
#define RESPONSE_2S_Q30 QS1_Q30(0.0091681)
/* The reference voltage moves each 128th call, 1.024 s. */
#define VREF_CALLS 128
#define VREF_STEP_Q30 QS1_Q30(1.024)

/* above the RMS of the largest sine that the sensor can measure */
#define V_MAX_MV 500000

static int32_t lower(int32_t a, int32_t b)
{
	return a < b ? a : b;
}

static int32_t response(int32_t olrt_ds)
{
	int32_t x = QS1_Q30(RESPONSE_X) / olrt_ds;
	int32_t x2 = qs1_mulq30(x, x);

	return x - x2 / 2 + qs1_mulq30(x2, x) / 6;
}

/* Towards the target; states carry ten more bits than their unit. */
static void follow(int32_t *state_x1024, int32_t target, int32_t response_q30)
{
	*state_x1024 += qs1_mulq30(target * 1024 - *state_x1024, response_q30);
}

/*
 * Curves, in the order of enum qs1_derive: how many points; whether x is a voltage,
 * else a power; the parameter of the first x; how many y are rated power before
 * those that are parameters; the first of these. Parameters of points follow each
 * other.
 */
static const struct {
	uint8_t points;
	bool voltage;
	uint8_t x;
	uint8_t rated;
	uint8_t y;
} curves[QS1_CURVES] = {
	{ 4, true, QS1_PARAM_VV_V1_PU, 0, QS1_PARAM_VV_Q1_PU },
	{ 2, true, QS1_PARAM_VW_V1_PU, 1, QS1_PARAM_VW_P2_PU },
	{ 3, false, QS1_PARAM_WV_P1_PU, 0, QS1_PARAM_WV_Q1_PU },
};
QS1_ASSERT(QS1_PARAM_VV_V4_PU - QS1_PARAM_VV_V1_PU == 3);
QS1_ASSERT(QS1_PARAM_VV_Q4_PU - QS1_PARAM_VV_Q1_PU == 3);
QS1_ASSERT(QS1_PARAM_VW_V2_PU - QS1_PARAM_VW_V1_PU == 1);
QS1_ASSERT(QS1_PARAM_WV_P3_PU - QS1_PARAM_WV_P1_PU == 2);
QS1_ASSERT(QS1_PARAM_WV_Q3_PU - QS1_PARAM_WV_Q1_PU == 2);

static void derive_curve(struct qs1_core *core, int n)
{
	struct qs1_curve *c = &core->support.curve[n];
	const int32_t *p = core->param;
	/* pu / 1000 * V = mV; pu / 1000 * W = mW */
	int32_t rated_w = core->support.rated_mw / 1000;
	int32_t x_unit = curves[n].voltage ? p[QS1_PARAM_V_NOM_V] : rated_w;

	c->points = curves[n].points;
	for (int k = 0; k < c->points; k++) {
		c->x[k] = p[curves[n].x + k] * x_unit;
		c->y[k] = k < curves[n].rated ? core->support.rated_mw
					      : p[curves[n].y + k - curves[n].rated] * rated_w;
	}
	for (int k = 0; k < c->points - 1; k++) {
		int32_t dx = c->x[k + 1] - c->x[k];

		c->slope_q16[k] = dx ? (int32_t)qs1_div(qs1_mul(c->y[k + 1] - c->y[k], 65536), dx)
				     : 0;
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

/*
 * The parameters have changed. What follows from them is worked out in the steps
 * to come, see derive(): together it would be too long for one control period.
 */
void qs1_support_derive(struct qs1_core *core)
{
	struct qs1_support *s = &core->support;
	int32_t rated_w = QS1_RATED_A * core->param[QS1_PARAM_V_NOM_V];

	s->rated_mw = (rated_w < QS1_RATED_W ? rated_w : QS1_RATED_W) * 1000;
	s->derive = QS1_DERIVE_VOLT_VAR;
}

/* Tangent of the angle: the root of 1 - pf^2, in 2^-20 of 0.001, over pf. */
static void derive_power_factor(struct qs1_support *s, const int32_t *p)
{
	int32_t pf = p[QS1_PARAM_PF];
	uint64_t sine = qs1_isqrt64((uint64_t)(1000000 - pf * pf) << 40);

	s->tan_q30 = (int32_t)qs1_divu(sine << 10, (uint32_t)pf);
	if (p[QS1_PARAM_PF_ABSORB])
		s->tan_q30 = -s->tan_q30;
}

static void derive_responses(struct qs1_support *s, const int32_t *p)
{
	s->volt_var_q30 = response(p[QS1_PARAM_VV_OLRT_S]);
	s->volt_watt_q30 = response(p[QS1_PARAM_VW_OLRT_S]);
	s->droop_q30 = response(p[QS1_PARAM_DROOP_OLRT_S]);
	s->vref_q30 = VREF_STEP_Q30 / p[QS1_PARAM_VV_VREF_T_S];
}

/* Each connection starts without reactive power and without limits. */
void qs1_support_reset(struct qs1_core *core)
{
	struct qs1_support *s = &core->support;

	s->q_x1024 = 0;
	s->q_goal_mvar = 0;
	s->fade_mvar = 0;
	s->volt_watt_x1024 = s->rated_mw * 1024;
	s->droop = QS1_DROOP_NONE;
	s->droop_unseen = true;
}

/* Reactive power by the setting, with the voltage of the last step. */
static int32_t reactive_target(const struct qs1_core *core)
{
	const struct qs1_support *s = &core->support;

	switch (core->param[QS1_PARAM_Q_MODE]) {
	case QS1_Q_MODE_PF:
		return qs1_mulq30(core->dclink.p_ref_mw, s->tan_q30);
	case QS1_Q_MODE_VOLT_VAR:
		return curve_at(&s->curve[QS1_DERIVE_VOLT_VAR],
				s->v_mv + 1000 * core->param[QS1_PARAM_V_NOM_V] -
					qs1_asr(s->vref_x4096, 12));
	case QS1_Q_MODE_CONST:
		return core->param[QS1_PARAM_CONST_Q_PU] * (s->rated_mw / 1000);
	case QS1_Q_MODE_WATT_VAR:
		return curve_at(&s->curve[QS1_DERIVE_WATT_VAR], core->dclink.p_ref_mw);
	default:
		return 0;
	}
}

/* Another setting must not step the reactive power: the difference fades out. */
static void begin_fade(struct qs1_core *core)
{
	struct qs1_support *s = &core->support;

	s->fade_mvar = s->q_goal_mvar - reactive_target(core);
	s->fade_step_mvar = qs1_abs(s->fade_mvar) / FADE_STEPS + 1;
}

/* One part of the values derived from the parameters; the last part puts them into force. */
static void derive(struct qs1_core *core)
{
	struct qs1_support *s = &core->support;
	const int32_t *p = core->param;

	switch (s->derive++) {
	case QS1_DERIVE_VOLT_VAR:
	case QS1_DERIVE_VOLT_WATT:
	case QS1_DERIVE_WATT_VAR:
		derive_curve(core, s->derive - 1);
		break;
	case QS1_DERIVE_POWER_FACTOR:
		derive_power_factor(s, p);
		break;
	case QS1_DERIVE_RESPONSES:
		derive_responses(s, p);
		break;
	case QS1_DERIVE_FADE:
		begin_fade(core);
		break;
	}
}

/*
 * 5.3.3: the reference voltage is a setting, or the grid's own voltage through a
 * low-pass filter, from 0.95 to 1.05 of nominal. The filter starts at the setting.
 */
static void reference_voltage(struct qs1_core *core)
{
	struct qs1_support *s = &core->support;
	const int32_t *p = core->param;
	int32_t nominal_x4096 = p[QS1_PARAM_V_NOM_V] * 4096;

	if (!p[QS1_PARAM_VV_VREF_AUTO] || !s->vref_x4096) {
		s->vref_x4096 = p[QS1_PARAM_VV_VREF_PU] * nominal_x4096;
		return;
	}
	if (!core->pll.locked || ++s->vref_calls < VREF_CALLS)
		return;
	s->vref_calls = 0;
	s->vref_x4096 = qs1_clamp(
		s->vref_x4096 +
			qs1_mulq30(lower(s->v_mv, V_MAX_MV) * 4096 - s->vref_x4096, s->vref_q30),
		950 * nominal_x4096, 1050 * nominal_x4096);
}

static void reactive_power(struct qs1_core *core)
{
	struct qs1_support *s = &core->support;
	int32_t most;

	s->fade_mvar = qs1_abs(s->fade_mvar) <= s->fade_step_mvar ? 0
		       : s->fade_mvar > 0			  ? s->fade_mvar - s->fade_step_mvar
					  : s->fade_mvar + s->fade_step_mvar;
	/* no setting goes beyond 0.6 */
	most = s->rated_mw / 5 * 3;
	s->q_goal_mvar = qs1_clamp(reactive_target(core) + s->fade_mvar, -most, most);
	follow(&s->q_x1024, s->q_goal_mvar,
	       core->param[QS1_PARAM_Q_MODE] == QS1_Q_MODE_VOLT_VAR ? s->volt_var_q30
								    : RESPONSE_2S_Q30);
}

/*
 * Table 23: beyond the deadband the power changes by the reference power for each
 * k of nominal frequency, starting from the power before the event. Below nominal,
 * a unit without a limit keeps following its modules.
 */
static int32_t droop_target(const struct qs1_core *core, int32_t df_uhz, int32_t limit_mw)
{
	const struct qs1_support *s = &core->support;
	const int32_t *p = core->param;
	bool over = s->droop == QS1_DROOP_OVER;
	int32_t beyond_uhz = (over ? df_uhz : -df_uhz) -
			     p[over ? QS1_PARAM_DROOP_OF_DB_HZ : QS1_PARAM_DROOP_UF_DB_HZ] * 1000;
	int32_t k = p[over ? QS1_PARAM_DROOP_OF_K_PU : QS1_PARAM_DROOP_UF_K_PU];
	int32_t change_mw;

	if (beyond_uhz < 0)
		beyond_uhz = 0;
	/* k / 1000 of f / 100 Hz is f * k * 10 uHz */
	change_mw = (int32_t)qs1_div(
		qs1_mul(beyond_uhz, p[QS1_PARAM_DROOP_REF] ? s->p_pre_mw : s->rated_mw),
		p[QS1_PARAM_F_NOM_HZ] * k * 10);
	return over ? qs1_clamp(s->p_pre_mw - change_mw, 0, limit_mw)
		    : qs1_clamp(s->p_pre_mw + change_mw, limit_mw, s->rated_mw);
}

/*
 * Power before an event. It is an older value, because a dip disturbs the frequency
 * immediately, and in its first half cycles the link voltage and the power reference
 * rise. A unit that has connected outside of the deadband uses the limit.
 */
static int32_t power_before(const struct qs1_support *s, int32_t limit_mw)
{
	return s->droop_unseen ? limit_mw : lower(s->p_past_mw[2], limit_mw);
}

/* On which side of the deadband the frequency is. */
static uint8_t droop_side(const int32_t *p, int32_t df_uhz)
{
	if (df_uhz > p[QS1_PARAM_DROOP_OF_DB_HZ] * 1000)
		return QS1_DROOP_OVER;
	return df_uhz < -p[QS1_PARAM_DROOP_UF_DB_HZ] * 1000 ? QS1_DROOP_UNDER : QS1_DROOP_NONE;
}

/*
 * Apply the droop to the limit @limit_mw that was set. An event lasts from
 * where the frequency leaves the deadband until it is back there and the power has
 * come back too; it has one power before, even when the frequency changes side.
 *
 * CEI 0-21 (8.5.3.3) and AS/NZS 4777.2 (4.5.3.2) hold the lowest power of an
 * over-frequency until the frequency has been back in the deadband for a time. From
 * there the power rises like after a connection. The false frequency that a
 * phase jump or the end of a sag causes is over before DROOP_BACK, so it is not held.
 */
static int32_t droop(struct qs1_core *core, int32_t limit_mw)
{
	struct qs1_support *s = &core->support;
	const int32_t *p = core->param;
	/* in 0.01 Hz */
	int32_t df_uhz = core->meter.f_uhz - p[QS1_PARAM_F_NOM_HZ] * 10000;
	uint8_t side = p[QS1_PARAM_DROOP_ON] && core->meter.f_uhz ? droop_side(p, df_uhz)
								  : QS1_DROOP_NONE;
	int32_t hold, back, target, now;
	bool held;

	if (side == QS1_DROOP_NONE) {
		s->droop_unseen = false;
		if (s->droop == QS1_DROOP_NONE)
			return limit_mw;
	} else {
		if (s->droop == QS1_DROOP_NONE) {
			s->p_pre_mw = power_before(s, limit_mw);
			s->p_low_mw = s->rated_mw;
			s->droop_x1024 = (side == QS1_DROOP_OVER ? s->p_pre_mw : limit_mw) * 1024;
			s->droop_out = 0;
		}
		s->droop = side;
		s->droop_back = 0;
		if (s->droop_out < DROOP_BACK)
			s->droop_out++;
	}
	hold = s->droop_out < DROOP_BACK ? 0 : p[QS1_PARAM_DROOP_HOLD_S] * (1000 / QS1_SUPPORT_MS);
	back = hold ? hold : DROOP_BACK;
	if (side == QS1_DROOP_NONE && s->droop_back < back && ++s->droop_back == back && hold)
		core->dclink.p_ramp_mw = lower(core->dclink.p_ramp_mw, s->p_low_mw);
	target = s->droop_back < back ? droop_target(core, df_uhz, limit_mw) : limit_mw;
	held = hold && s->droop == QS1_DROOP_OVER && s->droop_back < back;
	if (held)
		target = lower(target, s->p_low_mw);
	follow(&s->droop_x1024, target, s->droop_q30);
	now = qs1_asr(s->droop_x1024, 10);
	/* after the response, so that the measured frequency's overshoot does not count */
	if (held)
		s->p_low_mw = lower(s->p_low_mw, now);
	if (s->droop == QS1_DROOP_OVER && now > limit_mw)
		now = limit_mw;
	if (s->droop_back == back && qs1_abs(limit_mw - now) < s->rated_mw / DROOP_DONE_PARTS)
		s->droop = QS1_DROOP_NONE;
	return now;
}

/*
 * Paused in a sag, for a second after it, in which the DC link releases the energy that it has
 * stored, and while power returns after a cessation.
 */
static void remember_power(struct qs1_core *core)
{
	struct qs1_support *s = &core->support;

	if (s->v_mv < core->service.v_min_mv)
		s->past_calls = -SAG_CALLS;
	if (core->dclink.p_return_mw < s->rated_mw || ++s->past_calls < PAST_CALLS)
		return;
	s->past_calls = 0;
	s->p_past_mw[2] = s->p_past_mw[1];
	s->p_past_mw[1] = s->p_past_mw[0];
	s->p_past_mw[0] = core->dclink.p_ref_mw;
}

/* Active power that the rated apparent power leaves: a root of 32 bits, in units of 32 mW. */
static int32_t active_left_mw(int32_t rated_mw, int32_t q_mvar)
{
	int32_t s = rated_mw / 32, q = q_mvar / 32;

	return (int32_t)qs1_isqrt32((uint32_t)(s * s - q * q)) * 32;
}

static void active_power(struct qs1_core *core)
{
	struct qs1_support *s = &core->support;
	int32_t limit = lower(core->param[QS1_PARAM_POWER_LIMIT_W] * 1000, s->rated_mw);

	if (qs1_producing(core)) {
		limit = droop(core, limit);
		remember_power(core);
	}
	follow(&s->volt_watt_x1024,
	       core->param[QS1_PARAM_VW_ON] ? curve_at(&s->curve[QS1_DERIVE_VOLT_WATT], s->v_mv)
					    : s->rated_mw,
	       s->volt_watt_q30);
	limit = lower(limit, qs1_asr(s->volt_watt_x1024, 10));
	s->p_limit_mw = lower(limit, active_left_mw(s->rated_mw, s->q_mvar));
}

/* Each QS1_SUPPORT_MS. While ceased everything keeps its value, to go on from there. */
void qs1_support_step(struct qs1_core *core)
{
	struct qs1_support *s = &core->support;

	if (s->derive != QS1_DERIVE_DONE) {
		derive(core);
		return;
	}
	if (core->fsm.state == QS1_STATE_CEASED)
		return;
	s->v_mv = core->meter.vrms_mv;
	reference_voltage(core);
	if (!qs1_producing(core))
		qs1_support_reset(core);
	else
		reactive_power(core);
	s->q_mvar = qs1_asr(s->q_x1024, 10);
	active_power(core);
}
