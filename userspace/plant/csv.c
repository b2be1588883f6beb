// SPDX-License-Identifier: GPL-2.0-only
#include "csv.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A day of one-second rows with many columns is a few megabytes. */
#define CSV_SIZE_MAX (64 << 20)

int number_parse(const char *text, double *ret_value)
{
	double value;
	char *end;

	/* strtod() also takes blanks, hexadecimal, infinities and names. */
	if (!*text || strspn(text, "+-.0123456789eE") != strlen(text))
		return -EINVAL;
	value = strtod(text, &end);
	if (end == text || *end || !isfinite(value))
		return -EINVAL;
	*ret_value = value;
	return 0;
}

void csv_free(struct csv *csv)
{
	free(csv->name);
	free(csv->text);
	free(csv->cell);
	free(csv->line);
	memset(csv, 0, sizeof(*csv));
}

static char *trim(char *s)
{
	size_t n;

	while (*s == ' ' || *s == '\t')
		s++;
	n = strlen(s);
	while (n && strchr(" \t\r", s[n - 1]))
		s[--n] = '\0';
	return s;
}

static int add_row(struct csv *csv, char *text, int line, char *err, size_t size)
{
	int columns = 1, n = 0;
	void *grown;

	for (const char *c = text; *c; c++)
		columns += *c == ',';
	if (!csv->rows) {
		csv->columns = columns;
	} else if (columns != csv->columns) {
		snprintf(err, size, "%s:%d: expected %d columns as in the header, found %d",
			 csv->name, line, csv->columns, columns);
		return -EINVAL;
	}
	grown = realloc(csv->cell, (size_t)(csv->rows + 1) * csv->columns * sizeof(*csv->cell));
	if (!grown)
		return -ENOMEM;
	csv->cell = grown;
	grown = realloc(csv->line, (size_t)(csv->rows + 1) * sizeof(*csv->line));
	if (!grown)
		return -ENOMEM;
	csv->line = grown;
	csv->line[csv->rows] = line;
	for (char *rest = text, *cell; (cell = strsep(&rest, ",")); n++)
		csv->cell[(size_t)csv->rows * csv->columns + n] = trim(cell);
	csv->rows++;
	return 0;
}

int csv_parse(struct csv *csv, const char *name, const char *text, size_t length, char *err,
	      size_t size)
{
	int line = 0, ret = 0;
	char *rest, *row;

	memset(csv, 0, sizeof(*csv));
	if (memchr(text, '\0', length)) {
		snprintf(err, size, "%s: expected text, found a NUL byte", name);
		return -EINVAL;
	}
	csv->name = strdup(name);
	csv->text = strndup(text, length);
	if (!csv->name || !csv->text) {
		csv_free(csv);
		snprintf(err, size, "%s: out of memory", name);
		return -ENOMEM;
	}
	rest = csv->text;
	while (!ret && (row = strsep(&rest, "\n"))) {
		line++;
		if (*row != '#' && *trim(row))
			ret = add_row(csv, row, line, err, size);
	}
	if (ret == -ENOMEM)
		snprintf(err, size, "%s: out of memory", name);
	if (!ret && csv->rows < 2) {
		snprintf(err, size,
			 "%s: expected a header line and at least one row, found %d lines", name,
			 csv->rows);
		ret = -EINVAL;
	}
	if (ret)
		csv_free(csv);
	return ret;
}

int csv_read(struct csv *csv, const char *path, char *err, size_t size)
{
	size_t length = 0, room = 0;
	char *text = NULL;
	FILE *file = fopen(path, "re");
	int ret = 0;

	if (!file) {
		ret = -errno;
		snprintf(err, size, "%s: %s", path, strerror(errno));
		return ret;
	}
	for (;;) {
		size_t got;

		if (length == room) {
			char *grown = realloc(text, room = room ? 2 * room : 65536);

			if (!grown) {
				ret = -ENOMEM;
				break;
			}
			text = grown;
		}
		got = fread(text + length, 1, room - length, file);
		length += got;
		if (!got || length > CSV_SIZE_MAX)
			break;
	}
	if (!ret && ferror(file))
		ret = -EIO;
	else if (!ret && length > CSV_SIZE_MAX)
		ret = -EFBIG;
	fclose(file);
	if (ret)
		snprintf(err, size, "%s: %s", path, strerror(-ret));
	else
		ret = csv_parse(csv, path, text, length, err, size);
	free(text);
	return ret;
}

int csv_column(const struct csv *csv, const char *header)
{
	for (int c = 0; c < csv->columns; c++)
		if (!strcmp(csv_cell(csv, 0, c), header))
			return c;
	return -ENOENT;
}

int csv_number(const struct csv *csv, int row, int column, double min, double max,
	       double *ret_value, char *err, size_t size)
{
	const char *cell = csv_cell(csv, row, column), *header = csv_cell(csv, 0, column);
	double value;

	if (!*cell) {
		snprintf(err, size, "%s:%d: expected a number for %s, found nothing", csv->name,
			 csv->line[row], header);
		return -EINVAL;
	}
	if (number_parse(cell, &value)) {
		snprintf(err, size, "%s:%d: expected a number for %s, found '%s'", csv->name,
			 csv->line[row], header, cell);
		return -EINVAL;
	}
	if (value < min || value > max) {
		snprintf(err, size, "%s:%d: expected %s from %g to %g, found %s", csv->name,
			 csv->line[row], header, min, max, cell);
		return -EINVAL;
	}
	*ret_value = value;
	return 0;
}
