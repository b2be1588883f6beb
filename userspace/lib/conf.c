// SPDX-License-Identifier: GPL-2.0-or-later
#include "conf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "util.h"

#define BLANKS " \t\r\n"
#define LINE_SIZE 512

/* Cut the comment and the blanks around, return the first word's start. */
static char *strip(char *line)
{
	char *end;

	line[strcspn(line, "#")] = '\0';
	line += strspn(line, BLANKS);
	end = line + strlen(line);
	while (end > line && strchr(BLANKS, end[-1])) {
		end--;
	}
	*end = '\0';
	return line;
}

static int take_line(char *text, int line, qs1_conf_line_fn fn, void *ctx, char *err, size_t size)
{
	char *name = strip(text);
	char *value;

	if (!*name) {
		return 0;
	}
	value = name + strcspn(name, BLANKS);
	if (!*value) {
		snprintf(err, size, "%s: expected a value after the name", name);
		return -EINVAL;
	}
	*value++ = '\0';
	value += strspn(value, BLANKS);
	return fn(ctx, line, name, value, err, size);
}

/* Read one line into @buf. Return 1 for a line, 0 at the end, or -EINVAL. */
static int get_line(FILE *file, char buf[LINE_SIZE], char *err, size_t size)
{
	size_t n = 0;
	int c;

	while ((c = getc(file)) != EOF && c != '\n') {
		if (n == LINE_SIZE - 1) {
			snprintf(err, size, "expected at most %d characters in a line",
				 LINE_SIZE - 1);
			return -EINVAL;
		}
		if ((c < ' ' && c != '\t' && c != '\r') || c == 0x7f) {
			snprintf(err, size, "expected text, found the byte 0x%02x", c);
			return -EINVAL;
		}
		buf[n++] = c;
	}
	buf[n] = '\0';
	return c != EOF || n > 0;
}

static int read_lines(FILE *file, const char *where, qs1_conf_line_fn fn, void *ctx, char *err,
		      size_t size)
{
	char text[LINE_SIZE];
	char reason[LINE_SIZE + 256] = "";
	int ret;

	for (int line = 1;; line++) {
		ret = get_line(file, text, reason, sizeof(reason));
		if (ret == 0) {
			break;
		}
		if (ret > 0) {
			ret = take_line(text, line, fn, ctx, reason, sizeof(reason));
		}
		if (ret < 0) {
			snprintf(err, size, "%s:%d: %s", where, line, reason);
			return ret;
		}
	}
	if (ferror(file)) {
		snprintf(err, size, "%s: %s", where, strerror(EIO));
		return -EIO;
	}
	return 0;
}

int qs1_conf_read(const char *path, qs1_conf_line_fn fn, void *ctx, char *err, size_t size)
{
	FILE *file __cleanup(close_file) = fopen(path, "re");
	struct stat st;
	int ret;

	if (!file) {
		ret = -errno;
		snprintf(err, size, "%s: %s", path, strerror(-ret));
		return ret;
	}
	if (fstat(fileno(file), &st) < 0 || !S_ISREG(st.st_mode)) {
		snprintf(err, size, "%s: expected a regular file", path);
		return -EINVAL;
	}
	return read_lines(file, path, fn, ctx, err, size);
}

int qs1_conf_parse(const char *text, size_t length, const char *where, qs1_conf_line_fn fn,
		   void *ctx, char *err, size_t size)
{
	/* The text is only read. fmemopen() does not accept an empty buffer. */
	FILE *file __cleanup(close_file) = length ? fmemopen((char *)text, length, "r") : NULL;

	if (!file) {
		snprintf(err, size, "%s: expected lines of text", where);
		return -EINVAL;
	}
	return read_lines(file, where, fn, ctx, err, size);
}
