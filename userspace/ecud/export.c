// SPDX-License-Identifier: GPL-2.0-or-later
#include "export.h"

#include <math.h>
#include <string.h>

void export_init(struct export *export, double export_w, double safe_w)
{
	memset(export, 0, sizeof(*export));
	export->export_w = export_w;
	export->safe_w = safe_w;
	export->target_w = (double)NAN;
	export->confirmed = true;
}

bool export_is_on(const struct export *export)
{
	return !isnan(export->export_w);
}

void export_confirm(struct export *export, bool confirmed, uint64_t now_us)
{
	if (confirmed && !export->confirmed) {
		export->confirmed_us = now_us;
	}
	export->confirmed = confirmed;
}

/* Has the sample seen the effect of the limits sent before? */
static bool is_younger(const struct export *export, uint64_t measured_us, uint64_t now_us)
{
	if (export->changed_us == 0) {
		return true;
	}
	if (export->confirmed) {
		return measured_us >= export->confirmed_us + EXPORT_SETTLE_US;
	}
	/* one unit that does not confirm must not stop the control of the others */
	return now_us >= export->changed_us + EXPORT_CONFIRM_US &&
	       measured_us >= export->changed_us + EXPORT_CONFIRM_US;
}

/* What the units may produce, so that the export becomes what is allowed. */
static double wanted_w(const struct export *export, double meter_w, double site_w, double most_w)
{
	double spare_w = meter_w + export->export_w - EXPORT_MARGIN_W;
	double wanted = site_w + spare_w;

	/* the margin must not stop a site that may export as much as it can */
	return wanted < 0 ? 0 : wanted > most_w ? most_w : wanted;
}

static bool set_target(struct export *export, double target_w, uint64_t now_us)
{
	bool changed = isnan(export->target_w) ||
		       fabs(target_w - export->target_w) >= EXPORT_DEAD_W;
	bool renew = now_us - export->changed_us >= EXPORT_RENEW_US;

	if (!changed && !renew) {
		return false;
	}
	export->target_w = changed ? target_w : export->target_w;
	export->changed_us = now_us;
	export->confirmed = export->confirmed && !changed;
	return true;
}

bool export_meter(struct export *export, double meter_w, uint64_t measured_us, double site_w,
		  double most_w, uint64_t now_us)
{
	double wanted;

	if (!export_is_on(export) || isnan(meter_w)) {
		return false;
	}
	export->meter_w = meter_w;
	export->meter_us = measured_us;
	export->metered = true;
	export->lost = false;
	if (!is_younger(export, measured_us, now_us)) {
		return false;
	}
	wanted = wanted_w(export, meter_w, site_w, most_w);
	if (!isnan(export->target_w) && wanted > export->target_w) {
		wanted = export->target_w + EXPORT_UP * (wanted - export->target_w);
	}
	return set_target(export, wanted, now_us);
}

bool export_run(struct export *export, uint64_t now_us)
{
	if (!export_is_on(export)) {
		return false;
	}
	if (!export->metered || now_us - export->meter_us >= EXPORT_LOST_US) {
		export->lost = true;
		return set_target(export, export->safe_w, now_us);
	}
	return !isnan(export->target_w) && now_us - export->changed_us >= EXPORT_RENEW_US &&
	       set_target(export, export->target_w, now_us);
}
