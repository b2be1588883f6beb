// SPDX-License-Identifier: GPL-2.0-only
/*
 * Converters, frames to the gate logic, doorbells and watchdogs of real boards,
 * on models of their registers; each fault that a register can report.
 */
#include "io_model.h"

#include "adc.h"
#include "frame.h"
#include "mailbox.h"
#include "watchdog.h"

#define GPIO 0x10000
#define DAVINCI 0x20000
#define SPI 0x30000

static const struct qs1_adc_map map = {
	.spi = SPI,
	.convst = QS1_LINE_OMAP(GPIO, 11),
	.busy = QS1_LINE_OMAP(GPIO, 10),
};

/* The gate logic starts conversions; the second chip's select is a line. */
static const struct qs1_adc_map by_gate_logic = {
	.spi = SPI,
	.busy = QS1_LINE_DAVINCI(DAVINCI, 9),
	.cs_n = { [1] = QS1_LINE_DAVINCI(DAVINCI, 28) },
};

static void begin(const struct qs1_adc_map *m)
{
	memset(&io, 0, sizeof(io));
	io.spi = m->spi;
	io.busy = m->busy.in;
	io.busy_mask = m->busy.mask;
	io.busy_rise = 1;
	io.busy_fall = 80;
	if (m->convst.mask) {
		io.convst = m->convst.set;
		io.convst_mask = m->convst.mask;
		add_bank(&m->convst);
	} else {
		io.self_start = true;
		add_bank(&m->busy);
	}
	for (int i = 0; i < 16; i++)
		io.adc[i] = (int16_t)(i & 1 ? -1000 * i - 1 : 1000 * i + 1);
	qs1_adc_init(m);
}

static uint32_t read_both(const struct qs1_adc_map *m, int16_t adc[16])
{
	uint32_t fault = qs1_adc_convert(m);

	if (!fault)
		fault = qs1_adc_exchange(m, 0, NULL, adc);
	if (!fault)
		fault = qs1_adc_exchange(m, 1, NULL, adc + 8);
	return fault;
}

static void gpio_lines_have_the_addresses_that_linux_uses(void **state)
{
	const struct qs1_line omap = QS1_LINE_OMAP(GPIO, 31), low = QS1_LINE_DAVINCI(DAVINCI, 31),
			      high = QS1_LINE_DAVINCI(DAVINCI, 37);

	(void)state;
	assert_int_equal(omap.in, GPIO + 0x138);
	assert_int_equal(omap.set, GPIO + 0x194);
	assert_int_equal(omap.clear, GPIO + 0x190);
	assert_int_equal(omap.mask, 0x80000000u);
	/* gpio-davinci.c: banks at 0x10, 0x38; dir, out, set, clear, in */
	assert_int_equal(low.in, DAVINCI + 0x20);
	assert_int_equal(low.set, DAVINCI + 0x18);
	assert_int_equal(low.clear, DAVINCI + 0x1c);
	assert_int_equal(high.set, DAVINCI + 0x38 + 0x08);
	assert_int_equal(high.mask, 1u << 5);
}

static void every_channel_arrives_where_the_contract_has_it(void **state)
{
	const struct qs1_adc_map *m[] = { &map, &by_gate_logic };
	int16_t adc[16];

	(void)state;
	for (int i = 0; i < 2; i++) {
		begin(m[i]);
		for (int period = 0; period < 3; period++) {
			memset(adc, 0, sizeof(adc));
			if (i == 1)
				while (!qs1_line_get(&m[i]->busy))
					;
			assert_int_equal(read_both(m[i], adc), 0);
			assert_memory_equal(adc, io.adc, sizeof(adc));
			/* as negative as can be, as positive, and all bits alternating */
			io.adc[0] = INT16_MIN;
			io.adc[7] = INT16_MAX;
			io.adc[8] = 0x5555;
			io.adc[15] = -1;
		}
	}
}

static void the_clock_is_within_the_limit_of_the_converter(void **state)
{
	uint32_t conf;

	(void)state;
	begin(&map);
	conf = *reg(SPI + 0x12c);
	assert_true(conf & 1u << 29);			   /* steps of one clock */
	assert_int_equal(48 / ((conf >> 2 & 15) + 1), 16); /* MHz, 17 allowed */
	assert_int_equal(conf & 3, 2);		/* idles high, taken at the falling edge */
	assert_int_equal(conf >> 16 & 7, 1);	/* D0 in, D1 out */
	assert_int_equal(*reg(SPI + 0x128), 1); /* chip select by hand */
}

static void chip_selects_are_active_only_while_a_chip_is_read(void **state)
{
	int16_t adc[16];

	(void)state;
	begin(&by_gate_logic);
	assert_true(driven(&by_gate_logic.cs_n[1]));
	while (!qs1_line_get(&by_gate_logic.busy))
		;
	io.dead_words = 6; /* the second chip's second word does not come */
	assert_int_equal(read_both(&by_gate_logic, adc), QS1_ADC_NO_WORD);
	assert_true(driven(&by_gate_logic.cs_n[1]));
	assert_false(*reg(SPI + 0x12c) & 1u << 20);
	assert_false(*reg(SPI + 0x12c + 0x14) & 1u << 20);
	assert_int_equal(*reg(SPI + 0x134 + 0x14) & 1, 0);
}

static void converter_that_does_not_start_is_reported(void **state)
{
	int16_t adc[16];

	(void)state;
	begin(&map);
	io.busy_rise = MODEL_NEVER;
	assert_int_equal(read_both(&map, adc), QS1_ADC_NOT_BUSY);
	assert_false(driven(&map.convst));
}

static void conversion_without_an_end_is_reported(void **state)
{
	int16_t adc[16];

	(void)state;
	begin(&map);
	io.busy_fall = MODEL_NEVER;
	assert_int_equal(read_both(&map, adc), QS1_ADC_TOO_LONG);
}

static void slow_but_good_converter_is_waited_for(void **state)
{
	int16_t adc[16];

	(void)state;
	begin(&map);
	io.busy_rise = 15;
	io.busy_fall = 240;
	assert_int_equal(read_both(&map, adc), 0);
}

static void a_missing_word_is_reported(void **state)
{
	int16_t adc[16];

	(void)state;
	for (int word = 1; word <= 8; word++) {
		begin(&map);
		io.dead_words = word;
		assert_int_equal(read_both(&map, adc), QS1_ADC_NO_WORD);
	}
}

static void overflow_is_reported_once(void **state)
{
	int16_t adc[16];

	(void)state;
	begin(&map);
	io.extra_word = true;
	assert_int_equal(read_both(&map, adc), QS1_ADC_OVERFLOW);
	io.extra_word = false;
	assert_int_equal(read_both(&map, adc), 0);
}

/* The gate logic's side: bit by bit, as a shift register does it. */
static uint16_t crc_of(const uint16_t *word, int words)
{
	uint16_t crc = 0xffff;

	for (int i = 0; i < 16 * words; i++) {
		unsigned int bit = word[i / 16] >> (15 - i % 16) & 1, top = crc >> 15;

		crc = (uint16_t)(crc << 1);
		if (bit ^ top)
			crc ^= 0x1021;
	}
	return crc;
}

static void frame_holds_the_outputs_and_its_check(void **state)
{
	const struct qs1_outputs out = { .cmp_input = { 1, 999, 500, 0 },
					 .cmp_bridge = -2500,
					 .inputs = 0x5,
					 .bridge = true,
					 .relay = true };
	uint32_t word[4];
	uint16_t got[8];
	int16_t adc[16];

	(void)state;
	begin(&by_gate_logic);
	qs1_frame_pack(word, &out, 0xfffe);
	while (!qs1_line_get(&by_gate_logic.busy))
		;
	assert_int_equal(qs1_adc_convert(&by_gate_logic), 0);
	assert_int_equal(qs1_adc_exchange(&by_gate_logic, 0, word, adc), 0);
	assert_memory_equal(adc, io.adc, 8 * sizeof(adc[0])); /* both ways at once */
	assert_int_equal(io.sent_words, 4);
	for (int i = 0; i < 8; i++)
		got[i] = (uint16_t)(io.sent[i / 2] >> (i & 1 ? 0 : 16));
	assert_int_equal(got[0], 1);
	assert_int_equal(got[1], 999);
	assert_int_equal((int16_t)got[4], -2500);
	assert_int_equal(got[5], 0x5 | QS1_FRAME_BRIDGE | QS1_FRAME_RELAY);
	assert_int_equal(got[6], 0xfffe);
	assert_int_equal(got[7], crc_of(got, 7));
	/* CRC-16/CCITT of "123456789" is 0x29b1: the polynomial is the one documented */
	assert_int_equal(crc_of((const uint16_t[]){ 0x3132, 0x3334, 0x3536, 0x3738 }, 4), 0xa12b);
}

static void a_frame_carries_the_relay_twice(void **state)
{
	const struct qs1_outputs off = { 0 }, on = { .relay = true };
	uint32_t word[4];

	(void)state;
	qs1_frame_pack(word, &off, 0);
	assert_int_equal(word[2] & 0xffff, QS1_FRAME_NOT_RELAY);
	qs1_frame_pack(word, &on, 0);
	assert_int_equal(word[2] & 0xffff, QS1_FRAME_RELAY);
}

static void a_doorbell_into_a_full_mailbox_is_dropped(void **state)
{
	const struct qs1_fifo to = { 0x40000, 3 }, from = { 0x40000, 2 };

	(void)state;
	memset(&io, 0, sizeof(io));
	io.fifo[0] = (struct fifo_model){ .base = to.base, .number = to.number };
	io.fifo[1] = (struct fifo_model){ .base = from.base, .number = from.number };
	for (uint32_t i = 1; i <= 4; i++)
		assert_true(qs1_mailbox_put(&to, i));
	assert_false(qs1_mailbox_put(&to, 5));
	assert_int_equal(fifo_take(&io.fifo[0]), 1);
	assert_true(qs1_mailbox_put(&to, 6));

	qs1_mailbox_drain(&from);
	for (uint32_t i = 0; i < 4; i++)
		fifo_put(&io.fifo[1], i);
	qs1_mailbox_drain(&from);
	assert_int_equal(io.fifo[1].used, 0);
}

static void timer_overflows_after_its_time_unless_kicked(void **state)
{
	const struct qs1_watchdog dog = { QS1_WATCHDOG_TIMER, 0x50000, 20000000 };

	(void)state;
	memset(&io, 0, sizeof(io));
	io.timer = dog.base;
	*reg(dog.base + 0x28) = 2;
	assert_true(qs1_watchdog_expired(&dog));
	qs1_watchdog_start(&dog);
	assert_false(qs1_watchdog_expired(&dog));
	assert_int_equal(0u - *reg(dog.base + 0x40), 20000 * QS1_WATCHDOG_MS);
	assert_int_equal(*reg(dog.base + 0x3c), *reg(dog.base + 0x40));
	assert_int_equal(*reg(dog.base + 0x2c), 2);
	assert_int_equal(*reg(dog.base + 0x38), 1);
	for (int i = 1; i <= 3; i++) {
		qs1_watchdog_kick(&dog);
		assert_int_equal(io.timer_loads, i);
	}
	/* Without its clock a write never ends; the firmware has to go on all the same. */
	io.stuck_clock = true;
	qs1_watchdog_start(&dog);
}

static void rti_gets_its_keys_in_order(void **state)
{
	const struct qs1_watchdog dog = { QS1_WATCHDOG_RTI, 0x60000, 25000000 };
	double ms;

	(void)state;
	memset(&io, 0, sizeof(io));
	io.rti = dog.base;
	*reg(dog.base + 0x98) = 2;
	assert_true(qs1_watchdog_expired(&dog));
	qs1_watchdog_start(&dog);
	assert_false(qs1_watchdog_expired(&dog));
	assert_int_equal(*reg(dog.base + 0x90), 0xa98559da);
	ms = (*reg(dog.base + 0x94) + 1) * 8192 / 25000.0;
	assert_true(ms >= QS1_WATCHDOG_MS && ms < QS1_WATCHDOG_MS + 1);
	qs1_watchdog_kick(&dog);
	qs1_watchdog_kick(&dog);
	assert_int_equal(io.rti_keys, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gpio_lines_have_the_addresses_that_linux_uses),
		cmocka_unit_test(every_channel_arrives_where_the_contract_has_it),
		cmocka_unit_test(the_clock_is_within_the_limit_of_the_converter),
		cmocka_unit_test(chip_selects_are_active_only_while_a_chip_is_read),
		cmocka_unit_test(converter_that_does_not_start_is_reported),
		cmocka_unit_test(conversion_without_an_end_is_reported),
		cmocka_unit_test(slow_but_good_converter_is_waited_for),
		cmocka_unit_test(a_missing_word_is_reported),
		cmocka_unit_test(overflow_is_reported_once),
		cmocka_unit_test(frame_holds_the_outputs_and_its_check),
		cmocka_unit_test(a_frame_carries_the_relay_twice),
		cmocka_unit_test(a_doorbell_into_a_full_mailbox_is_dropped),
		cmocka_unit_test(timer_overflows_after_its_time_unless_kicked),
		cmocka_unit_test(rti_gets_its_keys_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
