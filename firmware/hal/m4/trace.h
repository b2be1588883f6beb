/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The firmware's log: text in memory that remoteproc shows in debugfs as
 * trace0. Written from the start until it is full, never in the control path.
 */
#ifndef QS1_HAL_TRACE_H
#define QS1_HAL_TRACE_H

#include <stdint.h>

#define QS1_TRACE_SIZE 4096u

extern char qs1_trace_buffer[QS1_TRACE_SIZE];

/* Asks remoteproc to show it, as Documentation/staging/remoteproc.rst of Linux describes. */
struct qs1_rsc_trace {
	uint32_t type;
	uint32_t da;
	uint32_t len;
	uint32_t reserved;
	char name[32];
};

#define QS1_RSC_TRACE                                                                              \
	{                                                                                          \
		.type = 2, .da = (uint32_t)qs1_trace_buffer, .len = sizeof(qs1_trace_buffer),      \
		.name = "qs1-firmware",                                                            \
	}

void qs1_trace(const char *text);
void qs1_trace_hex(uint32_t value);
void qs1_trace_dec(uint32_t value);

#endif /* QS1_HAL_TRACE_H */
