// SPDX-License-Identifier: GPL-2.0-only
#include "motor.h"

#include <math.h>

#include "plant.h"

/* Near the speed under load, so that a scenario need not wait for the start. */
#define FIRST_SPEED 0.98

/*
 * Per unit: small industrial motor, and the motors of homes together. IEEE Task Force on Load
 * Representation for Dynamic Performance, Trans. Power Systems 10 (1995), 1302: types 3 and 5.
 */
static const struct windings {
	double rs, xs, xm, rr, xr;
} industrial = { 0.031, 0.10, 3.2, 0.018, 0.18 }, domestic = { 0.077, 0.107, 2.22, 0.079, 0.098 };

static const double root3 = 1.7320508075688772;

/* @base: volts squared over the power of a winding. Returns R and L'' of a winding. */
static void set_up(struct motor *m, const struct windings *w, double base, double hz, double *ret_r,
		   double *ret_l)
{
	double lr, lm;

	m->omega0 = 2 * M_PI * hz;
	m->omega = FIRST_SPEED * m->omega0;
	lr = (w->xr + w->xm) * base / m->omega0;
	lm = w->xm * base / m->omega0;
	m->k = lm / lr;
	m->rate = w->rr * base / lr;
	m->drive = m->k * w->rr * base;
	*ret_r = (w->rs + m->k * m->k * w->rr) * base;
	*ret_l = (w->xs + w->xm) * base / m->omega0 - m->k * lm;
}

static void add_winding(struct motor *m, struct network *net, int n, int a, int b,
			const struct network_pair *pair)
{
	m->element[n] = network_add(net, a, b);
	network_use(net, m->element[n], pair);
	network_connect(net, m->element[n], true);
	network_element(net, m->element[n])->emf = true;
}

void motor_init_three(struct motor *m, struct network *net, const int phase[3], int star,
		      double volts, double hz)
{
	struct network_model model = { .states = 1, .amps = { 1 } };
	double r, l;

	set_up(m, &industrial, 3 * volts * volts / m->va, hz, &r, &l);
	model.a[0][0] = -r / l;
	model.volts[0] = 1 / l;
	network_pair_init(&m->pair[0], &model, PLANT_H);
	m->windings = 3;
	for (int n = 0; n < 3; n++)
		add_winding(m, net, n, phase[n], star, &m->pair[0]);
}

void motor_init_one(struct motor *m, struct network *net, int a, int b, double volts, double hz)
{
	struct network_model model = { .states = 1, .amps = { 1 } };
	double base = 2 * volts * volts / m->va, r, l, c;

	set_up(m, &domestic, base, hz, &r, &l);
	model.a[0][0] = -r / l;
	model.volts[0] = 1 / l;
	network_pair_init(&m->pair[0], &model, PLANT_H);
	/* It turns the current by 90 degrees where the windings have a power factor of 0.7. */
	c = 1 / (M_SQRT2 * m->omega0 * base);
	model.states = 2;
	model.a[0][1] = -1 / l;
	model.a[1][0] = 1 / c;
	network_pair_init(&m->pair[1], &model, PLANT_H);
	m->windings = 2;
	add_winding(m, net, 0, a, b, &m->pair[0]);
	add_winding(m, net, 1, a, b, &m->pair[1]);
}

/* The induced voltage as the axes of the windings have it. */
static double induced(const struct motor *m, double complex e, int n)
{
	static const double beta[] = { 0, 0.5, -0.5 };

	if (m->windings == 2)
		/* The capacitor's current leads: this winding is the other way round. */
		return n == 0 ? creal(e) : -cimag(e);
	return n == 0 ? creal(e) : -creal(e) / 2 + beta[n] * root3 * cimag(e);
}

static double complex stator(const struct motor *m, struct network *net)
{
	double i[MOTOR_WINDINGS];

	for (int n = 0; n < m->windings; n++)
		i[n] = network_element(net, m->element[n])->x[0];
	if (m->windings == 2)
		return CMPLX(i[0], -i[1]);
	return CMPLX((2 * i[0] - i[1] - i[2]) / 3, (i[1] - i[2]) / root3);
}

/* The flux a step later, with the stator's current at the step's end. */
static double complex next_flux(const struct motor *m, double complex amps)
{
	double complex turn = cexp(CMPLX(-m->rate, m->omega) * PLANT_H);

	return turn * m->flux + m->drive * PLANT_H / 2 * (turn * m->amps + amps);
}

static double complex voltage(const struct motor *m, double complex flux)
{
	return m->k * CMPLX(-m->rate, m->omega) * flux;
}

void motor_before(struct motor *m, struct network *net)
{
	double complex e0 = voltage(m, m->flux);
	double complex e1 = voltage(m, next_flux(m, 2 * m->amps - m->before));

	for (int n = 0; n < m->windings; n++) {
		struct network_element *e = network_element(net, m->element[n]);

		e->emf0 = induced(m, e0, n);
		e->emf1 = induced(m, e1, n);
	}
}

void motor_after(struct motor *m, struct network *net)
{
	double complex amps = stator(m, net);
	double torque, fan, speed = motor_speed(m);

	m->flux = next_flux(m, amps);
	m->before = m->amps;
	m->amps = amps;
	torque = m->windings / 2.0 * m->k * cimag(conj(m->flux) * amps);
	fan = m->load * m->va / m->omega0 * speed * fabs(speed);
	m->omega += PLANT_H * (torque - fan) * m->omega0 * m->omega0 / (2 * m->inertia_s * m->va);
}

double motor_speed(const struct motor *m)
{
	return m->omega / m->omega0;
}
