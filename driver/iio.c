// SPDX-License-Identifier: GPL-2.0-only
/*
 * The inverter's two IIO devices: qs1-meter for slow quantities, which anybody
 * may read at any time, and qs1-wave for the stream of all control periods,
 * which has one reader.
 */
#include <linux/auxiliary_bus.h>
#include <linux/device.h>
#include <linux/module.h>

#include "iio.h"
#include "qs1.h"

const struct qs1_adc_desc qs1_adc_desc[QS1_ADC_COUNT] = {
#define X(id, text, iio, number, one)                                                              \
	[QS1_ADC_##id] = { .label = text, .type = IIO_##iio, .index = number, .lsb = one },
	QS1_ADC_CHANNELS(X)
#undef X
};

static int qs1_iio_probe(struct auxiliary_device *adev, const struct auxiliary_device_id *id)
{
	struct qs1 *qs1 = dev_get_drvdata(adev->dev.parent);
	int ret;

	ret = qs1_meter_probe(&adev->dev, qs1);
	if (ret)
		return dev_err_probe(&adev->dev, ret, "cannot add qs1-meter\n");
	ret = qs1_wave_probe(&adev->dev, qs1);
	if (ret)
		return dev_err_probe(&adev->dev, ret, "cannot add qs1-wave\n");
	return 0;
}

static const struct auxiliary_device_id qs1_iio_ids[] = { { .name = "qs1.iio" }, {} };
MODULE_DEVICE_TABLE(auxiliary, qs1_iio_ids);

static struct auxiliary_driver qs1_iio_driver = {
	.name = "iio",
	.probe = qs1_iio_probe,
	.id_table = qs1_iio_ids,
};
module_auxiliary_driver(qs1_iio_driver);

MODULE_DESCRIPTION("qs1 microinverter: measurements and waveforms");
MODULE_AUTHOR("qs1 contributors");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(QS1_NS);
