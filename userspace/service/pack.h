/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Integers and texts in a row of bytes, in as few bytes as their values need: what batches and
 * days are made of.
 *
 * An unsigned integer is a varint: seven bits a byte, the lowest first, the top bit of each byte
 * but the last set. A signed one is zigzag-coded first (0, -1, 1, -2 become 0, 1, 2, 3). A text is
 * its length in bytes and the bytes, without NUL.
 */
#ifndef QS1_SERVICE_PACK_H
#define QS1_SERVICE_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct packer - bytes that grow
 * @bytes: @n of them are in use; free() them at the end
 * @failed: out of memory; what is put after that is dropped
 */
struct packer {
	uint8_t *bytes;
	size_t n;
	size_t size;
	bool failed;
};

void pack_bytes(struct packer *packer, const void *bytes, size_t n);
void pack_unsigned(struct packer *packer, uint64_t value);
void pack_signed(struct packer *packer, int64_t value);
void pack_text(struct packer *packer, const char *text);

/**
 * struct unpacker - bytes that are read from the front
 * @failed: something was malformed or missing; every later read gives 0 or ""
 */
struct unpacker {
	const uint8_t *bytes;
	size_t n;
	bool failed;
};

/* The next @n bytes, or NULL when there are fewer. */
const uint8_t *unpack_bytes(struct unpacker *unpacker, size_t n);
uint64_t unpack_unsigned(struct unpacker *unpacker);
int64_t unpack_signed(struct unpacker *unpacker);

/* An unsigned integer of at most @max; fails above it. */
uint64_t unpack_limited(struct unpacker *unpacker, uint64_t max);

/* A text without NUL that fits into @size bytes with its end; fails otherwise. */
void unpack_text(struct unpacker *unpacker, char *text, size_t size);

/**
 * pack_compress() - zstd, with the length before compression in its frame
 * @raw: cleared in any case
 * @level: of zstd, 1 to 19
 *
 * Return: 0 or -ENOMEM.
 */
int pack_compress(struct packer *raw, int level, struct packer *out);

/**
 * pack_decompress() - the opposite
 * @max: more bytes than this are refused before memory is allocated
 * @ret_bytes: to be freed; untouched on failure
 *
 * Return: 0, -EBADMSG, -EFBIG above @max, -ENOMEM.
 */
int pack_decompress(const uint8_t *bytes, size_t n, size_t max, uint8_t **ret_bytes, size_t *ret_n);

#endif /* QS1_SERVICE_PACK_H */
