/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Grid profiles: one file per standard, one `name value` a line, `#` starts a
 * comment. A profile names parameters of the PROFILE group, each at most once,
 * and nothing else. Those that params.h marks DEFAULT may be absent and then have
 * their default; the others must be named.
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
 * struct qs1_profile_reader - a profile while its values come in, one by one
 * @where: file name for messages of qs1_profile_end(), or NULL
 * @name: of the profile
 * @value: scaled values read so far
 * @line: line of each value, from 1; 0 when it is missing
 */
struct qs1_profile_reader {
	const char *where;
	char name[QS1_PROFILE_NAME_SIZE];
	int32_t value[QS1_PARAM_COUNT];
	int line[QS1_PARAM_COUNT];
};

/**
 * qs1_profile_begin() - before the first value
 * @name: of the profile: letters, digits and "-_.+", no '.' first
 *
 * Return: 0 or -EINVAL with the reason in @err.
 */
int qs1_profile_begin(struct qs1_profile_reader *reader, const char *name, char *err, size_t size);

/**
 * qs1_profile_value() - one value
 * @line: where it stands, from 1
 *
 * Return: 0; -EINVAL with the reason in @err for a name that is unknown, not
 * part of a profile or has come before, and for a value out of range.
 */
int qs1_profile_value(struct qs1_profile_reader *reader, int line, const char *name,
		      const char *value, char *err, size_t size);

/**
 * qs1_profile_end() - after the last value: none is missing or contradicts another
 * @ret_profile: untouched on failure
 *
 * Return: 0 or -EINVAL with the reason in @err.
 */
int qs1_profile_end(const struct qs1_profile_reader *reader, struct qs1_profile *ret_profile,
		    char *err, size_t size);

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
