// SPDX-License-Identifier: GPL-2.0-or-later
/* Batches, see batch.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "batch.h"
#include "bytes.h"

#define MAGIC "QSB1"
#define MAGIC_BYTES 4
#define BYTES_MIN (BATCH_HEAD_BYTES + BATCH_HASH_BYTES)
/* A batch is small and an ECU slow; higher levels gain 2 %. */
#define LEVEL 3

/* Members of the head, by offset and width. The order is that of struct batch_head's writer. */
enum {
	AT_LENGTH = 4,
	AT_ECU = 8,
	AT_EPOCH = 16,
	AT_SEQUENCE = 24,
	AT_WALL = 32,
	AT_MONOTONIC = 40,
	AT_BOOT = 48,
	AT_ZONE = 52,
	AT_FLAGS = 54,
};

static void put_head(uint8_t *at, const struct batch_head *head, size_t n)
{
	memcpy(at, MAGIC, MAGIC_BYTES);
	bytes_put_le(at + AT_LENGTH, 4, n);
	bytes_put_le(at + AT_ECU, 8, head->ecu);
	bytes_put_le(at + AT_EPOCH, 8, head->epoch);
	bytes_put_le(at + AT_SEQUENCE, 8, head->sequence);
	bytes_put_le(at + AT_WALL, 8, (uint64_t)head->wall_ms);
	bytes_put_le(at + AT_MONOTONIC, 8, head->monotonic_ms);
	bytes_put_le(at + AT_BOOT, 4, head->boot);
	bytes_put_le(at + AT_ZONE, 2, (uint16_t)head->zone_min);
	bytes_put_le(at + AT_FLAGS, 2, head->flags);
}

static void get_head(const uint8_t *at, struct batch_head *head)
{
	head->ecu = bytes_get_le(at + AT_ECU, 8);
	head->epoch = bytes_get_le(at + AT_EPOCH, 8);
	head->sequence = bytes_get_le(at + AT_SEQUENCE, 8);
	head->wall_ms = (int64_t)bytes_get_le(at + AT_WALL, 8);
	head->monotonic_ms = bytes_get_le(at + AT_MONOTONIC, 8);
	head->boot = (uint32_t)bytes_get_le(at + AT_BOOT, 4);
	head->zone_min = (int16_t)bytes_get_le(at + AT_ZONE, 2);
	head->flags = (uint16_t)bytes_get_le(at + AT_FLAGS, 2);
}

static void pack_rows(struct packer *packer, const struct batch *batch)
{
	pack_unsigned(packer, batch->event_count);
	for (size_t i = 0; i < batch->event_count; i++) {
		const struct batch_event *event = &batch->events[i];

		pack_signed(packer, event->time_ms);
		pack_unsigned(packer, event->serial);
		pack_text(packer, event->name);
		pack_signed(packer, event->value);
		pack_text(packer, event->text);
	}
	pack_unsigned(packer, batch->setting_count);
	for (size_t i = 0; i < batch->setting_count; i++) {
		const struct batch_setting *setting = &batch->settings[i];

		pack_unsigned(packer, setting->serial);
		pack_text(packer, setting->name);
		pack_text(packer, setting->value);
	}
	pack_unsigned(packer, batch->result_count);
	for (size_t i = 0; i < batch->result_count; i++) {
		const struct batch_result *result = &batch->results[i];

		pack_text(packer, result->order);
		pack_unsigned(packer, result->serial);
		pack_signed(packer, result->time_ms);
		pack_text(packer, result->state);
		pack_text(packer, result->text);
	}
}

int batch_seal(struct batch *batch, uint8_t **ret_bytes, size_t *ret_n)
{
	static const uint8_t no_hash[BATCH_HASH_BYTES];
	static const uint8_t no_head[BATCH_HEAD_BYTES];
	struct packer raw = { 0 };
	struct packer out = { 0 };
	size_t raw_n;
	int ret;

	if (batch->report_count > BATCH_REPORTS_MAX || batch->event_count > BATCH_ROWS_MAX ||
	    batch->setting_count > BATCH_ROWS_MAX || batch->result_count > BATCH_ROWS_MAX) {
		return -EINVAL;
	}
	report_pack(&raw, batch->reports, batch->report_count);
	pack_rows(&raw, batch);
	raw_n = raw.n;
	pack_bytes(&out, no_head, sizeof(no_head));
	ret = pack_compress(&raw, LEVEL, &out);
	pack_bytes(&out, no_hash, sizeof(no_hash));
	if (ret == 0 && out.failed) {
		ret = -ENOMEM;
	}
	if (ret == 0 && (out.n > BATCH_BYTES_MAX || raw_n > BATCH_RAW_MAX)) {
		ret = -EFBIG;
	}
	if (ret < 0) {
		free(out.bytes);
		return ret;
	}
	put_head(out.bytes, &batch->head, out.n);
	crypto_generichash(batch->head.hash, BATCH_HASH_BYTES, out.bytes, out.n - BATCH_HASH_BYTES,
			   NULL, 0);
	memcpy(out.bytes + out.n - BATCH_HASH_BYTES, batch->head.hash, BATCH_HASH_BYTES);
	*ret_bytes = out.bytes;
	*ret_n = out.n;
	return 0;
}

int batch_read_head(const uint8_t *bytes, size_t n, struct batch_head *ret_head, size_t *ret_n,
		    char *err, size_t size)
{
	struct batch_head head;
	size_t length;

	if (n < BYTES_MIN) {
		snprintf(err, size, "batch: expected at least %d bytes, found %zu", BYTES_MIN, n);
		return -EBADMSG;
	}
	if (memcmp(bytes, MAGIC, MAGIC_BYTES) != 0) {
		snprintf(err, size, "batch: expected '" MAGIC "' at byte 0");
		return -EBADMSG;
	}
	length = bytes_get_le(bytes + AT_LENGTH, 4);
	if (length < BYTES_MIN || length > n || length > BATCH_BYTES_MAX) {
		snprintf(err, size,
			 "batch: expected a length of %d to %d bytes, found %zu in a body of %zu",
			 BYTES_MIN, BATCH_BYTES_MAX, length, n);
		return -EBADMSG;
	}
	crypto_generichash(head.hash, BATCH_HASH_BYTES, bytes, length - BATCH_HASH_BYTES, NULL, 0);
	if (memcmp(head.hash, bytes + length - BATCH_HASH_BYTES, BATCH_HASH_BYTES) != 0) {
		snprintf(err, size, "batch: hash mismatch");
		return -EBADMSG;
	}
	get_head(bytes, &head);
	if (head.ecu < 1 || head.ecu > ID_MAX || head.sequence < 1 || head.sequence > INT64_MAX) {
		snprintf(err, size,
			 "batch: expected an ECU of 12 digits and a sequence from 1, found %" PRIu64
			 " and %" PRIu64,
			 head.ecu, head.sequence);
		return -EBADMSG;
	}
	*ret_head = head;
	*ret_n = length;
	return 0;
}

/* Memory for @count rows, NULL for none. */
static int unpack_count(struct unpacker *unpacker, size_t row_size, void *ret_rows,
			size_t *ret_count)
{
	size_t count = unpack_limited(unpacker, BATCH_ROWS_MAX);
	void *rows = NULL;

	if (count > 0) {
		rows = calloc(count, row_size);
		if (!rows) {
			return -ENOMEM;
		}
	}
	*(void **)ret_rows = rows;
	*ret_count = count;
	return 0;
}

static int unpack_events(struct unpacker *unpacker, struct batch *batch)
{
	int ret =
		unpack_count(unpacker, sizeof(*batch->events), &batch->events, &batch->event_count);

	for (size_t i = 0; ret == 0 && i < batch->event_count; i++) {
		struct batch_event *event = &batch->events[i];

		event->time_ms = unpack_signed(unpacker);
		event->serial = unpack_limited(unpacker, ID_MAX);
		unpack_text(unpacker, event->name, sizeof(event->name));
		event->value = unpack_signed(unpacker);
		unpack_text(unpacker, event->text, sizeof(event->text));
	}
	return ret;
}

static int unpack_settings(struct unpacker *unpacker, struct batch *batch)
{
	int ret = unpack_count(unpacker, sizeof(*batch->settings), &batch->settings,
			       &batch->setting_count);

	for (size_t i = 0; ret == 0 && i < batch->setting_count; i++) {
		struct batch_setting *setting = &batch->settings[i];

		setting->serial = unpack_limited(unpacker, ID_MAX);
		unpack_text(unpacker, setting->name, sizeof(setting->name));
		unpack_text(unpacker, setting->value, sizeof(setting->value));
	}
	return ret;
}

static int unpack_results(struct unpacker *unpacker, struct batch *batch)
{
	int ret = unpack_count(unpacker, sizeof(*batch->results), &batch->results,
			       &batch->result_count);

	for (size_t i = 0; ret == 0 && i < batch->result_count; i++) {
		struct batch_result *result = &batch->results[i];

		unpack_text(unpacker, result->order, sizeof(result->order));
		result->serial = unpack_limited(unpacker, ID_MAX);
		result->time_ms = unpack_signed(unpacker);
		unpack_text(unpacker, result->state, sizeof(result->state));
		unpack_text(unpacker, result->text, sizeof(result->text));
	}
	return ret;
}

static int unpack_content(struct unpacker *unpacker, struct batch *batch)
{
	int ret = report_unpack(unpacker, BATCH_REPORTS_MAX, &batch->reports, &batch->report_count);

	if (ret == 0) {
		ret = unpack_events(unpacker, batch);
	}
	if (ret == 0) {
		ret = unpack_settings(unpacker, batch);
	}
	if (ret == 0) {
		ret = unpack_results(unpacker, batch);
	}
	return ret < 0 ? ret : unpacker->failed || unpacker->n > 0 ? -EBADMSG : 0;
}

int batch_open(const uint8_t *bytes, size_t n, struct batch *ret_batch, char *err, size_t size)
{
	struct batch batch = { 0 };
	struct unpacker unpacker = { 0 };
	uint8_t *raw;
	size_t length;
	int ret = batch_read_head(bytes, n, &batch.head, &length, err, size);

	if (ret < 0) {
		return ret;
	}
	ret = pack_decompress(bytes + BATCH_HEAD_BYTES, length - BYTES_MIN, BATCH_RAW_MAX, &raw,
			      &unpacker.n);
	if (ret == 0) {
		unpacker.bytes = raw;
		ret = unpack_content(&unpacker, &batch);
		free(raw);
	}
	if (ret == -ENOMEM) {
		batch_clear(&batch);
		return ret;
	}
	if (ret < 0) {
		snprintf(err, size, "batch %" PRIu64 ": content is %s", batch.head.sequence,
			 ret == -EFBIG ? "longer than allowed" : "malformed");
		batch_clear(&batch);
		return -EBADMSG;
	}
	*ret_batch = batch;
	return 0;
}

void batch_clear(struct batch *batch)
{
	free(batch->reports);
	free(batch->events);
	free(batch->settings);
	free(batch->results);
	*batch = (struct batch){ 0 };
}
