// SPDX-License-Identifier: GPL-2.0-only
#include "events.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include <qs1/abi.h>

#include "../lib/names.h"

static struct event *add(struct events *events)
{
	struct event *event = &events->kept[++events->newest % EVENTS_KEPT];

	*event = (struct event){ .number = events->newest, .boot = events->boot };
	return event;
}

void events_restart(struct events *events)
{
	events->firmware_seq = 0;
	events->resumed = false;
}

/* The newest of the firmware's entries that are kept of this boot, or NULL. */
static const struct event *newest_of_firmware(const struct events *events)
{
	for (uint64_t n = events->newest; n > 0 && n + EVENTS_KEPT > events->newest; n--) {
		const struct event *event = events_get(events, n);

		if (event && event->boot == events->boot && event->firmware_seq) {
			return event;
		}
	}
	return NULL;
}

void events_resume(struct events *events)
{
	const struct event *newest = newest_of_firmware(events);

	events_restart(events);
	if (newest) {
		events->firmware_seq = newest->firmware_seq;
		events->resumed = true;
	}
}

static const char *kind_name(unsigned int kind)
{
	static const char *const kinds[] = {
		[QS1_EVENT_TRANSITION] = "transition",
		[QS1_EVENT_TRIP] = "trip",
		[QS1_EVENT_CLEAR] = "clear",
	};

	return kind < ARRAY_SIZE(kinds) && kinds[kind] ? kinds[kind] : "?";
}

/* A firmware event without number and times. */
static struct event translate(const struct qs1_event *found)
{
	struct event event = { .source = "firmware",
			       .firmware_seq = found->seq,
			       .value = found->value };

	snprintf(event.kind, sizeof(event.kind), "%s", kind_name(found->kind));
	snprintf(event.cause, sizeof(event.cause), "%s", qs1_cause_name(found->cause));
	snprintf(event.from, sizeof(event.from), "%s", qs1_state_name(found->from));
	snprintf(event.to, sizeof(event.to), "%s", qs1_state_name(found->to));
	return event;
}

static bool same(const struct event *a, const struct event *b)
{
	return !strcmp(a->kind, b->kind) && !strcmp(a->cause, b->cause) &&
	       !strcmp(a->from, b->from) && !strcmp(a->to, b->to) && a->value == b->value;
}

/* Does the firmware's ring continue after the newest kept entry? */
static bool goes_on(const struct event *newest, const struct qs1_event *found, int count)
{
	for (int i = 0; i < count; i++) {
		struct event event = translate(&found[i]);

		if (event.firmware_seq >= newest->firmware_seq) {
			return event.firmware_seq > newest->firmware_seq || same(&event, newest);
		}
	}
	return false;
}

int events_firmware(struct events *events, const struct qs1_event *found, int count,
		    struct event_time now, uint64_t ticks)
{
	int taken = 0;

	if (events->resumed && !goes_on(newest_of_firmware(events), found, count)) {
		events->firmware_seq = 0;
	}
	events->resumed = false;
	for (int i = 0; i < count; i++) {
		struct event event = translate(&found[i]);
		uint64_t age_ms = 0;

		if (event.firmware_seq <= events->firmware_seq) {
			continue;
		}
		if (ticks > found[i].ticks) {
			age_ms = (ticks - found[i].ticks) / (QS1_CONTROL_HZ / 1000);
		}
		events->firmware_seq = event.firmware_seq;
		event.number = events->newest + 1;
		event.boot = events->boot;
		event.real_ms = now.real_ms - age_ms;
		event.mono_ms = now.mono_ms - age_ms;
		*add(events) = event;
		taken++;
	}
	return taken;
}

void events_policy(struct events *events, struct event_time now, const char *kind,
		   const char *format, ...)
{
	struct event *event = add(events);
	va_list args;

	event->source = "policy";
	event->real_ms = now.real_ms;
	event->mono_ms = now.mono_ms;
	snprintf(event->kind, sizeof(event->kind), "%s", kind);
	va_start(args, format);
	vsnprintf(event->text, sizeof(event->text), format, args);
	va_end(args);
}

const struct event *events_get(const struct events *events, uint64_t number)
{
	const struct event *event = &events->kept[number % EVENTS_KEPT];

	/* The place of one that was never stored holds an older one, or none. */
	return number > 0 && event->number == number ? event : NULL;
}

/* A word of a line; an empty one has to be seen, too. */
static const char *word(const char *text)
{
	return text[0] ? text : "-";
}

static int format_line(const struct event *event, char *text, size_t size)
{
	return snprintf(text, size,
			"%" PRIu64 " %" PRIu32 " %" PRId64 " %" PRId64 " %s %" PRIu32
			" %s %s %s %s %" PRId32 " %s\n",
			event->number, event->boot, event->real_ms, event->mono_ms, event->source,
			event->firmware_seq, word(event->kind), word(event->cause),
			word(event->from), word(event->to), event->value, word(event->text));
}

int events_encode(const struct events *events, uint64_t from, char *text, size_t size)
{
	uint64_t first = events->newest + 1;
	size_t used = 0;

	while (first > from) {
		const struct event *event = events_get(events, first - 1);

		if (!event) {
			break;
		}
		used += format_line(event, NULL, 0);
		if (used >= size) {
			break;
		}
		first--;
	}
	used = 0;
	for (; first <= events->newest; first++) {
		used += format_line(events_get(events, first), text + used, size - used);
	}
	return used;
}

static void unword(char *text)
{
	if (!strcmp(text, "-")) {
		text[0] = '\0';
	}
}

static bool parse_line(const char *line, struct event *event)
{
	static const char *const sources[] = { "firmware", "policy" };
	char *const words[] = { event->kind, event->cause, event->from, event->to, event->text };
	char source[16];
	int used = 0;

	if (sscanf(line,
		   "%" SCNu64 " %" SCNu32 " %" SCNd64 " %" SCNd64 " %15s %" SCNu32
		   " %15s %23s %15s %15s %" SCNd32 " %159[^\n]%n",
		   &event->number, &event->boot, &event->real_ms, &event->mono_ms, source,
		   &event->firmware_seq, event->kind, event->cause, event->from, event->to,
		   &event->value, event->text, &used) != 12 ||
	    line[used]) {
		return false;
	}
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		unword(words[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		if (!strcmp(source, sources[i])) {
			event->source = sources[i];
		}
	}
	return event->source;
}

void events_decode(struct events *events, const char *text, size_t length)
{
	const char *end = text + length;

	while (text < end) {
		const char *newline = memchr(text, '\n', end - text) ?: end;
		struct event event = { 0 };
		char line[512];

		if ((size_t)(newline - text) < sizeof(line)) {
			memcpy(line, text, newline - text);
			line[newline - text] = '\0';
			if (parse_line(line, &event) && event.number > events->newest &&
			    event.number < UINT64_MAX) {
				events->newest = event.number;
				events->kept[event.number % EVENTS_KEPT] = event;
			}
		}
		text = newline + 1;
	}
}

static void add_text(struct json_object *object, const char *name, const char *text)
{
	if (text[0]) {
		json_object_object_add(object, name, json_object_new_string(text));
	}
}

struct json_object *event_json(const struct event *event)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "number", json_object_new_int64(event->number));
	json_object_object_add(object, "boot", json_object_new_int64(event->boot));
	json_object_object_add(object, "time_ms", json_object_new_int64(event->real_ms));
	json_object_object_add(object, "monotonic_ms", json_object_new_int64(event->mono_ms));
	add_text(object, "source", event->source);
	add_text(object, "kind", event->kind);
	add_text(object, "cause", event->cause);
	add_text(object, "from", event->from);
	add_text(object, "to", event->to);
	if (!strcmp(event->kind, "trip")) {
		json_object_object_add(object, "value", json_object_new_int(event->value));
	}
	add_text(object, "text", event->text);
	return object;
}
