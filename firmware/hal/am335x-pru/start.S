/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where a PRU begins: it clears its variables, and main() has all of its stack. At
 * the second instruction it restarts, with its variables as they are.
 */
	.section .init0, "ax"
	.global _start
_start:
	jmp	1f
	ldi	r2, _stack_top
	jmp	main
1:	ldi	r14, __bss_start
	ldi	r15, __bss_end
	ldi	r16, 0
2:	qble	3f, r14, r15
	sbbo	r16, r14, 0, 4
	add	r14, r14, 4
	jmp	2b
3:	jmp	_start + 4
