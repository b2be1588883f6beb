// SPDX-License-Identifier: GPL-2.0-only
/* Several units on one network: what a scenario may name, and that one unit alone stays as it was.
 */
#include <complex.h>
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "feeder.h"
#include "member.h"
#include "unit.h"

static char path[] = "/tmp/qs1-feeder-XXXXXX";

static const char sunny[] = "module all en50530 340 37 csi\ncell all 25\nsun all 1000\n"
			    "skip enter-service\nset es_ramp_s 1\n";

static int make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int drop_file(void **state)
{
	(void)state;
	return unlink(path);
}

static void write_file(const char *before, const char *text, const char *after)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fprintf(f, "%s%s%s", before, text, after);
	fclose(f);
}

static struct feeder *load(const char *before, const char *text, const char *after)
{
	struct feeder *f = feeder_new();
	char err[512] = "";

	write_file(before, text, after);
	assert_non_null(f);
	if (feeder_load(f, path, err, sizeof(err)) || feeder_start(f, err, sizeof(err)))
		fail_msg("%s", err);
	return f;
}

static void run(struct feeder *f, double t)
{
	char err[512] = "";

	if (feeder_run(f, t, err, sizeof(err)) < 0)
		fail_msg("%s", err);
}

/* FNV-1a over samples and outputs: every bit that the core sees and does. */
static uint64_t hash(uint64_t h, const void *data, size_t n)
{
	const unsigned char *c = data;

	for (size_t k = 0; k < n; k++)
		h = (h ^ c[k]) * 0x100000001b3u;
	return h;
}

static uint64_t trace_of(struct feeder *f, double end)
{
	struct unit *u = feeder_unit(f, 1);
	uint64_t h = 0xcbf29ce484222325u;
	char err[512] = "";

	while (feeder_time(f) < end) {
		assert_int_equal(feeder_step(f, err, sizeof(err)), 0);
		h = hash(h, u->in.adc, sizeof(u->in.adc));
		h = hash(h, &u->out.cmp_bridge, sizeof(u->out.cmp_bridge));
	}
	return h;
}

static void one_unit_alone_stays_bit_for_bit_on_its_own_source(void **state)
{
	static const char events[] = "load rlc 0.5 1\nat 1.2 grid v 0.8\nat 1.5 grid phase 20\n"
				     "at 1.7 grid open\nrun 3\n";
	static const char *const heads[] = { "", "units 1\n" };
	char alone_err[512] = "";
	uint64_t traces[2];
	struct unit alone;
	uint64_t h = 0xcbf29ce484222325u;

	(void)state;
	for (int n = 0; n < 2; n++) {
		struct feeder *f = load(heads[n], sunny, events);

		traces[n] = trace_of(f, 2);
		feeder_free(f);
	}
	/* The same without a feeder. */
	write_file("", sunny, events);
	assert_int_equal(unit_init(&alone), 0);
	assert_int_equal(qs1_world_load(alone.world, path, alone_err, sizeof(alone_err)), 0);
	assert_int_equal(unit_start(&alone, alone_err, sizeof(alone_err)), 0);
	while (qs1_world_time(alone.world) < 2) {
		assert_int_equal(qs1_world_step(alone.world, &alone.out, alone.in.adc, alone_err,
						sizeof(alone_err)),
				 0);
		unit_step(&alone);
		h = hash(h, alone.in.adc, sizeof(alone.in.adc));
		h = hash(h, &alone.out.cmp_bridge, sizeof(alone.out.cmp_bridge));
	}
	unit_free(&alone);
	assert_true(traces[0] == h);
	assert_true(traces[1] == h);
}

static void units_on_one_node_share_its_voltage(void **state)
{
	struct feeder *f = load("units 3\nfeeder phases one 240 60\nunit 2 set power_limit_w 600\n",
				sunny, "run 9\n");
	const struct feeder_network *n = feeder_network(f);
	struct qs1_telemetry t;
	double p = 0;

	(void)state;
	run(f, 6);
	for (int k = 1; k <= 3; k++) {
		const struct qs1_truth *truth = feeder_truth(f, k);

		feeder_telemetry(f, k, &t);
		assert_int_equal(t.status & QS1_STATUS_STATE_MASK, QS1_STATE_PRODUCING);
		assert_true(fabs(truth->vgrid_v - n->v_rms[0]) < 0.01);
		assert_true(fabs(truth->p_w - (k == 2 ? 598 : 1198)) < 6);
		p += truth->p_w;
	}
	print_message("# network %.2f W, units %.2f W, %.3f V, %.4f Hz\n", n->p_w[0], p,
		      n->v_rms[0], n->f_hz);
	assert_true(fabs(p - n->p_w[0]) < 5);
	/* The source's resistance of 0.3 ohm lifts the voltage. */
	assert_true(fabs(n->v_rms[0] - 240 - 0.3 * n->i_rms[0]) < 0.1);
	assert_true(fabs(n->f_hz - 60) < 0.01);
	feeder_free(f);
}

/* A coprocessor of the caller's: the same core, outside of the feeder. */
struct caller {
	struct qs1_core *core;
	struct qs1_samples in;
	struct qs1_outputs out;
	uint64_t ticks;
};

static int no_word(void *ctx, const char *word, char *err, size_t size)
{
	(void)ctx;
	(void)word;
	(void)err;
	(void)size;
	return 0;
}

static int no_set(void *ctx, const char *name, const char *value, char *err, size_t size)
{
	(void)value;
	return no_word(ctx, name, err, size);
}

static int no_wait(void *ctx, char *err, size_t size)
{
	return no_word(ctx, "", err, size);
}

static const struct qs1_outputs *caller_period(void *ctx, const int16_t adc[QS1_ADC_COUNT])
{
	struct caller *caller = ctx;

	memcpy(caller->in.adc, adc, sizeof(caller->in.adc));
	if (++caller->ticks % (QS1_CONTROL_HZ / 10) == 0)
		caller->in.host_heartbeat++;
	qs1_core_step(caller->core, &caller->in, &caller->out);
	return &caller->out;
}

static void caller_telemetry(void *ctx, struct qs1_telemetry *telemetry)
{
	qs1_core_telemetry(((struct caller *)ctx)->core, telemetry);
}

static void a_coprocessor_of_the_caller_feeds_the_same_network(void **state)
{
	static const struct qs1_world_ops ops = { .profile = no_word,
						  .set = no_set,
						  .skip_enter_service = no_wait };
	static const struct feeder_host host = { .ops = &ops,
						 .period = caller_period,
						 .telemetry = caller_telemetry };
	struct caller caller = { .in.estop_n = true };
	struct feeder *f = feeder_new();
	struct qs1_telemetry t;
	char err[512] = "";
	int32_t ret;

	(void)state;
	caller.core = aligned_alloc(64, (qs1_core_size() + 63) / 64 * 64);
	assert_non_null(caller.core);
	qs1_core_init(caller.core);
	qs1_core_command(caller.core, QS1_OP_SET_PARAM, QS1_PARAM_ES_DELAY_S, 0, &ret);
	qs1_core_command(caller.core, QS1_OP_SET_PARAM, QS1_PARAM_ES_RAMP_S, 1, &ret);
	qs1_core_command(caller.core, QS1_OP_ARM, 0, 0, &ret);
	write_file("units 2\nfeeder phases one 240 60\n", sunny, "at 7 grid open\nrun 9\n");
	assert_int_equal(feeder_load(f, path, err, sizeof(err)), 0);
	assert_string_equal(feeder_phase(f, 1), "L1-N");
	feeder_host(f, 1, &host, &caller);
	assert_int_equal(feeder_start(f, err, sizeof(err)), 0);
	run(f, 6);
	feeder_telemetry(f, 1, &t);
	assert_int_equal(t.status & QS1_STATUS_STATE_MASK, QS1_STATE_PRODUCING);
	print_message("# %.1f and %.1f W at the caller's and the feeder's core, network %.1f W\n",
		      feeder_truth(f, 1)->p_w, feeder_truth(f, 2)->p_w, feeder_network(f)->p_w[0]);
	assert_true(fabs(feeder_truth(f, 1)->p_w - feeder_truth(f, 2)->p_w) < 15);
	assert_true(fabs(feeder_network(f)->p_w[0] - 2 * feeder_truth(f, 2)->p_w) < 20);
	assert_int_equal(feeder_command(f, 1, QS1_OP_DISARM, 0, 0, &ret), -ENXIO);
	/* Both lose the grid. */
	run(f, 9);
	assert_true(fabs(feeder_truth(f, 1)->p_w) < 1);
	assert_true(fabs(feeder_truth(f, 2)->p_w) < 1);
	feeder_free(f);
	free(caller.core);
}

static void a_name_that_is_not_there_is_refused_with_its_line(void **state)
{
	static const struct {
		const char *text, *words;
		int line;
	} bad[] = {
		{ "unit 1 sun all 5\nrun 1\n", "needs 'units N'", 1 },
		{ "feeder phases three 230 50\nrun 1\n", "needs 'units N'", 1 },
		{ "units 3\nunit 4 sun all 5\nrun 1\n", "expected a unit from 1 to 3, found 4", 2 },
		{ "units 3\nat 1 unit 4 cmd shutdown\nrun 2\n", "found 4", 2 },
		{ "units 3\nunit 0 sun all 5\nrun 1\n", "expected a unit from 1 to 100", 2 },
		{ "units 101\nrun 1\n", "from 1 to 100", 1 },
		{ "units 2\nunit 1 phase L4\nrun 1\n", "found 'L4'", 2 },
		{ "units 2\nunit 1 phase L2-N\nrun 1\n", "up to L1, found 'L2'", 2 },
		{ "units 2\nfeeder phases split 120 60\nat 1 phase L3 open\nrun 2\n", "found 'L3'",
		  3 },
		{ "units 2\nfeeder phases split 120 60\nat 1 phases swap L2 L2\nrun 2\n",
		  "expected two phases, found L2 twice", 3 },
		{ "units 2\nunit 1 bus 7\nrun 1\n", "expected a bus of the feeder, found 7", 2 },
		{ "units 2\nfeeder bus 1 from 2 0.1 1e-6\nrun 1\n", "found 2", 2 },
		{ "units 2\nfeeder bus 1 from 0 0.1 1e-6\nfeeder bus 1 from 0 1 1e-6\nrun 1\n",
		  "expected a new bus", 3 },
		{ "units 2\nplant switching\nrun 1\n", "averaged", 2 },
		{ "load 1 rectifier 1\nrun 1\n", "needs 'units N'", 1 },
		{ "units 2\nother 1 sfs 500 L2-N wide\nrun 1\n", "found 'L2'", 2 },
		{ "units 2\nmotor 1 three 500 1 1\nrun 1\n", "found 'three'", 2 },
		{ "units 2\nmotor 1 L2-N 500 1 1\nrun 1\n", "found 'L2'", 2 },
		{ "units 2\nmotor 9 L1-N 500 1 1\nrun 1\n", "from 1 to 8", 2 },
		{ "units 2\nmotor 1 L1-N 500 1 1\nmotor 1 L1-N 500 1 1\nrun 1\n",
		  "'motor 1' once, found it also in line 2", 3 },
		{ "units 2\nother 1 sfs 500 L1-N wide\nother 2 sfs 500 L1-N wide\n"
		  "other 1 sms 500 L1-N wide\nrun 1\n",
		  "'other 1' once, found it also in line 2", 4 },
		{ "units 2\nunits 3\nrun 1\n", "'units' once, found it also in line 1", 2 },
		{ "units 2\nfeeder phases one 240 60\nfeeder phases three 120 60\nrun 1\n",
		  "'feeder phases' once, found it also in line 2", 3 },
		{ "units 2\ngrid form 5000 60 1 0.2\ngrid form 5000 60 2 0.2\nrun 1\n",
		  "'grid form' once, found it also in line 2", 3 },
		{ "units 2\nunit 1 bus 0\nunit 2 bus 0\nunit 1 bus 0\nrun 1\n",
		  "'bus' once, found it also in line 2", 4 },
		{ "units 2\nload place 1 L1-N 0\nload place 1 L1-N 0\nrun 1\n",
		  "'load place 1' once, found it also in line 2", 3 },
		{ "units 2\nunit 1\nrun 1\n", "found the end of the line", 2 },
		{ "units 2\nfeeder transformer 1 from 0 9000 dy\nrun 1\n", "three phases", 2 },
		{ "units 2\nfeeder transformer 1 from 4 9000 yy\nrun 1\n", "found 4", 2 },
		{ "units 2\nunit 1 grid v 1\nrun 1\n", "unknown word 'grid'", 2 },
	};
	char err[512], place[64];

	(void)state;
	for (size_t n = 0; n < sizeof(bad) / sizeof(bad[0]); n++) {
		struct feeder *f = feeder_new();

		write_file("", bad[n].text, "");
		err[0] = '\0';
		assert_int_not_equal(feeder_load(f, path, err, sizeof(err)), 0);
		snprintf(place, sizeof(place), "%s:%d: ", path, bad[n].line);
		if (strncmp(err, place, strlen(place)) || !strstr(err, bad[n].words))
			fail_msg("'%s' does not name line %d and '%s'", err, bad[n].line,
				 bad[n].words);
		feeder_free(f);
	}
}

static void every_word_of_a_site_is_understood(void **state)
{
	static const char text[] =
		"units 3\nfeeder phases three 120 60\nfeeder bus 1 from 0 0.1 1e-5\n"
		"feeder cable 2 from 1 30 4/0Al\nunit 2 bus 2\nunit 3 phase L1-N\nunit 1 board drawn\n"
		"load place 2 L1-L2 1\nother 1 sfs 500 L2-N wide\n"
		"feeder transformer 3 from 1 9000 yy\nmotor 2 three 500 1 1\nmotor 1 L1-L2 500 1 1\n"
		"grid form 5000 60 1 0.2\n"
		"module 3 source 40 1\nleak 2 30 ac\n"
		"at 0.01 unit 2 sun 1 200\nat 0.01 load 2 rl 1 0.9\nat 0.02 phase L2 open\n"
		"at 0.03 phase L2 close\nat 0.03 neutral open\nat 0.04 neutral close\n"
		"at 0.04 phases swap L1 L3\nat 0.05 feeder open 2\nat 0.06 feeder close 2\n"
		"at 0.05 feeder open 3\nat 0.06 feeder close 3\n"
		"at 0.06 dip C 0.3\nat 0.07 dip none\nat 0.07 unit 3 cmd shutdown\n"
		"at 0.07 mark start\nat 0.08 leak all 0 dc\nrun 0.1\n";
	struct feeder *f = load("", text, "");
	struct json_object *summary, *errors;

	(void)state;
	run(f, 1);
	assert_string_equal(feeder_phase(f, 1), "L1-L2");
	assert_string_equal(feeder_phase(f, 2), "L2-L3");
	assert_string_equal(feeder_phase(f, 3), "L1-N");
	summary = feeder_summary(f, 1);
	assert_true(json_object_object_get_ex(summary, "errors", &errors));
	assert_int_equal(json_object_array_length(errors), 0);
	json_object_put(summary);
	feeder_free(f);
}

static double volts(const struct feeder *f, int phase)
{
	return feeder_network(f)->v_rms[phase];
}

/* Loads of 3, 1 and 1 kW at 240 V: V_N = sum Y E / sum Y. */
static void an_open_neutral_divides_the_voltages(void **state)
{
	struct feeder *f =
		load("units 1\nfeeder phases three 240 60\ngrid impedance 1e-3 1e-6\n",
		     "load place 1 L1-N 0\nload 1 rl 2.5 1\nload place 2 L2-N 0\n"
		     "load 2 rl 0.8333333 1\nload place 3 L3-N 0\nload 3 rl 0.8333333 1\n",
		     "at 0.2 neutral open\nrun 1\n");
	(void)state;
	run(f, 0.19);
	for (int k = 0; k < 3; k++)
		assert_true(fabs(volts(f, k) - 240) < 0.5);
	run(f, 1);
	print_message("# open neutral: %.1f, %.1f, %.1f V\n", volts(f, 0), volts(f, 1),
		      volts(f, 2));
	assert_true(fabs(volts(f, 0) - 144) < 1);
	assert_true(fabs(volts(f, 1) - 299.9) < 1);
	assert_true(fabs(volts(f, 2) - 299.9) < 1);
	assert_true(feeder_network(f)->neutral_a < 1e-6);
	feeder_free(f);
}

/* Equal loads to the neutral, Yw, and between phases, Yd: U3 = (U1 + U2) Yd / (2 Yd + Yw). */
static void an_open_phase_is_fed_back_through_the_loads(void **state)
{
	struct feeder *f = load("units 1\nfeeder phases three 240 60\ngrid impedance 1e-3 1e-6\n",
				"load place 1 L1-N 0\nload 1 rl 2.5 1\nload place 2 L2-N 0\n"
				"load 2 rl 2.5 1\nload place 3 L3-N 0\nload 3 rl 2.5 1\n"
				"load place 4 L1-L2 0\nload 4 rl 2.5 1\nload place 5 L2-L3 0\n"
				"load 5 rl 2.5 1\nload place 6 L3-L1 0\nload 6 rl 2.5 1\n",
				"at 0.2 phase L3 open\nrun 1\n");

	(void)state;
	run(f, 1);
	print_message("# open phase: %.1f V, unbalance %.1f %%\n", volts(f, 2),
		      feeder_network(f)->unbalance_pct);
	/* A load between phases is for 415.7 V: Yd = Yw / 3. */
	assert_true(fabs(volts(f, 2) - 48) < 0.5);
	feeder_free(f);
}

static void dips_have_their_phase_jumps(void **state)
{
	/* Magnitudes of U1, U2 of a dip to 0.4, per unit; U3's is U2's. */
	static const struct {
		char type;
		double u1, u2;
	} rows[] = { { 'A', 0.4, 0.4 }, { 'B', 0.4, 1 }, { 'C', 1, 0.6083 }, { 'D', 0.4, 0.8888 } };

	(void)state;
	for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
		char after[64];
		struct feeder *f;

		snprintf(after, sizeof(after), "at 0.1 dip %c 0.4\nrun 1\n", rows[n].type);
		f = load("units 1\nfeeder phases three 230 50\n", "", after);
		run(f, 0.4);
		assert_true(fabs(volts(f, 0) / 230 - rows[n].u1) < 0.002);
		assert_true(fabs(volts(f, 1) / 230 - rows[n].u2) < 0.002);
		assert_true(fabs(volts(f, 2) / 230 - rows[n].u2) < 0.002);
		feeder_free(f);
	}
}

static void a_forming_source_moves_its_frequency_by_its_power(void **state)
{
	struct feeder *f = load("units 1\nfeeder phases one 240 60\ngrid form 4800 60 3 0.1\n", "",
				"load 1 rl 2 1\nrun 3\n");

	(void)state;
	run(f, 2);
	print_message("# forming source: %.3f Hz at %.0f W\n", feeder_network(f)->f_hz,
		      -feeder_network(f)->p_w[0]);
	assert_true(fabs(feeder_network(f)->f_hz - (60 + 3 * feeder_network(f)->p_w[0] / 4800)) <
		    0.02);
	feeder_free(f);
}

static void a_cable_opens_and_its_units_leave(void **state)
{
	struct feeder *f = load("units 2\nfeeder phases one 240 60\nfeeder cable 1 from 0 30 4\n"
				"unit 2 bus 1\n",
				sunny, "at 5 feeder open 1\nrun 8\n");

	(void)state;
	run(f, 8);
	assert_true(feeder_truth(f, 1)->p_w > 1000);
	assert_true(fabs(feeder_truth(f, 2)->p_w) < 1);
	feeder_free(f);
}

static void modules_and_leaks_of_one_unit_do_not_touch_another(void **state)
{
	struct feeder *f = load("units 2\nfeeder phases one 240 60\nmodule all en50530 340 37 csi\n"
				"cell all 25\nskip enter-service\nset es_ramp_s 1\n"
				"unit 2 module all source 52 5\nunit 2 leak 1 100 dc\n"
				"unit 1 sun all 500\n",
				"", "run 8\n");
	struct qs1_telemetry t[2];

	(void)state;
	run(f, 8);
	for (int k = 0; k < 2; k++)
		feeder_telemetry(f, k + 1, &t[k]);
	print_message("# source of 52 V and 5 ohm: %.1f W of 135 W an input; ground %d and %d mA\n",
		      feeder_truth(f, 2)->ppv_w[0], t[0].ignd_ma, t[1].ignd_ma);
	assert_true(fabs(feeder_truth(f, 2)->pmax_w[0] - 135.2) < 1e-6);
	assert_true(feeder_truth(f, 2)->ppv_w[0] > 132);
	assert_true(t[0].ignd_ma < 20);
	assert_true(abs(t[1].ignd_ma - 100) < 20);
	feeder_free(f);
}

static void a_load_of_constant_power_takes_it_at_any_voltage(void **state)
{
	struct feeder *f = load("units 1\nfeeder phases one 240 60\n", "",
				"load 1 power 1\nat 0.5 grid v 0.8\nrun 2\n");

	(void)state;
	run(f, 0.5);
	assert_true(fabs(-feeder_network(f)->p_w[0] - 1200) < 3);
	run(f, 2);
	print_message("# constant power: %.1f W at %.1f V\n", -feeder_network(f)->p_w[0],
		      volts(f, 0));
	assert_true(fabs(-feeder_network(f)->p_w[0] - 1200) < 3);
	feeder_free(f);
}

/* Short pulses around the peak: RMS current far above what the power needs. */
static void a_rectifier_draws_pulses(void **state)
{
	struct feeder *f =
		load("units 1\nfeeder phases one 240 60\n", "", "load 1 rectifier 1\nrun 1\n");
	const struct feeder_network *n = feeder_network(f);

	(void)state;
	run(f, 1);
	print_message("# rectifier: %.0f W, %.2f A, power factor %.2f\n", -n->p_w[0], n->i_rms[0],
		      -n->p_w[0] / n->i_rms[0] / n->v_rms[0]);
	assert_true(fabs(-n->p_w[0] - 1200) < 200);
	assert_true(-n->p_w[0] / n->i_rms[0] / n->v_rms[0] < 0.85);
	feeder_free(f);
}

/* Per unit, as in motor.c. */
static const struct machine {
	double rs, xs, xm, rr, xr;
} industrial = { 0.031, 0.10, 3.2, 0.018, 0.18 }, domestic = { 0.077, 0.107, 2.22, 0.079, 0.098 };

/* The textbook's equivalent circuit of a winding at a slip. */
static double complex impedance(const struct machine *m, double slip)
{
	double complex rotor = CMPLX(m->rr / slip, m->xr), shunt = CMPLX(0, m->xm);

	return CMPLX(m->rs, m->xs) + shunt * rotor / (shunt + rotor);
}

/* Torque of a current that turns with it, of one winding. */
static double torque(const struct machine *m, double slip, double complex amps)
{
	double rotor = cabs(amps * CMPLX(0, m->xm) / CMPLX(m->rr / slip, m->xr + m->xm));

	return rotor * rotor * m->rr / slip;
}

/* A motor at its nominal voltage, 1: line currents and, of an open phase, the voltage. */
struct steady {
	double torque;
	double complex amps;
	double open_v;
};

static struct steady three_wires(double slip)
{
	double complex amps = 1 / impedance(&industrial, slip);

	return (struct steady){ torque(&industrial, slip, amps), amps, 1 };
}

/* Two lines feed windings in series: positive and negative sequence in series. */
static struct steady two_wires(double slip)
{
	double complex a = cexp(CMPLX(0, 2 * M_PI / 3));
	double complex z1 = impedance(&industrial, slip), z2 = impedance(&industrial, 2 - slip);
	double complex amps = sqrt(3) / (z1 + z2);
	double complex i1 = (amps - a * amps) / 3, i2 = (amps - a * a * amps) / 3;
	double complex first = z1 * i1 + z2 * i2, third = a * z1 * i1 + a * a * z2 * i2;

	return (struct steady){ torque(&industrial, slip, i1) - torque(&industrial, 2 - slip, i2),
				amps, cabs(third - first + cexp(CMPLX(0, -M_PI / 6))) };
}

/* Forward and backward field of a main winding and of one behind a capacitor. */
static struct steady with_capacitor(double slip)
{
	double complex zf = impedance(&domestic, slip), zb = impedance(&domestic, 2 - slip);
	double x = M_SQRT2;
	/* zf f + zb b = 1, and through the capacitor -j zf f + j zb b = -1 + x (f - b) */
	double complex p = -I * zf - x, q = I * zb + x;
	double complex det = zf * q - zb * p, f = (q + zb) / det, b = (-zf - p) / det;

	return (struct steady){ torque(&domestic, slip, f) - torque(&domestic, 2 - slip, b),
				f + b + I * (f - b), 1 };
}

/* Where the motor's torque is the fan's. */
static struct steady balance(struct steady (*at)(double slip), double load, double *ret_speed)
{
	double low = 1e-6, high = 0.15;

	for (int n = 0; n < 60; n++) {
		double slip = (low + high) / 2;

		if (at(slip).torque < load * (1 - slip) * (1 - slip))
			low = slip;
		else
			high = slip;
	}
	*ret_speed = 1 - low;
	return at(low);
}

static double motor_speed_of(const struct feeder *f)
{
	struct json_object *summary = feeder_summary(f, 1), *motors;
	double speed;

	assert_true(json_object_object_get_ex(summary, "motors", &motors));
	speed = json_object_get_double(json_object_array_get_idx(motors, 0));
	json_object_put(summary);
	return speed;
}

static void motors_run_as_their_equivalent_circuits(void **state)
{
	static const struct {
		const char *text, *then;
		struct steady (*at)(double slip);
		double load, volts, winding_va, open;
	} rows[] = {
		{ "feeder phases three 140 60\ngrid impedance 1e-3 1e-6\nmotor 1 three 3000 0.8 0.3\n",
		  "run 9\n", three_wires, 0.8, 140, 1000, -1 },
		{ "feeder phases three 140 60\ngrid impedance 1e-3 1e-6\nmotor 1 three 3000 0.3 0.3\n",
		  "at 1 phase L3 open\nrun 9\n", two_wires, 0.3, 140, 1000, 2 },
		{ "feeder phases one 240 60\ngrid impedance 1e-3 1e-6\nmotor 1 L1-N 1000 0.7 0.3\n",
		  "run 9\n", with_capacitor, 0.7, 240, 500, -1 },
	};

	(void)state;
	for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
		struct feeder *f = load("units 1\n", rows[n].text, rows[n].then);
		double amps = rows[n].winding_va / rows[n].volts, speed, found;
		struct steady steady = balance(rows[n].at, rows[n].load, &speed);

		run(f, 5);
		found = motor_speed_of(f);
		print_message("# motor %zu: %.5f of %.5f pu, %.3f of %.3f A", n + 1, found, speed,
			      feeder_network(f)->i_rms[0], amps * cabs(steady.amps));
		/* A backward field shakes it at twice the frequency. */
		assert_true(fabs(found - speed) < 1e-3);
		assert_true(fabs(feeder_network(f)->i_rms[0] / amps / cabs(steady.amps) - 1) <
			    1e-3);
		if (rows[n].open > 0) {
			double v = volts(f, 2);

			print_message(", open phase %.2f of %.2f V", v,
				      rows[n].volts * steady.open_v);
			assert_true(fabs(v / rows[n].volts - steady.open_v) < 1e-3);
		}
		print_message("\n");
		feeder_free(f);
	}
}

/* Without the grid, flux and speed hold a voltage that falls with them. */
static void a_motor_holds_the_voltage_of_an_island_for_a_while(void **state)
{
	struct feeder *f = load("units 1\nfeeder phases three 140 60\nmotor 1 three 3000 0.5 1\n",
				"", "at 1 grid open\nrun 2\n");

	(void)state;
	run(f, 1.1);
	print_message("# motor alone for 0.1 s: %.1f V, %.2f Hz\n", volts(f, 0),
		      feeder_network(f)->f_hz);
	assert_true(volts(f, 0) > 60 && volts(f, 0) < 140);
	assert_true(feeder_network(f)->f_hz > 55 && feeder_network(f)->f_hz < 60);
	run(f, 2);
	assert_true(volts(f, 0) < 30);
	feeder_free(f);
}

static void a_transformer_drops_what_its_impedance_takes(void **state)
{
	struct feeder *f = load("units 1\nfeeder phases one 240 60\ngrid impedance 1e-6 1e-6\n"
				"feeder transformer 1 from 0 10000 yy\nunit 1 bus 1\n"
				"load place 1 L1-N 1\n",
				"", "load 1 rl 8 0.8\nrun 1\n");
	/* Per unit of the transformer; the load takes 9.6 kW at 0.8. */
	double complex half = CMPLX(0.006, 0.0085), shunt = CMPLX(0, 200);
	double complex load_z = 1 / CMPLX(0.96, -0.72), inner = half + load_z, z, v;
	double found;

	(void)state;
	z = 1 / (1 / shunt + 1 / inner);
	v = z / (half + z) * load_z / inner;
	run(f, 1);
	found = feeder_truth(f, 1)->vgrid_v / 240;
	print_message("# transformer: %.5f of %.5f pu\n", found, cabs(v));
	assert_true(fabs(found - cabs(v)) < 2e-4);
	feeder_free(f);
}

/* The open primary phase is between the two others: 1, 1/2, 1/2 behind delta and star. */
static void an_open_phase_is_fed_back_through_a_transformer(void **state)
{
	static const char units[] = "units 3\nfeeder phases three 140 60\n"
				    "feeder transformer 1 from 0 25000 dy\n"
				    "unit 1 bus 1\nunit 2 bus 1\nunit 3 bus 1\n"
				    "unit 1 phase L1-N\nunit 2 phase L2-N\nunit 3 phase L3-N\n";
	struct feeder *f = load(units, "", "at 0.3 phase L3 open\nrun 2\n");
	static const double expected[] = { 140, 70, 70 };

	(void)state;
	run(f, 0.29);
	for (int n = 1; n <= 3; n++)
		assert_true(fabs(feeder_truth(f, n)->vgrid_v - 140) < 0.5);
	run(f, 2);
	print_message("# open phase of a Dy transformer: %.1f, %.1f, %.1f V\n",
		      feeder_truth(f, 1)->vgrid_v, feeder_truth(f, 2)->vgrid_v,
		      feeder_truth(f, 3)->vgrid_v);
	for (int n = 1; n <= 3; n++)
		assert_true(fabs(feeder_truth(f, n)->vgrid_v - expected[n - 1]) < 0.5);
	feeder_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_unit_alone_stays_bit_for_bit_on_its_own_source),
		cmocka_unit_test(units_on_one_node_share_its_voltage),
		cmocka_unit_test(a_coprocessor_of_the_caller_feeds_the_same_network),
		cmocka_unit_test(a_name_that_is_not_there_is_refused_with_its_line),
		cmocka_unit_test(every_word_of_a_site_is_understood),
		cmocka_unit_test(an_open_neutral_divides_the_voltages),
		cmocka_unit_test(an_open_phase_is_fed_back_through_the_loads),
		cmocka_unit_test(dips_have_their_phase_jumps),
		cmocka_unit_test(a_forming_source_moves_its_frequency_by_its_power),
		cmocka_unit_test(a_cable_opens_and_its_units_leave),
		cmocka_unit_test(modules_and_leaks_of_one_unit_do_not_touch_another),
		cmocka_unit_test(a_load_of_constant_power_takes_it_at_any_voltage),
		cmocka_unit_test(a_rectifier_draws_pulses),
		cmocka_unit_test(motors_run_as_their_equivalent_circuits),
		cmocka_unit_test(a_motor_holds_the_voltage_of_an_island_for_a_while),
		cmocka_unit_test(a_transformer_drops_what_its_impedance_takes),
		cmocka_unit_test(an_open_phase_is_fed_back_through_a_transformer),
	};

	return cmocka_run_group_tests(tests, make_file, drop_file);
}
