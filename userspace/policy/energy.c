// SPDX-License-Identifier: GPL-2.0-only
#include "energy.h"

#include <stdbool.h>

static void count_from(struct energy *energy, uint32_t epoch,
		       const uint64_t counter_mj[ENERGY_COUNTERS], bool from_zero)
{
	for (int i = 0; i < ENERGY_COUNTERS; i++) {
		uint64_t since = from_zero ? 0 : energy->counter_mj[i];

		if (counter_mj[i] > since) {
			energy->total_mj[i] += counter_mj[i] - since;
		}
		energy->counter_mj[i] = counter_mj[i];
	}
	energy->epoch = epoch;
}

void energy_resume(struct energy *energy, uint32_t epoch,
		   const uint64_t counter_mj[ENERGY_COUNTERS])
{
	bool restarted = false;

	for (int i = 0; i < ENERGY_COUNTERS; i++) {
		restarted |= counter_mj[i] < energy->counter_mj[i];
	}
	count_from(energy, epoch, counter_mj, restarted);
}

void energy_update(struct energy *energy, uint32_t epoch,
		   const uint64_t counter_mj[ENERGY_COUNTERS])
{
	count_from(energy, epoch, counter_mj, epoch != energy->epoch);
}
