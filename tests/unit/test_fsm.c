/* SPDX-License-Identifier: GPL-2.0-only */
#include "bench_core.h"

static void disarmed_core_passes_its_self_test_and_stays_shut_down(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	bench_until(&b, QS1_STATE_SELF_TEST, 0.01);
	bench_until(&b, QS1_STATE_SHUTDOWN, 0.5);
	bench_run(&b, 3);
	assert_int_equal(b.core.fsm.state, QS1_STATE_SHUTDOWN);
	assert_true(b.core.fsm.self_test_ok);
	assert_false(b.out.relay || b.out.bridge || b.out.inputs);
}

static void without_dc_power_it_stays_off(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	b.pv_v = 10;
	bench_command(&b, QS1_OP_ARM, 0, 0);
	bench_run(&b, 2);
	assert_int_equal(b.core.fsm.state, QS1_STATE_OFF);
}

static void enter_service_waits_its_time_with_the_grid_in_range(void **state)
{
	struct bench b;
	double t;

	(void)state;
	bench_init(&b);
	bench_command(&b, QS1_OP_SET_PARAM, QS1_PARAM_ES_DELAY_S, 10);
	bench_command(&b, QS1_OP_ARM, 0, 0);
	t = bench_until(&b, QS1_STATE_CONNECTING, 12);
	print_message("enter service after %.2f s of 10 s\n", t);
	assert_true(t > 9.9 && t < 10.5);
}

static void a_disturbance_while_waiting_restarts_the_delay(void **state)
{
	struct bench b;
	double t;

	(void)state;
	bench_init(&b);
	bench_command(&b, QS1_OP_SET_PARAM, QS1_PARAM_ES_DELAY_S, 5);
	bench_command(&b, QS1_OP_ARM, 0, 0);
	bench_run(&b, 4);
	b.v_pu = 0.8;
	bench_run(&b, 0.2);
	b.v_pu = 1;
	t = bench_until(&b, QS1_STATE_CONNECTING, 8);
	assert_true(t > 4.9);
}

/* Power returns while the fault lasts: once it is cleared the unit can be armed. */
static void a_self_test_that_a_latch_interrupts_is_repeated(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	bench_until(&b, QS1_STATE_SELF_TEST, 0.01);
	assert_int_equal(bench_command(&b, QS1_OP_LATCH, QS1_FAULT_GFDI, 0), QS1_OK);
	bench_until(&b, QS1_STATE_GROUND_FAULT, 0.1);
	assert_false(b.core.fsm.self_test_ok);
	assert_int_equal(bench_command(&b, QS1_OP_CLEAR, QS1_FAULT_GFDI, 0), QS1_OK);
	bench_until(&b, QS1_STATE_SELF_TEST, 0.01);
	bench_until(&b, QS1_STATE_SHUTDOWN, 0.5);
	assert_true(b.core.fsm.self_test_ok);
}

static void ground_fault_latches_until_cleared_and_not_while_it_lasts(void **state)
{
	struct bench b;

	(void)state;
	bench_produce(&b);
	b.ground_a = 2;
	bench_until(&b, QS1_STATE_GROUND_FAULT, 0.1);
	assert_false(b.out.relay || b.out.bridge || b.out.inputs);
	bench_run(&b, 1);
	assert_int_equal(bench_command(&b, QS1_OP_CLEAR, QS1_FAULT_GFDI, 0), QS1_ERR_ACTIVE);
	b.ground_a = 0;
	bench_run(&b, 10);
	assert_int_equal(b.core.fsm.state, QS1_STATE_GROUND_FAULT);
	assert_int_equal(bench_command(&b, QS1_OP_CLEAR, QS1_FAULT_GFDI, 0), QS1_OK);
	bench_until(&b, QS1_STATE_PRODUCING, 3);
}

static void a_ground_fault_before_power_on_is_reported_once(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	bench_command(&b, QS1_OP_ARM, 0, 0); /* before the first heartbeat: no lost host either */
	b.pv_v = 10;
	b.ground_a = 2;
	bench_run(&b, 0.5);
	assert_int_equal(b.core.fsm.state, QS1_STATE_OFF);
	b.pv_v = 40;
	bench_until(&b, QS1_STATE_GROUND_FAULT, 1);
	bench_run(&b, 0.5);
	assert_int_equal(b.core.fault_count[QS1_FAULT_GFDI], 1);
	assert_int_equal(b.core.fault_count[QS1_FAULT_HOST_LOST], 0);
	assert_true(b.core.fsm.latched & QS1_FAULT_BIT(QS1_FAULT_GFDI));
}

static void restored_latch_keeps_a_new_start_from_producing(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	assert_int_equal(bench_command(&b, QS1_OP_LATCH, QS1_FAULT_GFDI, 0), QS1_OK);
	bench_command(&b, QS1_OP_ARM, 0, 0);
	bench_until(&b, QS1_STATE_GROUND_FAULT, 1);
	assert_int_equal(bench_command(&b, QS1_OP_LATCH, QS1_FAULT_UV1, 0), QS1_ERR_ARG);
}

static void lost_host_stops_production_and_its_return_restarts_it(void **state)
{
	struct bench b;
	double t;

	(void)state;
	bench_produce(&b);
	b.host_alive = false;
	t = bench_until(&b, QS1_STATE_FAULT, 3);
	print_message("host lost after %.2f s of 2 s\n", t);
	assert_true(t > 1.8 && t < 2.2);
	assert_false(b.out.relay || b.out.bridge);
	b.host_alive = true;
	bench_until(&b, QS1_STATE_PRODUCING, 10);
}

/* A current sensor far off its zero would otherwise fill the log with attempts. */
static void a_self_test_that_fails_is_repeated_after_a_minute(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	b.offset_a = 0.3;
	assert_int_equal(bench_command(&b, QS1_OP_ARM, 0, 0), QS1_OK);
	bench_until(&b, QS1_STATE_FAULT, 1);
	bench_run(&b, 59);
	assert_int_equal(b.core.fsm.state, QS1_STATE_FAULT);
	assert_int_equal(b.core.fault_count[QS1_FAULT_SENSOR], 1);
	b.offset_a = 0.1;
	bench_until(&b, QS1_STATE_WAITING, 2);
}

static void welded_relay_is_found_by_the_self_test(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	b.relay_welded = true;
	bench_command(&b, QS1_OP_ARM, 0, 0);
	bench_until(&b, QS1_STATE_FAULT, 1);
	assert_true(b.core.fsm.latched & QS1_FAULT_BIT(QS1_FAULT_RELAY));
	assert_false(b.core.fsm.self_test_ok);
}

static void over_temperature_stops_and_needs_ten_degrees_to_come_back(void **state)
{
	struct bench b;

	(void)state;
	bench_produce(&b);
	b.case_c = 97;
	bench_until(&b, QS1_STATE_FAULT, 1);
	b.case_c = 90;
	bench_run(&b, 8);
	assert_int_equal(b.core.fsm.state, QS1_STATE_FAULT);
	b.case_c = 70;
	bench_until(&b, QS1_STATE_PRODUCING, 10);
}

static void warm_case_derates(void **state)
{
	struct bench b;

	(void)state;
	bench_produce(&b);
	b.case_c = 87.5;
	bench_until(&b, QS1_STATE_DERATING, 1);
	bench_run(&b, 3);
	/* half way between 80 and 95 degrees */
	assert_in_range(b.core.dclink.p_limit_mw, 590000, 610000);
}

static void an_emergency_stop_turns_the_gates_off_in_the_same_period(void **state)
{
	struct bench b;

	(void)state;
	bench_produce(&b);
	bench_step(&b);
	assert_true(b.out.bridge && b.out.relay);
	b.in.estop_n = false;
	bench_step(&b);
	assert_false(b.out.bridge || b.out.relay || b.out.inputs);
	bench_run(&b, 0.01);
	b.in.estop_n = true;
	bench_run(&b, 3);
	assert_int_equal(b.core.fsm.state, QS1_STATE_SHUTDOWN);
}

static void commands_disarm_and_arm(void **state)
{
	struct bench b;

	(void)state;
	bench_produce(&b);
	assert_int_equal(bench_command(&b, QS1_OP_DISARM, 0, 0), QS1_OK);
	bench_step(&b);
	assert_int_equal(b.core.fsm.state, QS1_STATE_SHUTDOWN);
	assert_false(b.out.bridge || b.out.relay || b.out.inputs);
	assert_int_equal(bench_command(&b, QS1_OP_ARM, 0, 0), QS1_OK);
	bench_until(&b, QS1_STATE_PRODUCING, 3);
}

static void unknown_operations_and_operands_are_refused(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	assert_int_equal(bench_command(&b, QS1_OP_COUNT, 0, 0), QS1_ERR_OP);
	assert_int_equal(bench_command(&b, QS1_OP_CRASH, 0, 0), QS1_ERR_OP);
	assert_int_equal(bench_command(&b, QS1_OP_CLEAR, 99, 0), QS1_ERR_ARG);
	assert_int_equal(bench_command(&b, QS1_OP_CLEAR, QS1_FAULT_UV1, 0), QS1_ERR_ARG);
	assert_int_equal(bench_command(&b, QS1_OP_BENCH_PWM, 0, 100), QS1_ERR_STATE);
}

static void bench_mode_needs_shutdown_and_bounds_the_duty(void **state)
{
	struct bench b;

	(void)state;
	bench_produce(&b);
	assert_int_equal(bench_command(&b, QS1_OP_BENCH, 0, 1), QS1_ERR_STATE);
	bench_command(&b, QS1_OP_DISARM, 0, 0);
	assert_int_equal(bench_command(&b, QS1_OP_BENCH, 0, 1), QS1_OK);
	assert_int_equal(bench_command(&b, QS1_OP_BENCH_PWM, 0, 9831), QS1_ERR_RANGE);
	assert_int_equal(bench_command(&b, QS1_OP_BENCH_PWM, 0, 8192), QS1_OK);
	bench_step(&b);
	assert_int_equal(b.out.cmp_input[0], 250);
	assert_int_equal(b.out.inputs, 1);
	assert_int_equal(bench_command(&b, QS1_OP_ARM, 0, 0), QS1_ERR_STATE);
	assert_int_equal(bench_command(&b, QS1_OP_BENCH, 0, 0), QS1_OK);
	bench_step(&b);
	assert_int_equal(b.out.inputs, 0);
}

/* Shut down, in bench mode, input 1 switching. */
static void on_the_bench(struct bench *b)
{
	bench_init(b);
	bench_until(b, QS1_STATE_SHUTDOWN, 1);
	assert_int_equal(bench_command(b, QS1_OP_BENCH, 0, 1), QS1_OK);
	assert_int_equal(bench_command(b, QS1_OP_BENCH_PWM, 1, 3277), QS1_OK);
	bench_step(b);
	assert_int_equal(b->out.inputs, 2);
}

static void bench_is_over(struct bench *b, double within_s)
{
	bench_run(b, within_s);
	assert_false(b->core.fsm.bench);
	assert_false(b->out.inputs || b->out.bridge);
	assert_int_equal(bench_command(b, QS1_OP_BENCH_PWM, 1, 3277), QS1_ERR_STATE);
}

static void bench_mode_ends_with_its_host(void **state)
{
	struct bench b;

	(void)state;
	on_the_bench(&b);
	b.host_alive = false;
	bench_run(&b, 1.8);
	assert_int_equal(b.out.inputs, 2);
	bench_is_over(&b, 0.4);
	assert_int_equal(bench_command(&b, QS1_OP_BENCH, 0, 1), QS1_ERR_STATE);
}

static void bench_mode_ends_at_an_emergency_stop(void **state)
{
	struct bench b;

	(void)state;
	on_the_bench(&b);
	b.in.estop_n = false;
	bench_step(&b);
	assert_int_equal(b.out.inputs, 0);
	bench_run(&b, 0.002);
	b.in.estop_n = true;
	bench_is_over(&b, 0.002);
}

static void bench_mode_ends_at_a_fault(void **state)
{
	struct bench b;

	(void)state;
	on_the_bench(&b);
	b.case_c = 97;
	bench_is_over(&b, 1);
	on_the_bench(&b);
	b.ground_a = 2;
	bench_is_over(&b, 0.1);
	on_the_bench(&b);
	b.link_v = 470;
	bench_is_over(&b, 0.01);
}

/* Each leg is rounded by itself: their difference is exact. */
static void bench_legs_are_rounded_one_by_one(void **state)
{
	struct bench b;

	(void)state;
	on_the_bench(&b);
	for (int k = 1; k < QS1_PWM_BRIDGE_HALF; k++) {
		int32_t duty = (k * 32768 + QS1_PWM_BRIDGE_HALF - 1) / QS1_PWM_BRIDGE_HALF;

		assert_int_equal(bench_command(&b, QS1_OP_BENCH_PWM, 4, duty), QS1_OK);
		assert_int_equal(bench_command(&b, QS1_OP_BENCH_PWM, 5, 14), QS1_OK);
		bench_step(&b);
		assert_int_equal(b.out.cmp_bridge, k - 1);
	}
}

static void produce_with_cessation(struct bench *b)
{
	bench_produce(b);
	assert_int_equal(bench_command(b, QS1_OP_SET_PARAM, QS1_PARAM_UV1_T_S, 5000), QS1_OK);
	assert_int_equal(bench_command(b, QS1_OP_SET_PARAM, QS1_PARAM_UV2_T_S, 2100), QS1_OK);
	assert_int_equal(bench_command(b, QS1_OP_SET_PARAM, QS1_PARAM_MC_LV_V_PU, 500), QS1_OK);
	b->core.current.next_amp_i10 = 10000000; /* there are no modules that would ask for it */
	bench_run(b, 0.01);
	assert_true(b->core.current.amp_i10);
}

static void a_cessation_brings_the_current_to_zero_before_the_gates_turn_off(void **state)
{
	struct bench b;
	int32_t amp = 0, quad = 0;

	(void)state;
	produce_with_cessation(&b);
	b.v_pu = 0.3;
	bench_until(&b, QS1_STATE_CEASED, 0.05);
	assert_true(b.out.bridge);
	for (int n = 0; b.out.bridge; n++) {
		assert_true(n < 30 * QS1_TICKS_PER_MS);
		amp = b.core.current.amp_i10;
		quad = b.core.current.quad_i10;
		bench_step(&b);
	}
	assert_int_equal(amp, 0);
	assert_int_equal(quad, 0);
	assert_true(b.out.relay);
}

static void after_a_cessation_the_bridge_begins_at_a_zero_crossing(void **state)
{
	struct bench b;

	(void)state;
	for (int k = 0; k < 4; k++) {
		produce_with_cessation(&b);
		b.v_pu = 0.3;
		bench_run(&b, 0.2 + k * 0.0021);
		assert_int_equal(b.core.fsm.state, QS1_STATE_CEASED);
		b.v_pu = 1;
		bench_until(&b, QS1_STATE_PRODUCING, 0.2);
		while (!b.out.bridge)
			bench_step(&b);
		assert_true(qs1_abs(b.core.pll.sin_q30) < QS1_Q30(0.05));
	}
}

/* An island in which all have ceased; a grid that sags to nothing is back within a second. */
static void a_dead_line_ends_a_cessation_within_two_seconds(void **state)
{
	struct bench b;
	double t;

	(void)state;
	produce_with_cessation(&b);
	b.v_pu = 0;
	bench_run(&b, 1);
	assert_int_equal(b.core.fsm.state, QS1_STATE_CEASED);
	t = 1 + bench_until(&b, QS1_STATE_WAITING, 2);
	print_message("a dead line is left after %.2f s\n", t);
	assert_true(t < 1.9);
	assert_int_equal(b.core.fault_count[QS1_FAULT_ISLAND], 1);
	assert_false(b.out.relay);
}

/* One period with another voltage of the grid. */
static void step_at(struct bench *b, double volt)
{
	double v_pu = b->v_pu;
	double now = 240 * sqrt(2) * sin(2 * M_PI * b->phase);

	b->v_pu = volt / now;
	bench_step(b);
	b->v_pu = v_pu;
}

static void bring_to_crest(struct bench *b)
{
	while (fabs(sin(2 * M_PI * b->phase)) < 0.9)
		bench_step(b);
}

static void a_spike_turns_the_gates_off_without_a_trip(void **state)
{
	struct bench b;

	(void)state;
	bench_produce(&b);
	bring_to_crest(&b);
	for (int n = 0; n < 8; n++) {
		step_at(&b, 500);
		assert_false(b.out.bridge);
		assert_true(b.out.relay);
	}
	bench_run(&b, 0.1);
	assert_true(qs1_producing(&b.core));
	assert_true(b.out.bridge);
}

static void an_over_voltage_that_lasts_or_is_high_is_a_trip(void **state)
{
	struct bench b;

	(void)state;
	bench_produce(&b);
	bring_to_crest(&b);
	for (int n = 0; n < 20; n++)
		step_at(&b, 500);
	bench_run(&b, 0.002);
	assert_int_equal(b.core.fault_count[QS1_FAULT_TOV], 1);
	bench_produce(&b);
	bring_to_crest(&b);
	step_at(&b, 645);
	assert_false(b.out.bridge);
	bench_run(&b, 0.002);
	assert_int_equal(b.core.fault_count[QS1_FAULT_TOV], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(disarmed_core_passes_its_self_test_and_stays_shut_down),
		cmocka_unit_test(without_dc_power_it_stays_off),
		cmocka_unit_test(enter_service_waits_its_time_with_the_grid_in_range),
		cmocka_unit_test(a_disturbance_while_waiting_restarts_the_delay),
		cmocka_unit_test(a_self_test_that_a_latch_interrupts_is_repeated),
		cmocka_unit_test(ground_fault_latches_until_cleared_and_not_while_it_lasts),
		cmocka_unit_test(a_ground_fault_before_power_on_is_reported_once),
		cmocka_unit_test(restored_latch_keeps_a_new_start_from_producing),
		cmocka_unit_test(lost_host_stops_production_and_its_return_restarts_it),
		cmocka_unit_test(a_self_test_that_fails_is_repeated_after_a_minute),
		cmocka_unit_test(welded_relay_is_found_by_the_self_test),
		cmocka_unit_test(over_temperature_stops_and_needs_ten_degrees_to_come_back),
		cmocka_unit_test(warm_case_derates),
		cmocka_unit_test(an_emergency_stop_turns_the_gates_off_in_the_same_period),
		cmocka_unit_test(commands_disarm_and_arm),
		cmocka_unit_test(unknown_operations_and_operands_are_refused),
		cmocka_unit_test(bench_mode_needs_shutdown_and_bounds_the_duty),
		cmocka_unit_test(bench_mode_ends_with_its_host),
		cmocka_unit_test(bench_mode_ends_at_an_emergency_stop),
		cmocka_unit_test(bench_mode_ends_at_a_fault),
		cmocka_unit_test(bench_legs_are_rounded_one_by_one),
		cmocka_unit_test(a_cessation_brings_the_current_to_zero_before_the_gates_turn_off),
		cmocka_unit_test(after_a_cessation_the_bridge_begins_at_a_zero_crossing),
		cmocka_unit_test(a_dead_line_ends_a_cessation_within_two_seconds),
		cmocka_unit_test(a_spike_turns_the_gates_off_without_a_trip),
		cmocka_unit_test(an_over_voltage_that_lasts_or_is_high_is_a_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
