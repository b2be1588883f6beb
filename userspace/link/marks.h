/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Angles of a unit's loop at the newest marks, until a gateway asks for them. See own.h.
 */
#ifndef QS1_LINK_MARKS_H
#define QS1_LINK_MARKS_H

#include "own.h"

/* More than one search of a gateway takes (20). */
#define MARKS_KEPT 32
/* A mark with a known number is a repetition by the network within this time, and another later. */
#define MARKS_SAME_US UINT64_C(1000000)

/**
 * struct marks - ring; zeroed to begin with
 * @heard_us: when the mark's frame ended, monotonic; 0 for an unused entry
 * @next: entry that is written next
 */
struct marks {
	struct {
		uint64_t heard_us;
		struct own_angle angle;
	} mark[MARKS_KEPT];
	unsigned int next;
};

/* The angle @s seconds before it was @deg, at @hz; from 0 to below 360 degrees. */
double marks_turn_back(double deg, double hz, double s);

/* Keep an angle. The first copy of a mark counts. */
void marks_put(struct marks *marks, uint64_t heard_us, const struct own_angle *angle);

/**
 * marks_from() - records of the marks from a number on, oldest first
 * @out: OWN_ANGLES_MAX records
 *
 * Return: bytes written.
 */
size_t marks_from(const struct marks *marks, uint16_t first, uint8_t *out);

#endif /* QS1_LINK_MARKS_H */
