// SPDX-License-Identifier: GPL-2.0-only
/*
 * The firmware's parameters as attributes: params/NAME holds the value in force,
 * and params_min, params_max and params_default what it may be. All in the unit of
 * the name.
 */
#include <linux/device.h>
#include <linux/export.h>
#include <linux/io.h>
#include <linux/minmax.h>
#include <linux/sysfs.h>

#include "decimal.h"
#include "qs1.h"

static ssize_t qs1_param_show(struct device *dev, struct device_attribute *attr, char *buf);
static ssize_t qs1_param_store(struct device *dev, struct device_attribute *attr, const char *buf,
			       size_t count);

/**
 * struct qs1_bound - minimum, maximum or default of a parameter
 * @attr: its attribute
 * @value: times 10^@decimals
 * @decimals: of the parameter
 */
struct qs1_bound {
	struct device_attribute attr;
	const s32 *value;
	u8 decimals;
};

static ssize_t qs1_bound_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	const struct qs1_bound *bound = container_of(attr, struct qs1_bound, attr);
	char text[QS1_DECIMAL_SIZE];

	return sysfs_emit(buf, "%s\n", qs1_decimal_format(text, *bound->value, bound->decimals));
}

/* clang-format off */
static struct device_attribute qs1_param_attr[] = {
#define X(id, pname, ...) \
	[QS1_PARAM_##id] = { .attr = { .name = pname, .mode = 0644 }, .show = qs1_param_show, \
			     .store = qs1_param_store },
	QS1_PARAMS(X)
#undef X
};

static struct attribute *qs1_params_attrs[] = {
#define X(id, ...) \
	[QS1_PARAM_##id] = &qs1_param_attr[QS1_PARAM_##id].attr,
	QS1_PARAMS(X)
#undef X
	[QS1_PARAM_COUNT] = NULL
};

#define QS1_BOUND(pname, dec, bound) \
	{ \
		.attr = { .attr = { .name = pname, .mode = 0444 }, .show = qs1_bound_show }, \
		.value = bound, .decimals = dec, \
	}

static struct qs1_bound qs1_min[] = {
#define X(id, pname, dec, ...) \
	[QS1_PARAM_##id] = QS1_BOUND(pname, dec, &qs1_param_desc[QS1_PARAM_##id].min),
	QS1_PARAMS(X)
#undef X
};

static struct attribute *qs1_min_attrs[] = {
#define X(id, ...) \
	[QS1_PARAM_##id] = &qs1_min[QS1_PARAM_##id].attr.attr,
	QS1_PARAMS(X)
#undef X
	[QS1_PARAM_COUNT] = NULL
};

static struct qs1_bound qs1_max[] = {
#define X(id, pname, dec, ...) \
	[QS1_PARAM_##id] = QS1_BOUND(pname, dec, &qs1_param_desc[QS1_PARAM_##id].max),
	QS1_PARAMS(X)
#undef X
};

static struct attribute *qs1_max_attrs[] = {
#define X(id, ...) \
	[QS1_PARAM_##id] = &qs1_max[QS1_PARAM_##id].attr.attr,
	QS1_PARAMS(X)
#undef X
	[QS1_PARAM_COUNT] = NULL
};

static struct qs1_bound qs1_default[] = {
#define X(id, pname, dec, ...) \
	[QS1_PARAM_##id] = QS1_BOUND(pname, dec, &qs1_param_desc[QS1_PARAM_##id].def),
	QS1_PARAMS(X)
#undef X
};

static struct attribute *qs1_default_attrs[] = {
#define X(id, ...) \
	[QS1_PARAM_##id] = &qs1_default[QS1_PARAM_##id].attr.attr,
	QS1_PARAMS(X)
#undef X
	[QS1_PARAM_COUNT] = NULL
};

/* clang-format on */

const struct attribute_group qs1_params_group = {
	.name = "params",
	.attrs = qs1_params_attrs,
};

const struct attribute_group qs1_params_min_group = {
	.name = "params_min",
	.attrs = qs1_min_attrs,
};

const struct attribute_group qs1_params_max_group = {
	.name = "params_max",
	.attrs = qs1_max_attrs,
};

const struct attribute_group qs1_params_default_group = {
	.name = "params_default",
	.attrs = qs1_default_attrs,
};

/**
 * qs1_param_bounded() - a parameter's value in force, within its range
 * @qs1: inverter
 * @param: its number
 *
 * The firmware writes the value; whatever it writes, arithmetic with the result is safe.
 *
 * Return: the value, times 10^decimals.
 */
s32 qs1_param_bounded(struct qs1 *qs1, enum qs1_param param)
{
	const struct qs1_param_desc *desc = &qs1_param_desc[param];

	return clamp((s32)readl(&qs1->shm->param[param]), desc->min, desc->max);
}
EXPORT_SYMBOL_NS_GPL(qs1_param_bounded, QS1_NS);

static ssize_t qs1_param_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct qs1 *qs1 = dev_get_drvdata(dev);
	unsigned int id = attr - qs1_param_attr;
	char text[QS1_DECIMAL_SIZE];

	if (!qs1_running(qs1))
		return -ENODATA;
	return sysfs_emit(buf, "%s\n",
			  qs1_decimal_format(text, (s32)readl(&qs1->shm->param[id]),
					     qs1_param_desc[id].decimals));
}

static ssize_t qs1_param_store(struct device *dev, struct device_attribute *attr, const char *buf,
			       size_t count)
{
	struct qs1 *qs1 = dev_get_drvdata(dev);
	unsigned int id = attr - qs1_param_attr;
	const struct qs1_param_desc *desc = &qs1_param_desc[id];
	s32 value;
	int ret;

	ret = qs1_decimal_parse(buf, desc->decimals, &value);
	if (ret)
		return ret;
	/* The firmware checks again; this names the range without asking it. */
	if (value < desc->min || value > desc->max)
		return qs1_refuse_value(qs1, id, value < desc->min ? desc->min : desc->max);

	ret = qs1_command(qs1, QS1_OP_SET_PARAM, id, value, NULL);
	return ret ? ret : count;
}
