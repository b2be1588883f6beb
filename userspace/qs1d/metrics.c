// SPDX-License-Identifier: GPL-2.0-only
#include "metrics.h"

#include <inttypes.h>
#include <math.h>

#include "../lib/names.h"
#include "daemon.h"

/* Readings by name, unit last; the four inputs are one metric with a label. */
static const struct {
	const char *name;
	const char *help;
	enum board_reading first;
	int count;
} readings[] = {
	{ "qs1_pv_volts", "voltage of an input", BOARD_PV1_V, QS1_INPUTS },
	{ "qs1_pv_amperes", "current of an input", BOARD_PV1_I, QS1_INPUTS },
	{ "qs1_pv_watts", "power of an input", BOARD_PV1_P, QS1_INPUTS },
	{ "qs1_grid_volts", "RMS voltage of the grid", BOARD_GRID_V, 1 },
	{ "qs1_grid_amperes", "RMS current into the grid", BOARD_GRID_I, 1 },
	{ "qs1_grid_hertz", "frequency of the grid", BOARD_GRID_F, 1 },
	{ "qs1_grid_watts", "active power into the grid", BOARD_GRID_P, 1 },
	{ "qs1_grid_vars", "reactive power into the grid", BOARD_GRID_Q, 1 },
	{ "qs1_dc_link_volts", "voltage of the DC link", BOARD_LINK_V, 1 },
	{ "qs1_case_celsius", "temperature of the case", BOARD_CASE_T, 1 },
};

static void head(FILE *file, const char *name, const char *type, const char *help)
{
	fprintf(file, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void single(FILE *file, const char *name, const char *type, const char *help, double value)
{
	head(file, name, type, help);
	fprintf(file, "%s %.17g\n", name, value);
}

static void write_readings(FILE *file, const double *value)
{
	for (size_t i = 0; i < ARRAY_SIZE(readings); i++) {
		head(file, readings[i].name, "gauge", readings[i].help);
		for (int n = 0; n < readings[i].count; n++) {
			double found = value[readings[i].first + n];

			if (isnan(found)) {
				continue;
			}
			fputs(readings[i].name, file);
			if (readings[i].count > 1) {
				fprintf(file, "{input=\"%d\"}", n + 1);
			}
			fprintf(file, " %.6g\n", found);
		}
	}
}

static void write_energy(FILE *file, const struct energy *energy)
{
	head(file, "qs1_pv_energy_joules_total", "counter", "energy from an input");
	for (int n = 0; n < QS1_INPUTS; n++) {
		fprintf(file, "qs1_pv_energy_joules_total{input=\"%d\"} %.3f\n", n + 1,
			energy->total_mj[n] / 1e3);
	}
	head(file, "qs1_grid_energy_joules_total", "counter", "energy into the grid");
	fprintf(file, "qs1_grid_energy_joules_total %.3f\n", energy->total_mj[ENERGY_GRID] / 1e3);
}

static void write_state(FILE *file, enum qs1_state state)
{
	head(file, "qs1_state", "gauge", "1 for the state that the inverter is in");
	for (int n = 0; n < QS1_STATE_COUNT; n++) {
		fprintf(file, "qs1_state{state=\"%s\"} %d\n", qs1_state_name(n),
			state == (enum qs1_state)n);
	}
}

static void write_faults(FILE *file, const char *name, const char *help, uint32_t bits)
{
	head(file, name, "gauge", help);
	for (int n = 0; n < QS1_FAULT_ALL_COUNT; n++) {
		fprintf(file, "%s{code=\"%s\"} %d\n", name, qs1_fault_name(n),
			!!(bits & QS1_FAULT_BIT(n)));
	}
}

static void write_trips(FILE *file, const uint64_t trips[QS1_FAULT_COUNT])
{
	head(file, "qs1_trips_total", "counter", "trips since the daemon started");
	for (int n = 0; n < QS1_FAULT_COUNT; n++) {
		fprintf(file, "qs1_trips_total{code=\"%s\"} %" PRIu64 "\n", qs1_fault_name(n),
			trips[n]);
	}
}

static void write_all(FILE *file, const struct daemon *daemon)
{
	const struct policy_output *out = &daemon->out;
	bool live = daemon->board.running && !out->stale;

	single(file, "qs1_up", "gauge", "1 while the inverter delivers samples", live);
	single(file, "qs1_armed", "gauge", "1 while production is permitted", out->armed);
	write_state(file, out->state);
	write_faults(file, "qs1_fault_active", "1 while the cause is present", out->faults_active);
	write_faults(file, "qs1_fault_latched", "1 while it keeps the unit off",
		     out->faults_latched);
	write_trips(file, daemon->trips);
	write_energy(file, &daemon->pace.energy);
	if (live) {
		write_readings(file, daemon->board.sample.meter);
	}
	single(file, "qs1_coprocessor_crashes_total", "counter",
	       "crashes of the firmware since the driver was loaded", daemon->board.sample.crashes);
	single(file, "qs1_boots_total", "counter", "starts of the system", daemon->store.boots);
	single(file, "qs1_store_damaged_blocks", "gauge",
	       "blocks of the store that held no record at the start", daemon->damaged);
	single(file, "qs1_stored", "gauge", "1 while what is in force is on stable storage",
	       out->stored);
}

char *metrics_render(const struct daemon *daemon, size_t *ret_n)
{
	char *text = NULL;
	size_t n = 0;
	FILE *file = open_memstream(&text, &n);

	if (!file) {
		return NULL;
	}
	write_all(file, daemon);
	if (fclose(file)) {
		free(text);
		return NULL;
	}
	*ret_n = n;
	return text;
}
