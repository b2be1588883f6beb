/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Photovoltaic modules: current as a function of voltage, light and cell
 * temperature, and the exact maximum power point.
 */
#ifndef QS1_PLANT_PV_H
#define QS1_PLANT_PV_H

#include <stdbool.h>

#define PV_SECTIONS 3 /* bypass sections of a single-diode module */
/* Bypass diode of one section: Schottky, 0.50 V at 9 A. */
#define PV_BYPASS_I0_A 5.6e-6
#define PV_BYPASS_A_V 0.035

#define PV_NAME_SIZE 96

enum pv_kind {
	PV_OPEN,    /* nothing connected */
	PV_DIODE,   /* single diode, De Soto et al. 2006 with the CEC's adjustment */
	PV_EN50530, /* EN 50530:2010 Annex C */
	PV_SOURCE,  /* a voltage source with a resistance */
};

/**
 * struct pv_diode - the five parameters at one light and temperature
 * @il: photocurrent, A
 * @i0: saturation current, A
 * @a: modified ideality factor n Ns k T / q, V
 * @rs: series resistance, ohm
 * @gsh: shunt conductance, S
 */
struct pv_diode {
	double il;
	double i0;
	double a;
	double rs;
	double gsh;
};

/**
 * struct pv_module - one row of the module table, or an EN 50530 source
 * @ref: the five parameters at 1000 W/m2 and 25 C
 * @alpha_sc: temperature coefficient of the photocurrent, A/K
 * @adjust: the CEC model's adjustment of @alpha_sc, percent
 * @pmpp: EN 50530: power at standard test conditions, W
 * @vmpp: EN 50530: voltage at that point, V
 * @source_v: PV_SOURCE: open-circuit voltage, V
 * @source_ohm: PV_SOURCE: its resistance, ohm
 * @thinfilm: EN 50530: thin film instead of crystalline silicon
 */
struct pv_module {
	enum pv_kind kind;
	char name[PV_NAME_SIZE];
	struct pv_diode ref;
	double alpha_sc;
	double adjust;
	double pmpp;
	double vmpp;
	double source_v, source_ohm;
	bool thinfilm;
};

/**
 * struct pv_point - current and its slopes at one voltage
 * @i: current out of the module, A
 * @di: dI/dV, S
 * @d2i: d2I/dV2, S/V
 */
struct pv_point {
	double i;
	double di;
	double d2i;
};

/**
 * struct pv_source - a module at work
 * @light: irradiance of the unshaded cells, W/m2
 * @cell_c: cell temperature, degree C
 * @shaded: number of shaded sections, 0..PV_SECTIONS
 * @fraction: part of their light that shaded sections lose, 0..1
 *
 * The rest is working state of pv.c.
 */
struct pv_source {
	struct pv_module module;
	double light;
	double cell_c;
	int shaded;
	double fraction;

	struct pv_diode whole;	    /* whole module, uniform light */
	struct pv_diode section[2]; /* one section: lit, shaded */
	double section_x[2];	    /* last junction voltages */
	double string_i;	    /* last current of the string */
	double vd;		    /* last junction voltage, uniform light */
	double en_isc, en_i0, en_a; /* EN 50530 curve */

	double mpp_light, mpp_cell_c; /* where the maximum was solved */
	double mpp_v, mpp_p;
	double mpp_dp_dlight, mpp_dp_dcell;
	double mpp_x;
	bool mpp_valid;
};

/**
 * pv_diode_at() - scale a single-diode module to a light and a temperature
 *
 * De Soto, Klein, Beckman, "Improvement and validation of a model for
 * photovoltaic array performance", Solar Energy 80 (2006), with the CEC's
 * Adjust parameter (Dobos 2012) as in pvlib's calcparams_cec().
 */
void pv_diode_at(const struct pv_module *module, double light, double cell_c,
		 struct pv_diode *ret_diode);

/**
 * pv_diode_solve() - current of the single-diode equation at a voltage
 * @vd: junction voltage to start from, NAN for none; the solution on return
 *
 * Newton in the junction voltage, where the equation is convex and monotonic:
 * from any point right of the root it converges without overshoot.
 */
struct pv_point pv_diode_solve(const struct pv_diode *diode, double v, double *vd);

/* pv_source_init() - connect a module; light, temperature and shade stay 0 */
void pv_source_init(struct pv_source *source, const struct pv_module *module);

/* pv_source_update() - to be called when light, cell_c, shaded or fraction changed */
void pv_source_update(struct pv_source *source);

/* pv_source_solve() - current and slopes at a voltage */
struct pv_point pv_source_solve(struct pv_source *source, double v);

/**
 * pv_source_available() - power at the maximum power point, W
 *
 * Solved exactly whenever light has moved by 0.5 % or the cells by 0.25 K since
 * the last time; between, extended to first order by the envelope theorem. The
 * second-order rest is below 1e-5 of the power.
 */
double pv_source_available(struct pv_source *source);

/* pv_source_mpp() - the global maximum, solved now */
void pv_source_mpp(struct pv_source *source, double *ret_v, double *ret_p);

#endif /* QS1_PLANT_PV_H */
