// SPDX-License-Identifier: GPL-2.0-only
#include "qmp.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <json-c/json.h>

#include "../lib/clock.h"

#define TIMEOUT_MS 10000

enum reply { REPLY_NONE, REPLY_GREETING, REPLY_RETURN, REPLY_ERROR };

static enum reply parse(struct qmp *qmp, const char *line, char *err, size_t size)
{
	struct json_object *message = json_tokener_parse(line), *member, *text;
	enum reply reply = REPLY_NONE;

	if (json_object_object_get_ex(message, "event", &member)) {
		if (qmp->event && !strcmp(json_object_get_string(member), qmp->event))
			qmp->seen = true;
	} else if (json_object_object_get_ex(message, "return", &member)) {
		reply = REPLY_RETURN;
		/* The monitor's commands report their errors as their output. */
		if (json_object_is_type(member, json_type_string) &&
		    json_object_get_string_len(member)) {
			snprintf(err, size, "%s", json_object_get_string(member));
			err[strcspn(err, "\r\n")] = 0;
		}
	} else if (json_object_object_get_ex(message, "error", &member)) {
		reply = REPLY_ERROR;
		if (json_object_object_get_ex(member, "desc", &text))
			snprintf(err, size, "%s", json_object_get_string(text));
	} else if (json_object_object_get_ex(message, "QMP", &member)) {
		reply = REPLY_GREETING;
	}
	json_object_put(message);
	return reply;
}

/* The first line in the buffer, taken out of it; REPLY_NONE if there is none or it is an event. */
static enum reply take_line(struct qmp *qmp, bool *more, char *err, size_t size)
{
	char *end = memchr(qmp->buffer, '\n', qmp->used);
	enum reply reply;
	size_t length;

	*more = end;
	if (!end)
		return REPLY_NONE;
	*end = 0;
	reply = parse(qmp, qmp->buffer, err, size);
	length = (size_t)(end + 1 - qmp->buffer);
	qmp->used -= length;
	memmove(qmp->buffer, end + 1, qmp->used);
	return reply;
}

/* Return: 0 with data, -EAGAIN without, -EPIPE at the end. */
static int fill(struct qmp *qmp)
{
	ssize_t got;

	if (qmp->used == sizeof(qmp->buffer))
		qmp->used = 0; /* no line of ours is that long */
	got = recv(qmp->fd, qmp->buffer + qmp->used, sizeof(qmp->buffer) - qmp->used, MSG_DONTWAIT);
	if (got > 0) {
		qmp->used += (size_t)got;
		return 0;
	}
	return got < 0 && (errno == EAGAIN || errno == EINTR) ? -EAGAIN : -EPIPE;
}

/* Waits for @wanted, and for the event if there is one. */
static int expect(struct qmp *qmp, enum reply wanted, char *err, size_t size)
{
	struct pollfd poll_fd = { .fd = qmp->fd, .events = POLLIN };
	int64_t deadline_ms = clock_ms(CLOCK_MONOTONIC) + TIMEOUT_MS, left_ms;
	bool answered = false, more;
	enum reply reply;
	int ret;

	for (;;) {
		do {
			reply = take_line(qmp, &more, err, size);
			if (reply == wanted)
				answered = true;
			else if (reply == REPLY_ERROR)
				return -EREMOTEIO;
		} while (more);
		if (answered && (!qmp->event || qmp->seen))
			return 0;

		left_ms = deadline_ms - clock_ms(CLOCK_MONOTONIC);
		if (left_ms <= 0 || !poll(&poll_fd, 1, (int)left_ms)) {
			snprintf(err, size, "no answer in %d s", TIMEOUT_MS / 1000);
			return -ETIMEDOUT;
		}
		ret = fill(qmp);
		if (ret == -EPIPE) {
			snprintf(err, size, "connection closed");
			return ret;
		}
	}
}

int qmp_open(struct qmp *qmp, int fd, char *err, size_t size)
{
	int ret;

	memset(qmp, 0, sizeof(*qmp));
	qmp->fd = fd;
	ret = expect(qmp, REPLY_GREETING, err, size);
	if (ret)
		return ret;
	return qmp_execute(qmp, "qmp_capabilities", NULL, NULL, err, size);
}

int qmp_execute(struct qmp *qmp, const char *command, const char *hmp, const char *event, char *err,
		size_t size)
{
	char line[512], output[256] = "";
	int length, ret;

	if (hmp)
		length = snprintf(line, sizeof(line),
				  "{\"execute\":\"%s\",\"arguments\":{\"command-line\":\"%s\"}}\n",
				  command, hmp);
	else
		length = snprintf(line, sizeof(line), "{\"execute\":\"%s\"}\n", command);

	qmp->event = event;
	qmp->seen = false;
	if (send(qmp->fd, line, (size_t)length, MSG_NOSIGNAL) != length) {
		snprintf(err, size, "connection closed");
		return -EPIPE;
	}
	ret = expect(qmp, REPLY_RETURN, output, sizeof(output));
	if (ret)
		snprintf(err, size, "%s: %s", command, output);
	qmp->event = NULL;
	return ret;
}

int qmp_drain(struct qmp *qmp)
{
	char err[256];
	bool more;
	int ret;

	do {
		ret = fill(qmp);
	} while (!ret);
	do {
		take_line(qmp, &more, err, sizeof(err));
	} while (more);
	return ret == -EPIPE ? ret : 0;
}
