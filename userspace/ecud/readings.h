/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the fields of both dialects to the readings of the model, by tables; pure. */
#ifndef ECUD_READINGS_H
#define ECUD_READINGS_H

#include "account.h"
#include "l2.h"
#include "model.h"
#include "own.h"

/* Readings, state, flags and faults of a status of ours; energies are left to the accounts. */
void readings_of_status(struct model_unit *unit, const int64_t raw[OWN_STATUS_COUNT],
			int64_t time_ms);

/* The same of a stock unit's telemetry. */
void readings_of_telemetry(struct model_unit *unit, const int64_t raw[L2_TELEMETRY_COUNT],
			   int64_t time_ms);

/* Counters of energy, mWh; false when the frame has none. The grid's is missing in telemetry. */
bool readings_counters_of_status(const int64_t raw[OWN_STATUS_COUNT],
				 uint64_t counter_mwh[ACCOUNT_CHANNELS]);
bool readings_counters_of_telemetry(const int64_t raw[L2_TELEMETRY_COUNT],
				    uint64_t counter_mwh[ACCOUNT_CHANNELS]);

/* Totals and today's energies of the accounts. */
void readings_of_accounts(struct model_unit *unit, const struct account account[ACCOUNT_CHANNELS],
			  int64_t time_ms);

#endif /* ECUD_READINGS_H */
