/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A complete virtual board as a unit of the feeder: the coprocessor of the board, in lock step with
 * the feeder, replaces the control core of the unit. Until "go" on the board's control socket
 * the board runs in a separate dark world in real time, so that its Linux can boot; time 0 of the
 * feeder is when Linux has carried out the set-up statements.
 */
#ifndef QS1_SITE_WHOLE_H
#define QS1_SITE_WHOLE_H

#include "hardware.h"
#include "feeder.h"
#include "pace.h"

/**
 * struct whole_ops - what the owner does
 * @due: simulate up to now, as after whole_serve()
 * @quit: end
 * @slip_s: time that the site has lost, s
 */
struct whole_ops {
	void (*due)(void);
	void (*quit)(void);
	double (*slip_s)(void);
};

/**
 * struct whole - the board, and where it is
 * @dark: the world before time 0
 * @pace: of that world
 * @adc: its latest samples
 * @starting: Linux carries out the set-up statements
 * @running: the board is a unit of the feeder
 * @tick_ns: when board_tick() is due
 */
struct whole {
	const struct whole_ops *ops;
	struct feeder *feeder;
	int unit;
	struct board board;
	struct qs1_world *dark;
	struct pace pace;
	int16_t adc[QS1_ADC_COUNT];
	bool starting, running;
	int64_t tick_ns;
};

/**
 * whole_join() - the board has a unit's coprocessor and Linux
 * @feeder: loaded, and not started: whole_serve() does it
 * @config: of the board's files and sockets; has to stay
 *
 * Return: 0 or a negative errno with the reason in @err; whole_close() is due in either case.
 */
int whole_join(struct whole *whole, struct feeder *feeder, int unit,
	       const struct board_config *config, const struct whole_ops *ops, char *err,
	       size_t size);
void whole_close(struct whole *whole);

/* whole_fd() - readable when whole_poll() has something to do */
int whole_fd(const struct whole *whole);
void whole_poll(struct whole *whole);

/**
 * whole_serve() - to be called each BOARD_BATCH_MS
 *
 * Return: true when the caller may run the feeder, after which it calls whole_end(): it is running,
 * and it is not too early for the next periods.
 */
bool whole_serve(struct whole *whole);
void whole_end(struct whole *whole);

#endif /* QS1_SITE_WHOLE_H */
