/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames between an APsystems ECU and a QS1, as public sources have them:
 *
 *	FB FB | n | command | body, n - 1 bytes | sum, big-endian, of n to body | FE FE
 *
 * Real units are looser: a sum of zero stands for none, and spare zero bytes may follow the
 * body, which n does not count. Documentation/link.md lists every field with its source.
 */
#ifndef QS1_LINK_L2_H
#define QS1_LINK_L2_H

#include <stddef.h>
#include <stdint.h>

#include "field.h"

/* Head, command, sum and tail; and the largest whole frame, of which n has one byte. */
#define L2_OVERHEAD 8
#define L2_MAX (L2_OVERHEAD + 254)
/* Body of requests without arguments, and of acknowledgements. */
#define L2_SHORT_BODY 5
#define L2_SHORT (L2_OVERHEAD + L2_SHORT_BODY)

enum l2_sum {
	L2_SUM_RIGHT,
	L2_SUM_NONE, /* 0, as QS1 and QS1A send */
};

/**
 * struct l2 - a frame, in the bytes that it was found in
 * @command: the byte after the length
 * @body: up to the sum, spare bytes included
 * @body_n: their number
 * @stated_n: the same by the frame's own length, at most @body_n unless that length is wrong
 * @sum: result of the check of the sum
 * @n: bytes of the whole frame
 */
struct l2 {
	uint8_t command;
	const uint8_t *body;
	size_t body_n;
	size_t stated_n;
	enum l2_sum sum;
	size_t n;
};

/**
 * l2_parse() - the frame at the start of @bytes
 * @bytes: @n bytes; what follows the frame is left alone
 * @ret: untouched on failure
 *
 * The end is FE FE at the place given by the length; otherwise the next FE FE after that place, or
 * else the last one before it.
 *
 * Return: 0; -EPROTO if it does not begin with FB FB; -ENODATA if it has no end; -EBADMSG if
 * the sum is neither right nor zero.
 */
int l2_parse(const uint8_t *bytes, size_t n, struct l2 *ret);

/**
 * l2_build() - a frame with its true sum
 * @body: @body_n bytes, at most 254
 *
 * Return: bytes written, or -ENOSPC.
 */
int l2_build(uint8_t command, const uint8_t *body, size_t body_n, uint8_t *out, size_t size);

/*
 * Commands of an ECU. Columns: identifier, name, byte to one unit, byte to all or 0, sure,
 * source. The opcode that clears the GFDI is in no public source under a licence.
 */
/* clang-format off */
#define L2_COMMANDS(X) \
	X(POLL, "poll", 0xbb, 0, READ, "openaps, ESP projects") \
	X(ON, "on", 0xc1, 0xa1, READ, "openaps onoff_test.go") \
	X(OFF, "off", 0xc2, 0xa2, READ, "openaps onoff_test.go") \
	X(LIMIT, "limit", 0x1c, 0x2c, READ, "openaps setpower_test.go; sub-command 8C 02") \
	X(INFO, "info", 0xdc, 0, READ, "openaps info_test.go") \
	X(PAGE_A, "protection page A", 0xdd, 0, READ, "openaps protection_read_test.go") \
	X(PAGE_B, "protection page B", 0xde, 0, READ, "openaps protection_read_test.go") \
	X(PAGE_C, "protection page C", 0xd9, 0, READ, "openaps protection_read_test.go")
/* clang-format on */

enum l2_command {
	L2_COMMAND_UNKNOWN,
#define X(id, name, one, all, sure, source) L2_##id,
	L2_COMMANDS(X)
#undef X
		L2_COMMAND_COUNT
};

/**
 * l2_command() - what an ECU's frame asks for
 * @ret_broadcast: it is the variant for all units; untouched for L2_COMMAND_UNKNOWN
 */
enum l2_command l2_command(const struct l2 *frame, bool *ret_broadcast);

const char *l2_command_name(enum l2_command command);

/* A request without arguments; L2_SHORT bytes, or -ENOSPC, or -EINVAL for another command. */
int l2_request(enum l2_command command, uint8_t *out, size_t size);

/* Limits that the stock system accepts, W a module. */
#define L2_LIMIT_MIN_W 20
#define L2_LIMIT_MAX_W 500
/* Register value is W a module * this / 256. */
#define L2_LIMIT_FACTOR 7395

/**
 * l2_limit() - set the largest power of each module
 * @panel_w: W a module
 *
 * Return: L2_SHORT bytes; -ERANGE, -ENOSPC.
 */
int l2_limit(unsigned int panel_w, uint8_t *out, size_t size);

/* The limit in such a frame in W a module, to the nearest; -EINVAL for another sub-command. */
int l2_limit_w(const struct l2 *frame);

/* Replies of a unit. DE is an acknowledgement when short and protection page B when long. */
enum l2_reply {
	L2_REPLY_UNKNOWN,
	L2_REPLY_TELEMETRY,
	L2_REPLY_DONE,
	L2_REPLY_REFUSED,
	L2_REPLY_PAGE_A,
	L2_REPLY_PAGE_B,
	L2_REPLY_PAGE_C,
	L2_REPLY_INFO,
};

enum l2_reply l2_reply(const struct l2 *frame);

/* The byte of a reply's command, for l2_build(). */
#define L2_BYTE_TELEMETRY 0xb1
#define L2_BYTE_DONE 0xde
#define L2_BYTE_REFUSED 0xdf
#define L2_BYTE_PAGE_A 0xdb
#define L2_BYTE_PAGE_B 0xde
#define L2_BYTE_PAGE_C 0xd9

/* Done, or refused: L2_SHORT bytes, or -ENOSPC. */
int l2_acknowledge(bool done, uint8_t *out, size_t size);

/**
 * struct l2_info - reply to L2_INFO
 * @model: L2_MODEL_QS1 and others
 * @version: of the software, major * 1000 + minor in the two short forms
 */
struct l2_info {
	uint8_t model;
	uint32_t version;
};

#define L2_MODEL_QS1 0x08
#define L2_MODEL_QS1A 0x18

/* The three forms, by their length; -EINVAL for another. @ret is untouched on failure. */
int l2_info_decode(const struct l2 *frame, struct l2_info *ret);

/* The form of 16 bytes; version up to 65,535,999. */
int l2_info_build(const struct l2_info *info, uint8_t *out, size_t size);

/* Body of the telemetry reply as the length states it, and with two spare bytes as QS1A sends. */
#define L2_TELEMETRY_BODY 80
#define L2_TELEMETRY_MAX (L2_OVERHEAD + L2_TELEMETRY_BODY + 2)

/*
 * Telemetry. Offsets are those in the body. Columns: identifier, name, unit, offset, layout,
 * conversion, missing, sure, source. The vectors are those of openaps (codectest/fixtures.go,
 * QS1A) and of patience4711 (test.ino, UID 801000085070, QS1).
 *
 * A channel is 24 bits, little-endian: current in the lower half, voltage in the upper. An
 * energy is the sum of both ADC readings' product over each second, from power-up.
 */
#define L2_VOLT (82.5 / 4096)
#define L2_AMPERE (27.5 / 4096)
#define L2_WATT_HOUR (L2_VOLT * L2_AMPERE / 3600)
/* clang-format off */
#define L2_TELEMETRY_FIELDS(X) \
	X(TEMP, "temperature", "degree C", 0x00, FIELD_BE(2), \
	  FIELD_LINEAR(3300 / 4092.0 / 2.85, -757 / 2.85), FIELD_ZERO, UNSETTLED, \
	  "both vectors; openaps; ESP projects have 0.2752 * raw - 258.7") \
	X(FREQUENCY, "grid frequency", "Hz", 0x02, FIELD_BE(3), FIELD_RECIPROCAL(50e6), FIELD_ZERO, \
	  DECODED, "both vectors") \
	X(UNKNOWN_05, "unknown 05", "", 0x05, FIELD_BE(1), FIELD_PLAIN, FIELD_NEVER, UNKNOWN, \
	  "0 in both vectors") \
	X(CURRENT_D, "current D", "A", 0x06, FIELD_LE_BITS(3, 0, 12), FIELD_LINEAR(L2_AMPERE, 0), \
	  FIELD_NEVER, DECODED, "both vectors") \
	X(VOLTAGE_D, "voltage D", "V", 0x06, FIELD_LE_BITS(3, 12, 12), FIELD_LINEAR(L2_VOLT, 0), \
	  FIELD_NEVER, DECODED, "both vectors") \
	X(CURRENT_C, "current C", "A", 0x09, FIELD_LE_BITS(3, 0, 12), FIELD_LINEAR(L2_AMPERE, 0), \
	  FIELD_NEVER, DECODED, "both vectors") \
	X(VOLTAGE_C, "voltage C", "V", 0x09, FIELD_LE_BITS(3, 12, 12), FIELD_LINEAR(L2_VOLT, 0), \
	  FIELD_NEVER, DECODED, "both vectors") \
	X(CURRENT_B, "current B", "A", 0x0c, FIELD_LE_BITS(3, 0, 12), FIELD_LINEAR(L2_AMPERE, 0), \
	  FIELD_NEVER, DECODED, "both vectors") \
	X(VOLTAGE_B, "voltage B", "V", 0x0c, FIELD_LE_BITS(3, 12, 12), FIELD_LINEAR(L2_VOLT, 0), \
	  FIELD_NEVER, DECODED, "both vectors") \
	X(CURRENT_A, "current A", "A", 0x0f, FIELD_LE_BITS(3, 0, 12), FIELD_LINEAR(L2_AMPERE, 0), \
	  FIELD_NEVER, DECODED, "both vectors") \
	X(VOLTAGE_A, "voltage A", "V", 0x0f, FIELD_LE_BITS(3, 12, 12), FIELD_LINEAR(L2_VOLT, 0), \
	  FIELD_NEVER, DECODED, "both vectors") \
	X(GRID, "grid voltage", "V", 0x12, FIELD_BE(2), FIELD_LINEAR(1 / (4 * 1.3277), 0), FIELD_ZERO, \
	  UNSETTLED, "both vectors; divisor 4 * 1.3277 of the ESP projects, openaps has 4 * 1.32") \
	X(SECONDS, "seconds", "s", 0x14, FIELD_BE(2), FIELD_PLAIN, FIELD_NEVER, DECODED, \
	  "both vectors; wraps") \
	X(UNKNOWN_16, "unknown 16", "", 0x16, FIELD_BE(1), FIELD_PLAIN, FIELD_NEVER, UNKNOWN, \
	  "0 in both vectors") \
	X(STATUS, "status bits", "", 0x17, FIELD_BE(4), FIELD_PLAIN, FIELD_NEVER, READ, \
	  "openaps qs1a.go; no fault was ever captured") \
	X(ENERGY_A, "energy A", "Wh", 0x1b, FIELD_BE(5), FIELD_LINEAR(L2_WATT_HOUR, 0), FIELD_NEVER, \
	  DECODED, "both vectors, to 0.1 Wh; from power-up") \
	X(ENERGY_B, "energy B", "Wh", 0x20, FIELD_BE(5), FIELD_LINEAR(L2_WATT_HOUR, 0), FIELD_NEVER, \
	  DECODED, "both vectors, to 0.1 Wh; from power-up") \
	X(ENERGY_C, "energy C", "Wh", 0x25, FIELD_BE(5), FIELD_LINEAR(L2_WATT_HOUR, 0), FIELD_NEVER, \
	  DECODED, "both vectors, to 0.1 Wh; from power-up") \
	X(ENERGY_D, "energy D", "Wh", 0x2a, FIELD_BE(5), FIELD_LINEAR(L2_WATT_HOUR, 0), FIELD_NEVER, \
	  DECODED, "both vectors, to 0.1 Wh; from power-up") \
	X(PF, "power factor code", "", 0x2f, FIELD_BE(1), FIELD_PLAIN, FIELD_NEVER, READ, \
	  "1F is 1.0; both vectors have it") \
	X(UNKNOWN_30, "unknown 30", "", 0x30, FIELD_BE(1), FIELD_PLAIN, FIELD_NEVER, UNKNOWN, \
	  "0 in both vectors") \
	X(UNKNOWN_31, "unknown 31", "", 0x31, FIELD_BE(3), FIELD_PLAIN, FIELD_NEVER, UNKNOWN, \
	  "0305DB and 030554 in the vectors") \
	X(UNKNOWN_34, "unknown 34", "", 0x34, FIELD_BE(1), FIELD_PLAIN, FIELD_NEVER, UNKNOWN, \
	  "openaps: marks an extra page; 0 in both vectors") \
	X(UNKNOWN_35, "unknown 35", "", 0x35, FIELD_BE(3), FIELD_PLAIN, FIELD_NEVER, UNKNOWN, \
	  "0 in both vectors") \
	X(LINK, "link bits", "", 0x38, FIELD_BE(2), FIELD_PLAIN, FIELD_NEVER, READ, \
	  "openaps qs1a.go; 0 in both vectors") \
	X(UNKNOWN_3A, "unknown 3A", "", 0x3a, FIELD_BE(6), FIELD_PLAIN, FIELD_NEVER, UNKNOWN, \
	  "0 in both vectors") \
	X(UNKNOWN_40, "unknown 40", "", 0x40, FIELD_BE(6), FIELD_PLAIN, FIELD_NEVER, UNKNOWN, \
	  "0 in both vectors") \
	X(UNKNOWN_46, "unknown 46", "", 0x46, FIELD_BE(6), FIELD_PLAIN, FIELD_NEVER, UNKNOWN, \
	  "0 in both vectors") \
	X(UNKNOWN_4C, "unknown 4C", "", 0x4c, FIELD_BE(2), FIELD_PLAIN, FIELD_NEVER, UNKNOWN, \
	  "0 in both vectors") \
	X(TAIL, "unknown tail", "", -2, FIELD_BE(2), FIELD_PLAIN, FIELD_NEVER, UNKNOWN, \
	  "FA2D and 2B2A in the vectors; no known CRC")
/* clang-format on */

enum l2_telemetry_field {
#define X(id, name, unit, offset, layout, conversion, missing, sure, source) L2_##id,
	L2_TELEMETRY_FIELDS(X)
#undef X
		L2_TELEMETRY_COUNT
};

extern const struct field l2_telemetry_field[L2_TELEMETRY_COUNT];

/**
 * l2_telemetry_decode() - a reply with readings
 * @raw: a number for each field; all FIELD_ABSENT on failure
 *
 * Return: 0, or -EINVAL when it is no telemetry or shorter than its last reading.
 */
int l2_telemetry_decode(const struct l2 *frame, int64_t raw[L2_TELEMETRY_COUNT]);

/**
 * l2_telemetry_build() - a reply with readings, as a QS1 sends it: a sum of zero
 *
 * Return: bytes written, or -ENOSPC.
 */
int l2_telemetry_build(const int64_t raw[L2_TELEMETRY_COUNT], uint8_t *out, size_t size);

/*
 * Status bits of STATUS, most significant byte first as in the frame. Columns: identifier,
 * bit of the 32, name. No capture shows one of them set.
 */
/* clang-format off */
#define L2_STATUS_BIT(byte, bit) (8 * (3 - (byte) + 0x17) + (bit))
#define L2_STATUS_BITS(X) \
	X(DC_CONTACTOR, L2_STATUS_BIT(0x17, 1), "DC contactor") \
	X(GRID_RELAY, L2_STATUS_BIT(0x17, 2), "grid relay") \
	X(GFDI, L2_STATUS_BIT(0x17, 3), "DC ground fault") \
	X(COMMUNICATION, L2_STATUS_BIT(0x17, 4), "communication") \
	X(OF_RMS, L2_STATUS_BIT(0x17, 5), "over-frequency RMS") \
	X(UF_RMS, L2_STATUS_BIT(0x17, 6), "under-frequency RMS") \
	X(ISOLATION_C, L2_STATUS_BIT(0x18, 0), "isolation C") \
	X(OVER_TEMPERATURE, L2_STATUS_BIT(0x18, 2), "over temperature") \
	X(DC_BUS, L2_STATUS_BIT(0x18, 4), "DC bus") \
	X(OF_EXTRA, L2_STATUS_BIT(0x19, 0), "over-frequency extra") \
	X(UF_EXTRA, L2_STATUS_BIT(0x19, 1), "under-frequency extra") \
	X(ISOLATION_A, L2_STATUS_BIT(0x19, 2), "isolation A") \
	X(ISOLATION_B, L2_STATUS_BIT(0x19, 4), "isolation B") \
	X(ISOLATION_D, L2_STATUS_BIT(0x19, 6), "isolation D") \
	X(OV_SLOW, L2_STATUS_BIT(0x1a, 0), "AC over-voltage, slow") \
	X(UV_SLOW, L2_STATUS_BIT(0x1a, 1), "AC under-voltage, slow") \
	X(OV_FAST, L2_STATUS_BIT(0x1a, 2), "AC over-voltage, fast") \
	X(UV_FAST, L2_STATUS_BIT(0x1a, 3), "AC under-voltage, fast") \
	X(OF_SLOW, L2_STATUS_BIT(0x1a, 4), "over-frequency, slow") \
	X(UF_SLOW, L2_STATUS_BIT(0x1a, 5), "under-frequency, slow") \
	X(OF_FAST, L2_STATUS_BIT(0x1a, 6), "over-frequency, fast") \
	X(UF_FAST, L2_STATUS_BIT(0x1a, 7), "under-frequency, fast")
/* clang-format on */

enum l2_status {
#define X(id, bit, name) L2_STATUS_##id = (bit),
	L2_STATUS_BITS(X)
#undef X
};

/* Name of a status bit, or NULL if no source names it. */
const char *l2_status_name(unsigned int bit);

/*
 * Protection pages. The names are the stock system's own two-letter codes; the source column has
 * the meaning where openaps qs1a.go gives one, which no capture confirms. Offsets in the body. The
 * fields cover every byte of a page, so that a page keeps what is unknown.
 * Columns: identifier, name, unit, offset, layout and conversion, sure, source.
 */
#define L2_PROTECTION_VOLT (1 / (4 * 1.332))
/* clang-format off */
#define L2_VOLTS FIELD_BE(2), FIELD_LINEAR(L2_PROTECTION_VOLT, 0)
#define L2_AVERAGE_VOLTS FIELD_BE(3), FIELD_LINEAR(L2_PROTECTION_VOLT / 600, 0)
#define L2_HERTZ FIELD_BE(3), FIELD_RECIPROCAL(50e6), .missing = FIELD_ZERO
#define L2_CENTISECONDS FIELD_BE(2), FIELD_LINEAR(0.01, 0)
#define L2_PANEL_WATTS FIELD_BE(2), FIELD_LINEAR(256 / (double)L2_LIMIT_FACTOR, 0)
#define L2_NUMBER FIELD_BE(2), FIELD_PLAIN
#define L2_BITS(low, count) FIELD_BE_BITS(1, low, count), FIELD_PLAIN
/* Up to 6 bytes, so that a double holds the number. */
#define L2_UNKNOWN_BYTES(n) FIELD_BE(n), FIELD_PLAIN
#define L2_DROOP FIELD_BE(2), FIELD_LINEAR(0.169, 0)
#define L2_PAGE_A_SOURCE "openaps qs1a_pagea_test.go"
#define L2_PAGES_SOURCE "openaps protection_read_test.go"
#define L2_PAGE_A_FIELDS(X) \
	X(AT, "AT", "", 0x00, L2_BITS(6, 2), DECODED, L2_PAGE_A_SOURCE) \
	X(AU, "AU", "", 0x00, L2_BITS(4, 2), DECODED, L2_PAGE_A_SOURCE) \
	X(AV, "AV", "", 0x00, L2_BITS(1, 2), DECODED, L2_PAGE_A_SOURCE) \
	X(AW, "AW", "", 0x00, L2_BITS(0, 1), DECODED, L2_PAGE_A_SOURCE) \
	X(A_00, "unknown 00", "", 0x00, L2_BITS(3, 1), UNKNOWN, "1 in the capture") \
	X(A_01, "unknown 01", "", 0x01, L2_UNKNOWN_BYTES(1), UNKNOWN, "0 in the capture") \
	X(AX, "AX", "", 0x02, L2_NUMBER, DECODED, L2_PAGE_A_SOURCE) \
	X(AQ, "AQ", "V", 0x04, L2_VOLTS, DECODED, L2_PAGE_A_SOURCE "; under-voltage, second stage") \
	X(AD, "AD", "V", 0x06, L2_VOLTS, DECODED, L2_PAGE_A_SOURCE "; over-voltage, slow") \
	X(AC, "AC", "V", 0x08, L2_VOLTS, DECODED, L2_PAGE_A_SOURCE "; under-voltage, slow") \
	X(AY, "AY", "V", 0x0a, L2_VOLTS, DECODED, L2_PAGE_A_SOURCE "; over-voltage, slow, second") \
	X(AZ, "AZ", "V", 0x0c, L2_VOLTS, DECODED, L2_PAGE_A_SOURCE) \
	X(BA, "BA", "V", 0x0e, L2_VOLTS, DECODED, L2_PAGE_A_SOURCE) \
	X(AJ, "AJ", "Hz", 0x10, L2_HERTZ, DECODED, L2_PAGE_A_SOURCE "; under-frequency, fast") \
	X(AK, "AK", "Hz", 0x13, L2_HERTZ, DECODED, L2_PAGE_A_SOURCE "; over-frequency, fast") \
	X(AE, "AE", "Hz", 0x16, L2_HERTZ, DECODED, L2_PAGE_A_SOURCE "; under-frequency, slow") \
	X(AF, "AF", "Hz", 0x19, L2_HERTZ, DECODED, L2_PAGE_A_SOURCE "; over-frequency, slow") \
	X(BB, "BB", "s", 0x1c, L2_CENTISECONDS, READ, L2_PAGE_A_SOURCE "; clearing time UV1") \
	X(BC, "BC", "s", 0x1e, L2_CENTISECONDS, READ, L2_PAGE_A_SOURCE "; clearing time OV1") \
	X(BD, "BD", "s", 0x20, L2_CENTISECONDS, READ, L2_PAGE_A_SOURCE "; clearing time UV2") \
	X(BE, "BE", "s", 0x22, L2_CENTISECONDS, READ, L2_PAGE_A_SOURCE "; clearing time OV2") \
	X(BF, "BF", "s", 0x24, L2_CENTISECONDS, DECODED, L2_PAGE_A_SOURCE) \
	X(BG, "BG", "s", 0x26, L2_CENTISECONDS, DECODED, L2_PAGE_A_SOURCE) \
	X(BH, "BH", "s", 0x28, L2_CENTISECONDS, READ, L2_PAGE_A_SOURCE "; clearing time UF1") \
	X(BI, "BI", "s", 0x2a, L2_CENTISECONDS, READ, L2_PAGE_A_SOURCE "; clearing time OF1") \
	X(BJ, "BJ", "s", 0x2c, L2_CENTISECONDS, READ, L2_PAGE_A_SOURCE "; clearing time UF2") \
	X(BK, "BK", "s", 0x2e, L2_CENTISECONDS, DECODED, L2_PAGE_A_SOURCE "; clearing time OF2") \
	X(AG, "AG", "s", 0x30, L2_CENTISECONDS, DECODED, L2_PAGE_A_SOURCE "; grid recovery time") \
	X(AS, "AS", "s", 0x32, L2_CENTISECONDS, DECODED, L2_PAGE_A_SOURCE "; start ramp") \
	X(AH, "AH", "V", 0x34, L2_VOLTS, READ, L2_PAGE_A_SOURCE "; under-voltage, fast") \
	X(AI, "AI", "V", 0x36, L2_VOLTS, READ, L2_PAGE_A_SOURCE "; over-voltage, fast") \
	X(BL, "BL", "s", 0x38, L2_CENTISECONDS, DECODED, L2_PAGE_A_SOURCE) \
	X(BM, "BM", "s", 0x3a, L2_CENTISECONDS, DECODED, L2_PAGE_A_SOURCE) \
	X(A_3C, "unknown 3C", "", 0x3c, L2_UNKNOWN_BYTES(2), UNKNOWN, "0 in the capture")
#define L2_CV_SOURCE "openaps qs1a.go; CV is bits 4 to 5, plus 12, if CV form is 66, and bits 0 to 3 if it is 00"
#define L2_PAGE_B_FIELDS(X) \
	X(BN, "BN", "V", 0x00, L2_VOLTS, DECODED, L2_PAGES_SOURCE) \
	X(BO, "BO", "V", 0x02, L2_VOLTS, DECODED, L2_PAGES_SOURCE) \
	X(BP, "BP", "Hz", 0x04, L2_HERTZ, DECODED, L2_PAGES_SOURCE) \
	X(BQ, "BQ", "Hz", 0x07, L2_HERTZ, DECODED, L2_PAGES_SOURCE) \
	X(B_0A, "unknown 0A", "", 0x0a, L2_UNKNOWN_BYTES(6), UNKNOWN, "041405430F69 in the capture") \
	X(B_10, "unknown 10", "", 0x10, L2_UNKNOWN_BYTES(6), UNKNOWN, "B50F32AF0666 in the capture") \
	X(B_16, "unknown 16", "", 0x16, L2_UNKNOWN_BYTES(2), UNKNOWN, "0 in the capture") \
	X(AB, "AB", "V", 0x18, L2_AVERAGE_VOLTS, DECODED, L2_PAGES_SOURCE "; over-voltage, mean of 10 minutes") \
	X(B_1B, "unknown 1B", "", 0x1b, L2_UNKNOWN_BYTES(6), UNKNOWN, "0000000004E8 in the capture") \
	X(B_21, "unknown 21", "", 0x21, L2_UNKNOWN_BYTES(3), UNKNOWN, "0F32AF in the capture") \
	X(CC, "CC", "Hz", 0x24, L2_HERTZ, DECODED, L2_PAGES_SOURCE "; over-frequency droop, upper end") \
	X(CB, "CB", "Hz", 0x27, L2_HERTZ, DECODED, L2_PAGES_SOURCE "; over-frequency droop, lower end") \
	X(B_2A, "unknown 2A", "", 0x2a, L2_UNKNOWN_BYTES(6), UNKNOWN, "058405320090 in the capture") \
	X(B_30, "unknown 30", "", 0x30, L2_UNKNOWN_BYTES(6), UNKNOWN, "75301F0F0400 in the capture") \
	X(B_36, "unknown 36", "", 0x36, L2_UNKNOWN_BYTES(6), UNKNOWN, "002710051400 in the capture") \
	X(B_3C, "unknown 3C", "", 0x3c, L2_UNKNOWN_BYTES(2), UNKNOWN, "2530 in the capture") \
	X(CV, "CV", "", 0x3e, L2_UNKNOWN_BYTES(1), READ, L2_CV_SOURCE) \
	X(B_3F, "unknown 3F", "", 0x3f, L2_UNKNOWN_BYTES(5), UNKNOWN, "3030190604 in the capture") \
	X(DD, "DD", "", 0x44, L2_DROOP, DECODED, L2_PAGES_SOURCE "; over-frequency droop, slope") \
	X(DA, "DA", "W", 0x46, L2_PANEL_WATTS, DECODED, L2_PAGES_SOURCE "; limit of each module") \
	X(B_48, "unknown 48", "", 0x48, L2_UNKNOWN_BYTES(1), UNKNOWN, "3F in the capture") \
	X(CV_FORM, "CV form", "", 0x49, L2_UNKNOWN_BYTES(1), READ, "openaps qs1a.go; see CV") \
	X(B_4A, "unknown 4A", "", 0x4a, L2_UNKNOWN_BYTES(2), UNKNOWN, "0 in the capture")
#define L2_PAGE_C_FIELDS(X) \
	X(DC, "DC", "Hz", 0x00, L2_HERTZ, READ, "openaps qs1a.go; 0 in the capture; over-frequency droop, recovery") \
	X(C_03, "unknown 03", "", 0x03, L2_UNKNOWN_BYTES(4), UNKNOWN, "0000038F in the capture") \
	X(C_07, "unknown 07", "", 0x07, L2_UNKNOWN_BYTES(4), UNKNOWN, "026C0000 in the capture") \
	X(DH, "DH", "Hz", 0x0b, L2_HERTZ, DECODED, L2_PAGES_SOURCE "; under-frequency droop, lower end") \
	X(DI, "DI", "Hz", 0x0e, L2_HERTZ, DECODED, L2_PAGES_SOURCE "; under-frequency droop, upper end") \
	X(C_11, "unknown 11", "", 0x11, L2_UNKNOWN_BYTES(6), UNKNOWN, "000000006400 in the capture") \
	X(C_17, "unknown 17", "", 0x17, L2_UNKNOWN_BYTES(6), UNKNOWN, "0 in the capture") \
	X(C_1D, "unknown 1D", "", 0x1d, L2_UNKNOWN_BYTES(6), UNKNOWN, "0 in the capture") \
	X(C_23, "unknown 23", "", 0x23, L2_UNKNOWN_BYTES(6), UNKNOWN, "0 in the capture") \
	X(C_29, "unknown 29", "", 0x29, L2_UNKNOWN_BYTES(6), UNKNOWN, "0 in the capture") \
	X(C_2F, "unknown 2F", "", 0x2f, L2_UNKNOWN_BYTES(6), UNKNOWN, "0 in the capture") \
	X(C_35, "unknown 35", "", 0x35, L2_UNKNOWN_BYTES(6), UNKNOWN, "0 in the capture") \
	X(C_3B, "unknown 3B", "", 0x3b, L2_UNKNOWN_BYTES(6), UNKNOWN, "0 in the capture") \
	X(C_41, "unknown 41", "", 0x41, L2_UNKNOWN_BYTES(6), UNKNOWN, "0 in the capture") \
	X(C_47, "unknown 47", "", 0x47, L2_UNKNOWN_BYTES(5), UNKNOWN, "0 in the capture")
/* clang-format on */

enum l2_page { L2_A, L2_B, L2_C, L2_PAGES };

/**
 * struct l2_page_desc - one protection page
 * @field, @count: its fields
 * @command: of its reply
 * @body_n: bytes of its body in the public captures
 */
struct l2_page_desc {
	const struct field *field;
	size_t count;
	uint8_t command;
	uint8_t body_n;
};

extern const struct l2_page_desc l2_page[L2_PAGES];

#endif /* QS1_LINK_L2_H */
