/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Limits over a restart of the daemon: a file in the runtime directory, which is
 * memory. A lease ends by the monotonic clock, which belongs to one boot.
 */
#ifndef QS1D_LEASES_H
#define QS1D_LEASES_H

#include <stdint.h>

#include "../policy/limit.h"
#include "ring.h"

/**
 * leases_save() - replace the file
 * @boot_id: of the running system, RING_BOOT_ID_SIZE bytes
 *
 * Return: 0 or a negative errno.
 */
int leases_save(const char *path, const uint8_t *boot_id, const struct limits *limits);

/**
 * leases_load() - the limits in the file
 * @boot_id: of the running system; limits of another boot are over
 * @ret_limits: untouched on failure
 *
 * Return: 0; -ENOENT without a file; -ESTALE for one of another boot; -EINVAL
 * for another content; what open or read gave.
 */
int leases_load(const char *path, const uint8_t *boot_id, struct limits *ret_limits);

#endif /* QS1D_LEASES_H */
