// SPDX-License-Identifier: GPL-2.0-only
#include "ring.h"

#include <errno.h>
#include <string.h>

#include "../lib/crc32c.h"

/* A block of the file. */
struct block {
	struct ring_header header;
	char record[RING_RECORD_MAX];
};

_Static_assert(sizeof(struct block) == RING_BLOCK, "no padding");

static uint32_t checksum(const struct block *block)
{
	struct ring_header header = block->header;

	header.crc = 0;
	return crc32c(crc32c(0, &header, sizeof(header)), block->record, header.length);
}

static bool is_record(const struct block *block)
{
	const struct ring_header *header = &block->header;

	return header->magic == RING_MAGIC && header->version == RING_VERSION && header->seq > 0 &&
	       header->seq <= RING_SEQ_MAX && header->length <= RING_RECORD_MAX &&
	       header->crc == checksum(block);
}

static bool is_blank(const struct block *block)
{
	const char *byte = (const char *)block;

	return !byte[0] && !memcmp(byte, byte + 1, sizeof(*block) - 1);
}

static int read_block(struct ring *ring, int n, unsigned int slot, struct block *block)
{
	return ring->io->read(ring->ctx, ring->file[n], block, sizeof(*block), slot * RING_BLOCK);
}

/* An unreadable block counts as damaged. */
static void look_at(struct ring *ring, int n, unsigned int slot)
{
	struct block block;
	int ret = read_block(ring, n, slot, &block);

	if (ret < 0) {
		ring->error[n] = ret;
	}
	if (ret >= 0 && is_record(&block)) {
		ring->slot[n][slot] = block.header.seq;
		ring->begun = true;
	} else if (ret < 0 || !is_blank(&block)) {
		ring->damaged++;
		ring->begun |= ret < 0 || slot > 0;
	}
}

static int open_file(struct ring *ring, int n)
{
	uint64_t newest = 0;

	ring->file[n] = ring->io->open(ring->ctx, ring->path[n], ring->blocks * RING_BLOCK);
	if (ring->file[n] < 0) {
		ring->error[n] = ring->file[n];
		/* A file that cannot be opened may hold records. */
		ring->begun |= ring->error[n] == -EACCES || ring->error[n] == -EIO;
		return ring->error[n];
	}
	ring->error[n] = 0;
	ring->next[n] = 0;
	for (unsigned int slot = 0; slot < ring->blocks; slot++) {
		ring->slot[n][slot] = 0;
		look_at(ring, n, slot);
		if (ring->slot[n][slot] > newest) {
			newest = ring->slot[n][slot];
			ring->next[n] = (slot + 1) % ring->blocks;
		}
	}
	if (newest > ring->seq) {
		ring->seq = newest;
		ring->turn = (n + 1) % RING_FILES;
	}
	return 0;
}

/* One of two records may be missing: the first is written to one file, and then to the other. */
static void note_lost(struct ring *ring)
{
	for (int n = 0; n < RING_FILES; n++) {
		ring->lost[n] = true;
		for (unsigned int slot = 0; slot < ring->blocks; slot++) {
			ring->lost[n] = ring->lost[n] && ring->slot[n][slot] == 0;
		}
	}
}

int ring_open(struct ring *ring, const struct ring_io *io, void *ctx,
	      const char *const path[RING_FILES], unsigned int blocks)
{
	int opened = 0;

	*ring = (struct ring){ .io = io, .ctx = ctx, .blocks = blocks };
	for (int n = 0; n < RING_FILES; n++) {
		ring->path[n] = path[n];
		opened += open_file(ring, n) == 0;
	}
	if (ring->error[0] == -EBUSY) {
		return -EBUSY;
	}
	if (ring->seq > 0) {
		note_lost(ring);
		return 0;
	}
	if (ring->begun) {
		return -EINVAL;
	}
	return opened ? -ENOENT : ring->error[0];
}

void ring_close(struct ring *ring)
{
	for (int n = 0; n < RING_FILES; n++) {
		if (ring->file[n] >= 0) {
			ring->io->close(ring->ctx, ring->file[n]);
			ring->file[n] = -1;
		}
	}
}

/* Find the oldest record from a number on: file and slot. */
static bool find_from(const struct ring *ring, uint64_t from, int *ret_n, unsigned int *ret_slot)
{
	uint64_t found = 0;

	for (int n = 0; n < RING_FILES; n++) {
		for (unsigned int slot = 0; slot < ring->blocks; slot++) {
			uint64_t seq = ring->slot[n][slot];

			if (seq > 0 && seq >= from && (!found || seq < found)) {
				found = seq;
				*ret_n = n;
				*ret_slot = slot;
			}
		}
	}
	return found > 0;
}

int ring_read(struct ring *ring, uint64_t from, ring_record_fn fn, void *ctx)
{
	unsigned int slot;
	int n;

	while (find_from(ring, from, &n, &slot)) {
		struct block block;
		int ret;

		from = ring->slot[n][slot] + 1;
		if (read_block(ring, n, slot, &block) < 0 || !is_record(&block)) {
			continue;
		}
		ret = fn(ctx, &block.header, block.record);
		if (ret) {
			return ret;
		}
	}
	return 0;
}

static int store(struct ring *ring, int n, struct block *block)
{
	unsigned int slot = ring->next[n];
	int ret;

	block->header.seq = ring->seq + 1;
	block->header.crc = checksum(block);
	ring->slot[n][slot] = 0;
	ret = ring->io->write(ring->ctx, ring->file[n], block, sizeof(*block), slot * RING_BLOCK);
	/* Even a failed write may reach the disk later: its number is used up. */
	ring->seq++;
	if (ret >= 0) {
		ret = ring->io->sync(ring->ctx, ring->file[n]);
	}
	ring->error[n] = ret < 0 ? ret : 0;
	if (ret >= 0) {
		ring->slot[n][slot] = block->header.seq;
		ring->next[n] = (slot + 1) % ring->blocks;
	} else if (ret == -EROFS) {
		/* The next attempt opens it again: the disk may be writable by then. */
		ring->io->close(ring->ctx, ring->file[n]);
		ring->file[n] = -1;
	}
	return ring->error[n];
}

int ring_append(struct ring *ring, const struct ring_stamp *stamp, const char *record,
		size_t length, unsigned int copies)
{
	struct block block = {
		.header = {
			.magic = RING_MAGIC,
			.version = RING_VERSION,
			.stamp = *stamp,
			.length = length,
		},
	};
	unsigned int stored = 0;
	int ret = -EMSGSIZE;

	if (length > RING_RECORD_MAX) {
		return ret;
	}
	memcpy(block.record, record, length);
	for (int i = 0; i < RING_FILES && stored < copies; i++) {
		int n = ring->turn;

		ring->turn = (n + 1) % RING_FILES;
		ret = ring->file[n] < 0 ? open_file(ring, n) : 0;
		if (ret >= 0) {
			ret = store(ring, n, &block);
		}
		stored += ret >= 0;
	}
	return stored > 0 ? 0 : ret;
}
