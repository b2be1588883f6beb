// SPDX-License-Identifier: GPL-2.0-only
/*
 * qs1-sim: the control core, compiled for the host, against the plant. It
 * also takes the part of Linux: applies the profile, arms the core, sends the heartbeat.
 */
#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "names.h"
#include "param.h"
#include "profile.h"
#include "trace.h"
#include "util.h"
#include "world.h"

#define EXIT_BAD_INPUT 2
#define HEARTBEAT_TICKS (QS1_CONTROL_HZ / 10)
#define CSV_RATE_DEFAULT 1000

/*
 * A hung coprocessor holds its outputs until the board's window watchdog cuts
 * the gates; a crashed one stops them itself.
 */
#define WATCHDOG_TICKS (QS1_CONTROL_HZ / 1000)

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

/* Delays before a unit connects. */
static const enum qs1_param waits[] = { QS1_PARAM_ES_DELAY_S, QS1_PARAM_ES_RANDOM_S };

struct sim {
	const struct options *options;
	struct qs1_core *core;
	struct qs1_world *world;
	struct qs1_samples in;
	struct qs1_outputs out;
	struct qs1_profile profile;
	bool profile_loaded;
	bool host_alive;
	bool armed;
	bool dead;	   /* the coprocessor does not compute */
	unsigned int hung; /* periods until the watchdog cuts the gates */
	bool skip_wait;
	int32_t waits[ARRAY_SIZE(waits)]; /* to put back after the first start */
	FILE *trace;
	FILE *csv;
	FILE *json;
};

static const char *result_text(uint32_t result)
{
	static const char *const text[] = {
		[QS1_OK] = "done",
		[QS1_ERR_OP] = "no such operation",
		[QS1_ERR_ARG] = "no such parameter or fault",
		[QS1_ERR_RANGE] = "out of range",
		[QS1_ERR_STATE] = "not allowed in the current state",
		[QS1_ERR_CONFLICT] = "contradicts another parameter",
		[QS1_ERR_ACTIVE] = "the cause of the fault is still present",
	};

	return result < ARRAY_SIZE(text) ? text[result] : "?";
}

static void trace_write(struct sim *sim, const void *record, size_t size)
{
	if (sim->trace)
		fwrite(record, size, 1, sim->trace);
}

static int command(struct sim *sim, enum qs1_op op, uint32_t arg, int32_t value, const char *what,
		   char *err, size_t size)
{
	struct trace_command record = {
		.kind = TRACE_COMMAND, .op = op, .arg = arg, .value = value
	};

	if (sim->dead) {
		snprintf(err, size, "%s: the coprocessor is not running", what);
		return -ENXIO;
	}
	record.result = qs1_core_command(sim->core, op, arg, value, &record.ret);
	trace_write(sim, &record, sizeof(record));
	if (record.result != QS1_OK) {
		snprintf(err, size, "%s: the firmware refused: %s (%d)", what,
			 result_text(record.result), record.ret);
		return -EPROTO;
	}
	return 0;
}

static int apply_profile(struct sim *sim, char *err, size_t size)
{
	int ret = command(sim, QS1_OP_PROFILE_BEGIN, 0, 0, "profile", err, size);

	for (int id = 0; !ret && id < QS1_PARAM_COUNT; id++) {
		const struct qs1_param_desc *desc = qs1_param_desc(id);

		if (desc->group == QS1_PARAM_GROUP_PROFILE) {
			ret = command(sim, QS1_OP_SET_PARAM, (uint32_t)id, sim->profile.value[id],
				      desc->name, err, size);
		}
	}
	return ret ? ret : command(sim, QS1_OP_PROFILE_COMMIT, 0, 0, "profile", err, size);
}

/* Search path of a profile: current folder, next to the program, installed. */
static int load_profile(struct sim *sim, const char *name, char *err, size_t size)
{
	char exe[PATH_MAX] = "", beside[PATH_MAX + 32];
	const char *const dirs[] = { "profiles", beside, QS1_PROFILE_DIR_LOCAL, QS1_PROFILE_DIR,
				     NULL };
	__cleanup(free_ptr) char *path = NULL;
	char *slash;
	int ret;

	if (readlink("/proc/self/exe", exe, sizeof(exe) - 1) < 0)
		exe[0] = '\0';
	slash = strrchr(exe, '/');
	if (slash)
		*slash = '\0';
	snprintf(beside, sizeof(beside), "%s/../profiles", exe);
	ret = qs1_profile_find(name, dirs, &path, err, size);
	if (!ret)
		ret = qs1_profile_load(path, &sim->profile, err, size);
	if (ret)
		return ret;
	sim->profile_loaded = true;
	return apply_profile(sim, err, size);
}

static int op_profile(void *ctx, const char *name, char *err, size_t size)
{
	struct sim *sim = ctx;

	/* A profile on the command line overrides the scenario's. */
	return sim->options->profile ? 0 : load_profile(sim, name, err, size);
}

static int op_set(void *ctx, const char *name, const char *value, char *err, size_t size)
{
	struct sim *sim = ctx;
	int id = qs1_param_find(name), ret;
	int32_t scaled = 0;

	ret = qs1_param_parse(id, value, &scaled, err, size);
	if (ret)
		return ret;
	for (size_t n = 0; n < ARRAY_SIZE(waits); n++) {
		if (id == (int)waits[n] && sim->skip_wait && sim->armed) {
			sim->waits[n] = scaled;
			return 0;
		}
	}
	return command(sim, QS1_OP_SET_PARAM, (uint32_t)id, scaled, name, err, size);
}

static int op_command(void *ctx, const char *words, char *err, size_t size)
{
	struct sim *sim = ctx;

	if (!strcmp(words, "shutdown"))
		return command(sim, QS1_OP_DISARM, 0, 0, words, err, size);
	if (!strcmp(words, "start"))
		return command(sim, QS1_OP_ARM, 0, 0, words, err, size);
	return command(sim, QS1_OP_CLEAR, QS1_FAULT_GFDI, 0, words, err, size);
}

static int op_host(void *ctx, bool alive, char *err, size_t size)
{
	struct sim *sim = ctx;

	(void)err;
	(void)size;
	sim->host_alive = alive;
	return 0;
}

static int arm(struct sim *sim, char *err, size_t size)
{
	int ret = 0;

	for (size_t n = 0; n < ARRAY_SIZE(waits) && sim->skip_wait && !ret; n++) {
		sim->waits[n] = qs1_core_param(sim->core, waits[n]);
		ret = command(sim, QS1_OP_SET_PARAM, waits[n], 0, qs1_param_desc(waits[n])->name,
			      err, size);
	}
	sim->armed = true;
	return ret ? ret : command(sim, QS1_OP_ARM, 0, 0, "start", err, size);
}

static int op_coproc(void *ctx, const char *word, char *err, size_t size)
{
	static const struct trace_reset reset = { .kind = TRACE_RESET };
	struct sim *sim = ctx;
	int ret = 0;

	if (strcmp(word, "off") != 0) {
		sim->dead = true;
		sim->hung = !strcmp(word, "hang") ? WATCHDOG_TICKS : 0;
		return 0;
	}
	if (!sim->dead)
		return 0;
	/* Linux restarts the coprocessor and applies the profile again. */
	sim->dead = false;
	sim->out = (struct qs1_outputs){ 0 };
	qs1_core_init(sim->core);
	trace_write(sim, &reset, sizeof(reset));
	if (sim->profile_loaded)
		ret = apply_profile(sim, err, size);
	return ret ? ret : arm(sim, err, size);
}

static int op_skip_enter_service(void *ctx, char *err, size_t size)
{
	struct sim *sim = ctx;

	(void)err;
	(void)size;
	sim->skip_wait = true;
	return 0;
}

static const struct qs1_world_ops ops = {
	.profile = op_profile,
	.set = op_set,
	.command = op_command,
	.host = op_host,
	.coproc = op_coproc,
	.skip_enter_service = op_skip_enter_service,
};

static void take_events(struct sim *sim)
{
	struct qs1_event event;
	char err[128];

	while (qs1_core_event(sim->core, &event)) {
		qs1_world_event(sim->world, &event);
		if (sim->skip_wait && event.kind == QS1_EVENT_TRANSITION &&
		    event.to == QS1_STATE_PRODUCING) {
			sim->skip_wait = false;
			for (size_t n = 0; n < ARRAY_SIZE(waits); n++) {
				command(sim, QS1_OP_SET_PARAM, waits[n], sim->waits[n],
					qs1_param_desc(waits[n])->name, err, sizeof(err));
			}
		}
	}
}

static void trace_step(struct sim *sim)
{
	struct trace_step record = {
		.kind = TRACE_STEP,
		.estop_n = sim->in.estop_n,
		.heartbeat = sim->in.host_heartbeat,
		.cmp_bridge = sim->out.cmp_bridge,
		.ctl = (uint16_t)(sim->out.inputs | (sim->out.bridge ? TRACE_CTL_BRIDGE : 0) |
				  (sim->out.relay ? TRACE_CTL_RELAY : 0)),
	};

	memcpy(record.adc, sim->in.adc, sizeof(record.adc));
	memcpy(record.cmp_input, sim->out.cmp_input, sizeof(record.cmp_input));
	trace_write(sim, &record, sizeof(record));
}

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

	qs1_core_telemetry(sim->core, &t);
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
	const struct qs1_truth *t = qs1_world_truth(sim->world);
	struct qs1_instant now;

	qs1_world_instant(sim->world, &now);
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

static void step_core(struct sim *sim)
{
	if (sim->dead) {
		if (!sim->hung || !--sim->hung)
			sim->out = (struct qs1_outputs){ 0 };
		return;
	}
	qs1_core_step(sim->core, &sim->in, &sim->out);
	if (sim->trace)
		trace_step(sim);
	take_events(sim);
}

static int run(struct sim *sim, char *err, size_t size)
{
	unsigned int csv_ticks = QS1_CONTROL_HZ / sim->options->csv_rate;
	uint64_t ticks = 0;
	int ret;

	for (;;) {
		ret = qs1_world_step(sim->world, &sim->out, sim->in.adc, err, size);
		if (ret)
			return ret < 0 ? ret : 0;
		if (++ticks % HEARTBEAT_TICKS == 0 && sim->host_alive)
			sim->in.host_heartbeat++;
		step_core(sim);
		if (sim->csv && ticks % csv_ticks == 0)
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
		fprintf(stderr, "qs1-sim: %s: can not be written\n", path);
	return bad ? EXIT_FAILURE : 0;
}

static int write_json(const struct sim *sim, double wall_s)
{
	const char *profile = sim->profile_loaded ? sim->profile.name : "note1";
	struct json_object *summary = qs1_world_summary(sim->world, profile, wall_s);

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

/* Reads scenario and profile, and reports all errors in them. */
static int check(struct sim *sim, char *err, size_t size)
{
	const struct options *o = sim->options;
	int ret = qs1_world_load(sim->world, o->scenario, err, size);

	if (!ret && isinf(qs1_world_end(sim->world))) {
		snprintf(err, size, "%s: expected 'run T' at the end, found none", o->scenario);
		ret = -EINVAL;
	}
	if (o->seeded)
		qs1_world_seed(sim->world, o->seed);
	return ret;
}

/* The steps of Linux at boot. */
static int start(struct sim *sim, char *err, size_t size)
{
	const struct options *o = sim->options;
	int ret = o->profile ? load_profile(sim, o->profile, err, size) : 0;

	ret = ret ? ret : qs1_world_start(sim->world, err, size);
	return ret ? ret : arm(sim, err, size);
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
	if (!ret && start(sim, err, sizeof(err))) {
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
	struct sim sim = { .options = &options, .host_alive = true, .in.estop_n = true };
	int ret;

	argp_err_exit_status = EXIT_BAD_INPUT;
	argp_parse(&argp, argc, argv, 0, NULL, &options);

	sim.core = aligned_alloc(64, (qs1_core_size() + 63) / 64 * 64);
	sim.world = qs1_world_new(&ops, &sim);
	if (!sim.core || !sim.world) {
		fprintf(stderr, "qs1-sim: out of memory\n");
		return EXIT_FAILURE;
	}
	qs1_core_init(sim.core);
	ret = simulate(&sim);
	qs1_world_free(sim.world);
	free(sim.core);
	return ret;
}
