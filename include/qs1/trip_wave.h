/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the driver's attribute "trip_wave" holds: this header, then the scans
 * around the trip, oldest first, as struct qs1_scan. All in the byte order of
 * the machine.
 */
#ifndef QS1_TRIP_WAVE_H
#define QS1_TRIP_WAVE_H

#include <qs1/abi.h>

#define QS1_TRIP_WAVE_MAGIC 0x54315351u /* "QS1T" */

/**
 * struct qs1_trip_wave - header of a recorded trip
 * @magic: QS1_TRIP_WAVE_MAGIC
 * @number: of the recording, from 1 since the driver was bound; a reader that
 *          needs several reads has a consistent copy when it is the same before
 *          and after
 * @control_hz: scans in a second
 * @count: scans that follow
 * @trip: index among them of the control period that tripped
 * @fault: enum qs1_fault
 * @state: enum qs1_state before the trip
 * @value: measured quantity in its telemetry unit
 * @ticks: time of the trip since the firmware's start, in control periods
 * @real_ns: the same by the wall clock, ns since 1970
 * @reserved: 0
 */
struct qs1_trip_wave {
	qs1_u32 magic;
	qs1_u32 number;
	qs1_u32 control_hz;
	qs1_u32 count;
	qs1_u32 trip;
	qs1_u16 fault;
	qs1_u16 state;
	qs1_s32 value;
	qs1_u32 reserved;
	qs1_u64 ticks;
	qs1_s64 real_ns;
};

QS1_ASSERT(sizeof(struct qs1_trip_wave) == 48);

#endif /* QS1_TRIP_WAVE_H */
