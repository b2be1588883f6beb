/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The world around the board: a scenario, the plant it acts on, and the
 * measurement of the true quantities. qs1-sim and vboard are two loops around
 * this interface.
 */
#ifndef QS1_WORLD_H
#define QS1_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>
#include <qs1/abi.h>

#include "core.h"

struct qs1_world;

/**
 * struct qs1_world_ops - the scenario statements that are not physics
 *
 * They belong to the part that replaces Linux: qs1-sim sends mailbox commands, the
 * virtual board asks the guest's qs1ctl. Each returns 0, or a negative errno
 * with the reason in @err.
 *
 * @profile: apply a grid profile, by name or file
 * @set: set a parameter; @value as written
 * @command: "shutdown", "start" or "clear gfdi"; -EPROTO when the unit refuses
 * @host: the host's heartbeat stops (false) or returns (true)
 * @coproc: "crash", "hang" or "off"
 * @skip_enter_service: start as if the waiting time had passed
 * @speed: pace, times real time, 0 for as fast as possible; NULL in qs1-sim,
 *         where the word is an error
 */
struct qs1_world_ops {
	int (*profile)(void *ctx, const char *name, char *err, size_t size);
	int (*set)(void *ctx, const char *name, const char *value, char *err, size_t size);
	int (*command)(void *ctx, const char *words, char *err, size_t size);
	int (*host)(void *ctx, bool alive, char *err, size_t size);
	int (*coproc)(void *ctx, const char *word, char *err, size_t size);
	int (*skip_enter_service)(void *ctx, char *err, size_t size);
	int (*speed)(void *ctx, double factor, char *err, size_t size);
};

/**
 * struct qs1_truth - true quantities, from the plant instead of the sensors
 *
 * DC quantities are means over the last 10 ms; power, RMS values and frequency
 * are of the last grid cycle.
 */
struct qs1_truth {
	double t_s;
	double vpv_v[QS1_INPUTS];
	double ipv_a[QS1_INPUTS];
	double ppv_w[QS1_INPUTS];
	double pmax_w[QS1_INPUTS]; /* available at the maximum power point */
	double sun_w_m2[QS1_INPUTS];
	double vlink_v;
	double vgrid_v;
	double igrid_a;
	double f_hz;
	double p_w;
	double q_var;
	double energy_wh;
	double tcase_c;
	bool relay_closed;
	bool utility_closed;
};

/**
 * qs1_world_new() - a world with default set-up: sun off, grid nominal
 * @ops: carries out the statements that are not physics
 * @ctx: handed to @ops
 *
 * Return: the world, or NULL when out of memory.
 */
struct qs1_world *qs1_world_new(const struct qs1_world_ops *ops, void *ctx);
void qs1_world_free(struct qs1_world *world);

/**
 * qs1_world_load() - read and check a whole scenario file before anything runs
 * @path: file name; files it names are found relative to its folder
 * @err: on failure "file:line: what was expected, what was found"
 *
 * Return: 0 or a negative errno.
 */
int qs1_world_load(struct qs1_world *world, const char *path, char *err, size_t size);

/* Override the scenario's seed. To be called before qs1_world_start(). */
void qs1_world_seed(struct qs1_world *world, uint64_t seed);

/**
 * qs1_world_start() - carry out the set-up statements
 *
 * Return: 0 or the first failure of an operation, with its reason in @err.
 */
int qs1_world_start(struct qs1_world *world, char *err, size_t size);

/**
 * qs1_world_do() - carry out one statement now, as typed at the console
 * @line: a statement without "at"
 * @err: on failure the reason; untouched otherwise
 *
 * Return: 0 or a negative errno; on failure nothing has changed.
 */
int qs1_world_do(struct qs1_world *world, const char *line, char *err, size_t size);

/**
 * qs1_world_step() - one control period: due statements, plant, sensors
 * @out: the firmware's outputs, applied during this period; all off while the
 *       coprocessor is in reset
 * @adc: samples at the end of the period
 * @err: on failure of a timed statement the reason
 *
 * Return: 0; 1, once and without a step, when the scenario's end is reached,
 * after which the world goes on as it is; or a negative errno.
 */
int qs1_world_step(struct qs1_world *world, const struct qs1_outputs *out,
		   int16_t adc[QS1_ADC_COUNT], char *err, size_t size);

/* Record an event of the firmware for the summary. */
void qs1_world_event(struct qs1_world *world, const struct qs1_event *event);

const struct qs1_truth *qs1_world_truth(const struct qs1_world *world);

/**
 * struct qs1_instant - true waveforms at the end of the last period
 */
struct qs1_instant {
	double vpv_v[QS1_INPUTS];
	double ipv_a[QS1_INPUTS];
	double vlink_v;
	double vgrid_v;
	double igrid_a;
	double vinv_v;
};

void qs1_world_instant(const struct qs1_world *world, struct qs1_instant *ret_instant);

/* Simulated time in seconds; the end of the scenario, or infinity. */
double qs1_world_time(const struct qs1_world *world);
double qs1_world_end(const struct qs1_world *world);

/**
 * qs1_world_summary() - the summary object of qs1-sim, see its manual page
 * @profile: name of the profile in force
 * @wall_s: wall-clock time spent
 *
 * Return: a new object that the caller puts.
 */
struct json_object *qs1_world_summary(const struct qs1_world *world, const char *profile,
				      double wall_s);

#endif /* QS1_WORLD_H */
