// SPDX-License-Identifier: GPL-2.0-only
/*
 * qs1: open four-input photovoltaic microinverter.
 *
 * The bus-independent core. A glue driver maps the shared memory, wires the
 * doorbell and names the remote processor; the core agrees with the firmware
 * on the contract's version each time it starts, carries commands, and has
 * children that turn the memory into standard Linux devices.
 *
 * The core is a subdevice of the remote processor, so it and its children
 * learn of each start, stop and crash. Children and their devices stay: while
 * no firmware runs they have no data, and answer so.
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
#include <linux/workqueue.h>

#include "qs1.h"
#include "trace.h"

/* Self test included; an emulated processor on a busy machine takes longer. */
#define QS1_HANDSHAKE_TIMEOUT_US (5 * USEC_PER_SEC)

/* A firmware that lived so long is restarted at once, otherwise ever later. */
#define QS1_RECOVERY_STABLE_S 1
#define QS1_RECOVERY_DELAY_MAX_S 32u

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

static const char *qs1_crash_name(u32 reason)
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

/* Read until the firmware has shown itself, or is known to be dead. */
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
 * qs1_handshake() - wait for the firmware and check that it is for us
 * @qs1: inverter
 *
 * Context: may sleep, up to five seconds.
 * Return: 0; -ETIMEDOUT or -EIO if it does not show itself, -EPROTO if what it
 * says is not for this driver. The log has the reason.
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

static void qs1_see_to_recovery(struct qs1 *qs1)
{
	if (!test_bit(QS1_FLAG_LEAVING, &qs1->flags))
		mod_delayed_work(system_long_wq, &qs1->recovery_work, qs1->recovery_delay_s * HZ);
}

/*
 * Have the remoteproc core recover a firmware that is dead.
 *
 * The core tries once. Where that fails, because the firmware died again while
 * starting or its file is gone, it leaves the processor off but in use: it can
 * then be neither started nor stopped. For an inverter on a roof that is not
 * enough, so try again.
 */
static void qs1_recovery_work(struct work_struct *work)
{
	struct qs1 *qs1 = container_of(work, struct qs1, recovery_work.work);
	struct rproc *rproc = qs1->rproc;
	bool failed;
	bool dead;

	flush_work(&rproc->crash_handler);

	scoped_guard(mutex, &rproc->lock) {
		failed = rproc->state == RPROC_OFFLINE && atomic_read(&rproc->power) > 0;
		/* The core recovers only what it believes to be running. */
		if (failed)
			rproc->state = RPROC_RUNNING;
		dead = rproc->state == RPROC_RUNNING && !qs1_running(qs1);
	}
	if (failed)
		dev_err(qs1->dev, "firmware did not recover, next try\n");
	if (dead)
		rproc_report_crash(rproc, qs1->crash_type);
}

/**
 * qs1_report_crash() - the firmware is found dead
 * @qs1: inverter
 * @type: RPROC_WATCHDOG or RPROC_FATAL_ERROR
 *
 * Only the first report since a start counts. The remoteproc core then stops,
 * dumps and restarts the firmware, which comes back disarmed; at once, but for
 * a firmware that dies again and again right after its start.
 *
 * Context: any.
 */
void qs1_report_crash(struct qs1 *qs1, enum rproc_crash_type type)
{
	/* Ends a handshake, if there is one; its start then fails by itself. */
	set_bit(QS1_FLAG_CRASHED, &qs1->flags);
	if (!test_and_clear_bit(QS1_FLAG_RUNNING, &qs1->flags))
		return;

	if (type == RPROC_WATCHDOG)
		dev_err(qs1->dev, "firmware crashed: watchdog\n");
	else
		dev_err(qs1->dev, "firmware crashed: %s at 0x%08x\n",
			qs1_crash_name(readl(&qs1->shm->fw.crash_reason)),
			readl(&qs1->shm->fw.crash_pc));
	wake_up_all(&qs1->reply_wait);

	qs1->crash_type = type;
	if (time_after(jiffies, qs1->started + QS1_RECOVERY_STABLE_S * HZ))
		qs1->recovery_delay_s = 0;
	qs1_see_to_recovery(qs1);
}
EXPORT_SYMBOL_NS_GPL(qs1_report_crash, QS1_NS);

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

/*
 * The processor is in reset: this is the only time at which the host writes
 * members that belong to the firmware, so that nothing a former firmware left
 * is taken for the new one's. One that went wild may have overwritten the host's
 * members too.
 */
static int qs1_subdev_prepare(struct rproc_subdev *subdev)
{
	struct qs1 *qs1 = container_of(subdev, struct qs1, subdev);

	clear_bit(QS1_FLAG_CRASHED, &qs1->flags);
	qs1->health = (struct qs1_health){};
	qs1->event_head = 0;
	qs1_mailbox_reset(qs1);
	writel(0, &qs1->shm->host.wave_watermark);
	qs1_set_outputs(qs1, 0, 0);
	writel(0, &qs1->shm->fw.crash_reason);
	writel(0, &qs1->shm->fw.magic);
	return 0;
}

static int qs1_subdev_start(struct rproc_subdev *subdev)
{
	struct qs1 *qs1 = container_of(subdev, struct qs1, subdev);
	int ret;

	ret = qs1_handshake(qs1);
	if (ret)
		return ret;

	dev_info(qs1->dev, "firmware %s, %u Hz\n", qs1->fw.version, qs1->fw.control_hz);
	/* Pairs with the acquire in qs1_running(): qs1->fw is valid. */
	smp_mb__before_atomic();
	set_bit(QS1_FLAG_RUNNING, &qs1->flags);
	qs1->started = jiffies;
	/* Who found it dead before that was not heard. */
	if (test_bit(QS1_FLAG_CRASHED, &qs1->flags))
		qs1_report_crash(qs1, RPROC_WATCHDOG);
	else if (readl(&qs1->shm->fw.crash_reason))
		qs1_report_crash(qs1, RPROC_FATAL_ERROR);
	blocking_notifier_call_chain(&qs1->notifier, QS1_NOTIFY_STARTED, NULL);
	sysfs_notify(&qs1->dev->kobj, NULL, "state");
	return 0;
}

/*
 * Somebody asks for a stop who is not this driver. While the power stage may run
 * the glue will refuse it, if the coprocessor is its own: then nothing happens.
 */
static bool qs1_will_refuse_stop(struct qs1 *qs1)
{
	if (!qs1->ops->provider || !qs1_permitted(qs1) || test_bit(QS1_FLAG_LEAVING, &qs1->flags))
		return false;
	set_bit(QS1_FLAG_KEPT, &qs1->flags);
	return true;
}

/* A coprocessor that is another driver's can be stopped under ours: a fault, start again. */
static void qs1_stopped_by_others(struct qs1 *qs1)
{
	if (qs1->ops->provider || test_bit(QS1_FLAG_LEAVING, &qs1->flags))
		return;
	dev_err(qs1->dev, "firmware was stopped by somebody else\n");
	atomic_inc(&qs1->crashes);
	schedule_work(&qs1->boot_work);
}

static void qs1_subdev_stop(struct rproc_subdev *subdev, bool crashed)
{
	struct qs1 *qs1 = container_of(subdev, struct qs1, subdev);

	if (!crashed && qs1_will_refuse_stop(qs1))
		return;

	clear_bit(QS1_FLAG_RUNNING, &qs1->flags);
	if (crashed) {
		atomic_inc(&qs1->crashes);
		/* Look whether this one succeeded; the next one waits longer. */
		qs1->recovery_delay_s =
			clamp(2 * qs1->recovery_delay_s, 1u, QS1_RECOVERY_DELAY_MAX_S);
		qs1_see_to_recovery(qs1);
	} else {
		qs1_stopped_by_others(qs1);
	}
	qs1_mailbox_flush(qs1);
	blocking_notifier_call_chain(&qs1->notifier, QS1_NOTIFY_STOPPED, NULL);
	sysfs_notify(&qs1->dev->kobj, NULL, "state");
}

/**
 * qs1_keeps_running() - whether the stop that was asked for is to be refused
 * @qs1: inverter
 *
 * For the stop operation of glue that provides the coprocessor. A stray "stop"
 * must not take the firmware away under the power stage: it is refused from
 * arming, or bench mode, until that is taken back, but not when the firmware has
 * crashed or the driver goes.
 *
 * Return: true if it is.
 */
bool qs1_keeps_running(struct qs1 *qs1)
{
	if (!test_and_clear_bit(QS1_FLAG_KEPT, &qs1->flags))
		return false;
	dev_warn(qs1->dev, "firmware is not stopped while armed or in bench mode\n");
	return true;
}
EXPORT_SYMBOL_NS_GPL(qs1_keeps_running, QS1_NS);

/**
 * qs1_irq() - hard interrupt handler of the firmware's doorbell
 * @irq: unused
 * @data: struct qs1
 *
 * A command's reply does not wait for the thread, which may be busy with the
 * ring.
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
 * qs1_news() - see what the firmware has to tell
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

/**
 * qs1_quiesce() - stop the firmware for good
 * @qs1: inverter
 *
 * To be called by the glue before the coprocessor is unregistered, when no
 * interrupt comes any more. rproc_del() alone stops a processor that was
 * started once and runs; here it may have been started several times, or be
 * under recovery.
 */
void qs1_quiesce(struct qs1 *qs1)
{
	struct rproc *rproc = qs1->rproc;

	set_bit(QS1_FLAG_LEAVING, &qs1->flags);
	cancel_work_sync(&qs1->boot_work);
	cancel_delayed_work_sync(&qs1->recovery_work);
	cancel_work_sync(&rproc->crash_handler);
	/* The recovery may have begun before it could see the flag. */
	cancel_delayed_work_sync(&qs1->recovery_work);
	while (rproc->state == RPROC_RUNNING && !rproc_shutdown(rproc))
		;
}
EXPORT_SYMBOL_NS_GPL(qs1_quiesce, QS1_NS);

static void qs1_boot_work(struct work_struct *work)
{
	struct qs1 *qs1 = container_of(work, struct qs1, boot_work);
	struct rproc *rproc = qs1->rproc;
	int ret;

	ret = rproc_boot(rproc);
	if (ret == -ENOENT)
		dev_err(qs1->dev, "firmware file %s is missing\n", rproc->firmware);
	if (ret && qs1->ops->provider)
		dev_err(qs1->dev,
			"firmware %s not started (%d): write \"start\" to %s/state to try again\n",
			rproc->firmware, ret, dev_name(&rproc->dev));
	else if (ret)
		dev_err(qs1->dev,
			"firmware %s not started (%d): bind the driver again to try again\n",
			rproc->firmware, ret);
}

static void qs1_cancel_boot(void *data)
{
	struct qs1 *qs1 = data;

	cancel_work_sync(&qs1->boot_work);
}

/**
 * devm_qs1_boot() - start the firmware
 * @qs1: inverter
 *
 * The last step of the glue's probing. The file may be large, or be missing, so
 * this does not wait for it; a failure is told in the log.
 *
 * Return: 0 or a negative errno.
 */
int devm_qs1_boot(struct qs1 *qs1)
{
	schedule_work(&qs1->boot_work);
	return devm_add_action_or_reset(qs1->dev, qs1_cancel_boot, qs1);
}
EXPORT_SYMBOL_NS_GPL(devm_qs1_boot, QS1_NS);

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
 * devm_qs1_register_notifier() - have a child told of what happens
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
			return dev_err_probe(qs1->dev, ret, "can not add child %s\n", names[i]);
	}
	return 0;
}
EXPORT_SYMBOL_NS_GPL(devm_qs1_add_children, QS1_NS);

static void qs1_free(void *data)
{
	struct qs1 *qs1 = data;

	debugfs_remove_recursive(qs1->debugfs);
	rproc_remove_subdev(qs1->rproc, &qs1->subdev);
	qs1_set_outputs(qs1, ~0, 0);
	ida_free(&qs1_ida, qs1->id);
}

/**
 * devm_qs1_alloc() - the core's part of one inverter
 * @dev: parent device; its driver data becomes the returned structure
 * @rproc: the coprocessor, not yet registered or not running
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
	INIT_WORK(&qs1->boot_work, qs1_boot_work);
	INIT_DELAYED_WORK(&qs1->recovery_work, qs1_recovery_work);
	BLOCKING_INIT_NOTIFIER_HEAD(&qs1->notifier);
	qs1_mailbox_init(qs1);
	spin_lock_init(&qs1->gpio_lock);
	ret = devm_mutex_init(dev, &qs1->mailbox_lock);
	if (!ret)
		ret = devm_mutex_init(dev, &qs1->news_lock);
	if (ret)
		return ERR_PTR(ret);

	qs1->id = ida_alloc(&qs1_ida, GFP_KERNEL);
	if (qs1->id < 0)
		return ERR_PTR(qs1->id);

	dev_set_drvdata(dev, qs1);
	writel(0, &qs1->shm->host.wave_watermark);
	qs1_set_outputs(qs1, ~0, QS1_GPIO_ENABLE | QS1_GPIO_ESTOP_N);

	qs1->subdev.prepare = qs1_subdev_prepare;
	qs1->subdev.start = qs1_subdev_start;
	qs1->subdev.stop = qs1_subdev_stop;
	rproc_add_subdev(rproc, &qs1->subdev);
	qs1_debugfs_init(qs1);

	ret = devm_add_action_or_reset(dev, qs1_free, qs1);
	if (!ret)
		ret = devm_qs1_trip_init(qs1);
	if (!ret)
		ret = devm_qs1_runtime_pm(qs1);
	return ret ? ERR_PTR(ret) : qs1;
}
EXPORT_SYMBOL_NS_GPL(devm_qs1_alloc, QS1_NS);

MODULE_DESCRIPTION("qs1 microinverter: core");
MODULE_AUTHOR("qs1 contributors");
MODULE_LICENSE("GPL");
