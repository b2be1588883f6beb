/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Gate signals by a serial frame, for a board whose connectors have no six
 * timer outputs (BeaglePlay): the timers are then in the gate logic, which
 * receives the words that are sent while the first converter is read.
 *
 * Eight 16-bit words, most significant bit first, taken over together at the
 * beginning of the next period if the last one is right:
 *
 *	0-3   on-time of the inputs, counts of QS1_PWM_INPUT_PERIOD
 *	4     bridge, -QS1_PWM_BRIDGE_HALF..QS1_PWM_BRIDGE_HALF
 *	5     bits 0-3 gates of the inputs, 4 bridge, 5 relay; 15: not bit 5
 *	6     number of the frame
 *	7     CRC-16 of the words before, polynomial 0x1021, from 0xffff
 *
 * Without a good frame for 200 us, or with the same number again, the gate
 * logic takes all gates away and opens the relay, as it does without an edge
 * of the alive line.
 */
#ifndef QS1_HAL_FRAME_H
#define QS1_HAL_FRAME_H

#include <stdint.h>

#include "adc.h"
#include "core.h"

#define QS1_FRAME_BRIDGE 0x0010u
#define QS1_FRAME_RELAY 0x0020u
#define QS1_FRAME_NOT_RELAY 0x8000u

/**
 * qs1_frame_pack() - a frame of the outputs
 * @word: the words to send, two words of the frame in each
 * @out: the outputs
 * @number: of the frame
 */
void qs1_frame_pack(uint32_t word[QS1_ADC_CHIP_WORDS], const struct qs1_outputs *out,
		    uint16_t number);

#endif /* QS1_HAL_FRAME_H */
