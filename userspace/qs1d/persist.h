/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What outlives power, in one file that is replaced as a whole: after a power
 * cut there is the old content or the new one.
 */
#ifndef QS1D_PERSIST_H
#define QS1D_PERSIST_H

#include <stddef.h>

#include "energy.h"
#include "policy.h"

/**
 * struct persist - everything that is kept
 * @policy: see there
 * @energy: see there; its epoch is not kept
 */
struct persist {
	struct policy_kept policy;
	struct energy energy;
};

/**
 * persist_load() - read the file and check all of it
 * @path: file name
 * @ret_persist: untouched on failure
 * @err: on failure the reason, with file and line
 *
 * Return: 0; -ENOENT when there is none; -EINVAL when its content is wrong.
 */
int persist_load(const char *path, struct persist *ret_persist, char *err, size_t size);

/**
 * persist_save() - replace the file; on stable storage when it returns 0
 * @path: file name; its folder exists
 *
 * Return: 0, or the negative errno of what failed; then the old file stands.
 */
int persist_save(const char *path, const struct persist *persist);

#endif /* QS1D_PERSIST_H */
