/* SPDX-License-Identifier: GPL-2.0-only */
#include "bench_core.h"

static void set(struct bench *b, enum qs1_param id, int32_t value)
{
	assert_int_equal(bench_command(b, QS1_OP_SET_PARAM, id, value), QS1_OK);
}

/* Produces with all limits far away and modules that give what is asked. */
static void begin(struct bench *b)
{
	bench_produce(b);
	set(b, QS1_PARAM_ES_RAMP_S, 1);
	bench_run(b, 2);
}

/* The standard's volt-var curve with its default points, per unit. */
static double volt_var(double v)
{
	if (v <= 0.92)
		return 0.44;
	if (v < 0.98)
		return 0.44 * (0.98 - v) / 0.06;
	if (v <= 1.02)
		return 0;
	return v < 1.08 ? -0.44 * (v - 1.02) / 0.06 : -0.44;
}

static void volt_var_follows_its_curve(void **state)
{
	(void)state;
	for (double v = 0.89; v < 1.1; v += 0.013) {
		struct bench b;
		double q;

		begin(&b);
		set(&b, QS1_PARAM_Q_MODE, QS1_Q_MODE_VOLT_VAR);
		set(&b, QS1_PARAM_VV_OLRT_S, 10);
		b.v_pu = v;
		bench_run(&b, 4);
		assert_int_equal(b.core.fsm.state, QS1_STATE_PRODUCING);
		q = b.core.support.q_mvar / 1.2e6;
		if (fabs(q - volt_var(v)) > 0.005)
			fail_msg("%.3f pu: %.4f pu of reactive power, expected %.4f", v, q,
				 volt_var(v));
	}
}

static void reactive_power_covers_90_percent_in_its_response_time(void **state)
{
	static const int32_t olrt_ds[] = { 10, 50, 900 };

	(void)state;
	for (int k = 0; k < 3; k++) {
		struct bench b;
		double t = 0;

		begin(&b);
		set(&b, QS1_PARAM_Q_MODE, QS1_Q_MODE_VOLT_VAR);
		set(&b, QS1_PARAM_VV_OLRT_S, olrt_ds[k]);
		b.v_pu = 0.90;
		while (b.core.support.q_mvar < 0.9 * 528000) {
			bench_run(&b, 0.01);
			t += 0.01;
		}
		print_message("%.2f s of %.1f s\n", t, olrt_ds[k] / 10.0);
		assert_true(fabs(t - olrt_ds[k] / 10.0) < 0.05 + 0.01 * olrt_ds[k] / 10.0);
	}
}

static void power_factor_holds_and_its_sign_is_the_parameters(void **state)
{
	(void)state;
	for (int absorb = 0; absorb < 2; absorb++) {
		struct bench b;
		double q;

		begin(&b);
		set(&b, QS1_PARAM_Q_MODE, QS1_Q_MODE_PF);
		set(&b, QS1_PARAM_PF, 900);
		set(&b, QS1_PARAM_PF_ABSORB, absorb);
		/* what dclink.c would have found */
		for (int n = 0; n < 3000; n++) {
			b.core.dclink.p_ref_mw = 600000;
			b.core.fsm.state = QS1_STATE_PRODUCING;
			qs1_support_step(&b.core);
		}
		q = 600000 * tan(acos(0.9)) * (absorb ? -1 : 1);
		assert_true(fabs(b.core.support.q_mvar - q) < 100);
	}
}

static void reactive_power_goes_first_within_the_rated_apparent_power(void **state)
{
	struct bench b;
	double p, q;

	(void)state;
	begin(&b);
	set(&b, QS1_PARAM_Q_MODE, QS1_Q_MODE_VOLT_VAR);
	set(&b, QS1_PARAM_VV_OLRT_S, 10);
	b.v_pu = 0.90;
	bench_run(&b, 4);
	p = b.core.support.p_limit_mw;
	q = b.core.support.q_mvar;
	assert_true(q > 525000);
	assert_true(fabs(hypot(p, q) - 1.2e6) < 500);
}

static void volt_watt_follows_its_curve_and_response_time(void **state)
{
	struct bench b;
	double t = 0;

	(void)state;
	begin(&b);
	set(&b, QS1_PARAM_VW_ON, 1);
	set(&b, QS1_PARAM_VW_OLRT_S, 20);
	b.v_pu = 1.08;
	/* half way between 1.06 and 1.10: 600 W, of which 90 % in two seconds */
	while (b.core.support.p_limit_mw > 660000) {
		bench_run(&b, 0.01);
		t += 0.01;
	}
	assert_true(fabs(t - 2) < 0.1);
	bench_run(&b, 6);
	assert_in_range(b.core.support.p_limit_mw, 598000, 602000);
	b.v_pu = 1;
	bench_run(&b, 10);
	assert_in_range(b.core.support.p_limit_mw, 1199900, 1200000);
}

/* The droop of a power that dclink.c has found, frequency as the meter shows it. */
static int32_t droop(struct bench *b, double f_hz, double seconds)
{
	b->core.fsm.state = QS1_STATE_PRODUCING;
	b->core.meter.f_uhz = (int32_t)lrint(f_hz * 1e6);
	for (int n = 0; n < seconds * 125; n++)
		qs1_support_step(&b->core);
	return b->core.support.p_limit_mw;
}

static void droop_starts_from_the_power_before_and_returns(void **state)
{
	struct bench b;
	int32_t p;

	(void)state;
	begin(&b);
	set(&b, QS1_PARAM_DROOP_ON, 1);
	b.core.dclink.p_ref_mw = 800000;
	assert_int_equal(droop(&b, 60.03, 20), 1200000);
	/* 800 W - (61 - 60.036) / (60 * 0.05) * 1200 W = 414.4 W */
	p = droop(&b, 61, 20);
	assert_in_range(p, 414000, 414800);
	/* 90 % of the way in five seconds */
	p = droop(&b, 60.5, 5);
	assert_in_range(p, 414400 + 175000, 414400 + 185000);
	p = droop(&b, 60.03, 40);
	assert_int_equal(p, 1200000);
	assert_false(b.core.support.droop_active);
	/* down to nothing, not below */
	assert_in_range(droop(&b, 63, 40), 0, 200);
}

static void droop_raises_a_limited_unit_and_does_not_hold_back_a_free_one(void **state)
{
	struct bench b;
	int32_t p;

	(void)state;
	begin(&b);
	set(&b, QS1_PARAM_DROOP_ON, 1);
	set(&b, QS1_PARAM_POWER_LIMIT_W, 600);
	b.core.dclink.p_ref_mw = 600000;
	/* 600 W + (59.964 - 59) / 3 * 1200 W = 985.6 W */
	p = droop(&b, 59, 20);
	assert_in_range(p, 985000, 985800);
	p = droop(&b, 60, 40);
	assert_int_equal(p, 600000);
	set(&b, QS1_PARAM_POWER_LIMIT_W, 1200);
	b.core.dclink.p_ref_mw = 300000;
	assert_int_equal(droop(&b, 59.9, 10), 1200000);
}

static void without_a_function_nothing_is_held_back(void **state)
{
	struct bench b;

	(void)state;
	begin(&b);
	b.v_pu = 1.09;
	b.f_hz = 60.4;
	bench_run(&b, 5);
	assert_int_equal(b.core.fsm.state, QS1_STATE_PRODUCING);
	assert_int_equal(b.core.support.q_mvar, 0);
	assert_int_equal(b.core.support.p_limit_mw, 1200000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(volt_var_follows_its_curve),
		cmocka_unit_test(reactive_power_covers_90_percent_in_its_response_time),
		cmocka_unit_test(power_factor_holds_and_its_sign_is_the_parameters),
		cmocka_unit_test(reactive_power_goes_first_within_the_rated_apparent_power),
		cmocka_unit_test(volt_watt_follows_its_curve_and_response_time),
		cmocka_unit_test(droop_starts_from_the_power_before_and_returns),
		cmocka_unit_test(droop_raises_a_limited_unit_and_does_not_hold_back_a_free_one),
		cmocka_unit_test(without_a_function_nothing_is_held_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
