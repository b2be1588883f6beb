/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The clock of the services. It is the system's, unless the environment variable QS1_CLOCK says
 * otherwise: all daemons of one simulated site share a clock that has a rate and an offset.
 *
 *	QS1_CLOCK="RATE BOOT_US WALL_US"
 *
 * RATE is the number of simulated seconds in a second, 0.01 to 10000. At the instant BOOT_US of
 * CLOCK_MONOTONIC the simulated wall clock shows WALL_US, both in us. Timeouts of libraries keep
 * the system's clock.
 */
#ifndef QS1_SERVICE_CLOCK_H
#define QS1_SERVICE_CLOCK_H

#include <stdint.h>

/**
 * clock_setup() - read QS1_CLOCK once, before any other thread starts
 *
 * Return: 0, or -EINVAL with a message on standard error that names what was expected.
 */
int clock_setup(void);

/* Monotonic time, us; never steps back. */
uint64_t clock_monotonic_us(void);

/* Wall-clock time since 1970, ms. The system's may step. */
int64_t clock_wall_ms(void);

/**
 * clock_system_us() - the instant of CLOCK_MONOTONIC for a timer of sd-event
 * @due_us: time of clock_monotonic_us()
 *
 * Return: us; UINT64_MAX for UINT64_MAX, which is never.
 */
uint64_t clock_system_us(uint64_t due_us);

/* Simulated seconds in a second, 1 without QS1_CLOCK. */
double clock_rate(void);

#endif /* QS1_SERVICE_CLOCK_H */
