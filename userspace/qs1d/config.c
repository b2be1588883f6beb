// SPDX-License-Identifier: GPL-2.0-only
#include "config.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "../lib/conf.h"
#include "../lib/util.h"

enum {
#define X(name, def, kind, text) KEY_##name,
	CONFIG_KEYS(X)
#undef X
		KEY_COUNT
};

enum kind { NAME, PATH, SWITCH };

static const struct {
	const char *name;
	size_t offset;
	enum kind kind;
} keys[KEY_COUNT] = {
#define X(name, def, kind, text) { #name, offsetof(struct config, name), kind },
	CONFIG_KEYS(X)
#undef X
};

struct loading {
	struct config config;
	int line[KEY_COUNT];
};

bool config_is_on(const char *value)
{
	return !strcmp(value, "yes");
}

/* The expected form of a value of this kind; NULL when @value has it. */
static const char *expected(enum kind kind, const char *value)
{
	switch (kind) {
	case PATH:
		return value[0] == '/' ? NULL : "an absolute path";
	case SWITCH:
		return config_is_on(value) || !strcmp(value, "no") ? NULL : "yes or no";
	default:
		return NULL;
	}
}

static int take_line(void *ctx, int line, const char *name, const char *value, char *err,
		     size_t size)
{
	struct loading *loading = ctx;

	for (int i = 0; i < KEY_COUNT; i++) {
		if (strcmp(name, keys[i].name)) {
			continue;
		}
		if (loading->line[i]) {
			snprintf(err, size, "%s is given twice, first in line %d", name,
				 loading->line[i]);
			return -EINVAL;
		}
		if (expected(keys[i].kind, value)) {
			snprintf(err, size, "%s: expected %s, found '%s'", name,
				 expected(keys[i].kind, value), value);
			return -EINVAL;
		}
		snprintf((char *)&loading->config + keys[i].offset, PATH_MAX, "%s", value);
		loading->line[i] = line;
		return 0;
	}
	snprintf(err, size,
		 "unknown name '%s', expected one of:"
#define X(name, def, kind, text) " " #name
		 CONFIG_KEYS(X),
#undef X
		 name);
	return -EINVAL;
}

int config_profile(const struct config *config, struct qs1_profile *ret_profile, char *err,
		   size_t size)
{
	char *file __cleanup(free_ptr) = NULL;
	char reason[QS1_PROFILE_ERR_SIZE];
	int ret = qs1_profile_find(config->profile, NULL, &file, reason, sizeof(reason));

	if (!ret) {
		ret = qs1_profile_load(file, ret_profile, reason, sizeof(reason));
	}
	if (ret < 0) {
		snprintf(err, size, "profile %.64s: %s", config->profile, reason);
	}
	return ret;
}

int config_load(const char *path, struct config *ret_config, char *err, size_t size)
{
	struct loading loading = {
		.config = {
#define X(name, def, kind, text) .name = def,
			CONFIG_KEYS(X)
#undef X
		},
	};
	int ret = qs1_conf_read(path ?: CONFIG_FILE, take_line, &loading, err, size);

	if (ret < 0 && (path || ret != -ENOENT)) {
		return ret;
	}
	*ret_config = loading.config;
	return 0;
}

void config_changes(const struct config *from, const struct config *to, config_change_fn fn,
		    void *ctx)
{
	for (int i = 0; i < KEY_COUNT; i++) {
		const char *old = (const char *)from + keys[i].offset;
		const char *new = (const char *)to + keys[i].offset;

		if (strcmp(old, new)) {
			fn(ctx, keys[i].name, old, new);
		}
	}
}
