// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Documentation/link.md has a row for each field of each table, and for each command and status
 * bit. With the argument "print" this program prints the tables for it.
 */
#include "link_bench.h"

#include "l2.h"
#include "own.h"
#include "znp.h"

#define LINK_MD "Documentation/link.md"
#define ROW_SIZE 400

static char *document;
static int rows;

static void row(const char *text)
{
	rows++;
	if (!document) {
		puts(text);
	} else if (!strstr(document, text)) {
		fail_msg("%s has no row: %s", LINK_MD, text);
	}
}

static void heading(const char *name, const char *columns, int count)
{
	if (document) {
		return;
	}
	printf("\n### %s\n\n%s\n", name, columns);
	for (int i = 0; i < count; i++) {
		printf("|---");
	}
	puts("|");
}

static void describe_place(const struct field *field, char *text, size_t size)
{
	int n = field->offset < 0 ? snprintf(text, size, "end - %d", -field->offset)
				  : snprintf(text, size, "%02X", field->offset);

	if (field->bits < 8 * field->bytes) {
		snprintf(text + n, size - (size_t)n, ", bits %d to %d", field->shift,
			 field->shift + field->bits - 1);
	}
}

static void describe_value(const struct field *field, char *text, size_t size)
{
	if (field->form == FIELD_FORM_RECIPROCAL) {
		snprintf(text, size, "%.6g / raw", field->scale);
	} else if (field->scale == 1 && field->add == 0) {
		snprintf(text, size, "raw");
	} else if (field->add == 0) {
		snprintf(text, size, "raw * %.6g", field->scale);
	} else {
		snprintf(text, size, "raw * %.6g %c %.6g", field->scale, field->add < 0 ? '-' : '+',
			 fabs(field->add));
	}
}

static void table(const char *name, const struct field *field, size_t count)
{
	static const char *const missing[] = { "-", "all 0", "all 1" };

	heading(name, "| field | place | bytes | order | value | unit | absent | sure | source |",
		9);
	for (size_t i = 0; i < count; i++, field++) {
		char place[40];
		char value[60];
		char text[ROW_SIZE];

		describe_place(field, place, sizeof(place));
		describe_value(field, value, sizeof(value));
		snprintf(text, sizeof(text), "| %s | %s | %d | %s%s | %s | %s | %s | %s | %s |",
			 field->name, place, field->bytes, field->little_endian ? "LE" : "BE",
			 field->is_signed ? ", signed" : "", value, field->unit,
			 missing[field->missing], field_sure_name(field->sure), field->source);
		row(text);
	}
}

/* A command byte, "-" for none. */
static void describe_byte(unsigned int byte, char *text)
{
	strcpy(text, "-");
	if (byte) {
		sprintf(text, "%02X", byte & 255);
	}
}

static void tables(void)
{
	char text[ROW_SIZE];
	char byte[3];

	heading("L2 commands", "| command | to one unit | to all | sure | source |", 5);
#define X(id, name, one, all, sure, source)                                                        \
	describe_byte(all, byte);                                                                  \
	snprintf(text, sizeof(text), "| %s | %02X | %s | %s | %s |", name, one, byte,              \
		 field_sure_name(FIELD_##sure), source);                                           \
	row(text);
	L2_COMMANDS(X)
#undef X
	table("L2 telemetry", l2_telemetry_field, L2_TELEMETRY_COUNT);
	heading("L2 status bits", "| byte | bit | name |", 3);
#define X(id, bit, name)                                                                           \
	snprintf(text, sizeof(text), "| %02X | %d | %s |", 0x1a - (bit) / 8, (bit) % 8, name);     \
	row(text);
	L2_STATUS_BITS(X)
#undef X
	table("L2 protection page A", l2_page[L2_A].field, l2_page[L2_A].count);
	table("L2 protection page B", l2_page[L2_B].field, l2_page[L2_B].count);
	table("L2 protection page C", l2_page[L2_C].field, l2_page[L2_C].count);
	heading("Own messages", "| code | message |", 2);
#define X(id, code, name)                                                                          \
	snprintf(text, sizeof(text), "| %02X | %s |", code, name);                                 \
	row(text);
	OWN_TYPES(X)
#undef X
	table("Own status", own_status_field, OWN_STATUS_COUNT);
	table("Own angle", own_angle_field, OWN_ANGLE_COUNT);
	heading("ZNP commands", "| code | name |", 2);
#define X(id, code, min, name)                                                                     \
	snprintf(text, sizeof(text), "| %04X | %s |", code, name);                                 \
	row(text);
	ZNP_COMMANDS(X)
#undef X
}

static void the_documentation_has_every_field(void **state)
{
	static char text[100000];
	FILE *file = fopen(LINK_MD, "r");

	(void)state;
	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	document = text;
	tables();
	assert_true(rows > 100);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_documentation_has_every_field),
	};

	if (argc == 2 && !strcmp(argv[1], "print")) {
		tables();
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
