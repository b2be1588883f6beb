/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Orders: everything that changes the world, from any interface, on any thread. An interface fills
 * a struct order and submits it; the main loop checks right and arguments, carries it out, and
 * keeps its state in the model. The tables of commands.h say which role may do what, on which
 * interface, with which arguments.
 */
#ifndef ECUD_ORDERS_H
#define ECUD_ORDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../service/commands.h"
#include "serial.h"

#define ORDER_TEXT_SIZE 160
#define ORDER_OWNER_SIZE 32
#define ORDER_BY_SIZE 64
/* Newest orders that the model keeps; the store keeps all in the audit log. */
#define ORDERS_KEPT 256
/* An order that nobody has carried out by then has expired, s. */
#define ORDER_TTL_S 120

/* Columns: identifier, name, final. */
/* clang-format off */
#define ORDER_STATES(X) \
	X(QUEUED, "queued", false) \
	X(SENT, "sent", false) \
	X(CONFIRMED, "confirmed", true) \
	X(REFUSED, "refused", true) \
	X(EXPIRED, "expired", true) \
	X(UNCONFIRMED, "unconfirmed", true)
/* clang-format on */

enum order_state {
#define X(id, name, final) ORDER_##id,
	ORDER_STATES(X)
#undef X
		ORDER_STATE_COUNT
};

const char *order_state_name(enum order_state state);
bool order_state_is_final(enum order_state state);

/* Edits that COMMAND_EDIT makes, as bits of @edit. */
#define ORDER_EDIT_NAME 1
#define ORDER_EDIT_PHASE 2
#define ORDER_EDIT_PLACE 4

/**
 * struct order - one order
 * @number: given by order_submit(), from 1
 * @key: of the sender, "" for none: an order with the same key and sender is the same order
 * @command: what to do
 * @site: for the whole site; otherwise for @serial
 * @role, @interface: one bit each: with whose right, and over what
 * @owner: whose limit it is: "owner", "installer", "ema", "utility", "modbus-192.0.2.1", ...
 * @by: who, for the audit log: user or token and address
 * @issued_ms: when the sender made it; an order of another clock is refused when it is older than
 *             its time to live
 * @ttl_s: s after @issued_ms; 0 for ORDER_TTL_S
 * @w, @then_w: W; NAN for none. Of COMMAND_CADENCE seconds, of COMMAND_COMMISSION inverters
 * @lease_s: s; 0 until revoked, which owner and installer may say
 * @until: monotonic end of the lease is kept by power_limits.h
 * @text: name of a fault, a profile, a unit; or a label; by the table's column
 * @reason: why, for people
 * @phase: enum model_phase, for COMMAND_EDIT
 * @place: x, y, turn of each module; NAN for not placed
 * @state, @error, @message: result; @message is for people
 * @changed_ms: when @state last changed
 */
struct order {
	uint64_t number;
	char key[ORDER_BY_SIZE];
	enum order_command command;
	bool site;
	struct serial serial;
	unsigned int role;
	unsigned int interface;
	char owner[ORDER_OWNER_SIZE];
	char by[ORDER_BY_SIZE];
	int64_t issued_ms;
	uint32_t ttl_s;
	double w;
	double then_w;
	uint32_t lease_s;
	unsigned int edit;
	char text[ORDER_TEXT_SIZE];
	char rma[32];
	char reason[96];
	int phase;
	float place[4][3];
	enum order_state state;
	int error;
	char message[ORDER_TEXT_SIZE];
	int64_t changed_ms;
};

/* Name of the argument of a command that @w of its order is: "w", "period_s" or "inverters". */
const char *order_w_name(enum order_command command);

/* An order with no values: NAN, issued now. */
void order_init(struct order *order, enum order_command command, int64_t now_ms);

/**
 * order_check() - right, age, interface, scope and arguments; pure
 * @now_ms: for the age
 *
 * Return: 0; -EPERM role or interface; -ETIME too old or from the future by more than its time to
 * live; -EINVAL an argument, -EXDEV a command that has no such scope. @text has the reason.
 */
int order_check(const struct order *order, int64_t now_ms, char *text, size_t size);

struct orders;
struct sd_event;

/**
 * orders_new() - a queue with an eventfd on the main loop
 * @run: called on the main loop for each order that order_check() lets pass
 * @refused: called on the main loop for the others, with state and message set
 */
int orders_new(struct orders **ret, struct sd_event *event,
	       void (*run)(void *ctx, struct order *order),
	       void (*refused)(void *ctx, struct order *order), void *ctx);
void orders_free(struct orders *orders);

/**
 * order_submit() - from any thread
 *
 * Return: number of the order, whose state is in the model soon after; -EAGAIN while ORDERS_KEPT
 * wait.
 */
int64_t order_submit(struct orders *orders, const struct order *order);

#endif /* ECUD_ORDERS_H */
