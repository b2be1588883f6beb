/* SPDX-License-Identifier: GPL-2.0-only */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM qs1

#if !defined(QS1_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define QS1_TRACE_H

#include <linux/tracepoint.h>
#include <linux/types.h>

#include <qs1/abi.h>

/* id distinguishes several inverters, as in the children's names. */

/* clang-format off */

/* The interrupt's thread runs; count is the firmware's own. */
TRACE_EVENT(qs1_doorbell,
	TP_PROTO(int id, u32 count),
	TP_ARGS(id, count),
	TP_STRUCT__entry(
		__field(int, id)
		__field(u32, count)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->count = count;
	),
	TP_printk("id=%d count=%u", __entry->id, __entry->count)
);

/* A command's exchange is over; result and reply are void unless ret is 0 or its refusal. */
TRACE_EVENT(qs1_mailbox,
	TP_PROTO(int id, u32 op, u32 arg, s32 value, u32 result, s32 reply, int ret),
	TP_ARGS(id, op, arg, value, result, reply, ret),
	TP_STRUCT__entry(
		__field(int, id)
		__field(u32, op)
		__field(u32, arg)
		__field(s32, value)
		__field(u32, result)
		__field(s32, reply)
		__field(int, ret)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->op = op;
		__entry->arg = arg;
		__entry->value = value;
		__entry->result = result;
		__entry->reply = reply;
		__entry->ret = ret;
	),
	TP_printk("id=%d op=%u arg=%u value=%d result=%u reply=%d ret=%d", __entry->id,
		  __entry->op, __entry->arg, __entry->value, __entry->result, __entry->reply,
		  __entry->ret)
);

/* An entry of the event ring, when the host sees it. */
TRACE_EVENT(qs1_event,
	TP_PROTO(int id, const struct qs1_event *event),
	TP_ARGS(id, event),
	TP_STRUCT__entry(
		__field(int, id)
		__field(u32, seq)
		__field(u64, ticks)
		__field(u16, kind)
		__field(u16, cause)
		__field(u16, from)
		__field(u16, to)
		__field(s32, value)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->seq = event->seq;
		__entry->ticks = event->ticks;
		__entry->kind = event->kind;
		__entry->cause = event->cause;
		__entry->from = event->from;
		__entry->to = event->to;
		__entry->value = event->value;
	),
	TP_printk("id=%d seq=%u ticks=%llu kind=%u cause=%u from=%u to=%u value=%d", __entry->id,
		  __entry->seq, __entry->ticks, __entry->kind, __entry->cause, __entry->from,
		  __entry->to, __entry->value)
);

/* The waveform ring was drained: scans taken from first on, and lost meanwhile. */
TRACE_EVENT(qs1_frame,
	TP_PROTO(int id, u32 first, u32 taken, u32 lost),
	TP_ARGS(id, first, taken, lost),
	TP_STRUCT__entry(
		__field(int, id)
		__field(u32, first)
		__field(u32, taken)
		__field(u32, lost)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->first = first;
		__entry->taken = taken;
		__entry->lost = lost;
	),
	TP_printk("id=%d first=%u taken=%u lost=%u", __entry->id, __entry->first,
		  __entry->taken, __entry->lost)
);

/*
 * The clock filter took an observation: scan tick was seen at now, and gets the
 * time stamp ns. The difference is how late the filter holds it to be.
 */
TRACE_EVENT(qs1_clock,
	TP_PROTO(int id, u32 tick, s64 now, s64 ns, s64 period_ps),
	TP_ARGS(id, tick, now, ns, period_ps),
	TP_STRUCT__entry(
		__field(int, id)
		__field(u32, tick)
		__field(s64, now)
		__field(s64, ns)
		__field(s64, period_ps)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->tick = tick;
		__entry->now = now;
		__entry->ns = ns;
		__entry->period_ps = period_ps;
	),
	TP_printk("id=%d tick=%u now=%lld ns=%lld late=%lld period_ps=%lld", __entry->id,
		  __entry->tick, __entry->now, __entry->ns, __entry->now - __entry->ns,
		  __entry->period_ps)
);

/* clang-format on */

#endif /* QS1_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
