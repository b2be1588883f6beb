// SPDX-License-Identifier: GPL-2.0-or-later
/* Days, see days.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "days.h"

#define MAGIC "QSD1"
#define MAGIC_BYTES 4
#define DAY_S 86400
/* Stored for years and written once. */
#define LEVEL 19
#define LEVEL_OPEN 1
/* A varint has 10 bytes at most; some bytes for the units. */
#define RAW_MAX ((size_t)DAY_REPORTS_MAX * (REPORT_FIELD_COUNT + 1) * 10 + 64)

int64_t day_of(int64_t time_s, int zone_min)
{
	int64_t local_s = time_s + zone_min * 60;

	return local_s / DAY_S - (local_s % DAY_S < 0);
}

static int pack(const struct report *reports, size_t n, int level, uint8_t **ret_bytes,
		size_t *ret_n)
{
	struct packer raw = { 0 };
	struct packer out = { 0 };
	int ret;

	if (n > DAY_REPORTS_MAX) {
		return -EINVAL;
	}
	for (size_t i = 1; i < n; i++) {
		if (reports[i].serial != reports[0].serial ||
		    reports[i].time_s < reports[i - 1].time_s) {
			return -EINVAL;
		}
	}
	report_pack(&raw, reports, n);
	pack_bytes(&out, MAGIC, MAGIC_BYTES);
	ret = pack_compress(&raw, level, &out);
	if (ret < 0 || out.failed) {
		free(out.bytes);
		return -ENOMEM;
	}
	*ret_bytes = out.bytes;
	*ret_n = out.n;
	return 0;
}

int day_pack(const struct report *reports, size_t n, uint8_t **ret_bytes, size_t *ret_n)
{
	return pack(reports, n, LEVEL, ret_bytes, ret_n);
}

int day_pack_open(const struct report *reports, size_t n, uint8_t **ret_bytes, size_t *ret_n)
{
	return pack(reports, n, LEVEL_OPEN, ret_bytes, ret_n);
}

int day_unpack(const uint8_t *bytes, size_t n, struct report **ret_reports, size_t *ret_n)
{
	struct unpacker unpacker = { 0 };
	struct report *reports;
	size_t count;
	uint8_t *raw;
	int ret;

	if (n < MAGIC_BYTES || memcmp(bytes, MAGIC, MAGIC_BYTES) != 0) {
		return -EBADMSG;
	}
	ret = pack_decompress(bytes + MAGIC_BYTES, n - MAGIC_BYTES, RAW_MAX, &raw, &unpacker.n);
	if (ret < 0) {
		return ret == -ENOMEM ? ret : -EBADMSG;
	}
	unpacker.bytes = raw;
	ret = report_unpack(&unpacker, DAY_REPORTS_MAX, &reports, &count);
	free(raw);
	if (ret < 0) {
		return ret;
	}
	if (unpacker.n > 0 || (count > 0 && reports[count - 1].serial != reports[0].serial)) {
		free(reports);
		return -EBADMSG;
	}
	*ret_reports = reports;
	*ret_n = count;
	return 0;
}
