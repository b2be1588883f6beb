// SPDX-License-Identifier: GPL-2.0-only
#include "leases.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "../lib/file.h"
#include "../lib/sysfs.h"
#include "../lib/util.h"

#define BOOT_DIGITS (2 * RING_BOOT_ID_SIZE)
/* A line: owner, W, end of the lease in ms, W after it. */
#define LINE_FORMAT "%s %" PRId32 " %" PRId64 " %" PRId32 "\n"
#define FILE_SIZE 2048

_Static_assert(FILE_SIZE > BOOT_DIGITS + 2 + LIMITS_MAX * (LIMITS_OWNER_SIZE + 11 + 20 + 11 + 4),
	       "all limits fit");
_Static_assert(LIMITS_OWNER_SIZE == 32, "as parse_line() reads it");

int leases_save(const char *path, const uint8_t *boot_id, const struct limits *limits)
{
	char text[FILE_SIZE];
	size_t used = BOOT_DIGITS;

	sodium_bin2hex(text, sizeof(text), boot_id, RING_BOOT_ID_SIZE);
	text[used++] = '\n';
	for (size_t i = 0; i < limits->count; i++) {
		const struct limit *limit = &limits->limit[i];

		used += snprintf(text + used, sizeof(text) - used, LINE_FORMAT, limit->owner,
				 limit->w, limit->until_ms, limit->then_w);
	}
	return file_replace(path, text, used, 0600, false);
}

/* Take the line at @text. Return: the rest of the text, or NULL. */
static const char *parse_line(const char *text, struct limits *limits)
{
	struct limit limit;
	int used = 0;

	if (sscanf(text, "%31s %" SCNd32 " %" SCNd64 " %" SCNd32 "%n", limit.owner, &limit.w,
		   &limit.until_ms, &limit.then_w, &used) != 4 ||
	    limit.w < 0 || limit.then_w < 0 || limits_put(limits, &limit) < 0) {
		return NULL;
	}
	text += used;
	return *text == '\n' ? text + 1 : *text ? NULL : text;
}

int leases_load(const char *path, const uint8_t *boot_id, struct limits *ret_limits)
{
	struct limits limits = { .count = 0 };
	char text[FILE_SIZE], boot[BOOT_DIGITS + 1];
	const char *next;
	int ret = sysfs_read_at(-1, path, text, sizeof(text));

	if (ret < 0) {
		return ret;
	}
	sodium_bin2hex(boot, sizeof(boot), boot_id, RING_BOOT_ID_SIZE);
	if (strncmp(text, boot, BOOT_DIGITS)) {
		return -ESTALE;
	}
	next = text + BOOT_DIGITS;
	next += *next == '\n';
	while (*next) {
		next = parse_line(next, &limits);
		if (!next) {
			return -EINVAL;
		}
	}
	*ret_limits = limits;
	return 0;
}
