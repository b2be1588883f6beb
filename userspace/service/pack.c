// SPDX-License-Identifier: GPL-2.0-or-later
/* Integers and texts in a row of bytes, see pack.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "pack.h"

#define FIRST_SIZE 256
#define VARINT_MAX 10

/* Room for @n more bytes, or false. */
static bool reserve(struct packer *packer, size_t n)
{
	size_t size = packer->size ? packer->size : FIRST_SIZE;
	uint8_t *bytes;

	if (packer->failed || packer->n + n <= packer->size) {
		return !packer->failed;
	}
	while (size < packer->n + n) {
		size *= 2;
	}
	bytes = realloc(packer->bytes, size);
	if (!bytes) {
		packer->failed = true;
		return false;
	}
	packer->bytes = bytes;
	packer->size = size;
	return true;
}

void pack_bytes(struct packer *packer, const void *bytes, size_t n)
{
	if (n > 0 && reserve(packer, n)) {
		memcpy(packer->bytes + packer->n, bytes, n);
		packer->n += n;
	}
}

void pack_unsigned(struct packer *packer, uint64_t value)
{
	uint8_t bytes[VARINT_MAX];
	size_t n = 0;

	for (; value > 0x7f; value >>= 7) {
		bytes[n++] = (uint8_t)value | 0x80;
	}
	bytes[n++] = (uint8_t)value;
	pack_bytes(packer, bytes, n);
}

void pack_signed(struct packer *packer, int64_t value)
{
	pack_unsigned(packer, (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0));
}

void pack_text(struct packer *packer, const char *text)
{
	size_t n = strlen(text);

	pack_unsigned(packer, n);
	pack_bytes(packer, text, n);
}

const uint8_t *unpack_bytes(struct unpacker *unpacker, size_t n)
{
	const uint8_t *bytes = unpacker->bytes;

	if (unpacker->failed || n > unpacker->n) {
		unpacker->failed = true;
		return NULL;
	}
	unpacker->bytes += n;
	unpacker->n -= n;
	return bytes;
}

uint64_t unpack_unsigned(struct unpacker *unpacker)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < VARINT_MAX; i++) {
		const uint8_t *byte = unpack_bytes(unpacker, 1);

		/* The tenth byte has room for the 64th bit alone; an empty last byte is not ours.
		 */
		if (!byte || (i == VARINT_MAX - 1 && *byte > 1) || (i > 0 && *byte == 0)) {
			break;
		}
		value |= (uint64_t)(*byte & 0x7f) << 7 * i;
		if (!(*byte & 0x80)) {
			return value;
		}
	}
	unpacker->failed = true;
	return 0;
}

int64_t unpack_signed(struct unpacker *unpacker)
{
	uint64_t value = unpack_unsigned(unpacker);

	return (int64_t)(value >> 1 ^ (value & 1 ? UINT64_MAX : 0));
}

uint64_t unpack_limited(struct unpacker *unpacker, uint64_t max)
{
	uint64_t value = unpack_unsigned(unpacker);

	if (value > max) {
		unpacker->failed = true;
		return 0;
	}
	return value;
}

void unpack_text(struct unpacker *unpacker, char *text, size_t size)
{
	size_t n = unpack_limited(unpacker, size - 1);
	const uint8_t *bytes = unpack_bytes(unpacker, n);

	text[0] = '\0';
	if (!bytes) {
		return;
	}
	if (memchr(bytes, '\0', n)) {
		unpacker->failed = true;
		return;
	}
	memcpy(text, bytes, n);
	text[n] = '\0';
}

int pack_compress(struct packer *raw, int level, struct packer *out)
{
	size_t n = 0;

	if (!raw->failed && reserve(out, ZSTD_compressBound(raw->n))) {
		n = ZSTD_compress(out->bytes + out->n, out->size - out->n, raw->bytes, raw->n,
				  level);
	}
	free(raw->bytes);
	*raw = (struct packer){ 0 };
	/* With room for the worst case, memory is all that can be short. */
	if (n == 0 || ZSTD_isError(n)) {
		return -ENOMEM;
	}
	out->n += n;
	return 0;
}

int pack_decompress(const uint8_t *bytes, size_t n, size_t max, uint8_t **ret_bytes, size_t *ret_n)
{
	unsigned long long size = ZSTD_getFrameContentSize(bytes, n);
	uint8_t *raw;
	size_t done;

	if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN) {
		return -EBADMSG;
	}
	if (size > max) {
		return -EFBIG;
	}
	raw = malloc(size ? size : 1);
	if (!raw) {
		return -ENOMEM;
	}
	done = ZSTD_decompress(raw, size, bytes, n);
	if (ZSTD_isError(done) || done != size) {
		free(raw);
		return -EBADMSG;
	}
	*ret_bytes = raw;
	*ret_n = size;
	return 0;
}
