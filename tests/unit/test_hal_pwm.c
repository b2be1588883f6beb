// SPDX-License-Identifier: GPL-2.0-only
/*
 * Gate signals of real boards: the timers' outputs for the core's compare values,
 * on models of ePWM and eCAP.
 */
#include <math.h>

#include "io_model.h"

#include "pwm.h"

#define BRIDGE 0x1000
#define TWO 0x2000
#define ECAP_3 0x3000
#define ECAP_4 0x4000
#define ONE 0x5000

/* BeagleBone AI: 133 MHz, two inputs of an ePWM, two of an eCAP each. */
static const struct qs1_pwm_map mixed = {
	.clock_hz = 133000000,
	.bridge = BRIDGE,
	.input = {
		{ TWO, QS1_PWM_EPWM_A },
		{ TWO, QS1_PWM_EPWM_B },
		{ ECAP_3, QS1_PWM_ECAP },
		{ ECAP_4, QS1_PWM_ECAP },
	},
};

/* BeagleBone Black: 100 MHz, three ePWMs. */
static const struct qs1_pwm_map all_epwm = {
	.clock_hz = 100000000,
	.bridge = BRIDGE,
	.input = {
		{ TWO, QS1_PWM_EPWM_A },
		{ TWO, QS1_PWM_EPWM_B },
		{ ONE, QS1_PWM_EPWM_A },
		{ ONE, QS1_PWM_EPWM_B },
	},
};

static struct qs1_pwm pwm;

static void begin(const struct qs1_pwm_map *map)
{
	memset(&io, 0, sizeof(io));
	io.epwm[0] = BRIDGE;
	io.epwm[1] = TWO;
	io.epwm[2] = ONE;
	assert_true(qs1_pwm_init(&pwm, map));
}

/*
 * Level of an output at a counter value, from registers alone (SPRUH73 15.2.2.5,
 * 15.2.2.6, 15.2.2.8): trip zone, then software force, then the last action.
 */
static bool level(uint32_t base, bool b, uint32_t counter, bool down)
{
	uint32_t force = *reg(base + 0x1c) >> (b ? 2 : 0) & 3;
	uint32_t action = *reg(base + (b ? 0x18 : 0x16));
	uint32_t compare = *reg(base + (b ? 0x14 : 0x12));
	uint32_t at_zero = action & 3, up = action >> (b ? 8 : 4) & 3,
		 going_down = action >> (b ? 10 : 6) & 3;

	if ((*reg(base + 0x2c) & 4) && (*reg(base + 0x28) >> (b ? 2 : 0) & 3) == 2)
		return false;
	if (force)
		return force == 2;
	if (down)
		return counter <= compare ? going_down == 2 : up == 2;
	if (counter >= compare)
		return up == 2;
	return at_zero == 2 || going_down == 2;
}

/* Share of a period for which an output is high, counted. */
static double duty(uint32_t base, bool b)
{
	uint32_t period = *reg(base + 0x0a), high = 0;

	if ((*reg(base) & 3) == 0) {
		for (uint32_t n = 0; n <= period; n++)
			high += level(base, b, n, false);
		return (double)high / (period + 1);
	}
	assert_int_equal(*reg(base) & 3, 2);
	for (uint32_t n = 0; n < period; n++)
		high += level(base, b, n, false);
	for (uint32_t n = period; n > 0; n--)
		high += level(base, b, n, true);
	return (double)high / (2 * period);
}

static double ecap_duty(uint32_t base)
{
	assert_int_equal(*reg(base + 0x2a), 0x2d0);
	/* The next period's value, which a period later is in force. */
	return (double)*reg(base + 0x14) / (*reg(base + 0x10) + 1);
}

static void periods_are_those_of_the_contract(void **state)
{
	(void)state;
	begin(&all_epwm);
	assert_int_equal(pwm.input_count, QS1_PWM_INPUT_PERIOD);
	assert_int_equal(pwm.bridge_half, QS1_PWM_BRIDGE_HALF);
	assert_int_equal(pwm.dead, 15);
	assert_int_equal(*reg(ONE + 0x0a) + 1, 1000);
	begin(&mixed);
	assert_int_equal(*reg(TWO + 0x0a) + 1, 1330);
	assert_int_equal(*reg(ECAP_3 + 0x08) + 1, 1330);
	assert_int_equal(*reg(BRIDGE + 0x0a), 3325);
	assert_int_equal(pwm.dead, 20);
	/* Five periods of an input in one of the bridge, exactly: phases do not drift. */
	assert_int_equal(5 * pwm.input_count, 2 * pwm.bridge_half);
}

static void a_clock_that_does_not_divide_is_refused(void **state)
{
	const uint32_t bad[] = { 0, 100100000, 99999999, 90000000, 2700000000u };
	struct qs1_pwm_map map = all_epwm;

	(void)state;
	begin(&all_epwm);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		map.clock_hz = bad[i];
		assert_false(qs1_pwm_init(&pwm, &map));
	}
}

static void nothing_switches_before_it_is_enabled(void **state)
{
	(void)state;
	begin(&mixed);
	assert_true(qs1_pwm_tripped(&pwm));
	assert_true(duty(BRIDGE, false) == 0 && duty(BRIDGE, true) == 0);
	assert_true(duty(TWO, false) == 0 && duty(TWO, true) == 0);
	assert_true(ecap_duty(ECAP_3) == 0 && ecap_duty(ECAP_4) == 0);
}

static void inputs_begin_an_eighth_of_a_period_apart(void **state)
{
	(void)state;
	begin(&mixed);
	assert_int_equal(*reg(TWO + 0x08), 0);
	assert_int_equal(*reg(ECAP_3), 1330 * 2 / 8);
	assert_int_equal(*reg(ECAP_4), 1330 * 3 / 8);
	begin(&all_epwm);
	assert_int_equal(*reg(ONE + 0x08), 250);
}

static void on_times_are_within_a_count(void **state)
{
	const struct qs1_pwm_map *map[] = { &mixed, &all_epwm };

	(void)state;
	for (int m = 0; m < 2; m++) {
		begin(map[m]);
		qs1_pwm_clear(&pwm);
		for (uint16_t cmp = 0; cmp < QS1_PWM_INPUT_PERIOD; cmp += 37) {
			struct qs1_outputs out = { .cmp_input = { cmp, 999 - cmp, cmp, 999 - cmp },
						   .inputs = 0xf };
			double want = cmp / 1000.0, other = (999 - cmp) / 1000.0;
			double count = 1.0 / pwm.input_count;

			qs1_pwm_apply(&pwm, &out);
			assert_true(fabs(duty(TWO, false) - want) <= count);
			assert_true(fabs(duty(TWO, true) - other) <= count);
			if (m == 0) {
				assert_true(fabs(ecap_duty(ECAP_3) - want) <= count);
				assert_true(fabs(ecap_duty(ECAP_4) - other) <= count);
			} else {
				assert_true(fabs(duty(ONE, false) - want) <= count);
				assert_true(fabs(duty(ONE, true) - other) <= count);
			}
		}
	}
}

static void each_input_is_enabled_for_itself(void **state)
{
	(void)state;
	begin(&mixed);
	qs1_pwm_clear(&pwm);
	for (uint8_t inputs = 0; inputs < 16; inputs++) {
		struct qs1_outputs out = { .cmp_input = { 400, 400, 400, 400 }, .inputs = inputs };

		qs1_pwm_apply(&pwm, &out);
		assert_int_equal(duty(TWO, false) > 0, !!(inputs & 1));
		assert_int_equal(duty(TWO, true) > 0, !!(inputs & 2));
		assert_int_equal(ecap_duty(ECAP_3) > 0, !!(inputs & 4));
		assert_int_equal(ecap_duty(ECAP_4) > 0, !!(inputs & 8));
		if (!(inputs & 4)) /* at once, not at the end of the period */
			assert_int_equal(*reg(ECAP_3 + 0x0c), 0);
		assert_true(duty(BRIDGE, false) == 0 && duty(BRIDGE, true) == 0);
	}
}

static void legs_give_the_modulation(void **state)
{
	const struct qs1_pwm_map *map[] = { &mixed, &all_epwm };

	(void)state;
	for (int m = 0; m < 2; m++) {
		begin(map[m]);
		qs1_pwm_clear(&pwm);
		for (int16_t cmp = -2400; cmp <= 2400; cmp += 25) {
			struct qs1_outputs out = { .cmp_bridge = cmp, .bridge = true };

			qs1_pwm_apply(&pwm, &out);
			/* the difference of the legs, of which each is off by a count at most */
			assert_true(fabs(duty(BRIDGE, false) - duty(BRIDGE, true) - cmp / 2500.0) <=
				    2.0 / pwm.bridge_half);
			/* both are modulated, so that the ripple is twice as fast */
			assert_true(fabs(duty(BRIDGE, false) + duty(BRIDGE, true) - 1) <=
				    2.0 / pwm.bridge_half);
		}
	}
}

static void pulses_shorter_than_the_dead_time_are_not_made(void **state)
{
	(void)state;
	for (int32_t m = -2500; m <= 2500; m++) {
		int32_t compare = qs1_pwm_leg(2500, m, 15);

		assert_true(compare == 0 || 2 * compare >= 15);
		assert_true(compare == 2500 || 2 * (2500 - compare) >= 15);
		/* half the dead time, and a count of rounding on either side */
		assert_true(abs(2 * compare - 2500 - m) <= 15 / 2 + 2);
	}
	assert_int_equal(qs1_pwm_leg(2500, -2500, 15), 0);
	assert_int_equal(qs1_pwm_leg(2500, 2500, 15), 2500);
	assert_int_equal(qs1_pwm_leg(2500, -2490, 15), 8);
	assert_int_equal(qs1_pwm_leg(2500, 2490, 15), 2492);
	assert_int_equal(qs1_pwm_leg(2500, 0, 15), 1250);
}

static void a_trip_turns_all_gates_off_until_it_is_cleared(void **state)
{
	struct qs1_outputs out = { .cmp_input = { 400, 400, 400, 400 },
				   .inputs = 0xf,
				   .bridge = true };

	(void)state;
	begin(&mixed);
	qs1_pwm_clear(&pwm);
	assert_false(qs1_pwm_tripped(&pwm));
	qs1_pwm_apply(&pwm, &out);
	qs1_pwm_trip(&pwm);
	assert_true(qs1_pwm_tripped(&pwm));
	assert_true(duty(BRIDGE, false) == 0 && duty(BRIDGE, true) == 0);
	assert_true(duty(TWO, false) == 0 && duty(TWO, true) == 0);
	assert_true(ecap_duty(ECAP_3) == 0 && *reg(ECAP_4 + 0x0c) == 0);
	qs1_pwm_clear(&pwm);
	assert_false(qs1_pwm_tripped(&pwm));
	assert_true(duty(BRIDGE, false) > 0 && duty(TWO, true) > 0);
	/* a trip zone of any ePWM is seen */
	*reg(TWO + 0x2c) |= 4;
	assert_true(qs1_pwm_tripped(&pwm));
}

static void the_bridge_reports_each_period_once(void **state)
{
	(void)state;
	begin(&all_epwm);
	assert_false(qs1_pwm_period(&pwm));
	assert_int_equal(*reg(BRIDGE + 0x32), 9); /* flag enabled, at counter zero */
	*reg(BRIDGE + 0x36) = 1;
	assert_true(qs1_pwm_period(&pwm));
	assert_false(qs1_pwm_period(&pwm));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(periods_are_those_of_the_contract),
		cmocka_unit_test(a_clock_that_does_not_divide_is_refused),
		cmocka_unit_test(nothing_switches_before_it_is_enabled),
		cmocka_unit_test(inputs_begin_an_eighth_of_a_period_apart),
		cmocka_unit_test(on_times_are_within_a_count),
		cmocka_unit_test(each_input_is_enabled_for_itself),
		cmocka_unit_test(legs_give_the_modulation),
		cmocka_unit_test(pulses_shorter_than_the_dead_time_are_not_made),
		cmocka_unit_test(a_trip_turns_all_gates_off_until_it_is_cleared),
		cmocka_unit_test(the_bridge_reports_each_period_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
