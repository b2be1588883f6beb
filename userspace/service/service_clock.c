// SPDX-License-Identifier: GPL-2.0-or-later
/* The clock of the services, see service_clock.h. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "service_clock.h"

#define RATE_MIN 0.01
#define RATE_MAX 10000

static struct {
	bool simulated;
	double rate;
	uint64_t boot_us;
	int64_t wall_us;
} site = { .rate = 1 };

static uint64_t system_us(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

int clock_setup(void)
{
	const char *text = getenv("QS1_CLOCK");
	unsigned long long boot_us;
	long long wall_us;
	double rate;
	char end;

	if (!text) {
		return 0;
	}
	if (sscanf(text, "%lf %llu %lld%c", &rate, &boot_us, &wall_us, &end) != 3 ||
	    !(rate >= RATE_MIN && rate <= RATE_MAX)) {
		fprintf(stderr,
			"QS1_CLOCK: expected a rate of %g to %g, and two times in us, found '%s'\n",
			RATE_MIN, (double)RATE_MAX, text);
		return -EINVAL;
	}
	site.simulated = true;
	site.rate = rate;
	site.boot_us = boot_us;
	site.wall_us = wall_us;
	return 0;
}

/* Scaled from the site's start, so that a time has its full resolution. */
static int64_t site_elapsed_us(void)
{
	return (int64_t)((double)((int64_t)system_us(CLOCK_MONOTONIC) - (int64_t)site.boot_us) *
			 site.rate);
}

uint64_t clock_monotonic_us(void)
{
	return site.simulated ? site.boot_us + (uint64_t)site_elapsed_us()
			      : system_us(CLOCK_MONOTONIC);
}

int64_t clock_wall_ms(void)
{
	return (site.simulated ? site.wall_us + site_elapsed_us()
			       : (int64_t)system_us(CLOCK_REALTIME)) /
	       1000;
}

uint64_t clock_system_us(uint64_t due_us)
{
	if (!site.simulated || due_us == UINT64_MAX) {
		return due_us;
	}
	if (due_us <= site.boot_us) {
		return site.boot_us;
	}
	return site.boot_us + (uint64_t)((double)(due_us - site.boot_us) / site.rate) + 1;
}

double clock_rate(void)
{
	return site.rate;
}
