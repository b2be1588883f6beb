// SPDX-License-Identifier: GPL-2.0-only
/* One walk, three forms of output. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "writer.h"

/* The walk; the caller frees the text. */
static char *walk(enum writer_format format)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	struct writer *writer;

	assert_non_null(out);
	writer = writer_new(format, out);
	assert_non_null(writer);
	writer_string(writer, "state", "state", "producing");
	writer_bool(writer, "armed", "armed", true);
	writer_array(writer, "faults", "faults", WRITER_ROW);
	writer_string(writer, NULL, "", "UV1");
	writer_string(writer, NULL, "", "GFDI");
	writer_end(writer);
	writer_array(writer, "empty", "empty", WRITER_ROW);
	writer_end(writer);
	writer_object(writer, "meter", "", WRITER_LINES);
	writer_object(writer, "pv1", "pv1", WRITER_ROW);
	writer_number(writer, "v", "", "37.500", "V");
	writer_number(writer, "i", "", NULL, "A");
	writer_end(writer);
	writer_number(writer, "temp_c", "case", "25.10", "C");
	writer_end(writer);
	assert_int_equal(writer_finish(writer), 0);
	fclose(out);
	return text;
}

static void text_is_for_people(void **state)
{
	char *text = walk(WRITER_TEXT);

	(void)state;
	assert_string_equal(text, "state          producing\n"
				  "armed          yes\n"
				  "faults         UV1 GFDI\n"
				  "empty          none\n"
				  "pv1               37.500 V           - A  \n"
				  "case           25.10 C\n");
	free(text);
}

static void kv_is_for_shells(void **state)
{
	char *text = walk(WRITER_KV);

	(void)state;
	assert_string_equal(text, "state=producing\n"
				  "armed=yes\n"
				  "faults.0=UV1\n"
				  "faults.1=GFDI\n"
				  "meter.pv1.v=37.500\n"
				  "meter.pv1.i=-\n"
				  "meter.temp_c=25.10\n");
	free(text);
}

static void json_is_for_programs(void **state)
{
	char *text = walk(WRITER_JSON);
	struct json_object *object = json_tokener_parse(text);

	(void)state;
	assert_string_equal(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN),
			    "{\"state\":\"producing\",\"armed\":true,\"faults\":[\"UV1\",\"GFDI\"],"
			    "\"empty\":[],\"meter\":{\"pv1\":{\"v\":37.500,\"i\":null},"
			    "\"temp_c\":25.10}}");
	json_object_put(object);
	free(text);
}

static void formats_are_found_by_name(void **state)
{
	(void)state;
	assert_int_equal(writer_format_find("text"), WRITER_TEXT);
	assert_int_equal(writer_format_find("kv"), WRITER_KV);
	assert_int_equal(writer_format_find("json"), WRITER_JSON);
	assert_true(writer_format_find("xml") < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_for_people),
		cmocka_unit_test(kv_is_for_shells),
		cmocka_unit_test(json_is_for_programs),
		cmocka_unit_test(formats_are_found_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
