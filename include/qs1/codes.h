/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * States, faults and causes: the vocabulary that firmware, driver, daemon and
 * tests share. Every table is one X-macro; names are generated from it and
 * never written a second time.
 */
#ifndef QS1_CODES_H
#define QS1_CODES_H

/* Operating states of the inverter. Columns: identifier, name. */
/* clang-format off */
#define QS1_STATES(X) \
	X(OFF, "off") \
	X(SELF_TEST, "self-test") \
	X(NIGHT, "night") \
	X(WAITING, "waiting") \
	X(CONNECTING, "connecting") \
	X(PRODUCING, "producing") \
	X(DERATING, "derating") \
	X(CEASED, "ceased") \
	X(SHUTDOWN, "shutdown") \
	X(FAULT, "fault") \
	X(GROUND_FAULT, "ground-fault")
/* clang-format on */

enum qs1_state {
#define X(id, name) QS1_STATE_##id,
	QS1_STATES(X)
#undef X
		QS1_STATE_COUNT
};

/*
 * Fault and trip codes. Columns: identifier and name (the same word), meaning.
 *
 * Trip functions carry the names of IEEE 1547-2018 clause 6.4 and 6.5. For
 * Note 1 of the QS1 manual: A is UV2, B UV1, C OV1, D OV2, E OF1, F UF1.
 */
/* clang-format off */
#define QS1_FAULTS(X) \
	X(UV1, "grid under-voltage, first stage") \
	X(UV2, "grid under-voltage, second stage") \
	X(OV1, "grid over-voltage, first stage") \
	X(OV2, "grid over-voltage, second stage") \
	X(OF1, "grid over-frequency, first stage") \
	X(OF2, "grid over-frequency, second stage") \
	X(UF1, "grid under-frequency, first stage") \
	X(UF2, "grid under-frequency, second stage") \
	X(ISLAND, "unintentional island detected") \
	X(GFDI, "ground fault, latched until cleared by command") \
	X(PV_OV, "PV input above its operating voltage") \
	X(PV_OC, "PV input current above its limit") \
	X(AC_OC, "grid current above its instantaneous limit") \
	X(OVERTEMP, "case too hot") \
	X(RELAY, "grid relay welded or does not close") \
	X(HOST_LOST, "host heartbeat lost") \
	X(FIRMWARE, "firmware self test or internal check failed") \
	X(SHUTDOWN, "shut down by command") \
	X(NIGHT, "no PV power") \
	X(ROCOF, "rate of change of frequency above its limit") \
	X(TOV, "instantaneous AC or DC-link over-voltage") \
	X(SENSOR, "a measurement is implausible") \
	X(OV_MEAN, "grid over-voltage, mean of ten minutes")
/* clang-format on */

enum qs1_fault {
#define X(id, text) QS1_FAULT_##id,
	QS1_FAULTS(X)
#undef X
		QS1_FAULT_COUNT
};

#define QS1_FAULT_BIT(fault) (1u << (fault))

/* Faults that keep the unit off until a command clears them. */
#define QS1_FAULTS_LATCHING                                                                        \
	(QS1_FAULT_BIT(QS1_FAULT_GFDI) | QS1_FAULT_BIT(QS1_FAULT_RELAY) |                          \
	 QS1_FAULT_BIT(QS1_FAULT_FIRMWARE))

/* Faults of the grid, after which the unit waits and comes back by itself. */
#define QS1_FAULTS_GRID                                                                            \
	(QS1_FAULT_BIT(QS1_FAULT_UV1) | QS1_FAULT_BIT(QS1_FAULT_UV2) |                             \
	 QS1_FAULT_BIT(QS1_FAULT_OV1) | QS1_FAULT_BIT(QS1_FAULT_OV2) |                             \
	 QS1_FAULT_BIT(QS1_FAULT_OF1) | QS1_FAULT_BIT(QS1_FAULT_OF2) |                             \
	 QS1_FAULT_BIT(QS1_FAULT_UF1) | QS1_FAULT_BIT(QS1_FAULT_UF2) |                             \
	 QS1_FAULT_BIT(QS1_FAULT_ISLAND) | QS1_FAULT_BIT(QS1_FAULT_ROCOF) |                        \
	 QS1_FAULT_BIT(QS1_FAULT_TOV) | QS1_FAULT_BIT(QS1_FAULT_OV_MEAN))

/*
 * Why a state changed, when no fault code applies. Columns: identifier, name.
 * A cause below QS1_CAUSE_FAULT_BASE is one of these; from there on it is
 * QS1_CAUSE_FAULT_BASE + the fault code.
 */
/* clang-format off */
#define QS1_CAUSES(X) \
	X(NONE, "none") \
	X(DC_POWER, "dc-power") \
	X(SELF_TEST_PASSED, "self-test-passed") \
	X(ARMED, "armed") \
	X(DISARMED, "disarmed") \
	X(COMMAND, "command") \
	X(PV_PRESENT, "pv-present") \
	X(GRID_IN_RANGE, "grid-in-range") \
	X(GRID_OUT_OF_RANGE, "grid-out-of-range") \
	X(ENTER_SERVICE, "enter-service") \
	X(RELAY_CLOSED, "relay-closed") \
	X(THERMAL, "thermal") \
	X(MOMENTARY_CESSATION, "momentary-cessation") \
	X(FAULT_CLEARED, "fault-cleared") \
	X(BENCH, "bench")
/* clang-format on */

enum qs1_cause {
#define X(id, name) QS1_CAUSE_##id,
	QS1_CAUSES(X)
#undef X
		QS1_CAUSE_COUNT
};

#define QS1_CAUSE_FAULT_BASE 64

#endif /* QS1_CODES_H */
