// SPDX-License-Identifier: GPL-2.0-only
/* Generated inverters, see roof.h. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <qs1/codes.h>

#include "../plant/csv.h"
#include "roof.h"

/* A module of 60 cells. */
#define MODULE_W 300.0
#define MODULE_V 32.0
#define MODULE_V_PER_C (-0.1)
/* V at the maximum power point falls by n Vt ln(10) a decade of irradiance: 60 * 1.1 * 26 mV. */
#define MODULE_V_PER_LOG 1.7
/* NOCT of 45 degrees C at 800 W/m2 and 20 degrees C of air. */
#define HEATING_C_M2_W (25.0 / 800)
#define POWER_PER_C (-0.004)
#define EFFICIENCY 0.955
/* Noise of the converters of voltage, current and frequency, standard deviation. */
#define NOISE_V 0.05
#define NOISE_A 0.01
#define NOISE_HZ 0.01
#define NOISE_GRID_V 0.4
#define INTEGRATION_S 30
/* An inverter is awake from this power of its best input on. */
#define AWAKE_W 5.0
#define DAY_S 86400

int sky_load(struct sky *sky, const char *path, int begin_s, char *err, size_t size)
{
	struct csv csv;
	int ret = csv_read(&csv, path, err, size);
	int column[3];

	if (ret < 0) {
		return ret;
	}
	column[0] = csv_column(&csv, "time_s");
	column[1] = csv_column(&csv, "ghi_w_m2");
	column[2] = csv_column(&csv, "t_amb_c");
	*sky = (struct sky){ .n = (size_t)csv.rows - 1, .begin_s = begin_s };
	sky->ghi_w_m2 = calloc(sky->n, sizeof(double));
	sky->air_c = calloc(sky->n, sizeof(double));
	if (column[0] < 0 || column[1] < 0 || column[2] < 0 || sky->n < 2) {
		snprintf(err, size, "%s: expected columns time_s, ghi_w_m2, t_amb_c and two rows",
			 path);
		ret = -EINVAL;
	} else if (!sky->ghi_w_m2 || !sky->air_c) {
		ret = -ENOMEM;
	}
	for (size_t i = 0; ret == 0 && i < sky->n; i++) {
		double time_s = 0;

		ret = csv_number(&csv, (int)i + 1, column[0], 0, DAY_S, &time_s, err, size);
		if (ret == 0) {
			ret = csv_number(&csv, (int)i + 1, column[1], -20, 2000, &sky->ghi_w_m2[i],
					 err, size);
		}
		if (ret == 0) {
			ret = csv_number(&csv, (int)i + 1, column[2], -90, 70, &sky->air_c[i], err,
					 size);
		}
		sky->step_s = i == 1 ? (int)time_s : sky->step_s;
	}
	csv_free(&csv);
	if (ret < 0) {
		sky_free(sky);
	}
	return ret;
}

void sky_free(struct sky *sky)
{
	free(sky->ghi_w_m2);
	free(sky->air_c);
	*sky = (struct sky){ 0 };
}

double sky_ghi(const struct sky *sky, double second)
{
	double at = (second - sky->begin_s) / sky->step_s;
	double part = at - floor(at);
	size_t i;

	if (!(at >= 0) || at >= (double)(sky->n - 1)) {
		return 0;
	}
	i = (size_t)at;
	return fmax(0, sky->ghi_w_m2[i] * (1 - part) + sky->ghi_w_m2[i + 1] * part);
}

double sky_air(const struct sky *sky, double second)
{
	double at = fmin(fmax((second - sky->begin_s) / sky->step_s, 0), (double)(sky->n - 1));

	return sky->air_c[(size_t)at];
}

void roof_unit_init(struct roof_unit *unit, uint64_t serial, uint64_t seed)
{
	*unit = (struct roof_unit){ .serial = serial, .last_s = -1 };
	rng_seed(&unit->rng, seed);
	for (int i = 0; i < REPORT_INPUTS; i++) {
		unit->gain[i] = 1 + 0.02 * rng_uniform(&unit->rng, -1, 1);
		unit->energy_wh[i] = floor(rng_uniform(&unit->rng, 0, 2e6));
	}
}

static double module_power(double ghi, double air_c)
{
	double cell_c = air_c + HEATING_C_M2_W * ghi;

	return MODULE_W * ghi / 1000 * (1 + POWER_PER_C * (cell_c - 25));
}

static double second_of_day(int64_t time_s, int zone_min)
{
	return (double)(((time_s + zone_min * 60) % DAY_S + DAY_S) % DAY_S);
}

static void count_energy(struct roof_unit *unit, const struct sky *sky, int64_t time_s,
			 int zone_min)
{
	int64_t at = unit->last_s < 0 ? time_s : unit->last_s;

	while (at < time_s) {
		int64_t step = time_s - at < INTEGRATION_S ? time_s - at : INTEGRATION_S;
		double second = second_of_day(at + step / 2, zone_min);
		double power = module_power(sky_ghi(sky, second), sky_air(sky, second));

		for (int i = 0; i < REPORT_INPUTS && !unit->faults; i++) {
			unit->energy_wh[i] += power * unit->gain[i] * (double)step / 3600;
		}
		at += step;
	}
	unit->last_s = time_s;
}

/* Voltage and current of one input at its maximum power point; returns its power. */
static double report_input(struct roof_unit *unit, int input, double ghi, double air_c,
			   struct report *report)
{
	double seen = ghi * unit->gain[input];
	double power = unit->faults ? 0 : module_power(seen, air_c);
	double cell_c = air_c + HEATING_C_M2_W * seen;
	double v = MODULE_V + MODULE_V_PER_C * (cell_c - 25) +
		   MODULE_V_PER_LOG * log10(fmax(seen, 1) / 1000);
	double i = power / v;

	v += NOISE_V * rng_normal(&unit->rng);
	i = fmax(0, i + NOISE_A * rng_normal(&unit->rng));
	report_set(report, (enum report_field)(REPORT_V1 + input), v);
	report_set(report, (enum report_field)(REPORT_I1 + input), i);
	report_set(report, (enum report_field)(REPORT_E1 + input), unit->energy_wh[input]);
	return power;
}

void roof_report(struct roof_unit *unit, const struct sky *sky, int64_t time_s, int zone_min,
		 struct report *report)
{
	double second = second_of_day(time_s, zone_min);
	double ghi = sky_ghi(sky, second);
	double air_c = sky_air(sky, second);
	double power = 0;
	enum qs1_state state;

	count_energy(unit, sky, time_s, zone_min);
	*report = (struct report){ .serial = unit->serial, .time_s = time_s };
	report_clear(report);
	for (int i = 0; i < REPORT_INPUTS; i++) {
		power += report_input(unit, i, ghi, air_c, report);
	}
	if (unit->faults & QS1_FAULT_BIT(QS1_FAULT_GFDI)) {
		state = QS1_STATE_GROUND_FAULT;
	} else if (unit->faults) {
		state = QS1_STATE_FAULT;
	} else {
		state = power > AWAKE_W ? QS1_STATE_PRODUCING : QS1_STATE_NIGHT;
	}
	report->value[REPORT_STATE] = state;
	report->value[REPORT_FAULTS] = unit->faults;
	report_set(report, REPORT_POWER, power * EFFICIENCY);
	report_set(report, REPORT_REACTIVE, 0);
	report_set(report, REPORT_GRID_V, 240 + NOISE_GRID_V * rng_normal(&unit->rng));
	report_set(report, REPORT_GRID_HZ, 60 + NOISE_HZ * rng_normal(&unit->rng));
	report_set(report, REPORT_TEMPERATURE, air_c + 0.03 * power);
	report_set(report, REPORT_LINK, 70 + 3 * rng_normal(&unit->rng));
}
