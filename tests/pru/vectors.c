// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the fixed-point primitives give for millions of operands: words on
 * standard output, the same from this program on the host, where they are the
 * portable ones, and in the simulator of the PRU, where they are its own.
 *
 * The words come in runs, each begun by RUN_MARK, its number and how many
 * words there are to an operand.
 */
#include <stddef.h>
#include <stdint.h>

#include "fixed.h"
#include "sim.h"

/* to each primitive; the simulator needs some minutes for them */
#define VECTORS 1000000u

#define RUN_MARK 0x72756e21u

static uint32_t buffer[1024];
static unsigned int filled;
static uint32_t state = 1;

static void flush(void)
{
	const char *from = (const char *)buffer;
	int left = (int)(filled * sizeof(*buffer));

	while (left > 0) {
		int done = sim_write(1, from, left);

		if (done <= 0)
			return;
		from += done;
		left -= done;
	}
	filled = 0;
}

static void put(uint32_t word)
{
	buffer[filled++] = word;
	if (filled == sizeof(buffer) / sizeof(*buffer))
		flush();
}

static void put64(uint64_t word)
{
	put((uint32_t)word);
	put((uint32_t)(word >> 32));
}

static void run(uint32_t number, uint32_t words)
{
	put(RUN_MARK);
	put(number);
	put(words);
}

/* Marsaglia, Xorshift RNGs, 2003: 32 bits, period 2^32 - 1. */
static uint32_t draw(void)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

/* Of any magnitude: as many bits as it has, each is as likely. */
static int32_t operand(void)
{
	uint32_t word = draw();

	return (int32_t)(word >> (draw() & 31)) * (word & 1 ? 1 : -1);
}

static const int32_t edges[] = {
	0,	   1,	      -1,	  2,	      -2,	   3,
	-3,	   0x7fff,    0x8000,	  -0x8000,    -0x8001,	   0xffff,
	0x10000,   -0x10000,  0x3fffffff, 0x40000000, -0x40000000, 0x7ffffffe,
	INT32_MAX, INT32_MIN, -INT32_MAX, 0x55555555, -0x55555556, 0x0000ff00,
};

#define EDGES (sizeof(edges) / sizeof(*edges))

/* The distance is a constant. */
/* clang-format off */
#define EACH_ASR(X) \
	X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15) \
	X(16) X(17) X(18) X(19) X(20) X(21) X(22) X(23) X(24) X(25) X(26) X(27) X(28) X(29) \
	X(30) X(31)
/* clang-format on */

static void asr(int32_t x)
{
#define X(n) put((uint32_t)qs1_asr(x, n));
	EACH_ASR(X)
#undef X
}

static void products(int32_t a, int32_t b)
{
	put64((uint64_t)qs1_mul(a, b));
	put((uint32_t)qs1_mulq30(a, b));
	for (int n = 0; n < 64; n++)
		if (n != 30)
			put((uint32_t)qs1_mulsh(a, b, n));
}

static void quotients(int64_t a, int32_t b)
{
	/* without a quotient */
	if (!b || (a == INT64_MIN && b == -1))
		b = 7;
	put64((uint64_t)qs1_div(a, b));
	put64(qs1_divu((uint64_t)a, (uint32_t)b));
	put((uint32_t)a / (uint32_t)b);
	put((uint32_t)a % (uint32_t)b);
	put(b == -1 ? 0 : (uint32_t)((int32_t)a / b));
}

static void wide_shifts(int64_t x)
{
	for (int n = 0; n < 64; n++) {
		put64((uint64_t)(x >> n));
		put64((uint64_t)x >> n);
		put64((uint64_t)x << n);
	}
}

static void clamp(int32_t x, int32_t lo, int32_t hi)
{
	put((uint32_t)(lo <= hi ? qs1_clamp(x, lo, hi) : qs1_clamp(x, hi, lo)));
	put((uint32_t)qs1_clamp(x, -4000, 4000));
	put((uint32_t)qs1_abs(x));
	put64((uint64_t)qs1_wide(x));
}

int main(void)
{
	/* All of 16 bits, in either half. */
	run(1, 64);
	for (int32_t k = 0; k < 0x10000; k++) {
		asr((int32_t)((uint32_t)k << 16 | (draw() & 0xffff)));
		asr((int16_t)k);
	}
	run(2, 1);
	for (uint32_t k = 0; k < 0x10000; k++)
		put((uint32_t)qs1_sin(k << 16 | (draw() & 0xffff)));
	/* Around each square of 16 bits. */
	run(3, 2);
	for (uint32_t k = 0; k < 0x10000; k++) {
		put(qs1_isqrt32(k * k));
		put(qs1_isqrt32(k * k - 1));
	}
	run(4, 66);
	for (size_t i = 0; i < EDGES; i++)
		for (size_t k = 0; k < EDGES; k++)
			products(edges[i], edges[k]);
	run(5, 66);
	for (uint32_t k = 0; k < VECTORS; k++) {
		int32_t a = operand(), b = operand();

		products(a, b);
	}
	run(6, 7);
	for (size_t i = 0; i < EDGES; i++)
		for (size_t j = 0; j < EDGES; j++)
			for (size_t k = 0; k < EDGES; k++)
				quotients((int64_t)((uint64_t)(uint32_t)edges[i] << 32 |
						    (uint32_t)edges[j]),
					  edges[k]);
	run(7, 7);
	for (uint32_t k = 0; k < VECTORS; k++) {
		int32_t a = operand(), b = operand(), c = operand();

		quotients(qs1_mul(a, b), c);
	}
	run(8, 5);
	for (uint32_t k = 0; k < VECTORS; k++) {
		int32_t x = operand(), lo = operand(), hi = operand();

		clamp(x, lo, hi);
	}
	run(9, 1);
	for (uint32_t k = 0; k < VECTORS; k++) {
		uint64_t a = (uint32_t)operand(), b = (uint32_t)operand();

		put(qs1_isqrt64(a * b));
	}
	run(10, 384);
	for (uint32_t k = 0; k < VECTORS / 100; k++) {
		int32_t a = operand(), b = operand();

		wide_shifts(qs1_mul(a, b));
	}
	flush();
	return 0;
}
