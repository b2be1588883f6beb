// SPDX-License-Identifier: GPL-2.0-only
/* The AM57xx: clocks of its timers, and which of the two cores of the IPU runs. */
#include "io_model.h"

#include "board.h"
#include "regs.h"
#include "start.h"

static void clocks_of_the_timers_are_on(void **state)
{
	(void)state;
	memset(&io, 0, sizeof(io));
	*reg(AM57XX_CONTROL_IO_2) = 0x1; /* another's bit */
	assert_true(qs1_machine_init());
	assert_int_equal(*reg(AM57XX_CONTROL_IO_2), 0x700001);
	assert_int_equal(*reg(AM57XX_PWMSS2 + 0x8), 0x101);
	assert_int_equal(*reg(AM57XX_PWMSS3 + 0x8), 0x101);
}

static void a_clock_gate_that_stays_closed_is_detected(void **state)
{
	(void)state;
	memset(&io, 0, sizeof(io));
	io.dead = AM57XX_CONTROL_IO_2;
	assert_false(qs1_machine_init());
}

static void the_second_core_is_unused(void **state)
{
	(void)state;
	memset(&io, 0, sizeof(io));
	assert_false(qs1_machine_spare());
	*reg(AM57XX_CORE_ID) = 1;
	assert_true(qs1_machine_spare());
}

static void timers_of_the_map_fit(void **state)
{
	struct qs1_pwm pwm;

	(void)state;
	memset(&io, 0, sizeof(io));
	io.epwm[0] = AM57XX_PWMSS2 + AM57XX_EPWM;
	io.epwm[1] = AM57XX_PWMSS3 + AM57XX_EPWM;
	assert_true(qs1_pwm_init(&pwm, qs1_board_map.pwm));
	assert_ptr_equal(qs1_machine_shm, (void *)(uintptr_t)AM57XX_SHM);
	assert_true(QS1_SHM_SIZE(QS1_WAVE_LOG2_MAX) <= AM57XX_SHM_SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clocks_of_the_timers_are_on),
		cmocka_unit_test(a_clock_gate_that_stays_closed_is_detected),
		cmocka_unit_test(the_second_core_is_unused),
		cmocka_unit_test(timers_of_the_map_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
