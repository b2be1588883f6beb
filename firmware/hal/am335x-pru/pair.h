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
 *	PRU0  convert, read, calibrate     (PRU1 may still run the previous turn)
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
	QS1_TURN_DISARM,		   /* the enable line has gone low */
	QS1_TURN_COMMAND,		   /* the mailbox */
	QS1_TURN_REPLY,			   /* its answer */
	QS1_TURNS
};

/**
 * struct qs1_pair - in PRU0's data memory
 * @answer: the question that PRU1 has answered last
 * @late: periods that had begun before PRU0 was ready for them
 * @held: periods without the core's slow task, which came in the next one
 * @behind: slow tasks by which PRU1 is still behind
 * @calibration: where PRU1 sees it
 * @ready: PRU1 after START: the timers' clock fits and the calibration is not damaged
 * @telemetry: PRU1: a snapshot is due after the next QS1_PAIR_SLOT
 * @mailbox: PRU1: QS1_TURN_DISARM, _COMMAND or _REPLY when it is due, else _PORT
 * @pwm: the timers
 * @in: samples of the period; from PRU1 whether Linux lets the gates run, and its heartbeat
 * @core: the state
 */
struct qs1_pair {
	volatile uint32_t answer;
	uint32_t late;
	uint32_t held;
	uint32_t behind;
	uint32_t calibration;
	bool ready;
	bool telemetry;
	uint8_t mailbox;
	struct qs1_pwm pwm;
	struct qs1_samples in;
	struct qs1_core core;
};

/* In each PRU's view of the memories, from its linker script. */
extern struct qs1_pair qs1_pair;
extern volatile uint32_t qs1_ask; /* in PRU1's data memory: enum qs1_turn, and above it a number */

#define qs1_contract (*(struct qs1_shm *)AM335X_CONTRACT)

/*
 * PRU1 publishes snapshots and takes commands after one slot of the core, whose task
 * and whose next one's are short: the longest command goes on until the next
 * period's samples are there.
 */
#define QS1_PAIR_SLOT 3
/* PRU1 polls the mailbox before this slot, which is never skipped: time to load the code. */
#define QS1_PAIR_LOOK_SLOT 0
/* Loading of its code begins this many periods before a snapshot; fewer than in a frame. */
#define QS1_PAIR_TELEMETRY_AHEAD 10

#define QS1_ASK_TURN 0xffu
#define QS1_ASK_NEXT 0x100u

/* Space that pru0.ld reserves for it. */
_Static_assert(sizeof(struct qs1_pair) <= 0xbf0, "pru0.ld");
/* The copy of START's code is in this place until START clears the state. */
_Static_assert(offsetof(struct qs1_pair, core) <= 0x70 && sizeof(struct qs1_pair) >= 0xaf0,
	       "START_STORE of scripts/pru-overlays");

#define QS1_PAIR_WAVE_LOG2 13
_Static_assert(QS1_SHM_SIZE(QS1_PAIR_WAVE_LOG2) <= AM335X_CONTRACT_BYTES, "reserved memory");

#endif /* QS1_HAL_AM335X_PAIR_H */
