// SPDX-License-Identifier: GPL-2.0-only
#include "journal.h"

#include <inttypes.h>
#include <string.h>
#include <sys/uio.h>

#include <systemd/sd-journal.h>

#include "../lib/log.h"

#define FIELDS_MAX 10
#define FIELD_SIZE 256

/* Priority of each kind of event; others are notices. */
static const struct {
	const char *kind;
	int priority;
} kinds[] = {
	{ "trip", LOG_WARNING },
	{ "transition", LOG_INFO },
	{ "failure", LOG_ERR },
	{ "reminder", LOG_WARNING },
};

static int priority_of(const struct event *event)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!strcmp(event->kind, kinds[i].kind)) {
			return kinds[i].priority;
		}
	}
	return LOG_NOTICE;
}

static void describe(const struct event *event, char *text, size_t size)
{
	if (event->text[0]) {
		snprintf(text, size, "%s", event->text);
	} else if (!strcmp(event->kind, "trip")) {
		snprintf(text, size, "trip %s, value %" PRId32, event->cause, event->value);
	} else if (!strcmp(event->kind, "transition")) {
		snprintf(text, size, "%s -> %s (%s)", event->from, event->to, event->cause);
	} else {
		snprintf(text, size, "%s %s", event->kind, event->cause);
	}
}

/**
 * struct fields - the fields of a journal entry
 * @count: how many
 * @text: "NAME=value"
 */
struct fields {
	int count;
	char text[FIELDS_MAX][FIELD_SIZE];
};

static void add(struct fields *fields, const char *name, const char *value)
{
	if (value[0] && fields->count < FIELDS_MAX) {
		snprintf(fields->text[fields->count++], FIELD_SIZE, "%s=%s", name, value);
	}
}

static void add_number(struct fields *fields, const char *name, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, value);
	add(fields, name, text);
}

static void send(const struct event *event, int priority, const char *text)
{
	struct fields fields = { 0 };
	struct iovec iov[FIELDS_MAX];

	add(&fields, "MESSAGE", text);
	add_number(&fields, "PRIORITY", priority);
	add(&fields, "QS1_EVENT", event->kind);
	add(&fields, "QS1_SOURCE", event->source);
	add_number(&fields, "QS1_NUMBER", event->number);
	add(&fields, "QS1_CAUSE", event->cause);
	add(&fields, "QS1_FROM", event->from);
	add(&fields, "QS1_TO", event->to);
	if (!strcmp(event->kind, "trip")) {
		add_number(&fields, "QS1_VALUE", event->value);
	}
	for (int i = 0; i < fields.count; i++) {
		iov[i] = (struct iovec){
			.iov_base = fields.text[i],
			.iov_len = strlen(fields.text[i]),
		};
	}
	sd_journal_sendv(iov, fields.count);
}

void journal_event(const struct event *event)
{
	int priority = priority_of(event);
	char text[sizeof(event->text) + 32];

	describe(event, text, sizeof(text));
	if (log_to_journal()) {
		send(event, priority, text);
	} else {
		log_write(priority, "%s", text);
	}
}
