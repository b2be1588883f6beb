/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Energy over the life of the unit. The firmware's counters start at zero with
 * the firmware; a total never falls.
 */
#ifndef QS1_ENERGY_H
#define QS1_ENERGY_H

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
 * energy_resume() - continue from kept totals
 * @energy: with the kept totals and counters
 * @epoch: run of the firmware now
 * @counter_mj: the firmware's counters now
 *
 * The firmware may have counted while the daemon did not run. Counters that are
 * all at or above the kept ones belong to the same run: the difference is added.
 * Otherwise the firmware has restarted, and all that it has counted is added.
 */
void energy_resume(struct energy *energy, uint32_t epoch,
		   const uint64_t counter_mj[ENERGY_COUNTERS]);

/**
 * energy_update() - add what the firmware has counted since the last call
 *
 * A counter that fell without a restart is wrong: the total stays, and counting
 * continues from the new reading.
 */
void energy_update(struct energy *energy, uint32_t epoch,
		   const uint64_t counter_mj[ENERGY_COUNTERS]);

#endif /* QS1_ENERGY_H */
