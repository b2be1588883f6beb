/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An induction motor that drives a fan. The network has the stator windings; this file has rotor
 * flux and speed. The motor feeds an island or an open phase as long as it has flux and speed.
 *
 * Voltage behind reactance: each stator winding is a branch R, L'' with the voltage e that the
 * rotor's flux psi induces. In the stator's frame, with k = Lm / Lr:
 *
 *	v   = R i + L'' di/dt + e		R = Rs + k^2 Rr, L'' = Ls - k Lm
 *	e   = k (j w - Rr / Lr) psi
 *	psi' = (j w - Rr / Lr) psi + k Rr i
 *
 * Krause, Wasynczuk, Sudhoff, Pekarek: Analysis of Electric Machinery and Drive Systems, 6.
 * Neither saturation nor iron losses.
 */
#ifndef QS1_FEEDER_MOTOR_H
#define QS1_FEEDER_MOTOR_H

#include <complex.h>
#include <stdbool.h>

#include "network.h"

#define MOTOR_WINDINGS 3

/**
 * struct motor - one of them
 * @va: rated apparent power, 0 for no motor
 * @load: torque of the fan at synchronous speed, per unit of @va over that speed; it goes with the
 *        square of the speed
 * @inertia_s: kinetic energy at synchronous speed over @va
 * @windings: 3, in star without neutral; or 2, the second with a run capacitor
 * @element: of each winding
 * @pair: maps of a winding, the second with the capacitor
 * @omega0: synchronous electrical angular frequency, rad/s
 * @k, @rate, @drive: Lm / Lr; Rr / Lr, 1/s; k Rr, ohm
 * @flux: of the rotor, Vs
 * @amps: of the stator, at the end of the last step and one before
 * @omega: electrical angular frequency of the rotor, rad/s
 */
struct motor {
	double va, load, inertia_s;
	int windings;
	int element[MOTOR_WINDINGS];
	struct network_pair pair[2];
	double omega0;
	double k, rate, drive;
	double complex flux, amps, before;
	double omega;
};

/**
 * motor_init_three() - between three nodes and a free one for its star point
 * @motor: with @va, @load and @inertia_s; near its rated speed, without flux
 * @volts: nominal, from a phase to the neutral; @hz
 */
void motor_init_three(struct motor *motor, struct network *network, const int phase[3], int star,
		      double volts, double hz);
/* motor_init_one() - between two nodes, with @volts between them */
void motor_init_one(struct motor *motor, struct network *network, int a, int b, double volts,
		    double hz);

/* motor_before() - before a step of the network: the voltages that the rotor induces */
void motor_before(struct motor *motor, struct network *network);
/* motor_after() - after it: flux and speed */
void motor_after(struct motor *motor, struct network *network);

/* Speed, per unit of the synchronous one. */
double motor_speed(const struct motor *motor);

#endif /* QS1_FEEDER_MOTOR_H */
