/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A linear network in steps of one control period, exact for each of its elements.
 *
 * An element is solved exactly for a terminal voltage that is a polynomial of degree four in the
 * step, given by its values U at five points c, Legendre's right Radau points. Over a step
 *
 *	x1 = F x0 + S s + Psi U		its states; s is an input that is held
 *	m  = H x0 + T s + Y U		moments of its current, with Legendre's polynomials P0..P4
 *
 * so to the network it is a Norton equivalent with a block of 5 x 5 for a conductance. Kirchhoff's
 * current law is asked of the moments: sum Q (m) = 0 at each node gives the node voltages, which
 * need not be continuous from step to step. Elements other than capacitors then exchange exactly
 * the energy int v i dt, capacitors lose C/2 (U(0+) - v)^2: no network gains energy.
 *
 * A step in which a contact moves or diodes conduct is divided into NETWORK_PARTS, each with
 * collocation, currents i(c) for the moments m: that is L-stable, and ends at once the currents
 * that an opening contact has left without a path.
 *
 * The blocks are solved by elimination node by node; in a tree this costs as much as the tree has
 * branches. Reference: right Radau collocation and discontinuous Galerkin methods, Hairer and
 * Wanner, Solving Ordinary Differential Equations II, IV.5.
 */
#ifndef QS1_FEEDER_NETWORK_H
#define QS1_FEEDER_NETWORK_H

#include <stdbool.h>

#define NETWORK_POINTS 5
#define NETWORK_STATES 4
#define NETWORK_PARTS 16

/* The end of the step among the points. */
#define NETWORK_END (NETWORK_POINTS - 1)
/* The voltage reference, for a node. */
#define NETWORK_REFERENCE (-1)

/* No element, for a twin. */
#define NETWORK_ALONE (-1)

/* Conductance of each node to the reference, S: keeps parts without a source regular. */
#define NETWORK_LEAK_S 1e-6

/**
 * struct network_model - x' = a x + bridge s + volts u, current from a to b = amps x + siemens u
 * @states: number of them
 * @farad: other than 0 for a pure capacitor; its one state is its voltage
 */
struct network_model {
	int states;
	double a[NETWORK_STATES][NETWORK_STATES];
	double held[NETWORK_STATES];
	double volts[NETWORK_STATES];
	double amps[NETWORK_STATES];
	double siemens;
	double farad;
};

/* Rows of a map: states, integral of the first state, five moments. */
enum { ROW_CHARGE = NETWORK_STATES, ROW_MOMENT, ROWS = ROW_MOMENT + NETWORK_POINTS };

/**
 * struct network_map - a model over a step, or a part of it
 * @in: columns: states, then the held input
 * @psi: of states and charge, by point
 * @y: moments by point
 */
struct network_map {
	double in[NETWORK_STATES + 1][ROWS];
	double psi[NETWORK_POINTS][ROW_MOMENT];
	double y[NETWORK_POINTS][NETWORK_POINTS];
};

/* Kinds of step: a whole one, a part of a divided one. */
enum network_kind { NETWORK_WHOLE, NETWORK_PART, NETWORK_KINDS };

/* struct network_pair - the maps of a model, by kind of step */
struct network_pair {
	int states;
	struct network_map map[NETWORK_KINDS];
};

/**
 * struct network_element - between two nodes
 * @a: and @b: nodes
 * @connected: false: an open breaker, or nothing there; the owner handles its states
 * @maps: of its present model, NULL for none
 * @x: states
 * @charge: out: integral of x[0] over the step, As where that is a current
 * @held: input held over the step
 * @emf: the element has a voltage in series against the current from a to b:
 * @emf0: and @emf1: that at start and end of the step, V
 * @u: out: voltage across it at the points, without the emf, V
 * @out: working values: states and moments before the voltage's part
 * @twin: element that has the states in common with this one, NETWORK_ALONE for none
 * @cross: of a twin: what the other one's voltage does to the states, and to this one's current
 */
struct network_element {
	int a, b;
	bool connected;
	const struct network_pair *maps;
	double x[NETWORK_STATES];
	double charge;
	double held;
	bool emf;
	double emf0, emf1;
	double u[NETWORK_POINTS];
	double out[ROWS];
	int twin;
	const struct network_pair *cross;
};

struct network;

/* network_new() - @nodes and room for @elements, a step of @h seconds; NULL without memory */
struct network *network_new(int nodes, int elements, double h);
void network_free(struct network *network);

/* network_add() - a further element without maps, not connected; its number */
int network_add(struct network *network, int a, int b);
struct network_element *network_element(struct network *network, int element);

/*
 * network_couple() - two elements become the two terminal pairs of one model. Each has all the
 * states of the model. @cross_a and @cross_b map the voltage of the other element to these states
 * and to the element's own current. Neither has an emf. Both are connected, or neither is.
 */
void network_couple(struct network *network, int a, int b, const struct network_pair *cross_a,
		    const struct network_pair *cross_b);

/* network_pair_init() - the maps of a model */
void network_pair_init(struct network_pair *pair, const struct network_model *model, double h);

/* network_use() - another model, of which these are the maps, or another state of a breaker */
void network_use(struct network *network, int element, const struct network_pair *maps);
void network_connect(struct network *network, int element, bool connected);

/* network_changed() - did maps or a connection change since the last step? */
bool network_changed(const struct network *network);

/* network_step() - a whole step */
void network_step(struct network *network);
/* network_part() - part @part of a divided step, from 0; all of them in order */
void network_part(struct network *network, int part);

/* Energy that an element took in the last whole step, J: the integral of u i. */
double network_taken(const struct network *network, int element);

/* Voltage of a node at the end of the last step or part, to the reference. */
double network_volts(const struct network *network, int node);

/* Energy lost so far in NETWORK_LEAK_S, J. */
double network_leaked(const struct network *network);

#endif /* QS1_FEEDER_NETWORK_H */
