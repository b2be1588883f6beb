/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One control period of the virtual board, from its registers and back. The
 * Cortex-M4 and the coprocessor that runs inside vboard share it.
 */
#ifndef QS1_HAL_BOARD_H
#define QS1_HAL_BOARD_H

#include <qs1/vhw.h>

#include "shm.h"

/* The largest ring: 8192 scans, 0.4 s for a Linux that is late. */
#define QS1_BOARD_WAVE_LOG2 QS1_WAVE_LOG2_MAX

/**
 * qs1_board_step() - samples in, one step of the core, outputs out
 * @vhw: registers
 * @port: the initialised port
 *
 * The caller owns the lock step: it calls this once for each step_req and
 * then writes step_ack.
 *
 * Return: action for the HAL instead of acknowledging the step, QS1_PORT_NONE for none.
 */
enum qs1_port_action qs1_board_step(struct qs1_vhw *vhw, struct qs1_port *port);

/**
 * qs1_board_idle() - between two steps: the mailbox
 * @port: the initialised port
 *
 * Return: action for the HAL, QS1_PORT_NONE for none.
 */
enum qs1_port_action qs1_board_idle(struct qs1_port *port);

#endif /* QS1_HAL_BOARD_H */
