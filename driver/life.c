// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of the firmware. This file alone starts, recovers and stops the remote
 * processor, with rproc_boot() and rproc_shutdown(). A work item does so on request.
 *
 * When this driver finds the firmware dead, it shuts the processor down and boots it
 * again. A boot that fails leaves the processor off and without users, so it can be
 * repeated. The remoteproc core's own recovery handles crashes that others report (a
 * watchdog of the processor's driver, debugfs); it tries once.
 *
 * The subdevice's callbacks run at each start and stop, also at those that others
 * cause.
 */
#include <linux/cleanup.h>
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/export.h>
#include <linux/io.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/pm_runtime.h>
#include <linux/sysfs.h>
#include <linux/workqueue.h>

#include "qs1.h"

/* A firmware that ran for so long is restarted at once; one that did not, after a growing delay. */
#define QS1_LIFE_STABLE_S 1
#define QS1_LIFE_RETRY_MAX_S 32u

/* Delay before the next attempt to take a lock, after a signal. */
#define QS1_LIFE_SIGNAL_MS 10

/*
 * Queue the work. Once QS1_FLAG_LEAVING is set, nothing queues it again: the lock makes test and
 * queueing one step.
 */
static void qs1_life_request(struct qs1 *qs1, unsigned int delay_s)
{
	scoped_guard(spinlock_irqsave, &qs1->life.request_lock)
		if (!test_bit(QS1_FLAG_LEAVING, &qs1->flags))
			mod_delayed_work(system_freezable_wq, &qs1->life.work, delay_s * HZ);
}

/* The delay doubles from 1 s to 32 s as long as attempts fail. */
static unsigned int qs1_life_back_off(struct qs1 *qs1)
{
	unsigned int retry_s;

	scoped_guard(spinlock_irqsave, &qs1->life.request_lock) {
		retry_s = clamp(2 * qs1->life.retry_s, 1u, QS1_LIFE_RETRY_MAX_S);
		qs1->life.retry_s = retry_s;
	}
	return retry_s;
}

/* The state may change at once; callers allow for that. */
static bool qs1_life_in_use(struct rproc *rproc)
{
	unsigned int state = READ_ONCE(rproc->state);

	return state == RPROC_RUNNING || state == RPROC_ATTACHED;
}

/* A signal to the task that unbinds the driver, or suspends the system, must not end this. */
static int qs1_life_shutdown(struct rproc *rproc)
{
	int ret;

	while ((ret = rproc_shutdown(rproc)) == -EINTR)
		msleep(QS1_LIFE_SIGNAL_MS);
	return ret;
}

/*
 * Drop all references until the coprocessor is off. The first call also waits for a
 * start that is under way, which holds the coprocessor's lock.
 */
static int qs1_life_stop_rproc(struct rproc *rproc)
{
	int ret;

	do
		ret = qs1_life_shutdown(rproc);
	while (!ret && qs1_life_in_use(rproc));
	/* -EINVAL: the processor is off. */
	return ret == -EINVAL && !qs1_life_in_use(rproc) ? 0 : ret;
}

/*
 * Start the helper once; it keeps running while the coprocessor restarts. System sleep may erase
 * its program.
 */
static int qs1_life_boot_helper(struct qs1 *qs1)
{
	int ret;

	if (!qs1->helper || qs1_life_in_use(qs1->helper))
		return 0;
	ret = rproc_boot(qs1->helper);
	if (ret)
		dev_err(qs1->dev,
			"firmware %s of the helper did not start (%d), next try in %u s\n",
			qs1->helper->firmware, ret, qs1_life_back_off(qs1));
	return ret;
}

static void qs1_life_stop_helper(struct qs1 *qs1)
{
	if (qs1->helper && qs1_life_stop_rproc(qs1->helper))
		dev_err(qs1->dev, "helper %s does not stop\n", dev_name(&qs1->helper->dev));
}

static int qs1_life_stop(struct qs1 *qs1)
{
	int ret;

	lockdep_assert_held(&qs1->life.lock);

	set_bit(QS1_FLAG_STOPPING, &qs1->flags);
	ret = qs1_life_stop_rproc(qs1->rproc);
	clear_bit(QS1_FLAG_STOPPING, &qs1->flags);
	if (ret)
		dev_err(qs1->dev, "coprocessor %s does not stop (%d)\n", dev_name(&qs1->rproc->dev),
			ret);
	return ret;
}

/*
 * The core's own recovery has failed. The processor is then off but counts users, and no public
 * call frees it. During a start by others it looks the same for a moment.
 */
static bool qs1_life_is_stuck(struct rproc *rproc)
{
	unsigned int state = READ_ONCE(rproc->state);

	return state == RPROC_CRASHED || (state == RPROC_OFFLINE && atomic_read(&rproc->power) > 0);
}

static int qs1_life_boot(struct qs1 *qs1)
{
	struct rproc *rproc = qs1->rproc;
	bool attach = READ_ONCE(rproc->state) == RPROC_DETACHED;
	int ret;

	if (qs1_life_is_stuck(rproc)) {
		dev_err(qs1->dev, "%s is in use or was not recovered, next try in %u s\n",
			dev_name(&rproc->dev), qs1_life_back_off(qs1));
		return -EBUSY;
	}
	ret = qs1_life_boot_helper(qs1);
	if (ret)
		return ret;
	ret = rproc_boot(rproc);
	if (ret == -ENOENT)
		dev_err(qs1->dev, "firmware file %s is missing, next try in %u s\n",
			rproc->firmware, qs1_life_back_off(qs1));
	else if (ret)
		dev_err(qs1->dev, "firmware %s did not start (%d), next try in %u s\n",
			rproc->firmware, ret, qs1_life_back_off(qs1));
	if (ret)
		return ret;
	/* The firmware may still be armed from before. */
	if (attach)
		qs1_power_off(qs1);
	return 0;
}

static void qs1_life_work(struct work_struct *work)
{
	struct qs1 *qs1 = container_of(work, struct qs1, life.work.work);

	/* If the core is recovering it, wait for the result. */
	flush_work(&qs1->rproc->crash_handler);

	guard(mutex)(&qs1->life.lock);

	if (qs1_running(qs1) || !test_bit(QS1_FLAG_WANTED, &qs1->flags))
		return;
	/* The user wants to examine the crash. The firmware stays as it is until it is stopped. */
	if (test_bit(QS1_FLAG_CRASHED, &qs1->flags) && qs1->rproc->recovery_disabled)
		return;
	if (qs1_life_in_use(qs1->rproc) && qs1_life_stop(qs1))
		qs1_life_request(qs1, qs1_life_back_off(qs1));
	else if (qs1_life_boot(qs1))
		qs1_life_request(qs1, READ_ONCE(qs1->life.retry_s));
}

/* A firmware that ran for long is started again without a delay. */
static unsigned int qs1_life_crash_delay_s(struct qs1 *qs1)
{
	unsigned int retry_s;

	scoped_guard(spinlock_irqsave, &qs1->life.request_lock) {
		if (time_after(jiffies, qs1->life.started + QS1_LIFE_STABLE_S * HZ))
			qs1->life.retry_s = 0;
		retry_s = qs1->life.retry_s;
	}
	return retry_s;
}

/**
 * qs1_report_crash() - the firmware is found dead
 * @qs1: inverter
 * @type: RPROC_WATCHDOG or RPROC_FATAL_ERROR
 *
 * Only the first report since a start counts. The driver then stops the firmware,
 * takes a dump and starts it again, disarmed. If the firmware dies right after each
 * start, the restart is delayed.
 *
 * Context: any.
 */
void qs1_report_crash(struct qs1 *qs1, enum rproc_crash_type type)
{
	/* This ends a handshake under way, and the start fails. */
	set_bit(QS1_FLAG_CRASHED, &qs1->flags);
	if (!test_and_clear_bit(QS1_FLAG_RUNNING, &qs1->flags))
		return;

	atomic_inc(&qs1->crashes);
	if (type == RPROC_WATCHDOG)
		dev_err(qs1->dev, "firmware crashed: watchdog\n");
	else
		dev_err(qs1->dev, "firmware crashed: %s at 0x%08x\n",
			qs1_crash_name(readl(&qs1->shm->fw.crash_reason)),
			readl(&qs1->shm->fw.crash_pc));
	wake_up_all(&qs1->reply_wait);

	qs1_life_request(qs1, qs1_life_crash_delay_s(qs1));
}
EXPORT_SYMBOL_NS_GPL(qs1_report_crash, QS1_NS);

/*
 * The processor is in reset. Only now does the host write members that belong to the
 * firmware, so that what the previous firmware left is not taken for the new one's. A
 * faulty firmware may have overwritten the host's members too.
 */
static void qs1_life_clear_contract(struct qs1 *qs1)
{
	scoped_guard(mutex, &qs1->news_lock) {
		qs1->health = (struct qs1_health){};
		qs1->event_head = 0;
	}
	qs1_mailbox_reset(qs1);
	/* The next heartbeat must be a change, also for a driver that counts from 0 again. */
	writel(atomic_read(&qs1->heartbeat), &qs1->shm->host.heartbeat);
	writel(0, &qs1->shm->host.wave_watermark);
	qs1_set_outputs(qs1, 0, 0);
	writel(0, &qs1->shm->fw.crash_reason);
	writel(0, &qs1->shm->fw.magic);
}

static int qs1_subdev_prepare(struct rproc_subdev *subdev)
{
	struct qs1 *qs1 = container_of(subdev, struct qs1, subdev);
	int ret;

	/* Others may try to start it while the driver is unbound, or the system sleeps. */
	if (test_bit(QS1_FLAG_LEAVING, &qs1->flags) || test_bit(QS1_FLAG_ASLEEP, &qs1->flags))
		return -ESHUTDOWN;
	/* Keeps the power domain of the firmware's peripherals on. */
	ret = pm_runtime_resume_and_get(qs1->dev);
	if (ret)
		return ret;

	clear_bit(QS1_FLAG_CRASHED, &qs1->flags);
	if (READ_ONCE(qs1->rproc->state) == RPROC_DETACHED)
		qs1_mailbox_attach(qs1);
	else
		qs1_life_clear_contract(qs1);
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
	qs1->life.started = jiffies;
	set_bit(QS1_FLAG_WANTED, &qs1->flags);
	/* Pairs with the acquire in qs1_running(): qs1->fw is valid. */
	smp_mb__before_atomic();
	set_bit(QS1_FLAG_RUNNING, &qs1->flags);
	/* Reports before RUNNING was set had no effect. */
	if (test_bit(QS1_FLAG_CRASHED, &qs1->flags))
		qs1_report_crash(qs1, RPROC_WATCHDOG);
	else if (readl(&qs1->shm->fw.crash_reason))
		qs1_report_crash(qs1, RPROC_FATAL_ERROR);
	blocking_notifier_call_chain(&qs1->notifier, QS1_NOTIFY_STARTED, NULL);
	sysfs_notify(&qs1->dev->kobj, NULL, "state");
	return 0;
}

/*
 * A stop that this driver has not asked for. If the glue provides the processor, it will
 * refuse the stop while the power stage may run; the firmware then goes on.
 */
static bool qs1_life_will_refuse(struct qs1 *qs1)
{
	if (!qs1->ops->provider || !qs1_permitted(qs1) || test_bit(QS1_FLAG_CRASHED, &qs1->flags))
		return false;
	set_bit(QS1_FLAG_KEPT, &qs1->flags);
	return true;
}

/*
 * A stop by others. On the virtual board the user may do that, and the firmware stays off until it
 * is started. On real boards no user may stop it: start it again.
 */
static void qs1_life_stopped_by_others(struct qs1 *qs1)
{
	if (qs1->ops->provider) {
		clear_bit(QS1_FLAG_WANTED, &qs1->flags);
		return;
	}
	dev_err(qs1->dev, "firmware was stopped by another driver\n");
	atomic_inc(&qs1->crashes);
	qs1_life_request(qs1, 0);
}

static void qs1_subdev_stop(struct rproc_subdev *subdev, bool crashed)
{
	struct qs1 *qs1 = container_of(subdev, struct qs1, subdev);
	bool ours = test_bit(QS1_FLAG_STOPPING, &qs1->flags);
	bool was_running;

	if (!crashed && !ours && qs1_life_will_refuse(qs1))
		return;

	was_running = test_and_clear_bit(QS1_FLAG_RUNNING, &qs1->flags);
	if (crashed) {
		if (was_running)
			atomic_inc(&qs1->crashes);
		/* The core recovers it. Check the result later. */
		qs1_life_request(qs1, qs1_life_back_off(qs1));
	} else if (!ours) {
		qs1_life_stopped_by_others(qs1);
	}
	qs1_mailbox_flush(qs1);
	blocking_notifier_call_chain(&qs1->notifier, QS1_NOTIFY_STOPPED, NULL);
	sysfs_notify(&qs1->dev->kobj, NULL, "state");
}

/* The processor is in reset, and the core still has the list of segments to dump. */
static void qs1_subdev_unprepare(struct rproc_subdev *subdev)
{
	struct qs1 *qs1 = container_of(subdev, struct qs1, subdev);

	if (test_bit(QS1_FLAG_STOPPING, &qs1->flags) && test_bit(QS1_FLAG_CRASHED, &qs1->flags))
		qs1->rproc->ops->coredump(qs1->rproc);
	pm_runtime_put(qs1->dev);
}

/**
 * qs1_keeps_running() - whether to refuse the stop under way
 * @qs1: inverter
 *
 * For the stop operation of glue that provides the remote processor. A "stop" in sysfs
 * is refused while the inverter is armed or in bench mode, unless the firmware has
 * crashed.
 *
 * Return: true if the stop is to be refused.
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
 * qs1_sleep() - stop the firmware for as long as the system sleeps
 * @qs1: inverter; its power stage is off
 *
 * Return: 0 or a negative errno, with the firmware running as before.
 */
int qs1_sleep(struct qs1 *qs1)
{
	int ret = 0;

	guard(mutex)(&qs1->life.lock);

	set_bit(QS1_FLAG_ASLEEP, &qs1->flags);
	if (qs1_life_in_use(qs1->rproc))
		ret = qs1_life_stop(qs1);
	if (ret)
		clear_bit(QS1_FLAG_ASLEEP, &qs1->flags);
	else
		qs1_life_stop_helper(qs1);
	return ret;
}

/**
 * qs1_wake() - start the firmware again after qs1_sleep()
 * @qs1: inverter
 *
 * The start waits until the file systems can be read: the work is freezable.
 */
void qs1_wake(struct qs1 *qs1)
{
	clear_bit(QS1_FLAG_ASLEEP, &qs1->flags);
	qs1_life_request(qs1, 0);
}

/**
 * qs1_quiesce() - stop production and the firmware for good
 * @qs1: inverter
 *
 * The glue calls this before it releases the remote processor or the doorbells, and at
 * shutdown. From then on the firmware can not be started, by remoteproc's files either.
 */
void qs1_quiesce(struct qs1 *qs1)
{
	scoped_guard(spinlock_irqsave, &qs1->life.request_lock)
		set_bit(QS1_FLAG_LEAVING, &qs1->flags);
	cancel_delayed_work_sync(&qs1->life.work);

	if (qs1_running(qs1) && qs1_power_off(qs1))
		dev_warn(qs1->dev, "power stage is still on, firmware is stopped nevertheless\n");
	/* A recovery by the core may have begun before the flag was set. Wait for it. */
	flush_work(&qs1->rproc->crash_handler);
	scoped_guard(mutex, &qs1->life.lock) {
		qs1_life_stop(qs1);
		qs1_life_stop_helper(qs1);
	}
}
EXPORT_SYMBOL_NS_GPL(qs1_quiesce, QS1_NS);

/**
 * qs1_boot() - start the firmware
 * @qs1: inverter
 *
 * The last step of the glue's probe. The file may be large or missing, so this does
 * not wait for the start. A failure is logged, and the start is repeated.
 */
void qs1_boot(struct qs1 *qs1)
{
	set_bit(QS1_FLAG_WANTED, &qs1->flags);
	qs1_life_request(qs1, 0);
}
EXPORT_SYMBOL_NS_GPL(qs1_boot, QS1_NS);

/**
 * qs1_take_over() - stop a coprocessor that others have started
 * @qs1: inverter, not yet a subdevice of the coprocessor
 *
 * It may run another file, and it was started before this driver could clear the
 * contract. remoteproc can not stop a firmware that the boot loader has started
 * (RPROC_DETACHED): qs1_boot() attaches to it.
 *
 * Return: 0 or a negative errno. The log has the reason.
 */
int qs1_take_over(struct qs1 *qs1)
{
	struct rproc *rproc = qs1->rproc;
	int ret = 0;

	flush_work(&rproc->crash_handler);
	if (qs1_life_in_use(rproc))
		ret = qs1_life_stop_rproc(rproc);
	if (ret)
		return dev_err_probe(qs1->dev, ret, "%s runs and does not stop\n",
				     dev_name(&rproc->dev));
	if (qs1_life_is_stuck(rproc))
		return dev_err_probe(qs1->dev, -EBUSY,
				     "%s is in use or was not recovered: bind its driver again\n",
				     dev_name(&rproc->dev));
	return 0;
}

/* Starts and stops hold the processor's lock, which also is the only one for its subdevices. */
static void qs1_life_end(void *data)
{
	struct qs1 *qs1 = data;

	scoped_guard(mutex, &qs1->rproc->lock)
		rproc_remove_subdev(qs1->rproc, &qs1->subdev);
}

/**
 * devm_qs1_follow() - become a subdevice of the remote processor
 * @qs1: inverter, whose remote processor is off or not registered
 *
 * The glue calls qs1_quiesce() before this ends.
 *
 * Return: 0 or a negative errno.
 */
int devm_qs1_follow(struct qs1 *qs1)
{
	qs1->subdev.prepare = qs1_subdev_prepare;
	qs1->subdev.start = qs1_subdev_start;
	qs1->subdev.stop = qs1_subdev_stop;
	qs1->subdev.unprepare = qs1_subdev_unprepare;
	scoped_guard(mutex, &qs1->rproc->lock)
		rproc_add_subdev(qs1->rproc, &qs1->subdev);
	return devm_add_action_or_reset(qs1->dev, qs1_life_end, qs1);
}
EXPORT_SYMBOL_NS_GPL(devm_qs1_follow, QS1_NS);

/**
 * devm_qs1_life_init() - initialise struct qs1_life
 * @qs1: inverter
 *
 * Return: 0 or a negative errno.
 */
int devm_qs1_life_init(struct qs1 *qs1)
{
	INIT_DELAYED_WORK(&qs1->life.work, qs1_life_work);
	spin_lock_init(&qs1->life.request_lock);
	return devm_mutex_init(qs1->dev, &qs1->life.lock);
}
