/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The two functions that the PRU's compiler calls for copies and for clearing.
 * A burst carries as many bytes as r0.b0 says: here up to twelve registers.
 */
	.section .text.memcpy, "ax"
	.global memcpy
	.type memcpy, @function
	/* void *memcpy(void *to, const void *from, size_t bytes) */
memcpy:
	mov	r17, r14
1:	qbeq	2f, r16, 0
	min	r0, r16, 48
	lbbo	r18, r15, 0, r0.b0
	sbbo	r18, r17, 0, r0.b0
	add	r15, r15, r0
	add	r17, r17, r0
	sub	r16, r16, r0
	jmp	1b
2:	ret

	.section .text.memset, "ax"
	.global memset
	.type memset, @function
	/* void *memset(void *to, int value, size_t bytes) */
memset:
	mov	r17, r14
	mov	r18.b0, r15.b0
	mov	r18.b1, r15.b0
	mov	r18.w2, r18.w0
	mov	r19, r18
	mov	r20, r18
	mov	r21, r18
	mov	r22, r18
	mov	r23, r18
	mov	r24, r18
	mov	r25, r18
1:	qbeq	2f, r16, 0
	min	r0, r16, 32
	sbbo	r18, r17, 0, r0.b0
	add	r17, r17, r0
	sub	r16, r16, r0
	jmp	1b
2:	ret
