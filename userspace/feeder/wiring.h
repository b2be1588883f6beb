/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The network without the units: source, cables, breakers, loads. It is built from the scenario's
 * statements on a struct network.
 */
#ifndef QS1_FEEDER_WIRING_H
#define QS1_FEEDER_WIRING_H

#include <stdbool.h>

#include "grid.h"
#include "motor.h"
#include "network.h"
#include "other.h"
#include "plant.h"
#include "scenario.h"
#include "source.h"
#include "transformer.h"

#define WIRING_PHASES 3

/* A voltage of the source relative to L1's, nominally of magnitude 1. */
struct phasor {
	double re, im;
};

/**
 * struct wiring_branch - a resistance and an inductance in series, with its maps
 */
struct wiring_branch {
	int element;
	struct network_pair pair;
};

/* A rectifier: blocking, conducting from @a to @b, conducting from @b to @a. */
enum { RECTIFIER_OFF, RECTIFIER_AB, RECTIFIER_BA, RECTIFIER_MODES };

/**
 * struct wiring_load - load of a slot: resistor, inductor, capacitor; and others
 * @power_w: of a load of constant power, which is a resistor that follows the voltage; 0 for none
 * @mean2: mean square of its voltage over the last cycle, V2; @sum2: of the @ticks of this one
 * @rectifier: the slot has a rectifier with a capacitor
 */
struct wiring_load {
	int a, b, bus;
	struct wiring_branch part[3];
	double power_w, mean2, sum2;
	int ticks;
	bool rectifier;
	int rectifier_element;
	struct network_pair mode[RECTIFIER_MODES];
};

/**
 * struct wiring_cable - a cable or a transformer to a bus
 * @va: of a transformer, 0 for a cable
 * @delta: its primary is between the phases
 * @wire: of a cable a branch for each wire; the neutral's of a transformer is to earth
 * @phase: of a transformer
 */
struct wiring_cable {
	bool there;
	int from;
	double r, l;
	double va;
	bool delta;
	struct wiring_branch wire[SCENARIO_WIRES];
	struct transformer phase[WIRING_PHASES];
};

/**
 * struct wiring - the network but for the units
 * @phases: 1, 2 (split) or 3
 * @wires: conductors of each bus: with one phase the neutral is the reference
 * @volts: nominal, of a phase to the neutral; @hz: nominal frequency
 * @rg: and @lg: source impedance of each wire
 * @resonance_hz: of the source, 0 for none
 * @swapped: phase of the source at each wire
 * @relative: voltages of the source, by its phase
 * @utility: the breaker; @phase_open, @neutral_open: each wire of the source
 * @middle: node in the middle of a resonant source, by phase
 * @form_w: rated power of a source that forms the grid, 0 for none
 * @form_hz: and @form_slope, @form_lag_s: see "grid form"
 * @form_mean_w: power that it delivers, behind the lag
 */
struct wiring {
	int phases, wires, buses;
	double volts, hz;
	double rg, lg;
	double resonance_hz, resonance_q;
	struct source source;
	struct grid grid;
	int swapped[WIRING_PHASES];
	struct phasor relative[WIRING_PHASES];
	bool utility;
	bool phase_open[WIRING_PHASES], neutral_open;
	struct network *net;
	int middle[WIRING_PHASES];
	struct wiring_branch phase[WIRING_PHASES], behind[WIRING_PHASES], shunt[WIRING_PHASES];
	struct wiring_branch neutral;
	struct wiring_cable cable[SCENARIO_BUSES];
	struct wiring_load load[PLANT_LOADS];
	struct other other[SCENARIO_OTHERS]; /* @watts 0 for none */
	struct motor motor[SCENARIO_MOTORS]; /* @va 0 for none */
	double form_w, form_hz, form_slope, form_lag_s, form_mean_w;
};

/**
 * wiring_init() - from the scenario's set-up statements
 * @units: number of units: gives the summed rating, and room in the network
 *
 * Return: 0 or -ENOMEM.
 */
int wiring_init(struct wiring *wiring, const struct scenario *scenario, int units);
void wiring_free(struct wiring *wiring);

/* wiring_node() - of a wire at a bus; NETWORK_REFERENCE for the neutral of one phase */
int wiring_node(const struct wiring *wiring, int bus, int wire);

/**
 * wiring_apply() - a statement on the network, now
 * @t: simulated time, s
 *
 * Return: 0, or -EINVAL with the reason in @err; other statements are ignored.
 */
int wiring_apply(struct wiring *wiring, const struct statement *statement, double t, char *err,
		 size_t size);

/* wiring_move() - each millisecond, before the step */
void wiring_move(struct wiring *wiring, double t);

/* wiring_emf() - before each step: the source at the step's end, @t */
void wiring_emf(struct wiring *wiring, double t);

/*
 * wiring_begin() - before a step, or a part of a divided one: which diodes conduct
 * wiring_finish() - after it
 */
void wiring_begin(struct wiring *wiring);
void wiring_finish(struct wiring *wiring);

/* wiring_after() - after each step, which ended at @t: control of the inverters of other makes */
void wiring_after(struct wiring *wiring, double t);

/* Voltage of a phase of the source at the end of the last step, V; current into it, A. */
double wiring_phase_volts(const struct wiring *wiring, int wire);
double wiring_phase_amps(const struct wiring *wiring, int wire);
double wiring_neutral_amps(const struct wiring *wiring);

#endif /* QS1_FEEDER_WIRING_H */
