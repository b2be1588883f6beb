/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Closed loop of the grid current through the bridge.
 *
 * Proportional gain, one rotating resonator for the fundamental and each odd
 * harmonic up to the 13th, and feed-forward of the grid voltage: its
 * fundamental advanced by the loop's delay, and a part of the rest.
 *
 * With 3.6 mH between bridge and grid and 75 us of delay (one period of
 * computation, half a period of modulation) 24 V/A cross over near 1 kHz with
 * 63 degrees of phase margin. Resonators gain 0.1 V/A each period; their input is
 * advanced by the phase that the delay costs. An integrator removes direct current,
 * whatever offset the grid voltage has. The eigenvalues of the whole loop stay
 * inside the unit circle for source inductances from 0 to 12 mH.
 */
#include "state.h"

/* V/A to v10 per i10: 0.5 mA against 20 mV, 1/40 */
#define KP_Q30 QS1_Q30(24.0 / 40)
#define KR_Q30 QS1_Q30(0.1 / 40)
/* integrator: 0.01 V/A each period, a time constant of 24 / (0.01 * 20 kHz) = 0.12 s */
#define KI_Q30 QS1_Q30(0.01 / 40)
/*
 * The voltage apart from its fundamental: this part of it is fed forward. Above
 * 60 V it is a sag or a swell that the resonator has not followed. The remainder
 * of that excess is fed forward too: without it a sag to zero would drive 8 A at
 * 24 V/A. A time constant of 0.2 ms keeps the filter from ringing at 2 kHz behind
 * 2 mH. The harmonics of a distorted grid stay below 60 V: 8 % are 27 V.
 */
#define FEED_Q30 QS1_Q30(0.4)
#define FEED_ABOVE_V10 3072000
#define SAG_SHIFT 2

/*
 * Even harmonics of the grid ripple the PLL's phase and amplitude at the line
 * frequency, which gives the reference a mean: 33 mA with 2 % of the second and 1 % of
 * the fourth. An integrator over the mean of each whole cycle takes it out: a cycle of
 * 333 samples with a mean of one count adds 333 / 2^6 of 1024, a time constant of 1.6 s.
 */
#define MEAN_SHIFT 6
/* 0.1 A, and ten times that for a cycle with a transient */
#define MEAN_MAX_I10 204800
#define CYCLE_MAX 660000

/*
 * The current is astray when more than half of a reference above 1 A is missing. A sag
 * makes it too large instead.
 */
#define ASTRAY_MIN_I10 2048000

/* DC-link voltage below which nothing is modulated: 200 V */
#define VLINK_MIN 10000
/* modulation is bounded to 0.98 */
#define M_MAX_Q30 QS1_Q30(0.98)

void qs1_current_reset(struct qs1_current *cur)
{
	for (int h = 0; h < QS1_RESONATORS; h++)
		cur->res[h].re = cur->res[h].im = 0;
	cur->dc_v10 = 0;
	cur->sag_v10 = 0;
	cur->amp_i10 = 0;
	cur->quad_i10 = 0;
	cur->next_amp_i10 = 0;
	cur->next_quad_i10 = 0;
	cur->blank = 0;
	cur->astray = 0;
	cur->offset_i10 = cur->zero_i10;
}

/* A new zero of the sensor: its reading without a current. */
void qs1_current_zero(struct qs1_current *cur, int32_t zero_i10)
{
	cur->zero_i10 = zero_i10;
	cur->offset_i10 = zero_i10;
}

/* Voltage over the DC-link voltage, Q30, by one Newton step on the reciprocal. */
static int32_t modulation(struct qs1_current *cur, int32_t u_v10, int32_t vlink)
{
	int32_t v = vlink < VLINK_MIN ? VLINK_MIN : vlink;

	cur->recip = qs1_mulq30(cur->recip,
				(int32_t)(0x80000000u - (uint32_t)qs1_mulsh(cur->recip, v, 10)));
	return qs1_mulsh(u_v10, cur->recip, 20);
}

/* One period; returns the bridge's compare value. */
int16_t qs1_current_step(struct qs1_core *core)
{
	struct qs1_current *cur = &core->current;
	const struct qs1_pll *pll = &core->pll;
	int32_t rest = core->adc[QS1_ADC_VGRID] * 1024 - pll->re_v10 - pll->dc_v10;
	int32_t i = core->adc[QS1_ADC_IGRID] * 1024 - cur->offset_i10;
	int32_t ref, e, missing, u, m;
	bool saturated;

	if (pll->half_cycle) {
		cur->amp_i10 = cur->next_amp_i10;
		cur->quad_i10 = cur->next_quad_i10;
	}
	ref = qs1_mulq30(cur->amp_i10, pll->sin_q30) + qs1_mulq30(cur->quad_i10, pll->cos_q30);
	e = ref - i;
	missing = ref < 0 ? -e : e;
	ref = qs1_abs(ref);
	if (ref > ASTRAY_MIN_I10 && missing > qs1_asr(ref, 1))
		cur->astray++;
	else if (cur->astray)
		cur->astray--;
	cur->sag_v10 += qs1_asr(
		rest - qs1_clamp(rest, -FEED_ABOVE_V10, FEED_ABOVE_V10) - cur->sag_v10, SAG_SHIFT);
	u = qs1_mulq30(pll->re_v10, cur->ahead.cos_q30) -
	    qs1_mulq30(pll->im_v10, cur->ahead.sin_q30) + qs1_mulq30(rest, FEED_Q30) +
	    qs1_mulq30(cur->sag_v10, QS1_Q30(1) - FEED_Q30) + qs1_mulq30(e, KP_Q30) + cur->dc_v10;
	for (int h = 0; h < QS1_RESONATORS; h++)
		u += cur->res[h].re;
	m = modulation(cur, u, core->adc[QS1_ADC_VLINK]);
	saturated = m > M_MAX_Q30 || m < -M_MAX_Q30;
	m = qs1_clamp(m, -M_MAX_Q30, M_MAX_Q30);

	if (!saturated)
		cur->dc_v10 += qs1_mulq30(e, KI_Q30);
	for (int h = 0; h < QS1_RESONATORS; h++) {
		int32_t re = cur->res[h].re, im = cur->res[h].im;

		if (!saturated) {
			re += qs1_mulq30(e, cur->inject[h].cos_q30);
			im += qs1_mulq30(e, cur->inject[h].sin_q30);
		}
		cur->res[h].re = qs1_mulq30(re, cur->rotor[h].cos_q30) -
				 qs1_mulq30(im, cur->rotor[h].sin_q30);
		cur->res[h].im = qs1_mulq30(re, cur->rotor[h].sin_q30) +
				 qs1_mulq30(im, cur->rotor[h].cos_q30);
	}

	if (cur->blank)
		cur->blank--;
	return (int16_t)qs1_mulq30(m, QS1_PWM_BRIDGE_HALF);
}

/* Each millisecond: the rotation of one harmonic for the present frequency. */
void qs1_current_slow(struct qs1_core *core)
{
	struct qs1_current *cur = &core->current;
	uint32_t inc = qs1_pll_inc(&core->pll);
	int h = (int)(core->frame % QS1_RESONATORS);
	uint32_t angle = inc * (uint32_t)(2 * h + 1);
	uint32_t ahead = angle + (angle >> 1);

	cur->rotor[h] = qs1_rotor_of(angle);
	/*
	 * A series of four terms is short for 1.5 periods of the 13th harmonic
	 * (0.37 rad: error 1e-5), and exact enough there.
	 */
	cur->inject[h] = qs1_rotor_of(ahead);
	if (!h)
		cur->ahead = cur->inject[0];
	cur->inject[h].cos_q30 = qs1_mulq30(cur->inject[h].cos_q30, KR_Q30);
	cur->inject[h].sin_q30 = qs1_mulq30(cur->inject[h].sin_q30, KR_Q30);
	if (cur->blanks)
		cur->blanks--;
	/* The Newton steps of the fast path need a start. */
	if (!core->bridge_on)
		cur->recip = (int32_t)qs1_div(1ll << 40, core->adc[QS1_ADC_VLINK] < VLINK_MIN
								 ? VLINK_MIN
								 : core->adc[QS1_ADC_VLINK]);
}

/* Each half cycle: keep the mean of the last whole cycle at 0. */
void qs1_current_half_cycle(struct qs1_core *core)
{
	struct qs1_current *cur = &core->current;
	const struct qs1_sums *a = &core->meter.half[0], *b = &core->meter.half[1];
	int32_t sum = a->i + b->i - qs1_mulsh((int32_t)(a->n + b->n), cur->zero_i10, 10);

	if (!core->bridge_on || !qs1_producing(core))
		return;
	sum = qs1_clamp(sum, -CYCLE_MAX, CYCLE_MAX);
	cur->offset_i10 = cur->zero_i10 +
			  qs1_clamp(cur->offset_i10 - cur->zero_i10 - qs1_asr(sum, MEAN_SHIFT),
				    -MEAN_MAX_I10, MEAN_MAX_I10);
}
