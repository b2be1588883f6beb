// SPDX-License-Identifier: GPL-2.0-or-later
#include "l2.h"

#include <errno.h>
#include <string.h>

#include "bytes.h"

#define MARK_HEAD 0xfb
#define MARK_TAIL 0xfe
#define OFFSET_N 2
#define OFFSET_COMMAND 3
#define OFFSET_BODY 4
#define SUM_BYTES 2
#define TAIL_BYTES 2
/* Of the sum and the tail, after the body. */
#define AFTER_BODY (SUM_BYTES + TAIL_BYTES)

#define LIMIT_SUB_COMMAND 0x8c02

static uint16_t sum(const uint8_t *frame, size_t body_n)
{
	uint16_t sum = 0;

	for (size_t i = OFFSET_N; i < OFFSET_BODY + body_n; i++) {
		sum = (uint16_t)(sum + frame[i]);
	}
	return sum;
}

static bool is_tail(const uint8_t *at)
{
	return at[0] == MARK_TAIL && at[1] == MARK_TAIL;
}

/* Where the tail is: @at, or after it, or before it. SIZE_MAX for nowhere. */
static size_t find_tail(const uint8_t *bytes, size_t n, size_t at)
{
	const size_t first = OFFSET_BODY + SUM_BYTES;

	for (size_t i = at; i + TAIL_BYTES <= n; i++) {
		if (is_tail(bytes + i)) {
			return i;
		}
	}
	for (size_t i = (at < n ? at : n); i > first; i--) {
		if (i - 1 + TAIL_BYTES <= n && is_tail(bytes + i - 1)) {
			return i - 1;
		}
	}
	return SIZE_MAX;
}

int l2_parse(const uint8_t *bytes, size_t n, struct l2 *ret)
{
	size_t tail;
	size_t stated;
	size_t body_n;
	uint16_t found;

	if (n < 2 || bytes[0] != MARK_HEAD || bytes[1] != MARK_HEAD) {
		return -EPROTO;
	}
	if (n < L2_OVERHEAD) {
		return -ENODATA;
	}
	/* The length counts the command. */
	stated = bytes[OFFSET_N] ? bytes[OFFSET_N] - 1u : 0;
	tail = find_tail(bytes, n < L2_MAX ? n : L2_MAX, OFFSET_BODY + stated + SUM_BYTES);
	if (tail == SIZE_MAX) {
		return -ENODATA;
	}
	body_n = tail - SUM_BYTES - OFFSET_BODY;
	found = (uint16_t)bytes_get_be(bytes + tail - SUM_BYTES, SUM_BYTES);
	if (found != 0 && found != sum(bytes, body_n)) {
		return -EBADMSG;
	}
	*ret = (struct l2){
		.command = bytes[OFFSET_COMMAND],
		.body = bytes + OFFSET_BODY,
		.body_n = body_n,
		.stated_n = stated,
		.sum = found ? L2_SUM_RIGHT : L2_SUM_NONE,
		.n = tail + TAIL_BYTES,
	};
	return 0;
}

int l2_build(uint8_t command, const uint8_t *body, size_t body_n, uint8_t *out, size_t size)
{
	if (body_n > L2_MAX - L2_OVERHEAD || size < L2_OVERHEAD + body_n) {
		return -ENOSPC;
	}
	out[0] = out[1] = MARK_HEAD;
	out[OFFSET_N] = (uint8_t)(body_n + 1);
	out[OFFSET_COMMAND] = command;
	if (body_n > 0) {
		memmove(out + OFFSET_BODY, body, body_n);
	}
	bytes_put_be(out + OFFSET_BODY + body_n, SUM_BYTES, sum(out, body_n));
	memset(out + OFFSET_BODY + body_n + SUM_BYTES, MARK_TAIL, TAIL_BYTES);
	return (int)(L2_OVERHEAD + body_n);
}

static const struct {
	const char *name;
	uint8_t one;
	uint8_t all;
} command_desc[L2_COMMAND_COUNT] = { [L2_COMMAND_UNKNOWN] = { "unknown command", 0, 0 },
#define X(id, name, one, all, sure, source) [L2_##id] = { name, one, all },
				     L2_COMMANDS(X)
#undef X
};

enum l2_command l2_command(const struct l2 *frame, bool *ret_broadcast)
{
	for (enum l2_command c = L2_COMMAND_UNKNOWN + 1; c < L2_COMMAND_COUNT; c++) {
		if (frame->command == command_desc[c].one) {
			*ret_broadcast = false;
			return c;
		}
		if (command_desc[c].all && frame->command == command_desc[c].all) {
			*ret_broadcast = true;
			return c;
		}
	}
	return L2_COMMAND_UNKNOWN;
}

const char *l2_command_name(enum l2_command command)
{
	return command_desc[(unsigned int)command < L2_COMMAND_COUNT ? command : 0].name;
}

int l2_request(enum l2_command command, uint8_t *out, size_t size)
{
	static const uint8_t body[L2_SHORT_BODY];

	if (command == L2_LIMIT || (unsigned int)command >= L2_COMMAND_COUNT ||
	    command == L2_COMMAND_UNKNOWN) {
		return -EINVAL;
	}
	return l2_build(command_desc[command].one, body, sizeof(body), out, size);
}

int l2_limit(unsigned int panel_w, uint8_t *out, size_t size)
{
	uint8_t body[L2_SHORT_BODY] = { 0 };

	if (panel_w < L2_LIMIT_MIN_W || panel_w > L2_LIMIT_MAX_W) {
		return -ERANGE;
	}
	bytes_put_be(body, 2, LIMIT_SUB_COMMAND);
	bytes_put_be(body + 2, 2, panel_w * L2_LIMIT_FACTOR >> 8);
	return l2_build(command_desc[L2_LIMIT].one, body, sizeof(body), out, size);
}

int l2_limit_w(const struct l2 *frame)
{
	if (frame->body_n < 4 || bytes_get_be(frame->body, 2) != LIMIT_SUB_COMMAND) {
		return -EINVAL;
	}
	return (int)((bytes_get_be(frame->body + 2, 2) * 256 + L2_LIMIT_FACTOR / 2) /
		     L2_LIMIT_FACTOR);
}

enum l2_reply l2_reply(const struct l2 *frame)
{
	bool is_short = frame->n == L2_SHORT;

	switch (frame->command) {
	case L2_BYTE_TELEMETRY:
		return L2_REPLY_TELEMETRY;
	case L2_BYTE_PAGE_A:
		return L2_REPLY_PAGE_A;
	case L2_BYTE_PAGE_B:
		return is_short ? L2_REPLY_DONE : L2_REPLY_PAGE_B;
	case L2_BYTE_REFUSED:
		return is_short ? L2_REPLY_REFUSED : L2_REPLY_UNKNOWN;
	case L2_BYTE_PAGE_C:
		return L2_REPLY_PAGE_C;
	default:
		return l2_info_decode(frame, &(struct l2_info){ 0 }) == 0 ? L2_REPLY_INFO
									  : L2_REPLY_UNKNOWN;
	}
}

int l2_acknowledge(bool done, uint8_t *out, size_t size)
{
	static const uint8_t body[L2_SHORT_BODY];

	return l2_build(done ? L2_BYTE_DONE : L2_BYTE_REFUSED, body, sizeof(body), out, size);
}

/*
 * The three forms of the reply to L2_INFO, as openaps reads them (codec/info_test.go): bytes of
 * the frame, its command, whether DC follows as the first byte of the body, and where in the body
 * model and the three parts of the version are, each of two bytes but the model; 0xff for none.
 */
#define NO_PART 0xff
static const struct {
	uint8_t n;
	uint8_t command;
	uint8_t skip;
	uint8_t model;
	uint8_t part[3];
	uint32_t weight[3];
} info_form[] = {
	{ 16, 0xdc, 0, 0, { 1, NO_PART, 4 }, { 1000, 0, 1 } },
	{ 17, 0xdd, 1, 1, { 2, NO_PART, 5 }, { 1000, 0, 1 } },
	{ 19, 0xdd, 1, 1, { 2, 5, 9 }, { 1000000, 1000, 1 } },
};

int l2_info_decode(const struct l2 *frame, struct l2_info *ret)
{
	for (size_t i = 0; i < sizeof(info_form) / sizeof(info_form[0]); i++) {
		struct l2_info info = { 0 };

		if (frame->n != info_form[i].n || frame->command != info_form[i].command ||
		    (info_form[i].skip && frame->body[0] != 0xdc)) {
			continue;
		}
		info.model = frame->body[info_form[i].model];
		for (int part = 0; part < 3; part++) {
			if (info_form[i].part[part] != NO_PART) {
				info.version += info_form[i].weight[part] *
						(uint32_t)bytes_get_be(
							frame->body + info_form[i].part[part], 2);
			}
		}
		*ret = info;
		return 0;
	}
	return -EINVAL;
}

int l2_info_build(const struct l2_info *info, uint8_t *out, size_t size)
{
	uint8_t body[8] = { info->model };

	if (info->version / 1000 > UINT16_MAX) {
		return -ERANGE;
	}
	bytes_put_be(body + info_form[0].part[0], 2, info->version / 1000);
	bytes_put_be(body + info_form[0].part[2], 2, info->version % 1000);
	return l2_build(info_form[0].command, body, sizeof(body), out, size);
}

const struct field l2_telemetry_field[] = {
#define X(id, name_, unit_, offset_, layout, conversion, missing_, sure_, source_)                 \
	[L2_##id] = { .name = name_,                                                               \
		      .unit = unit_,                                                               \
		      .offset = offset_,                                                           \
		      layout,                                                                      \
		      conversion,                                                                  \
		      .missing = missing_,                                                         \
		      .sure = FIELD_##sure_,                                                       \
		      .source = source_ },
	L2_TELEMETRY_FIELDS(X)
#undef X
};

int l2_telemetry_decode(const struct l2 *frame, int64_t raw[L2_TELEMETRY_COUNT])
{
	const struct field *last = &l2_telemetry_field[L2_ENERGY_D];
	bool whole = frame->command == L2_BYTE_TELEMETRY &&
		     frame->body_n >= (size_t)last->offset + last->bytes;

	fields_decode(l2_telemetry_field, L2_TELEMETRY_COUNT, frame->body,
		      whole ? frame->body_n : 0, raw);
	return whole ? 0 : -EINVAL;
}

int l2_telemetry_build(const int64_t raw[L2_TELEMETRY_COUNT], uint8_t *out, size_t size)
{
	uint8_t body[L2_TELEMETRY_BODY] = { 0 };
	int n;

	fields_encode(l2_telemetry_field, L2_TELEMETRY_COUNT, raw, body, sizeof(body));
	n = l2_build(L2_BYTE_TELEMETRY, body, sizeof(body), out, size);
	if (n > 0) {
		bytes_put_be(out + n - AFTER_BODY, SUM_BYTES, 0);
	}
	return n;
}

const char *l2_status_name(unsigned int bit)
{
	switch (bit) {
#define X(id, bit, name)                                                                           \
	case (bit):                                                                                \
		return name;
		L2_STATUS_BITS(X)
#undef X
	default:
		return NULL;
	}
}

#define X(id, name_, unit_, offset_, layout, sure_, source_)                                       \
	{ .name = name_,                                                                           \
	  .unit = unit_,                                                                           \
	  .offset = offset_,                                                                       \
	  layout,                                                                                  \
	  .sure = FIELD_##sure_,                                                                   \
	  .source = source_ },
static const struct field page_a_field[] = { L2_PAGE_A_FIELDS(X) };
static const struct field page_b_field[] = { L2_PAGE_B_FIELDS(X) };
static const struct field page_c_field[] = { L2_PAGE_C_FIELDS(X) };
#undef X

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
const struct l2_page_desc l2_page[L2_PAGES] = {
	[L2_A] = { page_a_field, COUNT(page_a_field), L2_BYTE_PAGE_A, 62 },
	[L2_B] = { page_b_field, COUNT(page_b_field), L2_BYTE_PAGE_B, 76 },
	[L2_C] = { page_c_field, COUNT(page_c_field), L2_BYTE_PAGE_C, 76 },
};
