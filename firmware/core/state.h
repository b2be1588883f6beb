/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The state of the control core, one structure per concern.
 *
 * Formats: `_v10` is a voltage in 1/1024 of an ADC count of the grid channels
 * (20 mV / 1024), `_i10` a current in 1/1024 of a grid-current count
 * (0.5 mA / 1024), `_q30` a fraction of 2^30. Phases are 32 bits a turn.
 */
#ifndef QS1_STATE_H
#define QS1_STATE_H

#include "core.h"
#include "fixed.h"

#define QS1_TICKS_PER_MS ((int)(QS1_CONTROL_HZ / 1000))

/* Phase increment of 1 Hz per control period: 2^32 / control rate. */
#define QS1_PHASE_PER_HZ 214748.3648
#define QS1_PHASE_INC(hz) ((int32_t)((hz)*QS1_PHASE_PER_HZ + 0.5))

/* Harmonics of the grid current that have a resonator of their own. */
#define QS1_RESONATORS 7

/**
 * struct qs1_rotor - a rotation by a fixed angle per control period
 */
struct qs1_rotor {
	int32_t cos_q30;
	int32_t sin_q30;
};

/**
 * struct qs1_pll - grid synchronisation
 * @re: fundamental of the grid voltage, in phase
 * @im: the same, a quarter turn behind
 * @dc: offset of the grid voltage
 * @integ: phase increment, 25.7
 * @err: quadrature error, amplitude times sine of the phase error
 * @amp: amplitude of the fundamental
 * @unlocked_ms: time for which the error must stay in bounds until the PLL is locked
 * @alive: there is a voltage to follow
 * @half_cycle: the phase passed 0 or half a turn in this period
 */
struct qs1_pll {
	int32_t re_v10;
	int32_t im_v10;
	int32_t dc_v10;
	uint32_t phase;
	int32_t integ;
	int32_t sin_q30;
	int32_t cos_q30;
	int32_t err_v10;
	int32_t amp_v10;
	struct qs1_rotor rotor;
	uint16_t unlocked_ms;
	bool alive;
	bool locked;
	bool half_cycle;
};

/**
 * struct qs1_sums - products summed over one half cycle
 * @i: the grid current itself
 * @rest: phase from the crossing to its last sample
 */
struct qs1_sums {
	int64_t vv;
	int64_t ii;
	int64_t vi;
	int64_t qi;
	int32_t vlink;
	int32_t i;
	uint32_t n;
	uint32_t rest;
};

/* Steps of the evaluation of a half cycle, in this order. */
enum qs1_meter_step {
	QS1_METER_DONE,
	QS1_METER_VV,
	QS1_METER_V_ROOT,
	QS1_METER_V,
	QS1_METER_VLINK,
	QS1_METER_II,
	QS1_METER_I_ROOT,
	QS1_METER_I,
	QS1_METER_P,
	QS1_METER_Q,
	QS1_METER_E,
};

/**
 * struct qs1_meter - AC quantities, each half cycle over the last full one
 * @now: being summed
 * @half: the last two complete half cycles, newest in half[0]
 * @begin_rest: rest of the half cycle before those two
 * @pending: enum qs1_meter_step, the next one
 * @root: of the mean square being evaluated
 * @cross_q16: time of the last upward [1] and downward [0] zero crossing
 * @f_raw_uhz: the last cycle, phase jumps included
 * @f_cycle_uhz: the last cycle without phase jumps
 * @f_uhz: mean of the window of cycles without phase jumps
 * @e_mj: energy into the grid
 * @e_rest: its remainder below 1 mJ, in products of counts
 * @f_tick: when the frequency was last renewed; a phase jump holds it
 */
struct qs1_meter {
	struct qs1_sums now;
	struct qs1_sums half[2];
	uint32_t begin_rest;
	uint8_t pending;
	struct qs1_root root;
	int32_t re_last;
	bool crossed;
	bool cross_up;
	int32_t cross_before;
	int32_t cross_after;
	uint32_t cross_tick;
	uint32_t cross_q16[2];
	uint8_t crossings;
	uint32_t f_tick;
	int32_t f_raw_uhz;
	int32_t f_cycle_uhz;
	int32_t f_uhz;
	int32_t f_window[6];
	uint8_t f_index;
	int32_t vrms_mv;
	int32_t irms_ma;
	int32_t p_mw;
	int32_t q_mvar;
	int32_t vlink_mv;
	uint64_t e_mj;
	uint32_t e_rest;
};

/**
 * struct qs1_current - closed loop of the grid current
 * @res: resonator states of harmonics 1, 3, 5, ... 13
 * @rotor: their rotation per control period
 * @inject: their gain and phase advance, integral gain times e^(j phi)
 * @dc_v10: voltage that keeps direct current out
 * @zero_i10: reading of the sensor without a current
 * @offset_i10: this and the opposite of the reference's mean
 * @ahead: rotation over the loop's delay of one and a half periods
 * @amp_i10: amplitude in phase with the voltage, in force
 * @quad_i10: amplitude a quarter turn ahead, in force
 * @next_amp_i10: amplitude from the next zero crossing on
 * @next_quad_i10: likewise
 * @sag_v10: grid voltage apart from its fundamental, beyond the level of harmonics
 * @recip: 2^40 / DC-link voltage in counts
 * @blank: control periods for which the gates stay off after a peak
 * @blanks: such peaks lately, decays
 * @astray: control periods in which the current went astray, less those in which it did not
 */
struct qs1_current {
	struct {
		int32_t re;
		int32_t im;
	} res[QS1_RESONATORS];
	struct qs1_rotor rotor[QS1_RESONATORS];
	struct qs1_rotor inject[QS1_RESONATORS];
	struct qs1_rotor ahead;
	int32_t amp_i10;
	int32_t quad_i10;
	int32_t next_amp_i10;
	int32_t next_quad_i10;
	int32_t dc_v10;
	int32_t zero_i10;
	int32_t offset_i10;
	int32_t sag_v10;
	int32_t recip;
	uint8_t blank;
	uint16_t blanks;
	uint16_t astray;
};

/**
 * struct qs1_dclink - control of the DC-link voltage through the grid power
 * @ref: voltage wanted, counts
 * @integ_mw: integral part of the power reference
 * @p_ref_mw: power reference
 * @p_ramp_mw: limit that rises after a connection
 * @p_return_mw: limit that rises after a momentary cessation
 * @p_ceiling_mw: limit after returns that lifted the voltage out of range again
 * @p_limit_mw: limit in force
 * @p_trim_mw: correction of the inputs' share of the limit
 * @p_cap_mw: power each input may draw
 */
struct qs1_dclink {
	int32_t ref;
	int32_t integ_mw;
	int32_t p_ref_mw;
	int32_t p_ramp_mw;
	int32_t p_return_mw;
	int32_t p_ceiling_mw;
	int32_t p_limit_mw;
	int32_t p_trim_mw;
	int32_t p_cap_mw;
};

enum qs1_mppt_phase {
	QS1_MPPT_TRACK,
	QS1_MPPT_PROBE, /* on the way to another voltage */
	QS1_MPPT_TRIAL, /* tracking there */
};

/**
 * struct qs1_mppt - maximum power point tracker of one input
 * @center: operating voltage, counts * 256
 * @sign: side of the centre on which the input runs now
 * @halves: half cycles since the last step
 * @p: power of the last three measurements, counts, newest first
 * @valid: measurements since the last disturbance of the sequence
 * @steps: steps of a trial that are left
 * @restless: steps since a probe was due while the tracker had not settled
 * @low: the centre is at the lower of two maxima
 * @v_ref: centre at the last probe
 * @p_ref: power there
 * @center_before: centre before a probe
 * @p_before: power there
 * @fresh: half cycles for which a change of power or centre stays evidence
 * @rest: half cycles since the last probe
 * @tracking: close to the maximum
 */
struct qs1_mppt {
	int32_t center;
	int8_t sign;
	uint8_t halves;
	uint8_t valid;
	uint8_t phase;
	uint8_t steps;
	uint8_t restless;
	bool low;
	bool tracking;
	int32_t p[3];
	int32_t v_ref;
	int32_t p_ref;
	int32_t center_before;
	int32_t p_before;
	uint16_t fresh;
	uint16_t rest;
};

/**
 * struct qs1_input - one isolated input stage
 * @vref: voltage wanted, counts
 * @integ_q31: integral part of the squared on-time fraction
 * @limit_q31: highest squared on-time fraction allowed now
 * @dither: remainder of the on-time below one timer count
 * @pending: 1 when a half cycle has ended, 2 when its sums are kept
 * @v_sum, @i_sum, @p_sum, @n: since the last half cycle
 * @v, @i, @p: their means over the last half cycle; v and i in counts * 16
 */
struct qs1_input {
	int32_t vref;
	int32_t integ_q31;
	int32_t limit_q31;
	uint32_t dither;
	int32_t v_sum;
	int32_t i_sum;
	int64_t p_sum;
	uint32_t n;
	int32_t last_v_sum;
	int32_t last_i_sum;
	int64_t last_p_sum;
	uint32_t last_n;
	int32_t v_x16;
	int32_t i_x16;
	int32_t p;
	uint64_t e_raw;
	uint16_t off_ms;
	uint8_t pending;
	bool on;
	struct qs1_mppt mppt;
};

/**
 * struct qs1_service - criteria to enter service, as they are now
 * @after_trip: those after a trip
 * @noise: of the converters, for the random delay
 * @random_ms: random part of @delay_ms, drawn when the time begins
 */
struct qs1_service {
	int32_t v_min_mv;
	int32_t v_max_mv;
	int32_t f_min_uhz;
	int32_t f_max_uhz;
	int32_t delay_ms;
	int32_t ramp_s;
	int32_t random_ms;
	uint32_t noise;
	bool after_trip;
};

/* Mean of ten minutes: fifty times 12 s */
#define QS1_MEAN_BINS 50

/**
 * struct qs1_mean - mean of the voltage over ten minutes, sliding
 * @bin: mean square of each 12 s, in 2^22 mV^2
 * @bins: their sum
 * @sum: of the squares since the last whole bin
 * @n: how many of them
 * @oldest: bin that the present one takes the place of
 * @begun: all bins have a voltage
 * @v_mv: the mean
 */
struct qs1_mean {
	uint16_t bin[QS1_MEAN_BINS];
	uint32_t bins;
	uint32_t sum;
	uint16_t n;
	uint8_t oldest;
	bool begun;
	int32_t v_mv;
};

#define QS1_TRIPS 9

/**
 * struct qs1_trip - table-driven grid protection
 * @ms: how long each function's condition has held
 * @gap_ms: how long it has not held since
 * @limit_ms: how long it may hold until the firmware acts
 * @threshold: mV or mHz
 */
struct qs1_trip {
	uint32_t ms[QS1_TRIPS];
	uint8_t gap_ms[QS1_TRIPS];
	uint32_t limit_ms[QS1_TRIPS];
	int32_t threshold[QS1_TRIPS];
};

/**
 * struct qs1_island - active islanding detection
 * @f_slow_uhz: slow mean of the frequency
 * @off_uhz: low-pass of the frequency's distance from it
 * @quad_q30: reactive fraction injected
 * @dither: half cycles within the square wave
 * @suspect: half cycles for which the frequency has been far off its mean
 * @moved_uhz: change of the frequency over the last 0.1 s
 * @rocof_uhz: the part that the last two of these changes have in common
 */
struct qs1_island {
	int32_t f_slow_uhz;
	int32_t off_uhz;
	int32_t quad_q30;
	int32_t f_last_uhz;
	int32_t moved_uhz;
	int32_t rocof_uhz;
	uint16_t rocof_halves;
	uint16_t dither;
	uint16_t suspect;
};

/**
 * struct qs1_curve - a piecewise linear function, constant beyond its ends
 * @slope_q16: from each point to the next
 */
struct qs1_curve {
	int32_t x[4];
	int32_t y[4];
	int32_t slope_q16[3];
	uint8_t points;
};

/* What qs1_support_step() works out after a change of the parameters, one in each step: curves
 * first. */
enum qs1_derive {
	QS1_DERIVE_VOLT_VAR,
	QS1_DERIVE_VOLT_WATT,
	QS1_DERIVE_WATT_VAR,
	QS1_CURVES,
	QS1_DERIVE_POWER_FACTOR = QS1_CURVES,
	QS1_DERIVE_RESPONSES,
	QS1_DERIVE_FADE,
	QS1_DERIVE_DONE,
};

enum qs1_droop {
	QS1_DROOP_NONE,
	QS1_DROOP_OVER,
	QS1_DROOP_UNDER,
};

/**
 * struct qs1_support - grid support
 * @rated_mw: rated power and apparent power at the nominal voltage
 * @derive: enum qs1_derive, the next one
 * @curve: volt-var: mvar over mV; volt-watt: mW over mV; watt-var: mvar over mW
 * @volt_var_q30, @volt_watt_q30, @droop_q30: part of a step covered in 8 ms
 * @vref_q30: part of the way of the reference voltage in 1.024 s
 * @tan_q30: reactive over active power at constant power factor
 * @v_mv: voltage in this step
 * @vref_x4096: reference voltage, mV * 4096
 * @vref_calls: steps since it has moved
 * @q_goal_mvar: reactive power by the setting and what fades of the one before
 * @fade_mvar: the latter
 * @fade_step_mvar: by which it fades in a step
 * @q_x1024: reactive power after its response, mvar * 1024
 * @volt_watt_x1024: limit by volt-watt after its response, mW * 1024
 * @droop_x1024: power by the droop after its response, mW * 1024
 * @p_past_mw: power at the last three times of remembering it, newest first
 * @past_calls: steps since the last of them, negative after a sag
 * @p_pre_mw: power before the event
 * @p_low_mw: lowest power of an event, where it is held
 * @droop: side of the deadband on which the frequency was last, enum qs1_droop; none
 *         without an event
 * @droop_out: steps of this event with the frequency outside of the deadband, up to DROOP_BACK
 * @droop_back: steps for which the frequency has been back in the deadband
 * @droop_unseen: not in the deadband since the connection
 * @q_mvar: reactive power wanted, positive when injected
 * @p_limit_mw: highest active power of all functions
 */
struct qs1_support {
	int32_t rated_mw;
	uint8_t derive;
	struct qs1_curve curve[QS1_CURVES];
	int32_t volt_var_q30;
	int32_t volt_watt_q30;
	int32_t droop_q30;
	int32_t vref_q30;
	int32_t tan_q30;
	int32_t v_mv;
	int32_t vref_x4096;
	uint8_t vref_calls;
	int32_t q_goal_mvar;
	int32_t fade_mvar;
	int32_t fade_step_mvar;
	int32_t q_x1024;
	int32_t volt_watt_x1024;
	int32_t droop_x1024;
	int32_t p_past_mw[3];
	int16_t past_calls;
	int32_t p_pre_mw;
	int32_t p_low_mw;
	uint16_t droop_out;
	uint16_t droop_back;
	uint8_t droop;
	bool droop_unseen;
	int32_t q_mvar;
	int32_t p_limit_mw;
};

/**
 * struct qs1_protect - limits that act without regard to the grid profile
 * @ground_x16: mean magnitude of the ground current, counts * 16
 * @mismatch_x16: mean magnitude of the voltage across the relay, counts * 16
 * @vgrid_x16: mean magnitude of the grid voltage, counts * 16
 * @tov_counts: instantaneous over-voltage of the grid
 * @tov: score of samples above it, less those below
 * @fast: QS1_FAULT_BIT() of limits passed in a single period
 * @last: sample of each channel four periods ago
 * @still_ms: how long each channel has not changed although its quantity had to
 * @jumps: score of samples that differ by more than the quantity can
 * @i_last: last sample of the grid current
 * @i_same: such samples in a row that were equal, while a current is driven
 * @link_below: samples in a row of a link far below the grid
 * @moved: bit n for a channel that has changed in this millisecond
 * @bad: bit n for a channel whose samples can not be true
 * @bad_ms: how long such channels are still not believed
 */
struct qs1_protect {
	int32_t ground_x16;
	uint16_t ground_ms;
	uint16_t pv_ov_ms;
	uint16_t pv_oc_ms;
	uint16_t ref_ms;
	uint16_t full_scale_ms;
	uint16_t mismatch_ms;
	int32_t mismatch_x16;
	int32_t vgrid_x16;
	int32_t tov_counts;
	uint16_t tov;
	int32_t tcase_mc;
	int32_t tstage_mc;
	uint32_t host_seen;
	uint32_t host_ms;
	bool host_alive;
	bool hot;
	uint32_t fast;
	int16_t last[QS1_ADC_COUNT];
	uint8_t still_ms[QS1_ADC_COUNT];
	uint8_t jumps[QS1_ADC_COUNT];
	int16_t i_last;
	uint8_t i_same;
	uint8_t link_below;
	uint16_t moved;
	uint16_t bad;
	uint16_t bad_ms;
};

/**
 * struct qs1_drift - drift of sensors
 * @link_v10: mean of what the resonator of the fundamental makes up for, beside what is known
 * @direct_v10: mean of the direct voltage that the bridge adds to the grid's
 * @zero_v10: slow mean of that
 * @settle_ms: for how long the zero has been close, until it is slow
 * @link_ms, @direct_ms: for how long each has been out of its limits
 */
struct qs1_drift {
	int32_t link_v10;
	int32_t direct_v10;
	int32_t zero_v10;
	uint16_t settle_ms;
	uint16_t link_ms;
	uint16_t direct_ms;
};

/**
 * struct qs1_fsm - the operating state
 * @step: step within the state; of fault, 1 after a failed self test
 * @in_state_ms: time in the state
 * @wait_ms: how long the grid has been in range without a break
 * @hold_ms: how long the unit stays asleep before it tries again
 * @retry_ms: the same for the next time, 0 before the first
 * @v_open: highest open voltage of an input at the last attempt, counts
 * @clear_ms: how long no cause of a fault has been present
 * @idle_ms: how long there has been too little power
 * @unit: QS1_FAULT_BIT() of causes in the unit, as last judged
 * @grid: the same of the grid
 * @active: QS1_FAULT_BIT() of causes present now
 * @latched: QS1_FAULT_BIT() of faults that only a command clears
 */
struct qs1_fsm {
	uint8_t state;
	uint8_t step;
	bool armed;
	bool self_test_ok;
	bool bench;
	uint32_t in_state_ms;
	uint32_t wait_ms;
	uint32_t hold_ms;
	uint32_t retry_ms;
	int32_t v_open;
	uint32_t clear_ms;
	uint32_t idle_ms;
	uint32_t unit;
	uint32_t grid;
	uint32_t active;
	uint32_t latched;
	int32_t offset_sum;
};

#define QS1_EVENT_QUEUE 8

/* Members used in each period come first: a PRU reaches 256 bytes by an immediate offset. */
struct qs1_core {
	int16_t adc[QS1_ADC_COUNT];
	uint64_t ticks;
	uint32_t frame;
	uint32_t slot;
	struct qs1_pll pll;
	struct qs1_meter meter;
	struct qs1_current current;
	struct qs1_dclink dclink;
	struct qs1_input input[QS1_INPUTS];
	struct qs1_trip trip;
	struct qs1_mean mean;
	struct qs1_service service;
	struct qs1_island island;
	struct qs1_support support;
	struct qs1_protect protect;
	struct qs1_drift drift;
	struct qs1_fsm fsm;
	int32_t param[QS1_PARAM_COUNT];
	int32_t staged[QS1_PARAM_COUNT];
	bool staging;
	int16_t bench[QS1_INPUTS + 2];
	uint32_t fault_count[QS1_FAULT_COUNT];
	uint32_t event_seq;
	uint32_t event_taken;
	struct qs1_event event[QS1_EVENT_QUEUE];
	uint16_t cmp_input[QS1_INPUTS];
	bool half_dclink;
	bool half_island;
	bool bridge_due; /* on from the next zero crossing */
	bool bridge_on;
	bool relay_on;
	bool estop;
};

/* slot.c */
void qs1_slot(struct qs1_core *core, uint32_t n);

/* pll.c */
void qs1_pll_init(struct qs1_pll *pll);
void qs1_pll_step(struct qs1_pll *pll, int32_t v);
void qs1_pll_predict(struct qs1_pll *pll);
void qs1_pll_slow(struct qs1_pll *pll);
uint32_t qs1_pll_inc(const struct qs1_pll *pll);
struct qs1_rotor qs1_rotor_of(uint32_t inc);
struct qs1_rotor qs1_rotor_mul(struct qs1_rotor a, struct qs1_rotor b);

/* meter.c */
void qs1_meter_step(struct qs1_core *core);
void qs1_meter_slow(struct qs1_core *core);

/* current.c */
void qs1_current_reset(struct qs1_current *cur);
int16_t qs1_current_step(struct qs1_core *core);
void qs1_current_slow(struct qs1_core *core);
void qs1_current_zero(struct qs1_current *cur, int32_t zero_i10);
void qs1_current_half_cycle(struct qs1_core *core);

/* dclink.c */
void qs1_dclink_reset(struct qs1_core *core);
void qs1_dclink_cease(struct qs1_core *core, bool lifted);
void qs1_dclink_half_cycle(struct qs1_core *core);
void qs1_dclink_amplitudes(struct qs1_core *core);

/* input.c */
void qs1_input_start(struct qs1_core *core, int n);
void qs1_input_stop(struct qs1_core *core, int n);
uint16_t qs1_input_step(struct qs1_core *core, int n);
void qs1_input_ms(struct qs1_core *core, int n);
void qs1_input_half_cycle(struct qs1_core *core, int n);

/* mppt.c */
void qs1_mppt_start(struct qs1_mppt *mppt, int32_t v_open);
void qs1_mppt_half_cycle(struct qs1_core *core, int n);

/* trip.c */
void qs1_trip_derive(struct qs1_core *core);
uint32_t qs1_trip_ms(struct qs1_core *core);
int32_t qs1_trip_value(const struct qs1_core *core, enum qs1_fault fault);

/* mean.c */
#define QS1_MEAN_MS 8
void qs1_mean_step(struct qs1_core *core);

/* service.c */
#define QS1_SERVICE_MS 8
void qs1_service_step(struct qs1_core *core);
bool qs1_service_in_range(const struct qs1_core *core);

/* island.c */
void qs1_island_half_cycle(struct qs1_core *core);
uint32_t qs1_island_found(const struct qs1_core *core);

/* support.c */
#define QS1_SUPPORT_MS 8
void qs1_support_derive(struct qs1_core *core);
void qs1_support_reset(struct qs1_core *core);
void qs1_support_step(struct qs1_core *core);

/* protect.c */
/* Counts up to @limit while @present; has it been so for that long? Once each millisecond. */
bool qs1_lasts(uint16_t *ms, bool present, uint16_t limit);
void qs1_protect_derive(struct qs1_core *core);
void qs1_protect_step(struct qs1_core *core);
void qs1_protect_sensors_ms(struct qs1_core *core);
uint32_t qs1_protect_ms(struct qs1_core *core);

/* drift.c */
uint32_t qs1_drift_ms(struct qs1_core *core);

/* fsm.c */
void qs1_fsm_faults(struct qs1_core *core);
void qs1_fsm_ms(struct qs1_core *core);
void qs1_fsm_gates_ms(struct qs1_core *core);
void qs1_fsm_stop_now(struct qs1_core *core);
uint32_t qs1_fsm_arm(struct qs1_core *core, bool armed);
uint32_t qs1_fsm_latch(struct qs1_core *core, uint32_t fault);
uint32_t qs1_fsm_clear(struct qs1_core *core, uint32_t fault);
uint32_t qs1_fsm_bench(struct qs1_core *core, bool on);

/* event.c */
void qs1_event_put(struct qs1_core *core, uint16_t kind, uint32_t cause, uint8_t from, uint8_t to,
		   int32_t value);

/* param.c */
void qs1_param_init(struct qs1_core *core);
uint32_t qs1_param_command(struct qs1_core *core, uint32_t op, uint32_t id, int32_t value,
			   int32_t *ret);

static inline bool qs1_producing(const struct qs1_core *core)
{
	return core->fsm.state == QS1_STATE_PRODUCING || core->fsm.state == QS1_STATE_DERATING;
}

#endif /* QS1_STATE_H */
