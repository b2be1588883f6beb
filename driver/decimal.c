// SPDX-License-Identifier: GPL-2.0-only
/*
 * Decimal numbers as text, kept as integers scaled by a power of ten.
 */
#include <linux/ctype.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/string.h>

#include "decimal.h"

/**
 * qs1_decimal_parse() - read a decimal number
 * @text: optional sign, digits, optional point with digits, optional newline
 * @decimals: power of ten by which the result is scaled, at most
 *            QS1_DECIMAL_MAX_DECIMALS
 * @ret: the number times 10^@decimals; untouched on failure
 *
 * Digits beyond the resolution must be zeros: a value is never rounded.
 *
 * Return: 0, -EINVAL if @text is no such number, -ERANGE if it does not fit.
 */
int qs1_decimal_parse(const char *text, unsigned int decimals, s32 *ret)
{
	unsigned int fraction = 0;
	bool negative = false;
	bool point = false;
	bool digits = false;
	s64 value = 0;

	if (*text == '-' || *text == '+')
		negative = *text++ == '-';

	for (; isdigit(*text) || (*text == '.' && !point); text++) {
		if (*text == '.') {
			point = true;
			continue;
		}
		digits = true;
		if (point && fraction == decimals) {
			if (*text != '0')
				return -EINVAL;
			continue;
		}
		fraction += point;
		value = value * 10 + (*text - '0');
		if (value > -(s64)S32_MIN)
			return -ERANGE;
	}
	if (!digits || !sysfs_streq(text, ""))
		return -EINVAL;

	for (; fraction < decimals; fraction++) {
		value *= 10;
		if (value > -(s64)S32_MIN)
			return -ERANGE;
	}
	if (negative)
		value = -value;
	if (value > S32_MAX)
		return -ERANGE;

	*ret = value;
	return 0;
}

/**
 * qs1_decimal_format() - write a decimal number
 * @buf: at least QS1_DECIMAL_SIZE bytes
 * @value: the number times 10^@decimals
 * @decimals: digits after the point, at most QS1_DECIMAL_MAX_DECIMALS
 *
 * Return: @buf.
 */
char *qs1_decimal_format(char buf[QS1_DECIMAL_SIZE], s32 value, unsigned int decimals)
{
	u32 magnitude = value < 0 ? -(u32)value : value;
	u32 scale = 1;
	unsigned int i;

	for (i = 0; i < decimals; i++)
		scale *= 10;

	if (decimals)
		snprintf(buf, QS1_DECIMAL_SIZE, "%s%u.%0*u", value < 0 ? "-" : "",
			 magnitude / scale, (int)decimals, magnitude % scale);
	else
		snprintf(buf, QS1_DECIMAL_SIZE, "%d", value);
	return buf;
}
