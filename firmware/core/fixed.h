/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Fixed-point primitives: all of the core's arithmetic beyond +, - and compare.
 *
 * Each has one portable definition here; a target whose compiler does badly
 * with one of them replaces it by assembly that gives the same bits. Right
 * shifts of negative values are arithmetic on every compiler we build with and
 * are spelled qs1_asr() so that a target can replace them too.
 */
#ifndef QS1_FIXED_H
#define QS1_FIXED_H

#include <stdint.h>

/* Q30 constant from a literal, folded by the compiler: |x| < 2. */
#define QS1_Q30(x) ((int32_t)((x)*1073741824.0 + ((x) < 0 ? -0.5 : 0.5)))

#ifdef QS1_ARITH /* a header of the target's, with the same bits */
#include QS1_ARITH
#else

static inline int32_t qs1_asr(int32_t x, int n)
{
	return x >> n;
}

static inline int64_t qs1_wide(int32_t x)
{
	return x;
}

static inline int64_t qs1_mul(int32_t a, int32_t b)
{
	return (int64_t)a * b;
}

/* (a * b) / 2^n, rounded down; n is a constant from 0 to 63 */
static inline int32_t qs1_mulsh(int32_t a, int32_t b, int n)
{
	return (int32_t)(((int64_t)a * b) >> n);
}

/* Quotients, rounded towards zero. */
static inline int64_t qs1_div(int64_t a, int32_t b)
{
	return a / b;
}

static inline uint64_t qs1_divu(uint64_t a, uint32_t b)
{
	return a / b;
}

/* lo is not above hi */
static inline int32_t qs1_clamp(int32_t x, int32_t lo, int32_t hi)
{
	return x < lo ? lo : x > hi ? hi : x;
}

#endif

/* a * b where one of them is Q30, in the format of the other */
static inline int32_t qs1_mulq30(int32_t a, int32_t b)
{
	return qs1_mulsh(a, b, 30);
}

static inline int32_t qs1_abs(int32_t x)
{
	return x < 0 ? -x : x;
}

/* Square root of a 32-bit value, rounded down; 16 steps, no division. */
static inline uint32_t qs1_isqrt32(uint32_t x)
{
	uint32_t root = 0, bit = 1u << 30;

	for (int i = 0; i < 16; i++) {
		uint32_t trial = root + bit;

		root >>= 1;
		if (x >= trial) {
			x -= trial;
			root += bit;
		}
		bit >>= 2;
	}
	return root;
}

/**
 * struct qs1_root - square root of a 64-bit value in progress, QS1_ROOT_STEPS steps in all
 */
struct qs1_root {
	uint64_t x;
	uint64_t root;
	uint64_t bit;
};

#define QS1_ROOT_STEPS 32

/* Begin; then run n steps at a time. After the last one @root is the result, rounded down. */
void qs1_root_begin(struct qs1_root *r, uint64_t x);
void qs1_root_run(struct qs1_root *r, int n);

/* The same in one call; too long for a control period. */
uint32_t qs1_isqrt64(uint64_t x);

/* Sine of a phase where 2^32 is one turn, Q30; error below 8e-5. */
int32_t qs1_sin(uint32_t phase);

static inline int32_t qs1_cos(uint32_t phase)
{
	return qs1_sin(phase + 0x40000000u);
}

#endif /* QS1_FIXED_H */
