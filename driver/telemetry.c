// SPDX-License-Identifier: GPL-2.0-only
/*
 * Consistent reading of the telemetry.
 */
#include <linux/delay.h>
#include <linux/export.h>
#include <linux/io.h>

#include "qs1.h"

/*
 * The firmware writes a snapshot in microseconds, each 10 ms of its time. On
 * an emulated processor it can be put off in the middle of it, so the reader
 * sleeps between its tries, and gives up after 50 to 100 ms.
 */
#define QS1_TELEMETRY_TRIES 100

/**
 * qs1_telemetry_read() - copy a part of the telemetry out of one snapshot
 * @qs1: inverter
 * @offset: in struct qs1_telemetry
 * @buf: copy; undefined on failure
 * @size: bytes
 *
 * Context: may sleep, up to 100 ms.
 * Return: 0, -ENODATA if the firmware does not run, -EIO if it never finished
 * a snapshot.
 */
int qs1_telemetry_read(struct qs1 *qs1, size_t offset, void *buf, size_t size)
{
	struct qs1_telemetry __iomem *telemetry = &qs1->shm->telemetry;
	u32 seq;
	int try;

	if (WARN_ON_ONCE(offset + size > sizeof(*telemetry)))
		return -EINVAL;

	for (try = 0; try < QS1_TELEMETRY_TRIES; try++) {
		if (!qs1_running(qs1))
			return -ENODATA;
		if (try)
			usleep_range(500, 1000);
		seq = readl(&telemetry->seq);
		if (seq & 1)
			continue;
		memcpy_fromio(buf, (u8 __iomem *)telemetry + offset, size);
		rmb(); /* the copy is done before seq is read again */
		if (readl(&telemetry->seq) == seq)
			return 0;
	}
	return -EIO;
}
EXPORT_SYMBOL_NS_GPL(qs1_telemetry_read, QS1_NS);
