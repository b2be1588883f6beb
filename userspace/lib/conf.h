/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text files of `name value` lines: profiles, the daemon's configuration and its
 * state. `#` starts a comment, blank lines are skipped.
 */
#ifndef QS1_CONF_H
#define QS1_CONF_H

#include <stddef.h>

/**
 * qs1_conf_line_fn - takes one line
 * @ctx: of qs1_conf_read()
 * @line: line number, from 1
 * @name: first word
 * @value: the rest, without blanks around it; not empty
 * @err: on failure the reason, without file and line
 *
 * Return: 0 or a negative errno, which ends the reading.
 */
typedef int (*qs1_conf_line_fn)(void *ctx, int line, const char *name, const char *value, char *err,
				size_t size);

/**
 * qs1_conf_read() - read a file line by line
 * @path: file name
 * @fn: called for each line that is neither blank nor a comment
 * @ctx: handed to @fn
 * @err: on failure "file:line: reason", or "file: reason"
 *
 * Return: 0; -EINVAL for a name without value or a line with a NUL byte; the errno
 * of open or read; the return of @fn.
 */
int qs1_conf_read(const char *path, qs1_conf_line_fn fn, void *ctx, char *err, size_t size);

/**
 * qs1_conf_parse() - the same for text in memory
 * @text: @length bytes
 * @where: name of the text in messages
 */
int qs1_conf_parse(const char *text, size_t length, const char *where, qs1_conf_line_fn fn,
		   void *ctx, char *err, size_t size);

#endif /* QS1_CONF_H */
