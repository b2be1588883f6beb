// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "watchdog.h"

#include "io.h"

#define TIMER_IRQSTATUS 0x28
#define TIMER_IRQENABLE_SET 0x2c
#define TIMER_TCLR 0x38
#define TIMER_TCRR 0x3c
#define TIMER_TLDR 0x40
#define TIMER_TTGR 0x44
#define TIMER_TWPS 0x48
#define TIMER_OVERFLOW 0x2u
#define TIMER_RUN 0x1u

#define RTI_CTRL 0x90
#define RTI_PRELOAD 0x94
#define RTI_STATUS 0x98
#define RTI_KEY 0x9c
#define RTI_REACTION 0xa4
#define RTI_WINDOW 0xa8
#define RTI_ENABLE 0xa98559dau
#define RTI_KEY_1 0xe51au
#define RTI_KEY_2 0xa35cu
#define RTI_REACTION_RESET 0x5u
#define RTI_WINDOW_ALL 0x5u /* a kick is valid at any time */
#define RTI_EXPIRED 0x2u
#define RTI_STATUS_ALL 0x3eu
#define RTI_PRELOAD_SHIFT 13 /* counts that the hardware appends */

/* Writes to the timer are posted; a write to a register waits for the last one. */
static void timer_write(uint32_t base, uint32_t offset, uint32_t value)
{
	/* Two clocks of the timer, 100 ns; bounded, for without its clock it never ends. */
	for (int polls = 64; polls && qs1_io_read32(base + TIMER_TWPS); polls--)
		;
	qs1_io_write32(base + offset, value);
}

static void timer_start(const struct qs1_watchdog *watchdog)
{
	uint32_t load = ~(watchdog->clock_hz / 1000 * QS1_WATCHDOG_MS) + 1;

	timer_write(watchdog->base, TIMER_TCLR, 0);
	timer_write(watchdog->base, TIMER_TLDR, load);
	timer_write(watchdog->base, TIMER_TCRR, load);
	qs1_io_write32(watchdog->base + TIMER_IRQSTATUS, TIMER_OVERFLOW);
	qs1_io_write32(watchdog->base + TIMER_IRQENABLE_SET, TIMER_OVERFLOW);
	timer_write(watchdog->base, TIMER_TCLR, TIMER_RUN);
}

/* It can not be stopped again, and the preload holds once it runs. */
static void rti_start(const struct qs1_watchdog *watchdog)
{
	uint32_t counts = watchdog->clock_hz / 1000 * QS1_WATCHDOG_MS;

	qs1_io_write32(watchdog->base + RTI_STATUS, RTI_STATUS_ALL);
	qs1_io_write32(watchdog->base + RTI_PRELOAD, counts >> RTI_PRELOAD_SHIFT);
	qs1_io_write32(watchdog->base + RTI_REACTION, RTI_REACTION_RESET);
	qs1_io_write32(watchdog->base + RTI_WINDOW, RTI_WINDOW_ALL);
	qs1_io_write32(watchdog->base + RTI_CTRL, RTI_ENABLE);
}

void qs1_watchdog_start(const struct qs1_watchdog *watchdog)
{
	if (watchdog->kind == QS1_WATCHDOG_TIMER)
		timer_start(watchdog);
	else
		rti_start(watchdog);
}

void qs1_watchdog_kick(const struct qs1_watchdog *watchdog)
{
	if (watchdog->kind == QS1_WATCHDOG_TIMER) {
		/* Any value that differs from the last: the counter is loaded. */
		qs1_io_write32(watchdog->base + TIMER_TTGR,
			       ~qs1_io_read32(watchdog->base + TIMER_TTGR));
		return;
	}
	qs1_io_write32(watchdog->base + RTI_KEY, RTI_KEY_1);
	qs1_io_write32(watchdog->base + RTI_KEY, RTI_KEY_2);
}

bool qs1_watchdog_expired(const struct qs1_watchdog *watchdog)
{
	if (watchdog->kind == QS1_WATCHDOG_TIMER)
		return qs1_io_read32(watchdog->base + TIMER_IRQSTATUS) & TIMER_OVERFLOW;
	return qs1_io_read32(watchdog->base + RTI_STATUS) & RTI_EXPIRED;
}
