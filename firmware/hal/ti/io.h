/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Access to a peripheral's registers: by address on the board, through a
 * register model in the host's tests, which define QS1_IO_MODEL.
 */
#ifndef QS1_HAL_IO_H
#define QS1_HAL_IO_H

#include <stdint.h>

#ifdef QS1_IO_MODEL

uint32_t qs1_io_read32(uint32_t address);
uint16_t qs1_io_read16(uint32_t address);
void qs1_io_write32(uint32_t address, uint32_t value);
void qs1_io_write16(uint32_t address, uint16_t value);

#else

static inline uint32_t qs1_io_read32(uint32_t address)
{
	return *(volatile uint32_t *)address;
}

static inline uint16_t qs1_io_read16(uint32_t address)
{
	return *(volatile uint16_t *)address;
}

static inline void qs1_io_write32(uint32_t address, uint32_t value)
{
	*(volatile uint32_t *)address = value;
}

static inline void qs1_io_write16(uint32_t address, uint16_t value)
{
	*(volatile uint16_t *)address = value;
}

#endif

#endif /* QS1_HAL_IO_H */
