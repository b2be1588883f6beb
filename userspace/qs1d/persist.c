// SPDX-License-Identifier: GPL-2.0-only
#include "persist.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <string.h>

#include "../lib/conf.h"
#include "../lib/sysfs.h"
#include "../lib/util.h"

#define FORMAT 1
#define PROFILE_PREFIX "profile."
#define SET_PREFIX "set."

static const char *const energy_names[ENERGY_COUNTERS] = { "pv1", "pv2", "pv3", "pv4", "grid" };

/* A state while its file is read. */
struct loading {
	struct persist persist;
	struct qs1_profile_reader profile;
	bool format;
	bool end;
};

static int take_flag(const char *value, bool *ret_flag, char *err, size_t size)
{
	if (strcmp(value, "0") && strcmp(value, "1")) {
		snprintf(err, size, "expected 0 or 1, found '%s'", value);
		return -EINVAL;
	}
	*ret_flag = value[0] == '1';
	return 0;
}

static int take_set_value(struct loading *loading, const char *name, const char *value, char *err,
			  size_t size)
{
	int id = qs1_param_find(name);

	if (id < 0) {
		snprintf(err, size, "expected a parameter, found '%s'", name);
		return -EINVAL;
	}
	loading->persist.policy.set[id] = true;
	return qs1_param_parse(id, value, &loading->persist.policy.value[id], err, size);
}

/* energy_NAME TOTAL COUNTER, both in mJ. */
static int take_energy(struct loading *loading, const char *name, const char *value, char *err,
		       size_t size)
{
	struct energy *energy = &loading->persist.energy;

	for (int i = 0; i < ENERGY_COUNTERS; i++) {
		uint64_t total, counter;
		int used = 0;

		if (strcmp(name, energy_names[i])) {
			continue;
		}
		if (sscanf(value, "%" SCNu64 " %" SCNu64 "%n", &total, &counter, &used) != 2 ||
		    value[used]) {
			snprintf(err, size, "expected two counts of mJ, found '%s'", value);
			return -EINVAL;
		}
		energy->total_mj[i] = total;
		energy->counter_mj[i] = counter;
		return 0;
	}
	snprintf(err, size, "expected an energy counter, found '%s'", name);
	return -EINVAL;
}

static int take_format(struct loading *loading, const char *value, char *err, size_t size)
{
	int64_t format;

	if (sysfs_int(value, &format) < 0 || format != FORMAT) {
		snprintf(err, size, "expected format %d, found '%s'", FORMAT, value);
		return -EINVAL;
	}
	loading->format = true;
	return 0;
}

static int take_line(void *ctx, int line, const char *name, const char *value, char *err,
		     size_t size)
{
	struct loading *loading = ctx;
	struct policy_kept *kept = &loading->persist.policy;

	if (!strcmp(name, "format")) {
		return take_format(loading, value, err, size);
	}
	if (!strcmp(name, "shutdown")) {
		return take_flag(value, &kept->shutdown, err, size);
	}
	if (!strcmp(name, "ground_fault")) {
		return take_flag(value, &kept->ground_fault, err, size);
	}
	if (!strcmp(name, "profile")) {
		return qs1_profile_begin(&loading->profile, value, err, size);
	}
	if (!strncmp(name, PROFILE_PREFIX, strlen(PROFILE_PREFIX))) {
		return qs1_profile_value(&loading->profile, line, name + strlen(PROFILE_PREFIX),
					 value, err, size);
	}
	if (!strncmp(name, SET_PREFIX, strlen(SET_PREFIX))) {
		return take_set_value(loading, name + strlen(SET_PREFIX), value, err, size);
	}
	if (!strncmp(name, "energy.", strlen("energy."))) {
		return take_energy(loading, name + strlen("energy."), value, err, size);
	}
	if (!strcmp(name, "end")) {
		return take_flag(value, &loading->end, err, size);
	}
	snprintf(err, size, "unknown name '%s'", name);
	return -EINVAL;
}

int persist_load(const char *path, struct persist *ret_persist, char *err, size_t size)
{
	struct loading loading = { 0 };
	int ret = qs1_conf_read(path, take_line, &loading, err, size);

	if (ret < 0) {
		return ret == -ENOENT ? ret : -EINVAL;
	}
	if (!loading.format || !loading.end || !loading.profile.name[0]) {
		snprintf(err, size, "%s: expected 'format', 'profile' and 'end'", path);
		return -EINVAL;
	}
	loading.profile.where = path;
	ret = qs1_profile_end(&loading.profile, &loading.persist.policy.profile, err, size);
	if (ret < 0) {
		return ret;
	}
	*ret_persist = loading.persist;
	return 0;
}

static void write_content(FILE *file, const struct persist *persist)
{
	const struct policy_kept *kept = &persist->policy;
	char text[QS1_DECIMAL_SIZE];

	fprintf(file, "# Written by qs1d. Do not edit while it runs.\n");
	fprintf(file, "format %d\n", FORMAT);
	fprintf(file, "shutdown %d\n", kept->shutdown);
	fprintf(file, "ground_fault %d\n", kept->ground_fault);
	fprintf(file, "profile %s\n", kept->profile.name);
	for (int id = 0; id < QS1_PARAM_COUNT; id++) {
		const struct qs1_param_desc *desc = qs1_param_desc(id);

		if (desc->group == QS1_PARAM_GROUP_PROFILE) {
			fprintf(file, PROFILE_PREFIX "%s %s\n", desc->name,
				qs1_decimal_format(text, kept->profile.value[id], desc->decimals));
		}
		if (kept->set[id]) {
			fprintf(file, SET_PREFIX "%s %s\n", desc->name,
				qs1_decimal_format(text, kept->value[id], desc->decimals));
		}
	}
	for (int i = 0; i < ENERGY_COUNTERS; i++) {
		fprintf(file, "energy.%s %" PRIu64 " %" PRIu64 "\n", energy_names[i],
			persist->energy.total_mj[i], persist->energy.counter_mj[i]);
	}
	fprintf(file, "end 1\n");
}

/* Make a rename in the folder of @path last. */
static int sync_folder(const char *path)
{
	char copy[PATH_MAX];
	int fd __cleanup(close_fd) = -1;

	strcpy(copy, path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0) {
		return -errno;
	}
	return 0;
}

int persist_save(const char *path, const struct persist *persist)
{
	char next[PATH_MAX];
	FILE *file __cleanup(close_file) = NULL;

	if (snprintf(next, sizeof(next), "%s.new", path) >= (int)sizeof(next)) {
		return -ENAMETOOLONG;
	}
	file = fopen(next, "we");
	if (!file) {
		return -errno;
	}
	write_content(file, persist);
	if (fflush(file) || fsync(fileno(file)) < 0 || rename(next, path) < 0) {
		int ret = -errno;

		unlink(next);
		return ret;
	}
	return sync_folder(path);
}
