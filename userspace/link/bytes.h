/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Integers of 1 to 8 bytes in either byte order; hosts' own order does not matter. */
#ifndef QS1_LINK_BYTES_H
#define QS1_LINK_BYTES_H

#include <stdint.h>

static inline uint64_t bytes_get_be(const uint8_t *at, unsigned int width)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < width; i++) {
		value = value << 8 | at[i];
	}
	return value;
}

static inline uint64_t bytes_get_le(const uint8_t *at, unsigned int width)
{
	uint64_t value = 0;

	for (unsigned int i = width; i > 0; i--) {
		value = value << 8 | at[i - 1];
	}
	return value;
}

/* Bits of @value beyond @width bytes are dropped. */
static inline void bytes_put_be(uint8_t *at, unsigned int width, uint64_t value)
{
	for (unsigned int i = width; i > 0; i--) {
		at[i - 1] = (uint8_t)value;
		value >>= 8;
	}
}

static inline void bytes_put_le(uint8_t *at, unsigned int width, uint64_t value)
{
	for (unsigned int i = 0; i < width; i++) {
		at[i] = (uint8_t)value;
		value >>= 8;
	}
}

#endif /* QS1_LINK_BYTES_H */
