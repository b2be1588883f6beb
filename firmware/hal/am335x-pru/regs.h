/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Peripherals of the AM335x as its PRUs see them, and the pins of the BeagleBone
 * Black that lead there.
 *
 * Each address is that of the manual's memory map (SPRUH73 2.1) and of the node
 * named beside it in Debian's am335x-boneblack.dtb. A read takes 34 to 38 cycles
 * of 5 ns, so that PRU0 reads nothing but the emergency switch, the timer that
 * begins the period, and what it has written into PRU1's memory; writes are posted.
 */
#ifndef QS1_HAL_AM335X_H
#define QS1_HAL_AM335X_H

#define AM335X_GPIO0 0x44e07000u  /* 25.4.1; l4_wkup target-module@7000 */
#define AM335X_GPIO2 0x481ac000u  /* 25.4.1; l4_per target-module@ac000 */
#define AM335X_PWMSS0 0x48300000u /* 15.1; l4_per segment@300000 target-module@0 */
#define AM335X_PWMSS1 0x48302000u /* the same, target-module@2000 */
#define AM335X_PWMSS2 0x48304000u /* the same, target-module@4000 */

/* Of a PWMSS: clock gates, ePWM (15.1.3; node pwm@200). */
#define AM335X_PWMSS_CLKCONFIG 0x08
#define AM335X_PWMSS_CLOCKS 0x101u
#define AM335X_EPWM 0x200

/*
 * L4LS, which the time bases count (15.2.2.3). Their gates (9.3.1, pwmss_ctrl;
 * nodes clock-ehrpwm*-tbclk) can only be written by Linux: the overlay names
 * them in the inverter's node.
 */
#define AM335X_PWM_HZ 100000000u

/* The other PRU's data memory (4.3.1.2). */
#define AM335X_OTHER_DATA 0x00002000u

/* Of the PRUSS, as its PRUs see it (4.3.1.2); without standby the PRUs are masters outside (4.5.2).
 */
#define AM335X_SYSCFG 0x00026004u
#define AM335X_SYSCFG_STANDBY_INIT 0x10u

/*
 * PRU1: its control register as its neighbour sees it (4.5.1.1) - a zero in bit 0
 * resets it, bit 1 lets it run, from the instruction whose number is above bit
 * 15 -, and its instruction memory, which only a master outside reaches (2.1,
 * 4.3.1.1; node pru@38000).
 */
#define AM335X_PRU1_CTRL 0x00024000u
#define AM335X_PRU_ENABLE 0x2u
#define AM335X_PRU_FROM(instruction) ((uint32_t)(instruction) << 16)
#define AM335X_PRU1_IRAM 0x4a338000u

/*
 * PRU0's own control register and its cycle counter (4.5.1.1, 4.5.1.4), which can be
 * cleared while it does not count. Reads take 4 cycles.
 */
#define AM335X_PRU0_CTRL 0x00022000u
#define AM335X_PRU0_CYCLE 0x0002200cu
#define AM335X_PRU_NO_RESET 0x1u
#define AM335X_PRU_COUNT 0x8u
#define AM335X_PRU_HZ 200000000u

/* Reserved DDR for the contract (2.1, EMIF0); the overlay's reserved memory. */
#define AM335X_CONTRACT 0x98000000u
#define AM335X_CONTRACT_BYTES (512 * 1024)

/* Bits of R30 of PRU0, and of its R31 (4.4.1.2.3.2). */
#define AM335X_SCLK (1u << 0)	/* P9_31 */
#define AM335X_CS_N (1u << 1)	/* P9_29 */
#define AM335X_CONVST (1u << 2) /* P9_30 */
#define AM335X_ALIVE (1u << 3)	/* P9_28 */
#define AM335X_DOUT_1A 5	/* P9_27 */
#define AM335X_DOUT_1B 7	/* P9_25 */
#define AM335X_DOUT_2A 14	/* P8_16 */
#define AM335X_DOUT_2B 15	/* P8_15 */
#define AM335X_BUSY (1u << 16)	/* P9_24 */

/* System events of the PRUSS (4.4.2.2), as the overlay has them. */
#define AM335X_EVENT_FIRMWARE 16
#define AM335X_EVENT_MAILBOX 17

/* Written to R31: pulses a system event from 16 to 31 (4.4.1.2.2). */
#define AM335X_PULSE(event) (0x20u | ((event)-16))

#endif /* QS1_HAL_AM335X_H */
