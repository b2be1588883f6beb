/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Drift of the sensors of link and grid current, from what the control of the
 * current has to do about it.
 *
 * Link: the bridge makes the voltage that is asked of it times the true link voltage
 * over the measured one. The resonator of the fundamental makes up for this error, for
 * the filter's drop and for the dead time. The last two are known: 0.6 ohm, 3.6 mH,
 * and 3 V for 150 ns of dead time. What remains is the grid's peak times the error of
 * the link. Boards within their tolerances leave -1.8 to 2.8 V.
 *
 * Grid current: an offset of its sensor becomes a direct current of the same
 * size. The bridge drives it through the resistance of the filter by a direct voltage,
 * which the integrator carries in addition to that of the grid. Unequal legs do the
 * same, up to 0.14 V, and so does the offset of the grid voltage's sensor; both are
 * steady or change within minutes, as the board warms up. A slow mean is therefore the
 * zero: a change within a minute is a drift. The smallest one that is seen is
 * 0.1 V / 0.6 ohm, 0.17 A at the most.
 */
#include <qs1/stage.h>

#include "state.h"

/* volts, and volts over amperes in Q30: 20 mV and 0.5 mA a count */
#define V10(v) ((int32_t)((v)*51200))
#define OHM_Q30(ohm) QS1_Q30((ohm) / 40)

#define FILTER_OHM 0.6
#define FILTER_REACTANCE_OHM 1.357 /* 3.6 mH at 60 Hz */
#define DEAD_TIME_V 3

/*
 * A link that reads low is charged too high: 2.4 % at 240 V, of 420 V at the most
 * and a capacitor of 450 V. A link that reads high only takes the bridge's
 * headroom, and looks like a longer dead time: 1 us are 20 V.
 */
#define LINK_LOW_V10 V10(-8)
#define LINK_HIGH_V10 V10(20)
#define LINK_MS 1000

#define DIRECT_V10 V10(0.1)
#define DIRECT_MS 5000

/* low-pass of 2^9 ms */
#define MEAN_SHIFT 9
/*
 * The zero follows by 2^8 ms until it has been within a quarter of the limit for 2 s,
 * so that no transient sets it; from then on by 2^9 steps of 128 ms, 65 s.
 */
#define SETTLE_MS 2000
#define SETTLED_V10 (DIRECT_V10 / 4)
#define SETTLE_SHIFT 8
#define ZERO_SHIFT 9
#define ZERO_STEP_MS 128

QS1_ASSERT(QS1_FILTER_L1_UH + QS1_FILTER_L2_UH == 3600);

static int32_t link_excess_v10(const struct qs1_core *core)
{
	const struct qs1_current *cur = &core->current;

	return qs1_mulq30(cur->res[0].re, core->pll.sin_q30) -
	       qs1_mulq30(cur->res[0].im, core->pll.cos_q30) -
	       qs1_mulq30(cur->amp_i10, OHM_Q30(FILTER_OHM)) +
	       qs1_mulq30(cur->quad_i10, OHM_Q30(FILTER_REACTANCE_OHM)) - V10(DEAD_TIME_V);
}

/* Each millisecond: bit n for channel n, when its sensor has drifted. */
uint32_t qs1_drift_ms(struct qs1_core *core)
{
	struct qs1_drift *d = &core->drift;
	int32_t moved_v10;
	uint32_t drifted = 0;

	if (!core->bridge_on || !qs1_producing(core)) {
		*d = (struct qs1_drift){ 0 };
		return 0;
	}
	d->link_v10 += qs1_asr(link_excess_v10(core) - d->link_v10, MEAN_SHIFT);
	d->direct_v10 +=
		qs1_asr(core->current.dc_v10 - core->pll.dc_v10 - d->direct_v10, MEAN_SHIFT);
	moved_v10 = d->direct_v10 - d->zero_v10;
	if (!qs1_lasts(&d->settle_ms, d->settle_ms == SETTLE_MS || qs1_abs(moved_v10) < SETTLED_V10,
		       SETTLE_MS)) {
		d->zero_v10 += qs1_asr(moved_v10, SETTLE_SHIFT);
		moved_v10 = 0;
	} else if (!(core->frame & (ZERO_STEP_MS - 1))) {
		d->zero_v10 += qs1_asr(moved_v10, ZERO_SHIFT);
	}

	if (qs1_lasts(&d->link_ms, d->link_v10 < LINK_LOW_V10 || d->link_v10 > LINK_HIGH_V10,
		      LINK_MS))
		drifted |= 1u << QS1_ADC_VLINK;
	if (qs1_lasts(&d->direct_ms, qs1_abs(moved_v10) > DIRECT_V10, DIRECT_MS))
		drifted |= 1u << QS1_ADC_IGRID;
	return drifted;
}
