/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The few registers of the Cortex-M4 and of the mps2-an386 machine that the
 * virtual board uses. ARMv7-M Architecture Reference Manual (DDI 0403E) B3;
 * Cortex-M System Design Kit TRM (DDI 0479) 4.3 for the UART; Application
 * Note 386 for addresses and interrupt numbers.
 */
#ifndef QS1_HAL_MPS2_H
#define QS1_HAL_MPS2_H

#include <stdint.h>

#define MPS2_REG(address) (*(volatile uint32_t *)(address))

#define SCB_VTOR MPS2_REG(0xe000ed08)
#define NVIC_ISER0 MPS2_REG(0xe000e100)
#define NVIC_ICPR0 MPS2_REG(0xe000e280)

#define UART0_DATA MPS2_REG(0x40004000)
#define UART0_STATE MPS2_REG(0x40004004)
#define UART0_CTRL MPS2_REG(0x40004008)
#define UART0_INT MPS2_REG(0x4000400c) /* read: status; write ones: clear */
#define UART0_BAUDDIV MPS2_REG(0x40004010)

#define UART_STATE_RXFULL 0x2u
#define UART_CTRL_RX_ENABLE 0x2u
#define UART_CTRL_RX_INTERRUPT 0x8u
#define UART_INT_RX 0x2u
#define UART_BAUDDIV_MIN 16u

#define NVIC_UART0_RX 0x1u /* interrupt 0 */

/*
 * UART0 is the doorbell from vboard: a byte arriving means "look at the
 * registers". Its interrupt is never taken, PRIMASK stays set; being pending
 * is what ends WFI.
 */
static inline void mps2_doorbell_enable(void)
{
	__asm__ volatile("cpsid i" ::: "memory");
	UART0_BAUDDIV = UART_BAUDDIV_MIN;
	UART0_CTRL = UART_CTRL_RX_ENABLE | UART_CTRL_RX_INTERRUPT;
	/* QEMU looks for a byte that came too early when one is read, not when it may come. */
	(void)UART0_DATA;
	NVIC_ISER0 = NVIC_UART0_RX;
}

/*
 * Sleeps until the doorbell. Only a rising edge makes the interrupt pending
 * again, so it must be low when we leave, with no byte waiting: if one came
 * since it was cleared, everything is cleared once more.
 */
static inline void mps2_doorbell_wait(void)
{
	__asm__ volatile("dsb\n\twfi" ::: "memory");
	do {
		UART0_INT = UART_INT_RX;
		NVIC_ICPR0 = NVIC_UART0_RX;
		while (UART0_STATE & UART_STATE_RXFULL)
			(void)UART0_DATA;
	} while (UART0_INT & UART_INT_RX);
}

#endif /* QS1_HAL_MPS2_H */
