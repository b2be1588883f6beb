// SPDX-License-Identifier: GPL-2.0-only
#include "plant.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "module.h"
#include "sensor.h"

#define TURNS (QS1_STAGE_TURNS_X100 / 100.0)
#define TSW_S (1.0 / QS1_STAGE_FSW_HZ)
#define SW_PERIODS ((int)(QS1_STAGE_FSW_HZ / QS1_CONTROL_HZ))

#define BLEED_IN_S (1 / PLANT_BLEED_IN_OHM)
#define BLEED_LINK_S (1 / PLANT_BLEED_LINK_OHM)

/* The curve is expanded again when the voltage has left this range. */
#define EXPAND_V 0.05

/* Ripple current of the bridge within which its dead time has no effect. */
#define DEAD_RIPPLE_A 0.4

#define UNIT_TICKS_MS (QS1_CONTROL_HZ / 1000)

/* Ground current of the GFDI fault, and the permanent leakage, RMS at grid frequency. */
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

/* In discontinuous conduction an input is a conductance D^2 times stage_s. */
static void init_inputs(struct plant *p)
{
	for (int n = 0; n < QS1_INPUTS; n++) {
		double lp = p->board.lp[n];

		p->in.cin_s[n] = p->board.cin[n] / p->h;
		p->in.stage_s[n] = QS1_STAGE_PHASES / (2 * lp * QS1_STAGE_FSW_HZ);
		p->in.rms[n] = QS1_STAGE_PHASES * p->h * TSW_S * TSW_S / (3 * lp * lp);
	}
}

struct plant_load plant_load_rlc(double p, double qf, double mismatch)
{
	double r = (double)QS1_GRID_V * QS1_GRID_V / (p * QS1_RATED_W);
	double w = 2 * M_PI * QS1_GRID_HZ;

	return (struct plant_load){ r, r / (qf * w), qf / (r * w) * (1 + mismatch) };
}

struct plant_load plant_load_rl(double p, double pf)
{
	struct plant_load load = plant_load_rlc(p, 1, 0);

	load.l = pf < 1 ? load.l / tan(acos(pf)) : 0;
	load.c = 0;
	return load;
}

struct plant_load plant_load_cap(double var)
{
	return (struct plant_load){ .c = var / ((double)QS1_GRID_V * QS1_GRID_V * 2 * M_PI *
						QS1_GRID_HZ) };
}

static double parallel(double a, double b)
{
	return a == 0 ? b : b == 0 ? a : 1 / (1 / a + 1 / b);
}

static void sum_loads(const struct plant *p, struct acnet_param *par)
{
	struct plant_load all = p->load[0];

	for (int n = 1; n < PLANT_LOADS; n++) {
		all.r = parallel(all.r, p->load[n].r);
		all.l = parallel(all.l, p->load[n].l);
		all.c += p->load[n].c;
	}
	par->load = par->rich || all.r > 0;
	par->load_r = all.r > 0 ? all.r : INFINITY;
	par->load_l = all.l > 0 ? all.l : INFINITY;
	par->load_c = all.c;
}

int plant_init(struct plant *p, const struct plant_setup *setup)
{
	const struct plant_board *b = &p->board;
	struct acnet_param par;
	int ret;

	memset(p, 0, sizeof(*p));
	if (setup->drawn)
		board_draw(&p->board, setup->seed);
	else
		board_nominal(&p->board);
	for (int leg = 0; leg < BOARD_LEGS && setup->dead_s > 0; leg++)
		p->board.dead_s[leg] = setup->dead_s;
	if (setup->load_p > 0) {
		p->load[0] = plant_load_rlc(setup->load_p, setup->load_qf, setup->load_mismatch);
	}
	if (setup->lockstep)
		p->board.clock = 1;
	p->h = PLANT_H * b->clock;
	p->link_v2 = 2 / b->clink;
	p->dead_fraction = (b->dead_s[0] + b->dead_s[1]) * QS1_CONTROL_HZ;
	par = (struct acnet_param){
		.l1 = b->l1,
		.r1 = b->r1,
		.c = b->c,
		.cd = b->cd,
		.rd = b->rd,
		.rb = 330e3,
		.l2 = b->l2,
		.r2 = b->r2,
		.lg = setup->lg,
		.rg = setup->rg,
		.rich = setup->resonance_hz > 0,
	};
	if (setup->resonance_hz > 0) {
		double w = 2 * M_PI * setup->resonance_hz;

		/* Seen from the unit: half of the source, in parallel with the capacitor. */
		par.ct = 1 / (w * w * setup->lg / 2);
		par.rt = fmax(w * setup->lg / 2 / setup->resonance_q - setup->rg / 2, 0);
	}
	sum_loads(p, &par);
	acnet_init(&p->net, &par, p->h);
	init_inputs(p);
	p->loss = plant_loss_default;
	p->ambient_c = setup->ambient_c;
	p->utility = true;
	p->emf.h = p->h;
	source_at(&p->emf, QS1_GRID_V);
	p->emf.cos = cos(setup->phase_deg * M_PI / 180);
	p->emf.sin = sin(setup->phase_deg * M_PI / 180);
	source_hz(&p->emf, QS1_GRID_HZ);
	rng_seed(&p->rng, setup->seed);
	for (int n = 0; n < QS1_INPUTS; n++)
		plant_module(p, n, module_default());
	plant_settle(p);
	p->switching = setup->switching;
	if (p->switching && acnet_divisible(&p->net))
		return -ENOMEM;
	ret = sensor_init(&p->sensor, setup->seed, setup->noise, b);
	if (ret)
		return ret;
	/* The bridge filters these itself, through its ripple. */
	if (p->switching)
		p->sensor.lag[QS1_ADC_IGRID] = p->sensor.lag[QS1_ADC_VGRID] =
			p->sensor.lag[QS1_ADC_VINV] = 0;
	return 0;
}

void plant_free(struct plant *p)
{
	acnet_free(&p->net);
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

static unsigned int net_config(const struct plant *p)
{
	return (p->contact ? ACNET_RELAY : 0) | (p->utility ? ACNET_UTILITY : 0);
}

static void connect_load(struct plant *p, int n, const struct plant_load *load)
{
	struct acnet_param par = p->net.par;

	p->load[n] = *load;
	par.rich = true;
	sum_loads(p, &par);
	acnet_change(&p->net, &par, net_config(p));
}

/* Through resistor and inductor: the inductors of all loads share their current. */
static double load_current(const struct plant *p, int n)
{
	const struct plant_load *load = &p->load[n];

	return (load->r > 0 ? p->net.vpcc / load->r : 0) +
	       (load->l > 0 ? p->net.x[AC_ILL] * p->net.par.load_l / load->l : 0);
}

void plant_load_change(struct plant *p, int n, const struct plant_load *load)
{
	p->load_i[n] = load_current(p, n);
	if (p->load_i[n] == 0) {
		connect_load(p, n, load);
		return;
	}
	p->load_next[n] = *load;
	p->loads_due |= 1u << n;
}

/* Contacts that are to open do so where their current has changed its sign. */
static void switch_loads(struct plant *p)
{
	for (int n = 0; n < PLANT_LOADS; n++) {
		double before = p->load_i[n];

		if (!(p->loads_due & 1u << n))
			continue;
		p->load_i[n] = load_current(p, n);
		if (before * p->load_i[n] > 0)
			continue;
		p->loads_due &= ~(1u << n);
		connect_load(p, n, &p->load_next[n]);
	}
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
	sensor_warm(&p->sensor, p->case_c);

	source_normalise(&p->emf);
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
 * struct stage - operation of the converters in one period, one entry for each input
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
		      const struct plant *p, struct stage *st)
{
	const struct plant_loss *loss = &p->loss;
	const double lp = p->board.lp[n];
	double v = in->v[n], valley = in->valley[n], charge = 0, released = 0;
	double on = duty * TSW_S, off = (1 - duty) * TSW_S;
	double pri2 = 0, sec2 = 0;

	for (int k = 0; k < SW_PERIODS; k++) {
		double peak = valley + v * on / lp;
		/* The resistance resets too: without it an empty link would never fill. */
		double reset = (vreset + loss->sec_ohm * peak / TURNS) / TURNS;
		double next = peak - reset * off / lp;
		double t_off = off;

		if (next < 0) {
			t_off = peak * lp / reset;
			next = 0;
		}
		charge += (valley + peak) / 2 * on;
		released += lp / 2 * (peak * peak - next * next);
		pri2 += (valley * valley + valley * peak + peak * peak) / 3 * on;
		sec2 += (next * next + next * peak + peak * peak) / 3 * t_off / (TURNS * TURNS);
		valley = next;
	}
	in->valley[n] = valley;
	st->current[n] = QS1_STAGE_PHASES * charge * (1 / p->h);
	st->released_j[n] = QS1_STAGE_PHASES * released;
	st->lost_j[n] = QS1_STAGE_PHASES * (loss->pri_ohm * pri2 + loss->sec_ohm * sec2);
}

/* From the gate signals, the operation of each converter. */
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
			stage_ccm(in, n, duty, vreset, p, st);
		}
	}
	p->dirty = false;
}

static void step_inputs(struct plant *p, const struct qs1_outputs *out)
{
	const struct plant_loss loss = p->loss;
	struct plant_inputs *in = &p->in;
	const double h = p->h;
	double vreset = p->vlink + PLANT_RECTIFIER_V, sec = loss.sec_ohm / (TURNS * vreset);
	double gained = 0, lost = 0;
	struct stage st;

	stage_begin(p, out, vreset, &st);
	for (int n = 0; n < QS1_INPUTS; n++) {
		double v = in->v[n], dv = v - in->at_v[n], duty = st.duty[n];
		double i = in->at_i[n] + dv * (in->at_di[n] + dv * in->at_d2i[n] * 0.5);
		double di = in->at_di[n] + dv * in->at_d2i[n];
		double g = in->stage_s[n] * duty * duty, all = g + BLEED_IN_S;
		/* Linearised trapezoidal step: the charge balances exactly. */
		double step = (i - st.current[n] - all * v) / (in->cin_s[n] + 0.5 * (all - di));
		double mid = v + 0.5 * step, i_mean = i + 0.5 * di * step;
		double released = g * mid * mid * h + st.released_j[n];
		/*
		 * Primary Ipk^2 D / 3 with Ipk = V D T / Lp, secondary Ipk^2 D2 / 3 N^2
		 * with D2 = D V N / vreset.
		 */
		double resistive =
			mid * mid * duty * duty * duty * in->rms[n] * (loss.pri_ohm + sec * mid);
		double input_lost = st.lost_j[n] + resistive + loss.input_frac * released +
				    st.on[n] * (loss.input_w + loss.input_w_v * mid) * h;

		in->i_mean[n] = i_mean;
		in->v_mean[n] = mid;
		in->v[n] = v + step;
		in->i[n] = i + di * step;
		p->ppv_j[n] += i_mean * mid * h;
		p->avail_j[n] += p->available_w[n] * h;
		st.lost_j[n] = input_lost + BLEED_IN_S * mid * mid * h;
		st.released_j[n] = released - input_lost;
	}
	for (int n = 0; n < QS1_INPUTS; n++) {
		lost += st.lost_j[n];
		gained += st.released_j[n];
	}
	p->link_j += gained;
	if (p->link_j < 0) {
		/* Losses can not exceed the stored energy. */
		lost += p->link_j;
		p->link_j = 0;
	}
	p->lost_j += lost;
	p->heat_j += lost;
}

/* Current above which an opening contact's arc goes on. */
#define ARC_A 0.02
#define BOUNCE_MIN_MS 0.1
#define BOUNCE_MAX_MS 1.0

static int bounce_ticks(struct plant *p)
{
	return 1 + (int)(rng_uniform(&p->rng, BOUNCE_MIN_MS, BOUNCE_MAX_MS) * UNIT_TICKS_MS);
}

static void set_contact(struct plant *p, bool closed)
{
	p->contact = closed;
	p->operations++;
	if (!closed)
		acnet_open_relay(&p->net);
}

static void move_relay(struct plant *p)
{
	bool want = p->relay_fault == RELAY_WELDED || (p->coil && p->relay_fault != RELAY_OPEN);
	bool arc = fabs(p->net.x[AC_I2]) > ARC_A;

	if (p->relay_due > 1) {
		p->relay_due--;
		return;
	}
	if (want == p->contact) {
		p->relay_due = 0;
		/* A contact that has closed opens again, unless an arc bridges it. */
		if (want && p->bounces) {
			p->bounces--;
			p->relay_due = bounce_ticks(p);
			if (!arc)
				set_contact(p, false);
		}
		return;
	}
	/* A contact that opens burns until the current's next zero. */
	if (!want && arc)
		return;
	set_contact(p, want);
	p->relay_due = want && p->bounces ? bounce_ticks(p) : 0;
}

static void drive_relay(struct plant *p, bool coil)
{
	if (coil != p->coil) {
		const struct plant_board *b = &p->board;
		double slow = coil ? b->relay_close_ms : b->relay_open_ms;

		p->coil = coil;
		p->bounces = coil ? b->bounces : 0;
		p->relay_due =
			1 + (int)(rng_uniform(&p->rng, b->relay_least, 1) * slow * UNIT_TICKS_MS);
	}
	if (p->relay_due)
		move_relay(p);
}

static inline void begin(struct plant *p, const struct qs1_outputs *out, struct plant_period *ac)
{
	double sign;

	drive_relay(p, out->relay);
	step_inputs(p, out);
	sign = p->net.x[AC_IL1] * (1 / DEAD_RIPPLE_A);
	sign = sign > 1 ? 1 : sign < -1 ? -1 : sign;
	ac->config = net_config(p);
	ac->bridge = out->bridge;
	ac->m = out->cmp_bridge * (1.0 / QS1_PWM_BRIDGE_HALF);
	ac->volts = p->vlink * (ac->m - p->dead_fraction * sign);
}

static void gates_off(struct plant *p, struct plant_period *ac)
{
	double v = p->vlink;

	acnet_step_diodes(&p->net, ac->config, &v, p->board.clink, ac->emf);
	ac->taken_j = p->board.clink / 2 * (p->vlink * p->vlink - v * v);
	p->filtered = (struct bridge_filtered){ plant_i2(p), p->net.vpcc, p->net.x[AC_VC] };
	p->ripple2 = 0;
}

static void gates_switch(struct plant *p, struct plant_period *ac)
{
	struct bridge_step step = {
		.m = ac->m, .vlink = p->vlink, .emf = ac->emf, .config = ac->config
	};

	bridge_switch(&p->net, &p->board, &step, &p->filtered);
	p->ripple2 = step.ripple2;
	ac->taken_j = p->vlink * step.link_c;
}

static inline void network(struct plant *p, struct plant_period *ac)
{
	if (!ac->bridge)
		gates_off(p, ac);
	else if (p->switching)
		gates_switch(p, ac);
	else
		ac->taken_j = ac->volts * acnet_step(&p->net, ac->config, ac->volts, ac->emf);
}

static inline void settle_link(struct plant *p, const struct plant_period *ac)
{
	double lost = BLEED_LINK_S * p->vlink * p->vlink * p->h;

	p->link_j -= ac->taken_j;
	if (ac->bridge)
		lost += p->loss.bridge_w * p->h;
	if (lost > p->link_j)
		lost = p->link_j > 0 ? p->link_j : 0;
	p->link_j -= lost;
	p->lost_j += lost;
	p->heat_j += lost + p->h * (p->net.par.r1 * p->net.x[AC_IL1] * p->net.x[AC_IL1] +
				    p->net.par.r2 * p->net.x[AC_I2] * p->net.x[AC_I2]);
	if (p->link_j < 0)
		p->link_j = 0;
	p->vlink = sqrt(p->link_j * p->link_v2);
}

static inline void sample(struct plant *p, int16_t adc[QS1_ADC_COUNT])
{
	float x[QS1_ADC_COUNT];

	for (int n = 0; n < QS1_INPUTS; n++) {
		x[QS1_ADC_VPV1 + n] = (float)p->in.v[n];
		x[QS1_ADC_IPV1 + n] = (float)p->in.i[n];
	}
	x[QS1_ADC_VLINK] = (float)p->vlink;
	x[QS1_ADC_VGRID] = (float)p->net.vpcc;
	x[QS1_ADC_IGRID] = (float)p->net.x[AC_I2];
	x[QS1_ADC_IGND] = (float)p->ignd;
	x[QS1_ADC_VINV] = (float)p->net.x[AC_VC];
	if (p->switching) {
		x[QS1_ADC_VGRID] = (float)p->filtered.vgrid;
		x[QS1_ADC_IGRID] = (float)p->filtered.igrid;
		x[QS1_ADC_VINV] = (float)p->filtered.vinv;
	}
	x[QS1_ADC_VREF] = 2.048f;
	x[QS1_ADC_TCASE] = (float)p->case_c;
	x[QS1_ADC_TSTAGE] = (float)p->stage_c;
	sensor_convert(&p->sensor, x, adc);
}

static inline void end(struct plant *p, const struct plant_period *ac, int16_t adc[QS1_ADC_COUNT])
{
	settle_link(p, ac);
	p->ignd = (p->gfdi ? GROUND_FAULT_A : 0) + M_SQRT2 * GROUND_LEAK_A * p->emf.sin;
	for (int n = 0; n < QS1_INPUTS && p->leaks; n++)
		p->ignd += p->leak_a[n] * (p->leak_dc[n] ? 1 : M_SQRT2 * p->emf.sin);
	p->ticks++;
	sample(p, adc);
}

void plant_step(struct plant *p, const struct qs1_outputs *out, int16_t adc[QS1_ADC_COUNT])
{
	struct plant_period ac;

	if (p->loads_due)
		switch_loads(p);
	begin(p, out, &ac);
	ac.emf = source_next(&p->emf);
	network(p, &ac);
	end(p, &ac, adc);
}

void plant_begin(struct plant *p, const struct qs1_outputs *out, struct plant_period *ret_period)
{
	begin(p, out, ret_period);
}

void plant_end(struct plant *p, const struct plant_period *period, int16_t adc[QS1_ADC_COUNT])
{
	end(p, period, adc);
}

double plant_energy(const struct plant *p)
{
	double e = p->link_j + acnet_energy(&p->net);

	for (int n = 0; n < QS1_INPUTS; n++) {
		e += p->board.cin[n] / 2 * p->in.v[n] * p->in.v[n] +
		     QS1_STAGE_PHASES * p->board.lp[n] / 2 * p->in.valley[n] * p->in.valley[n];
	}
	return e;
}
