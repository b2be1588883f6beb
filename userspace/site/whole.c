// SPDX-License-Identifier: GPL-2.0-only
#include "whole.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "../lib/clock.h"
#include "status.h"

/* --- the unit's coprocessor and Linux; the context is the board --- */

static const struct qs1_outputs *on_period(void *ctx, const int16_t adc[QS1_ADC_COUNT])
{
	struct board *board = ctx;

	board_period(board, adc);
	return &board->coproc.out;
}

static void on_telemetry(void *ctx, struct qs1_telemetry *telemetry)
{
	struct board *board = ctx;

	/* Without a firmware, report the state of a freshly started one. */
	if (!status_telemetry(board->memory.shm, telemetry))
		*telemetry = (struct qs1_telemetry){ 0 };
}

static const struct feeder_host unit_host = {
	.ops = &board_world_ops,
	.period = on_period,
	.telemetry = on_telemetry,
};

/* --- requests of the board --- */

static int on_statement(void *ctx, const char *line, char *err, size_t size)
{
	struct whole *whole = ctx;

	if (whole->running)
		return feeder_do(whole->feeder, line, err, size);
	snprintf(err, size, "the site waits for the board's Linux");
	return -EAGAIN;
}

static struct json_object *on_summary(void *ctx)
{
	struct whole *whole = ctx;

	return qs1_world_summary(whole->board.world, whole->board.profile,
				 qs1_world_time(whole->board.world));
}

static int on_go(void *ctx, char *err, size_t size)
{
	struct whole *whole = ctx;
	int ret;

	if (whole->starting || whole->running) {
		snprintf(err, size, "the scenario is running already");
		return -EALREADY;
	}
	ret = feeder_start(whole->feeder, err, size);
	whole->starting = !ret;
	return ret;
}

static void on_quit(void *ctx)
{
	((struct whole *)ctx)->ops->quit();
}

static void on_status(void *ctx, struct json_object *status)
{
	struct whole *whole = ctx;
	double end = feeder_end(whole->feeder);
	bool ended = whole->running && feeder_time(whole->feeder) >= end;

	json_object_object_add(status, "end_s", isfinite(end) ? status_number(end) : NULL);
	json_object_object_add(status, "held", json_object_new_boolean(!whole->running));
	json_object_object_add(status, "ended", json_object_new_boolean(ended));
	json_object_object_add(status, "speed", status_number(1));
	json_object_object_add(status, "slip_s", status_number(whole->ops->slip_s()));
}

static void on_due(void *ctx)
{
	((struct whole *)ctx)->ops->due();
}

static int on_speed(void *ctx, double factor, char *err, size_t size)
{
	(void)ctx;
	(void)factor;
	snprintf(err, size, "a site with a whole board runs at speed 1 only");
	return -EINVAL;
}

static const struct board_ops board_ops = {
	.statement = on_statement,
	.summary = on_summary,
	.go = on_go,
	.quit = on_quit,
	.status = on_status,
	.due = on_due,
	.speed = on_speed,
};

/* --- time --- */

static void run_dark(struct whole *whole)
{
	unsigned int due;
	char err[256];

	if (!board_ready(&whole->board))
		return;
	due = pace_due(&whole->pace, clock_ns(CLOCK_MONOTONIC));
	if (!due)
		return;
	board_begin(&whole->board);
	for (unsigned int n = 0; n < due; n++) {
		qs1_world_step(whole->dark, &whole->board.coproc.out, whole->adc, err, sizeof(err));
		board_period(&whole->board, whole->adc);
	}
	board_end(&whole->board);
	whole->pace.periods += due;
}

bool whole_serve(struct whole *whole)
{
	int64_t now_ns = clock_ns(CLOCK_MONOTONIC);

	if (now_ns >= whole->tick_ns) {
		whole->tick_ns = now_ns + BOARD_BATCH_MS * 1000000;
		board_tick(&whole->board);
	}
	if (whole->starting && !control_pending(whole->board.control)) {
		whole->starting = false;
		whole->running = true;
		board_enter(&whole->board, feeder_world(whole->feeder, whole->unit));
	}
	if (!whole->running) {
		run_dark(whole);
		return false;
	}
	if (!board_ready(&whole->board))
		return false;
	board_begin(&whole->board);
	return true;
}

void whole_end(struct whole *whole)
{
	board_end(&whole->board);
}

int whole_fd(const struct whole *whole)
{
	return whole->board.loop.epoll_fd;
}

void whole_poll(struct whole *whole)
{
	while (loop_poll(&whole->board.loop, 0) > 0)
		;
}

int whole_join(struct whole *whole, struct feeder *feeder, int unit,
	       const struct board_config *config, const struct whole_ops *ops, char *err,
	       size_t size)
{
	int ret;

	*whole = (struct whole){ .ops = ops, .feeder = feeder, .unit = unit };
	feeder_host(feeder, unit, &unit_host, &whole->board);
	whole->dark = qs1_world_new(&board_world_ops, &whole->board);
	if (!whole->dark) {
		snprintf(err, size, "out of memory");
		return -ENOMEM;
	}
	ret = board_open(&whole->board, config, &board_ops, whole, err, size);
	if (ret)
		return ret;
	board_enter(&whole->board, whole->dark);
	pace_set(&whole->pace, 1, clock_ns(CLOCK_MONOTONIC));
	return qs1_world_start(whole->dark, err, size);
}

void whole_close(struct whole *whole)
{
	board_close(&whole->board);
	qs1_world_free(whole->dark);
}
