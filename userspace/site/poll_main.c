// SPDX-License-Identifier: GPL-2.0-only
/* qs1-poll: read inverters through a ZNP modem on a serial port and print their readings. */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <qs1/codes.h>

#include "clock.h"
#include "poller.h"
#include "util.h"

/* How long the reset line is held, ms. */
#define RESET_MS 100
#define WAIT_MS 100

static struct poll poller;
static int port = -1;
static volatile sig_atomic_t stopped;

static struct poll_config config = {
	.channel = POLL_CHANNEL,
	.period_us = 1000000,
	.ecu = { 0xd8, 0xa3, 0x01, 0x1b, 0x97, 0x80 },
};
static const char *device;
static uint64_t rounds;

static void on_signal(int number)
{
	(void)number;
	stopped = 1;
}

static uint64_t now_us(void)
{
	return (uint64_t)clock_us(CLOCK_MONOTONIC);
}

static void to_modem(void *ctx, const uint8_t *bytes, size_t n)
{
	(void)ctx;
	/* Bytes that the port does not accept are lost: the poller retries. */
	if (write(port, bytes, n) < 0 && errno != EAGAIN) {
		fprintf(stderr, "qs1-poll: write: %s\n", strerror(errno));
		stopped = 1;
	}
}

static int set_speed(speed_t speed)
{
	struct termios termios;

	if (tcgetattr(port, &termios) < 0) {
		return -errno;
	}
	cfmakeraw(&termios);
	cfsetspeed(&termios, speed);
	return tcsetattr(port, TCSANOW, &termios) < 0 ? -errno : 0;
}

/* A speed of 0 lowers the lines of the modem (termios), its reset among them. */
static void pull_reset(void *ctx)
{
	const struct timespec held = { .tv_nsec = RESET_MS * 1000000 };

	(void)ctx;
	set_speed(B0);
	nanosleep(&held, NULL);
	set_speed(B115200);
}

static double l2(const struct poll_unit *unit, enum l2_telemetry_field field)
{
	return field_physical(&l2_telemetry_field[field], unit->l2[field]);
}

static double own(const struct poll_unit *unit, enum own_status_field field)
{
	return field_physical(&own_status_field[field], unit->status[field]);
}

static const char *state_name(int64_t state)
{
	static const char *const name[] = {
#define X(id, text) [QS1_STATE_##id] = text,
		QS1_STATES(X)
#undef X
	};

	return state >= 0 && state < QS1_STATE_COUNT ? name[state] : "-";
}

/* "nan" where there is no reading. */
static void print_unit(const struct poll_unit *unit, enum poll_kind kind)
{
	char serial[SERIAL_TEXT_SIZE];

	printf("%s %04X ", serial_format(serial, &unit->serial), unit->address);
	if (unit->answered == 0) {
		printf("no reply to %llu requests, %llu refused\n", (unsigned long long)unit->asked,
		       (unsigned long long)unit->wrong);
		return;
	}
	if (kind == POLL_STOCK) {
		printf("%.1f V %.3f Hz %.1f C  A %.2f V %.3f A  B %.2f V %.3f A  C %.2f V %.3f A  "
		       "D %.2f V %.3f A",
		       l2(unit, L2_GRID), l2(unit, L2_FREQUENCY), l2(unit, L2_TEMP),
		       l2(unit, L2_VOLTAGE_A), l2(unit, L2_CURRENT_A), l2(unit, L2_VOLTAGE_B),
		       l2(unit, L2_CURRENT_B), l2(unit, L2_VOLTAGE_C), l2(unit, L2_CURRENT_C),
		       l2(unit, L2_VOLTAGE_D), l2(unit, L2_CURRENT_D));
	} else {
		printf("%s %.2f V %.3f Hz %.1f W %.1f var %.1f C %.3f Wh",
		       state_name(unit->status[OWN_STATE]), own(unit, OWN_GRID_V),
		       own(unit, OWN_GRID_F), own(unit, OWN_GRID_P), own(unit, OWN_GRID_Q),
		       own(unit, OWN_CASE_TEMP), own(unit, OWN_GRID_ENERGY));
	}
	printf("  quality %d %%  %llu of %llu\n", unit->lqi * 100 / 255,
	       (unsigned long long)unit->answered, (unsigned long long)unit->asked);
}

static void print_round(void)
{
	int fresh = 0;

	for (int i = 0; i < poller.units; i++) {
		print_unit(&poller.unit[i], poller.config.kind);
		fresh += poller.unit[i].fresh_us >= poller.round_start_us;
	}
	printf("round %llu: %d of %d in %.0f ms, %llu resets of the modem\n",
	       (unsigned long long)poller.rounds, fresh, poller.units,
	       (double)poller.round_us / 1000, (unsigned long long)poller.modem_resets);
	fflush(stdout);
}

static int serve(void)
{
	uint64_t shown = 0;

	while (!stopped && (rounds == 0 || shown < rounds)) {
		uint64_t now = now_us();
		uint64_t wait_ms = poller.due_us > now ? (poller.due_us - now) / 1000 : 0;
		struct pollfd fd = { .fd = port, .events = POLLIN };
		uint8_t bytes[512];
		ssize_t n;

		if (poll(&fd, 1, wait_ms < WAIT_MS ? (int)wait_ms : WAIT_MS) > 0) {
			n = read(port, bytes, sizeof(bytes));
			if (n == 0 || (n < 0 && errno != EAGAIN)) {
				fprintf(stderr, "qs1-poll: the port is gone: %s\n",
					n ? strerror(errno) : "end of file");
				return 1;
			}
			poll_input(&poller, bytes, n > 0 ? (size_t)n : 0, now_us());
		}
		poll_run(&poller, now_us());
		if (poller.rounds > shown) {
			shown = poller.rounds;
			print_round();
		}
	}
	for (int i = 0; i < poller.units; i++) {
		if (poller.unit[i].answered == 0) {
			return 1;
		}
	}
	return 0;
}

static const struct argp_option options[] = {
	{ "port", 'p', "DEVICE", 0, "the modem's serial port", 0 },
	{ "ecu", 'e', "HEX", 0, "identity of the ECU, 12 digits (D8A3011B9780)", 0 },
	{ "own", 'o', NULL, 0, "our status instead of the stock poll", 0 },
	{ "period", 't', "S", 0, "from round to round (1)", 0 },
	{ "rounds", 'n', "N", 0, "end after so many; 0 for never (0)", 0 },
	{ 0 },
};

static void add_unit(const char *text, struct argp_state *state)
{
	char digits[SERIAL_TEXT_SIZE] = "";
	struct serial serial;
	unsigned long address = 0;
	char *end = NULL;

	if (strlen(text) == SERIAL_DIGITS + 5 && text[SERIAL_DIGITS] == ':') {
		memcpy(digits, text, SERIAL_DIGITS);
		address = strtoul(text + SERIAL_DIGITS + 1, &end, 16);
	}
	if (!end || *end || serial_parse(digits, &serial) < 0) {
		argp_error(state,
			   "expected a serial number of 12 decimal digits, ':' and 4 hexadecimal "
			   "digits, found '%s'",
			   text);
	}
	if (poll_add(&poller, &serial, (uint16_t)address) < 0) {
		argp_error(state, "expected no more than %d units", POLL_UNITS_MAX);
	}
}

static error_t parse(int key, char *text, struct argp_state *state)
{
	double period;
	char *end;

	switch (key) {
	case 'p':
		device = text;
		return 0;
	case 'e':
		if (poll_ecu_parse(text, config.ecu) < 0) {
			argp_error(state, "--ecu: expected 12 hexadecimal digits, found '%s'",
				   text);
		}
		return 0;
	case 'o':
		config.kind = POLL_OWN;
		return 0;
	case 't':
		period = strtod(text, &end);
		if (!*text || *end || !(period >= 0 && period <= 86400)) {
			argp_error(state, "--period: expected 0 to 86400 s, found '%s'", text);
		}
		config.period_us = (uint64_t)(period * 1e6);
		return 0;
	case 'n':
		rounds = strtoull(text, &end, 10);
		if (!*text || *end) {
			argp_error(state, "--rounds: expected a number, found '%s'", text);
		}
		return 0;
	case ARGP_KEY_ARG:
		add_unit(text, state);
		return 0;
	case ARGP_KEY_END:
		if (!device || poller.units == 0) {
			argp_error(state, "expected --port and at least one unit");
		}
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int main(int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "SERIAL:ADDRESS...",
		.doc = "Read inverters through a ZNP modem. ADDRESS is the short address, 4 "
		       "hexadecimal digits. Ends with 1 if a unit never answered.",
	};
	int ret;

	argp_err_exit_status = 2;
	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	port = open(device, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	ret = port < 0 ? -errno : set_speed(B115200);
	if (ret < 0) {
		fprintf(stderr, "qs1-poll: %s: %s\n", device, strerror(-ret));
		return 1;
	}
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	poll_init(&poller, &config, to_modem, pull_reset, NULL);
	poll_start(&poller, now_us());
	return serve();
}
