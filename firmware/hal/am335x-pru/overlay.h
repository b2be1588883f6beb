/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * PRU1's code, of which its instruction memory holds a third at a time.
 *
 * The data memories hold copies of it, in pieces; scripts/pru-overlays says
 * which piece has which place, which others it displaces there, and which pieces
 * each turn needs. Between two turns PRU0 resets PRU1, writes the pieces that the
 * next turns need, and starts PRU1 again: an instruction memory takes writes from
 * outside only while its PRU is in reset. PRU0 reads the last word back before PRU1
 * runs, and stops everything if it differs.
 *
 * A load never delays a period: PRU0 begins a burst only if the time left is at
 * least that of the longest burst so far.
 */
#ifndef QS1_HAL_AM335X_OVERLAY_H
#define QS1_HAL_AM335X_OVERLAY_H

#include <stdbool.h>
#include <stdint.h>

/**
 * qs1_overlay_there() - is the code of a turn loaded?
 * @turn: a slot, or enum qs1_turn
 */
bool qs1_overlay_there(uint32_t turn);

/**
 * qs1_overlay_ready() - can a turn begin: is its code loaded, and is there time for it?
 * @turn: a slot, or enum qs1_turn
 */
bool qs1_overlay_ready(uint32_t turn);

/**
 * qs1_overlay_for() - the same, after loading missing pieces as far as the time allows
 * @turn: as there
 */
bool qs1_overlay_for(uint32_t turn);

/**
 * qs1_overlay_ahead() - load the pieces that the next turns need
 * @then: cycles of the period that must be left afterwards
 */
void qs1_overlay_ahead(uint32_t then);

/* PRU1 out of its reset, if it is in one. */
void qs1_overlay_run(void);

/* In pru0.c: are so many cycles of the period left? */
bool qs1_time_for(uint32_t cycles);

/* In pru0.c: gates off, crash report, halt; here when PRU1's memory differs from the writes. */
__attribute__((noreturn)) void qs1_stop(void);

#endif /* QS1_HAL_AM335X_OVERLAY_H */
