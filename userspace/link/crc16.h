/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CRC-16 with the polynomial x^16 + x^12 + x^5 + 1. */
#ifndef QS1_LINK_CRC16_H
#define QS1_LINK_CRC16_H

#include <stddef.h>
#include <stdint.h>

/**
 * crc16_reflected() - least significant bit first, as ITU-T V.41 sends it
 * @crc: 0 to begin with for the FCS of IEEE 802.15.4 (7.2.11), 0xffff for CRC-16/X-25;
 *       the result of the bytes before, to go on
 *
 * CRC-16/X-25, the check of ZigBee install codes, is the complement of the result.
 */
uint16_t crc16_reflected(uint16_t crc, const uint8_t *bytes, size_t n);

#endif /* QS1_LINK_CRC16_H */
