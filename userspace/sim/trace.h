/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A recording of everything that went into the control core and came out of
 * it, to be replayed on another target and compared bit by bit.
 *
 * The file is a struct trace_header, then records, each begun by its kind. All
 * little endian, without padding. A recording begins with the core's state
 * after qs1_core_init().
 */
#ifndef QS1_TRACE_H
#define QS1_TRACE_H

#include <stdint.h>

#include <qs1/abi.h>

#define TRACE_MAGIC "QS1TRACE"
#define TRACE_VERSION 1u

/**
 * struct trace_header
 * @magic: TRACE_MAGIC, without its NUL
 * @version: TRACE_VERSION
 * @layout_version: QS1_LAYOUT_VERSION of the tables of parameters and codes
 */
struct trace_header {
	char magic[8];
	uint32_t version;
	uint32_t layout_version;
};

enum trace_kind {
	TRACE_STEP,    /* qs1_core_step() */
	TRACE_COMMAND, /* qs1_core_command(), before the next step */
	TRACE_RESET,   /* qs1_core_init(): the coprocessor was restarted */
};

/* trace_step.ctl: the enabled inputs in bits 0-3, as QS1_VHW_CTL_* */
#define TRACE_CTL_BRIDGE 0x10u
#define TRACE_CTL_RELAY 0x20u

/**
 * struct trace_step - one control period
 * @kind: TRACE_STEP
 * @estop_n: in: struct qs1_samples
 * @ctl: out: enabled inputs, TRACE_CTL_*
 * @heartbeat: in: struct qs1_samples.host_heartbeat
 * @adc: in: enum qs1_adc
 * @cmp_input: out: struct qs1_outputs
 * @cmp_bridge: out: struct qs1_outputs
 */
struct trace_step {
	uint8_t kind;
	uint8_t estop_n;
	uint16_t ctl;
	uint32_t heartbeat;
	int16_t adc[QS1_ADC_COUNT];
	uint16_t cmp_input[QS1_INPUTS];
	int16_t cmp_bridge;
	uint16_t reserved;
};

/**
 * struct trace_command - one mailbox command
 * @kind: TRACE_COMMAND
 * @op: in
 * @arg: in
 * @value: in
 * @result: out: enum qs1_result
 * @ret: out: reply value
 */
struct trace_command {
	uint8_t kind;
	uint8_t reserved[3];
	uint32_t op;
	uint32_t arg;
	int32_t value;
	uint32_t result;
	int32_t ret;
};

/**
 * struct trace_reset
 * @kind: TRACE_RESET
 */
struct trace_reset {
	uint8_t kind;
	uint8_t reserved[3];
};

QS1_ASSERT(sizeof(struct trace_header) == 16);
QS1_ASSERT(sizeof(struct trace_step) == 52);
QS1_ASSERT(sizeof(struct trace_command) == 24);
QS1_ASSERT(sizeof(struct trace_reset) == 4);

#endif /* QS1_TRACE_H */
