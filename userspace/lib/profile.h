/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Grid profiles: one file per standard, one `name value` a line, `#` starts a
 * comment. A profile names every parameter of the PROFILE group exactly once
 * and nothing else.
 */
#ifndef QS1_PROFILE_H
#define QS1_PROFILE_H

#include <stddef.h>
#include <stdint.h>

#include "param.h"

#define QS1_PROFILE_NAME_SIZE 64
#define QS1_PROFILE_ERR_SIZE 512

/* Where a profile is looked for by name, first found wins. */
#define QS1_PROFILE_DIR_LOCAL "/etc/qs1/profiles"
#define QS1_PROFILE_DIR "/usr/share/qs1/profiles"

/**
 * struct qs1_profile - a valid profile
 * @name: name of its file without folder and ".conf"
 * @value: scaled values of the PROFILE group, enum qs1_param; 0 for others
 */
struct qs1_profile {
	char name[QS1_PROFILE_NAME_SIZE];
	int32_t value[QS1_PARAM_COUNT];
};

/**
 * qs1_profile_load() - read and check a profile file
 * @path: file name
 * @ret_profile: untouched on failure
 * @err: on failure "file:line: what was expected, what was found"
 *
 * Return: 0; -EINVAL when the content is wrong; what open or read gave.
 */
int qs1_profile_load(const char *path, struct qs1_profile *ret_profile, char *err, size_t size);

/**
 * qs1_profile_find() - the file of a profile
 * @name: a name, looked for as NAME.conf in @dirs; or a path, recognised by a
 *        '/' or an ending ".conf", taken as it is
 * @dirs: folders, NULL at the end; NULL for the installed ones
 * @ret_path: a string that the caller frees, untouched on failure
 * @err: on failure the reason
 *
 * Return: 0, -ENOENT, -EINVAL for a name that is none, or -ENOMEM.
 */
int qs1_profile_find(const char *name, const char *const *dirs, char **ret_path, char *err,
		     size_t size);

/**
 * qs1_profile_list() - names of the profiles in some folders, sorted, each once
 * @dirs: as for qs1_profile_find()
 * @ret_names: array of strings, NULL at the end; freed by qs1_profile_list_free()
 *
 * Return: how many, or a negative errno. A folder that does not exist is empty.
 */
int qs1_profile_list(const char *const *dirs, char ***ret_names);
void qs1_profile_list_free(char **names);

#endif /* QS1_PROFILE_H */
