// SPDX-License-Identifier: GPL-2.0-only
#include "world.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grid.h"
#include "measure.h"
#include "member.h"
#include "module.h"
#include "plant.h"
#include "scenario.h"
#include "sensor.h"

/* Source impedance when a scenario does not say: a house at the end of a street. */
#define DEFAULT_RG_OHM 0.3
#define DEFAULT_LG_H 0.2e-3
#define DEFAULT_AMBIENT_C 25.0

#define TRUTH_TICKS (QS1_CONTROL_HZ / 100)

struct qs1_world {
	const struct qs1_world_ops *ops;
	void *ctx;
	bool started;
	bool seeded;
	bool ended;
	struct plant_setup setup;
	struct scenario loaded;
	const struct scenario *scenario; /* @loaded, or shared with other units */
	int unit;			 /* in it, 0 for the only one */
	bool shared;			 /* the network is the caller's */
	int next;			 /* of scenario->timed */

	struct plant plant;
	struct measure measure;
	struct qs1_truth truth;

	struct ramp sun[QS1_INPUTS];
	bool sun_held[QS1_INPUTS]; /* not from a replay */
	bool ambient_held;
	struct grid grid;

	struct playing playing[REPLAY_QUANTITIES];
	struct statement *typed; /* replays from the console: their tables stay in use */
	int typeds;

	struct json_object *errors;
};

struct qs1_world *qs1_world_new(const struct qs1_world_ops *ops, void *ctx)
{
	struct qs1_world *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->ops = ops;
	w->ctx = ctx;
	w->loaded.end = INFINITY;
	w->scenario = &w->loaded;
	w->grid = (struct grid){ .source = &w->plant.emf, .nominal_v = QS1_GRID_V };
	w->setup = (struct plant_setup){
		.seed = 1,
		.noise = true,
		.ambient_c = DEFAULT_AMBIENT_C,
		.rg = DEFAULT_RG_OHM,
		.lg = DEFAULT_LG_H,
	};
	w->errors = json_object_new_array();
	return w;
}

void qs1_world_free(struct qs1_world *w)
{
	if (!w)
		return;
	plant_free(&w->plant);
	measure_free(&w->measure);
	scenario_free(&w->loaded);
	for (int n = 0; n < w->typeds; n++)
		statement_free(&w->typed[n]);
	free(w->typed);
	json_object_put(w->errors);
	free(w);
}

int qs1_world_load(struct qs1_world *w, const char *path, char *err, size_t size)
{
	int ret = scenario_load(&w->loaded, path, err, size);

	if (!ret && w->loaded.units) {
		snprintf(err, size, "%s:%d: this program simulates one unit, expected no 'units'",
			 path, w->loaded.units_line);
		scenario_free(&w->loaded);
		ret = -EINVAL;
	}
	return ret;
}

void qs1_world_seed(struct qs1_world *w, uint64_t seed)
{
	w->setup.seed = seed;
	w->seeded = true;
}

double qs1_world_time(const struct qs1_world *w)
{
	return (double)w->plant.ticks * w->plant.h;
}

double qs1_world_end(const struct qs1_world *w)
{
	return w->scenario->end;
}

const struct qs1_truth *qs1_world_truth(const struct qs1_world *w)
{
	return &w->truth;
}

void qs1_world_instant(const struct qs1_world *w, struct qs1_instant *ret_instant)
{
	const struct plant *p = &w->plant;

	memcpy(ret_instant->vpv_v, p->in.v, sizeof(p->in.v));
	memcpy(ret_instant->ipv_a, p->in.i, sizeof(p->in.i));
	ret_instant->vlink_v = p->vlink;
	ret_instant->vgrid_v = p->net.vpcc;
	ret_instant->igrid_a = plant_i2(p);
	ret_instant->vinv_v = p->net.x[AC_VC];
}

void qs1_world_event(struct qs1_world *w, const struct qs1_event *event)
{
	measure_event(&w->measure, event);
}

/* Short-circuit ratio, to rated power, and reactance over resistance at nominal frequency. */
static void source_of_ratio(struct plant_setup *s, double ratio, double x_over_r)
{
	double z = (double)QS1_GRID_V * QS1_GRID_V / (ratio * QS1_RATED_W);

	s->rg = z / sqrt(1 + x_over_r * x_over_r);
	s->lg = s->rg * x_over_r / (2 * M_PI * QS1_GRID_HZ);
}

/* Statements that plant_init() needs; true if @st is one. */
static bool apply_setup(struct qs1_world *w, const struct statement *st)
{
	struct plant_setup *s = &w->setup;

	switch (st->kind) {
	case ST_SEED:
		if (!w->seeded)
			s->seed = (uint64_t)st->x[0];
		return true;
	case ST_LOAD:
		s->load_p = st->x[0];
		s->load_qf = st->x[1];
		s->load_mismatch = st->x[2] / 100;
		return true;
	case ST_IMPEDANCE:
		s->rg = st->x[0];
		s->lg = st->x[1];
		return true;
	case ST_SCR:
		source_of_ratio(s, st->x[0], st->x[1]);
		return true;
	case ST_RESONANCE:
		s->resonance_hz = st->x[0];
		s->resonance_q = st->x[1];
		return true;
	case ST_BOARD:
		s->drawn = st->x[0] != 0;
		return true;
	case ST_PLANT:
		s->switching = st->x[0] != 0;
		return true;
	case ST_DEAD_TIME:
		s->dead_s = st->x[0];
		return true;
	case ST_GRID_PHASE:
		s->phase_deg = st->x[0];
		return true;
	case ST_UNITS:
	case ST_UNIT_WIRES:
	case ST_UNIT_BUS:
		/* For the program that steps the units. */
		return true;
	default:
		return false;
	}
}

static void start_replay(struct qs1_world *w, const struct replay *replay)
{
	for (int q = 0; q < REPLAY_QUANTITIES; q++) {
		if (replay->column[q])
			w->playing[q] = (struct playing){ replay, qs1_world_time(w), 0 };
	}
	if (replay->column[REPLAY_GHI]) {
		memset(w->sun_held, 0, sizeof(w->sun_held));
		memset(w->sun, 0, sizeof(w->sun));
	}
	if (replay->column[REPLAY_AMBIENT])
		w->ambient_held = false;
	grid_replay(&w->grid, replay, qs1_world_time(w));
}

static void apply_inputs(struct qs1_world *w, const struct statement *st)
{
	struct plant *p = &w->plant;

	for (int n = 0; n < QS1_INPUTS; n++) {
		if (!(st->inputs & (1u << n)))
			continue;
		switch (st->kind) {
		case ST_MODULE:
			plant_module(p, n, st->module);
			break;
		case ST_CELL:
			plant_cell(p, n, st->x[0]);
			break;
		case ST_SUN:
			w->sun[n].active = false;
			w->sun_held[n] = true;
			plant_sun(p, n, st->x[0]);
			break;
		case ST_RAMP_SUN:
			w->sun_held[n] = true;
			ramp_start(&w->sun[n], qs1_world_time(w), p->sun[n], st->x[0], st->x[1]);
			break;
		case ST_SHADE:
			plant_shade(p, n, (int)st->x[0], st->x[1]);
			break;
		default:
			break;
		}
	}
}

static void apply_leak(struct plant *p, const struct statement *st)
{
	for (int n = 0; n < QS1_INPUTS; n++) {
		if (!(st->inputs & (1u << n)))
			continue;
		p->leak_a[n] = st->x[0] / 1000;
		p->leak_dc[n] = st->x[1] != 0;
	}
	p->leaks = true;
}

static int apply_fault(struct qs1_world *w, const struct statement *st, char *err, size_t size)
{
	static const enum sensor_fault sensor[] = { SENSOR_OK, SENSOR_STUCK, SENSOR_ZERO,
						    SENSOR_FULL, SENSOR_NOISE };
	static const enum relay_fault relay[] = { RELAY_OK, RELAY_WELDED, RELAY_OPEN };
	static const char *const coproc[] = { "off", "crash", "hang" };

	switch (st->kind) {
	case ST_FAULT_GFDI:
		w->plant.gfdi = st->x[0] != 0;
		return 0;
	case ST_FAULT_SENSOR:
		plant_sensor_fault(&w->plant, (enum qs1_adc)st->x[0], sensor[(int)st->x[1]]);
		return 0;
	case ST_SENSOR_OFFSET:
		plant_sensor_offset(&w->plant, (enum qs1_adc)st->x[0], st->x[1] / 100);
		return 0;
	case ST_FAULT_RELAY:
		plant_relay_fault(&w->plant, relay[(int)st->x[0]]);
		return 0;
	case ST_LEAK:
		apply_leak(&w->plant, st);
		return 0;
	default:
		return w->ops->coproc(w->ctx, coproc[(int)st->x[0]], err, size);
	}
}

static int apply_policy(struct qs1_world *w, const struct statement *st, char *err, size_t size)
{
	switch (st->kind) {
	case ST_PROFILE:
		return w->ops->profile(w->ctx, st->text[0], err, size);
	case ST_SET:
		return w->ops->set(w->ctx, st->text[0], st->text[1], err, size);
	case ST_SKIP_ENTER_SERVICE:
		return w->ops->skip_enter_service(w->ctx, err, size);
	case ST_CMD:
		return w->ops->command(w->ctx, st->text[0], err, size);
	case ST_HOST:
		return w->ops->host(w->ctx, st->x[0] != 0, err, size);
	default:
		if (!w->ops->speed) {
			snprintf(err, size, "'speed' belongs to the virtual board's console");
			return -EINVAL;
		}
		return w->ops->speed(w->ctx, st->x[0], err, size);
	}
}

/* The kind of disturbance that a statement causes. */
static unsigned int disturbance(enum statement_kind kind)
{
	switch (kind) {
	case ST_SUN:
	case ST_RAMP_SUN:
	case ST_SHADE:
	case ST_MODULE:
	case ST_CELL:
		return DISTURB_PV;
	case ST_GRID_V:
	case ST_RAMP_V:
	case ST_GRID_F:
	case ST_RAMP_F:
	case ST_GRID_PHASE:
	case ST_GRID_THD:
	case ST_GRID_DC:
	case ST_GRID_TONE:
	case ST_LOAD_CHANGE:
	case ST_UTILITY_OPEN:
	case ST_UTILITY_CLOSE:
	case ST_FEEDER_OPEN:
	case ST_FEEDER_CLOSE:
	case ST_PHASE_SWITCH:
	case ST_NEUTRAL:
	case ST_SWAP:
	case ST_DIP:
	case ST_DIP_NONE:
		return DISTURB_GRID;
	case ST_REPLAY:
		return DISTURB_GRID | DISTURB_PV;
	case ST_FAULT_GFDI:
	case ST_FAULT_SENSOR:
	case ST_SENSOR_OFFSET:
	case ST_FAULT_RELAY:
	case ST_FAULT_COPROC:
	case ST_LEAK:
		return DISTURB_FAULT;
	case ST_HOST:
	case ST_CMD:
	case ST_SET:
		return DISTURB_HOST;
	default:
		return 0;
	}
}

/* Does a statement act on this world? Of one on the network only the fact counts here. */
static bool concerns(const struct qs1_world *w, const struct statement *st)
{
	if (st->unit && st->unit != w->unit)
		return false;
	return !w->shared || st->scope != SCOPE_NETWORK;
}

int qs1_world_apply(struct qs1_world *w, const struct statement *st, char *err, size_t size)
{
	int ret = 0;

	if (!concerns(w, st)) {
		if (!st->unit)
			measure_disturb(&w->measure, disturbance(st->kind));
		return 0;
	}
	switch (st->kind) {
	case ST_TEMP:
		w->plant.ambient_c = st->x[0];
		w->ambient_held = true;
		break;
	case ST_NOISE:
		w->plant.sensor.noise = st->x[0] != 0;
		break;
	case ST_NOISE_COUNTS:
		sensor_noise(&w->plant.sensor, st->x[0]);
		break;
	case ST_MODULE:
	case ST_CELL:
	case ST_SUN:
	case ST_RAMP_SUN:
	case ST_SHADE:
		apply_inputs(w, st);
		break;
	case ST_REPLAY:
		start_replay(w, st->replay);
		break;
	case ST_LOAD_CHANGE:
		plant_load_change(&w->plant, (int)st->x[0] - 1, &st->load);
		break;
	case ST_UTILITY_OPEN:
	case ST_UTILITY_CLOSE:
		plant_utility(&w->plant, st->kind == ST_UTILITY_CLOSE);
		break;
	case ST_FAULT_GFDI:
	case ST_FAULT_SENSOR:
	case ST_SENSOR_OFFSET:
	case ST_FAULT_RELAY:
	case ST_FAULT_COPROC:
	case ST_LEAK:
		ret = apply_fault(w, st, err, size);
		break;
	case ST_MARK:
		measure_mark(&w->measure, &w->plant, st->x[0] == 0);
		break;
	default:
		if (!grid_apply(&w->grid, st, qs1_world_time(w)))
			ret = apply_policy(w, st, err, size);
		break;
	}
	if (!ret)
		measure_disturb(&w->measure, disturbance(st->kind));
	return ret;
}

static int apply_of_file(struct qs1_world *w, const struct statement *st, char *err, size_t size)
{
	char reason[256] = "failed";
	int ret = qs1_world_apply(w, st, reason, sizeof(reason));

	if (ret) {
		snprintf(err, size, "%s:%d: %s", w->scenario->path, st->line, reason);
		json_object_array_add(w->errors, json_object_new_string(err));
		/* A command that the unit refuses is a result, not an error of the run. */
		if (st->kind == ST_CMD && ret == -EPROTO)
			return 0;
	}
	return ret;
}

int qs1_world_start(struct qs1_world *w, char *err, size_t size)
{
	const struct scenario *sc = w->scenario;
	int ret;

	for (int n = 0; n < sc->setups; n++)
		if (concerns(w, &sc->setup[n]))
			apply_setup(w, &sc->setup[n]);
	measure_init(&w->measure);
	ret = plant_init(&w->plant, &w->setup);
	if (ret) {
		snprintf(err, size, "out of memory");
		return ret;
	}
	w->started = true;
	for (int n = 0; n < sc->setups; n++) {
		if (!concerns(w, &sc->setup[n]) || apply_setup(w, &sc->setup[n]))
			continue;
		ret = apply_of_file(w, &sc->setup[n], err, size);
		if (ret)
			return ret;
	}
	plant_settle(&w->plant);
	return 0;
}

/* The part of check_whole() that also applies to a line from the console. */
static int check_live(const struct qs1_world *w, const struct statement *st, char *err, size_t size)
{
	int ret = scenario_check(w->scenario, st, err, size);

	if (ret)
		return ret;
	for (int n = 0; n < QS1_INPUTS; n++) {
		if (st->kind == ST_SHADE && (st->inputs & (1u << n)) &&
		    w->plant.source[n].module.kind != PV_DIODE) {
			snprintf(err, size, "expected a module with bypass sections on input %d",
				 n + 1);
			return -EINVAL;
		}
	}
	return 0;
}

static int keep_typed(struct qs1_world *w, const struct statement *st, char *err, size_t size)
{
	void *grown = realloc(w->typed, (size_t)(w->typeds + 1) * sizeof(*w->typed));

	if (!grown) {
		snprintf(err, size, "out of memory");
		return -ENOMEM;
	}
	w->typed = grown;
	w->typed[w->typeds++] = *st;
	return 0;
}

int qs1_world_do(struct qs1_world *w, const char *line, char *err, size_t size)
{
	bool kept = false;
	struct statement st;
	int ret = statement_parse(line, true, false, "", &st, err, size);

	if (ret)
		return ret;
	ret = check_live(w, &st, err, size);
	if (!ret && st.kind == ST_REPLAY) {
		ret = keep_typed(w, &st, err, size);
		kept = !ret;
	}
	if (!ret)
		ret = qs1_world_apply(w, &st, err, size);
	if (!kept)
		statement_free(&st);
	return ret;
}

/* Each millisecond: ramps, replays, temperatures. */
static void move_environment(struct qs1_world *w, double t)
{
	struct plant *p = &w->plant;
	double ghi = 0, x = 0;
	bool day = playing_at(&w->playing[REPLAY_GHI], REPLAY_GHI, t, &ghi);

	for (int n = 0; n < QS1_INPUTS; n++) {
		double sun = p->sun[n];

		if (w->sun[n].active)
			sun = ramp_at(&w->sun[n], t);
		else if (day && !w->sun_held[n])
			sun = ghi;
		if (sun != p->sun[n])
			plant_sun(p, n, sun);
	}
	if (!w->ambient_held && playing_at(&w->playing[REPLAY_AMBIENT], REPLAY_AMBIENT, t, &x))
		p->ambient_c = x;
	if (!w->shared)
		grid_move(&w->grid, t);
	if (p->ticks == 0)
		plant_settle(p);
	plant_env(p);
}

static void update_truth(struct qs1_world *w)
{
	const struct measure *m = &w->measure;
	const struct plant *p = &w->plant;
	struct qs1_truth *t = &w->truth;

	for (int n = 0; n < QS1_INPUTS; n++) {
		t->vpv_v[n] = m->dc_v[n];
		t->ipv_a[n] = m->dc_i[n];
		t->ppv_w[n] = m->dc_p[n];
		t->pmax_w[n] = p->available_w[n];
		t->sun_w_m2[n] = p->sun[n];
	}
	t->vlink_v = p->vlink;
	t->vgrid_v = m->v_rms;
	t->igrid_a = m->i_rms;
	t->f_hz = m->f_hz;
	t->p_w = m->p_w;
	t->q_var = m->q_var;
	t->energy_wh = m->ac_j / 3600;
	t->tcase_c = p->case_c;
}

/* Statements that are due, in the order of time. */
static int do_due(struct qs1_world *w, char *err, size_t size)
{
	const struct scenario *sc = w->scenario;
	double t = qs1_world_time(w);

	/* Half a step early, so that a statement acts in the nearest period. */
	while (w->next < sc->timeds && sc->timed[w->next].t < t + PLANT_H / 2) {
		int ret = apply_of_file(w, &sc->timed[w->next++], err, size);

		if (ret)
			return ret;
	}
	return 0;
}

static void measure_period(struct qs1_world *w)
{
	measure_step(&w->measure, &w->plant);
	w->truth.t_s = w->measure.t;
	w->truth.relay_closed = w->plant.contact;
	w->truth.utility_closed = w->plant.utility;
	if (w->plant.ticks % TRUTH_TICKS == 0)
		update_truth(w);
}

int qs1_world_step(struct qs1_world *w, const struct qs1_outputs *out, int16_t adc[QS1_ADC_COUNT],
		   char *err, size_t size)
{
	double t = qs1_world_time(w);
	int ret = do_due(w, err, size);

	if (ret)
		return ret;
	if (!w->ended && t >= w->scenario->end - PLANT_H / 2) {
		w->ended = true;
		return 1;
	}
	if (w->plant.ticks % PLANT_ENV_TICKS == 0)
		move_environment(w, t);
	if (w->grid.playing[REPLAY_WAVE].replay)
		grid_wave(&w->grid, t + w->plant.h);
	plant_step(&w->plant, out, adc);
	measure_period(w);
	return 0;
}

void qs1_world_join(struct qs1_world *w, const struct scenario *scenario, int unit, bool shared)
{
	w->scenario = scenario;
	w->unit = unit;
	w->shared = shared;
	w->setup.lockstep = shared;
}

int qs1_world_begin(struct qs1_world *w, const struct qs1_outputs *out,
		    struct plant_period *ret_period, char *err, size_t size)
{
	int ret = do_due(w, err, size);

	if (ret)
		return ret;
	if (w->plant.ticks % PLANT_ENV_TICKS == 0)
		move_environment(w, qs1_world_time(w));
	plant_begin(&w->plant, out, ret_period);
	return 0;
}

void qs1_world_finish(struct qs1_world *w, const struct plant_period *period,
		      int16_t adc[QS1_ADC_COUNT])
{
	plant_end(&w->plant, period, adc);
	measure_period(w);
}

struct plant *qs1_world_plant(struct qs1_world *w)
{
	return &w->plant;
}

void qs1_world_measured(const struct qs1_world *w, struct json_object *object)
{
	measure_json(&w->measure, &w->plant, object);
}

struct json_object *qs1_world_errors(const struct qs1_world *w)
{
	return w->errors;
}

struct json_object *qs1_world_summary(const struct qs1_world *w, const char *profile, double wall_s)
{
	struct json_object *summary = json_object_new_object();
	double t = qs1_world_time(w);

	json_object_object_add(summary, "scenario",
			       w->scenario->path ? json_object_new_string(w->scenario->path)
						 : NULL);
	json_object_object_add(summary, "seed", json_object_new_int64((int64_t)w->setup.seed));
	json_object_object_add(summary, "profile", json_object_new_string(profile));
	json_object_object_add(summary, "board",
			       json_object_new_string(w->setup.drawn ? "drawn" : "nominal"));
	json_object_object_add(
		summary, "plant",
		json_object_new_string(w->setup.switching ? "switching" : "averaged"));
	json_object_object_add(summary, "control_hz", json_object_new_int(QS1_CONTROL_HZ));
	json_object_object_add(summary, "duration_s", json_object_new_double(t));
	json_object_object_add(summary, "wall_s", json_object_new_double(wall_s));
	json_object_object_add(summary, "realtime_factor",
			       wall_s > 0 ? json_object_new_double(t / wall_s) : NULL);
	measure_json(&w->measure, &w->plant, summary);
	json_object_object_add(summary, "errors", json_object_get(w->errors));
	return summary;
}
