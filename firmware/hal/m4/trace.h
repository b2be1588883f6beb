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

void qs1_trace(const char *text);
void qs1_trace_hex(uint32_t value);
void qs1_trace_dec(uint32_t value);

#endif /* QS1_HAL_TRACE_H */
