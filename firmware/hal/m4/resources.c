// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What the firmware asks of remoteproc: to show its log. */
#include <stddef.h>
#include <stdint.h>

#include "trace.h"

struct resource_table {
	uint32_t version;
	uint32_t entries;
	uint32_t reserved[2];
	uint32_t offset[1];
	struct qs1_rsc_trace trace;
};

__attribute__((section(".resource_table"), used)) static const struct resource_table resources = {
	.version = 1,
	.entries = 1,
	.offset = { offsetof(struct resource_table, trace) },
	.trace = QS1_RSC_TRACE,
};
