// SPDX-License-Identifier: GPL-2.0-or-later
#include "scan.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int scan_type_parse(const char *text, struct scan_element *element)
{
	unsigned int bits, storage, shift;
	char endian, sign;
	int used = 0;

	if (sscanf(text, "%ce:%c%2u/%2u>>%2u%n", &endian, &sign, &bits, &storage, &shift, &used) !=
		    5 ||
	    text[used]) {
		return -EINVAL;
	}
	if ((endian != 'l' && endian != 'b') || (sign != 's' && sign != 'u') ||
	    (storage != 8 && storage != 16 && storage != 32 && storage != 64) || bits == 0 ||
	    bits > storage || shift > storage - bits) {
		return -EINVAL;
	}
	element->bytes = storage / 8;
	element->bits = bits;
	element->shift = shift;
	element->is_signed = sign == 's';
	element->big_endian = endian == 'b';
	return 0;
}

static size_t align(size_t offset, size_t bytes)
{
	return (offset + bytes - 1) / bytes * bytes;
}

/* The element with the smallest index from @from on, NULL for none. */
static struct scan_element *next(struct scan_element *element, size_t count, unsigned int from)
{
	struct scan_element *found = NULL;

	for (size_t i = 0; i < count; i++) {
		if (element[i].index >= from && (!found || element[i].index < found->index)) {
			found = &element[i];
		}
	}
	return found;
}

int scan_layout(struct scan_element *element, size_t count)
{
	struct scan_element *one = next(element, count, 0);
	size_t size = 0, largest = 1, placed = 0;

	while (one) {
		one->offset = align(size, one->bytes);
		size = one->offset + one->bytes;
		largest = one->bytes > largest ? one->bytes : largest;
		placed++;
		one = one->index + 1 ? next(element, count, one->index + 1) : NULL;
	}
	return placed == count ? (int)align(size, largest) : -EINVAL;
}

int64_t scan_value(const struct scan_element *element, const uint8_t *scan)
{
	const uint8_t *at = scan + element->offset;
	uint64_t raw = 0;

	for (unsigned int i = 0; i < element->bytes; i++) {
		raw = raw << 8 | at[element->big_endian ? i : element->bytes - 1 - i];
	}
	raw = raw >> element->shift << (64 - element->bits);
	return element->is_signed ? (int64_t)raw >> (64 - element->bits)
				  : (int64_t)(raw >> (64 - element->bits));
}
