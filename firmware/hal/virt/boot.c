// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The boot ROM of the virtual coprocessor: holds the processor until Linux has
 * loaded a firmware and asks for a start.
 */
#include <qs1/vhw.h>

#include "mps2.h"
#include "shm.h"

#define VHW ((struct qs1_vhw *)QS1_VHW_DA)

void boot_reset(void) __attribute__((noreturn));

extern const uint32_t boot_stack_top[];

__attribute__((section(".vectors"), used)) static const void *const boot_vectors[] = {
	boot_stack_top,
	(const void *)boot_reset,
};

/*
 * What an instruction cache invalidation is on hardware. The emulator keeps
 * its translation of a page until this processor writes to it, but Linux has
 * put the firmware there from outside.
 */
static void invalidate_instructions(void)
{
	volatile uint32_t *word = (uint32_t *)(QS1_VHW_DA + QS1_VHW_FW_OFFSET);
	volatile uint32_t *end = (uint32_t *)(QS1_VHW_DA + QS1_VHW_SIZE);

	for (; word < end; word++)
		*word = *word;
	__asm__ volatile("dsb\n\tisb" ::: "memory");
}

void boot_reset(void)
{
	const uint32_t *vectors;

	mps2_doorbell_enable();
	while (!qs1_shm_read(VHW->run))
		mps2_doorbell_wait();

	qs1_shm_barrier();
	invalidate_instructions();
	vectors = (const uint32_t *)qs1_shm_read(VHW->boot_da);
	SCB_VTOR = (uint32_t)vectors;
	__asm__ volatile("dsb\n\tmsr msp, %0\n\tisb\n\tbx %1" ::"r"(vectors[0]), "r"(vectors[1])
			 : "memory");
	__builtin_unreachable();
}
