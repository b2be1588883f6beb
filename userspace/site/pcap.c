// SPDX-License-Identifier: GPL-2.0-only
#include "pcap.h"

#include <errno.h>

#include "bytes.h"

#define MAGIC_US 0xa1b2c3d4
#define LINKTYPE_802_15_4_WITHFCS 195
#define SNAP_BYTES 256

int pcap_open(FILE **ret_file, const char *path)
{
	uint8_t head[24] = { 0 };
	FILE *file = fopen(path, "wbe");

	if (!file) {
		return -errno;
	}
	bytes_put_le(head, 4, MAGIC_US);
	bytes_put_le(head + 4, 2, 2);
	bytes_put_le(head + 6, 2, 4);
	bytes_put_le(head + 16, 4, SNAP_BYTES);
	bytes_put_le(head + 20, 4, LINKTYPE_802_15_4_WITHFCS);
	if (fwrite(head, sizeof(head), 1, file) != 1) {
		fclose(file);
		return -EIO;
	}
	*ret_file = file;
	return 0;
}

int pcap_write(FILE *file, uint64_t time_us, const uint8_t *frame, size_t n)
{
	uint8_t head[16];

	bytes_put_le(head, 4, time_us / 1000000);
	bytes_put_le(head + 4, 4, time_us % 1000000);
	bytes_put_le(head + 8, 4, n);
	bytes_put_le(head + 12, 4, n);
	return fwrite(head, sizeof(head), 1, file) == 1 && fwrite(frame, n, 1, file) == 1 ? 0
											  : -EIO;
}
