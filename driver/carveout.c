// SPDX-License-Identifier: GPL-2.0-only
/*
 * Glue for boards whose coprocessor is a Cortex-M4 beside Linux's cores (AM57xx,
 * AM62x): the contract is in a reserved-memory region, a mailbox carries the
 * doorbells, and the coprocessor is that of a remoteproc driver.
 */
#include <linux/device.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/mailbox_client.h>
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/pm_runtime.h>
#include <linux/property.h>
#include <linux/remoteproc.h>
#include <linux/workqueue.h>

#include "qs1.h"

/* Each message is a doorbell; its value has no meaning. The mailbox core refuses NULL. */
#define QS1_CARVEOUT_DOORBELL ((void *)1)

/**
 * struct qs1_carveout - one board
 * @client: of the mailbox
 * @mailbox: for doorbells both ways
 * @news: handles a doorbell where sleeping is allowed
 * @qs1: the core's part
 */
struct qs1_carveout {
	struct mbox_client client;
	struct mbox_chan *mailbox;
	struct work_struct news;
	struct qs1 *qs1;
};

/* A full queue is no error: it holds a doorbell that the firmware has not handled. */
static void qs1_carveout_ring(struct qs1 *qs1)
{
	struct qs1_carveout *board = qs1->priv;

	mbox_send_message(board->mailbox, QS1_CARVEOUT_DOORBELL);
}

static const struct qs1_ops qs1_carveout_ops = {
	.ring = qs1_carveout_ring,
};

static void qs1_carveout_rang(struct mbox_client *client, void *message)
{
	struct qs1_carveout *board = container_of(client, struct qs1_carveout, client);

	if (qs1_irq(0, board->qs1) == IRQ_WAKE_THREAD)
		queue_work(system_highpri_wq, &board->news);
}

static void qs1_carveout_news(struct work_struct *work)
{
	struct qs1_carveout *board = container_of(work, struct qs1_carveout, news);

	qs1_irq_thread(0, board->qs1);
}

static void qs1_carveout_free_mailbox(void *data)
{
	struct qs1_carveout *board = data;

	mbox_free_channel(board->mailbox);
	cancel_work_sync(&board->news);
}

static int qs1_carveout_request_mailbox(struct qs1_carveout *board, struct device *dev)
{
	INIT_WORK(&board->news, qs1_carveout_news);
	board->client.dev = dev;
	board->client.rx_callback = qs1_carveout_rang;
	board->mailbox = mbox_request_channel(&board->client, 0);
	if (IS_ERR(board->mailbox))
		return dev_err_probe(dev, PTR_ERR(board->mailbox), "no mailbox\n");
	return devm_add_action_or_reset(dev, qs1_carveout_free_mailbox, board);
}

static void qs1_carveout_put_rproc(void *rproc)
{
	rproc_put(rproc);
}

static struct rproc *devm_qs1_carveout_get_rproc(struct device *dev)
{
	struct rproc *rproc;
	u32 phandle;
	int ret;

	ret = device_property_read_u32(dev, "ti,rproc", &phandle);
	if (ret)
		return ERR_PTR(dev_err_probe(dev, ret, "no ti,rproc\n"));
	rproc = rproc_get_by_phandle(phandle);
	if (!rproc) {
		ret = dev_err_probe(dev, -EPROBE_DEFER, "remote processor is not registered\n");
		return ERR_PTR(ret);
	}
	ret = devm_add_action_or_reset(dev, qs1_carveout_put_rproc, rproc);
	return ret ? ERR_PTR(ret) : rproc;
}

static int qs1_carveout_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	const char *firmware = NULL;
	struct qs1_carveout *board;
	void __iomem *shm;
	struct rproc *rproc;
	size_t size;
	int ret;

	board = devm_kzalloc(dev, sizeof(*board), GFP_KERNEL);
	if (!board)
		return -ENOMEM;
	rproc = devm_qs1_carveout_get_rproc(dev);
	if (IS_ERR(rproc))
		return PTR_ERR(rproc);
	shm = devm_qs1_map_memory_region(dev, &size);
	if (IS_ERR(shm))
		return dev_err_probe(dev, PTR_ERR(shm), "no memory for the contract\n");

	board->qs1 = devm_qs1_alloc(dev, rproc, shm, size, &qs1_carveout_ops, board);
	if (IS_ERR(board->qs1))
		return PTR_ERR(board->qs1);
	ret = qs1_carveout_request_mailbox(board, dev);
	if (ret)
		return ret;
	ret = devm_pm_runtime_set_active_enabled(dev);
	if (ret)
		return ret;
	/* The name is an option: the coprocessor's own driver has one too. */
	device_property_read_string(dev, "firmware-name", &firmware);
	ret = devm_qs1_client(board->qs1, firmware);
	if (ret)
		return ret;
	ret = devm_qs1_add_children(board->qs1);
	if (ret)
		return ret;
	qs1_boot(board->qs1);
	return 0;
}

static void qs1_carveout_shutdown(struct platform_device *pdev)
{
	qs1_quiesce(platform_get_drvdata(pdev));
}

static const struct of_device_id qs1_carveout_ids[] = { { .compatible = "qs1,carveout" }, {} };
MODULE_DEVICE_TABLE(of, qs1_carveout_ids);

static struct platform_driver qs1_carveout_driver = {
	.probe = qs1_carveout_probe,
	.shutdown = qs1_carveout_shutdown,
	.driver = {
		.name = "qs1-carveout",
		.of_match_table = qs1_carveout_ids,
		.dev_groups = qs1_groups,
		.pm = pm_ptr(&qs1_pm_ops),
	},
};
module_platform_driver(qs1_carveout_driver);

MODULE_DESCRIPTION("qs1 microinverter: Cortex-M4 with a reserved-memory region and a mailbox");
MODULE_AUTHOR("qs1 contributors");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(QS1_NS);
