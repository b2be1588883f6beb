/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Metrics for Prometheus, in its text format, as a file that is replaced as a
 * whole: node_exporter's textfile collector, or whatever else may have a
 * network, serves it. The daemon has none.
 */
#ifndef QS1D_METRICS_H
#define QS1D_METRICS_H

struct daemon;

/**
 * metrics_write() - replace the file
 *
 * Return: 0 or a negative errno; then the old file stands.
 */
int metrics_write(const struct daemon *daemon, const char *path);

#endif /* QS1D_METRICS_H */
