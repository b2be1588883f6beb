/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The ADC channels of the power stage: one row each, in conversion order.
 *
 * Two eight-channel simultaneous-sampling 16-bit converters digitise sixteen
 * quantities in every control period. A sample is a signed 16-bit count; one
 * count is `lsb` millionths of the unit. The full scales follow from the
 * product's limits:
 *
 *   PV voltage     +-81.92 V    absolute maximum 60 V
 *   PV current     +-20.48 A    15 A short circuit
 *   DC link        +-655.36 V   450 V trip
 *   grid voltage   +-655.36 V   1.4 pu of 240 V is 475 V peak
 *   grid current   +-16.384 A   5 A RMS is 7.07 A peak, trip at 12 A
 *   ground current +-4.096 A    1 A limit
 *
 * Columns: identifier, label, IIO type, index within that type, lsb in
 * millionths of the unit (V, A or degree Celsius).
 */
#ifndef QS1_CHANNELS_H
#define QS1_CHANNELS_H

/* clang-format off */
#define QS1_ADC_CHANNELS(X) \
	X(VPV1, "pv1", VOLTAGE, 0, 2500) \
	X(VPV2, "pv2", VOLTAGE, 1, 2500) \
	X(VPV3, "pv3", VOLTAGE, 2, 2500) \
	X(VPV4, "pv4", VOLTAGE, 3, 2500) \
	X(IPV1, "pv1", CURRENT, 0, 625) \
	X(IPV2, "pv2", CURRENT, 1, 625) \
	X(IPV3, "pv3", CURRENT, 2, 625) \
	X(IPV4, "pv4", CURRENT, 3, 625) \
	X(VLINK, "dc-link", VOLTAGE, 4, 20000) \
	X(VGRID, "grid", VOLTAGE, 5, 20000) \
	X(IGRID, "grid", CURRENT, 4, 500) \
	X(IGND, "ground-fault", CURRENT, 5, 125) \
	X(VINV, "inverter", VOLTAGE, 6, 20000) \
	X(VREF, "reference", VOLTAGE, 7, 125) \
	X(TCASE, "case", TEMP, 0, 10000) \
	X(TSTAGE, "power-stage", TEMP, 1, 10000)
/* clang-format on */

enum qs1_adc {
#define X(id, label, type, index, lsb) QS1_ADC_##id,
	QS1_ADC_CHANNELS(X)
#undef X
		QS1_ADC_COUNT
};

/* One count in millionths of the channel's unit, e.g. QS1_LSB_VGRID in uV. */
enum qs1_adc_lsb {
#define X(id, label, type, index, lsb) QS1_LSB_##id = (lsb),
	QS1_ADC_CHANNELS(X)
#undef X
};

/* The reference channel converts a fixed 2.048 V: a plausibility check. */
#define QS1_VREF_COUNT 16384

/* Channels that are recorded in the waveform ring: all but the temperatures. */
#define QS1_SCAN_CHANNELS 14

#endif /* QS1_CHANNELS_H */
