/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Control of the DC-link voltage: the grid power follows the input power.
 *
 * Once a half cycle, over which the ripple at twice the line frequency averages
 * out, a PI controller with the measured input power as feed-forward sets the
 * grid power. The plant is C V dv/dt = dP; for a crossover of 6 Hz
 *   kp = C V 2 pi 6 Hz = 470 uF * 400 V * 37.7 / s = 7.1 W/V
 * with the zero at a quarter of it, 0.55 W/V each half cycle.
 * When a limit holds the grid power below the available power, each input may draw
 * its share of the limit, corrected by the link's voltage.
 *
 * Active power and the reactive power requested by support.c become the amplitudes
 * of the current, reactive first; island.c's part is added.
 */
#include <qs1/stage.h>

#include "state.h"

/* W/V is mW/mV, Q16 */
#define GAIN_Q16(w_per_v) ((int32_t)((w_per_v)*65536))
#define KP_Q16 GAIN_Q16(7.1)
#define KI_Q16 GAIN_Q16(0.55)
/*
 * Correction of the share, a PI controller: four inputs of 0.12 W/V each half
 * cycle against C V of the link swing at 2.8 Hz; 1.3 W/V damp that by 0.8.
 */
#define KCAP_P_Q16 GAIN_Q16(1.3)
#define KCAP_Q16 GAIN_Q16(0.12)
#define CAP_MAX_MW 600000
/* the correction starts 6 V above the reference */
#define CAP_MARGIN_MV 6000
/* while ceased the inputs hold the link: C V / 4 is 47 mJ/V, a third of it each half cycle */
#define CEASED_MW_PER_V 2000

/* headroom of the link over the peak of the grid, and its bounds */
#define HEADROOM_MV 22000
#define REF_MAX_MV 420000

/*
 * Power ceiling after a return that lifted the voltage out of range: it rises to
 * rated in 300 s, but not while the voltage is within 1 % of the cessation threshold,
 * and in a second while it is 4 % away with the power at the ceiling, as after the
 * end of a swell.
 */
#define CEILING_S 300
#define CEILING_MARGIN_PU 10
#define CEILING_FAR_PU 40

/* amplitude limit: 1.1 of the rated 7.07 A, in i10 */
#define AMP_MAX_I10 15930000
/*
 * In a sag the limit falls with the voltage, from a peak of 159 V on, 0.47 pu: the drop of
 * the source's impedance stays below the voltage that the PLL follows, and little current
 * flows with the wrong phase when the voltage returns and the PLL has to find it.
 */
#define AMP_I10_PER_MV 100
/* above 0, for the division */
#define VPK_MIN_MV 20000

/* reactive current that shows a relay to have closed: 0.3 A peak, 0.21 A RMS */
#define RELAY_TEST_I10 614400

void qs1_dclink_reset(struct qs1_core *core)
{
	struct qs1_dclink *d = &core->dclink;

	d->integ_mw = 0;
	d->p_ref_mw = 0;
	d->p_ramp_mw = 0;
	d->p_return_mw = core->support.rated_mw;
	d->p_ceiling_mw = core->support.rated_mw;
	d->p_trim_mw = CAP_MAX_MW;
	d->p_cap_mw = CAP_MAX_MW;
}

/*
 * Momentary cessation: no power into the grid from the next zero crossing on.
 * Afterwards the power rises again, see limits(), and with it the shares of the
 * inputs. @lifted: the unit itself lifted the voltage out of range; a ceiling below
 * the previous power then applies for a while.
 */
void qs1_dclink_cease(struct qs1_core *core, bool lifted)
{
	struct qs1_dclink *d = &core->dclink;

	if (lifted)
		d->p_ceiling_mw = qs1_asr(d->p_ref_mw, 1);
	d->p_return_mw = 0;
	d->p_trim_mw = 0;
	d->p_cap_mw = 0;
	core->current.next_amp_i10 = 0;
	core->current.next_quad_i10 = 0;
}

static int32_t derated_mw(const struct qs1_core *core)
{
	int32_t start = core->param[QS1_PARAM_DERATE_START_C] * 1000;
	int32_t stop = core->param[QS1_PARAM_OVERTEMP_C] * 1000;
	int32_t t = core->protect.tcase_mc;

	if (t <= start)
		return core->support.rated_mw;
	if (t >= stop)
		return 0;
	return (int32_t)qs1_div(qs1_mul(core->support.rated_mw, stop - t), stop - start);
}

static int32_t inputs_on(const struct qs1_core *core)
{
	int32_t on = 0;

	for (int n = 0; n < QS1_INPUTS; n++)
		on += core->input[n].on;
	return on ? on : 1;
}

static int32_t lower(int32_t a, int32_t b)
{
	return a < b ? a : b;
}

/* The voltage is further below the threshold of the high-voltage cessation than @margin_pu. */
static bool below_cessation(const struct qs1_core *core, int32_t margin_pu)
{
	return core->meter.vrms_mv <
	       (core->param[QS1_PARAM_MC_HV_V_PU] - margin_pu) * core->param[QS1_PARAM_V_NOM_V];
}

/*
 * Limits of the power. After a connection it rises to rated in es_ramp_s, after
 * a momentary cessation to 80 % of rated in mc_return_s. Of this, 0.2 s is for the
 * meter to find the voltage in range, for the PLL to lock and for the current to follow.
 */
static void limits(struct qs1_core *core)
{
	struct qs1_dclink *d = &core->dclink;
	int32_t rated = core->support.rated_mw;
	int32_t return_cs = core->param[QS1_PARAM_MC_RETURN_S] - 20;
	/* half cycles of the nominal frequency, in a second */
	int32_t halves = core->param[QS1_PARAM_F_NOM_HZ] / 50;

	if (qs1_producing(core)) {
		d->p_ramp_mw = lower(d->p_ramp_mw + rated / halves / core->service.ramp_s, rated);
		/* 80 % / 0.01 s */
		d->p_return_mw = lower(d->p_return_mw + rated * 80 / halves / return_cs, rated);
	}
	if (below_cessation(core, CEILING_MARGIN_PU)) {
		bool far = below_cessation(core, CEILING_FAR_PU) &&
			   d->p_ref_mw >= d->p_ceiling_mw - qs1_asr(d->p_ceiling_mw, 3);
		int32_t rise_s = far ? 1 : CEILING_S;

		d->p_ceiling_mw = lower(d->p_ceiling_mw + rated / halves / rise_s, rated);
	}
	d->p_limit_mw = lower(lower(d->p_ramp_mw, lower(d->p_return_mw, d->p_ceiling_mw)),
			      lower(core->support.p_limit_mw, derated_mw(core)));
}

/* amplitude of the grid: 20 mV a count */
static int32_t peak_mv(const struct qs1_core *core)
{
	return qs1_mulsh(core->pll.amp_v10, 20, 10);
}

/* Amplitudes of the current for power and reactive power. */
void qs1_dclink_amplitudes(struct qs1_core *core)
{
	int32_t vpk_mv = peak_mv(core);
	int32_t amp, quad, limit = lower(vpk_mv * AMP_I10_PER_MV, AMP_MAX_I10);
	uint32_t most, part;

	if (!core->bridge_on || !qs1_producing(core))
		return;
	if (vpk_mv < VPK_MIN_MV)
		vpk_mv = VPK_MIN_MV;
	/* 2 P / V: mW over mV is A; 2048000 i10 a A. A leading current absorbs. */
	amp = (int32_t)qs1_div(qs1_mul(core->dclink.p_ref_mw, 4096000), vpk_mv);
	quad = (int32_t)qs1_div(qs1_mul(-core->support.q_mvar, 4096000), vpk_mv);
	quad = qs1_clamp(quad, -limit, limit);
	/* a root of 32 bits, in 256 i10 */
	most = limit >> 8;
	part = (uint32_t)qs1_abs(quad) >> 8;
	most = qs1_isqrt32(most * most - part * part) << 8;
	amp = qs1_clamp(amp, 0, (int32_t)most);
	core->current.next_amp_i10 = amp;
	core->current.next_quad_i10 = quad + qs1_mulq30(amp, core->island.quad_q30);
}

void qs1_dclink_half_cycle(struct qs1_core *core)
{
	struct qs1_dclink *d = &core->dclink;
	const struct qs1_meter *m = &core->meter;
	int32_t ref_mv = qs1_clamp(peak_mv(core) + HEADROOM_MV, QS1_LINK_V * 1000, REF_MAX_MV);
	int32_t err_mv = m->vlink_mv - ref_mv;
	int32_t p, feed = 0;

	d->ref = ref_mv / (QS1_LSB_VLINK / 1000);
	limits(core);
	if (!core->bridge_on || !qs1_producing(core)) {
		d->integ_mw = 0;
		d->p_ref_mw = 0;
		core->current.next_amp_i10 = 0;
		core->current.next_quad_i10 =
			core->fsm.state == QS1_STATE_CONNECTING && core->relay_on ? RELAY_TEST_I10
										  : 0;
		if (core->fsm.state == QS1_STATE_CEASED)
			d->p_cap_mw = qs1_clamp(-err_mv * (CEASED_MW_PER_V / 1000), 0, CAP_MAX_MW);
		return;
	}
	for (int n = 0; n < QS1_INPUTS; n++)
		feed += core->input[n].p;
	/* a product of counts is 1.5625 uW */
	feed = qs1_mulsh(feed, 100, 6) / 1000;
	p = feed + qs1_mulsh(err_mv, KP_Q16, 16) + d->integ_mw;
	if (p > 0 && p < d->p_limit_mw)
		d->integ_mw =
			qs1_clamp(d->integ_mw + qs1_mulsh(err_mv, KI_Q16, 16), -400000, 400000);
	d->p_ref_mw = qs1_clamp(p, 0, d->p_limit_mw);
	/* A link left high by a cessation says nothing about the shares. */
	p = d->p_limit_mw / inputs_on(core);
	d->p_trim_mw = qs1_clamp(d->p_trim_mw - qs1_mulsh(err_mv - CAP_MARGIN_MV, KCAP_Q16, 16),
				 d->p_return_mw < core->support.rated_mw ? 0 : -p, CAP_MAX_MW);
	p += d->p_trim_mw - qs1_mulsh(err_mv - CAP_MARGIN_MV, KCAP_P_Q16, 16);
	d->p_cap_mw = qs1_clamp(p, 0, CAP_MAX_MW);
}
