/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of the link's codecs share: cmocka, and bytes from hexadecimal text. */
#ifndef QS1_LINK_BENCH_H
#define QS1_LINK_BENCH_H

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct bytes {
	uint8_t byte[512];
	size_t n;
};

/* Two digits a byte; spaces do not count. */
static inline struct bytes hex(const char *text)
{
	struct bytes bytes = { .n = 0 };

	while (*text) {
		char digits[3] = { 0 };

		if (*text == ' ') {
			text++;
			continue;
		}
		memcpy(digits, text, 2);
		bytes.byte[bytes.n++] = (uint8_t)strtoul(digits, NULL, 16);
		text += 2;
	}
	return bytes;
}

/* A number with text for the log, within a tolerance. */
static inline void check_near(const char *what, double value, double expected, double tolerance)
{
	if (!(fabs(value - expected) <= tolerance)) {
		fail_msg("%s: %.6g, expected %.6g within %.3g", what, value, expected, tolerance);
	}
}

#endif /* QS1_LINK_BENCH_H */
