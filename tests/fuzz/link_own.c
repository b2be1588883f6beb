// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Our own messages, from parts that each have their length in front; then the body as each kind
 * of message. And sealed messages: nothing but what was sealed is accepted.
 */
#include "fuzz.h"
#include "marks.h"
#include "own.h"

static const struct seal_key key = { { 1, 2, 3 } };

static void check_status(const uint8_t *body, size_t n)
{
	struct own_identity identity;
	struct own_identity again;
	int64_t raw[OWN_STATUS_COUNT];
	int64_t back[OWN_STATUS_COUNT];
	uint8_t out[OWN_STATUS_BYTES];

	if (own_status_parse(body, n, &identity, raw) == 0) {
		own_status_put(&identity, raw, out);
		assert(own_status_parse(out, sizeof(out), &again, back) == 0);
		assert(memcmp(raw, back, sizeof(raw)) == 0);
		assert(serial_equal(&identity.serial, &again.serial) &&
		       identity.boot == again.boot && identity.counter == again.counter);
	}
}

static void check_events(const uint8_t *body, size_t n)
{
	uint32_t from;
	uint8_t max;

	own_events_request_parse(body, n, &from, &max);
	while (n > 0) {
		struct own_event event = { 0 };
		struct own_event again = { 0 };
		uint8_t out[256];
		int used = own_event_parse(body, n, &event);

		if (used < 0) {
			return;
		}
		assert(used > 0 && (size_t)used <= n);
		assert(own_event_kind_name(event.kind)[0] != '?');
		assert(own_event_put(&event, out, sizeof(out)) <= used);
		assert(own_event_parse(out, sizeof(out), &again) > 0);
		assert(again.number == event.number && again.value == event.value &&
		       !strcmp(again.text, event.text));
		body += used;
		n -= (size_t)used;
	}
}

static void check_angles(const uint8_t *body, size_t n)
{
	static struct marks marks;
	uint8_t out[OWN_ANGLES_MAX * OWN_ANGLE_BYTES];
	struct own_angle angle;
	uint16_t mark = 0;

	own_mark_parse(body, n, &mark);
	while (own_angle_parse(body, n, &angle) == 0) {
		assert(angle.deg >= 0 && angle.deg < 360);
		marks_put(&marks, 1, &angle);
		body += OWN_ANGLE_BYTES;
		n -= OWN_ANGLE_BYTES;
	}
	n = marks_from(&marks, mark, out);
	assert(n <= sizeof(out) && n % OWN_ANGLE_BYTES == 0);
}

static void check_pair(const uint8_t *body, size_t n)
{
	for (int type = 0; type < 256; type++) {
		struct own_pair pair;
		uint8_t out[OWN_PAIR_MAX];

		if (own_pair_parse((enum own_type)type, body, n, &pair) == 0) {
			assert(own_pair_put((enum own_type)type, &pair, out, sizeof(out)) ==
			       (int)n);
			assert(memcmp(out, body, n) == 0);
		}
	}
}

static void check_seal(const uint8_t *body, size_t n)
{
	struct seal_head head = { SEAL_COMMAND, { { 0x80, 0x60, 0, 0, 0, 1 } }, 5, 6 };
	struct seal_head expected = head;
	uint8_t out[OWN_MESSAGE_MAX + SEAL_OVERHEAD];
	const uint8_t *opened;
	uint32_t counter;
	size_t opened_n;
	int sealed;

	expected.counter = 5;
	assert(seal_check(&key, &expected, body, n, &counter, &opened, &opened_n) < 0);
	sealed = seal_make(&key, &head, body, n, out, sizeof(out));
	assert(sealed == (int)n + SEAL_OVERHEAD);
	assert(seal_check(&key, &expected, out, (size_t)sealed, &counter, &opened, &opened_n) == 0);
	assert(counter == 6 && opened_n == n && (n == 0 || memcmp(opened, body, n) == 0));
	out[n % (size_t)sealed] ^= 1;
	assert(seal_check(&key, &expected, out, (size_t)sealed, &counter, &opened, &opened_n) < 0);
}

static void check_label(const uint8_t *data, size_t size)
{
	char text[128] = "";
	struct serial serial;
	uint8_t code[INSTALL_CODE_BYTES];
	char again[LABEL_TEXT_SIZE];

	memcpy(text, data, size < sizeof(text) ? size : sizeof(text) - 1);
	if (label_parse(text, &serial, code) == 0) {
		assert(label_parse(label_format(again, &serial, code), &serial, code) == 0);
	}
	if (serial_parse(text, &serial) == 0) {
		assert(!strcmp(serial_format(again, &serial), text));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct own_message message;

	check_label(data, size);
	memset(&message, 0, sizeof(message));
	while (size > 1) {
		size_t n = data[0] < size - 1 ? data[0] : size - 1;
		struct own_part part;

		if (own_parse(data + 1, n, &part) == 0 && own_collect(&message, &part)) {
			assert(message.n <= OWN_MESSAGE_MAX);
			assert(own_parts(message.n) == message.parts || message.n == 0 ||
			       message.n % OWN_PART_BYTES == 0);
			check_status(message.body, message.n);
			check_events(message.body, message.n);
			check_angles(message.body, message.n);
			check_pair(message.body, message.n);
			check_seal(message.body, message.n);
		}
		data += n + 1;
		size -= n + 1;
	}
	return 0;
}
