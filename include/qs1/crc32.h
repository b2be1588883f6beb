/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef QS1_CRC32_H
#define QS1_CRC32_H

#include <stdint.h>

/* CRC-32 of IEEE 802.3, reflected, bit by bit: small code matters more than speed. */
static inline uint32_t qs1_crc32(const uint8_t *byte, const uint8_t *end)
{
	uint32_t crc = ~0u;

	while (byte < end) {
		crc ^= *byte++;
		for (int i = 0; i < 8; i++)
			crc = (crc >> 1) ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return ~crc;
}

#endif /* QS1_CRC32_H */
