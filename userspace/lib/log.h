/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages on stderr. Under systemd each line starts with its priority for the
 * journal, otherwise with the program's name.
 */
#ifndef QS1_LOG_H
#define QS1_LOG_H

#include <stdbool.h>
#include <syslog.h>

#include "util.h"

/* Set the program's name; messages above @max_priority are dropped. */
void log_init(const char *program, int max_priority);

void log_write(int priority, const char *format, ...) __printf(2, 3);

/* Where messages go instead of stderr, with their final text; NULL for stderr. */
typedef void (*log_sink_fn)(int priority, const char *text);
void log_set_sink(log_sink_fn sink);

/* Write a message to stderr, past the sink. */
void log_emit(int priority, const char *text);

/* Do messages go to the journal, which takes fields besides the text? */
bool log_to_journal(void);

#define log_err(...) log_write(LOG_ERR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_WARNING, __VA_ARGS__)
#define log_notice(...) log_write(LOG_NOTICE, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)

#endif /* QS1_LOG_H */
