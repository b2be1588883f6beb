// SPDX-License-Identifier: GPL-2.0-only
/*
 * qs1-sim: the control core, compiled for the host, against the plant. It
 * also takes the part of Linux: applies the profile, arms the core, sends the heartbeat.
 */
#include <argp.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "feeder.h"
#include "names.h"
#include "trace.h"
#include "unit.h"
#include "world.h"

#define EXIT_BAD_INPUT 2
#define CSV_RATE_DEFAULT 1000

struct options {
	const char *profile;
	const char *json;
	const char *csv;
	unsigned int csv_rate;
	const char *trace;
	const char *scenario;
	bool seeded;
	uint64_t seed;
};

struct sim {
	const struct options *options;
	struct feeder *feeder;
	struct unit *unit; /* the first, which trace and csv record */
	FILE *trace;
	FILE *csv;
	FILE *json;
};

static void trace_write(struct sim *sim, const void *record, size_t size)
{
	if (sim->trace)
		fwrite(record, size, 1, sim->trace);
}

static void trace_command(void *ctx, enum qs1_op op, uint32_t arg, int32_t value, uint32_t result,
			  int32_t ret)
{
	struct trace_command record = { .kind = TRACE_COMMAND,
					.op = op,
					.arg = arg,
					.value = value,
					.result = result,
					.ret = ret };

	trace_write(ctx, &record, sizeof(record));
}

static void trace_reset(void *ctx)
{
	static const struct trace_reset reset = { .kind = TRACE_RESET };

	trace_write(ctx, &reset, sizeof(reset));
}

static void trace_step(void *ctx)
{
	const struct sim *sim = ctx;
	const struct unit *u = sim->unit;
	struct trace_step record = {
		.kind = TRACE_STEP,
		.estop_n = u->in.estop_n,
		.heartbeat = u->in.host_heartbeat,
		.cmp_bridge = u->out.cmp_bridge,
		.ctl = (uint16_t)(u->out.inputs | (u->out.bridge ? TRACE_CTL_BRIDGE : 0) |
				  (u->out.relay ? TRACE_CTL_RELAY : 0)),
	};

	memcpy(record.adc, u->in.adc, sizeof(record.adc));
	memcpy(record.cmp_input, u->out.cmp_input, sizeof(record.cmp_input));
	trace_write(ctx, &record, sizeof(record));
}

static const struct unit_watch watch = {
	.step = trace_step,
	.command = trace_command,
	.reset = trace_reset,
};

static void csv_header(FILE *csv)
{
	fputs("time_s", csv);
	for (int n = 1; n <= QS1_INPUTS; n++)
		fprintf(csv, ",vpv%d_v,ipv%d_a,ppv%d_w,pmax%d_w", n, n, n, n);
	fputs(",vlink_v,vgrid_v,igrid_a,vinv_v,vgrid_rms_v,igrid_rms_a,f_hz,p_w,q_var,tcase_c,"
	      "relay,state,power_limit_w,q_ref_var,fw_vgrid_v,fw_igrid_a,fw_f_hz,fw_p_w,fw_q_var,"
	      "fw_vlink_v",
	      csv);
	for (int n = 1; n <= QS1_INPUTS; n++)
		fprintf(csv, ",fw_vpv%d_v,fw_ipv%d_a,fw_ppv%d_w", n, n, n);
	fputs("\n", csv);
}

/* The firmware's columns: state, power limit and reported measurements. */
static void csv_firmware(const struct sim *sim)
{
	struct qs1_telemetry t;

	qs1_core_telemetry(sim->unit->core, &t);
	fprintf(sim->csv, ",%s,%.3f,%.3f,%.3f,%.3f,%.3f,%.3f,%.3f,%.3f",
		qs1_state_name(t.status & QS1_STATUS_STATE_MASK), t.power_limit_mw / 1e3,
		t.q_ref_mvar / 1e3, t.vgrid_mv / 1e3, t.igrid_ma / 1e3, t.f_mhz / 1e3, t.p_mw / 1e3,
		t.q_mvar / 1e3, t.vlink_mv / 1e3);
	for (int n = 0; n < QS1_INPUTS; n++) {
		fprintf(sim->csv, ",%.3f,%.3f,%.3f", t.vpv_mv[n] / 1e3, t.ipv_ma[n] / 1e3,
			t.ppv_mw[n] / 1e3);
	}
}

static void csv_row(const struct sim *sim)
{
	const struct qs1_truth *t = qs1_world_truth(sim->unit->world);
	struct qs1_instant now;

	qs1_world_instant(sim->unit->world, &now);
	fprintf(sim->csv, "%.6f", t->t_s);
	for (int n = 0; n < QS1_INPUTS; n++) {
		fprintf(sim->csv, ",%.4f,%.4f,%.3f,%.3f", now.vpv_v[n], now.ipv_a[n], t->ppv_w[n],
			t->pmax_w[n]);
	}
	fprintf(sim->csv, ",%.3f,%.3f,%.4f,%.3f,%.3f,%.4f,%.4f,%.3f,%.3f,%.2f,%d", now.vlink_v,
		now.vgrid_v, now.igrid_a, now.vinv_v, t->vgrid_v, t->igrid_a, t->f_hz, t->p_w,
		t->q_var, t->tcase_c, t->relay_closed);
	csv_firmware(sim);
	fputs("\n", sim->csv);
}

static int run(struct sim *sim, char *err, size_t size)
{
	unsigned int csv_ticks = QS1_CONTROL_HZ / sim->options->csv_rate;
	uint64_t ticks = 0;
	int ret;

	for (;;) {
		ret = feeder_step(sim->feeder, err, size);
		if (ret)
			return ret < 0 ? ret : 0;
		if (sim->csv && ++ticks % csv_ticks == 0)
			csv_row(sim);
	}
}

static FILE *create(const char *path)
{
	FILE *file = !strcmp(path, "-") ? stdout : fopen(path, "we");

	if (!file)
		fprintf(stderr, "qs1-sim: %s: %s\n", path, strerror(errno));
	return file;
}

static int finish(FILE *file, const char *path)
{
	bool bad = ferror(file);

	bad |= (file == stdout ? fflush(file) : fclose(file)) != 0;
	if (bad)
		fprintf(stderr, "qs1-sim: %s: cannot be written\n", path);
	return bad ? EXIT_FAILURE : 0;
}

static int write_json(const struct sim *sim, double wall_s)
{
	struct json_object *summary = feeder_summary(sim->feeder, wall_s);

	fprintf(sim->json, "%s\n",
		json_object_to_json_string_ext(summary, JSON_C_TO_STRING_PRETTY |
								JSON_C_TO_STRING_SPACED |
								JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(summary);
	return finish(sim->json, sim->options->json);
}

static double seconds_between(const struct timespec *a, const struct timespec *b)
{
	return (double)(b->tv_sec - a->tv_sec) + 1e-9 * (double)(b->tv_nsec - a->tv_nsec);
}

/* Reads the scenario and reports all errors in it. */
static int check(struct sim *sim, char *err, size_t size)
{
	const struct options *o = sim->options;
	int ret = feeder_load(sim->feeder, o->scenario, err, size);

	if (ret)
		return ret;
	if (isinf(feeder_end(sim->feeder))) {
		snprintf(err, size, "%s: expected 'run T' at the end, found none", o->scenario);
		return -EINVAL;
	}
	if (feeder_units(sim->feeder) > 1 && (o->csv || o->trace)) {
		snprintf(err, size, "%s: --csv and --trace record one unit, expected no 'units %d'",
			 o->scenario, feeder_units(sim->feeder));
		return -EINVAL;
	}
	if (o->seeded)
		feeder_seed(sim->feeder, o->seed);
	if (o->profile)
		feeder_profile(sim->feeder, o->profile);
	sim->unit = feeder_unit(sim->feeder, 1);
	return 0;
}

static int open_outputs(struct sim *sim)
{
	const struct options *o = sim->options;
	struct trace_header header = { .version = TRACE_VERSION,
				       .layout_version = QS1_LAYOUT_VERSION };

	sim->json = o->json ? create(o->json) : NULL;
	sim->csv = o->csv ? create(o->csv) : NULL;
	sim->trace = o->trace ? create(o->trace) : NULL;
	if ((o->json && !sim->json) || (o->csv && !sim->csv) || (o->trace && !sim->trace))
		return EXIT_FAILURE;
	if (sim->csv)
		csv_header(sim->csv);
	if (sim->trace) {
		sim->unit->watch = &watch;
		sim->unit->watch_ctx = sim;
	}
	memcpy(header.magic, TRACE_MAGIC, sizeof(header.magic));
	trace_write(sim, &header, sizeof(header));
	return 0;
}

/* Removes an incomplete output file. */
static void drop_output(FILE *file, const char *path)
{
	if (file && file != stdout) {
		fclose(file);
		remove(path);
	}
}

static void drop_outputs(struct sim *sim)
{
	drop_output(sim->json, sim->options->json);
	drop_output(sim->csv, sim->options->csv);
	drop_output(sim->trace, sim->options->trace);
}

static int simulate(struct sim *sim)
{
	const struct options *o = sim->options;
	struct timespec begin, end;
	char err[1024] = "";
	int ret;

	if (check(sim, err, sizeof(err))) {
		fprintf(stderr, "%s\n", err);
		return EXIT_BAD_INPUT;
	}
	ret = open_outputs(sim);
	if (!ret && feeder_start(sim->feeder, err, sizeof(err))) {
		fprintf(stderr, "%s\n", err);
		ret = EXIT_BAD_INPUT;
	}
	if (ret) {
		drop_outputs(sim);
		return ret;
	}
	clock_gettime(CLOCK_MONOTONIC, &begin);
	if (run(sim, err, sizeof(err))) {
		fprintf(stderr, "%s\n", err);
		ret = EXIT_FAILURE;
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	if (sim->trace && finish(sim->trace, o->trace))
		ret = EXIT_FAILURE;
	if (sim->csv && finish(sim->csv, o->csv))
		ret = EXIT_FAILURE;
	if (sim->json && write_json(sim, seconds_between(&begin, &end)))
		ret = EXIT_FAILURE;
	return ret;
}

static unsigned long long whole_number(struct argp_state *state, const char *option,
				       const char *text, unsigned long long min,
				       unsigned long long max)
{
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || value < min || value > max) {
		argp_error(state, "--%s: expected a whole number from %llu to %llu, found '%s'",
			   option, min, max, text);
	}
	return value;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'p':
		o->profile = arg;
		return 0;
	case 's':
		o->seed = whole_number(state, "seed", arg, 0, INT64_MAX);
		o->seeded = true;
		return 0;
	case 'j':
		o->json = arg;
		return 0;
	case 'c':
		o->csv = arg;
		return 0;
	case 'r':
		o->csv_rate = (unsigned int)whole_number(state, "csv-rate", arg, 1, QS1_CONTROL_HZ);
		return 0;
	case 't':
		o->trace = arg;
		return 0;
	case ARGP_KEY_ARG:
		if (o->scenario)
			argp_error(state, "expected one scenario, found '%s' as well", arg);
		o->scenario = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "expected a scenario file");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int main(int argc, char **argv)
{
	static const struct argp_option rows[] = {
		{ "profile", 'p', "P", 0, "grid profile, by name or file (default: note1)", 0 },
		{ "seed", 's', "N", 0, "seed of every random source, over the scenario's", 0 },
		{ "json", 'j', "FILE", 0, "write the summary; - for standard output", 0 },
		{ "csv", 'c', "FILE", 0, "write true waveforms", 0 },
		{ "csv-rate", 'r', "HZ", 0, "rows a second of --csv (default: 1000)", 0 },
		{ "trace", 't', "FILE", 0, "record the control core's inputs and outputs", 0 },
		{ 0 },
	};
	static const struct argp argp = {
		rows,
		parse_option,
		"SCENARIO",
		"Run the qs1 firmware core against the simulated power stage, modules and grid.",
		NULL,
		NULL,
		NULL
	};
	struct options options = { .csv_rate = CSV_RATE_DEFAULT };
	struct sim sim = { .options = &options };
	int ret;

	argp_err_exit_status = EXIT_BAD_INPUT;
	argp_parse(&argp, argc, argv, 0, NULL, &options);

	sim.feeder = feeder_new();
	if (!sim.feeder) {
		fprintf(stderr, "qs1-sim: out of memory\n");
		return EXIT_FAILURE;
	}
	ret = simulate(&sim);
	feeder_free(sim.feeder);
	return ret;
}
