// SPDX-License-Identifier: GPL-2.0-or-later
#include "phases.h"

#include <math.h>
#include <stdlib.h>

/* Two ends of a wire, and two neighbouring groups. */
#define HALF_TURN 180.0
#define STEP (HALF_TURN / PHASES_GROUPS)
/* Units with which the others are compared, at most. */
#define REFERENCES 16

/* From -@period / 2 to @period / 2. */
static double wrap(double deg, double period)
{
	return remainder(deg, period);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

static double distance_sum(const double *deg, int n, double from)
{
	double sum = 0;

	for (int i = 0; i < n; i++) {
		sum += fabs(wrap(deg[i] - from, HALF_TURN));
	}
	return sum;
}

/* Median on a circle: the sample with the smallest sum of distances to the others. */
static double median(const double *deg, int n)
{
	double best = deg[0];
	double best_sum = distance_sum(deg, n, deg[0]);

	for (int i = 1; i < n; i++) {
		double sum = distance_sum(deg, n, deg[i]);

		if (sum < best_sum) {
			best_sum = sum;
			best = deg[i];
		}
	}
	return best;
}

static double spread(const double *deg, int n, double around)
{
	double off[PHASES_MARKS];

	for (int i = 0; i < n; i++) {
		off[i] = fabs(wrap(deg[i] - around, HALF_TURN));
	}
	qsort(off, (size_t)n, sizeof(off[0]), compare);
	return off[(int)ceil(PHASES_SHARE * n) - 1];
}

static struct phases_place compare_units(const double *deg, const double *with)
{
	struct phases_place place = { .deg = (double)NAN, .spread_deg = (double)NAN };
	double difference[PHASES_MARKS];

	for (int i = 0; i < PHASES_MARKS; i++) {
		if (!isnan(deg[i]) && !isnan(with[i])) {
			difference[place.marks++] = deg[i] - with[i];
		}
	}
	if (place.marks > 0) {
		place.deg = wrap(median(difference, place.marks), HALF_TURN);
		place.spread_deg = spread(difference, place.marks, place.deg);
	}
	return place;
}

static bool is_sure(const struct phases_place *place)
{
	return place->marks >= PHASES_LEAST && place->spread_deg <= PHASES_SPREAD_DEG;
}

static int count_marks(const double *deg)
{
	int count = 0;

	for (int i = 0; i < PHASES_MARKS; i++) {
		count += !isnan(deg[i]);
	}
	return count;
}

/* Compare all units with one. Return: number of units whose group is certain. */
static int compare_all(const double (*deg)[PHASES_MARKS], int units, int with,
		       struct phases_place *ret)
{
	int sure = 0;

	for (int i = 0; i < units; i++) {
		ret[i] = compare_units(deg[i], deg[with]);
		sure += is_sure(&ret[i]);
	}
	return sure;
}

/* The reference unit: of the first to answer, the one with which most others agree. */
static int reference(const double (*deg)[PHASES_MARKS], int units, struct phases_place *scratch)
{
	int tried = 0;
	int best_sure = 0;
	int best = 0;

	for (int i = 0; i < units && tried < REFERENCES; i++) {
		int sure;

		if (count_marks(deg[i]) < PHASES_LEAST) {
			continue;
		}
		tried++;
		sure = compare_all(deg, units, i, scratch);
		if (sure > best_sure) {
			best_sure = sure;
			best = i;
		}
	}
	return best;
}

/* The angle nearest to all groups, modulo a step: corrects an error of the reference unit. */
static double common(const struct phases_place *place, int units)
{
	double x = 0;
	double y = 0;

	for (int i = 0; i < units; i++) {
		if (is_sure(&place[i])) {
			double turn = 2 * M_PI * place[i].deg / STEP;

			x += cos(turn);
			y += sin(turn);
		}
	}
	return atan2(y, x) / (2 * M_PI) * STEP;
}

int phases_find(const double (*deg)[PHASES_MARKS], int units, struct phases_place *ret)
{
	bool used[PHASES_GROUPS] = { false };
	double offset;
	int first = -1;
	int groups = 0;

	if (units == 0) {
		return 0;
	}
	compare_all(deg, units, reference(deg, units, ret), ret);
	offset = common(ret, units);
	for (int i = 0; i < units; i++) {
		double from = ret[i].deg - offset;
		int group;

		if (!is_sure(&ret[i]) || fabs(wrap(from, STEP)) > PHASES_SPREAD_DEG) {
			continue;
		}
		group = (int)lround(from / STEP) + PHASES_GROUPS;
		first = first < 0 ? group : first;
		group = (group - first + 2 * PHASES_GROUPS) % PHASES_GROUPS;
		ret[i].group = group + 1;
		groups += !used[group];
		used[group] = true;
	}
	return groups;
}

/* The phase @steps further in the order of rotation, of the same kind. */
static enum model_phase rotate(enum model_phase phase, int steps)
{
	int base = phase < PHASE_L1_L2 ? PHASE_L1 : PHASE_L1_L2;

	return (enum model_phase)(base +
				  ((int)phase - base + steps + PHASES_GROUPS) % PHASES_GROUPS);
}

int phases_name(struct phases_name *unit, int units)
{
	enum model_phase phase = PHASE_L1_L2;
	int group = 1;
	int contradicts = -1;

	for (int i = units - 1; i >= 0; i--) {
		if (unit[i].group && unit[i].named && unit[i].phase != PHASE_UNKNOWN) {
			phase = unit[i].phase;
			group = unit[i].group;
		}
	}
	for (int i = 0; i < units; i++) {
		enum model_phase found = unit[i].group ? rotate(phase, unit[i].group - group)
						       : PHASE_UNKNOWN;

		if (!unit[i].named) {
			unit[i].phase = found;
		} else if (found != PHASE_UNKNOWN && found != unit[i].phase && contradicts < 0) {
			contradicts = i;
		}
	}
	return contradicts;
}

unsigned int phases_stopped(const struct phases_power *unit, int units)
{
	unsigned int ready = 0;
	unsigned int producing = 0;

	for (int i = 0; i < units; i++) {
		unsigned int bit = unit[i].phase == PHASE_UNKNOWN ? 0 : 1u << unit[i].phase;

		ready |= unit[i].ready ? bit : 0;
		producing |= unit[i].produces ? bit : 0;
	}
	return producing ? ready & ~producing : 0;
}
