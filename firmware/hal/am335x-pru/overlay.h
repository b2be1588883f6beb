/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * PRU1's code, of which its instruction memory holds a third at a time.
 *
 * Copies of it lie in the data memories in pieces; scripts/pru-overlays says
 * which piece has which place, which others it displaces there, and which pieces
 * each turn needs. Between two turns PRU0 resets PRU1, writes the pieces that the
 * turns to come need, and starts PRU1 again: an instruction memory takes writes
 * from outside only while its PRU is in reset. It is read back: the last word of
 * each piece has to be there before PRU1 runs.
 */
#ifndef QS1_HAL_AM335X_OVERLAY_H
#define QS1_HAL_AM335X_OVERLAY_H

#include <stdbool.h>
#include <stdint.h>

/**
 * qs1_overlay_for() - load what a turn needs and is not there
 * @turn: a slot, or enum qs1_turn
 *
 * Return: false when the memory does not hold what was written.
 */
bool qs1_overlay_for(uint32_t turn);

/**
 * qs1_overlay_ahead() - load what the slots to come need, as far as the time allows
 * @slot: the last one
 * @counts: the time there is, counts of the timers
 *
 * Return: false when the memory does not hold what was written.
 */
bool qs1_overlay_ahead(uint32_t slot, uint32_t counts);

#endif /* QS1_HAL_AM335X_OVERLAY_H */
