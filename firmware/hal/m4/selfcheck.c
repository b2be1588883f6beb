// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "selfcheck.h"

#include <qs1/crc32.h>

extern const uint8_t qs1_text_start[], qs1_text_end[];

__attribute__((section(".stamp"), used)) static const volatile struct qs1_stamp stamp = {
	.start = (uint32_t)qs1_text_start,
	.end = (uint32_t)qs1_text_end,
};

bool qs1_selfcheck_image(uint32_t *crc)
{
	*crc = qs1_crc32(qs1_text_start, qs1_text_end);
	return *crc == stamp.crc;
}

bool qs1_selfcheck_ram(volatile uint32_t *word, uint32_t words)
{
	const uint32_t zero = 0, one = ~0u;
	uint32_t i, bad = 0;

	for (i = 0; i < words; i++)
		word[i] = zero;
	for (i = 0; i < words; i++) {
		bad |= word[i] ^ zero;
		word[i] = one;
	}
	for (i = 0; i < words; i++) {
		bad |= word[i] ^ one;
		word[i] = zero;
	}
	for (i = words; i--;) {
		bad |= word[i] ^ zero;
		word[i] = one;
	}
	for (i = words; i--;) {
		bad |= word[i] ^ one;
		word[i] = zero;
	}
	for (i = words; i--;)
		bad |= word[i] ^ zero;
	return !bad;
}
