// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "board.h"

#include <stddef.h>

#include "frame.h"

/*
 * Reads of a register until a period must have begun: each at least 50 ns, the
 * period 50 us, and as much again.
 */
#define POLLS_PERIOD 2000

/* 10 ms: watchdog and LEDs. */
#define SLOW_PERIODS (QS1_CONTROL_HZ / 100)
_Static_assert(QS1_WATCHDOG_MS >= 40, "the watchdog has to bear three kicks that it misses");

static const struct qs1_outputs all_off;

bool qs1_board_init(struct qs1_board *board, const struct qs1_board_map *map,
		    const struct qs1_calibration *calibration, struct qs1_port *port)
{
	*board = (struct qs1_board){ .map = map, .calibration = calibration, .port = port };
	qs1_line_set(&map->alive, false);
	qs1_line_set(&map->relay, false);
	if (qs1_watchdog_expired(&map->watchdog))
		board->faults |= QS1_BOARD_WATCHDOG;
	if (!qs1_calibration_sound(calibration)) {
		board->faults |= QS1_BOARD_CALIBRATION;
		return false;
	}
	qs1_adc_init(&map->adc);
	if (map->pwm) {
		if (!qs1_pwm_init(&board->pwm, map->pwm)) {
			board->faults |= QS1_BOARD_NO_CLOCK;
			return false;
		}
		qs1_pwm_apply(&board->pwm, &all_off);
		qs1_pwm_clear(&board->pwm);
	}
	qs1_watchdog_start(&map->watchdog);
	return true;
}

static bool begun(const struct qs1_board *board)
{
	/* Gates by frames: the gate logic starts the conversion. */
	return board->map->pwm ? qs1_pwm_period(&board->pwm) : qs1_line_get(&board->map->adc.busy);
}

static bool wait_for_period(struct qs1_board *board)
{
	for (int polls = POLLS_PERIOD; polls; polls--) {
		if (begun(board))
			return true;
	}
	board->faults |= QS1_BOARD_NO_PERIOD;
	return false;
}

/* Samples of both converters; with the first one goes the frame, where there are frames. */
static uint32_t sample(const struct qs1_board *board, int16_t adc[QS1_ADC_COUNT])
{
	const struct qs1_adc_map *map = &board->map->adc;
	uint32_t frame[QS1_ADC_CHIP_WORDS];
	uint32_t fault = qs1_adc_convert(map);

	if (fault)
		return fault;
	if (!board->map->pwm)
		qs1_frame_pack(frame, &board->out, (uint16_t)board->periods);
	fault = qs1_adc_exchange(map, 0, board->map->pwm ? NULL : frame, adc);
	return fault | qs1_adc_exchange(map, 1, NULL, adc + QS1_ADC_CHIP_CHANNELS);
}

static bool good_samples(struct qs1_board *board)
{
	int16_t adc[QS1_ADC_COUNT];
	uint32_t fault = sample(board, adc);

	if (fault) {
		board->faults |= fault;
		board->bad++;
		return false;
	}
	board->bad = 0;
	qs1_calibrate(board->calibration, adc);
	for (int i = 0; i < QS1_ADC_COUNT; i++)
		board->adc[i] = adc[i];
	return true;
}

/* A trip zone is cleared once the core has turned its gates off because of it. */
static bool tripped(struct qs1_board *board)
{
	if (!board->map->pwm || !qs1_pwm_tripped(&board->pwm))
		return false;
	board->faults |= QS1_BOARD_TRIPPED;
	if (!board->out.inputs && !board->out.bridge)
		qs1_pwm_clear(&board->pwm);
	return true;
}

static void apply(struct qs1_board *board)
{
	if (board->map->pwm)
		qs1_pwm_apply(&board->pwm, &board->out);
	qs1_line_set(&board->map->relay, board->out.relay);
}

static void ring(struct qs1_board *board)
{
	if (qs1_shm_ring(board->port) &&
	    !qs1_mailbox_put(&board->map->to_linux, board->port->doorbell))
		board->faults |= QS1_BOARD_FULL;
}

static void leds(const struct qs1_board *board)
{
	uint32_t lines = qs1_shm_read(board->port->shm->host.gpio_out);

	qs1_line_set(&board->map->led_green, lines & QS1_GPIO_LED_GREEN);
	qs1_line_set(&board->map->led_red, lines & QS1_GPIO_LED_RED);
}

/* Signs of life: for the gate logic in each period, for watchdog and LEDs now and then. */
static void show_alive(struct qs1_board *board)
{
	board->alive = !board->alive;
	qs1_line_set(&board->map->alive, board->alive);
	if (board->periods % SLOW_PERIODS == 0) {
		qs1_watchdog_kick(&board->map->watchdog);
		leds(board);
	}
	board->periods++;
}

bool qs1_board_period(struct qs1_board *board, enum qs1_port_action *action)
{
	struct qs1_samples in = { 0 };
	bool good;

	*action = QS1_PORT_NONE;
	if (!wait_for_period(board))
		return false;
	good = good_samples(board);
	if (board->bad >= QS1_BOARD_BAD_MAX)
		return false;
	qs1_mailbox_drain(&board->map->from_linux[board->periods & 1]);
	*action = qs1_shm_command(board->port);
	if (*action != QS1_PORT_NONE)
		return true;

	for (int i = 0; i < QS1_ADC_COUNT; i++)
		in.adc[i] = board->adc[i];
	in.estop_n = good && qs1_line_get(&board->map->estop_n) && !tripped(board);
	qs1_shm_begin(board->port, &in);
	qs1_core_step(board->port->core, &in, &board->out);
	apply(board);
	if (board->map->pwm && qs1_pwm_period(&board->pwm))
		board->faults |= QS1_BOARD_LATE;
	qs1_shm_end(board->port, &in);
	ring(board);
	show_alive(board);
	return true;
}

void qs1_board_stop(struct qs1_board *board)
{
	if (board->map->pwm)
		qs1_pwm_trip(&board->pwm);
	qs1_line_set(&board->map->relay, false);
	qs1_line_set(&board->map->alive, false);
}
