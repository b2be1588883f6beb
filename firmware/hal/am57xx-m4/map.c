// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* BeagleBone AI; the pins are in Documentation/boards/beaglebone-ai.md. */
#include "board.h"
#include "regs.h"
#include "start.h"

static const struct qs1_pwm_map pwm = {
	.clock_hz = AM57XX_PWM_HZ,
	.bridge = AM57XX_PWMSS2 + AM57XX_EPWM,
	.input = {
		{ AM57XX_PWMSS3 + AM57XX_EPWM, QS1_PWM_EPWM_A },
		{ AM57XX_PWMSS3 + AM57XX_EPWM, QS1_PWM_EPWM_B },
		{ AM57XX_PWMSS2 + AM57XX_ECAP, QS1_PWM_ECAP },
		{ AM57XX_PWMSS3 + AM57XX_ECAP, QS1_PWM_ECAP },
	},
};

const struct qs1_board_map qs1_board_map = {
	.adc = {
		.spi = AM57XX_MCSPI2,
		.convst = QS1_LINE_OMAP(AM57XX_GPIO3, 11),
		.busy = QS1_LINE_OMAP(AM57XX_GPIO3, 10),
	},
	.pwm = &pwm,
	.estop_n = QS1_LINE_OMAP(AM57XX_GPIO6, 18),
	.alive = QS1_LINE_OMAP(AM57XX_GPIO6, 4),
	.relay = QS1_LINE_OMAP(AM57XX_GPIO6, 5),
	.led_green = QS1_LINE_OMAP(AM57XX_GPIO6, 6),
	.led_red = QS1_LINE_OMAP(AM57XX_GPIO3, 12),
	.to_linux = { AM57XX_MAILBOX7, 1 },
	/* Its own, and the one by which omap_remoteproc says that it has started the IPU. */
	.from_linux = { { AM57XX_MAILBOX7, 0 }, { AM57XX_MAILBOX5, 6 } },
	.watchdog = { QS1_WATCHDOG_TIMER, AM57XX_TIMER7, AM57XX_TIMER_HZ },
};

struct qs1_shm *const qs1_machine_shm = (struct qs1_shm *)(uintptr_t)AM57XX_SHM;

bool qs1_machine_spare(void)
{
	return qs1_io_read32(AM57XX_CORE_ID);
}

bool qs1_machine_init(void)
{
	qs1_io_write32(AM57XX_PWMSS2 + AM57XX_PWMSS_CLKCONFIG, AM57XX_PWMSS_CLOCKS);
	qs1_io_write32(AM57XX_PWMSS3 + AM57XX_PWMSS_CLKCONFIG, AM57XX_PWMSS_CLOCKS);
	qs1_io_write32(AM57XX_CONTROL_IO_2, qs1_io_read32(AM57XX_CONTROL_IO_2) | AM57XX_TBCLKEN);
	return (qs1_io_read32(AM57XX_CONTROL_IO_2) & AM57XX_TBCLKEN) == AM57XX_TBCLKEN;
}
