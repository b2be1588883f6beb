/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bus between ingest and store of a fleet: a JetStream work queue of NATS, replicated three
 * times. It evens out storms; it is not the store. A batch is stored when the database says so,
 * and the database makes it once.
 */
#ifndef EMAD_BUS_H
#define EMAD_BUS_H

#include "store.h"

struct bus;

/**
 * bus_open() - connect, and make the stream if there is none
 * @servers: "nats://a:4222,nats://b:4222"; with three or more the stream has three replicas
 * @shards: number of shards; the batches of each wait in order behind those of the same shard alone
 *
 * A connection that is lost comes back by itself.
 *
 * Return: 0 or a negative errno with @err.
 */
int bus_open(struct bus **ret_bus, const char *servers, int shards, char *err, size_t size);
void bus_close(struct bus *bus);

/**
 * struct bus_batch - a batch with what ingest knows of it
 * @shard: where its site is; bus_take() does not set it
 */
struct bus_batch {
	struct store_ecu ecu;
	int shard;
	int64_t shift_s;
	int64_t received_ms;
	const uint8_t *bytes;
	size_t n;
};

/**
 * bus_publish() - put batches on the bus and wait until a majority has them
 *
 * Return: 0; -EIO when one of them was not acknowledged: none may be answered.
 */
int bus_publish(struct bus *bus, const struct bus_batch *batches, size_t count);

/* Put a batch that was taken back on the bus, for another shard. Return: 0 or -EIO. */
int bus_forward(struct bus *bus, const struct bus_batch *batch);

/**
 * bus_take() - take up to @max batches of a shard from the bus
 * @take: stores one; a negative errno ends the group
 * @commit: called after the last one; makes all of them permanent
 * @abandon: called instead when @take or @commit failed; the batches come again
 *
 * Return: batches that were committed; 0 when there was none for a second; or a negative errno.
 */
int bus_take(struct bus *bus, int shard, int max, int (*begin)(void *ctx),
	     int (*take)(void *ctx, const struct bus_batch *batch), int (*commit)(void *ctx),
	     void (*abandon)(void *ctx), void *ctx);

/* Notify all followers that a site has changed. The message is not stored for later followers. */
void bus_site_changed(struct bus *bus, int64_t site);

/**
 * bus_follow_sites() - follow changed sites, for the streams of pages
 * @changed: called in a thread of the bus
 *
 * Return: 0 or -EIO.
 */
int bus_follow_sites(struct bus *bus, void (*changed)(void *ctx, int64_t site), void *ctx);

#endif /* EMAD_BUS_H */
