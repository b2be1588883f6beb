// SPDX-License-Identifier: GPL-2.0-only
#include "medium.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "pcap.h"
#include "util.h"

/* Short addresses of modems that are not the coordinator's. */
#define FIRST_MODEM_ADDRESS 0x1081
/* A frame of a foreign coordinator, us. */
#define FOREIGN_US 100000
/* Period of an interferer that is on for a share of the time, us, and its level. */
#define JAM_US 20000
#define JAM_DBM (-50.0)
/* The loss of a link is that of frames of this length. */
#define LOSS_BYTES 100

static void to_capture(void *ctx, uint64_t start_us, int radio, const uint8_t *frame, size_t n)
{
	struct medium *medium = ctx;

	(void)radio;
	if (pcap_write(medium->capture, start_us, frame, n) < 0) {
		fprintf(stderr, "%s: %s\n", medium->config.capture, strerror(EIO));
	}
}

static void foreign_alarm(void *ctx, uint64_t now_us, int alarm)
{
	/* superframe of a coordinator without beacons, nothing pending */
	static const uint8_t beacon[] = { 0xff, 0xcf, 0x00, 0x00 };
	struct medium *medium = ctx;
	struct mac_frame mac = {
		.type = MAC_BEACON,
		.seq = medium->foreign_seq++,
		.src = { MAC_MODE_SHORT, 0xbeef, 0x0000 },
		.payload = beacon,
		.n = sizeof(beacon),
	};
	uint8_t frame[MAC_FRAME_MAX];
	int n = mac_build(&mac, frame, sizeof(frame));

	(void)alarm;
	if (!medium->foreign_on) {
		return;
	}
	air_send(medium->air, medium->foreign, frame, (size_t)n);
	air_alarm(medium->air, medium->foreign, 0, now_us + FOREIGN_US);
}

static const struct air_ops foreign_ops = { .alarm = foreign_alarm };

static void jam_alarm(void *ctx, uint64_t now_us, int alarm)
{
	struct medium *medium = ctx;

	(void)alarm;
	if (medium->jam_pct <= 0) {
		return;
	}
	air_burst(medium->air, medium->interferer, (uint64_t)(medium->jam_pct / 100 * JAM_US));
	air_alarm(medium->air, medium->interferer, 0, now_us + JAM_US);
}

static const struct air_ops jam_ops = { .alarm = jam_alarm };

/* All others hear a new radio, and it them. */
static void add_levels(struct medium *medium, int number)
{
	for (int i = 0; i < number; i++) {
		bool silent = i == medium->interferer || number == medium->interferer;
		double level = silent ? AIR_SILENT_DBM : medium->config.level_dbm;

		air_level(medium->air, i, number, level);
		air_level(medium->air, number, i, level);
	}
}

int medium_init(struct medium *medium, const struct medium_config *config)
{
	const struct air_radio_config other = { .channel = config->channel, .promiscuous = true };
	struct air_config air = air_config_default;
	int ret = 0;

	memset(medium, 0, sizeof(*medium));
	medium->config = *config;
	medium->interferer = -1;
	if (config->folder && mkdir(config->folder, 0755) < 0 && errno != EEXIST) {
		ret = -errno;
		fprintf(stderr, "%s: %s\n", config->folder, strerror(errno));
		return ret;
	}
	air.seed = config->seed;
	medium->air = air_new(&air);
	if (!medium->air) {
		return -ENOMEM;
	}
	if (config->capture) {
		ret = pcap_open(&medium->capture, config->capture);
		air_watch(medium->air, to_capture, medium);
	}
	if (ret < 0) {
		return ret;
	}
	medium->interferer = air_add(medium->air, &other, &jam_ops, medium);
	medium->foreign = air_add(medium->air, &other, &foreign_ops, medium);
	if (medium->foreign < 0 || medium->interferer < 0) {
		return -ENOMEM;
	}
	add_levels(medium, medium->foreign);
	return 0;
}

int medium_free(struct medium *medium)
{
	int ret = 0;

	for (int i = 0; i < medium->ports; i++) {
		modem_port_close(&medium->port[i]);
	}
	if (medium->capture && fclose(medium->capture) != 0) {
		ret = -errno;
	}
	air_free(medium->air);
	return ret;
}

int medium_add_port(struct medium *medium, enum modem_chip chip)
{
	int n = medium->ports;
	char link[512];
	struct modem_config config = {
		.chip = chip,
		.address = n ? (uint16_t)(FIRST_MODEM_ADDRESS + n) : 0,
		.ieee = UINT64_C(0x00124b0000000000) + (uint64_t)n,
	};
	int radio;

	if (n == MEDIUM_PORTS) {
		return -ENOSPC;
	}
	snprintf(link, sizeof(link), "%s/modem%d", medium->config.folder ?: "", n);
	radio = modem_port_open(&medium->port[n], medium->air, &config,
				medium->config.folder ? link : NULL);
	if (radio < 0) {
		return radio;
	}
	add_levels(medium, radio);
	return medium->ports++;
}

void medium_add_unit(struct medium *medium, int radio)
{
	add_levels(medium, radio);
	medium->unit_radio[medium->units++] = radio;
}

void medium_hosts(struct medium *medium)
{
	for (int i = 0; i < medium->ports; i++) {
		modem_port_serve(&medium->port[i]);
	}
}

/* A command under way: its words, and where the reason goes if one is wrong. */
struct command_line {
	char **word;
	char *err;
	size_t size;
};

static void found(const struct command_line *line, int i, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* "expected ..., found 'word'" */
static void found(const struct command_line *line, int i, const char *format, ...)
{
	char expected[128];
	va_list ap;

	va_start(ap, format);
	vsnprintf(expected, sizeof(expected), format, ap);
	va_end(ap);
	snprintf(line->err, line->size, "expected %s, found '%.32s'", expected,
		 line->word[i] ?: "the end of the line");
}

/* Word @i, a number from @min to @max; NAN for another, with the reason. */
static double real_of(const struct command_line *line, int i, const char *what, double min,
		      double max)
{
	const char *text = line->word[i];
	char *end = NULL;
	double number = text ? strtod(text, &end) : 0;

	if (text && *text && !*end && number >= min && number <= max) {
		return number;
	}
	found(line, i, "%s from %.10g to %.10g", what, min, max);
	return (double)NAN;
}

/* The same for a whole number; -1 for another. */
static int number_of(const struct command_line *line, int i, const char *what, int min, int max)
{
	double number = real_of(line, i, what, min, max);

	if (isnan(number)) {
		return -1;
	}
	if (number != floor(number)) {
		found(line, i, "%s from %d to %d", what, min, max);
		return -1;
	}
	return (int)number;
}

int medium_switch(const char *text)
{
	return text && !strcmp(text, "on") ? 1 : text && !strcmp(text, "off") ? 0 : -1;
}

/* Word @i, on or off, as 1 or 0; -1 for another. */
static int switch_of(const struct command_line *line, int i)
{
	int on = medium_switch(line->word[i]);

	if (on < 0) {
		found(line, i, "on or off");
	}
	return on;
}

/* The radio of a unit, which count from 1 as in scenarios, or -1. */
static int unit_of(const struct medium *medium, const struct command_line *line, int i)
{
	int number = number_of(line, i, "a unit", 1, medium->units);

	return number < 0 ? -1 : medium->unit_radio[number - 1];
}

static bool do_modem(struct medium *medium, const struct command_line *line)
{
	int number = number_of(line, 1, "a modem", 0, medium->ports - 1);
	struct modem *modem = number < 0 ? NULL : &medium->port[number].modem;
	const char *what = line->word[2] ?: "";
	int fault = modem_fault_by_name(what);
	int on;

	if (!modem) {
		return false;
	}
	if (!strcmp(what, "reset") && !line->word[3]) {
		modem_reset(modem);
		return true;
	}
	if (!strcmp(what, "freeze") && !line->word[3]) {
		modem_fault(modem, MODEM_FROZEN, true);
		return true;
	}
	if (fault < 0) {
		found(line, 2, "reset, freeze, frozen, full, lost-block, late or garbage");
		return false;
	}
	on = switch_of(line, 3);
	if (on < 0) {
		return false;
	}
	modem_fault(modem, (enum modem_fault)fault, on);
	return true;
}

static void set_level(struct medium *medium, int radio, double level)
{
	for (int i = 0; i < medium->ports; i++) {
		air_level(medium->air, radio, medium->port[i].modem.stack.radio, level);
		air_level(medium->air, medium->port[i].modem.stack.radio, radio, level);
	}
}

static bool do_level(struct medium *medium, const struct command_line *line)
{
	int radio = unit_of(medium, line, 1);
	double level = radio < 0 ? (double)NAN
				 : real_of(line, 2, "a level, dBm,", AIR_SILENT_DBM, 20);

	if (radio < 0 || isnan(level)) {
		return false;
	}
	set_level(medium, radio, level);
	return true;
}

/* The level at which a frame of LOSS_BYTES fails so often, without another on the air. */
static double level_of_loss(double loss)
{
	double low = AIR_SILENT_DBM, high = 20;

	if (loss <= 0) {
		return high;
	}
	for (int i = 0; i < 60; i++) {
		double level = (low + high) / 2;
		double sinr = pow(10, (level - air_config_default.noise_dbm) / 10);
		double fails = 1 - pow(1 - air_bit_error_rate(sinr), 8 * LOSS_BYTES);

		*(fails > loss ? &low : &high) = level;
	}
	return high;
}

static bool do_loss(struct medium *medium, const struct command_line *line)
{
	int radio = unit_of(medium, line, 1);
	double loss_pct = radio < 0 ? (double)NAN : real_of(line, 2, "a loss, percent,", 0, 100);

	if (radio < 0 || isnan(loss_pct)) {
		return false;
	}
	set_level(medium, radio,
		  loss_pct > 0 ? level_of_loss(loss_pct / 100) : medium->config.level_dbm);
	return true;
}

static bool do_hidden(struct medium *medium, const struct command_line *line)
{
	int a = unit_of(medium, line, 1);
	int b = a < 0 ? -1 : unit_of(medium, line, 2);

	if (a < 0 || b < 0) {
		return false;
	}
	if (a == b) {
		found(line, 2, "another unit");
		return false;
	}
	air_level(medium->air, a, b, AIR_SILENT_DBM);
	air_level(medium->air, b, a, AIR_SILENT_DBM);
	return true;
}

static void interferer_level(struct medium *medium, double level)
{
	for (int i = 0; i < medium->ports; i++) {
		air_level(medium->air, medium->interferer, medium->port[i].modem.stack.radio,
			  level);
	}
	for (int i = 0; i < medium->units; i++) {
		air_level(medium->air, medium->interferer, medium->unit_radio[i], level);
	}
}

static bool do_interfere(struct medium *medium, const struct command_line *line)
{
	double level = real_of(line, 1, "a level, dBm,", AIR_SILENT_DBM, 20);
	int ms = isnan(level) ? -1 : number_of(line, 2, "a time, ms,", 1, 1000000);

	if (isnan(level) || ms < 0) {
		return false;
	}
	interferer_level(medium, level);
	return air_burst(medium->air, medium->interferer, (uint64_t)ms * 1000) == 0;
}

static bool do_jam(struct medium *medium, const struct command_line *line)
{
	struct air_radio_config radio = *air_configuration(medium->air, medium->interferer);
	int channel = number_of(line, 1, "a channel", 11, 26);
	double pct = channel < 0 ? (double)NAN
				 : real_of(line, 2, "a share of the time, percent,", 0, 90);

	if (channel < 0 || isnan(pct)) {
		return false;
	}
	radio.channel = (uint8_t)channel;
	air_configure(medium->air, medium->interferer, &radio);
	interferer_level(medium, JAM_DBM);
	medium->jam_pct = pct;
	air_alarm(medium->air, medium->interferer, 0, pct > 0 ? air_now(medium->air) : AIR_NEVER);
	return true;
}

static bool do_foreign(struct medium *medium, const struct command_line *line)
{
	int on = switch_of(line, 1);

	if (on < 0) {
		return false;
	}
	medium->foreign_on = on;
	air_alarm(medium->air, medium->foreign, 0, on ? air_now(medium->air) : AIR_NEVER);
	return true;
}

static void print_count(const struct medium *medium, const char *name, int number, int radio)
{
	const struct air_count *count = air_count(medium->air, radio);

	printf("%s %d: sent %llu retries %llu busy %llu no-ack %llu received %llu damaged %llu "
	       "missed %llu\n",
	       name, number, (unsigned long long)count->sent, (unsigned long long)count->retries,
	       (unsigned long long)count->busy, (unsigned long long)count->no_ack,
	       (unsigned long long)count->received, (unsigned long long)count->damaged,
	       (unsigned long long)count->missed);
}

static bool do_count(struct medium *medium, const struct command_line *line)
{
	(void)line;
	for (int i = 0; i < medium->ports; i++) {
		print_count(medium, "modem", i, medium->port[i].modem.stack.radio);
	}
	for (int i = 0; i < medium->units; i++) {
		print_count(medium, "unit", i + 1, medium->unit_radio[i]);
	}
	return true;
}

/* @words: with the first, at most */
static const struct {
	const char *word;
	int words;
	bool (*run)(struct medium *medium, const struct command_line *line);
	const char *usage;
} command[] = {
	{ "modem", 4, do_modem,
	  "modem N reset|freeze | modem N frozen|full|lost-block|late|garbage on|off" },
	{ "level", 3, do_level, "level UNIT DBM: between a unit and all modems" },
	{ "loss", 3, do_loss,
	  "loss UNIT PCT: the level at which so many % of 100-byte frames fail" },
	{ "hidden", 3, do_hidden, "hidden UNIT UNIT: they do not hear each other" },
	{ "interfere", 3, do_interfere, "interfere DBM MS: noise at every radio" },
	{ "jam", 3, do_jam, "jam CHANNEL PCT: noise at every radio for so many % of the time" },
	{ "foreign", 2, do_foreign, "foreign on|off: another coordinator on the channel" },
	{ "count", 1, do_count, "count" },
};

int medium_command(struct medium *medium, char **word, char *err, size_t size)
{
	const struct command_line line = { word, err, size };
	int n = 1;

	for (size_t i = 0; i < ARRAY_SIZE(command); i++) {
		if (strcmp(command[i].word, word[0])) {
			continue;
		}
		while (n < command[i].words && word[n]) {
			n++;
		}
		if (n == command[i].words && word[n]) {
			found(&line, n, "the end of the line");
			return -EINVAL;
		}
		return command[i].run(medium, &line) ? 0 : -EINVAL;
	}
	return -ENOENT;
}

void medium_help(FILE *file)
{
	for (size_t i = 0; i < ARRAY_SIZE(command); i++) {
		fprintf(file, "  %s\n", command[i].usage);
	}
}
