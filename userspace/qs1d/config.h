/* SPDX-License-Identifier: GPL-2.0-only */
/* The daemon's configuration file, `name value` lines. */
#ifndef QS1D_CONFIG_H
#define QS1D_CONFIG_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "../lib/profile.h"

#define CONFIG_FILE "/etc/qs1/qs1d.conf"

/*
 * Columns: name (identifier and in the file), default, kind, text. A name is that of a file or
 * an absolute path.
 */
/* clang-format off */
#define CONFIG_KEYS(X) \
	X(profile, "note1", NAME, "grid profile of a unit that has none") \
	X(store_a, "/var/lib/qs1", PATH, "folder of the first copy of the store") \
	X(store_b, "/var/lib/qs1", PATH, "folder of the second copy, preferably on another partition") \
	X(mark, "/var/lib/qs1-mark/unit", PATH, "mark of the first start, preferably in another folder") \
	X(label, "/etc/qs1/label", PATH, "text of the unit's label: serial number and install code") \
	X(leases, "/run/qs1/leases", PATH, "file that keeps the limits over a restart of qs1d") \
	X(metrics, "", PATH, "file of metrics for Prometheus; none by default") \
	X(stock_ecu, "no", SWITCH, "whether a stock ECU may pair and command")
/* clang-format on */

struct config {
#define X(name, def, kind, text) char name[PATH_MAX];
	CONFIG_KEYS(X)
#undef X
};

/**
 * config_load() - the defaults, overridden by a file
 * @path: file name; NULL for CONFIG_FILE, which need not exist
 * @ret_config: untouched on failure
 * @err: on failure the reason, with file and line
 *
 * Return: 0 or a negative errno.
 */
int config_load(const char *path, struct config *ret_config, char *err, size_t size);

/* Is a key of kind SWITCH set to yes? */
bool config_is_on(const char *value);

/**
 * config_profile() - the profile that a configuration names
 * @ret_profile: untouched on failure
 * @err: on failure the reason
 *
 * Return: 0 or a negative errno.
 */
int config_profile(const struct config *config, struct qs1_profile *ret_profile, char *err,
		   size_t size);

/* Called for each key that differs. */
typedef void (*config_change_fn)(void *ctx, const char *name, const char *from, const char *to);

/* Call @fn for each key whose value is another one in @to. */
void config_changes(const struct config *from, const struct config *to, config_change_fn fn,
		    void *ctx);

#endif /* QS1D_CONFIG_H */
