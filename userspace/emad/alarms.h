/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Alarms: runs the rules of watch.h over the stored sites, and keeps what they find. */
#ifndef EMAD_ALARMS_H
#define EMAD_ALARMS_H

#include "store.h"
#include "watch.h"

/**
 * alarms_settings() - rules as they hold for a tenant
 *
 * Return: 0 or a negative errno.
 */
int alarms_settings(struct sql *sql, int64_t tenant,
		    struct watch_setting settings[WATCH_RULE_COUNT]);

/**
 * alarms_run() - run the rules for one site
 * @modules: compare modules too, once a day
 *
 * Opens and ends alarms, queues messages about them, and marks the site as silent or not.
 *
 * Return: 1 if an alarm began or ended, 0, or a negative errno.
 */
int alarms_run(struct store *store, struct sql *sql, int64_t site, bool modules, int64_t now_ms);

/**
 * alarms_run_some() - run the rules for the next sites
 *
 * @after: number of the last site that was looked at, 0 at the begin of a round
 *
 * Called each 5 s, it looks at a hundred sites, or at a twelfth when there are more, so that each
 * comes once a minute. Modules are compared once in a site's local day, after 1 h.
 *
 * @stop: set by another thread: it ends after the site at hand
 * @changed: called for each site whose alarms changed; NULL for none
 *
 * Return: 0 or a negative errno.
 */
int alarms_run_some(struct store *store, struct sql *sql, int64_t now_ms, int64_t *after,
		    const bool *stop, void (*changed)(void *ctx, int64_t site), void *ctx);

#endif /* EMAD_ALARMS_H */
