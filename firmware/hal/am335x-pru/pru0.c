// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* PRU0: control periods by the bridge's timer. */
#include "adc.h"
#include "calibrate.h"
#include "lanes.h"
#include "map.h"
#include "overlay.h"
#include "pair.h"

/* Reads of the period's flag, each 38 cycles at least: a period, and as much again. */
#define LOOKS_PERIOD 520
/* Looks for PRU1's answer, each four cycles at least: a period. */
#define LOOKS_ANSWER 2500
/* A period without good samples is an emergency stop of that period; so many in a row are the end.
 */
#define BAD_MAX 20

/* The timers' counts, 10 ns, while the converters are at work. */
#define CONVERSION_COUNTS (QS1_LANES_CONVERSION_NS / 10)

/* A section of its own: qs1ctl finds it by its name. */
__attribute__((section(".calibration"), used))
const struct qs1_calibration qs1_board_calibration = { 0 };

static uint32_t idle = AM335X_SCLK | AM335X_CS_N;
static uint32_t asked;

/* Gates and relay off, no further edge of the alive line, and Linux is told. */
__attribute__((noreturn)) static void stop(void)
{
	qs1_pwm_trip(&qs1_pair.pwm);
	qs1_line_set(&qs1_pru_map.relay, false);
	if (!qs1_shm_read(qs1_contract.fw.crash_reason))
		qs1_shm_crash(&qs1_contract, QS1_CRASH_ASSERT, 0);
	qs1_r31_write(AM335X_PULSE(AM335X_EVENT_FIRMWARE));
	for (;;)
		__asm__ volatile("halt");
}

static bool answered(void)
{
	return qs1_pair.answer == asked;
}

static void wait_for_answer(void)
{
	for (int looks = LOOKS_ANSWER; looks; looks--) {
		if (answered())
			return;
	}
	stop();
}

/* PRU1 never runs on code that is not there. */
static void ask(uint32_t turn)
{
	if (!qs1_overlay_for(turn))
		stop();
	asked = ((asked & ~QS1_ASK_TURN) + QS1_ASK_NEXT) | turn;
	qs1_shm_barrier();
	qs1_ask = asked;
}

static void turn(uint32_t n)
{
	ask(n);
	wait_for_answer();
	qs1_shm_barrier();
}

/* The core's slow task of this period: PRU1's, with the state. */
void qs1_slot(struct qs1_core *core, uint32_t n)
{
	(void)core; /* there is but one */
	turn(n);
}

static void wait_for_period(void)
{
	for (int looks = LOOKS_PERIOD; looks; looks--) {
		if (qs1_pwm_period(&qs1_pair.pwm))
			return;
	}
	stop();
}

/* The state is not touched before its end: PRU1's code can be loaded meanwhile. */
static bool sample(uint32_t slot)
{
	static uint32_t bad;
	bool good = !qs1_lanes_convert(idle);

	if (!qs1_overlay_ahead(slot, CONVERSION_COUNTS))
		stop();
	if (good && !qs1_lanes_wait()) {
		qs1_lanes_read(idle, qs1_pair.in.adc);
		qs1_calibrate(&qs1_board_calibration, qs1_pair.in.adc);
		bad = 0;
		return true;
	}
	if (++bad == BAD_MAX)
		stop();
	return false;
}

static void period(void)
{
	static uint32_t last;
	uint32_t slot = qs1_pair.core.slot;
	struct qs1_outputs out;
	uint32_t left;

	wait_for_period();
	if (!sample(last) || !qs1_line_get(&qs1_pru_map.estop_n))
		qs1_pair.in.estop_n = false;
	qs1_core_step(&qs1_pair.core, &qs1_pair.in, &out);
	qs1_pwm_apply(&qs1_pair.pwm, &out);
	qs1_line_set(&qs1_pru_map.relay, out.relay);
	idle ^= AM335X_ALIVE;
	qs1_r30_write(idle);
	turn(qs1_pair.port);
	if (slot == QS1_PAIR_COMMAND_SLOT && qs1_pair.command)
		turn(QS1_TURN_COMMAND);
	last = slot;
	left = qs1_pwm_left(&qs1_pair.pwm);
	if (!left)
		qs1_pair.late++;
	if (!qs1_overlay_ahead(slot, left))
		stop();
}

int main(void)
{
	qs1_pru_master();
	qs1_r30_write(idle);
	qs1_line_set(&qs1_pru_map.relay, false);
	qs1_pru_clocks();
	qs1_shm_write(qs1_contract.fw.crash_reason, QS1_CRASH_NONE);
	qs1_pair.answer = 0;
	qs1_pair.late = 0;
	qs1_pair.pwm.map = &qs1_pru_map.pwm;
	ask(QS1_TURN_START);
	while (!answered())
		;
	qs1_pair.pwm.map = &qs1_pru_map.pwm; /* PRU1 has its own */
	if (!qs1_pair.ready || !qs1_calibration_sound(&qs1_board_calibration))
		stop();
	qs1_pwm_apply(&qs1_pair.pwm, &(struct qs1_outputs){ 0 });
	qs1_pwm_clear(&qs1_pair.pwm);
	for (;;)
		period();
}
