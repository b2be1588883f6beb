/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * AC metering: RMS values, power and frequency over one grid cycle, renewed
 * each half cycle.
 *
 * The fast path sums products; the slow path divides and takes roots. Windows
 * follow the PLL's phase, which runs on when the grid is gone, so that a lost
 * grid reads zero volts instead of nothing. Frequency is measured apart from
 * the PLL, from zero crossings of the resonator's in-phase output, which is
 * free of harmonics and offset.
 *
 * There are two frequencies. The trips judge single cycles: a phase jump shows
 * in those that contain it and in the resonator's settling, 40 ms in all, less
 * than any trip has to last. What is reported, and what grid support follows,
 * is a mean of three cycles that leaves such a jump out.
 */
#include "state.h"

/* Below 0.2 pu (3.5e6 v10) zero crossings mean nothing. */
#define AMP_MIN_V10 3500000

/*
 * A cycle that is off by more than 2.5 Hz is a phase jump until it has lasted:
 * the frequency keeps its value meanwhile.
 */
#define JUMP_UHZ 2500000
#define JUMP_TICKS (60 * QS1_TICKS_PER_MS)

void qs1_meter_step(struct qs1_core *core)
{
	struct qs1_meter *m = &core->meter;
	struct qs1_sums *s = &m->now;
	int32_t v = core->adc[QS1_ADC_VGRID];
	int32_t i = core->adc[QS1_ADC_IGRID];
	int32_t re_before = core->meter.re_last;
	int32_t re = core->pll.re_v10;

	m->re_last = re;
	s->vv += qs1_wide(v * v);
	s->ii += qs1_wide(i * i);
	s->vi += qs1_wide(v * i);
	s->qi += qs1_wide(qs1_asr(core->pll.im_v10, 10) * i);
	s->vlink += core->adc[QS1_ADC_VLINK];
	s->i += i;
	s->n++;

	if ((re ^ re_before) < 0) {
		m->crossed = true;
		m->cross_up = re >= 0;
		m->cross_before = re_before;
		m->cross_after = re;
		m->cross_tick = (uint32_t)core->ticks;
	}
	if (core->pll.half_cycle) {
		s->rest = core->pll.phase & 0x7fffffff;
		m->begin_rest = m->half[1].rest;
		m->half[1] = m->half[0];
		m->half[0] = *s;
		*s = (struct qs1_sums){ 0 };
		m->pending = QS1_METER_VV;
	}
}

/* Mean frequency of the last n cycles; the window is renewed each half cycle. */
static int32_t window_mean(const struct qs1_meter *m, int n)
{
	int64_t sum = 0;

	for (int k = 0; k < n; k++)
		sum += qs1_wide(m->f_window[k]);
	return (int32_t)qs1_div(sum, n);
}

static void frequency(struct qs1_core *core)
{
	struct qs1_meter *m = &core->meter;
	uint32_t now, period;
	int32_t f;

	m->crossed = false;
	/* Interpolate the crossing between the two samples. */
	now = (m->cross_tick << 16) -
	      (uint32_t)qs1_div(qs1_mul(m->cross_after, 65536), m->cross_after - m->cross_before);
	period = now - m->cross_q16[m->cross_up];
	m->cross_q16[m->cross_up] = now;
	if (m->crossings < 3) {
		m->crossings++;
		return;
	}
	/* 42 to 75 Hz, in 2^-16 control periods */
	if (period < QS1_CONTROL_HZ * 65536u / 75 || period > QS1_CONTROL_HZ * 65536u / 42)
		f = period < QS1_CONTROL_HZ * 65536u / 55 ? 75000000 : 42000000;
	else
		f = (int32_t)qs1_divu((uint64_t)QS1_CONTROL_HZ * 65536u * 1000000u, period);

	m->f_raw_uhz = f;
	if (!m->f_uhz || qs1_abs(f - m->f_uhz) > JUMP_UHZ) {
		if (m->f_uhz && m->cross_tick - m->f_tick < JUMP_TICKS)
			return;
		for (int k = 0; k < 6; k++)
			m->f_window[k] = f;
	}
	m->f_tick = m->cross_tick;
	m->f_cycle_uhz = f;
	m->f_window[m->f_index] = f;
	m->f_index = m->f_index == 5 ? 0 : m->f_index + 1;
	m->f_uhz = window_mean(m, 6);
}

/*
 * Length of the last two half cycles in 1/32 of a control period. A period is
 * 0.3 % of a cycle, and squares vanish at both ends: what counts is the time
 * between the crossings, not how many samples fell in between.
 */
static uint32_t window_q5(const struct qs1_core *core)
{
	const struct qs1_meter *m = &core->meter;
	int32_t ends = (int32_t)(m->begin_rest - m->half[0].rest);

	return ((m->half[0].n + m->half[1].n) << 5) +
	       (uint32_t)(ends / (int32_t)(qs1_pll_inc(&core->pll) >> 5));
}

/* Mean of a square over the last two half cycles, counts * 1024, and its root begun. */
static void begin_root(struct qs1_core *core, int64_t a, int64_t b)
{
	uint32_t n_q5 = window_q5(core);

	qs1_root_begin(&core->meter.root, n_q5 ? qs1_divu((uint64_t)(a + b) << 25, n_q5) : 0);
}

/* A mean product of two channels; one of counts is 10 uW. */
static int32_t mean_mw(const struct qs1_meter *m, int64_t a, int64_t b)
{
	uint32_t n = m->half[0].n + m->half[1].n;

	return n ? (int32_t)qs1_div(a + b, (int32_t)n) / 100 : 0;
}

/* A product of counts in a control period is 10 uW * 50 us: 2e6 are a mJ. */
static void count_energy(struct qs1_meter *m)
{
	uint64_t sum = m->e_rest + (m->half[0].vi > 0 ? (uint64_t)m->half[0].vi : 0);
	uint32_t mj = (uint32_t)qs1_divu(sum, 2000000u);

	m->e_mj += mj;
	m->e_rest = (uint32_t)sum - mj * 2000000u;
}

/*
 * Each half cycle leaves these steps, of which one is done at a time: none
 * carries more than one division of 64 bits, or half a root.
 */
static void evaluate(struct qs1_core *core)
{
	struct qs1_meter *m = &core->meter;
	const struct qs1_sums *a = &m->half[0], *b = &m->half[1];

	switch (m->pending) {
	case QS1_METER_VLINK:
		if (a->n)
			m->vlink_mv = (int32_t)qs1_div(qs1_mul(a->vlink, QS1_LSB_VLINK / 1000),
						       (int32_t)a->n);
		break;
	case QS1_METER_VV:
		begin_root(core, a->vv, b->vv);
		break;
	case QS1_METER_II:
		begin_root(core, a->ii, b->ii);
		break;
	case QS1_METER_V_ROOT:
	case QS1_METER_I_ROOT:
		qs1_root_run(&m->root, QS1_ROOT_STEPS / 2);
		break;
	case QS1_METER_V:
		qs1_root_run(&m->root, QS1_ROOT_STEPS / 2);
		/* counts * 1024 -> mV: 20 mV a count */
		m->vrms_mv = qs1_mulsh((int32_t)m->root.root, QS1_LSB_VGRID / 1000, 10);
		break;
	case QS1_METER_I:
		qs1_root_run(&m->root, QS1_ROOT_STEPS / 2);
		/* 0.5 mA a count */
		m->irms_ma = (int32_t)(m->root.root >> 11);
		break;
	case QS1_METER_P:
		m->p_mw = mean_mw(m, a->vi, b->vi);
		break;
	case QS1_METER_Q:
		m->q_mvar = mean_mw(m, a->qi, b->qi);
		break;
	case QS1_METER_E:
		count_energy(m);
		break;
	}
	m->pending = m->pending == QS1_METER_E ? QS1_METER_DONE : m->pending + 1;
}

/* Four times a millisecond: one piece of the work that a half cycle or a crossing left. */
void qs1_meter_slow(struct qs1_core *core)
{
	struct qs1_meter *m = &core->meter;

	if (!core->pll.alive || core->pll.amp_v10 < AMP_MIN_V10) {
		m->crossings = 0;
		m->f_uhz = 0;
		m->f_raw_uhz = 0;
		m->crossed = false;
	}
	if (m->crossed)
		frequency(core);
	else if (m->pending != QS1_METER_DONE)
		evaluate(core);
}
