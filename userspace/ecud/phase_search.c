// SPDX-License-Identifier: GPL-2.0-or-later
/* Finding phases: marks on the air, angles from the units, groups into the model. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bytes.h"
#include "core.h"
#include "util.h"

/* Between two marks; no multiple of a half cycle of 50 or 60 Hz. */
#define MARK_US UINT64_C(137000)
/* A search that has not ended after this time uses the angles that it has. */
#define SEARCH_US UINT64_C(45000000)
/* Requests for the same angles until a unit counts as silent. */
#define TRIES 8

static void next_request(struct core *core, int unit)
{
	plan_want(&core->radio.plan, unit, JOB_ANGLES, core->now_us);
}

/* Names of groups, after groups or a person's names have changed. Index as phases_name(). */
static int name_groups(struct core *core)
{
	static struct phases_name name[MODEL_UNITS_MAX];
	struct model *model = core->model;
	int contradicts;

	for (int i = 0; i < model->units; i++) {
		const struct model_unit *unit = &model->unit[i];

		name[i] = (struct phases_name){ unit->phase_group, unit->phase_named, unit->phase };
	}
	contradicts = phases_name(name, model->units);
	for (int i = 0; i < model->units; i++) {
		if (name[i].phase != model->unit[i].phase) {
			model_begin(model, i)->phase = name[i].phase;
			model_end(model, CHANGE_UNIT, i);
			core_keep(core, i);
		}
	}
	return contradicts;
}

void core_name_phases(struct core *core)
{
	name_groups(core);
}

/* "3 groups: 2 at L1-L2, 2 at L2-L3, 1 at L3-L1; 1 unknown" */
static void describe(const struct core *core, int groups, int contradicts, char *text, size_t size)
{
	const struct model *model = core->model;
	int count[PHASE_COUNT] = { 0 };
	char serial[SERIAL_TEXT_SIZE];
	const char *mark = ":";
	size_t n;

	for (int i = 0; i < model->units; i++) {
		count[model->unit[i].phase]++;
	}
	n = (size_t)snprintf(text, size, "%d groups", groups);
	for (int phase = PHASE_L1; phase < PHASE_COUNT; phase++) {
		if (count[phase] && n < size) {
			n += (size_t)snprintf(text + n, size - n, "%s %d at %s", mark, count[phase],
					      model_phase_name((enum model_phase)phase));
			mark = ",";
		}
	}
	if (count[PHASE_UNKNOWN] && n < size) {
		n += (size_t)snprintf(text + n, size - n, "; %d unknown", count[PHASE_UNKNOWN]);
	}
	if (contradicts >= 0 && n < size) {
		snprintf(text + n, size - n, "; the name of %s contradicts what was found",
			 serial_format(serial, &model->unit[contradicts].serial));
	}
}

static void end(struct core *core, enum order_state state, const char *text)
{
	struct core_search *search = &core->search;

	for (int i = 0; i < search->units; i++) {
		plan_drop(&core->radio.plan, i, JOB_ANGLES);
	}
	if (core->radio.mark == RADIO_MARK_WAITS) {
		core->radio.mark = RADIO_MARK_NONE;
	}
	search->state = SEARCH_NONE;
	core_publish(core, &search->order, state, text);
}

/* Groups into the model. With fewer than two there is nothing to tell apart, and nothing changes.
 */
static void finish(struct core *core)
{
	static struct phases_place place[MODEL_UNITS_MAX];
	struct core_search *search = &core->search;
	char text[ORDER_TEXT_SIZE];
	int groups = phases_find((const double(*)[PHASES_MARKS])search->deg, search->units, place);

	if (groups == 0) {
		end(core, ORDER_UNCONFIRMED, "too few angles came: nothing was found");
		return;
	}
	if (groups == 1) {
		end(core, ORDER_CONFIRMED, "one group: single or split phase, nothing to find");
		return;
	}
	for (int i = 0; i < search->units; i++) {
		if (search->asked[i]) {
			model_begin(core->model, i)->phase_group = place[i].group;
			model_end(core->model, CHANGE_UNIT, i);
			core_keep(core, i);
		}
	}
	describe(core, groups, name_groups(core), text, sizeof(text));
	end(core, ORDER_CONFIRMED, text);
}

static bool all_came(const struct core_search *search)
{
	for (int i = 0; i < search->units; i++) {
		if (search->waits[i]) {
			return false;
		}
	}
	return true;
}

static void collect(struct core *core)
{
	struct core_search *search = &core->search;

	search->state = SEARCH_COLLECTS;
	search->due_us = search->deadline_us;
	for (int i = 0; i < search->units; i++) {
		if (search->waits[i]) {
			next_request(core, i);
		}
	}
}

void core_search_marked(struct core *core)
{
	struct core_search *search = &core->search;

	if (search->state == SEARCH_MARKS) {
		search->mark++;
		search->due_us = core->now_us + MARK_US;
	}
}

void core_search_run(struct core *core)
{
	struct core_search *search = &core->search;

	if (search->state == SEARCH_NONE || core->now_us < search->due_us) {
		return;
	}
	if (core->now_us >= search->deadline_us) {
		finish(core);
	} else if (search->mark < PHASES_MARKS) {
		/* the next step follows when the mark was sent */
		search->due_us = search->deadline_us;
		radio_mark(&core->radio, (uint16_t)(search->first + search->mark), core->now_us);
	} else {
		collect(core);
	}
}

uint64_t core_search_due(const struct core *core)
{
	return core->search.state == SEARCH_NONE ? PLAN_NEVER : core->search.due_us;
}

uint16_t core_search_from(const struct core *core, int unit)
{
	return (uint16_t)(core->search.first + core->search.next[unit]);
}

/* All of a unit's angles are here, or it is silent. */
static void end_unit(struct core *core, int unit)
{
	core->search.waits[unit] = false;
	plan_drop(&core->radio.plan, unit, JOB_ANGLES);
	if (all_came(&core->search)) {
		finish(core);
	}
}

void core_search_angles(struct core *core, int unit, const uint8_t *body, size_t n)
{
	struct core_search *search = &core->search;
	struct own_angle angle;
	int records = 0;

	if (search->state != SEARCH_COLLECTS || !search->waits[unit]) {
		return;
	}
	while (own_angle_parse(body, n, &angle) == 0) {
		uint16_t mark = (uint16_t)(angle.mark - search->first);

		body += OWN_ANGLE_BYTES;
		n -= OWN_ANGLE_BYTES;
		records++;
		if (mark < PHASES_MARKS) {
			search->deg[unit][mark] = angle.deg;
		}
		search->next[unit] = mark < PHASES_MARKS ? mark + 1 : PHASES_MARKS;
	}
	search->tries[unit] = 0;
	if (records == OWN_ANGLES_MAX && search->next[unit] < PHASES_MARKS) {
		next_request(core, unit);
	} else {
		end_unit(core, unit);
	}
}

void core_search_failed(struct core *core, int unit)
{
	struct core_search *search = &core->search;

	if (search->state != SEARCH_COLLECTS || !search->waits[unit]) {
		return;
	}
	/* the plan retries after its shortest interval */
	core->radio.plan.unit[unit].tries[JOB_ANGLES] = 0;
	if (++search->tries[unit] == TRIES) {
		end_unit(core, unit);
	}
}

void core_search_removed(struct core *core)
{
	if (core->search.state != SEARCH_NONE) {
		end(core, ORDER_UNCONFIRMED, "an inverter was removed meanwhile: try again");
	}
}

void core_search_begin(struct core *core, struct order *order)
{
	struct core_search *search = &core->search;
	const struct model *model = core->model;
	uint8_t first[2];
	int asked = 0;

	if (search->state != SEARCH_NONE) {
		core_refuse(core, order, -EBUSY, "phases are being looked for");
		return;
	}
	for (int i = 0; i < model->units; i++) {
		bool answers =
			model->unit[i].make == MAKE_OURS &&
			(model->unit[i].link == LINK_LIVE || model->unit[i].link == LINK_LATE);

		search->asked[i] = search->waits[i] = answers;
		search->next[i] = search->tries[i] = 0;
		for (int mark = 0; mark < PHASES_MARKS; mark++) {
			search->deg[i][mark] = (double)NAN;
		}
		asked += answers;
	}
	if (asked < 2) {
		core_refuse(core, order, -ENODEV,
			    "at least two of our inverters must answer: stock ones have no marks");
		return;
	}
	/* numbers that the units do not remember from an earlier search */
	core->ops->random(core->ctx, first, sizeof(first));
	search->first = (uint16_t)bytes_get_le(first, sizeof(first));
	search->units = model->units;
	search->mark = 0;
	search->due_us = core->now_us;
	search->deadline_us = core->now_us + SEARCH_US;
	search->state = SEARCH_MARKS;
	search->order = *order;
	core_publish(core, &search->order, ORDER_SENT, "");
	core_search_run(core);
}
