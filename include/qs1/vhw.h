/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The hardware of the virtual board, as seen in its 16 MB of shared memory.
 *
 * QEMU's ivshmem-doorbell device shows the memory to Linux as BAR2; to the
 * Cortex-M4 it is the RAM at QS1_VHW_DA. The first page holds the registers
 * below, the contract (struct qs1_shm) starts at shm_offset, and the firmware
 * is loaded between fw_offset and the end. Only the virtual board's driver
 * glue, its firmware HAL and the vboard program include this file.
 *
 * Doorbells: Linux writes (vboard_peer << 16 | vector) to the ivshmem doorbell
 * register; vector QS1_VHW_DB_CONTROL asks vboard to look at the coprocessor
 * control registers, QS1_VHW_DB_MAILBOX is for the firmware. vboard raises
 * MSI-X vector QS1_VHW_IRQ_FW for the firmware and QS1_VHW_IRQ_COPROC when
 * coproc_state changed.
 *
 * Lock step: vboard writes adc[] and sense, then increments step_req. The
 * firmware runs one control period, writes its outputs, then sets step_ack to
 * step_req. While rest is set the firmware waits for an interrupt instead of
 * polling step_req. It may also do so after a long poll without a step, so a
 * board that waits for an answer repeats the doorbell from time to time.
 */
#ifndef QS1_VHW_H
#define QS1_VHW_H

#include "abi.h"

#define QS1_VHW_MAGIC 0x56315351u /* "QS1V" */
#define QS1_VHW_VERSION 1u
#define QS1_VHW_SIZE 0x1000000u
#define QS1_VHW_DA 0x21000000u
#define QS1_VHW_SHM_OFFSET 0x1000u
#define QS1_VHW_FW_OFFSET 0x100000u

#define QS1_VHW_DB_CONTROL 0u
#define QS1_VHW_DB_MAILBOX 1u
#define QS1_VHW_IRQ_FW 0u
#define QS1_VHW_IRQ_COPROC 1u
#define QS1_VHW_VECTORS 2u

/* coproc_state */
#define QS1_VHW_COPROC_RESET 0u
#define QS1_VHW_COPROC_RUNNING 1u
#define QS1_VHW_COPROC_WATCHDOG 2u /* did not answer a step in time */

/* sense */
#define QS1_VHW_SENSE_ESTOP_N 0x1u

/* ctl */
#define QS1_VHW_CTL_INPUT(n) (0x1u << (n)) /* input stage n switches */
#define QS1_VHW_CTL_BRIDGE 0x10u
#define QS1_VHW_CTL_RELAY 0x20u

/**
 * struct qs1_vhw - registers of the virtual board
 * @magic: [vboard] QS1_VHW_MAGIC
 * @version: [vboard] QS1_VHW_VERSION
 * @size: [vboard] bytes of shared memory
 * @shm_offset: [vboard] where struct qs1_shm starts
 * @fw_offset: [vboard] where firmware may be loaded
 * @da: [vboard] coprocessor address of the shared memory
 * @vboard_peer: [vboard] ivshmem peer number to ring
 * @coproc_state: [vboard] QS1_VHW_COPROC_*
 * @coproc_ack: [vboard] last coproc_request carried out
 * @run: [host] 1 to run the coprocessor, 0 to hold it in reset
 * @boot_da: [host] address of the vector table to start from
 * @coproc_request: [host] incremented after run and boot_da are written
 * @step_req: [vboard] control periods asked for
 * @rest: [vboard] non-zero: no further step until the next interrupt
 * @sense: [vboard] QS1_VHW_SENSE_*
 * @adc: [vboard] samples, enum qs1_adc
 * @step_ack: [fw] control periods done
 * @ctl: [fw] QS1_VHW_CTL_*
 * @cmp_input: [fw] compare values, on-time in counts of QS1_PWM_INPUT_PERIOD
 * @cmp_bridge: [fw] compare value, -QS1_PWM_BRIDGE_HALF..QS1_PWM_BRIDGE_HALF
 * @reserved0: 0
 * @reserved1: 0
 * @reserved2: 0
 * @reserved3: 0
 * @reserved4: 0
 */
struct qs1_vhw {
	qs1_u32 magic;
	qs1_u32 version;
	qs1_u32 size;
	qs1_u32 shm_offset;
	qs1_u32 fw_offset;
	qs1_u32 da;
	qs1_u32 vboard_peer;
	qs1_u32 coproc_state;
	qs1_u32 coproc_ack;
	qs1_u32 reserved0[7];

	qs1_u32 run;
	qs1_u32 boot_da;
	qs1_u32 coproc_request;
	qs1_u32 reserved1[13];

	qs1_u32 step_req;
	qs1_u32 rest;
	qs1_u32 sense;
	qs1_u32 reserved2[5];
	qs1_s16 adc[QS1_ADC_COUNT];

	qs1_u32 step_ack;
	qs1_u32 ctl;
	qs1_u16 cmp_input[QS1_INPUTS];
	qs1_s16 cmp_bridge;
	qs1_u16 reserved3;
	qs1_u32 reserved4[11];
};

QS1_ASSERT(offsetof(struct qs1_vhw, run) == 64);
QS1_ASSERT(offsetof(struct qs1_vhw, step_req) == 128);
QS1_ASSERT(offsetof(struct qs1_vhw, adc) == 160);
QS1_ASSERT(offsetof(struct qs1_vhw, step_ack) == 192);
QS1_ASSERT(sizeof(struct qs1_vhw) == 256);

#endif /* QS1_VHW_H */
