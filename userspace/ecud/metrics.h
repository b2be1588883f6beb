/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Metrics of the model, as OpenMetrics 1.0 or in Prometheus' text format 0.0.4. */
#ifndef ECUD_METRICS_H
#define ECUD_METRICS_H

#include <stdbool.h>

#include "view.h"

#define METRICS_OPEN "application/openmetrics-text; version=1.0.0; charset=utf-8"
#define METRICS_TEXT "text/plain; version=0.0.4; charset=utf-8"

/* Does a client's Accept header ask for OpenMetrics? NULL for none. */
bool metrics_wants_open(const char *accept);

/**
 * metrics_render() - all metrics
 * @open: OpenMetrics: counters are named without _total, and the end is marked
 *
 * Return: text of @ret_n bytes, freed by free(); NULL without memory.
 */
char *metrics_render(const struct snapshot *snapshot, bool open, size_t *ret_n);

#endif /* ECUD_METRICS_H */
