/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The watchdog on the chip: it interrupts Linux or resets the processor when the
 * control loop stops. The gates do not wait for it: the gate logic turns them off
 * 200 us after the last edge of the alive line.
 */
#ifndef QS1_HAL_WATCHDOG_H
#define QS1_HAL_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

/*
 * QS1_WATCHDOG_TIMER: a general-purpose timer whose overflow interrupts Linux,
 * where omap_remoteproc takes it for a crash (AM57xx; SPRUHZ6 22.2.5, offsets as
 * in Linux's include/clocksource/timer-ti-dm.h).
 * QS1_WATCHDOG_RTI: the windowed watchdog of the microcontroller domain (AM62x;
 * SPRUIV7 12.5.5, offsets and keys as in Linux's drivers/watchdog/rti_wdt.c).
 */
enum qs1_watchdog_kind {
	QS1_WATCHDOG_TIMER,
	QS1_WATCHDOG_RTI,
};

/**
 * struct qs1_watchdog - a watchdog
 * @kind: which
 * @base: its registers
 * @clock_hz: clock of its counter
 */
struct qs1_watchdog {
	enum qs1_watchdog_kind kind;
	uint32_t base;
	uint32_t clock_hz;
};

#define QS1_WATCHDOG_MS 50

/* Starts it: from now on it must be kicked within QS1_WATCHDOG_MS. */
void qs1_watchdog_start(const struct qs1_watchdog *watchdog);

void qs1_watchdog_kick(const struct qs1_watchdog *watchdog);

/* Has it expired since the power came? To be asked before it is started. */
bool qs1_watchdog_expired(const struct qs1_watchdog *watchdog);

#endif /* QS1_HAL_WATCHDOG_H */
