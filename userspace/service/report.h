/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reports: the readings of one inverter at one time, as batches and days hold them. All values
 * are integers in units of the last decimal, so that two programs that decode one report agree to
 * the bit.
 */
#ifndef QS1_SERVICE_REPORT_H
#define QS1_SERVICE_REPORT_H

#include <stddef.h>
#include <stdint.h>

#include "pack.h"

#define REPORT_INPUTS 4

/*
 * Columns: identifier, name in JSON and CSV, unit, decimals, order of the difference that is
 * stored: 1 from the value before, 2 from the line through the two before.
 *
 * state is an enum qs1_state, faults a set of QS1_FAULT_BIT(). Energies are the inverter's own
 * counters, extended by the ECU so that they never fall. A new reading is appended: the order is
 * that of the stored form.
 */
/* clang-format off */
#define REPORT_FIELDS(X) \
	X(STATE, "state", "", 0, 1) \
	X(FAULTS, "faults", "", 0, 1) \
	X(GRID_V, "grid_v", "V", 1, 1) \
	X(GRID_HZ, "grid_hz", "Hz", 2, 1) \
	X(POWER, "power_w", "W", 0, 1) \
	X(REACTIVE, "reactive_var", "var", 0, 1) \
	X(LIMIT, "limit_w", "W", 0, 1) \
	X(TEMPERATURE, "temperature_c", "degC", 0, 1) \
	X(LINK, "link_pct", "%", 0, 1) \
	X(V1, "v1", "V", 1, 1) \
	X(V2, "v2", "V", 1, 1) \
	X(V3, "v3", "V", 1, 1) \
	X(V4, "v4", "V", 1, 1) \
	X(I1, "i1", "A", 2, 1) \
	X(I2, "i2", "A", 2, 1) \
	X(I3, "i3", "A", 2, 1) \
	X(I4, "i4", "A", 2, 1) \
	X(E1, "e1_wh", "Wh", 1, 2) \
	X(E2, "e2_wh", "Wh", 1, 2) \
	X(E3, "e3_wh", "Wh", 1, 2) \
	X(E4, "e4_wh", "Wh", 1, 2)
/* clang-format on */

enum report_field {
#define X(id, name, unit, decimals, order) REPORT_##id,
	REPORT_FIELDS(X)
#undef X
		REPORT_FIELD_COUNT
};

struct report_field_info {
	const char *name;
	const char *unit;
	int decimals;
};

extern const struct report_field_info report_fields[REPORT_FIELD_COUNT];

/* The value of a reading that is not there; never 0. */
#define REPORT_ABSENT INT64_MIN

/* The last second of the year 9999. */
#define REPORT_TIME_MAX 253402300799

/**
 * struct report - readings of one inverter at one time
 * @serial: of the inverter, its twelve digits as a number
 * @time_s: since 1970, of the ECU's clock, 0 to REPORT_TIME_MAX
 * @value: in units of the last decimal, or REPORT_ABSENT
 */
struct report {
	uint64_t serial;
	int64_t time_s;
	int64_t value[REPORT_FIELD_COUNT];
};

/* All readings absent. */
void report_clear(struct report *report);

/* A reading in its unit, NAN when absent. */
double report_get(const struct report *report, enum report_field field);

/* Store a reading given in its unit, rounded; NAN and values beyond 1e15 are stored as absent. */
void report_set(struct report *report, enum report_field field, double value);

/* Twelve decimal digits, of an inverter or an ECU, as a number. */
#define ID_TEXT_SIZE 13
#define ID_MAX 999999999999

/**
 * id_parse() - a serial number or the identity of an ECU
 * @ret_id: 1 to ID_MAX; untouched on failure
 *
 * Return: 0, or -EINVAL unless @text is twelve decimal digits, not all of them 0.
 */
int id_parse(const char *text, uint64_t *ret_id);

/* The digits in @text, which has ID_TEXT_SIZE bytes. */
char *id_format(char *text, uint64_t id);

/* By serial number, then by time: the order in which reports are packed. */
int report_compare(const void *a, const void *b);

/**
 * report_pack() - reports as columns
 * @reports: @n of them, in the order of report_compare()
 *
 * Per inverter its serial number and count; then one column for the times and one for each
 * field, each inverter's differences beginning from 0.
 */
void report_pack(struct packer *packer, const struct report *reports, size_t n);

/**
 * report_unpack() - the opposite
 * @max: more reports fail
 * @ret_reports: to be freed; NULL for none; untouched on failure
 *
 * Return: 0, -EBADMSG, -ENOMEM.
 */
int report_unpack(struct unpacker *unpacker, size_t max, struct report **ret_reports,
		  size_t *ret_n);

#endif /* QS1_SERVICE_REPORT_H */
