// SPDX-License-Identifier: GPL-2.0-only
#include "bridge.h"

#include <math.h>
#include <stdint.h>

/* Forward voltage of a switch's body diode. */
#define DIODE_V 1.2

/* An inductor's current is its flux over L1, plus that to this power over saturation. */
#define SATURATION_POWER 8

#define PERIOD ACNET_TICKS

/* An event within a period; a period has them in order of time. */
struct event {
	int at;
	int leg;
	bool rising;
	bool commanded; /* the gate logic's edge; else the leg's voltage changes */
};

#define EVENTS (BOARD_LEGS * 4)

/**
 * struct period - a period being stepped
 * @emf0: source voltage at its start, V
 * @at: ends of the segments so far, ticks, with the grid current @i2 there, A
 */
struct period {
	struct acnet *net;
	const struct plant_board *board;
	struct bridge_step *step;
	struct bridge_filtered *filtered;
	struct event event[EVENTS];
	int events;
	bool high[BOARD_LEGS];
	int now;
	double emf0;
	int segments;
	int at[EVENTS + 2];
	double i2[EVENTS + 2];
};

static void add(struct period *p, struct event event)
{
	int n = p->events++;

	for (; n > 0 && p->event[n - 1].at > event.at; n--)
		p->event[n] = p->event[n - 1];
	p->event[n] = event;
}

/* Saturation current: in addition to the current of a linear inductor at this flux. */
static double excess(const struct plant_board *board, double linear)
{
	double x = linear / board->saturation_a, x2 = x * x, x4 = x2 * x2;

	_Static_assert(SATURATION_POWER == 8, "excess() raises to the eighth power");
	return linear * x4 * x4;
}

static double current(const struct period *p)
{
	double linear = p->net->x[AC_IL1];

	return linear + excess(p->board, linear);
}

/*
 * Delay from the gate logic's edge to the change of a leg's voltage, s. The old
 * switch turns off immediately, the new one after the dead time.
 */
static double delay(const struct period *p, int leg, bool rising)
{
	const struct plant_board *b = p->board;
	double dead = b->dead_s[leg], i = leg ? -current(p) : current(p);
	double over = DIODE_V / p->step->vlink;
	double late = b->late_s[leg][rising], swing;

	/* The current holds the leg where it was: its diode carries it, beyond the rail. */
	if (rising ? i >= 0 : i <= 0)
		return late + dead + over * dead;
	/* It swings the leg: half of the ramp counts, and the opposite diode beyond it. */
	swing = b->leg_f[leg] * p->step->vlink / fabs(i);
	if (swing < dead)
		return fmax(late + swing / 2 - over * (dead - swing), 0);
	/* The switch ends a ramp that is too slow. */
	return late + dead * (1 - dead / (2 * swing));
}

static double bridge_voltage(const struct period *p, double i)
{
	double v = (p->high[0] - p->high[1]) * p->step->vlink;

	return v - i * (p->board->switch_ohm[0][p->high[0]] + p->board->switch_ohm[1][p->high[1]]);
}

static double emf_at(const struct period *p, int at)
{
	return p->emf0 + (p->step->emf - p->emf0) * at * (1.0 / PERIOD);
}

/* One pole, its input linear over the segment: a ramp comes out late by the time constant. */
static void filter(double *y, double x0, double x1, double tau, double t, double decay)
{
	double slope = (x1 - x0) / t;

	*y = x1 - slope * tau + (*y - x0 + slope * tau) * decay;
}

static void advance_to(struct period *p, int at)
{
	struct acnet *net = p->net;
	const struct plant_board *b = p->board;
	const double *x = net->x;
	double t = (at - p->now) * net->h * (1.0 / PERIOD), tau = b->filter_s;
	double i = current(p), v, extra, charge;
	double i2 = x[AC_I2], vc = x[AC_VC], vp = net->vpcc;

	if (at <= p->now)
		return;
	v = bridge_voltage(p, i);
	/* Saturation as it is in the segment's middle, by the slope at its start. */
	extra = excess(b, x[AC_IL1] + (v - vc - net->par.r1 * i) / net->par.l1 * t / 2);
	charge = acnet_advance(net, p->step->config, at - p->now, v, extra, emf_at(p, p->now),
			       emf_at(p, at)) +
		 extra * t;
	p->step->link_c += (p->high[0] - p->high[1]) * charge;
	if (tau > 0) {
		double decay = exp(-t / tau);

		filter(&p->filtered->igrid, i2, x[AC_I2], tau, t, decay);
		filter(&p->filtered->vgrid, vp, net->vpcc, tau, t, decay);
		filter(&p->filtered->vinv, vc, x[AC_VC], tau, t, decay);
	}
	p->now = at;
	p->at[++p->segments] = at;
	p->i2[p->segments] = x[AC_I2];
}

/* The gate logic's two edges of a leg that is high for a part of the period. */
static void command(struct period *p, int leg, double duty)
{
	for (int rising = 0; rising < 2; rising++) {
		double at = PERIOD * (0.5 + (rising ? -0.5 : 0.5) * duty);

		add(p, (struct event){ (int)lrint(at), leg, rising, true });
	}
}

/* A pulse shorter than the dead time never turns its switch on. */
static bool swallowed(struct period *p, const struct event *falling, int next)
{
	for (int n = next; n < p->events; n++) {
		if (p->event[n].commanded || p->event[n].leg != falling->leg)
			continue;
		p->events--;
		for (; n < p->events; n++)
			p->event[n] = p->event[n + 1];
		return true;
	}
	return false;
}

/* Mean square of the ripple between the samples, linear between the ends of a segment. */
static double ripple2(const struct period *p)
{
	double slope = (p->i2[p->segments] - p->i2[0]) / PERIOD, sum = 0, before = 0;

	for (int n = 1; n <= p->segments; n++) {
		double now = p->i2[n] - p->i2[0] - slope * p->at[n];

		sum += (p->at[n] - p->at[n - 1]) * (before * before + before * now + now * now) / 3;
		before = now;
	}
	return sum / PERIOD;
}

void bridge_switch(struct acnet *net, const struct plant_board *board, struct bridge_step *step,
		   struct bridge_filtered *filtered)
{
	struct period p = { .net = net, .board = board, .step = step, .filtered = filtered };

	step->link_c = 0;
	p.emf0 = net->emf;
	p.i2[0] = net->x[AC_I2];
	command(&p, 0, (1 + step->m) / 2);
	command(&p, 1, (1 - step->m) / 2);
	for (int n = 0; n < p.events; n++) {
		struct event e = p.event[n];

		advance_to(&p, e.at < PERIOD ? e.at : PERIOD);
		if (!e.commanded) {
			p.high[e.leg] = e.rising;
		} else if (e.rising || !swallowed(&p, &e, n + 1)) {
			e.at += (int)lrint(delay(&p, e.leg, e.rising) / net->h * PERIOD);
			e.commanded = false;
			add(&p, e);
		}
	}
	advance_to(&p, PERIOD);
	step->ripple2 = ripple2(&p);
	if (board->filter_s <= 0)
		*filtered = (struct bridge_filtered){ net->x[AC_I2], net->vpcc, net->x[AC_VC] };
}
