// SPDX-License-Identifier: GPL-2.0-only
#include "control.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "../lib/log.h"
#include "../lib/util.h"

static void drop(struct control_client *client)
{
	close_fd(&client->fd);
	free(client->out);
	client->fd = -1;
	client->out = NULL;
	client->out_used = 0;
	client->in_used = 0;
	client->follow = 0;
}

/* A socket file that nobody listens at is left over from a daemon that died. */
static int remove_stale(const struct sockaddr_un *address)
{
	int fd __cleanup(close_fd) = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0) {
		return -errno;
	}
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0) {
		return -EADDRINUSE;
	}
	if (errno == ECONNREFUSED && unlink(address->sun_path) < 0) {
		return -errno;
	}
	return 0;
}

static int listen_at(int fd, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int ret;

	if (strlen(path) >= sizeof(address.sun_path)) {
		return -ENAMETOOLONG;
	}
	strcpy(address.sun_path, path);
	ret = remove_stale(&address);
	if (ret < 0) {
		return ret;
	}
	/* Owner and group; the folder's set-group-ID bit or the service's group says which. */
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || chmod(path, 0660) < 0 ||
	    listen(fd, CONTROL_CLIENTS) < 0) {
		return -errno;
	}
	return 0;
}

int control_open(struct control *control, const char *path, control_line_fn line, void *ctx)
{
	int fd __cleanup(close_fd) = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int ret;

	if (fd < 0) {
		return -errno;
	}
	ret = listen_at(fd, path);
	if (ret < 0) {
		return ret;
	}
	*control = (struct control){ .path = strdup(path), .line = line, .ctx = ctx };
	if (!control->path) {
		return -ENOMEM;
	}
	for (int i = 0; i < CONTROL_CLIENTS; i++) {
		control->client[i].fd = -1;
	}
	control->fd = fd;
	fd = -1;
	return 0;
}

void control_close(struct control *control)
{
	for (int i = 0; i < CONTROL_CLIENTS; i++) {
		drop(&control->client[i]);
	}
	close_fd(&control->fd);
	unlink(control->path);
	free(control->path);
}

void control_fds(const struct control *control, struct pollfd fds[CONTROL_FDS])
{
	for (int i = 0; i < CONTROL_CLIENTS; i++) {
		const struct control_client *client = &control->client[i];

		fds[i] = (struct pollfd){ .fd = client->fd, .events = POLLIN };
		if (client->out_used > 0) {
			fds[i].events |= POLLOUT;
		}
	}
	fds[CONTROL_CLIENTS] = (struct pollfd){ .fd = control->fd, .events = POLLIN };
}

static void flush(struct control_client *client)
{
	ssize_t n;

	if (client->out_used == 0) {
		return;
	}
	n = send(client->fd, client->out, client->out_used, MSG_NOSIGNAL | MSG_DONTWAIT);
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
		log_warning("control: a client does not read, dropped");
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
}

/* Hand over each whole line that has arrived. */
static void take_lines(struct control *control, struct control_client *client)
{
	char *start = client->in;
	char *end = client->in + client->in_used;
	char *newline;

	while (client->fd >= 0 && (newline = memchr(start, '\n', end - start))) {
		*newline = '\0';
		control->line(control->ctx, client, start);
		start = newline + 1;
	}
	if (client->fd < 0) {
		return;
	}
	client->in_used = end - start;
	memmove(client->in, start, client->in_used);
	if (client->in_used == sizeof(client->in)) {
		log_warning("control: a line of more than %d bytes, client dropped", CONTROL_LINE);
		drop(client);
	}
}

static void receive(struct control *control, struct control_client *client)
{
	ssize_t n = recv(client->fd, client->in + client->in_used,
			 sizeof(client->in) - client->in_used, MSG_DONTWAIT);

	if (n > 0) {
		client->in_used += n;
		take_lines(control, client);
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		drop(client);
	}
}

static void accept_one(struct control *control)
{
	int fd = accept4(control->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0) {
		return;
	}
	for (int i = 0; i < CONTROL_CLIENTS; i++) {
		if (control->client[i].fd < 0) {
			control->client[i].fd = fd;
			return;
		}
	}
	log_warning("control: more than %d clients, one refused", CONTROL_CLIENTS);
	close(fd);
}

void control_poll(struct control *control, const struct pollfd fds[CONTROL_FDS])
{
	for (int i = 0; i < CONTROL_CLIENTS; i++) {
		struct control_client *client = &control->client[i];

		if (client->fd < 0 || client->fd != fds[i].fd) {
			continue;
		}
		if (fds[i].revents & POLLOUT) {
			flush(client);
		}
		if (client->fd >= 0 && (fds[i].revents & (POLLIN | POLLHUP | POLLERR))) {
			receive(control, client);
		}
	}
	if (fds[CONTROL_CLIENTS].revents) {
		accept_one(control);
	}
}
