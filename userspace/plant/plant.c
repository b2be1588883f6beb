// SPDX-License-Identifier: GPL-2.0-only
#include "plant.h"

#include <math.h>
#include <string.h>

#include "module.h"
#include "sensor.h"

#define CIN_F (QS1_STAGE_CIN_UF * 1e-6)
#define CLINK_F (QS1_LINK_C_UF * 1e-6)
#define LP_H (QS1_STAGE_LP_NH * 1e-9)
#define TURNS (QS1_STAGE_TURNS_X100 / 100.0)
#define TSW_S (1.0 / QS1_STAGE_FSW_HZ)
#define SW_PERIODS ((int)(QS1_STAGE_FSW_HZ / QS1_CONTROL_HZ))

/* In discontinuous conduction an input is a conductance D^2 times this. */
#define STAGE_S (QS1_STAGE_PHASES / (2 * LP_H * QS1_STAGE_FSW_HZ))

#define BLEED_IN_S (1 / PLANT_BLEED_IN_OHM)
#define BLEED_LINK_S (1 / PLANT_BLEED_LINK_OHM)

/* The curve is expanded again when the voltage has left this range. */
#define EXPAND_V 0.05

/* Ripple current of the bridge within which its dead time has no effect. */
#define DEAD_RIPPLE_A 0.4
#define DEAD_FRACTION (2 * PLANT_DEAD_TIME_S * QS1_CONTROL_HZ)

#define UNIT_TICKS_MS (QS1_CONTROL_HZ / 1000)

/* Ground current of the GFDI fault, and what always leaks, RMS at grid frequency. */
#define GROUND_FAULT_A 2.0
#define GROUND_LEAK_A 0.004

/* Case: 0.30 K/W and 4.5 kg at 1 kJ/kgK; stage on it: 0.25 K/W, one minute. */
#define CASE_K_W 0.30
#define CASE_TAU_S 1350.0
#define STAGE_K_W 0.25
#define STAGE_TAU_S 60.0

/* Cells: EN 50530 Annex C / IEC 62891: ambient - 3 K + 0.03 K m2/W, 5 minutes. */
#define CELL_OFFSET_K (-3.0)
#define CELL_K_M2_W 0.03
#define CELL_TAU_S 300.0

const struct plant_loss plant_loss_default = {
	.input_w = 0.87,
	.input_w_v = 0.0045,
	.input_frac = 0.0047,
	.pri_ohm = 0.034,
	.sec_ohm = 0.8,
	.bridge_w = 1.6,
};

static double cell_target(const struct plant *p, int n)
{
	return p->ambient_c + CELL_OFFSET_K + CELL_K_M2_W * p->sun[n];
}

int plant_init(struct plant *p, const struct plant_setup *setup)
{
	struct acnet_param par = {
		.l1 = QS1_FILTER_L1_UH * 1e-6,
		.r1 = 0.48,
		.c = QS1_FILTER_C_NF * 1e-9,
		.cd = QS1_FILTER_CD_NF * 1e-9,
		.rd = QS1_FILTER_RD_OHM,
		.rb = 330e3,
		.l2 = QS1_FILTER_L2_UH * 1e-6,
		.r2 = 0.12,
		.lg = setup->lg,
		.rg = setup->rg,
	};

	memset(p, 0, sizeof(*p));
	if (setup->load_p > 0) {
		double r = (double)QS1_GRID_V * QS1_GRID_V / (setup->load_p * QS1_RATED_W);
		double w = 2 * M_PI * QS1_GRID_HZ;

		par.load = true;
		par.load_r = r;
		par.load_l = r / (setup->load_qf * w);
		par.load_c = setup->load_qf / (r * w) * (1 + setup->load_mismatch);
	}
	acnet_init(&p->net, &par, PLANT_H);
	p->loss = plant_loss_default;
	p->ambient_c = setup->ambient_c;
	p->utility = true;
	p->emf_rms = QS1_GRID_V;
	p->emf_cos = 1;
	plant_grid_hz(p, QS1_GRID_HZ);
	rng_seed(&p->rng, setup->seed);
	for (int n = 0; n < QS1_INPUTS; n++)
		plant_module(p, n, module_default());
	plant_settle(p);
	return sensor_init(&p->sensor, setup->seed, setup->noise);
}

void plant_free(struct plant *p)
{
	sensor_free(&p->sensor);
}

void plant_settle(struct plant *p)
{
	for (int n = 0; n < QS1_INPUTS; n++) {
		if (!p->cell_held[n]) {
			p->source[n].cell_c = cell_target(p, n);
			pv_source_update(&p->source[n]);
		}
		p->available_w[n] = pv_source_available(&p->source[n]);
	}
	p->case_c = p->stage_c = p->ambient_c;
	p->dirty = true;
}

void plant_module(struct plant *p, int n, const struct pv_module *module)
{
	struct pv_source *s = &p->source[n];
	double cell_c = s->cell_c;
	int shaded = s->shaded;
	double fraction = s->fraction;

	pv_source_init(s, module);
	s->light = p->sun[n];
	s->cell_c = cell_c;
	s->shaded = module->kind == PV_DIODE ? shaded : 0;
	s->fraction = fraction;
	pv_source_update(s);
	p->available_w[n] = pv_source_available(s);
	p->dirty = true;
}

void plant_sun(struct plant *p, int n, double w_m2)
{
	struct pv_source *s = &p->source[n];

	p->sun[n] = w_m2;
	s->light = w_m2;
	pv_source_update(s);
	p->available_w[n] = pv_source_available(s);
	p->dirty = true;
}

void plant_shade(struct plant *p, int n, int sections, double fraction)
{
	struct pv_source *s = &p->source[n];

	s->shaded = sections;
	s->fraction = fraction;
	s->mpp_valid = false;
	pv_source_update(s);
	p->available_w[n] = pv_source_available(s);
	p->dirty = true;
}

void plant_cell(struct plant *p, int n, double c)
{
	p->cell_held[n] = true;
	p->source[n].cell_c = c;
	pv_source_update(&p->source[n]);
	p->available_w[n] = pv_source_available(&p->source[n]);
	p->dirty = true;
}

void plant_grid_hz(struct plant *p, double hz)
{
	p->emf_hz = hz;
	p->rot_cos = cos(2 * M_PI * hz * PLANT_H);
	p->rot_sin = sin(2 * M_PI * hz * PLANT_H);
}

void plant_grid_phase(struct plant *p, double degrees)
{
	double c = cos(degrees * M_PI / 180), s = sin(degrees * M_PI / 180);
	double cos0 = p->emf_cos;

	p->emf_cos = cos0 * c - p->emf_sin * s;
	p->emf_sin = p->emf_sin * c + cos0 * s;
}

void plant_utility(struct plant *p, bool closed)
{
	if (p->utility && !closed)
		acnet_open_utility(&p->net);
	p->utility = closed;
}

void plant_relay_fault(struct plant *p, enum relay_fault fault)
{
	p->relay_fault = fault;
	p->relay_due = 1;
}

void plant_sensor_fault(struct plant *p, enum qs1_adc channel, enum sensor_fault fault)
{
	sensor_fault(&p->sensor, channel, fault);
}

void plant_sensor_offset(struct plant *p, enum qs1_adc channel, double full_scale)
{
	p->sensor.drift[channel] = (float)(full_scale * INT16_MAX);
}

void plant_env(struct plant *p)
{
	const double h = PLANT_ENV_TICKS * PLANT_H;
	double watts = p->heat_j / h;

	for (int n = 0; n < QS1_INPUTS; n++) {
		struct pv_source *s = &p->source[n];
		double lag = cell_target(p, n) - s->cell_c;

		if (p->cell_held[n] || fabs(lag) < 1e-3)
			continue;
		s->cell_c += lag * (h / CELL_TAU_S);
		pv_source_update(s);
		p->available_w[n] = pv_source_available(s);
		p->dirty = true;
	}
	p->heat_j = 0;
	p->case_c += (p->ambient_c + CASE_K_W * watts - p->case_c) * (h / CASE_TAU_S);
	p->stage_c += (p->case_c + STAGE_K_W * watts - p->stage_c) * (h / STAGE_TAU_S);

	/* Rounding of the phasor: 1e-16 a step, put right here. */
	double norm = 1.5 - 0.5 * (p->emf_cos * p->emf_cos + p->emf_sin * p->emf_sin);

	p->emf_cos *= norm;
	p->emf_sin *= norm;
}

static void expand(struct plant *p, int n)
{
	struct plant_inputs *in = &p->in;
	struct pv_point point = pv_source_solve(&p->source[n], in->v[n]);

	in->at_v[n] = in->v[n];
	in->at_i[n] = point.i;
	in->at_di[n] = point.di;
	in->at_d2i[n] = point.d2i;
}

/**
 * struct stage - what the converters do in one period, one entry for each input
 * @duty: of an input in discontinuous conduction, else 0
 * @on: 1 for an input that switches, else 0
 * @current: mean input current in continuous conduction, A
 * @released_j: energy into the secondary, J
 * @lost_j: losses, J
 */
struct stage {
	double duty[QS1_INPUTS];
	double on[QS1_INPUTS];
	double current[QS1_INPUTS];
	double released_j[QS1_INPUTS];
	double lost_j[QS1_INPUTS];
};

/* Continuous conduction: five switching periods, one after the other. */
static void stage_ccm(struct plant_inputs *in, int n, double duty, double vreset,
		      const struct plant_loss *loss, struct stage *st)
{
	double v = in->v[n], valley = in->valley[n], charge = 0, released = 0;
	double on = duty * TSW_S, off = (1 - duty) * TSW_S;
	double pri2 = 0, sec2 = 0;

	for (int k = 0; k < SW_PERIODS; k++) {
		double peak = valley + v * on / LP_H;
		/* The resistance resets too: without it an empty link would never fill. */
		double reset = (vreset + loss->sec_ohm * peak / TURNS) / TURNS;
		double next = peak - reset * off / LP_H;
		double t_off = off;

		if (next < 0) {
			t_off = peak * LP_H / reset;
			next = 0;
		}
		charge += (valley + peak) / 2 * on;
		released += LP_H / 2 * (peak * peak - next * next);
		pri2 += (valley * valley + valley * peak + peak * peak) / 3 * on;
		sec2 += (next * next + next * peak + peak * peak) / 3 * t_off / (TURNS * TURNS);
		valley = next;
	}
	in->valley[n] = valley;
	st->current[n] = QS1_STAGE_PHASES * charge * (1 / PLANT_H);
	st->released_j[n] = QS1_STAGE_PHASES * released;
	st->lost_j[n] = QS1_STAGE_PHASES * (loss->pri_ohm * pri2 + loss->sec_ohm * sec2);
}

/* Gate signals to what each converter will do. */
static void stage_begin(struct plant *p, const struct qs1_outputs *out, double vreset,
			struct stage *st)
{
	struct plant_inputs *in = &p->in;

	for (int n = 0; n < QS1_INPUTS; n++) {
		double on = (out->inputs >> n) & 1, v = in->v[n], dv = v - in->at_v[n];
		double duty = on * out->cmp_input[n] * (1.0 / QS1_PWM_INPUT_PERIOD);

		if (p->dirty || dv > EXPAND_V || dv < -EXPAND_V)
			expand(p, n);
		st->on[n] = on;
		st->duty[n] = duty;
		st->current[n] = st->released_j[n] = st->lost_j[n] = 0;
		if (in->valley[n] > 0 || duty * v * TURNS > (1 - duty) * vreset) {
			st->duty[n] = 0;
			stage_ccm(in, n, duty, vreset, &p->loss, st);
		}
	}
	p->dirty = false;
}

static void step_inputs(struct plant *p, const struct qs1_outputs *out)
{
	/* RMS of triangles: see below. */
	const double rms = QS1_STAGE_PHASES * PLANT_H * TSW_S * TSW_S / (3 * LP_H * LP_H);
	const struct plant_loss loss = p->loss;
	struct plant_inputs *in = &p->in;
	double vreset = p->vlink + PLANT_RECTIFIER_V, sec = loss.sec_ohm / (TURNS * vreset);
	double gained = 0, lost = 0;
	struct stage st;

	stage_begin(p, out, vreset, &st);
	for (int n = 0; n < QS1_INPUTS; n++) {
		double v = in->v[n], dv = v - in->at_v[n], duty = st.duty[n];
		double i = in->at_i[n] + dv * (in->at_di[n] + dv * in->at_d2i[n] * 0.5);
		double di = in->at_di[n] + dv * in->at_d2i[n];
		double g = STAGE_S * duty * duty, all = g + BLEED_IN_S;
		/* Linearised trapezoidal step: the charge balances exactly. */
		double step = (i - st.current[n] - all * v) / (CIN_F / PLANT_H + 0.5 * (all - di));
		double mid = v + 0.5 * step, i_mean = i + 0.5 * di * step;
		double released = g * mid * mid * PLANT_H + st.released_j[n];
		/*
		 * Primary Ipk^2 D / 3 with Ipk = V D T / Lp, secondary Ipk^2 D2 / 3 N^2
		 * with D2 = D V N / vreset.
		 */
		double resistive =
			mid * mid * duty * duty * duty * rms * (loss.pri_ohm + sec * mid);
		double input_lost = st.lost_j[n] + resistive + loss.input_frac * released +
				    st.on[n] * (loss.input_w + loss.input_w_v * mid) * PLANT_H;

		in->i_mean[n] = i_mean;
		in->v_mean[n] = mid;
		in->v[n] = v + step;
		in->i[n] = i + di * step;
		p->ppv_j[n] += i_mean * mid * PLANT_H;
		p->avail_j[n] += p->available_w[n] * PLANT_H;
		st.lost_j[n] = input_lost + BLEED_IN_S * mid * mid * PLANT_H;
		st.released_j[n] = released - input_lost;
	}
	for (int n = 0; n < QS1_INPUTS; n++) {
		lost += st.lost_j[n];
		gained += st.released_j[n];
	}
	p->link_j += gained;
	if (p->link_j < 0) {
		/* What is not there can not be lost. */
		lost += p->link_j;
		p->link_j = 0;
	}
	p->lost_j += lost;
	p->heat_j += lost;
}

static void move_relay(struct plant *p)
{
	bool want = p->relay_fault == RELAY_WELDED || (p->coil && p->relay_fault != RELAY_OPEN);

	if (p->relay_due > 1) {
		p->relay_due--;
		return;
	}
	if (want == p->contact) {
		p->relay_due = 0;
		return;
	}
	/* A contact that opens burns until the current's next zero. */
	if (!want && fabs(p->net.x[AC_I2]) > 0.02)
		return;
	p->contact = want;
	p->relay_due = 0;
	if (!want)
		acnet_open_relay(&p->net);
}

static void drive_relay(struct plant *p, bool coil)
{
	if (coil != p->coil) {
		double slow = coil ? QS1_RELAY_CLOSE_MS : QS1_RELAY_OPEN_MS;

		p->coil = coil;
		p->relay_due = 1 + (int)(rng_uniform(&p->rng, 0.6, 1) * slow * UNIT_TICKS_MS);
	}
	if (p->relay_due)
		move_relay(p);
}

static double emf_next(struct plant *p)
{
	double c = p->emf_cos, s = p->emf_sin, v;

	p->emf_cos = c * p->rot_cos - s * p->rot_sin;
	p->emf_sin = s * p->rot_cos + c * p->rot_sin;
	v = p->emf_sin;
	if (p->harmonics) {
		/* sin(k x) = 2 cos(x) sin((k - 1) x) - sin((k - 2) x) */
		double before = 0, now = p->emf_sin;

		for (int k = 2; k <= p->harmonics; k++) {
			double next = 2 * p->emf_cos * now - before;

			before = now;
			now = next;
			v += p->harmonic[k] * now;
		}
	}
	return M_SQRT2 * p->emf_rms * v + p->emf_dc;
}

static void step_ac(struct plant *p, const struct qs1_outputs *out)
{
	unsigned int config = (p->contact ? ACNET_RELAY : 0) | (p->utility ? ACNET_UTILITY : 0);
	double emf = emf_next(p), lost = BLEED_LINK_S * p->vlink * p->vlink * PLANT_H;

	if (out->bridge) {
		double i = p->net.x[AC_IL1];
		double m = out->cmp_bridge * (1.0 / QS1_PWM_BRIDGE_HALF);
		double sign = i * (1 / DEAD_RIPPLE_A), v;

		sign = sign > 1 ? 1 : sign < -1 ? -1 : sign;
		v = p->vlink * (m - DEAD_FRACTION * sign);
		p->link_j -= v * acnet_step(&p->net, config, v, emf);
		lost += p->loss.bridge_w * PLANT_H;
	} else {
		double v = p->vlink;

		acnet_step_diodes(&p->net, config, &v, CLINK_F, emf);
		p->link_j += CLINK_F / 2 * (v * v - p->vlink * p->vlink);
	}
	if (lost > p->link_j)
		lost = p->link_j > 0 ? p->link_j : 0;
	p->link_j -= lost;
	p->lost_j += lost;
	p->heat_j += lost + PLANT_H * (p->net.par.r1 * p->net.x[AC_IL1] * p->net.x[AC_IL1] +
				       p->net.par.r2 * p->net.x[AC_I2] * p->net.x[AC_I2]);
	if (p->link_j < 0)
		p->link_j = 0;
	p->vlink = sqrt(p->link_j * (2 / CLINK_F));
}

void plant_step(struct plant *p, const struct qs1_outputs *out, int16_t adc[QS1_ADC_COUNT])
{
	float x[QS1_ADC_COUNT];

	drive_relay(p, out->relay);
	step_inputs(p, out);
	step_ac(p, out);
	p->ignd = (p->gfdi ? GROUND_FAULT_A : 0) + M_SQRT2 * GROUND_LEAK_A * p->emf_sin;
	p->ticks++;

	for (int n = 0; n < QS1_INPUTS; n++) {
		x[QS1_ADC_VPV1 + n] = (float)p->in.v[n];
		x[QS1_ADC_IPV1 + n] = (float)p->in.i[n];
	}
	x[QS1_ADC_VLINK] = (float)p->vlink;
	x[QS1_ADC_VGRID] = (float)p->net.vpcc;
	x[QS1_ADC_IGRID] = (float)p->net.x[AC_I2];
	x[QS1_ADC_IGND] = (float)p->ignd;
	x[QS1_ADC_VINV] = (float)p->net.x[AC_VC];
	x[QS1_ADC_VREF] = 2.048f;
	x[QS1_ADC_TCASE] = (float)p->case_c;
	x[QS1_ADC_TSTAGE] = (float)p->stage_c;
	sensor_convert(&p->sensor, x, adc);
}

double plant_energy(const struct plant *p)
{
	double e = p->link_j + acnet_energy(&p->net);

	for (int n = 0; n < QS1_INPUTS; n++) {
		e += CIN_F / 2 * p->in.v[n] * p->in.v[n] +
		     QS1_STAGE_PHASES * LP_H / 2 * p->in.valley[n] * p->in.valley[n];
	}
	return e;
}
