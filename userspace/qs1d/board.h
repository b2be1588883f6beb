/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The inverter through its driver. The IIO device "qs1-meter" has a parent device
 * with the attributes for state, faults, parameters and control.
 */
#ifndef QS1D_BOARD_H
#define QS1D_BOARD_H

#include <stdbool.h>
#include <stdint.h>

#include <qs1/abi.h>

#include "../lib/iio.h"
#include "../lib/profile.h"
#include "../policy/policy.h"
#include "../policy/energy.h"

/*
 * Readings of the meter. Columns: identifier, IIO type, label, text after the
 * channel's number (NULL for its value), factor to the unit below.
 */
/* clang-format off */
#define BOARD_READINGS(X) \
	X(PV1_V, "voltage", "pv1", NULL, 1e-3) \
	X(PV2_V, "voltage", "pv2", NULL, 1e-3) \
	X(PV3_V, "voltage", "pv3", NULL, 1e-3) \
	X(PV4_V, "voltage", "pv4", NULL, 1e-3) \
	X(PV1_I, "current", "pv1", NULL, 1e-3) \
	X(PV2_I, "current", "pv2", NULL, 1e-3) \
	X(PV3_I, "current", "pv3", NULL, 1e-3) \
	X(PV4_I, "current", "pv4", NULL, 1e-3) \
	X(PV1_P, "power", "pv1", NULL, 1e-3) \
	X(PV2_P, "power", "pv2", NULL, 1e-3) \
	X(PV3_P, "power", "pv3", NULL, 1e-3) \
	X(PV4_P, "power", "pv4", NULL, 1e-3) \
	X(PV1_E, "energy", "pv1", NULL, 1) \
	X(PV2_E, "energy", "pv2", NULL, 1) \
	X(PV3_E, "energy", "pv3", NULL, 1) \
	X(PV4_E, "energy", "pv4", NULL, 1) \
	X(GRID_V, "altvoltage", "grid-rms", NULL, 1e-3) \
	X(GRID_I, "current", "grid-rms", NULL, 1e-3) \
	X(GRID_F, "altvoltage", "grid-rms", "frequency", 1) \
	X(GRID_P, "power", "grid", NULL, 1e-3) \
	X(GRID_Q, "power", "grid-reactive", NULL, 1e-3) \
	X(GRID_E, "energy", "grid", NULL, 1) \
	X(LINK_V, "voltage", "dc-link", NULL, 1e-3) \
	X(CASE_T, "temp", "case", NULL, 1e-3)
/* clang-format on */

enum board_reading {
#define X(id, type, label, quantity, factor) BOARD_##id,
	BOARD_READINGS(X)
#undef X
		BOARD_READING_COUNT
};

/**
 * struct board_sample - the last sample
 * @epoch: counts the runs of the firmware
 * @number: counts the fresh samples
 * @status: QS1_STATUS_*
 * @faults_active: QS1_FAULT_BIT()
 * @faults_latched: QS1_FAULT_BIT()
 * @crashes: of the coprocessor, since the driver was loaded
 * @firmware: its version
 * @meter: V, A, W, J, Hz, degree C; NAN for a channel that the driver lacks
 * @energy_mj: the firmware's counters
 * @energy_epoch: their run of the firmware
 * @reading: counts the readings of the meter
 * @plausible: every value of the last reading is physically possible
 */
struct board_sample {
	uint32_t epoch;
	uint32_t number;
	uint32_t status;
	uint32_t faults_active;
	uint32_t faults_latched;
	uint32_t crashes;
	char firmware[40];
	double meter[BOARD_READING_COUNT];
	uint64_t energy_mj[ENERGY_COUNTERS];
	uint32_t energy_epoch;
	uint32_t reading;
	bool plausible;
};

/**
 * struct board - the open driver
 * @root: where sysfs is mounted
 * @bound: the driver is there
 * @running: its firmware runs
 * @sample: last sample; holds its old content while the firmware does not run
 */
struct board {
	const char *root;
	bool bound;
	bool running;
	struct board_sample sample;

	int dir;
	int status;
	int faults_active;
	int faults_latched;
	int ticks;
	int crashes;
	int events;
	uint64_t last_ticks;
	int64_t heartbeat_ms;
	bool layout_reported;
	struct iio_channel channel[BOARD_READING_COUNT];
	struct iio_channel pll;
};

void board_init(struct board *board, const char *root);
void board_close(struct board *board);

/**
 * board_poll() - find the driver if necessary, and read a sample
 * @meter: also read the meter
 *
 * Return: 0 when @board->sample was read; -ENODEV when the driver is not there;
 * -ENODATA when its firmware does not run; the errno of a read. Each change
 * between these is logged once.
 */
int board_poll(struct board *board, bool meter);

/*
 * Commands to the firmware: permit production or forbid it, clear a latched fault, and
 * restore one that was latched before power-off. Each returns 0 or the driver's negative errno.
 */
int board_arm(struct board *board, bool armed);
int board_clear(struct board *board, enum qs1_fault fault);
int board_latch(struct board *board, enum qs1_fault fault);

/**
 * board_events() - read the newest events of the firmware
 * @events: oldest first
 *
 * Return: how many, or a negative errno.
 */
int board_events(struct board *board, struct qs1_event events[QS1_EVENTS]);

/* The firmware's reason for the last refusal; "" when unknown. */
const char *board_refusal(struct board *board, char *buf, size_t size);

int board_heartbeat(struct board *board);

/* A value was in force before it was written. */
#define BOARD_UNCHANGED 1

/**
 * board_set() - set one parameter and read it back
 *
 * Return: 0; BOARD_UNCHANGED; -EIO when the value read back is another one; -ERANGE, -EINVAL,
 * ... as the firmware refused it.
 */
int board_set(struct board *board, enum qs1_param id, int32_t value);

/**
 * board_angle() - the angle of the loop that is synchronised with the grid
 * @ret_deg: of the newest control period, from 0 to below 360
 * @ret_us: CLOCK_MONOTONIC when it was read
 *
 * The angle is up to 50 us old. The time is the middle of the shortest of three reads.
 *
 * Return: 0; -ENODATA while the loop is not locked to a grid, or without firmware; -ENOENT when the
 * driver lacks the channel; another errno of the read.
 */
int board_angle(struct board *board, double *ret_deg, int64_t *ret_us);

/* Read the value of a parameter in force. */
int board_get(struct board *board, enum qs1_param id, int32_t *ret_value);

/**
 * board_apply() - put a profile in force, all of it or nothing
 *
 * What is in force is not written again, so that a restart of the daemon does
 * not disturb a running inverter. The heartbeat continues between two values.
 *
 * Return: 0 with every value read back; BOARD_UNCHANGED; a negative errno. A
 * refusal leaves the former values in force; without an answer, or with -EIO,
 * the values in force are unknown.
 */
int board_apply(struct board *board, const struct qs1_profile *profile);

/* Is a reading, in its unit, physically possible? */
bool board_plausible(enum board_reading reading, double value);

#endif /* QS1D_BOARD_H */
