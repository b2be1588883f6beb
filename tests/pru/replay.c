// SPDX-License-Identifier: GPL-2.0-only
/*
 * Replays a recording (userspace/sim/trace.h) through the control core and
 * writes all that the core shows: outputs of each period, replies, events, and
 * the snapshot and all parameters each twentieth of a second. The same from
 * this program on the host and in the PRU simulator.
 *
 * Exit status: 0, 1 where an output is not what was recorded (a step whose
 * `reserved` is not 0 has inputs only), 2 where the recording is none.
 */
#include <stdbool.h>
#include <stddef.h>

#include "core.h"
#include "sim.h"
#include "state.h"
#include "trace.h"

#define SHOW_STEPS 1000

static uint8_t input[1 << 16];
static int input_size, input_at;
static uint8_t output[1 << 12];
static int output_size;
static struct qs1_core core;
static unsigned int steps;

static int get(void)
{
	if (input_at == input_size) {
		input_at = 0;
		input_size = sim_read(0, input, sizeof(input));
		if (input_size <= 0)
			return -1;
	}
	return input[input_at++];
}

/* Return: true if so many bytes were left. */
static bool get_bytes(void *to, unsigned int size)
{
	uint8_t *byte = to;

	while (size--) {
		int next = get();

		if (next < 0)
			return false;
		*byte++ = (uint8_t)next;
	}
	return true;
}

static void flush(void)
{
	int at = 0;

	while (at < output_size) {
		int done = sim_write(1, output + at, output_size - at);

		if (done <= 0)
			break;
		at += done;
	}
	output_size = 0;
}

static void put_bytes(const void *from, unsigned int size)
{
	const uint8_t *byte = from;

	while (size--) {
		output[output_size++] = *byte++;
		if (output_size == sizeof(output))
			flush();
	}
}

/* All that the core publishes beside its outputs. */
static void show(void)
{
	static struct qs1_telemetry telemetry;

	qs1_core_telemetry(&core, &telemetry);
	put_bytes(&telemetry, sizeof(telemetry));
	for (int id = 0; id < QS1_PARAM_COUNT; id++) {
		int32_t value = qs1_core_param(&core, (enum qs1_param)id);

		put_bytes(&value, sizeof(value));
	}
}

static bool same(const struct trace_step *record, const struct trace_step *step)
{
	if (record->reserved)
		return true;
	for (int n = 0; n < QS1_INPUTS; n++)
		if (record->cmp_input[n] != step->cmp_input[n])
			return false;
	return record->ctl == step->ctl && record->cmp_bridge == step->cmp_bridge;
}

static bool replay_step(const struct trace_step *record)
{
	struct qs1_samples in = { .estop_n = record->estop_n, .host_heartbeat = record->heartbeat };
	struct trace_step step = *record;
	struct qs1_outputs out;
	struct qs1_event event;

	for (int k = 0; k < QS1_ADC_COUNT; k++)
		in.adc[k] = record->adc[k];
	qs1_core_step(&core, &in, &out);
	step.ctl = (uint16_t)(out.inputs | (out.bridge ? TRACE_CTL_BRIDGE : 0) |
			      (out.relay ? TRACE_CTL_RELAY : 0));
	for (int n = 0; n < QS1_INPUTS; n++)
		step.cmp_input[n] = out.cmp_input[n];
	step.cmp_bridge = out.cmp_bridge;
	put_bytes(&step, sizeof(step));
	put_bytes(&core.pll.phase, sizeof(core.pll.phase));
	while (qs1_core_event(&core, &event)) {
		event.reserved = 0;
		put_bytes(&event, sizeof(event));
	}
	if (++steps % SHOW_STEPS == 0)
		show();
	return same(record, &step);
}

static bool replay_command(const struct trace_command *record)
{
	struct trace_command done = *record;

	done.result = qs1_core_command(&core, record->op, record->arg, record->value, &done.ret);
	put_bytes(&done, sizeof(done));
	return record->reserved[0] || (done.result == record->result && done.ret == record->ret);
}

/* Return: the exit status, or -1 to go on. */
static int replay_record(int kind)
{
	union {
		uint8_t kind;
		struct trace_step step;
		struct trace_command command;
		struct trace_reset reset;
	} record = { .kind = (uint8_t)kind };
	uint8_t *rest = (uint8_t *)&record + 1;

	switch (kind) {
	case TRACE_STEP:
		if (!get_bytes(rest, sizeof(record.step) - 1))
			return 2;
		return replay_step(&record.step) ? -1 : 1;
	case TRACE_COMMAND:
		if (!get_bytes(rest, sizeof(record.command) - 1))
			return 2;
		return replay_command(&record.command) ? -1 : 1;
	case TRACE_RESET:
		if (!get_bytes(rest, sizeof(record.reset) - 1))
			return 2;
		qs1_core_init(&core);
		return -1;
	default:
		return 2;
	}
}

int main(void)
{
	struct trace_header header;
	int status = -1, kind = 0;

	if (!get_bytes(&header, sizeof(header)) || header.layout_version != QS1_LAYOUT_VERSION)
		return 2;
	qs1_core_init(&core);
	while (status < 0 && (kind = get()) >= 0)
		status = replay_record(kind);
	show();
	flush();
	return status < 0 ? 0 : status;
}
