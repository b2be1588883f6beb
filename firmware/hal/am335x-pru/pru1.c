// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* PRU1: slow tasks, commands, and the contract with Linux, each when PRU0 asks for it. */
#include "calibrate.h"
#include "lanes.h"
#include "map.h"
#include "pair.h"

static struct qs1_port port;

__attribute__((noinline)) static void leds(void)
{
	uint32_t lines = qs1_shm_read(qs1_contract.host.gpio_out);

	qs1_line_set(&qs1_pru_map.led_green, lines & QS1_GPIO_LED_GREEN);
	qs1_line_set(&qs1_pru_map.led_red, lines & QS1_GPIO_LED_RED);
}

static void ring(void)
{
	if (qs1_shm_ring(&port))
		qs1_r31_write(AM335X_PULSE(AM335X_EVENT_FIRMWARE));
}

/* No answer: PRU0 then stops the gates, and reports a crash unless one is reported. */
__attribute__((noreturn)) static void obey(enum qs1_port_action action)
{
	if (action == QS1_PORT_TRAP)
		qs1_shm_crash(&qs1_contract, QS1_CRASH_COMMAND, 0);
	for (;;)
		__asm__ volatile("halt");
}

/* What the next period has to know of Linux, and PRU0 of the next turns. */
static void begin(void)
{
	qs1_pair.in.estop_n = true;
	qs1_shm_read_host(&port, &qs1_pair.in);
	qs1_pair.telemetry = port.telemetry_left <= QS1_PAIR_TELEMETRY_AHEAD;
	if (qs1_pair.core.slot != QS1_PAIR_LOOK_SLOT || qs1_pair.mailbox == QS1_TURN_REPLY)
		return;
	if (qs1_pair.core.fsm.armed && !qs1_shm_permitted(&port))
		qs1_pair.mailbox = QS1_TURN_DISARM;
	else
		qs1_pair.mailbox = qs1_shm_waits(&port) ? QS1_TURN_COMMAND : QS1_TURN_PORT;
}

__attribute__((noinline)) static void start(void)
{
	const struct qs1_pwm_map *map = qs1_pair.pwm.map;

	qs1_pair.late = 0;
	qs1_pair.held = 0;
	qs1_pair.behind = 0;
	qs1_pair.mailbox = QS1_TURN_PORT;
	qs1_pru_clocks();
	qs1_pair.ready =
		qs1_pwm_init(&qs1_pair.pwm, &qs1_pru_map.pwm) &&
		qs1_calibration_sound((const struct qs1_calibration *)qs1_pair.calibration);
	qs1_pair.pwm.map = map; /* PRU0 has its own */
	qs1_core_init(&qs1_pair.core);
	qs1_shm_init(&port, &qs1_contract, &qs1_pair.core, QS1_PAIR_WAVE_LOG2, QS1_VERSION);
	port.telemetry_left += QS1_PAIR_SLOT + 1;
	ring();
	begin();
}

__attribute__((noinline)) static void between_periods(void)
{
	qs1_shm_end(&port, &qs1_pair.in);
	ring();
	begin();
}

/* Its answer is a separate turn. */
__attribute__((noinline)) static void take_command(void)
{
	qs1_pair.mailbox = qs1_shm_take(&port) ? QS1_TURN_REPLY : QS1_TURN_PORT;
}

__attribute__((noinline)) static void answer_command(void)
{
	enum qs1_port_action action = qs1_shm_answer(&port);

	if (action != QS1_PORT_NONE)
		obey(action);
	qs1_pair.mailbox = QS1_TURN_PORT;
	ring();
}

/*
 * Restarts after each load (overlay.h), at the instruction after the first one.
 * Registers are lost; only the memory keeps its contents.
 */
int main(void)
{
	uint32_t ask, turn;

	for (;;) {
		do {
			ask = qs1_ask;
		} while (ask == qs1_pair.answer);
		qs1_shm_barrier();
		turn = ask & QS1_ASK_TURN;
		switch (turn) {
		case QS1_TURN_START:
			start();
			break;
		case QS1_TURN_TELEMETRY:
			leds();
			port.telemetry_left = 1;
			between_periods();
			break;
		case QS1_TURN_PORT:
			if (port.telemetry_left == 1)
				port.telemetry_left = 2; /* whose code is not there */
			between_periods();
			break;
		case QS1_TURN_DISARM:
			qs1_fsm_arm(&qs1_pair.core, false);
			qs1_pair.mailbox = QS1_TURN_PORT;
			break;
		case QS1_TURN_COMMAND:
			take_command();
			break;
		case QS1_TURN_REPLY:
			answer_command();
			break;
		default:
			qs1_slot(&qs1_pair.core, turn);
		}
		qs1_shm_barrier();
		qs1_pair.answer = ask;
	}
}
