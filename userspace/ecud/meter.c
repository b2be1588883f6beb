// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A Modbus client with one request at a time: connect, walk the models from the marker "SunS" to a
 * meter, then read its power once a second. Whatever goes wrong closes the connection, reports the
 * meter as lost and begins again.
 */
#include "meter.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <systemd/sd-event.h>

#include "../lib/log.h"
#include "../lib/util.h"
#include "../link/bytes.h"
#include "../service/service_clock.h"

#define PREFIX "modbus:"
#define BASE 40000
#define PERIOD_US 1000000
#define TIMEOUT_US 2000000
#define RETRY_US 3000000
#define HEADER 7
#define NOT_IMPLEMENTED 0x8000
#define END_MODEL 0xffff

enum step {
	STEP_WAIT,    /* until the next try */
	STEP_CONNECT, /* connect() is under way */
	STEP_MARKER,  /* reads "SunS" */
	STEP_MODEL,   /* reads the header of a model */
	STEP_POWER,   /* reads the power */
	STEP_IDLE,    /* until the next reading */
};

/**
 * struct meter - the client
 * @address: register that is being read
 * @count: registers that were asked for
 * @power: address of W, 0 while unknown
 */
struct meter {
	struct ecu *ecu;
	char host[256];
	char port[8];
	uint8_t unit;
	enum step step;
	int fd;
	sd_event_source *io;
	sd_event_source *timer;
	uint16_t transaction;
	uint16_t address;
	uint16_t count;
	uint16_t power;
	uint8_t reply[HEADER + 2 + 250];
	size_t have;
	bool lost;
};

static double scaled(uint16_t value, int8_t exponent)
{
	return value == NOT_IMPLEMENTED ? (double)NAN : (int16_t)value * pow(10, exponent);
}

void meter_decode(const uint16_t *registers, double *ret_total_w, double ret_phase_w[3])
{
	int16_t exponent = (int16_t)registers[4];
	bool valid = exponent >= -10 && exponent <= 10;

	*ret_total_w = valid ? scaled(registers[0], exponent) : (double)NAN;
	for (int phase = 0; phase < 3; phase++) {
		ret_phase_w[phase] = valid ? scaled(registers[1 + phase], exponent) : (double)NAN;
	}
}

static void report(struct meter *meter, double total_w, const double phase_w[3])
{
	static const double none[3] = { (double)NAN, (double)NAN, (double)NAN };

	ecu_meter(meter->ecu, total_w, phase_w ? phase_w : none, clock_wall_ms());
}

static void set_timer(struct meter *meter, uint64_t delay_us)
{
	sd_event_source_set_time_relative(meter->timer, delay_us);
	sd_event_source_set_enabled(meter->timer, SD_EVENT_ONESHOT);
}

/* Close, report the loss once, and try again later. */
static void fail(struct meter *meter, const char *why)
{
	if (!meter->lost) {
		log_warning("meter %s port %s: %s", meter->host, meter->port, why);
		meter->lost = true;
	}
	meter->io = sd_event_source_disable_unref(meter->io);
	close_fd(&meter->fd);
	meter->fd = -1;
	meter->have = 0;
	meter->step = STEP_WAIT;
	set_timer(meter, RETRY_US);
	report(meter, (double)NAN, NULL);
}

/* Ask for registers; the answer moves to the next step. */
static void ask(struct meter *meter, enum step step, uint16_t address, uint16_t count)
{
	uint8_t request[12] = { 0 };

	meter->step = step;
	meter->address = address;
	meter->count = count;
	meter->have = 0;
	bytes_put_be(request, 2, ++meter->transaction);
	bytes_put_be(request + 4, 2, 6);
	request[6] = meter->unit;
	request[7] = 3;
	bytes_put_be(request + 8, 2, address);
	bytes_put_be(request + 10, 2, count);
	if (send(meter->fd, request, sizeof(request), MSG_NOSIGNAL | MSG_DONTWAIT) !=
	    sizeof(request)) {
		fail(meter, "write failed");
		return;
	}
	set_timer(meter, TIMEOUT_US);
}

static void take_power(struct meter *meter, const uint16_t *registers)
{
	double total_w, phase_w[3];

	meter_decode(registers, &total_w, phase_w);
	if (meter->lost && !isnan(total_w)) {
		log_notice("meter %s port %s: answers", meter->host, meter->port);
		meter->lost = false;
	}
	report(meter, total_w, phase_w);
	meter->step = STEP_IDLE;
	set_timer(meter, PERIOD_US);
}

static void take_registers(struct meter *meter, const uint16_t *registers)
{
	switch (meter->step) {
	case STEP_MARKER:
		if (registers[0] != 0x5375 || registers[1] != 0x6e53) {
			fail(meter, "expected the marker SunS at register 40000");
			return;
		}
		ask(meter, STEP_MODEL, BASE + 2, 2);
		return;
	case STEP_MODEL:
		if (registers[0] >= 201 && registers[0] <= 204) {
			meter->power = meter->address + 2 + METER_W_OFFSET;
			ask(meter, STEP_POWER, meter->power, METER_REGISTERS);
		} else if (registers[0] == END_MODEL || meter->address > 60000) {
			fail(meter, "expected a model from 201 to 204, found none");
		} else {
			ask(meter, STEP_MODEL, meter->address + 2 + registers[1], 2);
		}
		return;
	case STEP_POWER:
		take_power(meter, registers);
		return;
	default:
		fail(meter, "expected no reply");
	}
}

/* A reply that may be incomplete. */
static void take_reply(struct meter *meter)
{
	uint16_t registers[125];
	size_t length;

	if (meter->have < HEADER + 2) {
		return;
	}
	length = bytes_get_be(meter->reply + 4, 2) + 6;
	if (bytes_get_be(meter->reply, 2) != meter->transaction || length > sizeof(meter->reply) ||
	    meter->reply[HEADER] != 3 || meter->reply[HEADER + 1] != 2 * meter->count ||
	    length != HEADER + 2 + 2u * meter->count) {
		fail(meter, "expected the registers that were asked for, found another reply");
		return;
	}
	if (meter->have < length) {
		return;
	}
	for (int i = 0; i < meter->count; i++) {
		registers[i] = bytes_get_be(meter->reply + HEADER + 2 + 2 * i, 2);
	}
	take_registers(meter, registers);
}

static int on_socket(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	struct meter *meter = ctx;
	int error = 0;
	socklen_t size = sizeof(error);
	ssize_t n;

	(void)events;
	if (meter->step == STEP_CONNECT) {
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
		if (error) {
			fail(meter, strerror(error));
			return 0;
		}
		sd_event_source_set_io_events(source, EPOLLIN);
		ask(meter, STEP_MARKER, BASE, 2);
		return 0;
	}
	n = recv(fd, meter->reply + meter->have, sizeof(meter->reply) - meter->have, MSG_DONTWAIT);
	if (n < 0 && errno == EAGAIN) {
		return 0;
	}
	if (n <= 0) {
		fail(meter, n ? strerror(errno) : "closed the connection");
		return 0;
	}
	meter->have += n;
	take_reply(meter);
	return 0;
}

static void cleanup_info(struct addrinfo **info)
{
	if (*info) {
		freeaddrinfo(*info);
	}
}

static void connect_meter(struct meter *meter)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *info __cleanup(cleanup_info) = NULL;
	int ret = getaddrinfo(meter->host, meter->port, &hints, &info);

	if (ret) {
		fail(meter, gai_strerror(ret));
		return;
	}
	meter->fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (meter->fd < 0 ||
	    (connect(meter->fd, info->ai_addr, info->ai_addrlen) < 0 && errno != EINPROGRESS) ||
	    sd_event_add_io(meter->ecu->event, &meter->io, meter->fd, EPOLLOUT, on_socket, meter) <
		    0) {
		fail(meter, strerror(errno));
		return;
	}
	meter->step = STEP_CONNECT;
	set_timer(meter, TIMEOUT_US);
}

static int on_timer(sd_event_source *source, uint64_t due_us, void *ctx)
{
	struct meter *meter = ctx;

	(void)source;
	(void)due_us;
	switch (meter->step) {
	case STEP_WAIT:
		connect_meter(meter);
		break;
	case STEP_IDLE:
		ask(meter, STEP_POWER, meter->power, METER_REGISTERS);
		break;
	default:
		fail(meter, "no reply in time");
	}
	return 0;
}

/* HOST[:PORT[:UNIT]], where HOST may be an IPv6 address in brackets. */
static int parse(struct meter *meter, const char *text)
{
	unsigned int port = 502, unit = 1;
	char rest[32] = "";
	int n;

	if (*text == '[') {
		n = sscanf(text, "[%255[^]]]%31s", meter->host, rest);
	} else {
		n = sscanf(text, "%255[^:]%31s", meter->host, rest);
	}
	if (n < 1 || (*rest && sscanf(rest, ":%5u:%3u", &port, &unit) < 1) || port < 1 ||
	    port > 65535 || unit > 255) {
		return -EINVAL;
	}
	snprintf(meter->port, sizeof(meter->port), "%u", port);
	meter->unit = unit;
	return 0;
}

static void meter_stop(void *state)
{
	struct meter *meter = state;

	if (meter) {
		sd_event_source_disable_unref(meter->io);
		sd_event_source_disable_unref(meter->timer);
		close_fd(&meter->fd);
		free(meter);
	}
}

static int meter_start(struct ecu *ecu, void **ret_state)
{
	const char *text = ecu->config->meter;
	struct meter *meter;
	int ret;

	*ret_state = NULL;
	if (strncmp(text, PREFIX, strlen(PREFIX))) {
		return 0;
	}
	meter = calloc(1, sizeof(*meter));
	if (!meter) {
		return -ENOMEM;
	}
	meter->ecu = ecu;
	meter->fd = -1;
	ret = parse(meter, text + strlen(PREFIX));
	if (ret < 0) {
		log_err("meter: expected modbus:HOST[:PORT[:UNIT]], found '%s'", text);
	} else {
		ret = sd_event_add_time_relative(ecu->event, &meter->timer, CLOCK_MONOTONIC, 0, 0,
						 on_timer, meter);
	}
	if (ret < 0) {
		meter_stop(meter);
		return ret;
	}
	*ret_state = meter;
	return 0;
}

const struct interface interface_meter = { "meter", meter_start, meter_stop };
