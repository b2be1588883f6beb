/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The coprocessor without an emulator: the same core behind the same
 * registers, compiled for the host and called by the board.
 */
#ifndef QS1_HAL_NATIVE_H
#define QS1_HAL_NATIVE_H

#include <stdbool.h>

#include <qs1/vhw.h>

struct qs1_native;

/**
 * qs1_native_new() - a coprocessor in reset
 * @vhw: the board's memory, QS1_VHW_SIZE bytes
 *
 * Return: the coprocessor, or NULL when out of memory.
 */
struct qs1_native *qs1_native_new(struct qs1_vhw *vhw);
void qs1_native_free(struct qs1_native *native);

/* Leaves reset: a fresh core offers the contract, as the firmware does at start. */
void qs1_native_start(struct qs1_native *native);

/**
 * qs1_native_step() - the firmware's reaction to step_req
 *
 * Return: true if it acknowledged the step; false from a crash or hang on.
 */
bool qs1_native_step(struct qs1_native *native);

/* The firmware's reaction to the doorbell between two steps. */
void qs1_native_idle(struct qs1_native *native);

/* The processor takes an exception, as after a bus error. */
void qs1_native_crash(struct qs1_native *native);

#endif /* QS1_HAL_NATIVE_H */
