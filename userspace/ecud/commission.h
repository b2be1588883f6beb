/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commissioning: checks that an inverter reports and produces as configured. */
#ifndef ECUD_COMMISSION_H
#define ECUD_COMMISSION_H

#include <stdbool.h>
#include <stdint.h>

#include "model.h"

/* Why an order on a site without inverters is refused. */
#define COMMISSION_NOTHING                                                                         \
	"nothing to commission: the site has no inverters; add them by their labels first"

/* Answer of a check. */
enum commission_answer {
	COMMISSION_UNKNOWN,
	COMMISSION_NO,
	COMMISSION_YES,
};

/**
 * struct commission - checks of one inverter
 * @seen: it has reported within three polls
 * @producing: it produces
 * @voltage: its grid voltage is in range; unknown without a reading
 * @frequency: the same of the frequency
 * @profile: the profile in force is the one that is wanted; unknown when none is wanted
 * @complete: all of these checks pass
 */
struct commission {
	bool seen;
	bool producing;
	enum commission_answer voltage;
	enum commission_answer frequency;
	enum commission_answer profile;
	bool complete;
};

/* Pure. */
void commission_check(const struct model_unit *unit, int64_t now_ms, struct commission *ret);

#endif /* ECUD_COMMISSION_H */
