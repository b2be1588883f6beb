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
