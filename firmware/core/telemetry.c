/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Measurements for the host: telemetry snapshot and waveform scan.
 */
#include "state.h"

static uint32_t status(const struct qs1_core *core)
{
	uint32_t s = core->fsm.state & QS1_STATUS_STATE_MASK;

	for (int n = 0; n < QS1_INPUTS; n++) {
		if (core->input[n].on)
			s |= 0x10u << n;
		if (core->input[n].mppt.tracking)
			s |= 0x10000u << n;
	}
	s |= core->bridge_on && !core->current.blank ? QS1_STATUS_BRIDGE : 0;
	s |= core->relay_on ? QS1_STATUS_RELAY : 0;
	s |= core->pll.locked ? QS1_STATUS_PLL_LOCKED : 0;
	s |= core->fsm.wait_ms ? QS1_STATUS_GRID_OK : 0;
	s |= core->fsm.armed ? QS1_STATUS_ARMED : 0;
	s |= core->protect.host_alive ? QS1_STATUS_HOST_ALIVE : 0;
	s |= core->fsm.self_test_ok ? QS1_STATUS_SELF_TEST_OK : 0;
	s |= core->fsm.bench ? QS1_STATUS_BENCH : 0;
	return s;
}

void qs1_core_telemetry(const struct qs1_core *core, struct qs1_telemetry *t)
{
	const struct qs1_meter *m = &core->meter;
	uint32_t delay = core->relay_on ? 0 : (uint32_t)core->service.delay_ms;

	t->status = status(core);
	t->ticks = core->ticks;
	t->faults_active = core->fsm.active;
	t->faults_latched = core->fsm.latched;
	for (int k = 0; k < QS1_FAULT_COUNT; k++)
		t->fault_count[k] = core->fault_count[k];
	for (int n = 0; n < QS1_INPUTS; n++) {
		const struct qs1_input *in = &core->input[n];

		/* 2.5 mV, 0.625 mA and 1.5625 uW a count */
		t->vpv_mv[n] = in->v_x16 * 5 / 32;
		t->ipv_ma[n] = in->i_x16 * 5 / 128;
		t->ppv_mw[n] = qs1_mulsh(in->p, 100, 6) / 1000;
		/* 1.5625 uW * 200 us: 3.2e6 a mJ */
		t->epv_mj[n] = qs1_divu(in->e_raw, 3200000u);
	}
	t->eac_mj = m->e_mj;
	t->vlink_mv = m->vlink_mv;
	t->vgrid_mv = m->vrms_mv;
	t->igrid_ma = m->irms_ma;
	t->p_mw = m->p_mw;
	t->q_mvar = m->q_mvar;
	t->f_mhz = (m->f_uhz + 500) / 1000;
	t->ignd_ma = core->protect.ground_x16 / 16 * QS1_LSB_IGND / 1000;
	t->tcase_mc = core->protect.tcase_mc;
	t->tstage_mc = core->protect.tstage_mc;
	t->enter_service_ms = core->fsm.wait_ms < delay ? (int32_t)(delay - core->fsm.wait_ms) : 0;
	/* sine of the error in micro-radian: 339 V is 1.738e7 v10 */
	t->pll_error_urad = qs1_mulsh(core->pll.err_v10, 1000000, 24);
	t->power_limit_mw = core->dclink.p_limit_mw;
	t->q_ref_mvar = core->support.q_mvar;
}

void qs1_core_scan(const struct qs1_core *core, const struct qs1_samples *in, struct qs1_scan *scan)
{
	scan->seq = (uint32_t)core->ticks;
	scan->status = status(core);
	scan->phase = core->pll.phase;
	for (int k = 0; k < QS1_SCAN_CHANNELS; k++)
		scan->ch[k] = in->adc[k];
}
