/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What outlives power, as the text of one record: `name value` lines, so that a
 * table of parameters that has grown does not turn values into others.
 */
#ifndef QS1D_PERSIST_H
#define QS1D_PERSIST_H

#include <stddef.h>

#include "energy.h"
#include "mark.h"
#include "../policy/policy.h"

/**
 * struct persist - everything that is kept, but for the events
 * @policy: see there
 * @energy: see there; its epoch is not kept
 * @boots: starts of the system that were seen
 * @unit: names the unit, see mark.h; zeros in a record of before there was a mark
 */
struct persist {
	struct policy_kept policy;
	struct energy energy;
	uint32_t boots;
	uint8_t unit[MARK_ID_SIZE];
};

/**
 * persist_encode() - to text
 *
 * Return: its length, or -EMSGSIZE.
 */
int persist_encode(const struct persist *persist, char *text, size_t size);

/**
 * persist_decode() - from text, and check all of it
 * @where: what to call it in messages
 * @persist: on failure it holds what was understood: energy and flags are worth
 *           keeping when a value of the profile is not; the profile is
 *           untouched unless all of it is right
 * @err: on failure the first reason, with a line
 *
 * Return: 0 or -EINVAL.
 */
int persist_decode(const char *text, size_t length, const char *where, struct persist *persist,
		   char *err, size_t size);

#endif /* QS1D_PERSIST_H */
