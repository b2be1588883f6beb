/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kept state as the text of one record: `name value` lines, which stay valid
 * when the table of parameters grows.
 */
#ifndef QS1D_PERSIST_H
#define QS1D_PERSIST_H

#include <stddef.h>

#include "../policy/energy.h"
#include "mark.h"
#include "../policy/policy.h"

/**
 * struct persist - everything that is kept, except events
 * @policy: see there
 * @energy: see there; its epoch is not kept
 * @boots: starts of the system
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
 * @where: its name in messages
 * @persist: on failure it holds what could be parsed, because energy and flags are
 *           worth keeping; the profile is untouched unless all of it is right
 * @err: on failure the first reason, with a line
 *
 * Return: 0 or -EINVAL.
 */
int persist_decode(const char *text, size_t length, const char *where, struct persist *persist,
		   char *err, size_t size);

#endif /* QS1D_PERSIST_H */
