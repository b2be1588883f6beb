/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The firmware's end of the shared memory: what every HAL calls before and
 * after each qs1_core_step(). Knows the contract and the core, no hardware.
 */
#ifndef QS1_SHM_H
#define QS1_SHM_H

#include <stdbool.h>
#include <stdint.h>

#include <qs1/abi.h>

#include "core.h"

/*
 * Orders accesses to the shared memory, for the compiler and for the
 * processor. On x86, where stores are seen in order, it costs nothing.
 */
#ifdef __arm__
#define qs1_shm_barrier() __asm__ volatile("dmb" ::: "memory")
#else
#define qs1_shm_barrier() __atomic_thread_fence(__ATOMIC_ACQ_REL)
#endif

/* One access of exactly the member's width, neither repeated nor left out. */
#define qs1_shm_read(member) (*(const volatile __typeof__(member) *)&(member))
#define qs1_shm_write(member, value) (*(volatile __typeof__(member) *)&(member) = (value))

/**
 * struct qs1_taken - a command that has been carried out and not yet answered
 * @seq: its number
 * @op: its operation, enum qs1_op
 * @arg: its operand
 * @result: QS1_OK or why not
 * @ret: value of the reply
 */
struct qs1_taken {
	uint32_t seq;
	uint32_t op;
	uint32_t arg;
	uint32_t result;
	int32_t ret;
};

/**
 * struct qs1_port - the firmware's private state of the shared memory
 *
 * Counters and indices are kept here and only copied out. The firmware reads
 * nothing that the host could overwrite, except struct qs1_host, the command and
 * the snapshot just written, to decide whether to ring.
 *
 * @shm: the contract
 * @core: the control core behind it
 * @ticks: low word of the control periods since start
 * @telemetry_left: periods until the next snapshot
 * @telemetry_seq: even
 * @wave_mask: scans in the ring, minus one
 * @wave_head: scans written
 * @wave_pending: scans since the last doorbell for the ring
 * @command_seq: the last command answered
 * @taken: the command between qs1_shm_take() and qs1_shm_answer()
 * @doorbell: doorbells rung
 * @status: QS1_STATUS_RINGS of the last snapshot
 * @faults_active: of the last snapshot
 * @faults_latched: of the last snapshot
 * @ring: there is a reason to ring
 */
struct qs1_port {
	struct qs1_shm *shm;
	struct qs1_core *core;
	uint32_t ticks;
	uint32_t telemetry_left;
	uint32_t telemetry_seq;
	uint32_t wave_mask;
	uint32_t wave_head;
	uint32_t wave_pending;
	uint32_t command_seq;
	struct qs1_taken taken;
	uint32_t doorbell;
	uint32_t status;
	uint32_t faults_active;
	uint32_t faults_latched;
	bool ring;
};

/* Actions of a command that only the HAL can carry out. */
enum qs1_port_action {
	QS1_PORT_NONE,
	QS1_PORT_TRAP, /* QS1_OP_CRASH 0: raise a processor exception */
	QS1_PORT_HANG, /* QS1_OP_CRASH 1: stop answering */
};

/**
 * qs1_shm_init() - offer the contract to the host
 * @port: memory for the port's state
 * @shm: the contract; of its content only the count of starts survives
 * @core: an initialised core
 * @wave_log2: scans in the waveform ring as a power of two, 4..QS1_WAVE_LOG2_MAX
 * @version: firmware version, cut at 31 characters
 *
 * The magic is written last, when everything else holds.
 */
void qs1_shm_init(struct qs1_port *port, struct qs1_shm *shm, struct qs1_core *core,
		  unsigned int wave_log2, const char *version);

/**
 * qs1_shm_begin() - before the core's step
 * @port: the port
 * @in: samples of this period; the host's heartbeat is filled in and its
 *      emergency stop joins that of the HAL in estop_n
 *
 * While the host keeps its enable line low, the core is disarmed.
 */
void qs1_shm_begin(struct qs1_port *port, struct qs1_samples *in);

/**
 * qs1_shm_read_host() - the first half of qs1_shm_begin(): read heartbeat and emergency stop
 * @port: the port
 * @in: as there
 */
void qs1_shm_read_host(const struct qs1_port *port, struct qs1_samples *in);

/**
 * qs1_shm_permitted() - does the host's enable line let the core be armed?
 *
 * The second half of qs1_shm_begin() disarms it if not.
 */
bool qs1_shm_permitted(const struct qs1_port *port);

/**
 * qs1_shm_waits() - is a command waiting in the mailbox?
 */
bool qs1_shm_waits(const struct qs1_port *port);

/**
 * qs1_shm_command() - carry out the command that waits in the mailbox, if any
 * @port: the port
 *
 * To be called between two steps of the core, never during one. Called before
 * qs1_shm_begin(), a command acts in the period in which it is seen.
 *
 * Return: the action that the HAL has to carry out, QS1_PORT_NONE for none.
 */
enum qs1_port_action qs1_shm_command(struct qs1_port *port);

/**
 * qs1_shm_take() - the first half of qs1_shm_command(): carry out the command that waits
 * @port: the port
 *
 * Return: true when qs1_shm_answer() has to follow, false when none waits.
 */
bool qs1_shm_take(struct qs1_port *port);

/**
 * qs1_shm_answer() - its second half: parameters that it has changed, and the reply
 * @port: the port
 *
 * For a HAL that has no time for both in one period. Nothing of the core may
 * change between the two but by qs1_core_step().
 *
 * Return: as qs1_shm_command().
 */
enum qs1_port_action qs1_shm_answer(struct qs1_port *port);

/**
 * qs1_shm_end() - after the core's step and after the outputs are applied
 * @port: the port
 * @in: samples of this period
 *
 * Publishes the scan, at most one event and, each QS1_TELEMETRY_TICKS, the
 * telemetry.
 */
void qs1_shm_end(struct qs1_port *port, const struct qs1_samples *in);

/**
 * qs1_shm_ring() - is there a reason to ring the host?
 * @port: the port
 *
 * Call it after commands and steps. It increments the doorbell counter.
 *
 * Return: true if the HAL has to ring.
 */
bool qs1_shm_ring(struct qs1_port *port);

/**
 * qs1_shm_crash() - report to the host why the firmware stops
 * @shm: the contract
 * @reason: QS1_CRASH_*
 * @pc: program counter, 0 if not known
 *
 * For fault handlers: needs nothing but the memory. The doorbell counter is
 * advanced; the HAL rings, stops the gates and never returns to the loop.
 */
void qs1_shm_crash(struct qs1_shm *shm, uint32_t reason, uint32_t pc);

#endif /* QS1_SHM_H */
