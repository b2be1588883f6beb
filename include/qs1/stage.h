/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Component values of the power stage that the control needs to know. Their
 * derivation is in Documentation/power-stage.md.
 *
 * Each input is a two-phase interleaved flyback in discontinuous conduction at
 * 100 kHz. With on-time fraction D it draws i = V D^2 / (Lp f): a conductance
 * D^2 / (Lp f), whatever the DC link does. It stays discontinuous while
 * D V < (1 - D) Vlink / N.
 */
#ifndef QS1_STAGE_H
#define QS1_STAGE_H

#define QS1_STAGE_LP_NH 8000 /* magnetising inductance of one phase, nH */
#define QS1_STAGE_PHASES 2
#define QS1_STAGE_FSW_HZ 100000	 /* switching frequency of one phase */
#define QS1_STAGE_TURNS_X100 667 /* secondary turns per primary turn, times 100 */
#define QS1_STAGE_CIN_UF 1000	 /* input capacitor */
#define QS1_LINK_C_UF 470	 /* DC link */
#define QS1_LINK_V 400		 /* nominal DC-link voltage */
#define QS1_FILTER_L1_UH 3000	 /* bridge side */
#define QS1_FILTER_L2_UH 600	 /* grid side */
#define QS1_FILTER_C_NF 680	 /* filter capacitor */
#define QS1_FILTER_CD_NF 680	 /* damping branch: capacitor */
#define QS1_FILTER_RD_OHM 47	 /* damping branch: resistor in series with it */
#define QS1_RELAY_OPEN_MS 8	 /* longest opening time */
#define QS1_RELAY_CLOSE_MS 10	 /* longest closing time */
#define QS1_GRID_V 240
#define QS1_GRID_HZ 60
#define QS1_RATED_W 1200 /* at QS1_GRID_V and above */
#define QS1_RATED_A 5	 /* at every voltage: below QS1_GRID_V the power is less */

#endif /* QS1_STAGE_H */
