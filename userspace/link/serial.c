// SPDX-License-Identifier: GPL-2.0-or-later
#include "serial.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bytes.h"
#include "crc16.h"

#define CODE_AND_CHECK (INSTALL_CODE_BYTES + 2)

static int digit_value(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	if (c >= 'a' && c <= 'f') {
		return c - 'a' + 10;
	}
	if (c >= 'A' && c <= 'F') {
		return c - 'A' + 10;
	}
	return -1;
}

bool serial_valid(const struct serial *serial)
{
	bool any = false;

	for (int i = 0; i < SERIAL_BYTES; i++) {
		if (serial->bcd[i] >> 4 > 9 || (serial->bcd[i] & 15) > 9) {
			return false;
		}
		any |= serial->bcd[i] != 0;
	}
	return any;
}

bool serial_equal(const struct serial *a, const struct serial *b)
{
	return memcmp(a->bcd, b->bcd, SERIAL_BYTES) == 0;
}

/* Exactly @digits digits from @text on, two a byte; returns what follows them, or NULL. */
static const char *parse_digits(const char *text, const char *skip, uint8_t *bytes, int digits)
{
	for (int i = 0; i < digits; text++) {
		int value = digit_value(*text);

		if (*text && strchr(skip, *text)) {
			continue;
		}
		if (value < 0) {
			return NULL;
		}
		bytes[i / 2] = (uint8_t)(i % 2 ? bytes[i / 2] | value : value << 4);
		i++;
	}
	return text + strspn(text, skip);
}

int serial_parse(const char *text, struct serial *ret_serial)
{
	struct serial serial = { 0 };
	const char *end = parse_digits(text, "", serial.bcd, SERIAL_DIGITS);

	if (!end || *end || !serial_valid(&serial)) {
		return -EINVAL;
	}
	*ret_serial = serial;
	return 0;
}

char *serial_format(char *text, const struct serial *serial)
{
	for (int i = 0; i < SERIAL_DIGITS; i++) {
		int digit = i % 2 ? serial->bcd[i / 2] & 15 : serial->bcd[i / 2] >> 4;

		text[i] = (char)(digit > 9 ? '?' : '0' + digit);
	}
	text[SERIAL_DIGITS] = '\0';
	return text;
}

static uint16_t code_check(const uint8_t *code)
{
	return (uint16_t)~crc16_reflected(0xffff, code, INSTALL_CODE_BYTES);
}

int label_parse(const char *text, struct serial *ret_serial, uint8_t *ret_code)
{
	struct serial serial = { 0 };
	uint8_t code[CODE_AND_CHECK] = { 0 };
	const char *end = parse_digits(text, " -", serial.bcd, SERIAL_DIGITS);

	if (!end || *end != ':' || !serial_valid(&serial)) {
		return -EINVAL;
	}
	end = parse_digits(end + 1, " -", code, 2 * CODE_AND_CHECK);
	if (!end || *end) {
		return -EINVAL;
	}
	if (bytes_get_le(code + INSTALL_CODE_BYTES, 2) != code_check(code)) {
		return -EBADMSG;
	}
	*ret_serial = serial;
	memcpy(ret_code, code, INSTALL_CODE_BYTES);
	return 0;
}

char *label_format(char *text, const struct serial *serial, const uint8_t *code)
{
	uint16_t check = code_check(code);
	char *at = text + SERIAL_DIGITS;

	serial_format(text, serial);
	*at++ = ':';
	for (int i = 0; i < INSTALL_CODE_BYTES; i++) {
		at += sprintf(at, "%02X", code[i]);
	}
	sprintf(at, "%02X%02X", check & 255, check >> 8);
	return text;
}
