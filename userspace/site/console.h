/* SPDX-License-Identifier: GPL-2.0-only */
/* Lines that a person or a program writes to a simulator's standard input. */
#ifndef QS1_SITE_CONSOLE_H
#define QS1_SITE_CONSOLE_H

#include <stddef.h>

/**
 * struct console - bytes of a line that has not ended
 * @text: the caller's memory, @size bytes; a line with its line feed has to fit with a NUL
 */
struct console {
	char *text;
	size_t size;
	size_t used;
};

/**
 * console_read() - read what is there, and hand over each whole line
 * @line: gets a line without its line feed, which it may change
 *
 * Return: 1; 0 at the end of standard input or on an error; -EMSGSIZE for a line that does not
 * fit, which is dropped.
 */
int console_read(struct console *console, void (*line)(char *line));

#endif /* QS1_SITE_CONSOLE_H */
