// SPDX-License-Identifier: GPL-2.0-or-later
#include "log.h"

#include <stdarg.h>
#include <stdbool.h>

static const char *name = "qs1";
static int highest = LOG_INFO;
static bool journal;
static log_sink_fn sink;

void log_init(const char *program, int max_priority)
{
	name = program;
	highest = max_priority;
	journal = getenv("JOURNAL_STREAM") != NULL;
}

bool log_to_journal(void)
{
	return journal;
}

void log_set_sink(log_sink_fn fn)
{
	sink = fn;
}

void log_emit(int priority, const char *text)
{
	if (journal) {
		fprintf(stderr, "<%d>%s\n", priority, text);
	} else {
		fprintf(stderr, "%s: %s\n", name, text);
	}
}

void log_write(int priority, const char *format, ...)
{
	char text[1024];
	va_list args;

	if (priority > highest) {
		return;
	}
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	(sink ?: log_emit)(priority, text);
}
