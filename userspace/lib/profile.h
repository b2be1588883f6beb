/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Grid profiles: one file for each standard, one `name value` on each line; `#`
 * starts a comment. A profile may name only parameters of the PROFILE group, each
 * once. A parameter that params.h marks DEFAULT may be absent, and then has its
 * default; all others must be present.
 */
#ifndef QS1_PROFILE_H
#define QS1_PROFILE_H

#include <stddef.h>
#include <stdint.h>

#include "param.h"

#define QS1_PROFILE_NAME_SIZE 64
#define QS1_PROFILE_ERR_SIZE 512

/* Folders of profiles. The first one that has the name is used. */
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
 * struct qs1_profile_reader - a profile that is read value by value
 * @where: file name for the messages of qs1_profile_end(), or NULL
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
 * qs1_profile_begin() - start to read a profile
 * @name: of the profile: letters, digits and "-_.+", not starting with '.'
 *
 * Return: 0 or -EINVAL with the reason in @err.
 */
int qs1_profile_begin(struct qs1_profile_reader *reader, const char *name, char *err, size_t size);

/**
 * qs1_profile_value() - add a value
 * @line: number of its line, from 1
 *
 * Return: 0; -EINVAL with the reason in @err if @name is unknown, not part of a
 * profile or repeated, or if @value is out of range.
 */
int qs1_profile_value(struct qs1_profile_reader *reader, int line, const char *name,
		      const char *value, char *err, size_t size);

/**
 * qs1_profile_end() - check that no value is missing or contradicts another
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
 * Return: 0; -EINVAL if the content is wrong; the error of open() or read().
 */
int qs1_profile_load(const char *path, struct qs1_profile *ret_profile, char *err, size_t size);

/**
 * qs1_profile_find() - the file of a profile
 * @name: a name, for NAME.conf in @dirs; or a path, which has a '/' or ends in
 *        ".conf"
 * @dirs: folders, NULL at the end; NULL for the installed ones
 * @ret_path: a string that the caller frees, untouched on failure
 * @err: on failure the reason
 *
 * Return: 0, -ENOENT, -EINVAL if @name cannot be the name of a profile, or -ENOMEM.
 */
int qs1_profile_find(const char *name, const char *const *dirs, char **ret_path, char *err,
		     size_t size);

/**
 * qs1_profile_list() - names of the profiles in some folders, sorted, each once
 * @dirs: as for qs1_profile_find()
 * @ret_names: array of strings, NULL at the end; freed by qs1_profile_list_free()
 *
 * Return: number of names, or a negative errno. A missing folder counts as empty.
 */
int qs1_profile_list(const char *const *dirs, char ***ret_names);
void qs1_profile_list_free(char **names);

#endif /* QS1_PROFILE_H */
