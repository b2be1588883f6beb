/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The mark of the first start. It is a file apart from the store, written once and
 * never changed, with the identity of the unit. When it is there, an absent, empty
 * or foreign store is a lost one, not that of a new unit.
 */
#ifndef QS1D_MARK_H
#define QS1D_MARK_H

#include <stdint.h>

#define MARK_ID_SIZE 16

/**
 * mark_read() - the unit that the mark names
 * @ret_id: MARK_ID_SIZE bytes, untouched on failure
 *
 * Return: 0; -ENOENT when this unit has never started; -EINVAL for a file that
 * is no mark; what open or read gave.
 */
int mark_read(const char *path, uint8_t *ret_id);

/**
 * mark_write() - write the mark; it is on stable storage when this returns 0
 *
 * Return: 0 or a negative errno.
 */
int mark_write(const char *path, const uint8_t *id);

#endif /* QS1D_MARK_H */
