// SPDX-License-Identifier: GPL-2.0-only
#include "scenario.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "csv.h"
#include "module.h"
#include "param.h"
#include "sensor.h"

#define LINE_LENGTH_MAX 4096
#define TIME_MAX_S 1e8
#define SUN_MAX 1500

/* Where a statement may stand. */
#define SETUP 1u
#define TIMED 2u
#define LIVE 4u
#define ANYWHERE (SETUP | TIMED | LIVE)
/* What it concerns: one unit, with "unit N" before it, or all; what units share. */
#define UNIT 8u	    /* "unit N" may stand before it */
#define OF_UNIT 16u /* "unit N" has to */
#define NETWORK 32u /* network and source */
#define SITE 64u    /* needs "units N" */

enum arg_type {
	ARG_NONE,
	ARG_INPUTS,    /* 1-4 or all */
	ARG_NUMBER,    /* within min and max */
	ARG_INTEGER,   /* the same, whole */
	ARG_WORD,      /* exactly @what */
	ARG_CHOICE,    /* one of @what, separated by |; its index is the number */
	ARG_PARAM,     /* a name of params.h */
	ARG_VALUE,     /* its value */
	ARG_SENSOR,    /* a channel of channels.h */
	ARG_SECTIONS,  /* K/N */
	ARG_HARMONICS, /* H:PCT,... or none */
	ARG_LOAD,      /* rlc P QF [M%], rl P PF, cap VAR, power P, rectifier P or none */
	ARG_PERCENT,   /* optional number with a percent sign */
	ARG_PHASE,     /* a phase: L1, L2, L3 */
	ARG_WIRES,     /* two wires, L1-L2; L1 for L1-N */
	ARG_WINDINGS,  /* two wires, or three: then both are L1 */
	ARG_REST,      /* the rest of the line: a name */
	ARG_MODULE,    /* the rest of the line: a module */
	ARG_REPLAY,    /* the rest of the line: a file to replay */
};

struct arg {
	enum arg_type type;
	const char *what;
	double min, max;
};

#define NUM(what, min, max)                                                                        \
	{                                                                                          \
		ARG_NUMBER, what, min, max                                                         \
	}
#define INPUTS                                                                                     \
	{                                                                                          \
		ARG_INPUTS, "an input: 1, 2, 3, 4 or all", 0, 0                                    \
	}
#define WORD(w)                                                                                    \
	{                                                                                          \
		ARG_WORD, w, 0, 0                                                                  \
	}
#define CHOICE(w)                                                                                  \
	{                                                                                          \
		ARG_CHOICE, w, 0, 0                                                                \
	}
#define LOAD_P NUM("load power, pu,", 0.001, 300)
#define LOAD_QF NUM("quality factor", 0.05, 60)
#define LOAD_MISMATCH                                                                              \
	{                                                                                          \
		ARG_PERCENT, "reactive mismatch in percent", -50, 50                               \
	}
#define WIRES                                                                                      \
	{                                                                                          \
		ARG_WIRES, "", 0, 0                                                                \
	}
#define BUS(what)                                                                                  \
	{                                                                                          \
		ARG_INTEGER, what, 0, SCENARIO_BUSES - 1                                           \
	}
#define RAMP_S WORD("over"), NUM("seconds", 1e-3, 1e7)
#define SUN NUM("irradiance, W/m2,", 0, SUN_MAX)

/* The whole language: leading words, where it may stand, what follows. */
static const struct form {
	const char *words;
	enum statement_kind kind;
	unsigned int where;
	struct arg arg[5];
} forms[] = {
	{ "seed", ST_SEED, SETUP, { { ARG_INTEGER, "a seed", 0, 9007199254740992.0 } } },
	{ "profile", ST_PROFILE, SETUP | LIVE | UNIT, { { ARG_REST, "a profile", 0, 0 } } },
	{ "set", ST_SET, ANYWHERE | UNIT, { { ARG_PARAM, "", 0, 0 }, { ARG_VALUE, "", 0, 0 } } },
	{ "module", ST_MODULE, ANYWHERE | UNIT, { INPUTS, { ARG_MODULE, "a module", 0, 0 } } },
	{ "temp", ST_TEMP, SETUP | LIVE | UNIT, { NUM("ambient temperature, C,", -60, 100) } },
	{ "cell", ST_CELL, SETUP | LIVE | UNIT, { INPUTS, NUM("cell temperature, C,", -60, 150) } },
	{ "sun", ST_SUN, ANYWHERE | UNIT, { INPUTS, SUN } },
	{ "ramp sun", ST_RAMP_SUN, TIMED | LIVE | UNIT, { INPUTS, SUN, RAMP_S } },
	{ "load rlc", ST_LOAD, SETUP | NETWORK, { LOAD_P, LOAD_QF, LOAD_MISMATCH } },
	{ "load place",
	  ST_LOAD_PLACE,
	  SETUP | NETWORK | SITE,
	  { { ARG_INTEGER, "the number of a load", 1, PLANT_LOADS }, WIRES, BUS("a bus") } },
	{ "load",
	  ST_LOAD_CHANGE,
	  ANYWHERE | NETWORK,
	  { { ARG_INTEGER, "rlc, or the number of a load", 1, PLANT_LOADS },
	    { ARG_LOAD, "", 0, 0 } } },
	{ "board", ST_BOARD, SETUP | UNIT, { CHOICE("nominal|drawn") } },
	{ "plant", ST_PLANT, SETUP | UNIT, { CHOICE("averaged|switching") } },
	{ "bridge dead-time", ST_DEAD_TIME, SETUP | UNIT, { NUM("dead time, s,", 50e-9, 1e-6) } },
	{ "grid scr",
	  ST_SCR,
	  SETUP | NETWORK,
	  { NUM("short-circuit ratio", 1, 1000), NUM("reactance over resistance", 0.1, 20) } },
	{ "grid resonance",
	  ST_RESONANCE,
	  SETUP | NETWORK,
	  { NUM("resonance, Hz,", 200, 20000), NUM("quality factor", 1, 50) } },
	{ "grid impedance",
	  ST_IMPEDANCE,
	  SETUP | NETWORK,
	  { NUM("source resistance, ohm,", 0, 50), NUM("source inductance, H,", 0, 0.1) } },
	{ "noise counts",
	  ST_NOISE_COUNTS,
	  SETUP | LIVE | UNIT,
	  { NUM("noise, counts RMS,", 0.01, 100) } },
	{ "noise", ST_NOISE, SETUP | LIVE | UNIT, { CHOICE("off|on") } },
	{ "skip enter-service", ST_SKIP_ENTER_SERVICE, SETUP | LIVE | UNIT, { { 0 } } },
	{ "shade",
	  ST_SHADE,
	  TIMED | LIVE | UNIT,
	  { INPUTS, { ARG_SECTIONS, "", 0, 0 }, NUM("fraction of light lost", 0, 1) } },
	{ "replay", ST_REPLAY, TIMED | LIVE | UNIT, { { ARG_REPLAY, "a CSV file", 0, 0 } } },
	{ "grid v", ST_GRID_V, TIMED | LIVE | NETWORK, { NUM("voltage, pu,", 0, 1.5) } },
	{ "ramp grid v",
	  ST_RAMP_V,
	  TIMED | LIVE | NETWORK,
	  { NUM("voltage, pu,", 0, 1.5), RAMP_S } },
	{ "grid f", ST_GRID_F, TIMED | LIVE | NETWORK, { NUM("frequency, Hz,", 40, 75) } },
	{ "ramp grid f",
	  ST_RAMP_F,
	  TIMED | LIVE | NETWORK,
	  { NUM("frequency, Hz,", 40, 75), RAMP_S } },
	{ "grid rise", ST_GRID_RISE, ANYWHERE | NETWORK, { NUM("rise time, s,", 0, 0.1) } },
	{ "grid tone",
	  ST_GRID_TONE,
	  TIMED | LIVE | NETWORK,
	  { NUM("frequency, Hz,", 0, 5000), NUM("percent", 0, 100) } },
	{ "grid phase", ST_GRID_PHASE, ANYWHERE | NETWORK, { NUM("degrees", -360, 360) } },
	{ "grid thd", ST_GRID_THD, TIMED | LIVE | NETWORK, { { ARG_HARMONICS, "", 0, 0 } } },
	{ "grid dc", ST_GRID_DC, TIMED | LIVE | NETWORK, { NUM("volts", -50, 50) } },
	{ "grid open", ST_UTILITY_OPEN, TIMED | LIVE | NETWORK, { { 0 } } },
	{ "grid close", ST_UTILITY_CLOSE, TIMED | LIVE | NETWORK, { { 0 } } },
	{ "fault gfdi", ST_FAULT_GFDI, TIMED | LIVE | UNIT, { CHOICE("off|on") } },
	{ "fault sensor",
	  ST_FAULT_SENSOR,
	  TIMED | LIVE | UNIT,
	  { { ARG_SENSOR, "", 0, 0 }, CHOICE("off|stuck|zero|full|noise") } },
	{ "sensor offset",
	  ST_SENSOR_OFFSET,
	  TIMED | LIVE | UNIT,
	  { { ARG_SENSOR, "", 0, 0 }, NUM("offset, percent of full scale,", -50, 50) } },
	{ "fault relay", ST_FAULT_RELAY, TIMED | LIVE | UNIT, { CHOICE("off|welded|open") } },
	{ "fault coproc", ST_FAULT_COPROC, TIMED | LIVE | UNIT, { CHOICE("off|crash|hang") } },
	{ "host", ST_HOST, TIMED | LIVE | UNIT, { CHOICE("lost|back") } },
	{ "cmd", ST_CMD, TIMED | LIVE | UNIT, { { ARG_REST, "a command", 0, 0 } } },
	{ "leak",
	  ST_LEAK,
	  ANYWHERE | UNIT,
	  { INPUTS, NUM("leakage, mA,", 0, 1000), CHOICE("ac|dc") } },
	{ "units",
	  ST_UNITS,
	  SETUP | SITE,
	  { { ARG_INTEGER, "number of units", 1, SCENARIO_UNITS } } },
	{ "phase", ST_UNIT_WIRES, SETUP | OF_UNIT | SITE, { WIRES } },
	{ "bus", ST_UNIT_BUS, SETUP | OF_UNIT | SITE, { BUS("a bus") } },
	{ "feeder phases",
	  ST_FEEDER_PHASES,
	  SETUP | NETWORK | SITE,
	  { CHOICE("one|split|three"), NUM("nominal voltage to the neutral, V,", 50, 500),
	    NUM("nominal frequency, Hz,", 45, 65) } },
	{ "feeder bus",
	  ST_FEEDER_BUS,
	  SETUP | NETWORK | SITE,
	  { BUS("a new bus"), WORD("from"), BUS("a bus"),
	    NUM("resistance of a wire, ohm,", 1e-6, 50),
	    NUM("inductance of a wire, H,", 1e-7, 0.1) } },
	{ "feeder cable",
	  ST_FEEDER_CABLE,
	  SETUP | NETWORK | SITE,
	  { BUS("a new bus"), WORD("from"), BUS("a bus"), NUM("length, m,", 0.1, 1000),
	    CHOICE("12|10|6|4|1/0|4/0Al") } },
	{ "feeder transformer",
	  ST_FEEDER_TRANSFORMER,
	  SETUP | NETWORK | SITE,
	  { BUS("a new bus"), WORD("from"), BUS("a bus"), NUM("rated power, VA,", 1000, 1e6),
	    CHOICE("yy|dy") } },
	{ "feeder open", ST_FEEDER_OPEN, TIMED | LIVE | NETWORK | SITE, { BUS("a bus") } },
	{ "feeder close", ST_FEEDER_CLOSE, TIMED | LIVE | NETWORK | SITE, { BUS("a bus") } },
	{ "phase",
	  ST_PHASE_SWITCH,
	  TIMED | LIVE | NETWORK | SITE,
	  { { ARG_PHASE, "", 0, 0 }, CHOICE("open|close") } },
	{ "neutral", ST_NEUTRAL, TIMED | LIVE | NETWORK | SITE, { CHOICE("open|close") } },
	{ "phases swap",
	  ST_SWAP,
	  TIMED | LIVE | NETWORK | SITE,
	  { { ARG_PHASE, "", 0, 0 }, { ARG_PHASE, "", 0, 0 } } },
	{ "dip none", ST_DIP_NONE, TIMED | LIVE | NETWORK | SITE, { { 0 } } },
	{ "dip",
	  ST_DIP,
	  TIMED | LIVE | NETWORK | SITE,
	  { CHOICE("A|B|C|D"), NUM("voltage during the dip, pu,", 0, 1) } },
	{ "grid form",
	  ST_FORM,
	  SETUP | NETWORK | SITE,
	  { NUM("rated power, W,", 100, 1e6), NUM("frequency without load, Hz,", 45, 70),
	    NUM("Hz for rated power", 0, 10), NUM("lag, s,", 1e-3, 10) } },
	{ "other",
	  ST_OTHER,
	  SETUP | NETWORK | SITE,
	  { { ARG_INTEGER, "an inverter of another make", 1, SCENARIO_OTHERS },
	    CHOICE("passive|sfs|sms"),
	    NUM("power, W,", 10, 1e6),
	    WIRES,
	    CHOICE("narrow|wide") } },
	{ "motor",
	  ST_MOTOR,
	  SETUP | NETWORK | SITE,
	  { { ARG_INTEGER, "the number of a motor", 1, SCENARIO_MOTORS },
	    { ARG_WINDINGS, "", 0, 0 },
	    NUM("rated power, VA,", 10, 1e6),
	    NUM("torque of its load, pu,", 0, 2),
	    NUM("inertia, s,", 0.01, 10) } },
	{ "mark", ST_MARK, TIMED | LIVE, { CHOICE("start|stop") } },
	{ "speed", ST_SPEED, LIVE, { { ARG_REST, "a factor", 0, 0 } } },
	{ "run", ST_RUN, SETUP, { NUM("end, s,", 1e-3, TIME_MAX_S) } },
};

#define FORMS (sizeof(forms) / sizeof(forms[0]))
#define ARGS (sizeof(forms[0].arg) / sizeof(forms[0].arg[0]))

static const struct {
	const char *header;
	double min, max;
} quantities[REPLAY_QUANTITIES] = {
	[REPLAY_GHI] = { "ghi_w_m2", 0, SUN_MAX }, [REPLAY_AMBIENT] = { "t_amb_c", -60, 100 },
	[REPLAY_V] = { "v_pu", 0, 1.5 },	   [REPLAY_F] = { "f_hz", 40, 75 },
	[REPLAY_WAVE] = { "v_v", -1000, 1000 },
};

void replay_free(struct replay *replay)
{
	free(replay->t);
	for (int q = 0; q < REPLAY_QUANTITIES; q++)
		free(replay->column[q]);
	memset(replay, 0, sizeof(*replay));
}

/* One column as numbers, or NULL with the reason in err. */
static double *replay_column(const struct csv *csv, int column, double min, double max, char *err,
			     size_t size)
{
	double *value = calloc((size_t)csv->rows, sizeof(*value));

	if (!value) {
		snprintf(err, size, "%s: out of memory", csv->name);
		return NULL;
	}
	for (int row = 1; row < csv->rows; row++) {
		if (csv_number(csv, row, column, min, max, &value[row - 1], err, size)) {
			free(value);
			return NULL;
		}
	}
	return value;
}

static int replay_header(const struct csv *csv, int column[REPLAY_QUANTITIES], char *err,
			 size_t size)
{
	bool any = false;

	for (int q = 0; q < REPLAY_QUANTITIES; q++)
		column[q] = -1;
	for (int c = 0; c < csv->columns; c++) {
		const char *header = csv_cell(csv, 0, c);
		bool known = !strcmp(header, "time_s");

		for (int q = 0; q < REPLAY_QUANTITIES; q++) {
			if (!strcmp(header, quantities[q].header)) {
				known = any = true;
				column[q] = c;
			}
		}
		if (!known || csv_column(csv, header) != c) {
			snprintf(err, size,
				 "%s:%d: expected the columns time_s and once any of ghi_w_m2, "
				 "t_amb_c, v_pu, f_hz, v_v, found '%s'",
				 csv->name, csv->line[0], header);
			return -EINVAL;
		}
	}
	if (!any || csv_column(csv, "time_s") < 0) {
		snprintf(err, size,
			 "%s:%d: expected the columns time_s and any of ghi_w_m2, t_amb_c, v_pu, "
			 "f_hz, v_v",
			 csv->name, csv->line[0]);
		return -EINVAL;
	}
	return 0;
}

int replay_read(struct replay *replay, const char *path, char *err, size_t size)
{
	int column[REPLAY_QUANTITIES];
	struct csv csv;
	int ret;

	memset(replay, 0, sizeof(*replay));
	ret = csv_read(&csv, path, err, size);
	if (ret)
		return ret;
	ret = replay_header(&csv, column, err, size);
	replay->rows = csv.rows - 1;
	if (!ret) {
		replay->t =
			replay_column(&csv, csv_column(&csv, "time_s"), 0, TIME_MAX_S, err, size);
		ret = replay->t ? 0 : -EINVAL;
	}
	for (int row = 1; !ret && row < replay->rows; row++) {
		if (replay->t[row] <= replay->t[row - 1]) {
			snprintf(err, size, "%s:%d: expected time_s above %.10g, found %.10g",
				 csv.name, csv.line[row + 1], replay->t[row - 1], replay->t[row]);
			ret = -EINVAL;
		}
	}
	for (int q = 0; !ret && q < REPLAY_QUANTITIES; q++) {
		if (column[q] < 0)
			continue;
		replay->column[q] = replay_column(&csv, column[q], quantities[q].min,
						  quantities[q].max, err, size);
		ret = replay->column[q] ? 0 : -EINVAL;
	}
	csv_free(&csv);
	if (ret)
		replay_free(replay);
	return ret;
}

double replay_at(const struct replay *replay, enum replay_quantity quantity, double t, int *cursor)
{
	const double *y = replay->column[quantity];
	int n = *cursor;

	while (n + 1 < replay->rows && replay->t[n + 1] <= t)
		n++;
	*cursor = n;
	if (t <= replay->t[0])
		return y[0];
	if (n + 1 >= replay->rows)
		return y[replay->rows - 1];
	return y[n] + (y[n + 1] - y[n]) * (t - replay->t[n]) / (replay->t[n + 1] - replay->t[n]);
}

void statement_free(struct statement *st)
{
	free(st->text[0]);
	free(st->text[1]);
	free(st->module);
	free(st->harmonic);
	if (st->replay) {
		replay_free(st->replay);
		free(st->replay);
	}
	memset(st, 0, sizeof(*st));
}

/* A line being parsed. */
struct parser {
	char *rest;
	const char *folder;
	struct statement *st;
	int numbers;
	int texts;
	char *err;
	size_t size;
};

#define FAIL(p, ...) (snprintf((p)->err, (p)->size, __VA_ARGS__), -EINVAL)

static char *skip_blanks(char *s)
{
	return s + strspn(s, " \t");
}

/* The next word, or "" at the end of the line. */
static char *next_word(struct parser *p)
{
	char *word = skip_blanks(p->rest);
	size_t n = strcspn(word, " \t");

	p->rest = word + n;
	if (*p->rest)
		*p->rest++ = '\0';
	return word;
}

static char *rest_of_line(struct parser *p)
{
	char *rest = skip_blanks(p->rest);
	size_t n = strlen(rest);

	while (n && strchr(" \t", rest[n - 1]))
		rest[--n] = '\0';
	p->rest = rest + n;
	return rest;
}

static const char *shown(const char *word)
{
	return *word ? word : "the end of the line";
}

/* A file's name relative to the scenario's folder; to be freed. */
static char *path_of(const struct parser *p, const char *name)
{
	char *path;

	if (*name == '/' || !*p->folder)
		return strdup(name);
	return asprintf(&path, "%s/%s", p->folder, name) < 0 ? NULL : path;
}

static int parse_number(struct parser *p, const char *word, const struct arg *arg,
			double *ret_value)
{
	double value;

	if (number_parse(word, &value) || value < arg->min || value > arg->max ||
	    (arg->type == ARG_INTEGER && value != floor(value))) {
		return FAIL(p, "expected %s from %.16g to %.16g, found '%s'", arg->what, arg->min,
			    arg->max, shown(word));
	}
	*ret_value = value;
	return 0;
}

static int parse_choice(struct parser *p, const char *word, const char *choices)
{
	size_t n = strlen(word);
	int index = 0;

	for (const char *c = choices; n;) {
		size_t length = strcspn(c, "|");

		if (n == length && !strncmp(c, word, n)) {
			p->st->x[p->numbers++] = index;
			return 0;
		}
		if (!c[length])
			break;
		c += length + 1;
		index++;
	}
	return FAIL(p, "expected one of %s, found '%s'", choices, shown(word));
}

static int parse_text(struct parser *p, const char *text, const char *what)
{
	if (!*text)
		return FAIL(p, "expected %s, found the end of the line", what);
	p->st->text[p->texts] = strdup(text);
	if (!p->st->text[p->texts++])
		return FAIL(p, "out of memory");
	return 0;
}

static int parse_inputs(struct parser *p, const char *word, const char *what)
{
	if (!strcmp(word, "all")) {
		p->st->inputs = (1u << QS1_INPUTS) - 1;
		return 0;
	}
	if (word[0] >= '1' && word[0] < '1' + QS1_INPUTS && !word[1]) {
		p->st->inputs = 1u << (word[0] - '1');
		return 0;
	}
	return FAIL(p, "expected %s, found '%s'", what, shown(word));
}

static int parse_sections(struct parser *p, const char *word)
{
	if (word[0] >= '0' && word[0] <= '0' + PV_SECTIONS && word[1] == '/' &&
	    word[2] == '0' + PV_SECTIONS && !word[3]) {
		p->st->x[p->numbers++] = word[0] - '0';
		return 0;
	}
	return FAIL(p, "expected shaded sections of %d, 0/%d to %d/%d, found '%s'", PV_SECTIONS,
		    PV_SECTIONS, PV_SECTIONS, PV_SECTIONS, shown(word));
}

static int parse_harmonics(struct parser *p, char *word)
{
	static const struct arg percent = NUM("percent", 0, 100);
	double *harmonic = calloc(SOURCE_HARMONICS + 1, sizeof(*harmonic));
	char *item;

	p->st->harmonic = harmonic;
	if (!harmonic)
		return FAIL(p, "out of memory");
	if (!strcmp(word, "none"))
		return 0;
	if (!*word)
		return FAIL(p, "expected H:PCT[,H:PCT...] or none, found the end of the line");
	while ((item = strsep(&word, ","))) {
		char *colon = strchr(item, ':');
		double order, value;
		int ret;

		if (colon)
			*colon = '\0';
		if (!colon || number_parse(item, &order) || order != floor(order) || order < 2 ||
		    order > SOURCE_HARMONICS) {
			return FAIL(p, "expected H:PCT with H from 2 to %d, found '%s'",
				    SOURCE_HARMONICS, shown(item));
		}
		ret = parse_number(p, colon + 1, &percent, &value);
		if (ret)
			return ret;
		harmonic[(int)order] = value / 100;
	}
	return 0;
}

static int parse_percent(struct parser *p, char *word, const struct arg *arg)
{
	size_t n = strlen(word);

	if (!n)
		return 0;
	if (word[n - 1] != '%')
		return FAIL(p, "expected %s with its %% sign, found '%s'", arg->what, word);
	word[n - 1] = '\0';
	return parse_number(p, word, arg, &p->st->x[p->numbers++]);
}

static int parse_module(struct parser *p)
{
	static const struct arg pmpp = NUM("power at the maximum power point, W,", 1, 1000);
	static const struct arg vmpp = NUM("voltage at the maximum power point, V,", 5, 60);
	struct pv_module *module = calloc(1, sizeof(*module));
	char *name = rest_of_line(p), *colon;
	double power, volts;
	int ret = 0;

	p->st->module = module;
	if (!module)
		return FAIL(p, "out of memory");
	if (!*name)
		return FAIL(p, "expected a module, found the end of the line");
	if (!strcmp(name, "none")) {
		module_open(module);
		return 0;
	}
	if (!strncmp(name, "en50530", 7) && strchr(" \t", name[7])) {
		bool thinfilm;

		p->rest = name + 7;
		ret = parse_number(p, next_word(p), &pmpp, &power);
		ret = ret ? ret : parse_number(p, next_word(p), &vmpp, &volts);
		ret = ret ? ret : parse_choice(p, next_word(p), "csi|thinfilm");
		if (!ret) {
			thinfilm = p->st->x[--p->numbers] != 0;
			module_en50530(power, volts, thinfilm, module);
		}
		return ret;
	}
	if (!strncmp(name, "source", 6) && strchr(" \t", name[6])) {
		static const struct arg open_v = NUM("voltage, V,", 0, 65);
		static const struct arg ohm = NUM("resistance, ohm,", 0.05, 100);

		p->rest = name + 6;
		module->kind = PV_SOURCE;
		snprintf(module->name, sizeof(module->name), "source");
		ret = parse_number(p, next_word(p), &open_v, &module->source_v);
		return ret ? ret : parse_number(p, next_word(p), &ohm, &module->source_ohm);
	}
	colon = strstr(name, ".csv:");
	if (colon) {
		char *path;

		colon[4] = '\0';
		path = path_of(p, name);
		ret = path ? module_read(path, colon + 5, module, p->err, p->size) : -ENOMEM;
		free(path);
		return ret;
	}
	return module_find(name, module, p->err, p->size);
}

static int parse_replay(struct parser *p)
{
	char *name = rest_of_line(p), *path;
	int ret;

	if (!*name)
		return FAIL(p, "expected a CSV file, found the end of the line");
	p->st->replay = calloc(1, sizeof(*p->st->replay));
	path = path_of(p, name);
	ret = p->st->replay && path ? replay_read(p->st->replay, path, p->err, p->size) : -ENOMEM;
	free(path);
	return ret;
}

static int parse_value(struct parser *p, const char *word)
{
	int32_t value;

	if (!*word) {
		return FAIL(p, "expected a value for %s, found the end of the line",
			    p->st->text[0]);
	}
	if (qs1_param_parse((enum qs1_param)p->st->x[0], word, &value, p->err, p->size))
		return -EINVAL;
	return parse_text(p, word, "a value");
}

static const char *const wire_names[SCENARIO_WIRES] = { "L1", "L2", "L3", "N" };

static int wire_find(const char *word, size_t n)
{
	for (int w = 0; w < SCENARIO_WIRES; w++)
		if (n == strlen(wire_names[w]) && !strncmp(word, wire_names[w], n))
			return w;
	return -1;
}

static int parse_phase(struct parser *p, const char *word)
{
	int wire = wire_find(word, strlen(word));

	if (wire < 0 || wire == SCENARIO_NEUTRAL)
		return FAIL(p, "expected a phase: L1, L2 or L3, found '%s'", shown(word));
	p->st->x[p->numbers++] = wire;
	return 0;
}

static int parse_wires(struct parser *p, const char *word)
{
	size_t n = strcspn(word, "-");
	int a = wire_find(word, n);
	int b = word[n] ? wire_find(word + n + 1, strlen(word + n + 1)) : SCENARIO_NEUTRAL;

	if (a < 0 || b < 0 || a == b || a == SCENARIO_NEUTRAL)
		return FAIL(p, "expected wires such as L1, L1-N or L1-L2, found '%s'", shown(word));
	p->st->x[p->numbers++] = a;
	p->st->x[p->numbers++] = b;
	return 0;
}

static int parse_windings(struct parser *p, const char *word)
{
	if (strcmp(word, "three"))
		return parse_wires(p, word);
	p->st->x[p->numbers++] = 0;
	p->st->x[p->numbers++] = 0;
	return 0;
}

static int parse_load(struct parser *p, const char *kind)
{
	static const struct arg power = LOAD_P, qf = LOAD_QF, mismatch = LOAD_MISMATCH;
	static const struct arg pf = NUM("power factor", 0.1, 1);
	static const struct arg var = NUM("reactive power, var,", 1, 500000);
	int first = p->numbers, ret = 0;
	double x[3] = { 0 };

	if (!strcmp(kind, "none"))
		return 0;
	if (!strcmp(kind, "cap")) {
		ret = parse_number(p, next_word(p), &var, &x[0]);
		p->st->load = ret ? p->st->load : plant_load_cap(x[0]);
	} else if (!strcmp(kind, "rl")) {
		ret = parse_number(p, next_word(p), &power, &x[0]);
		ret = ret ? ret : parse_number(p, next_word(p), &pf, &x[1]);
		p->st->load = ret ? p->st->load : plant_load_rl(x[0], x[1]);
	} else if (!strcmp(kind, "rlc")) {
		ret = parse_number(p, next_word(p), &power, &x[0]);
		ret = ret ? ret : parse_number(p, next_word(p), &qf, &x[1]);
		ret = ret ? ret : parse_percent(p, next_word(p), &mismatch);
		x[2] = p->numbers > first ? p->st->x[first] / 100 : 0;
		p->st->load = ret ? p->st->load : plant_load_rlc(x[0], x[1], x[2]);
	} else if (!strcmp(kind, "power") || !strcmp(kind, "rectifier")) {
		ret = parse_number(p, next_word(p), &power, &p->st->x[p->numbers]);
		p->st->x[p->numbers + 1] = *kind == 'r' ? LOAD_RECTIFIER : LOAD_POWER;
		p->numbers += 2;
		/* A network of several units has them. */
		p->st->site = true;
	} else {
		ret = FAIL(p, "expected rlc, rl, cap, power, rectifier or none, found '%s'",
			   shown(kind));
	}
	return ret;
}

static int parse_arg(struct parser *p, const struct arg *arg)
{
	char *word;
	int id;

	switch (arg->type) {
	case ARG_REST:
		return parse_text(p, rest_of_line(p), arg->what);
	case ARG_MODULE:
		return parse_module(p);
	case ARG_REPLAY:
		return parse_replay(p);
	default:
		break;
	}

	word = next_word(p);
	switch (arg->type) {
	case ARG_INPUTS:
		return parse_inputs(p, word, arg->what);
	case ARG_NUMBER:
	case ARG_INTEGER:
		return parse_number(p, word, arg, &p->st->x[p->numbers++]);
	case ARG_WORD:
		return strcmp(word, arg->what)
			       ? FAIL(p, "expected '%s', found '%s'", arg->what, shown(word))
			       : 0;
	case ARG_CHOICE:
		return parse_choice(p, word, arg->what);
	case ARG_PARAM:
		id = qs1_param_find(word);
		if (id < 0)
			return FAIL(p, "expected the name of a parameter, found '%s'", shown(word));
		p->st->x[p->numbers++] = id;
		return parse_text(p, word, "a parameter");
	case ARG_VALUE:
		return parse_value(p, word);
	case ARG_SENSOR:
		id = sensor_find(word);
		if (id < 0) {
			return FAIL(p,
				    "expected an ADC channel: vpv1-4, ipv1-4, vlink, vgrid, igrid, "
				    "ignd, vinv, vref, tcase or tstage, found '%s'",
				    shown(word));
		}
		p->st->x[p->numbers++] = id;
		return 0;
	case ARG_SECTIONS:
		return parse_sections(p, word);
	case ARG_HARMONICS:
		return parse_harmonics(p, word);
	case ARG_LOAD:
		return parse_load(p, word);
	case ARG_PERCENT:
		return parse_percent(p, word, arg);
	case ARG_PHASE:
		return parse_phase(p, word);
	case ARG_WIRES:
		return parse_wires(p, word);
	case ARG_WINDINGS:
		return parse_windings(p, word);
	default:
		return 0;
	}
}

/*
 * Compares the words of a line with those of a form. Return: their number if all of
 * the form's words match, else minus the number that match.
 */
static int match_words(const char *line, const char *words, const char **ret_end)
{
	int matched = 0;

	for (;;) {
		size_t a, b;

		line += strspn(line, " \t");
		words += strspn(words, " ");
		a = strcspn(line, " \t");
		b = strcspn(words, " ");
		if (!b) {
			*ret_end = line;
			return matched;
		}
		if (a != b || strncmp(line, words, a)) {
			*ret_end = line;
			return -matched;
		}
		matched++;
		line += a;
		words += b;
	}
}

/* May the form stand behind "unit N", or without it? */
static bool stands(const struct form *form, bool of_unit)
{
	return of_unit ? form->where & (UNIT | OF_UNIT) : !(form->where & OF_UNIT);
}

/* Reports the words that are possible where the line stops matching. */
static int unknown_words(struct parser *p, const char *line, int matched, bool of_unit)
{
	char expected[512] = "", found[64];
	const char *at = line;
	size_t used = 0;

	for (size_t f = 0; f < FORMS; f++) {
		const char *end, *word = forms[f].words;
		int m = match_words(line, word, &end);
		char text[32];

		if (!stands(&forms[f], of_unit) || (m > 0 ? m : -m) != matched)
			continue;
		at = end;
		for (int skip = 0; skip < matched; skip++)
			word += strcspn(word, " ") + 1;
		snprintf(text, sizeof(text), "%s%.*s", used ? ", " : "", (int)strcspn(word, " "),
			 word);
		if (!strstr(expected, text + (used ? 2 : 0)) && used + 32 < sizeof(expected)) {
			used += (size_t)snprintf(expected + used, sizeof(expected) - used, "%s",
						 text);
		}
	}
	snprintf(found, sizeof(found), "%.*s", (int)strcspn(at, " \t"), at);
	if (!*found) {
		return FAIL(p, "expected one of: %s%s; found the end of the line",
			    matched || of_unit ? "" : "at, unit, ", expected);
	}
	return FAIL(p, "unknown word '%s', expected one of: %s%s", found,
		    matched || of_unit ? "" : "at, unit, ", expected);
}

static const struct form *find_form(struct parser *p, const char *line, bool of_unit)
{
	const char *end;
	int best = 0;

	for (size_t f = 0; f < FORMS; f++) {
		int m = match_words(line, forms[f].words, &end);

		if (!stands(&forms[f], of_unit))
			continue;
		if (m > 0) {
			p->rest = (char *)end;
			return &forms[f];
		}
		best = -m > best ? -m : best;
	}
	unknown_words(p, line, best, of_unit);
	return NULL;
}

static int check_command(struct parser *p)
{
	char *words = p->st->text[0];

	if (p->st->kind == ST_CMD && strcmp(words, "shutdown") && strcmp(words, "start") &&
	    strcmp(words, "clear gfdi"))
		return FAIL(p, "expected shutdown, start or clear gfdi, found '%s'", words);
	if (p->st->kind == ST_SPEED) {
		double factor = 0;

		if (strcmp(words, "max") &&
		    (number_parse(words, &factor) || factor < 0.01 || factor > 1000)) {
			return FAIL(p, "expected a factor from 0.01 to 1000 or max, found '%s'",
				    words);
		}
		p->st->x[0] = factor;
	}
	return 0;
}

/* "unit N" before a statement. */
static int parse_unit(struct parser *p)
{
	static const struct arg number = { ARG_INTEGER, "a unit", 1, SCENARIO_UNITS };
	const char *end;
	double unit;
	int ret;

	if (match_words(p->rest, "unit", &end) <= 0)
		return 0;
	p->rest = (char *)end;
	ret = parse_number(p, next_word(p), &number, &unit);
	if (!ret)
		p->st->unit = (int)unit;
	return ret;
}

int statement_parse(const char *line, bool live, bool timed, const char *folder,
		    struct statement *ret_statement, char *err, size_t size)
{
	struct statement st = { .timed = timed };
	struct parser p = { .folder = folder, .st = &st, .err = err, .size = size };
	unsigned int where = live ? LIVE : timed ? TIMED : SETUP;
	const struct form *form;
	char *copy, *word;
	int ret = 0;

	copy = strdup(line);
	if (!copy)
		return FAIL(&p, "out of memory");
	p.rest = copy;
	ret = parse_unit(&p);
	form = ret ? NULL : find_form(&p, p.rest, st.unit);
	if (!form) {
		free(copy);
		return -EINVAL;
	}
	st.kind = form->kind;
	st.words = form->words;
	st.site = st.unit || (form->where & SITE);
	st.scope = form->where & (UNIT | OF_UNIT) ? SCOPE_UNIT
		   : form->where & NETWORK	  ? SCOPE_NETWORK
						  : SCOPE_ALL;
	if (!(form->where & where)) {
		ret = FAIL(&p, "'%s' %s", form->words,
			   live			 ? "belongs before time 0, in a scenario file"
			   : form->where == LIVE ? "belongs to the console, not into a file"
			   : timed		 ? "belongs before time 0, without 'at'"
						 : "needs a time: 'at T' before it");
	}
	for (size_t n = 0; !ret && n < ARGS && form->arg[n].type; n++)
		ret = parse_arg(&p, &form->arg[n]);
	if (!ret) {
		word = next_word(&p);
		ret = *word ? FAIL(&p, "expected the end of the line, found '%s'", word) : 0;
	}
	if (!ret)
		ret = check_command(&p);
	free(copy);
	if (ret) {
		statement_free(&st);
		return ret;
	}
	*ret_statement = st;
	return 0;
}

void scenario_free(struct scenario *sc)
{
	for (int n = 0; n < sc->setups; n++)
		statement_free(&sc->setup[n]);
	for (int n = 0; n < sc->timeds; n++)
		statement_free(&sc->timed[n]);
	free(sc->setup);
	free(sc->timed);
	free(sc->path);
	free(sc->folder);
	memset(sc, 0, sizeof(*sc));
}

static int append(struct statement **list, int *count, const struct statement *st)
{
	struct statement *grown = realloc(*list, (size_t)(*count + 1) * sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	grown[(*count)++] = *st;
	*list = grown;
	return 0;
}

/* One line of a file, without its comment. */
static int load_line(struct scenario *sc, char *line, int number, char *err, size_t size)
{
	static const struct arg at = NUM("a time, s,", 0, TIME_MAX_S);
	struct parser p = { .err = err, .size = size };
	struct statement st;
	bool timed = false;
	double t = 0;
	int ret;

	line = skip_blanks(line);
	if (!*line)
		return 0;
	if (isfinite(sc->end))
		return FAIL(&p, "expected nothing after 'run', found '%s'", line);
	if (!strncmp(line, "at", 2) && (!line[2] || strchr(" \t", line[2]))) {
		p.rest = line + 2;
		timed = true;
		ret = parse_number(&p, next_word(&p), &at, &t);
		if (ret)
			return ret;
		line = skip_blanks(p.rest);
	}
	ret = statement_parse(line, false, timed, sc->folder, &st, err, size);
	if (ret)
		return ret;
	st.t = t;
	st.line = number;
	if (st.kind == ST_RUN) {
		sc->end = st.x[0];
		return 0;
	}
	ret = timed ? append(&sc->timed, &sc->timeds, &st) : append(&sc->setup, &sc->setups, &st);
	if (ret) {
		statement_free(&st);
		return FAIL(&p, "out of memory");
	}
	return 0;
}

/* Stable: statements of one time keep their order. */
static void sort_timed(struct scenario *sc)
{
	for (int n = 1; n < sc->timeds; n++) {
		struct statement st = sc->timed[n];
		int k = n;

		for (; k > 0 && sc->timed[k - 1].t > st.t; k--)
			sc->timed[k] = sc->timed[k - 1];
		sc->timed[k] = st;
	}
}

static bool has_wire(const struct scenario *sc, double wire)
{
	return wire == SCENARIO_NEUTRAL || wire < sc->phases;
}

static int check_wires(const struct scenario *sc, const struct statement *st, int from, int count,
		       struct parser *p)
{
	for (int k = from; k < from + count; k++) {
		if (!has_wire(sc, st->x[k])) {
			return FAIL(p, "expected a wire of the feeder, up to L%d, found '%s'",
				    sc->phases, wire_names[(int)st->x[k]]);
		}
	}
	return 0;
}

static int check_bus(const struct scenario *sc, double bus, struct parser *p)
{
	if (!sc->has_bus[(int)bus])
		return FAIL(p, "expected a bus of the feeder, found %g", bus);
	return 0;
}

int scenario_check(const struct scenario *sc, const struct statement *st, char *err, size_t size)
{
	struct parser p = { .err = err, .size = size };
	const struct replay *r = st->replay;
	int ret;

	if (st->site && !sc->units)
		return FAIL(&p, "'%s' needs 'units N'", st->unit ? "unit" : st->words);
	if (st->unit > sc->units)
		return FAIL(&p, "expected a unit from 1 to %d, found %d", sc->units, st->unit);
	if (st->unit && r && (r->column[REPLAY_V] || r->column[REPLAY_F] || r->column[REPLAY_WAVE]))
		return FAIL(&p, "expected light and temperature for one unit, found the grid's");
	switch (st->kind) {
	case ST_UNIT_WIRES:
		return check_wires(sc, st, 0, 2, &p);
	case ST_UNIT_BUS:
	case ST_FEEDER_OPEN:
	case ST_FEEDER_CLOSE:
		return check_bus(sc, st->x[0], &p);
	case ST_LOAD_PLACE:
		ret = check_wires(sc, st, 1, 2, &p);
		return ret ? ret : check_bus(sc, st->x[3], &p);
	case ST_OTHER:
		return check_wires(sc, st, 3, 2, &p);
	case ST_MOTOR:
		if (st->x[1] == st->x[2] && sc->phases != 3)
			return FAIL(&p, "expected wires of the feeder, which has no three phases, "
					"found 'three'");
		return check_wires(sc, st, 1, 2, &p);
	case ST_FEEDER_TRANSFORMER:
		if (sc->phases == 2 || (st->x[3] != 0 && sc->phases != 3))
			return FAIL(&p,
				    "expected a transformer of one phase, yy, or of three phases");
		return 0;
	case ST_PHASE_SWITCH:
		return check_wires(sc, st, 0, 1, &p);
	case ST_SWAP:
		if (st->x[0] == st->x[1])
			return FAIL(&p, "expected two phases, found L%g twice", st->x[0] + 1);
		return check_wires(sc, st, 0, 2, &p);
	case ST_PLANT:
		if (sc->units && st->x[0] != 0)
			return FAIL(&p, "several units have averaged bridges, found 'switching'");
		return 0;
	default:
		return 0;
	}
}

/* Several of these may stand in a site, each with a number. */
static bool is_numbered(enum statement_kind kind)
{
	return kind == ST_OTHER || kind == ST_MOTOR || kind == ST_LOAD_PLACE;
}

/* A part of the site that exists once: the whole, or one for each unit or number. */
static bool is_same_part(const struct statement *a, const struct statement *b)
{
	if (a->kind != b->kind || a->unit != b->unit)
		return false;
	switch (a->kind) {
	case ST_UNITS:
	case ST_FEEDER_PHASES:
	case ST_FORM:
	case ST_UNIT_WIRES:
	case ST_UNIT_BUS:
		return true;
	default:
		return is_numbered(a->kind) && a->x[0] == b->x[0];
	}
}

static int check_once(const struct scenario *sc, int n, struct parser *p)
{
	const struct statement *st = &sc->setup[n];
	char number[16] = "";

	for (int k = 0; k < n; k++) {
		if (!is_same_part(&sc->setup[k], st))
			continue;
		if (is_numbered(st->kind))
			snprintf(number, sizeof(number), " %g", st->x[0]);
		return FAIL(p, "expected '%s%s' once, found it also in line %d", st->words, number,
			    sc->setup[k].line);
	}
	return 0;
}

/* The statements that say which units, wires and buses there are. */
static int describe_site(struct scenario *sc, int *ret_line, char *err, size_t size)
{
	static const int phases[] = { 1, 2, 3 };
	struct parser p = { .err = err, .size = size };

	sc->phases = 1;
	sc->has_bus[0] = true;
	for (int n = 0; n < sc->setups; n++) {
		const struct statement *st = &sc->setup[n];

		*ret_line = st->line;
		if (check_once(sc, n, &p))
			return -EINVAL;
		if (st->kind == ST_UNITS) {
			sc->units = (int)st->x[0];
			sc->units_line = st->line;
		}
		if (st->kind == ST_FEEDER_PHASES)
			sc->phases = phases[(int)st->x[0]];
		if (st->kind != ST_FEEDER_BUS && st->kind != ST_FEEDER_CABLE &&
		    st->kind != ST_FEEDER_TRANSFORMER)
			continue;
		if (sc->has_bus[(int)st->x[0]])
			return FAIL(&p, "expected a new bus, found %g", st->x[0]);
		if (check_bus(sc, st->x[1], &p))
			return -EINVAL;
		sc->has_bus[(int)st->x[0]] = true;
	}
	return 0;
}

/* Checks that need the whole file: times, and modules without sections. */
static int check_whole(const struct scenario *sc, int *ret_line, char *err, size_t size)
{
	struct parser p = { .err = err, .size = size };
	unsigned int sections = (1u << QS1_INPUTS) - 1;
	bool marked = false;

	for (int n = 0; n < sc->setups + sc->timeds; n++) {
		const struct statement *st = n < sc->setups ? &sc->setup[n]
							    : &sc->timed[n - sc->setups];

		*ret_line = st->line;
		if (scenario_check(sc, st, err, size))
			return -EINVAL;
		if (st->timed && st->t > sc->end) {
			return FAIL(&p, "expected a time up to the end at %g, found %g", sc->end,
				    st->t);
		}
		if (st->kind == ST_MODULE) {
			sections &= ~st->inputs;
			sections |= st->module->kind == PV_DIODE ? st->inputs : 0;
		}
		if (st->kind == ST_SHADE && (st->inputs & ~sections)) {
			return FAIL(&p, "expected a module with bypass sections on input %d",
				    __builtin_ctz(st->inputs & ~sections) + 1);
		}
		if (st->kind == ST_MARK) {
			if (st->x[0] == 1 && !marked)
				return FAIL(&p, "expected 'mark start' before 'mark stop'");
			marked = st->x[0] == 0;
		}
	}
	return 0;
}

static int load_lines(struct scenario *sc, FILE *file, int *ret_line, char *err, size_t size)
{
	struct parser p = { .err = err, .size = size };
	char line[LINE_LENGTH_MAX];
	int ret = 0;

	while (!ret && fgets(line, sizeof(line), file)) {
		size_t n = strlen(line);

		++*ret_line;
		if (n == sizeof(line) - 1 && line[n - 1] != '\n') {
			return FAIL(&p, "expected a line of at most %d characters",
				    LINE_LENGTH_MAX - 2);
		}
		line[strcspn(line, "#\r\n")] = '\0';
		ret = load_line(sc, line, *ret_line, err, size);
	}
	if (!ret && ferror(file))
		return FAIL(&p, "cannot be read");
	return ret;
}

int scenario_load(struct scenario *sc, const char *path, char *err, size_t size)
{
	char reason[512] = "";
	const char *slash;
	int ret, line = 0;
	FILE *file;

	memset(sc, 0, sizeof(*sc));
	sc->end = INFINITY;
	file = fopen(path, "re");
	if (!file) {
		ret = -errno;
		snprintf(err, size, "%s: %s", path, strerror(errno));
		return ret;
	}
	slash = strrchr(path, '/');
	sc->path = strdup(path);
	sc->folder = slash ? strndup(path, (size_t)(slash - path) + (slash == path)) : strdup("");
	ret = sc->path && sc->folder ? load_lines(sc, file, &line, reason, sizeof(reason))
				     : -ENOMEM;
	fclose(file);
	if (!ret) {
		sort_timed(sc);
		ret = describe_site(sc, &line, reason, sizeof(reason));
		if (!ret)
			ret = check_whole(sc, &line, reason, sizeof(reason));
	}
	if (ret) {
		snprintf(err, size, "%s:%d: %s", path, line, *reason ? reason : strerror(-ret));
		scenario_free(sc);
	}
	return ret;
}
