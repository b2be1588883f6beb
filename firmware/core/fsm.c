/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The operating state, evaluated each millisecond.
 *
 *   off -> self-test -> waiting -> connecting -> producing <-> derating
 *              |           |  ^        |             |  ^
 *              v           v  +--------+---- trip ---+  v
 *        fault, shutdown  night                       ceased
 *
 * A grid fault leads to waiting and restarts the enter-service delay. A ground
 * fault leads to ground-fault until a command clears it. Any other fault leads to
 * fault; the unit leaves it when no cause has been present for five seconds, or
 * for a minute after a failed self test, and nothing is latched. Without
 * permission from Linux the state is shutdown.
 */
#include <qs1/stage.h>

#include "state.h"

/* faults of the unit itself */
#define UNIT                                                                                       \
	(QS1_FAULT_BIT(QS1_FAULT_PV_OV) | QS1_FAULT_BIT(QS1_FAULT_PV_OC) |                         \
	 QS1_FAULT_BIT(QS1_FAULT_AC_OC) | QS1_FAULT_BIT(QS1_FAULT_OVERTEMP) |                      \
	 QS1_FAULT_BIT(QS1_FAULT_RELAY) | QS1_FAULT_BIT(QS1_FAULT_HOST_LOST) |                     \
	 QS1_FAULT_BIT(QS1_FAULT_FIRMWARE) | QS1_FAULT_BIT(QS1_FAULT_SENSOR))

/* Faults that end the bench mode: all that a stage in open loop can cause. */
#define BENCH_ENDS (UNIT | QS1_FAULT_BIT(QS1_FAULT_GFDI) | QS1_FAULT_BIT(QS1_FAULT_TOV))

#define SELF_TEST_MS 200
/* the offset is measured again each quarter of a second without a current: 2^8 samples */
#define ZERO_LOG2 8
/* offsets of the grid and ground current that are accepted: 4 % of rated current, 0.1 A */
#define OFFSET_MAX 400
#define GROUND_OFFSET_MAX 800
#define CLEAR_MS 5000
/* the same after a self test that failed */
#define FAILED_MS 60000
/*
 * Charging the link tests the modules: 38 J within 4 s are 9.5 W. Production ends
 * at 1.6 W for the bridge plus IDLE_MW. A start takes more than half as much again,
 * so that a unit does not connect twice at dusk.
 */
#define CHARGE_TIMEOUT_MS 4000
#define FILTER_SETTLE_MS 50
#define RELAY_SETTLE_MS 70
#define RELAY_TEST_MIN_MA 100
/* contacts have opened, the filter is discharged and the current sensor's zero found */
#define REST_MS 500
/*
 * Retry after too little light: the delay doubles with each attempt, up to 17 min.
 * A minute of production resets it. When the open voltage of an input has risen by
 * a 32nd, the light has doubled and the unit retries without delay.
 */
#define RETRY_FIRST_MS 2000
#define RETRY_LAST_MS 1024000
#define RETRY_FORGET_MS 60000
#define BRIGHTER_PART 32
#define INPUT_DELAY_MS 300
#define IDLE_MS 5000
/* too little to stay connected for: 4 W */
#define IDLE_MW 4000
/*
 * Momentary cessation: the current goes to zero at the next zero crossing, the
 * gates turn off a half cycle later, which is 20 ms at 50 Hz. The unit returns
 * after RETURN_MS in range; limits() in dclink.c ramps the power.
 */
#define CEASE_MS 20
#define RETURN_MS 20
/* Out of range this soon after the return, or at the ceiling: the unit has lifted the voltage. */
#define LIFTED_MS 2000
/*
 * Below 0.1 pu for longer than a sag that must be ridden through (Category III:
 * 1 s): an island in which all units have ceased. The relay opens within 2 s.
 */
#define DEAD_PU 100
#define DEAD_MS 1600

static void go(struct qs1_core *core, enum qs1_state to, uint32_t cause)
{
	struct qs1_fsm *f = &core->fsm;

	qs1_event_put(core, QS1_EVENT_TRANSITION, cause, f->state, (uint8_t)to, 0);
	f->state = (uint8_t)to;
	f->step = 0;
	f->offset_sum = 0;
	f->in_state_ms = 0;
	f->clear_ms = 0;
	f->idle_ms = 0;
}

/* Gates off and relay open, in this very period. */
void qs1_fsm_stop_now(struct qs1_core *core)
{
	/* Leaving service restarts the enter-service delay. */
	if (core->relay_on)
		core->fsm.wait_ms = 0;
	core->bridge_due = false;
	core->bridge_on = false;
	core->relay_on = false;
	for (int n = 0; n < QS1_INPUTS; n++)
		qs1_input_stop(core, n);
	qs1_current_reset(&core->current);
	qs1_dclink_reset(core);
}

static void stop(struct qs1_core *core, enum qs1_state to, uint32_t cause)
{
	qs1_fsm_stop_now(core);
	go(core, to, cause);
}

/* A voltage of an input: 2.5 mV a count, parameters in 0.1 V */
static int32_t pv_counts(const struct qs1_core *core, enum qs1_param limit)
{
	return core->param[limit] * 40;
}

static int32_t highest_pv(const struct qs1_core *core)
{
	int32_t v = core->adc[QS1_ADC_VPV1];

	for (int n = 1; n < QS1_INPUTS; n++)
		if (core->adc[QS1_ADC_VPV1 + n] > v)
			v = core->adc[QS1_ADC_VPV1 + n];
	return v;
}

static bool pv_above(const struct qs1_core *core, enum qs1_param limit)
{
	return highest_pv(core) >= pv_counts(core, limit);
}

/* Each input joins and leaves by its own voltage; one of them is looked at each millisecond. */
static void run_inputs(struct qs1_core *core)
{
	int n = (int)(core->frame % QS1_INPUTS);
	struct qs1_input *in = &core->input[n];
	int32_t v = core->adc[QS1_ADC_VPV1 + n];
	bool low = v < pv_counts(core, in->on ? QS1_PARAM_PV_MIN_V : QS1_PARAM_PV_START_V);
	/* above by a whole step of the parameter */
	bool high = v >= pv_counts(core, QS1_PARAM_PV_MAX_V) + 40;

	if (low || high) {
		if (in->on)
			qs1_input_stop(core, n);
		in->off_ms = 0;
	} else if (!in->on) {
		in->off_ms += QS1_INPUTS;
		if (in->off_ms >= INPUT_DELAY_MS)
			qs1_input_start(core, n);
	}
}

static uint32_t lowest(uint32_t faults)
{
	uint32_t fault = 0;

	while (!(faults & QS1_FAULT_BIT(fault)))
		fault++;
	return fault;
}

/* Record a fault that has just appeared; @value: see qs1_trip_value(). */
static void report(struct qs1_core *core, uint32_t fault, int32_t value)
{
	core->fault_count[fault]++;
	qs1_event_put(core, QS1_EVENT_TRIP, QS1_CAUSE_FAULT_BASE + fault, core->fsm.state,
		      core->fsm.state, value);
}

/* Faults that stop the unit itself. Their numbers are consecutive except for the last one. */
#define OWN (UNIT | QS1_FAULT_BIT(QS1_FAULT_GFDI))
#define OWN_END (QS1_FAULT_FIRMWARE + 1)
QS1_ASSERT(OWN == (QS1_FAULT_BIT(OWN_END) - QS1_FAULT_BIT(QS1_FAULT_GFDI) +
		   QS1_FAULT_BIT(QS1_FAULT_SENSOR)));
QS1_ASSERT(QS1_FAULT_SENSOR > OWN_END);

/* In the order of their numbers; only the event of SENSOR carries a value. */
static void report_own(struct qs1_core *core, uint32_t faults)
{
	for (uint32_t k = QS1_FAULT_GFDI; k < OWN_END; k++)
		if (faults & QS1_FAULT_BIT(k))
			report(core, k, 0);
	if (faults & QS1_FAULT_BIT(QS1_FAULT_SENSOR))
		report(core, QS1_FAULT_SENSOR, qs1_trip_value(core, QS1_FAULT_SENSOR));
}

static bool connected(const struct qs1_core *core)
{
	return qs1_producing(core) || core->fsm.state == QS1_STATE_CEASED;
}

/* A fault of the grid while connected. */
static void trip(struct qs1_core *core, uint32_t fault)
{
	core->service.after_trip = true;
	report(core, fault, qs1_trip_value(core, fault));
	stop(core, QS1_STATE_WAITING, QS1_CAUSE_FAULT_BASE + fault);
}

/*
 * Each millisecond: act on faults. Grid functions count as trips while connected;
 * otherwise they only keep the unit waiting. The states are a separate function,
 * because both together do not fit into the PRU's memory.
 */
void qs1_fsm_faults(struct qs1_core *core)
{
	struct qs1_fsm *f = &core->fsm;
	uint32_t grid = f->grid;
	uint32_t unit = f->unit;
	uint32_t tov = unit & QS1_FAULT_BIT(QS1_FAULT_TOV);
	uint32_t ground = unit & QS1_FAULT_BIT(QS1_FAULT_GFDI);
	uint32_t active = grid | unit;
	uint32_t fresh = active & ~f->active;

	/* A latching fault that is present in state off is reported when the unit leaves it. */
	f->active = f->state == QS1_STATE_OFF ? active & ~QS1_FAULTS_LATCHING : active;
	/* From here on the state keeps the gates off. */
	core->protect.fast &= ~unit;
	if (f->state == QS1_STATE_OFF)
		return;
	report_own(core, fresh);
	f->latched |= active & QS1_FAULTS_LATCHING;
	if (f->latched & QS1_FAULT_BIT(QS1_FAULT_GFDI)) {
		if (f->state == QS1_STATE_GROUND_FAULT)
			return;
		stop(core, QS1_STATE_GROUND_FAULT,
		     QS1_CAUSE_FAULT_BASE + (ground ? lowest(ground) : QS1_FAULT_GFDI));
		return;
	}
	if (f->state == QS1_STATE_SHUTDOWN || f->state == QS1_STATE_FAULT ||
	    f->state == QS1_STATE_SELF_TEST || f->state == QS1_STATE_GROUND_FAULT)
		return;
	unit = (unit & UNIT) | (f->latched & UNIT);
	if (unit) {
		/* a sensor has to pass the self test again */
		if (unit & QS1_FAULT_BIT(QS1_FAULT_SENSOR))
			f->self_test_ok = false;
		stop(core, QS1_STATE_FAULT, QS1_CAUSE_FAULT_BASE + lowest(unit));
		return;
	}
	grid |= tov;
	if (grid && (connected(core) || core->relay_on)) {
		uint32_t first =
			lowest(grid & QS1_FAULT_BIT(QS1_FAULT_UV2)   ? QS1_FAULT_BIT(QS1_FAULT_UV2)
			       : grid & QS1_FAULT_BIT(QS1_FAULT_OV2) ? QS1_FAULT_BIT(QS1_FAULT_OV2)
								     : grid);

		trip(core, first);
	}
}

static void self_test(struct qs1_core *core)
{
	struct qs1_fsm *f = &core->fsm;
	int32_t offset;
	uint32_t fault = QS1_FAULT_COUNT;

	/* Relay open, gates off: the current sensors show their offset. */
	f->offset_sum += core->adc[QS1_ADC_IGRID];
	if (f->in_state_ms < SELF_TEST_MS)
		return;
	offset = f->offset_sum / SELF_TEST_MS;
	/* The grid on both sides of an open relay: welded. Its current may look like an offset. */
	if (core->protect.vgrid_x16 / 16 > 2000 &&
	    core->protect.mismatch_x16 < core->protect.vgrid_x16 / 4)
		fault = QS1_FAULT_RELAY;
	else if (qs1_abs(offset) > OFFSET_MAX ||
		 core->protect.ground_x16 / 16 > GROUND_OFFSET_MAX ||
		 qs1_abs(core->adc[QS1_ADC_VREF] - QS1_VREF_COUNT) > QS1_VREF_COUNT / 100)
		fault = QS1_FAULT_SENSOR;

	f->self_test_ok = fault == QS1_FAULT_COUNT;
	if (!f->self_test_ok) {
		if (!(f->active & QS1_FAULT_BIT(fault)))
			report(core, fault, qs1_trip_value(core, fault));
		f->latched |= QS1_FAULT_BIT(fault) & QS1_FAULTS_LATCHING;
		go(core, QS1_STATE_FAULT, QS1_CAUSE_FAULT_BASE + fault);
		f->step = 1;
		return;
	}
	qs1_current_zero(&core->current, f->offset_sum * 1024 / SELF_TEST_MS);
	go(core, f->armed ? QS1_STATE_WAITING : QS1_STATE_SHUTDOWN, QS1_CAUSE_SELF_TEST_PASSED);
}

/*
 * Relay open, gates off: follow the drift of the current sensor's offset. The
 * first quarter of a second may still contain the current from before.
 */
static void take_zero(struct qs1_core *core)
{
	struct qs1_fsm *f = &core->fsm;
	int32_t offset_i10 = f->offset_sum * (1024 >> ZERO_LOG2);

	if (f->in_state_ms % (1u << ZERO_LOG2)) {
		f->offset_sum += core->adc[QS1_ADC_IGRID];
		return;
	}
	if (f->in_state_ms > 1u << ZERO_LOG2 && qs1_abs(offset_i10) < OFFSET_MAX * 1024)
		qs1_current_zero(&core->current, offset_i10);
	f->offset_sum = core->adc[QS1_ADC_IGRID];
}

static void waiting(struct qs1_core *core)
{
	struct qs1_fsm *f = &core->fsm;

	take_zero(core);
	if (pv_above(core, QS1_PARAM_PV_MIN_V))
		f->idle_ms = 0;
	else if (++f->idle_ms >= IDLE_MS)
		go(core, QS1_STATE_NIGHT, QS1_CAUSE_FAULT_BASE + QS1_FAULT_NIGHT);
	else
		return;
	if (f->state == QS1_STATE_WAITING && f->in_state_ms >= REST_MS &&
	    qs1_service_in_range(core) && pv_above(core, QS1_PARAM_PV_START_V) &&
	    f->wait_ms >= (uint32_t)core->service.delay_ms) {
		f->v_open = highest_pv(core);
		qs1_dclink_reset(core);
		go(core, QS1_STATE_CONNECTING, QS1_CAUSE_ENTER_SERVICE);
	}
}

/* Too little light to charge the link or to stay connected for. */
static void sleep(struct qs1_core *core)
{
	struct qs1_fsm *f = &core->fsm;

	if (!f->retry_ms || (qs1_producing(core) && f->in_state_ms > RETRY_FORGET_MS))
		f->retry_ms = RETRY_FIRST_MS;
	stop(core, QS1_STATE_NIGHT, QS1_CAUSE_FAULT_BASE + QS1_FAULT_NIGHT);
	f->hold_ms = f->retry_ms;
	if (f->retry_ms < RETRY_LAST_MS)
		f->retry_ms *= 2;
}

static void night(struct qs1_core *core)
{
	struct qs1_fsm *f = &core->fsm;
	int32_t v = highest_pv(core);

	if (v >= pv_counts(core, QS1_PARAM_PV_START_V) &&
	    (!f->hold_ms || v - f->v_open > f->v_open / BRIGHTER_PART))
		go(core, QS1_STATE_WAITING, QS1_CAUSE_PV_PRESENT);
}

static void relay_failed(struct qs1_core *core)
{
	core->fsm.latched |= QS1_FAULT_BIT(QS1_FAULT_RELAY);
	report(core, QS1_FAULT_RELAY, 0);
	stop(core, QS1_STATE_FAULT, QS1_CAUSE_FAULT_BASE + QS1_FAULT_RELAY);
}

static void connecting(struct qs1_core *core)
{
	struct qs1_fsm *f = &core->fsm;

	if (!qs1_service_in_range(core)) {
		stop(core, QS1_STATE_WAITING, QS1_CAUSE_GRID_OUT_OF_RANGE);
		return;
	}
	if (f->in_state_ms > CHARGE_TIMEOUT_MS) {
		sleep(core);
		return;
	}
	run_inputs(core);
	switch (f->step) {
	case 0: /* charge the link from the modules */
		if (core->adc[QS1_ADC_VLINK] < core->dclink.ref)
			break;
		/* the relay must still be open: not the same voltage on both sides */
		if (core->protect.mismatch_x16 < core->protect.vgrid_x16 / 4) {
			relay_failed(core);
			return;
		}
		f->step = 1;
		break;
	case 1: /* bring the filter to the grid's voltage, from a zero crossing on */
		if (!core->bridge_on) {
			core->bridge_due = true;
			f->idle_ms = 0;
		} else if (++f->idle_ms >= FILTER_SETTLE_MS) {
			core->relay_on = true;
			f->step = 2;
			f->idle_ms = 0;
		}
		break;
	case 2: /* a closed relay carries the test current that dclink.c asks for */
		if (++f->idle_ms < QS1_RELAY_CLOSE_MS + RELAY_SETTLE_MS)
			break;
		if (core->meter.irms_ma < RELAY_TEST_MIN_MA)
			relay_failed(core);
		else
			go(core, QS1_STATE_PRODUCING, QS1_CAUSE_RELAY_CLOSED);
		break;
	}
}

static bool ceases_low(const struct qs1_core *core)
{
	return core->meter.vrms_mv <
	       core->param[QS1_PARAM_MC_LV_V_PU] * core->param[QS1_PARAM_V_NOM_V];
}

static bool ceases_high(const struct qs1_core *core)
{
	int32_t limit_pu = core->param[QS1_PARAM_MC_HV_V_PU];

	return limit_pu < 1400 && core->meter.vrms_mv > limit_pu * core->param[QS1_PARAM_V_NOM_V];
}

static void cease(struct qs1_core *core)
{
	qs1_dclink_cease(core,
			 ceases_high(core) && (core->fsm.in_state_ms < LIFTED_MS ||
					       core->dclink.p_ceiling_mw < core->support.rated_mw));
	go(core, QS1_STATE_CEASED, QS1_CAUSE_MOMENTARY_CESSATION);
}

static void producing(struct qs1_core *core)
{
	struct qs1_fsm *f = &core->fsm;
	bool warm = core->protect.tcase_mc > core->param[QS1_PARAM_DERATE_START_C] * 1000;
	/* the link must stay above the grid's peak: both 20 mV a count */
	bool empty = core->adc[QS1_ADC_VLINK] < qs1_asr(core->pll.amp_v10, 10);

	run_inputs(core);
	if (ceases_low(core) || ceases_high(core)) {
		cease(core);
		return;
	}
	if (empty || (core->dclink.p_ref_mw < IDLE_MW && core->dclink.p_limit_mw > IDLE_MW))
		f->idle_ms += empty ? 50 : 1;
	else
		f->idle_ms = 0;
	if (f->idle_ms >= IDLE_MS) {
		if (empty && !qs1_service_in_range(core)) {
			/* so high a grid charges the link through the bridge: no input can run */
			stop(core, QS1_STATE_WAITING, QS1_CAUSE_GRID_OUT_OF_RANGE);
			return;
		}
		sleep(core);
		return;
	}
	if (warm && f->state == QS1_STATE_PRODUCING)
		go(core, QS1_STATE_DERATING, QS1_CAUSE_THERMAL);
	else if (f->state == QS1_STATE_DERATING &&
		 core->protect.tcase_mc < core->param[QS1_PARAM_DERATE_START_C] * 1000 - 2000)
		go(core, QS1_STATE_PRODUCING, QS1_CAUSE_THERMAL);
}

static void ceased(struct qs1_core *core)
{
	struct qs1_fsm *f = &core->fsm;

	run_inputs(core);
	f->idle_ms = ceases_low(core) || ceases_high(core) ? 0 : f->idle_ms + 1;
	f->clear_ms = core->meter.vrms_mv < DEAD_PU * core->param[QS1_PARAM_V_NOM_V]
			      ? f->clear_ms + 1
			      : 0;
	if (f->clear_ms >= DEAD_MS) {
		trip(core, QS1_FAULT_ISLAND);
		return;
	}
	if (f->in_state_ms < CEASE_MS)
		return;
	if (core->bridge_on) {
		core->bridge_on = false;
		qs1_current_reset(&core->current);
	}
	if (f->idle_ms < RETURN_MS || !core->pll.locked)
		return;
	/*
	 * Restart at a zero crossing, where the bridge's voltage equals the filter's. The
	 * connection ramp does not restart: IEEE 1547-2018 6.4.2.7 wants the power back soon.
	 */
	core->bridge_due = true;
	go(core, QS1_STATE_PRODUCING, QS1_CAUSE_GRID_IN_RANGE);
}

static void fault(struct qs1_core *core)
{
	struct qs1_fsm *f = &core->fsm;

	f->clear_ms = (f->active & UNIT) || (f->latched & UNIT) ? 0 : f->clear_ms + 1;
	if (f->clear_ms < (f->step ? FAILED_MS : CLEAR_MS))
		return;
	if (!f->self_test_ok)
		go(core, QS1_STATE_SELF_TEST, QS1_CAUSE_FAULT_CLEARED);
	else
		go(core, f->armed ? QS1_STATE_WAITING : QS1_STATE_SHUTDOWN,
		   QS1_CAUSE_FAULT_CLEARED);
}

static void bench_event(struct qs1_core *core)
{
	qs1_event_put(core, QS1_EVENT_TRANSITION, QS1_CAUSE_BENCH, core->fsm.state, core->fsm.state,
		      core->fsm.bench);
}

static void end_bench(struct qs1_core *core)
{
	core->fsm.bench = false;
	for (int n = 0; n < QS1_INPUTS + 2; n++)
		core->bench[n] = 0;
	bench_event(core);
}

void qs1_fsm_ms(struct qs1_core *core)
{
	struct qs1_fsm *f = &core->fsm;

	f->in_state_ms++;
	if (f->hold_ms)
		f->hold_ms--;
	if (!qs1_service_in_range(core))
		f->wait_ms = 0;
	else if (f->wait_ms < 0x7fffffffu)
		f->wait_ms++;
	/* An emergency stop also withdraws the permission: no restart on release. */
	if (core->estop && f->armed)
		qs1_fsm_arm(core, false);
	if (f->bench && (core->estop || !core->protect.host_alive || f->active & BENCH_ENDS))
		end_bench(core);

	switch (f->state) {
	case QS1_STATE_OFF:
		if (pv_above(core, QS1_PARAM_PV_MIN_V))
			go(core, QS1_STATE_SELF_TEST, QS1_CAUSE_DC_POWER);
		break;
	case QS1_STATE_SELF_TEST:
		self_test(core);
		break;
	case QS1_STATE_NIGHT:
		night(core);
		break;
	case QS1_STATE_WAITING:
		waiting(core);
		break;
	case QS1_STATE_FAULT:
		fault(core);
		break;
	}
}

/*
 * Each millisecond, the states in which gates are on: a separate function, because
 * all states together do not fit into the PRU's memory.
 */
void qs1_fsm_gates_ms(struct qs1_core *core)
{
	switch (core->fsm.state) {
	case QS1_STATE_CONNECTING:
		connecting(core);
		break;
	case QS1_STATE_PRODUCING:
	case QS1_STATE_DERATING:
		producing(core);
		break;
	case QS1_STATE_CEASED:
		ceased(core);
		break;
	}
}

/* Permission to produce, given and taken by Linux. */
uint32_t qs1_fsm_arm(struct qs1_core *core, bool armed)
{
	struct qs1_fsm *f = &core->fsm;

	if (armed && (f->bench || core->staging))
		return QS1_ERR_STATE;
	f->armed = armed;
	if (armed && f->state == QS1_STATE_SHUTDOWN)
		go(core, QS1_STATE_WAITING, QS1_CAUSE_ARMED);
	else if (!armed && f->state != QS1_STATE_SHUTDOWN && f->state != QS1_STATE_OFF &&
		 f->state != QS1_STATE_SELF_TEST && f->state != QS1_STATE_FAULT &&
		 f->state != QS1_STATE_GROUND_FAULT)
		stop(core, QS1_STATE_SHUTDOWN, QS1_CAUSE_FAULT_BASE + QS1_FAULT_SHUTDOWN);
	return QS1_OK;
}

/* Restore a latch that Linux has kept over a loss of power. */
uint32_t qs1_fsm_latch(struct qs1_core *core, uint32_t fault)
{
	if (fault >= QS1_FAULT_COUNT || !(QS1_FAULTS_LATCHING & QS1_FAULT_BIT(fault)))
		return QS1_ERR_ARG;
	core->fsm.latched |= QS1_FAULT_BIT(fault);
	return QS1_OK;
}

uint32_t qs1_fsm_clear(struct qs1_core *core, uint32_t fault)
{
	struct qs1_fsm *f = &core->fsm;

	if (fault >= QS1_FAULT_COUNT || !(QS1_FAULTS_LATCHING & QS1_FAULT_BIT(fault)))
		return QS1_ERR_ARG;
	if (f->active & QS1_FAULT_BIT(fault))
		return QS1_ERR_ACTIVE;
	if (!(f->latched & QS1_FAULT_BIT(fault)))
		return QS1_OK;
	f->latched &= ~QS1_FAULT_BIT(fault);
	qs1_event_put(core, QS1_EVENT_CLEAR, QS1_CAUSE_FAULT_BASE + fault, f->state, f->state, 0);
	/* If the latch interrupted the self test, run the test again. */
	if (f->state == QS1_STATE_GROUND_FAULT)
		go(core,
		   !f->self_test_ok ? QS1_STATE_SELF_TEST
		   : f->armed	    ? QS1_STATE_WAITING
				    : QS1_STATE_SHUTDOWN,
		   QS1_CAUSE_FAULT_CLEARED);
	return QS1_OK;
}

/*
 * Open-loop bench mode: only while shut down, relay open, host heartbeat present.
 * A command, loss of the host, an emergency stop or a fault ends it.
 */
uint32_t qs1_fsm_bench(struct qs1_core *core, bool on)
{
	struct qs1_fsm *f = &core->fsm;

	if (on && (f->state != QS1_STATE_SHUTDOWN || !core->protect.host_alive || core->estop ||
		   f->active & BENCH_ENDS))
		return QS1_ERR_STATE;
	if (on && !f->bench) {
		f->bench = true;
		bench_event(core);
	} else if (!on && f->bench) {
		end_bench(core);
	}
	return QS1_OK;
}
