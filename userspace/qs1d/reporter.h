/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The reporting thread: messages, events and metrics go out through it, so that
 * a journal that hangs delays no other thread. What it reports may be lost: when its
 * queue is full, messages are dropped, and their number is reported.
 */
#ifndef QS1D_REPORTER_H
#define QS1D_REPORTER_H

#include <stddef.h>

#include "events.h"

#define REPORTER_QUEUE 64
#define REPORTER_METRICS_SIZE 32768

/**
 * struct reporter_output - where reports go
 * @event: an event to the journal
 * @message: a message to the log
 * @metrics: a text to a file, which is replaced as a whole
 */
struct reporter_output {
	void (*event)(const struct event *event);
	void (*message)(int priority, const char *text);
	int (*metrics)(const char *path, const char *text, size_t n);
};

extern const struct reporter_output reporter_journal;

/**
 * reporter_start() - start the thread; messages of log_write() go through it from now on
 * @output: reporter_journal but for tests
 *
 * Return: 0 or a negative errno.
 */
int reporter_start(const struct reporter_output *output);

/* Report what is left, for two seconds at most, and end the thread. */
void reporter_stop(void);

/* Report an event. */
void reporter_event(const struct event *event);

/**
 * reporter_metrics() - write metrics
 * @n: below REPORTER_METRICS_SIZE; metrics that still wait are replaced
 */
void reporter_metrics(const char *path, const char *text, size_t n);

#endif /* QS1D_REPORTER_H */
