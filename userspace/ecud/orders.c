// SPDX-License-Identifier: GPL-2.0-or-later
#include "orders.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <systemd/sd-event.h>

#include "power_limits.h"
#include "model.h"
#include "names.h"
#include "service_clock.h"
#include "util.h"

static const struct {
	const char *name;
	bool final;
} state_desc[] = {
#define X(id, name, final) [ORDER_##id] = { name, final },
	ORDER_STATES(X)
#undef X
};

const char *order_state_name(enum order_state state)
{
	return (unsigned int)state < ORDER_STATE_COUNT ? state_desc[state].name : "?";
}

bool order_state_is_final(enum order_state state)
{
	return (unsigned int)state < ORDER_STATE_COUNT && state_desc[state].final;
}

const char *order_w_name(enum order_command command)
{
	switch (command) {
	case COMMAND_CADENCE:
		return "period_s";
	case COMMAND_COMMISSION:
		return "inverters";
	default:
		return "w";
	}
}

void order_init(struct order *order, enum order_command command, int64_t now_ms)
{
	memset(order, 0, sizeof(*order));
	order->command = command;
	order->issued_ms = now_ms;
	order->w = order->then_w = (double)NAN;
	for (size_t i = 0; i < ARRAY_SIZE(order->place); i++) {
		order->place[i][0] = NAN;
	}
}

/* ---- checks, one row a command ---- */

/* As qs1d has it: lower-case letters, digits and "-_.", 1 to 31 of them. */
static bool owner_is_valid(const char *owner)
{
	size_t n = strlen(owner);

	return n >= 1 && n < ORDER_OWNER_SIZE &&
	       strspn(owner, "abcdefghijklmnopqrstuvwxyz0123456789-_.") == n;
}

/* Whose limits a role may set: a name, or with a '-' at its end the start of one. */
static const struct {
	unsigned int role;
	const char *owner;
} owner_of[] = {
	{ ROLE_OWNER, "owner" },	 { ROLE_OWNER, "utility" }, { ROLE_OWNER, "program-" },
	{ ROLE_INSTALLER, "installer" }, { ROLE_EMA, "ema" },	    { ROLE_MODBUS, "modbus-" },
	{ ROLE_MQTT, "mqtt" },
};

static bool owner_is_of_role(const char *owner, unsigned int role)
{
	bool matches = role == ROLE_SYSTEM;

	for (size_t i = 0; i < ARRAY_SIZE(owner_of) && !matches; i++) {
		size_t n = strlen(owner_of[i].owner);

		matches = owner_of[i].role == role && !strncmp(owner, owner_of[i].owner, n) &&
			  (owner_of[i].owner[n - 1] == '-' || !owner[n]);
	}
	return matches;
}

static int check_owner(const struct order *order, char *text, size_t size)
{
	if (!owner_is_valid(order->owner)) {
		snprintf(text, size,
			 "expected an owner of lower-case letters, digits and -_., found '%s'",
			 order->owner);
		return -EINVAL;
	}
	if (!owner_is_of_role(order->owner, order->role)) {
		snprintf(text, size, "the role %s may not change limits of '%s'",
			 order_role_name(order->role), order->owner);
		return -EPERM;
	}
	return 0;
}

static int check_lease(const struct order *order, char *text, size_t size)
{
	int ret = check_owner(order, text, size);

	if (ret < 0) {
		return ret;
	}
	if (order->lease_s > 86400 ||
	    (order->lease_s == 0 && power_limits_owner_needs_lease(order->owner))) {
		snprintf(text, size, "lease_s: expected 1 to 86400 s for the owner %s, found %u",
			 order->owner, order->lease_s);
		return -EINVAL;
	}
	return 0;
}

static int check_limit(const struct order *order, char *text, size_t size)
{
	const double watts[] = { order->w, order->then_w };
	double most = order->site ? (double)MODEL_RATED_W * MODEL_UNITS_MAX : MODEL_RATED_W;

	for (size_t i = 0; i < ARRAY_SIZE(watts); i++) {
		if (!isnan(watts[i]) && !(watts[i] >= 0 && watts[i] <= most)) {
			snprintf(text, size, "%s: expected 0 to %g W, found %g", i ? "then_w" : "w",
				 most, watts[i]);
			return -EINVAL;
		}
	}
	/* removing a limit needs no lease */
	return isnan(order->w) && isnan(order->then_w) ? check_owner(order, text, size)
						       : check_lease(order, text, size);
}

static int check_fault(const struct order *order, char *text, size_t size)
{
	int fault = qs1_fault_find_word(order->text);

	if (fault < 0 || !(QS1_FAULTS_CLEARABLE & QS1_FAULT_BIT(fault))) {
		snprintf(text, size, "expected gfdi, relay, firmware or store-lost, found '%s'",
			 order->text);
		return -EINVAL;
	}
	return 0;
}

static int check_text(const struct order *order, char *text, size_t size)
{
	const char *argument = order_desc[order->command].argument;

	if (!*order->text) {
		/* the first of the list */
		snprintf(text, size, "expected %.*s", (int)strcspn(argument, " ?"), argument);
		return -EINVAL;
	}
	return 0;
}

static int check_edit(const struct order *order, char *text, size_t size)
{
	if (!order->edit || strlen(order->text) >= MODEL_NAME_SIZE || order->phase < 0 ||
	    order->phase >= PHASE_COUNT) {
		snprintf(text, size, "expected a name below %d characters, a phase or a place",
			 MODEL_NAME_SIZE);
		return -EINVAL;
	}
	return 0;
}

static int check_cadence(const struct order *order, char *text, size_t size)
{
	if (!(order->w >= 1 && order->w <= 300)) {
		snprintf(text, size, "period_s: expected 1 to 300 s, found %g", order->w);
		return -EINVAL;
	}
	return 0;
}

static int (*const check_arguments[COMMAND_COUNT])(const struct order *order, char *text,
						   size_t size) = {
	[COMMAND_START] = check_owner,	   [COMMAND_STOP] = check_lease,
	[COMMAND_LIMIT] = check_limit,	   [COMMAND_CLEAR] = check_fault,
	[COMMAND_PROFILE] = check_text,	   [COMMAND_PAIR] = check_text,
	[COMMAND_REPLACE] = check_text,	   [COMMAND_EDIT] = check_edit,
	[COMMAND_CADENCE] = check_cadence,
};

int order_check(const struct order *order, int64_t now_ms, char *text, size_t size)
{
	const struct order_desc *desc;
	int64_t age_ms = now_ms - order->issued_ms;
	int64_t ttl_ms = (int64_t)(order->ttl_s ? order->ttl_s : ORDER_TTL_S) * 1000;

	if ((unsigned int)order->command >= COMMAND_COUNT) {
		snprintf(text, size, "unknown command %d", (int)order->command);
		return -EINVAL;
	}
	desc = &order_desc[order->command];
	if (!(desc->roles & order->role)) {
		snprintf(text, size, "the role %s may not %s", order_role_name(order->role),
			 desc->name);
		return -EPERM;
	}
	if (!(desc->interfaces & order->interface)) {
		snprintf(text, size, "%s is not possible over %s", desc->name,
			 order_interface_name(order->interface));
		return -EPERM;
	}
	if (age_ms > ttl_ms || age_ms < -ttl_ms) {
		snprintf(text, size, "issued %lld s ago; its time to live is %lld s",
			 (long long)(age_ms / 1000), (long long)(ttl_ms / 1000));
		return -ETIME;
	}
	if (!(desc->scope & (order->site ? ORDER_SITE : ORDER_UNIT))) {
		snprintf(text, size, "%s is not possible for %s", desc->name,
			 order->site ? "the whole site" : "one inverter");
		return -EXDEV;
	}
	return check_arguments[order->command] ? check_arguments[order->command](order, text, size)
					       : 0;
}

/* ---- the queue ---- */

struct orders {
	pthread_mutex_t lock;
	struct order queue[ORDERS_KEPT];
	int queued;
	uint64_t last;
	int fd;
	sd_event_source *source;
	void (*run)(void *ctx, struct order *order);
	void (*refused)(void *ctx, struct order *order);
	void *ctx;
};

static bool take_first(struct orders *orders, struct order *ret)
{
	bool taken;

	pthread_mutex_lock(&orders->lock);
	taken = orders->queued > 0;
	if (taken) {
		*ret = orders->queue[0];
		orders->queued--;
		memmove(orders->queue, orders->queue + 1,
			sizeof(orders->queue[0]) * (size_t)orders->queued);
		/* a label has an install code */
		explicit_bzero(&orders->queue[orders->queued], sizeof(orders->queue[0]));
	}
	pthread_mutex_unlock(&orders->lock);
	return taken;
}

static int on_orders(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	struct orders *orders = ctx;
	struct order order;
	uint64_t count;

	(void)source;
	(void)events;
	if (read(fd, &count, sizeof(count)) < 0) {
		return 0;
	}
	while (take_first(orders, &order)) {
		int ret =
			order_check(&order, clock_wall_ms(), order.message, sizeof(order.message));

		order.error = ret;
		order.changed_ms = clock_wall_ms();
		order.state = ret == 0	      ? ORDER_QUEUED
			      : ret == -ETIME ? ORDER_EXPIRED
					      : ORDER_REFUSED;
		if (ret == 0) {
			orders->run(orders->ctx, &order);
		} else {
			orders->refused(orders->ctx, &order);
		}
		explicit_bzero(&order, sizeof(order));
	}
	return 0;
}

int orders_new(struct orders **ret, struct sd_event *event,
	       void (*run)(void *ctx, struct order *order),
	       void (*refused)(void *ctx, struct order *order), void *ctx)
{
	struct orders *orders = calloc(1, sizeof(*orders));
	int error;

	if (!orders) {
		return -ENOMEM;
	}
	orders->run = run;
	orders->refused = refused;
	orders->ctx = ctx;
	pthread_mutex_init(&orders->lock, NULL);
	orders->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	error = orders->fd < 0 ? -errno
			       : sd_event_add_io(event, &orders->source, orders->fd, EPOLLIN,
						 on_orders, orders);
	if (error < 0) {
		orders_free(orders);
		return error;
	}
	*ret = orders;
	return 0;
}

void orders_free(struct orders *orders)
{
	if (orders) {
		sd_event_source_disable_unref(orders->source);
		close_fd(&orders->fd);
		pthread_mutex_destroy(&orders->lock);
		free(orders);
	}
}

int64_t order_submit(struct orders *orders, const struct order *order)
{
	const uint64_t one = 1;
	int64_t number = -EAGAIN;

	pthread_mutex_lock(&orders->lock);
	if (orders->queued < ORDERS_KEPT) {
		number = (int64_t)++orders->last;
		orders->queue[orders->queued] = *order;
		orders->queue[orders->queued++].number = (uint64_t)number;
	}
	pthread_mutex_unlock(&orders->lock);
	if (number > 0 && write(orders->fd, &one, sizeof(one)) < 0) {
		return -errno;
	}
	return number;
}
