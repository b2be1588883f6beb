/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * True values of the last seconds, one set for each control period. A reading of the meter has a
 * time. For this time, record_bounds() gives the range of the true values that the reading can
 * stand for.
 */
#ifndef QS1_VBOARD_RECORD_H
#define QS1_VBOARD_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>

#include "world.h"

struct record;

/* Return: NULL when out of memory. */
struct record *record_new(void);
void record_free(struct record *record);

/* record_add() - the control period that the world has just done */
void record_add(struct record *record, const struct qs1_world *world);

/**
 * record_bounds() - least and greatest truth that a snapshot of the firmware can mean
 * @ago: control periods from the one at whose end the firmware published it to the last one
 * @err: on failure the reason
 *
 * The firmware's DC quantities are means over the half grid cycle that ended last; its AC
 * quantities come from the last three cycles, each from one zero crossing to the next. Where in
 * that time its intervals lie is not known outside of it, so all such intervals are tried.
 *
 * Return: a new object, {"low": truth, "high": truth} with the members of the status' "truth" that
 * qs1-meter has too; NULL when the period is not, or no longer, recorded.
 */
struct json_object *record_bounds(const struct record *record, uint64_t ago, char *err,
				  size_t size);

#endif /* QS1_VBOARD_RECORD_H */
