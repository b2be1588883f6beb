// SPDX-License-Identifier: GPL-2.0-or-later
/* Fields in general, and our own messages. */
#include "link_bench.h"

#include "marks.h"
#include "own.h"

static const struct serial unit = { { 0x80, 0x60, 0x00, 0x00, 0x00, 0x01 } };

static const struct field probe[] = {
	{ .name = "big", FIELD_BE(3), FIELD_LINEAR(0.5, -10), .missing = FIELD_ONES },
	{ .name = "signed", .offset = 3, FIELD_LE_SIGNED(2), FIELD_PLAIN, .missing = FIELD_ONES },
	{ .name = "low", .offset = 5, FIELD_LE_BITS(3, 0, 12), FIELD_PLAIN, .missing = FIELD_ZERO },
	{ .name = "high", .offset = 5, FIELD_LE_BITS(3, 12, 12), FIELD_PLAIN },
	{ .name = "last", .offset = -8, FIELD_LE(8), FIELD_PLAIN, .missing = FIELD_ONES },
};
#define PROBE_BYTES 16

static void fields_hold_their_range_and_absence(void **state)
{
	static const struct {
		int field;
		int64_t raw, expected;
	} value[] = {
		{ 0, 0, 0 },
		{ 0, 0xfffffe, 0xfffffe },
		{ 0, 0xffffff, 0xfffffe },
		{ 0, -1, 0 },
		{ 0, FIELD_ABSENT, FIELD_ABSENT },
		{ 1, -32767, -32767 },
		{ 1, -32768, -32767 },
		{ 1, 40000, 32767 },
		{ 1, FIELD_ABSENT, FIELD_ABSENT },
		{ 2, 0, 1 },
		{ 2, 4095, 4095 },
		{ 2, 4096, 4095 },
		{ 2, FIELD_ABSENT, FIELD_ABSENT },
		{ 3, 0, 0 },
		{ 3, 0xabc, 0xabc },
		{ 3, FIELD_ABSENT, 0 },
		{ 4, INT64_MAX, INT64_MAX },
		{ 4, -5, 0 },
		{ 4, FIELD_ABSENT, FIELD_ABSENT },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(value); i++) {
		int64_t raw[COUNT(probe)] = { 7, 7, 7, 7, 7 };
		uint8_t frame[PROBE_BYTES] = { 0 };

		raw[value[i].field] = value[i].raw;
		fields_encode(probe, COUNT(probe), raw, frame, sizeof(frame));
		fields_decode(probe, COUNT(probe), frame, sizeof(frame), raw);
		for (int f = 0; f < (int)COUNT(probe); f++) {
			assert_true(raw[f] == (f == value[i].field ? value[i].expected : 7));
		}
	}
}

static void a_field_beyond_the_end_of_a_frame_is_absent(void **state)
{
	uint8_t frame[PROBE_BYTES];
	int64_t raw[COUNT(probe)];

	(void)state;
	memset(frame, 1, sizeof(frame));
	for (size_t n = 0; n <= sizeof(frame); n++) {
		fields_decode(probe, COUNT(probe), frame, n, raw);
		assert_true((raw[0] == FIELD_ABSENT) == (n < 3));
		assert_true((raw[1] == FIELD_ABSENT) == (n < 5));
		assert_true((raw[3] == FIELD_ABSENT) == (n < 8));
		assert_true((raw[4] == FIELD_ABSENT) == (n < 8));
	}
}

static void physical_values_round_and_saturate(void **state)
{
	(void)state;
	assert_int_equal(field_raw(&probe[0], -10), 0);
	assert_int_equal(field_raw(&probe[0], -9.3), 1);
	assert_int_equal(field_raw(&probe[0], 1e12), 0xfffffe);
	assert_int_equal(field_raw(&probe[0], -1e12), 0);
	assert_true(field_raw(&probe[0], NAN) == FIELD_ABSENT);
	assert_true(isnan(field_physical(&probe[0], FIELD_ABSENT)));
	check_near("physical", field_physical(&probe[0], 21), 0.5, 1e-12);
}

static void messages_travel_in_parts_of_any_order(void **state)
{
	static const size_t length[] = {
		0, 1, OWN_PART_BYTES, OWN_PART_BYTES + 1, 300, OWN_MESSAGE_MAX
	};
	static uint8_t body[OWN_MESSAGE_MAX];
	static struct own_message message;

	(void)state;
	for (size_t i = 0; i < sizeof(body); i++) {
		body[i] = (uint8_t)(i * 31);
	}
	for (size_t l = 0; l < COUNT(length); l++) {
		unsigned int parts = own_parts(length[l]);

		for (unsigned int p = parts; p-- > 0;) {
			uint8_t frame[OWN_FRAME_MAX];
			struct own_part part;
			int n = own_build(OWN_SEALED, (uint8_t)l, body, length[l], p, frame,
					  sizeof(frame));

			assert_true(n >= OWN_HEAD_BYTES);
			assert_int_equal(own_parse(frame, (size_t)n, &part), 0);
			assert_int_equal(own_collect(&message, &part), p == 0);
			assert_false(own_collect(&message, &part));
		}
		assert_int_equal(message.n, length[l]);
		assert_memory_equal(message.body, body, length[l]);
	}
}

static void impossible_parts_are_refused(void **state)
{
	uint8_t body[OWN_MESSAGE_MAX + 1] = { 0 };
	uint8_t frame[OWN_FRAME_MAX + 1] = { OWN_MAGIC, OWN_VERSION, OWN_STATUS, 0, 0, 1 };
	struct own_part part;

	(void)state;
	assert_int_equal(own_parse(frame, OWN_HEAD_BYTES, &part), 0);
	assert_int_equal(own_parse(frame, OWN_HEAD_BYTES - 1, &part), -EBADMSG);
	assert_int_equal(own_parse(frame, OWN_FRAME_MAX + 1, &part), -EBADMSG);
	frame[5] = 0;
	assert_int_equal(own_parse(frame, 20, &part), -EBADMSG);
	frame[5] = OWN_PARTS_MAX + 1;
	assert_int_equal(own_parse(frame, OWN_FRAME_MAX, &part), -EBADMSG);
	frame[4] = 2;
	frame[5] = 2;
	assert_int_equal(own_parse(frame, 20, &part), -EBADMSG);
	frame[4] = 0; /* a part that is not the last must be full */
	assert_int_equal(own_parse(frame, 20, &part), -EBADMSG);
	frame[1]++;
	assert_int_equal(own_parse(frame, 20, &part), -EPROTONOSUPPORT);
	frame[0] = 0xfb;
	assert_int_equal(own_parse(frame, 20, &part), -ENOMSG);
	assert_int_equal(own_parse(frame, 0, &part), -ENOMSG);
	assert_int_equal(own_build(OWN_STATUS, 0, body, sizeof(body), 0, frame, sizeof(frame)),
			 -EMSGSIZE);
	assert_int_equal(own_build(OWN_STATUS, 0, body, 10, 1, frame, sizeof(frame)), -EINVAL);
	assert_int_equal(own_build(OWN_STATUS, 0, body, 10, 0, frame, 15), -EMSGSIZE);
}

static void a_status_survives_a_round_trip_and_growth(void **state)
{
	struct own_identity identity = { unit, 0xfedcba9876543210, 77 };
	struct own_identity again;
	int64_t raw[OWN_STATUS_COUNT];
	int64_t back[OWN_STATUS_COUNT];
	uint8_t out[OWN_STATUS_BYTES + 10] = { 0 };

	(void)state;
	for (int i = 0; i < OWN_STATUS_COUNT; i++) {
		raw[i] = i % 7 ? i * 3 : FIELD_ABSENT;
	}
	raw[OWN_FLAGS] = OWN_FLAG_ARMED;
	raw[OWN_GRID_P] = -1234;
	raw[OWN_PV1_ENERGY] = INT64_C(9007199254740993);
	own_status_put(&identity, raw, out);
	assert_int_equal(own_status_parse(out, sizeof(out), &again, back), 0);
	assert_memory_equal(raw, back, sizeof(raw));
	assert_true(serial_equal(&again.serial, &unit));
	assert_true(again.boot == identity.boot);
	assert_int_equal(again.counter, 77);
	/* an older unit's, without the last field */
	assert_int_equal(own_status_parse(out, OWN_STATUS_BYTES - 1, &again, back), 0);
	assert_true(back[OWN_ENTER_SERVICE] == FIELD_ABSENT);
	assert_true(back[OWN_POWER_LIMIT] == raw[OWN_POWER_LIMIT]);
	assert_int_equal(own_status_parse(out, OWN_IDENTITY_BYTES, &again, back), -EBADMSG);
	assert_true(back[OWN_STATE] == FIELD_ABSENT);
	out[0] = 0xff;
	assert_int_equal(own_status_parse(out, OWN_STATUS_BYTES, &again, back), -EBADMSG);
}

/* The fields of each table follow each other without a gap or an overlap. */
static void own_tables_are_dense(void **state)
{
	int at = 0;

	(void)state;
	for (int i = 0; i < OWN_STATUS_COUNT; i++) {
		assert_int_equal(own_status_field[i].offset, at);
		at += own_status_field[i].bytes;
	}
	assert_int_equal(OWN_IDENTITY_BYTES + at, OWN_STATUS_BYTES);
	at = 0;
	for (int i = 0; i < OWN_ANGLE_COUNT; i++) {
		assert_int_equal(own_angle_field[i].offset, at);
		at += own_angle_field[i].bytes;
	}
	assert_int_equal(at, OWN_ANGLE_BYTES);
}

static void angles_survive_a_round_trip(void **state)
{
	struct own_angle angle = {
		.mark = 65535, .deg = 359.996, .hz = 59.987, .latency_s = 0.0031
	};
	uint8_t bytes[OWN_ANGLE_BYTES];
	struct own_angle again;

	(void)state;
	own_angle_put(&angle, bytes);
	assert_int_equal(own_angle_parse(bytes, sizeof(bytes), &again), 0);
	assert_int_equal(again.mark, 65535);
	check_near("angle, rounded to a whole turn", again.deg, 0, 1e-9);
	check_near("frequency", again.hz, 59.987, 1e-9);
	check_near("latency", again.latency_s, 0.0031, 1e-9);
	assert_int_equal(own_angle_parse(bytes, sizeof(bytes) - 1, &again), -EBADMSG);
	angle.deg = (double)NAN;
	own_angle_put(&angle, bytes);
	assert_int_equal(own_angle_parse(bytes, sizeof(bytes), &again), -EBADMSG);
	check_near("half a cycle before", marks_turn_back(90, 60, 1 / 120.0), 270, 1e-9);
}

/* The network may repeat a broadcast; an earlier search may have had the same numbers. */
static void the_first_copy_of_a_mark_counts_for_a_second(void **state)
{
	static struct marks marks;
	struct own_angle angle = { .mark = 7, .deg = 10, .hz = 60 };
	uint8_t bytes[OWN_ANGLES_MAX * OWN_ANGLE_BYTES];

	(void)state;
	marks_put(&marks, 1000, &angle);
	angle.deg = 20;
	marks_put(&marks, 5000, &angle);
	assert_int_equal(marks_from(&marks, 7, bytes), OWN_ANGLE_BYTES);
	assert_int_equal(own_angle_parse(bytes, sizeof(bytes), &angle), 0);
	check_near("first", angle.deg, 10, 1e-9);
	angle.deg = 20;
	marks_put(&marks, 1000 + MARKS_SAME_US, &angle);
	assert_int_equal(marks_from(&marks, 7, bytes), OWN_ANGLE_BYTES);
	assert_int_equal(own_angle_parse(bytes, sizeof(bytes), &angle), 0);
	check_near("of a later search", angle.deg, 20, 1e-9);
	for (int i = 0; i < 2 * MARKS_KEPT; i++) {
		angle.mark = (uint16_t)(65500 + i);
		marks_put(&marks, 2000000, &angle);
	}
	assert_int_equal(marks_from(&marks, (uint16_t)(65500 + 2 * MARKS_KEPT - 3), bytes),
			 3 * OWN_ANGLE_BYTES);
	assert_int_equal(marks_from(&marks, 0, bytes), sizeof(bytes));
}

static void events_survive_a_round_trip(void **state)
{
	struct own_event event = { .number = 12,
				   .boot = 3,
				   .time_ms = 1795336800123,
				   .monotonic_ms = 81234,
				   .kind = OWN_EVENT_TRIP,
				   .cause = 64,
				   .from = 5,
				   .to = 9,
				   .value = -42 };
	struct own_event again = { 0 };
	uint8_t out[256];
	int n;

	(void)state;
	memset(event.text, 'x', OWN_EVENT_TEXT_MAX);
	n = own_event_put(&event, out, sizeof(out));
	assert_int_equal(n, 29 + OWN_EVENT_TEXT_MAX);
	assert_int_equal(own_event_parse(out, sizeof(out), &again), n);
	assert_memory_equal(&event, &again, sizeof(event));
	for (int size = 0; size < n; size++) {
		assert_int_equal(own_event_put(&event, out, (size_t)size), -EMSGSIZE);
		assert_int_equal(own_event_parse(out, (size_t)size, &again), -EBADMSG);
	}
	out[21] = OWN_EVENT_KIND_COUNT;
	assert_int_equal(own_event_parse(out, sizeof(out), &again), -EBADMSG);
	assert_string_equal(own_event_kind_name(OWN_EVENT_RELOAD), "reload");
}

static void requests_of_events_name_a_number_and_a_count(void **state)
{
	uint8_t out[OWN_EVENTS_REQUEST_BYTES];
	uint32_t from = 0;
	uint8_t max = 0;

	(void)state;
	own_events_request_put(0x12345678, 20, out);
	assert_int_equal(own_events_request_parse(out, sizeof(out), &from, &max), 0);
	assert_int_equal(from, 0x12345678);
	assert_int_equal(max, 20);
	assert_int_equal(own_events_request_parse(out, 4, &from, &max), -EBADMSG);
}

/* Both ends run their part of a pairing over the messages alone. */
static void a_pairing_gives_both_ends_the_same_key(void **state)
{
	static const uint8_t code[INSTALL_CODE_BYTES] = { 1, 2, 3 };
	struct own_pair request = { .serial = unit, .nonce = { 4, 5 } };
	struct own_pair offer = { .serial = unit, .nonce = { 6, 7 } };
	struct own_pair confirm = { .serial = unit };
	struct own_pair result = { .serial = unit, .error = -EACCES };
	struct own_pair got;
	struct seal_key ecu, board;
	struct seal_head head = { SEAL_PAIR_UNIT, unit, 0, 0 };
	const uint8_t *body;
	uint8_t out[OWN_PAIR_MAX];
	uint32_t counter;
	size_t body_n;
	int n;

	(void)state;
	n = own_pair_put(OWN_PAIR_REQUEST, &request, out, sizeof(out));
	assert_int_equal(own_pair_parse(OWN_PAIR_REQUEST, out, (size_t)n, &got), 0);
	seal_derive(code, &unit, got.nonce, offer.nonce, &board);
	assert_int_equal(seal_make(&board, &head, NULL, 0, offer.proof, SEAL_OVERHEAD),
			 SEAL_OVERHEAD);
	n = own_pair_put(OWN_PAIR_OFFER, &offer, out, sizeof(out));
	assert_int_equal(n, OWN_PAIR_MAX);
	assert_int_equal(own_pair_parse(OWN_PAIR_OFFER, out, (size_t)n, &got), 0);
	seal_derive(code, &unit, request.nonce, got.nonce, &ecu);
	assert_int_equal(
		seal_check(&ecu, &head, got.proof, SEAL_OVERHEAD, &counter, &body, &body_n), 0);
	head.kind = SEAL_PAIR_ECU;
	seal_make(&ecu, &head, NULL, 0, confirm.proof, SEAL_OVERHEAD);
	n = own_pair_put(OWN_PAIR_CONFIRM, &confirm, out, sizeof(out));
	assert_int_equal(own_pair_parse(OWN_PAIR_CONFIRM, out, (size_t)n, &got), 0);
	assert_int_equal(
		seal_check(&board, &head, got.proof, SEAL_OVERHEAD, &counter, &body, &body_n), 0);
	n = own_pair_put(OWN_PAIR_RESULT, &result, out, sizeof(out));
	assert_int_equal(own_pair_parse(OWN_PAIR_RESULT, out, (size_t)n, &got), 0);
	assert_int_equal(got.error, -EACCES);
	assert_int_equal(own_pair_parse(OWN_PAIR_RESULT, out, (size_t)n - 1, &got), -EBADMSG);
	assert_int_equal(own_pair_parse(OWN_STATUS, out, (size_t)n, &got), -EINVAL);
	assert_int_equal(own_pair_put(OWN_PAIR_OFFER, &offer, out, OWN_PAIR_MAX - 1), -EMSGSIZE);
}

static void types_have_names_and_replies_their_bit(void **state)
{
	(void)state;
	assert_string_equal(own_type_name(OWN_REPLY(OWN_STATUS_REQUEST)), "status");
	assert_string_equal(own_type_name(OWN_REPLY(OWN_SEALED)), "sealed reply");
	assert_null(own_type_name(0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_hold_their_range_and_absence),
		cmocka_unit_test(a_field_beyond_the_end_of_a_frame_is_absent),
		cmocka_unit_test(physical_values_round_and_saturate),
		cmocka_unit_test(messages_travel_in_parts_of_any_order),
		cmocka_unit_test(impossible_parts_are_refused),
		cmocka_unit_test(a_status_survives_a_round_trip_and_growth),
		cmocka_unit_test(own_tables_are_dense),
		cmocka_unit_test(angles_survive_a_round_trip),
		cmocka_unit_test(the_first_copy_of_a_mark_counts_for_a_second),
		cmocka_unit_test(events_survive_a_round_trip),
		cmocka_unit_test(requests_of_events_name_a_number_and_a_count),
		cmocka_unit_test(a_pairing_gives_both_ends_the_same_key),
		cmocka_unit_test(types_have_names_and_replies_their_bit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
