// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "lanes.h"

#include <stdbool.h>

#include "adc.h"
#include "regs.h"

/* Polls of about four cycles: BUSY rises within 45 ns, falls within 4.15 us; twice that. */
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
	return started ? 0 : QS1_ADC_NOT_BUSY;
}

uint32_t qs1_lanes_wait(void)
{
	return busy_becomes(0, LOOKS_FALL) ? 0 : QS1_ADC_TOO_LONG;
}

/*
 * Two channels of each line: 32 bits, the most significant one first. A bit holds
 * until the clock's next rising edge. The clock is low while two of the lines are
 * taken and high for the other two: more than 40 ns each, of which the converter
 * wants 24.
 */
static void read_pair(uint32_t idle, uint32_t lane[4])
{
	uint32_t one_a = 0, one_b = 0, two_a = 0, two_b = 0, in;

	for (int bit = 0; bit < 32; bit++) {
		qs1_r30_write(idle & ~(AM335X_CS_N | AM335X_SCLK));
		in = qs1_r31_read();
		one_a = one_a << 1 | (in >> AM335X_DOUT_1A & 1);
		one_b = one_b << 1 | (in >> AM335X_DOUT_1B & 1);
		__asm__ volatile("" : "+r"(one_a), "+r"(one_b)); /* not after the edge */
		qs1_r30_write(idle & ~AM335X_CS_N);
		two_a = two_a << 1 | (in >> AM335X_DOUT_2A & 1);
		two_b = two_b << 1 | (in >> AM335X_DOUT_2B & 1);
		__asm__ volatile("" : "+r"(two_a), "+r"(two_b));
	}
	lane[0] = one_a;
	lane[1] = one_b;
	lane[2] = two_a;
	lane[3] = two_b;
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
