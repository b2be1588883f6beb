/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The gateway as its interfaces see it. An interface is one file with one row in the table of
 * main.c: start() after the store and the radio, stop() before them.
 */
#ifndef ECUD_ECUD_H
#define ECUD_ECUD_H

#include "config.h"
#include "model.h"
#include "orders.h"
#include "store.h"

struct sd_event;

/**
 * struct ecu - what an interface gets
 * @event: the main loop
 * @config: the configuration file
 * @model: what is known; lock it
 * @orders: where commands go
 * @store: history, events, audit
 */
struct ecu {
	struct sd_event *event;
	const struct config *config;
	struct model *model;
	struct orders *orders;
	struct store *store;
};

/**
 * struct interface - one protocol
 * @name: for the log
 * @start: @ret_state is handed to @stop; 0 or a negative errno, which ends the daemon
 * @stop: may be NULL
 */
struct interface {
	const char *name;
	int (*start)(struct ecu *ecu, void **ret_state);
	void (*stop)(void *state);
};

/**
 * ecu_meter() - a reading of the meter at the grid connection, on the main loop
 * @total_w: W, positive for import; NAN when the meter cannot be read
 * @phase_w: of L1, L2, L3; NAN for none
 * @time_ms: when the meter measured it
 */
void ecu_meter(struct ecu *ecu, double total_w, const double phase_w[3], int64_t time_ms);

#endif /* ECUD_ECUD_H */
