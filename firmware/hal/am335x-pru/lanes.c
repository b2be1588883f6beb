// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "lanes.h"

#include <stdbool.h>

#include "adc.h"
#include "regs.h"

/* Looks of about four cycles: BUSY rises within 45 ns, falls within 4.15 us; twice that. */
#define LOOKS_RISE 16
#define LOOKS_FALL 512

static bool busy_becomes(uint32_t level, int looks)
{
	while (looks--) {
		if ((qs1_r31_read() & AM335X_BUSY) == level)
			return true;
	}
	return false;
}

uint32_t qs1_lanes_convert(uint32_t idle)
{
	bool started;

	qs1_r30_write(idle | AM335X_CONVST);
	started = busy_becomes(AM335X_BUSY, LOOKS_RISE);
	qs1_r30_write(idle);
	if (!started)
		return QS1_ADC_NOT_BUSY;
	return busy_becomes(0, LOOKS_FALL) ? 0 : QS1_ADC_TOO_LONG;
}

/* Two channels of each line: 32 bits, the most significant one first. */
static void read_pair(uint32_t idle, uint32_t lane[4])
{
	uint32_t in;

	lane[0] = lane[1] = lane[2] = lane[3] = 0;
	for (int bit = 0; bit < 32; bit++) {
		/* A bit holds until the clock's next rising edge. */
		qs1_r30_write(idle & ~(AM335X_CS_N | AM335X_SCLK));
		in = qs1_r31_read();
		qs1_r30_write(idle & ~AM335X_CS_N);
		lane[0] = lane[0] << 1 | (in >> AM335X_DOUT_1A & 1);
		lane[1] = lane[1] << 1 | (in >> AM335X_DOUT_1B & 1);
		lane[2] = lane[2] << 1 | (in >> AM335X_DOUT_2A & 1);
		lane[3] = lane[3] << 1 | (in >> AM335X_DOUT_2B & 1);
	}
}

void qs1_lanes_read(uint32_t idle, int16_t *adc)
{
	uint32_t lane[4];

	qs1_r30_write(idle & ~AM335X_CS_N);
	for (int pair = 0; pair < 2; pair++) {
		read_pair(idle, lane);
		for (int i = 0; i < 4; i++) {
			adc[4 * i + 2 * pair] = (int16_t)(lane[i] >> 16);
			adc[4 * i + 2 * pair + 1] = (int16_t)lane[i];
		}
	}
	qs1_r30_write(idle);
}
