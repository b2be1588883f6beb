/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The physical world of the board: four modules, the power stage, the grid and
 * the sensors. Stepped once in each control period; values and their
 * derivation are in Documentation/power-stage.md.
 */
#ifndef QS1_PLANT_H
#define QS1_PLANT_H

#include <stdbool.h>
#include <stdint.h>

#include <qs1/abi.h>
#include <qs1/stage.h>

#include "acnet.h"
#include "board.h"
#include "bridge.h"
#include "core.h"
#include "pv.h"
#include "rng.h"
#include "source.h"

#define PLANT_H (1.0 / QS1_CONTROL_HZ)

/* The environment (light, temperatures, grid ramps) moves each millisecond. */
#define PLANT_ENV_TICKS (QS1_CONTROL_HZ / 1000)

#define PLANT_RECTIFIER_V 1.5	/* silicon carbide rectifier of the secondary */
#define PLANT_BLEED_IN_OHM 10e3 /* sense divider and start-up supply of an input */
#define PLANT_BLEED_LINK_OHM 330e3

#define PLANT_LOADS 16

/**
 * struct plant_loss - losses, fitted to the QS1's row of the CEC inverter table
 * @input_w: each switching input, W
 * @input_w_v: each switching input, W per V of PV voltage
 * @input_frac: clamp and leakage inductance, fraction of the power
 * @pri_ohm: primary winding and switch of a phase, at its RMS current
 * @sec_ohm: secondary winding and rectifier of a phase, at its RMS current
 * @bridge_w: switching bridge, W
 *
 * Resistances of the filter are in struct acnet_param. Derivation:
 * Documentation/power-stage.md.
 */
struct plant_loss {
	double input_w;
	double input_w_v;
	double input_frac;
	double pri_ohm;
	double sec_ohm;
	double bridge_w;
};

extern const struct plant_loss plant_loss_default;

enum sensor_fault {
	SENSOR_OK,
	SENSOR_STUCK, /* repeats the count at which it stuck */
	SENSOR_ZERO,
	SENSOR_FULL,  /* positive full scale */
	SENSOR_NOISE, /* Gaussian noise of a quarter of full scale on top */
};

enum relay_fault { RELAY_OK, RELAY_WELDED, RELAY_OPEN };

/**
 * struct plant_load - resistor, inductor and capacitor in parallel at the PCC
 *
 * Each 0 where there is none.
 */
struct plant_load {
	double r, l, c;
};

/**
 * struct plant_setup - settings that are fixed before time 0
 * @seed: of every random source
 * @noise: sensor noise
 * @drawn: the board is drawn from the seed, else it is nominal
 * @lockstep: the board's clock has no error, so that several boards step together
 * @switching: each edge of the bridge is simulated, else the bridge is averaged
 * @dead_s: dead time of both legs, s; 0 for the board's own
 * @ambient_c: ambient temperature, degree C
 * @rg: source resistance, ohm
 * @lg: source inductance, H
 * @resonance_hz: at which the source is a parallel resonance, 0 for none
 * @resonance_q: its quality factor
 * @load_p: resonant load, per unit of rated power; 0 for none
 * @load_qf: its quality factor
 * @load_mismatch: capacitive reactive power above balance, fraction
 * @phase_deg: of the grid at time 0
 */
struct plant_setup {
	uint64_t seed;
	bool noise;
	bool drawn;
	bool lockstep;
	bool switching;
	double dead_s;
	double ambient_c;
	double rg;
	double lg;
	double resonance_hz, resonance_q;
	double load_p;
	double load_qf;
	double load_mismatch;
	double phase_deg;
};

/* One input: module, capacitor, converter. Structure of arrays for the hot path. */
struct plant_inputs {
	double v[QS1_INPUTS];	   /* capacitor voltage */
	double i[QS1_INPUTS];	   /* module current at v */
	double i_mean[QS1_INPUTS]; /* module current, mean over the step */
	double v_mean[QS1_INPUTS];
	double valley[QS1_INPUTS]; /* magnetising current left at turn-on, each phase, A */

	double cin_s[QS1_INPUTS];   /* capacitance over the period, S */
	double stage_s[QS1_INPUTS]; /* in discontinuous conduction: conductance over D^2, S */
	double rms[QS1_INPUTS];	    /* of triangles, see step_inputs() */

	double at_v[QS1_INPUTS]; /* Taylor expansion of the module's curve */
	double at_i[QS1_INPUTS];
	double at_di[QS1_INPUTS];
	double at_d2i[QS1_INPUTS];
};

/**
 * struct plant_sensor - the converters and their analogue front end
 * @lag: of the anti-alias filter, periods
 * @jitter: RMS, periods
 * @bow: nonlinearity, see sensor.c
 * @before: input of the filter at the last sample
 * @gain25: and the others: at calibration, and their temperature coefficients
 */
struct plant_sensor {
	bool drawn;
	float scale[QS1_ADC_COUNT]; /* counts per unit, with the gain error */
	float offset[QS1_ADC_COUNT];
	float drift[QS1_ADC_COUNT]; /* offset that a scenario adds */
	enum sensor_fault fault[QS1_ADC_COUNT];
	bool any_fault;
	bool stuck[QS1_ADC_COUNT];
	int16_t held[QS1_ADC_COUNT];
	struct rng rng;
	bool noise;
	double noise_counts;
	uint64_t walk;
	float *table;

	float lag[QS1_ADC_COUNT], bow[QS1_ADC_COUNT], before[QS1_ADC_COUNT];
	float jitter;
	double gain25[QS1_ADC_COUNT], gain_k[QS1_ADC_COUNT];
	double offset25[QS1_ADC_COUNT], offset_k[QS1_ADC_COUNT];
};

/**
 * struct plant - everything
 * @ticks: control periods since the start
 * @h: length of a control period in seconds of the world
 * @sun: irradiance of each input, W/m2, before shading
 * @cell_held: cell temperature is held, not computed
 * @load_next, @load_i, @loads_due: what follows each load whose bit is set, and its current
 * @contact: the relay's contact is closed
 * @operations: times that the contact has moved
 * @relay_due: ticks until the contact follows the coil, 0 when settled
 * @bounces: times that a contact that has closed will open again
 * @emf: the voltage behind the source impedance
 * @ppv_j: energy drawn from the modules since the start, J, each input
 * @avail_j: energy at the maximum power points since the start, J
 * @lost_j: losses of input stages and bridge since the start, J
 */
struct plant {
	uint64_t ticks;
	double h;
	struct plant_board board;
	struct plant_load load[PLANT_LOADS];
	struct plant_load load_next[PLANT_LOADS];
	double load_i[PLANT_LOADS];
	unsigned int loads_due;

	struct pv_source source[QS1_INPUTS];
	double sun[QS1_INPUTS];
	double available_w[QS1_INPUTS];
	double ambient_c;
	bool cell_held[QS1_INPUTS];
	bool dirty; /* the curves have changed: expand again */

	struct plant_inputs in;
	struct plant_loss loss;
	double link_j; /* energy of the DC link */
	double vlink;
	double link_v2; /* 2 / C of the link */

	double dead_fraction; /* of the link voltage that the dead time takes */
	struct acnet net;
	bool switching;
	struct bridge_filtered filtered; /* of a switching bridge */
	double ripple2;			 /* see struct bridge_step, of the last period */
	bool utility;
	bool contact;
	uint64_t operations;
	bool coil;
	int relay_due;
	int bounces;
	enum relay_fault relay_fault;

	struct source emf;

	bool gfdi;
	bool leaks;		   /* any of leak_a */
	double leak_a[QS1_INPUTS]; /* of each input: RMS where alternating */
	bool leak_dc[QS1_INPUTS];
	double ignd;

	double case_c, stage_c;
	double heat_j; /* losses since the last thermal step */

	double ppv_j[QS1_INPUTS];
	double avail_j[QS1_INPUTS];
	double lost_j;

	struct plant_sensor sensor;
	struct rng rng;
};

/**
 * struct plant_period - inputs and results of the network in a period
 * @config: ACNET_RELAY and ACNET_UTILITY bits
 * @emf: source voltage at the period's end, V
 * @bridge: the gates are on
 * @m: modulation
 * @volts: mean voltage of the bridge, V
 * @taken_j: out: energy taken from the link, J
 */
struct plant_period {
	unsigned int config;
	double emf;
	bool bridge;
	double m;
	double volts;
	double taken_j;
};

/**
 * plant_init() - sun off, default modules, nominal grid, everything at ambient
 *
 * Return: 0 or -ENOMEM.
 */
int plant_init(struct plant *plant, const struct plant_setup *setup);
void plant_free(struct plant *plant);

/**
 * plant_step() - one control period
 * @out: gate signals applied during the period
 * @adc: samples at its end
 */
void plant_step(struct plant *plant, const struct qs1_outputs *out, int16_t adc[QS1_ADC_COUNT]);

/*
 * The same in two parts, for a plant on a network that others share. The caller steps that
 * network between them: it moves net.x[AC_IL1] to net.x[AC_I2] and net.vpcc, and sets taken_j.
 * It also keeps the phasor emf.cos and emf.sin: measurement and leakage refer to it.
 */
void plant_begin(struct plant *plant, const struct qs1_outputs *out,
		 struct plant_period *ret_period);
void plant_end(struct plant *plant, const struct plant_period *period, int16_t adc[QS1_ADC_COUNT]);

/*
 * plant_env() - to be called each PLANT_ENV_TICKS steps, after the environment
 * was set; moves the temperatures
 */
void plant_env(struct plant *plant);

/* plant_settle() - cells and case take the temperature they would have had for hours */
void plant_settle(struct plant *plant);

/* Changes by scenarios. */
void plant_module(struct plant *plant, int input, const struct pv_module *module);
void plant_sun(struct plant *plant, int input, double w_m2);
void plant_shade(struct plant *plant, int input, int sections, double fraction);
void plant_cell(struct plant *plant, int input, double c);
/*
 * Loads: power per unit of rated power, quality factor and surplus of
 * capacitance; power and power factor, inductive; capacitive var. All at
 * nominal voltage and frequency.
 */
struct plant_load plant_load_rlc(double p, double qf, double mismatch);
struct plant_load plant_load_rl(double p, double pf);
struct plant_load plant_load_cap(double var);
/*
 * Another load in place of load n. The contact of the former one opens at the next zero of its
 * current. From then on the PCC has the capacitors of a house.
 */
void plant_load_change(struct plant *plant, int n, const struct plant_load *load);
void plant_utility(struct plant *plant, bool closed);
void plant_relay_fault(struct plant *plant, enum relay_fault fault);
void plant_sensor_fault(struct plant *plant, enum qs1_adc channel, enum sensor_fault fault);
/* An offset added to the one drawn from the seed, as a fraction of full scale. */
void plant_sensor_offset(struct plant *plant, enum qs1_adc channel, double full_scale);

/* Energy stored in capacitors and inductors, J: for the balance. */
double plant_energy(const struct plant *plant);

static inline double plant_i2(const struct plant *plant)
{
	return plant->net.x[AC_I2];
}

#endif /* QS1_PLANT_H */
