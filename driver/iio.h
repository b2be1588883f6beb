/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef QS1_IIO_H
#define QS1_IIO_H

#include <linux/iio/types.h>
#include <linux/types.h>

#include <qs1/abi.h>

struct device;
struct qs1;

/**
 * struct qs1_adc_desc - one row of the table of ADC channels
 * @label: what is measured
 * @type: IIO type
 * @index: number within the type
 * @lsb: one count in millionths of V, A or degree Celsius
 */
struct qs1_adc_desc {
	const char *label;
	enum iio_chan_type type;
	int index;
	int lsb;
};

extern const struct qs1_adc_desc qs1_adc_desc[QS1_ADC_COUNT];

int qs1_meter_probe(struct device *dev, struct qs1 *qs1);
int qs1_wave_probe(struct device *dev, struct qs1 *qs1);

#endif /* QS1_IIO_H */
