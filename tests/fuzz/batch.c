// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Batches and days. The first byte of the input says what follows: a batch or a day as it is, or
 * the content of one, which no fuzzer would compress and hash by itself. What opens is sealed
 * again, and must open to the same.
 */
#include <sodium.h>

#include "batch.h"
#include "bytes.h"
#include "days.h"
#include "fuzz.h"

static void try_batch(const uint8_t *bytes, size_t n)
{
	struct batch batch, again;
	uint8_t *sealed;
	size_t sealed_n;
	char err[200];

	if (batch_open(bytes, n, &batch, err, sizeof(err)) < 0) {
		return;
	}
	assert(batch.report_count <= BATCH_REPORTS_MAX && batch.event_count <= BATCH_ROWS_MAX);
	assert(batch_seal(&batch, &sealed, &sealed_n) == 0);
	assert(batch_open(sealed, sealed_n, &again, err, sizeof(err)) == 0);
	assert(again.report_count == batch.report_count);
	assert(batch.report_count == 0 || memcmp(again.reports, batch.reports,
						 batch.report_count * sizeof(*batch.reports)) == 0);
	assert(again.result_count == batch.result_count);
	free(sealed);
	batch_clear(&again);
	batch_clear(&batch);
}

static void try_day(const uint8_t *bytes, size_t n)
{
	struct report *reports, *again;
	uint8_t *packed;
	size_t count, packed_n, again_count;

	if (day_unpack(bytes, n, &reports, &count) < 0) {
		return;
	}
	assert(day_pack(reports, count, &packed, &packed_n) == 0);
	assert(day_unpack(packed, packed_n, &again, &again_count) == 0);
	assert(again_count == count);
	assert(count == 0 || memcmp(again, reports, count * sizeof(*reports)) == 0);
	free(packed);
	free(again);
	free(reports);
}

static void try_batch_content(const uint8_t *content, size_t n)
{
	uint8_t head[BATCH_HEAD_BYTES] = "QSB1";
	uint8_t hash[BATCH_HASH_BYTES];
	struct packer raw = { 0 };
	struct packer out = { 0 };

	bytes_put_le(head + 8, 8, 1);
	bytes_put_le(head + 24, 8, 1);
	pack_bytes(&out, head, sizeof(head));
	pack_bytes(&raw, content, n);
	assert(pack_compress(&raw, 1, &out) == 0);
	bytes_put_le(out.bytes + 4, 4, out.n + sizeof(hash));
	crypto_generichash(hash, sizeof(hash), out.bytes, out.n, NULL, 0);
	pack_bytes(&out, hash, sizeof(hash));
	try_batch(out.bytes, out.n);
	free(out.bytes);
}

static void try_day_content(const uint8_t *content, size_t n)
{
	struct packer raw = { 0 };
	struct packer out = { 0 };

	pack_bytes(&out, "QSD1", 4);
	pack_bytes(&raw, content, n);
	assert(pack_compress(&raw, 1, &out) == 0);
	try_day(out.bytes, out.n);
	free(out.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const try[])(const uint8_t *, size_t) = { try_batch, try_batch_content,
								try_day, try_day_content };

	if (size > 1) {
		try[data[0] & 3](data + 1, size - 1);
	}
	return 0;
}
