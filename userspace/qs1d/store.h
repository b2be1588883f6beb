/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What qs1d keeps over a loss of power: the state and the event log. Each is a ring
 * (ring.h) with a file in each of two folders.
 *
 * Flash wear. A write is one block of RING_BLOCK = 4096 bytes. Energy is written
 * each STORE_ENERGY_MS while it changes, or each STORE_ENERGY_MJ: at most 1440 + 28.8 kWh / 9 Wh =
 * 4640 blocks a day, 19.0 MB, for a unit that feeds 1200 W day and night; 12 hours with 8 kWh are
 * at most 720 + 889 blocks, 6.6 MB. Events: STORE_EVENTS_BURST blocks at once, then one each
 * STORE_EVENTS_MS: at most 1440 + 10 blocks a day, 5.9 MB. A command or a latch is two blocks.
 *
 * Loss. After a cut the newest record is valid. Each counter loses less than
 * STORE_ENERGY_MJ and one second's reading: 9 Wh + 0.34 Wh at 1200 W. If that record
 * is destroyed as well, the one before it is valid: less than 20 Wh.
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
 * struct store_pace - what has been stored, and when
 * @energy: as it is on stable storage
 * @saved_ms: monotonic time of the last attempt to save
 * @events_stored: number of the newest event on stable storage
 * @events_credit_ms: turns that are left for events, as a time
 */
struct store_pace {
	struct energy energy;
	int64_t saved_ms;
	uint64_t events_stored;
	int64_t events_credit_ms;
};

/**
 * struct store - both rings, open
 * @state: records of persist.h
 * @events: records of events.h
 * @boot_id: of the running system; zeros when unknown
 * @boots: number of this start of the system
 */
struct store {
	struct ring state;
	struct ring events;
	uint8_t boot_id[RING_BOOT_ID_SIZE];
	uint32_t boots;

	char *path[2][RING_FILES];
};

/**
 * store_open() - open both rings, and read the newest state and the events
 * @io: ring_io_files but for tests
 * @folder: of each copy
 * @now: time
 * @persist: in: the state of a new unit; out: the kept one, as far as it can be
 *           read
 * @events: in: empty; out: the kept ones
 * @ret_pace: written in any case but -ENOMEM
 * @err: on failure, the reason
 *
 * Return: 0; -ENOENT when nothing is stored; -EINVAL when what is stored cannot
 * be understood; -EBUSY when another process has it open; the negative errno of
 * files that cannot be opened; -ENOMEM. All but the last leave an open store.
 */
int store_open(struct store *store, const struct ring_io *io, void *ctx,
	       const char *const folder[RING_FILES], struct event_time now, struct persist *persist,
	       struct events *events, struct store_pace *ret_pace, char *err, size_t size);
void store_close(struct store *store);

/**
 * store_save() - put the state on stable storage
 * @copies: 1 for energy alone; RING_FILES for what must not be lost
 *
 * Return: 0, or a negative errno; then the former state is valid.
 */
int store_save(struct store *store, const struct persist *persist, struct event_time now,
	       unsigned int copies);

/* Put the text of store_next_events() on stable storage. Return: 0 or a negative errno. */
int store_append_events(struct store *store, const char *text, size_t length,
			struct event_time now);

/* Is it time to save the energy? */
bool store_is_due(const struct store_pace *pace, const struct energy *energy, int64_t mono_ms);

/**
 * store_next_events() - events that are not stored, if it is their turn
 * @text: RING_RECORD_MAX bytes
 *
 * Return: the length of the text, 0 when nothing is due. The turn is used up;
 * once they are stored, the caller sets @pace->events_stored.
 */
int store_next_events(struct store_pace *pace, const struct events *events, int64_t mono_ms,
		      char text[RING_RECORD_MAX]);

#endif /* QS1D_STORE_H */
