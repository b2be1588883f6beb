/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CRC-32C (Castagnoli), as RFC 3720, 12.1 defines it. */
#ifndef QS1_CRC32C_H
#define QS1_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/**
 * crc32c() - checksum of some bytes, in one part or in several
 * @crc: 0, or the checksum of what came before
 *
 * Return: the checksum; of "123456789" it is 0xe3069283.
 */
uint32_t crc32c(uint32_t crc, const void *data, size_t length);

#endif /* QS1_CRC32C_H */
