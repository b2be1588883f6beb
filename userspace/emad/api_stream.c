// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Server-sent events. Each tenant has a channel, made when its first user follows, so that nobody
 * hears of another tenant's sites; operators share one.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>

#include "api.h"

#define CHANNELS_MAX 4096
#define KEEP 256

static struct {
	pthread_mutex_t lock;
	struct {
		int64_t tenant;
		struct http_channel *channel;
	} entry[CHANNELS_MAX];
	size_t n;
} streams = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* The channel of a tenant; with @server a new one is made. NULL when there is none, or no room. */
static struct http_channel *find_channel(int64_t tenant, struct http_server *server)
{
	struct http_channel *channel = NULL;

	pthread_mutex_lock(&streams.lock);
	for (size_t i = 0; i < streams.n && !channel; i++) {
		if (streams.entry[i].tenant == tenant) {
			channel = streams.entry[i].channel;
		}
	}
	if (!channel && server && streams.n < CHANNELS_MAX) {
		channel = http_channel_new(server, KEEP);
		if (channel) {
			streams.entry[streams.n].tenant = tenant;
			streams.entry[streams.n++].channel = channel;
		}
	}
	pthread_mutex_unlock(&streams.lock);
	return channel;
}

void api_get_stream(struct http_request *request)
{
	struct api *api = http_ctx(request);
	struct http_channel *channel = find_channel(api_tenant(request), api->server);

	if (channel) {
		http_reply_channel(request, channel, NULL, NULL);
	} else {
		http_reply_errno(request, -EAGAIN, "expected fewer tenants at once");
	}
}

static void send_to(int64_t tenant, const char *text)
{
	struct http_channel *channel = find_channel(tenant, NULL);

	if (channel) {
		http_channel_send(channel, "site", text);
	}
}

void api_site_changed(struct api *api, int64_t site)
{
	struct sql_rows *rows __cleanup(sql_done_ptr) = NULL;
	struct sql *sql = NULL;
	char text[64];
	int shard;

	if (streams.n > 0 && store_find_site(api->store, site, &shard) == 0) {
		sql = store_shard(api->store, shard);
	}
	if (!sql || sql_query(sql, &rows, "SELECT customer, company FROM sites WHERE id = $1", "i",
			      site) < 0) {
		return;
	}
	if (sql_next(rows) > 0) {
		snprintf(text, sizeof(text), "{\"id\":%" PRId64 "}", site);
		send_to(STORE_ALL, text);
		send_to(sql_int(rows, 0), text);
		if (!sql_is_null(rows, 1)) {
			send_to(sql_int(rows, 1), text);
		}
	}
}

void api_stream_tick(void)
{
	pthread_mutex_lock(&streams.lock);
	for (size_t i = 0; i < streams.n; i++) {
		http_channel_tick(streams.entry[i].channel);
	}
	pthread_mutex_unlock(&streams.lock);
}

void api_stream_end(void)
{
	for (size_t i = 0; i < streams.n; i++) {
		http_channel_free(streams.entry[i].channel);
	}
	streams.n = 0;
}
