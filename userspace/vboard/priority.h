/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Real-time priority for the two processes that exchange a step each 50 us.
 *
 * An exchange needs both to run at the same time. Under the ordinary
 * scheduler a third busy process parts them for milliseconds at each step;
 * with real-time priority they take a fifth of one processor, at the right
 * moment. It needs the privilege; without it a loaded machine slips.
 *
 * The board is above the coprocessor: two of one level on one processor would
 * take turns by the slice instead of moving apart.
 */
#ifndef QS1_VBOARD_PRIORITY_H
#define QS1_VBOARD_PRIORITY_H

#include <sys/types.h>

#define PRIORITY_ORDINARY 0
#define PRIORITY_COPROC 1
#define PRIORITY_BOARD 2

/**
 * priority_set() - all threads of a process
 * @pid: the process
 * @level: real-time priority, 0 for an ordinary one
 *
 * Return: 0, or -EPERM without the privilege.
 */
int priority_set(pid_t pid, int level);

#endif /* QS1_VBOARD_PRIORITY_H */
