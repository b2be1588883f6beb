/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Metrics for Prometheus, in its text format, as a file that is replaced as a
 * whole: node_exporter's textfile collector, or whatever else may have a
 * network, serves it. The daemon has none.
 */
#ifndef QS1D_METRICS_H
#define QS1D_METRICS_H

#include <stddef.h>

struct daemon;

/**
 * metrics_render() - all metrics as text
 * @ret_n: its length, untouched on failure
 *
 * Return: the text, which the caller frees, or NULL.
 */
char *metrics_render(const struct daemon *daemon, size_t *ret_n);

#endif /* QS1D_METRICS_H */
