// SPDX-License-Identifier: GPL-2.0-only
#include "store.h"

#include <errno.h>
#include <string.h>

#include <sodium.h>

#include "../lib/sysfs.h"
#include "../lib/util.h"

/* systemd passes the boot ID, because /proc is hidden. */
#define BOOT_ID_VARIABLE "QS1_BOOT_ID"
#define BOOT_ID_FILE "/proc/sys/kernel/random/boot_id"

static void read_boot_id(uint8_t boot_id[RING_BOOT_ID_SIZE])
{
	const char *text = getenv(BOOT_ID_VARIABLE);
	char found[64];

	if (!text && sysfs_read_at(-1, BOOT_ID_FILE, found, sizeof(found)) >= 0) {
		text = found;
	}
	memset(boot_id, 0, RING_BOOT_ID_SIZE);
	if (text) {
		sodium_hex2bin(boot_id, RING_BOOT_ID_SIZE, text, strlen(text), "-", NULL, NULL);
	}
}

static struct ring_stamp stamp(const struct store *store, struct event_time now)
{
	struct ring_stamp stamp = { .mono_ms = now.mono_ms, .real_ms = now.real_ms };

	memcpy(stamp.boot_id, store->boot_id, sizeof(stamp.boot_id));
	return stamp;
}

/**
 * struct reading - the newest state while it is read
 * @store: where from
 * @persist: what it holds
 * @same_boot: it was written since the system started
 * @ret: 0 or -EINVAL
 */
struct reading {
	struct store *store;
	struct persist *persist;
	bool same_boot;
	int ret;
	char *err;
	size_t size;
};

static int take_state(void *ctx, const struct ring_header *header, const char *record)
{
	struct reading *reading = ctx;
	struct store *store = reading->store;

	reading->ret = persist_decode(record, header->length, store->state.path[0],
				      reading->persist, reading->err, reading->size);
	reading->same_boot = !memcmp(header->stamp.boot_id, store->boot_id, sizeof(store->boot_id));
	return 0;
}

static int load_state(struct store *store, struct persist *persist, char *err, size_t size)
{
	struct reading reading = {
		.store = store,
		.persist = persist,
		.ret = -EINVAL,
		.err = err,
		.size = size,
	};

	snprintf(err, size, "%s: all blocks are damaged", store->state.path[0]);
	ring_read(&store->state, store->state.seq, take_state, &reading);
	/* The firmware was started with the system: its counters begin at zero. */
	if (!reading.same_boot) {
		persist->boots++;
		memset(persist->energy.counter_mj, 0, sizeof(persist->energy.counter_mj));
	}
	return reading.ret;
}

static int take_events(void *ctx, const struct ring_header *header, const char *record)
{
	events_decode(ctx, record, header->length);
	return 0;
}

static int make_paths(struct store *store, const char *const folder[RING_FILES])
{
	static const char *const names[] = { "state", "events" };

	for (int ring = 0; ring < 2; ring++) {
		for (int n = 0; n < RING_FILES; n++) {
			if (asprintf(&store->path[ring][n], "%s/%s.%c", folder[n], names[ring],
				     'a' + n) < 0) {
				store->path[ring][n] = NULL;
				return -ENOMEM;
			}
		}
	}
	return 0;
}

int store_open(struct store *store, const struct ring_io *io, void *ctx,
	       const char *const folder[RING_FILES], struct event_time now, struct persist *persist,
	       struct events *events, struct store_pace *ret_pace, char *err, size_t size)
{
	int ret;

	*store = (struct store){ .boots = 0 };
	read_boot_id(store->boot_id);
	ret = make_paths(store, folder);
	if (ret < 0) {
		return ret;
	}
	ret = ring_open(&store->state, io, ctx, (const char *const *)store->path[0],
			STORE_STATE_BLOCKS);
	if (!ret) {
		ret = load_state(store, persist, err, size);
	} else {
		persist->boots++;
		snprintf(err, size, "%s: %s", store->path[0][0],
			 ret == -EINVAL ? "all blocks are damaged" : strerror(-ret));
	}
	store->boots = persist->boots;
	ring_open(&store->events, io, ctx, (const char *const *)store->path[1],
		  STORE_EVENTS_BLOCKS);
	ring_read(&store->events, 0, take_events, events);
	*ret_pace = (struct store_pace){
		.energy = persist->energy,
		.saved_ms = now.mono_ms,
		.events_stored = events->newest,
		.events_credit_ms = now.mono_ms - STORE_EVENTS_BURST * STORE_EVENTS_MS,
	};
	return ret;
}

void store_close(struct store *store)
{
	ring_close(&store->state);
	ring_close(&store->events);
	for (int ring = 0; ring < 2; ring++) {
		for (int n = 0; n < RING_FILES; n++) {
			free(store->path[ring][n]);
		}
	}
}

int store_save(struct store *store, const struct persist *persist, struct event_time now,
	       unsigned int copies)
{
	struct ring_stamp when = stamp(store, now);
	char text[RING_RECORD_MAX];
	int ret = persist_encode(persist, text, sizeof(text));

	return ret < 0 ? ret : ring_append(&store->state, &when, text, ret, copies);
}

int store_append_events(struct store *store, const char *text, size_t length, struct event_time now)
{
	struct ring_stamp when = stamp(store, now);

	return ring_append(&store->events, &when, text, length, 1);
}

bool store_is_due(const struct store_pace *pace, const struct energy *energy, int64_t mono_ms)
{
	bool waited = mono_ms - pace->saved_ms >= STORE_ENERGY_MS;

	if (mono_ms - pace->saved_ms < STORE_RETRY_MS) {
		return false;
	}
	for (int i = 0; i < ENERGY_COUNTERS; i++) {
		uint64_t since = energy->total_mj[i] - pace->energy.total_mj[i];

		if (since >= STORE_ENERGY_MJ || (since > 0 && waited)) {
			return true;
		}
	}
	return false;
}

int store_next_events(struct store_pace *pace, const struct events *events, int64_t mono_ms,
		      char text[RING_RECORD_MAX])
{
	const int64_t burst_ms = STORE_EVENTS_BURST * STORE_EVENTS_MS;

	if (pace->events_stored == events->newest ||
	    mono_ms - pace->events_credit_ms < STORE_EVENTS_MS) {
		return 0;
	}
	if (mono_ms - pace->events_credit_ms > burst_ms) {
		pace->events_credit_ms = mono_ms - burst_ms;
	}
	pace->events_credit_ms += STORE_EVENTS_MS;
	return events_encode(events, pace->events_stored + 1, text, RING_RECORD_MAX);
}
