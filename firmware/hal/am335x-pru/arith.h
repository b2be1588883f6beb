/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The fixed-point primitives for the PRU, in place of those in core/fixed.h.
 *
 * The PRU's compiler shifts signed values bit by bit, widens 32 bits to 64 by
 * such a loop, and multiplies to 64 bits by a call that takes both factors so
 * widened. Here a shift is two to four instructions and the rest a call of a
 * routine in arith.S. Those take their operands in r14 to r17 and clobber few
 * other registers, so that the caller keeps its values in registers.
 */
#ifndef QS1_PRU_ARITH_H
#define QS1_PRU_ARITH_H

#include <stdint.h>

#define PRU_INLINE static inline __attribute__((always_inline))

/* Registers that a call clobbers: the return address and those of the multiplier. */
#define PRU_CALL(name) "call %%label(" #name ")"
#define PRU_SPOILS "r26", "r27", "r28", "r29", "r3.b2", "r3.b3"

/*
 * After the logical shift the sign stands in bit 31 - n. Where it is set the n
 * bits above become ones: whole bytes by ldi, the rest, %4, by or.
 */
#define PRU_ASR(skip, fill)                                                                        \
	__asm__("lsr %0, %1, %2\n\tqbbc .+" #skip ", %0, %3\n\t" fill                              \
		: "=r"(y)                                                                          \
		: "r"(x), "i"(n), "i"(31 - n), "i"(0xff00 >> (n - 1) % 8 >> 1 & 0xff))

PRU_INLINE int32_t qs1_asr(int32_t x, int n)
{
	int32_t y = x;

	if (n > 24)
		PRU_ASR(16, "ldi %0.w2, 0xffff\n\tldi %0.b1, 0xff\n\tor %0.b0, %0.b0, %4");
	else if (n > 16)
		PRU_ASR(12, "ldi %0.w2, 0xffff\n\tor %0.b1, %0.b1, %4");
	else if (n > 8)
		PRU_ASR(12, "ldi %0.b3, 0xff\n\tor %0.b2, %0.b2, %4");
	else if (n)
		PRU_ASR(8, "or %0.b3, %0.b3, %4");
	return y;
}

/* The number of the highest bit that is set; there is one. */
PRU_INLINE uint32_t qs1_highest(uint32_t bits)
{
	uint32_t n;

	__asm__("lmbd %0, %1, 1" : "=r"(n) : "r"(bits));
	return n;
}

PRU_INLINE int64_t qs1_wide(int32_t x)
{
	union {
		struct {
			int32_t low;
			int32_t high;
		};
		int64_t value;
	} wide = { { x, x < 0 ? -1 : 0 } };

	return wide.value;
}

PRU_INLINE int64_t qs1_mul(int32_t a, int32_t b)
{
	register int32_t r14 __asm__("r14") = a;
	register int32_t r15 __asm__("r15") = b;
	register int64_t product __asm__("r14");

	__asm__(PRU_CALL(qs1_pru_mul) : "=r"(product) : "r"(r14), "r"(r15) : PRU_SPOILS);
	return product;
}

PRU_INLINE int32_t pru_mulq30(int32_t a, int32_t b)
{
	register int32_t r14 __asm__("r14") = a;
	register int32_t r15 __asm__("r15") = b;

	__asm__(PRU_CALL(qs1_pru_mulq30) : "+r"(r14) : "r"(r15) : PRU_SPOILS);
	return r14;
}

PRU_INLINE int32_t qs1_mulsh(int32_t a, int32_t b, int n)
{
	register int32_t r14 __asm__("r14") = a;
	register int32_t r15 __asm__("r15") = b;
	register int32_t r16 __asm__("r16") = n;

	if (n == 30)
		return pru_mulq30(a, b);
	__asm__(PRU_CALL(qs1_pru_mulsh) : "+r"(r14), "+r"(r16) : "r"(r15) : PRU_SPOILS);
	return r14;
}

PRU_INLINE int32_t qs1_clamp(int32_t x, int32_t lo, int32_t hi)
{
	/* min and max compare without sign: let the order begin at INT32_MIN. */
	uint32_t y = (uint32_t)x ^ 0x80000000u;
	uint32_t least = (uint32_t)lo ^ 0x80000000u;
	uint32_t most = (uint32_t)hi ^ 0x80000000u;

	__asm__("max %0, %0, %1\n\tmin %0, %0, %2" : "+r"(y) : "r"(least), "r"(most));
	return (int32_t)(y ^ 0x80000000u);
}

/* The quotients: not by macro calls, for they also spoil r0 and r1. */
int64_t qs1_div(int64_t a, int32_t b);
uint64_t qs1_divu(uint64_t a, uint32_t b);

#endif /* QS1_PRU_ARITH_H */
