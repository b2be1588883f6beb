// SPDX-License-Identifier: GPL-2.0-only
/* Scans of an IIO buffer: types, layout, values. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scan.h"

static void types_are_read_and_others_refused(void **state)
{
	static const char *const wrong[] = {
		"",
		"le:s16/16",
		"le:s16/16>>0 ",
		"xe:s16/16>>0",
		"le:f16/16>>0",
		"le:s0/16>>0",
		"le:s16/24>>0",
		"le:s17/16>>0",
		"le:s16/16>>1",
		"le:s16/16X2>>0",
		"le:s-16/16>>0",
		"le:s16/99>>0",
		"le:s160/16>>0",
		"be:u8/8>>0junk",
		"le:s-1/16>>1",
		"le:s16/16>>0\n",
	};
	struct scan_element e = { .index = 3, .offset = 9 };

	(void)state;
	assert_int_equal(scan_type_parse("be:s12/16>>4", &e), 0);
	assert_int_equal(e.bytes, 2);
	assert_int_equal(e.bits, 12);
	assert_int_equal(e.shift, 4);
	assert_true(e.is_signed && e.big_endian);
	assert_int_equal(e.index, 3);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(scan_type_parse(wrong[i], &e), -EINVAL);
		assert_int_equal(e.bits, 12);
	}
}

static void elements_are_aligned_in_the_order_of_their_indices(void **state)
{
	struct scan_element e[] = {
		{ .index = 16, .bytes = 8 },
		{ .index = 0, .bytes = 2 },
		{ .index = 15, .bytes = 4 },
		{ .index = 2, .bytes = 1 },
	};

	(void)state;
	assert_int_equal(scan_layout(e, 4), 16);
	assert_int_equal(e[1].offset, 0);
	assert_int_equal(e[3].offset, 2);
	assert_int_equal(e[2].offset, 4);
	assert_int_equal(e[0].offset, 8);
	assert_int_equal(scan_layout(e + 1, 1), 2);
	assert_int_equal(scan_layout(e, 0), 0);
	e[0].index = 2;
	assert_int_equal(scan_layout(e, 4), -EINVAL);
	e[0].index = UINT32_MAX;
	assert_int_equal(scan_layout(e, 4), 16);
}

static void values_have_their_sign_and_order(void **state)
{
	static const uint8_t bytes[8] = { 0x80, 0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe };
	struct scan_element e = { 0 };

	(void)state;
	assert_int_equal(scan_type_parse("le:s16/16>>0", &e), 0);
	assert_int_equal(scan_value(&e, bytes), 0x1280);
	assert_int_equal(scan_type_parse("be:s16/16>>0", &e), 0);
	assert_int_equal(scan_value(&e, bytes), -0x7fee);
	assert_int_equal(scan_type_parse("be:u12/16>>4", &e), 0);
	assert_int_equal(scan_value(&e, bytes), 0x801);
	assert_int_equal(scan_type_parse("be:s12/16>>4", &e), 0);
	assert_int_equal(scan_value(&e, bytes), -0x7ff);
	assert_int_equal(scan_type_parse("be:s64/64>>0", &e), 0);
	assert_int_equal(scan_value(&e, bytes), (int64_t)0x8012fffffffffffeull);
	assert_int_equal(scan_type_parse("be:s1/8>>7", &e), 0);
	assert_int_equal(scan_value(&e, bytes), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types_are_read_and_others_refused),
		cmocka_unit_test(elements_are_aligned_in_the_order_of_their_indices),
		cmocka_unit_test(values_have_their_sign_and_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
