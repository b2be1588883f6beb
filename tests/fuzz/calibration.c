// SPDX-License-Identifier: GPL-2.0-only
/*
 * A calibration file, with its checksum put right so that lines are reached, and a
 * firmware image. What was read is written and read again.
 */
#include <inttypes.h>

#include "calibration.h"
#include "crc32c.h"
#include "fuzz.h"

static void read_points(const char *text, size_t length)
{
	struct calibration calibration, again;
	char err[512], path[64];

	if (calibration_parse(text, length, &calibration, err, sizeof(err)) < 0) {
		return;
	}
	assert(calibration.count <= CALIBRATION_POINTS);
	for (int i = 0; i < QS1_ADC_COUNT; i++) {
		struct calibration_line line;

		calibration_line(&calibration, i, &line);
	}
	snprintf(path, sizeof(path), "/dev/shm/qs1-fuzz-%d", getpid());
	assert(calibration_write(path, &calibration) == 0);
	assert(calibration_read(path, &again, err, sizeof(err)) == 0);
	assert(again.count == calibration.count);
	unlink(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t at = calibration_place(data, size);
	char text[4096];

	assert(at == 0 || (at < size && size - at >= sizeof(struct qs1_calibration)));
	read_points((const char *)data, size);
	if (size < sizeof(text) - 32) {
		size += sprintf(memcpy(text, data, size) + size, "checksum %08" PRIx32 "\n",
				crc32c(0, data, size));
		read_points(text, size);
	}
	return 0;
}
