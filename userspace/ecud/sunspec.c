// SPDX-License-Identifier: GPL-2.0-or-later
#include "sunspec.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#include "../lib/names.h"
#include "../lib/param.h"
#include "../lib/util.h"
#include "../lib/version.h"

#define PORTS MODEL_CHANNELS
#define MANUFACTURER "qs1"
/* Nominal voltage and current of the product sheet. */
#define NOMINAL_V 240.0
#define NOMINAL_A 5.0
#define NOMINAL_PF 0.9
#define DER_PV 4 /* of models 120 and 702 */
#define POINTS_OF_CURVE 4

enum type {
#define X(id, registers, none) TYPE_##id,
	SUNSPEC_TYPES(X)
#undef X
};

static const struct {
	uint8_t registers;
	uint64_t none;
} types[] = {
#define X(id, registers, none) [TYPE_##id] = { registers, none },
	SUNSPEC_TYPES(X)
#undef X
};

static const struct {
	int8_t factor[2]; /* of one inverter, of the site */
	int8_t shift;
} scales[SCALE_COUNT] = {
#define X(id, unit, site, shift) [SCALE_##id] = { { unit, site }, shift },
	SUNSPEC_SCALES(X)
#undef X
};

/**
 * struct point - a row
 * @value: a quantity, a grid parameter, or a text for a text type
 */
struct point {
	const char *name;
	uint8_t type;
	uint8_t scale;
	uint8_t value;
};

static_assert(SUNSPEC_VALUES <= UINT8_MAX + 1, "a point's value has 8 bits");

/* Kinds of points: a value, a grid parameter, not implemented, a scale factor. */
#define P(name, type, scale, value)                                                                \
	{                                                                                          \
		name, TYPE_##type, SCALE_##scale, Q_##value                                        \
	}
#define C(name, type, scale, param)                                                                \
	{                                                                                          \
		name, TYPE_##type, SCALE_##scale, SUNSPEC_PARAM(param)                             \
	}
#define N(name, type)                                                                              \
	{                                                                                          \
		name, TYPE_##type, SCALE_ONE, Q_NONE                                               \
	}
#define SF(name, scale)                                                                            \
	{                                                                                          \
		name, TYPE_SF, SCALE_##scale, Q_NONE                                               \
	}
#define T(name, type, text)                                                                        \
	{                                                                                          \
		name, TYPE_##type, SCALE_ONE, TEXT_##text                                          \
	}

/* clang-format off */
static const struct point common[] = {
	T("Mn", TEXT16, MANUFACTURER), T("Md", TEXT16, MODEL), T("Opt", TEXT8, NONE),
	T("Vr", TEXT8, VERSION), T("SN", TEXT16, SERIAL), P("DA", U16, ONE, ADDRESS), N("Pad", PAD),
};

static const struct point inverter[] = {
	P("A", U16, A, A), P("AphA", U16, A, A), N("AphB", U16), N("AphC", U16), SF("A_SF", A),
	P("PPVphAB", U16, V, LLV), N("PPVphBC", U16), N("PPVphCA", U16),
	P("PhVphA", U16, V, V), N("PhVphB", U16), N("PhVphC", U16), SF("V_SF", V),
	P("W", I16, W, W), SF("W_SF", W), P("Hz", U16, HZ16, HZ), SF("Hz_SF", HZ16),
	P("VA", I16, W, VA), SF("VA_SF", W), P("VAr", I16, W, VAR), SF("VAr_SF", W),
	P("PF", I16, PF, PF), SF("PF_SF", PF), P("WH", ACC32, WH, WH), SF("WH_SF", WH),
	P("DCA", U16, DCA, DCA), SF("DCA_SF", DCA), P("DCV", U16, DCV, DCV), SF("DCV_SF", DCV),
	P("DCW", I16, W, DCW), SF("DCW_SF", W),
	P("TmpCab", I16, TMP, TMP), N("TmpSnk", I16), N("TmpTrns", I16), N("TmpOt", I16),
	SF("Tmp_SF", TMP),
	P("St", E16, ONE, ST), N("StVnd", E16), P("Evt1", B32, ONE, ALARMS), P("Evt2", B32, ONE, ZERO),
	P("EvtVnd1", B32, ONE, ALARMS_VENDOR), N("EvtVnd2", B32), N("EvtVnd3", B32), N("EvtVnd4", B32),
};

static const struct point nameplate[] = {
	P("DERTyp", E16, ONE, DER_TYPE), P("WRtg", U16, W, RATED_W), SF("WRtg_SF", W),
	P("VARtg", U16, W, RATED_W), SF("VARtg_SF", W),
	P("VArRtgQ1", I16, W, RATED_VAR), N("VArRtgQ2", I16), N("VArRtgQ3", I16), N("VArRtgQ4", I16),
	SF("VArRtg_SF", W), P("ARtg", U16, A, RATED_A), SF("ARtg_SF", A),
	P("PFRtgQ1", I16, PF, RATED_PF), N("PFRtgQ2", I16), N("PFRtgQ3", I16), N("PFRtgQ4", I16),
	SF("PFRtg_SF", PF), N("WHRtg", U16), N("WHRtg_SF", SF), N("AhrRtg", U16), N("AhrRtg_SF", SF),
	N("MaxChaRte", U16), N("MaxChaRte_SF", SF), N("MaxDisChaRte", U16), N("MaxDisChaRte_SF", SF),
	N("Pad", PAD),
};

static const struct point settings[] = {
	P("WMax", U16, W, RATED_W), P("VRef", U16, V, RATED_V), P("VRefOfs", I16, V, ZERO),
	N("VMax", U16), N("VMin", U16), P("VAMax", U16, W, RATED_W),
	P("VArMaxQ1", I16, W, RATED_VAR), N("VArMaxQ2", I16), N("VArMaxQ3", I16), N("VArMaxQ4", I16),
	N("WGra", U16), P("PFMinQ1", I16, PF, RATED_PF), N("PFMinQ2", I16), N("PFMinQ3", I16),
	N("PFMinQ4", I16), N("VArAct", E16), N("ClcTotVA", E16), N("MaxRmpRte", U16),
	P("ECPNomHz", U16, HZ16, NOMINAL_HZ), N("ConnPh", E16),
	SF("WMax_SF", W), SF("VRef_SF", V), SF("VRefOfs_SF", V), N("VMinMax_SF", SF),
	SF("VAMax_SF", W), SF("VArMax_SF", W), N("WGra_SF", SF), SF("PFMin_SF", PF),
	N("MaxRmpRte_SF", SF), SF("ECPNomHz_SF", HZ16),
};

static const struct point status[] = {
	P("PVConn", B16, ONE, PV_CONN), P("StorConn", B16, ONE, ZERO), P("ECPConn", B16, ONE, ECP_CONN),
	P("ActWh", ACC64, ONE, WH), N("ActVAh", ACC64), N("ActVArhQ1", ACC64), N("ActVArhQ2", ACC64),
	N("ActVArhQ3", ACC64), N("ActVArhQ4", ACC64), N("VArAval", I16), N("VArAval_SF", SF),
	N("WAval", U16), N("WAval_SF", SF), N("StSetLimMsk", B32), P("StActCtl", B32, ONE, LIMIT_ENA),
	T("TmSrc", TEXT4, TIME_SOURCE), P("Tms", U32, ONE, SECONDS), N("RtSt", B16), N("Ris", U16),
	N("Ris_SF", SF),
};

static const struct point controls[] = {
	N("Conn_WinTms", U16), P("Conn_RvrtTms", U16, ONE, CONN_TMS), P("Conn", E16, ONE, CONN),
	P("WMaxLimPct", U16, PCT, LIMIT_PCT), N("WMaxLimPct_WinTms", U16),
	P("WMaxLimPct_RvrtTms", U16, ONE, LIMIT_TMS), N("WMaxLimPct_RmpTms", U16),
	P("WMaxLim_Ena", E16, ONE, LIMIT_ENA),
	N("OutPFSet", I16), N("OutPFSet_WinTms", U16), N("OutPFSet_RvrtTms", U16),
	N("OutPFSet_RmpTms", U16), P("OutPFSet_Ena", E16, ONE, ZERO),
	N("VArWMaxPct", I16), N("VArMaxPct", I16), N("VArAvalPct", I16), N("VArPct_WinTms", U16),
	N("VArPct_RvrtTms", U16), N("VArPct_RmpTms", U16), N("VArPct_Mod", E16),
	P("VArPct_Ena", E16, ONE, ZERO), SF("WMaxLimPct_SF", PCT), SF("OutPFSet_SF", PF),
	N("VArPct_SF", SF),
};

static const struct point mppt[] = {
	SF("DCA_SF", DCA), SF("DCV_SF", DCV), SF("DCW_SF", W), SF("DCWH_SF", WH), P("Evt", B32, ONE, ZERO),
	P("N", U16, ONE, DC_PORTS), N("TmsPer", U16),
};

static const struct point mppt_module[] = {
	P("ID", U16, ONE, PORT), T("IDStr", TEXT8, PORT), P("DCA", U16, DCA, DCA), P("DCV", U16, DCV, DCV),
	P("DCW", U16, W, DCW), P("DCWH", ACC32, WH, DCWH), N("Tms", U32), N("Tmp", I16), N("DCSt", E16),
	N("DCEvt", B32),
};

static const struct point measure_ac[] = {
	P("ACType", E16, ONE, AC_TYPE), P("St", E16, ONE, ON), P("InvSt", E16, ONE, INV_ST),
	P("ConnSt", E16, ONE, CONN_ST), P("Alrm", B32, ONE, ALARMS), P("DERMode", B32, ONE, MODE),
	P("W", I16, W, W), P("VA", I16, W, VA), P("Var", I16, W, VAR), P("PF", U16, PF, PF),
	P("A", I16, A, A), P("LLV", U16, V, LLV), P("LNV", U16, V, LNV), P("Hz", U32, HZ, HZ),
	P("TotWhInj", U64, WH, WH), N("TotWhAbs", U64), N("TotVarhInj", U64), N("TotVarhAbs", U64),
	N("TmpAmb", I16), P("TmpCab", I16, TMP, TMP), N("TmpSnk", I16), N("TmpTrns", I16), N("TmpSw", I16),
	N("TmpOt", I16),
	P("WL1", I16, W, PHASE_W_L1), N("VAL1", I16), N("VarL1", I16), N("PFL1", U16), N("AL1", I16),
	N("VL1L2", U16), N("VL1", U16), N("TotWhInjL1", U64), N("TotWhAbsL1", U64), N("TotVarhInjL1", U64),
	N("TotVarhAbsL1", U64),
	P("WL2", I16, W, PHASE_W_L2), N("VAL2", I16), N("VarL2", I16), N("PFL2", U16), N("AL2", I16),
	N("VL2L3", U16), N("VL2", U16), N("TotWhInjL2", U64), N("TotWhAbsL2", U64), N("TotVarhInjL2", U64),
	N("TotVarhAbsL2", U64),
	P("WL3", I16, W, PHASE_W_L3), N("VAL3", I16), N("VarL3", I16), N("PFL3", U16), N("AL3", I16),
	N("VL3L1", U16), N("VL3", U16), N("TotWhInjL3", U64), N("TotWhAbsL3", U64), N("TotVarhInjL3", U64),
	N("TotVarhAbsL3", U64),
	P("ThrotPct", U16, ONE, THROTTLE), P("ThrotSrc", B32, ONE, THROTTLE_SOURCE),
	SF("A_SF", A), SF("V_SF", V), SF("Hz_SF", HZ), SF("W_SF", W), SF("PF_SF", PF), SF("VA_SF", W),
	SF("Var_SF", W), SF("TotWh_SF", WH), N("TotVarh_SF", SF), SF("Tmp_SF", TMP),
	T("MnAlrmInfo", TEXT32, NONE),
};

static const struct point capacity[] = {
	P("WMaxRtg", U16, W, RATED_W), N("WOvrExtRtg", U16), N("WOvrExtRtgPF", U16), N("WUndExtRtg", U16),
	N("WUndExtRtgPF", U16), P("VAMaxRtg", U16, W, RATED_W), P("VarMaxInjRtg", U16, W, RATED_VAR),
	P("VarMaxAbsRtg", U16, W, RATED_VAR), N("WChaRteMaxRtg", U16), N("WDisChaRteMaxRtg", U16),
	N("VAChaRteMaxRtg", U16), N("VADisChaRteMaxRtg", U16), P("VNomRtg", U16, V, RATED_V),
	N("VMaxRtg", U16), N("VMinRtg", U16), P("AMaxRtg", U16, A, RATED_A),
	P("PFOvrExtRtg", U16, PF, RATED_PF), P("PFUndExtRtg", U16, PF, RATED_PF), N("ReactSusceptRtg", U16),
	P("NorOpCatRtg", E16, ONE, CATEGORY), N("AbnOpCatRtg", E16), P("CtrlModes", B32, ONE, CONTROL_MODES),
	N("IntIslandCatRtg", B16),
	P("WMax", U16, W, RATED_W), N("WMaxOvrExt", U16), N("WOvrExtPF", U16), N("WMaxUndExt", U16),
	N("WUndExtPF", U16), P("VAMax", U16, W, RATED_W), P("VarMaxInj", U16, W, RATED_VAR),
	P("VarMaxAbs", U16, W, RATED_VAR), N("WChaRteMax", U16), N("WDisChaRteMax", U16),
	N("VAChaRteMax", U16), N("VADisChaRteMax", U16), P("VNom", U16, V, RATED_V), N("VMax", U16),
	N("VMin", U16), P("AMax", U16, A, RATED_A), P("PFOvrExt", U16, PF, RATED_PF),
	P("PFUndExt", U16, PF, RATED_PF), N("IntIslandCat", B16),
	SF("W_SF", W), SF("PF_SF", PF), SF("VA_SF", W), SF("Var_SF", W), SF("V_SF", V), SF("A_SF", A),
	N("S_SF", SF),
};

static const struct point enter_service[] = {
	P("ES", E16, ONE, ENTER_SERVICE), C("ESVHi", U16, PU, ES_V_MAX_PU), C("ESVLo", U16, PU, ES_V_MIN_PU),
	C("ESHzHi", U32, HZ, ES_F_MAX_HZ), C("ESHzLo", U32, HZ, ES_F_MIN_HZ),
	C("ESDlyTms", U32, ONE, ES_DELAY_S), C("ESRndTms", U32, ONE, ES_RANDOM_S),
	C("ESRmpTms", U32, ONE, ES_RAMP_S), P("ESDlyRemTms", U32, ONE, ENTER_REMAINING),
	SF("V_SF", PU), SF("Hz_SF", HZ),
};

static const struct point controls_ac[] = {
	P("PFWInjEna", E16, ONE, PF_ENA), N("PFWInjEnaRvrt", E16), N("PFWInjRvrtTms", U32),
	N("PFWInjRvrtRem", U32), P("PFWAbsEna", E16, ONE, ZERO), N("PFWAbsEnaRvrt", E16),
	N("PFWAbsRvrtTms", U32), N("PFWAbsRvrtRem", U32),
	P("WMaxLimPctEna", E16, ONE, LIMIT_ENA), P("WMaxLimPct", U16, PCT, LIMIT_PCT),
	P("WMaxLimPctRvrt", U16, PCT, LIMIT_PCT_RVRT), P("WMaxLimPctEnaRvrt", E16, ONE, LIMIT_ENA_RVRT),
	P("WMaxLimPctRvrtTms", U32, ONE, LIMIT_TMS), P("WMaxLimPctRvrtRem", U32, ONE, LIMIT_REM),
	P("WSetEna", E16, ONE, ZERO), N("WSetMod", E16), N("WSet", I32), N("WSetRvrt", I32),
	N("WSetPct", I16), N("WSetPctRvrt", I16), N("WSetEnaRvrt", E16), N("WSetRvrtTms", U32),
	N("WSetRvrtRem", U32),
	P("VarSetEna", E16, ONE, VAR_ENA), P("VarSetMod", E16, ONE, OF_VA_MAX),
	P("VarSetPri", E16, ONE, VAR_FIRST), N("VarSet", I32), N("VarSetRvrt", I32),
	C("VarSetPct", I16, PU, CONST_Q_PU), N("VarSetPctRvrt", I16), N("VarSetEnaRvrt", E16),
	N("VarSetRvrtTms", U32), N("VarSetRvrtRem", U32),
	N("WRmp", U16), N("WRmpRef", E16), N("VarRmp", U16), P("AntiIslEna", E16, ONE, ANTI_ISLANDING),
	SF("PF_SF", PF), SF("WMaxLimPct_SF", PCT), N("WSet_SF", SF), N("WSetPct_SF", SF),
	N("VarSet_SF", SF), SF("VarSetPct_SF", PU),
	C("PFWInj_PF", U16, PF, PF), C("PFWInj_Ext", E16, ONE, PF_ABSORB), N("PFWInjRvrt_PF", U16), N("PFWInjRvrt_Ext", E16),
	N("PFWAbs_PF", U16), N("PFWAbs_Ext", E16), N("PFWAbsRvrt_PF", U16), N("PFWAbsRvrt_Ext", E16),
};

/* What the curve models 705, 706 and 712 begin with; two scale factors follow in 712, three before. */
#define CURVE_HEAD \
	P("AdptCrvReq", U16, ONE, ZERO), P("AdptCrvRslt", E16, ONE, ADOPTED), \
	P("NPt", U16, ONE, POINTS), P("NCrv", U16, ONE, CURVES), N("RvrtTms", U32), N("RvrtRem", U32), \
	N("RvrtCrv", U16)

static const struct point volt_var[] = {
	P("Ena", E16, ONE, VOLT_VAR_ENA), CURVE_HEAD, SF("V_SF", PU), SF("DeptRef_SF", PU), SF("RspTms_SF", TMS),
	P("ActPt", U16, ONE, VOLT_VAR_ACT), P("DeptRef", E16, ONE, OF_VA_MAX), P("Pri", E16, ONE, VAR_FIRST),
	C("VRef", U16, PU, VV_VREF_PU), N("VRefAuto", U16), C("VRefAutoEna", E16, ONE, VV_VREF_AUTO),
	C("VRefAutoTms", U16, ONE, VV_VREF_T_S), C("RspTms", U32, TMS, VV_OLRT_S),
	P("ReadOnly", E16, ONE, READ_ONLY),
	C("V1", U16, PU, VV_V1_PU), C("Var1", I16, PU, VV_Q1_PU), C("V2", U16, PU, VV_V2_PU),
	C("Var2", I16, PU, VV_Q2_PU), C("V3", U16, PU, VV_V3_PU), C("Var3", I16, PU, VV_Q3_PU),
	C("V4", U16, PU, VV_V4_PU), C("Var4", I16, PU, VV_Q4_PU),
};

static const struct point volt_watt[] = {
	C("Ena", E16, ONE, VW_ON), CURVE_HEAD, SF("V_SF", PU), SF("DeptRef_SF", PU), SF("RspTms_SF", TMS),
	P("ActPt", U16, ONE, VOLT_WATT_ACT), P("DeptRef", E16, ONE, ZERO), C("RspTms", U32, TMS, VW_OLRT_S),
	P("ReadOnly", E16, ONE, READ_ONLY),
	C("V1", U16, PU, VW_V1_PU), P("W1", I16, PU, FULL_PU), C("V2", U16, PU, VW_V2_PU),
	C("W2", I16, PU, VW_P2_PU), N("V3", U16), N("W3", I16), N("V4", U16), N("W4", I16),
};

static const struct point watt_var[] = {
	P("Ena", E16, ONE, WATT_VAR_ENA), CURVE_HEAD, SF("W_SF", PU), SF("DeptRef_SF", PU),
	P("ActPt", U16, ONE, WATT_VAR_ACT), P("DeptRef", E16, ONE, OF_VA_MAX), P("Pri", E16, ONE, VAR_FIRST),
	P("ReadOnly", E16, ONE, READ_ONLY),
	C("W1", I16, PU, WV_P1_PU), C("Var1", I16, PU, WV_Q1_PU), C("W2", I16, PU, WV_P2_PU),
	C("Var2", I16, PU, WV_Q2_PU), C("W3", I16, PU, WV_P3_PU), C("Var3", I16, PU, WV_Q3_PU),
	N("W4", I16), N("Var4", I16),
};

/*
 * Trip models: one set of three curves: must trip, may trip, momentary cessation. A point is a
 * threshold and the longest time beyond it; the inverter has two of each kind.
 */
#define TRIP_HEAD(sf, scale) \
	P("Ena", E16, ONE, TRIP_ENA), P("AdptCrvReq", U16, ONE, ZERO), P("AdptCrvRslt", E16, ONE, ADOPTED), \
	P("NPt", U16, ONE, POINTS), P("NCrvSet", U16, ONE, CURVES), SF(sf, scale), SF("Tms_SF", TMS), \
	P("ReadOnly", E16, ONE, READ_ONLY)
#define MUST_TRIP(type, scale, x1, t1, x2, t2) \
	P("MustTrip_ActPt", U16, ONE, TRIP_ACT), C("MustTrip_X1", type, scale, x1), \
	C("MustTrip_Tms1", U32, TMS, t1), C("MustTrip_X2", type, scale, x2), \
	C("MustTrip_Tms2", U32, TMS, t2), N("MustTrip_X3", type), N("MustTrip_Tms3", U32), \
	N("MustTrip_X4", type), N("MustTrip_Tms4", U32)
#define NO_CURVE(curve, type) \
	P(curve "_ActPt", U16, ONE, ZERO), N(curve "_X1", type), N(curve "_Tms1", U32), \
	N(curve "_X2", type), N(curve "_Tms2", U32), N(curve "_X3", type), N(curve "_Tms3", U32), \
	N(curve "_X4", type), N(curve "_Tms4", U32)
#define CESSATION(act, x1, t1) \
	P("MomCess_ActPt", U16, ONE, act), P("MomCess_X1", U16, PU, x1), P("MomCess_Tms1", U32, TMS, t1), \
	N("MomCess_X2", U16), N("MomCess_Tms2", U32), N("MomCess_X3", U16), N("MomCess_Tms3", U32), \
	N("MomCess_X4", U16), N("MomCess_Tms4", U32)

static const struct point trip_lv[] = {
	TRIP_HEAD("V_SF", PU), MUST_TRIP(U16, PU, UV1_V_PU, UV1_T_S, UV2_V_PU, UV2_T_S),
	NO_CURVE("MayTrip", U16), CESSATION(MC_LV_ACT, MC_LV_PU, MC_LV_S),
};

static const struct point trip_hv[] = {
	TRIP_HEAD("V_SF", PU), MUST_TRIP(U16, PU, OV1_V_PU, OV1_T_S, OV2_V_PU, OV2_T_S),
	NO_CURVE("MayTrip", U16), CESSATION(MC_HV_ACT, MC_HV_PU, MC_HV_S),
};

static const struct point trip_lf[] = {
	TRIP_HEAD("Hz_SF", HZ), MUST_TRIP(U32, HZ, UF1_F_HZ, UF1_T_S, UF2_F_HZ, UF2_T_S),
	NO_CURVE("MayTrip", U32), NO_CURVE("MomCess", U32),
};

static const struct point trip_hf[] = {
	TRIP_HEAD("Hz_SF", HZ), MUST_TRIP(U32, HZ, OF1_F_HZ, OF1_T_S, OF2_F_HZ, OF2_T_S),
	NO_CURVE("MayTrip", U32), NO_CURVE("MomCess", U32),
};

static const struct point freq_droop[] = {
	C("Ena", E16, ONE, DROOP_ON), P("AdptCtlReq", U16, ONE, ZERO), P("AdptCtlRslt", E16, ONE, ADOPTED),
	P("NCtl", U16, ONE, CURVES), N("RvrtTms", U32), N("RvrtRem", U32), N("RvrtCtl", U16),
	SF("Db_SF", HZ), SF("K_SF", DROOP), SF("RspTms_SF", TMS),
	C("DbOf", U32, HZ, DROOP_OF_DB_HZ), C("DbUf", U32, HZ, DROOP_UF_DB_HZ),
	C("KOf", U16, DROOP, DROOP_OF_K_PU), C("KUf", U16, DROOP, DROOP_UF_K_PU),
	C("RspTms", U32, TMS, DROOP_OLRT_S), N("PMin", I16), P("ReadOnly", E16, ONE, READ_ONLY),
};

static const struct point measure_dc[] = {
	P("PrtAlrms", B32, ONE, ZERO), P("NPrt", U16, ONE, DC_PORTS), P("DCA", I16, DCA, DCA),
	P("DCW", I16, W, DCW), P("DCWhInj", U64, WH, DCWH), N("DCWhAbs", U64),
	SF("DCA_SF", DCA), SF("DCV_SF", DCV), SF("DCW_SF", W), SF("DCWH_SF", WH), SF("Tmp_SF", TMP),
};

static const struct point measure_dc_port[] = {
	P("PrtTyp", E16, ONE, PORT_TYPE), P("ID", U16, ONE, PORT), T("IDStr", TEXT8, PORT),
	P("DCA", I16, DCA, DCA), P("DCV", U16, DCV, DCV), P("DCW", I16, W, DCW), P("DCWhInj", U64, WH, DCWH),
	N("DCWhAbs", U64), N("Tmp", I16), N("DCSta", E16), N("DCAlrm", B32),
};
/* clang-format on */

/**
 * struct sunspec_model - one model
 * @group: repeated for each input; NULL for none
 */
static const struct sunspec_model {
	uint16_t id;
	const struct point *point;
	size_t points;
	const struct point *group;
	size_t group_points;
} models[] = {
#define MODEL(id, table)                                                                           \
	{                                                                                          \
		id, table, ARRAY_SIZE(table), NULL, 0                                              \
	}
#define MODEL_PORTS(id, table, group)                                                              \
	{                                                                                          \
		id, table, ARRAY_SIZE(table), group, ARRAY_SIZE(group)                             \
	}
	MODEL(1, common),
	MODEL(101, inverter),
	MODEL(120, nameplate),
	MODEL(121, settings),
	MODEL(122, status),
	MODEL(123, controls),
	MODEL_PORTS(160, mppt, mppt_module),
	MODEL(701, measure_ac),
	MODEL(702, capacity),
	MODEL(703, enter_service),
	MODEL(704, controls_ac),
	MODEL(705, volt_var),
	MODEL(706, volt_watt),
	MODEL(707, trip_lv),
	MODEL(708, trip_hv),
	MODEL(709, trip_lf),
	MODEL(710, trip_hf),
	MODEL(711, freq_droop),
	MODEL(712, watt_var),
	MODEL_PORTS(714, measure_dc, measure_dc_port),
};

/* The walker. */

static size_t table_length(const struct point *point, size_t points)
{
	size_t n = 0;

	for (size_t i = 0; i < points; i++) {
		n += types[point[i].type].registers;
	}
	return n;
}

static size_t model_length(const struct sunspec_model *model)
{
	return table_length(model->point, model->points) +
	       PORTS * table_length(model->group, model->group_points);
}

size_t sunspec_length(void)
{
	size_t n = 2 + 2;

	for (size_t i = 0; i < ARRAY_SIZE(models); i++) {
		n += 2 + model_length(&models[i]);
	}
	return n;
}

/* Largest and smallest number of a type that is not "not implemented". */
static bool fits(uint8_t type, double number)
{
	switch (type) {
	case TYPE_I16:
		return number > -0x8000 && number <= 0x7fff;
	case TYPE_I32:
		return number > -0x80000000LL && number <= 0x7fffffff;
	case TYPE_U16:
	case TYPE_E16:
	case TYPE_B16:
		return number >= 0 && number < 0xffff;
	case TYPE_U64:
	case TYPE_ACC64:
		return number >= 0 && number < 0x1p63;
	default:
		return number >= 0 && number < 0xffffffff;
	}
}

static uint64_t number_of(const struct sunspec_device *device, const struct point *point,
			  const double *value)
{
	int factor = scales[point->scale].factor[device->site];
	double scaled;

	if (point->type == TYPE_SF && point->scale != SCALE_ONE) {
		return (uint16_t)factor;
	}
	if (point->value == Q_NONE) {
		return types[point->type].none;
	}
	scaled = round(value[point->value] * pow(10, scales[point->scale].shift - factor));
	if (point->type == TYPE_ACC32 && scaled >= 0) {
		/* An accumulator wraps. */
		return (uint64_t)scaled & 0xffffffff;
	}
	return !isnan(scaled) && fits(point->type, scaled) ? (uint64_t)(int64_t)scaled
							   : types[point->type].none;
}

static bool is_text(uint8_t type)
{
	return type >= TYPE_TEXT4;
}

static void put_text(const char *text, uint16_t *registers, size_t count)
{
	size_t length = strlen(text);

	for (size_t i = 0; i < count; i++) {
		uint8_t high = 2 * i < length ? text[2 * i] : 0;
		uint8_t low = 2 * i + 1 < length ? text[2 * i + 1] : 0;

		registers[i] = high << 8 | low;
	}
}

/* A port's text is its number. */
static const char *port_text(const double *value, char text[8])
{
	snprintf(text, 8, "PV%d", (int)value[Q_PORT]);
	return text;
}

/* Registers of a table; returns their end. */
static uint16_t *render_table(const struct sunspec_device *device, const struct point *point,
			      size_t points, const double *value, uint16_t *at)
{
	for (size_t i = 0; i < points; i++, point++) {
		size_t count = types[point->type].registers;

		if (is_text(point->type)) {
			char port[8];

			put_text(point->value == TEXT_PORT ? port_text(value, port)
							   : device->text[point->value],
				 at, count);
		} else {
			uint64_t number = number_of(device, point, value);

			for (size_t n = 0; n < count; n++) {
				at[n] = number >> 16 * (count - 1 - n);
			}
		}
		at += count;
	}
	return at;
}

void sunspec_render(const struct sunspec_device *device, uint16_t *registers)
{
	uint16_t *at = registers;

	put_text("SunS", at, 2);
	at += 2;
	for (size_t i = 0; i < ARRAY_SIZE(models); i++) {
		const struct sunspec_model *model = &models[i];

		*at++ = model->id;
		*at++ = model_length(model);
		at = render_table(device, model->point, model->points, device->value, at);
		for (int port = 0; port < PORTS && model->group; port++) {
			at = render_table(device, model->group, model->group_points,
					  device->port[port], at);
		}
	}
	*at++ = 0xffff;
	*at++ = 0;
}

int sunspec_find(uint16_t id, const char *name)
{
	int offset = 2;

	for (size_t i = 0; i < ARRAY_SIZE(models); i++) {
		const struct sunspec_model *model = &models[i];
		int at = offset + 2;

		for (size_t n = 0; n < model->points && model->id == id; n++) {
			if (!strcmp(model->point[n].name, name)) {
				return at;
			}
			at += types[model->point[n].type].registers;
		}
		offset += 2 + model_length(model);
	}
	return -ENOENT;
}

/* Values of devices. */

/* SunSpec operating state of ours. Columns: of models 101 and 701 (InvSt), on, connected. */
static const struct {
	uint8_t st;
	bool on;
	bool connected;
} states[QS1_STATE_COUNT] = {
	[QS1_STATE_OFF] = { 1, false, false },		[QS1_STATE_SELF_TEST] = { 3, false, false },
	[QS1_STATE_NIGHT] = { 2, false, false },	[QS1_STATE_WAITING] = { 8, false, false },
	[QS1_STATE_CONNECTING] = { 3, true, false },	[QS1_STATE_PRODUCING] = { 4, true, true },
	[QS1_STATE_DERATING] = { 5, true, true },	[QS1_STATE_CEASED] = { 8, true, true },
	[QS1_STATE_SHUTDOWN] = { 1, false, false },	[QS1_STATE_FAULT] = { 7, false, false },
	[QS1_STATE_GROUND_FAULT] = { 7, false, false },
};

/* Bits of Evt1 (101) and Alrm (701), which are the same, by fault code. */
static const uint8_t alarm_of_fault[QS1_FAULT_COUNT] = {
	[QS1_FAULT_GFDI] = 0,	    [QS1_FAULT_PV_OV] = 1,     [QS1_FAULT_RELAY] = 2,
	[QS1_FAULT_ISLAND] = 4,	    [QS1_FAULT_SHUTDOWN] = 6,  [QS1_FAULT_OVERTEMP] = 7,
	[QS1_FAULT_OF1] = 8,	    [QS1_FAULT_OF2] = 8,       [QS1_FAULT_UF1] = 9,
	[QS1_FAULT_UF2] = 9,	    [QS1_FAULT_OV1] = 10,      [QS1_FAULT_OV2] = 10,
	[QS1_FAULT_OV_MEAN] = 10,   [QS1_FAULT_TOV] = 10,      [QS1_FAULT_UV1] = 11,
	[QS1_FAULT_UV2] = 11,	    [QS1_FAULT_FIRMWARE] = 15, [QS1_FAULT_SENSOR] = 15,
	[QS1_FAULT_HOST_LOST] = 16, [QS1_FAULT_ROCOF] = 4,     [QS1_FAULT_PV_OC] = 16,
	[QS1_FAULT_AC_OC] = 16,
};

static uint32_t alarms_of(uint32_t faults)
{
	uint32_t alarms = 0;

	for (unsigned int fault = 0; fault < QS1_FAULT_COUNT; fault++) {
		bool is_alarm = alarm_of_fault[fault] || fault == QS1_FAULT_GFDI;

		if ((faults & QS1_FAULT_BIT(fault)) && is_alarm) {
			alarms |= 1u << alarm_of_fault[fault];
		}
	}
	return alarms;
}

/* Control modes of model 702, as bits. */
enum control_mode {
	MODE_MAX_W = 1 << 0,
	MODE_FIXED_VAR = 1 << 2,
	MODE_FIXED_PF = 1 << 3,
	MODE_VOLT_VAR = 1 << 4,
	MODE_FREQ_WATT = 1 << 5,
	MODE_LV_TRIP = 1 << 7,
	MODE_HV_TRIP = 1 << 8,
	MODE_WATT_VAR = 1 << 9,
	MODE_VOLT_WATT = 1 << 10,
	MODE_LF_TRIP = 1 << 12,
	MODE_HF_TRIP = 1 << 13,
	MODES_OF_OURS = MODE_MAX_W | MODE_FIXED_VAR | MODE_FIXED_PF | MODE_VOLT_VAR |
			MODE_FREQ_WATT | MODE_LV_TRIP | MODE_HV_TRIP | MODE_WATT_VAR |
			MODE_VOLT_WATT | MODE_LF_TRIP | MODE_HF_TRIP,
};

/* What each device has whatever it measures. */
static void fill_constants(struct sunspec_device *device, int units, int64_t now_ms)
{
	double *value = device->value;

	for (int q = 0; q < SUNSPEC_VALUES; q++) {
		value[q] = (double)NAN;
	}
	for (int port = 0; port < PORTS; port++) {
		for (int q = 0; q < Q_COUNT; q++) {
			device->port[port][q] = (double)NAN;
		}
		device->port[port][Q_PORT] = port + 1;
		device->port[port][Q_PORT_TYPE] = 0; /* photovoltaic */
	}
	value[Q_ZERO] = 0;
	value[Q_DC_PORTS] = PORTS;
	value[Q_DER_TYPE] = DER_PV;
	value[Q_RATED_W] = MODEL_RATED_W * units;
	value[Q_RATED_A] = NOMINAL_A * units;
	value[Q_RATED_V] = NOMINAL_V;
	value[Q_RATED_PF] = NOMINAL_PF;
	/* At rated apparent power and the smallest power factor. */
	value[Q_RATED_VAR] = round(value[Q_RATED_W] * sqrt(1 - NOMINAL_PF * NOMINAL_PF));
	value[Q_CATEGORY] = 1; /* category B */
	value[Q_CONTROL_MODES] = MODE_MAX_W;
	value[Q_POINTS] = POINTS_OF_CURVE;
	value[Q_CURVES] = 1;
	value[Q_READ_ONLY] = 1;
	value[Q_ADOPTED] = 1; /* the curve in force is the one that is shown */
	value[Q_ANTI_ISLANDING] = 1;
	value[Q_MODE] = 1; /* grid following */
	/* Seconds since 2000-01-01, as model 122 counts. */
	value[Q_SECONDS] = now_ms / 1000 - 946684800;
	snprintf(device->text[TEXT_MANUFACTURER], sizeof(device->text[0]), MANUFACTURER);
	snprintf(device->text[TEXT_VERSION], sizeof(device->text[0]), "%s", qs1_version);
	snprintf(device->text[TEXT_TIME_SOURCE], sizeof(device->text[0]), "RTC");
}

/* Grid parameters of an inverter; they stay unknown until they were read back. */
static void take_params(struct sunspec_device *device, const struct model_unit *unit)
{
	for (int id = 0; id < QS1_PARAM_COUNT && unit->params_ms; id++) {
		const struct qs1_param_desc *desc = qs1_param_desc(id);

		if (desc->group == QS1_PARAM_GROUP_PROFILE) {
			device->value[Q_COUNT + id] = unit->param[id] * pow(10, -desc->decimals);
		}
	}
}

/* A threshold of momentary cessation; at the end of its range it is off. */
static void fill_cessation(double *value, enum sunspec_quantity act, double pu, double off_pu)
{
	bool on = fabs(pu - off_pu) > 1e-6;

	value[act] = isnan(pu) || !on ? 0 : 1;
	/* Threshold and time follow: the inverter ceases at once. */
	value[act + 1] = on ? pu : (double)NAN;
	value[act + 2] = value[act] ? 0 : (double)NAN;
}

/* What follows from the grid parameters, of an inverter or of the site. */
static void fill_grid(struct sunspec_device *device)
{
	static const struct {
		enum sunspec_quantity quantity;
		int mode;
	} enables[] = {
		{ Q_PF_ENA, QS1_Q_MODE_PF },
		{ Q_VOLT_VAR_ENA, QS1_Q_MODE_VOLT_VAR },
		{ Q_VAR_ENA, QS1_Q_MODE_CONST },
		{ Q_WATT_VAR_ENA, QS1_Q_MODE_WATT_VAR },
	};
	double *value = device->value;
	double mode = value[SUNSPEC_PARAM(Q_MODE)];
	bool known = !isnan(mode);

	for (size_t i = 0; i < ARRAY_SIZE(enables) && known; i++) {
		value[enables[i].quantity] = mode == enables[i].mode;
	}
	value[Q_VOLT_VAR_ACT] = known ? 4 : 0;
	value[Q_VOLT_WATT_ACT] = known ? 2 : 0;
	value[Q_WATT_VAR_ACT] = known ? 3 : 0;
	value[Q_TRIP_ACT] = known ? 2 : 0;
	fill_cessation(value, Q_MC_LV_ACT, value[SUNSPEC_PARAM(MC_LV_V_PU)], 0);
	fill_cessation(value, Q_MC_HV_ACT, value[SUNSPEC_PARAM(MC_HV_V_PU)],
		       qs1_param_desc(QS1_PARAM_MC_HV_V_PU)->max / 1e3);
	if (known) {
		value[Q_TRIP_ENA] = 1;
		value[Q_OF_VA_MAX] = 3;
		value[Q_VAR_FIRST] = 1;
		value[Q_FULL_PU] = 1;
		value[Q_CONTROL_MODES] = MODES_OF_OURS;
	}
}

static void fill_control(struct sunspec_device *device, const struct sunspec_control *control,
			 uint64_t now_us)
{
	double *value = device->value;

	value[Q_LIMIT_ENA] = control->ena;
	value[Q_LIMIT_PCT] = control->pct / 10.0;
	value[Q_LIMIT_PCT_RVRT] = control->pct_rvrt / 10.0;
	value[Q_LIMIT_ENA_RVRT] = control->ena_rvrt;
	value[Q_LIMIT_TMS] = control->tms;
	value[Q_LIMIT_REM] = control->until_us > now_us ? ceil((control->until_us - now_us) / 1e6)
							: 0;
	value[Q_CONN] = control->conn;
	value[Q_CONN_TMS] = control->conn_tms;
}

/* Apparent power and power factor follow from the two powers. */
static void fill_derived(struct sunspec_device *device)
{
	double *value = device->value;
	double var = isnan(value[Q_VAR]) ? 0 : value[Q_VAR];

	value[Q_VA] = hypot(value[Q_W], var);
	value[Q_PF] = value[Q_VA] > 0 ? fabs(value[Q_W]) / value[Q_VA] : (double)NAN;
	if (isnan(value[Q_V])) {
		return;
	}
	value[Q_NOMINAL_HZ] = value[Q_HZ] < 55 ? 50 : 60;
}

/* Add to a sum whose NAN is "nothing so far". */
static void add(double *sum, double value)
{
	if (!isnan(value)) {
		*sum = isnan(*sum) ? value : *sum + value;
	}
}

static void fill_ports(struct sunspec_device *device, const struct model_unit *unit, bool live)
{
	for (int port = 0; port < PORTS; port++) {
		double *value = device->port[port];

		value[Q_DCWH] = unit->reading[READING_DC_ENERGY][port].value;
		add(&device->value[Q_DCWH], value[Q_DCWH]);
		if (!live) {
			continue;
		}
		value[Q_DCA] = unit->reading[READING_DC_I][port].value;
		value[Q_DCV] = unit->reading[READING_DC_V][port].value;
		value[Q_DCW] = unit->reading[READING_DC_P][port].value;
		add(&device->value[Q_DCA], value[Q_DCA]);
		add(&device->value[Q_DCW], value[Q_DCW]);
	}
}

static void fill_state(struct sunspec_device *device, const struct model_unit *unit, bool live)
{
	double *value = device->value;
	bool known = live && unit->state >= 0 && unit->state < QS1_STATE_COUNT;

	if (unit->link == LINK_ASLEEP) {
		value[Q_ST] = states[QS1_STATE_NIGHT].st;
		value[Q_ON] = 1;
		value[Q_CONN_ST] = 1;
	} else if (known) {
		value[Q_ST] = states[unit->state].st;
		value[Q_ON] = states[unit->state].on ? 2 : 1;
		value[Q_CONN_ST] = states[unit->state].connected ? 2 : 1;
		value[Q_ENTER_SERVICE] = unit->armed;
		value[Q_ENTER_REMAINING] = unit->reading[READING_ENTER_SERVICE][0].value;
	} else if (live) {
		/* Stock units do not report a state; their power shows it. */
		value[Q_ST] = value[Q_W] > 0 ? 4 : 8;
		value[Q_ON] = value[Q_W] > 0 ? 2 : 1;
		value[Q_CONN_ST] = value[Q_ON];
	}
	value[Q_INV_ST] = value[Q_ST];
	value[Q_PV_CONN] = live ? 3 : 0; /* connected, available */
	value[Q_ECP_CONN] = value[Q_CONN_ST] == 2;
	value[Q_ALARMS] = alarms_of(unit->faults_active | unit->faults_latched);
	value[Q_ALARMS_VENDOR] = unit->faults_active | unit->faults_latched;
	/* Percentage below rated power by a limit, and its source: 0 for none, bit 0 for a command.
	 */
	value[Q_THROTTLE] =
		isnan(unit->limit.desired_w)
			? 0
			: 100 - 100 * fmin(unit->limit.desired_w, MODEL_RATED_W) / MODEL_RATED_W;
	value[Q_THROTTLE_SOURCE] = isnan(unit->limit.desired_w) ? 0 : 1;
}

void sunspec_of_unit(const struct model_unit *unit, const struct sunspec_control *control,
		     uint64_t now_us, int64_t now_ms, struct sunspec_device *device)
{
	static const struct {
		enum sunspec_quantity quantity;
		enum reading_id reading;
	} measured[] = {
		{ Q_W, READING_POWER },	  { Q_VAR, READING_REACTIVE_POWER },
		{ Q_A, READING_GRID_I },  { Q_V, READING_GRID_V },
		{ Q_HZ, READING_GRID_F }, { Q_TMP, READING_TEMPERATURE },
	};
	bool live = unit->link == LINK_LIVE || unit->link == LINK_LATE;
	bool line_to_line = unit->phase >= PHASE_L1_L2;
	double *value = device->value;

	*device = (struct sunspec_device){ .site = false };
	fill_constants(device, 1, now_ms);
	for (size_t i = 0; i < ARRAY_SIZE(measured) && live; i++) {
		value[measured[i].quantity] = unit->reading[measured[i].reading][0].value;
	}
	value[line_to_line ? Q_LLV : Q_LNV] = value[Q_V];
	value[Q_WH] = unit->reading[READING_ENERGY][0].value;
	value[Q_AC_TYPE] = line_to_line ? 2 : 1;
	value[Q_ADDRESS] = unit->modbus_unit;
	fill_derived(device);
	fill_ports(device, unit, live);
	fill_state(device, unit, live);
	take_params(device, unit);
	fill_grid(device);
	fill_control(device, control, now_us);
	snprintf(device->text[TEXT_MODEL], sizeof(device->text[0]), "%s",
		 *unit->model ? unit->model : "QS1");
	serial_format(device->text[TEXT_SERIAL], &unit->serial);
}

/* The site has those grid parameters that all of its inverters share. */
static void share_params(struct sunspec_device *site, const struct sunspec_device *unit, bool first)
{
	for (int q = Q_COUNT; q < SUNSPEC_VALUES; q++) {
		if (first) {
			site->value[q] = unit->value[q];
		} else if (site->value[q] != unit->value[q]) {
			site->value[q] = (double)NAN;
		}
	}
}

/* The state of the site is the best of its units'. */
static int rank_of_state(double st)
{
	static const int rank[] = {
		[0] = 0, [1] = 2, [2] = 1, [3] = 4, [4] = 7, [5] = 6, [6] = 2, [7] = 3, [8] = 5
	};

	return isnan(st) ? 0 : rank[(int)st];
}

void sunspec_of_site(const struct snapshot *snapshot, const struct sunspec_control *control,
		     uint64_t now_us, int64_t now_ms, struct sunspec_device *device)
{
	const struct sunspec_control none = SUNSPEC_CONTROL_NONE;
	double *value = device->value;
	double volts = (double)NAN, hertz = (double)NAN;
	int measured = 0, ignored;
	uint32_t alarms = 0, vendor = 0;
	struct sunspec_device unit;

	*device = (struct sunspec_device){ .site = true };
	fill_constants(device, snapshot->units, now_ms);
	for (int i = 0; i < snapshot->units; i++) {
		sunspec_of_unit(&snapshot->unit[i], &none, now_us, now_ms, &unit);
		add(&value[Q_A], unit.value[Q_A]);
		add(&volts, unit.value[Q_V]);
		add(&hertz, unit.value[Q_HZ]);
		measured += !isnan(unit.value[Q_V]);
		alarms |= (uint32_t)unit.value[Q_ALARMS];
		vendor |= (uint32_t)unit.value[Q_ALARMS_VENDOR];
		if (rank_of_state(unit.value[Q_ST]) > rank_of_state(value[Q_ST])) {
			value[Q_ST] = unit.value[Q_ST];
			value[Q_ON] = unit.value[Q_ON];
			value[Q_CONN_ST] = unit.value[Q_CONN_ST];
		}
		share_params(device, &unit, i == 0);
		for (int port = 0; port < PORTS; port++) {
			add(&device->port[port][Q_DCA], unit.port[port][Q_DCA]);
			add(&device->port[port][Q_DCW], unit.port[port][Q_DCW]);
			add(&device->port[port][Q_DCWH], unit.port[port][Q_DCWH]);
		}
		add(&value[Q_DCA], unit.value[Q_DCA]);
		add(&value[Q_DCW], unit.value[Q_DCW]);
		add(&value[Q_DCWH], unit.value[Q_DCWH]);
	}
	value[Q_W] = snapshot->site[READING_SITE_POWER].value;
	value[Q_VAR] = snapshot->site[READING_SITE_REACTIVE_POWER].value;
	value[Q_WH] = snapshot->site[READING_SITE_ENERGY].value;
	value[Q_V] = value[Q_LNV] = measured ? volts / measured : (double)NAN;
	value[Q_HZ] = measured ? hertz / measured : (double)NAN;
	value[Q_PHASE_W_L1] = snapshot_phase_power(snapshot, PHASE_L1, &ignored);
	value[Q_PHASE_W_L2] = snapshot_phase_power(snapshot, PHASE_L2, &ignored);
	value[Q_PHASE_W_L3] = snapshot_phase_power(snapshot, PHASE_L3, &ignored);
	value[Q_AC_TYPE] = isnan(value[Q_PHASE_W_L3]) ? 1 : 3;
	value[Q_INV_ST] = value[Q_ST];
	value[Q_PV_CONN] = measured ? 3 : 0;
	value[Q_ECP_CONN] = value[Q_CONN_ST] == 2;
	value[Q_ALARMS] = alarms;
	value[Q_ALARMS_VENDOR] = vendor;
	value[Q_ADDRESS] = 1;
	fill_grid(device);
	fill_derived(device);
	fill_control(device, control, now_us);
	snprintf(device->text[TEXT_MODEL], sizeof(device->text[0]), "ECU");
	snprintf(device->text[TEXT_SERIAL], sizeof(device->text[0]), "%s", snapshot->ecu_id);
}

/* Writes. */

static int take_bool(uint32_t value, bool *ret)
{
	if (value > 1) {
		return -ERANGE;
	}
	*ret = value;
	return 0;
}

static int take_pct(uint32_t value, uint16_t *ret)
{
	if (value > 1000) {
		return -ERANGE;
	}
	*ret = value;
	return 0;
}

/* A day: what nobody has renewed by then is over. */
#define REVERT_MAX_S 86400

static int take_tms(uint32_t value, uint32_t *ret)
{
	if (value > REVERT_MAX_S) {
		return -ERANGE;
	}
	*ret = value;
	return 0;
}

static int put_ena(struct sunspec_control *control, uint32_t value)
{
	return take_bool(value, &control->ena);
}

static int put_pct(struct sunspec_control *control, uint32_t value)
{
	return take_pct(value, &control->pct);
}

static int put_pct_rvrt(struct sunspec_control *control, uint32_t value)
{
	return take_pct(value, &control->pct_rvrt);
}

static int put_ena_rvrt(struct sunspec_control *control, uint32_t value)
{
	return take_bool(value, &control->ena_rvrt);
}

static int put_tms(struct sunspec_control *control, uint32_t value)
{
	return take_tms(value, &control->tms);
}

static int put_conn(struct sunspec_control *control, uint32_t value)
{
	return take_bool(value, &control->conn);
}

static int put_conn_tms(struct sunspec_control *control, uint32_t value)
{
	control->conn_tms = value;
	return 0;
}

/* 0 and "not implemented": clients write a whole block, with ramp times that we do not have. */
static int put_nothing(struct sunspec_control *control, uint32_t value)
{
	(void)control;
	return value == 0 || value == 0xffff ? 0 : -ERANGE;
}

/* Points that a client may write. Columns: model, point, registers, effect. */
static const struct writable {
	uint16_t model;
	const char *name;
	uint8_t registers;
	int (*put)(struct sunspec_control *control, uint32_t value);
} writables[] = {
	{ 123, "Conn_WinTms", 1, put_nothing },
	{ 123, "Conn_RvrtTms", 1, put_conn_tms },
	{ 123, "Conn", 1, put_conn },
	{ 123, "WMaxLimPct", 1, put_pct },
	{ 123, "WMaxLimPct_WinTms", 1, put_nothing },
	{ 123, "WMaxLimPct_RvrtTms", 1, put_tms },
	{ 123, "WMaxLimPct_RmpTms", 1, put_nothing },
	{ 123, "WMaxLim_Ena", 1, put_ena },
	{ 704, "WMaxLimPctEna", 1, put_ena },
	{ 704, "WMaxLimPct", 1, put_pct },
	{ 704, "WMaxLimPctRvrt", 1, put_pct_rvrt },
	{ 704, "WMaxLimPctEnaRvrt", 1, put_ena_rvrt },
	{ 704, "WMaxLimPctRvrtTms", 2, put_tms },
};

/* The writable point that begins at an offset, or NULL. */
static const struct writable *writable_at(size_t offset)
{
	for (size_t i = 0; i < ARRAY_SIZE(writables); i++) {
		if (sunspec_find(writables[i].model, writables[i].name) == (int)offset) {
			return &writables[i];
		}
	}
	return NULL;
}

int sunspec_write(size_t offset, size_t count, const uint16_t *values,
		  struct sunspec_control *control)
{
	struct sunspec_control changed = *control;

	for (size_t i = 0; i < count;) {
		const struct writable *writable = writable_at(offset + i);
		uint32_t value;
		int ret;

		/* A point of two registers is written as a whole. */
		if (!writable || i + writable->registers > count) {
			return -EFAULT;
		}
		value = values[i];
		if (writable->registers == 2) {
			value = value << 16 | values[i + 1];
		}
		ret = writable->put(&changed, value);
		if (ret < 0) {
			return ret;
		}
		i += writable->registers;
	}
	*control = changed;
	return 0;
}
