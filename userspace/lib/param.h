/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parameters of params.h by name, and their values as text.
 *
 * A value is a scaled integer, value * 10^decimals; its text is a decimal
 * number. Without floating point, the firmware gets exactly the written value.
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
 * @decimals: digits after the point
 * @def: default, scaled
 * @min: lowest value, scaled
 * @max: highest value, scaled
 * @group: enum qs1_param_group
 * @absent: whether a profile may leave the parameter out
 * @text: meaning, for people
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
 * qs1_param_desc() - the row of a parameter
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
 * @decimals: digits after the point of the result, 0 to 9
 * @ret_value: untouched on failure
 *
 * Return: 0; -EINVAL if @text is no number; -EDOM if it has more significant
 * decimals than the result; -ERANGE if it does not fit into 32 bits.
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
 * @err: on failure the expected range or form, and the text found
 *
 * Return: 0; -EINVAL, -EDOM as qs1_decimal_parse(); -ERANGE out of range.
 */
int qs1_param_parse(enum qs1_param id, const char *text, int32_t *ret_value, char *err,
		    size_t size);

#endif /* QS1_PARAM_H */
