/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Every parameter of the firmware in one table: the grid profile and the
 * controller. The unit is the last part of the name. A value crosses the
 * contract as a signed 32-bit integer, value * 10^decimals. The firmware checks
 * each value against this range again; Linux can not widen it.
 *
 * Columns: identifier, name, decimals, default, minimum, maximum, group, absent,
 * text. Default, minimum and maximum are the scaled integers. Group PROFILE is
 * part of a grid profile; group CONTROL (limits, calibration) keeps its value
 * when a profile is applied. Defaults of the PROFILE group are those of the
 * profile "note1".
 *
 * Absent: what happens to a profile that does not name the parameter. REFUSED: the
 * profile is rejected. DEFAULT: the parameter is newer than the first profiles and
 * takes its default, which turns its function off, so that an older file or store
 * still loads.
 *
 * Trip functions: clearing times are maxima and include the opening time of
 * the relay (IEEE 1547-2018, 6.4.1).
 *
 * Ranges hold those of IEEE 1547-2018: Tables 13 and 18 (trips), Category B of
 * Tables 8 (volt-var), 9 (active power-reactive power), 10 (volt-watt) and 24
 * (frequency droop). They are wider where EN 50549-1, VDE-AR-N 4105, G98 or
 * AS/NZS 4777.2 ask for more. Frequencies are bounded by the nominal frequency
 * too, see QS1_PARAM_ORDERS. Reactive power is per unit of rated apparent power,
 * and positive when injected (over-excited).
 */
#ifndef QS1_PARAMS_H
#define QS1_PARAMS_H

/* clang-format off */
#define QS1_PARAMS(X) \
	X(UV1_V_PU, "uv1_v_pu", 3, 880, 0, 950, PROFILE, REFUSED, "UV1 voltage threshold") \
	X(UV1_T_S, "uv1_t_s", 2, 100, 16, 5000, PROFILE, REFUSED, "UV1 clearing time") \
	X(UV2_V_PU, "uv2_v_pu", 3, 500, 0, 880, PROFILE, REFUSED, "UV2 voltage threshold") \
	X(UV2_T_S, "uv2_t_s", 2, 16, 16, 2100, PROFILE, REFUSED, "UV2 clearing time") \
	X(OV1_V_PU, "ov1_v_pu", 3, 1100, 1050, 1200, PROFILE, REFUSED, "OV1 voltage threshold") \
	X(OV1_T_S, "ov1_t_s", 2, 100, 16, 1300, PROFILE, REFUSED, "OV1 clearing time") \
	X(OV2_V_PU, "ov2_v_pu", 3, 1200, 1100, 1250, PROFILE, REFUSED, "OV2 voltage threshold") \
	X(OV2_T_S, "ov2_t_s", 2, 16, 16, 100, PROFILE, REFUSED, "OV2 clearing time") \
	X(OF1_F_HZ, "of1_f_hz", 2, 6050, 5010, 6600, PROFILE, REFUSED, "OF1 frequency threshold") \
	X(OF1_T_S, "of1_t_s", 2, 16, 16, 100000, PROFILE, REFUSED, "OF1 clearing time") \
	X(OF2_F_HZ, "of2_f_hz", 2, 6600, 5010, 6600, PROFILE, REFUSED, "OF2 frequency threshold") \
	X(OF2_T_S, "of2_t_s", 2, 16, 16, 100000, PROFILE, REFUSED, "OF2 clearing time") \
	X(UF1_F_HZ, "uf1_f_hz", 2, 5930, 4500, 5990, PROFILE, REFUSED, "UF1 frequency threshold") \
	X(UF1_T_S, "uf1_t_s", 2, 16, 16, 100000, PROFILE, REFUSED, "UF1 clearing time") \
	X(UF2_F_HZ, "uf2_f_hz", 2, 5000, 4500, 5990, PROFILE, REFUSED, "UF2 frequency threshold") \
	X(UF2_T_S, "uf2_t_s", 2, 16, 16, 100000, PROFILE, REFUSED, "UF2 clearing time") \
	X(OV_MEAN_V_PU, "ov_mean_v_pu", 3, 1300, 1050, 1300, PROFILE, DEFAULT, \
	  "voltage threshold of the mean of ten minutes, 1.3 for none") \
	X(MC_LV_V_PU, "mc_lv_v_pu", 3, 0, 0, 850, PROFILE, REFUSED, \
	  "momentary cessation below this voltage, 0 for none") \
	X(MC_HV_V_PU, "mc_hv_v_pu", 3, 1400, 1100, 1400, PROFILE, REFUSED, \
	  "momentary cessation above this voltage, 1.4 for none") \
	X(ES_V_MIN_PU, "es_v_min_pu", 3, 880, 800, 950, PROFILE, REFUSED, "enter service: lowest voltage") \
	X(ES_V_MAX_PU, "es_v_max_pu", 3, 1100, 1050, 1150, PROFILE, REFUSED, "enter service: highest voltage") \
	X(ES_F_MIN_HZ, "es_f_min_hz", 2, 5930, 4500, 5990, PROFILE, REFUSED, "enter service: lowest frequency") \
	X(ES_F_MAX_HZ, "es_f_max_hz", 2, 6050, 5010, 6600, PROFILE, REFUSED, "enter service: highest frequency") \
	X(ES_DELAY_S, "es_delay_s", 0, 120, 0, 600, PROFILE, REFUSED, "enter service: time in range before start") \
	X(ES_RAMP_S, "es_ramp_s", 0, 2, 1, 1000, PROFILE, REFUSED, "enter service: ramp from zero to rated power") \
	X(ES_RANDOM_S, "es_random_s", 0, 0, 0, 1000, PROFILE, DEFAULT, \
	  "enter service: longest random time added to the delay") \
	X(ES_TRIP_F_MIN_HZ, "es_trip_f_min_hz", 2, 0, 0, 5990, PROFILE, DEFAULT, \
	  "enter service after a trip: lowest frequency, 0 for es_f_min_hz") \
	X(ES_TRIP_F_MAX_HZ, "es_trip_f_max_hz", 2, 0, 0, 6600, PROFILE, DEFAULT, \
	  "enter service after a trip: highest frequency, 0 for es_f_max_hz") \
	X(ES_TRIP_DELAY_S, "es_trip_delay_s", 0, 0, 0, 600, PROFILE, DEFAULT, \
	  "enter service after a trip: time in range before start, 0 for es_delay_s") \
	X(ES_TRIP_RAMP_S, "es_trip_ramp_s", 0, 0, 0, 1000, PROFILE, DEFAULT, \
	  "enter service after a trip: ramp from zero to rated power, 0 for es_ramp_s") \
	X(ROCOF_HZ_S, "rocof_hz_s", 1, 100, 35, 100, PROFILE, REFUSED, \
	  "island detection: rate of change of frequency, 10 for none") \
	X(MC_RETURN_S, "mc_return_s", 2, 40, 30, 1000, PROFILE, REFUSED, \
	  "momentary cessation: 80 % of the power before is back after this time in range") \
	X(Q_MODE, "q_mode", 0, 0, 0, 4, PROFILE, REFUSED, \
	  "reactive power: 0 none, 1 constant power factor, 2 volt-var, 3 constant, 4 by active power") \
	X(PF, "pf", 3, 1000, 900, 1000, PROFILE, REFUSED, "constant power factor") \
	X(PF_ABSORB, "pf_absorb", 0, 0, 0, 1, PROFILE, REFUSED, \
	  "constant power factor: 0 injects reactive power, 1 absorbs it") \
	X(CONST_Q_PU, "const_q_pu", 3, 0, -440, 440, PROFILE, DEFAULT, \
	  "constant reactive power, positive is injected") \
	X(WV_P1_PU, "wv_p1_pu", 3, 200, 0, 700, PROFILE, DEFAULT, "watt-var: active power of point 1") \
	X(WV_P2_PU, "wv_p2_pu", 3, 500, 400, 800, PROFILE, DEFAULT, "watt-var: active power of point 2") \
	X(WV_P3_PU, "wv_p3_pu", 3, 1000, 500, 1000, PROFILE, DEFAULT, "watt-var: active power of point 3") \
	X(WV_Q1_PU, "wv_q1_pu", 3, 0, -440, 440, PROFILE, DEFAULT, \
	  "watt-var: reactive power of point 1, positive is injected") \
	X(WV_Q2_PU, "wv_q2_pu", 3, 0, -440, 440, PROFILE, DEFAULT, "watt-var: reactive power of point 2") \
	X(WV_Q3_PU, "wv_q3_pu", 3, -440, -440, 440, PROFILE, DEFAULT, "watt-var: reactive power of point 3") \
	X(VV_V1_PU, "vv_v1_pu", 3, 920, 770, 1030, PROFILE, REFUSED, "volt-var: voltage of point 1") \
	X(VV_V2_PU, "vv_v2_pu", 3, 980, 920, 1050, PROFILE, REFUSED, "volt-var: voltage of point 2") \
	X(VV_V3_PU, "vv_v3_pu", 3, 1020, 950, 1080, PROFILE, REFUSED, "volt-var: voltage of point 3") \
	X(VV_V4_PU, "vv_v4_pu", 3, 1080, 970, 1230, PROFILE, REFUSED, "volt-var: voltage of point 4") \
	X(VV_Q1_PU, "vv_q1_pu", 3, 440, 0, 600, PROFILE, REFUSED, \
	  "volt-var: reactive power of point 1, positive is injected") \
	X(VV_Q2_PU, "vv_q2_pu", 3, 0, -600, 600, PROFILE, REFUSED, "volt-var: reactive power of point 2") \
	X(VV_Q3_PU, "vv_q3_pu", 3, 0, -600, 600, PROFILE, REFUSED, "volt-var: reactive power of point 3") \
	X(VV_Q4_PU, "vv_q4_pu", 3, -440, -600, 0, PROFILE, REFUSED, "volt-var: reactive power of point 4") \
	X(VV_OLRT_S, "vv_olrt_s", 1, 50, 10, 900, PROFILE, REFUSED, \
	  "volt-var: open-loop response time") \
	X(VV_VREF_PU, "vv_vref_pu", 3, 1000, 950, 1050, PROFILE, DEFAULT, \
	  "volt-var: reference voltage; the points are those for 1, and move with it") \
	X(VV_VREF_AUTO, "vv_vref_auto", 0, 0, 0, 1, PROFILE, DEFAULT, \
	  "volt-var: 1 makes the reference voltage follow the grid voltage") \
	X(VV_VREF_T_S, "vv_vref_t_s", 0, 300, 300, 5000, PROFILE, DEFAULT, \
	  "volt-var: time constant with which the reference voltage follows") \
	X(VW_ON, "vw_on", 0, 0, 0, 1, PROFILE, REFUSED, "volt-watt: 1 for on") \
	X(VW_V1_PU, "vw_v1_pu", 3, 1060, 1050, 1130, PROFILE, REFUSED, \
	  "volt-watt: voltage from which power falls") \
	X(VW_V2_PU, "vw_v2_pu", 3, 1100, 1060, 1150, PROFILE, REFUSED, \
	  "volt-watt: voltage at which it has fallen to vw_p2_pu") \
	X(VW_P2_PU, "vw_p2_pu", 3, 0, 0, 1000, PROFILE, REFUSED, "volt-watt: power at vw_v2_pu") \
	X(VW_OLRT_S, "vw_olrt_s", 1, 100, 5, 600, PROFILE, REFUSED, "volt-watt: open-loop response time") \
	X(DROOP_ON, "droop_on", 0, 0, 0, 1, PROFILE, REFUSED, "frequency droop: 1 for on") \
	X(DROOP_OF_DB_HZ, "droop_of_db_hz", 3, 36, 17, 2000, PROFILE, REFUSED, \
	  "frequency droop: deadband above nominal") \
	X(DROOP_UF_DB_HZ, "droop_uf_db_hz", 3, 36, 17, 4000, PROFILE, REFUSED, \
	  "frequency droop: deadband below nominal") \
	X(DROOP_OF_K_PU, "droop_of_k_pu", 3, 50, 20, 120, PROFILE, REFUSED, \
	  "frequency droop: change of frequency for rated power, above nominal") \
	X(DROOP_UF_K_PU, "droop_uf_k_pu", 3, 50, 20, 120, PROFILE, REFUSED, \
	  "frequency droop: change of frequency for rated power, below nominal") \
	X(DROOP_OLRT_S, "droop_olrt_s", 1, 50, 2, 100, PROFILE, REFUSED, \
	  "frequency droop: open-loop response time") \
	X(DROOP_REF, "droop_ref", 0, 0, 0, 1, PROFILE, DEFAULT, \
	  "frequency droop: power to which the slope refers, 0 rated, 1 the power before the event") \
	X(DROOP_HOLD_S, "droop_hold_s", 0, 0, 0, 500, PROFILE, DEFAULT, \
	  "frequency droop: time in the deadband until the lowest power above it ends, 0 for none") \
	X(V_NOM_V, "v_nom_v", 0, 240, 150, 280, PROFILE, REFUSED, "nominal grid voltage") \
	X(F_NOM_HZ, "f_nom_hz", 2, 6000, 5000, 6000, PROFILE, DEFAULT, "nominal grid frequency") \
	X(POWER_LIMIT_W, "power_limit_w", 0, 1200, 0, 1200, CONTROL, REFUSED, "active power limit") \
	X(PV_START_V, "pv_start_v", 1, 200, 180, 300, CONTROL, REFUSED, "PV voltage from which an input starts") \
	X(PV_MIN_V, "pv_min_v", 1, 160, 150, 220, CONTROL, REFUSED, "PV voltage below which an input stops") \
	X(PV_MAX_V, "pv_max_v", 1, 550, 480, 560, CONTROL, REFUSED, "PV voltage above which an input does not run") \
	X(PV_CURRENT_LIMIT_A, "pv_current_limit_a", 1, 120, 10, 120, CONTROL, REFUSED, "PV input current limit") \
	X(GFDI_LIMIT_MA, "gfdi_limit_ma", 0, 1000, 30, 1000, CONTROL, REFUSED, "ground current that latches GFDI") \
	X(DERATE_START_C, "derate_start_c", 0, 80, 50, 85, CONTROL, REFUSED, "case temperature where derating starts") \
	X(OVERTEMP_C, "overtemp_c", 0, 95, 60, 100, CONTROL, REFUSED, "case temperature that stops production") \
	X(HOST_TIMEOUT_S, "host_timeout_s", 1, 20, 5, 100, CONTROL, REFUSED, "silence after which the host is lost") \
	X(AI_GAIN_PCT, "ai_gain_pct", 0, 100, 50, 150, CONTROL, REFUSED, "strength of active island detection")
/* clang-format on */

/*
 * Pairs of parameters that would contradict each other. Columns: lower, upper,
 * gap; lower + gap <= upper must hold, in the scaled integers of both. The gaps of
 * the curves are those of IEEE 1547-2018, Tables 8, 9 and 10: a curve without a gap would have a
 * step, and the unit would oscillate there.
 */
/* clang-format off */
#define QS1_PARAM_ORDERS(X) \
	X(UV2_V_PU, UV1_V_PU, 0) \
	X(UV1_V_PU, ES_V_MIN_PU, 0) \
	X(ES_V_MAX_PU, OV1_V_PU, 0) \
	X(OV1_V_PU, OV2_V_PU, 0) \
	X(MC_LV_V_PU, ES_V_MIN_PU, 0) \
	X(ES_V_MAX_PU, MC_HV_V_PU, 0) \
	X(UF2_F_HZ, UF1_F_HZ, 0) \
	X(UF1_F_HZ, ES_F_MIN_HZ, 0) \
	X(ES_F_MAX_HZ, OF1_F_HZ, 0) \
	X(OF1_F_HZ, OF2_F_HZ, 0) \
	X(F_NOM_HZ, UF2_F_HZ, -1000) \
	X(F_NOM_HZ, ES_F_MIN_HZ, -500) \
	X(ES_F_MIN_HZ, F_NOM_HZ, 10) \
	X(ES_TRIP_F_MIN_HZ, F_NOM_HZ, 10) \
	X(F_NOM_HZ, ES_F_MAX_HZ, 10) \
	X(OF2_F_HZ, F_NOM_HZ, -600) \
	X(ES_TRIP_F_MAX_HZ, F_NOM_HZ, -600) \
	X(VV_V1_PU, VV_V2_PU, 20) \
	X(VV_V2_PU, VV_V3_PU, 0) \
	X(VV_V3_PU, VV_V4_PU, 20) \
	X(VV_Q2_PU, VV_Q1_PU, 0) \
	X(VV_Q3_PU, VV_Q2_PU, 0) \
	X(VV_Q4_PU, VV_Q3_PU, 0) \
	X(VW_V1_PU, VW_V2_PU, 10) \
	X(WV_P1_PU, WV_P2_PU, 100) \
	X(WV_P2_PU, WV_P3_PU, 100) \
	X(UV2_T_S, UV1_T_S, 0) \
	X(OV2_T_S, OV1_T_S, 0) \
	X(OF2_T_S, OF1_T_S, 0) \
	X(UF2_T_S, UF1_T_S, 0) \
	X(PV_MIN_V, PV_START_V, 0)
/* clang-format on */

enum qs1_param {
#define X(id, ...) QS1_PARAM_##id,
	QS1_PARAMS(X)
#undef X
		QS1_PARAM_COUNT
};

enum qs1_param_group {
	QS1_PARAM_GROUP_PROFILE,
	QS1_PARAM_GROUP_CONTROL,
};

/* Values of q_mode. */
enum qs1_q_mode {
	QS1_Q_MODE_NONE,
	QS1_Q_MODE_PF,
	QS1_Q_MODE_VOLT_VAR,
	QS1_Q_MODE_CONST,
	QS1_Q_MODE_WATT_VAR,
};

enum qs1_param_absent {
	QS1_PARAM_ABSENT_REFUSED,
	QS1_PARAM_ABSENT_DEFAULT,
};

#endif /* QS1_PARAMS_H */
