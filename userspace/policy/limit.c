// SPDX-License-Identifier: GPL-2.0-only
#include "limit.h"

#include <errno.h>
#include <string.h>

static void drop(struct limits *limits, size_t i)
{
	limits->limit[i] = limits->limit[--limits->count];
}

/* The owner's entry, or @count. */
static size_t find(const struct limits *limits, const char *owner)
{
	size_t i = 0;

	while (i < limits->count && strcmp(limits->limit[i].owner, owner)) {
		i++;
	}
	return i;
}

static bool is_none(const struct limit *limit)
{
	return limit->w == LIMITS_NONE && limit->then_w == LIMITS_NONE;
}

int limits_put(struct limits *limits, const struct limit *limit)
{
	size_t i = find(limits, limit->owner);

	if (i < limits->count) {
		drop(limits, i);
	}
	if (is_none(limit)) {
		return 0;
	}
	if (limits->count == LIMITS_MAX) {
		return -ENOSPC;
	}
	limits->limit[limits->count++] = *limit;
	return 0;
}

void limits_expire(struct limits *limits, int64_t now_ms)
{
	for (size_t i = 0; i < limits->count;) {
		struct limit *limit = &limits->limit[i];

		if (now_ms >= limit->until_ms) {
			limit->w = limit->then_w;
			limit->until_ms = LIMITS_FOREVER;
		}
		if (is_none(limit)) {
			drop(limits, i);
		} else {
			i++;
		}
	}
}

int32_t limits_lowest(const struct limits *limits)
{
	int32_t lowest = LIMITS_NONE;

	for (size_t i = 0; i < limits->count; i++) {
		if (limits->limit[i].w < lowest) {
			lowest = limits->limit[i].w;
		}
	}
	return lowest;
}
