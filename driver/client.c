// SPDX-License-Identifier: GPL-2.0-only
/*
 * For glue whose coprocessor belongs to another driver, as on all real boards.
 *
 * That driver does not depend on the firmware and does not watch it. So this file
 * watches the firmware's count of control periods and recovers a firmware that
 * hangs. It also makes the files read-only by which users could stop or replace the
 * firmware of a running inverter. To stop the firmware, unbind this driver.
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

/*
 * In 100 ms the firmware counts 2000 periods at 20 kHz. Two checks in a row must find no progress,
 * as a simulated board may pause.
 */
#define QS1_WATCH_MS 100
#define QS1_WATCH_STRIKES 2

/**
 * struct qs1_client - what a client adds to the core's part
 * @qs1: inverter
 * @watch: checks that the firmware makes progress
 * @alive: count of periods at the last check
 * @strikes: checks since the count changed
 * @was_read_only: previous setting of the remote processor
 * @was_disabled: previous setting of its recovery
 * @clocks: of the peripherals that only the firmware uses
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

	if (alive != client->alive || !qs1_running(qs1))
		client->strikes = 0;
	else if (++client->strikes == QS1_WATCH_STRIKES)
		qs1_report_crash(qs1, RPROC_WATCHDOG);
	client->alive = alive;
	queue_delayed_work(system_freezable_wq, &client->watch, msecs_to_jiffies(QS1_WATCH_MS));
}

/*
 * The remoteproc core decides which files are read-only when it creates them. It did so before this
 * driver was bound, so update them.
 */
static int qs1_client_set_read_only(struct rproc *rproc, bool read_only)
{
	rproc->sysfs_read_only = read_only;
	return sysfs_update_groups(&rproc->dev.kobj, rproc->dev.class->dev_groups);
}

static void qs1_client_quiesce(void *data)
{
	struct qs1_client *client = data;

	qs1_quiesce(client->qs1);
}

static void qs1_client_release(void *data)
{
	struct qs1_client *client = data;
	struct rproc *rproc = client->qs1->rproc;

	rproc->recovery_disabled = client->was_disabled;
	if (qs1_client_set_read_only(rproc, client->was_read_only))
		dev_warn(client->qs1->dev, "cannot restore the attributes of %s\n",
			 dev_name(&rproc->dev));
}

/* Until this driver is unbound, users cannot start or stop the firmware through sysfs. */
static int qs1_client_claim(struct qs1_client *client)
{
	struct rproc *rproc = client->qs1->rproc;
	struct device *dev = client->qs1->dev;
	int ret;

	client->was_read_only = rproc->sysfs_read_only;
	client->was_disabled = rproc->recovery_disabled;
	ret = qs1_client_set_read_only(rproc, true);
	if (ret)
		return dev_err_probe(dev, ret, "cannot make the attributes of %s read-only\n",
				     dev_name(&rproc->dev));
	/* It comes back disarmed, so there is nothing against it. */
	rproc->recovery_disabled = false;
	return devm_add_action_or_reset(dev, qs1_client_release, client);
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
		return dev_err_probe(dev, client->clock_count, "cannot get all clocks\n");
	ret = clk_bulk_prepare_enable(client->clock_count, client->clocks);
	if (ret)
		return dev_err_probe(dev, ret, "cannot enable the clocks\n");
	return devm_add_action_or_reset(dev, qs1_client_disable_clocks, client);
}

/* The firmware belongs to the inverter: what others have started ends, except for the boot loader.
 */
static int qs1_client_take_over(struct qs1_client *client, const char *firmware)
{
	struct qs1 *qs1 = client->qs1;
	int ret;

	ret = qs1_take_over(qs1);
	if (ret)
		return ret;
	if (firmware && READ_ONCE(qs1->rproc->state) == RPROC_OFFLINE)
		ret = rproc_set_firmware(qs1->rproc, firmware);
	if (ret)
		return dev_err_probe(qs1->dev, ret, "%s: cannot set firmware %s\n",
				     dev_name(&qs1->rproc->dev), firmware);
	ret = devm_qs1_follow(qs1);
	if (ret)
		return ret;
	return devm_add_action_or_reset(qs1->dev, qs1_client_quiesce, client);
}

static int qs1_client_start_watch(struct qs1_client *client)
{
	int ret;

	ret = devm_delayed_work_autocancel(client->qs1->dev, &client->watch, qs1_client_watch);
	if (ret)
		return ret;
	queue_delayed_work(system_freezable_wq, &client->watch, msecs_to_jiffies(QS1_WATCH_MS));
	return 0;
}

/**
 * devm_qs1_client() - hold a coprocessor that another driver provides
 * @qs1: inverter; qs1->rproc is held by a reference that lasts longer
 * @firmware: file to run, or NULL for the one that the coprocessor's driver has named
 *
 * To be called when the doorbells are wired and runtime PM is enabled. When @qs1's
 * device is unbound the power stage is switched off and the firmware stopped. This
 * driver is unbound before the coprocessor's driver.
 *
 * Return: 0 or a negative errno.
 */
int devm_qs1_client(struct qs1 *qs1, const char *firmware)
{
	struct device *provider = qs1->rproc->dev.parent;
	struct qs1_client *client;
	int ret;

	client = devm_kzalloc(qs1->dev, sizeof(*client), GFP_KERNEL);
	if (!client)
		return -ENOMEM;
	client->qs1 = qs1;

	if (!device_link_add(qs1->dev, provider, DL_FLAG_AUTOREMOVE_CONSUMER))
		return dev_err_probe(qs1->dev, -EINVAL, "cannot depend on %s\n",
				     dev_name(provider));
	ret = qs1_client_enable_clocks(client);
	if (ret)
		return ret;
	ret = qs1_client_claim(client);
	if (ret)
		return ret;
	ret = qs1_client_take_over(client, firmware);
	if (ret)
		return ret;
	return qs1_client_start_watch(client);
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
