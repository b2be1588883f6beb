// SPDX-License-Identifier: GPL-2.0-only
/* The scenario language: accepted statements, refused ones and their messages. */
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

#include "scenario.h"
#include "world.h"

static char folder[] = "/tmp/qs1-scenario-XXXXXX";

static const char *file(const char *name, const char *text)
{
	static char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	return path;
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int drop_folder(void **state)
{
	char command[160];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command);
}

static void refused(const char *text, const char *place, const char *word)
{
	const char *path = file("bad.scn", text);
	char err[1024] = "", expected[256];
	struct scenario sc;

	if (!scenario_load(&sc, path, err, sizeof(err))) {
		print_message("# accepted: %s\n", text);
		fail();
	}
	snprintf(expected, sizeof(expected), "%s%s", path, place);
	if (strncmp(err, expected, strlen(expected)) || !strstr(err, word)) {
		print_message("# '%s' does not name %s and '%s'\n", err, place, word);
		fail();
	}
}

static void every_statement_of_the_language_is_understood(void **state)
{
	static const char text[] = "# a comment\n"
				   "\n"
				   "seed 7\n"
				   "profile note1   # the default\n"
				   "set power_limit_w 600\n"
				   "module all LG Electronics Inc. LG400N2W-A5\n"
				   "module 2 en50530 300 37.5 csi\n"
				   "module 3 en50530 300 37.5 thinfilm\n"
				   "module 4 none\n"
				   "temp -20.5\n"
				   "cell 1 60\n"
				   "sun all 1000\n"
				   "load rlc 1.0 2.5 -3.5%\n"
				   "load 1 rlc 1 6 2%\n"
				   "load 2 rl 0.5 0.9\n"
				   "load 3 cap 200\n"
				   "load 4 none\n"
				   "grid impedance 0.5 1e-3\n"
				   "grid scr 10 3\n"
				   "grid resonance 1200 8\n"
				   "grid rise 1e-3\n"
				   "grid phase 90\n"
				   "board drawn\n"
				   "plant switching\n"
				   "bridge dead-time 200e-9\n"
				   "noise counts 10\n"
				   "noise off\n"
				   "skip enter-service\n"
				   "at 3 ramp sun 1 0 over 20\n"
				   "at 1 sun 2 100\n"
				   "at 4 shade 1 1/3 0.5\n"
				   "at 5 module 1 none\n"
				   "at 5.5 grid v 0.85\n"
				   "at 6 ramp grid v 1 over 0.5\n"
				   "at 7 grid f 60.2\n"
				   "at 8 ramp grid f 60 over 2\n"
				   "at 9 grid phase -60\n"
				   "at 9 grid thd 3:3,5:2\n"
				   "at 9.5 grid thd none\n"
				   "at 9.6 grid tone 175 1.5\n"
				   "at 9.7 load 3 none\n"
				   "at 10 grid dc 0.5\n"
				   "at 11 grid open\n"
				   "at 12 grid close\n"
				   "at 13 fault gfdi on\n"
				   "at 14 fault sensor vpv1 stuck\n"
				   "at 15 fault relay welded\n"
				   "at 16 fault coproc hang\n"
				   "at 17 host lost\n"
				   "at 18 cmd clear gfdi\n"
				   "at 19 set uv1_v_pu 0.870\n"
				   "at 2 mark start\n"
				   "at 20 mark stop\n"
				   "run 20\n";
	char err[1024] = "";
	struct scenario sc;
	int ret = scenario_load(&sc, file("good.scn", text), err, sizeof(err));

	(void)state;
	if (ret)
		print_message("# %s\n", err);
	assert_int_equal(ret, 0);
	assert_int_equal(sc.setups, 26);
	assert_int_equal(sc.timeds, 25);
	assert_true(sc.end == 20);
	for (int n = 1; n < sc.timeds; n++)
		assert_true(sc.timed[n].t >= sc.timed[n - 1].t);
	assert_int_equal(sc.timed[0].kind, ST_SUN);
	assert_int_equal(sc.timed[0].inputs, 2);
	assert_int_equal(sc.setup[10].kind, ST_LOAD);
	assert_true(sc.setup[10].x[2] == -3.5);
	scenario_free(&sc);
}

static void bad_lines_are_refused_with_file_line_and_word(void **state)
{
	(void)state;
	refused("sun all 800\nshine 1 1000\nrun 1\n", ":2:", "'shine'");
	refused("at 1 grid wobble 3\nrun 2\n", ":1:", "'wobble'");
	refused("at 1 grid\nrun 2\n", ":1:", "end of the line");
	refused("at 1 fault fan off\nrun 2\n", ":1:", "'fan'");
	refused("sun 5 800\nrun 1\n", ":1:", "'5'");
	refused("sun all 1e9\nrun 1\n", ":1:", "'1e9'");
	refused("sun all nan\nrun 1\n", ":1:", "'nan'");
	refused("sun all 0x10\nrun 1\n", ":1:", "'0x10'");
	refused("sun all 800 W\nrun 1\n", ":1:", "'W'");
	refused("sun all\nrun 1\n", ":1:", "end of the line");
	refused("seed 1.5\nrun 1\n", ":1:", "'1.5'");
	refused("seed -1\nrun 1\n", ":1:", "'-1'");
	refused("set no_such_thing 1\nrun 1\n", ":1:", "'no_such_thing'");
	refused("set power_limit_w 1201\nrun 1\n", ":1:", "1201");
	refused("set power_limit_w\nrun 1\n", ":1:", "power_limit_w");
	refused("module 1 Acme Sunbeam\nrun 1\n", ":1:", "'Acme Sunbeam'");
	refused("module 1 en50530 300 37.5 paint\nrun 1\n", ":1:", "'paint'");
	refused("module 1 none.csv:X\nrun 1\n", ":1:", "none.csv");
	refused("load rlc 1 1 5\nrun 1\n", ":1:", "'5'");
	refused("load 17 none\nrun 1\n", ":1:", "'17'");
	refused("load 2 lamp 1\nrun 1\n", ":1:", "'lamp'");
	refused("load 2 rl 1 1.1\nrun 1\n", ":1:", "'1.1'");
	refused("load 2 cap\nrun 1\n", ":1:", "end of the line");
	refused("board perfect\nrun 1\n", ":1:", "'perfect'");
	refused("at 1 board drawn\nrun 2\n", ":1:", "before time 0");
	refused("grid scr 10\nrun 1\n", ":1:", "end of the line");
	refused("bridge dead-time 1\nrun 1\n", ":1:", "'1'");
	refused("grid v 0.8\nrun 1\n", ":1:", "at T");
	refused("at 1 seed 5\nrun 2\n", ":1:", "before time 0");
	refused("at 1 speed 3\nrun 2\n", ":1:", "console");
	refused("at 1 ramp sun 1 to 500 over 3\nrun 2\n", ":1:", "'to'");
	refused("at 1 shade 1 1/4 0.5\nrun 2\n", ":1:", "'1/4'");
	refused("at 1 shade 1 4/3 0.5\nrun 2\n", ":1:", "'4/3'");
	refused("module 2 en50530 300 37.5 csi\nat 1 shade 2 1/3 0.5\nrun 2\n", ":2:", "input 2");
	refused("at 1 grid thd 1:3\nrun 2\n", ":1:", "'1'");
	refused("at 1 grid thd 3:x\nrun 2\n", ":1:", "'x'");
	refused("at 1 fault sensor vpv9 zero\nrun 2\n", ":1:", "'vpv9'");
	refused("at 1 fault sensor vpv1 cold\nrun 2\n", ":1:", "'cold'");
	refused("at 1 cmd explode\nrun 2\n", ":1:", "'explode'");
	refused("at x sun 1 1\nrun 2\n", ":1:", "'x'");
	refused("at 3 sun 1 1\nrun 2\n", ":1:", "3");
	refused("at 1 mark stop\nrun 2\n", ":1:", "mark start");
	refused("run 2\nsun 1 100\n", ":2:", "'run'");
	refused("run -1\n", ":1:", "'-1'");
}

static void bad_tables_are_refused_with_file_and_line(void **state)
{
	static const struct {
		const char *text, *line, *word;
	} bad[] = {
		{ "time_s,ghi_w_m2\n0,1\n1,\n2,3\n", "r.csv:3:", "nothing" },
		{ "time_s,ghi_w_m2\n0,1\n1,cloud\n", "r.csv:3:", "'cloud'" },
		{ "time_s,ghi_w_m2\n0,1\n1\n", "r.csv:3:", "2 columns" },
		{ "time_s,ghi_w_m2\n0,1\n# pause\n0,2\n", "r.csv:4:", "time_s above 0" },
		{ "time_s,ghi_w_m2\n0,1\n1,-5\n", "r.csv:3:", "-5" },
		{ "time_s,ghi_w_m2\n0,1\n1,inf\n", "r.csv:3:", "'inf'" },
		{ "time_s,wind\n0,1\n1,2\n", "r.csv:1:", "'wind'" },
		{ "ghi_w_m2\n0\n1\n", "r.csv:1:", "time_s" },
		{ "time_s\n0\n1\n", "r.csv:1:", "ghi_w_m2" },
		{ "time_s,f_hz,f_hz\n0,60,60\n", "r.csv:1:", "'f_hz'" },
		{ "time_s,f_hz\n", "r.csv:", "at least one row" },
		{ "", "r.csv:", "header" },
	};

	(void)state;
	for (size_t n = 0; n < sizeof(bad) / sizeof(bad[0]); n++) {
		file("r.csv", bad[n].text);
		refused("at 0 replay r.csv\nrun 1\n", ":1:", bad[n].line);
		refused("at 0 replay r.csv\nrun 1\n", ":1:", bad[n].word);
	}
	refused("at 0 replay none.csv\nrun 1\n", ":1:", "none.csv");
}

static void a_table_is_linear_between_rows_and_held_outside(void **state)
{
	struct replay r;
	char err[256];
	int cursor = 0;

	(void)state;
	file("r.csv", "# a comment\r\ntime_s,f_hz,v_pu\r\n10,60,1\r\n20,61,0.9\r\n");
	assert_int_equal(replay_read(&r, file("r.csv", "time_s,f_hz,v_pu\r\n10,60,1\n20,61,0.9\n"),
				     err, sizeof(err)),
			 0);
	assert_true(replay_at(&r, REPLAY_F, 0, &cursor) == 60);
	assert_true(fabs(replay_at(&r, REPLAY_F, 15, &cursor) - 60.5) < 1e-12);
	assert_true(fabs(replay_at(&r, REPLAY_V, 19, &cursor) - 0.91) < 1e-12);
	assert_true(replay_at(&r, REPLAY_F, 99, &cursor) == 61);
	assert_null(r.column[REPLAY_GHI]);
	replay_free(&r);
}

static int op_text(void *ctx, const char *text, char *err, size_t size)
{
	(void)text;
	(void)err;
	(void)size;
	++*(int *)ctx;
	return 0;
}

static int op_set(void *ctx, const char *name, const char *value, char *err, size_t size)
{
	(void)name;
	(void)value;
	++*(int *)ctx;
	snprintf(err, size, "not today");
	return -EPROTO;
}

static int op_host(void *ctx, bool alive, char *err, size_t size)
{
	(void)alive;
	return op_text(ctx, "", err, size);
}

static int op_skip(void *ctx, char *err, size_t size)
{
	return op_text(ctx, "", err, size);
}

static const struct qs1_world_ops ops = {
	.profile = op_text,
	.set = op_set,
	.command = op_text,
	.host = op_host,
	.coproc = op_text,
	.skip_enter_service = op_skip,
};

static void run_to(struct qs1_world *w, double t)
{
	const struct qs1_outputs off = { 0 };
	int16_t adc[QS1_ADC_COUNT];
	char err[256] = "";

	while (qs1_world_time(w) < t - 1e-6)
		assert_int_equal(qs1_world_step(w, &off, adc, err, sizeof(err)), 0);
}

static void the_world_moves_as_the_scenario_says(void **state)
{
	const struct qs1_truth *truth;
	struct qs1_world *w;
	int called = 0;
	char err[256] = "";
	int16_t adc[QS1_ADC_COUNT];

	(void)state;
	file("f.csv", "time_s,f_hz\n0,60.2\n10,60.2\n");
	file("r.csv", "time_s,ghi_w_m2,f_hz\n0,100,60\n10,200,60\n");
	w = qs1_world_new(&ops, &called);
	assert_non_null(w);
	assert_int_equal(qs1_world_load(w,
					file("w.scn", "sun all 500\n"
						      "at 0.5 ramp sun 2 700 over 1\n"
						      "at 1 grid v 0.9\n"
						      "at 1 grid f 59.5\n"
						      "at 2 replay r.csv\n"
						      "at 2.5 cmd shutdown\n"
						      "at 2.6 sun 3 50\n"
						      "at 3 replay f.csv\n"
						      "run 4\n"),
					err, sizeof(err)),
			 0);
	assert_int_equal(qs1_world_start(w, err, sizeof(err)), 0);
	truth = qs1_world_truth(w);
	run_to(w, 1);
	assert_true(fabs(truth->sun_w_m2[0] - 500) < 1e-9);
	assert_true(fabs(truth->sun_w_m2[1] - 600) < 0.5);
	assert_true(fabs(truth->vgrid_v - 240) < 0.01);
	run_to(w, 1.5);
	assert_true(fabs(truth->vgrid_v - 216) < 0.01);
	assert_true(fabs(truth->f_hz - 59.5) < 1e-3);
	assert_int_equal(called, 0);
	run_to(w, 3);
	assert_int_equal(called, 1);
	assert_true(fabs(truth->sun_w_m2[0] - 110) < 0.5);
	assert_true(fabs(truth->sun_w_m2[2] - 50) < 1e-9);
	assert_true(fabs(truth->f_hz - 60) < 1e-3);
	/* Another table replaces the quantities it has, and only those. */
	run_to(w, 4);
	assert_true(fabs(truth->f_hz - 60.2) < 1e-3);
	assert_true(fabs(truth->sun_w_m2[0] - 120) < 0.5);
	assert_int_equal(qs1_world_step(w, &(struct qs1_outputs){ 0 }, adc, err, sizeof(err)), 1);
	qs1_world_free(w);
}

static void a_recorded_waveform_takes_the_place_of_the_source(void **state)
{
	const struct qs1_truth *truth;
	struct qs1_world *w;
	int called = 0;
	char err[256] = "", *rows = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&rows, &size);

	(void)state;
	assert_non_null(f);
	fputs("time_s,v_v\n", f);
	for (int n = 0; n <= 10000; n++)
		fprintf(f, "%.4f,%.4f\n", n * 1e-4, 200 * M_SQRT2 * sin(2 * M_PI * 55 * n * 1e-4));
	fclose(f);
	file("wave.csv", rows);
	free(rows);
	w = qs1_world_new(&ops, &called);
	assert_non_null(w);
	assert_int_equal(
		qs1_world_load(w, file("w.scn", "at 0.1 replay wave.csv\nat 0.9 grid v 1\nrun 2\n"),
			       err, sizeof(err)),
		0);
	assert_int_equal(qs1_world_start(w, err, sizeof(err)), 0);
	truth = qs1_world_truth(w);
	run_to(w, 0.8);
	assert_true(fabs(truth->vgrid_v - 200) < 0.1);
	assert_true(fabs(truth->f_hz - 55) < 0.01);
	run_to(w, 1.5);
	assert_true(fabs(truth->vgrid_v - 240) < 0.1);
	assert_true(fabs(truth->f_hz - 60) < 0.01);
	qs1_world_free(w);
}

/* RMS voltage behind R + jX of a source of 240 V with a conductance and a susceptance across it. */
static double behind(double r, double x, double g, double b)
{
	return 240 / hypot(1 + r * g - x * b, r * b + x * g);
}

static void source_and_loads_are_as_the_scenario_says(void **state)
{
	/* ratio 10 is 4.8 ohm, of which X is three times R */
	const double r = 4.8 / sqrt(10), x = 3 * r, w = 2 * M_PI * QS1_GRID_HZ;
	const struct qs1_truth *truth;
	struct qs1_world *world;
	int called = 0;
	char err[256] = "";

	(void)state;
	world = qs1_world_new(&ops, &called);
	assert_int_equal(qs1_world_load(world,
					file("l.scn", "grid scr 10 3\n"
						      "load 1 rl 1 0.8\n"
						      "at 1 load 1 none\n"
						      "at 2 load 2 cap 400\n"
						      "at 3 load 1 rlc 0.5 2 10%\n"
						      "run 4\n"),
					err, sizeof(err)),
			 0);
	assert_int_equal(qs1_world_start(world, err, sizeof(err)), 0);
	truth = qs1_world_truth(world);
	run_to(world, 1);
	/* 1200 W and 900 var; 1 uF of the house beside all of them */
	assert_true(fabs(truth->vgrid_v - behind(r, x, 1 / 48.0, w * 1e-6 - 900 / 57600.0)) < 0.05);
	run_to(world, 2);
	assert_true(fabs(truth->vgrid_v - behind(r, x, 0, w * 1e-6)) < 0.05);
	run_to(world, 3);
	assert_true(fabs(truth->vgrid_v - behind(r, x, 0, w * 1e-6 + 400 / 57600.0)) < 0.05);
	run_to(world, 4);
	/* a tenth of 1200 var beside it */
	assert_true(fabs(truth->vgrid_v -
			 behind(r, x, 1 / 96.0, w * 1e-6 + (400 + 120) / 57600.0)) < 0.05);
	qs1_world_free(world);
}

static void a_console_statement_acts_at_once_or_is_refused(void **state)
{
	struct qs1_world *w;
	int called = 0;
	char err[256] = "";

	(void)state;
	w = qs1_world_new(&ops, &called);
	assert_int_equal(qs1_world_start(w, err, sizeof(err)), 0);
	assert_int_equal(qs1_world_do(w, "sun all 900", err, sizeof(err)), 0);
	assert_int_equal(qs1_world_do(w, "grid v 0.95", err, sizeof(err)), 0);
	run_to(w, 0.2);
	assert_true(fabs(qs1_world_truth(w)->sun_w_m2[3] - 900) < 1e-9);
	assert_true(qs1_world_do(w, "grid v 9", err, sizeof(err)) < 0);
	assert_non_null(strstr(err, "'9'"));
	assert_true(qs1_world_do(w, "seed 3", err, sizeof(err)) < 0);
	assert_true(qs1_world_do(w, "unit 1 sun all 5", err, sizeof(err)) < 0);
	assert_non_null(strstr(err, "needs 'units N'"));
	assert_true(qs1_world_do(w, "neutral open", err, sizeof(err)) < 0);
	assert_true(qs1_world_do(w, "speed 3", err, sizeof(err)) < 0);
	assert_true(qs1_world_do(w, "set power_limit_w 600", err, sizeof(err)) < 0);
	assert_string_equal(err, "not today");
	assert_int_equal(qs1_world_do(w, "module 1 en50530 300 37 csi", err, sizeof(err)), 0);
	assert_true(qs1_world_do(w, "shade all 1/3 0.5", err, sizeof(err)) < 0);
	qs1_world_free(w);
}

static void a_refused_operation_ends_the_start(void **state)
{
	struct qs1_world *w;
	int called = 0;
	char err[256] = "";

	(void)state;
	w = qs1_world_new(&ops, &called);
	assert_int_equal(qs1_world_load(w, file("s.scn", "\nset power_limit_w 600\nrun 1\n"), err,
					sizeof(err)),
			 0);
	assert_true(qs1_world_start(w, err, sizeof(err)) < 0);
	assert_non_null(strstr(err, "s.scn:2: not today"));
	qs1_world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_statement_of_the_language_is_understood),
		cmocka_unit_test(bad_lines_are_refused_with_file_line_and_word),
		cmocka_unit_test(bad_tables_are_refused_with_file_and_line),
		cmocka_unit_test(a_table_is_linear_between_rows_and_held_outside),
		cmocka_unit_test(the_world_moves_as_the_scenario_says),
		cmocka_unit_test(a_recorded_waveform_takes_the_place_of_the_source),
		cmocka_unit_test(source_and_loads_are_as_the_scenario_says),
		cmocka_unit_test(a_console_statement_acts_at_once_or_is_refused),
		cmocka_unit_test(a_refused_operation_ends_the_start),
	};

	return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
