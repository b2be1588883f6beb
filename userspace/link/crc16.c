// SPDX-License-Identifier: GPL-2.0-or-later
#include "crc16.h"

#define POLYNOMIAL_REFLECTED 0x8408

uint16_t crc16_reflected(uint16_t crc, const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++) {
			crc = (uint16_t)(crc >> 1 ^ (crc & 1 ? POLYNOMIAL_REFLECTED : 0));
		}
	}
	return crc;
}
