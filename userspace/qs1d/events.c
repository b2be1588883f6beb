// SPDX-License-Identifier: GPL-2.0-only
#include "events.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include <qs1/abi.h>

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

static int parse_firmware(const char *line, struct event *found, uint64_t *ret_ticks)
{
	int used = 0;

	*found = (struct event){ .source = "firmware" };
	if (sscanf(line, "%" SCNu32 " %" SCNu64 " %15s %23s %15s %15s %" SCNd32 "%n",
		   &found->firmware_seq, ret_ticks, found->kind, found->cause, found->from,
		   found->to, &found->value, &used) != 7 ||
	    line[used]) {
		return -EINVAL;
	}
	return 0;
}

/* Called for each line; a negative return ends the walk. */
typedef int (*line_fn)(struct events *events, const char *line, void *ctx);

static int each_line(struct events *events, const char *text, line_fn fn, void *ctx)
{
	int sum = 0;

	while (*text) {
		size_t n = strcspn(text, "\n");
		char line[160];
		int ret;

		if (n >= sizeof(line)) {
			return -EINVAL;
		}
		memcpy(line, text, n);
		line[n] = '\0';
		ret = fn(events, line, ctx);
		if (ret < 0) {
			return ret;
		}
		sum += ret;
		text += n + (text[n] == '\n');
	}
	return sum;
}

/* 1 when the firmware's ring continues after the newest kept entry. */
static int goes_on(struct events *events, const char *line, void *ctx)
{
	const struct event *newest = ctx;
	struct event found;
	uint64_t ticks;

	if (parse_firmware(line, &found, &ticks) < 0 || found.firmware_seq < events->firmware_seq) {
		return 0;
	}
	if (found.firmware_seq > events->firmware_seq) {
		return 1;
	}
	return !strcmp(found.kind, newest->kind) && !strcmp(found.cause, newest->cause) &&
			       !strcmp(found.from, newest->from) && !strcmp(found.to, newest->to) &&
			       found.value == newest->value
		       ? 1
		       : -EINVAL;
}

/* When and at what telemetry time the lines are read. */
struct reading {
	struct event_time now;
	uint64_t ticks;
};

static int take_line(struct events *events, const char *line, void *ctx)
{
	const struct reading *reading = ctx;
	struct event found;
	uint64_t ticks, age_ms = 0;

	if (parse_firmware(line, &found, &ticks) < 0) {
		return -EINVAL;
	}
	if (found.firmware_seq <= events->firmware_seq) {
		return 0;
	}
	events->firmware_seq = found.firmware_seq;
	if (reading->ticks > ticks) {
		age_ms = (reading->ticks - ticks) / (QS1_CONTROL_HZ / 1000);
	}
	found.number = events->newest + 1;
	found.boot = events->boot;
	found.real_ms = reading->now.real_ms - age_ms;
	found.mono_ms = reading->now.mono_ms - age_ms;
	*add(events) = found;
	return 1;
}

int events_firmware(struct events *events, const char *text, struct event_time now, uint64_t ticks)
{
	struct reading reading = { .now = now, .ticks = ticks };

	if (events->resumed) {
		struct event newest = *newest_of_firmware(events);

		if (each_line(events, text, goes_on, &newest) <= 0) {
			events->firmware_seq = 0;
		}
		events->resumed = false;
	}
	return each_line(events, text, take_line, &reading);
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
