// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sleep. The firmware goes on: it protects and measures with Linux asleep too.
 * But nobody is there who answers for the power stage, so that it is off before
 * anything sleeps, and is not on again before somebody has said so.
 *
 * The children sleep first, and the PWM chip takes its duties away. Then the
 * firmware leaves bench mode and is disarmed. The heartbeat is user space's, which
 * stands still by then. Afterwards the firmware has to show itself again, for its
 * memory may have lost power; one that does not is recovered like one that died.
 *
 * Run-time sleep is for an inverter that may not produce: arming and bench mode
 * hold it awake, and so does each command and a reader of the stream.
 */
#include <linux/device.h>
#include <linux/export.h>
#include <linux/io.h>
#include <linux/iopoll.h>
#include <linux/pm.h>
#include <linux/pm_runtime.h>
#include <linux/time64.h>

#include "qs1.h"

#define QS1_AUTOSUSPEND_MS 2000

/* Telemetry shows the gates 10 ms of the firmware's time later; a simulated board may be slow. */
#define QS1_GATES_OFF_TIMEOUT_US USEC_PER_SEC
#define QS1_GATES_OFF_POLL_US (10 * USEC_PER_MSEC)

#define QS1_STATUS_POWER (QS1_STATUS_INPUT_MASK | QS1_STATUS_BRIDGE | QS1_STATUS_RELAY)

/* A firmware counts its periods; a simulated board may stand still for a moment. */
#define QS1_ALIVE_TIMEOUT_US USEC_PER_SEC
#define QS1_ALIVE_POLL_US USEC_PER_MSEC

static u32 qs1_power_status(struct qs1 *qs1)
{
	return readl(&qs1->shm->telemetry.status) & QS1_STATUS_POWER;
}

static int qs1_power_off(struct qs1 *qs1)
{
	u32 status;
	int ret;

	ret = qs1_command(qs1, QS1_OP_BENCH, 0, 0, NULL);
	if (!ret)
		ret = qs1_command(qs1, QS1_OP_DISARM, 0, 0, NULL);
	if (ret)
		return ret;
	return read_poll_timeout(qs1_power_status, status, !status, QS1_GATES_OFF_POLL_US,
				 QS1_GATES_OFF_TIMEOUT_US, false, qs1);
}

static int qs1_suspend(struct device *dev)
{
	struct qs1 *qs1 = dev_get_drvdata(dev);
	int ret = 0;

	if (qs1_running(qs1))
		ret = qs1_power_off(qs1);
	/* A firmware that died meanwhile comes back disarmed, or not at all. */
	if (ret && ret != -ESHUTDOWN) {
		dev_err(dev, "no sleep: the power stage is not off (%d)\n", ret);
		return ret;
	}
	set_bit(QS1_FLAG_ASLEEP, &qs1->flags);
	return 0;
}

static bool qs1_is_alive(struct qs1 *qs1)
{
	u32 before = readl(&qs1->shm->fw.alive);
	u32 now;

	return !read_poll_timeout(readl, now, now != before, QS1_ALIVE_POLL_US,
				  QS1_ALIVE_TIMEOUT_US, false, &qs1->shm->fw.alive);
}

static int qs1_resume(struct device *dev)
{
	struct qs1 *qs1 = dev_get_drvdata(dev);

	clear_bit(QS1_FLAG_ASLEEP, &qs1->flags);
	if (!qs1_running(qs1))
		return 0;
	if (!qs1_is_alive(qs1) || qs1_handshake(qs1))
		qs1_report_crash(qs1, RPROC_WATCHDOG);
	else
		qs1_news(qs1); /* its doorbells went unheard */
	return 0;
}

static int qs1_runtime_suspend(struct device *dev)
{
	struct qs1 *qs1 = dev_get_drvdata(dev);

	return qs1_running(qs1) && qs1_power_status(qs1) ? -EBUSY : 0;
}

/* Its memory has kept its power. */
static int qs1_runtime_resume(struct device *dev)
{
	struct qs1 *qs1 = dev_get_drvdata(dev);

	if (qs1_running(qs1))
		qs1_news(qs1);
	return 0;
}

/* Of the parent device, for the glue driver. */
const struct dev_pm_ops qs1_pm_ops = {
	/* clang-format off */
	SYSTEM_SLEEP_PM_OPS(qs1_suspend, qs1_resume)
	RUNTIME_PM_OPS(qs1_runtime_suspend, qs1_runtime_resume, NULL)
	/* clang-format on */
};
EXPORT_SYMBOL_NS_GPL(qs1_pm_ops, QS1_NS);

static void qs1_end_autosuspend(void *dev)
{
	pm_runtime_dont_use_autosuspend(dev);
}

/**
 * devm_qs1_runtime_pm() - let an inverter that may not produce sleep
 * @qs1: inverter
 *
 * Return: 0 or a negative errno.
 */
int devm_qs1_runtime_pm(struct qs1 *qs1)
{
	pm_runtime_set_autosuspend_delay(qs1->dev, QS1_AUTOSUSPEND_MS);
	pm_runtime_use_autosuspend(qs1->dev);
	return devm_add_action_or_reset(qs1->dev, qs1_end_autosuspend, qs1->dev);
}
