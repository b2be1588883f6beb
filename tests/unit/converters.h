/* SPDX-License-Identifier: GPL-2.0-only */
/* Models of the AM335x's two converters: what their pins show. */
#ifndef QS1_TEST_CONVERTERS_H
#define QS1_TEST_CONVERTERS_H

#include <stdint.h>

#include "regs.h"

/* Bit of four channels' samples on a data line each, the highest first. */
static inline uint32_t converters_line(const int16_t *channel, int bit)
{
	return (uint16_t)channel[bit / 16] >> (15 - bit % 16) & 1;
}

/* Bits of R31 after so many clocks, below 64. */
static inline uint32_t converters_lines(const int16_t *channel, int bit)
{
	return converters_line(channel, bit) << AM335X_DOUT_1A |
	       converters_line(channel + 4, bit) << AM335X_DOUT_1B |
	       converters_line(channel + 8, bit) << AM335X_DOUT_2A |
	       converters_line(channel + 12, bit) << AM335X_DOUT_2B;
}

#endif /* QS1_TEST_CONVERTERS_H */
