// SPDX-License-Identifier: GPL-2.0-only
#include "feeder.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "member.h"
#include "names.h"
#include "network.h"
#include "pcc.h"
#include "scenario.h"
#include "unit.h"
#include "wiring.h"

/* Unit n's seed: of the scenario's, by the golden ratio of 2^64. */
#define SEED_STEP 0x9e3779b97f4a7c15u

/* Configurations of a unit's network: ACNET_L1 and ACNET_RELAY. */
#define CONFIGS 4

/* The maps of all boards with equal filters. */
struct filter {
	struct acnet_param par;
	struct network_pair pair[CONFIGS];
	bool valid[CONFIGS];
};

/**
 * struct place - where a unit is, and what its period does to the network
 * @a: and @b: wires
 * @vlink: link voltage while diodes charge it, V
 */
struct place {
	int a, b, bus;
	int element;
	struct filter *filter;
	struct plant_period period;
	double vlink;
};

/**
 * struct feeder
 * @plain: one unit on its own source: what acnet.h simulates
 */
struct feeder {
	struct scenario scenario;
	bool loaded, started, ended, plain;
	bool seeded;
	uint64_t seed;
	char *profile;
	int units;
	struct unit *unit;
	struct place *place;
	struct filter *filter;
	int filters;
	struct wiring wiring;
	struct pcc pcc;
	uint64_t ticks;
	int next; /* of the scenario's timed statements, for the network */
	struct statement *typed;
	int typeds;
};

struct feeder *feeder_new(void)
{
	return calloc(1, sizeof(struct feeder));
}

void feeder_free(struct feeder *f)
{
	if (!f)
		return;
	for (int n = 0; n < f->units; n++)
		unit_free(&f->unit[n]);
	for (int n = 0; n < f->typeds; n++)
		statement_free(&f->typed[n]);
	free(f->typed);
	wiring_free(&f->wiring);
	scenario_free(&f->scenario);
	free(f->unit);
	free(f->place);
	free(f->filter);
	free(f->profile);
	free(f);
}

/* Does the scenario name a network, or more than one unit? */
static bool is_plain(const struct scenario *sc)
{
	for (int n = 0; n < sc->setups + sc->timeds; n++) {
		const struct statement *st = n < sc->setups ? &sc->setup[n]
							    : &sc->timed[n - sc->setups];

		if (st->site && st->scope == SCOPE_NETWORK)
			return false;
	}
	return sc->units <= 1;
}

/* Two phases in turn where there are three; else the whole voltage. */
static void take_places(struct feeder *f)
{
	const struct scenario *sc = &f->scenario;

	for (int n = 0; n < f->units; n++) {
		struct place *at = &f->place[n];

		at->a = sc->phases == 3 ? n % 3 : 0;
		at->b = sc->phases == 3 ? (n + 1) % 3 : sc->phases == 2 ? 1 : SCENARIO_NEUTRAL;
	}
	for (int k = 0; k < sc->setups; k++) {
		const struct statement *st = &sc->setup[k];

		if (st->kind == ST_UNIT_WIRES) {
			f->place[st->unit - 1].a = (int)st->x[0];
			f->place[st->unit - 1].b = (int)st->x[1];
		}
		if (st->kind == ST_UNIT_BUS)
			f->place[st->unit - 1].bus = (int)st->x[0];
	}
}

int feeder_load(struct feeder *f, const char *path, char *err, size_t size)
{
	int ret = scenario_load(&f->scenario, path, err, size), units;

	if (ret)
		return ret;
	f->plain = is_plain(&f->scenario);
	units = f->scenario.units ? f->scenario.units : 1;
	f->unit = calloc((size_t)units, sizeof(*f->unit));
	f->place = calloc((size_t)units, sizeof(*f->place));
	f->filter = calloc((size_t)units, sizeof(*f->filter));
	for (int n = 0; n < units && f->unit && f->place && f->filter; n++) {
		if (unit_init(&f->unit[n]))
			break;
		f->units++;
		qs1_world_join(f->unit[n].world, &f->scenario, n + 1, !f->plain);
	}
	if (f->units < units) {
		snprintf(err, size, "%s: out of memory", path);
		return -ENOMEM;
	}
	take_places(f);
	f->loaded = true;
	return 0;
}

void feeder_seed(struct feeder *f, uint64_t seed)
{
	f->seed = seed;
	f->seeded = true;
}

void feeder_profile(struct feeder *f, const char *name)
{
	free(f->profile);
	f->profile = strdup(name);
}

int feeder_units(const struct feeder *f)
{
	return f->units;
}

struct unit *feeder_unit(struct feeder *f, int unit)
{
	return &f->unit[unit - 1];
}

void feeder_host(struct feeder *f, int unit, const struct feeder_host *host, void *ctx)
{
	feeder_unit(f, unit)->host = host;
	feeder_unit(f, unit)->host_ctx = ctx;
}

static struct plant *plant_of(const struct feeder *f, int n)
{
	return qs1_world_plant(f->unit[n].world);
}

static uint64_t base_seed(const struct feeder *f)
{
	uint64_t seed = f->seeded ? f->seed : 1;

	for (int n = 0; n < f->scenario.setups && !f->seeded; n++)
		if (f->scenario.setup[n].kind == ST_SEED)
			seed = (uint64_t)f->scenario.setup[n].x[0];
	return seed;
}

static bool same_filter(const struct acnet_param *a, const struct acnet_param *b)
{
	return a->l1 == b->l1 && a->r1 == b->r1 && a->c == b->c && a->cd == b->cd &&
	       a->rd == b->rd && a->rb == b->rb && a->l2 == b->l2 && a->r2 == b->r2;
}

static struct filter *find_filter(struct feeder *f, const struct acnet_param *par)
{
	for (int n = 0; n < f->filters; n++)
		if (same_filter(&f->filter[n].par, par))
			return &f->filter[n];
	f->filter[f->filters].par = *par;
	return &f->filter[f->filters++];
}

static const struct network_pair *pair_of(struct filter *filter, unsigned int config)
{
	if (!filter->valid[config]) {
		struct network_model model = { .states = ACNET_UNIT };
		struct acnet_unit unit;

		_Static_assert(ACNET_UNIT <= NETWORK_STATES, "a unit has to be an element");
		_Static_assert(AC_IL1 == 0, "the charge is that of the bridge's inductor");
		acnet_unit(&filter->par, config, &unit);
		memcpy(model.a, unit.a, sizeof(model.a));
		memcpy(model.held, unit.bridge, sizeof(model.held));
		memcpy(model.volts, unit.pcc, sizeof(model.volts));
		/* The element's current is into the unit. */
		model.amps[AC_I2] = config & ACNET_RELAY ? -1 : 0;
		network_pair_init(&filter->pair[config], &model, PLANT_H);
		filter->valid[config] = true;
	}
	return &filter->pair[config];
}

static void use_config(struct feeder *f, int n, unsigned int config)
{
	struct place *at = &f->place[n];

	network_use(f->wiring.net, at->element,
		    pair_of(at->filter, config & (ACNET_L1 | ACNET_RELAY)));
}

static int build(struct feeder *f)
{
	if (wiring_init(&f->wiring, &f->scenario, f->units))
		return -ENOMEM;
	for (int n = 0; n < f->units; n++) {
		struct place *at = &f->place[n];

		at->filter = find_filter(f, &plant_of(f, n)->net.par);
		at->element = network_add(f->wiring.net, wiring_node(&f->wiring, at->bus, at->a),
					  wiring_node(&f->wiring, at->bus, at->b));
		use_config(f, n, 0);
		network_connect(f->wiring.net, at->element, true);
	}
	pcc_init(&f->pcc, &f->wiring);
	return 0;
}

int feeder_start(struct feeder *f, char *err, size_t size)
{
	int ret = 0;

	for (int n = 0; n < f->units && !ret; n++) {
		struct unit *u = &f->unit[n];

		u->force_profile = f->profile;
		qs1_world_seed(u->world, base_seed(f) + (uint64_t)n * SEED_STEP);
		ret = unit_start(u, err, size);
	}
	if (!ret && !f->plain && build(f)) {
		snprintf(err, size, "out of memory");
		ret = -ENOMEM;
	}
	f->started = !ret;
	return ret;
}

/* A statement's part on network and site. */
static int apply(struct feeder *f, const struct statement *st, char *err, size_t size)
{
	if (st->kind == ST_MARK)
		pcc_mark(&f->pcc, st->x[0] == 0);
	return wiring_apply(&f->wiring, st, feeder_time(f), err, size);
}

static int do_due(struct feeder *f, char *err, size_t size)
{
	const struct scenario *sc = &f->scenario;

	while (f->next < sc->timeds && sc->timed[f->next].t < feeder_time(f) + PLANT_H / 2) {
		const struct statement *st = &sc->timed[f->next++];
		char reason[256] = "failed";
		int ret = st->unit ? 0 : apply(f, st, reason, sizeof(reason));

		if (ret) {
			snprintf(err, size, "%s:%d: %s", sc->path, st->line, reason);
			return ret;
		}
	}
	return 0;
}

/* The diodes of a bridge whose gates are off: is one of them conducting, or about to? */
static bool diodes_conduct(const struct plant *p, double vlink)
{
	return p->net.x[AC_IL1] != 0 || fabs(p->net.x[AC_VC]) > vlink;
}

static void load_states(struct feeder *f, int n)
{
	struct network_element *e = network_element(f->wiring.net, f->place[n].element);

	memcpy(e->x, plant_of(f, n)->net.x, ACNET_UNIT * sizeof(*e->x));
}

static void store_states(struct feeder *f, int n)
{
	struct network_element *e = network_element(f->wiring.net, f->place[n].element);
	struct plant *p = plant_of(f, n);

	memcpy(p->net.x, e->x, ACNET_UNIT * sizeof(*e->x));
	p->net.vpcc = e->u[NETWORK_END];
}

/* Before a step or part: which elements conduct, and what holds the bridge's end. */
static void set_unit(struct feeder *f, int n, bool divided)
{
	struct place *at = &f->place[n];
	struct network_element *e = network_element(f->wiring.net, at->element);
	const double *x = plant_of(f, n)->net.x;
	unsigned int config = at->period.config;

	e->held = 0;
	if (at->period.bridge) {
		config |= ACNET_L1;
		e->held = at->period.volts;
	} else if (divided && diodes_conduct(plant_of(f, n), at->vlink)) {
		/* The diodes apply the link against the current, or against vC to start one. */
		bool against = x[AC_IL1] < 0 || (x[AC_IL1] == 0 && x[AC_VC] > 0);

		config |= ACNET_L1;
		e->held = against ? at->vlink : -at->vlink;
	}
	use_config(f, n, config);
	load_states(f, n);
}

/* After it: the link's part. */
static void settle_unit(struct feeder *f, int n)
{
	struct place *at = &f->place[n];
	const struct network_element *e = network_element(f->wiring.net, at->element);
	struct plant *p = plant_of(f, n);

	store_states(f, n);
	if (at->period.bridge) {
		at->period.taken_j += at->period.volts * e->charge;
		return;
	}
	if (e->held != 0) {
		at->vlink += fabs(e->charge) / p->board.clink;
		if (e->held > 0 ? p->net.x[AC_IL1] > 0 : p->net.x[AC_IL1] < 0)
			p->net.x[AC_IL1] = 0;
	} else {
		p->net.x[AC_IL1] = 0;
	}
	at->period.taken_j = p->board.clink / 2 * (p->vlink * p->vlink - at->vlink * at->vlink);
}

static void step_network(struct feeder *f)
{
	struct network *net = f->wiring.net;
	bool divided = false;
	int parts;

	for (int n = 0; n < f->units; n++) {
		struct place *at = &f->place[n];
		struct plant *p = plant_of(f, n);

		at->vlink = p->vlink;
		at->period.taken_j = 0;
		divided |= !at->period.bridge && diodes_conduct(p, p->vlink);
		set_unit(f, n, false);
	}
	wiring_begin(&f->wiring);
	divided |= network_changed(net);
	parts = divided ? NETWORK_PARTS : 1;
	for (int part = 0; part < parts; part++) {
		for (int n = 0; n < f->units && divided; n++)
			set_unit(f, n, true);
		if (divided && part)
			wiring_begin(&f->wiring);
		if (divided)
			network_part(net, part);
		else
			network_step(net);
		wiring_finish(&f->wiring);
		for (int n = 0; n < f->units; n++)
			settle_unit(f, n);
	}
}

static int step_site(struct feeder *f, char *err, size_t size)
{
	struct wiring *w = &f->wiring;
	double t = feeder_time(f);
	int ret = do_due(f, err, size);

	if (!ret && f->ticks % PLANT_ENV_TICKS == 0)
		wiring_move(w, t);
	for (int n = 0; n < f->units && !ret; n++) {
		struct unit *u = &f->unit[n];

		ret = qs1_world_begin(u->world, &u->out, &f->place[n].period, err, size);
	}
	if (ret)
		return ret;
	wiring_emf(w, t + PLANT_H);
	step_network(f);
	wiring_after(w, t + PLANT_H);
	for (int n = 0; n < f->units; n++) {
		struct unit *u = &f->unit[n];
		struct plant *p = plant_of(f, n);

		p->emf.cos = w->source.cos;
		p->emf.sin = w->source.sin;
		qs1_world_finish(u->world, &f->place[n].period, u->in.adc);
		unit_step(u);
	}
	pcc_step(&f->pcc, w);
	f->ticks++;
	return 0;
}

int feeder_step(struct feeder *f, char *err, size_t size)
{
	struct unit *u = &f->unit[0];
	int ret;

	if (!f->plain) {
		if (!f->ended && feeder_time(f) >= f->scenario.end - PLANT_H / 2) {
			ret = do_due(f, err, size);
			f->ended = true;
			return ret ? ret : 1;
		}
		return step_site(f, err, size);
	}
	ret = qs1_world_step(u->world, &u->out, u->in.adc, err, size);
	if (!ret)
		unit_step(u);
	return ret;
}

int feeder_run(struct feeder *f, double t_s, char *err, size_t size)
{
	int ret = 0;

	while (!ret && feeder_time(f) < t_s - PLANT_H / 2)
		ret = feeder_step(f, err, size);
	return ret;
}

static int keep(struct feeder *f, const struct statement *st)
{
	void *grown = realloc(f->typed, (size_t)(f->typeds + 1) * sizeof(*f->typed));

	if (!grown)
		return -ENOMEM;
	f->typed = grown;
	f->typed[f->typeds++] = *st;
	return 0;
}

int feeder_do(struct feeder *f, const char *line, char *err, size_t size)
{
	struct statement st;
	int ret = statement_parse(line, true, false, "", &st, err, size);

	if (ret)
		return ret;
	ret = scenario_check(&f->scenario, &st, err, size);
	/* Its tables stay in use. */
	if (!ret && st.kind == ST_REPLAY && keep(f, &st)) {
		snprintf(err, size, "out of memory");
		ret = -ENOMEM;
	}
	if (!ret && !st.unit && !f->plain)
		ret = apply(f, &st, err, size);
	for (int n = 0; n < f->units && !ret; n++)
		ret = qs1_world_apply(f->unit[n].world, &st, err, size);
	if (ret || st.kind != ST_REPLAY)
		statement_free(&st);
	return ret;
}

double feeder_time(const struct feeder *f)
{
	return f->plain ? qs1_world_time(f->unit[0].world) : (double)f->ticks * PLANT_H;
}

double feeder_end(const struct feeder *f)
{
	return f->scenario.end;
}

int feeder_command(struct feeder *f, int unit, enum qs1_op op, uint32_t arg, int32_t value,
		   int32_t *ret)
{
	return unit_command(feeder_unit(f, unit), op, arg, value, ret);
}

void feeder_heartbeat(struct feeder *f, int unit)
{
	feeder_unit(f, unit)->in.host_heartbeat++;
}

void feeder_telemetry(const struct feeder *f, int unit, struct qs1_telemetry *telemetry)
{
	const struct unit *u = &f->unit[unit - 1];

	if (unit_has_coproc(u))
		qs1_core_telemetry(u->core, telemetry);
	else
		u->host->telemetry(u->host_ctx, telemetry);
}

bool feeder_angle(const struct feeder *f, int unit, double *ret_deg, double *ret_hz)
{
	const struct unit *u = &f->unit[unit - 1];
	struct qs1_telemetry telemetry;
	struct qs1_scan scan;

	qs1_core_scan(u->core, &u->in, &scan);
	qs1_core_telemetry(u->core, &telemetry);
	if (u->dead || !(scan.status & QS1_STATUS_PLL_LOCKED))
		return false;
	*ret_deg = scan.phase * (360 / 0x1p32);
	*ret_hz = telemetry.f_mhz / 1e3;
	return true;
}

int32_t feeder_param(const struct feeder *f, int unit, enum qs1_param id)
{
	return qs1_core_param(f->unit[unit - 1].core, id);
}

uint32_t feeder_boots(const struct feeder *f, int unit)
{
	return f->unit[unit - 1].boots;
}

bool feeder_computes(const struct feeder *f, int unit)
{
	return !f->unit[unit - 1].dead;
}

struct qs1_world *feeder_world(struct feeder *f, int unit)
{
	return feeder_unit(f, unit)->world;
}

const struct qs1_truth *feeder_truth(const struct feeder *f, int unit)
{
	return qs1_world_truth(f->unit[unit - 1].world);
}

const char *feeder_phase(const struct feeder *f, int unit)
{
	static const char *const names[][SCENARIO_WIRES] = {
		{ "", "L1-L2", "L1-L3", "L1-N" },
		{ "L2-L1", "", "L2-L3", "L2-N" },
		{ "L3-L1", "L3-L2", "", "L3-N" },
	};

	if (f->plain)
		return names[0][SCENARIO_NEUTRAL];
	return names[f->place[unit - 1].a][f->place[unit - 1].b];
}

const struct feeder_network *feeder_network(const struct feeder *f)
{
	return &f->pcc.last;
}

static struct json_object *unit_json(const struct feeder *f, int n)
{
	const struct unit *u = &f->unit[n];
	struct json_object *object = json_object_new_object();
	struct qs1_telemetry t;

	feeder_telemetry(f, n + 1, &t);
	json_object_object_add(object, "unit", json_object_new_int(n + 1));
	json_object_object_add(object, "phase", json_object_new_string(feeder_phase(f, n + 1)));
	json_object_object_add(object, "bus", json_object_new_int(f->place[n].bus));
	json_object_object_add(object, "profile", json_object_new_string(unit_profile(u)));
	json_object_object_add(
		object, "state",
		json_object_new_string(qs1_state_name(t.status & QS1_STATUS_STATE_MASK)));
	json_object_object_add(object, "relay_operations",
			       json_object_new_int64((int64_t)plant_of(f, n)->operations));
	qs1_world_measured(u->world, object);
	return object;
}

/* When the inverters of other makes left, null for one that did not. */
static struct json_object *others_json(const struct feeder *f)
{
	struct json_object *all = json_object_new_array();

	for (int n = 0; n < SCENARIO_OTHERS; n++) {
		const struct other *o = &f->wiring.other[n];
		struct json_object *object;

		if (o->watts <= 0)
			continue;
		object = json_object_new_object();
		json_object_object_add(object, "kind", json_object_new_string(other_name(o->kind)));
		json_object_object_add(object, "left_s",
				       o->left ? json_object_new_double(o->left_s) : NULL);
		json_object_array_add(all, object);
	}
	return all;
}

/* Speeds of the motors, per unit. */
static struct json_object *motors_json(const struct feeder *f)
{
	struct json_object *all = json_object_new_array();

	for (int n = 0; n < SCENARIO_MOTORS; n++) {
		const struct motor *motor = &f->wiring.motor[n];

		if (motor->va > 0)
			json_object_array_add(all, json_object_new_double(motor_speed(motor)));
	}
	return all;
}

/* What units refused. */
static struct json_object *errors_json(const struct feeder *f)
{
	struct json_object *all = json_object_new_array();

	for (int n = 0; n < f->units; n++) {
		struct json_object *some = qs1_world_errors(f->unit[n].world);

		for (size_t k = 0; k < json_object_array_length(some); k++)
			json_object_array_add(all,
					      json_object_get(json_object_array_get_idx(some, k)));
	}
	return all;
}

struct json_object *feeder_summary(const struct feeder *f, double wall_s)
{
	struct json_object *summary, *units;
	double t = feeder_time(f);

	if (!f->scenario.units)
		return qs1_world_summary(f->unit[0].world, unit_profile(&f->unit[0]), wall_s);
	summary = json_object_new_object();
	units = json_object_new_array();
	json_object_object_add(summary, "scenario", json_object_new_string(f->scenario.path));
	json_object_object_add(summary, "seed", json_object_new_int64((int64_t)base_seed(f)));
	json_object_object_add(summary, "control_hz", json_object_new_int(QS1_CONTROL_HZ));
	json_object_object_add(summary, "duration_s", json_object_new_double(t));
	json_object_object_add(summary, "wall_s", json_object_new_double(wall_s));
	json_object_object_add(summary, "realtime_factor",
			       wall_s > 0 ? json_object_new_double(t / wall_s) : NULL);
	if (!f->plain)
		json_object_object_add(summary, "network", pcc_json(&f->pcc, &f->wiring));
	for (int n = 0; n < f->units; n++)
		json_object_array_add(units, unit_json(f, n));
	json_object_object_add(summary, "others", others_json(f));
	json_object_object_add(summary, "motors", motors_json(f));
	json_object_object_add(summary, "units", units);
	json_object_object_add(summary, "errors", errors_json(f));
	return summary;
}
