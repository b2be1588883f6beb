/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The contract between the real-time coprocessor and its host.
 *
 * One block of shared memory, struct qs1_shm, is all that they share besides a
 * doorbell in each direction. The kernel driver, the firmware and userspace
 * compile this file. Rules:
 *
 *  - Little endian, fixed-width members, no pointers, no padding. Every size
 *    and offset that matters is asserted at the end of the file.
 *  - Every member has one writer, named in its comment: [fw] the firmware,
 *    [host] Linux.
 *  - The reader validates. The host bounds every index and count that the
 *    firmware wrote; the firmware checks every value that Linux wrote.
 *  - Time is counted in control periods ("ticks") since the firmware started.
 *
 * QS1_LAYOUT_VERSION changes whenever a member moves or changes its meaning,
 * or a table of codes.h, params.h or channels.h changes. Both sides refuse a
 * version other than their own.
 */
#ifndef QS1_ABI_H
#define QS1_ABI_H

#ifdef __KERNEL__
#include <linux/build_bug.h>
#include <linux/stddef.h>
#include <linux/types.h>
typedef u8 qs1_u8;
typedef u16 qs1_u16;
typedef u32 qs1_u32;
typedef u64 qs1_u64;
typedef s16 qs1_s16;
typedef s32 qs1_s32;
typedef s64 qs1_s64;
#else
#include <stddef.h>
#include <stdint.h>
typedef uint8_t qs1_u8;
typedef uint16_t qs1_u16;
typedef uint32_t qs1_u32;
typedef uint64_t qs1_u64;
typedef int16_t qs1_s16;
typedef int32_t qs1_s32;
typedef int64_t qs1_s64;
#endif

#include "channels.h"
#include "codes.h"
#include "params.h"

#define QS1_MAGIC 0x46315351u /* "QS1F" */
#define QS1_LAYOUT_VERSION 4u
#define QS1_CONTROL_HZ 20000u
#define QS1_INPUTS 4

/* Timer counts: 100 MHz; input stages 100 kHz, bridge 20 kHz up-down. */
#define QS1_PWM_INPUT_PERIOD 1000
#define QS1_PWM_BRIDGE_HALF 2500

/* Telemetry is published each 200 ticks: 10 ms. */
#define QS1_TELEMETRY_TICKS 200u

#define QS1_EVENTS 64u
#define QS1_PARAM_SLOTS 128u
#define QS1_FAULT_SLOTS 32u
#define QS1_WAVE_LOG2_MAX 13u

/**
 * struct qs1_fw_info - identity and health of the firmware
 * @magic: [fw] QS1_MAGIC, written last at start, after everything else is valid
 * @layout_version: [fw] QS1_LAYOUT_VERSION it was compiled with
 * @version: [fw] firmware version, NUL terminated
 * @control_hz: [fw] control rate, Hz
 * @wave_log2: [fw] scans in the waveform ring, as a power of two, 4..13
 * @boots: [fw] starts since the memory was powered, 1..
 * @doorbell: [fw] doorbells rung: for a mailbox reply, an event, the waveform
 *            watermark, or a snapshot whose faults or QS1_STATUS_RINGS differ
 *            from those of the one before; the host looks at all four
 * @crash_reason: [fw] 0 while healthy; otherwise a QS1_CRASH_* code
 * @crash_pc: [fw] program counter of the crash
 * @alive: [fw] low word of the tick counter, written every tick
 * @reserved: 0
 */
struct qs1_fw_info {
	qs1_u32 magic;
	qs1_u32 layout_version;
	char version[32];
	qs1_u32 control_hz;
	qs1_u32 wave_log2;
	qs1_u32 boots;
	qs1_u32 doorbell;
	qs1_u32 crash_reason;
	qs1_u32 crash_pc;
	qs1_u32 alive;
	qs1_u32 reserved[47];
};

#define QS1_CRASH_NONE 0u
#define QS1_CRASH_EXCEPTION 1u /* processor exception */
#define QS1_CRASH_COMMAND 2u   /* QS1_OP_CRASH */
#define QS1_CRASH_ASSERT 3u    /* internal check failed */

/* GPIO lines that the host drives, struct qs1_host.gpio_out. */
#define QS1_GPIO_LED_GREEN 0x1u
#define QS1_GPIO_LED_RED 0x2u
#define QS1_GPIO_ENABLE 0x4u  /* low disarms and blocks QS1_OP_ARM */
#define QS1_GPIO_ESTOP_N 0x8u /* low stops the gates within one tick */

/**
 * struct qs1_host - values that Linux writes at any time, without a command
 * @heartbeat: [host] changes at least once in host_timeout_s while the daemon runs
 * @wave_watermark: [host] scans between two doorbells for the ring, 0 for none
 * @gpio_out: [host] QS1_GPIO_* levels
 * @reserved: 0
 */
struct qs1_host {
	qs1_u32 heartbeat;
	qs1_u32 wave_watermark;
	qs1_u32 gpio_out;
	qs1_u32 reserved[61];
};

/* Mailbox operations. */
enum qs1_op {
	QS1_OP_NONE,
	QS1_OP_PING,	       /* replies with value */
	QS1_OP_SET_PARAM,      /* arg: enum qs1_param; value; refused out of range */
	QS1_OP_GET_PARAM,      /* arg: enum qs1_param; replies with its value */
	QS1_OP_PROFILE_BEGIN,  /* from here SET_PARAM of PROFILE values is staged */
	QS1_OP_PROFILE_COMMIT, /* apply all staged values, or none: replies with the parameter */
	QS1_OP_PROFILE_ABORT,  /* forget the staged values */
	QS1_OP_ARM,	       /* production permitted */
	QS1_OP_DISARM,	       /* stop; state shutdown */
	QS1_OP_LATCH,	       /* arg: enum qs1_fault (GFDI): restore a kept latch */
	QS1_OP_CLEAR,	       /* arg: enum qs1_fault; refused while its cause lasts */
	QS1_OP_BENCH,	       /* value 1 enters open-loop bench mode, only in shutdown; 0 leaves */
	QS1_OP_BENCH_PWM,      /* arg: 0-3 inputs, 4-5 bridge legs; value: duty Q15 */
	QS1_OP_CRASH,	       /* arg 0: trap, 1: hang; for tests of the recovery */
	QS1_OP_COUNT
};

/* Mailbox results; 0 is success. */
enum qs1_result {
	QS1_OK,
	QS1_ERR_OP,	  /* no such operation */
	QS1_ERR_ARG,	  /* no such parameter, fault or channel */
	QS1_ERR_RANGE,	  /* value outside its range; reply value is the limit */
	QS1_ERR_STATE,	  /* not in this state */
	QS1_ERR_CONFLICT, /* thresholds contradict; reply value is the parameter */
	QS1_ERR_ACTIVE,	  /* cannot clear: the cause lasts */
};

/**
 * struct qs1_command - mailbox, host to firmware
 * @seq: [host] incremented last; a new value is a new command
 * @op: [host] enum qs1_op
 * @arg: [host] operand, see enum qs1_op
 * @value: [host] operand, see enum qs1_op
 * @reserved: 0
 */
struct qs1_command {
	qs1_u32 seq;
	qs1_u32 op;
	qs1_u32 arg;
	qs1_s32 value;
	qs1_u32 reserved[12];
};

/**
 * struct qs1_reply - mailbox, firmware to host
 * @seq: [fw] seq of the command answered, written last
 * @result: [fw] enum qs1_result
 * @value: [fw] see enum qs1_op and enum qs1_result
 * @reserved: 0
 */
struct qs1_reply {
	qs1_u32 seq;
	qs1_u32 result;
	qs1_s32 value;
	qs1_u32 reserved[13];
};

/* Status flags, struct qs1_telemetry.status and struct qs1_scan.status. */
#define QS1_STATUS_STATE_MASK 0x0000000fu /* enum qs1_state */
#define QS1_STATUS_INPUT_MASK 0x000000f0u /* input n switching: bit 4 + n */
#define QS1_STATUS_BRIDGE 0x00000100u	  /* bridge gates enabled */
#define QS1_STATUS_RELAY 0x00000200u	  /* relay commanded closed */
#define QS1_STATUS_PLL_LOCKED 0x00000400u
#define QS1_STATUS_GRID_OK 0x00000800u /* enter-service criteria hold */
#define QS1_STATUS_ARMED 0x00001000u
#define QS1_STATUS_HOST_ALIVE 0x00002000u
#define QS1_STATUS_SELF_TEST_OK 0x00004000u
#define QS1_STATUS_BENCH 0x00008000u
#define QS1_STATUS_TRACKING_MASK 0x000f0000u /* input n at its MPP: bit 16 + n */

/* A change of these flags rings the doorbell: all but those that change constantly. */
#define QS1_STATUS_RINGS                                                                           \
	(QS1_STATUS_STATE_MASK | QS1_STATUS_RELAY | QS1_STATUS_PLL_LOCKED | QS1_STATUS_GRID_OK |   \
	 QS1_STATUS_ARMED | QS1_STATUS_HOST_ALIVE | QS1_STATUS_SELF_TEST_OK | QS1_STATUS_BENCH)

/**
 * struct qs1_telemetry - slow quantities, one consistent snapshot
 * @seq: [fw] odd while being written; a reader retries until it reads the same
 *       even value before and after
 * @status: [fw] QS1_STATUS_*
 * @ticks: [fw] time of the snapshot
 * @faults_active: [fw] QS1_FAULT_BIT() of causes present now
 * @faults_latched: [fw] QS1_FAULT_BIT() of faults that keep the unit off
 * @fault_count: [fw] occurrences since start, by enum qs1_fault
 * @vpv_mv: [fw] mean PV voltage over the last 10 ms
 * @ipv_ma: [fw] mean PV current over the last 10 ms
 * @ppv_mw: [fw] mean PV power over the last 10 ms
 * @epv_mj: [fw] PV energy since start, mJ
 * @vlink_mv: [fw] mean DC-link voltage over the last half grid cycle
 * @vgrid_mv: [fw] RMS grid voltage, last grid cycle
 * @igrid_ma: [fw] RMS grid current, last grid cycle
 * @p_mw: [fw] active power into the grid, last grid cycle
 * @q_mvar: [fw] reactive power, positive when it raises the grid voltage
 * @f_mhz: [fw] grid frequency, mHz, 0 when there is no grid
 * @eac_mj: [fw] energy into the grid since start, mJ
 * @ignd_ma: [fw] ground current, RMS
 * @tcase_mc: [fw] case temperature, m degree C
 * @tstage_mc: [fw] power-stage temperature, m degree C
 * @enter_service_ms: [fw] remaining enter-service delay
 * @pll_error_urad: [fw] PLL phase error, micro-radian
 * @power_limit_mw: [fw] limit in force: command, grid support, derating and ramp
 * @q_ref_mvar: [fw] reactive power that grid support asks for, sign as @q_mvar
 * @reserved: 0
 */
struct qs1_telemetry {
	qs1_u32 seq;
	qs1_u32 status;
	qs1_u64 ticks;
	qs1_u32 faults_active;
	qs1_u32 faults_latched;
	qs1_u32 fault_count[QS1_FAULT_SLOTS];
	qs1_s32 vpv_mv[QS1_INPUTS];
	qs1_s32 ipv_ma[QS1_INPUTS];
	qs1_s32 ppv_mw[QS1_INPUTS];
	qs1_u64 epv_mj[QS1_INPUTS];
	qs1_u64 eac_mj;
	qs1_s32 vlink_mv;
	qs1_s32 vgrid_mv;
	qs1_s32 igrid_ma;
	qs1_s32 p_mw;
	qs1_s32 q_mvar;
	qs1_s32 f_mhz;
	qs1_s32 ignd_ma;
	qs1_s32 tcase_mc;
	qs1_s32 tstage_mc;
	qs1_s32 enter_service_ms;
	qs1_s32 pll_error_urad;
	qs1_s32 power_limit_mw;
	qs1_s32 q_ref_mvar;
	qs1_u32 reserved[151];
};

/* Kinds of struct qs1_event. */
#define QS1_EVENT_TRANSITION 1u /* cause, from, to */
#define QS1_EVENT_TRIP 2u	/* cause is QS1_CAUSE_FAULT_BASE + code; value measured */
#define QS1_EVENT_CLEAR 3u	/* a latched fault was cleared */

/**
 * struct qs1_event - one entry of the event ring
 * @seq: [fw] number of the event from 1, written last; 0 while being written
 * @kind: [fw] QS1_EVENT_*
 * @cause: [fw] enum qs1_cause, or QS1_CAUSE_FAULT_BASE + enum qs1_fault
 * @from: [fw] enum qs1_state before
 * @to: [fw] enum qs1_state after
 * @value: [fw] QS1_EVENT_TRIP: the measured quantity in its telemetry unit, of SENSOR enum qs1_adc
 * @ticks: [fw] time
 * @reserved: 0
 */
struct qs1_event {
	qs1_u32 seq;
	qs1_u16 kind;
	qs1_u16 cause;
	qs1_u16 from;
	qs1_u16 to;
	qs1_s32 value;
	qs1_u64 ticks;
	qs1_u64 reserved;
};

/**
 * struct qs1_event_ring - the last QS1_EVENTS events
 * @head: [fw] number of the newest event; entry n is event[n % QS1_EVENTS]
 * @reserved: 0
 * @event: [fw] the entries
 */
struct qs1_event_ring {
	qs1_u32 head;
	qs1_u32 reserved[7];
	struct qs1_event event[QS1_EVENTS];
};

/**
 * struct qs1_scan - one control period of all instantaneous channels
 * @seq: [fw] low word of the tick counter
 * @status: [fw] QS1_STATUS_*
 * @phase: [fw] PLL phase, 2^32 is one turn
 * @ch: [fw] ADC counts, enum qs1_adc
 */
struct qs1_scan {
	qs1_u32 seq;
	qs1_u32 status;
	qs1_u32 phase;
	qs1_s16 ch[QS1_SCAN_CHANNELS];
};

/**
 * struct qs1_wave_ring - every control period
 * @head: [fw] scans ever written; scan n is scan[n & (2^wave_log2 - 1)] and
 *        holds while head - n < 2^wave_log2. The writer never waits: a reader
 *        copies, reads head again and discards what was overtaken.
 * @reserved: 0
 * @scan: [fw] the entries
 */
struct qs1_wave_ring {
	qs1_u32 head;
	qs1_u32 reserved[7];
	struct qs1_scan scan[];
};

/**
 * struct qs1_shm - the shared memory
 * @fw: identity and health of the firmware
 * @host: values that Linux writes at any time
 * @command: mailbox, host to firmware
 * @reply: mailbox, firmware to host
 * @telemetry: slow quantities
 * @param: [fw] values in force, by enum qs1_param
 * @reserved: 0
 * @events: what happened
 * @wave: every control period; to the end of the memory
 */
struct qs1_shm {
	struct qs1_fw_info fw;
	struct qs1_host host;
	struct qs1_command command;
	struct qs1_reply reply;
	struct qs1_telemetry telemetry;
	qs1_s32 param[QS1_PARAM_SLOTS];
	qs1_u32 reserved[224];
	struct qs1_event_ring events;
	struct qs1_wave_ring wave;
};

#define QS1_SHM_SIZE(wave_log2) (sizeof(struct qs1_shm) + (sizeof(struct qs1_scan) << (wave_log2)))

#ifdef __KERNEL__
#define QS1_ASSERT(cond) static_assert(cond)
#else
#define QS1_ASSERT(cond) _Static_assert(cond, #cond)
#endif

QS1_ASSERT(QS1_PARAM_COUNT <= QS1_PARAM_SLOTS);
QS1_ASSERT(QS1_FAULT_COUNT <= QS1_FAULT_SLOTS);
QS1_ASSERT(QS1_STATE_COUNT <= QS1_STATUS_STATE_MASK + 1);
QS1_ASSERT(QS1_CAUSE_COUNT <= QS1_CAUSE_FAULT_BASE);
QS1_ASSERT(sizeof(struct qs1_fw_info) == 256);
QS1_ASSERT(sizeof(struct qs1_host) == 256);
QS1_ASSERT(sizeof(struct qs1_command) == 64);
QS1_ASSERT(sizeof(struct qs1_reply) == 64);
QS1_ASSERT(sizeof(struct qs1_telemetry) == 896);
QS1_ASSERT(offsetof(struct qs1_telemetry, ticks) == 8);
QS1_ASSERT(offsetof(struct qs1_telemetry, vpv_mv) == 152);
QS1_ASSERT(offsetof(struct qs1_telemetry, epv_mj) == 200);
QS1_ASSERT(sizeof(struct qs1_event) == 32);
QS1_ASSERT(sizeof(struct qs1_scan) == 40);
QS1_ASSERT(offsetof(struct qs1_shm, host) == 0x100);
QS1_ASSERT(offsetof(struct qs1_shm, command) == 0x200);
QS1_ASSERT(offsetof(struct qs1_shm, reply) == 0x240);
QS1_ASSERT(offsetof(struct qs1_shm, telemetry) == 0x280);
QS1_ASSERT(offsetof(struct qs1_shm, param) == 0x600);
QS1_ASSERT(offsetof(struct qs1_shm, events) == 0xb80);
QS1_ASSERT(offsetof(struct qs1_shm, wave) == 0x13a0);
QS1_ASSERT(sizeof(struct qs1_shm) == 0x13c0);

#endif /* QS1_ABI_H */
