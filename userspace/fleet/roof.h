/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Generated inverters: what a roof reports on a day with measured irradiance, without control
 * cores. For tests of stores and rules, and for the load generator.
 */
#ifndef QS1_FLEET_ROOF_H
#define QS1_FLEET_ROOF_H

#include <stddef.h>
#include <stdint.h>

#include "../plant/rng.h"
#include "report.h"

/**
 * struct sky - irradiance and temperature of one day
 * @ghi_w_m2, @air_c: @n samples, @step_s apart
 * @begin_s: local time of the first sample, seconds since midnight
 */
struct sky {
	double *ghi_w_m2;
	double *air_c;
	size_t n;
	int step_s;
	int begin_s;
};

/**
 * sky_load() - a day in the form of the scenario language's replay
 * @path: table with time_s, ghi_w_m2 and t_amb_c, equally spaced
 * @begin_s: local time of its first row, seconds since midnight
 *
 * Return: 0 or a negative errno with @err.
 */
int sky_load(struct sky *sky, const char *path, int begin_s, char *err, size_t size);
void sky_free(struct sky *sky);

/* Irradiance at a local time of day, W/m2, interpolated; 0 outside the table. */
double sky_ghi(const struct sky *sky, double second);

/* Temperature of the air, degrees C; the first or last sample outside the table. */
double sky_air(const struct sky *sky, double second);

/**
 * struct roof_unit - one inverter with four modules
 * @gain: of each input: 1 for a clean module in full sun, 0 for one that is disconnected
 * @energy_wh: counters of the inputs
 * @last_s: time of the last report, which the counters have reached
 * @faults: set of QS1_FAULT_BIT() that it reports; with any of them it does not produce
 * @rng: noise of its measurements
 */
struct roof_unit {
	uint64_t serial;
	double gain[REPORT_INPUTS];
	double energy_wh[REPORT_INPUTS];
	int64_t last_s;
	uint32_t faults;
	struct rng rng;
};

/* Gains within 2 %, noise and first counters from the seed. */
void roof_unit_init(struct roof_unit *unit, uint64_t serial, uint64_t seed);

/**
 * roof_report() - what the inverter reports
 * @time_s: since 1970; later than that of the last report
 * @zone_min: local time minus UTC, minutes
 *
 * The counters integrate the irradiance from the last report on in steps of 30 s.
 */
void roof_report(struct roof_unit *unit, const struct sky *sky, int64_t time_s, int zone_min,
		 struct report *report);

#endif /* QS1_FLEET_ROOF_H */
