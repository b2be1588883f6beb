// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * QS1 frames: any bytes are refused, or are a frame within them. What decodes encodes, and
 * decodes to the same: readings, protection pages, information, limits.
 */
#include "fuzz.h"
#include "l2.h"

static void check_fields(const struct field *field, size_t count, const struct l2 *frame)
{
	int64_t raw[64];
	int64_t again[64];
	uint8_t body[L2_MAX] = { 0 };

	assert(count <= 64);
	fields_decode(field, count, frame->body, frame->body_n, raw);
	fields_encode(field, count, raw, body, frame->body_n);
	fields_decode(field, count, body, frame->body_n, again);
	assert(memcmp(raw, again, count * sizeof(raw[0])) == 0);
	for (size_t i = 0; i < count; i++) {
		double physical = field_physical(&field[i], raw[i]);

		assert((raw[i] == FIELD_ABSENT) == (physical != physical));
		/* a period of 0 is infinite, where the frame cannot say that there is none */
		assert(raw[i] == 0 || field_raw(&field[i], physical) == raw[i]);
	}
}

static void check_commands(const struct l2 *frame)
{
	uint8_t out[L2_MAX];
	struct l2_info info;
	struct l2 again;
	bool broadcast = false;
	int w = l2_limit_w(frame);

	assert(l2_command_name(l2_command(frame, &broadcast)));
	if (w >= L2_LIMIT_MIN_W && w <= L2_LIMIT_MAX_W) {
		assert(l2_limit((unsigned int)w, out, sizeof(out)) == L2_SHORT);
		assert(l2_parse(out, L2_SHORT, &again) == 0 && l2_limit_w(&again) == w);
	}
	if (l2_info_decode(frame, &info) == 0) {
		int n = l2_info_build(&info, out, sizeof(out));
		struct l2_info same;

		assert(n > 0 || info.version / 1000 > UINT16_MAX);
		if (n > 0) {
			assert(l2_parse(out, (size_t)n, &again) == 0);
			assert(l2_info_decode(&again, &same) == 0);
			assert(same.model == info.model && same.version == info.version);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct l2 frame = { .n = SIZE_MAX };
	int64_t raw[L2_TELEMETRY_COUNT];
	uint8_t out[L2_MAX];

	if (l2_parse(data, size, &frame) < 0) {
		assert(frame.n == SIZE_MAX);
		return 0;
	}
	assert(frame.n <= size && frame.n <= L2_MAX && frame.n == frame.body_n + L2_OVERHEAD);
	assert(frame.body == data + 4);
	if (l2_telemetry_decode(&frame, raw) == 0) {
		check_fields(l2_telemetry_field, L2_TELEMETRY_COUNT, &frame);
		assert(l2_telemetry_build(raw, out, sizeof(out)) ==
		       L2_TELEMETRY_BODY + L2_OVERHEAD);
	}
	for (int page = 0; page < L2_PAGES; page++) {
		check_fields(l2_page[page].field, l2_page[page].count, &frame);
	}
	check_commands(&frame);
	assert(l2_build(frame.command, frame.body, frame.body_n, out, sizeof(out)) == (int)frame.n);
	return 0;
}
