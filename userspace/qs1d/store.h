/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What qs1d keeps over a loss of power: the state, and the event log, each in a
 * ring of its own (ring.h), the two files of which lie in two folders.
 *
 * Flash wear. A write is one block of RING_BLOCK = 4096 bytes. Energy is written
 * each STORE_ENERGY_MS while it changes, or when STORE_ENERGY_MJ have come
 * together: at most 1440 + 28.8 kWh / 9 Wh = 4640 blocks a day, 19.0 MB, for a
 * unit that feeds 1200 W day and night; 12 hours with 8 kWh are at most
 * 720 + 889 blocks, 6.6 MB. Events: STORE_EVENTS_BURST blocks at once, then one
 * each STORE_EVENTS_MS: at most 1440 + 10 blocks a day, 5.9 MB. A command or a
 * latch is two blocks.
 *
 * Loss. After a cut the newest record stands: what is lost of each counter is
 * below STORE_ENERGY_MJ and what a second's reading brings, 9 Wh + 0.34 Wh at
 * 1200 W. If that record is destroyed as well, the one before it stands: below
 * 20 Wh.
 */
#ifndef QS1D_STORE_H
#define QS1D_STORE_H

#include "events.h"
#include "persist.h"
#include "ring.h"

#define STORE_STATE_BLOCKS 16
#define STORE_EVENTS_BLOCKS 64
#define STORE_ENERGY_MS 60000
#define STORE_ENERGY_MJ 32400000u
/* Between two attempts at what failed; energy is never due sooner. */
#define STORE_RETRY_MS 5000
#define STORE_EVENTS_MS 60000
#define STORE_EVENTS_BURST 10

/**
 * struct store - both rings, open
 * @state: records of persist.h
 * @events: records of events.h
 * @boot_id: of the running system; zeros when unknown
 * @boots: number of this start of the system
 * @energy: as it is on stable storage
 * @saved_ms: monotonic time of the last attempt to save
 */
struct store {
	struct ring state;
	struct ring events;
	uint8_t boot_id[RING_BOOT_ID_SIZE];
	uint32_t boots;
	struct energy energy;
	int64_t saved_ms;

	char *path[2][RING_FILES];
	uint64_t events_stored;
	int64_t events_credit_ms;
};

/**
 * store_open() - open both rings, and read the newest state and the events
 * @io: ring_io_files but for tests
 * @folder: of each copy
 * @now: time
 * @persist: holds the state of a unit that has never been used; and then the
 *           kept one, as far as it can be read
 * @events: empty; and then the kept ones
 * @err: on -EINVAL, the reason
 *
 * Return: 0; -ENOENT when nothing was ever stored; -EINVAL when something was
 * and can not be understood; the negative errno of files that can not be
 * opened; -ENOMEM. All but the last leave an open store.
 */
int store_open(struct store *store, const struct ring_io *io, void *ctx,
	       const char *const folder[RING_FILES], struct event_time now, struct persist *persist,
	       struct events *events, char *err, size_t size);
void store_close(struct store *store);

/**
 * store_save() - put the state on stable storage
 * @copies: 1 for energy alone; RING_FILES for what must not be lost
 *
 * Return: 0, or a negative errno; then the former state stands.
 */
int store_save(struct store *store, const struct persist *persist, struct event_time now,
	       unsigned int copies);

/* Energy has come together, or waited, for long enough to be saved. */
bool store_is_due(const struct store *store, const struct energy *energy, int64_t mono_ms);

/**
 * store_events() - put new events on stable storage, if their turn has come
 *
 * Return: 0, or a negative errno; then they are tried again at their next turn.
 */
int store_events(struct store *store, const struct events *events, struct event_time now);

#endif /* QS1D_STORE_H */
