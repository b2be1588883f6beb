// SPDX-License-Identifier: GPL-2.0-or-later
/* Serial numbers, the label, and the seal on commands by radio. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crc16.h"
#include "seal.h"
#include "serial.h"

#define BODY 40

static const struct serial unit = { { 0x80, 0x60, 0x00, 0x00, 0x00, 0x01 } };
static const struct serial neighbour = { { 0x80, 0x60, 0x00, 0x00, 0x00, 0x02 } };

static void serials_are_twelve_digits_and_nothing_else(void **state)
{
	static const char *const wrong[] = { "",
					     "80600000000",
					     "8060000000011",
					     "000000000000",
					     "80600000000a",
					     " 806000000001",
					     "806000000001 ",
					     "8060-00000001",
					     "-80600000001" };
	struct serial serial = neighbour;
	char text[SERIAL_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(serial_parse(wrong[i], &serial), -EINVAL);
		assert_true(serial_equal(&serial, &neighbour));
	}
	assert_int_equal(serial_parse("806000000001", &serial), 0);
	assert_true(serial_equal(&serial, &unit));
	assert_string_equal(serial_format(text, &unit), "806000000001");
	assert_true(serial_valid(&unit));
	assert_false(serial_valid(&(struct serial){ { 0 } }));
	assert_false(serial_valid(&(struct serial){ { 0x80, 0x6a } }));
	assert_string_equal(serial_format(text, &(struct serial){ { 0x80, 0x6a } }),
			    "806?00000000");
}

/* The example of the ZigBee specification: 83FE D340 7A93 9723 A5C6 39B2 6916 D505 C3B5. */
static void a_label_has_the_check_of_zigbee_install_codes(void **state)
{
	static const char text[] = "806000000001:83FED3407A939723A5C639B26916D505C3B5";
	struct serial serial;
	uint8_t code[INSTALL_CODE_BYTES];
	char again[LABEL_TEXT_SIZE];

	(void)state;
	assert_int_equal(label_parse(text, &serial, code), 0);
	assert_true(serial_equal(&serial, &unit));
	assert_int_equal(code[0], 0x83);
	assert_int_equal(code[15], 0x05);
	assert_string_equal(label_format(again, &serial, code), text);
	assert_int_equal(sizeof(text), LABEL_TEXT_SIZE);
	assert_int_equal(label_parse("8060 0000 0001: 83fe-d340-7a93-9723-a5c6-39b2-6916-d505-c3b5",
				     &serial, code),
			 0);
}

static void a_damaged_label_is_refused(void **state)
{
	struct serial serial = neighbour;
	uint8_t code[INSTALL_CODE_BYTES] = { 7 };

	(void)state;
	assert_int_equal(
		label_parse("806000000001:83FED3407A939723A5C639B26916D505C3B4", &serial, code),
		-EBADMSG);
	assert_int_equal(
		label_parse("806000000001:83FED3407A939723A5C639B26916D504C3B5", &serial, code),
		-EBADMSG);
	assert_int_equal(
		label_parse("806000000001:83FED3407A939723A5C639B26916D505C3", &serial, code),
		-EINVAL);
	assert_int_equal(
		label_parse("806000000001:83FED3407A939723A5C639B26916D505C3B500", &serial, code),
		-EINVAL);
	assert_int_equal(label_parse("806000000001", &serial, code), -EINVAL);
	assert_int_equal(label_parse("", &serial, code), -EINVAL);
	assert_true(serial_equal(&serial, &neighbour));
	assert_int_equal(code[0], 7);
}

/* "123456789": check values 0x906e of CRC-16/X-25 and 0x2189 of the same without inversion. */
static void the_crc_has_its_published_check_values(void **state)
{
	const uint8_t *digits = (const uint8_t *)"123456789";

	(void)state;
	assert_int_equal((uint16_t)~crc16_reflected(0xffff, digits, 9), 0x906e);
	assert_int_equal(crc16_reflected(0, digits, 9), 0x2189);
	assert_int_equal(crc16_reflected(crc16_reflected(0, digits, 4), digits + 4, 5), 0x2189);
}

static struct seal_key key_of(uint8_t code_byte, const struct serial *serial, uint8_t ecu,
			      uint8_t nonce)
{
	uint8_t code[INSTALL_CODE_BYTES] = { code_byte };
	uint8_t nonce_ecu[SEAL_NONCE_BYTES] = { ecu };
	uint8_t nonce_unit[SEAL_NONCE_BYTES] = { nonce };
	struct seal_key key;

	seal_derive(code, serial, nonce_ecu, nonce_unit, &key);
	return key;
}

static void keys_differ_by_code_serial_and_each_nonce(void **state)
{
	struct seal_key key[] = { key_of(1, &unit, 1, 1), key_of(2, &unit, 1, 1),
				  key_of(1, &neighbour, 1, 1), key_of(1, &unit, 2, 1),
				  key_of(1, &unit, 1, 2) };
	struct seal_key again = key_of(1, &unit, 1, 1);

	(void)state;
	assert_memory_equal(&again, &key[0], sizeof(again));
	for (size_t i = 0; i < 5; i++) {
		for (size_t j = 0; j < i; j++) {
			assert_memory_not_equal(&key[i], &key[j], sizeof(key[0]));
		}
	}
}

struct sealed {
	struct seal_key key;
	struct seal_head head;
	uint8_t body[BODY];
	uint8_t message[BODY + SEAL_OVERHEAD];
	int n;
};

static struct sealed sealed_command(uint32_t counter)
{
	struct sealed s = { .key = key_of(1, &unit, 1, 1),
			    .head = { SEAL_COMMAND, unit, 0x1122334455667788, counter } };

	for (int i = 0; i < BODY; i++) {
		s.body[i] = (uint8_t)(i * 7);
	}
	s.n = seal_make(&s.key, &s.head, s.body, BODY, s.message, sizeof(s.message));
	assert_int_equal(s.n, BODY + SEAL_OVERHEAD);
	return s;
}

/* Checks against the state after @accepted commands. */
static int check(const struct sealed *s, struct seal_head expected, uint32_t accepted)
{
	const uint8_t *body = NULL;
	uint32_t counter = 12345;
	size_t n = 54321;
	int ret;

	expected.counter = accepted;
	ret = seal_check(&s->key, &expected, s->message, (size_t)s->n, &counter, &body, &n);
	if (ret == 0) {
		assert_int_equal(counter, s->head.counter);
		assert_int_equal(n, s->n - SEAL_OVERHEAD);
		assert_memory_equal(body, s->body, n);
	} else {
		assert_int_equal(counter, 12345);
		assert_null(body);
		assert_int_equal(n, 54321);
		assert_string_not_equal(seal_error(ret), "");
		assert_string_not_equal(seal_error(ret), "unknown reason");
	}
	return ret;
}

static void a_command_is_accepted_once(void **state)
{
	struct sealed s = sealed_command(5);

	(void)state;
	assert_int_equal(check(&s, s.head, 0), 0);
	assert_int_equal(check(&s, s.head, 4), 0);
	assert_int_equal(check(&s, s.head, 5), -EALREADY);
	assert_int_equal(check(&s, s.head, 6), -EALREADY);
	assert_int_equal(check(&s, s.head, UINT32_MAX), -EALREADY);
}

static void a_message_for_another_boot_unit_or_purpose_is_refused(void **state)
{
	struct sealed s = sealed_command(5);
	struct seal_head other = s.head;

	(void)state;
	other.boot++;
	assert_int_equal(check(&s, other, 0), -ESTALE);
	other = s.head;
	other.serial = neighbour;
	assert_int_equal(check(&s, other, 0), -ENXIO);
	other = s.head;
	other.kind = SEAL_REPLY;
	assert_int_equal(check(&s, other, 0), -EPROTO);
	s.key = key_of(1, &unit, 1, 2);
	assert_int_equal(check(&s, s.head, 0), -EKEYREJECTED);
}

static void a_change_of_any_bit_or_of_the_length_is_refused(void **state)
{
	struct sealed s = sealed_command(5);

	(void)state;
	for (int bit = 0; bit < 8 * s.n; bit++) {
		s.message[bit / 8] ^= 1 << bit % 8;
		assert_int_equal(check(&s, s.head, 0), bit < 16 ? -EPROTO : -EKEYREJECTED);
		s.message[bit / 8] ^= 1 << bit % 8;
	}
	for (s.n--; s.n >= 0; s.n--) {
		assert_int_equal(check(&s, s.head, 0),
				 s.n < SEAL_OVERHEAD ? -EBADMSG : -EKEYREJECTED);
	}
}

static void a_proof_of_pairing_needs_no_counter_and_is_valid_one_way(void **state)
{
	struct sealed s = { .key = key_of(1, &unit, 1, 1), .head = { SEAL_PAIR_UNIT, unit, 0, 0 } };
	struct seal_head back = { SEAL_PAIR_ECU, unit, 0, 0 };

	(void)state;
	s.n = seal_make(&s.key, &s.head, NULL, 0, s.message, sizeof(s.message));
	assert_int_equal(s.n, SEAL_OVERHEAD);
	assert_int_equal(check(&s, s.head, 0), 0);
	assert_int_equal(check(&s, back, 0), -EPROTO);
	s.message[1] = SEAL_PAIR_ECU;
	assert_int_equal(check(&s, back, 0), -EKEYREJECTED);
}

static void a_buffer_that_is_too_small_is_refused(void **state)
{
	struct sealed s = sealed_command(1);

	(void)state;
	for (size_t size = 0; size < BODY + SEAL_OVERHEAD; size++) {
		assert_int_equal(seal_make(&s.key, &s.head, s.body, BODY, s.message, size),
				 -ENOSPC);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(serials_are_twelve_digits_and_nothing_else),
		cmocka_unit_test(a_label_has_the_check_of_zigbee_install_codes),
		cmocka_unit_test(a_damaged_label_is_refused),
		cmocka_unit_test(the_crc_has_its_published_check_values),
		cmocka_unit_test(keys_differ_by_code_serial_and_each_nonce),
		cmocka_unit_test(a_command_is_accepted_once),
		cmocka_unit_test(a_message_for_another_boot_unit_or_purpose_is_refused),
		cmocka_unit_test(a_change_of_any_bit_or_of_the_length_is_refused),
		cmocka_unit_test(a_proof_of_pairing_needs_no_counter_and_is_valid_one_way),
		cmocka_unit_test(a_buffer_that_is_too_small_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
