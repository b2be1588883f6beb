// SPDX-License-Identifier: GPL-2.0-only
/*
 * The power stage's gates as a PWM chip, for work on the bench: channels 0 to 3
 * are the four input stages, 4 and 5 the legs of the bridge.
 *
 * The firmware generates the signals. It accepts a duty only in its open-loop bench
 * mode, which it enters in the state shutdown and with the grid relay open, and it
 * refuses a duty above its limits. The gate logic adds the dead times.
 *
 * Limitations:
 * - A channel can be requested in bench mode only, otherwise -EBUSY. The
 *   attribute "bench" of the inverter's device enters and leaves it. The firmware
 *   leaves it by itself when the host's heartbeat ends, at an emergency stop and
 *   at faults; all gates are then off, the channels are disabled, and all but
 *   disabling them is refused with -EBUSY. Enter bench mode to enable them again.
 *   The same after system sleep, before which all channels are disabled.
 * - The period is fixed: 10 us of an input stage, 50 us of a leg. A shorter one
 *   is refused, a longer one rounded down.
 * - An input stage is on for 2.99 us at most, a leg for 49.98 us. More is
 *   refused with -ERANGE and changes nothing.
 * - Both legs share a modulator that knows their difference only: with equal
 *   duties they switch alike, and no voltage is between them.
 * - Polarity is normal only. A duty of 0, and a disabled channel, have the gates
 *   inactive from the next control period (50 us) on.
 * - A change acts at the start of a control period. The running PWM period is
 *   completed, without glitches.
 */
#include <linux/auxiliary_bus.h>
#include <linux/cleanup.h>
#include <linux/device.h>
#include <linux/devm-helpers.h>
#include <linux/math.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/pm.h>
#include <linux/pwm.h>
#include <linux/workqueue.h>

#include "qs1.h"

#define QS1_PWM_LEGS 2
#define QS1_PWM_CHANNELS (QS1_INPUTS + QS1_PWM_LEGS)

/* Q15 of the mailbox, struct qs1_command.value. */
#define QS1_PWM_ONE BIT(15)

/**
 * struct qs1_pwm_kind - how a kind of channel counts
 * @counts: of a period
 * @count_ns: length of one of them
 */
struct qs1_pwm_kind {
	u32 counts;
	u32 count_ns;
};

/* A leg counts up and down: each count of its compare value lasts twice. */
static const struct qs1_pwm_kind qs1_pwm_input = { QS1_PWM_INPUT_PERIOD, 10 };
static const struct qs1_pwm_kind qs1_pwm_leg = { QS1_PWM_BRIDGE_HALF, 20 };

/**
 * struct qs1_pwm - the chip
 * @qs1: inverter
 * @chip: of the PWM core
 * @nb: in the inverter's notifier
 * @ended: disables the channels when bench mode has ended
 * @lock: the PWM core does not serialise channels; guards @counts and @enabled
 * @counts: duty in force
 * @enabled: as requested
 */
struct qs1_pwm {
	struct qs1 *qs1;
	struct pwm_chip *chip;
	struct notifier_block nb;
	struct work_struct ended;
	struct mutex lock; /* see above */
	u32 counts[QS1_PWM_CHANNELS];
	bool enabled[QS1_PWM_CHANNELS];
};

static const struct qs1_pwm_kind *qs1_pwm_kind(const struct pwm_device *pwm)
{
	return pwm->hwpwm < QS1_INPUTS ? &qs1_pwm_input : &qs1_pwm_leg;
}

/*
 * The firmware takes a fraction of 2^15 and rounds it down to counts, so the
 * fraction is rounded up: with one below a count, no other count is hit.
 */
static int qs1_pwm_set(struct qs1_pwm *chip, const struct pwm_device *pwm, u32 counts, bool enabled)
{
	u32 q15 = DIV_ROUND_UP(counts * QS1_PWM_ONE, qs1_pwm_kind(pwm)->counts);
	int ret;

	lockdep_assert_held(&chip->lock);

	ret = qs1_command(chip->qs1, QS1_OP_BENCH_PWM, pwm->hwpwm, enabled ? q15 : 0, NULL);
	if (ret)
		return ret;
	chip->counts[pwm->hwpwm] = counts;
	chip->enabled[pwm->hwpwm] = enabled;
	return 0;
}

/* A firmware that refuses or does not run is not in bench mode: the gates are off. */
static int qs1_pwm_off(struct qs1_pwm *chip, const struct pwm_device *pwm, u32 counts)
{
	int ret = qs1_pwm_set(chip, pwm, counts, false);

	if (ret != -EBUSY && ret != -ESHUTDOWN)
		return ret;
	chip->counts[pwm->hwpwm] = counts;
	chip->enabled[pwm->hwpwm] = false;
	return 0;
}

/* The gate is off. The firmware accepts this only in bench mode. */
static int qs1_pwm_request(struct pwm_chip *chip, struct pwm_device *pwm)
{
	struct qs1_pwm *qs1_pwm = pwmchip_get_drvdata(chip);

	guard(mutex)(&qs1_pwm->lock);
	return qs1_pwm_set(qs1_pwm, pwm, 0, false);
}

/*
 * No later call can try again: a gate that may still be on goes off with bench mode, or
 * with a reset.
 */
static void qs1_pwm_free(struct pwm_chip *chip, struct pwm_device *pwm)
{
	struct qs1_pwm *qs1_pwm = pwmchip_get_drvdata(chip);
	struct qs1 *qs1 = qs1_pwm->qs1;
	int ret;

	guard(mutex)(&qs1_pwm->lock);
	ret = qs1_pwm_off(qs1_pwm, pwm, 0);
	if (!ret)
		return;
	dev_err(qs1->dev, "gate %u is not off (%d): bench mode ends\n", pwm->hwpwm, ret);
	ret = qs1_command(qs1, QS1_OP_BENCH, 0, 0, NULL);
	if (ret && ret != -ESHUTDOWN)
		qs1_report_crash(qs1, RPROC_WATCHDOG);
}

static int qs1_pwm_apply(struct pwm_chip *chip, struct pwm_device *pwm,
			 const struct pwm_state *state)
{
	const struct qs1_pwm_kind *kind = qs1_pwm_kind(pwm);
	struct qs1_pwm *qs1_pwm = pwmchip_get_drvdata(chip);
	u64 counts;

	if (state->polarity != PWM_POLARITY_NORMAL)
		return -EINVAL;
	if (state->enabled && state->period < kind->counts * kind->count_ns)
		return -EINVAL;

	counts = min_t(u64, div_u64(state->duty_cycle, kind->count_ns), kind->counts);
	guard(mutex)(&qs1_pwm->lock);
	if (!state->enabled)
		return qs1_pwm_off(qs1_pwm, pwm, counts);
	return qs1_pwm_set(qs1_pwm, pwm, counts, true);
}

static int qs1_pwm_get_state(struct pwm_chip *chip, struct pwm_device *pwm, struct pwm_state *state)
{
	const struct qs1_pwm_kind *kind = qs1_pwm_kind(pwm);
	struct qs1_pwm *qs1_pwm = pwmchip_get_drvdata(chip);

	guard(mutex)(&qs1_pwm->lock);
	state->period = kind->counts * kind->count_ns;
	state->duty_cycle = qs1_pwm->counts[pwm->hwpwm] * kind->count_ns;
	state->polarity = PWM_POLARITY_NORMAL;
	state->enabled = qs1_pwm->enabled[pwm->hwpwm];
	return 0;
}

static const struct pwm_ops qs1_pwm_ops = {
	QS1_PWM_OWNER /* a member with its comma, or nothing */
		.request = qs1_pwm_request,
	.free = qs1_pwm_free,
	.apply = qs1_pwm_apply,
	.get_state = qs1_pwm_get_state,
};

/* Runs before the inverter suspends and leaves bench mode. */
static int qs1_pwm_suspend(struct device *dev)
{
	struct pwm_chip *chip = dev_get_drvdata(dev);
	struct qs1_pwm *qs1_pwm = pwmchip_get_drvdata(chip);
	int ret;
	int i;

	guard(mutex)(&qs1_pwm->lock);
	for (i = 0; i < QS1_PWM_CHANNELS; i++) {
		if (!qs1_pwm->enabled[i])
			continue;
		ret = qs1_pwm_off(qs1_pwm, &chip->pwms[i], qs1_pwm->counts[i]);
		if (ret)
			return ret;
	}
	return 0;
}

static DEFINE_SIMPLE_DEV_PM_OPS(qs1_pwm_pm_ops, qs1_pwm_suspend, NULL);

/*
 * The firmware has switched the gates off, but for the PWM core their channels are still enabled.
 * Disable them there, so that users see them disabled and can enable them again.
 */
static void qs1_pwm_ended(struct work_struct *work)
{
	struct qs1_pwm *qs1_pwm = container_of(work, struct qs1_pwm, ended);
	int i;

	for (i = 0; i < QS1_PWM_CHANNELS; i++) {
		bool enabled;

		scoped_guard(mutex, &qs1_pwm->lock)
			enabled = qs1_pwm->enabled[i];
		if (enabled)
			pwm_disable(&qs1_pwm->chip->pwms[i]);
	}
}

static int qs1_pwm_notify(struct notifier_block *nb, unsigned long action, void *data)
{
	struct qs1_pwm *qs1_pwm = container_of(nb, struct qs1_pwm, nb);
	const struct qs1_health_change *change = data;

	if (action == QS1_NOTIFY_STOPPED ||
	    (action == QS1_NOTIFY_HEALTH && (change->old.status & QS1_STATUS_BENCH) &&
	     !(change->now.status & QS1_STATUS_BENCH)))
		schedule_work(&qs1_pwm->ended);
	return NOTIFY_OK;
}

static int qs1_pwm_probe(struct auxiliary_device *adev, const struct auxiliary_device_id *id)
{
	struct device *dev = &adev->dev;
	struct qs1_pwm *qs1_pwm;
	struct pwm_chip *chip;
	int ret;

	chip = devm_pwmchip_alloc(dev, QS1_PWM_CHANNELS, sizeof(*qs1_pwm));
	if (IS_ERR(chip))
		return PTR_ERR(chip);
	qs1_pwm = pwmchip_get_drvdata(chip);
	qs1_pwm->qs1 = dev_get_drvdata(dev->parent);
	qs1_pwm->chip = chip;
	ret = devm_mutex_init(dev, &qs1_pwm->lock);
	if (ret)
		return ret;

	chip->ops = &qs1_pwm_ops;
	dev_set_drvdata(dev, chip);
	ret = devm_pwmchip_add(dev, chip);
	if (ret)
		return dev_err_probe(dev, ret, "cannot add the PWM chip\n");
	ret = devm_work_autocancel(dev, &qs1_pwm->ended, qs1_pwm_ended);
	if (ret)
		return ret;
	qs1_pwm->nb.notifier_call = qs1_pwm_notify;
	return devm_qs1_register_notifier(dev, qs1_pwm->qs1, &qs1_pwm->nb);
}

static const struct auxiliary_device_id qs1_pwm_ids[] = { { .name = "qs1.pwm" }, {} };
MODULE_DEVICE_TABLE(auxiliary, qs1_pwm_ids);

static struct auxiliary_driver qs1_pwm_driver = {
	.name = "pwm",
	.probe = qs1_pwm_probe,
	.id_table = qs1_pwm_ids,
	.driver.pm = pm_sleep_ptr(&qs1_pwm_pm_ops),
};
module_auxiliary_driver(qs1_pwm_driver);

MODULE_DESCRIPTION("qs1 microinverter: gates as PWM channels, for the bench");
MODULE_AUTHOR("qs1 contributors");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(QS1_NS);
