/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Output in any format from one walk over the content: text for people,
 * key=value lines for shells, JSON for programs.
 */
#ifndef QS1_WRITER_H
#define QS1_WRITER_H

#include <stdbool.h>
#include <stdio.h>

/* Columns: identifier, name on the command line. */
/* clang-format off */
#define WRITER_FORMATS(X) \
	X(TEXT, "text") \
	X(KV, "kv") \
	X(JSON, "json")
/* clang-format on */

enum writer_format {
#define X(id, name) WRITER_##id,
	WRITER_FORMATS(X)
#undef X
		WRITER_FORMAT_COUNT
};

/* How the members of a group stand in text: below each other, or in a row. */
enum writer_layout {
	WRITER_LINES,
	WRITER_ROW,
};

struct writer;

/* The format of a name, or -ENOENT. */
int writer_format_find(const char *name);

/**
 * writer_new() - start the output
 *
 * Return: the writer, or NULL when out of memory.
 */
struct writer *writer_new(enum writer_format format, FILE *out);

/**
 * writer_object() - open a group of named members
 * @name: in JSON and key=value; NULL inside an array
 * @label: in text; "" for none, then the members are not indented
 */
void writer_object(struct writer *writer, const char *name, const char *label,
		   enum writer_layout layout);

/* Open a list of members without names. */
void writer_array(struct writer *writer, const char *name, const char *label,
		  enum writer_layout layout);

/* Close the group opened last. */
void writer_end(struct writer *writer);

void writer_string(struct writer *writer, const char *name, const char *label, const char *value);

/**
 * writer_number() - a number
 * @text: the formatted number; NULL if it is unknown
 * @unit: in text; "" for none
 */
void writer_number(struct writer *writer, const char *name, const char *label, const char *text,
		   const char *unit);

/* A member without a value: @text in text and key=value, null in JSON. */
void writer_none(struct writer *writer, const char *name, const char *label, const char *text);

void writer_bool(struct writer *writer, const char *name, const char *label, bool value);

/**
 * writer_finish() - write out what is left, and free the writer
 *
 * Return: 0 or a negative errno when the output could not be written.
 */
int writer_finish(struct writer *writer);

#endif /* QS1_WRITER_H */
