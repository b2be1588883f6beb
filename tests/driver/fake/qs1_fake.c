// SPDX-License-Identifier: GPL-2.0-only
/*
 * A coprocessor for tests of the glue that real boards have: remote processor,
 * firmware, mailbox, interrupt controller and power domain in one, with the
 * faults of each. It also exports the two functions that PRU remoteproc gives its
 * clients.
 *
 * The firmware is a thread of this kernel. /sys/kernel/debug/qs1-fake has the knobs
 * (how many of the next starts, stops and attaches fail, how long a start takes,
 * whether the firmware shows itself) and what was seen (starts, stops, stops of what
 * was off, time that it ran without power).
 */
#include <linux/atomic.h>
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/irq.h>
#include <linux/irqdomain.h>
#include <linux/kthread.h>
#include <linux/mailbox_controller.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/of.h>
#include <linux/of_reserved_mem.h>
#include <linux/platform_device.h>
#include <linux/pm_domain.h>
#include <linux/pm_runtime.h>
#include <linux/remoteproc.h>
#include <linux/remoteproc/pruss.h>
#include <linux/wait.h>

#include <qs1/abi.h>

#define FAKE_STEP_MS 1
#define FAKE_TICKS (QS1_CONTROL_HZ / MSEC_PER_SEC * FAKE_STEP_MS)
#define FAKE_WAVE_LOG2 13
#define FAKE_REBOOT_MS 10

enum fake_irq { FAKE_IRQ_FIRMWARE, FAKE_IRQ_MAILBOX, FAKE_IRQS };

static char *begin = "offline";
module_param(begin, charp, 0444);
MODULE_PARM_DESC(begin, "coprocessor at first: offline, running or detached");

/**
 * struct fake - the coprocessor
 * @rproc: as remoteproc sees it
 * @shm: the contract
 * @thread: the firmware, while it runs
 * @rang: Linux has rung
 * @ring: wakes the firmware
 * @mailbox: controller of one channel
 * @channel: of @mailbox
 * @open: @channel has a client
 * @open_lock: guards @open, held while a message is handed over
 * @domain: of the irqs
 * @power: the power domain
 * @powered: it is on
 * @debugfs: directory
 * @start_fails: how many of the next starts fail
 * @stop_fails: how many of the next stops fail
 * @attach_fails: how many of the next attaches fail
 * @start_ms: time that a start takes
 * @mute: the firmware does not show itself
 * @hang: the firmware stands still
 * @deaf: the firmware counts its periods and answers no command
 * @starts: starts
 * @stops: stops
 * @idle_stops: stops of what was off: some coprocessors' drivers fail at that
 * @attaches: attaches
 * @dark_ms: time that the firmware ran without power
 */
struct fake {
	struct rproc *rproc;
	struct qs1_shm __iomem *shm;
	struct task_struct *thread;
	bool rang;
	wait_queue_head_t ring;
	struct mbox_controller mailbox;
	struct mbox_chan channel;
	bool open;
	struct mutex open_lock; /* see above */
	struct irq_domain *domain;
	struct generic_pm_domain power;
	bool powered;
	struct dentry *debugfs;
	u32 start_fails;
	u32 stop_fails;
	u32 attach_fails;
	u32 start_ms;
	bool mute;
	bool hang;
	bool deaf;
	u32 starts;
	u32 stops;
	u32 idle_stops;
	u32 attaches;
	u32 dark_ms;
};

/* The second one of a pair: it runs nothing. */
static u32 second_starts;
static bool second_runs;

static void fake_doorbell(struct fake *fake)
{
	int irq = irq_find_mapping(fake->domain, FAKE_IRQ_FIRMWARE);

	writel(readl(&fake->shm->fw.doorbell) + 1, &fake->shm->fw.doorbell);
	scoped_guard(mutex, &fake->open_lock)
		if (fake->open)
			mbox_chan_received_data(&fake->channel, (void *)1);
	if (irq)
		generic_handle_irq_safe(irq);
}

static void fake_telemetry(struct fake *fake, u32 status)
{
	struct qs1_telemetry __iomem *telemetry = &fake->shm->telemetry;
	u32 seq = readl(&telemetry->seq);

	writel(seq + 1, &telemetry->seq);
	writel(status, &telemetry->status);
	writel(readl(&fake->shm->fw.alive), &telemetry->ticks);
	writel(seq + 2, &telemetry->seq);
}

/* What the real one does with these; all else succeeds. */
static u32 fake_command(struct fake *fake, u32 status)
{
	struct qs1_command __iomem *command = &fake->shm->command;

	switch (readl(&command->op)) {
	case QS1_OP_ARM:
		return status | QS1_STATUS_ARMED | QS1_STATUS_RELAY;
	case QS1_OP_DISARM:
		return status & ~(QS1_STATUS_ARMED | QS1_STATUS_RELAY);
	case QS1_OP_BENCH:
		return readl(&command->value) ? status | QS1_STATUS_BENCH
					      : status & ~QS1_STATUS_BENCH;
	case QS1_OP_CRASH:
		if (readl(&command->arg))
			fake->hang = true;
		else
			writel(QS1_CRASH_COMMAND, &fake->shm->fw.crash_reason);
		return status;
	default:
		return status;
	}
}

static void fake_show(struct fake *fake)
{
	struct qs1_fw_info __iomem *info = &fake->shm->fw;
	static const char version[32] = "fake";

	memcpy_toio(info->version, version, sizeof(version));
	writel(QS1_LAYOUT_VERSION, &info->layout_version);
	writel(QS1_CONTROL_HZ, &info->control_hz);
	writel(FAKE_WAVE_LOG2, &info->wave_log2);
	writel(readl(&info->boots) + 1, &info->boots);
	writel(readl(&fake->shm->command.seq), &fake->shm->reply.seq);
	writel(0, &fake->shm->wave.head);
	writel(0, &fake->shm->events.head);
	fake_telemetry(fake, QS1_STATE_SHUTDOWN);
	writel(QS1_MAGIC, &info->magic);
}

/* One step of the firmware. */
static void fake_step(struct fake *fake)
{
	struct qs1_shm __iomem *shm = fake->shm;
	u32 status = readl(&shm->telemetry.status);
	u32 seq = readl(&shm->command.seq);

	writel(readl(&shm->fw.alive) + FAKE_TICKS, &shm->fw.alive);
	if (!fake->powered)
		fake->dark_ms += FAKE_STEP_MS;
	if (seq != readl(&shm->reply.seq) && !fake->deaf) {
		status = fake_command(fake, status);
		writel(QS1_OK, &shm->reply.result);
		writel(0, &shm->reply.value);
		writel(seq, &shm->reply.seq);
		fake_telemetry(fake, status);
		fake_doorbell(fake);
	} else {
		fake_telemetry(fake, status);
	}
}

static int fake_firmware(void *data)
{
	struct fake *fake = data;

	if (!fake->mute)
		fake_show(fake);
	while (!kthread_should_stop()) {
		wait_event_timeout(fake->ring, fake->rang || kthread_should_stop(),
				   msecs_to_jiffies(FAKE_STEP_MS));
		fake->rang = false;
		if (!fake->mute && !fake->hang && !readl(&fake->shm->fw.crash_reason))
			fake_step(fake);
	}
	return 0;
}

static void fake_rang(struct fake *fake)
{
	fake->rang = true;
	wake_up(&fake->ring);
}

/* fails COUNT: whether this attempt does */
static bool fake_fails(u32 *count)
{
	if (!*count)
		return false;
	(*count)--;
	return true;
}

static int fake_run(struct fake *fake)
{
	fake->hang = false;
	fake->deaf = false;
	fake->thread = kthread_run(fake_firmware, fake, "qs1-fake");
	if (!IS_ERR(fake->thread))
		return 0;
	fake->thread = NULL;
	return -ENOMEM;
}

static int fake_start(struct rproc *rproc)
{
	struct fake *fake = rproc->priv;

	fake->starts++;
	msleep(fake->start_ms);
	if (fake_fails(&fake->start_fails))
		return -EIO;
	return fake_run(fake);
}

static int fake_stop(struct rproc *rproc)
{
	struct fake *fake = rproc->priv;

	fake->stops++;
	if (fake_fails(&fake->stop_fails))
		return -EACCES;
	if (!fake->thread) {
		fake->idle_stops++;
		return -EACCES;
	}
	kthread_stop(fake->thread);
	fake->thread = NULL;
	return 0;
}

static int fake_attach(struct rproc *rproc)
{
	struct fake *fake = rproc->priv;

	fake->attaches++;
	return fake_fails(&fake->attach_fails) ? -EIO : 0;
}

static int fake_load(struct rproc *rproc, const struct firmware *fw)
{
	return 0;
}

static const struct rproc_ops fake_rproc_ops = {
	.start = fake_start,
	.stop = fake_stop,
	.attach = fake_attach,
	.load = fake_load,
};

static int fake_send(struct mbox_chan *channel, void *message)
{
	struct fake *fake = channel->con_priv;

	fake_rang(fake);
	return 0;
}

static int fake_open(struct mbox_chan *channel)
{
	struct fake *fake = channel->con_priv;

	guard(mutex)(&fake->open_lock);
	fake->open = true;
	return 0;
}

static void fake_close(struct mbox_chan *channel)
{
	struct fake *fake = channel->con_priv;

	guard(mutex)(&fake->open_lock);
	fake->open = false;
}

static bool fake_sent(struct mbox_chan *channel)
{
	return true;
}

static const struct mbox_chan_ops fake_mailbox_ops = {
	.send_data = fake_send,
	.startup = fake_open,
	.shutdown = fake_close,
	.last_tx_done = fake_sent,
};

static struct mbox_chan *fake_channel(struct mbox_controller *mailbox,
				      const struct of_phandle_args *args)
{
	return &mailbox->chans[0];
}

static int fake_set_pending(struct irq_data *data, enum irqchip_irq_state which, bool state)
{
	if (which != IRQCHIP_STATE_PENDING || data->hwirq != FAKE_IRQ_MAILBOX)
		return -EINVAL;
	fake_rang(data->domain->host_data);
	return 0;
}

static void fake_mask(struct irq_data *data)
{
}

static struct irq_chip fake_irq_chip = {
	.name = "qs1-fake",
	.irq_mask = fake_mask,
	.irq_unmask = fake_mask,
	.irq_set_irqchip_state = fake_set_pending,
};

static int fake_map(struct irq_domain *domain, unsigned int irq, irq_hw_number_t hwirq)
{
	irq_set_chip_and_handler(irq, &fake_irq_chip, handle_simple_irq);
	return 0;
}

static const struct irq_domain_ops fake_domain_ops = {
	.map = fake_map,
	.xlate = irq_domain_xlate_onecell,
};

static int fake_power_on(struct generic_pm_domain *power)
{
	container_of(power, struct fake, power)->powered = true;
	return 0;
}

static int fake_power_off(struct generic_pm_domain *power)
{
	container_of(power, struct fake, power)->powered = false;
	return 0;
}

/* A write of 1 has somebody else than the inverter's driver stop it. */
static int fake_foreign_stop(void *data, u64 value)
{
	struct fake *fake = data;

	return rproc_shutdown(fake->rproc);
}
DEFINE_DEBUGFS_ATTRIBUTE(fake_foreign_stop_fops, NULL, fake_foreign_stop, "%llu\n");

static int fake_foreign_start(void *data, u64 value)
{
	struct fake *fake = data;

	return rproc_boot(fake->rproc);
}
DEFINE_DEBUGFS_ATTRIBUTE(fake_foreign_start_fops, NULL, fake_foreign_start, "%llu\n");

static void fake_init_debugfs(struct fake *fake)
{
	struct dentry *dir = debugfs_create_dir("qs1-fake", NULL);

	fake->debugfs = dir;
	debugfs_create_u32("start_fails", 0600, dir, &fake->start_fails);
	debugfs_create_u32("stop_fails", 0600, dir, &fake->stop_fails);
	debugfs_create_u32("attach_fails", 0600, dir, &fake->attach_fails);
	debugfs_create_u32("start_ms", 0600, dir, &fake->start_ms);
	debugfs_create_bool("mute", 0600, dir, &fake->mute);
	debugfs_create_bool("hang", 0600, dir, &fake->hang);
	debugfs_create_bool("deaf", 0600, dir, &fake->deaf);
	debugfs_create_u32("starts", 0400, dir, &fake->starts);
	debugfs_create_u32("stops", 0400, dir, &fake->stops);
	debugfs_create_u32("idle_stops", 0400, dir, &fake->idle_stops);
	debugfs_create_u32("attaches", 0400, dir, &fake->attaches);
	debugfs_create_u32("dark_ms", 0400, dir, &fake->dark_ms);
	debugfs_create_atomic_t("power", 0400, dir, &fake->rproc->power);
	debugfs_create_u32("second_starts", 0400, dir, &second_starts);
	debugfs_create_bool("second_runs", 0400, dir, &second_runs);
	debugfs_create_file("foreign_stop", 0200, dir, fake, &fake_foreign_stop_fops);
	debugfs_create_file("foreign_start", 0200, dir, fake, &fake_foreign_start_fops);
}

static int fake_init_memory(struct fake *fake, struct device *dev)
{
	struct device_node *node = of_parse_phandle(dev->of_node, "memory-region", 0);
	struct reserved_mem *memory = of_reserved_mem_lookup(node);

	of_node_put(node);
	if (!memory)
		return -EINVAL;
	fake->shm = devm_ioremap_wc(dev, memory->base, memory->size);
	return fake->shm ? 0 : -ENOMEM;
}

static void fake_remove_domain(void *domain)
{
	int hwirq;

	for (hwirq = 0; hwirq < FAKE_IRQS; hwirq++)
		irq_dispose_mapping(irq_find_mapping(domain, hwirq));
	irq_domain_remove(domain);
}

static int fake_init_irqs(struct fake *fake, struct device *dev)
{
	fake->domain = irq_domain_add_linear(dev->of_node, FAKE_IRQS, &fake_domain_ops, fake);
	if (!fake->domain)
		return -ENOMEM;
	return devm_add_action_or_reset(dev, fake_remove_domain, fake->domain);
}

static int fake_init_mailbox(struct fake *fake, struct device *dev)
{
	mutex_init(&fake->open_lock);
	fake->channel.con_priv = fake;
	fake->mailbox.dev = dev;
	fake->mailbox.ops = &fake_mailbox_ops;
	fake->mailbox.chans = &fake->channel;
	fake->mailbox.num_chans = 1;
	fake->mailbox.txdone_poll = true;
	fake->mailbox.txpoll_period = 1;
	fake->mailbox.of_xlate = fake_channel;
	return devm_mbox_controller_register(dev, &fake->mailbox);
}

static void fake_remove_power(void *data)
{
	struct fake *fake = data;

	of_genpd_del_provider(fake->power.dev.of_node);
	pm_genpd_remove(&fake->power);
}

static int fake_init_power(struct fake *fake, struct device *dev)
{
	int ret;

	fake->power.name = "qs1-fake";
	fake->power.power_on = fake_power_on;
	fake->power.power_off = fake_power_off;
	ret = pm_genpd_init(&fake->power, NULL, true);
	if (ret)
		return ret;
	ret = of_genpd_add_provider_simple(dev->of_node, &fake->power);
	if (ret) {
		pm_genpd_remove(&fake->power);
		return ret;
	}
	return devm_add_action_or_reset(dev, fake_remove_power, fake);
}

static int fake_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	struct rproc *rproc;
	struct fake *fake;
	int ret;

	rproc = devm_rproc_alloc(dev, "qs1-fake", &fake_rproc_ops, "qs1-m4.elf", sizeof(*fake));
	if (!rproc)
		return -ENOMEM;
	rproc->auto_boot = !strcmp(begin, "running");
	fake = rproc->priv;
	fake->rproc = rproc;
	init_waitqueue_head(&fake->ring);
	platform_set_drvdata(pdev, fake);

	ret = fake_init_memory(fake, dev);
	if (!ret)
		ret = fake_init_irqs(fake, dev);
	if (!ret)
		ret = fake_init_mailbox(fake, dev);
	if (!ret)
		ret = fake_init_power(fake, dev);
	if (ret)
		return ret;
	if (!strcmp(begin, "detached")) {
		rproc->state = RPROC_DETACHED;
		ret = fake_run(fake);
		if (ret)
			return ret;
		msleep(FAKE_REBOOT_MS);
	}
	fake_init_debugfs(fake);
	return rproc_add(rproc);
}

static void fake_remove(struct platform_device *pdev)
{
	struct fake *fake = platform_get_drvdata(pdev);

	debugfs_remove_recursive(fake->debugfs);
	rproc_del(fake->rproc);
	if (fake->thread)
		kthread_stop(fake->thread);
}

static const struct of_device_id fake_ids[] = { { .compatible = "qs1,fake" }, {} };
MODULE_DEVICE_TABLE(of, fake_ids);

static struct platform_driver fake_driver = {
	.probe = fake_probe,
	.remove_new = fake_remove,
	.driver = { .name = "qs1-fake", .of_match_table = fake_ids },
};

static int second_start(struct rproc *rproc)
{
	second_starts++;
	second_runs = true;
	return 0;
}

static int second_stop(struct rproc *rproc)
{
	second_runs = false;
	return 0;
}

static const struct rproc_ops second_ops = {
	.start = second_start,
	.stop = second_stop,
	.load = fake_load,
};

static int second_probe(struct platform_device *pdev)
{
	struct rproc *rproc =
		devm_rproc_alloc(&pdev->dev, "qs1-fake-second", &second_ops, "qs1-m4.elf", 0);

	if (!rproc)
		return -ENOMEM;
	rproc->auto_boot = false;
	return devm_rproc_add(&pdev->dev, rproc);
}

static const struct of_device_id second_ids[] = { { .compatible = "qs1,fake-second" }, {} };

static struct platform_driver second_driver = {
	.probe = second_probe,
	.driver = { .name = "qs1-fake-second", .of_match_table = second_ids },
};

struct rproc *pru_rproc_get(struct device_node *np, int index, enum pruss_pru_id *pru_id)
{
	struct device_node *node = of_parse_phandle(np, "ti,prus", index);
	struct rproc *rproc;

	if (!node)
		return ERR_PTR(-ENODEV);
	rproc = rproc_get_by_phandle(node->phandle);
	of_node_put(node);
	return rproc ? rproc : ERR_PTR(-EPROBE_DEFER);
}
EXPORT_SYMBOL_GPL(pru_rproc_get);

void pru_rproc_put(struct rproc *rproc)
{
	rproc_put(rproc);
}
EXPORT_SYMBOL_GPL(pru_rproc_put);

static struct platform_driver *const drivers[] = { &fake_driver, &second_driver };

static int __init fake_init(void)
{
	return platform_register_drivers(drivers, ARRAY_SIZE(drivers));
}
module_init(fake_init);

static void __exit fake_exit(void)
{
	platform_unregister_drivers(drivers, ARRAY_SIZE(drivers));
}
module_exit(fake_exit);

MODULE_DESCRIPTION("qs1 microinverter: coprocessor for tests");
MODULE_AUTHOR("qs1 contributors");
MODULE_LICENSE("GPL");
