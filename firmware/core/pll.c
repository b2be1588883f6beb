/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Grid synchronisation: a complex resonator and a phase-locked loop.
 *
 * The resonator is a second-order generalised integrator in rotation form: its
 * state turns by the grid's angle each control period, exactly and without loss
 * at any frequency, and is pulled to the sample by a gain k w Ts. A slow third
 * state takes the DC offset out (third-order SOGI). Its quadrature outputs,
 * turned back by the loop's own phase, give phase error and amplitude.
 */
#include "state.h"

/* k = sqrt(2): k * 2 pi 60 Hz * 50 us */
#define PULL_Q30 QS1_Q30(0.02666)
/* offset: a time constant of 0.1 s */
#define PULL_DC_Q30 QS1_Q30(0.0005)

/*
 * Loop of second order, natural frequency 75 rad/s, damping 1, for an error of
 * V sin(e) with V = 339.4 V = 1.738e7 v10:
 *   kp = 2 wn Ts 2^32 / 2 pi / V = 0.295, ki = wn^2 Ts^2 2^32 / 2 pi / V = 5.53e-4
 * The integrator carries 7 more bits: ki * 128 = 0.0708.
 */
#define KP_Q30 QS1_Q30(0.295)
#define KI_Q30 QS1_Q30(0.0708)

#define INC_NOM QS1_PHASE_INC(60)
/* below 45 Hz, which the lowest trip of AS/NZS 4777.2 has to measure */
#define INC_MIN QS1_PHASE_INC(42)
#define INC_MAX QS1_PHASE_INC(70)

/* Locked: sine of the error below 0.06 for 50 ms. */
#define LOCK_MS 50
/* Below 0.15 pu there is nothing to follow: (2.6e6 v10)^2 / 2^30. */
#define POWER_MIN 6296

struct qs1_rotor qs1_rotor_of(uint32_t inc)
{
	/* angle = 2 pi inc / 2^32; in Q30 that is inc * pi / 2 */
	int32_t a = qs1_mulsh((int32_t)inc, QS1_Q30(1.5707963267949), 30);
	int32_t a2 = qs1_mulq30(a, a);
	struct qs1_rotor r;

	r.sin_q30 = a - qs1_mulq30(qs1_mulq30(a2, a), QS1_Q30(1.0 / 6));
	r.cos_q30 =
		QS1_Q30(1.0) - qs1_asr(a2, 1) + qs1_mulq30(qs1_mulq30(a2, a2), QS1_Q30(1.0 / 24));
	return r;
}

struct qs1_rotor qs1_rotor_mul(struct qs1_rotor a, struct qs1_rotor b)
{
	struct qs1_rotor r;

	r.cos_q30 = qs1_mulq30(a.cos_q30, b.cos_q30) - qs1_mulq30(a.sin_q30, b.sin_q30);
	r.sin_q30 = qs1_mulq30(a.sin_q30, b.cos_q30) + qs1_mulq30(a.cos_q30, b.sin_q30);
	return r;
}

void qs1_pll_init(struct qs1_pll *pll)
{
	pll->integ = INC_NOM * 128;
	pll->rotor = qs1_rotor_of(INC_NOM);
	pll->cos_q30 = QS1_Q30(1.0);
	pll->unlocked_ms = LOCK_MS;
}

uint32_t qs1_pll_inc(const struct qs1_pll *pll)
{
	return (uint32_t)pll->integ >> 7;
}

/* Process one sample: afterwards phase, sine and cosine belong to its instant. */
void qs1_pll_step(struct qs1_pll *pll, int32_t v)
{
	int32_t e = v * 1024 - pll->re_v10 - pll->dc_v10;

	pll->re_v10 += qs1_mulq30(e, PULL_Q30);
	pll->dc_v10 += qs1_mulq30(e, PULL_DC_Q30);
	pll->err_v10 =
		qs1_mulq30(pll->re_v10, pll->cos_q30) + qs1_mulq30(pll->im_v10, pll->sin_q30);
	pll->amp_v10 =
		qs1_mulq30(pll->re_v10, pll->sin_q30) - qs1_mulq30(pll->im_v10, pll->cos_q30);
}

/* Go on to the next sample's instant. */
void qs1_pll_predict(struct qs1_pll *pll)
{
	int32_t re = pll->re_v10, im = pll->im_v10;
	uint32_t before = pll->phase;

	pll->re_v10 = qs1_mulq30(re, pll->rotor.cos_q30) - qs1_mulq30(im, pll->rotor.sin_q30);
	pll->im_v10 = qs1_mulq30(re, pll->rotor.sin_q30) + qs1_mulq30(im, pll->rotor.cos_q30);

	pll->phase += qs1_pll_inc(pll);
	if (pll->alive) {
		pll->integ = qs1_clamp(pll->integ + qs1_mulq30(pll->err_v10, KI_Q30), INC_MIN * 128,
				       INC_MAX * 128);
		pll->phase += (uint32_t)qs1_mulq30(pll->err_v10, KP_Q30);
	}
	pll->half_cycle = (before ^ pll->phase) & 0x80000000u;
	pll->sin_q30 = qs1_sin(pll->phase);
	pll->cos_q30 = qs1_cos(pll->phase);
}

/* Each millisecond: follow the frequency, judge the lock. */
void qs1_pll_slow(struct qs1_pll *pll)
{
	pll->rotor = qs1_rotor_of(qs1_pll_inc(pll));
	pll->alive = qs1_mulq30(pll->re_v10, pll->re_v10) + qs1_mulq30(pll->im_v10, pll->im_v10) >
		     POWER_MIN;
	if (!pll->alive || qs1_abs(pll->err_v10) > qs1_asr(pll->amp_v10, 4))
		pll->unlocked_ms = LOCK_MS;
	else if (pll->unlocked_ms)
		pll->unlocked_ms--;
	pll->locked = !pll->unlocked_ms;
}
