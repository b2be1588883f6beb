// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counts what the control core's functions cost on the Cortex-M4.
 *
 * Linked into the firmware in a test's image only: the linker leads each call
 * of a counted function to its namesake here (--wrap), which reads SysTick
 * around it. Under -icount time is instructions, the same in every run. A
 * function that is counted while another is, as all are within core_step, adds
 * its counting to that one: hence an image that counts core_step alone.
 */
#include "cost.h"

#include "state.h"

#define SYST_CSR (*(volatile uint32_t *)0xe000e010)
#define SYST_RVR (*(volatile uint32_t *)0xe000e014)
#define SYST_CVR (*(volatile uint32_t *)0xe000e018)
#define SYST_ENABLE 0x5u /* from the processor's clock */
#define SYST_MASK 0xffffffu

struct cost qs1_cost;
static uint32_t step;

static void __attribute__((noinline)) nothing(void)
{
	__asm__ volatile("");
}

static void note(enum cost_function function, uint32_t begin)
{
	uint32_t ticks = (begin - SYST_CVR) & SYST_MASK;

	ticks = ticks > qs1_cost.overhead ? ticks - qs1_cost.overhead : 0;
	if (ticks > qs1_cost.max[function]) {
		qs1_cost.max[function] = ticks;
		qs1_cost.at[function] = step;
	}
	if (function == COST_core_step && ticks > qs1_cost.slot[step % COST_SLOTS])
		qs1_cost.slot[step % COST_SLOTS] = ticks;
}

/* Before the first step: start the timer, and see what counting itself takes. */
static void start(void)
{
	uint32_t begin;

	SYST_RVR = SYST_MASK;
	SYST_CVR = 0;
	SYST_CSR = SYST_ENABLE;
	begin = SYST_CVR;
	nothing();
	qs1_cost.overhead = (begin - SYST_CVR) & SYST_MASK;
}

#define BEGIN(name)                                                                                \
	if (COST_##name == COST_core_step && !SYST_CSR)                                            \
		start();                                                                           \
	uint32_t begin = SYST_CVR;

#define END(name)                                                                                  \
	note(COST_##name, begin);                                                                  \
	step += COST_##name == COST_core_step;

#define WRAP_void(name, parameters, names)                                                         \
	void __real_qs1_##name parameters;                                                         \
	void __wrap_qs1_##name parameters;                                                         \
	void __wrap_qs1_##name parameters                                                          \
	{                                                                                          \
		BEGIN(name)                                                                        \
		__real_qs1_##name names;                                                           \
		END(name)                                                                          \
	}

#define WRAP_value(type, name, parameters, names)                                                  \
	type __real_qs1_##name parameters;                                                         \
	type __wrap_qs1_##name parameters;                                                         \
	type __wrap_qs1_##name parameters                                                          \
	{                                                                                          \
		BEGIN(name)                                                                        \
		type value = __real_qs1_##name names;                                              \
		END(name)                                                                          \
		return value;                                                                      \
	}
#define WRAP_uint16_t(name, parameters, names) WRAP_value(uint16_t, name, parameters, names)
#define WRAP_uint32_t(name, parameters, names) WRAP_value(uint32_t, name, parameters, names)
#define WRAP_bool(name, parameters, names) WRAP_value(bool, name, parameters, names)
#define WRAP_int16_t(name, parameters, names) WRAP_value(int16_t, name, parameters, names)

#define X(name, type, parameters, names) WRAP_##type(name, parameters, names)
COST_FUNCTIONS(X)
