// SPDX-License-Identifier: GPL-2.0-or-later
#include "labels.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/util.h"
#include "helper.h"
#include "wipe.h"

#define PROGRAM "qs1-scan"

/* One "SYMBOLOGY TEXT" a line. */
static int take_lines(char *lines, labels_fn take, void *ctx)
{
	char *rest = lines;
	char *line;
	int ret = 0;

	while (ret == 0 && (line = strsep(&rest, "\n"))) {
		char *text = strchr(line, ' ');

		if (text) {
			*text = '\0';
			ret = take(ctx, line, text + 1);
		}
	}
	return ret;
}

int labels_scan(const void *jpeg, size_t n, labels_fn take, void *ctx, char *err, size_t size)
{
	char *lines __cleanup(free_ptr) = NULL;
	size_t length = 0;
	int ret = helper_run(PROGRAM, jpeg, n, &lines, &length);

	if (ret == -EBADMSG) {
		snprintf(err, size, "photo: expected a JPEG picture of at most 16 MiB");
	} else if (ret == -EOPNOTSUPP) {
		snprintf(err, size, "photo: " PROGRAM " is not installed");
	} else if (ret < 0) {
		snprintf(err, size, "photo: " PROGRAM ": %s", strerror(-ret));
	}
	ret = ret < 0 ? ret : take_lines(lines, take, ctx);
	/* labels have install codes */
	if (lines) {
		explicit_bzero(lines, length);
	}
	return ret;
}
