// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A real board's Cortex-M4: control periods by its timers. */
#include "board.h"
#include "start.h"
#include "trace.h"

static struct qs1_board board;

/* In a separate section that the image's check leaves out; qs1ctl finds it by its name. */
__attribute__((section(".calibration"), used))
const struct qs1_calibration qs1_board_calibration = { 0 };

void qs1_machine_off(void)
{
	/* Before the board is initialised there is nothing to switch off: all came up off. */
	if (board.map)
		qs1_board_stop(&board);
}

void qs1_machine_ring(void)
{
	qs1_mailbox_put(&qs1_board_map.to_linux, qs1_machine_shm->fw.doorbell);
}

__attribute__((noreturn)) static void give_up(void)
{
	qs1_trace("board faults ");
	qs1_trace_hex(board.faults);
	qs1_trace("\n");
	qs1_stop(QS1_CRASH_ASSERT, (uint32_t)(uintptr_t)qs1_board_period);
}

void qs1_machine_run(struct qs1_port *port)
{
	enum qs1_port_action action;

	if (!qs1_board_init(&board, &qs1_board_map, &qs1_board_calibration, port))
		give_up();
	for (;;) {
		if (!qs1_board_period(&board, &action))
			give_up();
		qs1_check_stack();
		qs1_obey(action);
	}
}
