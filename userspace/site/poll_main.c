// SPDX-License-Identifier: GPL-2.0-only
/* qs1-poll: read inverters through a ZNP modem on a serial port and print their readings. */
#include <argp.h>
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "clock.h"
#include "marks.h"
#include "names.h"
#include "port.h"
#include "radio.h"

#define WAIT_MS 100
/* Between two marks; no multiple of a half cycle of 50 or 60 Hz. */
#define MARK_US 137000
/* Time for the answers after the last mark. */
#define ANGLES_US 30000000

/* A unit that has failed so often in a round is done with it. */
#define ROUND_FAILURES 2
/* Shortest period, us: from round to round "at once". */
#define PERIOD_MIN_US 200000

/* Counters and the last answer of a unit. */
static struct {
	uint64_t asked;
	uint64_t answered;
	uint8_t lqi;
	int64_t l2[L2_TELEMETRY_COUNT];
	int64_t status[OWN_STATUS_COUNT];
	bool fresh;		/* answered in this round */
	int failures;		/* in this round */
	double deg[MARKS_KEPT]; /* NAN for a mark that it has not heard */
	int angles;		/* marks whose angles were asked for and came, or are missing */
} unit[MODEL_UNITS_MAX];

static struct radio radio;
static int port = -1;
static volatile sig_atomic_t stopped;
static uint64_t round_start_us;
static int marks_sent;

static struct {
	const char *device;
	uint8_t ecu[JOIN_ECU_BYTES];
	enum model_make make;
	uint64_t period_us;
	uint64_t rounds;
	int marks;
	int units;
	struct serial serial[MODEL_UNITS_MAX];
	uint16_t address[MODEL_UNITS_MAX];
} config = {
	.ecu = { 0xd8, 0xa3, 0x01, 0x1b, 0x97, 0x80 },
	.make = MAKE_STOCK,
	.period_us = 1000000,
};

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
	/* Bytes that the port does not accept are lost: the radio retries. */
	if (write(port, bytes, n) < 0 && errno != EAGAIN) {
		fprintf(stderr, "qs1-poll: write: %s\n", strerror(errno));
		stopped = 1;
	}
}

static void pull_reset(void *ctx)
{
	(void)ctx;
	port_reset(port);
}

static void random_bytes(void *ctx, uint8_t *bytes, size_t n)
{
	(void)ctx;
	randombytes_buf(bytes, n);
}

static void note_answer(const struct radio_reply *reply)
{
	unit[reply->unit].asked++;
	unit[reply->unit].answered++;
	unit[reply->unit].lqi = reply->lqi;
	unit[reply->unit].fresh = true;
}

static void on_status(void *ctx, const struct radio_reply *reply,
		      const struct own_identity *identity, const int64_t raw[OWN_STATUS_COUNT])
{
	(void)ctx;
	(void)identity;
	memcpy(unit[reply->unit].status, raw, sizeof(unit[0].status));
	note_answer(reply);
}

static void on_telemetry(void *ctx, const struct radio_reply *reply,
			 const int64_t raw[L2_TELEMETRY_COUNT])
{
	(void)ctx;
	memcpy(unit[reply->unit].l2, raw, sizeof(unit[0].l2));
	note_answer(reply);
}

static void on_failed(void *ctx, int index, enum plan_job job, uint64_t us)
{
	(void)ctx;
	(void)us;
	if (job == JOB_POLL) {
		unit[index].asked++;
		unit[index].failures++;
	}
}

static void on_marked(void *ctx, bool sent, uint64_t us)
{
	(void)ctx;
	(void)sent;
	(void)us;
	marks_sent++;
}

/* Marks are numbered from 0. */
static uint16_t on_angles_from(void *ctx, int index)
{
	(void)ctx;
	return (uint16_t)unit[index].angles;
}

static void on_angles(void *ctx, const struct radio_reply *reply, const uint8_t *body, size_t n)
{
	struct own_angle angle;
	int records = 0;

	(void)ctx;
	for (; own_angle_parse(body, n, &angle) == 0 && angle.mark < config.marks; records++) {
		unit[reply->unit].deg[angle.mark] = angle.deg;
		unit[reply->unit].angles = angle.mark + 1;
		body += OWN_ANGLE_BYTES;
		n -= OWN_ANGLE_BYTES;
	}
	if (records < OWN_ANGLES_MAX) {
		unit[reply->unit].angles = config.marks;
	}
}

/* What a reader has no use for. */
static void on_state(void *ctx, bool up, const char *text)
{
	(void)ctx;
	(void)up;
	(void)text;
}

static void on_foreign(void *ctx, uint16_t pan)
{
	(void)ctx;
	fprintf(stderr, "qs1-poll: another coordinator on the channel, PAN %04X\n", pan);
}

static void on_info(void *ctx, const struct radio_reply *reply, const struct l2_info *info)
{
	(void)ctx;
	(void)reply;
	(void)info;
}

static void on_link(void *ctx, int index, enum model_link link)
{
	(void)ctx;
	(void)index;
	(void)link;
}

static void on_paired(void *ctx, int index, uint16_t address, const struct seal_key *key)
{
	(void)ctx;
	(void)index;
	(void)address;
	(void)key;
}

/* It sends no commands, and asks for no events. */
static const struct radio_ops ops = {
	.to_modem = to_modem,
	.hard_reset = pull_reset,
	.random = random_bytes,
	.state = on_state,
	.foreign = on_foreign,
	.status = on_status,
	.telemetry = on_telemetry,
	.info = on_info,
	.angles = on_angles,
	.angles_from = on_angles_from,
	.marked = on_marked,
	.failed = on_failed,
	.link = on_link,
	.paired = on_paired,
};

static double l2(int i, enum l2_telemetry_field field)
{
	return field_physical(&l2_telemetry_field[field], unit[i].l2[field]);
}

static double own(int i, enum own_status_field field)
{
	return field_physical(&own_status_field[field], unit[i].status[field]);
}

/* "nan" where there is no reading. */
static void print_unit(int i)
{
	char serial[SERIAL_TEXT_SIZE];

	printf("%s %04X ", serial_format(serial, &radio.unit[i].serial), radio.unit[i].address);
	if (unit[i].answered == 0) {
		printf("no reply to %llu requests\n", (unsigned long long)unit[i].asked);
		return;
	}
	if (config.make == MAKE_STOCK) {
		printf("%.1f V %.3f Hz %.1f C  A %.2f V %.3f A  B %.2f V %.3f A  C %.2f V %.3f A  "
		       "D %.2f V %.3f A",
		       l2(i, L2_GRID), l2(i, L2_FREQUENCY), l2(i, L2_TEMP), l2(i, L2_VOLTAGE_A),
		       l2(i, L2_CURRENT_A), l2(i, L2_VOLTAGE_B), l2(i, L2_CURRENT_B),
		       l2(i, L2_VOLTAGE_C), l2(i, L2_CURRENT_C), l2(i, L2_VOLTAGE_D),
		       l2(i, L2_CURRENT_D));
	} else {
		printf("%s %.2f V %.3f Hz %.1f W %.1f var %.1f C %.3f Wh",
		       qs1_state_name((unsigned int)unit[i].status[OWN_STATE]), own(i, OWN_GRID_V),
		       own(i, OWN_GRID_F), own(i, OWN_GRID_P), own(i, OWN_GRID_Q),
		       own(i, OWN_CASE_TEMP), own(i, OWN_GRID_ENERGY));
	}
	printf("  quality %d %%  %llu of %llu\n", unit[i].lqi * 100 / 255,
	       (unsigned long long)unit[i].answered, (unsigned long long)unit[i].asked);
}

/* Every unit has answered, or failed often enough. */
static bool round_is_over(void)
{
	for (int i = 0; i < config.units; i++) {
		if (!unit[i].fresh && unit[i].failures < ROUND_FAILURES) {
			return false;
		}
	}
	return true;
}

static void print_round(uint64_t number)
{
	int fresh = 0;

	for (int i = 0; i < config.units; i++) {
		print_unit(i);
		fresh += unit[i].fresh;
		unit[i].fresh = false;
		unit[i].failures = 0;
	}
	printf("round %llu: %d of %d in %.0f ms, %llu resets of the modem, %llu answers refused\n",
	       (unsigned long long)number, fresh, config.units,
	       (double)(now_us() - round_start_us) / 1000,
	       (unsigned long long)radio.host.all_resets, (unsigned long long)radio.refused);
	fflush(stdout);
	round_start_us = now_us();
}

/* Wait for the modem or for time, and take what there is. False when the port is gone. */
static bool turn(void)
{
	uint64_t now = now_us();
	uint64_t wait_ms = radio.due_us > now ? (radio.due_us - now) / 1000 + 1 : 0;
	struct pollfd fd = { .fd = port, .events = POLLIN };
	uint8_t bytes[512];
	ssize_t n;

	if (poll(&fd, 1, wait_ms < WAIT_MS ? (int)wait_ms : WAIT_MS) > 0) {
		n = read(port, bytes, sizeof(bytes));
		if (n == 0 || (n < 0 && errno != EAGAIN)) {
			fprintf(stderr, "qs1-poll: the port was closed: %s\n",
				n ? strerror(errno) : "end of file");
			return false;
		}
		radio_bytes(&radio, bytes, n > 0 ? (size_t)n : 0, now_us());
	}
	radio_run(&radio, now_us());
	return true;
}

/* Read units, round after round. */
static int serve(void)
{
	uint64_t shown = 0;

	round_start_us = now_us();
	while (!stopped && (config.rounds == 0 || shown < config.rounds)) {
		if (!turn()) {
			return 1;
		}
		if (round_is_over()) {
			print_round(++shown);
		}
	}
	for (int i = 0; i < config.units; i++) {
		if (unit[i].answered == 0) {
			return 1;
		}
	}
	return 0;
}

/* The next unit whose angles are missing; -1 for none. */
static int next_without_angles(void)
{
	for (int i = 0; i < config.units; i++) {
		if (unit[i].angles < config.marks) {
			return i;
		}
	}
	return -1;
}

/* Angles against that of the first unit: the grid's own angle differs from mark to mark. */
static void print_mark(int mark)
{
	printf("mark %d:", mark);
	for (int i = 0; i < config.units; i++) {
		printf(" %.2f", remainder(unit[i].deg[mark] - unit[0].deg[mark], 360));
	}
	putchar('\n');
}

/* Broadcast marks, and collect the angles at them. */
static int measure_angles(void)
{
	uint64_t until_us;
	int i;

	while (!stopped && marks_sent < config.marks) {
		int before = marks_sent;

		radio_mark(&radio, (uint16_t)marks_sent, now_us());
		while (!stopped && marks_sent == before) {
			if (!turn()) {
				return 1;
			}
		}
		for (until_us = now_us() + MARK_US; !stopped && now_us() < until_us;) {
			if (!turn()) {
				return 1;
			}
		}
	}
	until_us = now_us() + ANGLES_US;
	while (!stopped && (i = next_without_angles()) >= 0 && now_us() < until_us) {
		radio_want(&radio, i, JOB_ANGLES, now_us());
		if (!turn()) {
			return 1;
		}
	}
	for (int mark = 0; mark < config.marks; mark++) {
		print_mark(mark);
	}
	return next_without_angles() >= 0;
}

static const struct argp_option options[] = {
	{ "port", 'p', "DEVICE", 0, "the modem's serial port", 0 },
	{ "ecu", 'e', "HEX", 0, "identity of the ECU, 12 digits (D8A3011B9780)", 0 },
	{ "own", 'o', NULL, 0, "our status instead of the stock poll", 0 },
	{ "period", 't', "S", 0, "from round to round (1)", 0 },
	{ "rounds", 'n', "N", 0, "end after so many; 0 for never (0)", 0 },
	{ "marks", 'm', "N", 0,
	  "after the rounds, broadcast so many marks, up to 32, and print the units' angles at them, in degrees "
	  "against the first unit",
	  0 },
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
	if (config.units == MODEL_UNITS_MAX) {
		argp_error(state, "expected no more than %d units", MODEL_UNITS_MAX);
	}
	config.serial[config.units] = serial;
	config.address[config.units++] = (uint16_t)address;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
	double period;
	char *end;

	switch (key) {
	case 'p':
		config.device = text;
		return 0;
	case 'e':
		if (join_ecu_parse(text, config.ecu) < 0) {
			argp_error(state, "--ecu: expected 12 hexadecimal digits, found '%s'",
				   text);
		}
		return 0;
	case 'o':
		config.make = MAKE_OURS;
		return 0;
	case 't':
		period = strtod(text, &end);
		if (!*text || *end || !(period >= 0 && period <= 86400)) {
			argp_error(state, "--period: expected 0 to 86400 s, found '%s'", text);
		}
		config.period_us = (uint64_t)(period * 1e6);
		return 0;
	case 'n':
		config.rounds = strtoull(text, &end, 10);
		if (!*text || *end) {
			argp_error(state, "--rounds: expected a number, found '%s'", text);
		}
		return 0;
	case 'm':
		config.marks = (int)strtol(text, &end, 10);
		if (!*text || *end || config.marks < 1 || config.marks > MARKS_KEPT) {
			argp_error(state, "--marks: expected 1 to %d, found '%s'", MARKS_KEPT,
				   text);
		}
		return 0;
	case ARGP_KEY_ARG:
		add_unit(text, state);
		return 0;
	case ARGP_KEY_END:
		if (!config.device || config.units == 0) {
			argp_error(state, "expected --port and at least one unit");
		}
		if (config.marks && (config.make != MAKE_OURS || !config.rounds)) {
			argp_error(state,
				   "--marks needs --own and --rounds: stock units have no angles");
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
	port = port_open(config.device);
	if (port < 0) {
		fprintf(stderr, "qs1-poll: %s: %s\n", config.device, strerror(-port));
		return 1;
	}
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	radio_init(&radio, config.ecu, JOIN_CHANNEL,
		   config.period_us > PERIOD_MIN_US ? config.period_us : PERIOD_MIN_US, now_us(),
		   &ops, NULL);
	for (int i = 0; i < config.units; i++) {
		radio_add(&radio, &config.serial[i], config.make, config.address[i], NULL, 0);
	}
	for (int i = 0; i < config.units; i++) {
		for (int mark = 0; mark < MARKS_KEPT; mark++) {
			unit[i].deg[mark] = (double)NAN;
		}
	}
	radio_open(&radio, now_us());
	ret = serve();
	return ret == 0 && config.marks ? measure_angles() : ret;
}
