/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * True measurements, from the plant's waveforms instead of the sensors: harvest,
 * power, harmonics, trips.
 *
 * AC quantities are integrals over whole cycles of the voltage at the PCC, from
 * one interpolated rising zero crossing to the next. Harmonics come from
 * windows of 12 cycles (IEC 61000-4-7 for 60 Hz), back to back, resampled to 256
 * points a cycle and averaged by RMS. The rated-current distortion follows
 * IEEE 1547-2018, 3.1: the RMS of these windows without the fundamental, but with
 * interharmonics, direct current and the ripple of a switching bridge.
 */
#ifndef QS1_MEASURE_H
#define QS1_MEASURE_H

#include <stdbool.h>
#include <stdint.h>

#include <json-c/json.h>

#include "plant.h"

#define MEASURE_WINDOW_CYCLES 12
#define MEASURE_HARMONICS 50
#define MEASURE_BUFFER 8192

/* Quantities integrated over each cycle. */
enum cycle_sum { CY_VV, CY_II, CY_VI, CY_I, CY_VS, CY_VC, CY_IS, CY_IC, CY_SUMS };

/**
 * struct measure_totals - since a start
 */
struct measure_totals {
	double start_s, stop_s;
	double available_j[QS1_INPUTS];
	double harvested_j[QS1_INPUTS];
	double v[QS1_INPUTS], i[QS1_INPUTS]; /* integrals */
	double ac_j;
	double i_peak_a, v_peak_v; /* largest magnitudes */
	uint64_t steps;

	double cycles_s; /* whole cycles: their duration, integrals, number */
	double cycle[CY_SUMS];
	double q_vars;
	uint64_t cycles;

	double harmonic2[MEASURE_HARMONICS + 1]; /* squares of RMS currents, summed */
	double square;				 /* mean squares of the current, summed */
	uint64_t windows;
	double ripple2; /* mean square of the ripple, summed over @ripples steps */
	uint64_t ripples;
};

/* Kinds of disturbance, to find the one that led to a trip. */
#define DISTURB_GRID 1u
#define DISTURB_PV 2u
#define DISTURB_FAULT 4u
#define DISTURB_HOST 8u
#define DISTURB_KINDS 4

struct measure_trip {
	unsigned int code;
	double t_onset;
	double t_trip;
	double t_cease; /* NAN while current flows */
	bool settled;
};

struct measure_transition {
	double t;
	unsigned int from, to, cause;
};

struct measure {
	double t;
	bool running;
	bool marked;

	/* cycles */
	double v_before, f_before[CY_SUMS];
	double sum[CY_SUMS];
	double carry[CY_SUMS], carry_s;
	bool armed, synced;
	uint64_t since_cross;

	/* the last cycle */
	double v_rms, i_rms, p_w, q_var, f_hz;

	/* harmonic window */
	float buffer[MEASURE_BUFFER];
	int buffered;
	int crossings;
	double window_start, window_stop;
	bool window_due;
	double cosine[256], sine[256];

	/* DC, over 10 ms */
	double dc_v[QS1_INPUTS], dc_i[QS1_INPUTS], dc_p[QS1_INPUTS];
	double sum_v[QS1_INPUTS], sum_i[QS1_INPUTS], mark_j[QS1_INPUTS];
	int dc_steps;

	struct measure_totals total;
	double avail_mark[QS1_INPUTS], harvest_mark[QS1_INPUTS];
	double ac_j; /* since the start of all */

	double disturbed[DISTURB_KINDS];
	double last_current; /* last time that current flowed */
	struct measure_trip *trip;
	int trips;
	struct measure_transition *transition;
	int transitions;
};

void measure_init(struct measure *measure);
void measure_free(struct measure *measure);

/* measure_step() - after each step of the plant */
void measure_step(struct measure *measure, const struct plant *plant);

/* measure_mark() - restart the measurement from zero, or stop it */
void measure_mark(struct measure *measure, const struct plant *plant, bool start);

/* measure_disturb() - a disturbance of a kind, now */
void measure_disturb(struct measure *measure, unsigned int kind);

/* measure_event() - record an event that the firmware reports now */
void measure_event(struct measure *measure, const struct qs1_event *event);

/* measure_json() - add the measured members to the summary */
void measure_json(const struct measure *measure, const struct plant *plant,
		  struct json_object *summary);

#endif /* QS1_MEASURE_H */
