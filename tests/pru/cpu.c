// SPDX-License-Identifier: GPL-2.0-only
#include "cpu.h"

#include <string.h>

/* Fields of an instruction. */
static uint32_t field(uint32_t i, int low, int bits)
{
	return i >> low & ((1u << bits) - 1);
}

/* A register's part: bytes 0 to 3, words from byte 0, 1, 2, all. */
static const struct {
	uint8_t low;
	uint8_t bits;
} part[8] = {
	{ 0, 8 }, { 8, 8 }, { 16, 8 }, { 24, 8 }, { 0, 16 }, { 8, 16 }, { 16, 16 }, { 0, 32 }
};

static uint32_t mask_of(int bits)
{
	return bits == 32 ? 0xffffffffu : (1u << bits) - 1;
}

static uint32_t get_register(struct cpu *cpu, uint32_t n)
{
	return n == 31 ? pins_read(cpu) : cpu->reg[n];
}

static uint32_t get(struct cpu *cpu, uint32_t selector)
{
	uint32_t value = get_register(cpu, selector & 31);

	return value >> part[selector >> 5].low & mask_of(part[selector >> 5].bits);
}

static void set(struct cpu *cpu, uint32_t selector, uint32_t value)
{
	uint32_t n = selector & 31, low = part[selector >> 5].low;
	uint32_t mask = mask_of(part[selector >> 5].bits) << low;

	cpu->reg[n] = (cpu->reg[n] & ~mask) | (value << low & mask);
	if (n == 30)
		pins_write(cpu, cpu->reg[30]);
	if (n == 31)
		event_write(cpu, cpu->reg[31]);
}

/* The second operand: a constant of eight bits, or a part of a register. */
static uint32_t operand(struct cpu *cpu, uint32_t i)
{
	return field(i, 24, 1) ? field(i, 16, 8) : get(cpu, field(i, 16, 8));
}

static void arithmetic(struct cpu *cpu, uint32_t i)
{
	uint32_t a = get(cpu, field(i, 8, 8)), b = operand(cpu, i), to = field(i, 0, 8);
	uint64_t result;
	bool carries = field(i, 25, 4) < 4 || field(i, 25, 4) == 6 || field(i, 25, 4) == 7;

	switch (field(i, 25, 4)) {
	case 0:
		result = (uint64_t)a + b;
		break;
	case 1:
		result = (uint64_t)a + b + cpu->carry;
		break;
	case 2:
		result = (uint64_t)a - b;
		break;
	case 3:
		result = (uint64_t)a - b - cpu->carry;
		break;
	case 4:
		result = a << (b & 31);
		break;
	case 5:
		result = a >> (b & 31);
		break;
	case 6:
		result = (uint64_t)b - a;
		break;
	case 7:
		result = (uint64_t)b - a - cpu->carry;
		break;
	case 8:
		result = a & b;
		break;
	case 9:
		result = a | b;
		break;
	case 10:
		result = a ^ b;
		break;
	case 11:
		result = ~a;
		break;
	case 12:
		result = a < b ? a : b;
		break;
	case 13:
		result = a > b ? a : b;
		break;
	case 14:
		result = a & ~(1u << (b & 31));
		break;
	default:
		result = a | 1u << (b & 31);
		break;
	}
	if (carries)
		cpu->carry = result >> part[to >> 5].bits & 1;
	set(cpu, to, (uint32_t)result);
	cpu->pc++;
}

/* Bytes of registers, from a byte of one of them on. */
static void put_bytes(struct cpu *cpu, uint32_t n, uint32_t byte, const uint8_t *from,
		      unsigned int count)
{
	for (unsigned int k = 0; k < count; k++, byte++)
		set(cpu, (n + byte / 4) | (byte & 3) << 5, from[k]);
}

static void get_bytes(const struct cpu *cpu, uint32_t n, uint32_t byte, uint8_t *to,
		      unsigned int count)
{
	for (unsigned int k = 0; k < count; k++, byte++)
		to[k] = (uint8_t)(cpu->reg[n + byte / 4] >> (byte & 3) * 8);
}

/* A burst's length: a constant, less one, or a byte of r0. */
static unsigned int length(const struct cpu *cpu, uint32_t code)
{
	return code < 124 ? code + 1 : cpu->reg[0] >> (code - 124) * 8 & 0xff;
}

/* Units beside the PRU: the multiplier at 0, all ones at 254, all zeros at 255. */
static bool exchange(struct cpu *cpu, uint32_t i)
{
	unsigned int count = length(cpu, field(i, 7, 7));
	uint64_t product = (uint64_t)cpu->reg[28] * cpu->reg[29];
	uint8_t bytes[128] = { 0 };
	uint32_t unit = field(i, 15, 8), n = field(i, 0, 5), byte = field(i, 5, 2);

	if (field(i, 23, 2) != 1 || field(i, 14, 1) || (unit && unit < 254))
		return false;
	if (unit == 254)
		memset(bytes, 0xff, sizeof(bytes));
	if (!unit) {
		if (n < 26 || 4 * (n - 26) + byte + count > 8)
			return false;
		for (unsigned int k = 0; k < count; k++)
			bytes[k] = (uint8_t)(product >> (4 * (n - 26) + byte + k) * 8);
	}
	put_bytes(cpu, n, byte, bytes, count);
	cpu->pc++;
	return true;
}

static void loop(struct cpu *cpu, uint32_t i)
{
	uint32_t count = field(i, 24, 1) ? field(i, 16, 8) + 1 : get(cpu, field(i, 16, 5) | 4 << 5);

	cpu->loop_top = cpu->pc + 1;
	cpu->loop_end = cpu->pc + field(i, 0, 8);
	cpu->loop_left = count;
	cpu->pc = count ? cpu->loop_top : cpu->loop_end;
}

static void leftmost(struct cpu *cpu, uint32_t i)
{
	uint32_t from = field(i, 8, 8), a = get(cpu, from), b = operand(cpu, i);
	int bit = part[from >> 5].bits - 1;

	while (bit >= 0 && ((a >> bit ^ b) & 1))
		bit--;
	set(cpu, field(i, 0, 8), bit < 0 ? 32 : (uint32_t)bit);
	cpu->pc++;
}

static bool control(struct cpu *cpu, uint32_t i)
{
	uint32_t to = field(i, 24, 1) ? field(i, 8, 16) : 0;

	switch (field(i, 25, 4)) {
	case 0:
		cpu->pc = field(i, 24, 1) ? to : get(cpu, field(i, 16, 8));
		return true;
	case 1:
		to = field(i, 24, 1) ? to : get(cpu, field(i, 16, 8));
		set(cpu, field(i, 0, 8), cpu->pc + 1);
		cpu->pc = to;
		return true;
	case 2:
		set(cpu, field(i, 0, 8), field(i, 8, 16));
		cpu->pc++;
		return true;
	case 3:
		leftmost(cpu, i);
		return true;
	case 5:
		cpu->running = false;
		return true;
	case 7:
		return exchange(cpu, i);
	case 8:
		loop(cpu, i);
		return true;
	default:
		return false;
	}
}

static void branch(struct cpu *cpu, uint32_t i, bool taken)
{
	int32_t offset = (int32_t)(field(i, 25, 2) << 8 | field(i, 0, 8));

	cpu->pc += taken ? (uint32_t)(offset & 0x200 ? offset - 0x400 : offset) : 1;
}

static void compare(struct cpu *cpu, uint32_t i)
{
	uint32_t a = get(cpu, field(i, 8, 8)), b = operand(cpu, i);

	branch(cpu, i,
	       (field(i, 29, 1) && b > a) || (field(i, 28, 1) && b == a) ||
		       (field(i, 27, 1) && b < a));
}

static void test_bit(struct cpu *cpu, uint32_t i)
{
	uint32_t bit = get(cpu, field(i, 8, 8)) >> (operand(cpu, i) & 31) & 1;

	branch(cpu, i, bit ? field(i, 28, 1) : field(i, 27, 1));
}

static void transfer(struct cpu *cpu, uint32_t i)
{
	uint32_t code = field(i, 25, 3) << 4 | field(i, 13, 3) << 1 | field(i, 7, 1);
	unsigned int count = length(cpu, code);
	uint32_t address = cpu->reg[field(i, 8, 5)] + operand(cpu, i);
	uint32_t n = field(i, 0, 5), byte = field(i, 5, 2);
	uint8_t bytes[256];

	if (field(i, 28, 1)) {
		bus_read(cpu, address, bytes, count);
		put_bytes(cpu, n, byte, bytes, count);
	} else {
		get_bytes(cpu, n, byte, bytes, count);
		bus_write(cpu, address, bytes, count);
	}
	cpu->pc++;
}

bool cpu_step(struct cpu *cpu)
{
	uint32_t i;

	if (cpu->pc >= CPU_INSTRUCTIONS)
		return false;
	i = cpu->instruction[cpu->pc];
	cpu->time++;
	switch (i >> 29) {
	case 0:
		arithmetic(cpu, i);
		break;
	case 1:
		if (!control(cpu, i))
			return false;
		break;
	case 2:
	case 3:
		compare(cpu, i);
		break;
	case 6:
		test_bit(cpu, i);
		break;
	case 7:
		transfer(cpu, i);
		break;
	default: /* the table of constants is not used */
		return false;
	}
	if (cpu->loop_left && cpu->pc == cpu->loop_end && --cpu->loop_left)
		cpu->pc = cpu->loop_top;
	return true;
}
