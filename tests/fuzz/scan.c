// SPDX-License-Identifier: GPL-2.0-only
/*
 * Decoding of waveforms: types of channels, one a line up to a blank one, and
 * then scans; and the whole input as the driver's recording of a trip.
 */
#include "fuzz.h"
#include "scan.h"
#include "wave.h"

static void decode_stream(const uint8_t *data, size_t size)
{
	struct scan_element element[WAVE_CHANNELS] = { 0 };
	size_t n = 0;
	int bytes;

	while (n < WAVE_CHANNELS && size > 0) {
		const uint8_t *end = memchr(data, '\n', size);
		size_t length = end ? (size_t)(end - data) : size;
		char type[32];

		snprintf(type, sizeof(type), "%.*s", (int)(length > 31 ? 31 : length), data);
		data += length + (end != NULL);
		size -= length + (end != NULL);
		if (!length) {
			break;
		}
		element[n].index = type[0] == 'b' ? 100 - n : n;
		if (scan_type_parse(type, &element[n]) == 0) {
			n++;
		}
	}
	bytes = scan_layout(element, n);
	assert(bytes >= 0 && (bytes > 0) == (n > 0));
	for (; n > 0 && size >= (size_t)bytes; data += bytes, size -= bytes) {
		for (size_t i = 0; i < n; i++) {
			int64_t value = scan_value(&element[i], data);
			int bits = element[i].bits;

			assert(bits == 64 ||
			       (element[i].is_signed
					? value >= -(1ll << (bits - 1)) && value < 1ll << (bits - 1)
					: (uint64_t)value < 1ull << bits));
		}
	}
}

static void decode_trip(const uint8_t *data, size_t size)
{
	struct qs1_trip_wave head;
	struct wave wave;

	if (wave_trip(data, size, &head, &wave) == 0) {
		assert(wave.scans == head.count && wave.zero < wave.scans);
		wave_free(&wave);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	decode_stream(data, size);
	decode_trip(data, size);
	return 0;
}
