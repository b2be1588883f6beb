// SPDX-License-Identifier: GPL-2.0-only
#include "events.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include <qs1/abi.h>

static struct event *add(struct events *events)
{
	struct event *event = &events->kept[++events->newest % EVENTS_KEPT];

	*event = (struct event){ .number = events->newest };
	return event;
}

void events_restart(struct events *events)
{
	events->firmware_seq = 0;
}

static int take_line(struct events *events, const char *line, struct event_time now,
		     uint64_t now_ticks)
{
	struct event found = { .source = "firmware" };
	uint64_t ticks, age_ms = 0;
	uint32_t seq;
	int used = 0;

	if (sscanf(line, "%" SCNu32 " %" SCNu64 " %15s %23s %15s %15s %" SCNd32 "%n", &seq, &ticks,
		   found.kind, found.cause, found.from, found.to, &found.value, &used) != 7 ||
	    line[used]) {
		return -EINVAL;
	}
	if (seq <= events->firmware_seq) {
		return 0;
	}
	events->firmware_seq = seq;
	if (now_ticks > ticks) {
		age_ms = (now_ticks - ticks) / (QS1_CONTROL_HZ / 1000);
	}
	found.number = events->newest + 1;
	found.real_ms = now.real_ms - age_ms;
	found.mono_ms = now.mono_ms - age_ms;
	*add(events) = found;
	return 1;
}

int events_firmware(struct events *events, const char *text, struct event_time now, uint64_t ticks)
{
	int taken = 0;

	while (*text) {
		size_t n = strcspn(text, "\n");
		char line[160];
		int ret;

		if (n >= sizeof(line)) {
			return -EINVAL;
		}
		memcpy(line, text, n);
		line[n] = '\0';
		ret = take_line(events, line, now, ticks);
		if (ret < 0) {
			return ret;
		}
		taken += ret;
		text += n + (text[n] == '\n');
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
	if (number == 0 || number > events->newest || number + EVENTS_KEPT <= events->newest) {
		return NULL;
	}
	return &events->kept[number % EVENTS_KEPT];
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
