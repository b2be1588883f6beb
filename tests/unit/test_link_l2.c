// SPDX-License-Identifier: GPL-2.0-or-later
/* QS1 L2 frames, against the public captures, and back. */
#include "link_bench.h"

#include "l2.h"

/* openaps, codec/codectest/fixtures.go: a QS1A's reply, 90 bytes, two spare before the tail. */
#define QS1A                                                                                         \
	"fbfb51b104010f3b6800b5707224417421c173248174049b9d0f0000000000070988676406fcc7346d0718c07f" \
	"97051c369e5c1f000305db00000000000000000000000000000000000000000000000000000000fa2d0000"     \
	"fefe"
/* patience4711, test.ino: a QS1's reply, UID 801000085070, after the UID; 88 bytes. */
#define QS1                                                                                          \
	"FBFB51B103EB0F419300CAF069D9F068C7C068C1206804B868E0000006A80001BB38134D01CCE90E0A01FD1E05" \
	"2201D967D0641F0003055400000000000000000000000000000000000000000000000000002B2A0000FEFE"
/* openaps, qs1a_pagea_test.go and protection_read_test.go. */
#define PAGE_A                                                                                       \
	"fbfb3fdbff0001c003d4057e03cf054303d00543103b950eac02100fd70eac0200000000000000000078000400" \
	"0000000000001e1770177000040005000c000c00000000fefe"
#define PAGE_B                                                                                       \
	"FBFB4DDE041405430F69B50F32AF041405430F69B50F32AF066600000C57560000000004E80F32AF0EAC020F32" \
	"AF05840532009075301F0F0400002710051400253030303019060400"                                   \
	"62386B3F6600000000FEFE"
#define PAGE_C                                                                                     \
	"FBFB4DD90000000000038F026C0000103B950F55E10000000064000000000000000000000000000000000000" \
	"0000000000000000000000000000000000000000000000000000000000000000000000000000FEFE"

static struct l2 parsed(const struct bytes *bytes)
{
	struct l2 frame = { 0 };

	assert_int_equal(l2_parse(bytes->byte, bytes->n, &frame), 0);
	assert_int_equal(frame.n, bytes->n);
	return frame;
}

struct reading {
	enum l2_telemetry_field field;
	double value;
	double tolerance;
};

static void check_telemetry(const char *text, size_t spare, const struct reading *reading, size_t n)
{
	struct bytes bytes = hex(text);
	struct l2 frame = parsed(&bytes);
	int64_t raw[L2_TELEMETRY_COUNT];

	assert_int_equal(l2_reply(&frame), L2_REPLY_TELEMETRY);
	assert_int_equal(frame.sum, L2_SUM_NONE);
	assert_int_equal(frame.stated_n, L2_TELEMETRY_BODY);
	assert_int_equal(frame.body_n, L2_TELEMETRY_BODY + spare);
	assert_int_equal(l2_telemetry_decode(&frame, raw), 0);
	for (size_t i = 0; i < n; i++) {
		const struct field *field = &l2_telemetry_field[reading[i].field];

		check_near(field->name, field_physical(field, raw[reading[i].field]),
			   reading[i].value, reading[i].tolerance);
	}
}

static void the_qs1a_capture_decodes(void **state)
{
	static const struct reading reading[] = {
		{ L2_TEMP, 24.4, 0.05 },
		{ L2_FREQUENCY, 50.088, 5e-4 },
		{ L2_VOLTAGE_A, 37.54, 5e-3 },
		{ L2_CURRENT_A, 1.960, 5e-4 },
		{ L2_GRID, 222.0, 0.05 },
		{ L2_SECONDS, 40207, 0 },
		{ L2_STATUS, 0, 0 },
		{ L2_ENERGY_A, 1135.3, 0.1 },
		{ L2_PF, 0x1f, 0 },
		{ L2_LINK, 0, 0 },
		{ L2_TAIL, 0xfa2d, 0 },
		{ L2_UNKNOWN_05, 0, 0 },
	};

	(void)state;
	check_telemetry(QS1A, 2, reading, COUNT(reading));
}

static void the_qs1_capture_decodes(void **state)
{
	static const struct reading reading[] = {
		{ L2_TEMP, 18.2, 0.05 },       { L2_FREQUENCY, 50.009, 5e-4 },
		{ L2_VOLTAGE_A, 33.56, 5e-3 }, { L2_CURRENT_A, 1.296, 5e-4 },
		{ L2_VOLTAGE_B, 33.76, 5e-3 }, { L2_VOLTAGE_C, 33.82, 5e-3 },
		{ L2_VOLTAGE_D, 34.14, 5e-3 }, { L2_GRID, 227.5, 0.05 },
		{ L2_SECONDS, 26848, 0 },      { L2_ENERGY_A, 279.3, 0.1 },
		{ L2_ENERGY_B, 290.4, 0.1 },   { L2_ENERGY_C, 320.8, 0.1 },
		{ L2_ENERGY_D, 298.3, 0.1 },   { L2_TAIL, 0x2b2a, 0 },
	};

	(void)state;
	check_telemetry(QS1, 0, reading, COUNT(reading));
}

/* B 45.10 W, C 49.27 W, D 46.30 W in the same capture: both halves of each channel. */
static void powers_of_the_qs1_capture_are_those_published(void **state)
{
	static const struct {
		enum l2_telemetry_field v, i;
		double p;
	} channel[] = { { L2_VOLTAGE_A, L2_CURRENT_A, 43.48 },
			{ L2_VOLTAGE_B, L2_CURRENT_B, 45.10 },
			{ L2_VOLTAGE_C, L2_CURRENT_C, 49.27 },
			{ L2_VOLTAGE_D, L2_CURRENT_D, 46.30 } };
	struct bytes bytes = hex(QS1);
	struct l2 frame = parsed(&bytes);
	int64_t raw[L2_TELEMETRY_COUNT];

	(void)state;
	assert_int_equal(l2_telemetry_decode(&frame, raw), 0);
	for (size_t c = 0; c < COUNT(channel); c++) {
		const struct field *v = &l2_telemetry_field[channel[c].v];
		const struct field *i = &l2_telemetry_field[channel[c].i];

		check_near(v->name,
			   field_physical(v, raw[channel[c].v]) *
				   field_physical(i, raw[channel[c].i]),
			   channel[c].p, 0.01);
	}
}

/* Byte by byte: the fields describe all that the capture holds. */
static void telemetry_survives_a_round_trip(void **state)
{
	struct bytes bytes = hex(QS1);
	struct l2 frame = parsed(&bytes);
	int64_t raw[L2_TELEMETRY_COUNT];
	int64_t again[L2_TELEMETRY_COUNT];
	uint8_t out[L2_TELEMETRY_MAX];

	(void)state;
	assert_int_equal(l2_telemetry_decode(&frame, raw), 0);
	assert_int_equal(l2_telemetry_build(raw, out, sizeof(out)), 88);
	assert_memory_equal(out, bytes.byte, 88);
	assert_int_equal(l2_parse(out, 88, &frame), 0);
	assert_int_equal(l2_telemetry_decode(&frame, again), 0);
	assert_memory_equal(raw, again, sizeof(raw));
	for (size_t size = 0; size < 88; size++) {
		assert_int_equal(l2_telemetry_build(raw, out, size), -ENOSPC);
	}
}

static void a_missing_reading_is_absent_and_not_zero(void **state)
{
	int64_t raw[L2_TELEMETRY_COUNT];
	uint8_t out[L2_TELEMETRY_MAX];
	struct l2 frame = { 0 };

	(void)state;
	for (int i = 0; i < L2_TELEMETRY_COUNT; i++) {
		raw[i] = FIELD_ABSENT;
	}
	assert_int_equal(l2_telemetry_build(raw, out, sizeof(out)), 88);
	assert_int_equal(l2_parse(out, 88, &frame), 0);
	assert_int_equal(l2_telemetry_decode(&frame, raw), 0);
	assert_true(raw[L2_TEMP] == FIELD_ABSENT);
	assert_true(raw[L2_FREQUENCY] == FIELD_ABSENT);
	assert_true(raw[L2_GRID] == FIELD_ABSENT);
	assert_true(isnan(field_physical(&l2_telemetry_field[L2_GRID], raw[L2_GRID])));
	assert_int_equal(raw[L2_SECONDS], 0);
}

static void short_telemetry_is_refused_and_leaves_no_reading(void **state)
{
	uint8_t body[L2_TELEMETRY_BODY] = { 1, 2, 3 };
	uint8_t out[L2_MAX];
	int64_t raw[L2_TELEMETRY_COUNT];
	struct l2 frame = { 0 };

	(void)state;
	for (size_t n = 0; n < sizeof(body); n++) {
		int bytes = l2_build(L2_BYTE_TELEMETRY, body, n, out, sizeof(out));

		assert_int_equal(l2_parse(out, (size_t)bytes, &frame), 0);
		assert_int_equal(l2_telemetry_decode(&frame, raw), n < 0x2f ? -EINVAL : 0);
		assert_true((raw[L2_TEMP] == FIELD_ABSENT) == (n < 0x2f));
	}
}

static double page_value(enum l2_page page, const struct l2 *frame, const char *name)
{
	int64_t raw[64];

	assert_true(l2_page[page].count <= COUNT(raw));
	fields_decode(l2_page[page].field, l2_page[page].count, frame->body, frame->body_n, raw);
	for (size_t i = 0; i < l2_page[page].count; i++) {
		if (!strcmp(l2_page[page].field[i].name, name)) {
			return field_physical(&l2_page[page].field[i], raw[i]);
		}
	}
	fail_msg("page %d has no field %s", page, name);
	return 0;
}

static void protection_pages_decode_as_published(void **state)
{
	static const struct {
		enum l2_page page;
		const char *name;
		double value, tolerance;
	} expected[] = {
		{ L2_A, "AT", 3, 0 },	      { L2_A, "AU", 3, 0 },
		{ L2_A, "AV", 3, 0 },	      { L2_A, "AW", 1, 0 },
		{ L2_A, "AX", 448, 0 },	      { L2_A, "AQ", 184, 0.5 },
		{ L2_A, "AD", 264, 0.5 },     { L2_A, "AC", 183, 0.5 },
		{ L2_A, "AY", 253, 0.5 },     { L2_A, "AZ", 183, 0.5 },
		{ L2_A, "BA", 253, 0.5 },     { L2_A, "AJ", 47, 0.01 },
		{ L2_A, "AK", 52, 0.01 },     { L2_A, "AE", 47.5, 0.01 },
		{ L2_A, "AF", 52, 0.01 },     { L2_A, "AG", 60, 1e-9 },
		{ L2_A, "AS", 60, 1e-9 },     { L2_A, "BK", 0.3, 1e-9 },
		{ L2_A, "BF", 1.2, 1e-9 },    { L2_A, "BG", 0.04, 1e-9 },
		{ L2_A, "BL", 0.12, 1e-9 },   { L2_A, "BM", 0.12, 1e-9 },
		{ L2_B, "BN", 196, 0.5 },     { L2_B, "BO", 253, 0.5 },
		{ L2_B, "BP", 49.5, 0.02 },   { L2_B, "BQ", 50.2, 0.02 },
		{ L2_B, "CC", 52, 0.02 },     { L2_B, "AB", 253, 0.02 },
		{ L2_B, "DA", 500, 0.02 },    { L2_C, "DH", 47, 0.02 },
		{ L2_C, "DI", 49.75, 0.02 },  { L2_B, "CB", 50.2, 0.02 },
		{ L2_B, "DD", 16.562, 1e-9 }, { L2_B, "CV", 0x30, 0 },
		{ L2_B, "CV form", 0x66, 0 },
	};
	struct bytes bytes[L2_PAGES] = { hex(PAGE_A), hex(PAGE_B), hex(PAGE_C) };
	static const enum l2_reply reply[L2_PAGES] = { L2_REPLY_PAGE_A, L2_REPLY_PAGE_B,
						       L2_REPLY_PAGE_C };
	struct l2 frame[L2_PAGES];

	(void)state;
	for (int page = 0; page < L2_PAGES; page++) {
		frame[page] = parsed(&bytes[page]);
		assert_int_equal(l2_reply(&frame[page]), reply[page]);
		assert_int_equal(frame[page].command, l2_page[page].command);
		assert_int_equal(frame[page].body_n, l2_page[page].body_n);
	}
	for (size_t i = 0; i < COUNT(expected); i++) {
		check_near(expected[i].name,
			   page_value(expected[i].page, &frame[expected[i].page], expected[i].name),
			   expected[i].value, expected[i].tolerance);
	}
}

/* Each byte belongs to a field, known or unknown: what is unknown is kept, never lost. */
static void protection_pages_survive_a_round_trip(void **state)
{
	const struct bytes bytes[L2_PAGES] = { hex(PAGE_A), hex(PAGE_B), hex(PAGE_C) };

	(void)state;
	for (int page = 0; page < L2_PAGES; page++) {
		struct l2 frame = parsed(&bytes[page]);
		uint8_t ones[L2_MAX];
		uint8_t body[L2_MAX];
		int64_t raw[64];

		memset(ones, 0xff, sizeof(ones));
		memset(body, 0, sizeof(body));
		fields_decode(l2_page[page].field, l2_page[page].count, frame.body, frame.body_n,
			      raw);
		fields_encode(l2_page[page].field, l2_page[page].count, raw, body, frame.body_n);
		assert_memory_equal(body, frame.body, frame.body_n);
		fields_decode(l2_page[page].field, l2_page[page].count, ones, frame.body_n, raw);
		fields_encode(l2_page[page].field, l2_page[page].count, raw, body, frame.body_n);
		assert_memory_equal(body, ones, frame.body_n);
	}
}

/* DC is a frequency that this unit does not have: absent, not infinite. */
static void a_frequency_of_zero_is_absent(void **state)
{
	struct bytes bytes = hex(PAGE_C);
	struct l2 frame = parsed(&bytes);

	(void)state;
	assert_true(isnan(page_value(L2_C, &frame, "DC")));
}

static void requests_are_those_of_public_clients(void **state)
{
	static const struct {
		enum l2_command command;
		const char *text;
	} expected[] = {
		{ L2_POLL, "FBFB06BB000000000000C1FEFE" },
		{ L2_ON, "FBFB06C1000000000000C7FEFE" },
		{ L2_OFF, "FBFB06C2000000000000C8FEFE" },
		{ L2_INFO, "FBFB06DC000000000000E2FEFE" },
		{ L2_PAGE_A, "FBFB06DD000000000000E3FEFE" },
		{ L2_PAGE_B, "FBFB06DE000000000000E4FEFE" },
		{ L2_PAGE_C, "FBFB06D9000000000000DFFEFE" },
	};
	uint8_t out[L2_SHORT];
	bool broadcast = true;

	(void)state;
	for (size_t i = 0; i < COUNT(expected); i++) {
		struct bytes bytes = hex(expected[i].text);
		struct l2 frame = parsed(&bytes);

		assert_int_equal(l2_request(expected[i].command, out, sizeof(out)), L2_SHORT);
		assert_memory_equal(out, bytes.byte, L2_SHORT);
		assert_int_equal(l2_command(&frame, &broadcast), expected[i].command);
		assert_false(broadcast);
		assert_int_equal(frame.sum, L2_SUM_RIGHT);
	}
	assert_int_equal(l2_request(L2_LIMIT, out, sizeof(out)), -EINVAL);
	assert_int_equal(l2_request(L2_COMMAND_UNKNOWN, out, sizeof(out)), -EINVAL);
}

/* openaps onoff_test.go and setpower_test.go. */
static void commands_to_all_units_are_recognized(void **state)
{
	static const struct {
		const char *text;
		enum l2_command command;
		bool broadcast;
	} expected[] = {
		{ "FBFB06A1000000000000A7FEFE", L2_ON, true },
		{ "FBFB06A2000000000000A8FEFE", L2_OFF, true },
		{ "FBFB062C8C022D2200010FFEFE", L2_LIMIT, true },
		{ "FBFB061C8C022D220000FFFEFE", L2_LIMIT, false },
		{ "FBFB04FFFFFFFF0400FEFE", L2_COMMAND_UNKNOWN, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(expected); i++) {
		struct bytes bytes = hex(expected[i].text);
		struct l2 frame = parsed(&bytes);
		bool broadcast = false;

		assert_int_equal(l2_command(&frame, &broadcast), expected[i].command);
		assert_int_equal(broadcast, expected[i].broadcast);
	}
}

static void limits_are_registers_of_public_clients(void **state)
{
	struct bytes bytes = hex("FBFB061C8C022D220000FFFEFE");
	uint8_t out[L2_SHORT];
	struct l2 frame;

	(void)state;
	assert_int_equal(l2_limit(400, out, sizeof(out)), L2_SHORT);
	assert_memory_equal(out, bytes.byte, L2_SHORT);
	assert_int_equal(l2_limit(19, out, sizeof(out)), -ERANGE);
	assert_int_equal(l2_limit(501, out, sizeof(out)), -ERANGE);
	for (unsigned int w = L2_LIMIT_MIN_W; w <= L2_LIMIT_MAX_W; w++) {
		assert_int_equal(l2_limit(w, out, sizeof(out)), L2_SHORT);
		assert_int_equal(l2_parse(out, sizeof(out), &frame), 0);
		assert_int_equal(l2_limit_w(&frame), w);
	}
	out[5]++;
	assert_int_equal(l2_limit_w(&frame), -EINVAL);
}

/* openaps info_test.go. */
static void the_three_forms_of_info_decode(void **state)
{
	static const struct {
		const char *text;
		uint8_t model;
		uint32_t version;
	} expected[] = {
		{ "FBFB09DC36 0002 00 01F4 00 00 0000 FEFE", 0x36, 2500 },
		{ "FBFB0ADDDC29 0003 00 002A 00 00 0000 FEFE", 0x29, 3042 },
		{ "FBFB0CDDDC30 0002 00 0003 00 00 0004 0000 FEFE", 0x30, 2003004 },
	};
	struct bytes wrong = hex("FBFB0ADDDD29 0003 00 002A 00 00 0000 FEFE");
	struct l2_info info;
	struct l2 frame;
	uint8_t out[16];

	(void)state;
	for (size_t i = 0; i < COUNT(expected); i++) {
		struct bytes bytes = hex(expected[i].text);

		frame = parsed(&bytes);
		assert_int_equal(l2_reply(&frame), L2_REPLY_INFO);
		assert_int_equal(l2_info_decode(&frame, &info), 0);
		assert_int_equal(info.model, expected[i].model);
		assert_int_equal(info.version, expected[i].version);
	}
	frame = parsed(&wrong);
	assert_int_equal(l2_info_decode(&frame, &info), -EINVAL);
	info = (struct l2_info){ L2_MODEL_QS1, 4321 };
	assert_int_equal(l2_info_build(&info, out, sizeof(out)), 16);
	assert_int_equal(l2_parse(out, sizeof(out), &frame), 0);
	assert_int_equal(l2_info_decode(&frame, &info), 0);
	assert_int_equal(info.model, L2_MODEL_QS1);
	assert_int_equal(info.version, 4321);
}

static void acknowledgements_and_pages_differ_by_length(void **state)
{
	struct bytes done = hex("FBFB06DE000000000000E4FEFE");
	struct bytes refused = hex("FBFB06DF000000000000E5FEFE");
	struct l2 frame = parsed(&done);
	uint8_t out[L2_SHORT];

	(void)state;
	assert_int_equal(l2_reply(&frame), L2_REPLY_DONE);
	frame = parsed(&refused);
	assert_int_equal(l2_reply(&frame), L2_REPLY_REFUSED);
	assert_int_equal(l2_acknowledge(true, out, sizeof(out)), L2_SHORT);
	assert_memory_equal(out, done.byte, L2_SHORT);
	assert_int_equal(l2_acknowledge(false, out, sizeof(out)), L2_SHORT);
	assert_memory_equal(out, refused.byte, L2_SHORT);
}

static void bad_frames_are_refused_with_their_reason(void **state)
{
	static const struct {
		const char *text;
		int error;
	} bad[] = {
		{ "", -EPROTO },
		{ "FB", -EPROTO },
		{ "FC FB06BB000000000000C1FEFE", -EPROTO },
		{ "FBFB", -ENODATA },
		{ "FBFB06BB000000000000C1FE", -ENODATA },
		{ "FBFB06BB000000000000C1", -ENODATA },
		{ "FBFBFEFE", -ENODATA },
		{ "FBFB06BB000000000000C2FEFE", -EBADMSG },
		{ "FBFB06C1000000000000A6FEFE", -EBADMSG }, /* the ESP projects' "reboot" */
	};
	struct l2 frame = { .n = 99 };

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct bytes bytes = hex(bad[i].text);

		assert_int_equal(l2_parse(bytes.byte, bytes.n, &frame), bad[i].error);
		assert_int_equal(frame.n, 99);
	}
}

/* A length that is wrong in either direction, and FE FE inside the body. */
static void the_tail_is_found_whatever_the_length_says(void **state)
{
	struct bytes longer = hex("FBFB20BB00000000000000FEFE");
	struct bytes shorter = hex("FBFB02BB00000000000000FEFE");
	struct bytes inside = hex("FBFB06BB00FEFE00000000FEFE");
	struct bytes followed = hex("FBFB06BB000000000000C1FEFE 3A100E");
	struct l2 frame;

	(void)state;
	assert_int_equal(l2_parse(longer.byte, longer.n, &frame), 0);
	assert_int_equal(frame.body_n, 5);
	assert_int_equal(l2_parse(shorter.byte, shorter.n, &frame), 0);
	assert_int_equal(frame.body_n, 5);
	assert_int_equal(l2_parse(inside.byte, inside.n, &frame), 0);
	assert_int_equal(frame.body_n, 5);
	assert_int_equal(l2_parse(followed.byte, followed.n, &frame), 0);
	assert_int_equal(frame.n, 13);
}

static void status_bits_have_the_names_of_the_table(void **state)
{
	uint8_t body[L2_TELEMETRY_BODY] = { 0 };
	uint8_t out[L2_MAX];
	int64_t raw[L2_TELEMETRY_COUNT];
	struct l2 frame;

	(void)state;
	assert_string_equal(l2_status_name(L2_STATUS_GFDI), "DC ground fault");
	assert_null(l2_status_name(L2_STATUS_BIT(0x17, 0)));
	assert_null(l2_status_name(32));
	body[0x17] = 1 << 3;
	body[0x1a] = 1 << 7;
	l2_build(L2_BYTE_TELEMETRY, body, sizeof(body), out, sizeof(out));
	assert_int_equal(l2_parse(out, sizeof(out), &frame), 0);
	assert_int_equal(l2_telemetry_decode(&frame, raw), 0);
	assert_int_equal(raw[L2_STATUS], 1u << L2_STATUS_GFDI | 1u << L2_STATUS_UF_FAST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_qs1a_capture_decodes),
		cmocka_unit_test(the_qs1_capture_decodes),
		cmocka_unit_test(powers_of_the_qs1_capture_are_those_published),
		cmocka_unit_test(telemetry_survives_a_round_trip),
		cmocka_unit_test(a_missing_reading_is_absent_and_not_zero),
		cmocka_unit_test(short_telemetry_is_refused_and_leaves_no_reading),
		cmocka_unit_test(protection_pages_decode_as_published),
		cmocka_unit_test(protection_pages_survive_a_round_trip),
		cmocka_unit_test(a_frequency_of_zero_is_absent),
		cmocka_unit_test(requests_are_those_of_public_clients),
		cmocka_unit_test(commands_to_all_units_are_recognized),
		cmocka_unit_test(limits_are_registers_of_public_clients),
		cmocka_unit_test(the_three_forms_of_info_decode),
		cmocka_unit_test(acknowledgements_and_pages_differ_by_length),
		cmocka_unit_test(bad_frames_are_refused_with_their_reason),
		cmocka_unit_test(the_tail_is_found_whatever_the_length_says),
		cmocka_unit_test(status_bits_have_the_names_of_the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
