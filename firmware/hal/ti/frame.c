// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "frame.h"

#define FRAME_WORDS 8

/* CRC-16 of the CCITT, not reflected, by bit. */
static uint16_t crc16(uint16_t crc, uint16_t word)
{
	crc ^= word;
	for (int i = 0; i < 16; i++)
		crc = (uint16_t)((crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0));
	return crc;
}

void qs1_frame_pack(uint32_t word[QS1_ADC_CHIP_WORDS], const struct qs1_outputs *out,
		    uint16_t number)
{
	uint16_t frame[FRAME_WORDS], crc = 0xffff;

	for (int i = 0; i < QS1_INPUTS; i++)
		frame[i] = out->cmp_input[i];
	frame[4] = (uint16_t)out->cmp_bridge;
	frame[5] = out->inputs;
	if (out->bridge)
		frame[5] |= QS1_FRAME_BRIDGE;
	frame[5] |= out->relay ? QS1_FRAME_RELAY : QS1_FRAME_NOT_RELAY;
	frame[6] = number;
	for (int i = 0; i < FRAME_WORDS - 1; i++)
		crc = crc16(crc, frame[i]);
	frame[7] = crc;
	for (int i = 0; i < QS1_ADC_CHIP_WORDS; i++)
		word[i] = (uint32_t)frame[2 * i] << 16 | frame[2 * i + 1];
}
