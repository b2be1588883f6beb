/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small things that every program needs. */
#ifndef QS1_UTIL_H
#define QS1_UTIL_H

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

#define __cleanup(fn) __attribute__((cleanup(fn)))
#define __printf(fmt, args) __attribute__((format(printf, fmt, args)))

static inline void free_ptr(void *p)
{
	free(*(void **)p);
}

static inline void close_fd(int *fd)
{
	if (*fd >= 0) {
		close(*fd);
	}
}

static inline void close_file(FILE **file)
{
	if (*file) {
		fclose(*file);
	}
}

#endif /* QS1_UTIL_H */
