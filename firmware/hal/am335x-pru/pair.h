/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How the two PRUs share the work: whose turn it is, and what both work on.
 *
 * PRU0 has the pins: converters, the core's control period, timers. PRU1 has the
 * slow tasks, the commands and the contract with Linux. PRU0 asks, PRU1 answers;
 * from the question to the answer the state is PRU1's, all other time it is
 * PRU0's, so that there is nothing to lock. Each of them waits for a word in its
 * own data memory, which disturbs nobody.
 *
 *	period flag
 *	PRU0  convert, read, calibrate
 *	      qs1_core_step() ...
 *	PRU1                      qs1_slot()
 *	PRU0                                 outputs, timers
 *	PRU1                                                 scan, event, snapshot; command
 *	PRU0                                                                       overlay.h
 */
#ifndef QS1_HAL_AM335X_PAIR_H
#define QS1_HAL_AM335X_PAIR_H

#include <stdint.h>

#include "pwm.h"
#include "regs.h"
#include "shm.h"
#include "state.h"

/* What PRU1 is asked for: a slot of the core by its number, or one of these. */
enum qs1_turn {
	QS1_TURN_START = QS1_TICKS_PER_MS, /* timers, core and contract as at power-on */
	QS1_TURN_PORT,			   /* the contract after a period, and before the next */
	QS1_TURN_TELEMETRY,		   /* the same with a snapshot */
	QS1_TURN_COMMAND,		   /* the mailbox */
	QS1_TURNS
};

/**
 * struct qs1_pair - in PRU0's data memory
 * @answer: the question that PRU1 has answered last
 * @late: periods that had begun before PRU0 was ready for them
 * @ready: PRU1 after START: whether the timers' clock fits
 * @port: PRU1: the turn after the next slot, QS1_TURN_PORT or QS1_TURN_TELEMETRY
 * @command: PRU1: there is something for QS1_TURN_COMMAND
 * @pwm: the timers
 * @in: samples of the period; from PRU1 whether Linux lets the gates run, and its heartbeat
 * @core: the state
 */
struct qs1_pair {
	volatile uint32_t answer;
	uint32_t late;
	bool ready;
	uint8_t port;
	bool command;
	struct qs1_pwm pwm;
	struct qs1_samples in;
	struct qs1_core core;
};

/* In each PRU's view of the memories, from its linker script. */
extern struct qs1_pair qs1_pair;
extern volatile uint32_t qs1_ask; /* in PRU1's data memory: enum qs1_turn, and above it a number */

#define qs1_contract (*(struct qs1_shm *)AM335X_CONTRACT)

/*
 * PRU1 looks at the mailbox after one slot of the core, whose task and whose next
 * one's are short, for the longest command takes most of a period. It publishes
 * snapshots, nearly half a period, after one that most often has nothing to do, and
 * before ones whose code is there already.
 */
#define QS1_PAIR_COMMAND_SLOT 2
#define QS1_PAIR_TELEMETRY_SLOT 13

#define QS1_ASK_TURN 0xffu
#define QS1_ASK_NEXT 0x100u

/* What pru0.ld keeps free for it. */
_Static_assert(sizeof(struct qs1_pair) <= 0x9f0, "pru0.ld");

#define QS1_PAIR_WAVE_LOG2 13
_Static_assert(QS1_SHM_SIZE(QS1_PAIR_WAVE_LOG2) <= AM335X_CONTRACT_BYTES, "reserved memory");

#endif /* QS1_HAL_AM335X_PAIR_H */
