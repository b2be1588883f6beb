// SPDX-License-Identifier: GPL-2.0-only
/*
 * Recovery of the store from files of any content. The input is a row of blocks:
 * a kind, a number, a length, and that many bytes. They are put on the disk as
 * they are, or with a right checksum, which no fuzzer guesses. Whatever is
 * there, a record stored on top is the newest after a restart, and reads back.
 */
#include <errno.h>
#include <stdlib.h>

#include "../lib/crc32c.h"
#include "events.h"
#include "fuzz.h"
#include "persist.h"
#include "ring.h"

#define BLOCKS 2

static uint8_t disk[RING_FILES][BLOCKS * RING_BLOCK];
static const char *const path[RING_FILES] = { "0", "1" };

static int disk_open(void *ctx, const char *name, size_t size)
{
	(void)ctx;
	assert(size == sizeof(disk[0]));
	return name[0] - '0';
}

static int disk_read(void *ctx, int file, void *buf, size_t n, size_t at)
{
	(void)ctx;
	assert(at + n <= sizeof(disk[0]));
	memcpy(buf, disk[file] + at, n);
	return 0;
}

static int disk_write(void *ctx, int file, const void *buf, size_t n, size_t at)
{
	(void)ctx;
	assert(at + n <= sizeof(disk[0]));
	memcpy(disk[file] + at, buf, n);
	return 0;
}

static int disk_sync(void *ctx, int file)
{
	(void)ctx;
	(void)file;
	return 0;
}

static void disk_close(void *ctx, int file)
{
	(void)ctx;
	(void)file;
}

static const struct ring_io io = { disk_open, disk_read, disk_write, disk_sync, disk_close };

static void put_block(uint8_t *block, uint8_t kind, uint8_t seq, const uint8_t *data, size_t n)
{
	struct ring_header header = {
		.magic = RING_MAGIC,
		.version = RING_VERSION,
		.seq = kind & 2 ? UINT64_MAX - seq : seq,
		.length = n,
	};

	if (!(kind & 1)) {
		memcpy(block, data, n);
		return;
	}
	header.crc = crc32c(crc32c(0, &header, sizeof(header)), data, n);
	memcpy(block, &header, sizeof(header));
	memcpy(block + sizeof(header), data, n);
}

static void fill_disk(const uint8_t *data, size_t size)
{
	memset(disk, 0, sizeof(disk));
	for (int i = 0; i < RING_FILES * BLOCKS && size >= 4; i++) {
		size_t n = data[2] | data[3] << 8;

		n = n > RING_RECORD_MAX ? RING_RECORD_MAX : n;
		n = n > size - 4 ? size - 4 : n;
		put_block(disk[i / BLOCKS] + i % BLOCKS * RING_BLOCK, data[0], data[1], data + 4,
			  n);
		data += 4 + n;
		size -= 4 + n;
	}
}

static int take_record(void *ctx, const struct ring_header *header, const char *record)
{
	static struct events events;
	struct persist persist = { 0 };
	char err[QS1_PROFILE_ERR_SIZE] = "";

	*(uint64_t *)ctx = header->seq;
	if (persist_decode(record, header->length, "state", &persist, err, sizeof(err)) == 0) {
		char text[RING_RECORD_MAX];
		struct persist again = { 0 };
		int n = persist_encode(&persist, text, sizeof(text));

		assert(n > 0);
		assert(persist_decode(text, n, "state", &again, err, sizeof(err)) == 0);
		assert(memcmp(&again.energy.total_mj, &persist.energy.total_mj,
			      sizeof(again.energy.total_mj)) == 0);
		assert(again.policy.ground_fault == persist.policy.ground_fault);
	} else {
		assert(err[0]);
	}
	events_decode(&events, record, header->length);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char record[] = "the newest";
	const struct ring_stamp stamp = { 0 };
	uint64_t newest = 0, before;
	struct ring ring;
	int ret;

	fill_disk(data, size);
	ret = ring_open(&ring, &io, NULL, path, BLOCKS);
	assert(ret == 0 || ret == -ENOENT || ret == -EINVAL);
	assert((ret == 0) == (ring.seq > 0));
	before = ring.seq;
	assert(ring_read(&ring, 0, take_record, &newest) == 0);
	assert(newest == before);
	ret = ring_append(&ring, &stamp, record, sizeof(record), 1);
	ring_close(&ring);
	assert(ret == 0);
	assert(ring_open(&ring, &io, NULL, path, BLOCKS) == 0);
	assert(ring.seq == before + 1);
	ring_close(&ring);
	return 0;
}
