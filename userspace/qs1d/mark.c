// SPDX-License-Identifier: GPL-2.0-only
#include "mark.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include <sodium.h>

#include "../lib/file.h"
#include "../lib/sysfs.h"

#define HEAD "qs1 unit "

int mark_read(const char *path, uint8_t *ret_id)
{
	uint8_t id[MARK_ID_SIZE];
	char text[128];
	size_t n = 0;
	int ret = sysfs_read_at(-1, path, text, sizeof(text));

	if (ret < 0) {
		return ret;
	}
	if (strncmp(text, HEAD, strlen(HEAD)) ||
	    sodium_hex2bin(id, sizeof(id), text + strlen(HEAD), strlen(text) - strlen(HEAD), NULL,
			   &n, NULL) < 0 ||
	    n != sizeof(id)) {
		return -EINVAL;
	}
	memcpy(ret_id, id, sizeof(id));
	return 0;
}

int mark_write(const char *path, const uint8_t *id)
{
	char text[sizeof(HEAD) + 2 * MARK_ID_SIZE + 1] = HEAD;

	sodium_bin2hex(text + strlen(HEAD), sizeof(text) - strlen(HEAD), id, MARK_ID_SIZE);
	strcat(text, "\n");
	return file_replace(path, text, strlen(text), 0600, true);
}
