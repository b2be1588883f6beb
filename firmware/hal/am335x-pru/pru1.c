// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* PRU1: slow tasks, commands, and the contract with Linux, each when PRU0 asks for it. */
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

/* No answer: PRU0 then stops the gates, and tells Linux unless it has been told why. */
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
	qs1_shm_look(&port, &qs1_pair.in);
	qs1_pair.command = qs1_shm_waits(&port);
	qs1_pair.port = port.telemetry_left == 1 ? QS1_TURN_TELEMETRY : QS1_TURN_PORT;
}

__attribute__((noinline)) static void start(void)
{
	qs1_pair.ready = qs1_pwm_init(&qs1_pair.pwm, &qs1_pru_map.pwm);
	qs1_core_init(&qs1_pair.core);
	qs1_shm_init(&port, &qs1_contract, &qs1_pair.core, QS1_PAIR_WAVE_LOG2, QS1_VERSION);
	port.telemetry_left += QS1_PAIR_TELEMETRY_SLOT + 1;
	ring();
	begin();
}

__attribute__((noinline)) static void between_periods(void)
{
	qs1_shm_end(&port, &qs1_pair.in);
	ring();
	begin();
}

__attribute__((noinline)) static void obey_mailbox(void)
{
	enum qs1_port_action action = qs1_shm_command(&port);

	if (action != QS1_PORT_NONE)
		obey(action);
	qs1_shm_permit(&port);
	ring();
}

/*
 * Begins anew after each load (overlay.h), at the instruction after the first one.
 * Nothing of a turn is left over then but what is in memory.
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
			between_periods();
			break;
		case QS1_TURN_PORT:
			between_periods();
			break;
		case QS1_TURN_COMMAND:
			obey_mailbox();
			break;
		default:
			qs1_slot(&qs1_pair.core, turn);
		}
		qs1_shm_barrier();
		qs1_pair.answer = ask;
	}
}
