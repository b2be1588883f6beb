/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parameters of params.h by name, and their values as text.
 *
 * A value is a scaled integer, value * 10^decimals; its text is a decimal
 * number. No floating point: what is written is what the firmware gets.
 */
#ifndef QS1_PARAM_H
#define QS1_PARAM_H

#include <stddef.h>
#include <stdint.h>

#include <qs1/params.h>

#define QS1_DECIMAL_SIZE 16 /* any formatted value, with sign, point and NUL */

/**
 * struct qs1_param_desc - one row of the table
 * @name: as in a profile; its last part is the unit
 * @decimals: digits behind the point
 * @def: default, scaled
 * @min: lowest value, scaled
 * @max: highest value, scaled
 * @group: enum qs1_param_group
 * @absent: what it means if a profile does not name the parameter
 * @text: meaning
 */
struct qs1_param_desc {
	const char *name;
	int decimals;
	int32_t def;
	int32_t min;
	int32_t max;
	enum qs1_param_group group;
	enum qs1_param_absent absent;
	const char *text;
};

/**
 * qs1_param_desc() - the description of a parameter
 * @id: below QS1_PARAM_COUNT
 */
const struct qs1_param_desc *qs1_param_desc(enum qs1_param id);

/**
 * qs1_param_find() - a parameter by its name
 *
 * Return: enum qs1_param, or -ENOENT.
 */
int qs1_param_find(const char *name);

/**
 * qs1_decimal_parse() - text to scaled integer
 * @text: an optional sign, digits, and an optional fraction; nothing else
 * @decimals: digits behind the point of the result, 0..9
 * @ret_value: untouched on failure
 *
 * Return: 0; -EINVAL when @text is no number; -EDOM when it has more
 * significant decimals than the result; -ERANGE when it does not fit.
 */
int qs1_decimal_parse(const char *text, int decimals, int32_t *ret_value);

/**
 * qs1_decimal_format() - scaled integer to text, with all its decimals
 * @buf: QS1_DECIMAL_SIZE bytes
 *
 * Return: @buf.
 */
char *qs1_decimal_format(char buf[QS1_DECIMAL_SIZE], int32_t value, int decimals);

/**
 * qs1_param_parse() - text to a value within the parameter's range
 * @id: below QS1_PARAM_COUNT
 * @text: decimal number
 * @ret_value: scaled value, untouched on failure
 * @err: on failure what was expected and what was found
 *
 * Return: 0; -EINVAL, -EDOM as qs1_decimal_parse(); -ERANGE out of range.
 */
int qs1_param_parse(enum qs1_param id, const char *text, int32_t *ret_value, char *err,
		    size_t size);

#endif /* QS1_PARAM_H */
