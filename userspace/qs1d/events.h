/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The event log: what the firmware reported and what policy did, numbered from
 * 1 since the daemon started.
 */
#ifndef QS1D_EVENTS_H
#define QS1D_EVENTS_H

#include <stdint.h>

#include <json-c/json.h>

#include "../lib/util.h"

#define EVENTS_KEPT 256

/**
 * struct event - one entry
 * @number: from 1
 * @real_ms: wall-clock time, ms since 1970
 * @mono_ms: monotonic time, ms
 * @source: "firmware" or "policy"
 * @kind: firmware: "transition", "trip", "clear"; policy: the action
 * @cause: firmware: name of the cause or fault
 * @from: firmware: state before
 * @to: firmware: state after
 * @value: firmware: the measured quantity of a trip, in its telemetry unit
 * @text: policy: the rest of the story
 */
struct event {
	uint64_t number;
	int64_t real_ms;
	int64_t mono_ms;
	const char *source;
	char kind[16];
	char cause[24];
	char from[16];
	char to[16];
	int32_t value;
	char text[160];
};

/**
 * struct events - the newest EVENTS_KEPT entries
 * @newest: number of the newest, 0 for none
 * @kept: entry n is kept[n % EVENTS_KEPT]
 * @firmware_seq: last number of the firmware's own ring that was taken
 */
struct events {
	uint64_t newest;
	struct event kept[EVENTS_KEPT];
	uint32_t firmware_seq;
};

/* Time of an entry. */
struct event_time {
	int64_t real_ms;
	int64_t mono_ms;
};

/**
 * events_firmware() - take what is new in the driver's "events" attribute
 * @text: lines "seq ticks kind cause from to value", oldest first
 * @now: time of reading
 * @ticks: telemetry time at @now, 0 when unknown: then all are as of now
 *
 * Return: how many were taken, or -EINVAL for a line that is not understood;
 * lines before it are taken.
 */
int events_firmware(struct events *events, const char *text, struct event_time now, uint64_t ticks);

/* The firmware has started anew, its numbers start at 1. */
void events_restart(struct events *events);

/* Add what policy did. */
void events_policy(struct events *events, struct event_time now, const char *kind,
		   const char *format, ...) __printf(4, 5);

/**
 * events_get() - an entry by its number
 *
 * Return: NULL when it is no longer, or not yet, there.
 */
const struct event *events_get(const struct events *events, uint64_t number);

/* The entry as a JSON object, which the caller puts. */
struct json_object *event_json(const struct event *event);

#endif /* QS1D_EVENTS_H */
