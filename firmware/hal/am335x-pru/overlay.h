/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * PRU1's code, of which its instruction memory holds a third at a time.
 *
 * The data memories hold copies of it, in pieces; scripts/pru-overlays says
 * which piece has which place, which others it displaces there, and which pieces
 * each turn needs. Between two turns PRU0 resets PRU1, writes the pieces that the
 * turns to come need, and starts PRU1 again: an instruction memory takes writes
 * from outside only while its PRU is in reset. It is read back: the last word that
 * was written has to be there before PRU1 runs, or all stops.
 *
 * A load never costs a period its time: before each burst there has to be as much
 * as the longest one has taken so far.
 */
#ifndef QS1_HAL_AM335X_OVERLAY_H
#define QS1_HAL_AM335X_OVERLAY_H

#include <stdbool.h>
#include <stdint.h>

/**
 * qs1_overlay_there() - is the code of a turn there?
 * @turn: a slot, or enum qs1_turn
 */
bool qs1_overlay_there(uint32_t turn);

/**
 * qs1_overlay_ready() - can a turn begin: is its code there, and the time it takes?
 * @turn: a slot, or enum qs1_turn
 */
bool qs1_overlay_ready(uint32_t turn);

/**
 * qs1_overlay_for() - the same, after loading what is not there as far as the time allows
 * @turn: as there
 */
bool qs1_overlay_for(uint32_t turn);

/**
 * qs1_overlay_ahead() - load what the turns to come need
 * @then: cycles that have to be left of the period
 */
void qs1_overlay_ahead(uint32_t then);

/* PRU1 out of its reset, if it is in one. */
void qs1_overlay_run(void);

/* Of pru0.c: are there so many cycles left of the period? */
bool qs1_time_for(uint32_t cycles);

/* Of pru0.c: PRU1's memory does not hold what was written. */
__attribute__((noreturn)) void qs1_stop(void);

#endif /* QS1_HAL_AM335X_OVERLAY_H */
