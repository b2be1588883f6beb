/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Start-up and system calls of a program in the PRU simulator of gdb: halt
 * carries out the call whose number (that of newlib) is in r1.
 */
	.section .init0, "ax"
	.global _start
_start:	ldi32	r2, _stack_top
	call	main
	ldi	r1, 1
	halt

	.text
	/* int sim_read(int fd, void *to, int bytes), int sim_write(int fd, const void *from, int bytes) */
	.global sim_read
sim_read:
	ldi	r1, 4
	halt
	ret

	.global sim_write
sim_write:
	ldi	r1, 5
	halt
	ret
