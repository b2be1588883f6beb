/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One PRU: its instructions, as binutils has them (include/opcode/pru.h) and the
 * manual says what they do (SPRUH73 4.4.1), and what they take.
 */
#ifndef QS1_PRU_CPU_H
#define QS1_PRU_CPU_H

#include <stdbool.h>
#include <stdint.h>

#define CPU_INSTRUCTIONS 2048

/**
 * struct cpu - a PRU
 * @number: 0 or 1
 * @instruction: its memory
 * @reg: r0 to r31, of which r31 is written only
 * @pc: number of the next instruction
 * @carry: 0 or 1
 * @loop_top, @loop_end, @loop_left: the hardware loop, none when nothing is left
 * @time: cycles of 5 ns since the start of the chip
 * @running: enabled, and not at a halt
 * @fresh: in reset, and not started since: its memory takes writes
 */
struct cpu {
	int number;
	uint32_t instruction[CPU_INSTRUCTIONS];
	uint32_t reg[32];
	uint32_t pc;
	uint32_t carry;
	uint32_t loop_top;
	uint32_t loop_end;
	uint32_t loop_left;
	uint64_t time;
	bool running;
	bool fresh;
};

/* One instruction; false when it is none. */
bool cpu_step(struct cpu *cpu);

/* What surrounds it. Accesses add to @cpu's time what they take beyond the instruction's cycle. */
void bus_read(struct cpu *cpu, uint32_t address, uint8_t *bytes, unsigned int count);
void bus_write(struct cpu *cpu, uint32_t address, const uint8_t *bytes, unsigned int count);
uint32_t pins_read(struct cpu *cpu);
void pins_write(struct cpu *cpu, uint32_t value);
void event_write(struct cpu *cpu, uint32_t value);

#endif /* QS1_PRU_CPU_H */
