/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Timers and lines of the BeagleBone Black; regs.h has the pins of the PRU. */
#ifndef QS1_HAL_AM335X_MAP_H
#define QS1_HAL_AM335X_MAP_H

#include "line.h"
#include "pwm.h"

/**
 * struct qs1_pru_map - timers and lines
 * @pwm: timers of the gates
 * @estop_n: low when the emergency switch is open or the gate logic has tripped
 * @relay: closes the grid relay
 * @led_green: as Linux has it
 * @led_red: as Linux has it
 */
struct qs1_pru_map {
	struct qs1_pwm_map pwm;
	struct qs1_line estop_n;
	struct qs1_line relay;
	struct qs1_line led_green;
	struct qs1_line led_red;
};

extern const struct qs1_pru_map qs1_pru_map;

/* Enables this PRU's access to addresses outside of the PRUSS. */
void qs1_pru_master(void);

/* Clocks of the timers inside their subsystems; before qs1_pwm_init(). */
void qs1_pru_clocks(void);

#endif /* QS1_HAL_AM335X_MAP_H */
