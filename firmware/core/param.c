/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Parameters: ranges, contradictions, and profiles, which are applied completely
 * or not at all.
 */
#include "state.h"

/* Of 16 bits, since the PRU has little memory: a larger maximum is a multiple of ten. */
struct row {
	int16_t def;
	int16_t min;
	int16_t max;
	uint8_t group;
	uint8_t max_tens;
};

#define IS_LARGE(max) ((max) > INT16_MAX)

static const struct row table[QS1_PARAM_COUNT] = {
#define X(id, name, dec, def, min, max, group, ...)                                                \
	[QS1_PARAM_##id] = { def, min, IS_LARGE(max) ? (max) / 10 : (max),                         \
			     QS1_PARAM_GROUP_##group, IS_LARGE(max) },
	QS1_PARAMS(X)
#undef X
};

#define X(id, name, dec, def, min, max, ...)                                                       \
	QS1_ASSERT((def) >= INT16_MIN && (def) <= INT16_MAX && (min) >= INT16_MIN);                \
	QS1_ASSERT(!IS_LARGE(max) || ((max) % 10 == 0 && (max) / 10 <= INT16_MAX));
QS1_PARAMS(X)
#undef X

static int32_t highest(uint32_t id)
{
	return table[id].max_tens ? table[id].max * 10 : table[id].max;
}

/* Pairs of QS1_PARAM_ORDERS. */
static const struct {
	uint8_t lower;
	uint8_t upper;
	int16_t gap;
} order[] = {
#define X(lower, upper, gap) { QS1_PARAM_##lower, QS1_PARAM_##upper, gap },
	QS1_PARAM_ORDERS(X)
#undef X
};

/* Update the values derived from the parameters. */
static void derive(struct qs1_core *core)
{
	qs1_trip_derive(core);
	qs1_protect_derive(core);
	qs1_support_derive(core);
}

void qs1_param_init(struct qs1_core *core)
{
	for (int k = 0; k < QS1_PARAM_COUNT; k++)
		core->param[k] = table[k].def;
	derive(core);
}

int32_t qs1_core_param(const struct qs1_core *core, enum qs1_param id)
{
	return core->param[id];
}

/* Apply a whole set, unless two of its values contradict each other. */
static uint32_t take(struct qs1_core *core, const int32_t *set, int32_t *ret)
{
	for (unsigned int k = 0; k < sizeof(order) / sizeof(order[0]); k++) {
		if (set[order[k].lower] + order[k].gap > set[order[k].upper]) {
			*ret = order[k].upper;
			return QS1_ERR_CONFLICT;
		}
	}
	for (int k = 0; k < QS1_PARAM_COUNT; k++)
		core->param[k] = set[k];
	derive(core);
	return QS1_OK;
}

static void stage(struct qs1_core *core)
{
	for (int k = 0; k < QS1_PARAM_COUNT; k++)
		core->staged[k] = core->param[k];
}

static uint32_t set(struct qs1_core *core, uint32_t id, int32_t value, int32_t *ret)
{
	if (value < table[id].min || value > highest(id)) {
		*ret = value < table[id].min ? table[id].min : highest(id);
		return QS1_ERR_RANGE;
	}
	/* While a profile is being staged nothing else changes. */
	if (core->staging && table[id].group != QS1_PARAM_GROUP_PROFILE)
		return QS1_ERR_STATE;
	*ret = value;
	if (!core->staging)
		stage(core);
	core->staged[id] = value;
	return core->staging ? QS1_OK : take(core, core->staged, ret);
}

uint32_t qs1_param_command(struct qs1_core *core, uint32_t op, uint32_t id, int32_t value,
			   int32_t *ret)
{
	switch (op) {
	case QS1_OP_PROFILE_BEGIN:
		stage(core);
		core->staging = true;
		return QS1_OK;
	case QS1_OP_PROFILE_ABORT:
		core->staging = false;
		return QS1_OK;
	case QS1_OP_PROFILE_COMMIT:
		if (!core->staging)
			return QS1_ERR_STATE;
		core->staging = false;
		return take(core, core->staged, ret);
	}
	if (id >= QS1_PARAM_COUNT)
		return QS1_ERR_ARG;
	if (op == QS1_OP_SET_PARAM)
		return set(core, id, value, ret);
	*ret = core->param[id];
	return QS1_OK;
}
