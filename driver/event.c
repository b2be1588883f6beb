// SPDX-License-Identifier: GPL-2.0-only
/*
 * The firmware's event ring, with transitions, trips and cleared latches, and
 * changes of state and faults.
 */
#include <linux/cleanup.h>
#include <linux/device.h>
#include <linux/io.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "qs1.h"
#include "trace.h"

/* The telemetry from status to faults_latched, in words. */
#define QS1_HEALTH_WORD(member)                                                                    \
	((offsetof(struct qs1_telemetry, member) - offsetof(struct qs1_telemetry, status)) /       \
	 sizeof(u32))
#define QS1_HEALTH_WORDS (QS1_HEALTH_WORD(faults_latched) + 1)

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
 * qs1_events_read() - the newest events, oldest first
 * @qs1: inverter
 * @events: room for @count
 * @count: how many at most
 *
 * What the firmware overwrites meanwhile is left out.
 *
 * Return: how many were read, or -ENODATA if the firmware does not run.
 */
int qs1_events_read(struct qs1 *qs1, struct qs1_event *events, u32 count)
{
	int found = 0;
	u32 head;
	u32 i;

	if (!qs1_running(qs1))
		return -ENODATA;

	head = readl(&qs1->shm->events.head);
	for (i = min3(head, count, QS1_EVENTS); i > 0; i--)
		found += qs1_event_read(qs1, head - i + 1, &events[found]);
	return found;
}

static ssize_t event_log_read(struct file *file, struct kobject *kobj,
			      QS1_BIN_CONST struct bin_attribute *attr, char *buf, loff_t offset,
			      size_t size)
{
	struct qs1_event *events __free(kfree) = kcalloc(QS1_EVENTS, sizeof(*events), GFP_KERNEL);
	int found;

	if (!events)
		return -ENOMEM;
	found = qs1_events_read(dev_get_drvdata(kobj_to_dev(kobj)), events, QS1_EVENTS);
	if (found < 0)
		return found;
	return memory_read_from_buffer(buf, size, &offset, events, found * sizeof(*events));
}

static BIN_ATTR_RO(event_log, QS1_EVENTS * sizeof(struct qs1_event));

static void qs1_event_log_remove(void *data)
{
	struct qs1 *qs1 = data;

	sysfs_remove_bin_file(&qs1->dev->kobj, &bin_attr_event_log);
}

/**
 * devm_qs1_event_log_init() - the attribute event_log on the parent device
 * @qs1: inverter
 *
 * Return: 0 or a negative errno.
 */
int devm_qs1_event_log_init(struct qs1 *qs1)
{
	int ret = sysfs_create_bin_file(&qs1->dev->kobj, &bin_attr_event_log);

	return ret ? ret : devm_add_action_or_reset(qs1->dev, qs1_event_log_remove, qs1);
}

/* Pass the events after the last one that was notified to the tracer and the recorder. */
static void qs1_events_record(struct qs1 *qs1, u32 head)
{
	u32 count = head - qs1->event_head;
	struct qs1_event event;
	u32 i;

	/* A restarted firmware counts from 1. Of more events the ring holds the newest. */
	if (head < qs1->event_head)
		count = head;
	for (i = min(count, QS1_EVENTS); i > 0; i--)
		if (qs1_event_read(qs1, head - i + 1, &event)) {
			trace_qs1_event(qs1->id, &event);
			qs1_trip_event(qs1, &event);
		}
}

/**
 * qs1_events_notify() - wake programs that poll the events, if there are new ones
 * @qs1: inverter
 *
 * Context: from qs1_news() only.
 */
void qs1_events_notify(struct qs1 *qs1)
{
	u32 head = readl(&qs1->shm->events.head);

	lockdep_assert_held(&qs1->news_lock);

	if (head == qs1->event_head)
		return;
	qs1_events_record(qs1, head);
	qs1->event_head = head;
	sysfs_notify(&qs1->dev->kobj, NULL, "event_log");
	qs1_old_notify(qs1, "events");
}

/**
 * qs1_health_notify() - notify a change of state or faults
 * @qs1: inverter
 *
 * The firmware rings again when a snapshot has the change, so a program that is
 * woken here reads the new value.
 *
 * Context: from qs1_news() only.
 */
void qs1_health_notify(struct qs1 *qs1)
{
	struct qs1_telemetry __iomem *telemetry = &qs1->shm->telemetry;
	struct qs1_health_change change = { .old = qs1->health };
	u32 words[QS1_HEALTH_WORDS];

	lockdep_assert_held(&qs1->news_lock);

	/* Usually nothing has changed. To see that, no consistent copy is needed. */
	if ((readl(&telemetry->status) & QS1_STATUS_RINGS) == qs1->health.status &&
	    readl(&telemetry->faults_active) == qs1->health.faults_active &&
	    readl(&telemetry->faults_latched) == qs1->health.faults_latched)
		return;

	if (qs1_telemetry_read(qs1, offsetof(struct qs1_telemetry, status), words, sizeof(words)))
		return;
	qs1->health.status = words[QS1_HEALTH_WORD(status)] & QS1_STATUS_RINGS;
	qs1->health.faults_active = words[QS1_HEALTH_WORD(faults_active)];
	qs1->health.faults_latched = words[QS1_HEALTH_WORD(faults_latched)];
	change.now = qs1->health;

	sysfs_notify(&qs1->dev->kobj, NULL, "state");
	sysfs_notify(&qs1->dev->kobj, NULL, "fault_flags_latched");
	qs1_old_notify(qs1, "faults_latched");
	blocking_notifier_call_chain(&qs1->notifier, QS1_NOTIFY_HEALTH, &change);
}
