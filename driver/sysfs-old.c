// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attributes of the former release: lists in one file, and verbs. They stay for
 * programs that have not moved to the attributes of sysfs.c and param.c, see
 * Documentation/ABI/obsolete/sysfs-bus-pci-drivers-qs1.
 */
#include <linux/cleanup.h>
#include <linux/device.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "decimal.h"
#include "qs1.h"

static ssize_t qs1_faults_emit(char *buf, u32 faults)
{
	int len = 0;
	u32 fault;

	for (fault = 0; fault < QS1_FAULT_COUNT; fault++)
		if (faults & QS1_FAULT_BIT(fault))
			len += sysfs_emit_at(buf, len, "%s%s", len ? " " : "",
					     qs1_fault_name(fault));
	return len + sysfs_emit_at(buf, len, "\n");
}

static ssize_t faults_active_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	u32 faults;
	int ret;

	ret = qs1_telemetry_u32(dev, offsetof(struct qs1_telemetry, faults_active), &faults);
	return ret ? ret : qs1_faults_emit(buf, faults);
}
static DEVICE_ATTR_RO(faults_active);

static ssize_t faults_latched_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	u32 faults;
	int ret;

	ret = qs1_telemetry_u32(dev, offsetof(struct qs1_telemetry, faults_latched), &faults);
	return ret ? ret : qs1_faults_emit(buf, faults);
}
static DEVICE_ATTR_RO(faults_latched);

static ssize_t fault_counts_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	u32 counts[QS1_FAULT_SLOTS];
	int len = 0;
	u32 fault;
	int ret;

	ret = qs1_telemetry_read(dev_get_drvdata(dev), offsetof(struct qs1_telemetry, fault_count),
				 counts, sizeof(counts));
	if (ret)
		return ret;
	for (fault = 0; fault < QS1_FAULT_COUNT; fault++)
		len += sysfs_emit_at(buf, len, "%s %u\n", qs1_fault_name(fault), counts[fault]);
	return len;
}
static DEVICE_ATTR_RO(fault_counts);

/*
 * A line of the attribute is at most 101 characters (ten and twenty digits,
 * "transition", "momentary-cessation", two "ground-fault", eleven digits), and
 * an attribute holds a page: the newest 40 always fit into 4096.
 */
#define QS1_EVENTS_SHOWN 40u

static const char *qs1_event_kind(u16 kind)
{
	switch (kind) {
	case QS1_EVENT_TRANSITION:
		return "transition";
	case QS1_EVENT_TRIP:
		return "trip";
	case QS1_EVENT_CLEAR:
		return "clear";
	default:
		return "unknown";
	}
}

/**
 * qs1_old_events() - the newest events as text, oldest first
 * @qs1: inverter
 * @buf: a page
 *
 * Return: bytes written, or -ENODATA if the firmware does not run.
 */
ssize_t qs1_old_events(struct qs1 *qs1, char *buf)
{
	struct qs1_event *events __free(kfree) =
		kcalloc(QS1_EVENTS_SHOWN, sizeof(*events), GFP_KERNEL);
	int found;
	int len = 0;
	int i;

	if (!events)
		return -ENOMEM;
	found = qs1_events_read(qs1, events, QS1_EVENTS_SHOWN);
	if (found < 0)
		return found;
	for (i = 0; i < found; i++)
		len += sysfs_emit_at(buf, len, "%u %llu %s %s %s %s %d\n", events[i].seq,
				     events[i].ticks, qs1_event_kind(events[i].kind),
				     qs1_cause_name(events[i].cause),
				     qs1_state_name(events[i].from), qs1_state_name(events[i].to),
				     events[i].value);
	return len;
}

static ssize_t events_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return qs1_old_events(dev_get_drvdata(dev), buf);
}
static DEVICE_ATTR_RO(events);

static const struct qs1_control {
	const char *words;
	enum qs1_op op;
	bool fault; /* the name of a fault follows */
} qs1_controls[] = {
	{ "arm", QS1_OP_ARM },
	{ "disarm", QS1_OP_DISARM },
	{ "profile begin", QS1_OP_PROFILE_BEGIN },
	{ "profile commit", QS1_OP_PROFILE_COMMIT },
	{ "profile abort", QS1_OP_PROFILE_ABORT },
	{ "clear ", QS1_OP_CLEAR, true },
	{ "latch ", QS1_OP_LATCH, true },
};

static int qs1_control(struct qs1 *qs1, const char *words)
{
	int fault = 0;
	int i;

	for (i = 0; i < ARRAY_SIZE(qs1_controls); i++) {
		const struct qs1_control *c = &qs1_controls[i];

		if (c->fault && str_has_prefix(words, c->words))
			fault = qs1_fault_find(words + strlen(c->words));
		else if (strcmp(words, c->words))
			continue;
		return fault < 0 ? fault : qs1_command(qs1, c->op, fault, 0, NULL);
	}
	return -EINVAL;
}

static ssize_t control_store(struct device *dev, struct device_attribute *attr, const char *buf,
			     size_t count)
{
	char *copy __free(kfree) = kstrndup(buf, count, GFP_KERNEL);
	int ret;

	if (!copy)
		return -ENOMEM;
	ret = qs1_control(dev_get_drvdata(dev), strim(copy));
	return ret ? ret : count;
}
static DEVICE_ATTR_WO(control);

static struct attribute *qs1_old_attrs[] = {
	&dev_attr_faults_active.attr, &dev_attr_faults_latched.attr, &dev_attr_fault_counts.attr,
	&dev_attr_events.attr,	      &dev_attr_control.attr,	     NULL
};

const struct attribute_group qs1_old_group = {
	.attrs = qs1_old_attrs,
};

/* clang-format off */
static struct device_attribute qs1_param_range_attr[];

static ssize_t qs1_param_range_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	const struct qs1_param_desc *desc = &qs1_param_desc[attr - qs1_param_range_attr];
	char min[QS1_DECIMAL_SIZE];
	char max[QS1_DECIMAL_SIZE];
	char def[QS1_DECIMAL_SIZE];

	return sysfs_emit(buf, "%s %s %s\n", qs1_decimal_format(min, desc->min, desc->decimals),
			  qs1_decimal_format(max, desc->max, desc->decimals),
			  qs1_decimal_format(def, desc->def, desc->decimals));
}

static struct device_attribute qs1_param_range_attr[] = {
#define X(id, pname, ...) \
	[QS1_PARAM_##id] = { .attr = { .name = pname, .mode = 0444 }, \
			     .show = qs1_param_range_show },
	QS1_PARAMS(X)
#undef X
};

static struct attribute *qs1_params_range_attrs[] = {
#define X(id, ...) \
	[QS1_PARAM_##id] = &qs1_param_range_attr[QS1_PARAM_##id].attr,
	QS1_PARAMS(X)
#undef X
	[QS1_PARAM_COUNT] = NULL
};

/* clang-format on */

const struct attribute_group qs1_old_params_range_group = {
	.name = "params_range",
	.attrs = qs1_params_range_attrs,
};
