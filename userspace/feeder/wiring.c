// SPDX-License-Identifier: GPL-2.0-only
#include "wiring.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Source impedance of a wire when a scenario does not say: as for one unit. */
#define DEFAULT_RG_OHM 0.3
#define DEFAULT_LG_H 0.2e-3
/* A load of constant power: it follows the voltage each cycle of 60 Hz, or about one of 50 Hz. */
#define POWER_TICKS ((int)QS1_CONTROL_HZ / 60)
/* A branch needs an inductance: a wire of a metre. */
#define LEAST_H 1e-6
/* Of a transformer's neutral. */
#define EARTH_OHM 1e-3

/*
 * Copper and aluminium, one conductor in PVC conduit at 75 C: NEC chapter 9 table 9. Ohm and
 * henry a metre, in the order of "feeder cable"; L is the table's reactance over 377 rad/s.
 */
static const struct {
	double ohm_m, henry_m;
} gauges[] = {
	{ 6.6e-3, 0.470e-6 },  { 3.9e-3, 0.435e-6 },  { 1.61e-3, 0.443e-6 },
	{ 1.02e-3, 0.416e-6 }, { 0.39e-3, 0.382e-6 }, { 0.33e-3, 0.357e-6 },
};

static const struct {
	int phases, wires;
	double volts;
	struct phasor relative[WIRING_PHASES];
} systems[] = {
	{ 1, 1, QS1_GRID_V, { { 1, 0 } } },
	{ 2, 3, QS1_GRID_V / 2.0, { { 1, 0 }, { -1, 0 } } },
	{ 3,
	  4,
	  QS1_GRID_V / 1.7320508075688772,
	  { { 1, 0 }, { -0.5, -0.8660254037844386 }, { -0.5, 0.8660254037844386 } } },
};

static struct network_model branch_model(double r, double l)
{
	return (struct network_model){
		.states = 1,
		.a = { { -r / l } },
		.volts = { 1 / l },
		.amps = { 1 },
	};
}

static struct network_model shunt_model(double r, double c)
{
	return (struct network_model){
		.states = 1,
		.a = { { -1 / (r * c) } },
		.volts = { 1 / (r * c) },
		.amps = { -1 / r },
		.siemens = 1 / r,
	};
}

int wiring_node(const struct wiring *w, int bus, int wire)
{
	if (wire != SCENARIO_NEUTRAL)
		return bus * w->wires + wire;
	return w->phases == 1 ? NETWORK_REFERENCE : bus * w->wires + w->phases;
}

static void add_branch(struct wiring *w, struct wiring_branch *branch, int a, int b,
		       const struct network_model *model)
{
	branch->element = network_add(w->net, a, b);
	network_pair_init(&branch->pair, model, PLANT_H);
	network_use(w->net, branch->element, &branch->pair);
	network_connect(w->net, branch->element, true);
}

/* The conductors that a cable has, by number. */
static int wire_number(const struct wiring *w, int k)
{
	return k < w->phases ? k : SCENARIO_NEUTRAL;
}

static void add_source(struct wiring *w)
{
	double lg = fmax(w->lg, LEAST_H), half = w->resonance_hz > 0 ? 0.5 : 1;
	struct network_model line = branch_model(w->rg * half, lg * half);
	struct network_model whole = branch_model(w->rg, lg);

	for (int k = 0; k < w->phases; k++) {
		int pcc = wiring_node(w, 0, k), middle = w->middle[k];
		double omega = 2 * M_PI * w->resonance_hz, c, r;

		if (w->resonance_hz <= 0) {
			add_branch(w, &w->phase[k], pcc, NETWORK_REFERENCE, &line);
			network_element(w->net, w->phase[k].element)->emf = true;
			continue;
		}
		/* As for one unit: half of the source, in parallel with the capacitor. */
		c = 1 / (omega * omega * lg / 2);
		r = fmax(omega * lg / 2 / w->resonance_q - w->rg / 2, 1e-3);
		add_branch(w, &w->phase[k], pcc, middle, &line);
		add_branch(w, &w->behind[k], middle, NETWORK_REFERENCE, &line);
		network_element(w->net, w->behind[k].element)->emf = true;
		line = shunt_model(r, c);
		add_branch(w, &w->shunt[k], middle, NETWORK_REFERENCE, &line);
		line = branch_model(w->rg * half, lg * half);
	}
	if (w->phases > 1) {
		add_branch(w, &w->neutral, wiring_node(w, 0, SCENARIO_NEUTRAL), NETWORK_REFERENCE,
			   &whole);
	}
}

/* The neutral of its secondary is earthed. */
static void add_transformer(struct wiring *w, struct wiring_cable *cable, int bus)
{
	struct network_model earth = branch_model(EARTH_OHM, LEAST_H);

	for (int k = 0; k < w->phases; k++) {
		int other = cable->delta ? (k + 1) % w->phases : SCENARIO_NEUTRAL;
		const int primary[] = { wiring_node(w, cable->from, k),
					wiring_node(w, cable->from, other) };
		const int secondary[] = { wiring_node(w, bus, k),
					  wiring_node(w, bus, SCENARIO_NEUTRAL) };

		transformer_init(&cable->phase[k], w->net, primary, secondary,
				 cable->va / w->phases, w->volts, w->hz,
				 cable->delta ? sqrt(3) : 1);
	}
	if (w->phases > 1) {
		add_branch(w, &cable->wire[w->phases], wiring_node(w, bus, SCENARIO_NEUTRAL),
			   NETWORK_REFERENCE, &earth);
	}
}

static void add_cables(struct wiring *w)
{
	for (int bus = 1; bus < SCENARIO_BUSES; bus++) {
		struct wiring_cable *cable = &w->cable[bus];
		struct network_model model;

		if (!cable->there)
			continue;
		if (cable->va > 0) {
			add_transformer(w, cable, bus);
			continue;
		}
		model = branch_model(cable->r, cable->l);
		for (int k = 0; k < w->wires; k++) {
			int wire = wire_number(w, k);

			add_branch(w, &cable->wire[k], wiring_node(w, cable->from, wire),
				   wiring_node(w, bus, wire), &model);
		}
	}
}

/* Nominal voltage between a phase and the wire @b. */
static double nominal(const struct wiring *w, int b)
{
	if (b == SCENARIO_NEUTRAL)
		return w->volts;
	return w->volts * (w->phases == 2 ? 2 : sqrt(3));
}

static void set_part(struct wiring *w, struct wiring_branch *part, bool there,
		     const struct network_model *model)
{
	struct network_element *e = network_element(w->net, part->element);

	network_connect(w->net, part->element, false);
	if (!there) {
		memset(e->x, 0, sizeof(e->x));
		return;
	}
	network_pair_init(&part->pair, model, PLANT_H);
	network_use(w->net, part->element, &part->pair);
	network_connect(w->net, part->element, true);
}

/*
 * A rectifier with a capacitor, as a model of appliances: 2 % of inductance and 1 % of resistance
 * before it, and a time constant of 50 ms behind it. States: current from @a to @b, direct voltage.
 */
static struct network_model rectifier_model(int mode, double watts, double volts, double hz)
{
	double base = volts * volts / watts, l = 0.02 * base / (2 * M_PI * hz), r = 0.01 * base;
	/* The capacitor stays near the peak. */
	double load = 2 * base, c = 0.05 / load;
	double sign = mode == RECTIFIER_AB ? 1 : mode == RECTIFIER_BA ? -1 : 0;
	struct network_model m = { .states = 2, .a[1][1] = -1 / (load * c) };

	if (mode == RECTIFIER_OFF)
		return m;
	m.a[0][0] = -r / l;
	m.a[0][1] = -sign / l;
	m.a[1][0] = sign / c;
	m.volts[0] = 1 / l;
	m.amps[0] = 1;
	return m;
}

static void set_rectifier(struct wiring *w, struct wiring_load *to, double watts)
{
	struct network_element *e = network_element(w->net, to->rectifier_element);
	double volts = nominal(w, to->b);

	network_connect(w->net, to->rectifier_element, false);
	memset(e->x, 0, sizeof(e->x));
	to->rectifier = watts > 0;
	if (!to->rectifier)
		return;
	for (int mode = 0; mode < RECTIFIER_MODES; mode++) {
		struct network_model model = rectifier_model(mode, watts, volts, w->hz);

		network_pair_init(&to->mode[mode], &model, PLANT_H);
	}
	e->x[1] = M_SQRT2 * volts;
	network_use(w->net, to->rectifier_element, &to->mode[RECTIFIER_OFF]);
	network_connect(w->net, to->rectifier_element, true);
}

/* The resistor that takes a constant power at the present voltage. */
static void set_power(struct wiring *w, struct wiring_load *to)
{
	double least = pow(0.5 * nominal(w, to->b), 2);
	/* Below half of the voltage it takes less: such a load stops there. */
	struct network_model r = { .siemens = to->power_w / fmax(to->mean2, least) };

	set_part(w, &to->part[0], true, &r);
}

/* @load is for one unit's nominal voltage and frequency. */
static void set_load(struct wiring *w, int n, const struct plant_load *load)
{
	struct wiring_load *to = &w->load[n];
	double v = nominal(w, to->b) / QS1_GRID_V, f = w->hz / QS1_GRID_HZ;
	struct network_model r = { .siemens = load->r > 0 ? 1 / (load->r * v * v) : 0 };
	struct network_model l = branch_model(0, load->l > 0 ? load->l * v * v / f : 1);
	struct network_model c = { .farad = load->c / (v * v * f) };

	to->power_w = 0;
	set_rectifier(w, to, 0);
	set_part(w, &to->part[0], load->r > 0, &r);
	set_part(w, &to->part[1], load->l > 0, &l);
	set_part(w, &to->part[2], load->c > 0, &c);
}

static void add_loads(struct wiring *w)
{
	for (int n = 0; n < PLANT_LOADS; n++) {
		struct wiring_load *load = &w->load[n];

		for (int k = 0; k < 3; k++) {
			load->part[k].element = network_add(w->net,
							    wiring_node(w, load->bus, load->a),
							    wiring_node(w, load->bus, load->b));
		}
		load->rectifier_element = network_add(w->net, wiring_node(w, load->bus, load->a),
						      wiring_node(w, load->bus, load->b));
	}
}

static void add_others(struct wiring *w, const struct scenario *sc)
{
	for (int n = 0; n < sc->setups; n++) {
		const struct statement *st = &sc->setup[n];
		struct other *other;
		int a = (int)st->x[3], b = (int)st->x[4];

		if (st->kind != ST_OTHER)
			continue;
		other = &w->other[(int)st->x[0] - 1];
		*other = (struct other){ .kind = (enum other_kind)st->x[1],
					 .wide = st->x[5] != 0,
					 .watts = st->x[2] };
		other_init(other, w->net, wiring_node(w, 0, a), wiring_node(w, 0, b), nominal(w, b),
			   w->hz);
	}
}

static void add_motors(struct wiring *w, const struct scenario *sc, int star)
{
	const int phase[] = { wiring_node(w, 0, 0), wiring_node(w, 0, 1), wiring_node(w, 0, 2) };

	for (int n = 0; n < sc->setups; n++) {
		const struct statement *st = &sc->setup[n];
		int a = (int)st->x[1], b = (int)st->x[2];
		struct motor *motor;

		if (st->kind != ST_MOTOR)
			continue;
		motor = &w->motor[(int)st->x[0] - 1];
		*motor = (struct motor){ .va = st->x[3], .load = st->x[4], .inertia_s = st->x[5] };
		if (a == b)
			motor_init_three(motor, w->net, phase, star++, w->volts, w->hz);
		else
			motor_init_one(motor, w->net, wiring_node(w, 0, a), wiring_node(w, 0, b),
				       nominal(w, b), w->hz);
	}
}

/* Short-circuit ratio to the summed rating of all units. */
static void source_of_ratio(struct wiring *w, double ratio, double x_over_r, int units)
{
	double z = w->volts * w->volts * w->phases / (ratio * units * QS1_RATED_W);

	w->rg = z / sqrt(1 + x_over_r * x_over_r);
	w->lg = w->rg * x_over_r / (2 * M_PI * w->hz);
}

static void take_setup(struct wiring *w, const struct statement *st, int units)
{
	struct wiring_cable *cable;

	switch (st->kind) {
	case ST_IMPEDANCE:
		w->rg = st->x[0];
		w->lg = st->x[1];
		break;
	case ST_SCR:
		source_of_ratio(w, st->x[0], st->x[1], units);
		break;
	case ST_RESONANCE:
		w->resonance_hz = st->x[0];
		w->resonance_q = st->x[1];
		break;
	case ST_FEEDER_TRANSFORMER:
		cable = &w->cable[(int)st->x[0]];
		cable->there = true;
		cable->from = (int)st->x[1];
		cable->va = st->x[2];
		cable->delta = st->x[3] != 0;
		break;
	case ST_FEEDER_BUS:
	case ST_FEEDER_CABLE:
		cable = &w->cable[(int)st->x[0]];
		cable->there = true;
		cable->from = (int)st->x[1];
		cable->r = st->x[2];
		cable->l = st->x[3];
		if (st->kind == ST_FEEDER_CABLE) {
			/* With one phase a wire stands for both. */
			double metres = st->x[2] * (w->phases == 1 ? 2 : 1);

			cable->r = metres * gauges[(int)st->x[3]].ohm_m;
			cable->l = metres * gauges[(int)st->x[3]].henry_m;
		}
		break;
	case ST_LOAD_PLACE:
		w->load[(int)st->x[0] - 1].a = (int)st->x[1];
		w->load[(int)st->x[0] - 1].b = (int)st->x[2];
		w->load[(int)st->x[0] - 1].bus = (int)st->x[3];
		break;
	case ST_FORM:
		w->form_w = st->x[0];
		w->form_hz = st->x[1];
		w->form_slope = st->x[2];
		w->form_lag_s = st->x[3];
		break;
	default:
		break;
	}
}

/* How many wires and phases there are decides about the rest. */
static void take_system(struct wiring *w, const struct scenario *sc)
{
	int system = 0;

	w->hz = QS1_GRID_HZ;
	w->volts = 0;
	for (int n = 0; n < sc->setups; n++) {
		const struct statement *st = &sc->setup[n];

		if (st->kind != ST_FEEDER_PHASES)
			continue;
		system = (int)st->x[0];
		w->volts = st->x[1];
		w->hz = st->x[2];
	}
	w->phases = systems[system].phases;
	w->wires = systems[system].wires;
	if (w->volts == 0)
		w->volts = systems[system].volts;
	memcpy(w->relative, systems[system].relative, sizeof(w->relative));
	for (int k = 0; k < WIRING_PHASES; k++)
		w->swapped[k] = k;
	for (int n = 0; n < PLANT_LOADS; n++) {
		w->load[n].a = 0;
		w->load[n].b = w->phases == 2 ? 1 : SCENARIO_NEUTRAL;
	}
}

int wiring_init(struct wiring *w, const struct scenario *sc, int units)
{
	int nodes, elements, star;
	char err[64];

	memset(w, 0, sizeof(*w));
	take_system(w, sc);
	w->utility = true;
	w->rg = DEFAULT_RG_OHM;
	w->lg = DEFAULT_LG_H;
	w->source.h = PLANT_H;
	w->source.cos = 1;
	source_at(&w->source, w->volts);
	source_hz(&w->source, w->hz);
	w->grid = (struct grid){ .source = &w->source, .nominal_v = w->volts };
	for (int n = 0; n < sc->setups; n++)
		take_setup(w, &sc->setup[n], units);
	for (int bus = 0; bus < SCENARIO_BUSES; bus++)
		if (sc->has_bus[bus])
			w->buses = bus + 1;
	nodes = w->buses * w->wires;
	for (int k = 0; k < w->phases && w->resonance_hz > 0; k++)
		w->middle[k] = nodes++;
	star = nodes;
	for (int n = 0; n < sc->setups; n++)
		nodes += sc->setup[n].kind == ST_MOTOR;
	/* A transformer has two elements a phase. */
	elements = units + 3 * w->phases + 1 + w->buses * 2 * w->wires + 4 * PLANT_LOADS +
		   SCENARIO_OTHERS + MOTOR_WINDINGS * SCENARIO_MOTORS;
	w->net = network_new(nodes, elements, PLANT_H);
	if (!w->net)
		return -ENOMEM;
	add_source(w);
	add_cables(w);
	add_loads(w);
	add_others(w, sc);
	add_motors(w, sc, star);
	for (int n = 0; n < sc->setups; n++)
		wiring_apply(w, &sc->setup[n], 0, err, sizeof(err));
	return 0;
}

void wiring_free(struct wiring *w)
{
	network_free(w->net);
	w->net = NULL;
}

static void connect_branch(struct wiring *w, const struct wiring_branch *branch, bool closed)
{
	network_connect(w->net, branch->element, closed);
	if (!closed)
		network_element(w->net, branch->element)->x[0] = 0;
}

static void connect_source(struct wiring *w)
{
	for (int k = 0; k < w->phases; k++)
		connect_branch(w, &w->phase[k], w->utility && !w->phase_open[k]);
	if (w->phases > 1)
		connect_branch(w, &w->neutral, !w->neutral_open);
}

static void connect_cable(struct wiring *w, int bus, bool closed)
{
	struct wiring_cable *cable = &w->cable[bus];

	for (int k = 0; k < w->wires && cable->va == 0; k++)
		connect_branch(w, &cable->wire[k], closed);
	for (int k = 0; k < w->phases && cable->va > 0; k++)
		transformer_connect(&cable->phase[k], w->net, closed);
}

/*
 * Voltage dips at the terminals, by the part V that is left of one quantity. Bollen,
 * Understanding Power Quality Problems, 4.4: types A to D.
 */
static int apply_dip(struct wiring *w, int type, double left, char *err, size_t size)
{
	const struct phasor *nominal = systems[w->phases - 1].relative;
	double half_root3 = sqrt(3) / 2;
	double b[][2] = {
		/* real and imaginary part of -U2 */
		{ left / 2, left * half_root3 },
		{ 0.5, half_root3 },
		{ 0.5, left * half_root3 },
		{ left / 2, half_root3 },
	};
	static const bool first_falls[] = { true, true, false, true };

	if (w->phases != 3 && type > 1) {
		snprintf(err, size, "expected a dip of type A or B without three phases");
		return -EINVAL;
	}
	w->relative[0] = (struct phasor){ first_falls[type] ? left : 1, 0 };
	if (w->phases == 2) {
		w->relative[1] = (struct phasor){ type == 0 ? -left : nominal[1].re, 0 };
	} else {
		w->relative[1] = (struct phasor){ -b[type][0], -b[type][1] };
		w->relative[2] = (struct phasor){ -b[type][0], b[type][1] };
	}
	return 0;
}

int wiring_apply(struct wiring *w, const struct statement *st, double t, char *err, size_t size)
{
	int a = (int)st->x[0], b = (int)st->x[1], swap;
	struct plant_load load;

	switch (st->kind) {
	case ST_LOAD:
		load = plant_load_rlc(st->x[0], st->x[1], st->x[2] / 100);
		set_load(w, 0, &load);
		return 0;
	case ST_LOAD_CHANGE:
		set_load(w, a - 1, &st->load);
		if (st->x[2] == LOAD_RECTIFIER) {
			set_rectifier(w, &w->load[a - 1], st->x[1] * QS1_RATED_W);
		} else if (st->x[2] == LOAD_POWER) {
			w->load[a - 1].power_w = st->x[1] * QS1_RATED_W;
			w->load[a - 1].sum2 = w->load[a - 1].ticks = 0;
			w->load[a - 1].mean2 = pow(nominal(w, w->load[a - 1].b), 2);
			set_power(w, &w->load[a - 1]);
		}
		return 0;
	case ST_UTILITY_OPEN:
	case ST_UTILITY_CLOSE:
		w->utility = st->kind == ST_UTILITY_CLOSE;
		connect_source(w);
		return 0;
	case ST_PHASE_SWITCH:
		w->phase_open[a] = st->x[1] == 0;
		connect_source(w);
		return 0;
	case ST_NEUTRAL:
		w->neutral_open = st->x[0] == 0;
		connect_source(w);
		return 0;
	case ST_FEEDER_OPEN:
	case ST_FEEDER_CLOSE:
		connect_cable(w, a, st->kind == ST_FEEDER_CLOSE);
		return 0;
	case ST_SWAP:
		swap = w->swapped[a];
		w->swapped[a] = w->swapped[b];
		w->swapped[b] = swap;
		return 0;
	case ST_DIP:
		return apply_dip(w, a, st->x[1], err, size);
	case ST_DIP_NONE:
		memcpy(w->relative, systems[w->phases - 1].relative, sizeof(w->relative));
		return 0;
	case ST_REPLAY:
		grid_replay(&w->grid, st->replay, t);
		return 0;
	default:
		grid_apply(&w->grid, st, t);
		return 0;
	}
}

void wiring_move(struct wiring *w, double t)
{
	grid_move(&w->grid, t);
	source_normalise(&w->source);
	if (w->form_w > 0)
		source_hz(&w->source, w->form_hz - w->form_slope * w->form_mean_w / w->form_w);
}

static struct wiring_branch *emf_branch(struct wiring *w, int k)
{
	return w->resonance_hz > 0 ? &w->behind[k] : &w->phase[k];
}

void wiring_emf(struct wiring *w, double t)
{
	struct source *s = &w->source;
	double power = 0;

	if (w->grid.playing[REPLAY_WAVE].replay)
		grid_wave(&w->grid, t);
	source_turn(s);
	for (int k = 0; k < w->phases; k++) {
		struct network_element *e = network_element(w->net, emf_branch(w, k)->element);
		struct phasor u = w->relative[w->swapped[k]];
		double size = hypot(u.re, u.im), re = 1, im = 0, v;

		power -= e->emf1 * e->x[0];
		e->emf0 = e->emf1;
		if (s->given) {
			/* A recorded waveform is that of L1, or of all at their angle of 180
			 * degrees. */
			e->emf1 = s->given_v * u.re;
			continue;
		}
		if (size > 0) {
			re = u.re / size;
			im = u.im / size;
		}
		v = source_shape(s, s->cos * re - s->sin * im, s->sin * re + s->cos * im);
		if (s->tone > 0)
			v += s->tone * s->tone_sin;
		e->emf1 = M_SQRT2 * s->rms * size * v + s->dc;
	}
	for (int n = 0; n < SCENARIO_OTHERS; n++)
		if (w->other[n].watts > 0)
			other_before(&w->other[n], w->net);
	for (int n = 0; n < SCENARIO_MOTORS; n++)
		if (w->motor[n].va > 0)
			motor_before(&w->motor[n], w->net);
	if (w->form_w > 0)
		w->form_mean_w += (power - w->form_mean_w) * PLANT_H / w->form_lag_s;
}

void wiring_begin(struct wiring *w)
{
	for (int n = 0; n < PLANT_LOADS; n++) {
		struct wiring_load *load = &w->load[n];
		const struct network_element *e;
		double u;
		int mode;

		if (!load->rectifier)
			continue;
		e = network_element(w->net, load->rectifier_element);
		u = e->u[NETWORK_END];
		if (e->x[0] != 0)
			mode = e->x[0] > 0 ? RECTIFIER_AB : RECTIFIER_BA;
		else
			mode = u > e->x[1]    ? RECTIFIER_AB
			       : u < -e->x[1] ? RECTIFIER_BA
					      : RECTIFIER_OFF;
		network_use(w->net, load->rectifier_element, &load->mode[mode]);
	}
}

void wiring_finish(struct wiring *w)
{
	for (int n = 0; n < PLANT_LOADS; n++) {
		struct wiring_load *load = &w->load[n];
		struct network_element *e;
		int mode;

		if (!load->rectifier)
			continue;
		e = network_element(w->net, load->rectifier_element);
		mode = (int)(e->maps - load->mode);
		if (mode == RECTIFIER_OFF || (mode == RECTIFIER_AB ? e->x[0] < 0 : e->x[0] > 0))
			e->x[0] = 0;
	}
}

/* A load of constant power follows the mean of a cycle. */
static void follow_voltage(struct wiring *w, struct wiring_load *load)
{
	double u = network_element(w->net, load->part[0].element)->u[NETWORK_END];

	load->sum2 += u * u / POWER_TICKS;
	if (++load->ticks < POWER_TICKS)
		return;
	load->mean2 = load->sum2;
	load->sum2 = 0;
	load->ticks = 0;
	set_power(w, load);
}

void wiring_after(struct wiring *w, double t)
{
	for (int n = 0; n < PLANT_LOADS; n++)
		if (w->load[n].power_w > 0)
			follow_voltage(w, &w->load[n]);
	for (int n = 0; n < SCENARIO_OTHERS; n++)
		if (w->other[n].watts > 0)
			other_after(&w->other[n], w->net, t);
	for (int n = 0; n < SCENARIO_MOTORS; n++)
		if (w->motor[n].va > 0)
			motor_after(&w->motor[n], w->net);
}

double wiring_phase_volts(const struct wiring *w, int wire)
{
	return network_volts(w->net, wiring_node(w, 0, wire)) -
	       network_volts(w->net, wiring_node(w, 0, SCENARIO_NEUTRAL));
}

double wiring_phase_amps(const struct wiring *w, int wire)
{
	return network_element(w->net, w->phase[wire].element)->x[0];
}

double wiring_neutral_amps(const struct wiring *w)
{
	return w->phases > 1 ? network_element(w->net, w->neutral.element)->x[0] : 0;
}
