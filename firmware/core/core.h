/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The control core: a pure function of state, samples and commands.
 *
 * A HAL calls qs1_core_step() once in each control period with one set of ADC
 * samples and applies the outputs it returns at the next period. Nothing in
 * the core touches hardware, and the same inputs give the same bits on every
 * target.
 */
#ifndef QS1_CORE_H
#define QS1_CORE_H

#include <stdbool.h>
#include <stdint.h>

#include <qs1/abi.h>

/**
 * struct qs1_samples - the core's inputs in one control period
 * @adc: ADC counts, enum qs1_adc
 * @estop_n: false stops the gates in this period
 * @host_heartbeat: struct qs1_host.heartbeat as read in this period
 */
struct qs1_samples {
	int16_t adc[QS1_ADC_COUNT];
	bool estop_n;
	uint32_t host_heartbeat;
};

/**
 * struct qs1_outputs - the core's outputs for the next control period
 * @cmp_input: on-time of each input stage, counts of QS1_PWM_INPUT_PERIOD
 * @cmp_bridge: bridge modulation, -QS1_PWM_BRIDGE_HALF..QS1_PWM_BRIDGE_HALF
 * @inputs: bit n enables the gates of input n
 * @bridge: enables the gates of the bridge
 * @relay: closes the grid relay
 */
struct qs1_outputs {
	uint16_t cmp_input[QS1_INPUTS];
	int16_t cmp_bridge;
	uint8_t inputs;
	bool bridge;
	bool relay;
};

struct qs1_core;

/* Size of struct qs1_core, for callers that place it themselves. */
size_t qs1_core_size(void);

/**
 * qs1_core_init() - the state at power-on: disarmed, everything off
 * @core: memory of qs1_core_size() bytes, any content
 */
void qs1_core_init(struct qs1_core *core);

/**
 * qs1_core_step() - one control period
 * @core: state
 * @in: samples of this period
 * @out: outputs for the next period
 */
void qs1_core_step(struct qs1_core *core, const struct qs1_samples *in, struct qs1_outputs *out);

/**
 * qs1_core_command() - carry out one mailbox command
 * @core: state
 * @op: enum qs1_op; QS1_OP_CRASH is for the HAL and refused here
 * @arg: operand
 * @value: operand
 * @ret: reply value, always written
 *
 * Return: enum qs1_result.
 */
uint32_t qs1_core_command(struct qs1_core *core, uint32_t op, uint32_t arg, int32_t value,
			  int32_t *ret);

/**
 * qs1_core_telemetry() - fill in a snapshot, all but its seq
 */
void qs1_core_telemetry(const struct qs1_core *core, struct qs1_telemetry *telemetry);

/**
 * qs1_core_scan() - the waveform ring's entry for the period just stepped
 */
void qs1_core_scan(const struct qs1_core *core, const struct qs1_samples *in,
		   struct qs1_scan *scan);

/**
 * qs1_core_event() - remove the oldest event from the queue
 * @event: written if there is one; seq counts from 1
 *
 * Return: true if there was one.
 */
bool qs1_core_event(struct qs1_core *core, struct qs1_event *event);

/**
 * qs1_core_param() - a parameter's value in force
 * @id: below QS1_PARAM_COUNT
 */
int32_t qs1_core_param(const struct qs1_core *core, enum qs1_param id);

#endif /* QS1_CORE_H */
