/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Peripherals of the AM62x (AM625) as the Cortex-M4F of its microcontroller
 * domain sees them, and the pins of the BeaglePlay that lead there.
 *
 * Each address is that of the manual's memory map (SPRUIV7 2.1) and of the node
 * named beside it in Debian's k3-am625-beagleplay.dtb. The M4F sees the first
 * gigabyte of the system through two regions of its address translation (RAT),
 * AM62X_SYSTEM above, and the contract in DRAM through a third.
 */
#ifndef QS1_HAL_AM62X_H
#define QS1_HAL_AM62X_H

#define AM62X_SYSTEM 0x80000000u

#define AM62X_MCU_RTI0 (AM62X_SYSTEM + 0x04880000u) /* watchdog@4880000 */
#define AM62X_GPIO1 (AM62X_SYSTEM + 0x00601000u)    /* gpio@601000 */
#define AM62X_MCSPI2 (AM62X_SYSTEM + 0x20120000u)   /* spi@20120000 */
#define AM62X_MAILBOX0 (AM62X_SYSTEM + 0x29000000u) /* mailbox@29000000 */

/* Region n of the M4F's RAT: control, local base, translated address low and high. */
#define AM62X_RAT(n) (0x44200020u + 0x10 * (n))
#define AM62X_RAT_ENABLE 0x80000000u

/* HFOSC0, which the overlay chooses for the watchdog. */
#define AM62X_RTI_HZ 25000000u

/* The contract; the overlay reserves it in Linux. */
#define AM62X_SHM 0xc0000000u
#define AM62X_SHM_PA 0x9cb00000u
#define AM62X_SHM_LOG2 19 /* 512 KB */

#endif /* QS1_HAL_AM62X_H */
