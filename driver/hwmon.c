// SPDX-License-Identifier: GPL-2.0-only
/*
 * Voltages and temperatures for what reads hwmon (sensors, node_exporter), and the
 * temperature of the case as a thermal zone: it is the one that derates and stops
 * production. All values are the telemetry's, as in qs1-meter.
 */
#include <linux/auxiliary_bus.h>
#include <linux/device.h>
#include <linux/hwmon.h>
#include <linux/module.h>
#include <linux/thermal.h>

#include "qs1.h"

/**
 * struct qs1_hwmon_desc - one channel
 * @label: what is measured
 * @offset: in struct qs1_telemetry, mV or millidegree Celsius
 */
struct qs1_hwmon_desc {
	const char *label;
	size_t offset;
};

static const struct qs1_hwmon_desc qs1_hwmon_in[] = {
	{ "pv1", offsetof(struct qs1_telemetry, vpv_mv[0]) },
	{ "pv2", offsetof(struct qs1_telemetry, vpv_mv[1]) },
	{ "pv3", offsetof(struct qs1_telemetry, vpv_mv[2]) },
	{ "pv4", offsetof(struct qs1_telemetry, vpv_mv[3]) },
	{ "dc-link", offsetof(struct qs1_telemetry, vlink_mv) },
	{ "grid-rms", offsetof(struct qs1_telemetry, vgrid_mv) },
};

enum { QS1_HWMON_CASE, QS1_HWMON_STAGE };

static const struct qs1_hwmon_desc qs1_hwmon_temp[] = {
	[QS1_HWMON_CASE] = { "case", offsetof(struct qs1_telemetry, tcase_mc) },
	[QS1_HWMON_STAGE] = { "power-stage", offsetof(struct qs1_telemetry, tstage_mc) },
};

/**
 * struct qs1_hwmon - the device
 * @qs1: inverter
 * @hwmon: of the class
 * @nb: in the inverter's notifier
 */
struct qs1_hwmon {
	struct qs1 *qs1;
	struct device *hwmon;
	struct notifier_block nb;
};

static int qs1_hwmon_telemetry(struct qs1 *qs1, size_t offset, long *val)
{
	s32 value;
	int ret;

	ret = qs1_telemetry_read(qs1, offset, &value, sizeof(value));
	if (!ret)
		*val = value;
	return ret;
}

/* Only the case has a limit, the one in force. */
static int qs1_hwmon_read_case(struct qs1 *qs1, u32 attr, long *val)
{
	u32 faults;
	int ret;

	if (!qs1_running(qs1))
		return -ENODATA;
	switch (attr) {
	case hwmon_temp_crit:
		*val = qs1_param_bounded(qs1, QS1_PARAM_OVERTEMP_C) * 1000;
		return 0;
	case hwmon_temp_crit_alarm:
		ret = qs1_telemetry_read(qs1, offsetof(struct qs1_telemetry, faults_active),
					 &faults, sizeof(faults));
		*val = !!(faults & QS1_FAULT_BIT(QS1_FAULT_OVERTEMP));
		return ret;
	default:
		return -EOPNOTSUPP;
	}
}

static int qs1_hwmon_read(struct device *dev, enum hwmon_sensor_types type, u32 attr, int channel,
			  long *val)
{
	struct qs1_hwmon *hwmon = dev_get_drvdata(dev);

	if (type == hwmon_in)
		return qs1_hwmon_telemetry(hwmon->qs1, qs1_hwmon_in[channel].offset, val);
	if (attr == hwmon_temp_input)
		return qs1_hwmon_telemetry(hwmon->qs1, qs1_hwmon_temp[channel].offset, val);
	return qs1_hwmon_read_case(hwmon->qs1, attr, val);
}

static int qs1_hwmon_read_string(struct device *dev, enum hwmon_sensor_types type, u32 attr,
				 int channel, const char **str)
{
	*str = type == hwmon_in ? qs1_hwmon_in[channel].label : qs1_hwmon_temp[channel].label;
	return 0;
}

static umode_t qs1_hwmon_is_visible(const void *data, enum hwmon_sensor_types type, u32 attr,
				    int channel)
{
	return 0444;
}

static const struct hwmon_ops qs1_hwmon_ops = {
	.is_visible = qs1_hwmon_is_visible,
	.read = qs1_hwmon_read,
	.read_string = qs1_hwmon_read_string,
};

#define QS1_HWMON_IN (HWMON_I_INPUT | HWMON_I_LABEL)
#define QS1_HWMON_TEMP (HWMON_T_INPUT | HWMON_T_LABEL)

static const struct hwmon_channel_info *const qs1_hwmon_channels[] = {
	HWMON_CHANNEL_INFO(in, QS1_HWMON_IN, QS1_HWMON_IN, QS1_HWMON_IN, QS1_HWMON_IN, QS1_HWMON_IN,
			   QS1_HWMON_IN),
	HWMON_CHANNEL_INFO(temp, QS1_HWMON_TEMP | HWMON_T_CRIT | HWMON_T_CRIT_ALARM,
			   QS1_HWMON_TEMP),
	NULL
};

static const struct hwmon_chip_info qs1_hwmon_chip = {
	.ops = &qs1_hwmon_ops,
	.info = QS1_HWMON_INFO(qs1_hwmon_channels),
};

static int qs1_hwmon_notify(struct notifier_block *nb, unsigned long action, void *data)
{
	struct qs1_hwmon *hwmon = container_of(nb, struct qs1_hwmon, nb);
	const struct qs1_health_change *change = data;

	if (action == QS1_NOTIFY_HEALTH &&
	    ((change->old.faults_active ^ change->now.faults_active) &
	     QS1_FAULT_BIT(QS1_FAULT_OVERTEMP)))
		hwmon_notify_event(hwmon->hwmon, hwmon_temp, hwmon_temp_crit_alarm, QS1_HWMON_CASE);
	return NOTIFY_OK;
}

/* The thermal core logs any other error, and asks again after this one. */
static int qs1_hwmon_get_temp(struct thermal_zone_device *zone, int *temp)
{
	long value;

	if (qs1_hwmon_telemetry(thermal_zone_device_priv(zone),
				qs1_hwmon_temp[QS1_HWMON_CASE].offset, &value))
		return -EAGAIN;
	*temp = value;
	return 0;
}

static const struct thermal_zone_device_ops qs1_hwmon_zone_ops = {
	.get_temp = qs1_hwmon_get_temp,
};

/* It is a hwmon device already. */
static const struct thermal_zone_params qs1_hwmon_zone_params = {
	.no_hwmon = true,
};

static void qs1_hwmon_remove_zone(void *zone)
{
	thermal_zone_device_unregister(zone);
}

static int qs1_hwmon_add_zone(struct device *dev, struct qs1 *qs1)
{
	struct thermal_zone_device *zone;
	int ret;

	if (!IS_ENABLED(CONFIG_THERMAL))
		return 0;
	zone = thermal_tripless_zone_device_register("qs1-case", qs1, &qs1_hwmon_zone_ops,
						     &qs1_hwmon_zone_params);
	if (IS_ERR(zone))
		return dev_err_probe(dev, PTR_ERR(zone), "cannot add the thermal zone\n");
	ret = devm_add_action_or_reset(dev, qs1_hwmon_remove_zone, zone);
	return ret ? ret : thermal_zone_device_enable(zone);
}

static int qs1_hwmon_probe(struct auxiliary_device *adev, const struct auxiliary_device_id *id)
{
	struct device *dev = &adev->dev;
	struct qs1_hwmon *hwmon;
	int ret;

	hwmon = devm_kzalloc(dev, sizeof(*hwmon), GFP_KERNEL);
	if (!hwmon)
		return -ENOMEM;
	hwmon->qs1 = dev_get_drvdata(dev->parent);
	hwmon->hwmon =
		devm_hwmon_device_register_with_info(dev, "qs1", hwmon, &qs1_hwmon_chip, NULL);
	if (IS_ERR(hwmon->hwmon))
		return dev_err_probe(dev, PTR_ERR(hwmon->hwmon), "cannot add the hwmon device\n");
	ret = qs1_hwmon_add_zone(dev, hwmon->qs1);
	if (ret)
		return ret;
	hwmon->nb.notifier_call = qs1_hwmon_notify;
	return devm_qs1_register_notifier(dev, hwmon->qs1, &hwmon->nb);
}

static const struct auxiliary_device_id qs1_hwmon_ids[] = { { .name = "qs1.hwmon" }, {} };
MODULE_DEVICE_TABLE(auxiliary, qs1_hwmon_ids);

static struct auxiliary_driver qs1_hwmon_driver = {
	.name = "hwmon",
	.probe = qs1_hwmon_probe,
	.id_table = qs1_hwmon_ids,
};
module_auxiliary_driver(qs1_hwmon_driver);

MODULE_DESCRIPTION("qs1 microinverter: voltages and temperatures for hwmon and thermal");
MODULE_AUTHOR("qs1 contributors");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(QS1_NS);
