// SPDX-License-Identifier: GPL-2.0-only
/*
 * PRU1 of the two: the slow tasks, the commands and what the core shows, each
 * when PRU0 asks for it.
 */
#include "sim.h"
#include "split.h"

static struct split_turn turn;

static void take_turn(void)
{
	int32_t ret;

	switch (turn.op) {
	case SPLIT_INIT:
		qs1_core_init(&turn.core);
		break;
	case SPLIT_SLOT:
		qs1_slot(&turn.core, turn.argument[0]);
		break;
	case SPLIT_COMMAND:
		turn.result = qs1_core_command(&turn.core, turn.argument[0], turn.argument[1],
					       turn.value, &ret);
		turn.value = ret;
		break;
	case SPLIT_EVENT:
		turn.argument[0] = qs1_core_event(&turn.core, &turn.event);
		break;
	case SPLIT_TELEMETRY:
		qs1_core_telemetry(&turn.core, &turn.telemetry);
		break;
	}
}

int main(void)
{
	int ask = sim_open(SPLIT_ASK, SIM_READ_ONLY);
	int answer = sim_open(SPLIT_ANSWER, SIM_WRITE_ONLY);

	while (split_receive(ask, &turn)) {
		take_turn();
		if (!split_send(answer, &turn))
			return 3;
	}
	return 0;
}
