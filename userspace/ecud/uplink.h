/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Delivery to the monitoring service (EMA), as Documentation/ema.md has it: an outbox of batches in
 * the store, sent by HTTPS with a client certificate, in order, each until the service says that it
 * has stored it. After an outage the backlog goes at a bounded rate. Orders come back in the
 * answers and by a request that waits. A service that cannot be reached changes nothing else.
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

/* One batch a minute. */
#define UPLINK_BATCH_US UINT64_C(60000000)
/* Batches in one request, and time between two requests while there is a backlog. */
#define UPLINK_BATCHES 20
#define UPLINK_BYTES 900000
#define UPLINK_PAUSE_US UINT64_C(2000000)
/* After a failure, doubled up to the other one, with jitter. */
#define UPLINK_RETRY_US UINT64_C(5000000)
#define UPLINK_RETRY_MAX_US UINT64_C(300000000)
/* When only a person can help. */
#define UPLINK_REFUSED_US UINT64_C(3600000000)
/* How long a request for orders waits at the service, s. */
#define UPLINK_WAIT_S 50

/**
 * uplink_start() - begin delivery; without an address in the configuration there is none
 * @ret: NULL then
 *
 * Return: 0 or a negative errno.
 */
int uplink_start(struct uplink **ret, struct sd_event *event, const struct config *config,
		 struct model *model, struct orders *orders, struct store *store);
void uplink_stop(struct uplink *uplink);

/**
 * uplink_order() - an order of the service, from its JSON text; pure
 * @ret: for order_submit(), which checks right and age
 *
 * Return: 0, or -EINVAL with the reason in @err.
 */
struct json_object;
int uplink_order(struct json_object *object, struct order *ret, char *err, size_t size);

#endif /* ECUD_UPLINK_H */
