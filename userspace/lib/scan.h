/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scans of an IIO buffer: the position of each channel in the bytes of a scan, and
 * its raw value.
 */
#ifndef QS1_SCAN_H
#define QS1_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct scan_element - one channel in a scan
 * @index: the channel's scan index, which gives the order
 * @offset: first byte within a scan, set by scan_layout()
 * @bytes: 1, 2, 4 or 8
 * @bits: significant bits, from 1
 * @shift: unused bits below the significant ones
 * @is_signed: two's complement
 * @big_endian: most significant byte first
 */
struct scan_element {
	unsigned int index;
	size_t offset;
	unsigned int bytes;
	unsigned int bits;
	unsigned int shift;
	bool is_signed;
	bool big_endian;
};

/**
 * scan_type_parse() - a channel's "type" attribute
 * @text: "le:s16/16>>0"; see sysfs-bus-iio in the kernel's Documentation/ABI
 * @element: all but @index and @offset is set; untouched on failure
 *
 * Return: 0, or -EINVAL for any other text, including repeated values (X).
 */
int scan_type_parse(const char *text, struct scan_element *element);

/**
 * scan_layout() - positions of the channels in a scan when exactly these are enabled
 * @element: channels in any order; @offset of each is set
 * @count: how many
 *
 * Each channel is aligned to its own size, and the scan to the largest size.
 *
 * Return: bytes of one scan; -EINVAL if two channels have the same index.
 */
int scan_layout(struct scan_element *element, size_t count);

/* The raw value of @element in the bytes of one scan. */
int64_t scan_value(const struct scan_element *element, const uint8_t *scan);

#endif /* QS1_SCAN_H */
