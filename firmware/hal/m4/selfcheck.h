/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Checks of the processor, its code and its memory, before the firmware offers a contract. */
#ifndef QS1_HAL_SELFCHECK_H
#define QS1_HAL_SELFCHECK_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct qs1_stamp - what stamp writes into the image after linking
 * @start: first byte covered, by the linker
 * @end: first byte no longer covered, by the linker
 * @crc: CRC-32 (IEEE 802.3) of those bytes, by stamp
 */
struct qs1_stamp {
	uint32_t start;
	uint32_t end;
	uint32_t crc;
};

#ifdef __arm__

/* Are code and constants as they were linked? @crc: the CRC found. */
bool qs1_selfcheck_image(uint32_t *crc);

/**
 * qs1_selfcheck_ram() - March C- over a piece of memory
 * @word: first word; its content is lost, and zero afterwards
 * @words: how many
 *
 * Finds stuck, coupled and wrongly addressed cells (van de Goor, Testing
 * Semiconductor Memories, 1991).
 */
bool qs1_selfcheck_ram(volatile uint32_t *word, uint32_t words);

#endif

#endif /* QS1_HAL_SELFCHECK_H */
