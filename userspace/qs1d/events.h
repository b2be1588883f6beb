/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The event log: events of the firmware and actions of policy, numbered from 1
 * over the life of the unit.
 */
#ifndef QS1D_EVENTS_H
#define QS1D_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include <json-c/json.h>

#include <qs1/abi.h>

#include "../lib/util.h"

#define EVENTS_KEPT 256

/**
 * struct event - one entry
 * @number: from 1; a missing one was lost with the power
 * @boot: number of the start of the system that @mono_ms counts from
 * @real_ms: wall-clock time, ms since 1970
 * @mono_ms: monotonic time, ms
 * @source: "firmware" or "policy"
 * @firmware_seq: firmware: its own number of the event
 * @kind: firmware: "transition", "trip", "clear"; policy: the action
 * @cause: firmware: name of the cause or fault
 * @from: firmware: state before
 * @to: firmware: state after
 * @value: firmware: the measured quantity of a trip, in its telemetry unit
 * @text: policy: the event in words
 */
struct event {
	uint64_t number;
	uint32_t boot;
	int64_t real_ms;
	int64_t mono_ms;
	const char *source;
	uint32_t firmware_seq;
	char kind[16];
	char cause[24];
	char from[16];
	char to[16];
	int32_t value;
	char text[160];
};

/**
 * struct events - the newest EVENTS_KEPT entries
 * @boot: this start of the system, see struct event
 * @newest: number of the newest, 0 for none
 * @kept: entry n is kept[n % EVENTS_KEPT]
 * @firmware_seq: last number of the firmware's ring that was taken
 * @resumed: @firmware_seq is that of a kept entry, maybe of another run of the firmware
 */
struct events {
	uint32_t boot;
	uint64_t newest;
	struct event kept[EVENTS_KEPT];
	uint32_t firmware_seq;
	bool resumed;
};

/* Time of an entry. */
struct event_time {
	int64_t real_ms;
	int64_t mono_ms;
};

/**
 * events_firmware() - take the new events of the driver's "event_log"
 * @found: oldest first
 * @count: of them
 * @now: time of reading
 * @ticks: telemetry time at @now, 0 when unknown: then all are as of now
 *
 * Return: how many were taken.
 */
int events_firmware(struct events *events, const struct qs1_event *found, int count,
		    struct event_time now, uint64_t ticks);

/* The firmware has restarted: its numbers start at 1. */
void events_restart(struct events *events);

/*
 * The daemon has started beside a firmware that may have run before: its kept
 * events are not taken again.
 */
void events_resume(struct events *events);

/* Add an event of policy. */
void events_policy(struct events *events, struct event_time now, const char *kind,
		   const char *format, ...) __printf(4, 5);

/**
 * events_get() - an entry by its number
 *
 * Return: NULL when it is not in the log.
 */
const struct event *events_get(const struct events *events, uint64_t number);

/**
 * events_encode() - entries as text lines, oldest first
 * @from: number of the first; when not all fit, the oldest are left out
 *
 * Return: the length of the text.
 */
int events_encode(const struct events *events, uint64_t from, char *text, size_t size);

/**
 * events_decode() - take entries from such text
 *
 * Malformed lines, and entries that are not newer than the newest, are skipped.
 */
void events_decode(struct events *events, const char *text, size_t length);

/* The entry as a JSON object, which the caller puts. */
struct json_object *event_json(const struct event *event);

#endif /* QS1D_EVENTS_H */
