/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The Cortex-M4 in its emulator: reset, doorbell, lock step, and the faults
 * that hardware may have. It does not depend on the firmware that runs there.
 */
#ifndef QS1_VBOARD_M4_H
#define QS1_VBOARD_M4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <qs1/vhw.h>

#include "qmp.h"

/**
 * struct m4 - the processor
 * @vhw: registers
 * @qmp: its emulator's control
 * @qmp_path: where that listens
 * @uart_fd: the doorbell's wire, -1 until connected
 * @pid: the emulator, 0 if not known
 * @cpu_clock: its processor time
 * @spin_ns: how long to poll for the answer before sleeping
 * @stopped: its clock is stopped
 */
struct m4 {
	struct qs1_vhw *vhw;
	struct qmp qmp;
	const char *qmp_path;
	int uart_fd;
	int pid;
	clockid_t cpu_clock;
	int64_t spin_ns;
	bool stopped;
};

/**
 * m4_connect() - find the emulator
 *
 * Return: 0; -EAGAIN if no process listens there so far; another negative errno with
 * the reason in @err.
 */
int m4_connect(struct m4 *m4, struct qs1_vhw *vhw, const char *qmp_path, const char *uart_path,
	       char *err, size_t size);
void m4_close(struct m4 *m4);

/* Back into the boot ROM, with its clock running. */
int m4_reset(struct m4 *m4, char *err, size_t size);

/* The doorbell: ends its sleep. */
void m4_wake(struct m4 *m4);

/**
 * m4_wait() - until it has done the step that step_req asks for
 * @interrupted: called now and then in a long wait; true ends it
 * @ctx: handed to @interrupted
 *
 * Return: 0; -EINTR; -ETIMEDOUT when it has used 200 ms of processor time, or
 * slept as long, without an answer: a loaded machine is not a hung processor.
 */
int m4_wait(struct m4 *m4, bool (*interrupted)(void *ctx), void *ctx);

/* Real-time priority, if we may; or back to an ordinary one. */
void m4_favour(struct m4 *m4, bool favoured);

/* Its clock stops, until m4_resume() or m4_reset(). */
int m4_hang(struct m4 *m4, char *err, size_t size);
int m4_resume(struct m4 *m4, char *err, size_t size);

/* Set the program counter to an invalid address: the next fetch faults. */
int m4_crash(struct m4 *m4, char *err, size_t size);

#endif /* QS1_VBOARD_M4_H */
