// SPDX-License-Identifier: GPL-2.0-or-later
/* Reports, see report.h. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

#define VALUE_MAX 1e15
/* Of stored values, so that a few of them can be summed. */
#define STORED_MAX 1000000000000000000
#define TIME_ORDER 2
#define COLUMNS (REPORT_FIELD_COUNT + 1)

const struct report_field_info report_fields[REPORT_FIELD_COUNT] = {
#define X(id, name, unit, decimals, order) { name, unit, decimals },
	REPORT_FIELDS(X)
#undef X
};

static const int field_order[REPORT_FIELD_COUNT] = {
#define X(id, name, unit, decimals, order) order,
	REPORT_FIELDS(X)
#undef X
};

void report_clear(struct report *report)
{
	for (int i = 0; i < REPORT_FIELD_COUNT; i++) {
		report->value[i] = REPORT_ABSENT;
	}
}

static double scale_of(enum report_field field)
{
	static const double powers[] = { 1, 10, 100, 1000 };

	return powers[report_fields[field].decimals];
}

double report_get(const struct report *report, enum report_field field)
{
	int64_t value = report->value[field];

	return value == REPORT_ABSENT ? NAN : (double)value / scale_of(field);
}

void report_set(struct report *report, enum report_field field, double value)
{
	report->value[field] = fabs(value) <= VALUE_MAX ? llround(value * scale_of(field))
							: REPORT_ABSENT;
}

int id_parse(const char *text, uint64_t *ret_id)
{
	uint64_t id = 0;
	size_t n = strspn(text, "0123456789");

	if (n != ID_TEXT_SIZE - 1 || text[n]) {
		return -EINVAL;
	}
	for (size_t i = 0; i < n; i++) {
		id = id * 10 + (uint64_t)(text[i] - '0');
	}
	if (id == 0) {
		return -EINVAL;
	}
	*ret_id = id;
	return 0;
}

char *id_format(char *text, uint64_t id)
{
	snprintf(text, ID_TEXT_SIZE, "%012" PRIu64, (uint64_t)(id % (ID_MAX + 1ull)));
	return text;
}

int report_compare(const void *a, const void *b)
{
	const struct report *x = a;
	const struct report *y = b;

	if (x->serial != y->serial) {
		return x->serial < y->serial ? -1 : 1;
	}
	return (x->time_s > y->time_s) - (x->time_s < y->time_s);
}

/* Predicts the next value of a column from those before. All arithmetic wraps. */
struct column {
	int order;
	int known;
	uint64_t last;
	uint64_t step;
};

static uint64_t predict(const struct column *column)
{
	return column->last + (column->order == 2 && column->known > 1 ? column->step : 0);
}

static void learn(struct column *column, uint64_t value)
{
	column->step = value - column->last;
	column->last = value;
	column->known += column->known < 2;
}

/* Absent is 0; every difference but INT64_MIN, which no pair of readings has, is 1 and more. */
static void put_value(struct packer *packer, struct column *column, int64_t value)
{
	uint64_t difference = (uint64_t)value - predict(column);
	uint64_t zigzag = difference << 1 ^ (difference >> 63 ? UINT64_MAX : 0);

	if (value == REPORT_ABSENT) {
		pack_unsigned(packer, 0);
		return;
	}
	pack_unsigned(packer, zigzag + 1);
	learn(column, (uint64_t)value);
}

static int64_t get_value(struct unpacker *unpacker, struct column *column)
{
	uint64_t code = unpack_unsigned(unpacker);
	uint64_t zigzag = code - 1;
	uint64_t value;

	if (code == 0) {
		return REPORT_ABSENT;
	}
	value = predict(column) + (zigzag >> 1 ^ (zigzag & 1 ? UINT64_MAX : 0));
	learn(column, value);
	if ((int64_t)value > STORED_MAX || (int64_t)value < -STORED_MAX) {
		unpacker->failed = true;
		return 0;
	}
	return (int64_t)value;
}

static size_t count_same(const struct report *reports, size_t n)
{
	size_t same = 1;

	while (same < n && reports[same].serial == reports[0].serial) {
		same++;
	}
	return same;
}

static void pack_units(struct packer *packer, const struct report *reports, size_t n)
{
	uint64_t serial = 0;
	size_t units = 0;

	for (size_t i = 0; i < n; i += count_same(reports + i, n - i)) {
		units++;
	}
	pack_unsigned(packer, units);
	for (size_t i = 0, same; i < n; i += same) {
		same = count_same(reports + i, n - i);
		pack_unsigned(packer, reports[i].serial - serial);
		pack_unsigned(packer, same);
		serial = reports[i].serial;
	}
}

void report_pack(struct packer *packer, const struct report *reports, size_t n)
{
	struct column column;

	pack_units(packer, reports, n);
	for (size_t i = 0; i < n; i++) {
		if (i == 0 || reports[i].serial != reports[i - 1].serial) {
			column = (struct column){ .order = TIME_ORDER };
		}
		put_value(packer, &column, reports[i].time_s);
	}
	for (int field = 0; field < REPORT_FIELD_COUNT; field++) {
		for (size_t i = 0; i < n; i++) {
			if (i == 0 || reports[i].serial != reports[i - 1].serial) {
				column = (struct column){ .order = field_order[field] };
			}
			put_value(packer, &column, reports[i].value[field]);
		}
	}
}

/* Serial numbers of all reports, each inverter's at the place of its first; 0 at the others. */
static int unpack_units(struct unpacker *unpacker, size_t max, struct report **ret_reports,
			size_t *ret_n)
{
	size_t units = unpack_limited(unpacker, max);
	struct report *reports = NULL;
	uint64_t serial = 0;
	size_t n = 0;

	for (size_t unit = 0; unit < units && !unpacker->failed; unit++) {
		uint64_t step = unpack_limited(unpacker, ID_MAX - serial);
		size_t same = unpack_limited(unpacker, max - n);
		struct report *more;

		/* A report has one byte in each column at least: memory follows the input. */
		if (step == 0 || same == 0 || (n + same) * COLUMNS > unpacker->n) {
			unpacker->failed = true;
			break;
		}
		more = realloc(reports, (n + same) * sizeof(*reports));
		if (!more) {
			free(reports);
			return -ENOMEM;
		}
		reports = more;
		serial += step;
		for (size_t i = 0; i < same; i++) {
			reports[n++].serial = serial;
		}
	}
	if (unpacker->failed) {
		free(reports);
		return -EBADMSG;
	}
	*ret_reports = reports;
	*ret_n = n;
	return 0;
}

int report_unpack(struct unpacker *unpacker, size_t max, struct report **ret_reports, size_t *ret_n)
{
	struct report *reports;
	struct column column;
	size_t n;
	int ret = unpack_units(unpacker, max, &reports, &n);

	if (ret < 0) {
		return ret;
	}
	for (size_t i = 0; i < n; i++) {
		if (i == 0 || reports[i].serial != reports[i - 1].serial) {
			column = (struct column){ .order = TIME_ORDER };
		}
		reports[i].time_s = get_value(unpacker, &column);
		if (reports[i].time_s < 0 || reports[i].time_s > REPORT_TIME_MAX) {
			unpacker->failed = true;
		}
	}
	for (int field = 0; field < REPORT_FIELD_COUNT; field++) {
		for (size_t i = 0; i < n; i++) {
			if (i == 0 || reports[i].serial != reports[i - 1].serial) {
				column = (struct column){ .order = field_order[field] };
			}
			reports[i].value[field] = get_value(unpacker, &column);
		}
	}
	for (size_t i = 1; i < n && !unpacker->failed; i++) {
		unpacker->failed = report_compare(&reports[i - 1], &reports[i]) > 0;
	}
	if (unpacker->failed) {
		free(reports);
		return -EBADMSG;
	}
	*ret_reports = reports;
	*ret_n = n;
	return 0;
}
