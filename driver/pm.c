// SPDX-License-Identifier: GPL-2.0-only
/*
 * System sleep. While the system sleeps, no program controls the power stage, and
 * the power domains of the firmware's peripherals may go off. So the driver ends
 * production, opens the relay and stops the firmware first. Some remote processors'
 * drivers refuse to sleep otherwise. After sleep it starts the firmware, disarmed.
 *
 * The children suspend first; the PWM chip disables its channels. Then the firmware
 * leaves bench mode and is disarmed.
 *
 * Runtime PM has no callbacks here: the firmware holds a reference to the device
 * while it runs (life.c), for its power domain and its parents.
 */
#include <linux/device.h>
#include <linux/export.h>
#include <linux/io.h>
#include <linux/iopoll.h>
#include <linux/pm.h>
#include <linux/time64.h>

#include "qs1.h"

/* Telemetry shows the gates 10 ms of the firmware's time later; a simulated board may be slow. */
#define QS1_GATES_OFF_TIMEOUT_US USEC_PER_SEC
#define QS1_GATES_OFF_POLL_US (10 * USEC_PER_MSEC)

#define QS1_STATUS_POWER (QS1_STATUS_INPUT_MASK | QS1_STATUS_BRIDGE | QS1_STATUS_RELAY)

static u32 qs1_power_status(struct qs1 *qs1)
{
	return readl(&qs1->shm->telemetry.status) & QS1_STATUS_POWER;
}

/**
 * qs1_power_off() - end bench mode and production, and wait until the power stage is off
 * @qs1: inverter
 *
 * It is disarmed also when it does not leave bench mode.
 *
 * Context: may sleep, up to three seconds.
 * Return: 0; -ESHUTDOWN if the firmware does not run, -ETIMEDOUT if it does not answer or
 * inputs, bridge or relay stay on, or its refusal.
 */
int qs1_power_off(struct qs1 *qs1)
{
	int bench = qs1_command(qs1, QS1_OP_BENCH, 0, 0, NULL);
	int ret = qs1_command(qs1, QS1_OP_DISARM, 0, 0, NULL);
	u32 status;

	if (ret || bench)
		return ret ? ret : bench;
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
		dev_err(dev, "suspend refused: the power stage is not off (%d)\n", ret);
		return ret;
	}
	return qs1_sleep(qs1);
}

static int qs1_resume(struct device *dev)
{
	qs1_wake(dev_get_drvdata(dev));
	return 0;
}

/* Of the parent device, for the glue driver. */
const struct dev_pm_ops qs1_pm_ops = { SYSTEM_SLEEP_PM_OPS(qs1_suspend, qs1_resume) };
EXPORT_SYMBOL_NS_GPL(qs1_pm_ops, QS1_NS);
