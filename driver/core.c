// SPDX-License-Identifier: GPL-2.0-only
/*
 * qs1: open four-input photovoltaic microinverter.
 *
 * The bus-independent core. A glue driver maps the shared memory, wires the
 * doorbell and names the remote processor; the core agrees with the firmware
 * on the contract's version each time it starts, carries commands, and has
 * children that make standard Linux devices of it.
 *
 * The core is a subdevice of the remote processor, so it and its children
 * are notified of each start, stop and crash (life.c). Children and their devices stay:
 * while no firmware runs they have no data, and answer so.
 */
#include <linux/auxiliary_bus.h>
#include <linux/cleanup.h>
#include <linux/ctype.h>
#include <linux/debugfs.h>
#include <linux/device.h>
#include <linux/export.h>
#include <linux/idr.h>
#include <linux/io.h>
#include <linux/iopoll.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/time64.h>

#include "qs1.h"
#include "trace.h"

/* Self test included; an emulated processor on a busy machine takes longer. */
#define QS1_HANDSHAKE_TIMEOUT_US (5 * USEC_PER_SEC)

#define QS1_CONTROL_HZ_MIN 1000
#define QS1_CONTROL_HZ_MAX 1000000
#define QS1_WAVE_LOG2_MIN 4

static DEFINE_IDA(qs1_ida);

static const char *const qs1_crash_names[] = {
	[QS1_CRASH_NONE] = "no reason given",
	[QS1_CRASH_EXCEPTION] = "processor exception",
	[QS1_CRASH_COMMAND] = "by command",
	[QS1_CRASH_ASSERT] = "internal check failed",
};

/* "unknown reason" for a number that is not in the table. */
const char *qs1_crash_name(u32 reason)
{
	return reason < ARRAY_SIZE(qs1_crash_names) ? qs1_crash_names[reason] : "unknown reason";
}

static void qs1_read_version(struct qs1 *qs1)
{
	char *version = qs1->fw.version;
	size_t size = sizeof(qs1->shm->fw.version);
	size_t i;

	memcpy_fromio(version, qs1->shm->fw.version, size);
	version[size] = '\0';
	for (i = 0; version[i]; i++)
		if (!isascii(version[i]) || !isprint(version[i]))
			version[i] = '?';
}

/* Wait until the firmware has written its magic, or is known to be dead. */
static int qs1_wait_for_magic(struct qs1 *qs1)
{
	struct qs1_fw_info __iomem *info = &qs1->shm->fw;
	u32 reason;
	u32 magic;
	int ret;

	ret = read_poll_timeout(readl, magic,
				magic == QS1_MAGIC || test_bit(QS1_FLAG_CRASHED, &qs1->flags), 1000,
				QS1_HANDSHAKE_TIMEOUT_US, false, &info->magic);
	if (magic == QS1_MAGIC)
		return 0;

	reason = readl(&info->crash_reason);
	if (reason)
		dev_err(qs1->dev, "firmware crashed while starting: %s at 0x%08x\n",
			qs1_crash_name(reason), readl(&info->crash_pc));
	else
		dev_err(qs1->dev, "firmware did not start: magic is 0x%08x, expected 0x%08x\n",
			magic, QS1_MAGIC);
	return ret ? ret : -EIO;
}

/**
 * qs1_handshake() - wait for the firmware and check its version and sizes
 * @qs1: inverter
 *
 * Context: may sleep, up to five seconds.
 * Return: 0; -ETIMEDOUT or -EIO if it does not write its magic, -EPROTO if this
 * driver does not support what it writes. The log has the reason.
 */
int qs1_handshake(struct qs1 *qs1)
{
	struct qs1_fw_info __iomem *info = &qs1->shm->fw;
	u32 control_hz;
	u32 wave_log2;
	u32 layout;
	int ret;

	ret = qs1_wait_for_magic(qs1);
	if (ret)
		return ret;

	layout = readl(&info->layout_version);
	if (layout != QS1_LAYOUT_VERSION) {
		dev_err(qs1->dev, "firmware has layout version %u, this driver needs %u\n", layout,
			QS1_LAYOUT_VERSION);
		return -EPROTO;
	}

	control_hz = readl(&info->control_hz);
	if (control_hz < QS1_CONTROL_HZ_MIN || control_hz > QS1_CONTROL_HZ_MAX) {
		dev_err(qs1->dev, "firmware has a control rate of %u Hz, expected %u to %u\n",
			control_hz, QS1_CONTROL_HZ_MIN, QS1_CONTROL_HZ_MAX);
		return -EPROTO;
	}

	wave_log2 = readl(&info->wave_log2);
	if (wave_log2 < QS1_WAVE_LOG2_MIN || wave_log2 > QS1_WAVE_LOG2_MAX ||
	    QS1_SHM_SIZE(wave_log2) > qs1->size) {
		dev_err(qs1->dev,
			"firmware has a ring of 2^%u scans, expected 2^%u to 2^%u in %zu bytes\n",
			wave_log2, QS1_WAVE_LOG2_MIN, QS1_WAVE_LOG2_MAX, qs1->size);
		return -EPROTO;
	}

	/* Only what was checked gets here: a late reader may still use it. */
	qs1->fw.control_hz = control_hz;
	qs1->fw.wave_log2 = wave_log2;
	qs1_read_version(qs1);
	return 0;
}

/**
 * qs1_set_outputs() - set lines that the host drives
 * @qs1: inverter
 * @mask: QS1_GPIO_* of those that are set
 * @levels: QS1_GPIO_* of those among them that become high
 *
 * Context: any.
 */
void qs1_set_outputs(struct qs1 *qs1, u32 mask, u32 levels)
{
	scoped_guard(spinlock_irqsave, &qs1->gpio_lock) {
		qs1->gpio_out = (qs1->gpio_out & ~mask) | (levels & mask);
		writel(qs1->gpio_out, &qs1->shm->host.gpio_out);
	}
}
EXPORT_SYMBOL_NS_GPL(qs1_set_outputs, QS1_NS);

/**
 * qs1_irq() - hard interrupt handler of the firmware's doorbell
 * @irq: unused
 * @data: struct qs1
 *
 * This wakes a command that waits for its reply. It does not wait for the thread,
 * which may be busy with the ring.
 *
 * Return: IRQ_WAKE_THREAD.
 */
irqreturn_t qs1_irq(int irq, void *data)
{
	struct qs1 *qs1 = data;

	wake_up_all(&qs1->reply_wait);
	return IRQ_WAKE_THREAD;
}
EXPORT_SYMBOL_NS_GPL(qs1_irq, QS1_NS);

/**
 * qs1_news() - handle new events, changed health and new scans
 * @qs1: inverter
 *
 * Context: may sleep.
 */
void qs1_news(struct qs1 *qs1)
{
	guard(mutex)(&qs1->news_lock);

	qs1_events_notify(qs1);
	qs1_health_notify(qs1);
	blocking_notifier_call_chain(&qs1->notifier, QS1_NOTIFY_DOORBELL, NULL);
}

/**
 * qs1_irq_thread() - threaded interrupt handler of the firmware's doorbell
 * @irq: unused
 * @data: struct qs1
 *
 * Return: IRQ_HANDLED.
 */
irqreturn_t qs1_irq_thread(int irq, void *data)
{
	struct qs1 *qs1 = data;

	if (!qs1_running(qs1))
		return IRQ_HANDLED;

	if (readl(&qs1->shm->fw.crash_reason)) {
		qs1_report_crash(qs1, RPROC_FATAL_ERROR);
		return IRQ_HANDLED;
	}

	trace_qs1_doorbell(qs1->id, readl(&qs1->shm->fw.doorbell));
	qs1_news(qs1);
	return IRQ_HANDLED;
}
EXPORT_SYMBOL_NS_GPL(qs1_irq_thread, QS1_NS);

struct qs1_registration {
	struct qs1 *qs1;
	struct notifier_block *nb;
};

static void qs1_unregister_notifier(void *data)
{
	struct qs1_registration *r = data;

	blocking_notifier_chain_unregister(&r->qs1->notifier, r->nb);
}

/**
 * devm_qs1_register_notifier() - register a child for enum qs1_notification
 * @dev: the child's device, whose unbinding ends it
 * @qs1: inverter
 * @nb: called with enum qs1_notification
 *
 * A child that registers while the firmware runs gets no QS1_NOTIFY_STARTED
 * for that: it looks at qs1_running() itself.
 *
 * Return: 0 or a negative errno.
 */
int devm_qs1_register_notifier(struct device *dev, struct qs1 *qs1, struct notifier_block *nb)
{
	struct qs1_registration *r;
	int ret;

	r = devm_kzalloc(dev, sizeof(*r), GFP_KERNEL);
	if (!r)
		return -ENOMEM;
	r->qs1 = qs1;
	r->nb = nb;

	ret = blocking_notifier_chain_register(&qs1->notifier, nb);
	if (ret)
		return ret;
	return devm_add_action_or_reset(dev, qs1_unregister_notifier, r);
}
EXPORT_SYMBOL_NS_GPL(devm_qs1_register_notifier, QS1_NS);

static void qs1_child_release(struct device *dev)
{
	kfree(to_auxiliary_dev(dev));
}

static void qs1_child_remove(void *data)
{
	struct auxiliary_device *child = data;

	auxiliary_device_delete(child);
	auxiliary_device_uninit(child);
}

static int devm_qs1_add_child(struct qs1 *qs1, const char *name)
{
	struct auxiliary_device *child;
	int ret;

	child = kzalloc(sizeof(*child), GFP_KERNEL);
	if (!child)
		return -ENOMEM;
	child->name = name;
	child->id = qs1->id;
	child->dev.parent = qs1->dev;
	child->dev.release = qs1_child_release;

	ret = auxiliary_device_init(child);
	if (ret) {
		kfree(child);
		return ret;
	}
	ret = __auxiliary_device_add(child, "qs1");
	if (ret) {
		auxiliary_device_uninit(child);
		return ret;
	}
	return devm_add_action_or_reset(qs1->dev, qs1_child_remove, child);
}

/**
 * devm_qs1_add_children() - let the child drivers bind
 * @qs1: inverter
 *
 * To be called by the glue once its interrupts are wired.
 *
 * Return: 0 or a negative errno.
 */
int devm_qs1_add_children(struct qs1 *qs1)
{
	static const char *const names[] = { "iio", "gpio", "pwm", "hwmon" };
	int ret;
	int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		ret = devm_qs1_add_child(qs1, names[i]);
		if (ret)
			return dev_err_probe(qs1->dev, ret, "cannot add child %s\n", names[i]);
	}
	return 0;
}
EXPORT_SYMBOL_NS_GPL(devm_qs1_add_children, QS1_NS);

static void qs1_free(void *data)
{
	struct qs1 *qs1 = data;

	debugfs_remove_recursive(qs1->debugfs);
	qs1_set_outputs(qs1, ~0, 0);
	ida_free(&qs1_ida, qs1->id);
}

/**
 * devm_qs1_alloc() - the core's part of one inverter
 * @dev: parent device; its driver data becomes the returned structure
 * @rproc: the coprocessor; this does not touch it
 * @shm: the contract
 * @size: bytes from @shm on that belong to it
 * @ops: the glue
 * @priv: the glue's own, struct qs1.priv
 *
 * Production is permitted on the GPIO lines from here on, and no longer when
 * @dev is unbound; the firmware still produces only when armed.
 *
 * Return: the structure or an error pointer.
 */
struct qs1 *devm_qs1_alloc(struct device *dev, struct rproc *rproc, void __iomem *shm, size_t size,
			   const struct qs1_ops *ops, void *priv)
{
	struct qs1 *qs1;
	int ret;

	if (size < QS1_SHM_SIZE(QS1_WAVE_LOG2_MIN)) {
		ret = dev_err_probe(dev, -EINVAL, "shared memory has %zu bytes only\n", size);
		return ERR_PTR(ret);
	}

	qs1 = devm_kzalloc(dev, sizeof(*qs1), GFP_KERNEL);
	if (!qs1)
		return ERR_PTR(-ENOMEM);

	qs1->dev = dev;
	qs1->rproc = rproc;
	qs1->shm = shm;
	qs1->size = size;
	qs1->ops = ops;
	qs1->priv = priv;
	BLOCKING_INIT_NOTIFIER_HEAD(&qs1->notifier);
	qs1_mailbox_init(qs1);
	spin_lock_init(&qs1->gpio_lock);
	ret = devm_mutex_init(dev, &qs1->mailbox_lock);
	if (!ret)
		ret = devm_mutex_init(dev, &qs1->news_lock);
	if (!ret)
		ret = devm_qs1_life_init(qs1);
	if (ret)
		return ERR_PTR(ret);

	qs1->id = ida_alloc(&qs1_ida, GFP_KERNEL);
	if (qs1->id < 0)
		return ERR_PTR(qs1->id);

	dev_set_drvdata(dev, qs1);
	writel(0, &qs1->shm->host.wave_watermark);
	qs1_set_outputs(qs1, ~0, QS1_GPIO_ENABLE | QS1_GPIO_ESTOP_N);

	qs1_debugfs_init(qs1);

	ret = devm_add_action_or_reset(dev, qs1_free, qs1);
	if (!ret)
		ret = devm_qs1_event_log_init(qs1);
	if (!ret)
		ret = devm_qs1_trip_init(qs1);
	return ret ? ERR_PTR(ret) : qs1;
}
EXPORT_SYMBOL_NS_GPL(devm_qs1_alloc, QS1_NS);

MODULE_DESCRIPTION("qs1 microinverter: core");
MODULE_AUTHOR("qs1 contributors");
MODULE_LICENSE("GPL");
