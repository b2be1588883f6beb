// SPDX-License-Identifier: GPL-2.0-only
#include "persist.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "../lib/conf.h"
#include "../lib/sysfs.h"
#include "../lib/util.h"

#define FORMAT 1
#define PROFILE_PREFIX "profile."
#define SET_PREFIX "set."

static const char *const energy_names[ENERGY_COUNTERS] = { "pv1", "pv2", "pv3", "pv4", "grid" };

/**
 * struct loading - a record while it is parsed
 * @persist: its values
 * @profile: its profile
 * @format: the first line was there
 * @end: the last line was there
 * @failed: a line was malformed
 * @err: the first reason
 */
struct loading {
	struct persist *persist;
	struct qs1_profile_reader profile;
	bool format;
	bool end;
	bool failed;
	const char *where;
	char *err;
	size_t size;
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

static int take_bytes(const char *value, uint8_t *bytes, size_t count, char *err, size_t size)
{
	size_t found = 0;

	if (sodium_hex2bin(bytes, count, value, strlen(value), NULL, &found, NULL) < 0 ||
	    found != count) {
		snprintf(err, size, "expected %zu hexadecimal digits", 2 * count);
		return -EINVAL;
	}
	return 0;
}

static int take_set_value(struct loading *loading, const char *name, const char *value, char *err,
			  size_t size)
{
	struct policy_kept *kept = &loading->persist->policy;
	int id = qs1_param_find(name);

	if (id < 0) {
		snprintf(err, size, "expected a parameter, found '%s'", name);
		return -EINVAL;
	}
	if (qs1_param_parse(id, value, &kept->value[id], err, size) < 0) {
		return -EINVAL;
	}
	kept->set[id] = true;
	return 0;
}

/* energy_NAME TOTAL COUNTER, both in mJ. */
static int take_energy(struct loading *loading, const char *name, const char *value, char *err,
		       size_t size)
{
	struct energy *energy = &loading->persist->energy;

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

static int take_boots(struct loading *loading, const char *value, char *err, size_t size)
{
	int64_t boots;

	if (sysfs_int(value, &boots) < 0 || boots < 0 || boots > UINT32_MAX) {
		snprintf(err, size, "expected a count, found '%s'", value);
		return -EINVAL;
	}
	loading->persist->boots = boots;
	return 0;
}

static int take_value(struct loading *loading, int line, const char *name, const char *value,
		      char *err, size_t size)
{
	struct policy_kept *kept = &loading->persist->policy;

	if (!strcmp(name, "format")) {
		return take_format(loading, value, err, size);
	}
	if (!strcmp(name, "shutdown")) {
		return take_flag(value, &kept->shutdown, err, size);
	}
	if (!strcmp(name, "ground_fault")) {
		return take_flag(value, &kept->ground_fault, err, size);
	}
	if (!strcmp(name, "store_lost")) {
		return take_flag(value, &kept->store_lost, err, size);
	}
	if (!strcmp(name, "unit")) {
		return take_bytes(value, loading->persist->unit, MARK_ID_SIZE, err, size);
	}
	if (!strcmp(name, "key")) {
		kept->paired = true;
		return take_bytes(value, kept->key, sizeof(kept->key), err, size);
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
	if (!strcmp(name, "boots")) {
		return take_boots(loading, value, err, size);
	}
	if (!strcmp(name, "end")) {
		return take_flag(value, &loading->end, err, size);
	}
	snprintf(err, size, "unknown name '%s'", name);
	return -EINVAL;
}

/* A malformed line does not invalidate the others. */
static int take_line(void *ctx, int line, const char *name, const char *value, char *err,
		     size_t size)
{
	struct loading *loading = ctx;

	if (take_value(loading, line, name, value, err, size) < 0 && !loading->failed) {
		loading->failed = true;
		snprintf(loading->err, loading->size, "%s:%d: %s", loading->where, line, err);
	}
	return 0;
}

int persist_decode(const char *text, size_t length, const char *where, struct persist *persist,
		   char *err, size_t size)
{
	struct loading loading = {
		.persist = persist,
		.profile.where = where,
		.where = where,
		.err = err,
		.size = size,
	};
	char reason[QS1_PROFILE_ERR_SIZE];

	if (qs1_conf_parse(text, length, where, take_line, &loading, reason, sizeof(reason)) < 0) {
		snprintf(err, size, "%s", reason);
		return -EINVAL;
	}
	if (loading.failed) {
		return -EINVAL;
	}
	if (!loading.format || !loading.end || !loading.profile.name[0]) {
		snprintf(err, size, "%s: expected 'format', 'profile' and 'end'", where);
		return -EINVAL;
	}
	return qs1_profile_end(&loading.profile, &persist->policy.profile, err, size);
}

static void write_bytes(FILE *file, const char *name, const uint8_t *bytes, size_t count)
{
	char text[2 * POLICY_KEY_SIZE + 1];

	sodium_bin2hex(text, sizeof(text), bytes, count);
	fprintf(file, "%s %s\n", name, text);
}

static void write_content(FILE *file, const struct persist *persist)
{
	const struct policy_kept *kept = &persist->policy;
	char text[QS1_DECIMAL_SIZE];

	fprintf(file, "format %d\n", FORMAT);
	fprintf(file, "shutdown %d\n", kept->shutdown);
	fprintf(file, "ground_fault %d\n", kept->ground_fault);
	fprintf(file, "store_lost %d\n", kept->store_lost);
	write_bytes(file, "unit", persist->unit, MARK_ID_SIZE);
	if (kept->paired) {
		write_bytes(file, "key", kept->key, sizeof(kept->key));
	}
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
	fprintf(file, "boots %" PRIu32 "\n", persist->boots);
	fprintf(file, "end 1\n");
}

int persist_encode(const struct persist *persist, char *text, size_t size)
{
	FILE *file = fmemopen(text, size, "w");
	long length;

	if (!file) {
		return -errno;
	}
	/* Without a buffer an error shows at once. */
	setvbuf(file, NULL, _IONBF, 0);
	write_content(file, persist);
	length = ferror(file) ? -1 : ftell(file);
	fclose(file);
	return length < 0 || (size_t)length >= size ? -EMSGSIZE : length;
}
