/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The two AD7606 converters of ti/adc.h on pins of PRU0, with both of their data
 * lines: DOUTA gives channels 1 to 4, DOUTB 5 to 8, and all four lines are read
 * in parallel. The same loop makes the clock: 21 cycles of 5 ns for a bit,
 * 9.5 MHz of the 17 MHz allowed, 6.7 us for all 64 bits.
 */
#ifndef QS1_HAL_LANES_H
#define QS1_HAL_LANES_H

#include <stdint.h>

#include <qs1/abi.h>

#ifdef QS1_IO_MODEL

uint32_t qs1_r31_read(void);
void qs1_r30_write(uint32_t value);
void qs1_r31_write(uint32_t value);

#else

static inline uint32_t qs1_r31_read(void)
{
	uint32_t value;

	__asm__ volatile("mov %0, r31" : "=r"(value));
	return value;
}

static inline void qs1_r30_write(uint32_t value)
{
	__asm__ volatile("mov r30, %0" : : "r"(value));
}

static inline void qs1_r31_write(uint32_t value)
{
	__asm__ volatile("mov r31, %0" : : "r"(value));
}

#endif

/* The longest conversion, 4.15 us. */
#define QS1_LANES_CONVERSION_NS 4150

/**
 * qs1_lanes_convert() - sample all channels
 * @idle: R30 between two periods, with the level that AM335X_ALIVE must have
 *
 * Return: QS1_ADC_NOT_BUSY, or 0 when the converters are at work.
 */
uint32_t qs1_lanes_convert(uint32_t idle);

/**
 * qs1_lanes_wait() - wait for the end of the conversion
 *
 * Return: QS1_ADC_TOO_LONG, or 0 when results can be read.
 */
uint32_t qs1_lanes_wait(void);

/**
 * qs1_lanes_read() - the results of both converters
 * @idle: as before
 * @adc: QS1_ADC_COUNT channels
 */
void qs1_lanes_read(uint32_t idle, int16_t *adc);

#endif /* QS1_HAL_LANES_H */
