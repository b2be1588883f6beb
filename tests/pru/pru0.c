// SPDX-License-Identifier: GPL-2.0-only
/*
 * PRU0 of the two: replay.c and the core's control period, with all that PRU1
 * does asked for through a pipe.
 */
#include "sim.h"
#include "split.h"

static struct split_turn turn;
static int ask = -1, answer = -1;

static void pru1(struct qs1_core *core, enum split_op op)
{
	if (ask < 0) {
		ask = sim_open(SPLIT_ASK, SIM_WRITE_ONLY);
		answer = sim_open(SPLIT_ANSWER, SIM_READ_ONLY);
	}
	turn.op = op;
	turn.core = *core;
	if (!split_send(ask, &turn) || !split_receive(answer, &turn))
		sim_exit(3);
	*core = turn.core;
}

void qs1_core_init(struct qs1_core *core)
{
	pru1(core, SPLIT_INIT);
}

void qs1_slot(struct qs1_core *core, uint32_t n)
{
	turn.argument[0] = n;
	pru1(core, SPLIT_SLOT);
}

uint32_t qs1_core_command(struct qs1_core *core, uint32_t op, uint32_t arg, int32_t value,
			  int32_t *ret)
{
	turn.argument[0] = op;
	turn.argument[1] = arg;
	turn.value = value;
	pru1(core, SPLIT_COMMAND);
	*ret = turn.value;
	return turn.result;
}

bool qs1_core_event(struct qs1_core *core, struct qs1_event *event)
{
	if (core->event_taken == core->event_seq)
		return false;
	pru1(core, SPLIT_EVENT);
	*event = turn.event;
	return turn.argument[0];
}

void qs1_core_telemetry(const struct qs1_core *core, struct qs1_telemetry *telemetry)
{
	pru1((struct qs1_core *)core, SPLIT_TELEMETRY);
	*telemetry = turn.telemetry;
}

int32_t qs1_core_param(const struct qs1_core *core, enum qs1_param id)
{
	return core->param[id];
}
