/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The control socket: lines in, lines out, never waiting for a client. A client
 * that sends too long a line, or does not read what it asked for, is dropped.
 */
#ifndef QS1D_CONTROL_H
#define QS1D_CONTROL_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONTROL_CLIENTS 16
#define CONTROL_LINE 16384
#define CONTROL_BACKLOG (256 * 1024)

/**
 * struct control_client - one connection
 * @fd: -1 for a free place
 * @in: the line that is arriving
 * @out: what is still to be sent
 * @follow: number of the next event to send; 0 when it does not follow
 */
struct control_client {
	int fd;
	char in[CONTROL_LINE];
	size_t in_used;
	char *out;
	size_t out_used;
	uint64_t follow;
};

/* Takes one line from a client. */
typedef void (*control_line_fn)(void *ctx, struct control_client *client, const char *line);

struct control {
	int fd;
	char *path;
	control_line_fn line;
	void *ctx;
	struct control_client client[CONTROL_CLIENTS];
};

/**
 * control_open() - listen
 * @path: of the socket; a stale one is replaced
 * @line: called for each line
 * @ctx: handed to @line
 *
 * Return: 0 or a negative errno; -EADDRINUSE when another daemon answers there.
 */
int control_open(struct control *control, const char *path, control_line_fn line, void *ctx);
void control_close(struct control *control);

#define CONTROL_FDS (CONTROL_CLIENTS + 1)

/* Fill in what to poll for: always CONTROL_FDS entries. */
void control_fds(const struct control *control, struct pollfd fds[CONTROL_FDS]);

/* Act on what poll returned for the entries of control_fds(). */
void control_poll(struct control *control, const struct pollfd fds[CONTROL_FDS]);

/**
 * control_send() - queue a line for a client, and send what it takes now
 * @text: without the newline
 *
 * The client is dropped when its backlog would pass CONTROL_BACKLOG.
 */
void control_send(struct control_client *client, const char *text);

#endif /* QS1D_CONTROL_H */
