// SPDX-License-Identifier: GPL-2.0-or-later
/* The bus between ingest and store, see bus.h. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nats/nats.h>

#include "bus.h"
#include "bytes.h"
#include "log.h"

#define STREAM "batches"
/* Subject and consumer of shard 0; those of another shard end with its number. */
#define SUBJECT "batches."
#define SUBJECT_FIRST SUBJECT "new"
#define CONSUMER "store"
#define CONSUMER_OTHER CONSUMER "-"
#define NAME_SIZE 24
#define CHANGES "sites.changed"
/* Site, customer, shift and time of arrival before the batch, 8 bytes each, and the ECU. */
#define HEAD_BYTES 40
#define PUBLISH_WAIT_MS 5000
#define FETCH_WAIT_MS 1000
/* A batch that the store did not acknowledge comes again after this time, ns. */
#define ACK_WAIT_NS INT64_C(10000000000)
#define PENDING_MAX 4096
#define SERVERS_MAX 16

struct bus {
	natsConnection *connection;
	jsCtx *stream;
	natsSubscription *queue[STORE_SHARDS_MAX];
	natsSubscription *changes;
	void (*changed)(void *ctx, int64_t site);
	void *changed_ctx;
	pthread_mutex_t lock;
	int failures; /* of the publications under way */
};

/* From the library's thread: one publication was not acknowledged. */
static void on_publish_error(jsCtx *stream, jsPubAckErr *error, void *ctx)
{
	struct bus *bus = ctx;

	(void)stream;
	log_warning("bus: %s", natsStatus_GetText(error->Err));
	pthread_mutex_lock(&bus->lock);
	bus->failures++;
	pthread_mutex_unlock(&bus->lock);
}

/* The name for shard 0, or a prefix and the number of another shard. */
static const char *name_of(char *name, int shard, const char *first, const char *prefix)
{
	if (shard == 0) {
		return first;
	}
	snprintf(name, NAME_SIZE, "%s%d", prefix, shard);
	return name;
}

static natsStatus add_stream(struct bus *bus, int replicas, int shards)
{
	char names[STORE_SHARDS_MAX][NAME_SIZE];
	const char *subjects[STORE_SHARDS_MAX];
	jsStreamInfo *info = NULL;
	jsStreamConfig config;
	natsStatus status;

	for (int i = 0; i < shards; i++) {
		subjects[i] = name_of(names[i], i, SUBJECT_FIRST, SUBJECT);
	}
	status = js_GetStreamInfo(&info, bus->stream, STREAM, NULL, NULL);
	if (status == NATS_OK && info->Config->SubjectsLen < shards) {
		/* the number of shards has grown */
		config = *info->Config;
		config.Subjects = subjects;
		config.SubjectsLen = shards;
		status = js_UpdateStream(NULL, bus->stream, &config, NULL, NULL);
	} else if (status == NATS_NOT_FOUND) {
		jsStreamConfig_Init(&config);
		config.Name = STREAM;
		config.Subjects = subjects;
		config.SubjectsLen = shards;
		config.Retention = js_WorkQueuePolicy;
		config.Storage = js_FileStorage;
		config.Replicas = replicas;
		status = js_AddStream(&info, bus->stream, &config, NULL, NULL);
	}
	jsStreamInfo_Destroy(info);
	return status;
}

static int count_servers(const char *servers)
{
	int n = 1;

	for (const char *at = servers; (at = strchr(at, ',')); at++) {
		n++;
	}
	return n;
}

/* The servers of a list that is separated by commas. */
static natsStatus set_servers(natsOptions *options, const char *servers)
{
	const char *each[SERVERS_MAX];
	char *list = strdup(servers);
	natsStatus status = NATS_NO_MEMORY;
	char *rest = NULL;
	int n = 0;

	for (char *at = list ? strtok_r(list, ",", &rest) : NULL; at && n < SERVERS_MAX;
	     at = strtok_r(NULL, ",", &rest)) {
		each[n++] = at;
	}
	if (list) {
		status = natsOptions_SetServers(options, each, n);
	}
	free(list);
	return status;
}

static natsStatus connect_bus(struct bus *bus, const char *servers)
{
	natsOptions *options = NULL;
	jsOptions stream_options;
	natsStatus status = natsOptions_Create(&options);

	if (status == NATS_OK) {
		status = set_servers(options, servers);
	}
	if (status == NATS_OK) {
		natsOptions_SetMaxReconnect(options, -1);
		natsOptions_SetReconnectWait(options, 200);
		status = natsConnection_Connect(&bus->connection, options);
	}
	natsOptions_Destroy(options);
	if (status == NATS_OK) {
		jsOptions_Init(&stream_options);
		stream_options.PublishAsync.MaxPending = PENDING_MAX;
		stream_options.PublishAsync.ErrHandler = on_publish_error;
		stream_options.PublishAsync.ErrHandlerClosure = bus;
		status = natsConnection_JetStream(&bus->stream, bus->connection, &stream_options);
	}
	return status;
}

int bus_open(struct bus **ret_bus, const char *servers, int shards, char *err, size_t size)
{
	struct bus *bus = calloc(1, sizeof(*bus));
	natsStatus status;

	if (!bus) {
		return -ENOMEM;
	}
	pthread_mutex_init(&bus->lock, NULL);
	status = connect_bus(bus, servers);
	if (status == NATS_OK) {
		status = add_stream(bus, count_servers(servers) >= 3 ? 3 : 1, shards);
	}
	if (status != NATS_OK) {
		snprintf(err, size, "bus: %s: %s", servers, natsStatus_GetText(status));
		bus_close(bus);
		return -ENOTCONN;
	}
	*ret_bus = bus;
	return 0;
}

void bus_close(struct bus *bus)
{
	if (!bus) {
		return;
	}
	for (int i = 0; i < STORE_SHARDS_MAX; i++) {
		natsSubscription_Destroy(bus->queue[i]);
	}
	natsSubscription_Destroy(bus->changes);
	jsCtx_Destroy(bus->stream);
	natsConnection_Destroy(bus->connection);
	pthread_mutex_destroy(&bus->lock);
	free(bus);
}

/* ---- to the bus ---- */

/* Without @wait, errors come to on_publish_error(). */
static natsStatus publish(struct bus *bus, const struct bus_batch *batch, bool wait)
{
	uint8_t *message = malloc(HEAD_BYTES + batch->n);
	int n = (int)(HEAD_BYTES + batch->n);
	char name[NAME_SIZE];
	const char *subject = name_of(name, batch->shard, SUBJECT_FIRST, SUBJECT);
	natsStatus status;

	if (!message) {
		return NATS_NO_MEMORY;
	}
	bytes_put_le(message, 8, (uint64_t)batch->ecu.site);
	bytes_put_le(message + 8, 8, (uint64_t)batch->ecu.customer);
	bytes_put_le(message + 16, 8, (uint64_t)batch->shift_s);
	bytes_put_le(message + 24, 8, (uint64_t)batch->received_ms);
	bytes_put_le(message + 32, 8, batch->ecu.ecu);
	memcpy(message + HEAD_BYTES, batch->bytes, batch->n);
	status = wait ? js_Publish(NULL, bus->stream, subject, message, n, NULL, NULL)
		      : js_PublishAsync(bus->stream, subject, message, n, NULL);
	free(message);
	return status;
}

int bus_publish(struct bus *bus, const struct bus_batch *batches, size_t count)
{
	natsStatus status = NATS_OK;
	jsPubOptions options;
	int failures;

	pthread_mutex_lock(&bus->lock);
	bus->failures = 0;
	pthread_mutex_unlock(&bus->lock);
	for (size_t i = 0; i < count && status == NATS_OK; i++) {
		status = publish(bus, &batches[i], false);
	}
	if (status == NATS_OK) {
		jsPubOptions_Init(&options);
		options.MaxWait = PUBLISH_WAIT_MS;
		status = js_PublishAsyncComplete(bus->stream, &options);
	}
	if (status != NATS_OK) {
		natsMsgList late;

		/* They would count for a later group; the database makes duplicates one. */
		if (js_PublishAsyncGetPendingList(&late, bus->stream) == NATS_OK) {
			natsMsgList_Destroy(&late);
		}
		log_warning("bus: publish: %s", natsStatus_GetText(status));
		return -EIO;
	}
	pthread_mutex_lock(&bus->lock);
	failures = bus->failures;
	pthread_mutex_unlock(&bus->lock);
	return failures ? -EIO : 0;
}

int bus_forward(struct bus *bus, const struct bus_batch *batch)
{
	return publish(bus, batch, true) == NATS_OK ? 0 : -EIO;
}

/* ---- from the bus ---- */

static natsStatus subscribe(struct bus *bus, int shard)
{
	char subject[NAME_SIZE], consumer[NAME_SIZE];
	jsSubOptions options;

	if (bus->queue[shard]) {
		return NATS_OK;
	}
	jsSubOptions_Init(&options);
	options.Stream = STREAM;
	options.Config.AckWait = ACK_WAIT_NS;
	return js_PullSubscribe(
		&bus->queue[shard], bus->stream, name_of(subject, shard, SUBJECT_FIRST, SUBJECT),
		name_of(consumer, shard, CONSUMER, CONSUMER_OTHER), NULL, &options, NULL);
}

static bool read_message(natsMsg *message, struct bus_batch *batch)
{
	const uint8_t *bytes = (const uint8_t *)natsMsg_GetData(message);
	int n = natsMsg_GetDataLength(message);

	if (n < HEAD_BYTES) {
		return false;
	}
	*batch = (struct bus_batch){
		.ecu = { .site = (int64_t)bytes_get_le(bytes, 8),
			 .customer = (int64_t)bytes_get_le(bytes + 8, 8),
			 .ecu = bytes_get_le(bytes + 32, 8) },
		.shift_s = (int64_t)bytes_get_le(bytes + 16, 8),
		.received_ms = (int64_t)bytes_get_le(bytes + 24, 8),
		.bytes = bytes + HEAD_BYTES,
		.n = (size_t)(n - HEAD_BYTES),
	};
	return true;
}

int bus_take(struct bus *bus, int shard, int max, int (*begin)(void *ctx),
	     int (*take)(void *ctx, const struct bus_batch *batch), int (*commit)(void *ctx),
	     void (*abandon)(void *ctx), void *ctx)
{
	natsMsgList list = { 0 };
	natsStatus status = subscribe(bus, shard);
	int ret;

	if (status == NATS_OK) {
		status = natsSubscription_Fetch(&list, bus->queue[shard], max, FETCH_WAIT_MS, NULL);
	}
	if (status != NATS_OK) {
		return status == NATS_TIMEOUT ? 0 : -EIO;
	}
	ret = begin(ctx);
	for (int i = 0; i < list.Count && ret == 0; i++) {
		struct bus_batch batch;

		ret = read_message(list.Msgs[i], &batch) ? take(ctx, &batch) : 0;
	}
	if (ret == 0) {
		ret = commit(ctx);
	}
	if (ret < 0) {
		abandon(ctx);
	}
	for (int i = 0; i < list.Count; i++) {
		status = ret < 0 ? natsMsg_Nak(list.Msgs[i], NULL)
				 : natsMsg_Ack(list.Msgs[i], NULL);
	}
	ret = ret < 0 ? ret : list.Count;
	natsMsgList_Destroy(&list);
	return ret;
}

/* ---- changed sites ---- */

void bus_site_changed(struct bus *bus, int64_t site)
{
	uint8_t message[8];

	bytes_put_le(message, sizeof(message), (uint64_t)site);
	/* If a message is lost, the page shows the change with the next message. */
	(void)natsConnection_Publish(bus->connection, CHANGES, message, sizeof(message));
}

/* In the library's thread. */
static void on_change(natsConnection *connection, natsSubscription *subscription, natsMsg *message,
		      void *ctx)
{
	struct bus *bus = ctx;

	(void)connection;
	(void)subscription;
	if (natsMsg_GetDataLength(message) == 8) {
		bus->changed(bus->changed_ctx,
			     (int64_t)bytes_get_le((const uint8_t *)natsMsg_GetData(message), 8));
	}
	natsMsg_Destroy(message);
}

int bus_follow_sites(struct bus *bus, void (*changed)(void *ctx, int64_t site), void *ctx)
{
	natsStatus status;

	bus->changed = changed;
	bus->changed_ctx = ctx;
	status = natsConnection_Subscribe(&bus->changes, bus->connection, CHANGES, on_change, bus);
	return status == NATS_OK ? 0 : -EIO;
}
