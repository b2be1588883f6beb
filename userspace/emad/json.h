/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Members of JSON objects; what is unknown is null. */
#ifndef EMAD_JSON_H
#define EMAD_JSON_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include <json-c/json.h>

#include "report.h"
#include "sql.h"

static inline void json_text(struct json_object *object, const char *name, const char *text)
{
	json_object_object_add(object, name, text ? json_object_new_string(text) : NULL);
}

static inline void json_int(struct json_object *object, const char *name, int64_t value)
{
	json_object_object_add(object, name,
			       value == SQL_NULL ? NULL : json_object_new_int64(value));
}

static inline void json_flag(struct json_object *object, const char *name, bool value)
{
	json_object_object_add(object, name, json_object_new_boolean(value));
}

/* Twelve digits; null for 0. */
static inline void json_id(struct json_object *object, const char *name, uint64_t id)
{
	char text[ID_TEXT_SIZE];

	json_text(object, name, id ? id_format(text, id) : NULL);
}

/* A number with @decimals decimals, null for NAN. */
static inline struct json_object *json_decimal(double value, int decimals)
{
	char text[40];

	if (!isfinite(value)) {
		return NULL;
	}
	snprintf(text, sizeof(text), "%.*f", decimals, value);
	return json_object_new_double_s(value, text);
}

static inline void json_number(struct json_object *object, const char *name, double value,
			       int decimals)
{
	json_object_object_add(object, name, json_decimal(value, decimals));
}

/* Columns of a row. */

static inline void json_row_text(struct json_object *object, const char *name,
				 const struct sql_rows *rows, int column)
{
	json_text(object, name, sql_is_null(rows, column) ? NULL : sql_text(rows, column));
}

static inline void json_row_int(struct json_object *object, const char *name,
				const struct sql_rows *rows, int column)
{
	json_int(object, name, sql_int_or_null(rows, column));
}

static inline void json_row_number(struct json_object *object, const char *name,
				   const struct sql_rows *rows, int column, int decimals)
{
	json_number(object, name, sql_real(rows, column), decimals);
}

#endif /* EMAD_JSON_H */
