// SPDX-License-Identifier: GPL-2.0-or-later
/* Limited export and balance of the phases, with simulated inverters and a meter. */
#include "ecu_bench.h"

#define METER_US 1000000

static double load_w;
static double meter_delay_s;
static bool meter_dead;
static uint64_t meter_us;
static double export_w, most_export_w;
static uint64_t over_since_us, over_longest_us, watch_from_us;
static double lowest_w, highest_w;

static double site_w(void)
{
	double sum = 0;

	for (int i = 0; i < bench.units; i++) {
		sum += bench.unit[i].telemetry.p_mw / 1e3;
	}
	return sum;
}

static double past[64];
static int past_n;

/* The meter measures each second, and its reading comes late. */
static void each_step(uint64_t now_us)
{
	double over;

	export_w = site_w() - load_w;
	if (now_us >= watch_from_us) {
		lowest_w = fmin(lowest_w, site_w());
		highest_w = fmax(highest_w, site_w());
		most_export_w = fmax(most_export_w, export_w);
	}
	over = export_w - bench.core->export.export_w;
	if (over > 1 && over_since_us == 0) {
		over_since_us = now_us;
	} else if (over <= 1 && over_since_us) {
		over_longest_us = now_us - over_since_us > over_longest_us ? now_us - over_since_us
									   : over_longest_us;
		over_since_us = 0;
	}
	if (now_us >= meter_us) {
		int delay = (int)meter_delay_s;

		meter_us = now_us + METER_US;
		past[past_n++ % 64] = -export_w;
		bench_time();
		if (!meter_dead && past_n > delay) {
			core_meter(bench.core, past[(past_n - 1 - delay) % 64], NULL,
				   bench.core->now_ms - delay * 1000);
		}
	}
}

static void watch(void)
{
	over_longest_us = over_since_us = 0;
	lowest_w = 1e9;
	highest_w = -1e9;
	most_export_w = -1e9;
	watch_from_us = air_now(bench.air);
}

static void start(int units, enum model_make make, double limit_w, double load)
{
	load_w = load;
	meter_dead = false;
	meter_us = 0;
	past_n = 0;
	meter_delay_s = 0;
	bench_start(units, 250, -60, 1);
	for (int i = 0; i < units; i++) {
		bench_know(i, make, make == MAKE_OURS);
	}
	export_init(&bench.core->export, limit_w, 0);
	watch();
	bench.each_step = each_step;
}

static int tear_down(void **state)
{
	(void)state;
	bench_stop();
	return 0;
}

static void twenty_units_follow_a_load_in_less_than_5_s(void **state)
{
	static const double loads[] = { 6000, 2000, 9000, 500, 12000, 0 };
	uint64_t worst_us = 0;

	(void)state;
	start(20, MAKE_OURS, 0, 12000);
	bench_run(60);
	for (size_t i = 0; i < COUNT(loads); i++) {
		watch();
		load_w = loads[i];
		bench_run(60);
		if (over_since_us) {
			fail_msg("load %.0f W: still %.0f W of export after a minute", load_w,
				 export_w);
		}
		print_message("load %5.0f W: export ended after %.1f s, site at %.0f W\n", load_w,
			      (double)over_longest_us / 1e6, site_w());
		worst_us = over_longest_us > worst_us ? over_longest_us : worst_us;
		assert_true(site_w() <= load_w + 1);
		/* and uses what the load takes */
		assert_true(site_w() >= 0.93 * load_w - 40);
	}
	assert_true(worst_us < 5000000);
}

/* OnBattery issue 1483: the limiter corrected stale readings, and swung. */
static void a_meter_that_is_late_does_not_make_it_swing(void **state)
{
	(void)state;
	for (int delay = 0; delay <= 3; delay++) {
		start(6, MAKE_OURS, 0, 4000);
		meter_delay_s = delay;
		bench_run(90);
		watch();
		bench_run(120);
		print_message("meter %d s late: site from %.0f to %.0f W\n", delay, lowest_w,
			      highest_w);
		assert_true(highest_w - lowest_w <= 60);
		assert_true(most_export_w <= 1);
		bench_stop();
	}
}

static void a_limited_export_is_used(void **state)
{
	(void)state;
	start(6, MAKE_OURS, 1000, 1500);
	bench_run(90);
	print_message("export %.0f W of 1000\n", export_w);
	assert_true(export_w <= 1001 && export_w >= 900);
}

static void without_a_meter_the_site_goes_to_its_safe_value(void **state)
{
	(void)state;
	start(4, MAKE_OURS, 0, 3000);
	bench.core->export.safe_w = 800;
	bench_run(60);
	assert_true(site_w() > 2500);
	meter_dead = true;
	bench_run(17);
	check_near("safe value", site_w(), 800, 5);
	assert_int_equal(bench_events(EVENT_METER_LOST), 1);
	assert_false(bench.model->status.meter_ok);
	assert_non_null(strstr(bench_shown(0)->limit.reason, "meter lost"));
	meter_dead = false;
	bench_run(60);
	assert_true(site_w() > 2500);
	assert_int_equal(bench_events(EVENT_METER_BACK), 2);
}

static void without_a_gateway_the_units_end_the_limit_by_themselves(void **state)
{
	(void)state;
	start(2, MAKE_OURS, 0, 500);
	bench_run(60);
	assert_true(site_w() <= 501);
	bench.each_step = NULL;
	core_close(bench.core);
	bench_run(EXPORT_LEASE_S + 2);
	check_near("free again", site_w(), 1910, 5);
}

static void the_limit_shows_owner_and_reason(void **state)
{
	(void)state;
	start(2, MAKE_OURS, 0, 500);
	bench_run(30);
	assert_string_equal(bench_shown(0)->limit.owner, "export");
	assert_string_equal(bench_shown(0)->limit.by, "gateway");
	assert_non_null(strstr(bench_shown(0)->limit.reason, "export at most 0 W"));
	assert_non_null(strstr(bench.model->status.export_state, "for the site"));
}

static void stock_units_below_their_floor_stop_in_rotation(void **state)
{
	bool stopped[4] = { false }, produced[4] = { false };

	(void)state;
	start(4, MAKE_STOCK, 0, 200);
	/* a turn is a quarter of an hour */
	for (int minute = 0; minute < 75; minute++) {
		bench_run(60);
		for (int i = 0; minute > 4 && i < 4; i++) {
			stopped[i] |= bench.unit[i].telemetry.p_mw == 0;
			produced[i] |= bench.unit[i].telemetry.p_mw > 0;
		}
	}
	print_message("stock units at a load of 200 W: site at %.0f W\n", site_w());
	assert_true(site_w() <= 201);
	for (int i = 0; i < 4; i++) {
		assert_true(stopped[i] && produced[i]);
	}
}

static void phases_stay_within_the_difference_that_the_owner_sets(void **state)
{
	double w[3] = { 0 };

	(void)state;
	bench_start(6, 100, -60, 1);
	for (int i = 0; i < 6; i++) {
		struct order order;

		bench_know(i, MAKE_OURS, true);
		/* phase L1 has strong modules */
		bench.steady[i].module_w = i < 2 ? 290 : 100;
		order = bench_order(COMMAND_EDIT, i);
		order.edit = ORDER_EDIT_PHASE;
		order.phase = PHASE_L1 + i / 2;
		bench_submit(&order);
	}
	bench.core->balance_w = 500;
	bench_run(60);
	for (int i = 0; i < 6; i++) {
		w[i / 2] += bench.unit[i].telemetry.p_mw / 1e3;
	}
	print_message("L1 %.0f W, L2 %.0f W, L3 %.0f W\n", w[0], w[1], w[2]);
	check_near("L2", w[1], 764, 2);
	assert_true(w[0] - w[1] <= 500 && w[0] - w[1] >= 470);
	assert_string_equal(bench_shown(0)->limit.owner, "balance");
}

/* What an owner has set until when; 0 for no limit. */
static uint64_t until_us(const char *owner)
{
	for (int i = 0; i < bench.core->limits.count; i++) {
		if (!strcmp(bench.core->limits.entry[i].shown.owner, owner)) {
			return bench.core->limits.entry[i].until_us;
		}
	}
	return 0;
}

static void an_unchanged_balance_is_renewed_after_a_third_of_its_lease(void **state)
{
	uint64_t first;
	int renewals = 0;

	phases_stay_within_the_difference_that_the_owner_sets(state);
	first = until_us("balance");
	for (int i = 0; i < 120; i++) {
		bench_run(1);
		if (until_us("balance") != first) {
			first = until_us("balance");
			renewals++;
		}
	}
	assert_in_range(renewals, 4, 7);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(twenty_units_follow_a_load_in_less_than_5_s),
		TEST(a_meter_that_is_late_does_not_make_it_swing),
		TEST(a_limited_export_is_used),
		TEST(without_a_meter_the_site_goes_to_its_safe_value),
		TEST(without_a_gateway_the_units_end_the_limit_by_themselves),
		TEST(the_limit_shows_owner_and_reason),
		TEST(stock_units_below_their_floor_stop_in_rotation),
		TEST(phases_stay_within_the_difference_that_the_owner_sets),
		TEST(an_unchanged_balance_is_renewed_after_a_third_of_its_lease),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
