/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Gate signals from ePWM and eCAP timers: the four input stages at 100 kHz and
 * the two legs of the bridge at 20 kHz.
 *
 * The gate logic beside the drivers makes the second phase of each input, the
 * complementary edges and the dead time. All timers count the same clock and
 * their periods are in the ratio of five, so a phase that was set once stays.
 *
 * ePWM: SPRUH73 15.2.4, SPRUHZ6 29.2.3; eCAP: SPRUH73 15.3.4, SPRUHZ6 29.3.3.
 */
#ifndef QS1_HAL_PWM_H
#define QS1_HAL_PWM_H

#include <stdbool.h>
#include <stdint.h>

#include <qs1/abi.h>

#include "core.h"

/* Of the gate logic, see Documentation/power-stage.md. */
#define QS1_PWM_DEAD_NS 150

/* An input's timer: an output of an ePWM, or an eCAP in its PWM mode. */
enum qs1_pwm_output {
	QS1_PWM_EPWM_A,
	QS1_PWM_EPWM_B,
	QS1_PWM_ECAP,
};

/**
 * struct qs1_pwm_map - which timer drives what
 * @clock_hz: clock of the timers
 * @bridge: ePWM of both legs; it also starts the control period
 * @input: timer of each input stage
 */
struct qs1_pwm_map {
	uint32_t clock_hz;
	uint32_t bridge;
	struct {
		uint32_t base;
		enum qs1_pwm_output output;
	} input[QS1_INPUTS];
};

/**
 * struct qs1_pwm - periods in counts of the timers' clock
 * @map: the timers
 * @input_count: of one period of an input stage
 * @bridge_half: of half a period of the bridge
 * @input_q16: for one count of QS1_PWM_INPUT_PERIOD, in 1/65536
 * @bridge_q16: for one count of QS1_PWM_BRIDGE_HALF, in 1/65536
 * @dead: the dead time
 */
struct qs1_pwm {
	const struct qs1_pwm_map *map;
	uint16_t input_count;
	uint16_t bridge_half;
	uint32_t input_q16;
	uint32_t bridge_q16;
	uint16_t dead;
};

/**
 * qs1_pwm_init() - start all timers with all gates off
 * @pwm: memory for the state
 * @map: the timers
 *
 * Return: false when the clock does not divide into the periods.
 */
bool qs1_pwm_init(struct qs1_pwm *pwm, const struct qs1_pwm_map *map);

/**
 * qs1_pwm_apply() - compare values and enables of the next period
 *
 * The timers take compare values over at the beginning of their periods, and
 * enables at once.
 */
void qs1_pwm_apply(const struct qs1_pwm *pwm, const struct qs1_outputs *out);

/* All gates off at once, by trip zones and compare values, until qs1_pwm_clear(). */
void qs1_pwm_trip(const struct qs1_pwm *pwm);

/* Is a trip zone set, be it by qs1_pwm_trip() or by a pin? */
bool qs1_pwm_tripped(const struct qs1_pwm *pwm);

/* Takes trip zones back; gates are as last applied. */
void qs1_pwm_clear(const struct qs1_pwm *pwm);

/* Has a control period begun since this last said so? */
bool qs1_pwm_period(const struct qs1_pwm *pwm);

/**
 * qs1_pwm_leg() - compare value of a leg, from the modulation wanted
 * @half: counts of half a period
 * @modulation: -half..half; the first leg gets it, the second its negative
 * @dead: counts of the dead time
 *
 * A leg is high while the counter is below its compare value, in both
 * directions: for (half + modulation) / half of the time on average, over 2. A
 * pulse or a gap shorter than the dead time does not pass the gate logic, so
 * that it is rounded to the dead time or to none.
 *
 * Return: 0..half.
 */
uint16_t qs1_pwm_leg(int32_t half, int32_t modulation, int32_t dead);

#endif /* QS1_HAL_PWM_H */
