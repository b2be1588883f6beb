// SPDX-License-Identifier: GPL-2.0-only
/* The AM335x: converters on pins of a PRU, on a model of their shift registers. */
#include "io_model.h"

#include "adc.h"
#include "converters.h"
#include "lanes.h"
#include "map.h"
#include "regs.h"

#define IDLE (AM335X_SCLK | AM335X_CS_N | AM335X_ALIVE)

/* Both converters: what a rising or falling edge of their pins does (data sheet). */
static struct converters {
	uint32_t r30;
	int16_t channel[16];
	int bit;
	int looks;
	int rise;
	int fall;
	bool busy;
	int conversions;
} both;

void qs1_r30_write(uint32_t value)
{
	uint32_t up = value & ~both.r30, down = both.r30 & ~value;

	if (up & AM335X_CONVST) {
		both.busy = true;
		both.looks = 0;
		both.conversions++;
	}
	if (down & AM335X_CS_N)
		both.bit = 0;
	if ((up & AM335X_SCLK) && !(value & AM335X_CS_N))
		both.bit++;
	assert_true(value & AM335X_ALIVE);
	both.r30 = value;
}

void qs1_r31_write(uint32_t value)
{
	(void)value;
}

uint32_t qs1_r31_read(void)
{
	uint32_t in = 0;

	both.looks++;
	if (both.busy && both.looks > both.rise)
		in |= AM335X_BUSY;
	if (both.looks > both.rise + both.fall) {
		both.busy = false;
		in = 0;
	}
	if (both.r30 & AM335X_CS_N)
		return in;
	assert_true(both.bit < 64);
	return in | converters_lines(both.channel, both.bit);
}

static void begin(void)
{
	memset(&both, 0, sizeof(both));
	both.r30 = IDLE;
	both.rise = 3;
	both.fall = 200;
	for (int i = 0; i < 16; i++)
		both.channel[i] = (int16_t)(i & 1 ? -2000 * i : 2000 * i + 1);
}

static void every_channel_arrives_where_the_contract_has_it(void **state)
{
	int16_t adc[QS1_ADC_COUNT];

	(void)state;
	begin();
	for (int period = 1; period <= 3; period++) {
		memset(adc, 0, sizeof(adc));
		assert_int_equal(qs1_lanes_convert(IDLE), 0);
		assert_int_equal(qs1_lanes_wait(), 0);
		qs1_lanes_read(IDLE, adc);
		assert_memory_equal(adc, both.channel, sizeof(adc));
		assert_int_equal(both.r30, IDLE);
		assert_int_equal(both.conversions, period);
		both.channel[0] = INT16_MIN;
		both.channel[7] = INT16_MAX;
		both.channel[8] = -1;
		both.channel[15] = 0x5555;
	}
}

static void converter_that_does_not_start_is_reported(void **state)
{
	(void)state;
	begin();
	both.rise = 1000000;
	assert_int_equal(qs1_lanes_convert(IDLE), QS1_ADC_NOT_BUSY);
	assert_int_equal(both.r30, IDLE);
}

static void conversion_without_an_end_is_reported(void **state)
{
	(void)state;
	begin();
	both.fall = 1000000;
	assert_int_equal(qs1_lanes_convert(IDLE), 0);
	assert_int_equal(qs1_lanes_wait(), QS1_ADC_TOO_LONG);
	assert_int_equal(both.r30, IDLE);
}

static void timers_of_the_map_fit(void **state)
{
	struct qs1_pwm pwm;

	(void)state;
	memset(&io, 0, sizeof(io));
	qs1_pru_clocks();
	assert_int_equal(*reg(AM335X_PWMSS0 + 8), 0x101);
	assert_int_equal(*reg(AM335X_PWMSS1 + 8), 0x101);
	assert_int_equal(*reg(AM335X_PWMSS2 + 8), 0x101);
	assert_true(qs1_pwm_init(&pwm, &qs1_pru_map.pwm));
	/* counts of the contract are those of the timers: nothing is rounded */
	assert_int_equal(pwm.input_q16, 1 << 16);
	assert_int_equal(pwm.bridge_q16, 1 << 16);
}

static void a_pru_leaves_standby_and_changes_nothing_else(void **state)
{
	(void)state;
	*reg(AM335X_SYSCFG) = 0x1a;
	qs1_pru_master();
	assert_int_equal(*reg(AM335X_SYSCFG), 0x0a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pru_leaves_standby_and_changes_nothing_else),
		cmocka_unit_test(every_channel_arrives_where_the_contract_has_it),
		cmocka_unit_test(converter_that_does_not_start_is_reported),
		cmocka_unit_test(conversion_without_an_end_is_reported),
		cmocka_unit_test(timers_of_the_map_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
