// SPDX-License-Identifier: GPL-2.0-or-later
#include "marks.h"

#include <math.h>

double marks_turn_back(double deg, double hz, double s)
{
	double before = fmod(deg - 360 * hz * s, 360);

	return before < 0 ? before + 360 : before;
}

void marks_put(struct marks *marks, uint64_t heard_us, const struct own_angle *angle)
{
	for (int i = 0; i < MARKS_KEPT; i++) {
		if (marks->mark[i].heard_us && marks->mark[i].angle.mark == angle->mark) {
			if (heard_us - marks->mark[i].heard_us < MARKS_SAME_US) {
				return;
			}
			marks->mark[i].heard_us = 0;
		}
	}
	marks->mark[marks->next].heard_us = heard_us;
	marks->mark[marks->next].angle = *angle;
	marks->next = (marks->next + 1) % MARKS_KEPT;
}

/* How far behind @first a mark is; the numbers wrap. */
static uint16_t distance(const struct marks *marks, int i, uint16_t first)
{
	return (uint16_t)(marks->mark[i].angle.mark - first);
}

/* The entry of the nearest mark from @first + @least on; -1 for none. */
static int nearest(const struct marks *marks, uint16_t first, unsigned int least)
{
	int best = -1;

	for (int i = 0; i < MARKS_KEPT; i++) {
		if (marks->mark[i].heard_us && distance(marks, i, first) >= least &&
		    distance(marks, i, first) <= INT16_MAX &&
		    (best < 0 || distance(marks, i, first) < distance(marks, best, first))) {
			best = i;
		}
	}
	return best;
}

size_t marks_from(const struct marks *marks, uint16_t first, uint8_t *out)
{
	unsigned int least = 0;
	size_t n = 0;
	int i;

	while (n < OWN_ANGLES_MAX * OWN_ANGLE_BYTES && (i = nearest(marks, first, least)) >= 0) {
		own_angle_put(&marks->mark[i].angle, out + n);
		n += OWN_ANGLE_BYTES;
		least = distance(marks, i, first) + 1u;
	}
	return n;
}
