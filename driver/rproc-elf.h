/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The remoteproc core exports its ELF loader's steps, but declares them in its
 * private drivers/remoteproc/remoteproc_internal.h, which no package of kernel
 * headers holds. A provider that changes one step has to name all of them.
 */
#ifndef QS1_RPROC_ELF_H
#define QS1_RPROC_ELF_H

#include <linux/types.h>

struct firmware;
struct rproc;

int rproc_elf_sanity_check(struct rproc *rproc, const struct firmware *fw);
u64 rproc_elf_get_boot_addr(struct rproc *rproc, const struct firmware *fw);
int rproc_elf_load_segments(struct rproc *rproc, const struct firmware *fw);
int rproc_elf_load_rsc_table(struct rproc *rproc, const struct firmware *fw);

#endif /* QS1_RPROC_ELF_H */
