/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The virtual board without its world: shared memory, interrupts, coprocessor, control socket. Its
 * owner has the world and the time. In each control period it steps the world and passes the
 * samples to board_period(), which stores the compare values for the next period in @coproc.out.
 */
#ifndef QS1_VBOARD_HARDWARE_H
#define QS1_VBOARD_HARDWARE_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control.h"
#include "coproc.h"
#include "ivshmem.h"
#include "loop.h"
#include "memory.h"
#include "record.h"
#include "world.h"

struct board;

/**
 * struct board_config - files and sockets, from the command line
 * @shm: shared memory, to be created
 * @native: the core within this process instead of an emulated processor
 * Others: paths of sockets.
 */
struct board_config {
	const char *shm;
	const char *ivshmem;
	const char *control;
	const char *guest_port;
	const char *qmp;
	const char *uart;
	bool native;
};

/* Options of struct board_config, which is the parser's input. */
extern const struct argp board_argp;

/* board_config_check() - ends the program by argp_error() when an option is missing */
void board_config_check(const struct board_config *config, struct argp_state *state);

/**
 * struct board_ops - what the owner does
 * @statement, @summary, @go, @quit: as in control.h
 * @status: add its members to the status object
 * @due: simulate up to now: the guest waits for an answer
 * @speed: as in world.h, NULL for none
 */
struct board_ops {
	int (*statement)(void *ctx, const char *line, char *err, size_t size);
	struct json_object *(*summary)(void *ctx);
	int (*go)(void *ctx, char *err, size_t size);
	void (*quit)(void *ctx);
	void (*status)(void *ctx, struct json_object *status);
	void (*due)(void *ctx);
	int (*speed)(void *ctx, double factor, char *err, size_t size);
};

/**
 * struct board - the virtual board
 * @world: in which it is; the owner's
 * @periods: control periods of this world
 * @profile: grid profile that the world has asked for
 * @failed: the emulator has ended, or did not connect
 * @doorbell: the firmware's doorbells seen
 * @boots: the firmware's starts, as of its last event
 * @event_head: the firmware's events seen
 * @not_before_ns: wall time of the next batch at the earliest
 * @batch_ns: wall time when the present batch began
 * @launch_ns: wall time of the start
 */
struct board {
	const struct board_config *config;
	const struct board_ops *ops;
	void *ctx;
	struct loop loop;
	struct memory memory;
	struct ivshmem ivshmem;
	struct coproc coproc;
	struct control *control;
	struct record *record;
	struct watch emulator;
	struct qs1_world *world;
	uint64_t periods;
	char profile[64];
	bool failed;
	uint32_t doorbell;
	uint32_t boots;
	uint32_t event_head;
	int64_t not_before_ns;
	int64_t batch_ns;
	int64_t launch_ns;
	unsigned int ticks;
};

/* The statements of a world that are Linux's or the coprocessor's affair; the context is the board.
 */
extern const struct qs1_world_ops board_world_ops;

/**
 * board_open() - create and serve everything
 * @config, @ops: have to stay as long as @board
 * @err: on failure the reason
 *
 * Return: 0 or a negative errno; board_close() is due in either case.
 */
int board_open(struct board *board, const struct board_config *config, const struct board_ops *ops,
	       void *ctx, char *err, size_t size);
void board_close(struct board *board);

/* board_enter() - from now on in this world, which is at its beginning */
void board_enter(struct board *board, struct qs1_world *world);

/* board_tick() - to be called each BOARD_BATCH_MS: connects emulator and guest */
#define BOARD_BATCH_MS 5
void board_tick(struct board *board);

/* board_ready() - serve the control registers; false when it is too early for a batch of periods */
bool board_ready(struct board *board);
/* board_begin() - before a batch */
void board_begin(struct board *board);
/* board_period() - the world has done a period, with these samples */
void board_period(struct board *board, const int16_t adc[QS1_ADC_COUNT]);
/* board_end() - after the batch */
void board_end(struct board *board);

/* board_event() - an event for the runners; takes the object */
struct json_object *board_event_new(const struct board *board, const char *name);
void board_event(struct board *board, struct json_object *event);
/* board_statement_failed() - a timed statement failed */
void board_statement_failed(struct board *board, const char *message);

#endif /* QS1_VBOARD_HARDWARE_H */
