// SPDX-License-Identifier: GPL-2.0-or-later
#include "field.h"

#include <math.h>

#include "bytes.h"

/* All bits of the field, in its lowest bits. */
static uint64_t field_mask(const struct field *field)
{
	return field->bits == 64 ? UINT64_MAX : (UINT64_C(1) << field->bits) - 1;
}

static uint64_t missing_bits(const struct field *field)
{
	if (field->missing != FIELD_ONES) {
		return 0;
	}
	return field->is_signed ? UINT64_C(1) << (field->bits - 1) : field_mask(field);
}

/* Largest and smallest reading: without the one that means absence. INT64_MIN is no reading. */
static int64_t field_max(const struct field *field)
{
	uint64_t max = field_mask(field);

	if (field->is_signed) {
		max >>= 1;
	} else if (field->missing == FIELD_ONES) {
		max--;
	}
	return max > INT64_MAX ? INT64_MAX : (int64_t)max;
}

static int64_t field_min(const struct field *field)
{
	if (field->is_signed) {
		return -field_max(field);
	}
	return field->missing == FIELD_ZERO;
}

/* First byte of the field in a frame of @n bytes; SIZE_MAX if the frame is too short. */
static size_t field_at(const struct field *field, size_t n)
{
	size_t at = field->offset < 0 ? n - (size_t)-field->offset : (size_t)field->offset;

	if (field->offset < 0 && (size_t)-field->offset > n) {
		return SIZE_MAX;
	}
	return at > n || field->bytes > n - at ? SIZE_MAX : at;
}

static uint64_t get(const struct field *field, const uint8_t *at)
{
	return field->little_endian ? bytes_get_le(at, field->bytes)
				    : bytes_get_be(at, field->bytes);
}

static int64_t decode(const struct field *field, const uint8_t *frame, size_t n)
{
	size_t at = field_at(field, n);
	uint64_t bits;

	if (at == SIZE_MAX) {
		return FIELD_ABSENT;
	}
	bits = get(field, frame + at) >> field->shift & field_mask(field);
	if (field->missing != FIELD_NEVER && bits == missing_bits(field)) {
		return FIELD_ABSENT;
	}
	if (field->is_signed && bits >> (field->bits - 1)) {
		return (int64_t)(bits | ~field_mask(field));
	}
	/* Bit 63 of an unsigned field: no counter gets there, and no int64_t holds it. */
	return bits > INT64_MAX ? FIELD_ABSENT : (int64_t)bits;
}

void fields_decode(const struct field *table, size_t count, const uint8_t *frame, size_t n,
		   int64_t *raw)
{
	for (size_t i = 0; i < count; i++) {
		raw[i] = decode(&table[i], frame, n);
	}
}

static int64_t clamp(const struct field *field, int64_t raw)
{
	if (raw > field_max(field)) {
		return field_max(field);
	}
	return raw < field_min(field) ? field_min(field) : raw;
}

static void encode(const struct field *field, int64_t raw, uint8_t *frame, size_t n)
{
	size_t at = field_at(field, n);
	uint64_t mask = field_mask(field) << field->shift;
	uint64_t bits;

	if (at == SIZE_MAX) {
		return;
	}
	bits = raw == FIELD_ABSENT ? missing_bits(field) : (uint64_t)clamp(field, raw);
	bits = (get(field, frame + at) & ~mask) | (bits << field->shift & mask);
	if (field->little_endian) {
		bytes_put_le(frame + at, field->bytes, bits);
	} else {
		bytes_put_be(frame + at, field->bytes, bits);
	}
}

void fields_encode(const struct field *table, size_t count, const int64_t *raw, uint8_t *frame,
		   size_t n)
{
	for (size_t i = 0; i < count; i++) {
		encode(&table[i], raw[i], frame, n);
	}
}

double field_physical(const struct field *field, int64_t raw)
{
	if (raw == FIELD_ABSENT) {
		return NAN;
	}
	return field->form == FIELD_FORM_RECIPROCAL ? field->scale / (double)raw
						    : (double)raw * field->scale + field->add;
}

int64_t field_raw(const struct field *field, double physical)
{
	double raw = field->form == FIELD_FORM_RECIPROCAL ? field->scale / physical
							  : (physical - field->add) / field->scale;

	if (isnan(physical)) {
		return FIELD_ABSENT;
	}
	if (raw >= (double)field_max(field)) {
		return field_max(field);
	}
	if (raw <= (double)field_min(field)) {
		return field_min(field);
	}
	return llround(raw);
}

const char *field_sure_name(enum field_sure sure)
{
	static const char *const name[] = {
#define X(id, name) [FIELD_##id] = name,
		FIELD_SURES(X)
#undef X
	};

	return (unsigned int)sure < FIELD_SURE_COUNT ? name[sure] : "?";
}
