/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The scenario language: text to statements, all of it checked before any of
 * it runs. Documentation/scenario.md describes the words.
 */
#ifndef QS1_SCENARIO_H
#define QS1_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>

#include "plant.h"

/**
 * struct replay - a recorded environment
 * @t: times, strictly increasing, s
 * @column: values by enum replay_quantity, NULL where the file has none
 */
enum replay_quantity {
	REPLAY_GHI,
	REPLAY_AMBIENT,
	REPLAY_V,
	REPLAY_F,
	REPLAY_WAVE,
	REPLAY_QUANTITIES
};

struct replay {
	int rows;
	double *t;
	double *column[REPLAY_QUANTITIES];
};

/* replay_read() - a CSV file whose header names time_s and any of the quantities */
int replay_read(struct replay *replay, const char *path, char *err, size_t size);
void replay_free(struct replay *replay);

/**
 * replay_at() - value of one quantity, linear between rows, held outside them
 * @cursor: row from which to search, moves forward
 */
double replay_at(const struct replay *replay, enum replay_quantity quantity, double t, int *cursor);

enum statement_kind {
	ST_SEED,
	ST_PROFILE,
	ST_SET,
	ST_MODULE,
	ST_TEMP,
	ST_CELL,
	ST_SUN,
	ST_RAMP_SUN,
	ST_LOAD,
	ST_LOAD_CHANGE,
	ST_IMPEDANCE,
	ST_SCR,
	ST_RESONANCE,
	ST_BOARD,
	ST_PLANT,
	ST_DEAD_TIME,
	ST_NOISE,
	ST_NOISE_COUNTS,
	ST_SKIP_ENTER_SERVICE,
	ST_SHADE,
	ST_REPLAY,
	ST_GRID_V,
	ST_RAMP_V,
	ST_GRID_F,
	ST_RAMP_F,
	ST_GRID_PHASE,
	ST_GRID_THD,
	ST_GRID_DC,
	ST_GRID_TONE,
	ST_GRID_RISE,
	ST_UTILITY_OPEN,
	ST_UTILITY_CLOSE,
	ST_FAULT_GFDI,
	ST_FAULT_SENSOR,
	ST_SENSOR_OFFSET,
	ST_FAULT_RELAY,
	ST_FAULT_COPROC,
	ST_HOST,
	ST_CMD,
	ST_LEAK,
	ST_UNITS,
	ST_UNIT_WIRES,
	ST_UNIT_BUS,
	ST_FEEDER_PHASES,
	ST_FEEDER_BUS,
	ST_FEEDER_CABLE,
	ST_FEEDER_TRANSFORMER,
	ST_FEEDER_OPEN,
	ST_FEEDER_CLOSE,
	ST_LOAD_PLACE,
	ST_PHASE_SWITCH,
	ST_NEUTRAL,
	ST_SWAP,
	ST_DIP,
	ST_DIP_NONE,
	ST_FORM,
	ST_OTHER,
	ST_MOTOR,
	ST_MARK,
	ST_SPEED,
	ST_RUN,
	ST_KINDS
};

#define SCENARIO_UNITS 100
#define SCENARIO_OTHERS 16
#define SCENARIO_MOTORS 8
#define SCENARIO_BUSES 128

/* Wires of a feeder by number: L1, L2, L3, neutral. */
#define SCENARIO_NEUTRAL 3
#define SCENARIO_WIRES 4

/*
 * Kinds of ST_LOAD_CHANGE in x[2]: linear, as in @load; or x[1] per unit of constant power, or into
 * a rectifier.
 */
enum load_kind { LOAD_LINEAR, LOAD_POWER, LOAD_RECTIFIER };

/* What a statement concerns: a unit, or all of them; network and source; everything. */
enum statement_scope { SCOPE_ALL, SCOPE_UNIT, SCOPE_NETWORK };

/**
 * struct statement - one line, understood
 * @timed: has a time
 * @t: that time, s
 * @line: in the scenario file, 0 at the console
 * @words: its leading words
 * @scope: what it concerns
 * @unit: of "unit N", from 1; 0 for all
 * @site: is for several units
 * @inputs: bit n for input n
 * @x: numbers and choices, in the order of the words
 * @load: of ST_LOAD_CHANGE
 * @text: names, in the order of the words
 * @module: of ST_MODULE
 * @replay: of ST_REPLAY
 * @harmonic: of ST_GRID_THD, fraction of the fundamental by order
 */
struct statement {
	enum statement_kind kind;
	bool timed;
	double t;
	int line;
	const char *words;
	enum statement_scope scope;
	int unit;
	bool site;
	unsigned int inputs;
	double x[6];
	struct plant_load load;
	char *text[2];
	struct pv_module *module;
	struct replay *replay;
	double *harmonic;
};

void statement_free(struct statement *statement);

/**
 * statement_parse() - one line without "at"
 * @line: the line, no comment, no newline
 * @live: typed at the console, which accepts set-up and timed statements, except
 *        those that only make sense before time 0
 * @timed: the line began with "at T"
 * @folder: where files are found, "" for the current folder
 * @ret_statement: written on success; to be freed
 * @err: on failure what was expected and what was found
 *
 * Return: 0 or a negative errno.
 */
int statement_parse(const char *line, bool live, bool timed, const char *folder,
		    struct statement *ret_statement, char *err, size_t size);

/**
 * struct scenario - a whole file
 * @setup: statements before time 0, in the order written
 * @timed: statements with a time, sorted by it, else in the order written
 * @end: of "run", s; infinite without
 * @units: of "units", 0 without; @units_line: where
 * @phases: of the feeder
 * @has_bus: buses of the feeder, by number
 */
struct scenario {
	char *path;
	char *folder;
	struct statement *setup;
	int setups;
	struct statement *timed;
	int timeds;
	double end;
	int units;
	int units_line;
	int phases;
	bool has_bus[SCENARIO_BUSES];
};

/**
 * scenario_load() - read and check a file
 * @err: on failure "file:line: ..."
 */
int scenario_load(struct scenario *scenario, const char *path, char *err, size_t size);
/* scenario_check() - does a statement name only units, wires and buses that are there? */
int scenario_check(const struct scenario *scenario, const struct statement *statement, char *err,
		   size_t size);

void scenario_free(struct scenario *scenario);

#endif /* QS1_SCENARIO_H */
