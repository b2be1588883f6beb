/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Mean of the voltage over the last ten minutes, as EN 50549-1 (4.9.3.4) and the
 * codes that follow it judge it: the root of the mean square, sliding, and new
 * each second where they ask for three.
 *
 * Fifty bins hold 12 s each. The present one takes the place of the oldest as far
 * as it has come.
 */
#include "state.h"

#define BIN_CALLS (12000 / QS1_MEAN_MS)
/* The root is taken each 1.024 s. */
#define ROOT_MS 1024
/* A square is (mV)^2 / 2^22: 489 V at the most, so that the sums below fit 32 bits. */
#define SQUARE_BITS 22
#define SQUARE_MAX 57000

static void fill(struct qs1_mean *m, uint16_t square)
{
	for (int k = 0; k < QS1_MEAN_BINS; k++)
		m->bin[k] = square;
	m->bins = (uint32_t)square * QS1_MEAN_BINS;
	m->begun = true;
}

/* Each QS1_MEAN_MS. */
void qs1_mean_step(struct qs1_core *core)
{
	struct qs1_mean *m = &core->mean;
	int32_t v = core->meter.vrms_mv;
	uint32_t square = (uint32_t)qs1_clamp(qs1_mulsh(v, v, SQUARE_BITS), 0, SQUARE_MAX);
	uint32_t mean;

	/* Before the first voltage there is nothing to take a mean of. */
	if (!m->begun && !core->pll.locked)
		return;
	if (!m->begun)
		fill(m, (uint16_t)square);
	m->sum += square;
	if (++m->n == BIN_CALLS) {
		m->n = 0;
		m->bins -= m->bin[m->oldest];
		m->bin[m->oldest] = (uint16_t)(m->sum / BIN_CALLS);
		m->bins += m->bin[m->oldest];
		m->oldest = m->oldest + 1 == QS1_MEAN_BINS ? 0 : m->oldest + 1;
		m->sum = 0;
	}
	if (core->frame & (ROOT_MS - 1))
		return;
	mean = (m->bins * BIN_CALLS - m->bin[m->oldest] * (uint32_t)m->n + m->sum) /
	       (QS1_MEAN_BINS * BIN_CALLS);
	/* the root of 2^16 times as much, in 2^(22/2 - 16/2) mV */
	m->v_mv = (int32_t)qs1_isqrt32(mean << 16) * 8;
}
