// SPDX-License-Identifier: GPL-2.0-or-later
/* Names in records of mDNS. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mdns.h"

static void a_name_has_its_labels_with_their_lengths(void **state)
{
	static const uint8_t expected[] = "\4dach\5local";
	uint8_t name[MDNS_NAME_MAX];

	(void)state;
	assert_int_equal(mdns_encode_name("dach.local", name), sizeof(expected));
	assert_memory_equal(name, expected, sizeof(expected));
	assert_int_equal(mdns_encode_name("dach.local.", name), sizeof(expected));
	assert_int_equal(mdns_encode_name("", name), 1);
}

static void names_that_do_not_fit_are_refused(void **state)
{
	char label[66], whole[300] = "";
	uint8_t name[MDNS_NAME_MAX];

	(void)state;
	memset(label, 'a', sizeof(label));
	label[63] = '\0';
	assert_int_equal(mdns_encode_name(label, name), 65);
	label[63] = 'a';
	label[64] = '\0';
	assert_int_equal(mdns_encode_name(label, name), -EINVAL);
	assert_int_equal(mdns_encode_name("dach..local", name), -EINVAL);
	assert_int_equal(mdns_encode_name(".local", name), -EINVAL);
	/* 127 labels of one byte take 255 bytes with the end; one more takes 257. */
	for (int i = 0; i < 127; i++) {
		strcat(whole, "a.");
	}
	assert_int_equal(mdns_encode_name(whole, name), MDNS_NAME_MAX);
	strcat(whole, "a");
	assert_int_equal(mdns_encode_name(whole, name), -ENAMETOOLONG);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_has_its_labels_with_their_lengths),
		cmocka_unit_test(names_that_do_not_fit_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
