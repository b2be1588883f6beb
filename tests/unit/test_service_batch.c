// SPDX-License-Identifier: GPL-2.0-or-later
/* Batches: sealed once, opened as they were, refused when anything of them has changed. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "batch.h"
#include "bytes.h"

#define ECU 216000000001
#define TIME_S 1780297200

static struct report reports[6];
static struct batch_event events[] = {
	{ TIME_S * 1000ll + 7, 806000000001, "fault", 9, "ground fault" },
	{ TIME_S * 1000ll - 7, 0, "clock-step", -3600000, "" },
};
static struct batch_setting settings[] = {
	{ 0, "version", "1.2" },
	{ 806000000001, "place", "{\"x\":1,\"y\":2}" },
};
static struct batch_result results[] = {
	{ "ema:0123", 806000000001, TIME_S * 1000ll, "confirmed", "read back 300 W" },
};

static struct batch sample(void)
{
	for (int i = 0; i < 6; i++) {
		reports[i] = (struct report){ .serial = 806000000001 + i / 2 * 5ull,
					      .time_s = TIME_S + i % 2 * 300 };
		report_clear(&reports[i]);
		report_set(&reports[i], REPORT_GRID_V, 240.1 + i);
		report_set(&reports[i], REPORT_E4, 123456789.5);
	}
	return (struct batch){
		.head = { .ecu = ECU,
			  .epoch = 0x8877665544332211,
			  .sequence = 42,
			  .wall_ms = TIME_S * 1000ll,
			  .monotonic_ms = 99,
			  .boot = 0xdeadbeef,
			  .zone_min = -420,
			  .flags = BATCH_CLOCK_SYNCHRONIZED },
		.reports = reports,
		.report_count = 6,
		.events = events,
		.event_count = 2,
		.settings = settings,
		.setting_count = 2,
		.results = results,
		.result_count = 1,
	};
}

static void a_batch_comes_back_as_it_was(void **state)
{
	struct batch batch = sample();
	struct batch back;
	struct batch_head head;
	uint8_t *bytes;
	size_t n, length;
	char err[200];

	(void)state;
	assert_int_equal(batch_seal(&batch, &bytes, &n), 0);
	assert_int_equal(batch_read_head(bytes, n, &head, &length, err, sizeof(err)), 0);
	assert_int_equal(length, n);
	assert_memory_equal(&head, &batch.head, sizeof(head));
	assert_int_equal(batch_open(bytes, n, &back, err, sizeof(err)), 0);
	assert_memory_equal(&back.head, &batch.head, sizeof(head));
	assert_int_equal(back.report_count, 6);
	assert_memory_equal(back.reports, reports, sizeof(reports));
	assert_int_equal(back.event_count, 2);
	assert_memory_equal(back.events, events, sizeof(events));
	assert_int_equal(back.setting_count, 2);
	assert_memory_equal(back.settings, settings, sizeof(settings));
	assert_int_equal(back.result_count, 1);
	assert_memory_equal(back.results, results, sizeof(results));
	batch_clear(&back);
	free(bytes);
}

/* A program on another machine reads the same: the head's bytes are part of the contract. */
static void the_head_has_its_documented_form(void **state)
{
	static const uint8_t want[] = { 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88,
					42,   0,    0,	  0,	0,    0,    0,	  0 };
	struct batch batch = sample();
	uint8_t *bytes;
	size_t n;

	(void)state;
	assert_int_equal(batch_seal(&batch, &bytes, &n), 0);
	assert_memory_equal(bytes, "QSB1", 4);
	assert_int_equal(bytes_get_le(bytes + 4, 4), n);
	assert_int_equal(bytes_get_le(bytes + 8, 8), ECU);
	assert_memory_equal(bytes + 16, want, 16);
	assert_int_equal(bytes_get_le(bytes + 48, 4), 0xdeadbeef);
	assert_int_equal((int16_t)bytes_get_le(bytes + 52, 2), -420);
	free(bytes);
}

static void an_empty_batch_is_a_batch(void **state)
{
	struct batch batch = { .head = { .ecu = 1, .sequence = 1 } };
	struct batch back;
	uint8_t *bytes;
	size_t n;
	char err[200];

	(void)state;
	assert_int_equal(batch_seal(&batch, &bytes, &n), 0);
	assert_int_equal(batch_open(bytes, n, &back, err, sizeof(err)), 0);
	assert_int_equal(back.report_count + back.event_count, 0);
	batch_clear(&back);
	free(bytes);
}

static void each_changed_bit_and_each_missing_byte_is_refused(void **state)
{
	struct batch batch = sample();
	struct batch_head head;
	uint8_t *bytes;
	size_t n, length;
	char err[200];

	(void)state;
	assert_int_equal(batch_seal(&batch, &bytes, &n), 0);
	for (size_t bit = 0; bit < 8 * n; bit++) {
		bytes[bit / 8] ^= 1 << bit % 8;
		assert_int_equal(batch_read_head(bytes, n, &head, &length, err, sizeof(err)),
				 -EBADMSG);
		bytes[bit / 8] ^= 1 << bit % 8;
	}
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(batch_read_head(bytes, i, &head, &length, err, sizeof(err)),
				 -EBADMSG);
	}
	free(bytes);
}

static void several_in_one_body_are_read_one_by_one(void **state)
{
	struct batch batch = sample();
	struct batch_head head;
	uint8_t *first, *second, *both;
	size_t n, m, length;
	char err[200];

	(void)state;
	assert_int_equal(batch_seal(&batch, &first, &n), 0);
	batch.head.sequence++;
	batch.report_count = 1;
	assert_int_equal(batch_seal(&batch, &second, &m), 0);
	both = malloc(n + m);
	assert_non_null(both);
	memcpy(both, first, n);
	memcpy(both + n, second, m);
	assert_int_equal(batch_read_head(both, n + m, &head, &length, err, sizeof(err)), 0);
	assert_int_equal(length, n);
	assert_int_equal(batch_read_head(both + n, m, &head, &length, err, sizeof(err)), 0);
	assert_int_equal(length, m);
	assert_int_equal(head.sequence, 43);
	free(first);
	free(second);
	free(both);
}

/* Seals @content, which is not compressed yet, with a head and a hash that are right. */
static int open_content(struct packer *content)
{
	struct batch batch = sample();
	struct batch back;
	struct packer out = { 0 };
	uint8_t hash[BATCH_HASH_BYTES];
	uint8_t *bytes;
	char err[200];
	size_t n;
	int ret;

	assert_int_equal(batch_seal(&batch, &bytes, &n), 0);
	pack_bytes(&out, bytes, BATCH_HEAD_BYTES);
	free(bytes);
	assert_int_equal(pack_compress(content, 3, &out), 0);
	bytes_put_le(out.bytes + 4, 4, out.n + BATCH_HASH_BYTES);
	crypto_generichash(hash, sizeof(hash), out.bytes, out.n, NULL, 0);
	pack_bytes(&out, hash, sizeof(hash));
	ret = batch_open(out.bytes, out.n, &back, err, sizeof(err));
	if (ret == 0) {
		batch_clear(&back);
	}
	free(out.bytes);
	return ret;
}

static void hostile_content_with_a_right_hash_is_refused(void **state)
{
	struct packer content = { 0 };
	static const uint8_t zeros[1 << 20];

	(void)state;
	/* no inverter, no rows: the smallest that is right */
	pack_bytes(&content, zeros, 4);
	assert_int_equal(open_content(&content), 0);
	pack_bytes(&content, zeros, 5);
	assert_int_equal(open_content(&content), -EBADMSG);
	pack_bytes(&content, zeros, 3);
	assert_int_equal(open_content(&content), -EBADMSG);
	/* more inverters than a batch may have reports, without one byte of them */
	pack_unsigned(&content, UINT64_MAX);
	assert_int_equal(open_content(&content), -EBADMSG);
	/* 16 MiB from 1 kB */
	for (int i = 0; i < 16; i++) {
		pack_bytes(&content, zeros, sizeof(zeros));
	}
	assert_int_equal(open_content(&content), -EBADMSG);
	/* a state longer than any */
	pack_bytes(&content, zeros, 3);
	pack_unsigned(&content, 1);
	pack_text(&content, "x");
	pack_unsigned(&content, 0);
	pack_signed(&content, 0);
	pack_text(&content, "confirmed, but longer");
	pack_text(&content, "");
	assert_int_equal(open_content(&content), -EBADMSG);
}

static void more_rows_than_allowed_are_not_sealed(void **state)
{
	struct batch batch = sample();
	uint8_t *bytes = NULL;
	size_t n;

	(void)state;
	batch.event_count = BATCH_ROWS_MAX + 1;
	assert_int_equal(batch_seal(&batch, &bytes, &n), -EINVAL);
	batch = sample();
	batch.report_count = BATCH_REPORTS_MAX + 1;
	assert_int_equal(batch_seal(&batch, &bytes, &n), -EINVAL);
	assert_null(bytes);
}

static void numbers_of_every_length_come_back(void **state)
{
	(void)state;
	for (int bit = 0; bit < 64; bit++) {
		for (int64_t near = -1; near <= 1; near++) {
			uint64_t value = (1ull << bit) + (uint64_t)near;
			struct packer packer = { 0 };
			struct unpacker unpacker = { 0 };

			pack_unsigned(&packer, value);
			pack_signed(&packer, (int64_t)value);
			unpacker.bytes = packer.bytes;
			unpacker.n = packer.n;
			assert_true(unpack_unsigned(&unpacker) == value);
			assert_true(unpack_signed(&unpacker) == (int64_t)value);
			assert_int_equal(unpacker.n, 0);
			assert_false(unpacker.failed);
			free(packer.bytes);
		}
	}
}

static void identities_are_twelve_digits(void **state)
{
	static const char *const wrong[] = { "",
					     "21600000000",
					     "2160000000011",
					     "000000000000",
					     "21600000000x",
					     " 16000000001",
					     "-16000000001" };
	char text[ID_TEXT_SIZE];
	uint64_t id = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(id_parse(wrong[i], &id), -EINVAL);
		assert_int_equal(id, 7);
	}
	assert_int_equal(id_parse("000000000012", &id), 0);
	assert_int_equal(id, 12);
	assert_string_equal(id_format(text, id), "000000000012");
}

static void readings_are_rounded_and_absent_ones_stay_absent(void **state)
{
	struct report report;

	(void)state;
	report_clear(&report);
	assert_true(report_get(&report, REPORT_V1) != report_get(&report, REPORT_V1));
	report_set(&report, REPORT_V1, 31.26);
	assert_int_equal(report.value[REPORT_V1], 313);
	report_set(&report, REPORT_V1, 0);
	assert_int_equal(report.value[REPORT_V1], 0);
	report_set(&report, REPORT_V1, 0.0 / 0.0);
	assert_true(report.value[REPORT_V1] == REPORT_ABSENT);
	report_set(&report, REPORT_V1, 1e300);
	assert_true(report.value[REPORT_V1] == REPORT_ABSENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_batch_comes_back_as_it_was),
		cmocka_unit_test(the_head_has_its_documented_form),
		cmocka_unit_test(an_empty_batch_is_a_batch),
		cmocka_unit_test(each_changed_bit_and_each_missing_byte_is_refused),
		cmocka_unit_test(several_in_one_body_are_read_one_by_one),
		cmocka_unit_test(hostile_content_with_a_right_hash_is_refused),
		cmocka_unit_test(more_rows_than_allowed_are_not_sealed),
		cmocka_unit_test(numbers_of_every_length_come_back),
		cmocka_unit_test(identities_are_twelve_digits),
		cmocka_unit_test(readings_are_rounded_and_absent_ones_stay_absent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
