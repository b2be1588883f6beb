// SPDX-License-Identifier: GPL-2.0-only
/* The AM62x: the regions of its address translation. */
#include "io_model.h"

#include "board.h"
#include "regs.h"
#include "start.h"

/* What the M4F reaches at an address, by the registers of its RAT. */
static uint64_t reached(uint32_t local)
{
	for (int n = 0; n < 3; n++) {
		uint32_t control = *reg(AM62X_RAT(n)), base = *reg(AM62X_RAT(n) + 0x4);
		uint64_t size = 1ull << (control & 63);

		if (control >> 31 && local >= base && local - base < size) {
			/* Addresses are multiples of the size, or the hardware cuts them. */
			assert_int_equal(base % size, 0);
			assert_int_equal(*reg(AM62X_RAT(n) + 0x8) % size, 0);
			return *reg(AM62X_RAT(n) + 0x8) + (uint64_t)(local - base);
		}
	}
	return local;
}

static void peripherals_and_contract_are_reached(void **state)
{
	(void)state;
	memset(&io, 0, sizeof(io));
	assert_true(qs1_machine_init());
	assert_int_equal(reached(AM62X_MCU_RTI0), 0x04880000);
	assert_int_equal(reached(AM62X_GPIO1), 0x00601000);
	assert_int_equal(reached(AM62X_MCSPI2), 0x20120000);
	assert_int_equal(reached(AM62X_MAILBOX0), 0x29000000);
	assert_int_equal(reached(AM62X_SHM), AM62X_SHM_PA);
	assert_int_equal(reached(AM62X_SHM + 0x7ffff), AM62X_SHM_PA + 0x7ffff);
	assert_true(QS1_SHM_SIZE(QS1_WAVE_LOG2_MAX) <= 1 << AM62X_SHM_LOG2);
	assert_ptr_equal(qs1_machine_shm, (void *)(uintptr_t)AM62X_SHM);
	assert_false(qs1_machine_spare());
}

static void a_region_that_cannot_be_set_is_detected(void **state)
{
	(void)state;
	for (int n = 0; n < 3; n++) {
		memset(&io, 0, sizeof(io));
		io.dead = AM62X_RAT(n);
		assert_false(qs1_machine_init());
	}
}

static void gates_and_relay_are_driven_by_frames_alone(void **state)
{
	(void)state;
	assert_null(qs1_board_map.pwm);
	assert_int_equal(qs1_board_map.relay.mask, 0);
	assert_int_equal(qs1_board_map.adc.convst.mask, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(peripherals_and_contract_are_reached),
		cmocka_unit_test(a_region_that_cannot_be_set_is_detected),
		cmocka_unit_test(gates_and_relay_are_driven_by_frames_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
