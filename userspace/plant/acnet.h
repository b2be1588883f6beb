/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The AC side: bridge inductor, filter capacitor with its damping branch, grid
 * inductor, relay, local load, utility breaker, source impedance.
 *
 *   bridge -R1-L1-+----+-----+-relay-R2-L2-+-----+----+----+-breaker-Rg-Lg- emf
 *                 |    |     |             |     |    |    |
 *                 C   Rd-Cd  Rb            |     R    L    C   (load)
 *                 |    |     |             |     |    |    |
 *                 +----+-----+-------------+-----+----+----+--------------
 *
 * Some scenarios need a rich network: a load that is not a resonant circuit or that
 * changes while running, or a resonance of the source. The PCC then also has the
 * capacitors of a house, and a capacitor may be in the middle of the source:
 *
 *   PCC --+-----+-- breaker -Rg/2-Lg/2-+-Rg/2-Lg/2- emf
 *         |     |                      |
 *         Cs   Rx-Cx                  Rt-Ct
 *
 * It is linear between two switchings, so each configuration is discretised
 * exactly: bridge voltage held within the step (what an averaged bridge does),
 * emf linear between its samples (an error of (w h)^2 / 8 = 4.4e-5 at 60 Hz).
 */
#ifndef QS1_PLANT_ACNET_H
#define QS1_PLANT_ACNET_H

#include <stdbool.h>
#include <stdint.h>

enum acnet_state {
	AC_IL1, /* bridge inductor current, A, out of the bridge */
	AC_VC,	/* filter capacitor, V */
	AC_VCD, /* damping capacitor, V */
	AC_I2,	/* grid inductor current, A, into the grid */
	AC_VP,	/* PCC voltage, V; a state only when there is a load */
	AC_ILL, /* load inductor, A */
	AC_IG,	/* source current, A, into the source; a state only with a load */
	AC_STATES,
	AC_Q1 = AC_STATES, /* integral of iL1 over the step, As */
	AC_PLAIN_ROWS,
	AC_VX = AC_PLAIN_ROWS, /* capacitor behind Rx, V; these are states of a rich network only */
	AC_VT,		       /* capacitor behind Rt, V */
	AC_IT,		       /* current of the source's second half, A */
	AC_COLS,
	AC_ROWS = 12
};

/* The capacitors of a house's appliances: interference suppression and stray capacitance. */
#define ACNET_CX_F 1e-6
#define ACNET_RX_OHM 10.0
#define ACNET_CS_F 10e-9

/**
 * struct acnet_param - element values in SI units
 * @load: the PCC's voltage is a state: a local load is connected
 * @rich: the network has the house's capacitors, and @ct
 * @load_r: of the load; infinite, as @load_l, where there is none
 * @ct: capacitor in the middle of the source, 0 for none
 */
struct acnet_param {
	double l1, r1;
	double c, cd, rd, rb;
	double l2, r2;
	double lg, rg;
	bool load, rich;
	double load_r, load_l, load_c;
	double ct, rt;
};

/* Bits of a configuration. */
#define ACNET_L1 1u	 /* current can flow in the bridge inductor */
#define ACNET_RELAY 2u	 /* relay closed */
#define ACNET_UTILITY 4u /* utility breaker closed */
#define ACNET_CONFIGS 8

/* Discrete transition: columns of the states, bridge, emf before, emf after, extra current. */
struct acnet_map {
	bool valid;
	int cols; /* states used: 4 without a load, 7 with it, 11 in a rich network */
	double col[AC_COLS][AC_ROWS];
	double bridge[AC_ROWS];
	double emf0[AC_ROWS];
	double emf1[AC_ROWS];
	double extra[AC_ROWS];
};

/* States of the unit alone: AC_IL1 to AC_I2. */
#define ACNET_UNIT (AC_I2 + 1)

/**
 * struct acnet_unit - the differential equations of the unit alone
 * @a: of its states
 * @bridge: of the bridge's voltage
 * @pcc: of the voltage at its terminals
 */
struct acnet_unit {
	double a[ACNET_UNIT][ACNET_UNIT];
	double bridge[ACNET_UNIT];
	double pcc[ACNET_UNIT];
};

/* acnet_unit() - in a configuration, of which ACNET_L1 and ACNET_RELAY count */
void acnet_unit(const struct acnet_param *par, unsigned int config, struct acnet_unit *ret_unit);

/* Parts of a step over which acnet_advance() can go. */
#define ACNET_TICKS_LOG2 16
#define ACNET_TICKS (1 << ACNET_TICKS_LOG2)

#define ACNET_SUBSTEPS 16 /* of the step in which the bridge's diodes conduct */

/**
 * struct acnet - state and cached transitions
 * @x: enum acnet_state
 * @vpcc: voltage at the point of common coupling, V
 * @emf: source voltage at the end of the last step, V
 */
struct acnet {
	double x[AC_ROWS];
	double vpcc;
	double emf;
	struct acnet_param par;
	double h;
	struct acnet_map map[ACNET_CONFIGS];
	struct acnet_map sub[ACNET_CONFIGS];
	struct acnet_map (*part)[ACNET_TICKS_LOG2 + 1]; /* by configuration and power of two */
};

void acnet_init(struct acnet *net, const struct acnet_param *par, double h);
void acnet_free(struct acnet *net);

/*
 * acnet_divisible() - make room for the maps of acnet_advance()
 *
 * Return: 0 or -ENOMEM.
 */
int acnet_divisible(struct acnet *net);

/*
 * acnet_change() - other element values while running. Capacitors keep their
 * voltage; the load's inductor keeps its voltage-time integral, so its current
 * follows its inductance. A network with a load or a rich one stays so.
 */
void acnet_change(struct acnet *net, const struct acnet_param *par, unsigned int config);

/**
 * acnet_step() - one step with the bridge switching
 * @config: ACNET_RELAY and ACNET_UTILITY bits
 * @vbridge: mean bridge voltage, V
 * @emf: source voltage at the end of the step, V
 *
 * Return: integral of iL1 over the step, As.
 */
double acnet_step(struct acnet *net, unsigned int config, double vbridge, double emf);

/**
 * acnet_advance() - a part of a step with the bridge's voltage held
 * @ticks: its length, of ACNET_TICKS
 * @extra: current through L1 in addition to its flux over L1, A
 * @emf0: source voltage at its start, V
 * @emf1: at its end
 *
 * After acnet_divisible(). Return: integral of iL1 without @extra, As.
 */
double acnet_advance(struct acnet *net, unsigned int config, int ticks, double vbridge,
		     double extra, double emf0, double emf1);

/**
 * acnet_step_diodes() - one step with the bridge's gates off
 * @vlink: DC-link voltage against which the diodes conduct, V; raised by what
 *         flows into the link
 * @clink: its capacitance, F
 */
void acnet_step_diodes(struct acnet *net, unsigned int config, double *vlink, double clink,
		       double emf);

/* acnet_open_relay(), acnet_open_utility() - update the states when a contact opens */
void acnet_open_relay(struct acnet *net);
void acnet_open_utility(struct acnet *net);

/* Energy stored in the inductors and capacitors, J. */
double acnet_energy(const struct acnet *net);

#endif /* QS1_PLANT_ACNET_H */
