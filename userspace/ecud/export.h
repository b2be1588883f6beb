/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Limited export; pure: readings of the meter, and of the units, and the time go in, limits come
 * out.
 *
 * A correction is computed from a meter's sample only when the sample is younger than the effect of
 * the correction before it: the units have confirmed their limits, and EXPORT_SETTLE_US have
 * passed. Otherwise the same surplus would be removed twice, and the power would swing.
 */
#ifndef ECUD_EXPORT_H
#define ECUD_EXPORT_H

#include <stdbool.h>
#include <stdint.h>

/* From a confirmed limit to the power at the meter. */
#define EXPORT_SETTLE_US UINT64_C(700000)
/* Without a sample for so long, the meter is lost. */
#define EXPORT_LOST_US UINT64_C(10000000)
/* Limits of the control end by themselves after this time. */
#define EXPORT_LEASE_S 60
/* Renewed before that. */
#define EXPORT_RENEW_US UINT64_C(25000000)
/* A limit that is not confirmed by then does not hold the control up. */
#define EXPORT_CONFIRM_US UINT64_C(5000000)
/* Power goes up by at most this share of the gap at a time, so that a load that switches does not
 * make it swing; it goes down at once. */
#define EXPORT_UP 0.7
/* Smaller corrections are not sent, W. */
#define EXPORT_DEAD_W 10.0
/* Kept below the limit, W: resolution of the limits and of the meter. */
#define EXPORT_MARGIN_W 10.0

/**
 * struct export - state
 * @export_w: largest export, W; NAN: no control
 * @safe_w: power of the site while the meter is lost
 * @target_w: power that the site may produce now; NAN before the first sample
 * @meter_w: last sample, import positive; @meter_us: when it was measured
 * @changed_us: when the limits were last changed
 * @confirmed: the units have confirmed them; @confirmed_us: since when
 * @lost: the meter is lost
 */
struct export
{
	double export_w;
	double safe_w;
	double target_w;
	double meter_w;
	uint64_t meter_us;
	bool metered;
	uint64_t changed_us;
	bool confirmed;
	uint64_t confirmed_us;
	bool lost;
};

void export_init(struct export *export, double export_w, double safe_w);

/* Is the control on? */
bool export_is_on(const struct export *export);

/* All units have confirmed their limits, or not. */
void export_confirm(struct export *export, bool confirmed, uint64_t now_us);

/**
 * export_meter() - a sample
 * @meter_w: W, import positive; NAN when the meter could not be read
 * @measured_us: when
 * @site_w: power of all units, by their last readings
 * @most_w: the most that the units could produce
 *
 * Return: whether @target_w has changed by more than EXPORT_DEAD_W, or the limits are to be
 * renewed.
 */
bool export_meter(struct export *export, double meter_w, uint64_t measured_us, double site_w,
		  double most_w, uint64_t now_us);

/* Time has passed. Return: as export_meter(). */
bool export_run(struct export *export, uint64_t now_us);

#endif /* ECUD_EXPORT_H */
