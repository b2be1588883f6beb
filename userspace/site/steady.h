/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A firmware without a plant, for tests of the radio: steady power of each module, the parameters
 * of the real table, and the states that follow from commands. It computes production from the
 * power of the modules. For units with the real control core, see the feeder.
 */
#ifndef QS1_SITE_STEADY_H
#define QS1_SITE_STEADY_H

#include "inverter.h"

/**
 * struct steady - the owner's memory
 * @module_w: power that each module gives, W
 * @now_us: time up to which energy is counted
 * @angle_deg: of the grid voltage at its terminals at time 0
 */
struct steady {
	double module_w;
	uint64_t now_us;
	double angle_deg;
	bool armed;
	bool gfdi;
	bool gfdi_latched;
	int32_t param[QS1_PARAM_COUNT];
	double pv_mj[QS1_INPUTS];
	double grid_mj;
	struct qs1_event event;
	bool event_waits;
	uint8_t state;
};

extern const struct inverter_firmware steady_firmware;

void steady_init(struct steady *steady, double module_w);

/* Count energy up to now. */
void steady_run(struct steady *steady, uint64_t now_us);

/* Start or end a ground fault. The fault stays latched. */
void steady_ground(struct steady *steady, bool fault);

#endif /* QS1_SITE_STEADY_H */
