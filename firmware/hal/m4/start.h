/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Common part of all Cortex-M4 images: vectors, start, self check, and the handling
 * of processor exceptions. A machine implements the functions declared first, and
 * calls those after them.
 */
#ifndef QS1_HAL_START_H
#define QS1_HAL_START_H

#include <stdbool.h>
#include <stdint.h>

#include "shm.h"

extern struct qs1_shm *const qs1_machine_shm;

/*
 * Is this a core that the firmware has no work for? It sleeps then. Called
 * without a stack: it must be a leaf.
 */
bool qs1_machine_spare(void);

/**
 * qs1_machine_init() - clocks, address translation, doorbells
 *
 * Return: false when one of them did not take effect.
 */
bool qs1_machine_init(void);

/**
 * qs1_machine_run() - run control periods; does not return
 * @port: the initialised port
 */
void qs1_machine_run(struct qs1_port *port) __attribute__((noreturn));

/* Gates and relay off, whatever the state. */
void qs1_machine_off(void);

/* Ring the doorbell, for a crash that has just been reported. */
void qs1_machine_ring(void);

/* Gates and relay off, report the reason, and never return: the watchdog acts next. */
void qs1_stop(uint32_t reason, uint32_t pc) __attribute__((noreturn));

/* Carry out an action that the mailbox requests from the HAL. */
void qs1_obey(enum qs1_port_action action);

/* To be called in each control period: does the stack still end where it should? */
void qs1_check_stack(void);

#endif /* QS1_HAL_START_H */
