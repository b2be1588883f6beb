// SPDX-License-Identifier: GPL-2.0-only
#include "control.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "report.h"
#include "sock.h"

#define LINE_MAX_BYTES 2048
#define UNREAD_MAX_BYTES (1024 * 1024)

/**
 * struct client - someone at the other end of a line
 * @guest: the guest's line, with its shorter language
 * @runner: carries out policy
 * @waiting: policy requests on whose outcome its last line waits
 * @failed: reason of the first of them that failed, or NULL
 * @overlong: the unfinished line did not fit @in; what came is forgotten
 * @in: bytes of the unfinished line
 * @out: output that the socket has not taken
 */
struct client {
	struct client *next;
	struct control *control;
	struct watch watch;
	bool guest;
	bool runner;
	bool overlong;
	unsigned int waiting;
	char *failed;
	size_t in_used;
	size_t out_used;
	char *out;
	char in[LINE_MAX_BYTES];
};

/**
 * struct request - policy words on their way
 * @client: gets the outcome; NULL for a timed statement
 * @sent: a runner has it
 */
struct request {
	struct request *next;
	unsigned int id;
	struct client *client;
	bool sent;
	char words[256];
};

struct control {
	struct loop *loop;
	const char *path;
	const char *guest_path;
	const struct control_ops *ops;
	void *ctx;
	struct watch listener;
	struct client *clients;
	struct client *asking;
	struct request *requests;
	unsigned int last_id;
};

static void client_ready(void *ctx, uint32_t events);
static void take_lines(struct client *client);
static void send_requests(struct control *control);
static void answer_request(struct control *control, unsigned int id, const char *reason);

static struct client *client_new(struct control *control, int fd)
{
	struct client *client = calloc(1, sizeof(*client));

	if (!client) {
		close(fd);
		return NULL;
	}
	client->control = control;
	client->watch = (struct watch){ .fd = fd, .ready = client_ready, .ctx = client };
	if (loop_add(control->loop, &client->watch, EPOLLIN)) {
		close(fd);
		free(client);
		return NULL;
	}
	client->next = control->clients;
	control->clients = client;
	return client;
}

static struct client *runner(const struct control *control)
{
	for (struct client *client = control->clients; client; client = client->next) {
		if (client->runner)
			return client;
	}
	return NULL;
}

/* The last runner has left: clients get an error, timed statements wait for the next one. */
static void runner_left(struct control *control)
{
	struct request *request = control->requests, *next;

	for (; request; request = next) {
		next = request->next;
		if (request->client && request->sent)
			answer_request(control, request->id, "the runner has left");
		else
			request->sent = false;
	}
}

static void client_free(struct client *client)
{
	struct control *control = client->control;
	struct client **link = &control->clients;

	while (*link != client)
		link = &(*link)->next;
	*link = client->next;
	for (struct request *request = control->requests; request; request = request->next) {
		if (request->client == client)
			request->client = NULL;
	}
	if (client->runner && !runner(control))
		runner_left(control);
	loop_remove(control->loop, &client->watch);
	close(client->watch.fd);
	free(client->failed);
	free(client->out);
	free(client);
}

static void watch_client(struct client *client)
{
	uint32_t events = client->out_used ? EPOLLOUT : 0;

	/* Its next line is read when this one has its answer; a runner must be able to give it. */
	if (!client->waiting || client->runner)
		events |= EPOLLIN;
	loop_change(client->control->loop, &client->watch, events);
}

/* Keep what the socket does not accept, up to UNREAD_MAX_BYTES. Further lines are lost. */
static void client_send(struct client *client, const char *text)
{
	size_t length = strlen(text);
	ssize_t sent = 0;
	char *out;

	if (!client->out_used)
		sent = send(client->watch.fd, text, length, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent < 0)
		sent = 0;
	text += sent;
	length -= (size_t)sent;
	if (!length || client->out_used + length > UNREAD_MAX_BYTES)
		return;
	out = realloc(client->out, client->out_used + length);
	if (!out)
		return;
	memcpy(out + client->out_used, text, length);
	client->out = out;
	client->out_used += length;
	watch_client(client);
}

static void client_flush(struct client *client)
{
	ssize_t sent =
		send(client->watch.fd, client->out, client->out_used, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (sent <= 0)
		return;
	client->out_used -= (size_t)sent;
	memmove(client->out, client->out + sent, client->out_used);
	watch_client(client);
}

static void send_json(struct client *client, struct json_object *object)
{
	client_send(client,
		    json_object_to_json_string_ext(object, JSON_C_TO_STRING_SPACED |
								   JSON_C_TO_STRING_NOSLASHESCAPE));
	client_send(client, "\n");
}

static void send_result(struct client *client, int ret, const char *err)
{
	char text[640];

	if (!ret) {
		client_send(client, "ok\n");
		return;
	}
	snprintf(text, sizeof(text) - 1, "error: %s", err);
	for (char *c = text; *c; c++) {
		if (*c == '\n')
			*c = ' ';
	}
	strcat(text, "\n");
	client_send(client, text);
}

/* The last of what its line asked of Linux is done: the line gets its answer. */
static void settle(struct client *client)
{
	send_result(client, client->failed ? -EREMOTEIO : 0, client->failed);
	free(client->failed);
	client->failed = NULL;
	watch_client(client);
	take_lines(client);
}

static void answer_request(struct control *control, unsigned int id, const char *reason)
{
	struct request **link = &control->requests, *request;
	struct client *client;

	while (*link && (*link)->id != id)
		link = &(*link)->next;
	request = *link;
	if (!request || !request->sent) {
		report("an answer to policy request %u, which is not open", id);
		return;
	}
	*link = request->next;
	client = request->client;
	if (client) {
		if (reason && !client->failed)
			client->failed = strdup(reason);
		if (!--client->waiting)
			settle(client);
	} else if (reason) {
		control->ops->failed(control->ctx, request->words, reason);
	}
	free(request);
}

/* {"id": n, "ok": bool, "error": text} */
static void policy_answer(struct control *control, const char *line)
{
	struct json_object *answer = json_tokener_parse(line), *id, *ok, *error = NULL;
	const char *reason = NULL;

	if (!json_object_object_get_ex(answer, "id", &id) ||
	    !json_object_object_get_ex(answer, "ok", &ok)) {
		report("expected an answer with \"id\" and \"ok\", found %.80s", line);
	} else {
		if (!json_object_get_boolean(ok)) {
			json_object_object_get_ex(answer, "error", &error);
			reason = error ? json_object_get_string(error) : "no reason given";
		}
		answer_request(control, (unsigned int)json_object_get_int64(id), reason);
	}
	json_object_put(answer);
}

static void do_statement(struct client *client, const char *statement)
{
	struct control *control = client->control;
	char err[512] = "failed";
	int ret;

	control->asking = client;
	ret = control->ops->statement(control->ctx, statement, err, sizeof(err));
	control->asking = NULL;
	if (ret && client->waiting && !client->failed)
		client->failed = strdup(err);
	if (client->waiting)
		watch_client(client);
	else
		send_result(client, ret, err);
}

static void send_object(struct client *client, struct json_object *object)
{
	send_json(client, object);
	json_object_put(object);
}

static void send_truth(struct client *client, const char *text)
{
	struct control *control = client->control;
	struct json_object *bounds = NULL;
	char err[512] = "failed", *end;
	unsigned long long ticks;

	errno = 0;
	ticks = strtoull(text, &end, 10);
	if (errno || *end || end == text || *text == '-')
		snprintf(err, sizeof(err), "truth: expected a number of ticks, found \"%.40s\"",
			 text);
	else
		bounds = control->ops->truth(control->ctx, ticks, err, sizeof(err));
	if (bounds)
		send_object(client, bounds);
	else
		send_result(client, -EINVAL, err);
}

static void become_runner(struct client *client)
{
	client->runner = true;
	client_send(client, "ok\n");
	send_requests(client->control);
}

static void line(struct client *client, char *text)
{
	struct control *control = client->control;
	char err[512] = "failed";

	text += strspn(text, " \t");
	if (!*text)
		return;
	if (!strcmp(text, "status"))
		send_object(client, control->ops->status(control->ctx));
	else if (client->guest)
		do_statement(client, text);
	else if (client->runner && *text == '{')
		policy_answer(control, text);
	else if (!strncmp(text, "do ", 3))
		do_statement(client, text + 3);
	else if (!strcmp(text, "summary"))
		send_object(client, control->ops->summary(control->ctx));
	else if (!strncmp(text, "truth ", 6))
		send_truth(client, text + 6);
	else if (!strcmp(text, "go"))
		send_result(client, control->ops->go(control->ctx, err, sizeof(err)), err);
	else if (!strcmp(text, "runner"))
		become_runner(client);
	else if (!strcmp(text, "quit")) {
		client_send(client, "ok\n");
		control->ops->quit(control->ctx);
	} else {
		snprintf(err, sizeof(err),
			 "expected do, status, summary, truth, go, runner or quit, found \"%.40s\"",
			 text);
		send_result(client, -EINVAL, err);
	}
}

/* Whole lines from the buffer, as long as none waits for its answer. */
static void take_lines(struct client *client)
{
	char *end, text[LINE_MAX_BYTES];
	size_t length;

	while ((!client->waiting || client->runner) &&
	       (end = memchr(client->in, '\n', client->in_used))) {
		length = (size_t)(end - client->in);
		memcpy(text, client->in, length);
		text[length] = 0;
		if (length && text[length - 1] == '\r')
			text[length - 1] = 0;
		client->in_used -= length + 1;
		memmove(client->in, end + 1, client->in_used);
		if (client->overlong)
			send_result(client, -EMSGSIZE, "line too long");
		else
			line(client, text);
		client->overlong = false;
	}
	if (client->in_used == sizeof(client->in)) {
		client->in_used = 0;
		client->overlong = true;
	}
}

static void client_ready(void *ctx, uint32_t events)
{
	struct client *client = ctx;
	ssize_t got;

	if (events & EPOLLOUT)
		client_flush(client);
	if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		return;

	got = recv(client->watch.fd, client->in + client->in_used,
		   sizeof(client->in) - client->in_used, MSG_DONTWAIT);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		client_free(client);
		return;
	}
	client->in_used += (size_t)got;
	take_lines(client);
}

static void accept_client(void *ctx, uint32_t events)
{
	struct control *control = ctx;
	int fd = accept4(control->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	if (fd >= 0)
		client_new(control, fd);
}

static void send_requests(struct control *control)
{
	struct client *to = runner(control);
	struct json_object *message;

	if (!to)
		return;
	for (struct request *request = control->requests; request; request = request->next) {
		if (request->sent)
			continue;
		message = json_object_new_object();
		json_object_object_add(message, "policy", json_object_new_string(request->words));
		json_object_object_add(message, "id", json_object_new_int64(request->id));
		request->sent = true;
		send_object(to, message);
	}
}

int control_policy(struct control *control, const char *words, char *err, size_t size)
{
	struct request *request, **link = &control->requests;

	if (control->asking && !runner(control)) {
		snprintf(err, size,
			 "no runner is connected that could pass this on to the board's Linux");
		return -ENOTCONN;
	}
	request = calloc(1, sizeof(*request));
	if (!request) {
		snprintf(err, size, "%s", strerror(ENOMEM));
		return -ENOMEM;
	}
	request->id = ++control->last_id;
	request->client = control->asking;
	snprintf(request->words, sizeof(request->words), "%s", words);
	if (request->client)
		request->client->waiting++;
	while (*link)
		link = &(*link)->next;
	*link = request;
	send_requests(control);
	return 0;
}

unsigned int control_pending(const struct control *control)
{
	unsigned int pending = 0;

	for (struct request *request = control->requests; request; request = request->next)
		pending++;
	return pending;
}

void control_event(struct control *control, struct json_object *event)
{
	for (struct client *client = control->clients; client; client = client->next) {
		if (client->runner)
			send_json(client, event);
	}
	json_object_put(event);
}

void control_tick(struct control *control)
{
	struct client *client;
	int fd;

	if (!control->guest_path)
		return;
	for (client = control->clients; client; client = client->next) {
		if (client->guest)
			return;
	}
	fd = sock_connect(control->guest_path);
	if (fd < 0)
		return;
	client = client_new(control, fd);
	if (client)
		client->guest = true;
}

struct control *control_new(struct loop *loop, const char *path, const char *guest_path,
			    const struct control_ops *ops, void *ctx, char *err, size_t size)
{
	struct control *control = calloc(1, sizeof(*control));
	int ret = -ENOMEM;

	if (control) {
		*control = (struct control){
			.loop = loop,
			.path = path,
			.guest_path = guest_path,
			.ops = ops,
			.ctx = ctx,
			.listener = { .fd = sock_listen(path),
				      .ready = accept_client,
				      .ctx = control },
		};
		ret = control->listener.fd;
		if (ret >= 0)
			ret = loop_add(loop, &control->listener, EPOLLIN);
	}
	if (!ret)
		return control;
	snprintf(err, size, "control socket %s: %s", path, strerror(-ret));
	free(control);
	return NULL;
}

void control_free(struct control *control)
{
	struct request *request;

	if (!control)
		return;
	while (control->clients)
		client_free(control->clients);
	while ((request = control->requests)) {
		control->requests = request->next;
		free(request);
	}
	close(control->listener.fd);
	unlink(control->path);
	free(control);
}
