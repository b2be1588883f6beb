/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Arithmetic of the PRU, see arith.h and core/fixed.h.
 *
 * The multiplier takes unsigned r28 and r29 in each cycle and has the 64 bits
 * of their product for xin in the cycle after next (AM335x TRM 4.4.1.2.3,
 * multiply-only mode, as after reset). A factor that is negative counts 2^32
 * too much, which the high half loses again: the other factor, once.
 */

	.macro function name
	.section .text.\name, "ax"
	.global \name
	.type \name, @function
\name:
	.endm

	/* r27:r26 = r14 * r15, signed */
	.macro product
	mov	r28, r14
	mov	r29, r15
	nop
	xin	0, r26, 8
	qbbc	.+8, r14, 31
	sub	r27, r27, r15
	qbbc	.+8, r15, 31
	sub	r27, r27, r14
	.endm

	/* r15:r14 = r14 * r15 */
	function qs1_pru_mul
	product
	mov	r14, r26
	mov	r15, r27
	ret

	/* r14 = r14 * r15 / 2^30 */
	function qs1_pru_mulq30
	product
	lsl	r27, r27, 2
	lsr	r26, r26, 30
	or	r14, r26, r27
	ret

	/*
	 * r14 = r14 * r15 / 2^r16, r16 from 0 to 63. Shifts take five bits of
	 * their distance: below 32 the high half goes left by 32 - r16 in two
	 * steps, for a distance of 32 would be none.
	 */
	function qs1_pru_mulsh
	product
	qbbs	1f, r16, 5
	lsr	r26, r26, r16
	rsb	r16, r16, 31
	lsl	r27, r27, 1
	lsl	r27, r27, r16
	or	r14, r26, r27
	ret
1:	lsr	r14, r27, r16
	qbbc	2f, r27, 31
	fill	r26, 4
	lsr	r26, r26, r16
	not	r26, r26
	or	r14, r14, r26
2:	ret

	/*
	 * One bit of a quotient by \den, less than 2^31: the dividend, whose
	 * highest bit is in the carry, moves into the remainder.
	 */
	.macro quotient_bit rem, den
	adc	\rem, \rem, \rem
	qbgt	1f, \rem, \den
	sub	\rem, \rem, \den
	add	r14, r14, 1
1:
	.endm

	/* The same by any \den: r0 is 0, r1 what overflows the remainder. */
	.macro quotient_bit_any rem, den
	adc	\rem, \rem, \rem
	adc	r1, r0, r0
	qbne	1f, r1, 0
	qbgt	2f, \rem, \den
1:	sub	\rem, \rem, \den
	add	r14, r14, 1
2:
	.endm

	/* 64 bits by 32: r15:r14 by r16, negated where r17 is not 0 */
	function qs1_divu
	ldi	r17, 0
	ldi	r18, 0
	qbbc	.Ldivide, r16, 31
	ldi	r0, 0
	ldi	r19, 64
.Lany:	add	r14, r14, r14
	adc	r15, r15, r15
	quotient_bit_any r18, r16
	sub	r19, r19, 1
	qbne	.Lany, r19, 0
	ret

	.global qs1_div
	.type qs1_div, @function
qs1_div:
	xor	r17, r15, r16
	lsr	r17, r17, 31
	ldi	r18, 0
	qbbc	1f, r15, 31
	rsb	r14, r14, 0
	rsc	r15, r15, 0
1:	qbbc	.Ldivide, r16, 31
	rsb	r16, r16, 0
	qbbs	.Llowest, r16, 31
.Ldivide:
	ldi	r19, 16
.Lbits:	.rept 4
	add	r14, r14, r14
	adc	r15, r15, r15
	quotient_bit r18, r16
	.endr
	sub	r19, r19, 1
	qbne	.Lbits, r19, 0
.Lsign:	qbeq	1f, r17, 0
	rsb	r14, r14, 0
	rsc	r15, r15, 0
1:	ret
.Llowest:	/* by -2^31: shifted */
	lsr	r14, r14, 31
	lsl	r18, r15, 1
	or	r14, r14, r18
	lsr	r15, r15, 31
	jmp	.Lsign

	/*
	 * What the compiler calls for quotients of 32 bits: r14 by r15, negated
	 * where r17 is not 0; the remainder is r16.
	 */
	function __pruabi_divu
	ldi	r17, 0
.Lunsigned:
	ldi	r16, 0
	qbbc	.Ldivide32, r15, 31
	mov	r16, r14
	ldi	r14, 0
	qbgt	1f, r16, r15
	ldi	r14, 1
	sub	r16, r16, r15
1:	ret

	.global __pruabi_divi
	.type __pruabi_divi, @function
__pruabi_divi:
	xor	r17, r14, r15
	lsr	r17, r17, 31
	qbbc	1f, r14, 31
	rsb	r14, r14, 0
1:	qbbc	1f, r15, 31
	rsb	r15, r15, 0
1:	ldi	r16, 0
	qbbc	.Ldivide32, r15, 31
	lsr	r14, r14, 31
	jmp	.Lsign32
.Ldivide32:
	ldi	r18, 4
.Lbits32:
	.rept 8
	add	r14, r14, r14
	quotient_bit r16, r15
	.endr
	sub	r18, r18, 1
	qbne	.Lbits32, r18, 0
.Lsign32:
	qbeq	1f, r17, 0
	rsb	r14, r14, 0
1:	ret

	function __pruabi_remu
	mov	r19.w0, r3.w2
	ldi	r17, 0
	call	.Lunsigned
	mov	r14, r16
	jmp	r19.w0

	/* What the compiler calls for signed shifts of 64 bits: r15:r14 by r16.b0. */
	function __pruabi_asrll
	ldi	r18, 0
	qbbc	1f, r15, 31
	fill	r18, 4
1:	mov	r17, r18
	lsr	r17, r17, r16.b0
	xor	r17, r17, r18
	lsr	r19, r15, r16.b0
	or	r19, r19, r17
	qbbs	2f, r16.b0, 5
	lsr	r14, r14, r16.b0
	rsb	r17, r16.b0, 31
	lsl	r15, r15, 1
	lsl	r15, r15, r17
	or	r14, r14, r15
	mov	r15, r19
	ret
2:	mov	r14, r19
	mov	r15, r18
	ret

	/* void qs1_root_run(struct qs1_root *r, int n): x r16, root r18, bit r20 */
	function qs1_root_run
	lbbo	r16, r14, 0, 24
1:	qbeq	3f, r15, 0
	sub	r15, r15, 1
	add	r22, r18, r20
	adc	r23, r19, r21
	lsr	r18, r18, 1
	qbbc	.+8, r19, 0
	set	r18, r18, 31
	lsr	r19, r19, 1
	sub	r24, r16, r22
	suc	r25, r17, r23
	suc	r26, r26, r26
	qbne	2f, r26, 0
	mov	r16, r24
	mov	r17, r25
	add	r18, r18, r20
	adc	r19, r19, r21
2:	lsr	r20, r20, 2
	lsl	r22, r21, 30
	or	r20, r20, r22
	lsr	r21, r21, 2
	jmp	1b
3:	sbbo	r16, r14, 0, 24
	ret
