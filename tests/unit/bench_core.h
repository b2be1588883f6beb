/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Test bench of the core: an ideal grid and ideal modules, a link whose voltage no
 * power changes, and a bridge that drives its current through the inductance of the
 * filter. It tests the core's decisions on given samples; closed loops with a power
 * stage are tested with the plant. Converters have no noise; the link has a ripple of
 * 1 V and the ground current a leakage of 1 mA.
 */
#ifndef BENCH_CORE_H
#define BENCH_CORE_H

#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#include "state.h"

/* of the filter, between bridge and grid */
#define BENCH_OHM 0.6
#define BENCH_HENRY 3.6e-3

struct bench {
	struct qs1_core core;
	struct qs1_samples in;
	struct qs1_outputs out;
	double v_pu;
	double f_hz;
	double phase;
	double pv_v;
	double ground_a;
	double link_v;
	double case_c;
	double v_before;
	double i_a;
	double offset_a;
	bool host_alive;
	bool relay_welded;
};

static inline void bench_init(struct bench *b)
{
	memset(b, 0, sizeof(*b));
	qs1_core_init(&b->core);
	b->v_pu = 1;
	b->f_hz = 60;
	b->pv_v = 40;
	b->link_v = 405;
	b->case_c = 25;
	b->host_alive = true;
	b->in.estop_n = true;
}

static inline void bench_step(struct bench *b)
{
	double v = b->v_pu * 240 * sqrt(2) * sin(2 * M_PI * b->phase);
	double bridge_v = b->link_v * b->out.cmp_bridge / QS1_PWM_BRIDGE_HALF;
	bool closed = b->out.relay || b->relay_welded;

	b->i_a += (bridge_v - (v + b->v_before) / 2 - BENCH_OHM * b->i_a) /
		  (BENCH_HENRY * QS1_CONTROL_HZ);
	if (!b->out.bridge || !closed)
		b->i_a = 0;
	b->v_before = v;

	b->phase += b->f_hz / QS1_CONTROL_HZ;
	for (int n = 0; n < QS1_INPUTS; n++)
		b->in.adc[QS1_ADC_VPV1 + n] = (int16_t)lrint(b->pv_v / 0.0025);
	b->in.adc[QS1_ADC_VLINK] = (int16_t)lrint((b->link_v + sin(4 * M_PI * b->phase)) / 0.02);
	b->in.adc[QS1_ADC_VGRID] = (int16_t)lrint(v / 0.02);
	b->in.adc[QS1_ADC_VINV] = closed ? b->in.adc[QS1_ADC_VGRID] : 0;
	b->in.adc[QS1_ADC_IGRID] = (int16_t)lrint((b->i_a + b->offset_a) / 0.0005);
	b->in.adc[QS1_ADC_IGND] =
		(int16_t)lrint((b->ground_a + 1e-3 * sin(2 * M_PI * b->phase)) / 0.000125);
	b->in.adc[QS1_ADC_VREF] = QS1_VREF_COUNT;
	b->in.adc[QS1_ADC_TCASE] = (int16_t)lrint(b->case_c / 0.01);
	b->in.adc[QS1_ADC_TSTAGE] = b->in.adc[QS1_ADC_TCASE];
	if (b->host_alive && b->core.ticks % 2000 == 0)
		b->in.host_heartbeat++;
	qs1_core_step(&b->core, &b->in, &b->out);
}

static inline void bench_run(struct bench *b, double seconds)
{
	for (long n = lround(seconds * QS1_CONTROL_HZ); n > 0; n--)
		bench_step(b);
}

/* Send a command; the reply value goes to *value unless NULL. */
static inline uint32_t bench_command(struct bench *b, uint32_t op, uint32_t arg, int32_t value)
{
	int32_t ret;

	return qs1_core_command(&b->core, op, arg, value, &ret);
}

/* Run until a state is reached; returns the time it took, or fails. */
static inline double bench_until(struct bench *b, enum qs1_state state, double limit_s)
{
	uint64_t start = b->core.ticks;

	while (b->core.fsm.state != state) {
		if (b->core.ticks - start > limit_s * QS1_CONTROL_HZ)
			fail_msg("state %d after %g s, expected %d", b->core.fsm.state, limit_s,
				 state);
		bench_step(b);
	}
	return (double)(b->core.ticks - start) / QS1_CONTROL_HZ;
}

static inline void bench_produce(struct bench *b)
{
	bench_init(b);
	assert_int_equal(bench_command(b, QS1_OP_SET_PARAM, QS1_PARAM_ES_DELAY_S, 0), QS1_OK);
	assert_int_equal(bench_command(b, QS1_OP_ARM, 0, 0), QS1_OK);
	bench_until(b, QS1_STATE_PRODUCING, 3);
}

#endif /* BENCH_CORE_H */
