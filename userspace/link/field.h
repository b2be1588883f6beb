/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fields of a frame, described by one table a frame: where a field is, how a raw number becomes
 * a physical value, how a missing reading is written, how sure that is and what shows it.
 * Encoder, decoder, documentation and fuzzers read the same table.
 *
 * A decoded frame is one raw number a field, an int64_t. FIELD_ABSENT means that there is no
 * reading; it is never 0. Physical values are double, and NAN when absent.
 */
#ifndef QS1_LINK_FIELD_H
#define QS1_LINK_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FIELD_ABSENT INT64_MIN

/* How a raw number becomes a physical value. */
enum field_form {
	FIELD_FORM_LINEAR,     /* raw * scale + add */
	FIELD_FORM_RECIPROCAL, /* scale / raw: a period */
};

/* How the frame encodes an absent reading. */
enum field_missing {
	FIELD_NEVER, /* it cannot: each raw number is a reading */
	FIELD_ZERO,  /* all bits 0 */
	FIELD_ONES,  /* all bits 1; for a signed field only the highest */
};

/* How sure the description is. Columns: identifier, name in the documentation. */
/* clang-format off */
#define FIELD_SURES(X) \
	X(OURS, "defined here") \
	X(DECODED, "decoded from a public vector") \
	X(READ, "read in a public source") \
	X(UNSETTLED, "public sources differ") \
	X(UNKNOWN, "meaning unknown")
/* clang-format on */

enum field_sure {
#define X(id, name) FIELD_##id,
	FIELD_SURES(X)
#undef X
		FIELD_SURE_COUNT
};

/**
 * struct field - one field
 * @name: in lower case, as in the documentation
 * @unit: of the physical value, "" for a plain number
 * @offset: first byte; negative counts back from the end
 * @bytes: 1 to 8 that hold it
 * @shift, @bits: the part of these bytes' number that is the field
 * @little_endian: least significant byte first
 * @is_signed: two's complement
 * @form, @scale, @add: conversion to the physical value
 * @missing: how absence is written
 * @sure: how well this is known
 * @source: what shows it
 */
struct field {
	const char *name;
	const char *unit;
	int16_t offset;
	uint8_t bytes;
	uint8_t shift;
	uint8_t bits;
	bool little_endian;
	bool is_signed;
	enum field_form form;
	double scale;
	double add;
	enum field_missing missing;
	enum field_sure sure;
	const char *source;
};

/* For tables: where a field is, and what its raw number means. */
#define FIELD_BE(n) .bytes = (n), .bits = 8 * (n)
#define FIELD_LE(n) .bytes = (n), .bits = 8 * (n), .little_endian = true
#define FIELD_LE_SIGNED(n) FIELD_LE(n), .is_signed = true
#define FIELD_LE_BITS(n, low, count)                                                               \
	.bytes = (n), .shift = (low), .bits = (count), .little_endian = true
#define FIELD_BE_BITS(n, low, count) .bytes = (n), .shift = (low), .bits = (count)
#define FIELD_LINEAR(a, b) .form = FIELD_FORM_LINEAR, .scale = (a), .add = (b)
#define FIELD_PLAIN FIELD_LINEAR(1, 0)
#define FIELD_RECIPROCAL(a) .form = FIELD_FORM_RECIPROCAL, .scale = (a)

/**
 * fields_decode() - raw numbers of all fields
 * @frame: of @n bytes
 * @raw: @count numbers; FIELD_ABSENT for an absent reading, or if the frame is too short
 */
void fields_decode(const struct field *table, size_t count, const uint8_t *frame, size_t n,
		   int64_t *raw);

/**
 * fields_encode() - write all fields
 * @raw: @count numbers; what does not fit into its field becomes its largest or smallest reading.
 *       FIELD_ABSENT is written as the frame has it, and as 0 where the frame has no such value
 * @frame: of @n bytes; a field that it cannot hold is left out, other bytes stay
 */
void fields_encode(const struct field *table, size_t count, const int64_t *raw, uint8_t *frame,
		   size_t n);

/* Physical value of a raw number, NAN for FIELD_ABSENT. */
double field_physical(const struct field *field, int64_t raw);

/* The nearest raw number that the field can hold; FIELD_ABSENT for NAN. */
int64_t field_raw(const struct field *field, double physical);

/* Words for the documentation. */
const char *field_sure_name(enum field_sure sure);

#endif /* QS1_LINK_FIELD_H */
