/* SPDX-License-Identifier: GPL-2.0-only */
/* Clocks in milliseconds. */
#ifndef QS1_CLOCK_H
#define QS1_CLOCK_H

#include <stdint.h>
#include <time.h>

/* A clock's time in ms: CLOCK_MONOTONIC since the system started, CLOCK_REALTIME since 1970. */
static inline int64_t clock_ms(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

#endif /* QS1_CLOCK_H */
