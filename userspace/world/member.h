/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A world as one of several units of a scenario, which share a network: see ../feeder/.
 */
#ifndef QS1_WORLD_MEMBER_H
#define QS1_WORLD_MEMBER_H

#include "plant.h"
#include "scenario.h"
#include "world.h"

/**
 * qs1_world_join() - the world is a unit of a scenario; instead of qs1_world_load()
 * @scenario: stays the caller's, and in place
 * @unit: number, from 1
 * @shared: on a network of the caller's, whose statements then only count as a disturbance here;
 *          else the only unit, on its own source
 *
 * The world carries out the statements for this unit or all units.
 */
void qs1_world_join(struct qs1_world *world, const struct scenario *scenario, int unit,
		    bool shared);

/* qs1_world_apply() - a statement from elsewhere, now; its tables stay the caller's */
int qs1_world_apply(struct qs1_world *world, const struct statement *statement, char *err,
		    size_t size);

/**
 * qs1_world_begin() - first half of qs1_world_step()
 *
 * Statements, environment, plant_begin(). The caller then steps the network as plant.h says.
 *
 * Return: 0 or a negative errno.
 */
int qs1_world_begin(struct qs1_world *world, const struct qs1_outputs *out,
		    struct plant_period *ret_period, char *err, size_t size);
/* qs1_world_finish() - second half: plant_end(), measurement */
void qs1_world_finish(struct qs1_world *world, const struct plant_period *period,
		      int16_t adc[QS1_ADC_COUNT]);

struct plant *qs1_world_plant(struct qs1_world *world);

/* qs1_world_measured() - add what the unit measured to @object, as the summary has it */
void qs1_world_measured(const struct qs1_world *world, struct json_object *object);
struct json_object *qs1_world_errors(const struct qs1_world *world);

#endif /* QS1_WORLD_MEMBER_H */
