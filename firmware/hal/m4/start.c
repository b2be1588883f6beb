// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "start.h"

#include "selfcheck.h"
#include "state.h"
#include "trace.h"

#define STACK_GUARD 0x51535131u /* any value that is no pointer and no sample */

#define SCB_VTOR (*(volatile uint32_t *)0xe000ed08u) /* ARMv7-M B3.2.5 */

extern uint32_t qs1_bss_start[], qs1_bss_end[], qs1_stack_guard[], qs1_stack_top[];

static struct qs1_core core;
static struct qs1_port port;

void qs1_reset(void) __attribute__((noreturn));
void qs1_begin(void) __attribute__((noreturn, used));
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

void qs1_stop(uint32_t reason, uint32_t pc)
{
	qs1_machine_off();
	qs1_shm_crash(qs1_machine_shm, reason, pc);
	qs1_machine_ring();
	for (;;)
		__asm__ volatile("wfi");
}

__attribute__((naked)) void qs1_fault_entry(void)
{
	__asm__ volatile("mrs r0, msp\n\tb qs1_fault");
}

/* The reason that a deliberate trap has, so that the handler can distinguish it from a real
 * exception. */
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
	qs1_stop(trap_reason, pc);
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
		qs1_stop(QS1_CRASH_ASSERT, (uint32_t)qs1_selfcheck_image);
	qs1_trace("ram good\n");
}

static void announce(void)
{
	qs1_trace("qs1 firmware " QS1_VERSION ", contract version ");
	qs1_trace_dec(QS1_LAYOUT_VERSION);
	qs1_trace(", waveform ring of ");
	qs1_trace_dec(1u << QS1_WAVE_LOG2_MAX);
	qs1_trace(" scans\n");
}

void qs1_obey(enum qs1_port_action action)
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

void qs1_check_stack(void)
{
	if (*qs1_stack_guard != STACK_GUARD)
		qs1_stop(QS1_CRASH_ASSERT, (uint32_t)qs1_check_stack);
}

/* With the memory for variables proved and zero. */
__attribute__((noreturn, noinline)) static void start(void)
{
	if (!qs1_machine_init())
		qs1_stop(QS1_CRASH_ASSERT, (uint32_t)qs1_machine_init);
	announce();
	selfcheck();

	qs1_core_init(&core);
	qs1_shm_init(&port, qs1_machine_shm, &core, QS1_WAVE_LOG2_MAX, QS1_VERSION);
	qs1_machine_run(&port);
}

void qs1_begin(void)
{
	SCB_VTOR = (uint32_t)qs1_vectors;
	/* The march leaves zeros behind, which is what .bss needs. */
	if (!qs1_selfcheck_ram(qs1_bss_start, (uint32_t)(qs1_bss_end - qs1_bss_start)))
		qs1_stop(QS1_CRASH_ASSERT, (uint32_t)qs1_selfcheck_ram);
	*qs1_stack_guard = STACK_GUARD;
	start();
}

/* A second core begins here at the same time, with the same stack. */
__attribute__((naked)) void qs1_reset(void)
{
	__asm__ volatile("cpsid i\n\t"
			 "bl qs1_machine_spare\n\t"
			 "cbnz r0, 1f\n\t"
			 "b qs1_begin\n"
			 "1:\n\t"
			 "wfi\n\t"
			 "b 1b");
}
