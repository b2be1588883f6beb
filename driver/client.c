// SPDX-License-Identifier: GPL-2.0-only
/*
 * For glue whose coprocessor belongs to another driver, as on all real boards.
 *
 * That driver neither knows what the firmware does nor watches it. So here the
 * firmware's count of control periods is watched, a firmware that stands still is
 * recovered, and user space loses the files by which it could stop the firmware or
 * exchange it under a running inverter: to have it stopped, unbind this driver.
 */
#include <linux/clk.h>
#include <linux/device.h>
#include <linux/devm-helpers.h>
#include <linux/export.h>
#include <linux/io.h>
#include <linux/jiffies.h>
#include <linux/of.h>
#include <linux/of_reserved_mem.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include <linux/workqueue.h>

#include "qs1.h"

/* At 20 kHz 2000 periods, of which none was counted: twice, lest a look come too early. */
#define QS1_WATCH_MS 100
#define QS1_WATCH_STRIKES 2

/**
 * struct qs1_client - what a client adds to the core's part
 * @qs1: inverter
 * @watch: looks whether the firmware lives
 * @alive: count of periods seen last
 * @strikes: looks since it moved
 * @was_read_only: of the coprocessor, to be restored
 * @was_disabled: recovery, likewise
 * @clocks: of the peripherals that the firmware uses, which nobody else enables
 * @clock_count: number of them
 */
struct qs1_client {
	struct qs1 *qs1;
	struct delayed_work watch;
	u32 alive;
	unsigned int strikes;
	bool was_read_only;
	bool was_disabled;
	struct clk_bulk_data *clocks;
	int clock_count;
};

static void qs1_client_watch(struct work_struct *work)
{
	struct qs1_client *client = container_of(work, struct qs1_client, watch.work);
	struct qs1 *qs1 = client->qs1;
	u32 alive = readl(&qs1->shm->fw.alive);

	if (alive != client->alive || !qs1_running(qs1) || test_bit(QS1_FLAG_ASLEEP, &qs1->flags))
		client->strikes = 0;
	else if (++client->strikes == QS1_WATCH_STRIKES)
		qs1_report_crash(qs1, RPROC_WATCHDOG);
	client->alive = alive;
	schedule_delayed_work(&client->watch, msecs_to_jiffies(QS1_WATCH_MS));
}

/*
 * The remoteproc core asks whether its files are read-only when it makes them, which was before
 * this driver came: have it ask again.
 */
static int qs1_client_set_read_only(struct rproc *rproc, bool read_only)
{
	rproc->sysfs_read_only = read_only;
	return sysfs_update_groups(&rproc->dev.kobj, rproc->dev.class->dev_groups);
}

static void qs1_client_release(void *data)
{
	struct qs1_client *client = data;
	struct rproc *rproc = client->qs1->rproc;

	qs1_quiesce(client->qs1);
	rproc->recovery_disabled = client->was_disabled;
	if (qs1_client_set_read_only(rproc, client->was_read_only))
		dev_warn(client->qs1->dev, "attributes of %s stay as they are\n",
			 dev_name(&rproc->dev));
}

/* It may run a firmware of its own driver's choice, from before we came. */
static int qs1_client_take_over(struct qs1 *qs1)
{
	struct rproc *rproc = qs1->rproc;

	if (rproc->state == RPROC_DETACHED)
		return dev_err_probe(qs1->dev, -EBUSY,
				     "%s was started by the boot loader, expected it to be off\n",
				     dev_name(&rproc->dev));
	while (rproc->state == RPROC_RUNNING && !rproc_shutdown(rproc))
		;
	return 0;
}

static void qs1_client_disable_clocks(void *data)
{
	struct qs1_client *client = data;

	clk_bulk_disable_unprepare(client->clock_count, client->clocks);
}

/* Linux would switch them off as unused. */
static int qs1_client_enable_clocks(struct qs1_client *client)
{
	struct device *dev = client->qs1->dev;
	int ret;

	client->clock_count = devm_clk_bulk_get_all(dev, &client->clocks);
	if (client->clock_count < 0)
		return dev_err_probe(dev, client->clock_count, "not all clocks are there\n");
	ret = clk_bulk_prepare_enable(client->clock_count, client->clocks);
	if (ret)
		return dev_err_probe(dev, ret, "can not enable the clocks\n");
	return devm_add_action_or_reset(dev, qs1_client_disable_clocks, client);
}

/**
 * devm_qs1_client() - hold a coprocessor that another driver provides
 * @qs1: inverter; qs1->rproc is held by a reference that lasts longer
 *
 * To be called before the interrupts are wired. When @qs1's device is unbound
 * the firmware is stopped; before the coprocessor's driver goes this one does.
 *
 * Return: 0 or a negative errno.
 */
int devm_qs1_client(struct qs1 *qs1)
{
	struct rproc *rproc = qs1->rproc;
	struct qs1_client *client;
	int ret;

	client = devm_kzalloc(qs1->dev, sizeof(*client), GFP_KERNEL);
	if (!client)
		return -ENOMEM;
	client->qs1 = qs1;
	client->was_read_only = rproc->sysfs_read_only;
	client->was_disabled = rproc->recovery_disabled;

	if (!device_link_add(qs1->dev, rproc->dev.parent, DL_FLAG_AUTOREMOVE_CONSUMER))
		return dev_err_probe(qs1->dev, -EINVAL, "can not depend on %s\n",
				     dev_name(rproc->dev.parent));
	ret = qs1_client_enable_clocks(client);
	if (ret)
		return ret;
	ret = qs1_client_take_over(qs1);
	if (ret)
		return ret;
	ret = qs1_client_set_read_only(rproc, true);
	if (ret)
		return dev_err_probe(qs1->dev, ret, "can not protect %s\n", dev_name(&rproc->dev));
	/* It comes back disarmed, so there is nothing against it. */
	rproc->recovery_disabled = false;
	ret = devm_add_action_or_reset(qs1->dev, qs1_client_release, client);
	if (ret)
		return ret;

	ret = devm_delayed_work_autocancel(qs1->dev, &client->watch, qs1_client_watch);
	if (ret)
		return ret;
	schedule_delayed_work(&client->watch, msecs_to_jiffies(QS1_WATCH_MS));
	return 0;
}
EXPORT_SYMBOL_NS_GPL(devm_qs1_client, QS1_NS);

/**
 * devm_qs1_map_memory_region() - the contract in reserved memory
 * @dev: device whose node has a memory-region
 * @ret_size: where to put its size
 *
 * Return: its address, or an error pointer: -ENOENT when the node has none, -EINVAL when what it
 * names is not reserved, -ENOMEM when that can not be mapped.
 */
void __iomem *devm_qs1_map_memory_region(struct device *dev, size_t *ret_size)
{
	struct reserved_mem *memory;
	struct device_node *node;
	void __iomem *shm;

	node = of_parse_phandle(dev->of_node, "memory-region", 0);
	if (!node)
		return IOMEM_ERR_PTR(-ENOENT);
	memory = of_reserved_mem_lookup(node);
	of_node_put(node);
	if (!memory)
		return IOMEM_ERR_PTR(-EINVAL);

	/* Memory to both sides: not cached, but written in any order up to a barrier. */
	shm = devm_ioremap_wc(dev, memory->base, memory->size);
	if (!shm)
		return IOMEM_ERR_PTR(-ENOMEM);
	*ret_size = memory->size;
	return shm;
}
EXPORT_SYMBOL_NS_GPL(devm_qs1_map_memory_region, QS1_NS);
