/* SPDX-License-Identifier: GPL-2.0-only */
/* An event loop over epoll: descriptors and what to call when they are ready. */
#ifndef QS1_VBOARD_LOOP_H
#define QS1_VBOARD_LOOP_H

#include <stdint.h>

/**
 * struct watch - a descriptor being watched; its owner's memory
 * @fd: the descriptor
 * @ready: called with EPOLL* bits; may end any watch, its own included
 * @ctx: handed to @ready
 */
struct watch {
	int fd;
	void (*ready)(void *ctx, uint32_t events);
	void *ctx;
};

struct loop {
	int epoll_fd;
};

int loop_init(struct loop *loop);
int loop_add(struct loop *loop, struct watch *watch, uint32_t events);
int loop_change(struct loop *loop, struct watch *watch, uint32_t events);
void loop_remove(struct loop *loop, struct watch *watch);

/**
 * loop_poll() - serve at most one descriptor
 * @timeout_ms: how long to wait for one, -1 for ever
 *
 * One at a time, so that a callback may free what another watch belongs to.
 *
 * Return: descriptors served, 0 or 1.
 */
int loop_poll(struct loop *loop, int timeout_ms);

#endif /* QS1_VBOARD_LOOP_H */
