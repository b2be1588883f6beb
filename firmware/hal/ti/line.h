/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One GPIO line by the addresses of its registers. Linux has set the direction
 * (a hog in the overlay), so that the two never write the same register: data
 * changes through the registers that set and clear single bits.
 *
 * OMAP GPIO (AM335x, AM57xx): SPRUH73 25.4.1, SPRUHZ6 28.6; offsets as in
 * Linux's include/linux/platform_data/gpio-omap.h. Davinci GPIO (AM62x): SPRUIV7
 * 12.1.2; offsets as in drivers/gpio/gpio-davinci.c.
 */
#ifndef QS1_HAL_LINE_H
#define QS1_HAL_LINE_H

#include <stdbool.h>

#include "io.h"

/**
 * struct qs1_line - one line
 * @in: address of the register that shows the level
 * @set: address of the register that raises it
 * @clear: address of the register that lowers it
 * @mask: its bit in all of them; 0 for a line that the board does not have
 */
struct qs1_line {
	uint32_t in;
	uint32_t set;
	uint32_t clear;
	uint32_t mask;
};

#define QS1_LINE_OMAP(base, bit)                                                                   \
	{                                                                                          \
		(base) + 0x138, (base) + 0x194, (base) + 0x190, 1u << (bit)                        \
	}

/* A bank of 32 lines each 0x28 bytes, the first at 0x10. */
#define QS1_DAVINCI_BANK(base, line) ((base) + 0x10 + (line) / 32 * 0x28)
#define QS1_LINE_DAVINCI(base, line)                                                               \
	{                                                                                          \
		QS1_DAVINCI_BANK(base, line) + 0x10, QS1_DAVINCI_BANK(base, line) + 0x08,          \
			QS1_DAVINCI_BANK(base, line) + 0x0c, 1u << ((line) % 32)                   \
	}

static inline bool qs1_line_get(const struct qs1_line *line)
{
	return qs1_io_read32(line->in) & line->mask;
}

static inline void qs1_line_set(const struct qs1_line *line, bool high)
{
	if (line->mask)
		qs1_io_write32(high ? line->set : line->clear, line->mask);
}

#endif /* QS1_HAL_LINE_H */
