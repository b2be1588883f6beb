// SPDX-License-Identifier: GPL-2.0-only
#include "pv.h"

#include <math.h>
#include <string.h>

#define ZERO_C_K 273.15
#define T_REF_K 298.15
#define K_EV 8.617333262145e-5 /* Boltzmann constant, eV/K, exact SI */
#define EG_REF_EV 1.121	       /* band gap of silicon at 25 C */
#define EG_SLOPE_1_K (-0.0002677)

/* Below this light a source is dark: nothing to solve for. */
#define DARK_W_M2 0.05

/* Junction voltages of a section move at most so far in a step of Newton from the last solution. */
#define FOLLOW_V 1.0

/* Largest exponent: exp() of it is beyond every current of interest. */
#define EXP_MAX 60.0

void pv_diode_at(const struct pv_module *module, double light, double cell_c,
		 struct pv_diode *ret_diode)
{
	const struct pv_diode *ref = &module->ref;
	double t = cell_c + ZERO_C_K, dt = t - T_REF_K, ratio = t / T_REF_K;
	double eg = EG_REF_EV * (1 + EG_SLOPE_1_K * dt);
	double alpha = module->alpha_sc * (1 - module->adjust / 100);

	*ret_diode = (struct pv_diode){
		.il = fmax(0, light / 1000 * (ref->il + alpha * dt)),
		.i0 = ref->i0 * ratio * ratio * ratio *
		      exp(EG_REF_EV / (K_EV * T_REF_K) - eg / (K_EV * t)),
		.a = ref->a * ratio,
		.rs = ref->rs,
		.gsh = ref->gsh * light / 1000,
	};
}

/*
 * Right of the root: the current is at most il - gsh x, and with it
 * i0 exp(x / a) at most il + i0 + (v - x) / rs.
 */
static double junction_bound(const struct pv_diode *d, double v)
{
	double hi = v + d->rs * d->il;

	if (d->rs > 0 && hi > 0)
		hi = fmin(hi, d->a * log1p((d->il + fmax(v, 0) / d->rs) / d->i0));
	return hi;
}

struct pv_point pv_diode_solve(const struct pv_diode *d, double v, double *vd)
{
	double x = isnan(*vd) ? junction_bound(d, v) : *vd;
	double e, i, slope, dx;

	for (int n = 0; n < 100; n++) {
		double step;

		e = d->i0 * exp(fmin(x / d->a, EXP_MAX));
		i = d->il - (e - d->i0) - x * d->gsh;
		slope = e / d->a + d->gsh; /* -di/dx */
		step = (x - d->rs * i - v) / (1 + d->rs * slope);
		x -= step;
		/* The next error is step^2 / 2a: beyond double precision. */
		if (fabs(step) < 1e-8)
			break;
		if (-step > d->a)
			x = fmin(x, junction_bound(d, v));
	}
	*vd = x;
	e = d->i0 * exp(fmin(x / d->a, EXP_MAX));
	i = d->il - (e - d->i0) - x * d->gsh;
	slope = e / d->a + d->gsh;

	/* v = x - rs i(x), so dx/dv = 1 / (1 + rs slope) */
	dx = 1 / (1 + d->rs * slope);
	return (struct pv_point){
		.i = i,
		.di = -slope * dx,
		.d2i = -e / (d->a * d->a) * dx * dx * dx,
	};
}

/**
 * struct section_point - one section with its bypass diode at a junction voltage x
 * @i: current, and its first two derivatives by x
 * @u: voltage, and its first two derivatives by x
 */
struct section_point {
	double i, di, d2i;
	double u, du, d2u;
};

/* Explicit in the junction voltage of the section's cells. */
static struct section_point section_at(const struct pv_diode *d, double x)
{
	double e = d->i0 * exp(fmin(x / d->a, EXP_MAX));
	double cells = d->il - (e - d->i0) - x * d->gsh;
	double dcells = -(e / d->a + d->gsh), d2cells = -e / (d->a * d->a);
	double u = x - d->rs * cells, du = 1 - d->rs * dcells, d2u = -d->rs * d2cells;
	double b = PV_BYPASS_I0_A * exp(fmin(-u / PV_BYPASS_A_V, EXP_MAX));

	return (struct section_point){
		.i = cells + b - PV_BYPASS_I0_A,
		.di = dcells - b / PV_BYPASS_A_V * du,
		.d2i = d2cells + b / PV_BYPASS_A_V * (du * du / PV_BYPASS_A_V - d2u),
		.u = u,
		.du = du,
		.d2u = d2u,
	};
}

/*
 * One section at a current: Newton kept inside a bracket, for the current falls
 * monotonically with x.
 */
static struct section_point section_solve(const struct pv_diode *d, double i, double *x)
{
	double lo = -3, hi = d->a * EXP_MAX, at = *x;
	struct section_point p;

	if (!(at > lo && at < hi))
		at = 0;
	for (int n = 0; n < 200; n++) {
		double next;

		p = section_at(d, at);
		if (p.i > i)
			lo = at;
		else
			hi = at;
		next = at - (p.i - i) / p.di;
		if (!(next > lo && next < hi))
			next = (lo + hi) / 2;
		if (fabs(next - at) < 1e-13)
			break;
		at = next;
	}
	*x = at;
	return p;
}

/* Voltage of the string of lit and shaded sections at a current, dU/dI, d2U/dI2. */
static double string_voltage(struct pv_source *s, double i, double *ret_du, double *ret_d2u)
{
	const int count[2] = { PV_SECTIONS - s->shaded, s->shaded };
	double u = 0;

	*ret_du = *ret_d2u = 0;
	for (int k = 0; k < 2; k++) {
		struct section_point p;

		if (!count[k])
			continue;
		p = section_solve(&s->section[k], i, &s->section_x[k]);
		u += count[k] * p.u;
		*ret_du += count[k] * p.du / p.di;
		*ret_d2u += count[k] * (p.d2u * p.di - p.du * p.d2i) / (p.di * p.di * p.di);
	}
	return u;
}

/*
 * The string at a voltage from where it was last: Newton in both junction
 * voltages at once, for the same current and the sum of the voltages. False when
 * the start was too far away.
 */
static bool string_follow(struct pv_source *s, double v, struct pv_point *ret_point)
{
	const double lit = PV_SECTIONS - s->shaded, shaded = s->shaded;
	double x0 = s->section_x[0], x1 = s->section_x[1];

	for (int n = 0; n < 8; n++) {
		struct section_point a = section_at(&s->section[0], x0);
		struct section_point b = section_at(&s->section[1], x1);
		double f = a.i - b.i, g = lit * a.u + shaded * b.u - v;
		double det = a.di * shaded * b.du + b.di * lit * a.du;
		double dx0 = (f * shaded * b.du + g * b.di) / det;
		double dx1 = (a.di * g - lit * a.du * f) / det;

		if (!(fabs(dx0) < FOLLOW_V && fabs(dx1) < FOLLOW_V))
			return false;
		x0 -= dx0;
		x1 -= dx1;
		/* The next error is of the order of dx^2 / a: below 1e-12 V. */
		if (fabs(dx0) < 1e-7 && fabs(dx1) < 1e-7) {
			double du = lit * a.du / a.di + shaded * b.du / b.di;
			double d2u = lit * (a.d2u * a.di - a.du * a.d2i) / (a.di * a.di * a.di) +
				     shaded * (b.d2u * b.di - b.du * b.d2i) / (b.di * b.di * b.di);

			s->section_x[0] = x0;
			s->section_x[1] = x1;
			s->string_i = a.i - a.di * dx0;
			*ret_point = (struct pv_point){ .i = s->string_i,
							.di = 1 / du,
							.d2i = -d2u / (du * du * du) };
			return true;
		}
	}
	return false;
}

/* The string's current at a voltage: Newton in the current, bracketed. */
static struct pv_point string_solve(struct pv_source *s, double v)
{
	struct pv_point point;

	/* Over the whole range: from a reverse current to the photocurrent. */
	double lo = -200, hi = 1.5 * s->section[0].il + 1, i = s->string_i, du, d2u;

	if (string_follow(s, v, &point))
		return point;
	if (!(i > lo && i < hi))
		i = hi / 2;
	for (int n = 0; n < 200; n++) {
		double u = string_voltage(s, i, &du, &d2u), next;

		if (u > v)
			lo = i;
		else
			hi = i;
		next = i - (u - v) / du;
		if (!(next > lo && next < hi))
			next = (lo + hi) / 2;
		if (fabs(next - i) < 1e-12)
			break;
		i = next;
	}
	s->string_i = i;
	return (struct pv_point){ .i = i, .di = 1 / du, .d2i = -d2u / (du * du * du) };
}

void pv_source_init(struct pv_source *s, const struct pv_module *module)
{
	*s = (struct pv_source){ .module = *module, .vd = NAN };
	pv_source_update(s);
}

static void en50530_update(struct pv_source *s)
{
	const struct pv_module *m = &s->module;
	double ffu = m->thinfilm ? 0.72 : 0.80, ffi = m->thinfilm ? 0.80 : 0.90;
	double cg = m->thinfilm ? 1.252e-3 : 2.514e-3;
	double cv = m->thinfilm ? 8.419e-2 : 8.593e-2;
	double cr = m->thinfilm ? 1.476e-4 : 1.088e-4;
	double alpha = m->thinfilm ? 0.0002 : 0.0004;
	double beta = m->thinfilm ? -0.002 : -0.004;
	double dt = s->cell_c - 25, g = s->light;
	double isc_stc = m->pmpp / m->vmpp / ffi, voc_stc = m->vmpp / ffu;
	double caq = (ffu - 1) / log(1 - ffi);
	double voc = voc_stc * (1 + beta * dt) * (cv * log(g / cg + 1) - cr * g);

	s->en_isc = isc_stc * g / 1000 * (1 + alpha * dt);
	s->en_i0 = isc_stc * pow(1 - ffi, 1 / (1 - ffu)) * g / 1000;
	s->en_a = fmax(voc * caq, 1e-3);
}

static bool is_uniform(const struct pv_source *s)
{
	return !s->shaded || s->fraction == 0;
}

void pv_source_update(struct pv_source *s)
{
	switch (s->module.kind) {
	case PV_OPEN:
	case PV_SOURCE:
		break;
	case PV_EN50530:
		en50530_update(s);
		break;
	case PV_DIODE:
		pv_diode_at(&s->module, s->light, s->cell_c, &s->whole);
		if (is_uniform(s))
			break;
		for (int k = 0; k < 2; k++) {
			struct pv_diode *d = &s->section[k];

			*d = s->whole;
			if (k == 1) {
				d->il *= 1 - s->fraction;
				d->gsh *= 1 - s->fraction;
			}
			d->a /= PV_SECTIONS;
			d->rs /= PV_SECTIONS;
			d->gsh *= PV_SECTIONS;
		}
		break;
	}
}

struct pv_point pv_source_solve(struct pv_source *s, double v)
{
	struct pv_point p = { 0 };

	switch (s->module.kind) {
	case PV_OPEN:
		break;
	case PV_SOURCE:
		return (struct pv_point){ (s->module.source_v - v) / s->module.source_ohm,
					  -1 / s->module.source_ohm, 0 };
	case PV_EN50530: {
		double e;

		if (s->light < DARK_W_M2)
			break;
		e = s->en_i0 * exp(fmin(v / s->en_a, EXP_MAX));
		p.i = s->en_isc - (e - s->en_i0);
		p.di = -e / s->en_a;
		p.d2i = p.di / s->en_a;
		break;
	}
	case PV_DIODE:
		if (is_uniform(s))
			p = pv_diode_solve(&s->whole, v, &s->vd);
		else
			p = string_solve(s, v);
		break;
	}
	return p;
}

static double power_at(struct pv_source *s, double v)
{
	return v * pv_source_solve(s, v).i;
}

/* The voltage of the maximum between two voltages that enclose it: golden section. */
static double refine(struct pv_source *s, double lo, double hi)
{
	const double g = (sqrt(5) - 1) / 2;
	double a = hi - g * (hi - lo), b = lo + g * (hi - lo);
	double pa = power_at(s, a), pb = power_at(s, b);

	while (hi - lo > 2e-4) {
		if (pa > pb) {
			hi = b;
			b = a;
			pb = pa;
			a = hi - g * (hi - lo);
			pa = power_at(s, a);
		} else {
			lo = a;
			a = b;
			pa = pb;
			b = lo + g * (hi - lo);
			pb = power_at(s, b);
		}
	}
	return (lo + hi) / 2;
}

/* Upper bound of the open-circuit voltage. */
static double voc_bound(const struct pv_source *s)
{
	if (s->module.kind == PV_EN50530)
		return s->en_a * log1p(s->en_isc / s->en_i0);
	return s->whole.a * log1p(s->whole.il / s->whole.i0);
}

void pv_source_mpp(struct pv_source *s, double *ret_v, double *ret_p)
{
	double v, voc;

	if (s->module.kind == PV_SOURCE) {
		*ret_v = s->module.source_v / 2;
		*ret_p = power_at(s, *ret_v);
		return;
	}
	if (s->module.kind == PV_OPEN || s->light < DARK_W_M2) {
		*ret_v = *ret_p = 0;
		return;
	}
	voc = voc_bound(s);
	if (is_uniform(s)) {
		/* One maximum: Newton on dP/dV = I + V I', from 0.8 Voc or the last one. */
		v = s->mpp_valid ? s->mpp_v : 0.8 * voc;
		for (int n = 0; n < 50; n++) {
			struct pv_point p = pv_source_solve(s, v);
			double step = (p.i + v * p.di) / (2 * p.di + v * p.d2i);

			v = fmin(fmax(v - step, 0.05 * voc), voc);
			if (fabs(step) < 1e-6)
				break;
		}
	} else {
		/* As many local maxima as light levels: the best of a fine scan. */
		const int points = 60;
		double best = 0;
		int at = 1;

		for (int k = 1; k < points; k++) {
			double p = power_at(s, voc * k / points);

			if (p > best) {
				best = p;
				at = k;
			}
		}
		v = refine(s, voc * (at - 1) / points, voc * (at + 1) / points);
	}
	*ret_v = v;
	*ret_p = power_at(s, v);
}

double pv_source_available(struct pv_source *s)
{
	double dlight = s->light - s->mpp_light, dcell = s->cell_c - s->mpp_cell_c;
	struct pv_source near;
	double h;

	if (s->module.kind == PV_SOURCE) {
		pv_source_mpp(s, &s->mpp_v, &s->mpp_p);
		return s->mpp_p;
	}
	if (s->module.kind == PV_OPEN || s->light < DARK_W_M2)
		return 0;
	if (s->mpp_valid && fabs(dlight) <= 0.005 * s->mpp_light && fabs(dcell) <= 0.25)
		return s->mpp_p + s->mpp_dp_dlight * dlight + s->mpp_dp_dcell * dcell;
	pv_source_mpp(s, &s->mpp_v, &s->mpp_p);
	s->mpp_light = s->light;
	s->mpp_cell_c = s->cell_c;
	s->mpp_valid = true;

	near = *s;
	h = 1e-3 * s->light;
	near.light += h;
	pv_source_update(&near);
	s->mpp_dp_dlight = (power_at(&near, s->mpp_v) - s->mpp_p) / h;
	near.light = s->light;
	near.cell_c += 0.05;
	pv_source_update(&near);
	s->mpp_dp_dcell = (power_at(&near, s->mpp_v) - s->mpp_p) / 0.05;
	return s->mpp_p;
}
