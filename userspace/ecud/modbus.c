// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SunSpec Modbus TCP: unit 1 is the whole site, 2 and above are the inverters. Reading is open;
 * writing is for addresses that the owner has listed, each of which owns a limit with a lease.
 */
#include "modbus.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-event.h>

#include "../lib/log.h"
#include "../link/bytes.h"
#include "../service/service_clock.h"
#include "settings.h"
#include "sunspec.h"
#include "tcp.h"

#define CLIENTS_MAX 32
#define IDLE_S 600
#define REQUEST_S 5
#define HEADER 7       /* transaction, protocol, length, unit */
#define LENGTH_MAX 254 /* of unit and request */
#define READ_MAX 125
#define WRITE_MAX 123
#define UNIT_SITE 1
#define UNITS 256 /* any byte may come; those above 247 name no inverter */
/* The lease of a limit without reversion time, s. */
#define LEASE_S 120

enum function {
	READ_HOLDING = 3,
	READ_INPUT = 4,
	WRITE_ONE = 6,
	WRITE_MANY = 16,
};

enum exception {
	ILLEGAL_FUNCTION = 1,
	ILLEGAL_ADDRESS = 2,
	ILLEGAL_VALUE = 3,
	DEVICE_FAILURE = 4,
	DEVICE_BUSY = 6,
	NO_TARGET = 11,
};

/**
 * struct modbus - the server
 * @control: what was written, by unit
 */
struct modbus {
	struct ecu *ecu;
	struct tcp_server *server;
	struct sunspec_control control[UNITS];
};

/* Drop what has ended. */
static void expire(struct sunspec_control *control, uint64_t now_us)
{
	if (!control->until_us || control->until_us > now_us) {
		return;
	}
	control->until_us = 0;
	control->conn = true;
	control->ena = control->ena_rvrt;
	control->pct = control->pct_rvrt;
}

/* All registers of a unit. Return 0 or an exception. */
static int render(struct modbus *modbus, uint8_t unit, uint16_t *registers)
{
	uint64_t now_us = clock_monotonic_us();
	int64_t now_ms = clock_wall_ms();
	struct sunspec_control *control = &modbus->control[unit];
	struct snapshot *snapshot __cleanup(free_ptr) = NULL;
	struct sunspec_device device;
	const struct model_unit *found;

	expire(control, now_us);
	if (unit == UNIT_SITE) {
		snapshot = snapshot_take(modbus->ecu->model);
		if (!snapshot) {
			return DEVICE_BUSY;
		}
		sunspec_of_site(snapshot, control, now_us, now_ms, &device);
	} else {
		model_lock(modbus->ecu->model);
		found = model_find_modbus(modbus->ecu->model, unit);
		if (found) {
			sunspec_of_unit(found, control, now_us, now_ms, &device);
		}
		model_unlock(modbus->ecu->model);
		if (!found) {
			return NO_TARGET;
		}
	}
	sunspec_render(&device, registers);
	return 0;
}

/* Answer a read: byte count and registers. Return the length, or a negative exception. */
static int read_registers(struct modbus *modbus, uint8_t unit, const uint8_t *request, size_t n,
			  uint8_t *reply)
{
	uint16_t registers[SUNSPEC_REGISTERS_MAX];
	size_t first, count;
	int exception;

	if (n != 5) {
		return -ILLEGAL_VALUE;
	}
	first = bytes_get_be(request + 1, 2);
	count = bytes_get_be(request + 3, 2);
	if (count < 1 || count > READ_MAX) {
		return -ILLEGAL_VALUE;
	}
	exception = render(modbus, unit, registers);
	if (exception) {
		return -exception;
	}
	if (first < SUNSPEC_BASE || first - SUNSPEC_BASE + count > sunspec_length()) {
		return -ILLEGAL_ADDRESS;
	}
	reply[0] = request[0];
	reply[1] = 2 * count;
	for (size_t i = 0; i < count; i++) {
		bytes_put_be(reply + 2 + 2 * i, 2, registers[first - SUNSPEC_BASE + i]);
	}
	return 2 + 2 * count;
}

/* An owner's name holds letters, digits and "-_.": a colon of IPv6 becomes a point. */
static void name_owner(const char *from, char *owner, size_t size)
{
	const size_t room = size - strlen("modbus-") - 1;
	size_t n = strlen(from);

	snprintf(owner, size, "modbus-%s", n > room ? from + n - room : from);
	for (char *at = owner; (at = strchr(at, ':'));) {
		*at = '.';
	}
}

/* The limit of a control as an order. Return 0 or an exception. */
static int submit(struct modbus *modbus, uint8_t unit, const char *from,
		  const struct sunspec_control *control)
{
	struct model *model = modbus->ecu->model;
	const struct model_unit *found;
	char text[ORDER_TEXT_SIZE];
	struct order order;
	double rated_w = MODEL_RATED_W;
	int64_t ret;

	order_init(&order, COMMAND_LIMIT, clock_wall_ms());
	order.site = unit == UNIT_SITE;
	if (order.site) {
		rated_w *= model->units;
	} else {
		found = model_find_modbus(model, unit);
		if (!found) {
			return NO_TARGET;
		}
		order.serial = found->serial;
	}
	order.role = ROLE_MODBUS;
	order.interface = INTERFACE_MODBUS;
	name_owner(from, order.owner, sizeof(order.owner));
	snprintf(order.by, sizeof(order.by), "modbus %s", from);
	snprintf(order.reason, sizeof(order.reason), "written by Modbus");
	if (!control->conn) {
		order.w = 0;
		order.lease_s = control->conn_tms ? control->conn_tms : LEASE_S;
	} else if (control->ena) {
		order.w = rated_w * control->pct / 1000;
		order.lease_s = control->tms ? control->tms : LEASE_S;
		order.then_w = control->ena_rvrt ? rated_w * control->pct_rvrt / 1000 : (double)NAN;
	}
	ret = order_check(&order, clock_wall_ms(), text, sizeof(text));
	if (ret < 0) {
		log_notice("modbus: %s: unit %u: %s", from, unit, text);
		return ILLEGAL_VALUE;
	}
	return order_submit(modbus->ecu->orders, &order) < 0 ? DEVICE_BUSY : 0;
}

/* Refused writes are in the audit log, as all attempts to change something are. */
static void audit_refused(struct modbus *modbus, const char *from, uint8_t unit, const char *why)
{
	char target[16];
	struct audit_entry entry = { .who = from,
				     .role = "modbus",
				     .interface = "modbus",
				     .from = from,
				     .action = "write",
				     .target = target,
				     .result = why };

	snprintf(target, sizeof(target), "unit %u", unit);
	store_put_audit(modbus->ecu->store, &entry);
}

/* Carry a write out. Return 0 or an exception. */
static int write_registers(struct modbus *modbus, uint8_t unit, const char *from, size_t first,
			   size_t count, const uint16_t *values)
{
	struct settings settings = settings_get();
	struct sunspec_control changed;
	uint32_t lease_s;
	int ret;

	if (unit != UNIT_SITE && !model_find_modbus(modbus->ecu->model, unit)) {
		return NO_TARGET;
	}
	if (!settings_is_writer(&settings, from)) {
		audit_refused(modbus, from, unit, "address not listed");
		return ILLEGAL_FUNCTION;
	}
	expire(&modbus->control[unit], clock_monotonic_us());
	changed = modbus->control[unit];
	ret = first < SUNSPEC_BASE ? -EFAULT
				   : sunspec_write(first - SUNSPEC_BASE, count, values, &changed);
	if (ret < 0) {
		audit_refused(modbus, from, unit, ret == -EFAULT ? "not writable" : "out of range");
		return ret == -EFAULT ? ILLEGAL_ADDRESS : ILLEGAL_VALUE;
	}
	lease_s = !changed.conn ? changed.conn_tms : changed.tms;
	changed.until_us =
		changed.ena || !changed.conn
			? clock_monotonic_us() + (lease_s ? lease_s : LEASE_S) * UINT64_C(1000000)
			: 0;
	ret = submit(modbus, unit, from, &changed);
	if (ret == 0) {
		modbus->control[unit] = changed;
	}
	return ret;
}

/* Answer a write: function, address, value or count. Return the length, or a negative exception. */
static int answer_write(struct modbus *modbus, uint8_t unit, const char *from,
			const uint8_t *request, size_t n, uint8_t *reply)
{
	uint16_t values[WRITE_MAX];
	size_t first, count = 1;
	int exception;

	if (n < 5) {
		return -ILLEGAL_VALUE;
	}
	first = bytes_get_be(request + 1, 2);
	if (request[0] == WRITE_ONE) {
		if (n != 5) {
			return -ILLEGAL_VALUE;
		}
		values[0] = bytes_get_be(request + 3, 2);
	} else {
		count = bytes_get_be(request + 3, 2);
		if (count < 1 || count > WRITE_MAX || n != 6 + 2 * count ||
		    request[5] != 2 * count) {
			return -ILLEGAL_VALUE;
		}
		for (size_t i = 0; i < count; i++) {
			values[i] = bytes_get_be(request + 6 + 2 * i, 2);
		}
	}
	exception = write_registers(modbus, unit, from, first, count, values);
	memcpy(reply, request, 5);
	return exception ? -exception : 5;
}

static int answer(struct modbus *modbus, uint8_t unit, const char *from, const uint8_t *request,
		  size_t n, uint8_t *reply)
{
	switch (request[0]) {
	case READ_HOLDING:
	case READ_INPUT:
		return read_registers(modbus, unit, request, n, reply);
	case WRITE_ONE:
	case WRITE_MANY:
		return answer_write(modbus, unit, from, request, n, reply);
	default:
		return -ILLEGAL_FUNCTION;
	}
}

ssize_t modbus_take(struct modbus *modbus, const char *from, const uint8_t *bytes, size_t n,
		    uint8_t *reply, size_t *ret_n)
{
	size_t length;
	int ret;

	*ret_n = 0;
	if (n < HEADER + 1) {
		return 0;
	}
	length = bytes_get_be(bytes + 4, 2);
	if (bytes_get_be(bytes + 2, 2) != 0 || length < 2 || length > LENGTH_MAX) {
		return -EPROTO;
	}
	if (n < HEADER - 1 + length) {
		return 0;
	}
	ret = answer(modbus, bytes[6], from, bytes + HEADER, length - 1, reply + HEADER);
	if (ret < 0) {
		reply[HEADER] = bytes[HEADER] | 0x80;
		reply[HEADER + 1] = -ret;
		ret = 2;
	}
	memcpy(reply, bytes, 4);
	bytes_put_be(reply + 4, 2, 1 + ret);
	reply[6] = bytes[6];
	*ret_n = HEADER + ret;
	return HEADER - 1 + length;
}

static ssize_t take(void *ctx, struct tcp_client *client, const uint8_t *bytes, size_t n)
{
	uint8_t reply[MODBUS_REPLY_MAX];
	size_t reply_n;
	ssize_t used = modbus_take(ctx, tcp_from(client), bytes, n, reply, &reply_n);
	int ret = used > 0 ? tcp_reply(client, reply, reply_n) : 0;

	return ret < 0 ? ret : used;
}

struct modbus *modbus_new(struct ecu *ecu)
{
	struct modbus *modbus = calloc(1, sizeof(*modbus));

	if (modbus) {
		modbus->ecu = ecu;
		for (int unit = 0; unit < UNITS; unit++) {
			modbus->control[unit] = SUNSPEC_CONTROL_NONE;
		}
	}
	return modbus;
}

static void modbus_stop(void *state)
{
	struct modbus *modbus = state;

	if (modbus) {
		tcp_stop(modbus->server);
		free(modbus);
	}
}

static int modbus_start(struct ecu *ecu, void **ret_state)
{
	struct modbus *modbus;
	struct tcp_config config = {
		.name = "modbus",
		.address = ecu->config->listen,
		.port = ecu->config->modbus_port,
		.clients_max = CLIENTS_MAX,
		.idle_s = IDLE_S,
		.request_s = REQUEST_S,
		.take = take,
	};
	int ret;

	*ret_state = NULL;
	if (!ecu->config->modbus_port) {
		return 0;
	}
	modbus = modbus_new(ecu);
	if (!modbus) {
		return -ENOMEM;
	}
	config.ctx = modbus;
	ret = tcp_start(&modbus->server, ecu->event, &config);
	if (ret < 0) {
		modbus_stop(modbus);
		return ret;
	}
	*ret_state = modbus;
	return 0;
}

const struct interface interface_modbus = { "modbus", modbus_start, modbus_stop };
