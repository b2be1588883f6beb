// SPDX-License-Identifier: GPL-2.0-only
/*
 * One control period of a real board with the core, on models of its registers:
 * which faults stop the gates, are only reported, or stop the firmware.
 */
#include <math.h>

#include "io_model.h"

#include "board.h"
#include <qs1/crc32.h>
#include "frame.h"
#include "state.h"

#define GPIO 0x10000
#define SPI 0x20000
#define MAILBOX 0x30000
#define GREETING 0x38000
#define TIMER 0x40000
#define BRIDGE 0x51000
#define INPUTS_12 0x52000
#define INPUTS_34 0x53000
#define WAVE_LOG2 4

static const struct qs1_pwm_map timers = {
	.clock_hz = 100000000,
	.bridge = BRIDGE,
	.input = { { INPUTS_12, QS1_PWM_EPWM_A },
		   { INPUTS_12, QS1_PWM_EPWM_B },
		   { INPUTS_34, QS1_PWM_EPWM_A },
		   { INPUTS_34, QS1_PWM_EPWM_B } },
};

#define COMMON                                                                                     \
	.estop_n = QS1_LINE_OMAP(GPIO, 1), .alive = QS1_LINE_OMAP(GPIO, 2),                        \
	.led_green = QS1_LINE_OMAP(GPIO, 4), .led_red = QS1_LINE_OMAP(GPIO, 5),                    \
	.to_linux = { MAILBOX, 1 }, .from_linux = { { MAILBOX, 0 }, { GREETING, 6 } },             \
	.watchdog = { QS1_WATCHDOG_TIMER, TIMER, 20000000 }

static const struct qs1_board_map by_timers = {
	.adc = { .spi = SPI,
		 .convst = QS1_LINE_OMAP(GPIO, 11),
		 .busy = QS1_LINE_OMAP(GPIO + 0x1000, 10) },
	.pwm = &timers,
	.relay = QS1_LINE_OMAP(GPIO, 3),
	COMMON,
};

static const struct qs1_board_map by_frames = {
	.adc = { .spi = SPI, .busy = QS1_LINE_OMAP(GPIO + 0x1000, 10) },
	COMMON,
};

/* No calibration, except in its own tests. */
static struct qs1_calibration calibration;

static struct end {
	struct qs1_core core;
	struct qs1_port port;
	struct qs1_board board;
	struct qs1_shm *shm;
	union {
		uint64_t align;
		uint8_t bytes[QS1_SHM_SIZE(WAVE_LOG2)];
	} memory;
} end;

static void switch_estop(bool closed)
{
	*reg(by_timers.estop_n.in) = closed ? by_timers.estop_n.mask : 0;
}

static void models(const struct qs1_board_map *map)
{
	memset(&io, 0, sizeof(io));
	memset(&end, 0, sizeof(end));
	io.spi = SPI;
	io.epwm[0] = BRIDGE;
	io.epwm[1] = INPUTS_12;
	io.epwm[2] = INPUTS_34;
	io.busy = map->adc.busy.in;
	io.busy_mask = map->adc.busy.mask;
	io.busy_rise = 1;
	io.busy_fall = 80;
	add_bank(&map->alive);
	if (map->pwm) {
		io.convst = map->adc.convst.set;
		io.convst_mask = map->adc.convst.mask;
	} else {
		io.self_start = true;
	}
	io.fifo[0] = (struct fifo_model){ .base = MAILBOX, .number = 1 };
	io.fifo[1] = (struct fifo_model){ .base = MAILBOX, .number = 0 };
	io.fifo[2] = (struct fifo_model){ .base = GREETING, .number = 6 };
	io.timer = TIMER;
	switch_estop(true);
	io.adc[QS1_ADC_VREF] = QS1_VREF_COUNT;
	for (int i = 0; i < QS1_INPUTS; i++)
		io.adc[QS1_ADC_VPV1 + i] = 40000 / 2.5;
}

/* Noise of the converters: the core may take samples that do not move for a stuck sensor. */
static void noise(void)
{
	for (int i = 0; i < 16; i++)
		io.adc[i] += (int16_t)((end.core.ticks + (uint64_t)i) & 1 ? 1 : -1);
}

static bool begin(const struct qs1_board_map *map)
{
	models(map);
	end.shm = (struct qs1_shm *)end.memory.bytes;
	end.shm->host.gpio_out = QS1_GPIO_ENABLE | QS1_GPIO_ESTOP_N;
	qs1_core_init(&end.core);
	qs1_shm_init(&end.port, end.shm, &end.core, WAVE_LOG2, "test");
	return qs1_board_init(&end.board, map, &calibration, &end.port);
}

/* The next period begins after so many looks. */
static bool period_after(int reads)
{
	enum qs1_port_action action;
	bool going;

	noise();
	io.period_reads = reads;
	if (end.core.ticks % 2000 == 0)
		end.shm->host.heartbeat++;
	io.fifo[0].used = 0;
	going = qs1_board_period(&end.board, &action);
	assert_int_equal(action, QS1_PORT_NONE);
	return going;
}

static bool period(void)
{
	return period_after(20);
}

static uint32_t command(uint32_t op, uint32_t arg, int32_t value)
{
	end.shm->command.op = op;
	end.shm->command.arg = arg;
	end.shm->command.value = value;
	end.shm->command.seq++;
	assert_true(period());
	return end.shm->reply.result;
}

static bool gates(void)
{
	return !(*reg(BRIDGE + 0x2c) & 4) && *reg(BRIDGE + 0x1c) != 5;
}

static bool input_gate(void)
{
	return !(*reg(INPUTS_12 + 0x2c) & 4) && !(*reg(INPUTS_12 + 0x1c) & 1);
}

/* Bench mode: gates without a grid and without modules. */
static void bench_gates(void)
{
	/* by the self test to shutdown */
	for (int n = 0; n < 20000 && end.core.fsm.state != QS1_STATE_SHUTDOWN; n++)
		assert_true(period());
	assert_int_equal(command(QS1_OP_BENCH, 0, 1), QS1_OK);
	assert_int_equal(command(QS1_OP_BENCH_PWM, 0, 1 << 13), QS1_OK);
	assert_int_equal(command(QS1_OP_BENCH_PWM, 4, 1 << 13), QS1_OK);
	assert_true(period());
}

static void samples_reach_the_core_and_the_ring(void **state)
{
	(void)state;
	assert_true(begin(&by_timers));
	for (int i = 0; i < 13; i++)
		io.adc[i] = (int16_t)(100 + i);
	for (int n = 0; n < 5; n++)
		assert_true(period());
	assert_int_equal(end.shm->wave.head, 5);
	assert_memory_equal(end.shm->wave.scan[4].ch, io.adc, 2 * QS1_SCAN_CHANNELS);
	assert_int_equal(end.board.faults, 0);
	assert_int_equal(end.core.ticks, 5);
}

static void outputs_are_off_before_and_after_the_start(void **state)
{
	(void)state;
	assert_true(begin(&by_timers));
	assert_false(gates());
	assert_false(driven(&by_timers.relay));
	assert_true(period());
	assert_false(gates());
	assert_false(input_gate());
	assert_false(driven(&by_timers.relay));
}

static void alive_line_has_an_edge_in_each_period(void **state)
{
	bool last;

	(void)state;
	assert_true(begin(&by_timers));
	last = driven(&by_timers.alive);
	for (int n = 0; n < 10; n++) {
		assert_true(period());
		assert_int_equal(driven(&by_timers.alive), !last);
		last = !last;
	}
}

static void watchdog_is_kicked_each_ten_milliseconds(void **state)
{
	(void)state;
	assert_true(begin(&by_timers));
	for (int n = 0; n < 1000; n++)
		assert_true(period());
	assert_int_equal(io.timer_loads, 5);
	begin(&by_timers);
	*reg(TIMER + 0x28) = 2;
	assert_true(qs1_board_init(&end.board, &by_timers, &calibration, &end.port));
	assert_int_equal(end.board.faults, QS1_BOARD_WATCHDOG);
}

static void leds_follow_linux(void **state)
{
	(void)state;
	assert_true(begin(&by_timers));
	end.shm->host.gpio_out |= QS1_GPIO_LED_RED;
	for (int n = 0; n < 201; n++)
		assert_true(period());
	assert_true(driven(&by_timers.led_red));
	assert_false(driven(&by_timers.led_green));
	end.shm->host.gpio_out ^= QS1_GPIO_LED_RED | QS1_GPIO_LED_GREEN;
	for (int n = 0; n < 200; n++)
		assert_true(period());
	assert_false(driven(&by_timers.led_red));
	assert_true(driven(&by_timers.led_green));
}

static void emergency_switch_stops_the_gates_in_its_period(void **state)
{
	(void)state;
	assert_true(begin(&by_timers));
	bench_gates();
	assert_true(gates());
	assert_true(input_gate());
	switch_estop(false);
	assert_true(period());
	assert_false(gates());
	assert_false(input_gate());
}

static void period_without_samples_stops_the_gates(void **state)
{
	(void)state;
	assert_true(begin(&by_timers));
	bench_gates();
	assert_true(gates());
	io.busy_fall = MODEL_NEVER;
	assert_true(period());
	assert_false(gates());
	assert_int_equal(end.board.faults, QS1_ADC_TOO_LONG);
	/* the last good samples remain, none of half a conversion */
	assert_in_range(end.shm->wave.scan[(end.shm->wave.head - 1) & 15].ch[QS1_ADC_VREF],
			QS1_VREF_COUNT - 1, QS1_VREF_COUNT + 1);
	/* it goes on when they come again */
	io.busy_fall = 80;
	io.converting = false;
	assert_true(period());
	assert_int_equal(end.board.bad, 0);
}

static void a_millisecond_without_samples_stops_the_firmware(void **state)
{
	int n = 0;

	(void)state;
	assert_true(begin(&by_timers));
	bench_gates();
	io.busy_rise = MODEL_NEVER;
	while (n < 100 && period())
		n++;
	assert_int_equal(n, QS1_BOARD_BAD_MAX - 1);
	qs1_board_stop(&end.board);
	assert_false(gates());
	assert_false(driven(&by_timers.relay));
	assert_false(driven(&by_timers.alive));
}

static void stopped_timers_stop_the_firmware(void **state)
{
	(void)state;
	assert_true(begin(&by_timers));
	assert_true(period());
	assert_false(period_after(0));
	assert_int_equal(end.board.faults, QS1_BOARD_NO_PERIOD);
}

static void an_unsuitable_clock_keeps_the_firmware_from_starting(void **state)
{
	struct qs1_pwm_map slow = timers;
	struct qs1_board_map map = by_timers;

	(void)state;
	slow.clock_hz = 13000000;
	map.pwm = &slow;
	assert_false(begin(&map));
	assert_int_equal(end.board.faults, QS1_BOARD_NO_CLOCK);
}

static void late_outputs_are_reported(void **state)
{
	(void)state;
	assert_true(begin(&by_timers));
	assert_true(period_after(20));
	assert_int_equal(end.board.faults, 0);
	/* the flag is up, and comes up again at the second look: after the outputs */
	*reg(BRIDGE + 0x36) = 1;
	assert_true(period_after(2));
	assert_int_equal(end.board.faults, QS1_BOARD_LATE);
}

static void trip_zone_stops_and_is_taken_back_once_gates_are_off(void **state)
{
	(void)state;
	assert_true(begin(&by_timers));
	bench_gates();
	*reg(BRIDGE + 0x2c) |= 4; /* a pin of the gate logic */
	assert_true(period());
	assert_int_equal(end.board.faults, QS1_BOARD_TRIPPED);
	assert_false(gates());
	assert_false(end.board.out.bridge);
	assert_true(period());
	assert_int_equal(*reg(BRIDGE + 0x2c) & 4, 0);
}

static void doorbells_ring_and_drain(void **state)
{
	(void)state;
	assert_true(begin(&by_timers));
	fifo_put(&io.fifo[1], 0);
	fifo_put(&io.fifo[2], 0xffffff03); /* remoteproc's greeting */
	command(QS1_OP_PING, 0, 1234);
	assert_int_equal(end.shm->reply.value, 1234);
	assert_true(io.fifo[0].used > 0);
	assert_true(period());
	assert_int_equal(io.fifo[1].used + io.fifo[2].used, 0);
	assert_int_equal(end.board.faults, 0);
}

static void full_mailbox_is_harmless(void **state)
{
	enum qs1_port_action action;

	(void)state;
	assert_true(begin(&by_timers));
	end.shm->command.op = QS1_OP_PING;
	end.shm->command.seq++;
	while (io.fifo[0].used < 4)
		fifo_put(&io.fifo[0], 0);
	io.period_reads = 20;
	assert_true(qs1_board_period(&end.board, &action));
	assert_int_equal(end.board.faults, QS1_BOARD_FULL);
}

static void crash_commands_reach_the_port(void **state)
{
	enum qs1_port_action action;

	(void)state;
	for (uint32_t arg = 0; arg < 2; arg++) {
		assert_true(begin(&by_timers));
		end.shm->command.op = QS1_OP_CRASH;
		end.shm->command.arg = arg;
		end.shm->command.seq++;
		io.period_reads = 20;
		assert_true(qs1_board_period(&end.board, &action));
		assert_int_equal(action, arg ? QS1_PORT_HANG : QS1_PORT_TRAP);
	}
}

static void frames_carry_the_outputs_of_the_period_before(void **state)
{
	uint16_t control, number, next;

	(void)state;
	assert_true(begin(&by_frames));
	assert_true(period());
	io.sent_words = 0;
	bench_gates();
	io.sent_words = 0;
	assert_true(period());
	control = (uint16_t)io.sent[2];
	number = (uint16_t)(io.sent[3] >> 16);
	assert_int_equal(control, 0x1 | QS1_FRAME_BRIDGE | QS1_FRAME_NOT_RELAY);
	assert_int_equal(io.sent[0] >> 16, end.board.out.cmp_input[0]);
	io.sent_words = 0;
	switch_estop(false);
	assert_true(period());
	next = (uint16_t)(io.sent[3] >> 16);
	assert_int_equal(next, number + 1);
	io.sent_words = 0;
	assert_true(period());
	assert_int_equal((uint16_t)io.sent[2], QS1_FRAME_NOT_RELAY);
	assert_int_equal(end.board.faults, 0);
}

static void good_calibration(void)
{
	calibration = (struct qs1_calibration){ .magic = QS1_CALIBRATION_MAGIC };
	for (int i = 0; i < QS1_ADC_COUNT; i++)
		calibration.gain[i] = QS1_CALIBRATION_ONE;
	calibration.gain[QS1_ADC_VGRID] = 33095; /* 1.01 */
	calibration.offset[QS1_ADC_VGRID] = -7;
	calibration.gain[QS1_ADC_IGND] = QS1_CALIBRATION_GAIN_MAX;
	calibration.offset[QS1_ADC_IGND] = -QS1_CALIBRATION_OFFSET_MAX;
	calibration.crc = qs1_crc32((uint8_t *)&calibration, (uint8_t *)&calibration.crc);
}

static int16_t calibrated(int channel, int16_t sample)
{
	int16_t adc[QS1_ADC_COUNT] = { 0 };

	adc[channel] = sample;
	qs1_calibrate(&calibration, adc);
	return adc[channel];
}

static void samples_are_calibrated_and_full_scale_stays_full_scale(void **state)
{
	(void)state;
	good_calibration();
	for (int sample = -32000; sample <= 32000; sample += 111)
		assert_true(fabs(calibrated(QS1_ADC_VGRID, (int16_t)sample) -
				 (sample + 7) * 33095 / 32768.0) <= 0.5);
	assert_int_equal(calibrated(QS1_ADC_VPV1, 12345), 12345);
	assert_int_equal(calibrated(QS1_ADC_VGRID, INT16_MAX), INT16_MAX);
	assert_int_equal(calibrated(QS1_ADC_VGRID, INT16_MIN), INT16_MIN);
	assert_int_equal(calibrated(QS1_ADC_IGND, INT16_MAX - 1), INT16_MAX);
	assert_true(begin(&by_timers));
	io.adc[QS1_ADC_VGRID] = 10000;
	assert_true(period());
	assert_in_range(end.shm->wave.scan[0].ch[QS1_ADC_VGRID], 10105, 10109);
	calibration = (struct qs1_calibration){ 0 };
	assert_int_equal(calibrated(QS1_ADC_IGND, 123), 123);
}

static void a_damaged_calibration_keeps_the_firmware_from_starting(void **state)
{
	uint8_t *byte = (uint8_t *)&calibration;

	(void)state;
	for (size_t i = 0; i < sizeof(calibration); i++) {
		good_calibration();
		assert_true(begin(&by_timers));
		byte[i] ^= 0x10;
		assert_false(begin(&by_timers));
		assert_int_equal(end.board.faults, QS1_BOARD_CALIBRATION);
	}
	good_calibration();
	calibration.gain[3] = QS1_CALIBRATION_GAIN_MAX + 1;
	calibration.crc = qs1_crc32(byte, (uint8_t *)&calibration.crc);
	assert_false(begin(&by_timers));
	calibration = (struct qs1_calibration){ 0 };
}

static void gate_logic_without_conversions_gives_up(void **state)
{
	(void)state;
	assert_true(begin(&by_frames));
	assert_true(period());
	io.self_start = false;
	assert_false(period());
	assert_int_equal(end.board.faults, QS1_BOARD_NO_PERIOD);
	qs1_board_stop(&end.board);
	assert_false(driven(&by_frames.alive));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(samples_reach_the_core_and_the_ring),
		cmocka_unit_test(outputs_are_off_before_and_after_the_start),
		cmocka_unit_test(alive_line_has_an_edge_in_each_period),
		cmocka_unit_test(watchdog_is_kicked_each_ten_milliseconds),
		cmocka_unit_test(leds_follow_linux),
		cmocka_unit_test(emergency_switch_stops_the_gates_in_its_period),
		cmocka_unit_test(period_without_samples_stops_the_gates),
		cmocka_unit_test(a_millisecond_without_samples_stops_the_firmware),
		cmocka_unit_test(stopped_timers_stop_the_firmware),
		cmocka_unit_test(an_unsuitable_clock_keeps_the_firmware_from_starting),
		cmocka_unit_test(late_outputs_are_reported),
		cmocka_unit_test(trip_zone_stops_and_is_taken_back_once_gates_are_off),
		cmocka_unit_test(doorbells_ring_and_drain),
		cmocka_unit_test(full_mailbox_is_harmless),
		cmocka_unit_test(crash_commands_reach_the_port),
		cmocka_unit_test(frames_carry_the_outputs_of_the_period_before),
		cmocka_unit_test(samples_are_calibrated_and_full_scale_stays_full_scale),
		cmocka_unit_test(a_damaged_calibration_keeps_the_firmware_from_starting),
		cmocka_unit_test(gate_logic_without_conversions_gives_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
