// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "web_files.h"

static int compare(const void *path, const void *element)
{
	const struct web_file *file = element;

	return strcmp(path, file->path);
}

const struct web_file *web_file_find(const struct web_files *files, const char *path)
{
	return bsearch(path, files->file, files->count, sizeof(*files->file), compare);
}
