/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Records that survive a power cut at any instant: a ring of checksummed blocks
 * in two files of fixed size, written in turn.
 *
 * A new file is filled with zeros and synced once. Later a record changes no
 * metadata of the file system: one block is written, with one fdatasync. A record
 * overwrites the oldest one of its file, never the newest: when a block is torn, or
 * lost with a flash erase block, the record before it is left. The files may be on
 * different partitions. When one cannot be written, the other takes the record.
 */
#ifndef QS1D_RING_H
#define QS1D_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RING_FILES 2
#define RING_BLOCK 4096
#define RING_BLOCKS_MAX 64
#define RING_BOOT_ID_SIZE 16

/**
 * struct ring_stamp - when a record was written
 * @boot_id: of the running system; monotonic time counts from its start
 * @mono_ms: monotonic time
 * @real_ms: wall-clock time since 1970; not used to compare records
 */
struct ring_stamp {
	uint8_t boot_id[RING_BOOT_ID_SIZE];
	int64_t mono_ms;
	int64_t real_ms;
};

/**
 * struct ring_header - how a block begins; the record follows
 * @magic: RING_MAGIC in the machine's byte order
 * @version: RING_VERSION
 * @seq: number of the record from 1; the highest is the newest
 * @stamp: when it was written
 * @length: bytes of the record
 * @crc: CRC-32C of the header, with this field 0, and of the record
 */
struct ring_header {
	uint32_t magic;
	uint32_t version;
	uint64_t seq;
	struct ring_stamp stamp;
	uint32_t length;
	uint32_t crc;
};

_Static_assert(sizeof(struct ring_header) == 56, "no padding");

#define RING_MAGIC 0x52315351u /* "QS1R" */
#define RING_VERSION 1u
/* No ring is written so often: a higher number is damage, and would leave no room for the next. */
#define RING_SEQ_MAX INT64_MAX
#define RING_RECORD_MAX (RING_BLOCK - sizeof(struct ring_header))

/**
 * struct ring_io - file operations of a ring
 * @open: open a file of at least @size bytes; fill it with zeros, and sync it,
 *        where it was missing or shorter; read-only if it cannot be written
 * @read: exactly @n bytes
 * @write: exactly @n bytes
 * @sync: fdatasync
 * @close: close the file
 *
 * All but @close return a negative errno on failure.
 */
struct ring_io {
	int (*open)(void *ctx, const char *path, size_t size);
	int (*read)(void *ctx, int file, void *buf, size_t n, size_t at);
	int (*write)(void *ctx, int file, const void *buf, size_t n, size_t at);
	int (*sync)(void *ctx, int file);
	void (*close)(void *ctx, int file);
};

/* Files of the operating system; needs no context. */
extern const struct ring_io ring_io_files;

/**
 * struct ring - an open ring
 * @seq: number of the newest record, 0 for none
 * @damaged: blocks that are neither blank nor a record
 * @error: of each file, negative errno of the last failure, 0 when it works
 * @lost: of each file: it held no record when it was opened, though the other did
 */
struct ring {
	const struct ring_io *io;
	void *ctx;
	const char *path[RING_FILES];
	unsigned int blocks;
	uint64_t seq;
	unsigned int damaged;
	int error[RING_FILES];
	bool lost[RING_FILES];

	int file[RING_FILES];
	unsigned int next[RING_FILES];
	unsigned int turn;
	bool begun;				    /* more than a first record that was cut */
	uint64_t slot[RING_FILES][RING_BLOCKS_MAX]; /* number of the record there */
};

/* Takes a record; a return other than 0 ends the reading. */
typedef int (*ring_record_fn)(void *ctx, const struct ring_header *header, const char *record);

/**
 * ring_open() - open both files and find the newest record
 * @io: ring_io_files but for tests
 * @path: names of the files; must live as long as the ring
 * @blocks: of each file, RING_BLOCKS_MAX at most
 *
 * Return: 0 with @ring->seq above 0; -ENOENT for a ring that was never used;
 * -EINVAL when it was used, and no record is left; -EBUSY when
 * another process has it open; the negative errno of the first file when neither
 * can be opened. The ring can be
 * written after each of these, and must be closed.
 */
int ring_open(struct ring *ring, const struct ring_io *io, void *ctx,
	      const char *const path[RING_FILES], unsigned int blocks);
void ring_close(struct ring *ring);

/**
 * ring_read() - pass the records from a number on, oldest first
 * @from: number of the first; 0 for all
 *
 * Return: 0, or what @fn returned.
 */
int ring_read(struct ring *ring, uint64_t from, ring_record_fn fn, void *ctx);

/**
 * ring_append() - store a record; it is on stable storage when this returns 0
 * @record: RING_RECORD_MAX bytes at most
 * @copies: 1, or RING_FILES for one in each file that can be written
 *
 * Return: 0 when it was stored at least once; otherwise the negative errno of
 * the last failure.
 */
int ring_append(struct ring *ring, const struct ring_stamp *stamp, const char *record,
		size_t length, unsigned int copies);

#endif /* QS1D_RING_H */
