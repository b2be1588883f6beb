// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* BeagleBone Black; the pins are in Documentation/boards/beaglebone-black.md. */
#include "map.h"

#include "regs.h"

const struct qs1_pru_map qs1_pru_map = {
	.pwm = {
		.clock_hz = AM335X_PWM_HZ,
		.bridge = AM335X_PWMSS1 + AM335X_EPWM,
		.input = {
			{ AM335X_PWMSS2 + AM335X_EPWM, QS1_PWM_EPWM_A },
			{ AM335X_PWMSS2 + AM335X_EPWM, QS1_PWM_EPWM_B },
			{ AM335X_PWMSS0 + AM335X_EPWM, QS1_PWM_EPWM_A },
			{ AM335X_PWMSS0 + AM335X_EPWM, QS1_PWM_EPWM_B },
		},
	},
	.estop_n = QS1_LINE_OMAP(AM335X_GPIO0, 26),
	.relay = QS1_LINE_OMAP(AM335X_GPIO0, 27),
	.led_green = QS1_LINE_OMAP(AM335X_GPIO2, 1),
	.led_red = QS1_LINE_OMAP(AM335X_GPIO2, 2),
};

void qs1_pru_master(void)
{
	qs1_io_write32(AM335X_SYSCFG, qs1_io_read32(AM335X_SYSCFG) & ~AM335X_SYSCFG_STANDBY_INIT);
}

void qs1_pru_clocks(void)
{
	qs1_io_write32(AM335X_PWMSS0 + AM335X_PWMSS_CLKCONFIG, AM335X_PWMSS_CLOCKS);
	qs1_io_write32(AM335X_PWMSS1 + AM335X_PWMSS_CLKCONFIG, AM335X_PWMSS_CLOCKS);
	qs1_io_write32(AM335X_PWMSS2 + AM335X_PWMSS_CLKCONFIG, AM335X_PWMSS_CLOCKS);
}
