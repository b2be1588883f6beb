// SPDX-License-Identifier: GPL-2.0-or-later
#include "profile.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "conf.h"
#include "util.h"

#define SUFFIX ".conf"

static const char *const installed_dirs[] = { QS1_PROFILE_DIR_LOCAL, QS1_PROFILE_DIR, NULL };

static const struct {
	enum qs1_param lower;
	enum qs1_param upper;
	int32_t gap;
} orders[] = {
#define X(lower, upper, gap) { QS1_PARAM_##lower, QS1_PARAM_##upper, gap },
	QS1_PARAM_ORDERS(X)
#undef X
};

/* A profile's name may become a file's. */
static bool is_name(const char *name)
{
	size_t n =
		strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.+");

	return n > 0 && n < QS1_PROFILE_NAME_SIZE && !name[n] && name[0] != '.';
}

int qs1_profile_begin(struct qs1_profile_reader *reader, const char *name, char *err, size_t size)
{
	if (!is_name(name)) {
		snprintf(err, size,
			 "expected the name of a profile, up to %d letters, digits and '-_.+', "
			 "found '%s'",
			 QS1_PROFILE_NAME_SIZE - 1, name);
		return -EINVAL;
	}
	*reader = (struct qs1_profile_reader){ 0 };
	strcpy(reader->name, name);
	return 0;
}

int qs1_profile_value(struct qs1_profile_reader *reader, int line, const char *name,
		      const char *value, char *err, size_t size)
{
	int id = qs1_param_find(name);
	int ret;

	if (id < 0) {
		snprintf(err, size, "expected the name of a profile parameter, found '%s'", name);
		return -EINVAL;
	}
	if (qs1_param_desc(id)->group != QS1_PARAM_GROUP_PROFILE) {
		snprintf(err, size, "%s is not part of a grid profile; set it with 'qs1ctl set'",
			 name);
		return -EINVAL;
	}
	if (reader->line[id]) {
		snprintf(err, size, "%s is given twice, first in line %d", name, reader->line[id]);
		return -EINVAL;
	}
	ret = qs1_param_parse(id, value, &reader->value[id], err, size);
	if (ret < 0) {
		return -EINVAL;
	}
	reader->line[id] = line;
	return 0;
}

/* "file:line: ", "file: " or nothing, as far as it is known. */
static int write_place(const struct qs1_profile_reader *reader, int line, char *err, size_t size)
{
	int n = 0;

	if (reader->where && line) {
		n = snprintf(err, size, "%s:%d: ", reader->where, line);
	} else if (reader->where) {
		n = snprintf(err, size, "%s: ", reader->where);
	}
	return (size_t)n < size ? n : 0;
}

/* All values of the profile: those read, and defaults for those that may be absent. */
static int complete(const struct qs1_profile_reader *reader, struct qs1_profile *profile, char *err,
		    size_t size)
{
	char min[QS1_DECIMAL_SIZE], max[QS1_DECIMAL_SIZE];

	for (int id = 0; id < QS1_PARAM_COUNT; id++) {
		const struct qs1_param_desc *desc = qs1_param_desc(id);

		profile->value[id] = reader->value[id];
		if (desc->group != QS1_PARAM_GROUP_PROFILE || reader->line[id]) {
			continue;
		}
		profile->value[id] = desc->def;
		if (desc->absent == QS1_PARAM_ABSENT_REFUSED) {
			int n = write_place(reader, 0, err, size);

			snprintf(err + n, size - n, "%s is missing (%s, allowed %s to %s)",
				 desc->name, desc->text,
				 qs1_decimal_format(min, desc->min, desc->decimals),
				 qs1_decimal_format(max, desc->max, desc->decimals));
			return -EINVAL;
		}
	}
	return 0;
}

/* The message names the later of the two lines. */
static int contradict(const struct qs1_profile_reader *reader, const struct qs1_profile *profile,
		      size_t order, char *err, size_t size)
{
	enum qs1_param lower = orders[order].lower, upper = orders[order].upper;
	bool upper_last = reader->line[upper] > reader->line[lower];
	enum qs1_param id = upper_last ? upper : lower;
	enum qs1_param other = upper_last ? lower : upper;
	int32_t bound = profile->value[other] + (upper_last ? 1 : -1) * orders[order].gap;
	const struct qs1_param_desc *desc = qs1_param_desc(id);
	const struct qs1_param_desc *other_desc = qs1_param_desc(other);
	char value[QS1_DECIMAL_SIZE], against[QS1_DECIMAL_SIZE], limit[QS1_DECIMAL_SIZE];
	int n = write_place(reader, reader->line[id], err, size);

	qs1_decimal_format(value, profile->value[id], desc->decimals);
	qs1_decimal_format(against, profile->value[other], other_desc->decimals);
	qs1_decimal_format(limit, bound, desc->decimals);
	snprintf(err + n, size - n, "%s %s contradicts %s %s: expected at %s %s", desc->name, value,
		 other_desc->name, against, upper_last ? "least" : "most", limit);
	return -EINVAL;
}

int qs1_profile_end(const struct qs1_profile_reader *reader, struct qs1_profile *ret_profile,
		    char *err, size_t size)
{
	struct qs1_profile profile = { 0 };
	int ret = complete(reader, &profile, err, size);

	if (ret < 0) {
		return ret;
	}
	for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
		if (profile.value[orders[i].lower] + orders[i].gap >
		    profile.value[orders[i].upper]) {
			return contradict(reader, &profile, i, err, size);
		}
	}
	memcpy(profile.name, reader->name, sizeof(profile.name));
	*ret_profile = profile;
	return 0;
}

/* Derive the profile's name from its file name; false if that is not valid. */
static bool name_from_path(const char *path, char name[QS1_PROFILE_NAME_SIZE])
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	size_t n = strlen(base);

	if (n > strlen(SUFFIX) && !strcmp(base + n - strlen(SUFFIX), SUFFIX)) {
		n -= strlen(SUFFIX);
	}
	if (n >= QS1_PROFILE_NAME_SIZE) {
		return false;
	}
	memcpy(name, base, n);
	name[n] = '\0';
	return is_name(name);
}

static int take_line(void *ctx, int line, const char *name, const char *value, char *err,
		     size_t size)
{
	return qs1_profile_value(ctx, line, name, value, err, size);
}

int qs1_profile_load(const char *path, struct qs1_profile *ret_profile, char *err, size_t size)
{
	struct qs1_profile_reader reader = { .where = path };
	int ret;

	if (!name_from_path(path, reader.name)) {
		snprintf(err, size,
			 "%s: expected a file name of up to %d letters, digits and '-_.+'", path,
			 QS1_PROFILE_NAME_SIZE - 1);
		return -EINVAL;
	}
	ret = qs1_conf_read(path, take_line, &reader, err, size);
	return ret < 0 ? ret : qs1_profile_end(&reader, ret_profile, err, size);
}

int qs1_profile_find(const char *name, const char *const *dirs, char **ret_path, char *err,
		     size_t size)
{
	char *path;

	if (strchr(name, '/') || (strlen(name) > strlen(SUFFIX) &&
				  !strcmp(name + strlen(name) - strlen(SUFFIX), SUFFIX))) {
		path = strdup(name);
		if (!path) {
			return -ENOMEM;
		}
		*ret_path = path;
		return 0;
	}
	if (!is_name(name)) {
		snprintf(err, size, "expected the name of a profile, found '%s'", name);
		return -EINVAL;
	}
	dirs = dirs ?: installed_dirs;
	for (size_t i = 0; dirs[i]; i++) {
		if (asprintf(&path, "%s/%s" SUFFIX, dirs[i], name) < 0) {
			return -ENOMEM;
		}
		if (access(path, F_OK) == 0) {
			*ret_path = path;
			return 0;
		}
		free(path);
	}
	snprintf(err, size, "no profile '%s' in %s%s%s", name, dirs[0] ?: "any folder",
		 dirs[0] && dirs[1] ? " or " : "", dirs[0] && dirs[1] ? dirs[1] : "");
	return -ENOENT;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool holds(char **names, int n, const char *name)
{
	for (int i = 0; i < n; i++) {
		if (!strcmp(names[i], name)) {
			return true;
		}
	}
	return false;
}

static void close_dir(DIR **dir)
{
	if (*dir) {
		closedir(*dir);
	}
}

/* Append the profiles of one folder. Return the new count or a negative errno. */
static int list_dir(const char *path, char ***names, int n)
{
	DIR *dir __cleanup(close_dir) = opendir(path);
	struct dirent *entry;

	if (!dir) {
		return errno == ENOENT ? n : -errno;
	}
	while ((entry = readdir(dir))) {
		char name[QS1_PROFILE_NAME_SIZE];
		size_t length = strlen(entry->d_name);
		char **more;

		if (length <= strlen(SUFFIX) ||
		    strcmp(entry->d_name + length - strlen(SUFFIX), SUFFIX) ||
		    !name_from_path(entry->d_name, name) || holds(*names, n, name)) {
			continue;
		}
		more = reallocarray(*names, n + 2, sizeof(*more));
		if (!more) {
			return -ENOMEM;
		}
		*names = more;
		more[n] = strdup(name);
		if (!more[n]) {
			return -ENOMEM;
		}
		more[++n] = NULL;
	}
	return n;
}

int qs1_profile_list(const char *const *dirs, char ***ret_names)
{
	char **names = calloc(1, sizeof(*names));
	int n = 0;

	if (!names) {
		return -ENOMEM;
	}
	dirs = dirs ?: installed_dirs;
	for (size_t i = 0; dirs[i]; i++) {
		int ret = list_dir(dirs[i], &names, n);

		if (ret < 0) {
			qs1_profile_list_free(names);
			return ret;
		}
		n = ret;
	}
	qsort(names, n, sizeof(*names), compare_names);
	*ret_names = names;
	return n;
}

void qs1_profile_list_free(char **names)
{
	for (size_t i = 0; names && names[i]; i++) {
		free(names[i]);
	}
	free(names);
}
