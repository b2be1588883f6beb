// SPDX-License-Identifier: GPL-2.0-only
/*
 * The firmware's event ring: transitions, trips and clearings.
 */
#include <linux/device.h>
#include <linux/io.h>
#include <linux/minmax.h>
#include <linux/sysfs.h>

#include "qs1.h"

/*
 * A line of the attribute is at most 101 characters (ten and twenty digits,
 * "transition", "momentary-cessation", two "ground-fault", eleven digits), and
 * an attribute holds a page: the newest 40 always fit into 4096.
 */
#define QS1_EVENTS_SHOWN 40u

static const char *qs1_event_kind(u16 kind)
{
	switch (kind) {
	case QS1_EVENT_TRANSITION:
		return "transition";
	case QS1_EVENT_TRIP:
		return "trip";
	case QS1_EVENT_CLEAR:
		return "clear";
	default:
		return "unknown";
	}
}

/* False if event @number has been, or is being, overwritten. */
static bool qs1_event_read(struct qs1 *qs1, u32 number, struct qs1_event *event)
{
	struct qs1_event __iomem *entry = &qs1->shm->events.event[number % QS1_EVENTS];

	if (readl(&entry->seq) != number)
		return false;
	memcpy_fromio(event, entry, sizeof(*event));
	rmb(); /* the copy is done before seq is read again */
	return readl(&entry->seq) == number;
}

/**
 * qs1_events_show() - the newest events as text, oldest first
 * @qs1: inverter
 * @buf: a page
 *
 * Return: bytes written, or -ENODATA if the firmware does not run.
 */
ssize_t qs1_events_show(struct qs1 *qs1, char *buf)
{
	struct qs1_event event;
	int len = 0;
	u32 head;
	u32 i;

	if (!qs1_running(qs1))
		return -ENODATA;

	head = readl(&qs1->shm->events.head);
	for (i = min(head, QS1_EVENTS_SHOWN); i > 0; i--) {
		if (!qs1_event_read(qs1, head - i + 1, &event))
			continue;
		len += sysfs_emit_at(buf, len, "%u %llu %s %s %s %s %d\n", event.seq, event.ticks,
				     qs1_event_kind(event.kind), qs1_cause_name(event.cause),
				     qs1_state_name(event.from), qs1_state_name(event.to),
				     event.value);
	}
	return len;
}

/* Show the recorder what came after the event that readers were told of. */
static void qs1_events_record(struct qs1 *qs1, u32 head)
{
	u32 count = head - qs1->event_head;
	struct qs1_event event;
	u32 i;

	/* A firmware that started anew counts from 1; older ones are overwritten. */
	if (head < qs1->event_head)
		count = head;
	for (i = min(count, QS1_EVENTS); i > 0; i--)
		if (qs1_event_read(qs1, head - i + 1, &event))
			qs1_trip_event(qs1, &event);
}

/**
 * qs1_events_notify() - wake who polls the attributes when there is news
 * @qs1: inverter
 *
 * Context: the interrupt's thread only.
 */
void qs1_events_notify(struct qs1 *qs1)
{
	u32 head = readl(&qs1->shm->events.head);

	if (head == qs1->event_head)
		return;
	qs1_events_record(qs1, head);
	qs1->event_head = head;
	sysfs_notify(&qs1->dev->kobj, NULL, "events");
	sysfs_notify(&qs1->dev->kobj, NULL, "state");
	sysfs_notify(&qs1->dev->kobj, NULL, "faults_latched");
}
