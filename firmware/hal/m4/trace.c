// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "trace.h"

char qs1_trace_buffer[QS1_TRACE_SIZE];
static uint32_t used;

void qs1_trace(const char *text)
{
	/* The last byte stays NUL. */
	while (*text && used < sizeof(qs1_trace_buffer) - 1)
		qs1_trace_buffer[used++] = *text++;
}

void qs1_trace_hex(uint32_t value)
{
	char text[11] = "0x";

	for (int i = 0; i < 8; i++)
		text[2 + i] = "0123456789abcdef"[(value >> (28 - 4 * i)) & 15];
	qs1_trace(text);
}

void qs1_trace_dec(uint32_t value)
{
	char text[11];
	int i = sizeof(text) - 1;

	text[i] = 0;
	do {
		text[--i] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	qs1_trace(&text[i]);
}
