// SPDX-License-Identifier: GPL-2.0-only
/*
 * The driver's trace points, those of its children included.
 */
#define CREATE_TRACE_POINTS
#include "trace.h"

EXPORT_TRACEPOINT_SYMBOL_GPL(qs1_frame);
EXPORT_TRACEPOINT_SYMBOL_GPL(qs1_clock);
