// SPDX-License-Identifier: GPL-2.0-only
/*
 * The waveform around the last trip that took the unit off the grid.
 *
 * The firmware always writes its ring, also when no program streams. Half
 * its length after a trip, 0.2 s with 8192 scans at 20 kHz, it holds as much
 * from before as from after, and is copied. Nothing is done until then, so the
 * recorder costs a running unit no time.
 */
#include <linux/cleanup.h>
#include <linux/device.h>
#include <linux/io.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/mutex.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

#include <qs1/trip_wave.h>

#include "qs1.h"
#include "ring.h"

/**
 * struct qs1_trip - the recorder
 * @qs1: inverter
 * @work: copies the ring
 * @event: the trip to be recorded by @work, while @work is pending; guarded by struct qs1.news_lock
 * @lock: guards what follows
 * @head: of the last recording; its magic is 0 before the first one
 * @scans: of the last recording
 * @spare: takes the next one, so that a copy that fails leaves the last one
 */
struct qs1_trip {
	struct qs1 *qs1;
	struct delayed_work work;
	struct qs1_event event;
	struct mutex lock; /* see above */
	struct qs1_trip_wave head;
	struct qs1_scan *scans;
	struct qs1_scan *spare;
};

/* States in which the relay is closed, or closing. */
#define QS1_ON_GRID                                                                                \
	(BIT(QS1_STATE_CONNECTING) | BIT(QS1_STATE_PRODUCING) | BIT(QS1_STATE_DERATING) |          \
	 BIT(QS1_STATE_CEASED))

/**
 * qs1_trip_event() - schedule a recording if the event is such a trip
 * @qs1: inverter
 * @event: new in the firmware's ring
 *
 * The first of several trips is the cause of the others and is kept.
 *
 * Context: from qs1_news() only.
 */
void qs1_trip_event(struct qs1 *qs1, const struct qs1_event *event)
{
	struct qs1_trip *trip = qs1->trip;
	u32 half = (1u << qs1->fw.wave_log2) / 2;

	if (event->kind != QS1_EVENT_TRIP || event->from >= QS1_STATE_COUNT ||
	    !(BIT(event->from) & QS1_ON_GRID) || delayed_work_pending(&trip->work))
		return;
	trip->event = *event;
	schedule_delayed_work(&trip->work,
			      msecs_to_jiffies(half * MSEC_PER_SEC / qs1->fw.control_hz));
}

/*
 * Copy the ring to @spare, without the scan at the head, which the firmware is writing. A firmware
 * that has just started has not filled the ring.
 *
 * Return: number of complete scans.
 */
static u32 qs1_trip_copy(struct qs1_trip *trip)
{
	struct qs1_shm __iomem *shm = trip->qs1->shm;
	u32 size = 1u << trip->qs1->fw.wave_log2;
	u32 head = readl(&shm->wave.head);
	u32 whole = min(head, size - 1);
	u32 first = head - whole;
	u32 done, count, overtaken;

	for (done = 0; done < whole; done += count) {
		count = qs1_ring_chunk(first + done, whole - done, size);
		memcpy_fromio(trip->spare + done, shm->wave.scan + ((first + done) & (size - 1)),
			      count * sizeof(*trip->spare));
	}
	rmb(); /* the copy is done before head is read again */
	overtaken = qs1_ring_overtaken(first, whole, readl(&shm->wave.head), size);
	memmove(trip->spare, trip->spare + overtaken, (whole - overtaken) * sizeof(*trip->spare));
	return whole - overtaken;
}

/* The copy misses the trip if the firmware was started again or the work ran too late. */
static void qs1_trip_work(struct work_struct *work)
{
	struct qs1_trip *trip = container_of(work, struct qs1_trip, work.work);
	struct qs1 *qs1 = trip->qs1;
	u32 count, index, age;
	struct qs1_event event;

	scoped_guard(mutex, &qs1->news_lock)
		event = trip->event;
	guard(mutex)(&trip->lock);

	count = qs1_trip_copy(trip);
	index = count ? (u32)event.ticks - trip->spare[0].seq : 0;
	if (index >= count)
		return;
	swap(trip->scans, trip->spare);
	age = count - 1 - index;
	trip->head = (struct qs1_trip_wave){
		.magic = QS1_TRIP_WAVE_MAGIC,
		.number = trip->head.number + 1,
		.control_hz = qs1->fw.control_hz,
		.count = count,
		.trip = index,
		.fault = event.cause - QS1_CAUSE_FAULT_BASE,
		.state = event.from,
		.value = event.value,
		.ticks = event.ticks,
		.real_ns =
			ktime_get_real_ns() - div_u64((u64)age * NSEC_PER_SEC, qs1->fw.control_hz),
	};
}

static ssize_t trip_wave_read(struct file *file, struct kobject *kobj,
			      QS1_BIN_CONST struct bin_attribute *attr, char *buf, loff_t offset,
			      size_t size)
{
	struct qs1 *qs1 = dev_get_drvdata(kobj_to_dev(kobj));
	struct qs1_trip *trip = qs1->trip;
	ssize_t from_head, from_scans;

	guard(mutex)(&trip->lock);

	if (!trip->head.magic)
		return -ENODATA;
	from_head = memory_read_from_buffer(buf, size, &offset, &trip->head, sizeof(trip->head));
	if (from_head < 0)
		return from_head;
	offset -= sizeof(trip->head);
	if (offset < 0)
		return from_head;
	from_scans = memory_read_from_buffer(buf + from_head, size - from_head, &offset,
					     trip->scans, trip->head.count * sizeof(*trip->scans));
	return from_scans < 0 ? from_scans : from_head + from_scans;
}

static BIN_ATTR_RO(trip_wave, 0);

static void qs1_trip_free(void *data)
{
	struct qs1_trip *trip = data;

	vfree(trip->scans);
	vfree(trip->spare);
}

static void qs1_trip_end(void *data)
{
	struct qs1_trip *trip = data;

	sysfs_remove_bin_file(&trip->qs1->dev->kobj, &bin_attr_trip_wave);
	cancel_delayed_work_sync(&trip->work);
}

/**
 * devm_qs1_trip_init() - the recorder, and its attribute on the parent device
 * @qs1: inverter
 *
 * Return: 0 or a negative errno.
 */
int devm_qs1_trip_init(struct qs1 *qs1)
{
	struct qs1_trip *trip;
	int ret;

	trip = devm_kzalloc(qs1->dev, sizeof(*trip), GFP_KERNEL);
	if (!trip)
		return -ENOMEM;
	ret = devm_mutex_init(qs1->dev, &trip->lock);
	if (ret)
		return ret;
	ret = devm_add_action(qs1->dev, qs1_trip_free, trip);
	if (ret)
		return ret;
	trip->scans = vmalloc(sizeof(*trip->scans) << QS1_WAVE_LOG2_MAX);
	trip->spare = vmalloc(sizeof(*trip->spare) << QS1_WAVE_LOG2_MAX);
	if (!trip->scans || !trip->spare)
		return -ENOMEM;
	trip->qs1 = qs1;
	qs1->trip = trip;
	INIT_DELAYED_WORK(&trip->work, qs1_trip_work);
	ret = sysfs_create_bin_file(&qs1->dev->kobj, &bin_attr_trip_wave);
	return ret ? ret : devm_add_action_or_reset(qs1->dev, qs1_trip_end, trip);
}
