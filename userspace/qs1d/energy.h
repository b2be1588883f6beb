/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Energy over the life of the unit, from the firmware's counters, which start
 * at zero with the firmware. A total never falls.
 */
#ifndef QS1D_ENERGY_H
#define QS1D_ENERGY_H

#include <stdint.h>

#include <qs1/abi.h>

/* The four inputs, then the grid. */
#define ENERGY_COUNTERS (QS1_INPUTS + 1)
#define ENERGY_GRID QS1_INPUTS

/**
 * struct energy - totals and where they were counted from
 * @total_mj: over the life of the unit
 * @counter_mj: last reading of each of the firmware's counters
 * @epoch: run of the firmware that @counter_mj belongs to
 */
struct energy {
	uint64_t total_mj[ENERGY_COUNTERS];
	uint64_t counter_mj[ENERGY_COUNTERS];
	uint32_t epoch;
};

/**
 * energy_resume() - go on from kept totals
 * @energy: with the kept totals and counters
 * @epoch: run of the firmware now
 * @counter_mj: the firmware's counters now
 *
 * The daemon may have been away while the firmware went on counting. Counters
 * that are all at or above the kept ones belong to the same run, and what was
 * counted since is added; otherwise the firmware has started anew, and what it
 * has counted is new in full.
 */
void energy_resume(struct energy *energy, uint32_t epoch,
		   const uint64_t counter_mj[ENERGY_COUNTERS]);

/**
 * energy_update() - count what the firmware has counted since
 *
 * A counter that fell without a new run is not believed: the total stays and
 * counting goes on from the new reading.
 */
void energy_update(struct energy *energy, uint32_t epoch,
		   const uint64_t counter_mj[ENERGY_COUNTERS]);

#endif /* QS1D_ENERGY_H */
