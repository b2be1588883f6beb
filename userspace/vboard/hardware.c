// SPDX-License-Identifier: GPL-2.0-only
#include "hardware.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "../lib/clock.h"
#include "priority.h"
#include "report.h"
#include "shm.h"
#include "status.h"

/* A batch longer than this is followed by a pause of half its length, within reason. */
#define BREATH_FROM_NS 2500000
#define BREATH_MAX_NS 20000000

/* How long the coprocessor's emulator may take to appear. */
#define CONNECT_TIMEOUT_S 30
/* Ticks between two attempts at the emulator, and between two looks at the control's clients. */
#define CONNECT_TICKS (100 / BOARD_BATCH_MS)
#define CONTROL_TICKS (1000 / BOARD_BATCH_MS)

/* --- requests of the world to Linux and the board --------------------------- */

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

	return board->ops->speed(board->ctx, factor, err, size);
}

const struct qs1_world_ops board_world_ops = {
	.profile = op_profile,
	.set = op_set,
	.command = op_command,
	.host = op_host,
	.coproc = op_coproc,
	.skip_enter_service = op_skip_enter_service,
	.speed = op_speed,
};

/* --- events to the runner --------------------------------------------------- */

struct json_object *board_event_new(const struct board *board, const char *name)
{
	struct json_object *event = json_object_new_object();

	json_object_object_add(event, "event", json_object_new_string(name));
	json_object_object_add(event, "t_s", status_number(qs1_world_time(board->world)));
	return event;
}

void board_event(struct board *board, struct json_object *event)
{
	control_event(board->control, event);
}

void board_statement_failed(struct board *board, const char *message)
{
	struct json_object *event = board_event_new(board, "error");

	report("at %.3f s: %s", qs1_world_time(board->world), message);
	json_object_object_add(event, "message", json_object_new_string(message));
	board_event(board, event);
}

static void control_failed(void *ctx, const char *words, const char *reason)
{
	char message[512];

	snprintf(message, sizeof(message), "%s: %s", words, reason);
	board_statement_failed(ctx, message);
}

static void coproc_changed(void *ctx)
{
	struct board *board = ctx;
	struct json_object *event = board_event_new(board, "coproc");

	json_object_object_add(event, "state",
			       json_object_new_string(coproc_state_name(&board->coproc)));
	board_event(board, event);
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

static void guest_rang(void *ctx, unsigned int vector)
{
	struct board *board = ctx;

	if (vector == QS1_VHW_DB_CONTROL)
		coproc_control(&board->coproc);
	else
		coproc_mailbox(&board->coproc);
	/* Also do what is due, so that the host need not wait for the next wake-up. */
	board->ops->due(board->ctx);
	look(board);
}

/* --- the run ---------------------------------------------------------------- */

void board_enter(struct board *board, struct qs1_world *world)
{
	board->world = world;
	board->periods = 0;
}

bool board_ready(struct board *board)
{
	coproc_control(&board->coproc);
	return clock_ns(CLOCK_MONOTONIC) >= board->not_before_ns;
}

void board_begin(struct board *board)
{
	board->batch_ns = clock_ns(CLOCK_MONOTONIC);
	coproc_wake(&board->coproc);
}

void board_period(struct board *board, const int16_t adc[QS1_ADC_COUNT])
{
	board->periods++;
	record_add(board->record, board->world);
	coproc_step(&board->coproc, adc);
}

void board_end(struct board *board)
{
	int64_t took_ns;

	coproc_rest(&board->coproc);
	/* Leave the guest at least a third of both processors at any speed. */
	took_ns = clock_ns(CLOCK_MONOTONIC) - board->batch_ns;
	if (took_ns > BREATH_FROM_NS)
		board->not_before_ns = clock_ns(CLOCK_MONOTONIC) +
				       (took_ns < BREATH_MAX_NS ? took_ns : BREATH_MAX_NS) / 2;
}

/* --- control ---------------------------------------------------------------- */

static int control_statement(void *ctx, const char *line, char *err, size_t size)
{
	struct board *board = ctx;

	return board->ops->statement(board->ctx, line, err, size);
}

static struct json_object *control_status(void *ctx)
{
	struct board *board = ctx;
	struct json_object *status = json_object_new_object();
	struct json_object *coproc = json_object_new_object();

	json_object_object_add(status, "t_s", status_number(qs1_world_time(board->world)));
	json_object_object_add(
		status, "wall_s",
		status_number((double)(clock_ns(CLOCK_MONOTONIC) - board->launch_ns) / 1e9));
	board->ops->status(board->ctx, status);
	json_object_object_add(status, "realtime_priority",
			       json_object_new_boolean(board->coproc.realtime));
	json_object_object_add(coproc, "kind",
			       json_object_new_string(board->config->native ? "native" : "m4"));
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

	return board->ops->summary(board->ctx);
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

	return board->ops->go(board->ctx, err, size);
}

static void control_quit(void *ctx)
{
	struct board *board = ctx;

	board->ops->quit(board->ctx);
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
	board->failed = true;
	board->ops->quit(board->ctx);
}

static void emulator_ready(void *ctx, uint32_t events)
{
	struct board *board = ctx;

	(void)events;
	if (!qmp_drain(&board->coproc.m4.qmp))
		return;
	loop_remove(&board->loop, &board->emulator);
	give_up(board, "the emulator of the coprocessor has ended");
}

static void connect_emulator(struct board *board)
{
	char err[512] = "", text[640];
	int ret;

	ret = m4_connect(&board->coproc.m4, board->memory.vhw, board->config->qmp,
			 board->config->uart, err, sizeof(err));
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
	board_event(board, board_event_new(board, "ready"));
}

void board_tick(struct board *board)
{
	if (!board->coproc.connected && board->ticks % CONNECT_TICKS == 0)
		connect_emulator(board);
	if (board->ticks++ % CONTROL_TICKS == 0)
		control_tick(board->control);
}

/* --- start and end ---------------------------------------------------------- */

static int open_coproc(struct board *board, char *err, size_t size)
{
	board->coproc = (struct coproc){
		.memory = &board->memory,
		.m4 = { .uart_fd = -1, .qmp = { .fd = -1 } },
		.look = look,
		.changed = coproc_changed,
		.ctx = board,
	};
	board->coproc.realtime = !priority_set(getpid(), PRIORITY_BOARD);
	if (!board->coproc.realtime)
		report("no permission for real-time priority: time may slip on a busy machine");
	if (!board->config->native)
		return 0;
	board->coproc.connected = true;
	board->coproc.native = qs1_native_new(board->memory.vhw);
	if (board->coproc.native)
		return 0;
	snprintf(err, size, "%s", strerror(ENOMEM));
	return -ENOMEM;
}

int board_open(struct board *board, const struct board_config *config, const struct board_ops *ops,
	       void *ctx, char *err, size_t size)
{
	int ret;

	*board = (struct board){
		.config = config,
		.ops = ops,
		.ctx = ctx,
		.memory = { .fd = -1 },
		.coproc = { .m4 = { .uart_fd = -1, .qmp = { .fd = -1 } } },
		.profile = "note1",
		.launch_ns = clock_ns(CLOCK_MONOTONIC),
	};
	ret = loop_init(&board->loop);
	if (ret) {
		snprintf(err, size, "event loop: %s", strerror(-ret));
		return ret;
	}
	board->record = record_new();
	if (!board->record) {
		snprintf(err, size, "%s", strerror(ENOMEM));
		return -ENOMEM;
	}
	ret = memory_create(&board->memory, config->shm, err, size);
	if (ret)
		return ret;
	ret = ivshmem_open(&board->ivshmem, &board->loop, config->ivshmem, board->memory.fd,
			   guest_rang, board, err, size);
	if (ret)
		return ret;
	board->memory.vhw->vboard_peer = IVSHMEM_SELF;
	board->control = control_new(&board->loop, config->control, config->guest_port,
				     &control_ops, board, err, size);
	if (!board->control)
		return -EIO;
	return open_coproc(board, err, size);
}

void board_close(struct board *board)
{
	if (!board->config)
		return;
	control_free(board->control);
	if (board->ivshmem.path)
		ivshmem_close(&board->ivshmem);
	qs1_native_free(board->coproc.native);
	m4_close(&board->coproc.m4);
	memory_remove(&board->memory);
	record_free(board->record);
}

/* --- arguments -------------------------------------------------------------- */

enum { OPT_SHM = 256, OPT_IVSHMEM, OPT_CONTROL, OPT_PORT, OPT_COPROC, OPT_QMP, OPT_UART };

static const struct argp_option arguments[] = {
	{ "shm", OPT_SHM, "FILE", 0, "create this shared memory", 0 },
	{ "ivshmem", OPT_IVSHMEM, "SOCKET", 0, "serve the guest's ivshmem-doorbell on this socket",
	  0 },
	{ "control", OPT_CONTROL, "SOCKET", 0, "accept scenario words on this socket", 0 },
	{ "world-port", OPT_PORT, "SOCKET", 0,
	  "connect to QEMU's chardev of the guest's virtio-serial port", 0 },
	{ "coproc", OPT_COPROC, "m4|native", 0,
	  "emulated Cortex-M4 (default), or the core within this process", 0 },
	{ "m4-qmp", OPT_QMP, "SOCKET", 0, "QMP socket of the coprocessor's emulator", 0 },
	{ "m4-uart", OPT_UART, "SOCKET", 0, "serial line of the coprocessor's emulator", 0 },
	{ 0 },
};

void board_config_check(const struct board_config *config, struct argp_state *state)
{
	if (!config->shm || !config->ivshmem || !config->control)
		argp_error(state, "expected --shm, --ivshmem and --control");
	if (!config->native && (!config->qmp || !config->uart))
		argp_error(state, "--coproc m4 needs --m4-qmp and --m4-uart");
}

static error_t parse_argument(int key, char *value, struct argp_state *state)
{
	struct board_config *config = state->input;

	switch (key) {
	case OPT_SHM:
		config->shm = value;
		return 0;
	case OPT_IVSHMEM:
		config->ivshmem = value;
		return 0;
	case OPT_CONTROL:
		config->control = value;
		return 0;
	case OPT_PORT:
		config->guest_port = value;
		return 0;
	case OPT_QMP:
		config->qmp = value;
		return 0;
	case OPT_UART:
		config->uart = value;
		return 0;
	case OPT_COPROC:
		config->native = !strcmp(value, "native");
		if (!config->native && strcmp(value, "m4"))
			argp_error(state, "--coproc: expected m4 or native, found \"%s\"", value);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp board_argp = { .options = arguments, .parser = parse_argument };
