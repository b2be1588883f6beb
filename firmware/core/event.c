/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Short queue of events for the host. When it is full, the oldest are dropped.
 */
#include "state.h"

void qs1_event_put(struct qs1_core *core, uint16_t kind, uint32_t cause, uint8_t from, uint8_t to,
		   int32_t value)
{
	struct qs1_event *e;

	core->event_seq++;
	e = &core->event[core->event_seq % QS1_EVENT_QUEUE];
	e->seq = core->event_seq;
	e->kind = kind;
	e->cause = (uint16_t)cause;
	e->from = from;
	e->to = to;
	e->value = value;
	e->ticks = core->ticks;
	if (core->event_seq - core->event_taken > QS1_EVENT_QUEUE)
		core->event_taken = core->event_seq - QS1_EVENT_QUEUE;
}

bool qs1_core_event(struct qs1_core *core, struct qs1_event *event)
{
	if (core->event_taken == core->event_seq)
		return false;
	core->event_taken++;
	*event = core->event[core->event_taken % QS1_EVENT_QUEUE];
	return true;
}
