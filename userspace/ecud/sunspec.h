/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SunSpec models of one Modbus unit: tables of points and one walker that turns them into
 * registers. Points and their order follow the SunSpec information models 1, 101, 120-123, 160,
 * 701-712 and 714. Pure: a device's values in, registers out.
 *
 * Models 703 and 705 to 712 and the reactive power of 704 show the grid parameters in force. The
 * inverter keeps one curve of each kind, index 1, which is read only: a grid profile replaces all
 * of them at once.
 */
#ifndef ECUD_SUNSPEC_H
#define ECUD_SUNSPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "view.h"

/* First register: "SunS". */
#define SUNSPEC_BASE 40000
/* Room for all models of a unit; sunspec_length() says how many are used. */
#define SUNSPEC_REGISTERS_MAX 1200

/* Types. Columns: identifier, registers, value for "not implemented". */
/* clang-format off */
#define SUNSPEC_TYPES(X) \
	X(U16, 1, 0xffff) \
	X(I16, 1, 0x8000) \
	X(U32, 2, 0xffffffff) \
	X(I32, 2, 0x80000000) \
	X(U64, 4, 0xffffffffffffffff) \
	X(E16, 1, 0xffff) \
	X(B16, 1, 0xffff) \
	X(B32, 2, 0xffffffff) \
	X(ACC32, 2, 0) \
	X(ACC64, 4, 0) \
	X(SF, 1, 0x8000) \
	X(PAD, 1, 0x8000) \
	X(TEXT4, 4, 0) \
	X(TEXT8, 8, 0) \
	X(TEXT16, 16, 0) \
	X(TEXT32, 32, 0)
/* clang-format on */

/*
 * Scale factors, powers of ten. Columns: identifier, of one inverter, of the site, and what makes
 * the point's unit of the value's: a value per unit is shown in percent.
 */
/* clang-format off */
#define SUNSPEC_SCALES(X) \
	X(ONE, 0, 0, 0) \
	X(W, 0, 1, 0) \
	X(A, -2, -1, 0) \
	X(V, -1, -1, 0) \
	X(HZ, -3, -3, 0) \
	X(HZ16, -2, -2, 0) \
	X(PF, -3, -3, 0) \
	X(WH, 0, 0, 0) \
	X(TMP, -1, -1, 0) \
	X(PCT, -1, -1, 0) \
	X(PU, -1, -1, 2) \
	X(DROOP, -3, -3, 0) \
	X(DCA, -2, -1, 0) \
	X(DCV, -1, -1, 0) \
	X(TMS, -2, -2, 0)
/* clang-format on */

enum sunspec_scale {
#define X(id, unit, site, shift) SCALE_##id,
	SUNSPEC_SCALES(X)
#undef X
		SCALE_COUNT
};

/* What a device has, each a number in its basic unit; NAN is "not implemented". */
/* clang-format off */
#define SUNSPEC_QUANTITIES(X) \
	X(NONE) X(W) X(VA) X(VAR) X(PF) X(A) X(V) X(LLV) X(LNV) X(HZ) X(WH) X(TMP) \
	X(DCA) X(DCV) X(DCW) X(DCWH) X(DC_PORTS) X(ST) X(INV_ST) X(CONN_ST) X(ON) X(ALARMS) X(ALARMS_VENDOR) \
	X(AC_TYPE) X(MODE) X(THROTTLE) X(THROTTLE_SOURCE) X(PHASE_W_L1) X(PHASE_W_L2) X(PHASE_W_L3) \
	X(DER_TYPE) X(RATED_W) X(RATED_A) X(RATED_V) X(RATED_VAR) X(RATED_PF) X(NOMINAL_HZ) X(CATEGORY) \
	X(CONTROL_MODES) X(PV_CONN) X(ECP_CONN) X(SECONDS) X(ADDRESS) \
	X(LIMIT_ENA) X(LIMIT_PCT) X(LIMIT_PCT_RVRT) X(LIMIT_ENA_RVRT) X(LIMIT_TMS) X(LIMIT_REM) \
	X(CONN) X(CONN_TMS) X(PORT) X(PORT_TYPE) X(ZERO) X(POINTS) X(CURVES) X(READ_ONLY) X(ADOPTED) \
	X(ANTI_ISLANDING) X(ENTER_SERVICE) X(ENTER_REMAINING) \
	X(PF_ENA) X(VOLT_VAR_ENA) X(VAR_ENA) X(WATT_VAR_ENA) X(TRIP_ENA) X(OF_VA_MAX) X(VAR_FIRST) X(FULL_PU) \
	X(VOLT_VAR_ACT) X(VOLT_WATT_ACT) X(WATT_VAR_ACT) X(TRIP_ACT) X(MC_LV_ACT) X(MC_LV_PU) X(MC_LV_S) \
	X(MC_HV_ACT) X(MC_HV_PU) X(MC_HV_S)
/* clang-format on */

enum sunspec_quantity {
#define X(id) Q_##id,
	SUNSPEC_QUANTITIES(X)
#undef X
		Q_COUNT
};

/* The grid parameters of params.h follow, each in the unit of its name. */
#define SUNSPEC_PARAM(id) (Q_COUNT + QS1_PARAM_##id)
#define SUNSPEC_VALUES (Q_COUNT + QS1_PARAM_COUNT)

/* Texts of a device. */
enum sunspec_text {
	TEXT_NONE,
	TEXT_MANUFACTURER,
	TEXT_MODEL,
	TEXT_VERSION,
	TEXT_SERIAL,
	TEXT_PORT,
	TEXT_TIME_SOURCE,
	TEXT_COUNT
};

/**
 * struct sunspec_device - values of one Modbus unit
 * @site: it is the whole site: other scale factors
 * @value: by enum sunspec_quantity, and by SUNSPEC_PARAM()
 * @port: of each input
 * @text: by enum sunspec_text
 */
struct sunspec_device {
	bool site;
	double value[SUNSPEC_VALUES];
	double port[MODEL_CHANNELS][Q_COUNT];
	char text[TEXT_COUNT][33];
};

/**
 * struct sunspec_control - what clients have written to models 123 and 704 of a unit
 * @ena: limit is in force
 * @pct: of rated power, in 0.1 %
 * @pct_rvrt, @ena_rvrt: after the reversion time
 * @tms: reversion time, s; 0 for none
 * @conn: connected
 * @conn_tms: reversion time of a disconnection, s
 * @until_us: when the limit reverts; 0 for none
 */
struct sunspec_control {
	bool ena;
	uint16_t pct;
	uint16_t pct_rvrt;
	bool ena_rvrt;
	uint32_t tms;
	bool conn;
	uint16_t conn_tms;
	uint64_t until_us;
};

/* A control that nobody has written. */
#define SUNSPEC_CONTROL_NONE                                                                       \
	((struct sunspec_control){ .pct = 1000, .pct_rvrt = 1000, .conn = true })

/* Values of one unit, and of the site. */
void sunspec_of_unit(const struct model_unit *unit, const struct sunspec_control *control,
		     uint64_t now_us, int64_t now_ms, struct sunspec_device *device);
void sunspec_of_site(const struct snapshot *snapshot, const struct sunspec_control *control,
		     uint64_t now_us, int64_t now_ms, struct sunspec_device *device);

/* Registers of a device, from SUNSPEC_BASE: marker, models, end marker. */
size_t sunspec_length(void);

/**
 * sunspec_render() - write all registers
 * @registers: SUNSPEC_REGISTERS_MAX of them
 */
void sunspec_render(const struct sunspec_device *device, uint16_t *registers);

/**
 * sunspec_find() - where a point is
 * @model: model number
 * @name: of the point
 *
 * Return: offset from SUNSPEC_BASE, or -ENOENT.
 */
int sunspec_find(uint16_t model, const char *name);

/**
 * sunspec_write() - take registers that a client has written
 * @offset, @count: from SUNSPEC_BASE
 * @values: of the client
 * @control: changed on success alone
 *
 * Return: 0; -EFAULT when a register is not writable; -ERANGE for a value out of range.
 */
int sunspec_write(size_t offset, size_t count, const uint16_t *values,
		  struct sunspec_control *control);

#endif /* ECUD_SUNSPEC_H */
