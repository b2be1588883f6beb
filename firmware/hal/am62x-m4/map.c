// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * BeaglePlay; the pins are in Documentation/boards/beagleplay.md. Its connectors
 * have no six timer outputs, so that gates go by frames.
 */
#include "board.h"
#include "regs.h"
#include "start.h"

const struct qs1_board_map qs1_board_map = {
	.adc = {
		.spi = AM62X_MCSPI2,
		.busy = QS1_LINE_DAVINCI(AM62X_GPIO1, 9),
		.cs_n = { [1] = QS1_LINE_DAVINCI(AM62X_GPIO1, 28) },
	},
	.estop_n = QS1_LINE_DAVINCI(AM62X_GPIO1, 12),
	.alive = QS1_LINE_DAVINCI(AM62X_GPIO1, 10),
	.led_green = QS1_LINE_DAVINCI(AM62X_GPIO1, 29),
	.led_red = QS1_LINE_DAVINCI(AM62X_GPIO1, 23),
	.to_linux = { AM62X_MAILBOX0, 3 },
	/* Its own, and the one by which ti_k3_m4_remoteproc says that it has started the M4F. */
	.from_linux = { { AM62X_MAILBOX0, 2 }, { AM62X_MAILBOX0, 1 } },
	.watchdog = { QS1_WATCHDOG_RTI, AM62X_MCU_RTI0, AM62X_RTI_HZ },
};

struct qs1_shm *const qs1_machine_shm = (struct qs1_shm *)(uintptr_t)AM62X_SHM;

bool qs1_machine_spare(void)
{
	return false;
}

/* Size is a power of two, of which both addresses are multiples. */
static bool translate(int region, uint32_t local, uint32_t system, uint32_t log2)
{
	qs1_io_write32(AM62X_RAT(region), 0);
	qs1_io_write32(AM62X_RAT(region) + 0x4, local);
	qs1_io_write32(AM62X_RAT(region) + 0x8, system);
	qs1_io_write32(AM62X_RAT(region) + 0xc, 0);
	qs1_io_write32(AM62X_RAT(region), AM62X_RAT_ENABLE | log2);
	return qs1_io_read32(AM62X_RAT(region)) == (AM62X_RAT_ENABLE | log2);
}

bool qs1_machine_init(void)
{
	return translate(0, AM62X_SYSTEM, 0, 29) &&
	       translate(1, AM62X_SYSTEM + 0x20000000u, 0x20000000u, 29) &&
	       translate(2, AM62X_SHM, AM62X_SHM_PA, AM62X_SHM_LOG2);
}
