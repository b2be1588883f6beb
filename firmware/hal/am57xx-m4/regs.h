/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Peripherals of the AM57xx (AM5729) as its IPU1 sees them, and the pins of the
 * BeagleBone AI that lead there.
 *
 * Each address is that of the manual (SPRUHZ6, section beside it) and of the
 * node named beside it in Debian's am5729-beagleboneai.dtb. The IPU reaches the
 * L4 interconnects through its MMU, by the mappings that resources.c asks
 * Linux for: 0x20000000 above.
 */
#ifndef QS1_HAL_AM57XX_H
#define QS1_HAL_AM57XX_H

#define AM57XX_L4 0x20000000u

#define AM57XX_MCSPI2 (AM57XX_L4 + 0x4809a000u)	  /* 24.4.6; l4_per1 target-module@9a000 */
#define AM57XX_GPIO3 (AM57XX_L4 + 0x48057000u)	  /* 28.6; l4_per1 target-module@57000 */
#define AM57XX_GPIO6 (AM57XX_L4 + 0x4805d000u)	  /* 28.6; l4_per1 target-module@5d000 */
#define AM57XX_PWMSS2 (AM57XX_L4 + 0x48440000u)	  /* 29.1; l4_per2 target-module@40000 */
#define AM57XX_PWMSS3 (AM57XX_L4 + 0x48442000u)	  /* 29.1; l4_per2 target-module@42000 */
#define AM57XX_TIMER7 (AM57XX_L4 + 0x48824000u)	  /* 22.2.5; l4_per3 target-module@24000 */
#define AM57XX_MAILBOX5 (AM57XX_L4 + 0x48840000u) /* 19.4; l4_per3 target-module@40000 */
#define AM57XX_MAILBOX7 (AM57XX_L4 + 0x48844000u) /* 19.4; l4_per3 target-module@44000 */

/* Of a PWMSS: clock gates, eCAP, ePWM (29.1.2; nodes pwm@100 and pwm@200). */
#define AM57XX_PWMSS_CLKCONFIG 0x08
#define AM57XX_PWMSS_CLOCKS 0x101u /* eCAP and ePWM run */
#define AM57XX_ECAP 0x100
#define AM57XX_EPWM 0x200

/* Time base clocks of all ePWMs together (18.5.2, CTRL_CORE_CONTROL_IO_2; clock nodes @558). */
#define AM57XX_CONTROL_IO_2 (AM57XX_L4 + 0x4a002558u)
#define AM57XX_TBCLKEN (0x7u << 20)

/* L4_ICLK2, which the time bases count: half of the 266 MHz of L3 (29.2.1). */
#define AM57XX_PWM_HZ 133000000u

/* SYS_CLK1, which omap_remoteproc chooses for its timers; 20 MHz on this board. */
#define AM57XX_TIMER_HZ 20000000u

/* The contract, by resources.c; the overlay reserves it in Linux. */
#define AM57XX_SHM 0xa0000000u
#define AM57XX_SHM_PA 0x9f800000u
#define AM57XX_SHM_SIZE 0x80000u

/* Which of the two cores of the IPU runs this: 0 or 1 (7.3, PID register of the ROM table). */
#define AM57XX_CORE_ID 0xe00fffe0u

#endif /* QS1_HAL_AM57XX_H */
