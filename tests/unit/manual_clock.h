/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The clock of the services in place of service_clock.c: it shows what the program sets. */
#ifndef MANUAL_CLOCK_H
#define MANUAL_CLOCK_H

#include <stdatomic.h>

#include "service_clock.h"

static _Atomic int64_t manual_wall_us;
/* As for a site at this speed: how often threads look at what waits. */
static _Atomic double manual_rate = 1000;

int clock_setup(void)
{
	return 0;
}

uint64_t clock_monotonic_us(void)
{
	return (uint64_t)manual_wall_us;
}

int64_t clock_wall_ms(void)
{
	return manual_wall_us / 1000;
}

uint64_t clock_system_us(uint64_t due_us)
{
	return due_us;
}

double clock_rate(void)
{
	return manual_rate;
}

static inline void clock_set_ms(int64_t wall_ms)
{
	manual_wall_us = wall_ms * 1000;
}

#endif /* MANUAL_CLOCK_H */
