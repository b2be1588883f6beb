// SPDX-License-Identifier: GPL-2.0-or-later
/* The page without scripts from files: plain_page ACCEPT_LANGUAGE STATUS.json INVERTERS.json */
#include <stdio.h>
#include <stdlib.h>

#include "plain.h"

int main(int argc, char **argv)
{
	char *html;
	size_t size;

	if (argc != 4 || plain_status(argv[1], json_object_from_file(argv[2]),
				      json_object_from_file(argv[3]), &html, &size)) {
		return 1;
	}
	fwrite(html, 1, size, stdout);
	free(html);
	return 0;
}
