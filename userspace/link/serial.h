/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Serial numbers of inverters and identities of ECUs, twelve decimal digits or
 * six bytes, and the inverter's label.
 */
#ifndef QS1_LINK_SERIAL_H
#define QS1_LINK_SERIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SERIAL_BYTES 6
#define SERIAL_DIGITS 12
#define SERIAL_TEXT_SIZE (SERIAL_DIGITS + 1)

/* Of the install code on the label, without its check. */
#define INSTALL_CODE_BYTES 16
/* "806000000001:" and 36 hexadecimal digits. */
#define LABEL_TEXT_SIZE (SERIAL_DIGITS + 1 + 2 * (INSTALL_CODE_BYTES + 2) + 1)

/**
 * struct serial - an inverter's serial number
 * @bcd: two decimal digits a byte, the first in the upper half of the first
 */
struct serial {
	uint8_t bcd[SERIAL_BYTES];
};

/**
 * serial_parse() - a serial number from text
 * @ret_serial: untouched on failure
 *
 * Return: 0, or -EINVAL unless @text is twelve decimal digits, not all of them 0.
 */
int serial_parse(const char *text, struct serial *ret_serial);

/* The serial number in @text, which has SERIAL_TEXT_SIZE bytes; a nibble above 9 becomes '?'. */
char *serial_format(char *text, const struct serial *serial);

/* Six bytes as they came: false if a nibble is above 9 or all are 0. */
bool serial_valid(const struct serial *serial);

bool serial_equal(const struct serial *a, const struct serial *b);

/**
 * label_parse() - the text of the label's QR code
 * @text: serial number, ':', and the install code as 36 hexadecimal digits: 16 bytes and their
 *        CRC-16/X-25, low byte first, as ZigBee has it; spaces and hyphens do not count
 * @ret_serial, @ret_code: INSTALL_CODE_BYTES bytes; untouched on failure
 *
 * Return: 0; -EINVAL for another form, -EBADMSG when the check is wrong.
 */
int label_parse(const char *text, struct serial *ret_serial, uint8_t *ret_code);

/* The label's text in @text, which has LABEL_TEXT_SIZE bytes. */
char *label_format(char *text, const struct serial *serial, const uint8_t *code);

#endif /* QS1_LINK_SERIAL_H */
