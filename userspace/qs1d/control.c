// SPDX-License-Identifier: GPL-2.0-only
#include "control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "../lib/clock.h"
#include "../lib/log.h"
#include "../lib/util.h"

static void drop(struct control_client *client)
{
	client->source = sd_event_source_disable_unref(client->source);
	close_fd(&client->fd);
	free(client->out);
	client->fd = -1;
	client->out = NULL;
	client->out_used = 0;
	client->in_used = 0;
	client->waiting = false;
	client->ended = false;
	client->follow = 0;
}

static bool has_line(const struct control_client *client)
{
	return memchr(client->in, '\n', client->in_used);
}

/* Choose the events to wait for. Read no more until all complete lines were handled. */
static void watch(struct control_client *client)
{
	uint32_t events = 0;

	if (!client->source) {
		return;
	}
	if (client->ended && !client->waiting && !has_line(client) && client->out_used == 0 &&
	    !client->follow) {
		drop(client);
		return;
	}
	if (!client->waiting && !has_line(client) && !client->ended) {
		events |= EPOLLIN;
	}
	if (client->out_used > 0) {
		events |= EPOLLOUT;
	}
	sd_event_source_set_io_events(client->source, events);
}

static void flush(struct control_client *client)
{
	ssize_t n = send(client->fd, client->out, client->out_used, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR) {
			drop(client);
		}
		return;
	}
	client->out_used -= n;
	memmove(client->out, client->out + n, client->out_used);
	if (client->out_used == 0) {
		free(client->out);
		client->out = NULL;
	}
}

void control_send(struct control_client *client, const char *text)
{
	size_t length = strlen(text);
	char *more;

	if (client->fd < 0) {
		return;
	}
	if (client->out_used + length + 1 > CONTROL_BACKLOG) {
		log_warning("control: dropped a client that does not read its answers");
		drop(client);
		return;
	}
	more = realloc(client->out, client->out_used + length + 1);
	if (!more) {
		drop(client);
		return;
	}
	memcpy(more + client->out_used, text, length);
	more[client->out_used + length] = '\n';
	client->out = more;
	client->out_used += length + 1;
	flush(client);
	watch(client);
}

void control_resume(struct control *control)
{
	if (control->turn) {
		sd_event_source_set_enabled(control->turn, SD_EVENT_ONESHOT);
	}
}

void control_answer(struct control_client *client, const char *text)
{
	client->waiting = false;
	control_send(client, text);
	control_resume(client->control);
}

/* Take the first line, unless the client waits. Return: there is another one to take. */
static bool take_line(struct control_client *client)
{
	struct control *control = client->control;
	char *end = client->waiting ? NULL : memchr(client->in, '\n', client->in_used);
	uint64_t serial = client->serial;
	enum control_taken taken;
	size_t used;

	if (client->fd < 0 || !end) {
		return false;
	}
	*end = '\0';
	used = end + 1 - client->in;
	taken = control->line(control->ctx, client, client->in);
	if (client->fd < 0 || client->serial != serial) {
		return false;
	}
	*end = '\n';
	if (taken == CONTROL_LATER) {
		return false;
	}
	client->waiting = taken == CONTROL_WAITS;
	client->in_used -= used;
	memmove(client->in, client->in + used, client->in_used);
	watch(client);
	return !client->waiting && has_line(client);
}

/* One line of each client. */
static int on_turn(sd_event_source *source, void *ctx)
{
	struct control *control = ctx;
	bool more = false;

	(void)source;
	for (int i = 0; i < CONTROL_CLIENTS; i++) {
		more |= take_line(&control->client[i]);
	}
	if (more) {
		control_resume(control);
	}
	return 0;
}

static void receive(struct control_client *client)
{
	ssize_t n = recv(client->fd, client->in + client->in_used,
			 sizeof(client->in) - client->in_used, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		return;
	}
	if (n < 0) {
		drop(client);
		return;
	}
	client->ended = n == 0;
	client->in_used += n;
	client->active_ms = clock_ms(CLOCK_MONOTONIC);
	if (has_line(client)) {
		control_resume(client->control);
	} else if (client->in_used == sizeof(client->in)) {
		log_warning("control: dropped a client that sent a line of more than %d bytes",
			    CONTROL_LINE);
		drop(client);
	}
}

static int on_client(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	struct control_client *client = ctx;

	(void)source;
	(void)fd;
	if (events & EPOLLOUT) {
		flush(client);
	}
	if (client->fd >= 0 && (events & EPOLLIN)) {
		receive(client);
	}
	/* A hang-up is reported for ever. The lines that came before it still count. */
	if (client->fd >= 0 && (events & (EPOLLHUP | EPOLLERR))) {
		client->ended = true;
		client->follow = 0;
		sd_event_source_set_enabled(client->source, SD_EVENT_OFF);
	}
	watch(client);
	return 0;
}

/* A free place, or that of the client that was silent for the longest time. */
static struct control_client *find_place(struct control *control)
{
	struct control_client *oldest = NULL;

	for (int i = 0; i < CONTROL_CLIENTS; i++) {
		struct control_client *client = &control->client[i];

		if (client->fd < 0) {
			return client;
		}
		if (!client->waiting && (!oldest || client->active_ms < oldest->active_ms)) {
			oldest = client;
		}
	}
	return oldest;
}

static int on_listen(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	struct control *control = ctx;
	struct control_client *client = find_place(control);
	int accepted = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)source;
	(void)events;
	if (accepted < 0) {
		return 0;
	}
	if (!client) {
		log_warning("control: refused a client: %d others wait for answers",
			    CONTROL_CLIENTS);
		close(accepted);
		return 0;
	}
	if (client->fd >= 0) {
		log_notice("control: closed the longest silent of %d clients to accept another",
			   CONTROL_CLIENTS);
		drop(client);
	}
	client->fd = accepted;
	client->serial = ++control->serial;
	client->active_ms = clock_ms(CLOCK_MONOTONIC);
	if (sd_event_add_io(control->event, &client->source, accepted, EPOLLIN, on_client, client) <
	    0) {
		drop(client);
	}
	return 0;
}

int control_open(struct control *control, sd_event *event, int fd, control_line_fn line, void *ctx)
{
	int ret;

	*control = (struct control){ .fd = fd, .line = line, .ctx = ctx, .event = event };
	for (int i = 0; i < CONTROL_CLIENTS; i++) {
		control->client[i].control = control;
		control->client[i].fd = -1;
	}
	if (fd < 0) {
		return 0;
	}
	ret = sd_event_add_io(event, &control->source, fd, EPOLLIN, on_listen, control);
	if (ret >= 0) {
		ret = sd_event_add_defer(event, &control->turn, on_turn, control);
	}
	if (ret >= 0) {
		ret = sd_event_source_set_enabled(control->turn, SD_EVENT_OFF);
	}
	return ret;
}

void control_close(struct control *control)
{
	for (int i = 0; i < CONTROL_CLIENTS; i++) {
		drop(&control->client[i]);
	}
	control->turn = sd_event_source_disable_unref(control->turn);
	control->source = sd_event_source_disable_unref(control->source);
}
