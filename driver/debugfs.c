// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/debug/qs1-DEVICE: "trap" or "hang" written to crash has the
 * firmware crash, for tests of the recovery; registers shows the words by which
 * both sides work together.
 */
#include <linux/array_size.h>
#include <linux/debugfs.h>
#include <linux/device.h>
#include <linux/fs.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "qs1.h"

#define QS1_REG(member)                                                                            \
	{                                                                                          \
		.name = #member, .offset = offsetof(struct qs1_shm, member)                        \
	}

static const struct debugfs_reg32 qs1_registers[] = {
	QS1_REG(fw.magic),
	QS1_REG(fw.layout_version),
	QS1_REG(fw.control_hz),
	QS1_REG(fw.wave_log2),
	QS1_REG(fw.boots),
	QS1_REG(fw.doorbell),
	QS1_REG(fw.crash_reason),
	QS1_REG(fw.crash_pc),
	QS1_REG(fw.alive),
	QS1_REG(host.heartbeat),
	QS1_REG(host.wave_watermark),
	QS1_REG(host.gpio_out),
	QS1_REG(command.seq),
	QS1_REG(command.op),
	QS1_REG(command.arg),
	QS1_REG(command.value),
	QS1_REG(reply.seq),
	QS1_REG(reply.result),
	QS1_REG(reply.value),
	QS1_REG(telemetry.seq),
	QS1_REG(telemetry.status),
	QS1_REG(telemetry.faults_active),
	QS1_REG(telemetry.faults_latched),
	QS1_REG(events.head),
	QS1_REG(wave.head),
};

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
	qs1->registers.regs = qs1_registers;
	qs1->registers.nregs = ARRAY_SIZE(qs1_registers);
	qs1->registers.base = qs1->shm;
	debugfs_create_regset32("registers", 0400, qs1->debugfs, &qs1->registers);
}
