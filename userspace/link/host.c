// SPDX-License-Identifier: GPL-2.0-or-later
#include "host.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bytes.h"

/* Of a scan: 15.36 ms * (2^2 + 1) on our channel. */
#define SCAN_DURATION 2

static void set_due(struct host *host)
{
	const uint64_t due[] = { host->phase_us, host->silent_us, host->answer_us,
				 host->not_before_us };

	host->due_us = HOST_NEVER;
	for (size_t i = 0; i < sizeof(due) / sizeof(due[0]); i++) {
		host->due_us = due[i] < host->due_us ? due[i] : host->due_us;
	}
}

static void send_command(struct host *host, uint16_t command, const uint8_t *data, size_t n,
			 uint64_t now_us)
{
	uint8_t frame[ZNP_FRAME_MAX];
	int length = znp_build(command, data, n, frame, sizeof(frame));

	if (ZNP_TYPE(command) == ZNP_SREQ) {
		host->waits_for = ZNP_ANSWER(command);
		host->answer_us = now_us + HOST_ANSWER_US;
	}
	host->ops->to_modem(host->ctx, frame, (size_t)length);
}

static void stop_timers(struct host *host)
{
	host->phase_us = host->silent_us = host->answer_us = host->not_before_us = HOST_NEVER;
	host->waits_for = 0;
	host->asked = false;
}

/* By command first; a chip that has frozen needs its reset line. */
static void reset_modem(struct host *host, uint64_t now_us)
{
	static const uint8_t hard;

	stop_timers(host);
	host->phase = HOST_RESET;
	host->phase_us = now_us + 2 * HOST_ANSWER_US;
	host->in_n = 0;
	/* some answer only a command, and every other reset is by the line */
	host->found_n = host->resets ? host->found_n : 0;
	host->all_resets++;
	if (host->resets++ % 2) {
		host->ops->hard_reset(host->ctx);
	} else {
		send_command(host, ZNP_RESET_REQ, &hard, 1, now_us);
	}
}

void host_restart(struct host *host, const char *why, uint64_t now_us)
{
	bool was_up = host->phase == HOST_UP;

	reset_modem(host, now_us);
	set_due(host);
	if (was_up) {
		host->ops->down(host->ctx, why, now_us);
	}
}

void host_open(struct host *host, uint64_t now_us)
{
	host->resets = 0;
	reset_modem(host, now_us);
	set_due(host);
}

void host_close(struct host *host)
{
	host->phase = HOST_CLOSED;
	stop_timers(host);
	set_due(host);
}

void host_init(struct host *host, const struct host_ops *ops, void *ctx)
{
	memset(host, 0, sizeof(*host));
	host->ops = ops;
	host->ctx = ctx;
	host->silence_us = HOST_SILENT_US;
	host_close(host);
}

/* ---- from the modem ---- */

static void send_step(struct host *host, const uint8_t *command, int n, uint64_t now_us)
{
	host->phase = HOST_START;
	host->phase_us = now_us + HOST_ANSWER_US;
	host->found_n = 0;
	host->ops->to_modem(host->ctx, command, (size_t)n);
}

static void begin_start(struct host *host, uint64_t now_us)
{
	uint8_t command[STARTUP_COMMAND_MAX];
	bool was_up = host->phase == HOST_UP;
	int n = startup_begin(&host->startup, command, sizeof(command));

	stop_timers(host);
	send_step(host, command, n, now_us);
	if (was_up) {
		host->ops->down(host->ctx, "the modem was reset", now_us);
	}
}

static void take_start(struct host *host, const struct znp_frame *frame, uint64_t now_us)
{
	uint8_t command[STARTUP_COMMAND_MAX];
	bool up = false;
	int n = startup_take(&host->startup, frame, &up, command, sizeof(command));

	if (n > 0) {
		send_step(host, command, n, now_us);
	} else if (up) {
		stop_timers(host);
		host->phase = HOST_UP;
		/* its short address comes with its state */
		host->silent_us = now_us;
		host->ops->up(host->ctx, now_us);
	}
}

/* The answer to a data request: it was taken, or refused. */
static void take_data_answer(struct host *host, uint8_t status, uint64_t now_us)
{
	if (status == ZNP_BUFFER_FULL) {
		host->not_before_us = now_us + HOST_FULL_US;
	}
	if (status != ZNP_SUCCESS) {
		host->ops->sent(host->ctx, host->transaction, status, now_us);
	}
}

static void take_info(struct host *host, const struct znp_frame *frame, uint64_t now_us)
{
	uint8_t state = host->startup.type == STARTUP_COORDINATOR ? ZNP_STATE_COORDINATOR
								  : ZNP_STATE_ROUTER;
	struct znp_device_info info;

	if (znp_device_info_parse(frame, &info) < 0) {
		return;
	}
	host->address = info.address;
	if (info.state != state) {
		host_restart(host, "the modem has left its network", now_us);
	}
}

static void take_answer(struct host *host, const struct znp_frame *frame, uint64_t now_us)
{
	/* a chip reports an unknown request by ZNP_ERROR */
	if (frame->command != host->waits_for && frame->command != ZNP_ERROR) {
		return;
	}
	host->waits_for = 0;
	host->answer_us = HOST_NEVER;
	host->resets = 0;
	if (frame->command == ZNP_ANSWER(ZNP_AF_DATA_REQUEST) ||
	    frame->command == ZNP_ANSWER(ZNP_AF_DATA_REQUEST_EXT)) {
		take_data_answer(host, frame->n > 0 ? frame->data[0] : ZNP_FAILURE, now_us);
	} else if (frame->command == ZNP_ANSWER(ZNP_DEVICE_INFO)) {
		take_info(host, frame, now_us);
	}
}

static void take_beacons(struct host *host, const struct znp_frame *frame, uint64_t now_us)
{
	struct znp_beacon beacon;

	for (unsigned int i = 0; znp_beacon_parse(frame, i, &beacon) == 0; i++) {
		host->ops->beacon(host->ctx, &beacon, now_us);
	}
}

static void take_up(struct host *host, const struct znp_frame *frame, uint64_t now_us)
{
	struct znp_incoming incoming;
	struct znp_confirm confirm;

	if (znp_incoming_parse(frame, &incoming) == 0) {
		host->ops->incoming(host->ctx, &incoming, now_us);
	} else if (znp_confirm_parse(frame, &confirm) == 0) {
		host->ops->sent(host->ctx, confirm.transaction, confirm.status, now_us);
	} else if (ZNP_TYPE(frame->command) == ZNP_SRSP) {
		take_answer(host, frame, now_us);
	} else if (frame->command == ZNP_BEACONS) {
		take_beacons(host, frame, now_us);
	}
}

static void take_frame(struct host *host, const struct znp_frame *frame, uint64_t now_us)
{
	host->asked = false;
	if (frame->command == ZNP_RESET_IND) {
		begin_start(host, now_us);
	} else if (host->phase == HOST_START) {
		take_start(host, frame, now_us);
	} else if (host->phase == HOST_UP) {
		host->silent_us = now_us + host->silence_us;
		take_up(host, frame, now_us);
	}
}

static void keep_first(struct host *host, const uint8_t *bytes, size_t n)
{
	size_t room = sizeof(host->found) - host->found_n;
	size_t some = n < room ? n : room;

	memcpy(host->found + host->found_n, bytes, some);
	host->found_n += some;
}

void host_bytes(struct host *host, const uint8_t *bytes, size_t n, uint64_t now_us)
{
	if (host->phase != HOST_UP) {
		keep_first(host, bytes, n);
	}
	while (n > 0 && host->phase != HOST_CLOSED) {
		size_t room = sizeof(host->in) - host->in_n;
		size_t some = n < room ? n : room;
		size_t at = 0;
		int ret;

		memcpy(host->in + host->in_n, bytes, some);
		host->in_n += some;
		bytes += some;
		n -= some;
		do {
			struct znp_frame frame;
			size_t used;

			ret = znp_parse(host->in + at, host->in_n - at, &frame, &used);
			at += used;
			host->garbage += ret < 0;
			if (ret == 1) {
				take_frame(host, &frame, now_us);
			}
			/* a reset has emptied the buffer */
		} while (ret != 0 && at <= host->in_n);
		if (at <= host->in_n) {
			host->in_n -= at;
			memmove(host->in, host->in + at, host->in_n);
		}
	}
	if (host_is_ready(host, now_us)) {
		host->ops->ready(host->ctx, now_us);
	}
	set_due(host);
}

/* ---- time ---- */

/*
 * The modem has not said that it was reset, or not answered a step of its start. Say so once: it
 * is reset again and again.
 */
static void start_failed(struct host *host, uint64_t now_us)
{
	char text[80 + 3 * HOST_FOUND_BYTES];
	int n;

	if (host->resets == HOST_DEAF_RESETS) {
		n = snprintf(text, sizeof(text), "%s, found%s",
			     host->phase == HOST_RESET
				     ? "no ZNP modem: expected the frame FE 06 41 80 after a reset"
				     : "the modem does not start: expected an answer",
			     host->found_n ? "" : " nothing");
		for (size_t i = 0; i < host->found_n; i++) {
			n += snprintf(text + n, sizeof(text) - (size_t)n, " %02X", host->found[i]);
		}
		host->ops->down(host->ctx, text, now_us);
	}
	reset_modem(host, now_us);
}

void host_run(struct host *host, uint64_t now_us)
{
	if (now_us >= host->phase_us) {
		start_failed(host, now_us);
	}
	if (now_us >= host->answer_us || (now_us >= host->silent_us && host->asked)) {
		host_restart(host, "the modem does not answer", now_us);
	}
	if (now_us >= host->not_before_us) {
		host->not_before_us = HOST_NEVER;
	}
	if (now_us >= host->silent_us) {
		host->asked = true;
		host->silent_us = now_us + HOST_ANSWER_US;
		if (!host->waits_for) {
			send_command(host, ZNP_DEVICE_INFO, NULL, 0, now_us);
		}
	}
	if (host_is_ready(host, now_us)) {
		host->ops->ready(host->ctx, now_us);
	}
	set_due(host);
}

/* ---- requests ---- */

bool host_is_ready(const struct host *host, uint64_t now_us)
{
	return host->phase == HOST_UP && !host->waits_for &&
	       (host->not_before_us == HOST_NEVER || now_us >= host->not_before_us);
}

int host_send(struct host *host, const struct znp_data_request *request, uint64_t now_us)
{
	uint8_t frame[ZNP_FRAME_MAX];
	uint16_t command = request->extended ? ZNP_AF_DATA_REQUEST_EXT : ZNP_AF_DATA_REQUEST;
	int n;

	if (!host_is_ready(host, now_us)) {
		return -EBUSY;
	}
	n = znp_data_request_build(request, frame, sizeof(frame));
	if (n < 0) {
		return n;
	}
	host->waits_for = ZNP_ANSWER(command);
	host->answer_us = now_us + HOST_ANSWER_US;
	host->transaction = request->transaction;
	set_due(host);
	host->ops->to_modem(host->ctx, frame, (size_t)n);
	return 0;
}

int host_scan(struct host *host, uint64_t now_us)
{
	uint8_t data[5];

	if (!host_is_ready(host, now_us)) {
		return -EBUSY;
	}
	bytes_put_le(data, 4, UINT64_C(1) << host->startup.channel);
	data[4] = SCAN_DURATION;
	send_command(host, ZNP_SCAN, data, sizeof(data), now_us);
	set_due(host);
	return 0;
}
