/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Several inverters on one low-voltage network: each a control core with its power stage,
 * modules and sensors, stepped together in the core's control period. The scenario names
 * units, network, loads and what happens to them: Documentation/scenario.md, "Several units".
 *
 * One thread, simulated time, no clock and no I/O but for the files that the scenario names.
 * The same scenario gives the same bits.
 *
 * How a program uses it:
 *
 *	f = feeder_new();
 *	feeder_load(f, path, err, sizeof(err));
 *	feeder_host(f, n, &host, ctx);		for each unit whose Linux the program is
 *	feeder_start(f, err, sizeof(err));
 *	feeder_run(f, t, err, sizeof(err));	as often as it likes
 *	feeder_telemetry(f, n, &telemetry);	and the other functions on units, in between
 *	feeder_free(f);
 *
 * Units count from 1, as in the scenario; a function on a unit expects 1 to feeder_units().
 */
#ifndef QS1_FEEDER_H
#define QS1_FEEDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>
#include <qs1/abi.h>

#include "world.h"

#define FEEDER_UNITS_MAX 100
#define FEEDER_PHASES 3

struct feeder;

/**
 * struct feeder_host - the part that Linux has in a unit, done by the caller
 * @ops: the scenario's words that are not physics, as in world.h. "skip enter-service",
 *       "profile" and "set" before time 0 come during feeder_start(); @speed may be NULL.
 *       After "fault coproc off" the core is in its initial state, and @coproc is called
 *       with "off" so that the caller applies profile and parameters again.
 * @event: an event of the core, in its order; NULL if not wanted
 * @period: the caller has the coprocessor too: takes the samples of a period, returns what the
 *          gates get in the next one; NULL for the feeder's control core
 * @telemetry: with @period, what feeder_telemetry() returns
 *
 * The caller sends commands with feeder_command() and keeps the heartbeat with
 * feeder_heartbeat(). Without a struct feeder_host the unit has a Linux as simple as that of
 * qs1-sim: the scenario's profile, armed at the start, a heartbeat each 100 ms.
 */
struct feeder_host {
	const struct qs1_world_ops *ops;
	void (*event)(void *ctx, const struct qs1_event *event);
	const struct qs1_outputs *(*period)(void *ctx, const int16_t adc[QS1_ADC_COUNT]);
	void (*telemetry)(void *ctx, struct qs1_telemetry *telemetry);
};

/* feeder_new() - no scenario; NULL when out of memory */
struct feeder *feeder_new(void);
void feeder_free(struct feeder *feeder);

/**
 * feeder_load() - read and check a whole scenario before anything runs
 * @err: on failure "file:line: what was expected, what was found"
 *
 * A scenario without "units" has one. Return: 0 or a negative errno.
 */
int feeder_load(struct feeder *feeder, const char *path, char *err, size_t size);

/* Instead of the scenario's seed or grid profile. Before feeder_start(). */
void feeder_seed(struct feeder *feeder, uint64_t seed);
void feeder_profile(struct feeder *feeder, const char *name);

/* feeder_units() - number of units; after feeder_load() */
int feeder_units(const struct feeder *feeder);

/**
 * feeder_host() - the caller is this unit's Linux; after feeder_load(), before feeder_start()
 * @host: has to stay as long as @feeder
 * @ctx: handed to its functions
 */
void feeder_host(struct feeder *feeder, int unit, const struct feeder_host *host, void *ctx);

/**
 * feeder_start() - build network and units, carry out the set-up statements
 *
 * Return: 0, or the first failure with its reason in @err.
 */
int feeder_start(struct feeder *feeder, char *err, size_t size);

/**
 * feeder_step() - one control period of all units and the network
 *
 * Return: 0; 1, once and without a step, when the scenario's end is reached, after which the
 * feeder goes on; or a negative errno with the failed statement in @err.
 */
int feeder_step(struct feeder *feeder, char *err, size_t size);

/* feeder_run() - steps until @t_s; returns as feeder_step() does, at once if not 0 */
int feeder_run(struct feeder *feeder, double t_s, char *err, size_t size);

/**
 * feeder_do() - carry out one statement now, as typed at a console
 * @line: without "at"; with "unit N" before it for one unit
 *
 * Return: 0 or a negative errno with the reason in @err; on failure nothing has changed,
 * but for a statement for all units that some refuse.
 */
int feeder_do(struct feeder *feeder, const char *line, char *err, size_t size);

/* Simulated time, s; the end of the scenario, or infinity. */
double feeder_time(const struct feeder *feeder);
double feeder_end(const struct feeder *feeder);

/**
 * feeder_command() - a mailbox command to a unit's core, carried out before its next step
 * @ret: reply value, always written
 *
 * Return: enum qs1_result; or -ENXIO while the coprocessor does not compute, or is the caller's.
 */
int feeder_command(struct feeder *feeder, int unit, enum qs1_op op, uint32_t arg, int32_t value,
		   int32_t *ret);

/* feeder_heartbeat() - the host of this unit lives */
void feeder_heartbeat(struct feeder *feeder, int unit);

/* feeder_telemetry() - snapshot of the core's measurements and status, all but its seq */
void feeder_telemetry(const struct feeder *feeder, int unit, struct qs1_telemetry *telemetry);

/**
 * feeder_angle() - the loop of a unit's core at feeder_time()
 * @ret_deg: its angle, from 0 to below 360
 * @ret_hz: grid frequency
 *
 * Return: false while the loop is not locked to a grid; results are untouched then.
 */
bool feeder_angle(const struct feeder *feeder, int unit, double *ret_deg, double *ret_hz);

/* feeder_param() - a parameter's value in force in the core */
int32_t feeder_param(const struct feeder *feeder, int unit, enum qs1_param id);

/* feeder_boots() - starts of the unit's core, from 1: another run of the firmware */
uint32_t feeder_boots(const struct feeder *feeder, int unit);

/* feeder_computes() - false while the coprocessor is crashed or hung */
bool feeder_computes(const struct feeder *feeder, int unit);

/* feeder_world() - what is around the unit, for a caller that has its coprocessor */
struct qs1_world *feeder_world(struct feeder *feeder, int unit);

/* feeder_truth() - true quantities at the unit's terminals and modules */
const struct qs1_truth *feeder_truth(const struct feeder *feeder, int unit);

/* feeder_phase() - where the unit is connected: "L1", "L1-N", "L1-L2" ... */
const char *feeder_phase(const struct feeder *feeder, int unit);

/**
 * struct feeder_network - the point of common coupling, means or RMS over the last cycle
 * @phases: 1 (one), 2 (split) or 3
 * @v_rms: of each phase to the neutral, V
 * @i_rms: into the source, A
 * @p_w: into the source, W
 * @neutral_a: RMS current of the neutral, A
 * @f_hz: of the voltage of L1; 0 when there is none
 * @unbalance_pct: negative over positive sequence of the voltage, IEC 61000-4-30; 0 unless
 *                 there are three phases
 * @utility_closed: the utility breaker
 */
struct feeder_network {
	int phases;
	double v_rms[FEEDER_PHASES];
	double i_rms[FEEDER_PHASES];
	double p_w[FEEDER_PHASES];
	double neutral_a;
	double f_hz;
	double unbalance_pct;
	bool utility_closed;
};

const struct feeder_network *feeder_network(const struct feeder *feeder);

/**
 * feeder_summary() - the summary object of qs1-sim, see its manual page
 * @wall_s: wall-clock time spent
 *
 * Return: a new object that the caller puts.
 */
struct json_object *feeder_summary(const struct feeder *feeder, double wall_s);

#endif /* QS1_FEEDER_H */
