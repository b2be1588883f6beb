/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Voltage control of one isolated input stage, 5000 times a second.
 *
 * The stage draws i = V D^2 / (Lp f), see <qs1/stage.h>: the loop works on
 * y = D^2, a conductance, and takes the root last. C dv/dt = i_pv - g v; for
 * a crossover of 160 Hz at 37 V
 *   kp = wc C / v * Lp f = 1000 / s * 1 mF / 37 V * 0.8 ohm = 0.0216 / V
 * which is 5.4e-5 a count, 116000 in Q31; the zero is at 300 / s.
 */
#include <qs1/stage.h>

#include "state.h"

#define KP_Q31 116000
#define KI_Q31 7000
/* error bound that keeps the product in 32 bits: 10 V */
#define E_MAX 4000

/*
 * DC link above its reference: the inputs fade out between 14 V, more than the
 * ripple at rated power, and 27 V, which leaves a link for 280 V at 445 V.
 */
#define FADE_START 700
#define FADE_WIDTH 650

/* mean voltage that charges an empty link: (1.3 V)^2 / 0.8 ohm is 2.1 W */
#define START_MV 1300

/* Lp f = 0.8 ohm */
#define LPF_MOHM ((int32_t)((int64_t)QS1_STAGE_LP_NH * QS1_STAGE_FSW_HZ / 1000000))
QS1_ASSERT(LPF_MOHM % 10 == 0);

void qs1_input_start(struct qs1_core *core, int n)
{
	struct qs1_input *in = &core->input[n];

	in->on = true;
	in->integ_q31 = 0;
	in->dither = 0;
	qs1_mppt_start(&in->mppt, core->adc[QS1_ADC_VPV1 + n]);
	in->vref = qs1_asr(in->mppt.center, 8);
}

void qs1_input_stop(struct qs1_core *core, int n)
{
	core->input[n].on = false;
	core->input[n].mppt.tracking = false;
}

/* One of the input's periods; returns its compare value. */
uint16_t qs1_input_step(struct qs1_core *core, int n)
{
	struct qs1_input *in = &core->input[n];
	int32_t v = core->adc[QS1_ADC_VPV1 + n];
	int32_t i = core->adc[QS1_ADC_IPV1 + n];
	int32_t over = core->adc[QS1_ADC_VLINK] - core->dclink.ref - FADE_START;
	int32_t e, y;

	in->v_sum += v;
	in->i_sum += i;
	in->p_sum += qs1_wide(v * i);
	in->n++;
	if (in->pending == 1) {
		in->last_v_sum = in->v_sum;
		in->last_i_sum = in->i_sum;
		in->last_p_sum = in->p_sum;
		in->last_n = in->n;
		in->v_sum = 0;
		in->i_sum = 0;
		in->p_sum = 0;
		in->n = 0;
		in->pending = 2;
	}
	if (!in->on)
		return 0;

	e = qs1_clamp(v - in->vref, -E_MAX, E_MAX);
	y = in->integ_q31 + e * KP_Q31;
	if (y < in->limit_q31 && (over <= 0 || e < 0))
		in->integ_q31 = qs1_clamp(in->integ_q31 + e * KI_Q31, 0, in->limit_q31);
	y = qs1_clamp(y, 0, in->limit_q31);
	if (over > 0)
		y = over >= FADE_WIDTH
			    ? 0
			    : qs1_mulq30(y, (FADE_WIDTH - over) * ((1 << 30) / FADE_WIDTH));
	/* Q31 -> Q32 -> root Q16 -> counts, the remainder goes into the next period */
	in->dither += qs1_isqrt32((uint32_t)y << 1) * QS1_PWM_INPUT_PERIOD;
	y = (int32_t)(in->dither >> 16);
	in->dither &= 0xffffu;
	return (uint16_t)y;
}

/* A squared on-time fraction that is not negative, all above 1 as the highest in Q31. */
static int32_t at_most_q31(int64_t x)
{
	return x > INT32_MAX ? INT32_MAX : (int32_t)x;
}

/*
 * Each millisecond: the highest D^2. Three bounds: discontinuous conduction
 * with 5 % to spare, D < 0.95 Vr / (V + Vr) with Vr = Vlink / N; the current
 * limit, D^2 = I Lp f / V; the power cap, D^2 = P Lp f / V^2.
 */
void qs1_input_ms(struct qs1_core *core, int n)
{
	struct qs1_input *in = &core->input[n];
	int32_t v_mv = core->adc[QS1_ADC_VPV1 + n] * 5 / 2;
	int32_t vr_mv = core->adc[QS1_ADC_VLINK] * (QS1_LSB_VLINK / 10) / QS1_STAGE_TURNS_X100;
	int32_t limit, bound, d;

	if (v_mv < 5000)
		v_mv = 5000;
	if (vr_mv < 0)
		vr_mv = 0;
	d = (int32_t)qs1_div(qs1_mul(vr_mv, 1 << 16), v_mv + vr_mv) * 95 / 100;
	/* An empty link does not reset the transformer: begin with 1.3 V of pulses. */
	if (d < (START_MV << 16) / v_mv)
		d = (START_MV << 16) / v_mv;
	limit = at_most_q31(qs1_mul(d, d) >> 1);
	/* dA * mohm / mV = 0.1 */
	bound = at_most_q31(qs1_div(
		qs1_mul(core->param[QS1_PARAM_PV_CURRENT_LIMIT_A], LPF_MOHM / 10) * (1ll << 31),
		v_mv));
	limit = bound < limit ? bound : limit;
	/* mW * mohm / mV^2 = 1 */
	bound = at_most_q31(qs1_div(
		qs1_div(qs1_mul(core->dclink.p_cap_mw, LPF_MOHM) * (1ll << 16), v_mv) * (1ll << 15),
		v_mv));
	in->limit_q31 = bound < limit ? bound : limit;
}

/* A half cycle has ended: means, energy, tracker. */
void qs1_input_half_cycle(struct qs1_core *core, int n)
{
	struct qs1_input *in = &core->input[n];

	if (in->last_n) {
		in->v_x16 = in->last_v_sum * 16 / (int32_t)in->last_n;
		in->i_x16 = in->last_i_sum * 16 / (int32_t)in->last_n;
		in->p = (int32_t)qs1_div(in->last_p_sum, (int32_t)in->last_n);
		if (in->last_p_sum > 0)
			in->e_raw += (uint64_t)in->last_p_sum;
	}
	if (in->on)
		qs1_mppt_half_cycle(core, n);
}
