/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Delivery to the monitoring service (EMA): an outbox of batches in the store, sent by HTTPS with a
 * client certificate, in order, each until the service says that it has stored it. After an outage
 * the backlog goes at a bounded rate beside live batches. Orders come back in the answers. A
 * service that cannot be reached changes nothing else.
 */
#ifndef ECUD_UPLINK_H
#define ECUD_UPLINK_H

#include <stdint.h>

#include "config.h"
#include "model.h"
#include "orders.h"
#include "store.h"

struct sd_event;
struct uplink;

/* One batch a minute while units report. */
#define UPLINK_BATCH_S 60
/* Back-fill: at most so many old batches for a live one. */
#define UPLINK_BACKFILL 20

/**
 * uplink_start() - begin delivery; does nothing without an address in the configuration
 *
 * Return: 0 or a negative errno.
 */
int uplink_start(struct uplink **ret, struct sd_event *event, const struct config *config,
		 struct model *model, struct orders *orders, struct store *store);
void uplink_stop(struct uplink *uplink);

#endif /* ECUD_UPLINK_H */
