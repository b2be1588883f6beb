// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What the firmware asks of omap_remoteproc: memory for the vectors at address
 * 0, where the IPU starts; the peripherals' and the contract's addresses in its
 * MMU; and to show its log. As Documentation/staging/remoteproc.rst of Linux
 * describes it; the MMU maps by pieces of 4 KB, 64 KB, 1 MB and 16 MB.
 */
#include <stddef.h>
#include <stdint.h>

#include "regs.h"
#include "trace.h"

#define RSC_CARVEOUT 0
#define RSC_DEVMEM 1

/* Vectors alone: the rest is in the IPU's own memory. */
#define BOOT_SIZE 0x1000

struct rsc_memory {
	uint32_t type;
	uint32_t da;
	uint32_t pa;
	uint32_t len;
	uint32_t flags;
	uint32_t reserved;
	char name[32];
};

#define MAPPINGS(X)                                                                                \
	X("l4-per1", 0x48000000u, 0x00200000u)                                                     \
	X("l4-per2", 0x48400000u, 0x00400000u)                                                     \
	X("l4-per3", 0x48800000u, 0x00800000u)                                                     \
	X("l4-cfg", 0x4a000000u, 0x00100000u)

enum {
#define X(name, pa, len) COUNT_##pa,
	MAPPINGS(X)
#undef X
		L4_COUNT
};

struct resource_table {
	uint32_t version;
	uint32_t entries;
	uint32_t reserved[2];
	uint32_t offset[L4_COUNT + 3];
	struct rsc_memory boot;
	struct rsc_memory l4[L4_COUNT];
	struct rsc_memory contract;
	struct qs1_rsc_trace trace;
};

__attribute__((section(".resource_table"), used)) static const struct resource_table resources = {
	.version = 1,
	.entries = L4_COUNT + 3,
	.offset = {
		offsetof(struct resource_table, boot),
		offsetof(struct resource_table, l4[0]),
		offsetof(struct resource_table, l4[1]),
		offsetof(struct resource_table, l4[2]),
		offsetof(struct resource_table, l4[3]),
		offsetof(struct resource_table, contract),
		offsetof(struct resource_table, trace),
	},
	.boot = {
		.type = RSC_CARVEOUT,
		.len = BOOT_SIZE,
		.name = "qs1-vectors",
	},
	.l4 = {
#define X(text, physical, length)                                                                  \
	{                                                                                          \
		.type = RSC_DEVMEM,                                                                \
		.da = AM57XX_L4 + (physical),                                                      \
		.pa = (physical),                                                                  \
		.len = (length),                                                                   \
		.name = text,                                                                      \
	},
		MAPPINGS(X)
#undef X
	},
	.contract = {
		.type = RSC_DEVMEM,
		.da = AM57XX_SHM,
		.pa = AM57XX_SHM_PA,
		.len = AM57XX_SHM_SIZE,
		.name = "qs1-contract",
	},
	.trace = QS1_RSC_TRACE,
};

/* Where the IPU starts, before the vectors of start.c are in force. */
extern uint32_t qs1_stack_top[];
void qs1_reset(void);

__attribute__((section(".boot"), used)) static const void *const boot_vectors[] = {
	qs1_stack_top,
	(const void *)qs1_reset,
};
