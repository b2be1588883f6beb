/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The storage thread. Once the daemon runs, only this thread accesses the store, so
 * that a slow disk delays only the commands that have to be stored.
 *
 * The protection thread hands over at most one state and one text of events at
 * a time, and gets a result for each through an eventfd. A lock is held for
 * copying only, never during a write or a sync.
 */
#ifndef QS1D_STORAGE_H
#define QS1D_STORAGE_H

#include <pthread.h>
#include <stdbool.h>

#include "store.h"

/**
 * struct storage_result - finished jobs
 * @saved: a state, with @save_result
 * @save_result: 0 or a negative errno
 * @appended: a text of events, with @append_result
 * @append_result: 0 or a negative errno
 * @error: of each file of the state, as in struct ring
 */
struct storage_result {
	bool saved;
	int save_result;
	bool appended;
	int append_result;
	int error[RING_FILES];
};

/**
 * struct storage - the thread and its jobs; opaque except @fd
 * @fd: eventfd, readable when there is a result
 */
struct storage {
	int fd;

	struct store *store;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool ends;

	bool has_state;
	struct persist persist;
	struct event_time persist_time;
	unsigned int copies;

	bool has_events;
	char events[RING_RECORD_MAX];
	size_t events_length;
	struct event_time events_time;

	struct storage_result result;
};

/**
 * storage_start() - start the thread
 * @store: open; of the thread until storage_stop() has returned
 *
 * Return: 0 or a negative errno.
 */
int storage_start(struct storage *storage, struct store *store);

/* End the thread after its last job; waits for the disk. */
void storage_stop(struct storage *storage);

/* Hand over a state. The one before must have ended. */
void storage_save(struct storage *storage, const struct persist *persist, struct event_time now,
		  unsigned int copies);

/* Hand over a text of store_next_events(). The one before must have ended. */
void storage_append(struct storage *storage, const char *text, size_t length,
		    struct event_time now);

/* Take what has ended since the last call. */
struct storage_result storage_take(struct storage *storage);

#endif /* QS1D_STORAGE_H */
