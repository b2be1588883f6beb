/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The coprocessor as the board sees it: reset and run by the control
 * registers, one step of it in each control period, a hardware watchdog that
 * switches the gates off when it does not answer.
 */
#ifndef QS1_VBOARD_COPROC_H
#define QS1_VBOARD_COPROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core.h"
#include "m4.h"
#include "memory.h"
#include "native.h"

/*
 * Periods for which the PWM keeps its last compare values before the watchdog
 * switches the gates off: 1 ms.
 */
#define COPROC_WATCHDOG_PERIODS 20

/**
 * struct coproc - the coprocessor
 * @memory: shared with it
 * @m4: the emulated processor, unless @native
 * @native: the core within this process, or NULL
 * @connected: the emulator is there; always true for @native
 * @realtime: its emulator may have real-time priority
 * @booting: out of reset, no step answered so far
 * @posted: a step is posted to the booting firmware
 * @boot_deadline_ns: when that must have been answered
 * @hung: its clock is stopped by an injected fault
 * @silent: periods since it failed to answer, 0 while it answers
 * @starts: times it left reset
 * @watchdogs: number of watchdog expiries
 * @out: what the gates get in the next period
 * @look: called in long waits and after each step: serves doorbells and
 *        returns true if the control registers want attention
 * @changed: called after coproc_state or coproc_ack changed
 * @ctx: handed to both
 */
struct coproc {
	struct memory *memory;
	struct m4 m4;
	struct qs1_native *native;
	bool connected;
	bool realtime;
	bool booting;
	bool posted;
	int64_t boot_deadline_ns;
	bool hung;
	unsigned int silent;
	unsigned int starts;
	unsigned int watchdogs;
	struct qs1_outputs out;
	bool (*look)(void *ctx);
	void (*changed)(void *ctx);
	void *ctx;
};

/* "reset", "running" or "watchdog" */
const char *coproc_state_name(const struct coproc *coproc);

/* Carry out what the control registers ask for, if they ask. */
void coproc_control(struct coproc *coproc);

/* The host rang for the mailbox. */
void coproc_mailbox(struct coproc *coproc);

/* Before and after a batch of steps: wake it, let it sleep. */
void coproc_wake(struct coproc *coproc);
void coproc_rest(struct coproc *coproc);

/**
 * coproc_step() - one control period
 * @adc: samples
 *
 * Writes the gate signals to @out. They are off while the coprocessor is in reset
 * or the watchdog has expired.
 */
void coproc_step(struct coproc *coproc, const int16_t adc[QS1_ADC_COUNT]);

/**
 * coproc_fault() - inject or end a fault
 * @word: "crash" sets its program counter to an invalid address, "hang" stops its
 *        clock until it is reset, "off" starts the clock again
 *
 * Return: 0; -EINVAL for another word, -EBUSY when it is not running.
 */
int coproc_fault(struct coproc *coproc, const char *word, char *err, size_t size);

#endif /* QS1_VBOARD_COPROC_H */
