// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "trace.h"

#include <stddef.h>

#include <qs1/abi.h>

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

char qs1_trace_buffer[QS1_TRACE_SIZE];
static uint32_t used;

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

void qs1_trace(const char *text)
{
	/* The last byte stays NUL. */
	while (*text && used < sizeof(qs1_trace_buffer) - 1)
		qs1_trace_buffer[used++] = *text++;
}

void qs1_trace_hex(uint32_t value)
{
	char text[11] = "0x";

	for (int i = 0; i < 8; i++)
		text[2 + i] = "0123456789abcdef"[(value >> (28 - 4 * i)) & 15];
	qs1_trace(text);
}

void qs1_trace_dec(uint32_t value)
{
	char text[11];
	int i = sizeof(text) - 1;

	text[i] = 0;
	do {
		text[--i] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	qs1_trace(&text[i]);
}
