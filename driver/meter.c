// SPDX-License-Identifier: GPL-2.0-only
/*
 * qs1-meter: means, RMS values, powers, energies and temperatures from the
 * telemetry, as IIO channels.
 */
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

struct qs1_meter {
	struct qs1 *qs1;
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

static const struct iio_info qs1_meter_info = {
	.read_raw = qs1_meter_read_raw,
	.read_label = qs1_meter_read_label,
};

int qs1_meter_probe(struct device *dev, struct qs1 *qs1)
{
	struct iio_dev *indio_dev;
	struct qs1_meter *meter;
	size_t i;

	indio_dev = devm_iio_device_alloc(dev, sizeof(*meter));
	if (!indio_dev)
		return -ENOMEM;
	meter = iio_priv(indio_dev);
	meter->qs1 = qs1;

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
	}

	indio_dev->name = "qs1-meter";
	indio_dev->info = &qs1_meter_info;
	indio_dev->modes = INDIO_DIRECT_MODE;
	indio_dev->channels = meter->channels;
	indio_dev->num_channels = ARRAY_SIZE(meter->channels);
	return devm_iio_device_register(dev, indio_dev);
}
