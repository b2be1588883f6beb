/* SPDX-License-Identifier: GPL-2.0-only */
/* Comma-separated tables with a header line; lines that begin with # are comments. */
#ifndef QS1_PLANT_CSV_H
#define QS1_PLANT_CSV_H

#include <stddef.h>

/**
 * struct csv - a parsed table; row 0 is the header
 * @cell: rows * columns pointers
 * @line: line number of each row in the file, from 1
 */
struct csv {
	char *name;
	char *text;
	int rows;
	int columns;
	char **cell;
	int *line;
};

/**
 * csv_read() - read a file
 * @err: on failure "file: reason" or "file:line: reason"
 *
 * Return: 0 or a negative errno. Every row has as many cells as the header.
 */
int csv_read(struct csv *csv, const char *path, char *err, size_t size);

/* csv_parse() - the same from memory; @name stands for the file in messages */
int csv_parse(struct csv *csv, const char *name, const char *text, size_t length, char *err,
	      size_t size);
void csv_free(struct csv *csv);

static inline const char *csv_cell(const struct csv *csv, int row, int column)
{
	return csv->cell[(size_t)row * csv->columns + column];
}

/* csv_column() - index of a column by its header, or -ENOENT */
int csv_column(const struct csv *csv, const char *header);

/**
 * csv_number() - a cell as a finite number within a range
 *
 * Return: 0, or -EINVAL with "file:line: ..." in @err.
 */
int csv_number(const struct csv *csv, int row, int column, double min, double max,
	       double *ret_value, char *err, size_t size);

/**
 * number_parse() - a decimal number, whole and finite; no hexadecimal, no "inf"
 *
 * Return: 0 or -EINVAL.
 */
int number_parse(const char *text, double *ret_value);

#endif /* QS1_PLANT_CSV_H */
