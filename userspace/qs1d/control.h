/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A listening socket and its clients: lines in, lines out. Nothing waits for a
 * client, and no client keeps another one out:
 *
 * - a turn takes one line of each client; a timer of a higher priority runs
 *   between two turns;
 * - when all places are taken, a new client gets that of the client that has
 *   been silent for the longest time;
 * - a client that sends too long a line, or does not read its answers, is
 *   dropped.
 */
#ifndef QS1D_CONTROL_H
#define QS1D_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <systemd/sd-event.h>

#define CONTROL_CLIENTS 16
#define CONTROL_LINE 16384
#define CONTROL_BACKLOG (256 * 1024)

struct control;

/**
 * struct control_client - one connection
 * @control: of which socket
 * @fd: -1 for a free place
 * @serial: of the connection, from 1; another one for the next user of the place
 * @active_ms: monotonic time of the last line, or of the connection
 * @waiting: the last line is answered later
 * @ended: the client has sent all that it will send
 * @in: what has arrived and was not taken
 * @out: what is still to be sent
 * @follow: number of the next event to send; 0 when it does not follow
 */
struct control_client {
	struct control *control;
	int fd;
	uint64_t serial;
	int64_t active_ms;
	bool waiting;
	bool ended;
	char in[CONTROL_LINE];
	size_t in_used;
	char *out;
	size_t out_used;
	uint64_t follow;
	sd_event_source *source;
};

enum control_taken {
	CONTROL_ANSWERED, /* or no answer is due */
	CONTROL_WAITS,	  /* control_answer() comes later; no line is taken until then */
	CONTROL_LATER,	  /* not now: the same line again in a later turn */
};

/* Takes one line from a client. */
typedef enum control_taken (*control_line_fn)(void *ctx, struct control_client *client,
					      const char *line);

struct control {
	int fd;
	control_line_fn line;
	void *ctx;
	uint64_t serial;
	sd_event *event;
	sd_event_source *source;
	sd_event_source *turn;
	struct control_client client[CONTROL_CLIENTS];
};

/**
 * control_open() - serve a listening socket
 * @fd: the socket, which stays the caller's; -1 for none, which has no clients
 * @line: called for each line
 * @ctx: handed to @line
 *
 * Return: 0 or a negative errno.
 */
int control_open(struct control *control, sd_event *event, int fd, control_line_fn line, void *ctx);
void control_close(struct control *control);

/**
 * control_send() - queue a line for a client, and send what it takes now
 * @text: without the newline
 *
 * The client is dropped when its backlog would pass CONTROL_BACKLOG.
 */
void control_send(struct control_client *client, const char *text);

/* As control_send(), for the line that the client waits for. */
void control_answer(struct control_client *client, const char *text);

/* Try again the lines that were left for later. */
void control_resume(struct control *control);

#endif /* QS1D_CONTROL_H */
