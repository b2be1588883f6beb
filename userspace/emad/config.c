// SPDX-License-Identifier: GPL-2.0-or-later
/* Configuration, see config.h. */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "config.h"
#include "retention.h"
#include "store.h"
#include "util.h"

static const struct text {
	const char *name;
	size_t offset;
	const char *usual;
} texts[] = {
#define X(name, usual, help) { #name, offsetof(struct config, name), usual },
	CONFIG_TEXTS(X)
#undef X
};

static const struct list {
	const char *name;
	size_t offset;
} lists[] = {
#define X(name, help) { #name, offsetof(struct config, name) },
	CONFIG_LISTS(X)
#undef X
};

static const struct number {
	const char *name;
	size_t offset;
	int64_t usual;
	int64_t min;
	int64_t max;
} numbers[] = {
#define X(name, usual, min, max, help) { #name, offsetof(struct config, name), usual, min, max },
	CONFIG_NUMBERS(X)
#undef X
};

static int take_text(char *text, const char *name, const char *value, char *err, size_t size)
{
	if (strlen(value) >= CONFIG_TEXT_SIZE) {
		snprintf(err, size, "%s: expected at most %d bytes, found %zu", name,
			 CONFIG_TEXT_SIZE - 1, strlen(value));
		return -EINVAL;
	}
	strcpy(text, value);
	return 0;
}

static int take_entry(struct config_list *list, const char *name, const char *value, char *err,
		      size_t size)
{
	if (list->n == CONFIG_LIST_MAX) {
		snprintf(err, size, "%s: expected at most %d lines", name, CONFIG_LIST_MAX);
		return -EINVAL;
	}
	return take_text(list->text[list->n++], name, value, err, size);
}

static int take_number(struct config *config, const struct number *number, const char *value,
		       char *err, size_t size)
{
	char *end;
	long long found;

	errno = 0;
	found = strtoll(value, &end, 10);
	if (errno || *end || found < number->min || found > number->max) {
		snprintf(err, size,
			 "%s: expected an integer from %" PRId64 " to %" PRId64 ", found '%s'",
			 number->name, number->min, number->max, value);
		return -EINVAL;
	}
	*(int64_t *)((char *)config + number->offset) = found;
	return 0;
}

static int take_line(void *ctx, int line, const char *name, const char *value, char *err,
		     size_t size)
{
	char *config = ctx;

	(void)line;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		if (strcmp(name, texts[i].name) == 0) {
			return take_text(config + texts[i].offset, name, value, err, size);
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		if (strcmp(name, lists[i].name) == 0) {
			return take_entry((struct config_list *)(config + lists[i].offset), name,
					  value, err, size);
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		if (strcmp(name, numbers[i].name) == 0) {
			return take_number(ctx, &numbers[i], value, err, size);
		}
	}
	snprintf(err, size, "unknown setting '%s'", name);
	return -EINVAL;
}

int config_load(const char *path, struct config *config, char *err, size_t size)
{
	int ret;

	*config = (struct config){ 0 };
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		strcpy((char *)config + texts[i].offset, texts[i].usual);
	}
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		*(int64_t *)((char *)config + numbers[i].offset) = numbers[i].usual;
	}
	ret = qs1_conf_read(path ? path : CONFIG_FILE, take_line, config, err, size);
	if (ret == 0 && config->keep_reports_days &&
	    config->keep_reports_days < RETENTION_REPORTS_MIN) {
		snprintf(err, size, "keep_reports_days: expected 0, or %d or more, found %" PRId64,
			 RETENTION_REPORTS_MIN, config->keep_reports_days);
		return -EINVAL;
	}
	if (ret == 0 && config->web_database.n && config->web_database.n != config->database.n) {
		snprintf(err, size,
			 "web_database: expected a line for each line of database, %d, found %d",
			 config->database.n, config->web_database.n);
		return -EINVAL;
	}
	return ret == -ENOENT && !path ? 0 : ret;
}

static_assert(CONFIG_LIST_MAX <= STORE_SHARDS_MAX, "a shard for each line");

void config_shards(const struct config_list *list, const char *file, struct store *store)
{
	store->shards = list->n ? list->n : 1;
	store->where[0] = file;
	for (int i = 0; i < list->n; i++) {
		store->where[i] = list->text[i];
	}
}
