// SPDX-License-Identifier: GPL-2.0-only
/*
 * Glue for the qs1 virtual board: the shared memory is BAR2 of QEMU's
 * ivshmem-doorbell device. All users of that device have the same PCI ID; a magic
 * and a version at the start of the memory identify a qs1 board.
 *
 * The board's coprocessor is held in reset, started and watched by the board
 * itself; this driver asks for it in the registers of struct qs1_vhw, and is a
 * remoteproc provider on top of that.
 */
#include <linux/device.h>
#include <linux/elf.h>
#include <linux/firmware.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/iopoll.h>
#include <linux/ioport.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>
#include <linux/remoteproc.h>
#include <linux/slab.h>
#include <linux/time64.h>

#include <qs1/vhw.h>

#include "qs1.h"
#include "rproc-elf.h"

#define QS1_IVSHMEM_DEVICE_ID 0x1110
#define QS1_IVSHMEM_BAR_REGS 0
#define QS1_IVSHMEM_BAR_MEMORY 2
#define QS1_IVSHMEM_DOORBELL 0x0c /* peer << 16 | vector */

/* The board resets its emulator in well under a second. */
#define QS1_IVSHMEM_CONTROL_TIMEOUT_US (5 * USEC_PER_SEC)

#define QS1_IVSHMEM_FIRMWARE "qs1-m4.elf"

/**
 * struct qs1_ivshmem - one virtual board
 * @dev: the PCI device
 * @regs: ivshmem's registers
 * @memory: shared memory
 * @vhw: the board's registers, at the start of @memory
 * @size: bytes of shared memory
 * @da: the coprocessor's address of the shared memory
 * @fw_offset: where in the memory firmware may be loaded
 * @peer: the board's number as an ivshmem peer
 * @request: last request to the board
 * @rproc: the coprocessor
 * @qs1: the core's part
 */
struct qs1_ivshmem {
	struct device *dev;
	void __iomem *regs;
	void __iomem *memory;
	struct qs1_vhw __iomem *vhw;
	size_t size;
	u32 da;
	u32 fw_offset;
	u32 peer;
	u32 request;
	struct rproc *rproc;
	struct qs1 *qs1;
};

static void qs1_ivshmem_doorbell(struct qs1_ivshmem *board, u32 vector)
{
	writel(board->peer << 16 | vector, board->regs + QS1_IVSHMEM_DOORBELL);
}

static void qs1_ivshmem_ring(struct qs1 *qs1)
{
	qs1_ivshmem_doorbell(qs1->priv, QS1_VHW_DB_MAILBOX);
}

static const struct qs1_ops qs1_ivshmem_ops = {
	.ring = qs1_ivshmem_ring,
	.provider = true,
};

/* Ask the board to take the new value of run, and wait until it has. */
static int qs1_ivshmem_control(struct qs1_ivshmem *board, u32 run)
{
	struct qs1_vhw __iomem *vhw = board->vhw;
	u32 ack;
	int ret;

	writel(run, &vhw->run);
	writel(++board->request, &vhw->coproc_request);
	qs1_ivshmem_doorbell(board, QS1_VHW_DB_CONTROL);

	ret = read_poll_timeout(readl, ack, ack == board->request, 1000,
				QS1_IVSHMEM_CONTROL_TIMEOUT_US, false, &vhw->coproc_ack);
	if (ret)
		dev_err(board->dev, "board did not acknowledge request %u to set run to %u\n",
			board->request, run);
	return ret;
}

static int qs1_ivshmem_start(struct rproc *rproc)
{
	struct qs1_ivshmem *board = rproc->priv;
	int ret;

	if (!rproc_da_to_va(rproc, rproc->bootaddr, 2 * sizeof(u32), NULL)) {
		dev_err(board->dev, "%s: entry 0x%llx is outside the firmware's memory\n",
			rproc->firmware, rproc->bootaddr);
		return -EINVAL;
	}
	writel(rproc->bootaddr, &board->vhw->boot_da);
	ret = qs1_ivshmem_control(board, 1);
	if (ret)
		writel(0, &board->vhw->run);
	return ret;
}

static int qs1_ivshmem_stop(struct rproc *rproc)
{
	struct qs1_ivshmem *board = rproc->priv;

	if (qs1_keeps_running(board->qs1))
		return -EBUSY;
	return qs1_ivshmem_control(board, 0);
}

/*
 * Only the firmware's region: the memory before it belongs to the board's
 * registers and to the contract, and no segment may be loaded there.
 */
static void *qs1_ivshmem_da_to_va(struct rproc *rproc, u64 da, size_t len, bool *is_iomem)
{
	struct qs1_ivshmem *board = rproc->priv;
	u64 offset = da - board->da;

	if (da < board->da || offset < board->fw_offset || offset > board->size ||
	    len > board->size - offset)
		return NULL;
	if (is_iomem)
		*is_iomem = true;
	return (__force void *)(board->memory + offset);
}

static int qs1_ivshmem_sanity_check(struct rproc *rproc, const struct firmware *fw)
{
	struct qs1_ivshmem *board = rproc->priv;
	const struct elf32_hdr *ehdr;
	int ret;

	ret = rproc_elf_sanity_check(rproc, fw);
	if (ret)
		return ret;

	ehdr = (const struct elf32_hdr *)fw->data;
	if (ehdr->e_ident[EI_CLASS] != ELFCLASS32 || ehdr->e_machine != EM_ARM) {
		dev_err(board->dev, "%s: class %u, machine %u, expected %u, %u (32 bit, ARM)\n",
			rproc->firmware, ehdr->e_ident[EI_CLASS], ehdr->e_machine, ELFCLASS32,
			EM_ARM);
		return -ENOEXEC;
	}
	if (ehdr->e_phentsize != sizeof(struct elf32_phdr) || ehdr->e_phoff > fw->size ||
	    array_size(ehdr->e_phnum, sizeof(struct elf32_phdr)) > fw->size - ehdr->e_phoff) {
		dev_err(board->dev, "%s: program headers are outside the file\n", rproc->firmware);
		return -ENOEXEC;
	}
	return 0;
}

static void qs1_ivshmem_dump_contract(struct rproc *rproc, struct rproc_dump_segment *segment,
				      void *dest, size_t offset, size_t size)
{
	struct qs1_ivshmem *board = rproc->priv;

	memcpy_fromio(dest, board->memory + (segment->da - board->da) + offset, size);
}

/* The dump holds what was loaded, as it is now, and the contract. */
static int qs1_ivshmem_add_dump(struct qs1_ivshmem *board, const struct firmware *fw)
{
	const struct elf32_hdr *ehdr = (const struct elf32_hdr *)fw->data;
	const struct elf32_phdr *phdr = (const void *)(fw->data + ehdr->e_phoff);
	struct rproc *rproc = board->rproc;
	u64 da = board->da + ((void __iomem *)board->qs1->shm - board->memory);
	int ret;
	int i;

	ret = rproc_coredump_add_custom_segment(rproc, da, board->qs1->size,
						qs1_ivshmem_dump_contract, NULL);
	for (i = 0; !ret && i < ehdr->e_phnum; i++) {
		if (phdr[i].p_type != PT_LOAD || !phdr[i].p_memsz)
			continue;
		ret = rproc_coredump_add_segment(rproc, phdr[i].p_paddr, phdr[i].p_memsz);
	}
	return ret;
}

static int qs1_ivshmem_parse_fw(struct rproc *rproc, const struct firmware *fw)
{
	const struct elf32_hdr *ehdr = (const struct elf32_hdr *)fw->data;
	struct qs1_ivshmem *board = rproc->priv;
	int ret = -EINVAL;

	if (ehdr->e_shnum)
		ret = rproc_elf_load_rsc_table(rproc, fw);
	if (ret == -EINVAL)
		dev_info(board->dev, "%s has no resource table: no trace buffer\n",
			 rproc->firmware);
	else if (ret)
		return ret;

	return qs1_ivshmem_add_dump(board, fw);
}

/*
 * No find_loaded_rsc_table: the core then keeps its own copy of the resource table, which it has
 * checked. The one in memory belongs to the firmware, and debugfs would trust its offsets.
 */
static const struct rproc_ops qs1_ivshmem_rproc_ops = {
	.start = qs1_ivshmem_start,
	.stop = qs1_ivshmem_stop,
	.da_to_va = qs1_ivshmem_da_to_va,
	.load = rproc_elf_load_segments,
	.parse_fw = qs1_ivshmem_parse_fw,
	.sanity_check = qs1_ivshmem_sanity_check,
	.get_boot_addr = rproc_elf_get_boot_addr,
};

static irqreturn_t qs1_ivshmem_coproc_irq(int irq, void *data)
{
	struct qs1_ivshmem *board = data;

	if (readl(&board->vhw->coproc_state) == QS1_VHW_COPROC_WATCHDOG)
		qs1_report_crash(board->qs1, RPROC_WATCHDOG);
	return IRQ_HANDLED;
}

static void qs1_ivshmem_quiesce(void *data)
{
	struct qs1_ivshmem *board = data;

	qs1_quiesce(board->qs1);
	/* After a crash with recovery disabled the remoteproc core leaves it running. */
	if (readl(&board->vhw->run))
		qs1_ivshmem_control(board, 0);
}

/* Is this the memory of a qs1 board, and are its registers consistent? */
static int qs1_ivshmem_identify(struct qs1_ivshmem *board)
{
	struct qs1_vhw __iomem *vhw = board->vhw;
	u32 magic = readl(&vhw->magic);
	u32 version = readl(&vhw->version);
	u32 size = readl(&vhw->size);
	u32 shm = readl(&vhw->shm_offset);
	u32 fw = readl(&vhw->fw_offset);

	if (magic != QS1_VHW_MAGIC) {
		dev_info(board->dev, "not a qs1 board: magic is 0x%08x, expected 0x%08x\n", magic,
			 QS1_VHW_MAGIC);
		return -ENODEV;
	}
	if (version != QS1_VHW_VERSION) {
		dev_err(board->dev, "board has version %u, this driver needs %u\n", version,
			QS1_VHW_VERSION);
		return -ENODEV;
	}
	if (size > board->size || fw >= size || shm >= fw || shm < sizeof(*vhw) ||
	    !IS_ALIGNED(shm, sizeof(u64)) || readl(&vhw->da) > U32_MAX - size) {
		dev_err(board->dev,
			"contract at 0x%x, firmware at 0x%x, %u bytes, do not fit into %zu\n", shm,
			fw, size, board->size);
		return -ENODEV;
	}

	board->size = size;
	board->fw_offset = fw;
	board->da = readl(&vhw->da);
	board->peer = readl(&vhw->vboard_peer);
	board->request = readl(&vhw->coproc_request);
	return shm;
}

static int qs1_ivshmem_map(struct qs1_ivshmem *board, struct pci_dev *pdev)
{
	resource_size_t start;
	int ret;

	ret = pcim_enable_device(pdev);
	if (ret)
		return dev_err_probe(board->dev, ret, "cannot enable the device\n");

	board->size = pci_resource_len(pdev, QS1_IVSHMEM_BAR_MEMORY);
	if (board->size < sizeof(*board->vhw)) {
		dev_info(board->dev, "not a qs1 board: no shared memory\n");
		return -ENODEV;
	}
	/* Newer kernels do not take pci_request_regions() back when the driver goes. */
	board->regs = devm_ioremap_resource(board->dev, &pdev->resource[QS1_IVSHMEM_BAR_REGS]);
	if (IS_ERR(board->regs))
		return dev_err_probe(board->dev, PTR_ERR(board->regs),
				     "cannot map the registers\n");
	/*
	 * It is memory, and the remoteproc core accesses its trace buffer and
	 * resource table as such: a device mapping would fault on the unaligned.
	 */
	start = pci_resource_start(pdev, QS1_IVSHMEM_BAR_MEMORY);
	if (!devm_request_mem_region(board->dev, start, board->size, pci_name(pdev)))
		return dev_err_probe(board->dev, -EBUSY, "memory is in use\n");
	board->memory = devm_ioremap_wc(board->dev, start, board->size);
	if (!board->memory)
		return dev_err_probe(board->dev, -ENOMEM, "cannot map the memory\n");
	board->vhw = board->memory;
	return 0;
}

static void qs1_ivshmem_free_vectors(void *pdev)
{
	pci_free_irq_vectors(pdev);
}

static int qs1_ivshmem_request_irqs(struct qs1_ivshmem *board, struct pci_dev *pdev)
{
	int ret;

	pci_set_master(pdev);
	ret = pci_alloc_irq_vectors(pdev, QS1_VHW_VECTORS, QS1_VHW_VECTORS, PCI_IRQ_MSIX);
	if (ret < 0)
		return dev_err_probe(board->dev, ret, "expected %u MSI-X vectors\n",
				     QS1_VHW_VECTORS);
	ret = devm_add_action_or_reset(board->dev, qs1_ivshmem_free_vectors, pdev);
	if (ret)
		return ret;

	ret = devm_request_threaded_irq(board->dev, pci_irq_vector(pdev, QS1_VHW_IRQ_FW), qs1_irq,
					qs1_irq_thread, 0, "qs1-fw", board->qs1);
	if (ret)
		return dev_err_probe(board->dev, ret, "no interrupt for the firmware\n");

	ret = devm_request_irq(board->dev, pci_irq_vector(pdev, QS1_VHW_IRQ_COPROC),
			       qs1_ivshmem_coproc_irq, 0, "qs1-coproc", board);
	if (ret)
		return dev_err_probe(board->dev, ret, "no interrupt for the coprocessor\n");
	return 0;
}

static int qs1_ivshmem_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct qs1_ivshmem found = { .dev = &pdev->dev };
	struct device *dev = &pdev->dev;
	struct qs1_ivshmem *board;
	struct rproc *rproc;
	int shm;
	int ret;

	ret = qs1_ivshmem_map(&found, pdev);
	if (ret)
		return ret;
	shm = qs1_ivshmem_identify(&found);
	if (shm < 0)
		return shm;

	rproc = devm_rproc_alloc(dev, "qs1-coproc", &qs1_ivshmem_rproc_ops, QS1_IVSHMEM_FIRMWARE,
				 sizeof(*board));
	if (!rproc)
		return -ENOMEM;
	rproc_coredump_set_elf_info(rproc, ELFCLASS32, EM_ARM);
	/* qs1_boot() starts it, and retries. */
	rproc->auto_boot = false;

	board = rproc->priv;
	*board = found;
	board->rproc = rproc;

	board->qs1 = devm_qs1_alloc(dev, rproc, board->memory + shm, board->fw_offset - shm,
				    &qs1_ivshmem_ops, board);
	if (IS_ERR(board->qs1))
		return PTR_ERR(board->qs1);

	ret = devm_qs1_follow(board->qs1);
	if (ret)
		return ret;
	ret = devm_rproc_add(dev, rproc);
	if (ret)
		return dev_err_probe(dev, ret, "cannot add the coprocessor\n");
	ret = qs1_ivshmem_request_irqs(board, pdev);
	if (ret)
		return ret;
	/* First of these to end: the firmware stops while its doorbells are heard. */
	ret = devm_add_action_or_reset(dev, qs1_ivshmem_quiesce, board);
	if (ret)
		return ret;
	ret = devm_qs1_add_children(board->qs1);
	if (ret)
		return ret;

	qs1_boot(board->qs1);
	/* The bus holds a reference while it probes; from now on the firmware does while it runs.
	 */
	pm_runtime_put_noidle(dev);
	return 0;
}

/* The bus expects the reference back. */
static void qs1_ivshmem_remove(struct pci_dev *pdev)
{
	pm_runtime_get_noresume(&pdev->dev);
}

static void qs1_ivshmem_shutdown(struct pci_dev *pdev)
{
	struct qs1 *qs1 = pci_get_drvdata(pdev);

	qs1_ivshmem_quiesce(qs1->priv);
}

static const struct pci_device_id qs1_ivshmem_ids[] = {
	{ PCI_DEVICE(PCI_VENDOR_ID_REDHAT_QUMRANET, QS1_IVSHMEM_DEVICE_ID) }, {}
};
MODULE_DEVICE_TABLE(pci, qs1_ivshmem_ids);

static struct pci_driver qs1_ivshmem_driver = {
	.name = "qs1-ivshmem",
	.id_table = qs1_ivshmem_ids,
	.probe = qs1_ivshmem_probe,
	.remove = qs1_ivshmem_remove,
	.shutdown = qs1_ivshmem_shutdown,
	.dev_groups = qs1_groups,
	.driver.pm = pm_ptr(&qs1_pm_ops),
};
module_pci_driver(qs1_ivshmem_driver);

MODULE_DESCRIPTION("qs1 microinverter: virtual board on an ivshmem device");
MODULE_AUTHOR("qs1 contributors");
MODULE_LICENSE("GPL");
MODULE_FIRMWARE(QS1_IVSHMEM_FIRMWARE);
MODULE_IMPORT_NS(QS1_NS);
