// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Server-sent events. A channel keeps its newest messages, and each follower has a position in
 * them. A follower that has nothing to send is suspended, so that it costs no poll().
 */
#include <inttypes.h>
#include <string.h>

#include "http_server.h"
#include "service_clock.h"

#define QUIET_US 15000000
#define BLOCK_SIZE 4096

/**
 * struct message - an event as it goes out
 * @refs: the ring and each follower that is sending it
 */
struct message {
	int refs;
	size_t size;
	char text[];
};

/**
 * struct http_channel - messages and followers
 * @next_channel: of the same server
 * @ring: message number n is at n % @keep
 * @last: newest number, 0 for none
 * @sent_us: when the newest was sent
 */
struct http_channel {
	struct http_channel *next_channel;
	struct http_server *server;
	pthread_mutex_t lock;
	size_t keep;
	uint64_t last;
	uint64_t sent_us;
	struct follower *followers;
	struct message *ring[];
};

/**
 * struct follower - a client
 * @seen: number of the last message that it has begun
 * @current, @offset: what is being sent
 * @suspended: waits for a message
 */
struct follower {
	struct follower *next;
	struct http_channel *channel;
	struct MHD_Connection *connection;
	uint64_t seen;
	struct message *current;
	size_t offset;
	bool suspended;
};

static void unref(struct message *message)
{
	if (message && --message->refs == 0) {
		free(message);
	}
}

/* @number 0: without an id, for what no client can ask for again. */
static struct message *make(uint64_t number, const char *event, const char *data)
{
	char id[32] = "";
	struct message *message;
	int n;

	if (number) {
		snprintf(id, sizeof(id), "id: %" PRIu64 "\n", number);
	}
	n = snprintf(NULL, 0, "%sevent: %s\ndata: %s\n\n", id, event, data);
	message = malloc(sizeof(*message) + n + 1);
	if (message) {
		message->refs = 1;
		message->size = n;
		snprintf(message->text, n + 1, "%sevent: %s\ndata: %s\n\n", id, event, data);
	}
	return message;
}

struct http_channel *http_channel_new(struct http_server *server, size_t keep)
{
	struct http_channel *channel =
		calloc(1, sizeof(*channel) + keep * sizeof(channel->ring[0]));

	if (channel) {
		channel->server = server;
		channel->keep = keep;
		channel->sent_us = clock_monotonic_us();
		pthread_mutex_init(&channel->lock, NULL);
		channel->next_channel = server->channel;
		server->channel = channel;
	}
	return channel;
}

void http_channel_free(struct http_channel *channel)
{
	if (!channel) {
		return;
	}
	for (size_t i = 0; i < channel->keep; i++) {
		unref(channel->ring[i]);
	}
	pthread_mutex_destroy(&channel->lock);
	free(channel);
}

/* With the lock. */
static void wake_all(struct http_channel *channel)
{
	for (struct follower *each = channel->followers; each; each = each->next) {
		if (each->suspended) {
			each->suspended = false;
			MHD_resume_connection(each->connection);
		}
	}
}

/* With the lock. */
static void append(struct http_channel *channel, struct message *message)
{
	struct message **place;

	channel->last++;
	place = &channel->ring[channel->last % channel->keep];
	unref(*place);
	*place = message;
	channel->sent_us = clock_monotonic_us();
	wake_all(channel);
}

void http_channel_send(struct http_channel *channel, const char *event, const char *data)
{
	struct message *message;

	pthread_mutex_lock(&channel->lock);
	message = make(channel->last + 1, event, data);
	if (message) {
		append(channel, message);
	}
	pthread_mutex_unlock(&channel->lock);
}

void http_channel_tick(struct http_channel *channel)
{
	bool quiet;

	pthread_mutex_lock(&channel->lock);
	quiet = clock_monotonic_us() - channel->sent_us >= QUIET_US;
	pthread_mutex_unlock(&channel->lock);
	if (quiet) {
		http_channel_send(channel, "ping", "{}");
	}
}

void http_channels_end(struct http_server *server)
{
	for (struct http_channel *each = server->channel; each; each = each->next_channel) {
		pthread_mutex_lock(&each->lock);
		wake_all(each);
		pthread_mutex_unlock(&each->lock);
	}
}

/* What to send next, with a reference; NULL for nothing. With the lock. */
static struct message *next_message(struct follower *follower)
{
	struct http_channel *channel = follower->channel;
	struct message *message;

	if (follower->seen == channel->last) {
		return NULL;
	}
	if (follower->seen > channel->last || channel->last - follower->seen > channel->keep) {
		follower->seen = channel->last;
		return make(channel->last, "reset", "{}");
	}
	message = channel->ring[++follower->seen % channel->keep];
	message->refs++;
	return message;
}

/* Content reader of libmicrohttpd, in the server's thread. */
static ssize_t read_more(void *ctx, uint64_t position, char *buf, size_t max)
{
	struct follower *follower = ctx;
	struct http_channel *channel = follower->channel;
	ssize_t n = 0;

	(void)position;
	if (channel->server->stopping) {
		return MHD_CONTENT_READER_END_OF_STREAM;
	}
	pthread_mutex_lock(&channel->lock);
	if (!follower->current) {
		follower->current = next_message(follower);
		follower->offset = 0;
	}
	if (follower->current) {
		size_t left = follower->current->size - follower->offset;

		n = left < max ? left : max;
		memcpy(buf, follower->current->text + follower->offset, n);
		follower->offset += n;
		if (follower->offset == follower->current->size) {
			unref(follower->current);
			follower->current = NULL;
		}
	} else {
		follower->suspended = true;
		MHD_suspend_connection(follower->connection);
	}
	pthread_mutex_unlock(&channel->lock);
	return n;
}

static void leave(void *ctx)
{
	struct follower *follower = ctx;
	struct http_channel *channel = follower->channel;
	struct follower **place;

	pthread_mutex_lock(&channel->lock);
	for (place = &channel->followers; *place != follower; place = &(*place)->next) {
	}
	*place = follower->next;
	unref(follower->current);
	pthread_mutex_unlock(&channel->lock);
	free(follower);
}

/* Where the client goes on: after Last-Event-ID, or with what comes next. With the lock. */
static uint64_t start_after(const struct http_request *request, const struct http_channel *channel)
{
	const char *text = http_header(request, "Last-Event-ID");
	char *end;
	uint64_t number;

	if (!text) {
		return channel->last;
	}
	number = strtoull(text, &end, 10);
	return *text && !*end ? number : channel->last;
}

void http_reply_channel(struct http_request *request, struct http_channel *channel,
			const char *first_event, const char *first_data)
{
	struct follower *follower = calloc(1, sizeof(*follower));
	struct MHD_Response *response = NULL;

	if (follower) {
		follower->channel = channel;
		follower->connection = request->connection;
		response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_SIZE,
							     read_more, follower, leave);
	}
	if (!response) {
		free(follower);
		return;
	}
	pthread_mutex_lock(&channel->lock);
	follower->seen = start_after(request, channel);
	follower->current = first_event ? make(0, first_event, first_data) : NULL;
	follower->next = channel->followers;
	channel->followers = follower;
	pthread_mutex_unlock(&channel->lock);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/event-stream");
	http_give(request, MHD_HTTP_OK, response);
}
