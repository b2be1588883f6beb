// SPDX-License-Identifier: GPL-2.0-or-later
#include "param.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "util.h"

static const struct qs1_param_desc descs[QS1_PARAM_COUNT] = {
#define X(id, name, dec, def, min, max, group, absent, text)                                       \
	[QS1_PARAM_##id] = {                                                                       \
		name, dec, def, min, max, QS1_PARAM_GROUP_##group, QS1_PARAM_ABSENT_##absent, text \
	},
	QS1_PARAMS(X)
#undef X
};

const struct qs1_param_desc *qs1_param_desc(enum qs1_param id)
{
	return &descs[id];
}

int qs1_param_find(const char *name)
{
	for (int i = 0; i < QS1_PARAM_COUNT; i++) {
		if (!strcmp(descs[i].name, name)) {
			return i;
		}
	}
	return -ENOENT;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

int qs1_decimal_parse(const char *text, int decimals, int32_t *ret_value)
{
	bool negative = *text == '-';
	bool digits = false;
	int64_t value = 0;
	int seen = 0;

	if (*text == '-' || *text == '+') {
		text++;
	}
	for (; is_digit(*text); text++) {
		digits = true;
		value = value * 10 + (*text - '0');
		if (value > INT32_MAX) {
			return -ERANGE;
		}
	}
	if (*text == '.') {
		for (text++; is_digit(*text); text++) {
			digits = true;
			if (seen == decimals && *text != '0') {
				return -EDOM;
			}
			if (seen < decimals) {
				value = value * 10 + (*text - '0');
				seen++;
			}
			if (value > INT32_MAX) {
				return -ERANGE;
			}
		}
	}
	if (!digits || *text) {
		return -EINVAL;
	}
	for (; seen < decimals; seen++) {
		value *= 10;
		if (value > INT32_MAX) {
			return -ERANGE;
		}
	}
	*ret_value = negative ? -value : value;
	return 0;
}

char *qs1_decimal_format(char buf[QS1_DECIMAL_SIZE], int32_t value, int decimals)
{
	uint32_t magnitude = value < 0 ? -(uint32_t)value : (uint32_t)value;
	char digits[QS1_DECIMAL_SIZE];
	char *out = buf;
	int n = 0;

	do {
		digits[n++] = '0' + magnitude % 10;
		magnitude /= 10;
	} while (magnitude || n <= decimals);
	if (value < 0) {
		*out++ = '-';
	}
	while (n > 0) {
		if (n == decimals) {
			*out++ = '.';
		}
		*out++ = digits[--n];
	}
	*out = '\0';
	return buf;
}

int qs1_param_parse(enum qs1_param id, const char *text, int32_t *ret_value, char *err, size_t size)
{
	const struct qs1_param_desc *desc = &descs[id];
	char min[QS1_DECIMAL_SIZE], max[QS1_DECIMAL_SIZE];
	int32_t value = 0;
	int ret;

	qs1_decimal_format(min, desc->min, desc->decimals);
	qs1_decimal_format(max, desc->max, desc->decimals);
	ret = qs1_decimal_parse(text, desc->decimals, &value);
	if (!ret && (value < desc->min || value > desc->max)) {
		ret = -ERANGE;
	}
	switch (ret) {
	case 0:
		*ret_value = value;
		return 0;
	case -EDOM:
		snprintf(err, size, "%s: expected at most %d decimals, found '%s'", desc->name,
			 desc->decimals, text);
		return ret;
	case -ERANGE:
		snprintf(err, size, "%s: %s is out of range, allowed %s to %s", desc->name, text,
			 min, max);
		return ret;
	default:
		snprintf(err, size, "%s: expected a number from %s to %s, found '%s'", desc->name,
			 min, max, text);
		return ret;
	}
}
