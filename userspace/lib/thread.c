// SPDX-License-Identifier: GPL-2.0-or-later
#include "thread.h"

#include <signal.h>

/* What mlockall() locks of each thread. */
#define STACK_SIZE (256 * 1024)

int thread_start(pthread_t *ret_thread, const char *name, void *(*run)(void *ctx), void *ctx)
{
	pthread_attr_t attr;
	sigset_t all, before;
	int ret;

	sigfillset(&all);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	ret = pthread_create(ret_thread, &attr, run, ctx);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	if (!ret) {
		pthread_setname_np(*ret_thread, name);
	}
	return -ret;
}
