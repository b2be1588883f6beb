/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The QEMU Machine Protocol, as much of it as a reset line, a clock gate and a
 * debug probe need. Calls block until the answer, which takes milliseconds.
 */
#ifndef QS1_VBOARD_QMP_H
#define QS1_VBOARD_QMP_H

#include <stdbool.h>
#include <stddef.h>

/**
 * struct qmp - a connection
 * @fd: the socket
 * @used: bytes in @buffer of an incomplete line
 * @event: name of the event waited for, or NULL
 * @seen: it came
 */
struct qmp {
	int fd;
	size_t used;
	const char *event;
	bool seen;
	char buffer[16384];
};

/* Takes the connected socket @fd; greets. Return: 0 or a negative errno, reason in @err. */
int qmp_open(struct qmp *qmp, int fd, char *err, size_t size);

/**
 * qmp_execute() - one command
 * @command: its name
 * @hmp: NULL, or for "human-monitor-command" the monitor's command line
 * @event: NULL, or an event to wait for as well
 * @err: on failure the reason
 *
 * Return: 0, -EREMOTEIO if QEMU refused, -ETIMEDOUT, -EPIPE.
 */
int qmp_execute(struct qmp *qmp, const char *command, const char *hmp, const char *event, char *err,
		size_t size);

/* Reads what came unasked. Return: 0, or -EPIPE when QEMU is gone. */
int qmp_drain(struct qmp *qmp);

#endif /* QS1_VBOARD_QMP_H */
