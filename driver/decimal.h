/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef QS1_DECIMAL_H
#define QS1_DECIMAL_H

#include <linux/types.h>

/* "-2147483648" with a point, a zero before it and the end. */
#define QS1_DECIMAL_SIZE 16
#define QS1_DECIMAL_MAX_DECIMALS 9

int qs1_decimal_parse(const char *text, unsigned int decimals, s32 *ret);
char *qs1_decimal_format(char buf[QS1_DECIMAL_SIZE], s32 value, unsigned int decimals);

#endif /* QS1_DECIMAL_H */
