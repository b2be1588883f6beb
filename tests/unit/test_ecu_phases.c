// SPDX-License-Identifier: GPL-2.0-or-later
/* Finding phases: groups and names by themselves, and a search with simulated inverters. */
#include "ecu_bench.h"

#include "phases.h"

static int tear_down(void **state)
{
	(void)state;
	if (bench.core) {
		bench_stop();
	}
	return 0;
}

/* ---- pure ---- */

#define UNITS 9

static double deg[UNITS][PHASES_MARKS];
static struct phases_place place[UNITS];

/* A number from -1 to 1, the same each time. */
static double noise(void)
{
	static uint32_t state = 1;

	state = state * 1664525u + 1013904223u;
	return (double)state / (double)UINT32_MAX * 2 - 1;
}

/* Angles of units at @at degrees, each @noise_deg off at most. The grid's is another at each mark.
 */
static void set_angles(const double *at, int units, double noise_deg)
{
	for (int mark = 0; mark < PHASES_MARKS; mark++) {
		double grid = 180 * (1 + noise());

		for (int i = 0; i < units; i++) {
			deg[i][mark] = fmod(grid + at[i] + noise_deg * noise() + 720, 360);
		}
	}
}

static int find(int units)
{
	return phases_find((const double(*)[PHASES_MARKS])deg, units, place);
}

static void check_groups(const int *expected, int units)
{
	for (int i = 0; i < units; i++) {
		print_message("unit %d: %d marks, %.1f deg, spread %.1f, group %d\n", i + 1,
			      place[i].marks, place[i].deg, place[i].spread_deg, place[i].group);
		assert_int_equal(place[i].group, expected[i]);
	}
}

static void groups_follow_rotation_whichever_way_a_unit_is_wired(void **state)
{
	/* L1-L2, L2-L3, L3-L1 and L1, L2, L3 to neutral; the second unit of each has swapped wires
	 */
	static const double line[] = { 30, 210, 270, 90, 150, 330 };
	static const double neutral[] = { 0, 180, 240, 60, 120, 300 };
	static const int expected[] = { 1, 1, 2, 2, 3, 3 };

	(void)state;
	set_angles(line, 6, 8);
	assert_int_equal(find(6), 3);
	check_groups(expected, 6);
	set_angles(neutral, 6, 8);
	assert_int_equal(find(6), 3);
	check_groups(expected, 6);
}

/* Where modulo 180 wraps, and where the unit that the others are compared with is off itself. */
static void groups_are_found_across_the_wrap(void **state)
{
	static const int expected[] = { 1, 1, 1, 2, 2, 2, 3, 3, 3 };
	double at[UNITS];

	(void)state;
	for (int turn = 0; turn < 360; turn++) {
		for (int i = 0; i < UNITS; i++) {
			/* within a group 13 degrees apart, 179 and 1 among them */
			at[i] = turn + i / 3 * 60 + (i % 3 - 1) * 6.5;
		}
		set_angles(at, UNITS, 5);
		assert_int_equal(find(UNITS), 3);
		for (int i = 0; i < UNITS; i++) {
			assert_int_equal(place[i].group, expected[i]);
		}
	}
}

static void two_groups_keep_their_order(void **state)
{
	static const double next[] = { 0, 60, 240 };
	static const double before[] = { 0, 120, 300 };
	static const int expected_next[] = { 1, 2, 2 };
	static const int expected_before[] = { 1, 3, 3 };

	(void)state;
	set_angles(next, 3, 8);
	assert_int_equal(find(3), 2);
	check_groups(expected_next, 3);
	set_angles(before, 3, 8);
	assert_int_equal(find(3), 2);
	check_groups(expected_before, 3);
}

static void a_split_phase_is_one_group(void **state)
{
	/* L1-L2 of 240 V, and L1 and L2 to neutral */
	static const double at[] = { 0, 180, 0, 180 };
	static const double one[] = { 77 };

	(void)state;
	set_angles(at, 4, 8);
	assert_int_equal(find(4), 1);
	set_angles(one, 1, 8);
	assert_int_equal(find(1), 1);
	assert_int_equal(place[0].group, 1);
	assert_int_equal(find(0), 0);
}

static void a_unit_whose_angle_spreads_or_does_not_fit_is_unknown(void **state)
{
	static const double at[] = { 0, 60, 120, 0, 90 };
	static const int expected[] = { 1, 2, 3, 0, 0 };

	(void)state;
	set_angles(at, 5, 5);
	for (int mark = 0; mark < PHASES_MARKS; mark++) {
		deg[3][mark] += 40 * noise();
	}
	assert_int_equal(find(5), 3);
	check_groups(expected, 5);
	assert_true(place[3].spread_deg > PHASES_SPREAD_DEG);
}

/* Also when it is the first, with which all others are compared to begin with. */
static void a_unit_that_is_mostly_wrong_spoils_no_other(void **state)
{
	static const double at[] = { 0, 0, 60, 120 };
	static const int expected[] = { 0, 1, 2, 3 };

	(void)state;
	set_angles(at, 4, 5);
	for (int mark = 0; mark < PHASES_MARKS; mark++) {
		deg[0][mark] = 180 * (1 + noise());
	}
	assert_int_equal(find(4), 3);
	check_groups(expected, 4);
}

static void late_marks_and_missing_ones_do_not_matter_while_most_are_right(void **state)
{
	static const double at[] = { 0, 60, 120, 60 };
	static const int expected[] = { 1, 2, 3, 0 };

	(void)state;
	set_angles(at, 4, 5);
	for (int mark = 0; mark < PHASES_MARKS; mark++) {
		if (mark % 7 == 3) {
			deg[1][mark] += 80;
		}
		if (mark % 3 == 1) {
			deg[2][mark] = (double)NAN;
		}
		if (mark >= PHASES_LEAST - 1) {
			deg[3][mark] = (double)NAN;
		}
	}
	assert_int_equal(find(4), 3);
	check_groups(expected, 4);
}

static void units_that_do_not_answer_are_unknown(void **state)
{
	static const double at[] = { 0, 0, 60 };
	static const int expected[] = { 0, 1, 2 };

	(void)state;
	set_angles(at, 3, 5);
	for (int mark = 0; mark < PHASES_MARKS; mark++) {
		deg[0][mark] = (double)NAN;
	}
	assert_int_equal(find(3), 2);
	check_groups(expected, 3);
	for (int i = 0; i < 3; i++) {
		for (int mark = 0; mark < PHASES_MARKS; mark++) {
			deg[i][mark] = (double)NAN;
		}
	}
	assert_int_equal(find(3), 0);
}

static void names_are_labels_until_a_person_names_one(void **state)
{
	struct phases_name unit[] = {
		{ .group = 1 }, { .group = 2 }, { .group = 3 }, { .phase = PHASE_L1 }
	};

	(void)state;
	assert_int_equal(phases_name(unit, 4), -1);
	assert_int_equal(unit[0].phase, PHASE_L1_L2);
	assert_int_equal(unit[1].phase, PHASE_L2_L3);
	assert_int_equal(unit[2].phase, PHASE_L3_L1);
	assert_int_equal(unit[3].phase, PHASE_UNKNOWN);
	/* the second is named: the first is the phase before it in the order of rotation */
	unit[1].named = true;
	unit[1].phase = PHASE_L1_L2;
	assert_int_equal(phases_name(unit, 4), -1);
	assert_int_equal(unit[0].phase, PHASE_L3_L1);
	assert_int_equal(unit[2].phase, PHASE_L2_L3);
	unit[1].phase = PHASE_L3;
	assert_int_equal(phases_name(unit, 4), -1);
	assert_int_equal(unit[0].phase, PHASE_L2);
	assert_int_equal(unit[2].phase, PHASE_L1);
	/* a second name that cannot be right is said to be so, and stays */
	unit[2].named = true;
	unit[2].phase = PHASE_L3;
	assert_int_equal(phases_name(unit, 4), 2);
	assert_int_equal(unit[2].phase, PHASE_L3);
}

static void a_phase_that_gives_nothing_in_light_is_found(void **state)
{
	struct phases_power unit[] = { { PHASE_L1, true, true },
				       { PHASE_L2, true, true },
				       { PHASE_L2, true, false },
				       { PHASE_L3, true, false } };

	(void)state;
	assert_int_equal(phases_stopped(unit, 4), 1u << PHASE_L3);
	/* another unit of the phase gives power; night, silence; nobody gives any */
	assert_int_equal(phases_stopped(unit, 3), 0);
	unit[3].ready = false;
	assert_int_equal(phases_stopped(unit, 4), 0);
	unit[3].ready = true;
	unit[0].produces = false;
	unit[1].produces = false;
	assert_int_equal(phases_stopped(unit, 4), 0);
	unit[0].produces = true;
	assert_int_equal(phases_stopped(unit, 4), 1u << PHASE_L2 | 1u << PHASE_L3);
	unit[3].phase = PHASE_UNKNOWN;
	assert_int_equal(phases_stopped(unit, 4), 1u << PHASE_L2);
}

/* ---- with inverters ---- */

static const double phase_deg[] = { 30, -90, 150 };

/* Each third on a phase, each second with swapped wires. */
static void start(int units, double dbm)
{
	bench_start(units, 200, dbm, 5);
	for (int i = 0; i < units; i++) {
		bench.steady[i].angle_deg = 360 + phase_deg[i % 3] + (i / 3 % 2 ? 180 : 0);
		bench_know(i, MAKE_OURS, true);
	}
	bench_run(30);
}

static struct order search(int seconds)
{
	struct order order = bench_order(COMMAND_PHASES, -1);
	int took = 0;

	bench_submit(&order);
	while (!order_state_is_final(bench_result(&order)->state) && took < seconds) {
		bench_run(1);
		took++;
	}
	print_message("%s after %d s: %s\n", order_state_name(bench_result(&order)->state), took,
		      bench_result(&order)->message);
	return order;
}

static void check_phases(int units)
{
	for (int i = 0; i < units; i++) {
		assert_int_equal(bench_shown(i)->phase, PHASE_L1_L2 + i % 3);
		assert_string_equal(model_phase_source(bench_shown(i)), "found");
	}
}

static void a_search_finds_the_phase_of_each_unit(void **state)
{
	struct order order;

	(void)state;
	start(7, -60);
	order = search(15);
	assert_int_equal(bench_result(&order)->state, ORDER_CONFIRMED);
	assert_string_equal(bench_result(&order)->message,
			    "3 groups: 3 at L1-L2, 2 at L2-L3, 2 at L3-L1");
	check_phases(7);
	for (int i = 0; i < 7; i++) {
		assert_int_equal(bench_shown(i)->link, LINK_LIVE);
	}
}

/* A level at which one frame in fifteen is lost. */
static void fifty_units_are_found_at_5_percent_loss(void **state)
{
	struct order order;

	(void)state;
	start(50, -97.6);
	order = search(50);
	assert_int_equal(bench_result(&order)->state, ORDER_CONFIRMED);
	check_phases(50);
}

static void a_name_of_a_person_names_the_others(void **state)
{
	struct order order, edit;

	(void)state;
	start(6, -60);
	search(15);
	edit = bench_order(COMMAND_EDIT, 1);
	edit.edit = ORDER_EDIT_PHASE;
	edit.phase = PHASE_L3;
	bench_submit(&edit);
	assert_string_equal(model_phase_source(bench_shown(1)), "named");
	assert_int_equal(bench_shown(0)->phase, PHASE_L2);
	assert_int_equal(bench_shown(4)->phase, PHASE_L3);
	assert_int_equal(bench_shown(5)->phase, PHASE_L1);
	/* a second search keeps the name */
	order = search(15);
	assert_string_equal(bench_result(&order)->message, "3 groups: 2 at L1, 2 at L2, 2 at L3");
	edit = bench_order(COMMAND_EDIT, 3);
	edit.edit = ORDER_EDIT_PHASE;
	edit.phase = PHASE_L3;
	bench_submit(&edit);
	order = search(15);
	assert_non_null(strstr(bench_result(&order)->message, "contradicts what was found"));
}

static void a_silent_unit_is_unknown_and_the_search_ends(void **state)
{
	struct order order;

	(void)state;
	start(4, -60);
	bench_kill(3, true);
	order = search(60);
	assert_int_equal(bench_result(&order)->state, ORDER_CONFIRMED);
	assert_string_equal(bench_result(&order)->message,
			    "3 groups: 1 at L1-L2, 1 at L2-L3, 1 at L3-L1; 1 unknown");
}

static void one_group_changes_nothing(void **state)
{
	struct order order;

	(void)state;
	start(3, -60);
	for (int i = 0; i < 3; i++) {
		bench.steady[i].angle_deg = i * 180;
	}
	order = search(15);
	assert_int_equal(bench_result(&order)->state, ORDER_CONFIRMED);
	assert_string_equal(bench_result(&order)->message,
			    "one group: single or split phase, nothing to find");
	assert_int_equal(bench_shown(0)->phase, PHASE_UNKNOWN);
}

static double power(int i)
{
	return bench_shown(i)->reading[READING_POWER][0].value;
}

/* Each third unit on a phase; what a unit's own trip leaves of it. */
static void trip(int phase, int units, bool tripped)
{
	for (int i = phase; i < units; i += 3) {
		bench.steady[i].state = tripped ? QS1_STATE_FAULT : QS1_STATE_PRODUCING;
	}
}

static void stop_phase(enum order_command command, int phase, int units)
{
	for (int i = phase; i < units; i += 3) {
		struct order order = bench_order(command, i);

		bench_submit(&order);
	}
}

static void all_phases_stop_together_if_the_owner_says_so(void **state)
{
	double most_w = 0;

	(void)state;
	start(7, -60);
	search(15);
	trip(1, 7, true);
	bench_run(30);
	check_near("not asked for", power(0), 764, 1);
	bench.core->stop_together = true;
	bench_run(8);
	for (int i = 0; i < 7; i++) {
		check_near("stopped", power(i), 0, 0.1);
		assert_string_equal(bench_shown(i)->limit.owner, i % 3 == 1 ? "" : "phases");
	}
	/* it lasts, and no phase tries in between */
	for (int i = 0; i < 120; i++) {
		bench_run(1);
		most_w = fmax(most_w, power(0));
	}
	check_near("most in two minutes", most_w, 0, 0.1);
	assert_int_equal(bench_shown(0)->limit.confirm, CONFIRM_CONFIRMED);
	trip(1, 7, false);
	bench_run(20);
	for (int i = 0; i < 7; i++) {
		check_near("all give power again", power(i), 764, 1);
	}
	/* an order that stops a phase is a stop, too */
	stop_phase(COMMAND_STOP, 2, 7);
	bench_run(15);
	check_near("stopped with the third phase", power(0), 0, 0.1);
	stop_phase(COMMAND_START, 2, 7);
	bench_run(15);
	check_near("started with it", power(0), 764, 1);
	/* one unit of a phase is no phase; silence is no stop */
	bench.steady[1].state = QS1_STATE_FAULT;
	bench_kill(2, true);
	bench_kill(5, true);
	bench_run(60);
	check_near("goes on", power(0), 764, 1);
}

static void a_search_that_cannot_be_is_refused_or_ends(void **state)
{
	struct order first, second, remove;

	(void)state;
	start(3, -60);
	first = bench_order(COMMAND_PHASES, -1);
	second = bench_order(COMMAND_PHASES, -1);
	bench_submit(&first);
	bench_submit(&second);
	assert_int_equal(bench_result(&second)->error, -EBUSY);
	bench_run(1);
	remove = bench_order(COMMAND_REMOVE, 0);
	bench_submit(&remove);
	assert_int_equal(bench_result(&first)->state, ORDER_UNCONFIRMED);
	remove = bench_order(COMMAND_REMOVE, 1);
	bench_submit(&remove);
	first = bench_order(COMMAND_PHASES, -1);
	bench_submit(&first);
	assert_int_equal(bench_result(&first)->error, -ENODEV);
	bench_run(5);
	assert_int_equal(bench_shown(2)->link, LINK_LIVE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(groups_follow_rotation_whichever_way_a_unit_is_wired),
		cmocka_unit_test(groups_are_found_across_the_wrap),
		cmocka_unit_test(two_groups_keep_their_order),
		cmocka_unit_test(a_split_phase_is_one_group),
		cmocka_unit_test(a_unit_whose_angle_spreads_or_does_not_fit_is_unknown),
		cmocka_unit_test(a_unit_that_is_mostly_wrong_spoils_no_other),
		cmocka_unit_test(late_marks_and_missing_ones_do_not_matter_while_most_are_right),
		cmocka_unit_test(units_that_do_not_answer_are_unknown),
		cmocka_unit_test(names_are_labels_until_a_person_names_one),
		cmocka_unit_test(a_phase_that_gives_nothing_in_light_is_found),
		cmocka_unit_test_teardown(a_search_finds_the_phase_of_each_unit, tear_down),
		cmocka_unit_test_teardown(fifty_units_are_found_at_5_percent_loss, tear_down),
		cmocka_unit_test_teardown(a_name_of_a_person_names_the_others, tear_down),
		cmocka_unit_test_teardown(a_silent_unit_is_unknown_and_the_search_ends, tear_down),
		cmocka_unit_test_teardown(one_group_changes_nothing, tear_down),
		cmocka_unit_test_teardown(all_phases_stop_together_if_the_owner_says_so, tear_down),
		cmocka_unit_test_teardown(a_search_that_cannot_be_is_refused_or_ends, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
