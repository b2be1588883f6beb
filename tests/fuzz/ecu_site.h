/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A gateway without radio and store, for fuzzers of its interfaces: two inverters, a queue of
 * orders. */
#ifndef QS1_FUZZ_ECU_SITE_H
#define QS1_FUZZ_ECU_SITE_H

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include <systemd/sd-event.h>

#include "ecud.h"
#include "fuzz.h"
#include "rest.h"
#include "service_clock.h"
#include "settings.h"

/* The store is not there. */

void store_put_audit(struct store *store, const struct audit_entry *entry)
{
	(void)store;
	assert(entry->action && entry->result);
}

int store_get(struct store *store, const char *name, char *value, size_t size)
{
	(void)store;
	(void)name;
	assert(size);
	value[0] = '\0';
	return -ENOENT;
}

void store_set(struct store *store, const char *name, const char *value)
{
	(void)store;
	assert(*name && value);
}

const char *store_folder(const struct store *store)
{
	(void)store;
	return "/nonexistent";
}

int store_reader_open(struct store_reader **ret, const char *folder, char *err, size_t size)
{
	(void)ret;
	(void)folder;
	snprintf(err, size, "no store");
	return -ENOENT;
}

void store_reader_close(struct store_reader *reader)
{
	(void)reader;
	abort();
}

int store_history(struct store_reader *reader, const struct serial *serial, int64_t from_ms,
		  int64_t to_ms, int64_t step_s,
		  int (*take)(void *ctx, const struct store_point *point), void *ctx)
{
	(void)reader;
	(void)serial;
	(void)from_ms;
	(void)to_ms;
	(void)step_s;
	(void)take;
	(void)ctx;
	abort();
}

int store_energy(struct store_reader *reader, const struct serial *serial, int32_t from_day,
		 int32_t to_day, char unit,
		 int (*take)(void *ctx, int32_t date, const double wh[ACCOUNT_CHANNELS]), void *ctx)
{
	(void)reader;
	(void)serial;
	(void)from_day;
	(void)to_day;
	(void)unit;
	(void)take;
	(void)ctx;
	abort();
}

/* What the other files of the interfaces and the main loop have. */

bool rest_unit(struct http_request *request, struct model_unit *ret_unit)
{
	struct model *model = rest_of(request)->ecu->model;

	return model_copy(model, &model->unit[0].serial, ret_unit) == 0;
}

void rest_audit(struct http_request *request, const char *action, const char *target,
		const char *result)
{
	(void)request;
	assert(action && target && result);
}

void ecu_meter(struct ecu *ecu, double total_w, const double phase_w[3], int64_t time_ms)
{
	(void)ecu;
	(void)phase_w;
	(void)time_ms;
	assert(isfinite(total_w));
}

/* Only orders that are allowed come here. */
static void fuzz_order(void *ctx, struct order *order)
{
	char text[ORDER_TEXT_SIZE];

	(void)ctx;
	assert(order_check(order, clock_wall_ms(), text, sizeof(text)) == 0);
	assert(isnan(order->w) || (order->w >= 0 && order->w <= 1e6));
	assert(strlen(order->owner) < sizeof(order->owner));
}

static void fuzz_refused(void *ctx, struct order *order)
{
	(void)ctx;
	assert(order->message[0]);
}

static struct ecu *fuzz_site(void)
{
	static struct config config;
	static struct ecu ecu;
	struct settings settings = { .mqtt_commands = true };

	if (ecu.model) {
		return &ecu;
	}
	assert(sd_event_new(&ecu.event) >= 0);
	ecu.config = &config;
	ecu.model = model_new("216000000001");
	assert(ecu.model);
	assert(orders_new(&ecu.orders, ecu.event, fuzz_order, fuzz_refused, NULL) >= 0);
	for (int i = 0; i < 2; i++) {
		struct model_unit unit = { .link = LINK_LIVE, .state = QS1_STATE_PRODUCING };
		char serial[SERIAL_TEXT_SIZE];

		snprintf(serial, sizeof(serial), "80600000000%d", i + 1);
		assert(serial_parse(serial, &unit.serial) == 0);
		assert(model_add(ecu.model, &unit) >= 0);
	}
	assert(settings_add_writer(&settings, "192.0.2.1") == 0);
	settings_put(&ecu, &settings);
	return &ecu;
}

/* Carry out what was ordered. */
static inline void fuzz_orders(struct ecu *ecu)
{
	while (sd_event_run(ecu->event, 0) > 0) {
	}
}

#endif /* QS1_FUZZ_ECU_SITE_H */
