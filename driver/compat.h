/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Differences between kernel versions, all in one place.
 */
#ifndef QS1_COMPAT_H
#define QS1_COMPAT_H

#include <linux/version.h>

/* Symbol namespaces became strings in 6.13. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#define QS1_NS "QS1"
#else
#define QS1_NS QS1
#endif

/* Callbacks of binary attributes take a constant one since 6.16. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
#define QS1_BIN_CONST const
#else
#define QS1_BIN_CONST
#endif

#endif /* QS1_COMPAT_H */
