/* SPDX-License-Identifier: GPL-2.0-only */
#include "bench_core.h"

static const struct {
	const char *name;
	int32_t def;
	int32_t min;
	int32_t max;
} table[] = {
#define X(id, name, dec, def, min, max, ...) { name, def, min, max },
	QS1_PARAMS(X)
#undef X
};

static void defaults_lie_in_their_ranges(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	for (int k = 0; k < QS1_PARAM_COUNT; k++) {
		if (table[k].def < table[k].min || table[k].def > table[k].max)
			fail_msg("%s: default %d outside %d..%d", table[k].name, table[k].def,
				 table[k].min, table[k].max);
		assert_int_equal(qs1_core_param(&b.core, k), table[k].def);
	}
}

static void values_outside_are_refused_with_the_limit_and_change_nothing(void **state)
{
	struct bench b;
	int32_t ret;

	(void)state;
	bench_init(&b);
	for (uint32_t k = 0; k < QS1_PARAM_COUNT; k++) {
		assert_int_equal(
			qs1_core_command(&b.core, QS1_OP_SET_PARAM, k, table[k].max + 1, &ret),
			QS1_ERR_RANGE);
		assert_int_equal(ret, table[k].max);
		assert_int_equal(
			qs1_core_command(&b.core, QS1_OP_SET_PARAM, k, table[k].min - 1, &ret),
			QS1_ERR_RANGE);
		assert_int_equal(ret, table[k].min);
		assert_int_equal(qs1_core_param(&b.core, k), table[k].def);
	}
	assert_int_equal(bench_command(&b, QS1_OP_SET_PARAM, QS1_PARAM_COUNT, 0), QS1_ERR_ARG);
	assert_int_equal(bench_command(&b, QS1_OP_GET_PARAM, 0xffffffffu, 0), QS1_ERR_ARG);
}

static void a_profile_is_taken_whole(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	assert_int_equal(bench_command(&b, QS1_OP_PROFILE_BEGIN, 0, 0), QS1_OK);
	assert_int_equal(bench_command(&b, QS1_OP_SET_PARAM, QS1_PARAM_OF1_F_HZ, 6120), QS1_OK);
	assert_int_equal(qs1_core_param(&b.core, QS1_PARAM_OF1_F_HZ), 6050);
	assert_int_equal(bench_command(&b, QS1_OP_ARM, 0, 0), QS1_ERR_STATE);
	assert_int_equal(bench_command(&b, QS1_OP_PROFILE_COMMIT, 0, 0), QS1_OK);
	assert_int_equal(qs1_core_param(&b.core, QS1_PARAM_OF1_F_HZ), 6120);
	assert_int_equal(bench_command(&b, QS1_OP_PROFILE_COMMIT, 0, 0), QS1_ERR_STATE);
}

static void contradicting_thresholds_are_refused_and_nothing_is_taken(void **state)
{
	struct bench b;
	int32_t ret;

	(void)state;
	bench_init(&b);
	bench_command(&b, QS1_OP_PROFILE_BEGIN, 0, 0);
	bench_command(&b, QS1_OP_SET_PARAM, QS1_PARAM_UV1_T_S, 200);
	bench_command(&b, QS1_OP_SET_PARAM, QS1_PARAM_UV2_V_PU, 880);
	bench_command(&b, QS1_OP_SET_PARAM, QS1_PARAM_UV1_V_PU, 700);
	assert_int_equal(qs1_core_command(&b.core, QS1_OP_PROFILE_COMMIT, 0, 0, &ret),
			 QS1_ERR_CONFLICT);
	assert_int_equal(ret, QS1_PARAM_UV1_V_PU);
	assert_int_equal(qs1_core_param(&b.core, QS1_PARAM_UV1_T_S), 100);
	/* a curve has slopes and no steps */
	assert_int_equal(bench_command(&b, QS1_OP_SET_PARAM, QS1_PARAM_VV_V2_PU, 939),
			 QS1_ERR_CONFLICT);
	assert_int_equal(bench_command(&b, QS1_OP_SET_PARAM, QS1_PARAM_VV_V2_PU, 940), QS1_OK);
	/* single values are held to the same */
	assert_int_equal(bench_command(&b, QS1_OP_SET_PARAM, QS1_PARAM_PV_MIN_V, 220),
			 QS1_ERR_CONFLICT);
}

static void an_aborted_profile_leaves_no_trace(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	bench_command(&b, QS1_OP_PROFILE_BEGIN, 0, 0);
	bench_command(&b, QS1_OP_SET_PARAM, QS1_PARAM_UV1_T_S, 200);
	bench_command(&b, QS1_OP_PROFILE_ABORT, 0, 0);
	assert_int_equal(qs1_core_param(&b.core, QS1_PARAM_UV1_T_S), 100);
	assert_int_equal(bench_command(&b, QS1_OP_ARM, 0, 0), QS1_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_lie_in_their_ranges),
		cmocka_unit_test(values_outside_are_refused_with_the_limit_and_change_nothing),
		cmocka_unit_test(a_profile_is_taken_whole),
		cmocka_unit_test(contradicting_thresholds_are_refused_and_nothing_is_taken),
		cmocka_unit_test(an_aborted_profile_leaves_no_trace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
