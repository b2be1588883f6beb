// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What the firmware asks of remoteproc: to show its log. */
#include <stddef.h>
#include <stdint.h>

#include "trace.h"

/* As Documentation/staging/remoteproc.rst of Linux describes it. */
#define RSC_TRACE 2

struct resource_table {
	uint32_t version;
	uint32_t entries;
	uint32_t reserved[2];
	uint32_t offset[1];
	struct {
		uint32_t type;
		uint32_t da;
		uint32_t len;
		uint32_t reserved;
		char name[32];
	} trace;
};

__attribute__((section(".resource_table"), used)) static const struct resource_table resources = {
	.version = 1,
	.entries = 1,
	.offset = { offsetof(struct resource_table, trace) },
	.trace = {
		.type = RSC_TRACE,
		.da = (uint32_t)qs1_trace_buffer,
		.len = sizeof(qs1_trace_buffer),
		.name = "qs1-firmware",
	},
};
