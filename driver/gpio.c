// SPDX-License-Identifier: GPL-2.0-only
/*
 * The inverter's lines as a GPIO chip, and its two LEDs on two of them.
 *
 * Outputs are bits of the contract that the firmware acts on in its next
 * control period; the relay is what the firmware commands, with an interrupt for
 * each change that a snapshot shows.
 *
 * The policy program chooses what the LEDs show. If it dies, the pattern that it
 * chose goes on blinking in the LED class. So without its heartbeat for
 * host_timeout_s, after which the firmware stops production, and without firmware,
 * the lines show "not producing" instead: green off, red half a second on and half a
 * second off. A red LED that was steadily on stays on: it shows a ground fault.
 */
#include <linux/auxiliary_bus.h>
#include <linux/bitmap.h>
#include <linux/devm-helpers.h>
#include <linux/gpio/consumer.h>
#include <linux/gpio/driver.h>
#include <linux/gpio/machine.h>
#include <linux/io.h>
#include <linux/irq.h>
#include <linux/irqdomain.h>
#include <linux/jiffies.h>
#include <linux/leds.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/platform_device.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "qs1.h"

enum qs1_gpio_line {
	QS1_GPIO_LINE_LED_GREEN,
	QS1_GPIO_LINE_LED_RED,
	QS1_GPIO_LINE_ENABLE,
	QS1_GPIO_LINE_ESTOP_N,
	QS1_GPIO_LINE_RELAY,
	QS1_GPIO_LINES
};

static const char *const qs1_gpio_names[] = {
	[QS1_GPIO_LINE_LED_GREEN] = "led-green", [QS1_GPIO_LINE_LED_RED] = "led-red",
	[QS1_GPIO_LINE_ENABLE] = "enable",	 [QS1_GPIO_LINE_ESTOP_N] = "emergency-stop-n",
	[QS1_GPIO_LINE_RELAY] = "relay",
};

/* Bits of struct qs1_host.gpio_out; a line without one is an input. */
static const u32 qs1_gpio_outputs[QS1_GPIO_LINES] = {
	[QS1_GPIO_LINE_LED_GREEN] = QS1_GPIO_LED_GREEN,
	[QS1_GPIO_LINE_LED_RED] = QS1_GPIO_LED_RED,
	[QS1_GPIO_LINE_ENABLE] = QS1_GPIO_ENABLE,
	[QS1_GPIO_LINE_ESTOP_N] = QS1_GPIO_ESTOP_N,
};

static const struct qs1_gpio_led {
	const char *name;
	enum qs1_gpio_line line;
} qs1_gpio_leds[] = {
	{ "qs1:green:status", QS1_GPIO_LINE_LED_GREEN },
	{ "qs1:red:fault", QS1_GPIO_LINE_LED_RED },
};

#define QS1_GPIO_LEDS (QS1_GPIO_LED_GREEN | QS1_GPIO_LED_RED)

/* Half a period of the red LED's blink, and how often the heartbeat is checked. */
#define QS1_GPIO_BLINK_MS 500

/**
 * struct qs1_gpio - the chip
 * @gc: GPIO chip
 * @qs1: inverter
 * @lock: guards what follows
 * @wanted: levels of the LEDs as they were set
 * @red_since: when the red LED was set to another level, in jiffies
 * @heartbeat: last count of heartbeats
 * @heard: when that count was new, in jiffies
 * @blink: level of the red LED without heartbeat
 * @watch: shows the red LED's blink, and that the heartbeat has ended
 * @nb: in the inverter's notifier
 * @relay: the relay's level that was reported last
 * @relay_edges: IRQ_TYPE_EDGE_* that its users want
 * @leds: for leds-gpio
 * @led_data: for leds-gpio
 */
struct qs1_gpio {
	struct gpio_chip gc;
	struct qs1 *qs1;
	spinlock_t lock; /* see above */
	u32 wanted;
	unsigned long red_since;
	int heartbeat;
	unsigned long heard;
	bool blink;
	struct delayed_work watch;
	struct notifier_block nb;
	unsigned int relay;
	unsigned int relay_edges;
	struct gpio_led leds[ARRAY_SIZE(qs1_gpio_leds)];
	struct gpio_led_platform_data led_data;
};

static int qs1_gpio_get_direction(struct gpio_chip *gc, unsigned int line)
{
	return qs1_gpio_outputs[line] ? GPIO_LINE_DIRECTION_OUT : GPIO_LINE_DIRECTION_IN;
}

static int qs1_gpio_direction_input(struct gpio_chip *gc, unsigned int line)
{
	return qs1_gpio_outputs[line] ? -EPERM : 0;
}

static int qs1_gpio_get(struct gpio_chip *gc, unsigned int line)
{
	struct qs1_gpio *gpio = gpiochip_get_data(gc);
	struct qs1 *qs1 = gpio->qs1;

	if (qs1_gpio_outputs[line])
		return !!(READ_ONCE(qs1->gpio_out) & qs1_gpio_outputs[line]);
	if (!qs1_running(qs1))
		return -ENODATA;
	return !!(readl(&qs1->shm->telemetry.status) & QS1_STATUS_RELAY);
}

/* host_timeout_s, which has tenths of a second, in jiffies. */
static unsigned long qs1_gpio_host_timeout(struct qs1_gpio *gpio)
{
	return msecs_to_jiffies(qs1_param_bounded(gpio->qs1, QS1_PARAM_HOST_TIMEOUT_S) * 100);
}

/* Does the policy program send heartbeats, and does the firmware run? */
static bool qs1_gpio_host_lives(struct qs1_gpio *gpio)
{
	int heartbeat = atomic_read(&gpio->qs1->heartbeat);

	if (heartbeat != gpio->heartbeat) {
		gpio->heartbeat = heartbeat;
		gpio->heard = jiffies;
	}
	/* Before the first heartbeat there is no policy program. */
	return heartbeat && qs1_running(gpio->qs1) &&
	       time_before_eq(jiffies, gpio->heard + qs1_gpio_host_timeout(gpio));
}

/* On for longer than any blink. */
static bool qs1_gpio_red_is_steady(struct qs1_gpio *gpio)
{
	return (gpio->wanted & QS1_GPIO_LED_RED) &&
	       time_after(jiffies, gpio->red_since + msecs_to_jiffies(2 * QS1_GPIO_BLINK_MS));
}

static void qs1_gpio_write_leds(struct qs1_gpio *gpio)
{
	u32 leds = gpio->wanted;

	if (!qs1_gpio_host_lives(gpio))
		leds = gpio->blink || qs1_gpio_red_is_steady(gpio) ? QS1_GPIO_LED_RED : 0;
	qs1_set_outputs(gpio->qs1, QS1_GPIO_LEDS, leds);
}

static void qs1_gpio_watch(struct work_struct *work)
{
	struct qs1_gpio *gpio = container_of(work, struct qs1_gpio, watch.work);

	scoped_guard(spinlock_irqsave, &gpio->lock) {
		gpio->blink = !gpio->blink;
		qs1_gpio_write_leds(gpio);
	}
	queue_delayed_work(system_freezable_wq, &gpio->watch, msecs_to_jiffies(QS1_GPIO_BLINK_MS));
}

static void qs1_gpio_set_led(struct qs1_gpio *gpio, u32 bit, int value)
{
	u32 levels = value ? gpio->wanted | bit : gpio->wanted & ~bit;

	lockdep_assert_held(&gpio->lock);

	if ((levels ^ gpio->wanted) & QS1_GPIO_LED_RED)
		gpio->red_since = jiffies;
	gpio->wanted = levels;
	qs1_gpio_write_leds(gpio);
}

static void qs1_gpio_set(struct gpio_chip *gc, unsigned int line, int value)
{
	struct qs1_gpio *gpio = gpiochip_get_data(gc);
	u32 bit = qs1_gpio_outputs[line];

	if (!(bit & QS1_GPIO_LEDS)) {
		qs1_set_outputs(gpio->qs1, bit, value ? bit : 0);
		return;
	}
	scoped_guard(spinlock_irqsave, &gpio->lock)
		qs1_gpio_set_led(gpio, bit, value);
}

QS1_GPIO_SET(qs1_gpio_set_line, qs1_gpio_set)

static int qs1_gpio_direction_output(struct gpio_chip *gc, unsigned int line, int value)
{
	if (!qs1_gpio_outputs[line])
		return -EPERM;
	qs1_gpio_set(gc, line, value);
	return 0;
}

static void qs1_gpio_irq_mask(struct irq_data *data)
{
	gpiochip_disable_irq(irq_data_get_irq_chip_data(data), irqd_to_hwirq(data));
}

static void qs1_gpio_irq_unmask(struct irq_data *data)
{
	gpiochip_enable_irq(irq_data_get_irq_chip_data(data), irqd_to_hwirq(data));
}

static int qs1_gpio_irq_set_type(struct irq_data *data, unsigned int type)
{
	struct qs1_gpio *gpio = gpiochip_get_data(irq_data_get_irq_chip_data(data));

	if (!type || type & ~IRQ_TYPE_EDGE_BOTH)
		return -EINVAL;
	WRITE_ONCE(gpio->relay_edges, type);
	return 0;
}

static const struct irq_chip qs1_gpio_irq_chip = {
	.name = "qs1-gpio",
	.irq_mask = qs1_gpio_irq_mask,
	.irq_unmask = qs1_gpio_irq_unmask,
	.irq_set_type = qs1_gpio_irq_set_type,
	.flags = IRQCHIP_IMMUTABLE,
	GPIOCHIP_IRQ_RESOURCE_HELPERS,
};

/* Outputs change only when they are set, so only the relay has an interrupt. */
static void qs1_gpio_irq_valid_mask(struct gpio_chip *gc, unsigned long *mask, unsigned int lines)
{
	bitmap_zero(mask, lines);
	set_bit(QS1_GPIO_LINE_RELAY, mask);
}

static void qs1_gpio_init_irq(struct gpio_chip *gc)
{
	struct gpio_irq_chip *irq = &gc->irq;

	gpio_irq_chip_set_chip(irq, &qs1_gpio_irq_chip);
	irq->handler = handle_simple_irq;
	irq->default_type = IRQ_TYPE_NONE;
	irq->threaded = true;
	irq->init_valid_mask = qs1_gpio_irq_valid_mask;
}

static void qs1_gpio_relay_is(struct qs1_gpio *gpio, bool relay)
{
	unsigned int edge = relay ? IRQ_TYPE_EDGE_RISING : IRQ_TYPE_EDGE_FALLING;

	/* A stop may come beside a doorbell. */
	if (xchg(&gpio->relay, relay) == relay)
		return;
	if (READ_ONCE(gpio->relay_edges) & edge)
		handle_nested_irq(irq_find_mapping(gpio->gc.irq.domain, QS1_GPIO_LINE_RELAY));
}

/* Without firmware the relay is open. */
static int qs1_gpio_notify(struct notifier_block *nb, unsigned long action, void *data)
{
	struct qs1_gpio *gpio = container_of(nb, struct qs1_gpio, nb);
	const struct qs1_health_change *change = data;

	if (action == QS1_NOTIFY_HEALTH)
		qs1_gpio_relay_is(gpio, change->now.status & QS1_STATUS_RELAY);
	else if (action == QS1_NOTIFY_STOPPED)
		qs1_gpio_relay_is(gpio, false);
	return NOTIFY_OK;
}

static void qs1_gpio_free_line(void *desc)
{
	gpiochip_free_own_desc(desc);
}

static void qs1_gpio_remove_leds(void *pdev)
{
	platform_device_unregister(pdev);
}

static int qs1_gpio_add_leds(struct qs1_gpio *gpio, struct device *dev)
{
	struct platform_device *pdev;
	int ret;
	int i;

	for (i = 0; i < ARRAY_SIZE(qs1_gpio_leds); i++) {
		struct gpio_desc *desc;

		desc = gpiochip_request_own_desc(&gpio->gc, qs1_gpio_leds[i].line,
						 qs1_gpio_leds[i].name, GPIO_ACTIVE_HIGH,
						 GPIOD_OUT_LOW);
		if (IS_ERR(desc))
			return dev_err_probe(dev, PTR_ERR(desc), "no line for %s\n",
					     qs1_gpio_leds[i].name);
		ret = devm_add_action_or_reset(dev, qs1_gpio_free_line, desc);
		if (ret)
			return ret;
		gpio->leds[i].name = qs1_gpio_leds[i].name;
		gpio->leds[i].gpiod = desc;
	}

	gpio->led_data.num_leds = ARRAY_SIZE(gpio->leds);
	gpio->led_data.leds = gpio->leds;
	pdev = platform_device_register_data(dev, "leds-gpio", PLATFORM_DEVID_AUTO, &gpio->led_data,
					     sizeof(gpio->led_data));
	if (IS_ERR(pdev))
		return dev_err_probe(dev, PTR_ERR(pdev), "cannot add the LEDs\n");
	return devm_add_action_or_reset(dev, qs1_gpio_remove_leds, pdev);
}

static int qs1_gpio_probe(struct auxiliary_device *adev, const struct auxiliary_device_id *id)
{
	struct device *dev = &adev->dev;
	struct qs1_gpio *gpio;
	int ret;

	gpio = devm_kzalloc(dev, sizeof(*gpio), GFP_KERNEL);
	if (!gpio)
		return -ENOMEM;

	gpio->qs1 = dev_get_drvdata(dev->parent);
	spin_lock_init(&gpio->lock);
	gpio->gc.label = "qs1-gpio";
	gpio->gc.parent = dev;
	gpio->gc.owner = THIS_MODULE;
	gpio->gc.base = -1;
	gpio->gc.ngpio = QS1_GPIO_LINES;
	gpio->gc.names = qs1_gpio_names;
	gpio->gc.get_direction = qs1_gpio_get_direction;
	gpio->gc.direction_input = qs1_gpio_direction_input;
	gpio->gc.direction_output = qs1_gpio_direction_output;
	gpio->gc.get = qs1_gpio_get;
	gpio->gc.set = qs1_gpio_set_line;

	qs1_gpio_init_irq(&gpio->gc);

	ret = devm_gpiochip_add_data(dev, &gpio->gc, gpio);
	if (ret)
		return dev_err_probe(dev, ret, "cannot add the GPIO chip\n");
	/* The level of the relay when the driver is bound is not an edge. */
	gpio->relay = qs1_gpio_get(&gpio->gc, QS1_GPIO_LINE_RELAY) > 0;
	gpio->nb.notifier_call = qs1_gpio_notify;
	ret = devm_qs1_register_notifier(dev, gpio->qs1, &gpio->nb);
	if (ret)
		return ret;
	ret = devm_delayed_work_autocancel(dev, &gpio->watch, qs1_gpio_watch);
	if (ret)
		return ret;
	queue_delayed_work(system_freezable_wq, &gpio->watch, 0);
	return qs1_gpio_add_leds(gpio, dev);
}

static const struct auxiliary_device_id qs1_gpio_ids[] = { { .name = "qs1.gpio" }, {} };
MODULE_DEVICE_TABLE(auxiliary, qs1_gpio_ids);

static struct auxiliary_driver qs1_gpio_driver = {
	.name = "gpio",
	.probe = qs1_gpio_probe,
	.id_table = qs1_gpio_ids,
};
module_auxiliary_driver(qs1_gpio_driver);

MODULE_DESCRIPTION("qs1 microinverter: GPIO lines and LEDs");
MODULE_AUTHOR("qs1 contributors");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(QS1_NS);
