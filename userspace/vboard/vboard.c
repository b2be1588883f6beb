// SPDX-License-Identifier: GPL-2.0-only
/*
 * vboard: everything of the virtual board that is outside its Linux.
 *
 * Runs a board and its world in lock step, paced to real time, and listens to scenario words.
 */
#include <argp.h>
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "../lib/clock.h"
#include "hardware.h"
#include "pace.h"
#include "report.h"
#include "status.h"

struct options {
	struct board_config board;
	const char *scenario;
	bool hold;
	bool have_seed;
	uint64_t seed;
	double speed;
	double until_s;
};

/**
 * struct vboard - a board, its world and its time
 * @held: the scenario waits for "go"; until then the world is dark
 * @next: a world whose set-up statements Linux carries out, NULL for none
 * @ended: the scenario's end was reached
 * @summary: of the run up to its end, or NULL
 * @adc: the latest samples
 * @start_ns: wall time when this world started
 */
struct vboard {
	struct options options;
	struct board board;
	struct qs1_world *world;
	struct qs1_world *next;
	struct pace pace;
	struct watch timer;
	struct watch signals;
	bool held;
	bool ended;
	bool quit;
	struct json_object *summary;
	int16_t adc[QS1_ADC_COUNT];
	int64_t start_ns;
};

/* --- the run ---------------------------------------------------------------- */

static double wall_s(const struct vboard *vb)
{
	return (double)(clock_ns(CLOCK_MONOTONIC) - vb->start_ns) / 1e9;
}

static void end(struct vboard *vb)
{
	vb->ended = true;
	vb->summary = qs1_world_summary(vb->world, vb->board.profile, wall_s(vb));
	board_event(&vb->board, board_event_new(&vb->board, "end"));
}

static void step(struct vboard *vb)
{
	char err[512] = "failed";
	int ret = qs1_world_step(vb->world, &vb->board.coproc.out, vb->adc, err, sizeof(err));

	if (ret < 0)
		board_statement_failed(&vb->board, err);
	if (!vb->ended && !vb->held &&
	    (ret > 0 || qs1_world_time(vb->world) >= vb->options.until_s))
		end(vb);
	if (ret > 0)
		return;
	board_period(&vb->board, vb->adc);
}

static void run_due(void *ctx)
{
	struct vboard *vb = ctx;
	unsigned int due;

	if (!board_ready(&vb->board))
		return;
	due = pace_due(&vb->pace, clock_ns(CLOCK_MONOTONIC));
	if (!due)
		return;
	board_begin(&vb->board);
	for (unsigned int i = 0; i < due; i++)
		step(vb);
	board_end(&vb->board);
	vb->pace.periods += due;
}

static void enter(struct vboard *vb, struct qs1_world *world)
{
	qs1_world_free(vb->world);
	vb->world = world;
	board_enter(&vb->board, world);
}

/* Time 0 of the scenario. */
static void begin_scenario(struct vboard *vb)
{
	vb->held = false;
	vb->start_ns = clock_ns(CLOCK_MONOTONIC);
	pace_set(&vb->pace, vb->pace.speed, vb->start_ns);
}

/* The held scenario begins when Linux has carried out its set-up statements. */
static void begin_next(struct vboard *vb)
{
	if (!vb->next || control_pending(vb->board.control))
		return;
	enter(vb, vb->next);
	vb->next = NULL;
	begin_scenario(vb);
}

static struct qs1_world *load_world(struct vboard *vb, const char *scenario, char *err, size_t size)
{
	struct qs1_world *world = qs1_world_new(&board_world_ops, &vb->board);

	if (!world) {
		snprintf(err, size, "%s", strerror(ENOMEM));
		return NULL;
	}
	if (scenario && qs1_world_load(world, scenario, err, size)) {
		qs1_world_free(world);
		return NULL;
	}
	if (vb->options.have_seed)
		qs1_world_seed(world, vb->options.seed);
	return world;
}

/* --- requests of the board ------------------------------------------------- */

static int on_statement(void *ctx, const char *line, char *err, size_t size)
{
	struct vboard *vb = ctx;

	return qs1_world_do(vb->world, line, err, size);
}

static void on_status(void *ctx, struct json_object *status)
{
	struct vboard *vb = ctx;
	const struct pace *pace = &vb->pace;
	double wall = (double)(clock_ns(CLOCK_MONOTONIC) - pace->origin_ns) / 1e9;

	json_object_object_add(status, "end_s",
			       isfinite(qs1_world_end(vb->world))
				       ? status_number(qs1_world_end(vb->world))
				       : NULL);
	json_object_object_add(status, "held", json_object_new_boolean(vb->held));
	json_object_object_add(status, "ended", json_object_new_boolean(vb->ended));
	json_object_object_add(status, "speed", status_number(pace->speed));
	json_object_object_add(
		status, "realtime_factor",
		status_number(wall > 0 ? (double)pace->periods / QS1_CONTROL_HZ / wall : 0));
	json_object_object_add(status, "slip_s", status_number((double)pace->slip_ns / 1e9));
	json_object_object_add(status, "lag_max_s", status_number((double)pace->lag_max_ns / 1e9));
}

static struct json_object *on_summary(void *ctx)
{
	struct vboard *vb = ctx;
	struct json_object *summary;

	summary = vb->summary ? json_object_get(vb->summary)
			      : qs1_world_summary(vb->world, vb->board.profile, wall_s(vb));
	json_object_object_add(summary, "slip_s", status_number((double)vb->pace.slip_ns / 1e9));
	return summary;
}

static int on_go(void *ctx, char *err, size_t size)
{
	struct vboard *vb = ctx;
	int ret;

	if (!vb->held || vb->next) {
		snprintf(err, size, "the scenario is running already");
		return -EALREADY;
	}
	vb->next = load_world(vb, vb->options.scenario, err, size);
	if (!vb->next)
		return -EINVAL;
	ret = qs1_world_start(vb->next, err, size);
	if (!ret)
		return 0;
	qs1_world_free(vb->next);
	vb->next = NULL;
	return ret;
}

static void on_quit(void *ctx)
{
	struct vboard *vb = ctx;

	vb->quit = true;
}

static int on_speed(void *ctx, double factor, char *err, size_t size)
{
	struct vboard *vb = ctx;

	(void)err;
	(void)size;
	pace_set(&vb->pace, factor, clock_ns(CLOCK_MONOTONIC));
	return 0;
}

static const struct board_ops board_ops = {
	.statement = on_statement,
	.summary = on_summary,
	.go = on_go,
	.quit = on_quit,
	.status = on_status,
	.due = run_due,
	.speed = on_speed,
};

/* --- time ------------------------------------------------------------------- */

static void timer_ready(void *ctx, uint32_t events)
{
	struct vboard *vb = ctx;
	uint64_t expired;

	(void)events;
	if (read(vb->timer.fd, &expired, sizeof(expired)) != sizeof(expired))
		return;
	board_tick(&vb->board);
	begin_next(vb);
	run_due(vb);
}

static void signal_ready(void *ctx, uint32_t events)
{
	(void)events;
	on_quit(ctx);
}

static int open_timer(struct vboard *vb)
{
	const struct itimerspec every = {
		.it_value = { .tv_nsec = BOARD_BATCH_MS * 1000000 },
		.it_interval = { .tv_nsec = BOARD_BATCH_MS * 1000000 },
	};

	vb->timer =
		(struct watch){ .fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK),
				.ready = timer_ready,
				.ctx = vb };
	if (vb->timer.fd < 0 || timerfd_settime(vb->timer.fd, 0, &every, NULL))
		return -errno;
	return loop_add(&vb->board.loop, &vb->timer, EPOLLIN);
}

/* SIGINT and SIGTERM end the loop, so that the sockets and the memory file go. */
static int open_signals(struct vboard *vb)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	vb->signals = (struct watch){ .fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK),
				      .ready = signal_ready,
				      .ctx = vb };
	if (vb->signals.fd < 0)
		return -errno;
	return loop_add(&vb->board.loop, &vb->signals, EPOLLIN);
}

/* --- start and end ---------------------------------------------------------- */

/* The scenario is read before anything is created; until "go" there is a grid and no sun. */
static int open_world(struct vboard *vb, char *err, size_t size)
{
	vb->world = load_world(vb, vb->options.scenario, err, size);
	if (!vb->world)
		return -EINVAL;
	if (!vb->options.hold)
		return 0;
	qs1_world_free(vb->world);
	vb->world = load_world(vb, NULL, err, size);
	return vb->world ? 0 : -ENOMEM;
}

static int start(struct vboard *vb, char *err, size_t size)
{
	int ret = board_open(&vb->board, &vb->options.board, &board_ops, vb, err, size);

	if (ret)
		return ret;
	board_enter(&vb->board, vb->world);
	ret = open_signals(vb);
	if (!ret)
		ret = open_timer(vb);
	if (ret) {
		snprintf(err, size, "event loop: %s", strerror(-ret));
		return ret;
	}
	if (!vb->options.hold)
		begin_scenario(vb);
	return qs1_world_start(vb->world, err, size);
}

static void stop(struct vboard *vb)
{
	board_close(&vb->board);
	qs1_world_free(vb->world);
	qs1_world_free(vb->next);
	json_object_put(vb->summary);
}

/* Until the next batch while flat out; otherwise the timer says when. */
static int idle_ms(const struct vboard *vb)
{
	int64_t left_ns;

	if (vb->pace.speed > 0 || !vb->board.coproc.connected)
		return -1;
	left_ns = vb->board.not_before_ns - clock_ns(CLOCK_MONOTONIC);
	return left_ns > 0 ? (int)((left_ns + 999999) / 1000000) : 0;
}

static void run(struct vboard *vb)
{
	while (!vb->quit) {
		if (!loop_poll(&vb->board.loop, idle_ms(vb)))
			run_due(vb);
	}
}

/* --- arguments -------------------------------------------------------------- */

enum { OPT_SCENARIO = 512, OPT_SEED, OPT_SPEED, OPT_HOLD, OPT_FOR };

static const struct argp_option arguments[] = {
	{ "scenario", OPT_SCENARIO, "FILE", 0, "scenario to run", 0 },
	{ "hold", OPT_HOLD, NULL, 0, "start the scenario at \"go\" on the control socket", 0 },
	{ "for", OPT_FOR, "SECONDS", 0, "end the scenario at this time at the latest", 0 },
	{ "seed", OPT_SEED, "N", 0, "instead of the scenario's seed", 0 },
	{ "speed", OPT_SPEED, "X", 0, "times real time; \"max\" as fast as possible", 0 },
	{ 0 },
};

static double parse_number(const char *text, const char *option, struct argp_state *state)
{
	char *rest;
	double value = strtod(text, &rest);

	if (rest == text || *rest || !isfinite(value) || value < 0)
		argp_error(state, "%s: expected a number, found \"%s\"", option, text);
	return value;
}

static error_t parse_argument(int key, char *value, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &options->board;
		return 0;
	case OPT_SCENARIO:
		options->scenario = value;
		return 0;
	case OPT_HOLD:
		options->hold = true;
		return 0;
	case OPT_FOR:
		options->until_s = parse_number(value, "--for", state);
		return 0;
	case OPT_SEED:
		options->seed = (uint64_t)parse_number(value, "--seed", state);
		options->have_seed = true;
		return 0;
	case OPT_SPEED:
		options->speed = strcmp(value, "max") ? parse_number(value, "--speed", state) : 0;
		return 0;
	case ARGP_KEY_END:
		board_config_check(&options->board, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = { { &board_argp, 0, NULL, 0 }, { 0 } };

static const struct argp argp = {
	.options = arguments,
	.parser = parse_argument,
	.children = children,
	.doc = "Everything of the qs1 virtual board that is outside its Linux.",
};

int main(int argc, char **argv)
{
	static struct vboard vb = { .options = { .speed = 1, .until_s = INFINITY } };
	char err[512] = "failed";
	int status = 0;

	argp_err_exit_status = 2;
	argp_parse(&argp, argc, argv, 0, NULL, &vb.options);

	vb.held = vb.options.hold;
	pace_set(&vb.pace, vb.options.speed, clock_ns(CLOCK_MONOTONIC));
	if (open_world(&vb, err, sizeof(err))) {
		report("%s", err);
		return 2;
	}
	if (start(&vb, err, sizeof(err))) {
		report("%s", err);
		status = 1;
	} else {
		run(&vb);
		status = vb.board.failed;
	}
	stop(&vb);
	return status;
}
