// SPDX-License-Identifier: GPL-2.0-only
#include "storage.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>

#include "../lib/thread.h"
#include "../lib/util.h"

static void report(struct storage *storage)
{
	memcpy(storage->result.error, storage->store->state.error, sizeof(storage->result.error));
	eventfd_write(storage->fd, 1);
}

/* Called with the lock, which it gives up while the disk works. */
static void save(struct storage *storage)
{
	struct persist persist = storage->persist;
	int ret;

	storage->has_state = false;
	pthread_mutex_unlock(&storage->lock);
	ret = store_save(storage->store, &persist, storage->persist_time, storage->copies);
	pthread_mutex_lock(&storage->lock);
	storage->result.saved = true;
	storage->result.save_result = ret;
	report(storage);
}

/* The text stays where it is until the result was taken. */
static void append(struct storage *storage)
{
	int ret;

	storage->has_events = false;
	pthread_mutex_unlock(&storage->lock);
	ret = store_append_events(storage->store, storage->events, storage->events_length,
				  storage->events_time);
	pthread_mutex_lock(&storage->lock);
	storage->result.appended = true;
	storage->result.append_result = ret;
	report(storage);
}

static void *run(void *ctx)
{
	struct storage *storage = ctx;

	pthread_mutex_lock(&storage->lock);
	while (!storage->ends || storage->has_state || storage->has_events) {
		if (storage->has_state) {
			save(storage);
		} else if (storage->has_events) {
			append(storage);
		} else {
			pthread_cond_wait(&storage->wake, &storage->lock);
		}
	}
	pthread_mutex_unlock(&storage->lock);
	return NULL;
}

int storage_start(struct storage *storage, struct store *store)
{
	int ret;

	*storage = (struct storage){
		.store = store,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.wake = PTHREAD_COND_INITIALIZER,
	};
	storage->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (storage->fd < 0) {
		return -errno;
	}
	ret = thread_start(&storage->thread, "storage", run, storage);
	if (ret < 0) {
		close_fd(&storage->fd);
	}
	return ret;
}

void storage_stop(struct storage *storage)
{
	pthread_mutex_lock(&storage->lock);
	storage->ends = true;
	pthread_cond_signal(&storage->wake);
	pthread_mutex_unlock(&storage->lock);
	pthread_join(storage->thread, NULL);
	close_fd(&storage->fd);
}

void storage_save(struct storage *storage, const struct persist *persist, struct event_time now,
		  unsigned int copies)
{
	pthread_mutex_lock(&storage->lock);
	storage->has_state = true;
	storage->persist = *persist;
	storage->persist_time = now;
	storage->copies = copies;
	pthread_cond_signal(&storage->wake);
	pthread_mutex_unlock(&storage->lock);
}

void storage_append(struct storage *storage, const char *text, size_t length, struct event_time now)
{
	pthread_mutex_lock(&storage->lock);
	storage->has_events = true;
	memcpy(storage->events, text, length);
	storage->events_length = length;
	storage->events_time = now;
	pthread_cond_signal(&storage->wake);
	pthread_mutex_unlock(&storage->lock);
}

struct storage_result storage_take(struct storage *storage)
{
	struct storage_result result;
	eventfd_t count;

	pthread_mutex_lock(&storage->lock);
	eventfd_read(storage->fd, &count);
	result = storage->result;
	storage->result.saved = false;
	storage->result.appended = false;
	pthread_mutex_unlock(&storage->lock);
	return result;
}
