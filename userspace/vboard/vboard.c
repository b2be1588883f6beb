// SPDX-License-Identifier: GPL-2.0-only
/*
 * vboard: everything of the virtual board that is outside its Linux.
 *
 * Owns the shared memory, serves it to the guest, runs the coprocessor and the
 * world in lock step, paced to real time, and listens to scenario words.
 */
#include <argp.h>
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "../lib/clock.h"
#include "control.h"
#include "coproc.h"
#include "ivshmem.h"
#include "loop.h"
#include "memory.h"
#include "pace.h"
#include "priority.h"
#include "record.h"
#include "report.h"
#include "shm.h"
#include "status.h"
#include "world.h"

/* Between two wake-ups while paced. */
#define BATCH_MS 5

/* A batch longer than this is followed by a pause of half its length, within reason. */
#define BREATH_FROM_NS 2500000
#define BREATH_MAX_NS 20000000

/* How long the coprocessor's emulator may take to appear. */
#define CONNECT_TIMEOUT_S 30

struct options {
	const char *shm;
	const char *ivshmem;
	const char *control;
	const char *guest_port;
	const char *qmp;
	const char *uart;
	const char *scenario;
	bool native;
	bool hold;
	bool have_seed;
	uint64_t seed;
	double speed;
	double until_s;
};

/**
 * struct board - the virtual board
 * @held: the scenario waits for "go"; until then the world is dark
 * @next: a world whose set-up statements Linux carries out, NULL for none
 * @ended: the scenario's end was reached
 * @summary: of the run up to its end, or NULL
 * @adc: the latest samples
 * @periods: control periods of this world
 * @doorbell: the firmware's doorbells seen
 * @boots: the firmware's starts, as of its last event
 * @event_head: the firmware's events seen
 * @not_before_ns: wall time of the next batch at the earliest
 * @start_ns: wall time when this world started
 */
struct board {
	struct options options;
	struct loop loop;
	struct memory memory;
	struct ivshmem ivshmem;
	struct coproc coproc;
	struct control *control;
	struct qs1_world *world;
	struct qs1_world *next;
	struct record *record;
	struct pace pace;
	struct watch timer;
	struct watch signals;
	struct watch emulator;
	bool held;
	bool ended;
	bool quit;
	int exit_status;
	struct json_object *summary;
	int16_t adc[QS1_ADC_COUNT];
	uint64_t periods;
	uint32_t doorbell;
	uint32_t boots;
	uint32_t event_head;
	int64_t not_before_ns;
	int64_t start_ns;
	int64_t launch_ns;
	char profile[64];
};

/* --- what the world asks of Linux and of the board ------------------------- */

static int ask(struct board *board, char *err, size_t size, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static int ask(struct board *board, char *err, size_t size, const char *format, ...)
{
	char words[256];
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(words, sizeof(words), format, args);
	va_end(args);
	if (length >= (int)sizeof(words)) {
		snprintf(err, size, "longer than %zu characters", sizeof(words) - 1);
		return -EMSGSIZE;
	}
	return control_policy(board->control, words, err, size);
}

static int op_profile(void *ctx, const char *name, char *err, size_t size)
{
	struct board *board = ctx;

	snprintf(board->profile, sizeof(board->profile), "%s", name);
	return ask(board, err, size, "profile %s", name);
}

static int op_set(void *ctx, const char *name, const char *value, char *err, size_t size)
{
	return ask(ctx, err, size, "set %s %s", name, value);
}

static int op_command(void *ctx, const char *words, char *err, size_t size)
{
	return ask(ctx, err, size, "cmd %s", words);
}

static int op_host(void *ctx, bool alive, char *err, size_t size)
{
	return ask(ctx, err, size, "host %s", alive ? "back" : "lost");
}

static int op_skip_enter_service(void *ctx, char *err, size_t size)
{
	return ask(ctx, err, size, "skip enter-service");
}

static int op_coproc(void *ctx, const char *word, char *err, size_t size)
{
	struct board *board = ctx;

	return coproc_fault(&board->coproc, word, err, size);
}

static int op_speed(void *ctx, double factor, char *err, size_t size)
{
	struct board *board = ctx;

	(void)err;
	(void)size;
	pace_set(&board->pace, factor, clock_ns(CLOCK_MONOTONIC));
	return 0;
}

static const struct qs1_world_ops world_ops = {
	.profile = op_profile,
	.set = op_set,
	.command = op_command,
	.host = op_host,
	.coproc = op_coproc,
	.skip_enter_service = op_skip_enter_service,
	.speed = op_speed,
};

/* --- events to the runner --------------------------------------------------- */

static struct json_object *event_new(const struct board *board, const char *name)
{
	struct json_object *event = json_object_new_object();

	json_object_object_add(event, "event", json_object_new_string(name));
	json_object_object_add(event, "t_s", status_number(qs1_world_time(board->world)));
	return event;
}

static void statement_failed(struct board *board, const char *message)
{
	struct json_object *event = event_new(board, "error");

	report("at %.3f s: %s", qs1_world_time(board->world), message);
	json_object_object_add(event, "message", json_object_new_string(message));
	control_event(board->control, event);
}

static void control_failed(void *ctx, const char *words, const char *reason)
{
	char message[512];

	snprintf(message, sizeof(message), "%s: %s", words, reason);
	statement_failed(ctx, message);
}

static void coproc_changed(void *ctx)
{
	struct board *board = ctx;
	struct json_object *event = event_new(board, "coproc");

	json_object_object_add(event, "state",
			       json_object_new_string(coproc_state_name(&board->coproc)));
	control_event(board->control, event);
	ivshmem_ring(&board->ivshmem, QS1_VHW_IRQ_COPROC);
}

/* --- the firmware's doorbell ------------------------------------------------ */

/* Events go to the world with the time of the world, not of the firmware. */
static void take_events(struct board *board)
{
	struct qs1_event_ring *ring = &board->memory.shm->events;
	uint32_t boots = qs1_shm_read(board->memory.shm->fw.boots);
	uint32_t head = qs1_shm_read(ring->head);
	int64_t base = (int64_t)board->periods - (int64_t)qs1_shm_read(board->memory.shm->fw.alive);
	struct qs1_event event;
	uint32_t seq;

	if (qs1_shm_read(board->memory.shm->fw.magic) != QS1_MAGIC)
		return;
	/* A firmware that starts again counts from the beginning. */
	if (boots != board->boots)
		board->event_head = 0;
	board->boots = boots;
	if (head - board->event_head > QS1_EVENTS)
		board->event_head = head - QS1_EVENTS;
	while (board->event_head != head) {
		seq = ++board->event_head;
		event = ring->event[seq % QS1_EVENTS];
		if (event.seq != seq)
			continue;
		event.ticks += (uint64_t)base;
		qs1_world_event(board->world, &event);
	}
}

/* Return: true if the coprocessor's control registers want attention. */
static bool look(void *ctx)
{
	struct board *board = ctx;
	const struct qs1_vhw *vhw = board->memory.vhw;
	uint32_t doorbell = qs1_shm_read(board->memory.shm->fw.doorbell);

	if (doorbell != board->doorbell) {
		board->doorbell = doorbell;
		take_events(board);
		ivshmem_ring(&board->ivshmem, QS1_VHW_IRQ_FW);
	}
	return qs1_shm_read(vhw->coproc_request) != vhw->coproc_ack;
}

static void run_due(struct board *board);

static void guest_rang(void *ctx, unsigned int vector)
{
	struct board *board = ctx;

	if (vector == QS1_VHW_DB_CONTROL)
		coproc_control(&board->coproc);
	else
		coproc_mailbox(&board->coproc);
	/* And what is due, so that the host does not wait for the next wake-up to be answered. */
	run_due(board);
	look(board);
}

/* --- the run ---------------------------------------------------------------- */

static double wall_s(const struct board *board)
{
	return (double)(clock_ns(CLOCK_MONOTONIC) - board->start_ns) / 1e9;
}

static void end(struct board *board)
{
	board->ended = true;
	board->summary = qs1_world_summary(board->world, board->profile, wall_s(board));
	control_event(board->control, event_new(board, "end"));
}

static void step(struct board *board)
{
	char err[512] = "failed";
	int ret = qs1_world_step(board->world, &board->coproc.out, board->adc, err, sizeof(err));

	if (ret < 0)
		statement_failed(board, err);
	if (!board->ended && !board->held &&
	    (ret > 0 || qs1_world_time(board->world) >= board->options.until_s))
		end(board);
	if (ret > 0)
		return;
	board->periods++;
	record_add(board->record, board->world);
	coproc_step(&board->coproc, board->adc);
}

static void run_due(struct board *board)
{
	int64_t begun_ns = clock_ns(CLOCK_MONOTONIC), took_ns;
	unsigned int due;

	coproc_control(&board->coproc);
	if (begun_ns < board->not_before_ns)
		return;
	due = pace_due(&board->pace, begun_ns);
	if (!due)
		return;
	coproc_wake(&board->coproc);
	for (unsigned int i = 0; i < due; i++)
		step(board);
	coproc_rest(&board->coproc);
	board->pace.periods += due;

	/* A third of both processors at least is for the guest, whatever the pace. */
	took_ns = clock_ns(CLOCK_MONOTONIC) - begun_ns;
	if (took_ns > BREATH_FROM_NS)
		board->not_before_ns = clock_ns(CLOCK_MONOTONIC) +
				       (took_ns < BREATH_MAX_NS ? took_ns : BREATH_MAX_NS) / 2;
}

/* Time 0 of the scenario. */
static void begin_scenario(struct board *board)
{
	board->held = false;
	board->periods = 0;
	board->start_ns = clock_ns(CLOCK_MONOTONIC);
	pace_set(&board->pace, board->pace.speed, board->start_ns);
}

/* The held scenario begins when Linux has carried out its set-up statements. */
static void begin_next(struct board *board)
{
	if (!board->next || control_pending(board->control))
		return;
	qs1_world_free(board->world);
	board->world = board->next;
	board->next = NULL;
	begin_scenario(board);
}

static struct qs1_world *load_world(struct board *board, const char *scenario, char *err,
				    size_t size)
{
	struct qs1_world *world = qs1_world_new(&world_ops, board);

	if (!world) {
		snprintf(err, size, "%s", strerror(ENOMEM));
		return NULL;
	}
	if (scenario && qs1_world_load(world, scenario, err, size)) {
		qs1_world_free(world);
		return NULL;
	}
	if (board->options.have_seed)
		qs1_world_seed(world, board->options.seed);
	return world;
}

/* --- control ---------------------------------------------------------------- */

static int control_statement(void *ctx, const char *line, char *err, size_t size)
{
	struct board *board = ctx;

	return qs1_world_do(board->world, line, err, size);
}

static struct json_object *control_status(void *ctx)
{
	struct board *board = ctx;
	const struct pace *pace = &board->pace;
	struct json_object *status = json_object_new_object();
	struct json_object *coproc = json_object_new_object();
	double wall = (double)(clock_ns(CLOCK_MONOTONIC) - pace->origin_ns) / 1e9;

	json_object_object_add(status, "t_s", status_number(qs1_world_time(board->world)));
	json_object_object_add(status, "end_s",
			       isfinite(qs1_world_end(board->world))
				       ? status_number(qs1_world_end(board->world))
				       : NULL);
	json_object_object_add(status, "held", json_object_new_boolean(board->held));
	json_object_object_add(status, "ended", json_object_new_boolean(board->ended));
	json_object_object_add(
		status, "wall_s",
		status_number((double)(clock_ns(CLOCK_MONOTONIC) - board->launch_ns) / 1e9));
	json_object_object_add(status, "speed", status_number(pace->speed));
	json_object_object_add(
		status, "realtime_factor",
		status_number(wall > 0 ? (double)pace->periods / QS1_CONTROL_HZ / wall : 0));
	json_object_object_add(status, "slip_s", status_number((double)pace->slip_ns / 1e9));
	json_object_object_add(status, "lag_max_s", status_number((double)pace->lag_max_ns / 1e9));
	json_object_object_add(status, "realtime_priority",
			       json_object_new_boolean(board->coproc.realtime));
	json_object_object_add(coproc, "kind",
			       json_object_new_string(board->options.native ? "native" : "m4"));
	json_object_object_add(coproc, "state",
			       json_object_new_string(coproc_state_name(&board->coproc)));
	json_object_object_add(coproc, "connected",
			       json_object_new_boolean(board->coproc.connected));
	json_object_object_add(coproc, "starts", json_object_new_int64(board->coproc.starts));
	json_object_object_add(coproc, "watchdogs", json_object_new_int64(board->coproc.watchdogs));
	json_object_object_add(status, "coproc", coproc);
	json_object_object_add(status, "guest",
			       json_object_new_boolean(ivshmem_connected(&board->ivshmem)));
	json_object_object_add(status, "profile", json_object_new_string(board->profile));
	json_object_object_add(status, "policy_pending",
			       json_object_new_int64(control_pending(board->control)));
	json_object_object_add(status, "leds", status_leds(board->memory.shm));
	json_object_object_add(status, "firmware", status_firmware(board->memory.shm));
	json_object_object_add(status, "truth", status_truth(qs1_world_truth(board->world)));
	return status;
}

static struct json_object *control_summary(void *ctx)
{
	struct board *board = ctx;
	struct json_object *summary;

	summary = board->summary ? json_object_get(board->summary)
				 : qs1_world_summary(board->world, board->profile, wall_s(board));
	json_object_object_add(summary, "slip_s", status_number((double)board->pace.slip_ns / 1e9));
	return summary;
}

static struct json_object *control_truth(void *ctx, uint64_t ticks, char *err, size_t size)
{
	struct board *board = ctx;
	uint32_t now = qs1_shm_read(board->memory.shm->fw.alive);

	return record_bounds(board->record, now - ticks, err, size);
}

static int control_go(void *ctx, char *err, size_t size)
{
	struct board *board = ctx;
	int ret;

	if (!board->held || board->next) {
		snprintf(err, size, "the scenario is running already");
		return -EALREADY;
	}
	board->next = load_world(board, board->options.scenario, err, size);
	if (!board->next)
		return -EINVAL;
	ret = qs1_world_start(board->next, err, size);
	if (!ret)
		return 0;
	qs1_world_free(board->next);
	board->next = NULL;
	return ret;
}

static void control_quit(void *ctx)
{
	struct board *board = ctx;

	board->quit = true;
}

static const struct control_ops control_ops = {
	.statement = control_statement,
	.status = control_status,
	.summary = control_summary,
	.truth = control_truth,
	.go = control_go,
	.failed = control_failed,
	.quit = control_quit,
};

/* --- the coprocessor's emulator --------------------------------------------- */

static void give_up(struct board *board, const char *reason)
{
	report("%s", reason);
	board->exit_status = 1;
	board->quit = true;
}

static void emulator_ready(void *ctx, uint32_t events)
{
	struct board *board = ctx;

	(void)events;
	if (!qmp_drain(&board->coproc.m4.qmp))
		return;
	loop_remove(&board->loop, &board->emulator);
	give_up(board, "the coprocessor's emulator has gone");
}

static void connect_emulator(struct board *board)
{
	char err[512] = "", text[640];
	int ret;

	ret = m4_connect(&board->coproc.m4, board->memory.vhw, board->options.qmp,
			 board->options.uart, err, sizeof(err));
	if (ret == -EAGAIN &&
	    clock_ns(CLOCK_MONOTONIC) - board->launch_ns < CONNECT_TIMEOUT_S * 1000000000ll)
		return;
	if (!ret) {
		board->emulator = (struct watch){ .fd = board->coproc.m4.qmp.fd,
						  .ready = emulator_ready,
						  .ctx = board };
		ret = loop_add(&board->loop, &board->emulator, EPOLLIN);
	}
	if (ret) {
		snprintf(text, sizeof(text), "%s (waited %.0f s)", err,
			 (double)(clock_ns(CLOCK_MONOTONIC) - board->launch_ns) / 1e9);
		give_up(board, text);
		return;
	}
	board->coproc.connected = true;
	control_event(board->control, event_new(board, "ready"));
}

/* --- time ------------------------------------------------------------------- */

static void timer_ready(void *ctx, uint32_t events)
{
	static unsigned int ticks;
	struct board *board = ctx;
	uint64_t expired;

	(void)events;
	if (read(board->timer.fd, &expired, sizeof(expired)) != sizeof(expired))
		return;
	if (!board->coproc.connected && ticks % 20 == 0)
		connect_emulator(board);
	if (ticks++ % 200 == 0)
		control_tick(board->control);
	begin_next(board);
	run_due(board);
}

static void signal_ready(void *ctx, uint32_t events)
{
	struct board *board = ctx;

	(void)events;
	board->quit = true;
}

static int open_timer(struct board *board)
{
	const struct itimerspec every = {
		.it_value = { .tv_nsec = BATCH_MS * 1000000 },
		.it_interval = { .tv_nsec = BATCH_MS * 1000000 },
	};

	board->timer =
		(struct watch){ .fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK),
				.ready = timer_ready,
				.ctx = board };
	if (board->timer.fd < 0 || timerfd_settime(board->timer.fd, 0, &every, NULL))
		return -errno;
	return loop_add(&board->loop, &board->timer, EPOLLIN);
}

/* SIGINT and SIGTERM end the loop, so that the sockets and the memory file go. */
static int open_signals(struct board *board)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	board->signals = (struct watch){ .fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK),
					 .ready = signal_ready,
					 .ctx = board };
	if (board->signals.fd < 0)
		return -errno;
	return loop_add(&board->loop, &board->signals, EPOLLIN);
}

/* --- start and end ---------------------------------------------------------- */

static int open_world(struct board *board, char *err, size_t size)
{
	struct qs1_world *world = load_world(board, board->options.scenario, err, size);

	if (!world)
		return -EINVAL;
	board->record = record_new();
	if (!board->record) {
		qs1_world_free(world);
		return -ENOMEM;
	}
	board->world = world;
	if (!board->options.hold)
		return 0;

	/* Checked; until "go" there is an ordinary grid and no sun. */
	qs1_world_free(world);
	board->world = load_world(board, NULL, err, size);
	return board->world ? 0 : -ENOMEM;
}

static int open_coproc(struct board *board, char *err, size_t size)
{
	board->coproc = (struct coproc){
		.memory = &board->memory,
		.m4 = { .uart_fd = -1, .qmp = { .fd = -1 } },
		.look = look,
		.changed = coproc_changed,
		.ctx = board,
	};
	if (!board->options.native)
		return 0;
	board->coproc.connected = true;
	board->coproc.native = qs1_native_new(board->memory.vhw);
	if (board->coproc.native)
		return 0;
	snprintf(err, size, "%s", strerror(ENOMEM));
	return -ENOMEM;
}

static int open_board(struct board *board, char *err, size_t size)
{
	const struct options *options = &board->options;
	int ret = loop_init(&board->loop);

	if (!ret)
		ret = open_signals(board);
	if (!ret)
		ret = open_timer(board);
	if (ret) {
		snprintf(err, size, "event loop: %s", strerror(-ret));
		return ret;
	}
	ret = memory_create(&board->memory, options->shm, err, size);
	if (ret)
		return ret;
	ret = ivshmem_open(&board->ivshmem, &board->loop, options->ivshmem, board->memory.fd,
			   guest_rang, board, err, size);
	if (ret)
		return ret;
	board->memory.vhw->vboard_peer = IVSHMEM_SELF;
	board->control = control_new(&board->loop, options->control, options->guest_port,
				     &control_ops, board, err, size);
	if (!board->control)
		return -EIO;
	ret = open_coproc(board, err, size);
	if (ret)
		return ret;
	if (!options->hold)
		begin_scenario(board);
	return qs1_world_start(board->world, err, size);
}

static void close_board(struct board *board)
{
	control_free(board->control);
	if (board->ivshmem.path)
		ivshmem_close(&board->ivshmem);
	qs1_native_free(board->coproc.native);
	m4_close(&board->coproc.m4);
	memory_remove(&board->memory);
	qs1_world_free(board->world);
	qs1_world_free(board->next);
	record_free(board->record);
	json_object_put(board->summary);
}

/* Until the next batch while flat out; otherwise the timer says when. */
static int idle_ms(const struct board *board)
{
	int64_t left_ns;

	if (board->pace.speed > 0 || !board->coproc.connected)
		return -1;
	left_ns = board->not_before_ns - clock_ns(CLOCK_MONOTONIC);
	return left_ns > 0 ? (int)((left_ns + 999999) / 1000000) : 0;
}

static void run(struct board *board)
{
	board->coproc.realtime = !priority_set(getpid(), PRIORITY_BOARD);
	if (!board->coproc.realtime)
		report("no permission for real-time priority: time may slip on a busy machine");
	while (!board->quit) {
		if (!loop_poll(&board->loop, idle_ms(board)))
			run_due(board);
	}
}

/* --- arguments -------------------------------------------------------------- */

enum { OPT_SHM = 256, OPT_IVSHMEM, OPT_CONTROL, OPT_PORT, OPT_COPROC, OPT_QMP, OPT_UART };
enum { OPT_SCENARIO = 512, OPT_SEED, OPT_SPEED, OPT_HOLD, OPT_FOR };

static const struct argp_option arguments[] = {
	{ "shm", OPT_SHM, "FILE", 0, "shared memory, created", 0 },
	{ "ivshmem", OPT_IVSHMEM, "SOCKET", 0, "serve the guest's ivshmem-doorbell here", 0 },
	{ "control", OPT_CONTROL, "SOCKET", 0, "listen to scenario words here", 0 },
	{ "world-port", OPT_PORT, "SOCKET", 0,
	  "QEMU's chardev of the guest's virtio-serial port, connected to", 0 },
	{ "coproc", OPT_COPROC, "m4|native", 0,
	  "emulated Cortex-M4 (default), or the core within this process", 0 },
	{ "m4-qmp", OPT_QMP, "SOCKET", 0, "control of the coprocessor's emulator", 0 },
	{ "m4-uart", OPT_UART, "SOCKET", 0, "serial line of the coprocessor's emulator", 0 },
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

static error_t check_arguments(const struct options *options, struct argp_state *state)
{
	if (!options->shm || !options->ivshmem || !options->control)
		argp_error(state, "--shm, --ivshmem and --control are needed");
	if (!options->native && (!options->qmp || !options->uart))
		argp_error(state, "--coproc m4 needs --m4-qmp and --m4-uart");
	return 0;
}

static error_t parse_argument(int key, char *value, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case OPT_SHM:
		options->shm = value;
		return 0;
	case OPT_IVSHMEM:
		options->ivshmem = value;
		return 0;
	case OPT_CONTROL:
		options->control = value;
		return 0;
	case OPT_PORT:
		options->guest_port = value;
		return 0;
	case OPT_QMP:
		options->qmp = value;
		return 0;
	case OPT_UART:
		options->uart = value;
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
	case OPT_COPROC:
		options->native = !strcmp(value, "native");
		if (!options->native && strcmp(value, "m4"))
			argp_error(state, "--coproc: expected m4 or native, found \"%s\"", value);
		return 0;
	case ARGP_KEY_END:
		return check_arguments(options, state);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = arguments,
	.parser = parse_argument,
	.doc = "Everything of the qs1 virtual board that is outside its Linux.",
};

int main(int argc, char **argv)
{
	static struct board board = {
		.options = { .speed = 1, .until_s = INFINITY },
		.memory = { .fd = -1 },
		.coproc = { .m4 = { .uart_fd = -1, .qmp = { .fd = -1 } } },
		.profile = "note1",
	};
	char err[512] = "failed";

	argp_err_exit_status = 2;
	argp_parse(&argp, argc, argv, 0, NULL, &board.options);

	board.launch_ns = clock_ns(CLOCK_MONOTONIC);
	board.held = board.options.hold;
	pace_set(&board.pace, board.options.speed, board.launch_ns);

	/* The scenario first: nothing is created for one that cannot run. */
	if (open_world(&board, err, sizeof(err))) {
		report("%s", err);
		return 2;
	}
	if (open_board(&board, err, sizeof(err))) {
		report("%s", err);
		board.exit_status = 1;
	} else {
		run(&board);
	}
	close_board(&board);
	return board.exit_status;
}
