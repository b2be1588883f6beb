/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Clocks as integers. */
#ifndef QS1_CLOCK_H
#define QS1_CLOCK_H

#include <stdint.h>
#include <time.h>

/* A clock's time in ns: CLOCK_MONOTONIC since the system started, CLOCK_REALTIME since 1970. */
static inline int64_t clock_ns(clockid_t clock)
{
	struct timespec now = { 0 };

	clock_gettime(clock, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static inline int64_t clock_us(clockid_t clock)
{
	return clock_ns(clock) / 1000;
}

static inline int64_t clock_ms(clockid_t clock)
{
	return clock_ns(clock) / 1000000;
}

#endif /* QS1_CLOCK_H */
