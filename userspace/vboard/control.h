/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The control socket of vboard, and the console's line from the guest.
 *
 * Lines in, one line out for each:
 *
 *	do STATEMENT	a scenario statement, now: "ok" or "error: reason"
 *	status		the present state, one JSON object
 *	summary		the simulator's summary, one JSON object
 *	truth TICKS	bounds of the truth that the firmware's snapshot with this time can
 *			mean, one JSON object {"low": ..., "high": ...} (see record.h), or
 *			"error: reason"; kept for 10 s
 *	go		starts a scenario held by --hold: "ok" or "error: reason"; its
 *			time 0 is when Linux has carried out its set-up statements
 *	runner		this client carries out policy: "ok", and from then on
 *	quit		"ok", and vboard ends
 *
 * The guest's line (QEMU's virtio-serial chardev) takes statements without
 * "do", and "status".
 *
 * A runner also gets lines that it did not ask for:
 *
 *	{"policy": "set power_limit_w 600", "id": 7}
 *		to be carried out by the board's Linux, in this order; the
 *		runner answers {"id": 7, "ok": true} or
 *		{"id": 7, "ok": false, "error": "reason"}. The words are those
 *		of the scenario language: profile NAME, set PARAM VALUE, cmd
 *		WORDS, host lost, host back, skip enter-service
 *	{"event": "ready"}
 *		the coprocessor's emulator is connected
 *	{"event": "coproc", "state": "reset" | "running" | "watchdog"}
 *	{"event": "end", "t_s": 120.0}
 *		the scenario's end; the summary stays as it is now
 *	{"event": "error", "t_s": 3.0, "message": "..."}
 *		a timed statement failed
 *
 * A timed statement for Linux waits until a runner is connected. The same
 * statement from a client fails without a runner. vboard answers such a "do"
 * after the answer of the runner. A runner sends no second "do" before that.
 */
#ifndef QS1_VBOARD_CONTROL_H
#define QS1_VBOARD_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>

#include "loop.h"

struct control;

/**
 * struct control_ops - callbacks for the lines
 * @statement: carry out a statement; 0 or a negative errno with the reason
 * @status: a new object
 * @summary: a new object
 * @truth: a new object, or NULL with the reason
 * @go: start the held scenario; 0 or a negative errno with the reason
 * @failed: what a timed statement asked of Linux failed
 * @quit: end
 */
struct control_ops {
	int (*statement)(void *ctx, const char *line, char *err, size_t size);
	struct json_object *(*status)(void *ctx);
	struct json_object *(*summary)(void *ctx);
	struct json_object *(*truth)(void *ctx, uint64_t ticks, char *err, size_t size);
	int (*go)(void *ctx, char *err, size_t size);
	void (*failed)(void *ctx, const char *words, const char *reason);
	void (*quit)(void *ctx);
};

/**
 * control_new() - listen on @path
 * @guest_path: QEMU's chardev socket of the guest's line, or NULL; connected
 *              to as soon as it is there
 * @err: on failure the reason
 *
 * Return: the control, or NULL.
 */
struct control *control_new(struct loop *loop, const char *path, const char *guest_path,
			    const struct control_ops *ops, void *ctx, char *err, size_t size);
void control_free(struct control *control);

/* To be called about once a second: looks for the guest's line. */
void control_tick(struct control *control);

/**
 * control_policy() - ask the runner to carry out policy words
 *
 * Return: 0 if it will be asked, -ENOTCONN with the reason in @err if a client
 * wants it and there is no runner.
 */
int control_policy(struct control *control, const char *words, char *err, size_t size);

/* Number of policy words without an answer from the runner. */
unsigned int control_pending(const struct control *control);

/* Send an event to all runners; takes the object. */
void control_event(struct control *control, struct json_object *event);

#endif /* QS1_VBOARD_CONTROL_H */
