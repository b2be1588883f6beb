// SPDX-License-Identifier: GPL-2.0-only
/*
 * Glue for the AM335x, whose coprocessor is the two PRUs: the contract is in
 * reserved memory, for their own is full of the firmware, and a system event of
 * the PRU-ICSS's interrupt controller is the doorbell in each direction.
 */
#include <linux/device.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/pm_runtime.h>
#include <linux/remoteproc.h>
#include <linux/remoteproc/pruss.h>

#include "qs1.h"

/**
 * struct qs1_pruss - one board
 * @mailbox_irq: system event that wakes the firmware
 */
struct qs1_pruss {
	int mailbox_irq;
};

static void qs1_pruss_ring(struct qs1 *qs1)
{
	struct qs1_pruss *board = qs1->priv;

	irq_set_irqchip_state(board->mailbox_irq, IRQCHIP_STATE_PENDING, true);
}

static const struct qs1_ops qs1_pruss_ops = {
	.ring = qs1_pruss_ring,
};

static void qs1_pruss_put_rproc(void *rproc)
{
	pru_rproc_put(rproc);
}

static struct rproc *devm_qs1_pruss_get_rproc(struct device *dev, int index)
{
	struct rproc *rproc;
	int ret;

	rproc = pru_rproc_get(dev->of_node, index, NULL);
	if (rproc == ERR_PTR(-EOPNOTSUPP))
		return ERR_PTR(dev_err_probe(dev, -EOPNOTSUPP,
					     "built for a kernel without PRU remoteproc\n"));
	if (IS_ERR(rproc))
		return dev_err_cast_probe(dev, rproc, "no PRU\n");
	ret = devm_add_action_or_reset(dev, qs1_pruss_put_rproc, rproc);
	return ret ? ERR_PTR(ret) : rproc;
}

static int qs1_pruss_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	struct qs1_pruss *board;
	struct rproc *helper;
	void __iomem *shm;
	struct rproc *rproc;
	struct qs1 *qs1;
	size_t size;
	int irq;
	int ret;

	board = devm_kzalloc(dev, sizeof(*board), GFP_KERNEL);
	if (!board)
		return -ENOMEM;
	rproc = devm_qs1_pruss_get_rproc(dev, 0);
	if (IS_ERR(rproc))
		return PTR_ERR(rproc);
	/* The second PRU waits for the first one, which also resets the second. */
	helper = devm_qs1_pruss_get_rproc(dev, 1);
	if (IS_ERR(helper))
		return PTR_ERR(helper);
	shm = devm_qs1_map_memory_region(dev, &size);
	if (IS_ERR(shm))
		return dev_err_probe(dev, PTR_ERR(shm), "no memory for the contract\n");
	/* The interrupt controller routes both; the firmware's comes here, the other goes to it. */
	irq = platform_get_irq_byname(pdev, "firmware");
	if (irq < 0)
		return irq;
	board->mailbox_irq = platform_get_irq_byname(pdev, "mailbox");
	if (board->mailbox_irq < 0)
		return board->mailbox_irq;

	qs1 = devm_qs1_alloc(dev, rproc, shm, size, &qs1_pruss_ops, board);
	if (IS_ERR(qs1))
		return PTR_ERR(qs1);
	qs1->helper = helper;
	ret = devm_request_threaded_irq(dev, irq, qs1_irq, qs1_irq_thread, 0, "qs1-fw", qs1);
	if (ret)
		return dev_err_probe(dev, ret, "no interrupt for the firmware\n");
	ret = devm_pm_runtime_set_active_enabled(dev);
	if (ret)
		return ret;
	/* pru_rproc_get() has set the name of the file. */
	ret = devm_qs1_client(qs1, NULL);
	if (ret)
		return ret;
	ret = devm_qs1_add_children(qs1);
	if (ret)
		return ret;
	qs1_boot(qs1);
	return 0;
}

static void qs1_pruss_shutdown(struct platform_device *pdev)
{
	qs1_quiesce(platform_get_drvdata(pdev));
}

static const struct of_device_id qs1_pruss_ids[] = { { .compatible = "qs1,pruss" }, {} };
MODULE_DEVICE_TABLE(of, qs1_pruss_ids);

static struct platform_driver qs1_pruss_driver = {
	.probe = qs1_pruss_probe,
	.shutdown = qs1_pruss_shutdown,
	.driver = {
		.name = "qs1-pruss",
		.of_match_table = qs1_pruss_ids,
		.dev_groups = qs1_groups,
		.pm = pm_ptr(&qs1_pm_ops),
	},
};
module_platform_driver(qs1_pruss_driver);

MODULE_DESCRIPTION("qs1 microinverter: PRU of an AM335x");
MODULE_AUTHOR("qs1 contributors");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(QS1_NS);
