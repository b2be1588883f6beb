/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Labels in a photo, found by the program qs1-scan in a process for each photo. */
#ifndef QS1_LABELS_H
#define QS1_LABELS_H

#include <stddef.h>

/* Takes one code. Return: 0 to go on. */
typedef int (*labels_fn)(void *ctx, const char *symbology, const char *text);

/**
 * labels_scan() - find codes in a JPEG file
 * @jpeg: @n bytes of the file
 *
 * Waits for the program, some seconds for a large picture.
 *
 * Return: 0; -EBADMSG for what is no picture; -EOPNOTSUPP when qs1-scan is not installed; the
 * return of @take; or a negative errno with the reason in @err.
 */
int labels_scan(const void *jpeg, size_t n, labels_fn take, void *ctx, char *err, size_t size);

#endif /* QS1_LABELS_H */
