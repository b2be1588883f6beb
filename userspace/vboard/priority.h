/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Real-time priority for the two processes that exchange a step each 50 us.
 *
 * An exchange needs both to run at the same time. With ordinary priority, a
 * third busy process delays each exchange by milliseconds. With real-time
 * priority, the two use a fifth of one processor and run when they are needed.
 * This needs the privilege; without it the simulation slips on a loaded machine.
 *
 * The board has the higher priority: two processes of the same level on one
 * processor would alternate by time slices instead of moving to two processors.
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
