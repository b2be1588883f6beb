/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Test bench of the gateway: its core, a modem, the air and simulated inverters with the real
 * policy, all in virtual time.
 */
#ifndef QS1_ECU_BENCH_H
#define QS1_ECU_BENCH_H

#include "link_bench.h"

#include "core.h"
#include "inverter.h"
#include "modem.h"
#include "steady.h"
#include "util.h"

#define BENCH_UNITS 64
#define BENCH_CHANNEL 16
#define BENCH_START_MS INT64_C(1796060000000)
#define BENCH_STEP_US 10000
#define BENCH_POLICY_US 100000

static struct {
	struct air *air;
	struct modem modem;
	struct inverter unit[BENCH_UNITS];
	struct steady steady[BENCH_UNITS];
	int units;
	bool dead[BENCH_UNITS];
	struct model *model;
	struct core *core;
	uint64_t policy_us;
	int hard_resets;
	uint32_t random;
	void (*each_step)(uint64_t now_us);
	/* sees each message of ours that comes to the gateway; false drops it, a change of it
	 * counts */
	bool (*filter)(uint8_t type, uint8_t *body, size_t n);
} bench;

static const uint8_t bench_ecu[] = { 0xd8, 0xa3, 0x01, 0x1b, 0x97, 0x80 };

static inline void bench_time(void)
{
	core_time(bench.core, air_now(bench.air) + 1,
		  BENCH_START_MS + (int64_t)(air_now(bench.air) / 1000));
}

/* The modem hands over one frame at a time. */
static void bench_to_core(void *ctx, const uint8_t *bytes, size_t n)
{
	uint8_t copy[ZNP_FRAME_MAX + MODEM_GARBAGE_BYTES];
	struct znp_incoming incoming;
	struct znp_frame frame;
	struct own_part part;
	size_t used;

	(void)ctx;
	memcpy(copy, bytes, n);
	if (bench.filter && znp_parse(copy, n, &frame, &used) == 1 &&
	    znp_incoming_parse(&frame, &incoming) == 0 &&
	    own_parse(incoming.data, incoming.n, &part) == 0) {
		uint8_t sum = 0;

		if (!bench.filter(part.type, copy + (part.body - copy), part.n)) {
			return;
		}
		for (size_t i = 1; i + 1 < n; i++) {
			sum ^= copy[i];
		}
		copy[n - 1] = sum;
	}
	if (bench.core) {
		bench_time();
		core_bytes(bench.core, copy, n);
	}
}

static void bench_to_modem(void *ctx, const uint8_t *bytes, size_t n)
{
	(void)ctx;
	modem_input(&bench.modem, bytes, n);
}

static void bench_hard_reset(void *ctx)
{
	(void)ctx;
	bench.hard_resets++;
	modem_reset(&bench.modem);
}

static void bench_random(void *ctx, uint8_t *bytes, size_t n)
{
	(void)ctx;
	for (size_t i = 0; i < n; i++) {
		bench.random = bench.random * 1664525u + 1013904223u;
		bytes[i] = (uint8_t)(bench.random >> 24);
	}
}

static const struct core_ops bench_ops = { bench_to_modem, bench_hard_reset, bench_random };

static inline void bench_serial(int i, struct serial *serial)
{
	char text[32];

	snprintf(text, sizeof(text), "8060%08d", i + 1);
	assert_int_equal(serial_parse(text, serial), 0);
}

static inline void bench_code(int i, uint8_t *code)
{
	memset(code, i + 1, INSTALL_CODE_BYTES);
}

static inline void bench_add_inverter(int i, double module_w, double dbm)
{
	struct air_radio_config radio = { .channel = BENCH_CHANNEL,
					  .pan = join_pan(bench_ecu),
					  .address = (uint16_t)(0x1001 + i) };
	struct inverter_config config = { .stock_ms = INT64_MAX,
					  .start_wall_ms = BENCH_START_MS,
					  .version = 1000 };
	char err[QS1_PROFILE_ERR_SIZE];
	int number;

	assert_int_equal(inverter_profile("ieee1547-2018-cat3", &config.profile, err, sizeof(err)),
			 0);
	bench_serial(i, &config.serial);
	bench_code(i, config.code);
	steady_init(&bench.steady[i], module_w);
	number = inverter_init(&bench.unit[i], bench.air, &radio, &config, &steady_firmware,
			       &bench.steady[i]);
	assert_int_equal(number, i + 1);
	for (int other = 0; other < number; other++) {
		double level = other ? -60 : dbm;

		air_level(bench.air, number, other, level);
		air_level(bench.air, other, number, level);
	}
}

/* A gateway, and @units inverters of @module_w a module that it does not know yet. */
static inline void bench_start_chip(enum modem_chip chip, int units, double module_w, double dbm,
				    double cadence_s)
{
	struct modem_config modem = { .chip = chip };

	memset(&bench, 0, sizeof(bench));
	bench.random = 1;
	bench.air = air_new(&air_config_default);
	assert_int_equal(modem_init(&bench.modem, bench.air, &modem, bench_to_core, NULL), 0);
	for (int i = 0; i < units; i++) {
		bench_add_inverter(i, module_w, dbm);
	}
	bench.units = units;
	bench.model = model_new("216000000001");
	bench.core = core_new(bench.model, NULL, bench_ecu, BENCH_CHANNEL,
			      (uint64_t)(cadence_s * 1e6), 42, &bench_ops, NULL);
	bench.core->profiles = "profiles";
	bench_time();
	core_open(bench.core);
}

static inline void bench_start(int units, double module_w, double dbm, double cadence_s)
{
	bench_start_chip(MODEM_CC2530, units, module_w, dbm, cadence_s);
}

static inline void bench_stop(void)
{
	core_free(bench.core);
	model_free(bench.model);
	air_free(bench.air);
	memset(&bench, 0, sizeof(bench));
}

/* A unit that the gateway knows: its address, and with @key the key of its pairing. */
static inline int bench_know(int i, enum model_make make, bool key)
{
	struct store_unit unit = { .has_key = key };

	bench_serial(i, &unit.unit.serial);
	unit.unit.make = make;
	unit.unit.address = (uint16_t)(0x1001 + i);
	unit.unit.paired = key;
	if (key) {
		memset(unit.key.byte, i + 1, sizeof(unit.key.byte));
		memcpy(bench.unit[i].policy.kept.key, unit.key.byte, sizeof(unit.key.byte));
		bench.unit[i].policy.kept.paired = true;
	}
	bench_time();
	return core_add(bench.core, &unit);
}

static inline void bench_run(double seconds)
{
	uint64_t until_us = air_now(bench.air) + (uint64_t)(seconds * 1e6);

	while (air_now(bench.air) < until_us) {
		uint64_t now_us = air_now(bench.air) + BENCH_STEP_US;

		while (core_due(bench.core) <= now_us && air_now(bench.air) < now_us) {
			uint64_t due_us = core_due(bench.core);

			due_us = due_us > air_now(bench.air) ? due_us : air_now(bench.air) + 100;
			air_run(bench.air, due_us < now_us ? due_us : now_us);
			bench_time();
			core_run(bench.core);
		}
		air_run(bench.air, now_us);
		if (now_us >= bench.policy_us) {
			bench.policy_us = now_us + BENCH_POLICY_US;
			for (int i = 0; i < bench.units; i++) {
				if (!bench.dead[i]) {
					steady_run(&bench.steady[i], now_us);
					inverter_run(&bench.unit[i], now_us);
				}
			}
		}
		if (bench.each_step) {
			bench.each_step(now_us);
		}
	}
	bench_time();
}

/* A unit's radio goes off, or on again. */
static inline void bench_kill(int i, bool dead)
{
	bench.dead[i] = dead;
	node_power(&bench.unit[i].node, !dead);
}

static inline struct order bench_order(enum order_command command, int unit)
{
	static uint64_t number;
	struct order order;

	bench_time();
	order_init(&order, command, bench.core->now_ms);
	order.number = ++number;
	order.role = ROLE_OWNER;
	order.interface = INTERFACE_REST;
	strcpy(order.owner, "owner");
	strcpy(order.by, "test");
	order.site = unit < 0;
	if (unit >= 0) {
		bench_serial(unit, &order.serial);
	}
	return order;
}

/* Hand it over, as order_submit() does on the main loop. */
static inline void bench_submit(struct order *order)
{
	char text[ORDER_TEXT_SIZE];

	assert_int_equal(order_check(order, bench.core->now_ms, text, sizeof(text)), 0);
	core_order(bench.core, order);
}

static inline const struct order *bench_result(const struct order *order)
{
	return &bench.model->order[order->number % ORDERS_KEPT];
}

static inline int bench_events(enum model_event_kind kind)
{
	int count = 0;

	for (int i = 0; i < MODEL_EVENTS; i++) {
		count += bench.model->event[i].number && bench.model->event[i].kind == kind;
	}
	return count;
}

static inline const struct model_unit *bench_shown(int i)
{
	struct serial serial;

	bench_serial(i, &serial);
	return model_find(bench.model, &serial);
}

#endif /* QS1_ECU_BENCH_H */
