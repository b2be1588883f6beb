// SPDX-License-Identifier: GPL-2.0-only
/*
 * qs1-ether: the air of a simulated site. Modems are pseudo terminals; simulated units answer by
 * themselves; commands come on standard input, and the frames may go to a capture file.
 */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>

#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "inverter.h"
#include "modem.h"
#include "pcap.h"
#include "poller.h"
#include "steady.h"
#include "util.h"

#define MODEMS_MAX 16
#define NODES_MAX 100
/* The reset line of a pseudo terminal is looked at this often, ms. */
#define LINE_MS 20
/* The units' policy decides this often, us. */
#define STEP_US (POLICY_TICK_MS * 1000)
/* A frame of a foreign coordinator, us. */
#define FOREIGN_US 100000
#define FIRST_ADDRESS 0x1001

struct port {
	struct modem modem;
	int fd;
	bool held; /* the host holds the reset line */
};

static struct {
	struct air *air;
	struct port port[MODEMS_MAX];
	int ports;
	struct unit {
		struct inverter inverter;
		struct steady steady;
	} unit[NODES_MAX];
	int units;
	int interferer;
	int foreign;
	bool foreign_on;
	uint8_t foreign_seq;
	double level_dbm;
	double speed;
	double watts;
	uint64_t step_us;
	FILE *capture;
	struct timespec start;
} ether = { .level_dbm = -60, .speed = 1, .watts = 200 };

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
	(void)number;
	stopped = 1;
}

static uint64_t virtual_now(void)
{
	struct timespec now;
	double us;

	clock_gettime(CLOCK_MONOTONIC, &now);
	us = (double)(now.tv_sec - ether.start.tv_sec) * 1e6 +
	     (double)(now.tv_nsec - ether.start.tv_nsec) * 1e-3;
	return (uint64_t)(us * ether.speed);
}

static void to_host(void *ctx, const uint8_t *bytes, size_t n)
{
	struct port *port = ctx;

	/* A host that does not read loses bytes, as with a serial line. */
	if (write(port->fd, bytes, n) < 0 && errno != EAGAIN) {
		fprintf(stderr, "modem %d: %s\n", (int)(port - ether.port), strerror(errno));
	}
}

static void to_capture(void *ctx, uint64_t start_us, int radio, const uint8_t *frame, size_t n)
{
	(void)ctx;
	(void)radio;
	if (pcap_write(ether.capture, start_us, frame, n) < 0) {
		fprintf(stderr, "capture: %s\n", strerror(EIO));
	}
}

static void foreign_alarm(void *ctx, uint64_t now_us, int alarm)
{
	/* superframe of a coordinator without beacons, nothing pending */
	static const uint8_t beacon[] = { 0xff, 0xcf, 0x00, 0x00 };
	struct mac_frame mac = {
		.type = MAC_BEACON,
		.seq = ether.foreign_seq++,
		.src = { MAC_MODE_SHORT, 0xbeef, 0x0000 },
		.payload = beacon,
		.n = sizeof(beacon),
	};
	uint8_t frame[MAC_FRAME_MAX];
	int n = mac_build(&mac, frame, sizeof(frame));

	(void)ctx;
	(void)alarm;
	if (!ether.foreign_on) {
		return;
	}
	air_send(ether.air, ether.foreign, frame, (size_t)n);
	air_alarm(ether.air, ether.foreign, 0, now_us + FOREIGN_US);
}

static const struct air_ops foreign_ops = { .alarm = foreign_alarm };

/* All others hear a new radio, and it them. */
static int add_levels(int number)
{
	for (int i = 0; i < number; i++) {
		air_level(ether.air, i, number, ether.level_dbm);
		air_level(ether.air, number, i, ether.level_dbm);
	}
	return number;
}

/* A pseudo terminal that stays open, raw; its slave's name is printed. */
static int open_port(struct port *port, const char *folder)
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	int number = (int)(port - ether.port);
	struct termios termios;
	const char *name;
	char link[512];
	int slave;

	if (fd < 0 || grantpt(fd) < 0 || unlockpt(fd) < 0 || !(name = ptsname(fd))) {
		return -errno;
	}
	slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0 || tcgetattr(slave, &termios) < 0) {
		return -errno;
	}
	cfmakeraw(&termios);
	cfsetspeed(&termios, B115200);
	tcsetattr(slave, TCSANOW, &termios);
	port->fd = fd;
	printf("modem %d %s %04X\n", number, name, port->modem.config.address);
	if (folder) {
		snprintf(link, sizeof(link), "%s/modem%d", folder, number);
		unlink(link);
		if (symlink(name, link) < 0) {
			return -errno;
		}
	}
	return 0;
}

static int add_port(enum modem_chip chip, const char *folder)
{
	struct port *port = &ether.port[ether.ports];
	struct modem_config config = {
		.chip = chip,
		/* the first is the coordinator's */
		.address = ether.ports ? (uint16_t)(FIRST_ADDRESS + NODES_MAX + ether.ports) : 0,
		.ieee = UINT64_C(0x00124b0000000000) + (uint64_t)ether.ports,
	};
	int number = modem_init(&port->modem, ether.air, &config, to_host, port);
	int ret = number < 0 ? number : open_port(port, folder);

	if (ret < 0) {
		return ret;
	}
	add_levels(number);
	ether.ports++;
	return 0;
}

/* Install codes that a test can know: the unit's number, repeated. */
static void install_code(int number, uint8_t code[INSTALL_CODE_BYTES])
{
	for (int i = 0; i < INSTALL_CODE_BYTES; i++) {
		code[i] = (uint8_t)(number + i);
	}
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
		.stock = true,
		.start_wall_ms = (int64_t)time(NULL) * 1000,
		.version = 1000,
	};
	char text[LABEL_TEXT_SIZE];
	int number;

	snprintf(text, sizeof(text), "8060%08d", ether.units + 1);
	serial_parse(text, &config.serial);
	install_code(ether.units + 1, config.code);
	steady_init(&unit->steady, ether.watts);
	number = inverter_init(&unit->inverter, ether.air, &radio, &config, &steady_firmware,
			       &unit->steady);
	if (number < 0) {
		return number;
	}
	add_levels(number);
	inverter_run(&unit->inverter, air_now(ether.air));
	printf("unit %s %04X ", text, radio.address);
	printf("%s\n", label_format(text, &config.serial, config.code));
	ether.units++;
	return 0;
}

/* The reset line: a host lowers it, with the other lines of a modem, by a speed of 0 (termios). */
static void look_at_line(struct port *port)
{
	struct termios termios;
	bool held = tcgetattr(port->fd, &termios) == 0 && cfgetospeed(&termios) == B0;

	if (held && !port->held) {
		modem_reset(&port->modem);
	}
	port->held = held;
}

static void read_port(struct port *port)
{
	uint8_t bytes[512];
	ssize_t n = read(port->fd, bytes, sizeof(bytes));

	if (n > 0) {
		modem_input(&port->modem, bytes, (size_t)n);
	}
}

static int number_of(const char *text, int count)
{
	char *end = NULL;
	long number = text ? strtol(text, &end, 10) : -1;

	return text && *text && !*end && number >= 0 && number < count ? (int)number : -1;
}

/* on or off: 1 or 0, -1 for neither. */
static int switch_of(const char *text)
{
	return text && !strcmp(text, "on") ? 1 : text && !strcmp(text, "off") ? 0 : -1;
}

#define WORDS 5

static bool do_modem(char **word)
{
	int number = number_of(word[1], ether.ports);
	int fault = word[2] ? modem_fault_by_name(word[2]) : -1;
	int on = switch_of(word[3]);

	if (number < 0 || !word[2]) {
		return false;
	}
	if (!strcmp(word[2], "reset") && !word[3]) {
		modem_reset(&ether.port[number].modem);
		return true;
	}
	if (fault < 0 || on < 0) {
		return false;
	}
	modem_fault(&ether.port[number].modem, fault, on);
	return true;
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
	int number = number_of(word[1], ether.units + 1);
	struct unit *unit = &ether.unit[number - 1];
	bool ground = word[2] && !strcmp(word[2], "ground");
	int on = switch_of(word[ground ? 3 : 2]);
	double watts = watts_of(word[2]);

	if (number < 1 || (on < 0 && isnan(watts))) {
		return false;
	}
	if (ground) {
		steady_ground(&unit->steady, on);
	} else if (on >= 0) {
		node_power(&unit->inverter.node, on);
	} else {
		unit->steady.module_w = watts;
	}
	return true;
}

/* A level in dBm, or NAN. */
static double level_of(const char *text)
{
	char *end = NULL;
	double level = text ? strtod(text, &end) : 0;

	return text && *text && !*end && level >= AIR_SILENT_DBM && level <= 20 ? level
										: (double)NAN;
}

static bool do_level(char **word)
{
	int number = number_of(word[1], ether.units + 1);
	double level = level_of(word[2]);
	int radio;

	if (number < 1 || level != level) {
		return false;
	}
	radio = ether.unit[number - 1].inverter.node.stack.radio;
	for (int i = 0; i < ether.ports; i++) {
		air_level(ether.air, radio, ether.port[i].modem.stack.radio, level);
		air_level(ether.air, ether.port[i].modem.stack.radio, radio, level);
	}
	return true;
}

static bool do_hidden(char **word)
{
	int a = number_of(word[1], ether.units + 1);
	int b = number_of(word[2], ether.units + 1);

	if (a < 1 || b < 1) {
		return false;
	}
	a = ether.unit[a - 1].inverter.node.stack.radio;
	b = ether.unit[b - 1].inverter.node.stack.radio;
	air_level(ether.air, a, b, AIR_SILENT_DBM);
	air_level(ether.air, b, a, AIR_SILENT_DBM);
	return true;
}

static bool do_interfere(char **word)
{
	double level = level_of(word[1]);
	int ms = number_of(word[2], 1000000);

	if (level != level || ms < 1) {
		return false;
	}
	for (int i = 0; i < ether.interferer; i++) {
		air_level(ether.air, ether.interferer, i, level);
	}
	return air_burst(ether.air, ether.interferer, (uint64_t)ms * 1000) == 0;
}

static bool do_foreign(char **word)
{
	int on = switch_of(word[1]);

	if (on < 0) {
		return false;
	}
	ether.foreign_on = on;
	air_alarm(ether.air, ether.foreign, 0, on ? air_now(ether.air) : AIR_NEVER);
	return true;
}

static void print_count(const char *name, int number, int radio)
{
	const struct air_count *count = air_count(ether.air, radio);

	printf("%s %d: sent %llu retries %llu busy %llu no-ack %llu received %llu damaged %llu "
	       "missed %llu\n",
	       name, number, (unsigned long long)count->sent, (unsigned long long)count->retries,
	       (unsigned long long)count->busy, (unsigned long long)count->no_ack,
	       (unsigned long long)count->received, (unsigned long long)count->damaged,
	       (unsigned long long)count->missed);
}

static bool do_count(char **word)
{
	if (word[1]) {
		return false;
	}
	for (int i = 0; i < ether.ports; i++) {
		print_count("modem", i, ether.port[i].modem.stack.radio);
	}
	for (int i = 0; i < ether.units; i++) {
		print_count("unit", i + 1, ether.unit[i].inverter.node.stack.radio);
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
	{ "modem", do_modem, "modem N reset | modem N frozen|full|lost-block|late|garbage on|off" },
	{ "unit", do_unit,
	  "unit N on|off | unit N ground on|off | unit N W: power of each module" },
	{ "level", do_level, "level UNIT DBM: between a unit and all modems" },
	{ "hidden", do_hidden, "hidden UNIT UNIT: they do not hear each other" },
	{ "interfere", do_interfere, "interfere DBM MS: noise at every radio" },
	{ "foreign", do_foreign, "foreign on|off: another coordinator on the channel" },
	{ "count", do_count, "count" },
	{ "quit", do_quit, "quit" },
};

static void do_line(char *line)
{
	char *word[WORDS + 1] = { NULL };
	int words = 0;

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
	printf("%s: no such command; there are:\n", word[0]);
	for (size_t i = 0; i < ARRAY_SIZE(command); i++) {
		printf("  %s\n", command[i].usage);
	}
}

/* False at the end of standard input. */
static bool read_console(void)
{
	static char text[1024];
	static size_t used;
	ssize_t n = read(STDIN_FILENO, text + used, sizeof(text) - 1 - used);
	char *end;

	if (n <= 0) {
		return n < 0 && errno == EINTR;
	}
	used += (size_t)n;
	text[used] = '\0';
	while ((end = memchr(text, '\n', used))) {
		*end++ = '\0';
		do_line(text);
		used -= (size_t)(end - text);
		memmove(text, end, used + 1);
	}
	if (used == sizeof(text) - 1) {
		puts("line too long");
		used = 0;
	}
	fflush(stdout);
	return true;
}

static int timeout_ms(void)
{
	uint64_t next = air_next(ether.air);
	uint64_t now = air_now(ether.air);
	double ms;

	if (next <= now) {
		return 0;
	}
	ms = (double)(next - now) / 1000 / ether.speed;
	return ms < LINE_MS ? (int)ms : LINE_MS;
}

static void pass_time(void)
{
	uint64_t now = virtual_now();

	air_run(ether.air, now > air_now(ether.air) ? now : air_now(ether.air));
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

	while (!stopped && air_now(ether.air) < until_us) {
		struct pollfd fds[MODEMS_MAX + 1];

		for (int i = 0; i < ether.ports; i++) {
			fds[i] = (struct pollfd){ .fd = ether.port[i].fd, .events = POLLIN };
		}
		fds[ether.ports] =
			(struct pollfd){ .fd = console ? STDIN_FILENO : -1, .events = POLLIN };
		if (poll(fds, (nfds_t)ether.ports + 1, timeout_ms()) < 0 && errno != EINTR) {
			break;
		}
		pass_time();
		for (int i = 0; i < ether.ports; i++) {
			look_at_line(&ether.port[i]);
			if (fds[i].revents & POLLIN) {
				read_port(&ether.port[i]);
			}
		}
		if (fds[ether.ports].revents) {
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
	enum modem_chip chip;
	uint8_t ecu[6];
	const char *capture;
	const char *folder;
	const char *profile;
} setting = {
	.profile = "ieee1547-2018-cat3",
	.modems = 1,
	.seed = 1,
	.seconds = 1e12,
	.ecu = { 0xd8, 0xa3, 0x01, 0x1b, 0x97, 0x80 },
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
	{ 'm', &setting.modems, 0, MODEMS_MAX },
	{ 'u', &setting.units, 0, NODES_MAX },
	{ 'l', &ether.level_dbm, AIR_SILENT_DBM, 20 },
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
		if (poll_ecu_parse(text, setting.ecu) < 0) {
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

static int find_profile(struct qs1_profile *profile, char *err, size_t size)
{
	static const char *const folders[] = { "profiles", QS1_PROFILE_DIR_LOCAL, QS1_PROFILE_DIR,
					       NULL };
	__cleanup(free_ptr) char *path = NULL;
	int ret = qs1_profile_find(setting.profile, folders, &path, err, size);

	return ret < 0 ? ret : qs1_profile_load(path, profile, err, size);
}

/* The air and all that is on it. */
static int set_up(void)
{
	const struct air_radio_config other = { .channel = POLL_CHANNEL, .promiscuous = true };
	struct air_config config = air_config_default;
	struct qs1_profile profile;
	char err[QS1_PROFILE_ERR_SIZE];
	int ret = setting.units > 0 ? find_profile(&profile, err, sizeof(err)) : 0;

	if (ret < 0) {
		fprintf(stderr, "qs1-ether: %s\n", err);
		return ret;
	}
	config.seed = (uint64_t)setting.seed;
	ether.air = air_new(&config);
	if (!ether.air) {
		return -ENOMEM;
	}
	if (setting.capture) {
		ret = pcap_open(&ether.capture, setting.capture);
		air_watch(ether.air, to_capture, NULL);
	}
	for (int i = 0; ret == 0 && i < (int)setting.modems; i++) {
		ret = add_port(setting.chip, setting.folder);
	}
	for (int i = 0; ret == 0 && i < (int)setting.units; i++) {
		ret = add_unit(&profile, poll_pan(setting.ecu), POLL_CHANNEL);
	}
	if (ret < 0) {
		return ret;
	}
	ether.foreign = air_add(ether.air, &other, &foreign_ops, NULL);
	ether.interferer = air_add(ether.air, &other, NULL, NULL);
	if (ether.foreign < 0 || ether.interferer < 0) {
		return -ENOMEM;
	}
	add_levels(ether.foreign);
	return 0;
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
	clock_gettime(CLOCK_MONOTONIC, &ether.start);
	serve((uint64_t)(setting.seconds * 1e6));
	if (ether.capture && fclose(ether.capture) != 0) {
		fprintf(stderr, "qs1-ether: %s: %s\n", setting.capture, strerror(errno));
		ret = 1;
	}
	air_free(ether.air);
	return ret;
}
