/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads of a daemon whose memory is locked. */
#ifndef QS1_THREAD_H
#define QS1_THREAD_H

#include <pthread.h>

/**
 * thread_start() - start a thread with a small stack, and with all signals blocked
 * @name: as ps shows it, 15 characters at most
 *
 * Return: 0 or a negative errno.
 */
int thread_start(pthread_t *ret_thread, const char *name, void *(*run)(void *ctx), void *ctx);

#endif /* QS1_THREAD_H */
