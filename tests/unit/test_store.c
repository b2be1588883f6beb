// SPDX-License-Identifier: GPL-2.0-only
/*
 * The store survives a power cut: simulated disks lose power at every write and
 * keep any part of the blocks that were not synced.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crc32c.h"
#include "store.h"

#define SECTOR 512
#define FILES (2 * RING_FILES)
#define FILE_SIZE (STORE_EVENTS_BLOCKS * RING_BLOCK)
#define PENDING_MAX 8

/* A disk's content: the two files of the state, then the two of the event log. */
struct image {
	unsigned char file[FILES][FILE_SIZE];
};

/**
 * struct disk - a disk with a cache
 * @safe: content that survives a power cut
 * @live: content that a reader sees before the cut
 * @pending: blocks that were written since the last sync of their file
 * @no_events: refuse the event log's files, which makes recovery faster
 * @fail_after: the operation from which all fail, counted from 1; 0 for never
 * @bad_file: number of a file that cannot be written, -1 for none
 * @error: negative errno that a failing operation returns
 * @cut: called before and after each write, or NULL
 */
struct disk {
	struct image *safe;
	struct image *live;
	struct {
		int file;
		size_t at;
	} pending[PENDING_MAX];
	int pending_count;
	bool no_events;
	int fail_after;
	int bad_file;
	int error;
	void (*cut)(struct disk *disk);
};

static uint32_t seed = 1;

static uint32_t draw(uint32_t below)
{
	seed = seed * 1664525u + 1013904223u;
	return (uint64_t)(seed >> 8) * below >> 24;
}

static void maybe_cut(struct disk *disk)
{
	if (disk->cut) {
		disk->cut(disk);
	}
}

/* Count one operation; true from operation @fail_after on. */
static bool fails(struct disk *disk)
{
	if (disk->fail_after > 1) {
		disk->fail_after--;
	}
	return disk->fail_after == 1;
}

static int disk_open(void *ctx, const char *path, size_t size)
{
	struct disk *disk = ctx;
	bool events = strstr(path, "events");

	assert_true(size <= FILE_SIZE);
	if (disk->no_events && events) {
		return -ENOSPC;
	}
	return 2 * events + (path[strlen(path) - 1] - 'a');
}

static int disk_read(void *ctx, int file, void *buf, size_t n, size_t at)
{
	struct disk *disk = ctx;

	memcpy(buf, disk->live->file[file] + at, n);
	return 0;
}

static int disk_write(void *ctx, int file, const void *buf, size_t n, size_t at)
{
	struct disk *disk = ctx;

	maybe_cut(disk);
	if (fails(disk) || file == disk->bad_file) {
		return disk->error;
	}
	assert_int_equal(n, RING_BLOCK);
	assert_in_range(disk->pending_count, 0, PENDING_MAX - 1);
	memcpy(disk->live->file[file] + at, buf, n);
	disk->pending[disk->pending_count].file = file;
	disk->pending[disk->pending_count++].at = at;
	maybe_cut(disk);
	return 0;
}

static int disk_sync(void *ctx, int file)
{
	struct disk *disk = ctx;
	int left = 0;

	if (fails(disk)) {
		return disk->error;
	}
	for (int i = 0; i < disk->pending_count; i++) {
		size_t at = disk->pending[i].at;

		if (disk->pending[i].file == file) {
			memcpy(disk->safe->file[file] + at, disk->live->file[file] + at,
			       RING_BLOCK);
		} else {
			disk->pending[left++] = disk->pending[i];
		}
	}
	disk->pending_count = left;
	return 0;
}

static void disk_close(void *ctx, int file)
{
	(void)ctx;
	(void)file;
}

static const struct ring_io io = {
	.open = disk_open,
	.read = disk_read,
	.write = disk_write,
	.sync = disk_sync,
	.close = disk_close,
};

static struct disk new_disk(void)
{
	struct disk disk = {
		.safe = calloc(1, sizeof(*disk.safe)),
		.live = calloc(1, sizeof(*disk.live)),
		.bad_file = -1,
	};

	assert_non_null(disk.safe);
	assert_non_null(disk.live);
	return disk;
}

static void free_disk(struct disk *disk)
{
	free(disk->safe);
	free(disk->live);
}

/*
 * Content after a power cut. Of each block that was not synced, any of its
 * sectors may have been written; some hold neither old nor new data.
 */
static void leave_after_cut(const struct disk *disk, struct image *left)
{
	memcpy(left, disk->safe, sizeof(*left));
	for (int i = 0; i < disk->pending_count; i++) {
		int file = disk->pending[i].file;
		uint32_t kind = draw(4);

		for (size_t at = disk->pending[i].at; at < disk->pending[i].at + RING_BLOCK;
		     at += SECTOR) {
			bool arrived = kind == 0 || (kind > 1 && draw(2));

			if (arrived) {
				memcpy(left->file[file] + at, disk->live->file[file] + at, SECTOR);
			}
			if (kind == 3 && draw(8) == 0) {
				memset(left->file[file] + at, draw(256), SECTOR);
			}
		}
	}
}

/* The simulated unit: its true state, and the state that it reported as stored. */

static const char *const folders[RING_FILES] = { "/a", "/b" };
static struct image left; /* content after the power cut */
static struct image broken;

static struct {
	struct store store;
	struct store_pace pace;
	struct persist persist;	 /* in the daemon's memory */
	struct persist reported; /* of the last save that succeeded */
	struct persist trying;	 /* of the save in progress */
	struct events events;
	struct event_time now;
	int cuts;
	int torn;
	int erased;
	uint64_t worst_mj;
	uint64_t worst_erased_mj;
} unit;

static struct persist first_state(void)
{
	struct persist persist = { 0 };

	strcpy(persist.policy.profile.name, "note1");
	for (int id = 0; id < QS1_PARAM_COUNT; id++) {
		if (qs1_param_desc(id)->group == QS1_PARAM_GROUP_PROFILE) {
			persist.policy.profile.value[id] = qs1_param_desc(id)->def;
		}
	}
	return persist;
}

static int open_on(struct disk *disk, struct store *store, struct persist *persist,
		   struct events *events)
{
	static char err[QS1_PROFILE_ERR_SIZE];
	struct store_pace other, *pace = store == &unit.store ? &unit.pace : &other;

	*persist = first_state();
	*events = (struct events){ 0 };
	return store_open(store, &io, disk, folders, unit.now, persist, events, pace, err,
			  sizeof(err));
}

static bool same_state(const struct persist *a, const struct persist *b)
{
	return !memcmp(&a->policy, &b->policy, sizeof(a->policy)) &&
	       !memcmp(a->energy.total_mj, b->energy.total_mj, sizeof(a->energy.total_mj));
}

static uint64_t lost_mj(const struct persist *found)
{
	uint64_t most = 0;

	for (int i = 0; i < ENERGY_COUNTERS; i++) {
		uint64_t truth = unit.persist.energy.total_mj[i];

		/* Never more than was counted. */
		assert_true(found->energy.total_mj[i] <= truth);
		most = truth - found->energy.total_mj[i] > most ? truth - found->energy.total_mj[i]
								: most;
	}
	return most;
}

/* After a power cut the unit finds the state last reported as stored, or a newer one. */
static void check_recovery(void)
{
	struct disk disk = { .safe = &left, .live = &left, .no_events = true };
	struct persist found;
	struct events events;
	struct store store;
	uint64_t lost;

	assert_int_equal(open_on(&disk, &store, &found, &events), 0);
	assert_true(same_state(&found, &unit.reported) || same_state(&found, &unit.trying));
	lost = lost_mj(&found);
	unit.worst_mj = lost > unit.worst_mj ? lost : unit.worst_mj;
	unit.torn += store.state.damaged > 0;
	store_close(&store);
}

/* The power cut also destroyed a flash erase block with all of one file. */
static void check_erased(void)
{
	struct disk disk = { .safe = &broken, .live = &broken, .no_events = true };
	struct persist found;
	struct events events;
	struct store store;
	uint64_t lost;

	broken = left;
	memset(broken.file[draw(RING_FILES)], 0xff, STORE_STATE_BLOCKS * RING_BLOCK);
	assert_int_equal(open_on(&disk, &store, &found, &events), 0);
	/* Latches and commanded settings have a copy in each file. */
	assert_true(!memcmp(&found.policy, &unit.reported.policy, sizeof(found.policy)) ||
		    !memcmp(&found.policy, &unit.trying.policy, sizeof(found.policy)));
	lost = lost_mj(&found);
	unit.worst_erased_mj = lost > unit.worst_erased_mj ? lost : unit.worst_erased_mj;
	unit.erased++;
	store_close(&store);
}

static void cut_here(struct disk *disk)
{
	leave_after_cut(disk, &left);
	check_recovery();
	unit.cuts++;
	/* While the second copy is being written, only the first is complete. */
	if (!disk->pending_count && draw(4) == 0) {
		check_erased();
	}
}

static void save(unsigned int copies)
{
	unit.trying = unit.persist;
	unit.pace.saved_ms = unit.now.mono_ms;
	assert_int_equal(store_save(&unit.store, &unit.persist, unit.now, copies), 0);
	unit.pace.energy = unit.persist.energy;
	unit.reported = unit.persist;
}

/* Store the events that are due. */
static void append_events(void)
{
	char text[RING_RECORD_MAX];
	int length = store_next_events(&unit.pace, &unit.events, unit.now.mono_ms, text);

	if (length > 0) {
		assert_int_equal(store_append_events(&unit.store, text, length, unit.now), 0);
		unit.pace.events_stored = unit.events.newest;
	}
}

/* One second of at most 1200 W. */
static void count_second(uint64_t counter[ENERGY_COUNTERS], uint32_t epoch)
{
	unit.now.mono_ms += 1000;
	unit.now.real_ms += 1000;
	for (int i = 0; i < ENERGY_COUNTERS; i++) {
		counter[i] += draw(i == ENERGY_GRID ? 1200000 : 300000);
	}
	energy_update(&unit.persist.energy, epoch, counter);
	if (store_is_due(&unit.pace, &unit.persist.energy, unit.now.mono_ms)) {
		save(1);
	}
}

static void change_policy(void)
{
	struct policy_kept *kept = &unit.persist.policy;

	switch (draw(4)) {
	case 0:
		kept->ground_fault = !kept->ground_fault;
		break;
	case 1:
		kept->shutdown = !kept->shutdown;
		break;
	case 2:
		kept->set[QS1_PARAM_POWER_LIMIT_W] = true;
		kept->value[QS1_PARAM_POWER_LIMIT_W] = draw(1200);
		break;
	default:
		kept->profile.value[QS1_PARAM_ES_DELAY_S] = draw(600);
		break;
	}
	save(RING_FILES);
}

/* Lose power now and restart the unit from the remaining content. */
static void lose_power(struct disk *disk)
{
	struct persist before = unit.reported;

	leave_after_cut(disk, &left);
	*disk->safe = left;
	*disk->live = left;
	disk->pending_count = 0;
	store_close(&unit.store);
	assert_int_equal(open_on(disk, &unit.store, &unit.persist, &unit.events), 0);
	for (int i = 0; i < ENERGY_COUNTERS; i++) {
		assert_true(unit.persist.energy.total_mj[i] >= before.energy.total_mj[i]);
	}
	unit.reported = unit.persist;
	unit.trying = unit.persist;
}

static void a_state_reported_as_stored_survives_any_power_cut(void **state)
{
	uint64_t counter[ENERGY_COUNTERS] = { 0 };
	struct disk disk = new_disk();
	uint32_t epoch = 1;

	(void)state;
	memset(&unit, 0, sizeof(unit));
	disk.no_events = true;
	assert_int_equal(open_on(&disk, &unit.store, &unit.persist, &unit.events), -ENOENT);
	save(RING_FILES);
	disk.cut = cut_here;
	for (int second = 0; second < 200000; second++) {
		count_second(counter, epoch);
		if (draw(100) == 0) {
			change_policy();
		}
		if (draw(2000) == 0) {
			lose_power(&disk);
			memset(counter, 0, sizeof(counter));
			epoch++;
			energy_resume(&unit.persist.energy, epoch, counter);
		}
	}
	disk.cut = NULL;
	store_close(&unit.store);
	print_message(
		"# %d cuts, %d with torn blocks, %d with a lost file; worst loss %.2f Wh, with a "
		"lost file %.2f Wh\n",
		unit.cuts, unit.torn, unit.erased, unit.worst_mj / 3.6e6,
		unit.worst_erased_mj / 3.6e6);
	assert_true(unit.cuts >= 10000);
	assert_true(unit.torn >= 1000);
	assert_true(unit.erased >= 1000);
	assert_true(unit.worst_mj <= STORE_ENERGY_MJ + 1200000);
	assert_true(unit.worst_erased_mj < 72000000);
	free_disk(&disk);
}

/* Bytes written to flash in a day at full power with an event each second. */
static void a_day_writes_at_most_25_mb_to_flash(void **state)
{
	uint64_t counter[ENERGY_COUNTERS] = { 0 };
	struct disk disk = new_disk();
	uint64_t blocks;

	(void)state;
	memset(&unit, 0, sizeof(unit));
	open_on(&disk, &unit.store, &unit.persist, &unit.events);
	for (int second = 0; second < 86400; second++) {
		unit.now.mono_ms += 1000;
		counter[ENERGY_GRID] += 1200000;
		energy_update(&unit.persist.energy, 0, counter);
		if (store_is_due(&unit.pace, &unit.persist.energy, unit.now.mono_ms)) {
			save(1);
		}
		events_policy(&unit.events, unit.now, "action", "something each second");
		append_events();
	}
	blocks = unit.store.state.seq + unit.store.events.seq;
	print_message("# a day at 1200 W: %.1f MB for energy, %.1f MB for events\n",
		      unit.store.state.seq * RING_BLOCK / 1e6,
		      unit.store.events.seq * RING_BLOCK / 1e6);
	assert_in_range(unit.store.state.seq, 1000, 4640);
	assert_in_range(unit.store.events.seq, 1000, 1450);
	assert_true(blocks * RING_BLOCK < 25000000);
	store_close(&unit.store);
	free_disk(&disk);
}

/* A save reports success only if the state has been stored. */
static void a_failed_save_returns_its_error_and_loses_no_stored_state(void **state)
{
	static const int errors[] = { -ENOSPC, -EIO, -EROFS };

	(void)state;
	for (int n = 1; n < 200; n++) {
		struct disk disk = new_disk();

		memset(&unit, 0, sizeof(unit));
		open_on(&disk, &unit.store, &unit.persist, &unit.events);
		disk.fail_after = n + 1;
		disk.error = errors[n % 3];
		for (int i = 0; i < 60; i++) {
			int ret;

			unit.persist.policy.value[0]++;
			unit.persist.policy.set[0] = true;
			unit.persist.policy.value[0] %= 900;
			ret = store_save(&unit.store, &unit.persist, unit.now, RING_FILES);
			if (!ret) {
				unit.reported = unit.persist;
			} else {
				assert_int_equal(ret, disk.error);
			}
		}
		assert_true(disk.fail_after == 1);
		disk.fail_after = 0;
		memcpy(disk.live, disk.safe, sizeof(*disk.live));
		store_close(&unit.store);
		if (n > 2) {
			assert_int_equal(open_on(&disk, &unit.store, &unit.persist, &unit.events),
					 0);
			assert_true(same_state(&unit.persist, &unit.reported));
			store_close(&unit.store);
		}
		free_disk(&disk);
	}
}

/* A file descriptor opened read-only stays read-only, even if the disk becomes writable. */
static void files_are_reopened_after_the_disk_was_read_only(void **state)
{
	struct disk disk = new_disk();

	(void)state;
	memset(&unit, 0, sizeof(unit));
	open_on(&disk, &unit.store, &unit.persist, &unit.events);
	disk.fail_after = 1;
	disk.error = -EROFS;
	assert_int_equal(store_save(&unit.store, &unit.persist, unit.now, RING_FILES), -EROFS);
	for (int n = 0; n < RING_FILES; n++) {
		assert_int_equal(unit.store.state.file[n], -1);
	}
	disk.fail_after = 0;
	unit.persist.energy.total_mj[0] = 1000;
	save(RING_FILES);
	store_close(&unit.store);
	assert_int_equal(open_on(&disk, &unit.store, &unit.persist, &unit.events), 0);
	assert_int_equal(unit.persist.energy.total_mj[0], 1000);
	store_close(&unit.store);
	free_disk(&disk);
}

/* If one file cannot be written, the other takes the state. */
static void one_file_that_cannot_be_written_loses_no_state(void **state)
{
	struct disk disk = new_disk();

	(void)state;
	memset(&unit, 0, sizeof(unit));
	open_on(&disk, &unit.store, &unit.persist, &unit.events);
	for (int i = 0; i < 10; i++) {
		unit.persist.energy.total_mj[0] += 1000;
		disk.bad_file = i % 2;
		disk.error = -EIO;
		save(RING_FILES);
	}
	assert_int_equal(unit.store.state.error[1], -EIO);
	assert_int_equal(unit.store.state.error[0], 0);
	store_close(&unit.store);
	assert_int_equal(open_on(&disk, &unit.store, &unit.persist, &unit.events), 0);
	assert_int_equal(unit.persist.energy.total_mj[0], 10000);
	store_close(&unit.store);
	free_disk(&disk);
}

/* An empty file beside a valid one counts as lost; the next save writes it again. */
static void a_lost_copy_is_noticed_and_written_again(void **state)
{
	struct disk disk = new_disk();

	(void)state;
	memset(&unit, 0, sizeof(unit));
	open_on(&disk, &unit.store, &unit.persist, &unit.events);
	save(RING_FILES);
	store_close(&unit.store);
	memset(disk.live->file[1], 0, FILE_SIZE);
	assert_int_equal(open_on(&disk, &unit.store, &unit.persist, &unit.events), 0);
	assert_false(unit.store.state.lost[0]);
	assert_true(unit.store.state.lost[1]);
	save(RING_FILES);
	store_close(&unit.store);
	assert_int_equal(open_on(&disk, &unit.store, &unit.persist, &unit.events), 0);
	assert_false(unit.store.state.lost[0] || unit.store.state.lost[1]);
	store_close(&unit.store);
	free_disk(&disk);
}

static void a_damaged_store_is_not_an_empty_one(void **state)
{
	struct disk disk = new_disk();

	(void)state;
	memset(&unit, 0, sizeof(unit));
	assert_int_equal(open_on(&disk, &unit.store, &unit.persist, &unit.events), -ENOENT);
	store_close(&unit.store);

	/* The power cut tore the very first record: it was never reported as stored. */
	memset(disk.live->file[0] + 100, 1, 10);
	assert_int_equal(open_on(&disk, &unit.store, &unit.persist, &unit.events), -ENOENT);
	store_close(&unit.store);

	memset(disk.live->file[1] + RING_BLOCK, 1, 10);
	assert_int_equal(open_on(&disk, &unit.store, &unit.persist, &unit.events), -EINVAL);
	store_close(&unit.store);
	free_disk(&disk);
}

/* An unknown parameter loses neither the energy nor the latch. */
static void a_state_of_another_version_keeps_energy_and_latch(void **state)
{
	static const char text[] = "format 1\nshutdown 0\nground_fault 1\nprofile note1\n"
				   "profile.no_such_v 1\nenergy.grid 5000 10\nboots 3\nend 1\n";
	struct persist persist = first_state();
	char err[QS1_PROFILE_ERR_SIZE];

	(void)state;
	assert_int_equal(persist_decode(text, strlen(text), "x", &persist, err, sizeof(err)),
			 -EINVAL);
	assert_string_equal(err,
			    "x:5: expected the name of a profile parameter, found 'no_such_v'");
	assert_true(persist.policy.ground_fault);
	assert_int_equal(persist.energy.total_mj[ENERGY_GRID], 5000);
	assert_int_equal(persist.policy.profile.value[QS1_PARAM_ES_DELAY_S], 120);
}

static const struct qs1_event firmware_events[] = {
	{ .seq = 1,
	  .ticks = 2000,
	  .kind = QS1_EVENT_TRANSITION,
	  .cause = QS1_CAUSE_DC_POWER,
	  .from = QS1_STATE_OFF,
	  .to = QS1_STATE_SELF_TEST },
	{ .seq = 2,
	  .ticks = 6000,
	  .kind = QS1_EVENT_TRIP,
	  .cause = QS1_CAUSE_FAULT_BASE + QS1_FAULT_UV2,
	  .from = QS1_STATE_PRODUCING,
	  .to = QS1_STATE_PRODUCING,
	  .value = 100000 },
	{ .seq = 3,
	  .ticks = 7000,
	  .kind = QS1_EVENT_CLEAR,
	  .cause = QS1_CAUSE_FAULT_BASE + QS1_FAULT_GFDI,
	  .from = QS1_STATE_SHUTDOWN,
	  .to = QS1_STATE_SHUTDOWN },
};

static void events_survive_a_power_cut_and_numbering_continues(void **state)
{
	struct disk disk = new_disk();
	const struct event *event;

	(void)state;
	memset(&unit, 0, sizeof(unit));
	unit.now = (struct event_time){ .mono_ms = 5000, .real_ms = 1795336800123 };
	open_on(&disk, &unit.store, &unit.persist, &unit.events);
	unit.events.boot = unit.store.boots;
	save(1);
	events_firmware(&unit.events, firmware_events, 2, unit.now, 6000);
	events_policy(&unit.events, unit.now, "action", "permit production");
	append_events();
	/* The power cut loses one more event, which was not stored. */
	events_policy(&unit.events, unit.now, "action", "forbid production");
	lose_power(&disk);
	assert_int_equal(unit.events.newest, 3);
	event = events_get(&unit.events, 2);
	assert_non_null(event);
	assert_string_equal(event->kind, "trip");
	assert_string_equal(event->cause, "UV2");
	assert_string_equal(event->from, "producing");
	assert_int_equal(event->value, 100000);
	assert_int_equal(event->real_ms, 1795336800123);
	assert_int_equal(event->boot, 1);
	event = events_get(&unit.events, 3);
	assert_non_null(event);
	assert_string_equal(event->source, "policy");
	assert_string_equal(event->text, "permit production");
	assert_string_equal(event->cause, "");

	/* Only the daemon restarted: the firmware's first two events are not added again. */
	unit.events.boot = 1;
	events_resume(&unit.events);
	assert_int_equal(events_firmware(&unit.events, firmware_events, 3, unit.now, 7000), 1);
	/* The firmware restarted too and numbers its events from 1 again. */
	events_resume(&unit.events);
	assert_int_equal(events_firmware(&unit.events, firmware_events, 1, unit.now, 7000), 1);
	assert_int_equal(unit.events.newest, 5);
	store_close(&unit.store);
	free_disk(&disk);
}

/* If events exceed one record, the newest are kept with their numbers. */
static void too_many_events_for_a_record_keep_the_newest(void **state)
{
	struct disk disk = new_disk();

	(void)state;
	memset(&unit, 0, sizeof(unit));
	open_on(&disk, &unit.store, &unit.persist, &unit.events);
	save(1);
	for (int i = 0; i < 1000; i++) {
		events_policy(&unit.events, unit.now, "action", "number %d", i);
	}
	append_events();
	lose_power(&disk);
	assert_int_equal(unit.events.newest, 1000);
	assert_non_null(events_get(&unit.events, 1000));
	assert_non_null(events_get(&unit.events, 960));
	assert_null(events_get(&unit.events, 700));
	store_close(&unit.store);
	free_disk(&disk);
}

static void a_new_boot_id_counts_as_a_restart_of_the_system(void **state)
{
	struct disk disk = new_disk();

	(void)state;
	memset(&unit, 0, sizeof(unit));
	setenv("QS1_BOOT_ID", "0123456789abcdef0123456789abcdef", 1);
	open_on(&disk, &unit.store, &unit.persist, &unit.events);
	assert_int_equal(unit.store.boots, 1);
	unit.persist.energy.total_mj[0] = 1000;
	unit.persist.energy.counter_mj[0] = 1000;
	save(1);
	lose_power(&disk);
	assert_int_equal(unit.store.boots, 1);
	assert_int_equal(unit.persist.energy.counter_mj[0], 1000);
	setenv("QS1_BOOT_ID", "1123456789abcdef0123456789abcdef", 1);
	lose_power(&disk);
	assert_int_equal(unit.store.boots, 2);
	/* After a boot the firmware counts from zero, even if its counter already exceeds the last.
	 */
	assert_int_equal(unit.persist.energy.counter_mj[0], 0);
	assert_int_equal(unit.persist.energy.total_mj[0], 1000);
	unsetenv("QS1_BOOT_ID");
	store_close(&unit.store);
	free_disk(&disk);
}

static void crc32c_has_the_standard_check_value(void **state)
{
	(void)state;
	assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283);
	assert_int_equal(crc32c(crc32c(0, "1234", 4), "56789", 5), 0xe3069283);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_state_reported_as_stored_survives_any_power_cut),
		cmocka_unit_test(a_day_writes_at_most_25_mb_to_flash),
		cmocka_unit_test(a_failed_save_returns_its_error_and_loses_no_stored_state),
		cmocka_unit_test(files_are_reopened_after_the_disk_was_read_only),
		cmocka_unit_test(one_file_that_cannot_be_written_loses_no_state),
		cmocka_unit_test(a_lost_copy_is_noticed_and_written_again),
		cmocka_unit_test(a_damaged_store_is_not_an_empty_one),
		cmocka_unit_test(a_state_of_another_version_keeps_energy_and_latch),
		cmocka_unit_test(events_survive_a_power_cut_and_numbering_continues),
		cmocka_unit_test(too_many_events_for_a_record_keep_the_newest),
		cmocka_unit_test(a_new_boot_id_counts_as_a_restart_of_the_system),
		cmocka_unit_test(crc32c_has_the_standard_check_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
