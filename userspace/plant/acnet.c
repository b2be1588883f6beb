// SPDX-License-Identifier: GPL-2.0-only
#include "acnet.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "matrix.h"

/* Augmented system: states, integral of iL1, bridge voltage, emf, slope of emf, extra current. */
#define N (AC_ROWS + 4)
#define U_BRIDGE AC_ROWS
#define U_EMF (AC_ROWS + 1)
#define U_SLOPE (AC_ROWS + 2)
#define U_EXTRA (AC_ROWS + 3)

/* The additional states of a rich network; half of the source is in the breaker's branch. */
static void equations_rich(const struct acnet_param *p, bool utility, double a[N][N])
{
	double c = p->load_c, l = p->lg / 2, r = p->rg / 2;

	a[AC_VP][AC_VP] -= 1 / (ACNET_RX_OHM * c);
	a[AC_VP][AC_VX] = 1 / (ACNET_RX_OHM * c);
	a[AC_VX][AC_VP] = 1 / (ACNET_RX_OHM * ACNET_CX_F);
	a[AC_VX][AC_VX] = -1 / (ACNET_RX_OHM * ACNET_CX_F);
	if (p->ct <= 0)
		return;
	a[AC_IT][AC_VT] = 1 / l;
	a[AC_IT][AC_IT] = -(r + p->rt) / l;
	a[AC_IT][U_EMF] = -1 / l;
	a[AC_VT][AC_IT] = -1 / p->ct;
	if (utility) {
		a[AC_IG][AC_VP] = 1 / l;
		a[AC_IG][AC_IG] = -(r + p->rt) / l;
		a[AC_IG][AC_IT] = p->rt / l;
		a[AC_IG][AC_VT] = -1 / l;
		a[AC_IG][U_EMF] = 0;
		a[AC_IT][AC_IG] = p->rt / l;
		a[AC_VT][AC_IG] = 1 / p->ct;
	}
}

void acnet_unit(const struct acnet_param *p, unsigned int config, struct acnet_unit *ret_unit)
{
	double gd = 1 / p->rd;
	struct acnet_unit u = { 0 };

	if (config & ACNET_L1) {
		u.a[AC_IL1][AC_IL1] = -p->r1 / p->l1;
		u.a[AC_IL1][AC_VC] = -1 / p->l1;
		u.bridge[AC_IL1] = 1 / p->l1;
		u.a[AC_VC][AC_IL1] = 1 / p->c;
	}
	u.a[AC_VC][AC_VC] = -(1 / p->rb + gd) / p->c;
	u.a[AC_VC][AC_VCD] = gd / p->c;
	u.a[AC_VCD][AC_VC] = gd / p->cd;
	u.a[AC_VCD][AC_VCD] = -gd / p->cd;
	if (config & ACNET_RELAY) {
		u.a[AC_VC][AC_I2] = -1 / p->c;
		u.a[AC_I2][AC_VC] = 1 / p->l2;
		u.a[AC_I2][AC_I2] = -p->r2 / p->l2;
		u.pcc[AC_I2] = -1 / p->l2;
	}
	*ret_unit = u;
}

/* The differential equations of one configuration. */
static void equations(const struct acnet_param *p, unsigned int config, double a[N][N])
{
	bool relay = config & ACNET_RELAY, utility = config & ACNET_UTILITY;
	struct acnet_unit unit;

	acnet_unit(p, p->load ? config : config & ~ACNET_RELAY, &unit);
	for (int i = 0; i < ACNET_UNIT; i++) {
		memcpy(a[i], unit.a[i], sizeof(unit.a[i]));
		a[i][U_BRIDGE] = unit.bridge[i];
	}
	if (config & ACNET_L1)
		a[AC_Q1][AC_IL1] = 1;

	if (p->load) {
		a[AC_I2][AC_VP] = unit.pcc[AC_I2];
		if (relay)
			a[AC_VP][AC_I2] = 1 / p->load_c;
		a[AC_VP][AC_VP] = -1 / (p->load_r * p->load_c);
		a[AC_VP][AC_ILL] = -1 / p->load_c;
		a[AC_ILL][AC_VP] = 1 / p->load_l;
		if (utility) {
			a[AC_VP][AC_IG] = -1 / p->load_c;
			a[AC_IG][AC_VP] = 1 / p->lg;
			a[AC_IG][AC_IG] = -p->rg / p->lg;
			a[AC_IG][U_EMF] = -1 / p->lg;
		}
		if (p->rich)
			equations_rich(p, utility, a);
	} else if (relay && utility) {
		double l = p->l2 + p->lg;

		a[AC_VC][AC_I2] = -1 / p->c;
		a[AC_I2][AC_VC] = 1 / l;
		a[AC_I2][AC_I2] = -(p->r2 + p->rg) / l;
		a[AC_I2][U_EMF] = -1 / l;
	}
	a[U_EMF][U_SLOPE] = 1;
}

/* @extra: the map has a column for the extra current, which only a part of a step needs. */
static void discretise(const struct acnet_param *p, unsigned int config, double h, bool extra,
		       struct acnet_map *map)
{
	double m[N][N] = { 0 };

	equations(p, config, m);
	if (extra) {
		m[AC_IL1][U_EXTRA] = -p->r1 / p->l1;
		m[AC_VC][U_EXTRA] = 1 / p->c;
	}
	for (int i = 0; i < N; i++)
		for (int j = 0; j < N; j++)
			m[i][j] *= h;
	matrix_exp(N, &m[0][0]);
	map->cols = p->rich ? AC_COLS : p->load ? AC_STATES : AC_I2 + 1;
	for (int i = 0; i < AC_ROWS; i++) {
		for (int j = 0; j < AC_COLS; j++)
			map->col[j][i] = m[i][j];
		/*
		 * m is the exponential of h times the equations, so the slope is
		 * per unit of time and emf = emf0 + (emf1 - emf0) t / h.
		 */
		map->bridge[i] = m[i][U_BRIDGE];
		map->emf1[i] = m[i][U_SLOPE] / h;
		map->emf0[i] = m[i][U_EMF] - map->emf1[i];
		map->extra[i] = m[i][U_EXTRA];
	}
	map->valid = true;
}

static void take(struct acnet *net, const struct acnet_param *par)
{
	net->par = *par;
	/* A load makes the source current a state: the source needs an inductance. */
	if (par->load && par->lg < 1e-6)
		net->par.lg = 1e-6;
	if (par->rich)
		net->par.load_c += ACNET_CS_F;
	memset(net->map, 0, sizeof(net->map));
	memset(net->sub, 0, sizeof(net->sub));
	if (net->part)
		memset(net->part, 0, ACNET_CONFIGS * sizeof(*net->part));
}

void acnet_init(struct acnet *net, const struct acnet_param *par, double h)
{
	memset(net, 0, sizeof(*net));
	net->h = h;
	take(net, par);
}

void acnet_free(struct acnet *net)
{
	free(net->part);
	net->part = NULL;
}

int acnet_divisible(struct acnet *net)
{
	net->part = calloc(ACNET_CONFIGS, sizeof(*net->part));
	return net->part ? 0 : -ENOMEM;
}

void acnet_change(struct acnet *net, const struct acnet_param *par, unsigned int config)
{
	double *x = net->x, l = net->par.load_l;
	bool had_load = net->par.load, was_rich = net->par.rich;

	take(net, par);
	if (!had_load) {
		x[AC_VP] = net->vpcc;
		x[AC_ILL] = 0;
		x[AC_IG] = config & ACNET_UTILITY && config & ACNET_RELAY ? x[AC_I2] : 0;
	} else {
		x[AC_ILL] = isinf(par->load_l) ? 0 : isinf(l) ? 0 : x[AC_ILL] * l / par->load_l;
	}
	if (!was_rich) {
		x[AC_VX] = net->vpcc;
		x[AC_VT] = net->vpcc;
		x[AC_IT] = x[AC_IG];
	}
}

static const struct acnet_map *map_of(struct acnet *net, unsigned int config, bool sub)
{
	struct acnet_map *map = sub ? &net->sub[config] : &net->map[config];

	if (!map->valid)
		discretise(&net->par, config, sub ? net->h / ACNET_SUBSTEPS : net->h, false, map);
	return map;
}

static inline void advance_rows(struct acnet *net, const struct acnet_map *map, int rows,
				double vbridge, double emf0, double emf1)
{
	double y[AC_ROWS];

	for (int i = 0; i < rows; i++)
		y[i] = map->bridge[i] * vbridge + map->emf0[i] * emf0 + map->emf1[i] * emf1;
	for (int j = 0; j < 4; j++)
		for (int i = 0; i < rows; i++)
			y[i] += map->col[j][i] * net->x[j];
	for (int j = 4; j < map->cols; j++)
		for (int i = 0; i < rows; i++)
			y[i] += map->col[j][i] * net->x[j];
	memcpy(net->x, y, (size_t)rows * sizeof(*y));
}

static inline void advance(struct acnet *net, const struct acnet_map *map, double vbridge,
			   double emf0, double emf1)
{
	if (map->cols == AC_COLS) {
		net->x[AC_Q1] = 0;
		advance_rows(net, map, AC_ROWS, vbridge, emf0, emf1);
	} else {
		advance_rows(net, map, AC_PLAIN_ROWS, vbridge, emf0, emf1);
	}
}

/* Without a load the PCC is no state: a divider of the two inductors. */
static inline void update_pcc(struct acnet *net, unsigned int config, double emf)
{
	const struct acnet_param *p = &net->par;
	const double *x = net->x;

	net->emf = emf;
	if (p->load) {
		net->vpcc = x[AC_VP];
		return;
	}
	switch (config & (ACNET_RELAY | ACNET_UTILITY)) {
	case ACNET_RELAY | ACNET_UTILITY: {
		double di = (x[AC_VC] - emf - (p->r2 + p->rg) * x[AC_I2]) / (p->l2 + p->lg);

		net->vpcc = emf + p->rg * x[AC_I2] + p->lg * di;
		break;
	}
	case ACNET_RELAY:
		net->vpcc = x[AC_VC];
		break;
	case ACNET_UTILITY:
		net->vpcc = emf;
		break;
	default:
		net->vpcc = 0;
		break;
	}
}

double acnet_step(struct acnet *net, unsigned int config, double vbridge, double emf)
{
	const struct acnet_map *map = map_of(net, config | ACNET_L1, false);

	advance(net, map, vbridge, net->emf, emf);
	update_pcc(net, config, emf);
	return net->x[AC_Q1];
}

double acnet_advance(struct acnet *net, unsigned int config, int ticks, double vbridge,
		     double extra, double emf0, double emf1)
{
	double slope = (emf1 - emf0) / ticks, charge = 0, at = emf0;
	struct acnet_map *maps = net->part[config | ACNET_L1];

	for (int k = 0; k <= ACNET_TICKS_LOG2; k++) {
		double to = at + slope * (1 << k);
		struct acnet_map *map = &maps[k];

		if (!(ticks >> k & 1))
			continue;
		if (!map->valid) {
			discretise(&net->par, config | ACNET_L1,
				   ldexp(net->h, k - ACNET_TICKS_LOG2), true, map);
		}
		advance(net, map, vbridge, at, to);
		for (int i = 0; i < AC_ROWS; i++)
			net->x[i] += map->extra[i] * extra;
		charge += net->x[AC_Q1];
		at = to;
	}
	update_pcc(net, config, emf1);
	return charge;
}

void acnet_step_diodes(struct acnet *net, unsigned int config, double *vlink, double clink,
		       double emf)
{
	double emf0 = net->emf;

	config &= ~ACNET_L1;
	if (net->x[AC_IL1] == 0 && fabs(net->x[AC_VC]) <= *vlink) {
		advance(net, map_of(net, config, false), 0, emf0, emf);
		net->x[AC_IL1] = 0;
		update_pcc(net, config, emf);
		return;
	}
	for (int n = 0; n < ACNET_SUBSTEPS; n++) {
		double from = emf0 + (emf - emf0) * n / ACNET_SUBSTEPS;
		double to = emf0 + (emf - emf0) * (n + 1) / ACNET_SUBSTEPS;
		double i = net->x[AC_IL1];
		bool against; /* the diodes connect the link's positive end to the inductor */

		if (i == 0 && fabs(net->x[AC_VC]) <= *vlink) {
			advance(net, map_of(net, config, true), 0, from, to);
			net->x[AC_IL1] = 0;
			continue;
		}
		/* The diodes apply the link against the current, or against vC to start one. */
		against = i < 0 || (i == 0 && net->x[AC_VC] > 0);
		advance(net, map_of(net, config | ACNET_L1, true), against ? *vlink : -*vlink, from,
			to);
		*vlink += fabs(net->x[AC_Q1]) / clink;
		if (against ? net->x[AC_IL1] > 0 : net->x[AC_IL1] < 0)
			net->x[AC_IL1] = 0;
	}
	update_pcc(net, config, emf);
}

void acnet_open_relay(struct acnet *net)
{
	net->x[AC_I2] = 0;
}

void acnet_open_utility(struct acnet *net)
{
	net->x[AC_IG] = 0;
	if (!net->par.load)
		net->x[AC_I2] = 0;
}

double acnet_energy(const struct acnet *net)
{
	const struct acnet_param *p = &net->par;
	const double *x = net->x;
	double l2 = p->l2 + (p->load ? 0 : p->lg);
	double e = p->l1 * x[AC_IL1] * x[AC_IL1] + p->c * x[AC_VC] * x[AC_VC] +
		   p->cd * x[AC_VCD] * x[AC_VCD] + l2 * x[AC_I2] * x[AC_I2];

	if (p->load) {
		e += p->load_c * x[AC_VP] * x[AC_VP] +
		     (isinf(p->load_l) ? 0 : p->load_l * x[AC_ILL] * x[AC_ILL]) +
		     (p->ct > 0 ? p->lg / 2 : p->lg) * x[AC_IG] * x[AC_IG];
	}
	if (p->rich) {
		e += ACNET_CX_F * x[AC_VX] * x[AC_VX] + p->ct * x[AC_VT] * x[AC_VT] +
		     (p->ct > 0 ? p->lg / 2 * x[AC_IT] * x[AC_IT] : 0);
	}
	return e / 2;
}
