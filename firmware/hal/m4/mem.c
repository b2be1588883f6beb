// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The four functions that a compiler may call without being asked
 * (GCC manual, "Language Standards Supported by GCC", freestanding).
 */
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);
int memcmp(const void *a, const void *b, size_t size);

static int aligned(const void *a, const void *b)
{
	return !(((uintptr_t)a | (uintptr_t)b) & 3);
}

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
	unsigned char *d = to;
	const unsigned char *s = from;

	if (aligned(d, s)) {
		for (; size >= 4; size -= 4, d += 4, s += 4)
			*(uint32_t *)d = *(const uint32_t *)s;
	}
	while (size--)
		*d++ = *s++;
	return to;
}

void *memmove(void *to, const void *from, size_t size)
{
	unsigned char *d = to;
	const unsigned char *s = from;

	if (d <= s)
		return memcpy(to, from, size);
	while (size--)
		d[size] = s[size];
	return to;
}

void *memset(void *to, int value, size_t size)
{
	unsigned char *d = to;
	uint32_t word = (unsigned char)value * 0x01010101u;

	if (aligned(d, d)) {
		for (; size >= 4; size -= 4, d += 4)
			*(uint32_t *)d = word;
	}
	while (size--)
		*d++ = (unsigned char)value;
	return to;
}

int memcmp(const void *a, const void *b, size_t size)
{
	const unsigned char *x = a, *y = b;

	for (; size; size--, x++, y++) {
		if (*x != *y)
			return *x < *y ? -1 : 1;
	}
	return 0;
}
