/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which inverters are on the same phase; pure. At each of some marks every unit has read the angle
 * of its loop at the same instant. The difference of two units is that of their voltages, whatever
 * the grid's angle was. Swapped wires add 180 degrees, so angles count modulo 180: then the three
 * phases of a grid, line to neutral or line to line, are 60 degrees apart. In the order of rotation
 * each phase is 120 degrees behind the one before it, which is 60 degrees more modulo 180.
 */
#ifndef ECUD_PHASES_H
#define ECUD_PHASES_H

#include "model.h"

#define PHASES_MARKS 20
/* A unit that has heard fewer marks together with the others is not judged. */
#define PHASES_LEAST 8
/* Largest difference of most angles (PHASES_SHARE) from their median, and of the median from its
 * group, degrees. The middle between two groups is at 30 degrees. */
#define PHASES_SPREAD_DEG 15.0
#define PHASES_SHARE 0.8
#define PHASES_GROUPS 3

/**
 * struct phases_place - what was found of a unit
 * @marks: marks that both it and the reference unit have heard
 * @deg: median of its angle against that unit, modulo 180; NAN without marks
 * @spread_deg: PHASES_SHARE of the marks are at most this far off; NAN without marks
 * @group: 1 to 3 in the order of rotation, the first unit that is known in group 1; 0 for unknown
 */
struct phases_place {
	int marks;
	double deg;
	double spread_deg;
	int group;
};

/**
 * phases_find() - group units by their angles
 * @deg: of each unit at each mark, degrees; NAN for a mark that it has not heard
 * @ret: @units places
 *
 * Return: number of groups.
 */
int phases_find(const double (*deg)[PHASES_MARKS], int units, struct phases_place *ret);

/**
 * struct phases_name - name of a unit's phase
 * @group: as found; 0 for unknown
 * @named: @phase was set by a person, and stays
 * @phase: name
 */
struct phases_name {
	int group;
	bool named;
	enum model_phase phase;
};

/**
 * phases_name() - names of groups
 *
 * The first unit with both a group and a name of a person names its group, and thereby the
 * others. Without one, the names from L1-L2 on are labels that only tell the groups apart. A unit
 * without a group and without a name of a person is unknown.
 *
 * Return: index of the first unit whose name contradicts what was found, or -1.
 */
int phases_name(struct phases_name *unit, int units);

/**
 * struct phases_power - a unit, for phases_stopped()
 * @phase: where it is
 * @ready: it is heard, and in light
 * @produces: it gives power, or would if the gateway did not stop it itself
 */
struct phases_power {
	enum model_phase phase;
	bool ready;
	bool produces;
};

/**
 * phases_stopped() - phases that have light but do not produce, while others do
 *
 * Return: bits of enum model_phase. Units of unknown phase do not count.
 */
unsigned int phases_stopped(const struct phases_power *unit, int units);

#endif /* ECUD_PHASES_H */
