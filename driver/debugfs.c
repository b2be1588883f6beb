// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/debug/qs1-DEVICE/crash: "trap" or "hang" has the firmware crash,
 * for tests of the recovery.
 */
#include <linux/debugfs.h>
#include <linux/device.h>
#include <linux/fs.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "qs1.h"

static const char *const qs1_crash_kinds[] = { "trap", "hang" };

static ssize_t qs1_debugfs_crash_write(struct file *file, const char __user *user, size_t count,
				       loff_t *pos)
{
	struct qs1 *qs1 = file->private_data;
	char text[8] = {};
	int kind;
	int ret;

	if (count >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, user, count))
		return -EFAULT;
	kind = sysfs_match_string(qs1_crash_kinds, text);
	if (kind < 0)
		return kind;

	/* A firmware that crashed can not answer. */
	ret = qs1_command(qs1, QS1_OP_CRASH, kind, 0, NULL);
	return ret && ret != -ETIMEDOUT && ret != -ESHUTDOWN ? ret : count;
}

static const struct file_operations qs1_debugfs_crash_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = qs1_debugfs_crash_write,
};

void qs1_debugfs_init(struct qs1 *qs1)
{
	char name[64];

	snprintf(name, sizeof(name), "qs1-%s", dev_name(qs1->dev));
	qs1->debugfs = debugfs_create_dir(name, NULL);
	debugfs_create_file("crash", 0200, qs1->debugfs, qs1, &qs1_debugfs_crash_fops);
}
