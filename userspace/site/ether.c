// SPDX-License-Identifier: GPL-2.0-only
/*
 * qs1-ether: the air of a simulated site. Modems are pseudo terminals; simulated units with a
 * steady power answer by themselves; commands come on standard input, and the frames may go to a
 * capture file.
 */
#include <argp.h>
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "console.h"
#include "inverter.h"
#include "medium.h"
#include "join.h"
#include "steady.h"
#include "util.h"

/* The units' policy decides this often, us. */
#define STEP_US (POLICY_TICK_MS * 1000)
#define FIRST_ADDRESS 0x1001
#define WORDS 5

static struct {
	struct medium medium;
	struct unit {
		struct inverter inverter;
		struct steady steady;
	} unit[MEDIUM_UNITS];
	int units;
	double speed;
	double watts;
	uint64_t step_us;
	int64_t start_us;
} ether = { .speed = 1, .watts = 200 };

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
	(void)number;
	stopped = 1;
}

static uint64_t virtual_now(void)
{
	return (uint64_t)((double)(clock_us(CLOCK_MONOTONIC) - ether.start_us) * ether.speed);
}

static int add_unit(const struct qs1_profile *profile, uint16_t pan, uint8_t channel)
{
	struct unit *unit = &ether.unit[ether.units];
	struct air_radio_config radio = {
		.channel = channel,
		.pan = pan,
		.address = (uint16_t)(FIRST_ADDRESS + ether.units),
	};
	struct inverter_config config = {
		.profile = *profile,
		.stock_ms = INT64_MAX,
		.start_wall_ms = (int64_t)time(NULL) * 1000,
		.version = 1000,
	};
	char text[LABEL_TEXT_SIZE];
	int number;

	inverter_label(ether.units + 1, &config.serial, config.code);
	steady_init(&unit->steady, ether.watts);
	number = inverter_init(&unit->inverter, ether.medium.air, &radio, &config, &steady_firmware,
			       &unit->steady);
	if (number < 0) {
		return number;
	}
	medium_add_unit(&ether.medium, number);
	inverter_run(&unit->inverter, air_now(ether.medium.air));
	printf("unit %s %04X ", serial_format(text, &config.serial), radio.address);
	printf("%s\n", label_format(text, &config.serial, config.code));
	ether.units++;
	return 0;
}

/* Power of a module in W, or NAN. */
static double watts_of(const char *text)
{
	char *end = NULL;
	double watts = text ? strtod(text, &end) : -1;

	return text && *text && !*end && watts >= 0 && watts <= 500 ? watts : (double)NAN;
}

static bool do_unit(char **word)
{
	/* units count from 1, as in scenarios */
	char *end = NULL;
	long number = word[1] ? strtol(word[1], &end, 10) : 0;
	bool ground = word[2] && !strcmp(word[2], "ground");
	int on = medium_switch(word[ground ? 3 : 2]);
	double watts = watts_of(word[2]);
	struct unit *unit;

	if (number < 1 || number > ether.units || *end || (on < 0 && isnan(watts))) {
		return false;
	}
	unit = &ether.unit[number - 1];
	if (ground) {
		steady_ground(&unit->steady, on);
	} else if (on >= 0) {
		node_power(&unit->inverter.node, on);
	} else {
		unit->steady.module_w = watts;
	}
	return true;
}

static bool do_quit(char **word)
{
	(void)word;
	stopped = 1;
	return true;
}

static const struct {
	const char *word;
	bool (*run)(char **word);
	const char *usage;
} command[] = {
	{ "unit", do_unit,
	  "unit N on|off | unit N ground on|off | unit N W: power of each module" },
	{ "quit", do_quit, "quit" },
};

static void do_line(char *line)
{
	char *word[WORDS + 1] = { NULL };
	char err[160];
	int words = 0, ret;

	for (char *at = strtok(line, " \t\n"); at && words < WORDS; at = strtok(NULL, " \t\n")) {
		word[words++] = at;
	}
	if (!word[0] || word[0][0] == '#') {
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(command); i++) {
		if (strcmp(command[i].word, word[0])) {
			continue;
		}
		if (!command[i].run(word)) {
			printf("expected: %s\n", command[i].usage);
		}
		return;
	}
	ret = medium_command(&ether.medium, word, err, sizeof(err));
	if (ret == -EINVAL) {
		puts(err);
	}
	if (ret != -ENOENT) {
		return;
	}
	printf("%s: no such command; there are:\n", word[0]);
	for (size_t i = 0; i < ARRAY_SIZE(command); i++) {
		printf("  %s\n", command[i].usage);
	}
	medium_help(stdout);
}

/* False at the end of standard input. */
static bool read_console(void)
{
	static char text[1024];
	static struct console console = { text, sizeof(text), 0 };
	int ret = console_read(&console, do_line);

	if (ret == -EMSGSIZE) {
		puts("line too long");
	}
	fflush(stdout);
	return ret != 0;
}

static int timeout_ms(void)
{
	uint64_t next = air_next(ether.medium.air);
	uint64_t now = air_now(ether.medium.air);
	double ms;

	if (next <= now) {
		return 0;
	}
	ms = (double)(next - now) / 1000 / ether.speed;
	return ms < MODEM_LINE_MS ? (int)ms : MODEM_LINE_MS;
}

static void pass_time(void)
{
	uint64_t now = virtual_now();
	uint64_t before = air_now(ether.medium.air);

	now = now > before ? now : before;
	air_run(ether.medium.air, now);
	if (now < ether.step_us) {
		return;
	}
	ether.step_us = now + STEP_US;
	for (int i = 0; i < ether.units; i++) {
		steady_run(&ether.unit[i].steady, now);
		inverter_run(&ether.unit[i].inverter, now);
	}
}

static void serve(uint64_t until_us)
{
	bool console = true;

	while (!stopped && air_now(ether.medium.air) < until_us) {
		struct pollfd fds[MEDIUM_PORTS + 1];
		int ports = ether.medium.ports;

		for (int i = 0; i < ports; i++) {
			fds[i] = (struct pollfd){ .fd = ether.medium.port[i].fd, .events = POLLIN };
		}
		fds[ports] = (struct pollfd){ .fd = console ? STDIN_FILENO : -1, .events = POLLIN };
		if (poll(fds, (nfds_t)ports + 1, timeout_ms()) < 0 && errno != EINTR) {
			break;
		}
		pass_time();
		medium_hosts(&ether.medium);
		if (fds[ports].revents) {
			console = read_console();
		}
	}
}

/* Settings of the command line. */
static struct {
	double modems;
	double units;
	double seed;
	double seconds;
	double level_dbm;
	enum modem_chip chip;
	uint8_t ecu[6];
	const char *capture;
	const char *folder;
	const char *profile;
} setting = {
	.modems = 1,
	.seed = 1,
	.seconds = 1e12,
	.level_dbm = -60,
	.ecu = { 0xd8, 0xa3, 0x01, 0x1b, 0x97, 0x80 },
	.profile = "ieee1547-2018-cat3",
};

static const struct argp_option options[] = {
	{ "modems", 'm', "N", 0, "modems, the first for a coordinator (1)", 0 },
	{ "chip", 'c', "NAME", 0, "cc2530 or cc2652 (cc2530)", 0 },
	{ "units", 'u', "N", 0, "simulated units that answer by themselves (0)", 0 },
	{ "ecu", 'e', "HEX", 0, "identity of the ECU, which gives the PAN (D8A3011B9780)", 0 },
	{ "level", 'l', "DBM", 0, "of every radio at every other (-60)", 0 },
	{ "watts", 'w', "W", 0, "of each module of the simulated units (200)", 0 },
	{ "profile", 'g', "NAME", 0, "grid profile of the units (ieee1547-2018-cat3)", 0 },
	{ "pcap", 'p', "FILE", 0, "capture of all frames", 0 },
	{ "folder", 'd', "DIR", 0, "links modem0, modem1, ... to the pseudo terminals", 0 },
	{ "seed", 's', "N", 0, "of the random numbers (1)", 0 },
	{ "speed", 'x', "X", 0, "virtual seconds a second (1)", 0 },
	{ "for", 'f', "S", 0, "end after this many virtual seconds", 0 },
	{ 0 },
};

static const struct {
	int key;
	double *value;
	double min;
	double max;
} number[] = {
	{ 'm', &setting.modems, 0, MEDIUM_PORTS },
	{ 'u', &setting.units, 0, MEDIUM_UNITS },
	{ 'l', &setting.level_dbm, AIR_SILENT_DBM, 20 },
	{ 'w', &ether.watts, 0, 500 },
	{ 's', &setting.seed, 0, 1e15 },
	{ 'x', &ether.speed, 0.01, 1000 },
	{ 'f', &setting.seconds, 0.001, 1e9 },
};

/* An option whose value is a number; false for another. */
static bool take_number(int key, const char *text, struct argp_state *state)
{
	for (size_t i = 0; i < ARRAY_SIZE(number); i++) {
		char *end;
		double value;

		if (number[i].key != key) {
			continue;
		}
		value = strtod(text, &end);
		if (!*text || *end || !(value >= number[i].min && value <= number[i].max)) {
			argp_error(state, "-%c: expected a number from %g to %g, found '%s'", key,
				   number[i].min, number[i].max, text);
		}
		*number[i].value = value;
		return true;
	}
	return false;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
	if (text && take_number(key, text, state)) {
		return 0;
	}
	switch (key) {
	case 'c':
		if (strcmp(text, "cc2530") && strcmp(text, "cc2652")) {
			argp_error(state, "--chip: expected cc2530 or cc2652, found '%s'", text);
		}
		setting.chip = strcmp(text, "cc2530") ? MODEM_CC2652 : MODEM_CC2530;
		return 0;
	case 'e':
		if (join_ecu_parse(text, setting.ecu) < 0) {
			argp_error(state, "--ecu: expected 12 hexadecimal digits, found '%s'",
				   text);
		}
		return 0;
	case 'g':
		setting.profile = text;
		return 0;
	case 'p':
		setting.capture = text;
		return 0;
	case 'd':
		setting.folder = text;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument '%s'", text);
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* The air and all that is on it. */
static int set_up(void)
{
	const struct medium_config config = {
		.seed = (uint64_t)setting.seed,
		.level_dbm = setting.level_dbm,
		.channel = JOIN_CHANNEL,
		.capture = setting.capture,
		.folder = setting.folder,
	};
	struct qs1_profile profile;
	char err[QS1_PROFILE_ERR_SIZE];
	int ret = setting.units > 0 ? inverter_profile(setting.profile, &profile, err, sizeof(err))
				    : 0;

	if (ret < 0) {
		fprintf(stderr, "qs1-ether: %s\n", err);
		return ret;
	}
	ret = medium_init(&ether.medium, &config);
	for (int i = 0; ret >= 0 && i < (int)setting.modems; i++) {
		const struct modem_port *port = &ether.medium.port[i];

		ret = medium_add_port(&ether.medium, setting.chip);
		if (ret >= 0) {
			printf("modem %d %s %04X\n", i, port->name, port->modem.config.address);
		}
	}
	for (int i = 0; ret >= 0 && i < (int)setting.units; i++) {
		ret = add_unit(&profile, join_pan(setting.ecu), JOIN_CHANNEL);
	}
	return ret;
}

int main(int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.doc = "The air of a simulated site: 802.15.4 between modems on pseudo terminals "
		       "and units. Commands are read from standard input; an unknown one lists "
		       "them.",
	};
	int ret;

	argp_err_exit_status = 2;
	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	ret = set_up();
	if (ret < 0) {
		fprintf(stderr, "qs1-ether: %s\n", strerror(-ret));
		return 1;
	}
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	puts("ready");
	fflush(stdout);
	ether.start_us = clock_us(CLOCK_MONOTONIC);
	serve((uint64_t)(setting.seconds * 1e6));
	if (medium_free(&ether.medium) < 0) {
		fprintf(stderr, "qs1-ether: %s: cannot be written\n", setting.capture);
		return 1;
	}
	return 0;
}
