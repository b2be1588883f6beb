/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One control period of a real board with a Cortex-M4: samples from the
 * converters, one step of the core, gates, relay, doorbell, watchdogs.
 */
#ifndef QS1_HAL_TI_BOARD_H
#define QS1_HAL_TI_BOARD_H

#include <stdbool.h>
#include <stdint.h>

#include "adc.h"
#include "calibrate.h"
#include "line.h"
#include "mailbox.h"
#include "pwm.h"
#include "shm.h"
#include "watchdog.h"

/**
 * struct qs1_board_map - peripherals and lines of a board
 * @adc: the converters
 * @pwm: timers of the gates; NULL: gates by frames (frame.h), and the gate
 *       logic begins the control period by a conversion
 * @estop_n: low when the emergency switch is open or the gate logic has tripped
 * @alive: an edge in each good period
 * @relay: closes the grid relay; none where the frame does
 * @led_green: as Linux has it
 * @led_red: as Linux has it
 * @to_linux: doorbell of the firmware
 * @from_linux: doorbell of Linux, and the mailbox of remoteproc's start message
 * @watchdog: on the chip
 */
struct qs1_board_map {
	struct qs1_adc_map adc;
	const struct qs1_pwm_map *pwm;
	struct qs1_line estop_n;
	struct qs1_line alive;
	struct qs1_line relay;
	struct qs1_line led_green;
	struct qs1_line led_red;
	struct qs1_fifo to_linux;
	struct qs1_fifo from_linux[2];
	struct qs1_watchdog watchdog;
};

/* Faults that the HAL has found, as bits; QS1_ADC_* are the lowest four. */
#define QS1_BOARD_NO_PERIOD 0x10u    /* no period has begun: the timers stand */
#define QS1_BOARD_LATE 0x20u	     /* the next period had begun before this one's outputs */
#define QS1_BOARD_TRIPPED 0x40u	     /* a trip zone was set */
#define QS1_BOARD_WATCHDOG 0x80u     /* the watchdog had expired before this start */
#define QS1_BOARD_FULL 0x100u	     /* a doorbell found the mailbox full; harmless */
#define QS1_BOARD_CALIBRATION 0x400u /* the calibration is damaged */
#define QS1_BOARD_NO_CLOCK 0x200u    /* the timers' clock does not fit */

/**
 * struct qs1_board - a board in operation
 * @map: its peripherals and lines
 * @calibration: of its channels
 * @port: the contract
 * @pwm: the timers
 * @out: outputs in force
 * @adc: samples of the last good period
 * @faults: faults since the start, QS1_BOARD_* and QS1_ADC_*
 * @bad: periods in a row without good samples
 * @periods: control periods since the start
 * @alive: level of that line
 */
struct qs1_board {
	const struct qs1_board_map *map;
	const struct qs1_calibration *calibration;
	struct qs1_port *port;
	struct qs1_pwm pwm;
	struct qs1_outputs out;
	int16_t adc[QS1_ADC_COUNT];
	uint32_t faults;
	uint32_t bad;
	uint32_t periods;
	bool alive;
};

/*
 * A period without good samples is an emergency stop of that period; after so
 * many in a row, 1 ms, the HAL gives up.
 */
#define QS1_BOARD_BAD_MAX 20

/* The board that an image is for, and what qs1ctl has written into the image. */
extern const struct qs1_board_map qs1_board_map;
extern const struct qs1_calibration qs1_board_calibration;

/**
 * qs1_board_init() - everything off, timers and watchdog running
 * @board: memory for the state
 * @map: its peripherals and lines
 * @calibration: of its channels
 * @port: the initialised port
 *
 * Return: true unless the board can not run; then faults says why.
 */
bool qs1_board_init(struct qs1_board *board, const struct qs1_board_map *map,
		    const struct qs1_calibration *calibration, struct qs1_port *port);

/**
 * qs1_board_period() - wait for the next control period and carry it out
 * @board: the board
 * @action: action requested by the mailbox, usually QS1_PORT_NONE
 *
 * Return: false when the HAL has to stop: the timers or the converters failed.
 */
bool qs1_board_period(struct qs1_board *board, enum qs1_port_action *action);

/* Gates and relay off, no further edge of the alive line. */
void qs1_board_stop(struct qs1_board *board);

#endif /* QS1_HAL_TI_BOARD_H */
