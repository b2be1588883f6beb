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

/* Steps of the function alone, at a voltage and a power that stay. */
static void hold(struct bench *b, double v_pu, double p_w, double seconds)
{
	for (long n = lround(seconds * 1000 / QS1_SUPPORT_MS); n > 0; n--) {
		b->core.fsm.state = QS1_STATE_PRODUCING;
		b->core.meter.vrms_mv = (int32_t)lrint(v_pu * 240000);
		b->core.dclink.p_ref_mw = (int32_t)lrint(p_w * 1000);
		qs1_support_step(&b->core);
	}
}

static double q_var(const struct bench *b)
{
	return b->core.support.q_mvar / 1000.0;
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

/* 5.3.2 asks for 10 s whatever the response time of volt-var is. */
static void power_factor_is_back_within_10_s_of_a_change_of_power(void **state)
{
	struct bench b;
	double t = 0, target = 960 * tan(acos(0.9));

	(void)state;
	begin(&b);
	set(&b, QS1_PARAM_VV_OLRT_S, 900);
	set(&b, QS1_PARAM_Q_MODE, QS1_Q_MODE_PF);
	set(&b, QS1_PARAM_PF, 900);
	hold(&b, 1, 240, 30);
	for (; q_var(&b) < 0.99 * target && t < 100; t += 0.1)
		hold(&b, 1, 960, 0.1);
	print_message("99 %% of the reactive power after %.1f s\n", t);
	assert_true(t < 10);
}

static void constant_reactive_power_is_what_is_set(void **state)
{
	static const int32_t q_pu[] = { -440, -100, 0, 440 };

	(void)state;
	for (int k = 0; k < 4; k++) {
		struct bench b;

		begin(&b);
		set(&b, QS1_PARAM_CONST_Q_PU, q_pu[k]);
		set(&b, QS1_PARAM_Q_MODE, QS1_Q_MODE_CONST);
		hold(&b, 0.93 + 0.05 * k, 300 * k, 30);
		assert_true(fabs(q_var(&b) - q_pu[k] * 1.2) < 0.5);
	}
}

/* 5.3.4, Table 9: the default curve of Category B, absorbing from half of rated power on. */
static void watt_var_follows_its_curve(void **state)
{
	(void)state;
	for (double p = 0; p <= 1.2; p += 0.05) {
		double q = p <= 0.5 ? 0 : p < 1 ? -0.44 * (p - 0.5) / 0.5 : -0.44;
		struct bench b;

		begin(&b);
		set(&b, QS1_PARAM_Q_MODE, QS1_Q_MODE_WATT_VAR);
		hold(&b, 1.04, p * 1200, 30);
		if (fabs(q_var(&b) / 1200 - q) > 0.002)
			fail_msg("%.2f pu: %.4f pu of reactive power, expected %.4f", p,
				 q_var(&b) / 1200, q);
	}
}

/* 4.6.3: from one setting to another over 5 to 300 s, and not in one step. */
static void another_reactive_setting_takes_over_gently(void **state)
{
	static const struct {
		enum qs1_param id;
		int32_t value;
		double q_pu;
	} changes[] = {
		{ QS1_PARAM_Q_MODE, QS1_Q_MODE_CONST, 0.44 },
		{ QS1_PARAM_CONST_Q_PU, -440, -0.44 },
		{ QS1_PARAM_Q_MODE, QS1_Q_MODE_WATT_VAR, -0.352 },
		{ QS1_PARAM_PF, 900, -0.352 },
		{ QS1_PARAM_Q_MODE, QS1_Q_MODE_PF, 0.9 * tan(acos(0.9)) },
		{ QS1_PARAM_Q_MODE, QS1_Q_MODE_VOLT_VAR, 0.22 },
		{ QS1_PARAM_VV_VREF_PU, 1020, 0.3667 },
		{ QS1_PARAM_Q_MODE, QS1_Q_MODE_NONE, 0 },
	};
	struct bench b;

	(void)state;
	begin(&b);
	set(&b, QS1_PARAM_CONST_Q_PU, 440);
	hold(&b, 0.95, 1080, 1);
	for (size_t k = 0; k < sizeof(changes) / sizeof(changes[0]); k++) {
		double from = q_var(&b) / 1200, to = changes[k].q_pu, t10 = 0, t90 = 0;

		set(&b, changes[k].id, changes[k].value);
		for (double t = 0; t < 60; t += 0.05) {
			double way;

			hold(&b, 0.95, 1080, 0.05);
			way = fabs(to - from) > 0.01 ? (q_var(&b) / 1200 - from) / (to - from) : 0;
			t10 = way < 0.1 ? t : t10;
			t90 = way < 0.9 ? t : t90;
		}
		if (fabs(q_var(&b) / 1200 - to) > 0.002)
			fail_msg("change %zu: %.4f pu, expected %.4f", k, q_var(&b) / 1200, to);
		if (fabs(to - from) > 0.01 && (t90 - t10 < 0.8 * 5 || t90 > 300))
			fail_msg("change %zu: 10 %% after %.1f s, 90 %% after %.1f s", k, t10, t90);
	}
}

static void reference_voltage_moves_the_curve(void **state)
{
	(void)state;
	for (int32_t vref = 950; vref <= 1050; vref += 25) {
		struct bench b;

		begin(&b);
		set(&b, QS1_PARAM_Q_MODE, QS1_Q_MODE_VOLT_VAR);
		set(&b, QS1_PARAM_VV_VREF_PU, vref);
		hold(&b, vref / 1000.0 + 0.05, 600, 60);
		assert_true(fabs(q_var(&b) - 1200 * volt_var(1.05)) < 1);
	}
}

/* 5.3.3: by a low-pass filter of the time constant, within 0.95 and 1.05. */
static void reference_voltage_follows_the_grid_by_itself(void **state)
{
	static const int32_t t_s[] = { 300, 5000 };

	(void)state;
	for (int k = 0; k < 2; k++) {
		struct bench b;
		double vref;

		begin(&b);
		set(&b, QS1_PARAM_Q_MODE, QS1_Q_MODE_VOLT_VAR);
		set(&b, QS1_PARAM_VV_VREF_T_S, t_s[k]);
		set(&b, QS1_PARAM_VV_VREF_AUTO, 1);
		hold(&b, 1.04, 600, t_s[k]);
		vref = 1 + 0.04 * (1 - exp(-1));
		assert_true(fabs(q_var(&b) - 1200 * volt_var(1.04 - (vref - 1))) < 3);
		hold(&b, 1.04, 600, 6 * t_s[k]);
		assert_true(fabs(q_var(&b)) < 1);
		/* no further than 1.05 */
		hold(&b, 1.09, 600, 8 * t_s[k]);
		assert_true(fabs(q_var(&b) - 1200 * volt_var(1.04)) < 1);
	}
}

static void rated_current_is_5_a_and_power_1200_w_at_the_most(void **state)
{
	static const int32_t v_w[][2] = {
		{ 208, 1040 }, { 230, 1150 }, { 240, 1200 }, { 280, 1200 }
	};

	(void)state;
	for (int k = 0; k < 4; k++) {
		struct bench b;

		begin(&b);
		set(&b, QS1_PARAM_V_NOM_V, v_w[k][0]);
		hold(&b, v_w[k][0] / 240.0, 1200, 60);
		assert_in_range(b.core.support.p_limit_mw, v_w[k][1] * 1000 - 100,
				v_w[k][1] * 1000);
		/* per unit of that */
		set(&b, QS1_PARAM_CONST_Q_PU, 440);
		set(&b, QS1_PARAM_Q_MODE, QS1_Q_MODE_CONST);
		hold(&b, v_w[k][0] / 240.0, 900, 60);
		assert_true(fabs(q_var(&b) - 0.44 * v_w[k][1]) < 1);
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
	assert_int_equal(b.core.support.droop, QS1_DROOP_NONE);
	/* down to nothing, not below */
	assert_in_range(droop(&b, 63, 40), 0, 200);
}

/* The frequency of a step that ends just outside of the deadband undershoots into it. */
static void an_event_of_the_droop_has_one_power_before(void **state)
{
	struct bench b;

	(void)state;
	begin(&b);
	set(&b, QS1_PARAM_DROOP_ON, 1);
	b.core.dclink.p_ref_mw = 1197000;
	droop(&b, 60, 10);
	/* 1197 W - (61.65 - 60.036) / 3 * 1200 W = 551.4 W */
	b.core.dclink.p_ref_mw = droop(&b, 61.65, 28);
	assert_in_range(b.core.dclink.p_ref_mw, 551000, 552000);
	b.core.dclink.p_ref_mw = droop(&b, 60.02, 0.1);
	/* 1197 W - (60.1 - 60.036) / 3 * 1200 W = 1171.4 W */
	assert_in_range(droop(&b, 60.1, 30), 1170900, 1171900);
	/* a phase jump shows as a frequency below nominal for 60 ms */
	droop(&b, 59.2, 0.06);
	assert_in_range(droop(&b, 60.1, 30), 1170900, 1171900);
	/* once frequency and power are back, the next event has another power before */
	b.core.dclink.p_ref_mw = 700000;
	droop(&b, 60, 60);
	assert_in_range(droop(&b, 60.1, 30), 673900, 674900);
}

/* Over-frequency never raises the power of a unit that is held back, whatever came before. */
static void a_limited_unit_stays_below_its_limit(void **state)
{
	struct bench b;

	(void)state;
	begin(&b);
	set(&b, QS1_PARAM_DROOP_ON, 1);
	b.core.dclink.p_ref_mw = 1100000;
	droop(&b, 60, 5);
	droop(&b, 60.1, 20);
	set(&b, QS1_PARAM_POWER_LIMIT_W, 600);
	b.core.dclink.p_ref_mw = 600000;
	for (double f = 60; f < 63; f += 0.05) {
		int32_t p = droop(&b, f, 2);

		if (p > 600000)
			fail_msg("%.2f Hz: %d mW", f, p);
	}
}

/* While power comes back after a cessation, the power before is that before the cessation. */
static void a_cessation_does_not_hide_the_power_before(void **state)
{
	struct bench b;

	(void)state;
	begin(&b);
	set(&b, QS1_PARAM_DROOP_ON, 1);
	b.core.dclink.p_ref_mw = 1016000;
	droop(&b, 60, 10);
	b.core.dclink.p_ref_mw = 0;
	b.core.dclink.p_return_mw = 100000;
	droop(&b, 60, 1);
	/* 1016 W - (60.5 - 60.036) / 3 * 1200 W = 830.4 W */
	assert_in_range(droop(&b, 60.5, 20), 829900, 831000);
}

/* A unit that connects outside of the deadband has no power before: the droop starts at its limit.
 */
static void a_unit_that_connects_beside_nominal_starts_from_the_limit(void **state)
{
	struct bench b;

	(void)state;
	begin(&b);
	set(&b, QS1_PARAM_DROOP_ON, 1);
	hold(&b, 1, 0, 1);
	b.core.meter.f_uhz = 60100000;
	b.core.fsm.state = QS1_STATE_WAITING;
	qs1_support_step(&b.core);
	b.core.dclink.p_ref_mw = 20000;
	assert_in_range(droop(&b, 60.1, 30), 1173900, 1174900);
}

static void droop_of_50_hz_may_be_of_the_power_before(void **state)
{
	struct bench b;

	(void)state;
	begin(&b);
	assert_int_equal(bench_command(&b, QS1_OP_PROFILE_BEGIN, 0, 0), QS1_OK);
	set(&b, QS1_PARAM_F_NOM_HZ, 5000);
	set(&b, QS1_PARAM_V_NOM_V, 230);
	set(&b, QS1_PARAM_OF1_F_HZ, 5200);
	set(&b, QS1_PARAM_OF2_F_HZ, 5200);
	set(&b, QS1_PARAM_UF1_F_HZ, 4750);
	set(&b, QS1_PARAM_UF2_F_HZ, 4700);
	set(&b, QS1_PARAM_ES_F_MIN_HZ, 4950);
	set(&b, QS1_PARAM_ES_F_MAX_HZ, 5020);
	set(&b, QS1_PARAM_DROOP_ON, 1);
	set(&b, QS1_PARAM_DROOP_OF_DB_HZ, 200);
	assert_int_equal(bench_command(&b, QS1_OP_PROFILE_COMMIT, 0, 0), QS1_OK);
	b.core.dclink.p_ref_mw = 600000;
	droop(&b, 50, 10);
	/* 600 W - (51 - 50.2) / (50 * 0.05) * 1150 W = 232 W */
	assert_in_range(droop(&b, 51, 30), 231500, 232500);
	droop(&b, 50, 60);
	set(&b, QS1_PARAM_DROOP_REF, 1);
	droop(&b, 50, 1);
	/* VDE-AR-N 4105, 5.7.4.3: 40 % of the power before for each hertz */
	assert_in_range(droop(&b, 51, 30), 407500, 408500);
}

/* CEI 0-21, 8.5.3.3 */
static void the_lowest_power_of_an_over_frequency_is_held(void **state)
{
	struct bench b;
	int32_t lowest;

	(void)state;
	begin(&b);
	set(&b, QS1_PARAM_DROOP_ON, 1);
	set(&b, QS1_PARAM_DROOP_HOLD_S, 20);
	b.core.dclink.p_ref_mw = 900000;
	droop(&b, 60, 10);
	lowest = droop(&b, 61, 30);
	assert_in_range(lowest, 514000, 515000);
	assert_in_range(droop(&b, 60.5, 10), lowest - 500, lowest + 500);
	assert_in_range(droop(&b, 60, 19), lowest - 500, lowest + 500);
	/* out of the deadband and back: the time begins again */
	assert_in_range(droop(&b, 60.1, 1), lowest - 500, lowest + 500);
	assert_in_range(droop(&b, 60, 19), lowest - 500, lowest + 500);
	b.core.dclink.p_ramp_mw = 1200000;
	assert_int_equal(droop(&b, 60, 30), 1200000);
	/* from there with the ramp of a connection */
	assert_in_range(b.core.dclink.p_ramp_mw, lowest - 500, lowest + 500);
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
	droop(&b, 60, 5);
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
		cmocka_unit_test(power_factor_is_back_within_10_s_of_a_change_of_power),
		cmocka_unit_test(constant_reactive_power_is_what_is_set),
		cmocka_unit_test(watt_var_follows_its_curve),
		cmocka_unit_test(another_reactive_setting_takes_over_gently),
		cmocka_unit_test(reference_voltage_moves_the_curve),
		cmocka_unit_test(reference_voltage_follows_the_grid_by_itself),
		cmocka_unit_test(rated_current_is_5_a_and_power_1200_w_at_the_most),
		cmocka_unit_test(reactive_power_goes_first_within_the_rated_apparent_power),
		cmocka_unit_test(volt_watt_follows_its_curve_and_response_time),
		cmocka_unit_test(droop_starts_from_the_power_before_and_returns),
		cmocka_unit_test(an_event_of_the_droop_has_one_power_before),
		cmocka_unit_test(a_limited_unit_stays_below_its_limit),
		cmocka_unit_test(a_cessation_does_not_hide_the_power_before),
		cmocka_unit_test(a_unit_that_connects_beside_nominal_starts_from_the_limit),
		cmocka_unit_test(droop_of_50_hz_may_be_of_the_power_before),
		cmocka_unit_test(the_lowest_power_of_an_over_frequency_is_held),
		cmocka_unit_test(droop_raises_a_limited_unit_and_does_not_hold_back_a_free_one),
		cmocka_unit_test(without_a_function_nothing_is_held_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
