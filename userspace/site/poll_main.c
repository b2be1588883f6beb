// SPDX-License-Identifier: GPL-2.0-only
/* qs1-poll: read inverters through a ZNP modem on a serial port, and show what they say. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <qs1/codes.h>

#include "poller.h"
#include "util.h"

/* How long the reset line is held, ms. */
#define RESET_MS 100
#define WAIT_MS 100

static struct poll poller;
static int port = -1;
static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
	(void)number;
	stopped = 1;
}

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void to_modem(void *ctx, const uint8_t *bytes, size_t n)
{
	(void)ctx;
	/* What the port does not take counts as lost on the way: the poller asks again. */
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

static int serve(uint64_t rounds)
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

static const char usage[] =
	"usage: qs1-poll [OPTION]... SERIAL:ADDRESS...\n"
	"Read inverters through a ZNP modem. ADDRESS is the short address, 4 hexadecimal digits.\n"
	"  -p, --port DEVICE   the modem's serial port\n"
	"  -e, --ecu HEX       identity of the ECU, 12 digits (D8A3011B9780)\n"
	"  -o, --own           our status instead of the stock poll\n"
	"  -t, --period S      from round to round (1)\n"
	"  -n, --rounds N      end after so many; 0 for never (0)\n"
	"Ends with 1 if a unit never answered.\n";

static _Noreturn void fail(const char *what, const char *expected)
{
	fprintf(stderr, "qs1-poll: %s: expected %s\n", what, expected);
	exit(2);
}

static void add_unit(const char *text)
{
	static const char expected[] =
		"a serial number of 12 decimal digits, ':' and 4 hexadecimal digits";
	char digits[SERIAL_TEXT_SIZE] = "";
	struct serial serial;
	char *end;
	unsigned long address;

	if (strlen(text) != SERIAL_DIGITS + 5 || text[SERIAL_DIGITS] != ':') {
		fail(text, expected);
	}
	memcpy(digits, text, SERIAL_DIGITS);
	address = strtoul(text + SERIAL_DIGITS + 1, &end, 16);
	if (*end || serial_parse(digits, &serial) < 0) {
		fail(text, expected);
	}
	if (poll_add(&poller, &serial, (uint16_t)address) < 0) {
		fail(text, "no more than 256 units");
	}
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "port", required_argument, NULL, 'p' },
		{ "ecu", required_argument, NULL, 'e' },
		{ "own", no_argument, NULL, 'o' },
		{ "period", required_argument, NULL, 't' },
		{ "rounds", required_argument, NULL, 'n' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct poll_config config = { .channel = POLL_CHANNEL, .period_us = 1000000 };
	const char *device = NULL;
	uint64_t rounds = 0;
	double period;
	char *end;
	int ret;
	int c;

	poll_ecu_parse("D8A3011B9780", config.ecu);
	while ((c = getopt_long(argc, argv, "p:e:ot:n:h", options, NULL)) != -1) {
		switch (c) {
		case 'p':
			device = optarg;
			break;
		case 'e':
			if (poll_ecu_parse(optarg, config.ecu) < 0) {
				fail(optarg, "12 hexadecimal digits");
			}
			break;
		case 'o':
			config.kind = POLL_OWN;
			break;
		case 't':
			period = strtod(optarg, &end);
			if (!*optarg || *end || !(period >= 0 && period <= 86400)) {
				fail(optarg, "seconds, 0 to 86400");
			}
			config.period_us = (uint64_t)(period * 1e6);
			break;
		case 'n':
			rounds = strtoull(optarg, &end, 10);
			if (!*optarg || *end) {
				fail(optarg, "a number of rounds");
			}
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (!device || optind == argc) {
		fputs(usage, stderr);
		return 2;
	}
	poll_init(&poller, &config, to_modem, pull_reset, NULL);
	for (int i = optind; i < argc; i++) {
		add_unit(argv[i]);
	}
	port = open(device, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	ret = port < 0 ? -errno : set_speed(B115200);
	if (ret < 0) {
		fprintf(stderr, "qs1-poll: %s: %s\n", device, strerror(-ret));
		return 1;
	}
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	poll_start(&poller, now_us());
	return serve(rounds);
}
