// SPDX-License-Identifier: GPL-2.0-only
/*
 * The control socket's requests, as lines from a client, to a daemon without an
 * inverter whose store is memory.
 */
#include <sys/socket.h>

#include "../lib/log.h"
#include "daemon.h"
#include "fuzz.h"

/* Requests of a client in one execution: more find nothing new and take time. */
#define REQUESTS 4

static struct daemon *unit;

static int open_nothing(void *ctx, const char *path, size_t size)
{
	(void)ctx;
	(void)path;
	(void)size;
	return 0;
}

static int read_zeros(void *ctx, int file, void *buf, size_t n, size_t at)
{
	(void)ctx;
	(void)file;
	(void)at;
	memset(buf, 0, n);
	return 0;
}

static int write_nowhere(void *ctx, int file, const void *buf, size_t n, size_t at)
{
	(void)ctx;
	(void)file;
	(void)buf;
	(void)n;
	(void)at;
	return 0;
}

static int sync_nothing(void *ctx, int file)
{
	(void)ctx;
	(void)file;
	return 0;
}

static void close_nothing(void *ctx, int file)
{
	(void)ctx;
	(void)file;
}

static const struct ring_io memory = { open_nothing, read_zeros, write_nowhere, sync_nothing,
				       close_nothing };

static void set_up(void)
{
	static const char *const folder[RING_FILES] = { "a", "b" };
	struct persist persist = { .policy.profile.name = "note1" };
	char err[QS1_PROFILE_ERR_SIZE];

	for (int id = 0; id < QS1_PARAM_COUNT; id++) {
		if (qs1_param_desc(id)->group == QS1_PARAM_GROUP_PROFILE) {
			persist.policy.profile.value[id] = qs1_param_desc(id)->def;
		}
	}
	log_init("fuzz", -1);
	unit = calloc(1, sizeof(*unit));
	assert(unit);
	board_init(&unit->board, "/nowhere");
	leds_init(&unit->leds, "/nowhere");
	store_open(&unit->store, &memory, NULL, folder, daemon_time(), &persist, &unit->events,
		   &unit->pace, err, sizeof(err));
	policy_init(&unit->policy, &persist.policy, true, daemon_time().mono_ms);
	unit->storage.fd = -1;
	for (int i = 0; i < CONTROL_CLIENTS; i++) {
		unit->control.client[i].fd = -1;
		unit->control.client[i].control = &unit->control;
		unit->radio.client[i].fd = -1;
		unit->radio.client[i].control = &unit->radio;
	}
}

/* What the storage thread would do, in no time. */
static void end_storage(void)
{
	struct storage *storage = &unit->storage;

	storage->result.saved = storage->has_state;
	storage->result.appended = storage->has_events;
	storage->has_state = false;
	storage->has_events = false;
	daemon_take_stored(unit);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct control_client *client;
	char line[CONTROL_LINE];

	if (!unit) {
		set_up();
	}
	/* What former inputs left behind would make dumps longer and longer. */
	unit->recorder.newest = 0;
	unit->events.newest = 0;
	/* An operator, or the radio's end. */
	client = size > 0 && data[0] == '!' ? &unit->radio.client[0] : &unit->control.client[0];
	client->follow = 0;
	for (int n = 0; n < REQUESTS && size > 0; n++) {
		const uint8_t *end = memchr(data, '\n', size);
		size_t length = end ? (size_t)(end - data) : size;

		if (length >= sizeof(line)) {
			break;
		}
		memcpy(line, data, length);
		line[length] = '\0';
		requests_line(unit, client, line[0] == '!' ? line + 1 : line);
		end_storage();
		data += length + (end != NULL);
		size -= length + (end != NULL);
	}
	requests_follow(unit, client);
	return 0;
}
