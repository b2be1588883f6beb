/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A process that may compute, write what it has found, and end: nothing else. */
#ifndef QS1_SANDBOX_H
#define QS1_SANDBOX_H

#include <stddef.h>

/**
 * sandbox_enter() - give up all rights that decoding does not need
 * @memory: limit of the address space, bytes
 * @seconds: after which SIGALRM ends the process
 *
 * Afterwards, system calls beside memory, reading, writing and seeking in open files, and exit fail
 * with EPERM. It cannot be undone.
 *
 * Return: 0 or a negative errno.
 */
int sandbox_enter(size_t memory, unsigned int seconds);

#endif /* QS1_SANDBOX_H */
