// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attributes of the parent device, see
 * Documentation/ABI/testing/sysfs-bus-pci-drivers-qs1.
 */
#include <linux/cleanup.h>
#include <linux/device.h>
#include <linux/export.h>
#include <linux/io.h>
#include <linux/kstrtox.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "decimal.h"
#include "qs1.h"

static ssize_t qs1_layout_version_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", QS1_LAYOUT_VERSION);
}
static DEVICE_ATTR_RO(qs1_layout_version);

static ssize_t firmware_version_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct qs1 *qs1 = dev_get_drvdata(dev);

	if (!qs1_running(qs1))
		return -ENODATA;
	return sysfs_emit(buf, "%s\n", qs1->fw.version);
}
static DEVICE_ATTR_RO(firmware_version);

/**
 * qs1_telemetry_u32() - one word of the telemetry
 * @dev: parent device
 * @offset: in struct qs1_telemetry
 * @ret: where to put it; undefined on failure
 *
 * Return: as qs1_telemetry_read().
 */
int qs1_telemetry_u32(struct device *dev, size_t offset, u32 *ret)
{
	return qs1_telemetry_read(dev_get_drvdata(dev), offset, ret, sizeof(*ret));
}

static ssize_t state_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	u32 status;
	int ret;

	ret = qs1_telemetry_u32(dev, offsetof(struct qs1_telemetry, status), &status);
	if (ret)
		return ret;
	return sysfs_emit(buf, "%s\n", qs1_state_name(status & QS1_STATUS_STATE_MASK));
}
static DEVICE_ATTR_RO(state);

static ssize_t telemetry_ticks_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	u64 ticks;
	int ret;

	ret = qs1_telemetry_read(dev_get_drvdata(dev), offsetof(struct qs1_telemetry, ticks),
				 &ticks, sizeof(ticks));
	if (ret)
		return ret;
	return sysfs_emit(buf, "%llu\n", ticks);
}
static DEVICE_ATTR_RO(telemetry_ticks);

static ssize_t qs1_flags_show(struct device *dev, size_t offset, char *buf)
{
	u32 flags;
	int ret;

	ret = qs1_telemetry_u32(dev, offset, &flags);
	return ret ? ret : sysfs_emit(buf, "0x%08x\n", flags);
}

static ssize_t status_flags_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return qs1_flags_show(dev, offsetof(struct qs1_telemetry, status), buf);
}
static DEVICE_ATTR_RO(status_flags);

static ssize_t fault_flags_active_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return qs1_flags_show(dev, offsetof(struct qs1_telemetry, faults_active), buf);
}
static DEVICE_ATTR_RO(fault_flags_active);

static ssize_t fault_flags_latched_show(struct device *dev, struct device_attribute *attr,
					char *buf)
{
	return qs1_flags_show(dev, offsetof(struct qs1_telemetry, faults_latched), buf);
}
static DEVICE_ATTR_RO(fault_flags_latched);

static ssize_t enter_service_remaining_s_show(struct device *dev, struct device_attribute *attr,
					      char *buf)
{
	char text[QS1_DECIMAL_SIZE];
	u32 ms;
	int ret;

	ret = qs1_telemetry_u32(dev, offsetof(struct qs1_telemetry, enter_service_ms), &ms);
	if (ret)
		return ret;
	return sysfs_emit(buf, "%s\n", qs1_decimal_format(text, ms, 3));
}
static DEVICE_ATTR_RO(enter_service_remaining_s);

static ssize_t power_limit_in_force_w_show(struct device *dev, struct device_attribute *attr,
					   char *buf)
{
	char text[QS1_DECIMAL_SIZE];
	u32 mw;
	int ret;

	ret = qs1_telemetry_u32(dev, offsetof(struct qs1_telemetry, power_limit_mw), &mw);
	if (ret)
		return ret;
	return sysfs_emit(buf, "%s\n", qs1_decimal_format(text, mw, 3));
}
static DEVICE_ATTR_RO(power_limit_in_force_w);

static ssize_t qs1_status_bit_show(struct device *dev, u32 bit, char *buf)
{
	u32 status;
	int ret;

	ret = qs1_telemetry_u32(dev, offsetof(struct qs1_telemetry, status), &status);
	return ret ? ret : sysfs_emit(buf, "%d\n", !!(status & bit));
}

static ssize_t armed_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return qs1_status_bit_show(dev, QS1_STATUS_ARMED, buf);
}

/* A switch: one operation for on and one for off, or one for both whose value says which. */
static ssize_t qs1_switch_store(struct device *dev, enum qs1_op on_op, enum qs1_op off_op,
				const char *buf, size_t count)
{
	bool on;
	int ret;

	ret = kstrtobool(buf, &on);
	if (!ret)
		ret = qs1_command(dev_get_drvdata(dev), on ? on_op : off_op, 0, on, NULL);
	return ret ? ret : count;
}

static ssize_t armed_store(struct device *dev, struct device_attribute *attr, const char *buf,
			   size_t count)
{
	return qs1_switch_store(dev, QS1_OP_ARM, QS1_OP_DISARM, buf, count);
}
static DEVICE_ATTR_RW(armed);

/* @buf holds the code of a fault, in any case. */
static ssize_t qs1_fault_command(struct device *dev, enum qs1_op op, const char *buf, size_t count)
{
	char *word __free(kfree) = kstrndup(buf, count, GFP_KERNEL);
	int ret;

	if (!word)
		return -ENOMEM;
	ret = qs1_fault_find(strim(word));
	if (ret >= 0)
		ret = qs1_command(dev_get_drvdata(dev), op, ret, 0, NULL);
	return ret ? ret : count;
}

static ssize_t clear_fault_store(struct device *dev, struct device_attribute *attr, const char *buf,
				 size_t count)
{
	return qs1_fault_command(dev, QS1_OP_CLEAR, buf, count);
}
static DEVICE_ATTR_WO(clear_fault);

static ssize_t latch_fault_store(struct device *dev, struct device_attribute *attr, const char *buf,
				 size_t count)
{
	return qs1_fault_command(dev, QS1_OP_LATCH, buf, count);
}
static DEVICE_ATTR_WO(latch_fault);

static const struct {
	const char *word;
	enum qs1_op op;
} qs1_profile_steps[] = {
	{ "begin", QS1_OP_PROFILE_BEGIN },
	{ "commit", QS1_OP_PROFILE_COMMIT },
	{ "abort", QS1_OP_PROFILE_ABORT },
};

static ssize_t profile_store(struct device *dev, struct device_attribute *attr, const char *buf,
			     size_t count)
{
	int ret;
	int i;

	for (i = 0; i < ARRAY_SIZE(qs1_profile_steps); i++) {
		if (!sysfs_streq(buf, qs1_profile_steps[i].word))
			continue;
		ret = qs1_command(dev_get_drvdata(dev), qs1_profile_steps[i].op, 0, 0, NULL);
		return ret ? ret : count;
	}
	return -EINVAL;
}
static DEVICE_ATTR_WO(profile);

static ssize_t bench_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return qs1_status_bit_show(dev, QS1_STATUS_BENCH, buf);
}

static ssize_t bench_store(struct device *dev, struct device_attribute *attr, const char *buf,
			   size_t count)
{
	return qs1_switch_store(dev, QS1_OP_BENCH, QS1_OP_BENCH, buf, count);
}
static DEVICE_ATTR_RW(bench);

static const char *const qs1_result_names[] = {
	[QS1_OK] = "ok",
	[QS1_ERR_OP] = "no-such-operation",
	[QS1_ERR_ARG] = "no-such-operand",
	[QS1_ERR_RANGE] = "range",
	[QS1_ERR_STATE] = "state",
	[QS1_ERR_CONFLICT] = "conflict",
	[QS1_ERR_ACTIVE] = "active",
};

static ssize_t command_result_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct qs1 *qs1 = dev_get_drvdata(dev);
	char text[QS1_DECIMAL_SIZE];
	struct qs1_answer answer;
	u32 param;

	scoped_guard(mutex, &qs1->mailbox_lock)
		answer = qs1->answer;

	if (answer.op == QS1_OP_NONE)
		return sysfs_emit(buf, "none\n");
	if (answer.result >= ARRAY_SIZE(qs1_result_names))
		return sysfs_emit(buf, "unknown %u\n", answer.result);

	/* A range names its limit, a conflict the parameter that contradicts. */
	param = answer.value;
	if (answer.result == QS1_ERR_RANGE && answer.op == QS1_OP_SET_PARAM &&
	    answer.arg < QS1_PARAM_COUNT)
		return sysfs_emit(buf, "range %s %s\n", qs1_param_desc[answer.arg].name,
				  qs1_decimal_format(text, answer.value,
						     qs1_param_desc[answer.arg].decimals));
	if (answer.result == QS1_ERR_CONFLICT && param < QS1_PARAM_COUNT)
		return sysfs_emit(buf, "conflict %s\n", qs1_param_desc[param].name);
	return sysfs_emit(buf, "%s\n", qs1_result_names[answer.result]);
}
static DEVICE_ATTR_RO(command_result);

static ssize_t heartbeat_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct qs1 *qs1 = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%u\n", (u32)atomic_read(&qs1->heartbeat));
}

static ssize_t heartbeat_store(struct device *dev, struct device_attribute *attr, const char *buf,
			       size_t count)
{
	struct qs1 *qs1 = dev_get_drvdata(dev);

	writel(atomic_inc_return(&qs1->heartbeat), &qs1->shm->host.heartbeat);
	return count;
}
static DEVICE_ATTR_RW(heartbeat);

static ssize_t coproc_crashes_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct qs1 *qs1 = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%u\n", (u32)atomic_read(&qs1->crashes));
}
static DEVICE_ATTR_RO(coproc_crashes);

static ssize_t wave_lost_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct qs1 *qs1 = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%llu\n", (u64)atomic64_read(&qs1->wave_lost));
}
static DEVICE_ATTR_RO(wave_lost);

/* clang-format off */
static struct device_attribute qs1_fault_count_attr[];

static ssize_t qs1_fault_count_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	size_t offset = offsetof(struct qs1_telemetry, fault_count[attr - qs1_fault_count_attr]);
	u32 count;
	int ret;

	ret = qs1_telemetry_u32(dev, offset, &count);
	return ret ? ret : sysfs_emit(buf, "%u\n", count);
}

static struct device_attribute qs1_fault_count_attr[] = {
#define X(id, ...) \
	[QS1_FAULT_##id] = { .attr = { .name = #id, .mode = 0444 }, .show = qs1_fault_count_show },
	QS1_FAULTS(X)
#undef X
};

static struct attribute *qs1_fault_count_attrs[] = {
#define X(id, ...) \
	[QS1_FAULT_##id] = &qs1_fault_count_attr[QS1_FAULT_##id].attr,
	QS1_FAULTS(X)
#undef X
	[QS1_FAULT_COUNT] = NULL
};

/* clang-format on */

static const struct attribute_group qs1_fault_count_group = {
	.name = "fault_count",
	.attrs = qs1_fault_count_attrs,
};

static struct attribute *qs1_attrs[] = { &dev_attr_qs1_layout_version.attr,
					 &dev_attr_firmware_version.attr,
					 &dev_attr_state.attr,
					 &dev_attr_status_flags.attr,
					 &dev_attr_telemetry_ticks.attr,
					 &dev_attr_fault_flags_active.attr,
					 &dev_attr_fault_flags_latched.attr,
					 &dev_attr_enter_service_remaining_s.attr,
					 &dev_attr_power_limit_in_force_w.attr,
					 &dev_attr_armed.attr,
					 &dev_attr_clear_fault.attr,
					 &dev_attr_latch_fault.attr,
					 &dev_attr_profile.attr,
					 &dev_attr_bench.attr,
					 &dev_attr_command_result.attr,
					 &dev_attr_heartbeat.attr,
					 &dev_attr_coproc_crashes.attr,
					 &dev_attr_wave_lost.attr,
					 NULL };

static const struct attribute_group qs1_group = {
	.attrs = qs1_attrs,
};

/* Attributes of the parent device, for the glue driver's dev_groups. */
const struct attribute_group *qs1_groups[] = { &qs1_group,
					       &qs1_fault_count_group,
					       &qs1_params_group,
					       &qs1_params_min_group,
					       &qs1_params_max_group,
					       &qs1_params_default_group,
#ifdef CONFIG_QS1_OLD_ATTRIBUTES
					       &qs1_old_group,
					       &qs1_old_params_range_group,
#endif
					       NULL };
EXPORT_SYMBOL_NS_GPL(qs1_groups, QS1_NS);
