// SPDX-License-Identifier: GPL-2.0-only
/*
 * qs1-meter: means, RMS values, powers, energies and temperatures from the
 * telemetry, as IIO channels.
 */
#include <linux/bitfield.h>
#include <linux/bitops.h>
#include <linux/iio/events.h>
#include <linux/iio/iio.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "iio.h"
#include "qs1.h"

/**
 * struct qs1_meter_desc - one channel
 * @label: what is measured
 * @type: IIO type
 * @index: number within the type
 * @offset: of the quantity in struct qs1_telemetry; an energy has 64 bits there,
 *          all others 32
 */
struct qs1_meter_desc {
	const char *label;
	enum iio_chan_type type;
	int index;
	size_t offset;
};

#define QS1_METER(_type, _index, _label, _member)                                                  \
	{                                                                                          \
		.label = _label, .type = _type, .index = _index,                                   \
		.offset = offsetof(struct qs1_telemetry, _member),                                 \
	}

static const struct qs1_meter_desc qs1_meter_desc[] = {
	QS1_METER(IIO_VOLTAGE, 0, "pv1", vpv_mv[0]),
	QS1_METER(IIO_VOLTAGE, 1, "pv2", vpv_mv[1]),
	QS1_METER(IIO_VOLTAGE, 2, "pv3", vpv_mv[2]),
	QS1_METER(IIO_VOLTAGE, 3, "pv4", vpv_mv[3]),
	QS1_METER(IIO_VOLTAGE, 4, "dc-link", vlink_mv),
	QS1_METER(IIO_ALTVOLTAGE, 0, "grid-rms", vgrid_mv),
	QS1_METER(IIO_CURRENT, 0, "pv1", ipv_ma[0]),
	QS1_METER(IIO_CURRENT, 1, "pv2", ipv_ma[1]),
	QS1_METER(IIO_CURRENT, 2, "pv3", ipv_ma[2]),
	QS1_METER(IIO_CURRENT, 3, "pv4", ipv_ma[3]),
	QS1_METER(IIO_CURRENT, 4, "grid-rms", igrid_ma),
	QS1_METER(IIO_CURRENT, 5, "ground-fault", ignd_ma),
	QS1_METER(IIO_POWER, 0, "pv1", ppv_mw[0]),
	QS1_METER(IIO_POWER, 1, "pv2", ppv_mw[1]),
	QS1_METER(IIO_POWER, 2, "pv3", ppv_mw[2]),
	QS1_METER(IIO_POWER, 3, "pv4", ppv_mw[3]),
	QS1_METER(IIO_POWER, 4, "grid", p_mw),
	QS1_METER(IIO_POWER, 5, "grid-reactive", q_mvar),
	QS1_METER(IIO_ENERGY, 0, "pv1", epv_mj[0]),
	QS1_METER(IIO_ENERGY, 1, "pv2", epv_mj[1]),
	QS1_METER(IIO_ENERGY, 2, "pv3", epv_mj[2]),
	QS1_METER(IIO_ENERGY, 3, "pv4", epv_mj[3]),
	QS1_METER(IIO_ENERGY, 4, "grid", eac_mj),
	QS1_METER(IIO_PHASE, 0, "pll-error", pll_error_urad),
	QS1_METER(IIO_TEMP, 0, "case", tcase_mc),
	QS1_METER(IIO_TEMP, 1, "power-stage", tstage_mc),
};

/**
 * struct qs1_meter_event - one event
 * @label: what has happened
 * @type: of its channel, which has the index 0
 * @ev_type: IIO type
 * @dir: IIO direction
 * @status: bit of struct qs1_health.status, or 0
 * @fault: bit of struct qs1_health.faults_active, or 0
 * @rises: it is the bit's rise, not its fall
 * @limit: parameter that holds the threshold
 * @limit_scale: from the parameter to the channel's raw value; 0 if the event has no threshold
 */
struct qs1_meter_event {
	const char *label;
	enum iio_chan_type type;
	enum iio_event_type ev_type;
	enum iio_event_direction dir;
	u32 status;
	u32 fault;
	bool rises;
	enum qs1_param limit;
	int limit_scale;
};

static const struct qs1_meter_event qs1_meter_events[] = {
	{ "grid out of range", IIO_ALTVOLTAGE, IIO_EV_TYPE_THRESH, IIO_EV_DIR_EITHER,
	  .status = QS1_STATUS_GRID_OK },
	{ "PLL lost its lock", IIO_PHASE, IIO_EV_TYPE_MAG, IIO_EV_DIR_RISING,
	  .status = QS1_STATUS_PLL_LOCKED },
	{ "PLL locked", IIO_PHASE, IIO_EV_TYPE_MAG, IIO_EV_DIR_FALLING,
	  .status = QS1_STATUS_PLL_LOCKED, .rises = true },
	{ "over-temperature", IIO_TEMP, IIO_EV_TYPE_THRESH, IIO_EV_DIR_RISING,
	  .fault = QS1_FAULT_BIT(QS1_FAULT_OVERTEMP), .rises = true, .limit = QS1_PARAM_OVERTEMP_C,
	  .limit_scale = 1000 },
};

/**
 * struct qs1_meter - the device
 * @qs1: inverter
 * @indio_dev: the IIO device
 * @nb: in its notifier, whose calls with QS1_NOTIFY_HEALTH are one at a time
 * @enabled: bit n for qs1_meter_events[n]
 * @specs: of the events, for the channels
 * @channels: of the IIO device
 */
struct qs1_meter {
	struct qs1 *qs1;
	struct iio_dev *indio_dev;
	struct notifier_block nb;
	unsigned long enabled;
	struct iio_event_spec specs[ARRAY_SIZE(qs1_meter_events)];
	struct iio_chan_spec channels[ARRAY_SIZE(qs1_meter_desc)];
};

static int qs1_meter_read(struct qs1 *qs1, const struct qs1_meter_desc *desc, int *val, int *val2)
{
	u64 wide;
	int ret;

	if (desc->type != IIO_ENERGY) {
		ret = qs1_telemetry_read(qs1, desc->offset, val, sizeof(s32));
		return ret ? ret : IIO_VAL_INT;
	}
	ret = qs1_telemetry_read(qs1, desc->offset, &wide, sizeof(wide));
	if (ret)
		return ret;
	*val = lower_32_bits(wide);
	*val2 = upper_32_bits(wide);
	return IIO_VAL_INT_64;
}

static int qs1_meter_scale(enum iio_chan_type type, int *val, int *val2)
{
	switch (type) {
	case IIO_ENERGY: /* mJ to J */
		*val = 0;
		*val2 = 1000;
		return IIO_VAL_INT_PLUS_MICRO;
	case IIO_PHASE: /* micro-radian to radian */
		*val = 0;
		*val2 = 1;
		return IIO_VAL_INT_PLUS_MICRO;
	default: /* mV, mA, mW, mvar and m degree Celsius are IIO's own units */
		*val = 1;
		return IIO_VAL_INT;
	}
}

static int qs1_meter_read_raw(struct iio_dev *indio_dev, const struct iio_chan_spec *chan, int *val,
			      int *val2, long mask)
{
	struct qs1_meter *meter = iio_priv(indio_dev);
	int ret;

	switch (mask) {
	case IIO_CHAN_INFO_RAW:
		return qs1_meter_read(meter->qs1, &qs1_meter_desc[chan->address], val, val2);
	case IIO_CHAN_INFO_SCALE:
		return qs1_meter_scale(chan->type, val, val2);
	case IIO_CHAN_INFO_FREQUENCY:
		ret = qs1_telemetry_read(meter->qs1, offsetof(struct qs1_telemetry, f_mhz), val,
					 sizeof(s32));
		*val2 = 1000;
		return ret ? ret : IIO_VAL_FRACTIONAL;
	default:
		return -EINVAL;
	}
}

static int qs1_meter_read_label(struct iio_dev *indio_dev, const struct iio_chan_spec *chan,
				char *label)
{
	return sysfs_emit(label, "%s\n", qs1_meter_desc[chan->address].label);
}

static int qs1_meter_find_event(const struct iio_chan_spec *chan, enum iio_event_type type,
				enum iio_event_direction dir)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(qs1_meter_events); i++)
		if (qs1_meter_events[i].type == chan->type && qs1_meter_events[i].ev_type == type &&
		    qs1_meter_events[i].dir == dir)
			return i;
	return -EINVAL;
}

static int qs1_meter_read_event_config(struct iio_dev *indio_dev, const struct iio_chan_spec *chan,
				       enum iio_event_type type, enum iio_event_direction dir)
{
	struct qs1_meter *meter = iio_priv(indio_dev);
	int event = qs1_meter_find_event(chan, type, dir);

	return event < 0 ? event : test_bit(event, &meter->enabled);
}

static int qs1_meter_write_event_config(struct iio_dev *indio_dev, const struct iio_chan_spec *chan,
					enum iio_event_type type, enum iio_event_direction dir,
					qs1_event_state_t state)
{
	struct qs1_meter *meter = iio_priv(indio_dev);
	int event = qs1_meter_find_event(chan, type, dir);

	if (event < 0)
		return event;
	assign_bit(event, &meter->enabled, state);
	return 0;
}

/* Parameters hold the thresholds; there they are written. */
static int qs1_meter_read_event_value(struct iio_dev *indio_dev, const struct iio_chan_spec *chan,
				      enum iio_event_type type, enum iio_event_direction dir,
				      enum iio_event_info info, int *val, int *val2)
{
	struct qs1_meter *meter = iio_priv(indio_dev);
	int event = qs1_meter_find_event(chan, type, dir);

	if (event < 0)
		return event;
	if (!qs1_running(meter->qs1))
		return -ENODATA;
	*val = qs1_param_bounded(meter->qs1, qs1_meter_events[event].limit) *
	       qs1_meter_events[event].limit_scale;
	return IIO_VAL_INT;
}

static int __maybe_unused qs1_meter_read_event_label(struct iio_dev *indio_dev,
						     const struct iio_chan_spec *chan,
						     enum iio_event_type type,
						     enum iio_event_direction dir, char *label)
{
	int event = qs1_meter_find_event(chan, type, dir);

	return event < 0 ? event : sysfs_emit(label, "%s\n", qs1_meter_events[event].label);
}

static void qs1_meter_push(struct qs1_meter *meter, const struct qs1_health_change *change)
{
	s64 now = iio_get_time_ns(meter->indio_dev);
	int i;

	for (i = 0; i < ARRAY_SIZE(qs1_meter_events); i++) {
		const struct qs1_meter_event *event = &qs1_meter_events[i];
		bool was = (change->old.status & event->status) ||
			   (change->old.faults_active & event->fault);
		bool is = (change->now.status & event->status) ||
			  (change->now.faults_active & event->fault);
		u64 code = IIO_UNMOD_EVENT_CODE(event->type, 0, event->ev_type, event->dir);

		if (was != is && is == event->rises && test_bit(i, &meter->enabled))
			iio_push_event(meter->indio_dev, code, now);
	}
}

static int qs1_meter_notify(struct notifier_block *nb, unsigned long action, void *data)
{
	if (action == QS1_NOTIFY_HEALTH)
		qs1_meter_push(container_of(nb, struct qs1_meter, nb), data);
	return NOTIFY_OK;
}

/* Whether an input runs at its maximum power point. */
static ssize_t qs1_meter_tracking_show(struct iio_dev *indio_dev, uintptr_t private,
				       const struct iio_chan_spec *chan, char *buf)
{
	struct qs1_meter *meter = iio_priv(indio_dev);
	u32 status;
	int ret;

	ret = qs1_telemetry_read(meter->qs1, offsetof(struct qs1_telemetry, status), &status,
				 sizeof(status));
	if (ret)
		return ret;
	return sysfs_emit(buf, "%u\n",
			  FIELD_GET(QS1_STATUS_TRACKING_MASK, status) >> chan->channel & 1);
}

static const struct iio_chan_spec_ext_info qs1_meter_tracking[] = {
	{
		.name = "tracking",
		.shared = IIO_SEPARATE,
		.read = qs1_meter_tracking_show,
	},
	{}
};

static const struct iio_info qs1_meter_info = {
	.read_raw = qs1_meter_read_raw,
	.read_label = qs1_meter_read_label,
	.read_event_config = qs1_meter_read_event_config,
	.write_event_config = qs1_meter_write_event_config,
	.read_event_value = qs1_meter_read_event_value,
	QS1_EVENT_LABEL(qs1_meter_read_event_label) /* a member with its comma, or nothing */
};

/* The events of a channel follow each other in the table. */
static void qs1_meter_add_events(struct qs1_meter *meter, struct iio_chan_spec *chan)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(qs1_meter_events); i++) {
		if (qs1_meter_events[i].type != chan->type || chan->channel)
			continue;
		if (!chan->num_event_specs)
			chan->event_spec = &meter->specs[i];
		chan->num_event_specs++;
	}
}

int qs1_meter_probe(struct device *dev, struct qs1 *qs1)
{
	struct iio_dev *indio_dev;
	struct qs1_meter *meter;
	size_t i;
	int ret;

	indio_dev = devm_iio_device_alloc(dev, sizeof(*meter));
	if (!indio_dev)
		return -ENOMEM;
	meter = iio_priv(indio_dev);
	meter->qs1 = qs1;
	meter->indio_dev = indio_dev;

	for (i = 0; i < ARRAY_SIZE(qs1_meter_events); i++) {
		meter->specs[i].type = qs1_meter_events[i].ev_type;
		meter->specs[i].dir = qs1_meter_events[i].dir;
		meter->specs[i].mask_separate = BIT(IIO_EV_INFO_ENABLE);
		if (qs1_meter_events[i].limit_scale)
			meter->specs[i].mask_separate |= BIT(IIO_EV_INFO_VALUE);
	}
	for (i = 0; i < ARRAY_SIZE(qs1_meter_desc); i++) {
		const struct qs1_meter_desc *desc = &qs1_meter_desc[i];
		struct iio_chan_spec *chan = &meter->channels[i];

		chan->type = desc->type;
		chan->channel = desc->index;
		chan->indexed = 1;
		chan->address = i;
		chan->scan_index = -1;
		chan->info_mask_separate = BIT(IIO_CHAN_INFO_RAW) | BIT(IIO_CHAN_INFO_SCALE);
		if (desc->type == IIO_ALTVOLTAGE)
			chan->info_mask_separate |= BIT(IIO_CHAN_INFO_FREQUENCY);
		if (desc->type == IIO_POWER && desc->index < QS1_INPUTS)
			chan->ext_info = qs1_meter_tracking;
		qs1_meter_add_events(meter, chan);
	}

	indio_dev->name = "qs1-meter";
	indio_dev->info = &qs1_meter_info;
	indio_dev->modes = INDIO_DIRECT_MODE;
	indio_dev->channels = meter->channels;
	indio_dev->num_channels = ARRAY_SIZE(meter->channels);
	ret = devm_iio_device_register(dev, indio_dev);
	if (ret)
		return ret;

	/* Last, so that it ends first: no event goes to a device that is not there. */
	meter->nb.notifier_call = qs1_meter_notify;
	return devm_qs1_register_notifier(dev, qs1, &meter->nb);
}
