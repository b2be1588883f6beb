// SPDX-License-Identifier: GPL-2.0-only
#include "console.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

int console_read(struct console *console, void (*line)(char *line))
{
	char *text = console->text;
	ssize_t n = read(STDIN_FILENO, text + console->used, console->size - 1 - console->used);
	char *end;

	if (n <= 0) {
		return n < 0 && errno == EINTR;
	}
	console->used += (size_t)n;
	text[console->used] = '\0';
	while ((end = memchr(text, '\n', console->used))) {
		*end++ = '\0';
		line(text);
		console->used -= (size_t)(end - text);
		memmove(text, end, console->used + 1);
	}
	if (console->used == console->size - 1) {
		console->used = 0;
		return -EMSGSIZE;
	}
	return 1;
}
