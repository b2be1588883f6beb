/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Every parameter of the firmware in one table: the grid profile and the
 * controller. The unit is the last part of the name. A value crosses the
 * contract as a signed 32-bit integer, value * 10^decimals. The firmware checks
 * each value against this range again; Linux can not widen it.
 *
 * Columns: identifier, name, decimals, default, minimum, maximum, group, text.
 * Default, minimum and maximum are the scaled integers. Group PROFILE is part
 * of a grid profile and must be named in each profile file; group CONTROL has
 * its own life (limits, calibration) and keeps its value when a profile is
 * applied. Defaults of the PROFILE group are those of the profile "note1".
 *
 * Trip functions: clearing times are maxima and include the opening time of
 * the relay (IEEE 1547-2018, 6.4.1).
 *
 * Grid support: ranges are those of IEEE 1547-2018 Category B, Table 8
 * (volt-var), Table 24 (frequency droop) and Table 31 (volt-watt). Reactive
 * power is per unit of rated apparent power, and positive when injected
 * (over-excited).
 */
#ifndef QS1_PARAMS_H
#define QS1_PARAMS_H

/* clang-format off */
#define QS1_PARAMS(X) \
	X(UV1_V_PU, "uv1_v_pu", 3, 880, 0, 950, PROFILE, "UV1 voltage threshold") \
	X(UV1_T_S, "uv1_t_s", 2, 100, 16, 5000, PROFILE, "UV1 clearing time") \
	X(UV2_V_PU, "uv2_v_pu", 3, 500, 0, 880, PROFILE, "UV2 voltage threshold") \
	X(UV2_T_S, "uv2_t_s", 2, 16, 16, 2100, PROFILE, "UV2 clearing time") \
	X(OV1_V_PU, "ov1_v_pu", 3, 1100, 1050, 1200, PROFILE, "OV1 voltage threshold") \
	X(OV1_T_S, "ov1_t_s", 2, 100, 16, 1300, PROFILE, "OV1 clearing time") \
	X(OV2_V_PU, "ov2_v_pu", 3, 1200, 1100, 1200, PROFILE, "OV2 voltage threshold") \
	X(OV2_T_S, "ov2_t_s", 2, 16, 16, 100, PROFILE, "OV2 clearing time") \
	X(OF1_F_HZ, "of1_f_hz", 2, 6050, 6010, 6600, PROFILE, "OF1 frequency threshold") \
	X(OF1_T_S, "of1_t_s", 2, 16, 16, 100000, PROFILE, "OF1 clearing time") \
	X(OF2_F_HZ, "of2_f_hz", 2, 6600, 6010, 6600, PROFILE, "OF2 frequency threshold") \
	X(OF2_T_S, "of2_t_s", 2, 16, 16, 100000, PROFILE, "OF2 clearing time") \
	X(UF1_F_HZ, "uf1_f_hz", 2, 5930, 5000, 5990, PROFILE, "UF1 frequency threshold") \
	X(UF1_T_S, "uf1_t_s", 2, 16, 16, 100000, PROFILE, "UF1 clearing time") \
	X(UF2_F_HZ, "uf2_f_hz", 2, 5000, 5000, 5990, PROFILE, "UF2 frequency threshold") \
	X(UF2_T_S, "uf2_t_s", 2, 16, 16, 100000, PROFILE, "UF2 clearing time") \
	X(MC_LV_V_PU, "mc_lv_v_pu", 3, 0, 0, 500, PROFILE, \
	  "momentary cessation below this voltage, 0 for none") \
	X(MC_HV_V_PU, "mc_hv_v_pu", 3, 1400, 1100, 1400, PROFILE, \
	  "momentary cessation above this voltage, 1.4 for none") \
	X(ES_V_MIN_PU, "es_v_min_pu", 3, 880, 850, 950, PROFILE, "enter service: lowest voltage") \
	X(ES_V_MAX_PU, "es_v_max_pu", 3, 1100, 1050, 1100, PROFILE, "enter service: highest voltage") \
	X(ES_F_MIN_HZ, "es_f_min_hz", 2, 5930, 5500, 5990, PROFILE, "enter service: lowest frequency") \
	X(ES_F_MAX_HZ, "es_f_max_hz", 2, 6050, 6010, 6500, PROFILE, "enter service: highest frequency") \
	X(ES_DELAY_S, "es_delay_s", 0, 120, 0, 600, PROFILE, "enter service: time in range before start") \
	X(ES_RAMP_S, "es_ramp_s", 0, 2, 1, 1000, PROFILE, "enter service: ramp from zero to rated power") \
	X(ROCOF_HZ_S, "rocof_hz_s", 1, 100, 35, 100, PROFILE, \
	  "island detection: rate of change of frequency, 10 for none") \
	X(MC_RETURN_S, "mc_return_s", 2, 40, 30, 1000, PROFILE, \
	  "momentary cessation: 80 % of the power before is back after this time in range") \
	X(Q_MODE, "q_mode", 0, 0, 0, 2, PROFILE, \
	  "reactive power: 0 none, 1 constant power factor, 2 volt-var") \
	X(PF, "pf", 3, 1000, 900, 1000, PROFILE, "constant power factor") \
	X(PF_ABSORB, "pf_absorb", 0, 0, 0, 1, PROFILE, \
	  "constant power factor: 0 injects reactive power, 1 absorbs it") \
	X(VV_V1_PU, "vv_v1_pu", 3, 920, 770, 1030, PROFILE, "volt-var: voltage of point 1") \
	X(VV_V2_PU, "vv_v2_pu", 3, 980, 920, 1050, PROFILE, "volt-var: voltage of point 2") \
	X(VV_V3_PU, "vv_v3_pu", 3, 1020, 950, 1080, PROFILE, "volt-var: voltage of point 3") \
	X(VV_V4_PU, "vv_v4_pu", 3, 1080, 970, 1230, PROFILE, "volt-var: voltage of point 4") \
	X(VV_Q1_PU, "vv_q1_pu", 3, 440, 0, 440, PROFILE, \
	  "volt-var: reactive power of point 1, positive is injected") \
	X(VV_Q2_PU, "vv_q2_pu", 3, 0, -440, 440, PROFILE, "volt-var: reactive power of point 2") \
	X(VV_Q3_PU, "vv_q3_pu", 3, 0, -440, 440, PROFILE, "volt-var: reactive power of point 3") \
	X(VV_Q4_PU, "vv_q4_pu", 3, -440, -440, 0, PROFILE, "volt-var: reactive power of point 4") \
	X(VV_OLRT_S, "vv_olrt_s", 1, 50, 10, 900, PROFILE, \
	  "volt-var and constant power factor: open-loop response time") \
	X(VW_ON, "vw_on", 0, 0, 0, 1, PROFILE, "volt-watt: 1 for on") \
	X(VW_V1_PU, "vw_v1_pu", 3, 1060, 1050, 1090, PROFILE, \
	  "volt-watt: voltage from which power falls") \
	X(VW_V2_PU, "vw_v2_pu", 3, 1100, 1060, 1100, PROFILE, \
	  "volt-watt: voltage at which it has fallen to vw_p2_pu") \
	X(VW_P2_PU, "vw_p2_pu", 3, 0, 0, 1000, PROFILE, "volt-watt: power at vw_v2_pu") \
	X(VW_OLRT_S, "vw_olrt_s", 1, 100, 5, 600, PROFILE, "volt-watt: open-loop response time") \
	X(DROOP_ON, "droop_on", 0, 0, 0, 1, PROFILE, "frequency droop: 1 for on") \
	X(DROOP_OF_DB_HZ, "droop_of_db_hz", 3, 36, 17, 1000, PROFILE, \
	  "frequency droop: deadband above nominal") \
	X(DROOP_UF_DB_HZ, "droop_uf_db_hz", 3, 36, 17, 1000, PROFILE, \
	  "frequency droop: deadband below nominal") \
	X(DROOP_OF_K_PU, "droop_of_k_pu", 3, 50, 20, 50, PROFILE, \
	  "frequency droop: change of frequency for rated power, above nominal") \
	X(DROOP_UF_K_PU, "droop_uf_k_pu", 3, 50, 20, 50, PROFILE, \
	  "frequency droop: change of frequency for rated power, below nominal") \
	X(DROOP_OLRT_S, "droop_olrt_s", 1, 50, 2, 100, PROFILE, \
	  "frequency droop: open-loop response time") \
	X(V_NOM_V, "v_nom_v", 0, 240, 150, 280, PROFILE, "nominal grid voltage") \
	X(POWER_LIMIT_W, "power_limit_w", 0, 1200, 0, 1200, CONTROL, "active power limit") \
	X(PV_START_V, "pv_start_v", 1, 200, 180, 300, CONTROL, "PV voltage from which an input starts") \
	X(PV_MIN_V, "pv_min_v", 1, 160, 150, 220, CONTROL, "PV voltage below which an input stops") \
	X(PV_MAX_V, "pv_max_v", 1, 550, 480, 560, CONTROL, "PV voltage above which an input does not run") \
	X(PV_CURRENT_LIMIT_A, "pv_current_limit_a", 1, 120, 10, 120, CONTROL, "PV input current limit") \
	X(GFDI_LIMIT_MA, "gfdi_limit_ma", 0, 1000, 30, 1000, CONTROL, "ground current that latches GFDI") \
	X(DERATE_START_C, "derate_start_c", 0, 80, 50, 85, CONTROL, "case temperature where derating starts") \
	X(OVERTEMP_C, "overtemp_c", 0, 95, 60, 100, CONTROL, "case temperature that stops production") \
	X(HOST_TIMEOUT_S, "host_timeout_s", 1, 20, 5, 100, CONTROL, "silence after which the host is lost") \
	X(AI_GAIN_PCT, "ai_gain_pct", 0, 100, 50, 150, CONTROL, "strength of active island detection")
/* clang-format on */

/*
 * Pairs of parameters that would contradict each other in the wrong order.
 * Columns: lower, upper; lower <= upper must hold.
 */
/* clang-format off */
#define QS1_PARAM_ORDERS(X) \
	X(UV2_V_PU, UV1_V_PU) \
	X(UV1_V_PU, ES_V_MIN_PU) \
	X(ES_V_MAX_PU, OV1_V_PU) \
	X(OV1_V_PU, OV2_V_PU) \
	X(MC_LV_V_PU, UV1_V_PU) \
	X(ES_V_MAX_PU, MC_HV_V_PU) \
	X(UF2_F_HZ, UF1_F_HZ) \
	X(UF1_F_HZ, ES_F_MIN_HZ) \
	X(ES_F_MAX_HZ, OF1_F_HZ) \
	X(OF1_F_HZ, OF2_F_HZ) \
	X(VV_V1_PU, VV_V2_PU) \
	X(VV_V2_PU, VV_V3_PU) \
	X(VV_V3_PU, VV_V4_PU) \
	X(VV_Q2_PU, VV_Q1_PU) \
	X(VV_Q3_PU, VV_Q2_PU) \
	X(VV_Q4_PU, VV_Q3_PU) \
	X(VW_V1_PU, VW_V2_PU) \
	X(UV2_T_S, UV1_T_S) \
	X(OV2_T_S, OV1_T_S) \
	X(OF2_T_S, OF1_T_S) \
	X(UF2_T_S, UF1_T_S) \
	X(PV_MIN_V, PV_START_V)
/* clang-format on */

enum qs1_param {
#define X(id, name, dec, def, min, max, group, text) QS1_PARAM_##id,
	QS1_PARAMS(X)
#undef X
		QS1_PARAM_COUNT
};

enum qs1_param_group {
	QS1_PARAM_GROUP_PROFILE,
	QS1_PARAM_GROUP_CONTROL,
};

#endif /* QS1_PARAMS_H */
