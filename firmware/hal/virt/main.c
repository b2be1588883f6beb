// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The firmware of the virtual board's Cortex-M4: start, self check, lock step,
 * and what happens when the processor itself fails.
 */
#include <qs1/vhw.h>

#include "board.h"
#include "mps2.h"
#include "selfcheck.h"
#include "shm.h"
#include "state.h"
#include "trace.h"

#define VHW ((struct qs1_vhw *)QS1_VHW_DA)
#define SHM ((struct qs1_shm *)(QS1_VHW_DA + QS1_VHW_SHM_OFFSET))

/*
 * Polls before sleeping although the board does not rest: about a millisecond.
 * A board that stalls within a step rings again; one that died never does.
 */
#define POLLS_MAX 20000u

#define STACK_GUARD 0x51535131u /* any value that is no pointer and no sample */

extern uint32_t qs1_bss_start[], qs1_bss_end[], qs1_stack_guard[], qs1_stack_top[];

static struct qs1_core core;
static struct qs1_port port;

void qs1_reset(void) __attribute__((noreturn));
void qs1_fault_entry(void);
void qs1_fault(const uint32_t *frame) __attribute__((noreturn, used));

/* ARMv7-M B1.5.3; no interrupt is ever taken, so the table ends with the exceptions. */
__attribute__((section(".vectors"), aligned(128), used)) const void *const qs1_vectors[16] = {
	qs1_stack_top,
	(const void *)qs1_reset,
	(const void *)qs1_fault_entry,	      /* NMI */
	(const void *)qs1_fault_entry,	      /* HardFault */
	(const void *)qs1_fault_entry,	      /* MemManage */
	(const void *)qs1_fault_entry,	      /* BusFault */
	(const void *)qs1_fault_entry,	      /* UsageFault */
	[11] = (const void *)qs1_fault_entry, /* SVCall */
	[12] = (const void *)qs1_fault_entry, /* DebugMonitor */
	[14] = (const void *)qs1_fault_entry, /* PendSV */
	[15] = (const void *)qs1_fault_entry, /* SysTick */
};

/* Gates and relay off, say why, and never come back: the watchdog does the rest. */
__attribute__((noreturn)) static void stop(uint32_t reason, uint32_t pc)
{
	qs1_shm_write(VHW->ctl, 0);
	qs1_shm_crash(SHM, reason, pc);
	for (;;)
		__asm__ volatile("wfi");
}

__attribute__((naked)) void qs1_fault_entry(void)
{
	__asm__ volatile("mrs r0, msp\n\tb qs1_fault");
}

/* The reason that a deliberate trap has, so that its handler can tell it from a real one. */
static uint32_t trap_reason = QS1_CRASH_EXCEPTION;

void qs1_fault(const uint32_t *frame)
{
	uint32_t exception, pc = 0;

	__asm__ volatile("mrs %0, ipsr" : "=r"(exception));
	/* Exception frame: r0-r3, r12, lr, pc, xpsr. A lost stack has none to read. */
	if (frame >= qs1_stack_guard && frame + 8 <= qs1_stack_top)
		pc = frame[6];

	qs1_trace("fault: exception ");
	qs1_trace_dec(exception);
	qs1_trace(" at ");
	qs1_trace_hex(pc);
	qs1_trace("\n");
	stop(trap_reason, pc);
}

__attribute__((noreturn)) static void trap(void)
{
	trap_reason = QS1_CRASH_COMMAND;
	__asm__ volatile("" ::: "memory");
	__builtin_trap();
}

__attribute__((noreturn)) static void hang(void)
{
	for (;;)
		__asm__ volatile("");
}

static void selfcheck(void)
{
	uint32_t crc;
	bool good;

	good = qs1_selfcheck_image(&crc);
	qs1_trace("image crc ");
	qs1_trace_hex(crc);
	qs1_trace(good ? " good\n" : " does not match its stamp: stopped\n");
	if (!good)
		stop(QS1_CRASH_ASSERT, (uint32_t)qs1_selfcheck_image);
	qs1_trace("ram good\n");
}

static void announce(void)
{
	qs1_trace("qs1 firmware " QS1_VERSION ", contract version ");
	qs1_trace_dec(QS1_LAYOUT_VERSION);
	qs1_trace(", waveform ring of ");
	qs1_trace_dec(1u << QS1_BOARD_WAVE_LOG2);
	qs1_trace(" scans\n");
}

static void obey(enum qs1_port_action action)
{
	switch (action) {
	case QS1_PORT_TRAP:
		trap();
	case QS1_PORT_HANG:
		hang();
	case QS1_PORT_NONE:
		break;
	}
}

/* Nothing to step: look at the mailbox, and sleep when the board rests. */
static void idle(uint32_t *polls)
{
	bool rest = qs1_shm_read(VHW->rest);

	obey(qs1_board_idle(&port));
	if (rest || (*polls)++ > POLLS_MAX) {
		mps2_doorbell_wait();
		*polls = 0;
	}
}

/* One control period for each step_req; asleep while the board rests. */
__attribute__((noreturn)) static void lock_step(void)
{
	uint32_t done = qs1_shm_read(VHW->step_ack), asked, polls = 0;

	for (;;) {
		asked = qs1_shm_read(VHW->step_req);
		if (asked == done) {
			idle(&polls);
			continue;
		}

		polls = 0;
		qs1_shm_barrier();
		obey(qs1_board_step(VHW, &port));
		if (*qs1_stack_guard != STACK_GUARD)
			stop(QS1_CRASH_ASSERT, (uint32_t)lock_step);

		qs1_shm_barrier();
		done = asked;
		qs1_shm_write(VHW->step_ack, done);
	}
}

/* With the memory for variables proved and zero. */
__attribute__((noreturn, noinline)) static void start(void)
{
	mps2_doorbell_enable();
	announce();
	selfcheck();

	qs1_core_init(&core);
	qs1_shm_init(&port, SHM, &core, QS1_BOARD_WAVE_LOG2, QS1_VERSION);
	lock_step();
}

void qs1_reset(void)
{
	/* The march leaves zeros behind, which is what .bss needs. */
	if (!qs1_selfcheck_ram(qs1_bss_start, (uint32_t)(qs1_bss_end - qs1_bss_start)))
		stop(QS1_CRASH_ASSERT, (uint32_t)qs1_selfcheck_ram);
	*qs1_stack_guard = STACK_GUARD;
	start();
}
