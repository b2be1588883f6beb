// SPDX-License-Identifier: GPL-2.0-or-later
#include "crc32c.h"

/* x^32 + x^28 + x^27 + ... + 1 with its bits reversed. */
#define POLYNOMIAL 0x82f63b78u

/* Remainder of each byte; the second is 0 only until they are made. */
static uint32_t remainders[256];

static void make_remainders(void)
{
	for (uint32_t n = 0; n < 256; n++) {
		uint32_t r = n;

		for (int bit = 0; bit < 8; bit++) {
			r = (r >> 1) ^ (r & 1 ? POLYNOMIAL : 0);
		}
		remainders[n] = r;
	}
}

uint32_t crc32c(uint32_t crc, const void *data, size_t length)
{
	const unsigned char *byte = data;

	if (!remainders[1]) {
		make_remainders();
	}
	crc = ~crc;
	while (length--) {
		crc = (crc >> 8) ^ remainders[(crc ^ *byte++) & 0xff];
	}
	return ~crc;
}
