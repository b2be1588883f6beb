// SPDX-License-Identifier: GPL-2.0-only
/*
 * qs1-wave: each control period's scan of all instantaneous channels, from the
 * firmware's ring into an IIO buffer.
 *
 * The firmware never waits. The ring is drained at each doorbell, which comes
 * once per watermark, and when a reader asks for more than the buffer holds.
 * While the buffer is full, scans wait in the ring; those that are overtaken
 * there are counted as lost. There is one buffer, so one that is full is the
 * only reason for a push to fail.
 */
#include <linux/align.h>
#include <linux/bitops.h>
#include <linux/bits.h>
#include <linux/cleanup.h>
#include <linux/device.h>
#include <linux/iio/buffer.h>
#include <linux/iio/buffer_impl.h>
#include <linux/iio/iio.h>
#include <linux/iio/kfifo_buf.h>
#include <linux/iio/sysfs.h>
#include <linux/io.h>
#include <linux/kstrtox.h>
#include <linux/mutex.h>
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "clock.h"
#include "iio.h"
#include "qs1.h"
#include "ring.h"
#include "trace.h"

/* Beside the ADC channels: */
#define QS1_WAVE_PHASE QS1_SCAN_CHANNELS
#define QS1_WAVE_STATUS (QS1_SCAN_CHANNELS + 1)
#define QS1_WAVE_TIMESTAMP (QS1_SCAN_CHANNELS + 2)
#define QS1_WAVE_CHANNELS (QS1_SCAN_CHANNELS + 3)
/* The mask of those: */
#define QS1_WAVE_ADC GENMASK(QS1_SCAN_CHANNELS - 1, 0)

/*
 * One doorbell a millisecond at most, and a quarter of the largest ring. A smaller
 * ring rings when it is half full, as long as it has room for the minimum.
 */
#define QS1_WAVE_WATERMARK_MIN 20
#define QS1_WAVE_WATERMARK_MAX 2048

#define QS1_WAVE_CHUNK 64u

/*
 * What is pushed: the chosen channels in the order of their scan indices, each
 * naturally aligned; the IIO core puts the time stamp behind them. All of them
 * are fourteen words, the phase, a hole, and the status of two words.
 */
struct qs1_wave_sample {
	u16 words[QS1_SCAN_CHANNELS + 4];
	aligned_s64 timestamp;
};

/**
 * struct qs1_wave - the stream
 * @qs1: inverter
 * @indio_dev: the IIO device
 * @nb: in its notifier
 * @lock: guards all that follows; held while pushing, since a buffer has one
 *        writer, and the interrupt and a reader's flush both drain
 * @streaming: buffer is enabled
 * @live: @tail is an index of the running firmware
 * @watermark: scans between two doorbells, as asked for
 * @tail: next scan to take from the ring
 * @seq: sequence number of the last scan taken
 * @seq_known: there was one
 * @clock: maps control periods to the buffer's clock
 * @segment: map of the scans from @tail to @mapped
 * @mapped: end of @segment
 * @scans: copied out of the ring
 * @sample: being pushed
 * @channels: of the IIO device
 * @holder_lock: guards @holder, and orders enabling and disabling
 * @holder: process that enabled the buffer
 * @enable_store: the IIO core's own
 */
struct qs1_wave {
	struct qs1 *qs1;
	struct iio_dev *indio_dev;
	struct notifier_block nb;
	struct mutex lock; /* see above */
	bool streaming;
	bool live;
	u32 watermark;
	u32 tail;
	u32 seq;
	bool seq_known;
	struct qs1_clock clock;
	struct qs1_clock_segment segment;
	u32 mapped;
	struct qs1_scan scans[QS1_WAVE_CHUNK];
	struct qs1_wave_sample sample;
	struct iio_chan_spec channels[QS1_WAVE_CHANNELS];
	struct mutex holder_lock; /* see above */
	struct pid *holder;
	ssize_t (*enable_store)(struct device *dev, struct device_attribute *attr, const char *buf,
				size_t count);
};

static u32 qs1_wave_head(struct qs1_wave *wave)
{
	return readl(&wave->qs1->shm->wave.head);
}

static u32 qs1_wave_size(struct qs1_wave *wave)
{
	return 1u << wave->qs1->fw.wave_log2;
}

/* Scans between two doorbells. */
static u32 qs1_wave_interval(struct qs1_wave *wave)
{
	return min(wave->watermark, max_t(u32, qs1_wave_size(wave) / 2, QS1_WAVE_WATERMARK_MIN));
}

/* Copies within the ring; @first + @count must not pass its end. */
static void qs1_wave_copy(struct qs1_wave *wave, u32 first, u32 count, struct qs1_scan *scans)
{
	struct qs1_scan __iomem *scan = wave->qs1->shm->wave.scan;

	memcpy_fromio(scans, scan + (first & (qs1_wave_size(wave) - 1)), count * sizeof(*scans));
	rmb(); /* the copy is done before head is read again */
}

static void qs1_wave_count_lost(struct qs1_wave *wave, u32 lost)
{
	atomic64_add(lost, &wave->qs1->wave_lost);
}

static void qs1_wave_skip(struct qs1_wave *wave, u32 lost)
{
	wave->tail += lost;
	wave->seq += lost;
	qs1_wave_count_lost(wave, lost);
}

/*
 * From now on, from the newest scan. Scans taken later are numbered from here:
 * index @tail has sequence number @seq + 1.
 */
static void qs1_wave_restart(struct qs1_wave *wave)
{
	struct qs1_scan newest = {};

	wave->tail = qs1_wave_head(wave);
	if (wave->tail)
		qs1_wave_copy(wave, wave->tail - 1, 1, &newest);
	wave->seq = newest.seq;
	wave->seq_known = wave->tail;
	wave->mapped = wave->tail;
	wave->live = true;
	qs1_clock_reset(&wave->clock, wave->tail - 1, iio_get_time_ns(wave->indio_dev),
			wave->qs1->fw.control_hz);
	writel(qs1_wave_interval(wave), &wave->qs1->shm->host.wave_watermark);
}

/*
 * The core could pick the chosen channels out of a whole scan, but it then takes
 * the time stamp from behind the last chosen one, where it is not.
 */
static void qs1_wave_pack(u16 *words, const struct qs1_scan *scan, unsigned long chosen)
{
	unsigned int i;

	if ((chosen & QS1_WAVE_ADC) == QS1_WAVE_ADC) {
		memcpy(words, scan->ch, sizeof(scan->ch));
		words += QS1_SCAN_CHANNELS;
	} else {
		for_each_set_bit(i, &chosen, QS1_SCAN_CHANNELS) {
			*words = scan->ch[i];
			words++;
		}
	}
	if (chosen & BIT(QS1_WAVE_PHASE))
		*words++ = scan->phase >> 16;
	if (chosen & BIT(QS1_WAVE_STATUS))
		*PTR_ALIGN((u32 *)words, sizeof(u32)) = scan->status;
}

static int qs1_wave_push(struct qs1_wave *wave, const struct qs1_scan *scan, s64 ns)
{
	qs1_wave_pack(wave->sample.words, scan, *wave->indio_dev->active_scan_mask);
	return iio_push_to_buffers_with_timestamp(wave->indio_dev, &wave->sample, ns);
}

/*
 * Push a chunk from @tail on, and count what was pushed. The firmware numbers its
 * scans without gaps; where it skips some, they are lost too. False when the buffer
 * is full.
 */
static bool qs1_wave_push_chunk(struct qs1_wave *wave, u32 count, u32 *pushed)
{
	u32 size = qs1_wave_size(wave);
	u32 overtaken;
	u32 i;

	qs1_wave_copy(wave, wave->tail, count, wave->scans);
	overtaken = qs1_ring_overtaken(wave->tail, count, qs1_wave_head(wave), size);
	qs1_wave_skip(wave, overtaken);

	for (i = overtaken; i < count; i++) {
		const struct qs1_scan *scan = &wave->scans[i];
		u32 missing = scan->seq - wave->seq - 1;

		if (qs1_wave_push(wave, scan, qs1_clock_ns(&wave->segment, wave->tail)))
			return false;
		if (missing && wave->seq_known)
			qs1_wave_count_lost(wave, missing < size ? missing : 1);
		wave->seq = scan->seq;
		wave->seq_known = true;
		wave->tail++;
		(*pushed)++;
	}
	return true;
}

/*
 * Move what the ring holds into the buffer. What the buffer can not take stays
 * in the ring, and is tried again when a reader has made room and asks for more
 * than the buffer holds, or at the next doorbell.
 *
 * The head is read once: a firmware that advances as fast as we push must not keep
 * the caller here. So one call takes at most one ring.
 *
 * Scans are pushed up to @mapped, the end of the clock's last segment; only
 * then the clock advances, so that each scan's time stamp is final.
 *
 * Return: scans pushed.
 */
static u32 qs1_wave_drain(struct qs1_wave *wave)
{
	struct qs1_ring_window window;
	u32 size = qs1_wave_size(wave);
	u32 start = wave->tail;
	u32 pushed = 0;
	u32 head;

	lockdep_assert_held(&wave->lock);

	if (!wave->streaming || !wave->live)
		return 0;

	head = qs1_wave_head(wave);
	window = qs1_ring_window(wave->tail, head, size);
	if (window.broken) {
		dev_warn_ratelimited(&wave->indio_dev->dev, "ring went back from scan %u to %u\n",
				     wave->tail, head);
		qs1_wave_restart(wave);
		return 0;
	}
	qs1_wave_skip(wave, window.lost);

	while ((s32)(head - wave->tail) > 0) {
		u32 count;

		/* Behind the segment's end: none left of it, or overtaken. */
		if ((s32)(wave->mapped - wave->tail) <= 0) {
			s64 now = iio_get_time_ns(wave->indio_dev);

			wave->segment = qs1_clock_advance(&wave->clock, head - 1, now);
			wave->mapped = head;
			trace_qs1_clock(wave->qs1->id, head - 1, now, wave->clock.ns,
					wave->clock.period_ps);
		}

		count = min3(wave->mapped - wave->tail, head - wave->tail, QS1_WAVE_CHUNK);
		count = qs1_ring_chunk(wave->tail, count, size);
		if (!qs1_wave_push_chunk(wave, count, &pushed))
			break;
		cond_resched();
	}
	trace_qs1_frame(wave->qs1->id, start, pushed, wave->tail - start - pushed);
	return pushed;
}

static int qs1_wave_notify(struct notifier_block *nb, unsigned long action, void *data)
{
	struct qs1_wave *wave = container_of(nb, struct qs1_wave, nb);

	guard(mutex)(&wave->lock);

	switch (action) {
	case QS1_NOTIFY_STARTED:
		if (wave->streaming)
			qs1_wave_restart(wave);
		break;
	case QS1_NOTIFY_DOORBELL:
		qs1_wave_drain(wave);
		break;
	case QS1_NOTIFY_STOPPED: /* up to its last period */
		qs1_wave_drain(wave);
		/* A doorbell of the next firmware may come before its STARTED. */
		wave->live = false;
		break;
	}
	return NOTIFY_OK;
}

static int qs1_wave_postenable(struct iio_dev *indio_dev)
{
	struct qs1_wave *wave = iio_priv(indio_dev);

	guard(mutex)(&wave->lock);

	wave->streaming = true;
	wave->live = false;
	if (qs1_running(wave->qs1))
		qs1_wave_restart(wave);
	return 0;
}

static int qs1_wave_predisable(struct iio_dev *indio_dev)
{
	struct qs1_wave *wave = iio_priv(indio_dev);

	guard(mutex)(&wave->lock);

	wave->streaming = false;
	writel(0, &wave->qs1->shm->host.wave_watermark);
	return 0;
}

static const struct iio_buffer_setup_ops qs1_wave_setup_ops = {
	.postenable = qs1_wave_postenable,
	.predisable = qs1_wave_predisable,
};

static int qs1_wave_set_watermark(struct iio_dev *indio_dev, unsigned int watermark)
{
	struct qs1_wave *wave = iio_priv(indio_dev);

	guard(mutex)(&wave->lock);

	wave->watermark = clamp(watermark, QS1_WAVE_WATERMARK_MIN, QS1_WAVE_WATERMARK_MAX);
	if (wave->streaming)
		writel(qs1_wave_interval(wave), &wave->qs1->shm->host.wave_watermark);
	return 0;
}

static int qs1_wave_flush(struct iio_dev *indio_dev, unsigned int count)
{
	struct qs1_wave *wave = iio_priv(indio_dev);

	guard(mutex)(&wave->lock);

	if (!qs1_running(wave->qs1))
		return 0;
	return qs1_wave_drain(wave);
}

/* The newest scan; streaming is not needed. */
static int qs1_wave_newest(struct qs1_wave *wave, struct qs1_scan *scan)
{
	u32 head;

	if (!qs1_running(wave->qs1))
		return -ENODATA;
	head = qs1_wave_head(wave);
	if (!head)
		return -ENODATA;
	qs1_wave_copy(wave, head - 1, 1, scan);
	if (qs1_ring_overtaken(head - 1, 1, qs1_wave_head(wave), qs1_wave_size(wave)))
		return -EIO;
	return 0;
}

static int qs1_wave_read_newest(struct qs1_wave *wave, int index, int *val)
{
	struct qs1_scan scan;
	int ret;

	ret = qs1_wave_newest(wave, &scan);
	if (ret)
		return ret;

	switch (index) {
	case QS1_WAVE_PHASE:
		*val = scan.phase >> 16;
		break;
	case QS1_WAVE_STATUS:
		*val = scan.status;
		break;
	default:
		*val = scan.ch[index];
		break;
	}
	return IIO_VAL_INT;
}

static int qs1_wave_scale(int index, int *val, int *val2)
{
	switch (index) {
	case QS1_WAVE_PHASE: /* 2 pi / 2^16 = 95874e-9 */
		*val = 0;
		*val2 = 95874;
		return IIO_VAL_INT_PLUS_NANO;
	case QS1_WAVE_STATUS:
		*val = 1;
		return IIO_VAL_INT;
	default: /* uV to mV, uA to mA */
		*val = qs1_adc_desc[index].lsb;
		*val2 = 1000;
		return IIO_VAL_FRACTIONAL;
	}
}

static int qs1_wave_read_raw(struct iio_dev *indio_dev, const struct iio_chan_spec *chan, int *val,
			     int *val2, long mask)
{
	struct qs1_wave *wave = iio_priv(indio_dev);

	switch (mask) {
	case IIO_CHAN_INFO_RAW:
		return qs1_wave_read_newest(wave, chan->scan_index, val);
	case IIO_CHAN_INFO_SCALE:
		return qs1_wave_scale(chan->scan_index, val, val2);
	case IIO_CHAN_INFO_SAMP_FREQ:
		if (!qs1_running(wave->qs1))
			return -ENODATA;
		*val = wave->qs1->fw.control_hz;
		return IIO_VAL_INT;
	default:
		return -EINVAL;
	}
}

static int qs1_wave_read_label(struct iio_dev *indio_dev, const struct iio_chan_spec *chan,
			       char *label)
{
	switch (chan->scan_index) {
	case QS1_WAVE_PHASE:
		return sysfs_emit(label, "pll\n");
	case QS1_WAVE_STATUS:
		return sysfs_emit(label, "status\n");
	default:
		return sysfs_emit(label, "%s\n", qs1_adc_desc[chan->scan_index].label);
	}
}

static ssize_t wave_lost_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct qs1_wave *wave = iio_priv(dev_to_iio_dev(dev));

	return sysfs_emit(buf, "%llu\n", (u64)atomic64_read(&wave->qs1->wave_lost));
}

static IIO_DEVICE_ATTR_RO(wave_lost, 0);

static struct attribute *qs1_wave_attrs[] = { &iio_dev_attr_wave_lost.dev_attr.attr, NULL };

static const struct attribute_group qs1_wave_group = {
	.attrs = qs1_wave_attrs,
};

static const struct iio_info qs1_wave_info = {
	.read_raw = qs1_wave_read_raw,
	.read_label = qs1_wave_read_label,
	.hwfifo_set_watermark = qs1_wave_set_watermark,
	.hwfifo_flush_to_buffer = qs1_wave_flush,
	.attrs = &qs1_wave_group,
};

static ssize_t hwfifo_watermark_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct qs1_wave *wave = iio_priv(dev_to_iio_dev(dev));

	guard(mutex)(&wave->lock);
	return sysfs_emit(buf, "%u\n", qs1_wave_interval(wave));
}

static ssize_t hwfifo_enabled_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct qs1_wave *wave = iio_priv(dev_to_iio_dev(dev));

	return sysfs_emit(buf, "%d\n", READ_ONCE(wave->streaming));
}

static IIO_DEVICE_ATTR_RO(hwfifo_watermark, 0);
static IIO_DEVICE_ATTR_RO(hwfifo_enabled, 0);
IIO_STATIC_CONST_DEVICE_ATTR(hwfifo_watermark_min, __stringify(QS1_WAVE_WATERMARK_MIN));
IIO_STATIC_CONST_DEVICE_ATTR(hwfifo_watermark_max, __stringify(QS1_WAVE_WATERMARK_MAX));

static QS1_BUFFER_ATTR_TYPE *qs1_wave_fifo_attrs[] = { QS1_BUFFER_ATTR(hwfifo_watermark_min),
						       QS1_BUFFER_ATTR(hwfifo_watermark_max),
						       QS1_BUFFER_ATTR(hwfifo_watermark),
						       QS1_BUFFER_ATTR(hwfifo_enabled), NULL };

static void qs1_wave_init_channels(struct iio_chan_spec *channels)
{
	int i;

	for (i = 0; i < QS1_WAVE_TIMESTAMP; i++) {
		struct iio_chan_spec *chan = &channels[i];

		chan->indexed = 1;
		chan->scan_index = i;
		chan->info_mask_separate = BIT(IIO_CHAN_INFO_RAW) | BIT(IIO_CHAN_INFO_SCALE);
		chan->info_mask_shared_by_all = BIT(IIO_CHAN_INFO_SAMP_FREQ);
		chan->scan_type.endianness = IIO_CPU;
		chan->scan_type.sign = 'u';
		chan->scan_type.realbits = 16;
		chan->scan_type.storagebits = 16;
		switch (i) {
		case QS1_WAVE_PHASE:
			chan->type = IIO_PHASE;
			break;
		case QS1_WAVE_STATUS:
			chan->type = IIO_INDEX;
			chan->scan_type.realbits = 32;
			chan->scan_type.storagebits = 32;
			break;
		default:
			chan->type = qs1_adc_desc[i].type;
			chan->channel = qs1_adc_desc[i].index;
			chan->scan_type.sign = 's';
			break;
		}
	}
	channels[QS1_WAVE_TIMESTAMP] =
		(struct iio_chan_spec)IIO_CHAN_SOFT_TIMESTAMP(QS1_WAVE_TIMESTAMP);
}

/*
 * Which process may disable the buffer.
 *
 * The IIO core allows it to every process. A program that opens the device through
 * libiio 0.x first writes 0 to buffer/enable, then finds the device busy and exits;
 * this ends the stream of the program that was reading. So while the inverter is
 * armed, only the process that enabled the buffer can disable it, as long as it
 * lives. The core has no callback for that. Each buffer has its copy of the
 * attribute, so the driver replaces the function in that copy.
 */
static bool qs1_wave_is_held(struct qs1_wave *wave)
{
	lockdep_assert_held(&wave->holder_lock);

	if (!wave->holder || wave->holder == task_tgid(current) || !qs1_running(wave->qs1) ||
	    !(readl(&wave->qs1->shm->telemetry.status) & QS1_STATUS_ARMED))
		return false;
	guard(rcu)();
	return pid_task(wave->holder, PIDTYPE_TGID);
}

static ssize_t qs1_wave_enable_store(struct device *dev, struct device_attribute *attr,
				     const char *buf, size_t count)
{
	struct iio_dev *indio_dev = dev_to_iio_dev(dev);
	struct qs1_wave *wave = iio_priv(indio_dev);
	bool was_on;
	ssize_t ret;
	bool on;

	ret = kstrtobool(buf, &on);
	if (ret)
		return ret;

	guard(mutex)(&wave->holder_lock);
	was_on = iio_buffer_enabled(indio_dev);
	if (was_on && !on && qs1_wave_is_held(wave))
		return -EBUSY;
	ret = wave->enable_store(dev, attr, buf, count);
	if (ret > 0 && on != was_on) {
		put_pid(wave->holder);
		wave->holder = on ? get_pid(task_tgid(current)) : NULL;
	}
	return ret;
}

static void qs1_wave_guard_enable(struct qs1_wave *wave)
{
	struct attribute **attr;

	for (attr = wave->indio_dev->buffer->buffer_group.attrs; *attr; attr++) {
		struct device_attribute *dev_attr =
			container_of(*attr, struct device_attribute, attr);

		if (strcmp((*attr)->name, "enable"))
			continue;
		wave->enable_store = dev_attr->store;
		WRITE_ONCE(dev_attr->store, qs1_wave_enable_store);
	}
}

static void qs1_wave_put_holder(void *data)
{
	struct qs1_wave *wave = data;

	put_pid(wave->holder);
}

int qs1_wave_probe(struct device *dev, struct qs1 *qs1)
{
	struct iio_dev *indio_dev;
	struct qs1_wave *wave;
	int ret;

	indio_dev = devm_iio_device_alloc(dev, sizeof(*wave));
	if (!indio_dev)
		return -ENOMEM;
	wave = iio_priv(indio_dev);
	wave->qs1 = qs1;
	wave->indio_dev = indio_dev;
	wave->watermark = QS1_WAVE_WATERMARK_MIN;
	ret = devm_mutex_init(dev, &wave->lock);
	if (ret)
		return ret;
	ret = devm_mutex_init(dev, &wave->holder_lock);
	if (ret)
		return ret;
	ret = devm_add_action_or_reset(dev, qs1_wave_put_holder, wave);
	if (ret)
		return ret;
	qs1_wave_init_channels(wave->channels);

	indio_dev->name = "qs1-wave";
	indio_dev->info = &qs1_wave_info;
	indio_dev->modes = INDIO_DIRECT_MODE;
	indio_dev->channels = wave->channels;
	indio_dev->num_channels = ARRAY_SIZE(wave->channels);

	ret = devm_iio_kfifo_buffer_setup_ext(dev, indio_dev, &qs1_wave_setup_ops,
					      qs1_wave_fifo_attrs);
	if (ret)
		return ret;

	wave->nb.notifier_call = qs1_wave_notify;
	ret = devm_qs1_register_notifier(dev, qs1, &wave->nb);
	if (ret)
		return ret;
	ret = devm_iio_device_register(dev, indio_dev);
	if (ret)
		return ret;
	qs1_wave_guard_enable(wave);
	return 0;
}
