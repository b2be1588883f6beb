/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * True measurements at the point of common coupling: RMS values by cycle, balance, flicker.
 */
#ifndef QS1_FEEDER_PCC_H
#define QS1_FEEDER_PCC_H

#include <stdbool.h>
#include <stdint.h>

#include <json-c/json.h>

#include "feeder.h"
#include "flicker.h"
#include "wiring.h"

/* Sums of a phase over a cycle. */
enum pcc_sum { PCC_VV, PCC_II, PCC_VI, PCC_VS, PCC_VC, PCC_SUMS };

/**
 * struct pcc_totals - since the summary's interval began
 * @v_peak_v: largest magnitude
 * @over_cycles: longest run of cycles above 1.2 per unit
 * @over_now: the present run
 */
struct pcc_totals {
	double seconds;
	double vv[WIRING_PHASES], ii[WIRING_PHASES], vi[WIRING_PHASES];
	double nn, unbalance;
	double v_peak_v[WIRING_PHASES];
	double unbalance_max;
	uint64_t cycles;
	unsigned int over_cycles[WIRING_PHASES], over_now[WIRING_PHASES];
};

struct pcc {
	struct feeder_network last;
	bool running;
	bool armed;
	int ticks; /* of the present cycle */
	double sum[WIRING_PHASES][PCC_SUMS], neutral2;
	double v_before, carry;
	struct pcc_totals total;
	struct flicker flicker[WIRING_PHASES];
	uint64_t steps;
	double flicker_from_s;
};

void pcc_init(struct pcc *pcc, const struct wiring *wiring);
/* pcc_step() - after each step of the network */
void pcc_step(struct pcc *pcc, const struct wiring *wiring);
/* pcc_mark() - restart the measurement, or stop it */
void pcc_mark(struct pcc *pcc, bool start);
struct json_object *pcc_json(const struct pcc *pcc, const struct wiring *wiring);

#endif /* QS1_FEEDER_PCC_H */
