// SPDX-License-Identifier: GPL-2.0-only
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
} orders[] = {
#define X(lower, upper) { QS1_PARAM_##lower, QS1_PARAM_##upper },
	QS1_PARAM_ORDERS(X)
#undef X
};

/* A profile while its file is read: where each value stood, 0 for not yet. */
struct loading {
	int32_t value[QS1_PARAM_COUNT];
	int line[QS1_PARAM_COUNT];
};

static int take_value(void *ctx, int line, const char *name, const char *value, char *err,
		      size_t size)
{
	struct loading *loading = ctx;
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
	if (loading->line[id]) {
		snprintf(err, size, "%s is given twice, first in line %d", name, loading->line[id]);
		return -EINVAL;
	}
	ret = qs1_param_parse(id, value, &loading->value[id], err, size);
	if (ret < 0) {
		return -EINVAL;
	}
	loading->line[id] = line;
	return 0;
}

static int check_complete(const char *path, const struct loading *loading, char *err, size_t size)
{
	char min[QS1_DECIMAL_SIZE], max[QS1_DECIMAL_SIZE];

	for (int id = 0; id < QS1_PARAM_COUNT; id++) {
		const struct qs1_param_desc *desc = qs1_param_desc(id);

		if (desc->group == QS1_PARAM_GROUP_PROFILE && !loading->line[id]) {
			snprintf(err, size, "%s: %s is missing (%s, allowed %s to %s)", path,
				 desc->name, desc->text,
				 qs1_decimal_format(min, desc->min, desc->decimals),
				 qs1_decimal_format(max, desc->max, desc->decimals));
			return -EINVAL;
		}
	}
	return 0;
}

static int check_orders(const char *path, const struct loading *loading, char *err, size_t size)
{
	char a[QS1_DECIMAL_SIZE], b[QS1_DECIMAL_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
		enum qs1_param lower = orders[i].lower, upper = orders[i].upper;
		const struct qs1_param_desc *l = qs1_param_desc(lower);
		const struct qs1_param_desc *u = qs1_param_desc(upper);

		if (loading->value[lower] <= loading->value[upper]) {
			continue;
		}
		qs1_decimal_format(a, loading->value[lower], l->decimals);
		qs1_decimal_format(b, loading->value[upper], u->decimals);
		if (loading->line[upper] > loading->line[lower]) {
			snprintf(err, size,
				 "%s:%d: %s %s contradicts %s %s of line %d: expected at least %s",
				 path, loading->line[upper], u->name, b, l->name, a,
				 loading->line[lower], a);
		} else {
			snprintf(err, size,
				 "%s:%d: %s %s contradicts %s %s of line %d: expected at most %s",
				 path, loading->line[lower], l->name, a, u->name, b,
				 loading->line[upper], b);
		}
		return -EINVAL;
	}
	return 0;
}

/* The name of a profile from its file's, or false when it is not fit for one. */
static bool name_from_path(const char *path, char name[QS1_PROFILE_NAME_SIZE])
{
	const char *base = strrchr(path, '/');
	size_t n;

	base = base ? base + 1 : path;
	n = strlen(base);
	if (n > strlen(SUFFIX) && !strcmp(base + n - strlen(SUFFIX), SUFFIX)) {
		n -= strlen(SUFFIX);
	}
	if (n == 0 || n >= QS1_PROFILE_NAME_SIZE) {
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.+",
			    base[i])) {
			return false;
		}
	}
	memcpy(name, base, n);
	name[n] = '\0';
	return name[0] != '.';
}

int qs1_profile_load(const char *path, struct qs1_profile *ret_profile, char *err, size_t size)
{
	struct loading loading = { 0 };
	char name[QS1_PROFILE_NAME_SIZE];
	int ret;

	if (!name_from_path(path, name)) {
		snprintf(err, size,
			 "%s: expected a file name of letters, digits and '-_.+', fewer than %d",
			 path, QS1_PROFILE_NAME_SIZE);
		return -EINVAL;
	}
	ret = qs1_conf_read(path, take_value, &loading, err, size);
	if (ret < 0) {
		return ret;
	}
	ret = check_complete(path, &loading, err, size);
	if (ret < 0) {
		return ret;
	}
	ret = check_orders(path, &loading, err, size);
	if (ret < 0) {
		return ret;
	}
	memcpy(ret_profile->name, name, sizeof(name));
	memcpy(ret_profile->value, loading.value, sizeof(loading.value));
	return 0;
}

int qs1_profile_find(const char *name, const char *const *dirs, char **ret_path, char *err,
		     size_t size)
{
	char clean[QS1_PROFILE_NAME_SIZE];
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
	if (!name_from_path(name, clean)) {
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
